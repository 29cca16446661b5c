"""What notebooks call: `check` judges, `hint` helps, `status` tells how far you are.

None of them raises, whatever a learner does; only for nbgrader's Validate is a check that fails an error.
"""

from __future__ import annotations

import atexit
import os
import sys
from dataclasses import replace
from functools import cache
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType

from IPython import get_ipython

from utils import progress
from utils.curriculum import CurriculumError, Topic, topic_of
from utils.curriculum import topic as find_topic
from utils.fresh import followed
from utils.hints import ladder
from utils.judge.answers import variable
from utils.judge.client import JudgeError, JudgeProcess

GRADING = "UPSTREAM_GRADING"        # set while nbgrader runs a notebook: the judge runs elsewhere then
VALIDATING = "NBGRADER_VALIDATING"  # set by nbgrader's Validate


class Message(str):
    """A text that shows as Markdown in a notebook and as itself on a console."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return str(self)


def _here(topic: str | None) -> tuple[Topic, Path]:
    """The topic and the folder of the calling notebook."""
    folder = Path.cwd()
    return (topic_of(folder) if topic is None else find_topic(topic)), folder


def check(what: int | str, answer=None, *, topic: str | None = None):
    """Judge a level (`check(1)`), an exercise (`check("1.3")`) or an answer (`check("R2", answer_R2)`).

    The module is judged as it is on disk: save it first. What is returned shows itself; its `kept` says whether every
    promise holds.
    """
    if os.environ.get(GRADING):
        return Message("Judged when this notebook is graded.")
    try:
        where, folder = _here(topic)
        exercises = [e.id for e in where.level(what).exercises] if isinstance(what, int) else [where.exercise(what).id]
        given = {what: answer} if answer is not None else _in_kernel(exercises)
        answers = {id: _data(value) for id, value in given.items()}
        report = _judge().judge(where, folder, only=exercises, answers=answers)
    except (CurriculumError, JudgeError) as problem:
        return Message(f"check: {problem}")
    if folder == where.work:
        progress.note_check(where, report)
    if os.environ.get(VALIDATING) and not report.kept:
        raise AssertionError(report.verdict)        # nbgrader's Validate takes a cell without an error for a success
    if not followed(Path(where.module).stem) and _older(folder / where.module):
        note = f"This kernel still holds an older {where.module}: run the cell that imports it again."
        report = replace(report, notes=(*report.notes, note))
    return report


@cache
def _judge() -> JudgeProcess:
    """The judge that stays with this kernel: every check but the first finds it started."""
    judge = JudgeProcess()
    atexit.register(judge.close)
    return judge


def _in_kernel(exercises: list[str]) -> dict:
    """The answers that this notebook holds, saved or not; for other exercises the judge reads the saved notebooks."""
    shell = get_ipython()
    names = shell.user_ns if shell else {}
    return {id: names[variable(id)] for id in exercises if variable(id) in names}


def _data(answer):
    """An answer as plain data: numbers, text, lists and dictionaries stay, anything else is described."""
    if isinstance(answer, dict):
        return {str(key): _data(value) for key, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [_data(value) for value in answer]
    if hasattr(answer, "item") and getattr(answer, "ndim", None) == 0:
        answer = answer.item()
    return answer if isinstance(answer, int | float | str | bool | None) else repr(answer)[:80]


def _older(file: Path) -> bool:
    """Whether this kernel holds the module as it was before the file's last change."""
    module = sys.modules.get(file.stem)
    if module is None or getattr(module, "__file__", None) != str(file) or not file.is_file():
        return False
    try:
        on_disk = dict(_functions(compile(file.read_bytes(), str(file), "exec", dont_inherit=True)))
    except (SyntaxError, ValueError):
        return False                # the report says what is wrong with it
    held = {code.co_qualname: code for code in _held(module)}
    return held != on_disk


def _functions(code: CodeType):
    """(qualified name, code) of every function and method that a module's code defines, at its own or a class's level.
    """
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_flags & CO_OPTIMIZED:
                if "<" not in inner.co_qualname:
                    yield inner.co_qualname, inner
            else:
                yield from _functions(inner)        # a class body


def _held(module):
    """The code of every function and method that a module holds."""
    for thing in vars(module).values():
        members = vars(thing).values() if isinstance(thing, type) else (thing,)
        for member in members:
            if isinstance(member, FunctionType) and member.__module__ == module.__name__:
                yield member.__code__


def hint(exercise: str, *, topic: str | None = None):
    """Show the next hint of an exercise, one at a time, and say how many are left."""
    try:
        where, folder = _here(topic)
        steps = ladder(where, where.exercise(exercise).id)
    except CurriculumError as problem:
        return Message(f"hint: {problem}")
    if not steps:
        return Message(f"Exercise {exercise} has no hints. Its check's message says what to look at.")
    record = progress.read().get(where.slug, progress.Record())
    shown = min(record.hints.get(exercise, 0) + 1, len(steps))
    if folder == where.work:
        progress.note_hint(where, exercise, shown)
    left = len(steps) - shown
    after = (f"{left} more where this came from: run the cell again." if left else
             f"That was the last one. {where.stuck}")
    return Message(f"**Hint {shown} of {len(steps)} for exercise {exercise}**\n\n{steps[shown - 1]}\n\n*{after}*")


def status():
    """Progress over the whole path, from checks that passed."""
    if os.environ.get(GRADING):
        return Message("Your progress is kept where you work; the points are on this page.")
    return Message(progress.markdown())
