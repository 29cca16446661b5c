"""Grade an assignment's submissions, as `nbgrader autograde` does, on all cores: what is new or has changed.

Stop it at any time: the same command goes on where it was. Results are those of nbgrader's own command.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from utils.setup_state import Problem, command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", nargs="?", help="a topic's slug or number; may be left out while there is one")
    parser.add_argument("--student", action="append", default=[], metavar="ID", help="only this one; may be repeated")
    parser.add_argument("--force", action="store_true", help="grade again what has not changed, too")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be graded, and why")
    parser.add_argument("--workers", type=_number, metavar="N", help="processes; default: one for each core")
    parser.add_argument("--scheduler", type=_address, metavar="tcp://HOST:PORT",
                        help="grade on the workers of this Dask scheduler")
    parser.add_argument("--no-notebooks", action="store_true", help="do not run notebooks for the feedback pages")
    parser.add_argument("--feedback", action="store_true", help="make feedback pages too, where grades have changed")
    parser.add_argument("--course", type=Path, metavar="FOLDER", help="default: this repository's course/")


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of processes; give 1 or more")
    return int(text)


def _address(text: str) -> str:
    if not re.fullmatch(r"(tcp|tls|wss?)://\S+:\d+", text):
        raise argparse.ArgumentTypeError(f"{text} is no scheduler's address; give one such as tcp://127.0.0.1:8786")
    return text


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if every submission has its result, 1 if one could not be graded, 130 if it was stopped."""
    from utils.curriculum import CurriculumError
    from utils.grading.pools import load_ahead

    if not args.dry_run and not args.scheduler:
        load_ahead()
    from utils.grading.batch import alone, explain

    try:
        slug = assignment(args.assignment)
        from utils.grading.opened import open_course

        course = open_course(args.course)
        if args.dry_run:
            return _grade(args, course, slug)
        with alone(course.root):
            return _grade(args, course, slug)
    except CurriculumError as error:
        print(f"grade: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(explain(error), file=sys.stderr)
        return 1


def assignment(name: str | None) -> str:
    """The slug of the assignment that a command line names, or of the only one. CurriculumError, Problem."""
    from utils.curriculum import load, topic

    if name is None and len(load()) > 1:
        raise Problem("there is more than one assignment", f"name one of {', '.join(t.slug for t in load())}")
    return topic(name).slug if name is not None else load()[0].slug


def _grade(args: argparse.Namespace, course, slug: str) -> int:
    from utils.grading.batch import Batch
    from utils.grading.gradebook import Book
    from utils.grading.pages import Pages
    from utils.grading.pools import DaskPool, LocalPool
    from utils.sandbox.isolation import WEAK, WEAKER

    with Book(course.coursedir.db_url, course.course_id, f"run {command('grade')} again") as book:
        batch = Batch(course, book, slug, notebooks=not args.no_notebooks)
        plan, pool, status = batch.plan(args.student, args.force), None, 0
        if args.dry_run:
            return _tell_plan(plan)
        steps = Steps()
        if batch.assignment.isolation == WEAK:
            steps.console.print(WEAKER, style="yellow", markup=False, soft_wrap=True)

        def ready():
            nonlocal pool
            width = args.workers or os.cpu_count() or 1
            pool = pool or (DaskPool(args.scheduler) if args.scheduler else LocalPool(width))
            return pool

        try:
            if plan.todo:
                tally = steps.show("grading", len(plan.todo), lambda tell: batch.run(plan, ready(), tell))
                status = _tell_result(plan, tally, steps.seconds)
            else:
                unchanged = f"{_count(len(plan.unchanged), 'submission')}, and none has changed"
                none = f"{course.root}/submitted has none of {slug}"
                _say(f"Nothing to grade: {unchanged if plan.unchanged else none}.")
            if args.feedback:
                pages = Pages(batch)
                todo = pages.plan(args.student)
                if todo:
                    steps.show("feedback", len(todo), lambda tell: pages.run(todo, ready(), tell))
                _say(f"Made the feedback pages of {_count(len(todo), 'submission')} in {course.root}/feedback.")
        except KeyboardInterrupt:
            _say(f"Stopped after {steps.done} of {steps.total}. Nothing is lost: run {command('grade')} again, and it "
                 "goes on where it was.")
            return 130
        finally:
            if pool is not None:
                pool.close()
    return status


class Steps:
    """Progress on standard error, a bar for each step. `seconds` are those of the last one."""

    def __init__(self):
        self.console = Console(stderr=True, highlight=False)
        self.total = self.done = 0
        self.seconds = 0.0

    def show(self, name: str, total: int, work: Callable):
        """What work(tell) returns; the bar moves with each tell(student, problem)."""
        self.total, self.done, begun = total, 0, time.monotonic()
        with Progress(SpinnerColumn(), TextColumn(name), BarColumn(), MofNCompleteColumn(),
                      TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=self.console) as bar:
            task = bar.add_task("", total=total, rate="")

            def tell(who: str, problem: str | None) -> None:
                self.done += 1
                bar.update(task, advance=1, rate=f"{self.done / (time.monotonic() - begun):.1f} a second")
                if problem:
                    bar.console.print(f"not graded: {escape(who)} ({escape(problem)})", soft_wrap=True)

            result = work(tell)
        self.seconds = time.monotonic() - begun
        return result


def _tell_plan(plan) -> int:
    for who, reason in plan.todo.items():
        print(f"{who}: {reason}")
    _say(f"Would grade {len(plan.todo)}, and leave {len(plan.unchanged)} as they are.")
    return 0


def _tell_result(plan, tally, seconds: float) -> int:
    _say(f"Graded {_count(len(tally.graded), 'submission')} in {seconds:.0f} s "
         f"({len(tally.graded) / seconds:.1f} a second); {len(plan.unchanged)} unchanged.")
    points = sorted(result.report.points()[0] for result in tally.graded.values())
    if points:
        _say(f"Points of the automatic part: {points[0]:g} to {points[-1]:g}, median {statistics.median(points):g}.")
    if remarks := sum(bool(result.notes) for result in tally.graded.values()):
        _say(f"{_count(remarks, 'submission')} had something wrong with the files; their feedback pages and "
             "course/reports say what.")
    if tally.problems:
        _say(f"Not graded, and no score changed: {', '.join(sorted(tally.problems))}. The same command tries again.")
    return 1 if tally.problems else 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _say(line: str) -> None:
    print(line, flush=True)
