"""work/: what a learner opens. Filled from topics/ and updated; a file that the learner changed is never touched."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from utils.curriculum import ROOT, Topic

START = "START.md"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a power cut, finds the old content or the new, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def shipped_files(topic: Topic) -> list[Path]:
    """What a learner gets of a topic's folder: all but hidden files, caches and the sources of notebooks."""
    files = []
    for path in sorted(topic.shipped.rglob("*")):
        inside = path.relative_to(topic.shipped)
        hidden = any(part.startswith((".", "__")) for part in inside.parts)
        source = path.suffix == ".md" and path.with_suffix(".ipynb").exists()
        if path.is_file() and not hidden and not source:
            files.append(path)
    return files


@dataclass
class Report:
    """What `fill` did: relative names of files written, and one line for each file it left alone although a newer
    version is out."""

    written: list[str]
    kept: list[str]


class Workspace:
    """The folder work/ and its record of what was put there: file -> digest of the version that was shipped."""

    def __init__(self, folder: Path = ROOT / "work"):
        self.folder = folder
        self.record_file = folder / ".upstream" / "installed.json"

    def read_record(self) -> dict[str, str]:
        """The record; empty if there is none or it cannot be read. Then every file that differs counts as changed."""
        try:
            record = json.loads(self.record_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(record, dict):
            return {}
        return {name: value for name, value in record.items() if isinstance(value, str)}

    def fill(self, topics: Sequence[Topic]) -> Report:
        """Bring work/ up to date. A file that was deleted comes back; one that was changed stays as it is."""
        record, report = self.read_record(), Report([], [])
        known = dict(record)
        for topic in topics:
            for source in shipped_files(topic):
                name = str(PurePosixPath(topic.slug, *source.relative_to(topic.shipped).parts))
                self._place(name, source, record, report)
        if record != known or not self.record_file.exists():
            write_atomically(self.record_file, json.dumps(record, indent=1, sort_keys=True).encode())
        return report

    def _place(self, name: str, source: Path, record: dict[str, str], report: Report) -> None:
        target, content = self.folder / name, source.read_bytes()
        new = digest(content)
        if target.is_file():
            present = digest(target.read_bytes())
            if present == new:
                record[name] = new
                return
            if present != record.get(name):
                if record.get(name) != new:  # newer than what the learner began with, or that is not recorded
                    report.kept.append(f"work/{name}: yours is kept; the course has another version, topics/{name}")
                return
        elif target.exists() or target.is_symlink():
            report.kept.append(f"work/{name}: what is there is no file; move it away to get topics/{name}")
            return
        write_atomically(target, content)
        record[name] = new
        report.written.append(name)

    def write_start(self, text: str) -> Path:
        """Write the start page; its path."""
        path = self.folder / START
        write_atomically(path, text.encode())
        return path


def label(name: str) -> str:
    """`math-refresh` as a person writes it: `Math refresh`."""
    return re.sub(r"[-_]+", " ", name).capitalize()


def links(topic: Topic) -> str:
    """Links to a topic's pages, in the order in which they are worked through; those that exist only."""
    pages = [("What it is about", "README.md"), *((label(name), f"{name}.ipynb") for name in topic.notebooks),
             ("Your file", topic.module), ("Interview questions", "questions.md")]
    there = [(title, name) for title, name in pages if (topic.shipped / name).exists()]
    return " · ".join(f"[{title}]({quote(f'{topic.slug}/{name}')})" for title, name in there)


def start_page(topics: Sequence[Topic], progress: str) -> str:
    """The start page in Markdown. `progress`: Markdown that says what has passed so far."""
    path = "\n\n".join(
        f"### {topic.number} {topic.title}\n\n{topic.goal} {topic.minutes} minutes, {topic.difficulty}.\n\n"
        f"{links(topic)}" for topic in topics)
    return f"""# Upstream

You build automatic differentiation from scratch, and every step is checked by what your code computes.

## The path

{path}

## Where you are

{progress.strip()}

## How to work

1. Open the notebooks of a topic from left to right. Before you run a cell, say what it will show.
2. In the exercises you write the file beside the notebook, save it, and run the check below the exercise.
3. Stuck? The message of the check comes first, then `hint("1.3")`, then `draw(...)` of your own graph. The topic's
   first page says when to borrow a finished engine and go on.

Files here are yours: an update never changes one that you have changed. To begin a file again, delete it and start
`python3 course.py lab` once more. This page is written anew at each start.
"""
