"""Grade a whole assignment: find what has changed, grade it in a pool, and write the course, alone and in order.

A submission's record is written last. So a batch that stops at any moment, kill -9 included, leaves each submission
either done or to be graded again, and again gives the same.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from utils.grading import records
from utils.grading.bundle import Assignment, Bundle, read_files, take_assignment
from utils.grading.folders import clean_up, replace_folder
from utils.grading.gradebook import Book, times_of
from utils.grading.opened import Opened
from utils.grading.pools import Pool
from utils.grading.records import Record
from utils.grading.submission import make_safe
from utils.grading.task import Graded, OtherVersion, grade_one
from utils.sandbox.bwrap import SandboxError
from utils.sandbox.isolation import CHOICES, SANDBOX, VARIABLE, chosen
from utils.sandbox.probe import prove
from utils.setup_state import Problem, command

LOCK = "grading.lock"
PERMISSIONS = 0o444  # of files in autograded/, as nbgrader's
TRIES = 3            # of a submission that changes while it is graded, or whose process ends


@dataclass
class Plan:
    """What there is to do: student -> why. `unchanged` are those whose result stands."""

    todo: dict[str, str] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)


@dataclass
class Tally:
    """What a batch did: results by student, without their files; and why some have none."""

    graded: dict[str, Graded] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


@contextmanager
def alone(course: Path):
    """Hold the course's grading lock; Problem if someone else does. The system frees it however its holder ends."""
    try:
        lock = FileLock(course / LOCK)
        lock.acquire(blocking=False)
    except Timeout:
        raise Problem(f"another `course.py grade` is at work on {course}", "wait until it ends, or stop it: nothing "
                      "that it has done is lost") from None
    try:
        yield
    finally:
        lock.release()


class Batch:
    """One assignment of a course, being graded."""

    def __init__(self, course: Opened, book: Book, slug: str, notebooks: bool = True):
        self.course, self.book, self.slug = course, book, slug
        settings = {name: dict(section) for name, section in course.settings.items()}
        if not notebooks:
            settings.setdefault("RunForDisplay", {})["budget"] = 0
        book.require(slug)
        self.assignment: Assignment = take_assignment(course.coursedir, slug, settings, _isolation(settings))
        if not self.assignment.released:
            raise Problem(f"there are no released notebooks of {slug}",
                          f"run `nbgrader generate_assignment {slug}`, then {_again()}")
        self._basis = f"{self.assignment.digest()} {self.assignment.code}"

    def students(self) -> list[str]:
        """Everyone whose submission is here, in order."""
        here = self.course.coursedir
        out = set(here.student_id_exclude.split(",")) if here.student_id_exclude else set()
        parents = self.course.folder("submitted", "*", self.slug)
        found = {path.parent.name for path in self.course.root.glob(os.path.relpath(parents, self.course.root))}
        return sorted(found - out)

    def take(self, who: str) -> Bundle:
        """The submission as it is now."""
        return Bundle(self.assignment, who, read_files(self.course.folder("submitted", who, self.slug)))

    def plan(self, only: Iterable[str] = (), force: bool = False) -> Plan:
        """What is to be graded, of all submissions or of those named. Changes nothing."""
        everyone = self.students()
        if missing := sorted(set(only) - set(everyone)):
            raise Problem(f"there is no submission of {self.slug} by {', '.join(missing)}",
                          f"look in {self.course.root / 'submitted'}; its folders are the names")
        stored, plan = self.book.scores(self.slug), Plan()
        for who in sorted(set(only)) or everyone:
            reason = "asked for" if force else self._why(who, stored.get(who))
            if reason:
                plan.todo[who] = reason
            else:
                plan.unchanged.append(who)
        return plan

    def _why(self, who: str, stored: dict | None) -> str | None:
        """Why a submission is to be graded, or None."""
        record = records.read(self.course.root, self.slug, who)
        if record is None:
            return "new"
        if record.problem:
            return "was not graded"
        if record.key is None:
            return "was graded by another command"
        submission, assignment, code = record.key.split(" ")
        if submission != self.take(who).digest():
            return "the submission changed"
        if assignment != self.assignment.digest():
            return "the assignment or its settings changed"
        if code != self.assignment.code:
            return "the judge changed"
        if not self.course.folder("autograded", who, self.slug).is_dir():
            return "its folder in autograded/ is gone"
        return None if stored == record.scores else "the gradebook holds other scores"

    def run(self, plan: Plan, pool: Pool, tell: Callable[[str, str | None], None]) -> Tally:
        """Grade what the plan says. `tell(student, problem)` is called after each."""
        clean_up(self.course.root)
        if pool.here and self.assignment.isolation == SANDBOX:
            _prove()
        waiting, suspects = deque(plan.todo), deque()
        tries: dict[str, int] = {}
        flying: dict[Future, Bundle] = {}
        tally = Tally()
        while waiting or suspects or flying:
            while waiting and not suspects and len(flying) < 2 * pool.width:
                self._launch(waiting.popleft(), pool, flying)
            if suspects and not flying:  # with one of these its process ended: each by itself, to see with which
                self._launch(suspects.popleft(), pool, flying)
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                bundle = flying.pop(future)
                who = bundle.student
                tries[who] = tries.get(who, 0) + 1
                try:
                    result = future.result()
                except pool.broken:
                    again = suspects
                    result = Graded(who, 0.0, problem=f"the process that graded it ended {TRIES} times")
                except OtherVersion as error:
                    raise _other_version(pool, error) from None
                else:
                    again = waiting if self.take(who).digest() != bundle.digest() else None
                if again is not None and tries[who] < TRIES:
                    again.append(who)
                    continue
                if again is waiting:
                    result = Graded(who, result.seconds, problem=f"it changed {TRIES} times while it was graded")
                self._settle(bundle, result, tally)
                tell(who, result.problem)
        return tally

    def _launch(self, who: str, pool: Pool, flying: dict) -> None:
        make_safe(self.course.folder("submitted", who, self.slug))
        bundle = self.take(who)
        flying[pool.submit(grade_one, bundle, pool.here)] = bundle

    def _settle(self, bundle: Bundle, result: Graded, tally: Tally) -> None:
        """Write one result into the course: folder, gradebook and, last, the record."""
        who, root = bundle.student, self.course.root
        if not self.course.folder("submitted", who, self.slug).is_dir():
            result = Graded(who, result.seconds, problem="its folder in submitted/ is gone")
        before = records.read(root, self.slug, who)
        about = Record(self.slug, who, records.now(), result.seconds, result.work, notes=result.notes)
        if result.problem:
            tally.problems[who] = result.problem
            records.write(root, replace(about, problem=result.problem))
            return
        replace_folder(self.course.folder("autograded", who, self.slug), result.files, PERMISSIONS)
        same = before is not None and before.work == result.work
        self.book.save(self.slug, result, times_of(bundle.files), same, self.course.late)
        scores = {name: points for cells in result.scores.values() for name, points in cells.items()}
        records.write(root, replace(about, key=f"{bundle.digest()} {self._basis}", scores=scores, report=result.report))
        tally.graded[who] = replace(result, files=())


def _isolation(settings: dict) -> str:
    """What the course's configuration asks for, else $UPSTREAM_ISOLATION, else the sandbox."""
    try:
        name = settings.get("SubmissionReader", {}).get("isolation") or chosen()
        if name not in CHOICES:
            raise ValueError(f"SubmissionReader.isolation = {name!r}: the choices are {' and '.join(CHOICES)}")
        return name
    except ValueError as error:
        raise Problem(str(error), f"mend that, then {_again()}") from None


def _prove() -> None:
    """Once for all workers on this machine, since it takes seconds; on others, each process sees for itself."""
    try:
        prove()
    except SandboxError as error:
        raise Problem(str(error), f"mend that, then {_again()}; or, where you trust every submission, set "
                                  f"{VARIABLE}=weak") from None


def _other_version(pool: Pool, error: OtherVersion) -> Problem:
    if pool.here:
        return Problem("this repository's files changed while it graded", _again())
    return Problem(f"a worker could not take part: {error}",
                   f"give every machine this commit and this Python, then {_again()}")


def _again() -> str:
    return f"run {command('grade')} again"


def explain(error: OSError) -> Problem:
    """The problem behind what the system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem("the disk is full", f"free some space, then {_again()}: it goes on where it was")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Problem(f"{error.filename or 'the course'} cannot be written to or read",
                       f"mend its permissions, then {_again()}: it goes on where it was")
    return Problem(f"the system refused ({error})", f"mend that, then {_again()}: it goes on where it was")
