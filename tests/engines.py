"""Learner files for the judge's own tests: the model answer with one change, and files that misbehave."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from types import ModuleType

from utils.curriculum import topic

TOPIC = topic("02")
REFERENCE = (TOPIC.solutions / "level01-naive.py").read_text(encoding="utf-8")
COUNT = itertools.count()


def changed(*changes: tuple[str, str], source: str = REFERENCE) -> str:
    """The model answer with each (old, new) applied once; an `old` that is not there once is an error."""
    for old, new in changes:
        if source.count(old) != 1:
            raise ValueError(f"{old!r} stands {source.count(old)} times in the source, expected once")
        source = source.replace(old, new)
    return source


def written(folder: Path, source: str, name: str = "value.py") -> Path:
    """`source` as a learner's file in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(source, encoding="utf-8")
    return file


def loaded(source: str, folder: Path) -> ModuleType:
    """A module with this source, in this process: for what shows an engine, never for what judges one."""
    file = written(folder, source, f"engine_{next(COUNT)}.py")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module         # dataclasses look their module up by name
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[file.stem]
    return module
