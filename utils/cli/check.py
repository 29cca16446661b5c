"""`python3 course.py check`: the verdict of a notebook's check cells, without a notebook."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from utils import progress
from utils.curriculum import CurriculumError, topic
from utils.judge.client import JudgeError, judge_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", help="a topic's slug or number, such as 02-autograd-engine or 02")
    parser.add_argument("--file", type=Path, help="judge this file instead of the one in work/")
    parser.add_argument("--level", type=int, help="judge this level only")
    parser.add_argument("--exercise", help="judge this exercise only, such as 1.3")
    parser.add_argument("--seed", type=int, help="of the generated programs; a printed seed reproduces a verdict")
    parser.add_argument("--json", action="store_true", help="print the report as JSON (utils/judge/report.schema.json)")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if every promise holds, 1 if one does not, 2 if there was nothing to judge or no judge."""
    try:
        where = topic(args.topic)
        only = None
        if args.exercise is not None:
            only = [where.exercise(args.exercise).id]
        elif args.level is not None:
            only = [e.id for e in where.level(args.level).exercises]
        if args.file is not None and not args.file.is_file():
            raise CurriculumError(f"there is no file {args.file}; name an existing one, or leave --file out")
        folder = args.file.parent if args.file else where.work
        if not folder.is_dir():
            raise CurriculumError(f"there is no {folder.name}/ in work/ yet; "
                                  "`python3 course.py lab` fills it, or name a file with --file")
        report = judge_folder(where, folder, file=args.file, only=only, seed=args.seed)
    except (CurriculumError, JudgeError) as problem:
        print(f"check: {problem}", file=sys.stderr)
        return 2
    if args.file is None:
        progress.note_check(where, report)
    print(report.to_json() if args.json else report.text())
    return 0 if report.kept else 1
