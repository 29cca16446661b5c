"""A check's failing program, built again on the learner's engine as it is now, to be stepped through."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from utils.graph_trace import is_value
from utils.judge.report import Report
from utils.step_replay import NoProgram

ROOT = "_root"


def rebuild(report: Report, folder: Path | None = None) -> tuple[object, dict[str, object]]:
    """The root of the first failing program of a report, and its names; NoProgram says why there is none.

    The program runs on `value.py` as it is on disk, in `folder` (the current one), up to its call of backward().
    """
    if report.kept:
        raise NoProgram("Every promise of this check is kept: there is no failing program to step through. "
                        "step(z) takes any value z of yours.")
    verdict = next((v for v in report.verdicts if v.status == "failed" and v.program), None)
    if verdict is None or report.file is None:
        raise NoProgram("The check names no program whose gradient is wrong, so there is none to step through; "
                        "its message says what to do first.")
    try:
        tree = ast.parse(verdict.program)
    except SyntaxError:
        raise NoProgram("The failing program is described in words, so it cannot be stepped through; "
                        "build it in a cell, then step(z).") from None
    names: dict[str, Any] = {}
    with _fresh((folder or Path.cwd()) / report.file) as module:
        for line in tree.body:
            if isinstance(line, ast.ImportFrom) and line.module == module.__name__:
                names |= {alias.asname or alias.name: getattr(module, alias.name) for alias in line.names}
            else:
                exec(compile(ast.Module([_without_backward(line)], []), "<failing program>", "exec"), names)
    names.pop("__builtins__", None)
    root = names.pop(ROOT, names.get("out"))
    if not is_value(root):
        raise NoProgram("The failing program ends in no single value, so it cannot be stepped through: "
                        "paste it into a cell and look at what it prints.")
    return root, names


@contextmanager
def _fresh(file: Path) -> Iterator[ModuleType]:
    """The module in `file`, as it is on disk; what this kernel has imported is left alone."""
    module, kept = ModuleType(file.stem), sys.modules.get(file.stem)
    module.__file__ = str(file)
    sys.modules[file.stem] = module         # dataclasses look their module up by name
    try:
        exec(compile(file.read_bytes(), str(file), "exec", dont_inherit=True), vars(module))
        yield module
    finally:
        sys.modules.pop(file.stem, None)
        if kept is not None:
            sys.modules[file.stem] = kept


def _without_backward(line: ast.stmt) -> ast.stmt:
    """`x.backward()` becomes `ROOT = x`; any other line stays."""
    if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)
            and isinstance(line.value.func, ast.Attribute) and line.value.func.attr == "backward"):
        return line
    target = ast.Name(ROOT, ast.Store())
    return ast.fix_missing_locations(ast.copy_location(ast.Assign([target], line.value.func.value), line))
