"""What a learner has reached, as far as checks have seen it (work/.upstream/progress.json); never marked by hand."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from utils.curriculum import ROOT, Exercise, Topic, load
from utils.judge.report import Report, number
from utils.judge.source import digest

STORE = ROOT / "work" / ".upstream" / "progress.json"


@dataclass
class Record:
    """One topic's state: promises kept out of all by exercise, hints shown by exercise, and whose file it was."""

    kept: dict[str, list[int]] = field(default_factory=dict)        # exercise -> [kept, promises]
    hints: dict[str, int] = field(default_factory=dict)             # exercise -> hints shown
    digest: str | None = None
    borrowed: str | None = None


def read(store: Path | None = None) -> dict[str, Record]:
    """Every topic's record; empty where nothing was stored, or what is stored cannot be read."""
    try:
        stored = json.loads((store or STORE).read_text(encoding="utf-8"))
        return {slug: Record(**record) for slug, record in stored.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(records: dict[str, Record], store: Path | None = None) -> None:
    store = store or STORE
    store.parent.mkdir(parents=True, exist_ok=True)
    draft = store.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps({slug: vars(record) for slug, record in records.items()}, indent=1), encoding="utf-8")
    draft.replace(store)


def note_check(topic: Topic, report: Report, store: Path | None = None) -> None:
    """Keep what a report saw. A report on another version of the file makes what was known of the old one stale."""
    records = read(store)
    record = records.setdefault(topic.slug, Record())
    if report.digest not in (None, record.digest):
        modules = {e.id for e in topic.exercises if e.kind == "module"}
        record.kept = {id: seen for id, seen in record.kept.items() if id not in modules}
    for exercise in {v.exercise for v in report.verdicts}:
        verdicts = report.of(exercise)
        record.kept[exercise] = [sum(v.status == "passed" for v in verdicts), len(verdicts)]
    if report.digest is not None:
        record.digest, record.borrowed = report.digest, report.borrowed
    _write(records, store)


def note_hint(topic: Topic, exercise: str, shown: int, store: Path | None = None) -> None:
    """Keep how many of an exercise's hints were shown."""
    records = read(store)
    records.setdefault(topic.slug, Record()).hints[exercise] = shown
    _write(records, store)


def state(topic: Topic, exercise: Exercise, record: Record) -> str:
    """One word or two: done, borrowed, open, 3 of 6, or marked by hand."""
    if exercise.kind == "essay":
        return "marked by your instructor"
    kept, of = record.kept.get(exercise.id, [0, 0])
    if kept == 0:
        return "open"
    if kept < of:
        return f"{kept} of {of} promises"
    return "borrowed" if record.borrowed and exercise.kind == "module" else "done"


def stale(topic: Topic, record: Record) -> bool:
    """Whether the learner's file is no longer the one that was checked."""
    file = topic.work / topic.module
    return bool(record.digest) and file.is_file() and digest(file) != record.digest


def markdown(store: Path | None = None) -> str:
    """Progress over the whole path, as a Markdown table a topic."""
    records = read(store)
    parts = []
    for topic in load():
        record = records.get(topic.slug, Record())
        rows = [f"| {e.id} | {e.title}{' (extension)' if e.extension else ''} | {e.minutes} min | {number(e.points)} | "
                f"{state(topic, e, record)} | {record.hints.get(e.id, 0) or ''} |" for e in topic.exercises]
        notes = [f"\n`{topic.module}` has changed since it was last checked."] if stale(topic, record) else []
        notes += [f"\nBorrowed: {record.borrowed}."] if record.borrowed else []
        head = [f"### {topic.number} {topic.title}", "", "| | exercise | time | points | state | hints |",
                "|---|---|---|---|---|---|"]
        parts.append("\n".join(head + rows + notes))
    return "\n\n".join(parts) + "\n"
