"""Answer cells: the numbers that a learner filled in, read live from a notebook's kernel or from a saved notebook."""

from __future__ import annotations

import json
import re
from pathlib import Path

from utils.curriculum import Topic
from utils.judge.promises import Broken
from utils.judge.replies import status
from utils.judge.session import Limits, Session
from utils.sandbox.isolation import LOCAL

LIMITS = Limits(cpu=2.0, wall=15.0)


def variable(exercise: str) -> str:
    """The name that an answer cell gives its answer: answer_R2, answer_2_5."""
    return "answer_" + exercise.replace(".", "_")


class Answers:
    """The learner's answers. `live` holds what a kernel handed over; others are read from the notebooks in `folder`."""

    def __init__(self, topic: Topic, folder: Path, live: dict | None = None, isolation: str = LOCAL):
        self.topic, self.folder, self.isolation = topic, folder, isolation
        self.known = dict(live or {})           # exercise -> its answer, or the Broken that stands for it
        self.tables: dict[str, str] = {}        # exercise -> what its boxes come to together, as aligned text
        self._session = Session(None, isolation)

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *exc) -> None:
        self._session.close()

    def box(self, problem, name: str) -> None:
        """One box of a drill holds the right answer; `problem` is one of utils.drills'."""
        from utils.drills import judge_box

        status, expected, yours, sentence = judge_box(problem, self.of(problem.id), name)
        if status != "passed":
            raise Broken(sentence, status=status, quantity=f"{variable(problem.id)}[{name!r}]",
                         yours=None if yours is None else str(yours), expected=expected)

    def of(self, exercise: str):
        """The answer to one exercise, as plain data; Broken if there is none."""
        if exercise not in self.known:
            try:
                self.known[exercise] = self._read(exercise)
            except Broken as problem:
                self.known[exercise] = problem
        answer = self.known[exercise]
        if isinstance(answer, Broken):
            raise answer
        return answer

    def _read(self, exercise: str):
        """The answer as the cell in the saved notebook gives it, run by itself in a worker."""
        name = variable(exercise)
        source = self._cell(name)
        if source is None:
            raise Broken(f"No cell gives `{name}` a value in the notebooks of this folder.", status="not-written")
        outcome = self._session.run([["exec", source, [name]]], LIMITS)
        if outcome.error:
            raise Broken(f"The answer cell stopped with {outcome.error['type'] or outcome.error['kind']}: "
                         f"{outcome.error['text']}. An answer cell stands alone: only `math` and `np` are there.",
                         status=status(outcome.error))
        if name not in outcome.reports[0]:
            raise Broken(f"The answer cell does not set `{name}`.", status="not-written")
        return outcome.reports[0][name]

    def _cell(self, name: str) -> str | None:
        """The source of the cell that assigns `name`: the last answer cell that does, else the last cell at all."""
        pattern = re.compile(rf"^{name}\b", re.MULTILINE)
        found, is_answer = None, False
        for notebook in self.topic.notebooks:
            path = self.folder / f"{notebook}.ipynb"
            for cell in _code_cells(path) if self.isolation == LOCAL or not path.is_symlink() else ():
                source = "".join(cell["source"])
                answer = bool(cell.get("metadata", {}).get("nbgrader", {}).get("solution"))
                if pattern.search(source) and answer >= is_answer:
                    found, is_answer = source, answer
        return found


def _code_cells(path: Path) -> list[dict]:
    """The code cells of a notebook; none if it is missing or no notebook."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [c for c in cells if c["cell_type"] == "code" and isinstance(c["source"], str | list)]
    except (OSError, ValueError, LookupError, TypeError):
        return []
