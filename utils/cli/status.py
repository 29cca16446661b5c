"""`python3 course.py status`: progress over the whole path, from checks that passed."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.markdown import Markdown

from utils import progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--markdown", action="store_true", help="print the Markdown as it is")


def progress_markdown() -> str:
    """Progress for the start page."""
    return progress.markdown()


def run(args: argparse.Namespace) -> int:
    if args.markdown:
        print(progress_markdown())
    else:
        Console().print(Markdown(progress_markdown()))
    return 0
