"""Write a report on an assignment: a page that opens in any browser, and the same as CSV.

It lists what grading stored and changes nothing. `--canvas` and `--moodle` write what these import.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from utils.setup_state import Problem, command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", nargs="?", help="a topic's slug or number; may be left out while there is one")
    parser.add_argument("--course", type=Path, metavar="FOLDER", help="default: this repository's course/")
    parser.add_argument("--out", type=Path, metavar="FILE",
                        help="the page; default: report-ASSIGNMENT.html in the course")
    parser.add_argument("--canvas", type=Path, metavar="FILE", help="also write the columns that Canvas imports")
    parser.add_argument("--moodle", type=Path, metavar="FILE", help="also write the columns that Moodle imports")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if everything was written, 2 if the command line is wrong."""
    from utils.cli.grade import assignment
    from utils.cohort import tables
    from utils.cohort.gather import gather
    from utils.cohort.page import page
    from utils.curriculum import CurriculumError, topic
    from utils.grading.opened import open_course

    asked = {name: path.resolve() for name in ("out", "canvas", "moodle") if (path := getattr(args, name))}
    try:
        where = topic(assignment(args.assignment))
    except CurriculumError as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    course = open_course(args.course)
    target = asked.get("out", course.root / f"report-{where.slug}.html")
    cohort = gather(course, where)
    files = {target: page(cohort, target, datetime.now().strftime("%Y-%m-%d %H:%M")),
             target.with_suffix(".csv"): tables.everything(cohort)}
    files |= {asked[name]: make(cohort) for name, make in (("canvas", tables.canvas), ("moodle", tables.moodle))
              if name in asked}
    for path, text in files.items():
        try:
            path.write_text(text, encoding="utf-8", errors="replace")
        except OSError as error:
            raise Problem(f"{path} cannot be written: {error.strerror}", "name another file with --out, --canvas or "
                          "--moodle, or make its folder") from None
        print(path)
    if ungraded := sum(not learner.graded for learner in cohort.learners):
        print(f"Not graded yet: {ungraded} of {len(cohort.learners)}. {command('grade')} grades them.")
    if args.open:
        import webbrowser

        webbrowser.open(target.as_uri())
    return 0
