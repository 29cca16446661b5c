"""A course with a class of learners of every kind, to look at a report of: `python -m tests.cohort FOLDER [60]`."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from tests.engines import REFERENCE, TOPIC
from tests.hostile import SAMPLES
from tests.hostile.sample import FORWARD, NOTHING
from tests.nbgrader_helpers import SLUG, Course, hand_in, own_engine
from tests.wrong_engines import WRONG
from tests.zoo import ENGINES
from utils.build.notebooks import instructor_notebook

FIRST = ("Ada", "Alan", "Barbara", "Boyan", "Chen", "Daria", "Edsger", "Emmy", "Fatima", "Grace", "Ines", "Niels")
LAST = ("Abel", "Bayes", "Cauchy", "Dirac", "Frege", "Gauss", "Ito", "Kuroda", "Lovelace", "Noether", "Okoro", "Peano")
HOSTILE_NAME = '<script>alert("x")</script> & =cmd()'
UNWRITTEN = '\n\ndef later(self, *others):\n    raise NotImplementedError("next week")\n\n\n'
DUE = datetime(2026, 5, 1, 22, 0)


def modules(rng: random.Random) -> Iterator[tuple[str, str]]:
    """(kind, text of value.py), again and again in the proportions of a class in its second week."""
    wrong, right = sorted(WRONG), sorted(ENGINES)
    rest = ["__pow__", "__truediv__", "relu", "tanh", "exp", "log", "sigmoid"]
    while True:
        yield from (("wrong", WRONG[name].source) for name in rng.sample(wrong, 5))
        yield from (("right", ENGINES[name].read_text(encoding="utf-8")) for name in rng.sample(right, 3))
        yield "whole", own_engine()
        yield "empty", NOTHING
        yield "part", REFERENCE + UNWRITTEN + "".join(f"Value.{name} = later\n" for name in rest[rng.randrange(7):])
        yield "forward", FORWARD
        yield "borrowed", "from utils.autograd_stub import Value\n"
        yield "broken", NOTHING.replace("def __add__(", "def __add__(self", 1)
        copied = WRONG[rng.choice(wrong)].source
        yield "copied", copied
        yield "copied", copied.replace("out", "result").replace("other", "right")
        yield "hostile", SAMPLES[rng.choice(["equal-to-all", "os-exit-in-backward", "patches-builtins"])].text()


def populate(course: Course, count: int, seed: int = 0) -> None:
    """Hand in `count` submissions in a course whose assignment is generated, and name two learners who did not."""
    rng = random.Random(seed)
    kinds = modules(rng)
    solved = {name: {c.id: c.source for c in instructor_notebook(TOPIC, name).cells} for name in TOPIC.notebooks}
    with course.gradebook() as book:
        for number in range(count + 2):
            who = f"s{1001 + number}"
            first, last = rng.choice(FIRST), rng.choice(LAST)
            book.update_or_create_student(who, first_name=HOSTILE_NAME if number == 3 else first, last_name=last,
                                          email=f"{who}@example.org", lms_user_id=str(90_000 + number))
            if number < count:
                _work(hand_in(course, who, next(kinds)[1]), rng, solved)
    late = course.submitted("s1002")
    (late / "numpy.py").write_text("raise SystemExit\n", encoding="utf-8")
    (course.submitted("s1005") / "math-refresh.ipynb").write_text("{", encoding="utf-8")


def _work(folder: Path, rng: random.Random, solved: dict[str, dict[str, str]]) -> None:
    """Answers in the notebooks, hints shown there, and a time of handing in."""
    diligence = rng.random()
    for name in ("math-refresh", "exercises"):
        data = json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8"))
        for cell in data["cells"]:
            if cell["id"].startswith("answer-") and rng.random() < diligence:
                cell["source"] = solved[name][cell["id"]]
            elif cell["id"].startswith("essay-answer-") and rng.random() < diligence:
                cell["source"] = "Because every consumer of a node has to have its gradient first."
        if name == "exercises" and rng.random() < 0.4:
            data["cells"] += [_hint(rng.choice(["1.3", "1.4", "2.2", "4.1"]), rng.randint(1, 3))]
        (folder / f"{name}.ipynb").write_text(json.dumps(data), encoding="utf-8")
    when = DUE - timedelta(minutes=int(rng.expovariate(1 / 900)))
    (folder / "timestamp.txt").write_text(f"{when:%Y-%m-%d %H:%M:%S} UTC\n", encoding="utf-8")


def _hint(exercise: str, number: int) -> dict:
    text = f"**Hint {number} of 3 for exercise {exercise}**"
    return {"cell_type": "code", "id": "my-hint", "metadata": {}, "execution_count": 1, "source": f'hint("{exercise}")',
            "outputs": [{"output_type": "display_data", "metadata": {}, "data": {"text/markdown": text}}]}


def main(folder: str, count: str = "60") -> None:
    """A course in `folder` with `count` submissions, to be graded by `course.py grade --course`."""
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)
    course = Course(Path(folder).resolve(), budget=5)
    course.run("generate_assignment", SLUG)
    populate(course, int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
