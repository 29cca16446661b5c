"""A cohort as CSV files: everything by learner, and the columns that Canvas and Moodle import."""

from __future__ import annotations

import csv
import io

from utils.cohort.gather import Cohort, Learner
from utils.cohort.items import stops_at

FORMULA = ("=", "+", "-", "@", "\t", "\r")      # what a spreadsheet takes for the beginning of one


def everything(cohort: Cohort) -> str:
    """A row for each who handed something in: points by exercise, total, and what else is known."""
    exercises = [e.id for e in cohort.topic.exercises]
    head = ["student", "name", "handed_in", "graded", *exercises, "late_penalty", "total", "possible", "to_mark",
            "stops_at", "borrowed", "hints", "seconds", "notes", "problem"]
    return _csv(head, (_row(cohort, learner, exercises) for learner in cohort.learners))


def _row(cohort: Cohort, learner: Learner, exercises: list[str]) -> list:
    record = learner.record
    return [learner.id, learner.name, learner.handed_in.isoformat(sep=" ") if learner.handed_in else "",
            record.graded if record else "", *(points(learner.scores.get(e)) for e in exercises),
            points(learner.penalty), points(learner.total) if learner.graded else "", cohort.topic.points,
            " ".join(learner.waiting), stops_at(cohort, learner) or "" if learner.graded else "",
            learner.borrowed or "", " ".join(f"{e}:{n}" for e, n in sorted(learner.hints.items())),
            f"{record.seconds:.1f}" if record else "", " ".join(record.notes) if record else "", learner.problem or ""]


def canvas(cohort: Cohort) -> str:
    """For Canvas (Grades, Import): `ID` is Canvas's own, the gradebook's `lms_user_id`; logins are nbgrader's ids.

    Canvas knows learners by `ID`, else by `SIS User ID`, else by `SIS Login ID`; `Section` may be empty. An empty
    score is left as it is.
    """
    title = _item(cohort)
    rows = [["    Points Possible", "", "", "", "", cohort.topic.points]]
    rows += [[learner.name or learner.id, learner.lms, "", learner.id, "", _total(learner)]
             for learner in (*cohort.learners, *cohort.absent)]
    return _csv(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title], rows)


def moodle(cohort: Cohort) -> str:
    """For Moodle (Grades, Import, CSV file): the columns of its own export. Map `Email address` or `ID number`."""
    rows = []
    for learner in (*cohort.learners, *cohort.absent):
        first, _, last = learner.name.partition(" ")
        rows.append([first, last, learner.id, learner.email, _total(learner)])
    return _csv(["First name", "Last name", "ID number", "Email address", f"{_item(cohort)} (Real)"], rows)


def _item(cohort: Cohort) -> str:
    return f"{cohort.topic.number} {cohort.topic.title}"


def _total(learner: Learner) -> str:
    """The total; nothing where there is none, or a person still has to mark: half a grade is no grade."""
    return points(learner.total) if learner.graded and not learner.waiting else ""


def points(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")


def _csv(head: list[str], rows) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue()


def _plain(cell):
    """A cell that a spreadsheet shows and does not run: text that looks like a formula gets an apostrophe in front."""
    if not isinstance(cell, str):
        return cell
    cell = "".join(c if c.isprintable() or c == " " else " " for c in cell)
    number = cell.removeprefix("-").replace(".", "", 1).isdecimal()
    return "'" + cell if cell.startswith(FORMULA) and not number else cell
