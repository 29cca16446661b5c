"""`python3 course.py verify`: what must hold for a topic, checked one by one; see utils/verify.py."""

from __future__ import annotations

import argparse
import sys

from utils.curriculum import CurriculumError, load, topic
from utils.verify import CHECKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", nargs="?", help="slug or number; all topics, drafts included, by default")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if every check holds, 1 if one does not, 2 if there is no such topic."""
    try:
        topics = [topic(args.topic)] if args.topic else load(drafts=True)
    except CurriculumError as error:
        print(f"verify: {error}", file=sys.stderr)
        return 2
    found = 0
    for one in topics:
        print(f"{one.slug}{' (draft)' if one.draft else ''}")
        for name, check in CHECKS.items():
            problems = check(one)
            found += len(problems)
            print(f"  {'wrong' if problems else 'ok':<6} {name}", flush=True)
            for problem in problems:
                print(f"         {problem}", flush=True)
    return 1 if found else 0
