"""Learner files for the judge's own tests: the model answer with one change, and files that misbehave."""

from __future__ import annotations

from pathlib import Path

from utils.curriculum import topic

TOPIC = topic("02")
REFERENCE = (TOPIC.solutions / "level01-naive.py").read_text(encoding="utf-8")


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
