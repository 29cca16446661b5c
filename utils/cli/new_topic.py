"""`python3 course.py new-topic 07-optimizers`: a topic in its smallest whole form, marked as draft.

It writes an entry at the end of topics/curriculum.toml and a folder in each of topics/, solutions/, hints/ and tests/,
and generates notebooks and the learner's file. Everything passes `course.py verify` as it is: replace it bit by bit.
"""

from __future__ import annotations

import argparse
import sys

from utils.curriculum import ROOT, CurriculumError, topic


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slug", help="two digits and words, such as 07-optimizers")
    parser.add_argument("--title", help="as learners read it; from the slug by default")
    parser.add_argument("--module", default="work.py", help="the file that learners write (default: work.py)")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 2 where the slug, the module or what is there already does not allow it."""
    from utils.build.new_topic import scaffold
    from utils.cli.build import learners_files, write

    try:
        written = scaffold(args.slug, args.title, args.module)
    except CurriculumError as error:
        print(f"new-topic: {error}", file=sys.stderr)
        return 2
    made = learners_files(topic(args.slug))
    write(made)
    print(*sorted(path.relative_to(ROOT).as_posix() for path in {*written, *made}), sep="\n")
    print(f"\nA draft, which no learner sees. Next: edit these files, then `python3 course.py build` and "
          f"`python3 course.py verify {args.slug}`;\ntake out `draft = true` in the manifest when it is whole.")
    return 0
