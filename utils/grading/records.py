"""What grading left of each submission, as data: course/reports/<assignment>/<student>.json.

`nbgrader autograde` and `course.py grade` write them, `course.py report` reads them. One file a submission:

    assignment, student   what was graded
    graded, seconds       when (local time, ISO 8601), and how long it took; nothing else differs between two gradings
    work                  SHA-256 of all that the judge read: the module, what stands beside it, the answers
    key                   what the result depends on, where `course.py grade` wrote it; null from nbgrader's command
    scores                automatic points by graded cell (null: a person marks it), where `course.py grade` wrote it
    notes                 what was wrong with the submission itself, a sentence each
    problem               why it could not be graded (our fault, never the learner's), or null
    report                the judge's report (utils/judge/report.schema.json), or null where there is a problem
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from utils.judge.report import Report

FOLDER = "reports"
NEW = ".new-"  # how the names of half-written files begin
VERSION = 1


@dataclass(frozen=True)
class Record:
    """One graded submission, or one that could not be graded: then `problem` says why and `report` is None."""

    assignment: str
    student: str
    graded: str
    seconds: float
    work: str | None = None
    key: str | None = None
    scores: dict[str, float | None] | None = None
    notes: tuple[str, ...] = ()
    problem: str | None = None
    report: Report | None = None

    def to_json(self) -> str:
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.report is not None:
            data["report"] = json.loads(self.report.to_json())
        return json.dumps({"version": VERSION, **data}, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Read a record; ValueError if it is none."""
        data = json.loads(text)
        if not isinstance(data, dict) or data.pop("version", None) != VERSION:
            raise ValueError("not a record of a graded submission")
        try:
            report = None if data["report"] is None else Report.from_json(json.dumps(data["report"]))
            return cls(**{**data, "notes": tuple(data["notes"]), "report": report})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a record of a graded submission: {error}") from None


def now() -> str:
    """The time as records tell it."""
    return datetime.now().isoformat(timespec="seconds")


def path(course: Path, assignment: str, student: str) -> Path:
    return course / FOLDER / assignment / f"{student}.json"


def write(course: Path, record: Record) -> None:
    """Put a record in its place, whole or not at all."""
    write_whole(path(course, record.assignment, record.student), record.to_json().encode("utf-8", "replace"))


def write_whole(target: Path, content: bytes) -> None:
    """Write a file so that a reader, or a stop at any moment, finds the old one or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=NEW)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(course: Path, assignment: str, student: str) -> Record | None:
    """The record of a submission; None if there is none that can be read."""
    try:
        return Record.from_json(path(course, assignment, student).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def all_of(course: Path, assignment: str) -> Iterator[Record]:
    """Every record of an assignment, by student. One that cannot be read is left out."""
    for file in sorted((course / FOLDER / assignment).glob("*.json")):
        record = read(course, assignment, file.stem)
        if record is not None:
            yield record
