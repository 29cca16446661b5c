"""The one writer of the gradebook in a batch: stores what `nbgrader autograde` would, a submission at a time."""

from __future__ import annotations

import json
from collections.abc import Callable

from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import parse_utc
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import joinedload, selectinload

from utils.grading.task import Graded
from utils.setup_state import Problem

Scores = dict[str, float | None]  # automatic points by cell; None: a person marks it

CELLS = selectinload(SubmittedAssignment.notebooks).options(
    selectinload(SubmittedNotebook.grades).joinedload(Grade.cell),
    selectinload(SubmittedNotebook.comments).joinedload(Comment.cell))


class Book:
    """nbgrader's gradebook, held open for a batch. Use it as a context manager; a database's refusal is a Problem."""

    def __init__(self, url: str, course: str, again: str):
        self.again = again  # what to run when the gradebook is in order again
        self.url, self.course = url, course

    def __enter__(self) -> Book:
        self.book = self._do(lambda: Gradebook(self.url, self.course))
        self.db = self.book.db
        return self

    def __exit__(self, *exc) -> None:
        self.book.close()

    def _do(self, action: Callable):
        try:
            return action()
        except (DatabaseError, ModuleNotFoundError) as error:
            if hasattr(self, "db"):
                self.db.rollback()
            raise _explain(error, self.again) from error

    def read(self, query: Callable[[Gradebook], object]):
        """What a query gives that is asked of nbgrader's gradebook itself."""
        return self._do(lambda: query(self.book))

    def require(self, slug: str) -> None:
        """Problem if the assignment was never generated."""
        try:
            self._do(lambda: self.book.find_assignment(slug))
        except MissingEntry:
            raise Problem(f"the gradebook does not know the assignment {slug}",
                          f"run `nbgrader generate_assignment {slug}`, then {self.again}") from None

    def scores(self, slug: str) -> dict[str, Scores]:
        """What the gradebook holds of every submission of an assignment: automatic points by student and cell."""
        def query():
            rows = self.db.execute(
                select(Student.id, Grade)
                .join(SubmittedAssignment, SubmittedAssignment.student_id == Student.id)
                .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
                .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
                .options(joinedload(Grade.cell)).where(Assignment.name == slug))
            found: dict[str, Scores] = {}
            for student, grade in rows:
                found.setdefault(student, {})[grade.cell.name] = grade.auto_score
            self.db.rollback()  # a reader holds nothing while others are graded
            return found
        return self._do(query)

    def marks(self, slug: str) -> dict[str, dict[str, str]]:
        """What feedback pages tell, by student and notebook, as JSON: points and comments of every cell."""
        def query():
            rows = self.db.execute(
                select(SubmittedAssignment).join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
                .where(Assignment.name == slug).options(CELLS)).scalars()
            found = {row.student_id: {notebook.name: json.dumps(_marks(notebook), sort_keys=True)
                                      for notebook in row.notebooks} for row in rows}
            self.db.rollback()
            return found
        return self._do(query)

    def save(self, slug: str, result: Graded, times: str | None, same_work: bool, late: AssignLatePenalties) -> None:
        """Store a result. `times` is the text of timestamp.txt; with `same_work`, marks given by hand stay settled
        where the automatic score has not changed; else nbgrader's rule holds, and they ask to be looked at."""
        self._do(lambda: self._save(slug, result, times, same_work, late))

    def _save(self, slug, result, times, same_work, late) -> None:
        who = result.student
        self.book.update_or_create_student(who)
        when = {"timestamp": times} if times else {}
        try:
            submission = self._submission(slug, who)
        except MissingEntry:
            self.book.add_submission(slug, who, **when)
            submission = self._submission(slug, who)
        if when:
            submission.timestamp = parse_utc(times)
        for notebook in submission.notebooks:
            scores = result.scores.get(notebook.name, {})
            for grade in notebook.grades:
                new = scores.get(grade.cell.name)
                if not (same_work and grade.manual_score is not None and grade.auto_score == new):
                    grade.needs_manual_grade = grade.manual_score is not None or new is None
                grade.auto_score = new
            untouched = result.unanswered.get(notebook.name, {})
            for comment in notebook.comments:
                comment.auto_comment = "No response." if untouched.get(comment.cell.name) else None
        self.db.flush()
        self.db.expire_all()  # scores are columns that the database computes
        self._penalize(submission, who, late)
        self.db.commit()

    def _submission(self, slug: str, who: str) -> SubmittedAssignment:
        found = self.db.execute(
            select(SubmittedAssignment).join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
            .where(Assignment.name == slug, SubmittedAssignment.student_id == who)
            .options(CELLS)).scalar_one_or_none()
        if found is None:
            raise MissingEntry(f"no submission of {slug} by {who}")
        return found

    def _penalize(self, submission: SubmittedAssignment, who: str, late: AssignLatePenalties) -> None:
        """As nbgrader's AssignLatePenalties, in the transaction in hand."""
        seconds = submission.total_seconds_late
        for notebook in submission.notebooks:
            penalty = late.plugin_inst.late_submission_penalty(who, notebook.score, seconds) if seconds > 0 else None
            if penalty is not None:
                penalty = min(max(penalty, 0), notebook.score)
            notebook.late_submission_penalty = penalty


def _marks(notebook: SubmittedNotebook) -> dict:
    """What nbgrader's GetGrades puts into a notebook."""
    late = notebook.late_submission_penalty or 0
    return {"score": notebook.score - late, "max_score": notebook.max_score, "late_penalty": late,
            "comments": {comment.cell.name: comment.comment for comment in notebook.comments},
            "cells": {grade.cell.name: {"score": grade.score, "points": grade.max_score,
                                        "waiting": bool(grade.needs_manual_grade and grade.manual_score is None)}
                      for grade in notebook.grades}}


def _explain(error: Exception, again: str) -> Problem:
    """The problem behind what a database said."""
    said = str(getattr(error, "orig", error)).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, ModuleNotFoundError):
        return Problem(f"the gradebook's kind of database needs the package {error.name}", f"install it, then {again}")
    if "locked" in said:
        return Problem("another program holds the gradebook", f"let it finish or close it, then {again}")
    if "full" in said or "No space" in said:
        return Problem("the disk is full", f"free some space, then {again}")
    if "readonly" in said or "read-only" in said or "unable to open" in said:
        return Problem("the gradebook cannot be written to", f"make the course's folder writable, then {again}")
    return Problem(f"the gradebook's database refused: {said}", f"mend that, then {again}")


def times_of(files) -> str | None:
    """The text of nbgrader's timestamp.txt among a submission's files, if there is one that is not empty."""
    content = next((file.content for file in files if file.name == "timestamp.txt"), None)
    return content.decode("utf-8", "replace").strip() or None if content else None
