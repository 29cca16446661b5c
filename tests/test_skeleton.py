"""The learner's file and the stub: made from the solutions, in step with them, and the learner's without any answer."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from types import ModuleType

import pytest

from utils.build.skeleton import HEADER, Block, SkeletonError, parse, skeleton
from utils.build.stub import stub
from utils.curriculum import ROOT, topic

TOPIC = topic("02")
REFERENCE = (TOPIC.solutions / "level01-naive.py").read_text(encoding="utf-8")
ENGINE = TOPIC.solutions / "level03-memory-efficient.py"
SHIPPED = (TOPIC.shipped / TOPIC.module).read_text(encoding="utf-8")
BLOCKS = [part for part in parse(REFERENCE) if isinstance(part, Block)]


@pytest.fixture
def learner() -> ModuleType:
    """The shipped file, imported."""
    module = ModuleType("value")
    exec(compile(SHIPPED, TOPIC.module, "exec"), module.__dict__)
    return module


# In step with their sources


def test_the_shipped_skeleton_is_the_references():
    assert skeleton(REFERENCE) == SHIPPED


def test_the_shipped_stub_is_level_3s():
    text = stub(ENGINE.read_text(encoding="utf-8"), ENGINE.relative_to(ROOT).as_posix())
    assert (ROOT / "utils" / "autograd_stub.py").read_text(encoding="utf-8") == text
    made, source = (ast.parse(text), ast.parse(ENGINE.read_text(encoding="utf-8")))
    assert [ast.dump(node) for node in made.body[1:]] == [ast.dump(node) for node in source.body[1:]]
    assert "borrowed" in ast.get_docstring(made)
    assert "course.py build" in ast.get_docstring(made)


def test_a_stub_needs_a_docstring_to_replace():
    with pytest.raises(ValueError, match=r"engine\.py does not begin with a docstring"):
        stub("import math\n", "engine.py")


# No answers in the learner's file


def kept_lines(source: str) -> Counter:
    """The lines of a reference that stand outside its blocks, and the text that replaces the blocks."""
    kept = [part if isinstance(part, str) else part.replacement() for part in parse(source)]
    return Counter(line.strip() for text in kept for line in text.splitlines())


def leaked(made: str, source: str) -> list[str]:
    """Solution lines of `source` that stand in `made`, unless they are given elsewhere in it anyway."""
    given = kept_lines(source)
    present = Counter(line.strip() for line in made.splitlines())
    removed = {line.strip() for part in parse(source) if isinstance(part, Block) for line in part.solution}
    return sorted(line for line in removed if line and present[line] > given[line])


def test_no_solution_line_is_left():
    assert leaked(SHIPPED, REFERENCE) == []


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.line > 1], ids=lambda block: f"line {block.line}")
def test_a_leak_would_be_seen(block):
    """Closing any one block early leaves its first line in the learner's file."""
    lines = REFERENCE.splitlines()
    lines[block.line - 1], lines[block.line] = lines[block.line], lines[block.line - 1]
    assert leaked(skeleton("\n".join(lines) + "\n"), REFERENCE)


def unwritten() -> dict[str, list[ast.stmt]]:
    """The statements after the docstring of every function that raises NotImplementedError."""
    found = {}
    for node in ast.walk(ast.parse(SHIPPED)):
        if isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Raise):
            found[f"{node.name} at line {node.lineno}"] = node.body[1:] if ast.get_docstring(node) else node.body
    return found


def test_what_is_the_learners_holds_nothing_but_its_raise():
    bodies = unwritten()
    longer = [name for name, body in bodies.items() if len(body) > 1]
    assert len(bodies) == SHIPPED.count("raise NotImplementedError(") == len(BLOCKS) - 1  # the header is a block too
    assert [name.split()[0] for name in longer] == ["_backward"]  # the half-written rule of a product


def test_every_class_and_function_of_the_reference_is_there():
    names = [
        [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef | ast.FunctionDef)]
        for text in (SHIPPED, REFERENCE)
    ]
    assert set(names[1]) - set(names[0]) == {"visit"}


def test_every_exercise_is_one_that_the_manifest_knows():
    named = re.findall(r'raise NotImplementedError\("exercise (\d\.\d): \S', SHIPPED)
    assert len(named) == SHIPPED.count("raise NotImplementedError(")
    assert {TOPIC.exercise(id).kind for id in named} == {"module"}
    assert set(named) == {"1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "3.4", "3.5", "4.1", "4.2"}


# The learner's file as it comes


def test_what_is_given_works(learner):
    a, b = learner.Value(2.0, label="a"), learner.Value(3.0)
    out = a + b
    out.grad = 5.0
    out._backward()
    assert (out.data, out._prev, out._op, a.grad, b.grad, a.label) == (5.0, (a, b), "+", 5.0, 5.0, "a")
    assert (a + 1).data == 3.0
    assert (a * b).data == 6.0
    assert repr(a) == "Value(data=2.0, grad=5.0)"


UNWRITTEN = {
    "1.1": [lambda m: 1 + m.Value(2.0), lambda m: 3 * m.Value(2.0)],
    "1.2": [lambda m: (m.Value(2.0) * 3)._backward(), lambda m: m.Value(2.0).backward()],
    "2.1": [lambda m: -m.Value(2.0), lambda m: m.Value(2.0) - 1, lambda m: 1 - m.Value(2.0)],
    "2.2": [lambda m: m.Value(2.0) ** 2, lambda m: m.Value(2.0) / 3, lambda m: 3 / m.Value(2.0)],
    "2.3": [lambda m: m.Value(2.0).relu(), lambda m: m.Value(2.0).tanh(), lambda m: m.Value(2.0).exp()],
    "2.4": [lambda m: m.Value(2.0).log(), lambda m: m.Value(2.0).sigmoid()],
    "4.1": [lambda m: m.Neuron(2), lambda m: m.Layer(2, 3, nonlin=False), lambda m: m.MLP(2, [3, 1])],
    "4.2": [lambda m: m.train_step(None, [[1.0]], [1.0], 0.1)],
}


@pytest.mark.parametrize("exercise", UNWRITTEN)
def test_the_unwritten_names_its_exercise(learner, exercise):
    for use in UNWRITTEN[exercise]:
        with pytest.raises(NotImplementedError, match=f"^exercise {re.escape(exercise)}: "):
            use(learner)


# The markers

SHORT = """
def half(x):
    # exercise 2.2 >>> a half
    return x / 2
    # <<<
"""
LONG = """
def rule(x):
    # exercise 1.2 >>>
    return 2 * x
    # learner's file:
    #     if x < 0:
    #         return -x
    #
    #     raise NotImplementedError("exercise 1.2: the rule")
    # <<<


after = 1
"""


def test_short_form():
    assert skeleton(SHORT) == HEADER + """
def half(x):
    raise NotImplementedError("exercise 2.2: a half")
"""


def test_long_form_keeps_half_written_code_and_its_indentation():
    assert skeleton(LONG) == HEADER + """
def rule(x):
    if x < 0:
        return -x

    raise NotImplementedError("exercise 1.2: the rule")


after = 1
"""


@pytest.mark.parametrize(("line", "text", "source"), [
    (1, "no block is marked", "x = 1\n"),
    (2, "never closed", "\n# exercise 1.1 >>> it\nx = 1\n"),
    (3, "opens inside the block of line 1", "# exercise 1.1 >>> it\nx = 1\n# exercise 1.2 >>> it\n# <<<\n"),
    (2, "closes a block that no", "x = 1\n# <<<\n"),
    (1, "belongs in an open block", "# learner's file:\n"),
    (2, "belongs in an open block", "# exercise 1.1 >>> it\n# learner's file:\n# <<<\n"),
    (3, "the block of line 1 has no text", "# exercise 1.1 >>>\nx = 1\n# <<<\n"),
    (4, "expected a comment, text of the learner's file: 'x = 2'",
     "# exercise 1.1 >>>\nx = 1\n# learner's file:\nx = 2\n# <<<\n"),
])
def test_markers_that_do_not_fit_are_named_by_line(line, text, source):
    with pytest.raises(SkeletonError, match=rf"^line {line}: .*{re.escape(text)}"):
        skeleton(textwrap.dedent(source))
