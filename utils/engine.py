"""The scalar engine for topics after 02: the learner's own `Value` where it passes, else the stub, and it says so.

    from utils.engine import Value

"Passes" means levels 1 and 2 of topic 02, the operations that later topics use. The learner's file is looked for beside
the folder one works in, then in work/.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from utils.curriculum import ROOT, topic

STUB = ROOT / "utils" / "autograd_stub.py"
LEVELS = (1, 2)


def learners_file(folder: Path | None = None) -> Path | None:
    """The learner's value.py: beside `folder`; by default beside where one works, or in work/; or None."""
    engine = topic("02")
    places = [(folder or Path.cwd()).resolve().parent / engine.slug, *([] if folder else [engine.work])]
    return next((place / engine.module for place in places if (place / engine.module).is_file()), None)


def engines(folder: Path) -> tuple[tuple[str, str], ...]:
    """(whose, text) of the engines that work in `folder` is judged with; what holds with either of them holds."""
    own = learners_file(folder)
    found = [("your own", own.read_text(encoding="utf-8", errors="replace"))] if own else []
    return (*found, ("the stub", STUB.read_text(encoding="utf-8")))


def shortfall(file: Path | None) -> str | None:
    """Why the engine in `file` is not to be built on yet, in a sentence; None where it passes."""
    from utils.judge.client import JudgeError, judge_folder  # here, since the judge itself imports this module

    engine = topic("02")
    if file is None:
        return f"There is no {engine.module} of topic {engine.number} yet."
    exercises = [e.id for level in LEVELS for e in engine.level(level).exercises if e.kind == "module"]
    try:
        report = judge_folder(engine, file.parent, file=file, only=exercises)
    except JudgeError as problem:
        return f"Your {engine.module} could not be judged: {problem}"
    if report.borrowed:
        return f"Your {engine.module} is borrowed: {report.borrowed}."
    open_ones = sorted({v.exercise for v in report.verdicts if v.status != "passed"})
    return f"Your {engine.module} does not pass yet: {', '.join(open_ones)}." if open_ones else None


def _own(file: Path) -> ModuleType:
    """The learner's module, under the name that its own notebook gives it."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(file.stem, module)
    spec.loader.exec_module(module)
    return module


def _chosen() -> type:
    """The class to build on; a line says so where it is not the learner's own."""
    file = learners_file()
    reason = shortfall(file)
    if reason is None:
        return _own(file).Value
    from utils.autograd_stub import Value as borrowed

    print(f"{reason} So this is the Value of utils.autograd_stub, borrowed; topic {topic('02').number} earns its "
          "points with your own.")
    return borrowed


def __getattr__(name: str):
    """`Value`, chosen when it is first asked for."""
    if name != "Value":
        raise AttributeError(f"utils.engine has no {name!r}; it has Value")
    globals()["Value"] = _chosen()
    return globals()["Value"]


__all__ = ["Value", "engines", "learners_file", "shortfall"]  # noqa: F822  Value is made when asked for
