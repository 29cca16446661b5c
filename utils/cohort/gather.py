"""A cohort as data: what the gradebook, the judge's records and the submitted files say of one assignment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import select

from utils.build.nbgrader_cells import grade_id
from utils.curriculum import Topic
from utils.grading import records
from utils.grading.gradebook import Book
from utils.grading.opened import Opened
from utils.grading.records import Record
from utils.setup_state import command

LARGEST = 10_000_000    # bytes of a submitted notebook that is looked at
HINT = re.compile(r"Hint (\d+) of \d+ for exercise ([A-Z]?\d[\d.]*\d?)")


@dataclass
class Learner:
    """One student and what there is of their work. Scores are points by exercise; None awaits a person."""

    id: str
    name: str = ""
    email: str = ""
    lms: str = ""                                       # user id in the learning management system, if it is known
    submitted: bool = False                             # a folder is there
    handed_in: datetime | None = None                   # UTC
    scores: dict[str, float | None] = field(default_factory=dict)
    penalty: float = 0.0                                # points, for being late
    record: Record | None = None
    hints: dict[str, int] = field(default_factory=dict)     # exercise -> hints that show in the notebooks' outputs
    module: str | None = None                           # the text of what was handed in
    pages: dict[str, Path] = field(default_factory=dict)    # graded notebook -> feedback page

    @property
    def graded(self) -> bool:
        return bool(self.scores)

    @property
    def total(self) -> float:
        return max(0.0, sum(points or 0.0 for points in self.scores.values()) - self.penalty)

    @property
    def waiting(self) -> list[str]:
        """Exercises that a person has to mark."""
        return [exercise for exercise, points in self.scores.items() if points is None]

    @property
    def borrowed(self) -> str | None:
        return self.record.report.borrowed if self.record and self.record.report else None

    @property
    def problem(self) -> str | None:
        """Why there is no result, where it is not the learner's fault."""
        if self.record and self.record.problem:
            return self.record.problem
        return None if self.graded or not self.submitted else "not graded yet"


@dataclass(frozen=True)
class Cohort:
    topic: Topic
    root: Path
    learners: tuple[Learner, ...]       # everyone of whom something was handed in, by id
    absent: tuple[Learner, ...]         # who is in the gradebook and handed in nothing

    @property
    def graded(self) -> tuple[Learner, ...]:
        return tuple(learner for learner in self.learners if learner.graded)

    @property
    def reported(self) -> tuple[Learner, ...]:
        """Those whose work the judge has reported on."""
        return tuple(learner for learner in self.learners if learner.record and learner.record.report)


def gather(course: Opened, topic: Topic) -> Cohort:
    """All there is to know of an assignment in a course. Reads only. Problem if the gradebook cannot be read."""
    known: dict[str, Learner] = {}
    graded: set[str] = set()
    if _has_gradebook(course):
        with Book(course.coursedir.db_url, course.course_id, f"run {command('report')} again") as book:
            known = book.read(_students)
            graded = book.read(lambda gradebook: _read_scores(gradebook, topic, known))
    for who in _submitted(course, topic):
        known.setdefault(who, Learner(who)).submitted = True
    for record in records.all_of(course.root, topic.slug):
        known.setdefault(record.student, Learner(record.student)).record = record
    for learner in known.values():
        _read_files(course, topic, learner, graded)
    everyone = sorted(known.values(), key=lambda learner: learner.id)
    here = tuple(one for one in everyone if one.submitted or one.graded or one.record)
    return Cohort(topic, course.root, here, tuple(one for one in everyone if one not in here))


def _has_gradebook(course: Opened) -> bool:
    """Whether there is one to read: opening an SQLite file that is not there would make it."""
    url = course.coursedir.db_url
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///").partition("?")[0]).is_file()


def _students(book: Gradebook) -> dict[str, Learner]:
    """Everyone in the gradebook."""
    found = {}
    for student in book.db.execute(select(Student.__table__)):
        name = " ".join(filter(None, [student.first_name, student.last_name]))
        found[student.id] = Learner(student.id, name, student.email or "", student.lms_user_id or "")
    return found


def _read_scores(book: Gradebook, topic: Topic, known: dict[str, Learner]) -> set[str]:
    """Fill in the scores; the names of the notebooks that they are of."""
    exercises = {grade_id(kind, e.id): e.id for e in topic.exercises for kind in ("check", "essay-answer")}
    rows = book.db.execute(
        select(SubmittedAssignment.student_id, SubmittedAssignment.timestamp, Notebook.name, BaseCell.name, Grade.score,
               Grade.needs_manual_grade, Grade.manual_score)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id).join(BaseCell, Grade.cell_id == BaseCell.id)
        .where(Assignment.name == topic.slug))
    graded = set()
    for who, when, notebook, cell, score, waits, by_hand in rows:
        graded.add(notebook)
        if cell in exercises:
            learner = known[who]
            learner.handed_in = when
            learner.scores[exercises[cell]] = None if waits and by_hand is None else score
    late = book.db.execute(
        select(SubmittedAssignment.student_id, SubmittedNotebook.late_submission_penalty)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .where(Assignment.name == topic.slug))
    for who, penalty in late:
        known[who].penalty += penalty or 0.0
    return graded


def _submitted(course: Opened, topic: Topic) -> Iterator[str]:
    folder = course.folder("submitted", "+", topic.slug)    # .../submitted/+/<slug>, as the course lays them out
    for path in sorted(folder.parent.parent.glob(f"*/{topic.slug}")):
        if path.is_dir():
            yield path.parent.name


def _read_files(course: Opened, topic: Topic, learner: Learner, graded: set[str]) -> None:
    folder = course.folder("submitted", learner.id, topic.slug)
    module = folder / topic.module
    if _readable(module):
        learner.module = module.read_text(encoding="utf-8", errors="replace")
    for name in topic.notebooks:
        if _readable(notebook := folder / f"{name}.ipynb"):
            for exercise, number in _hints(notebook):
                learner.hints[exercise] = max(number, learner.hints.get(exercise, 0))
        page = course.folder("feedback", learner.id, topic.slug) / f"{name}.html"
        if name in graded and page.is_file():
            learner.pages[name] = page


def _readable(path: Path) -> bool:
    """Whether it is a file of a reasonable size, and no link."""
    return path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST


def _hints(notebook: Path) -> Iterator[tuple[str, int]]:
    """(exercise, number) of every hint that stands in a submitted notebook's outputs."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8-sig"))["cells"]
        outputs = json.dumps([cell.get("outputs") for cell in cells if isinstance(cell, dict)])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return
    for number, exercise in HINT.findall(outputs):
        yield exercise, int(number[:3])
