"""A new topic in its smallest whole form: an entry of the manifest and files in four trees, all of which pass.

It has one exercise, a function that doubles a number, to be replaced by the real ones. The templates are written with
`$slug`, `$number`, `$title`, `$module` (the learner's file) and `$name` (the same without its ending).
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from utils import curriculum
from utils.curriculum import CurriculumError, load

SLUG = re.compile(r"(\d\d)-[a-z0-9]+(-[a-z0-9]+)*")
MODULE = re.compile(r"[a-z][a-z0-9_]*\.py")

ENTRY = '''
[[topic]]
slug = "$slug"
number = "$number"
title = "$title"
minutes = "5"
difficulty = "to be written"
module = "$module"
notebooks = ["intuition", "math-refresh", "exercises"]
after = []
goal = "Say in a sentence what the learner will have built."
draft = true                              # shown to no learner until this line goes

  [[topic.level]]
  number = 1
  title = "The first level"
  promise = "`double(x)`: twice the number."

    [[topic.level.exercise]]
    id = "1.1"
    title = "Twice a number"
    points = 1
    minutes = 5
    hint = 1
'''

REFERENCE = '''# header >>>
"""Level 1, the naive one: the model answer to the exercises, and the source of the learner's file."""
# learner's file:
# """Your file for topic $number. Replace the `raise NotImplementedError` line, save, then run the check."""
# <<<


def double(x):
    """Twice the number x."""
    # exercise 1.1 >>> double
    return x + x
    # <<<
'''
STAGE = '''"""Level $level: to be written. For now the same function, written in another way."""


def double(x):
    """Twice the number x."""
    return 2 * x
'''
SCRIPT = '''"""Level 4, the reference, to compare with PyTorch. Run it; it ends with an error if something is wrong."""

if __name__ == "__main__":
    x = 1.5
    print(f"twice {x} is {2 * x}")
'''
BASIC = '''"""Level 1: what `double` promises."""

from __future__ import annotations

from utils.judge import promise


@promise(exercise="1.1")
def test_double(module):
    """`double(x)` is twice x."""
    for x in (1.5, -2.0):
        scene = module.scene("double")
        scene.make("y", "double", x)
        scene.wants("y", 2 * x)
        scene.keep()
'''
EXERCISES = '''# %% [markdown]
# # $title
#
# **Do:** write `$module`, the file beside this notebook. **Learn:** to be written. **Need:** to be written.

# %%
from utils.notebook import check, hint, status

# %% [markdown]
# # Level 1: The first level
#
# ### 1.1 Twice a number (5 minutes)
#
# Write `double` in `$module`. Save, then check.

# %% check="1.1"
check("1.1")
'''
NOTEBOOK = '''# %% [markdown]
# # Maths refresh
#
# **Do:** to be written. **Learn:** to be written. **Need:** to be written.

# %%
1 + 1
'''
INTUITION = '''---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Intuition

- **Do:** to be written.
- **Learn:** to be written.
- **Need:** to be written.

```{code-cell} ipython3
1 + 1
```
'''
README = '''# Topic $number: $title

**Goal:** to be written.

One file, `$module`; [questions.md](questions.md) holds interview questions.
'''
QUESTIONS = '''# Topic $number: interview questions

### 1. To be written.

<details><summary>Answer</summary>

To be written.
</details>
'''
HEADING = "## 1.1 Twice a number\n"
HINTS = {
    "hint-1-structure.md": f"# Hint 1: structure\n\n{HEADING}Which operation that you know makes two of one?\n",
    "hint-2-backward.md": f"# Hint 2: the rule\n\n{HEADING}The number occurs in it as often as in the result.\n",
    "hint-3-code.md": f"# Hint 3: nearly code\n\n{HEADING}Fill the gap, and say why it holds for every x:\n\n"
                      "```python\nreturn x + ____\n```\n",
}
FILES = {
    "topics/$slug/README.md": README, "topics/$slug/questions.md": QUESTIONS, "topics/$slug/intuition.md": INTUITION,
    "solutions/$slug/level01-naive.py": REFERENCE,
    "solutions/$slug/level02-vectorized.py": STAGE.replace("$level", "2, vectorized"),
    "solutions/$slug/level03-memory-efficient.py": STAGE.replace("$level", "3, lean"),
    "solutions/$slug/level04-pytorch-reference.py": SCRIPT,
    "solutions/$slug/exercises.py": EXERCISES, "solutions/$slug/math-refresh.py": NOTEBOOK,
    "tests/$slug/test_basic.py": BASIC,
    **{f"tests/$slug/test_{kind}.py": f'"""Topic $number: {what}; none yet."""\n' for kind, what in
       (("edge", "where things meet their limits"), ("stress", "what is large"), ("answers", "answer cells"))},
    **{f"hints/$slug/{name}": text for name, text in HINTS.items()},
}


def scaffold(slug: str, title: str | None = None, module: str = "work.py") -> list[Path]:
    """Write the topic's sources and its entry; the files written. CurriculumError, and nothing done, if it cannot."""
    match = SLUG.fullmatch(slug)
    if not match:
        raise CurriculumError(f"{slug!r} is no slug; write two digits and words, such as 07-optimizers")
    if not MODULE.fullmatch(module):
        raise CurriculumError(f"{module!r} is no module's name; write one such as optimizer.py")
    taken = next((t for t in load(drafts=True) if match[1] == t.number), None)
    if taken:
        raise CurriculumError(f"number {match[1]} is taken by {taken.slug}; choose another")
    words = {"slug": slug, "number": match[1], "title": title or slug[3:].replace("-", " ").capitalize(),
             "module": module, "name": module.removesuffix(".py")}
    files = {curriculum.ROOT / Template(name).substitute(words): Template(text).substitute(words)
             for name, text in FILES.items()}
    standing = [path for path in files if path.exists()]
    if standing:
        raise CurriculumError(f"{standing[0].relative_to(curriculum.ROOT)} is there already; move it away first")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    manifest = curriculum.ROOT / "topics" / "curriculum.toml"
    with manifest.open("a", encoding="utf-8") as file:
        file.write(Template(ENTRY).substitute(words))
    load.cache_clear()
    return [*files, manifest]
