"""Grade the hostile corpus and say what it got: `python -m tests.hostile` (about ten minutes on two idle cores).

    python -m tests.hostile                 through `course.py grade`, with notebooks run and feedback pages made
    python -m tests.hostile --stock         the same under nbgrader as it comes, tests in the notebook
    python -m tests.hostile --family bombs  some of it; `--quick` leaves out what uses limits up
    ... --save F                            keep the counts; `--table OURS STOCK` writes the page from two of these
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.hostile import FAMILIES, SAMPLES
from tests.hostile.arena import Result, arena
from tests.hostile.sample import Sample
from tests.hostile.stock import PATIENCE, stock_arena
from utils.judge.session import TOTAL

DISPLAY = 5             # seconds that each notebook may run for its page
LIMIT = TOTAL + 2 * DISPLAY
PAGE = Path(__file__).with_name("beside-nbgrader.md")
PAGE_HEAD = """<!-- Written by `python -m tests.hostile --table`. -->

# The hostile corpus, here and under stock nbgrader

Of each pair, the first number is `course.py grade`'s, in the sandbox, with notebooks run and feedback pages made
(run on {here}, load {load:.0f} on {cores} cores); the second is that of nbgrader {version} as it comes: `nbgrader
autograde`, with hidden tests in the notebook (run on {there}). The submissions are the same. Left out there are those
that end the processes of whoever runs them, and those that attack answer cells which the small notebook there does not
have.

A submission is late here after {limit:g} s by the clock: the {total:g} s that its file may use, {display} for each of
the two notebooks that are run, and 2. A load above the number of cores stretches that. There, it is ended after
{patience} s.

"""
COLUMNS = {             # what is counted of a family: its heading
    "samples": "submissions", "gained": "above their honest points", "read": "read a canary",
    "changed": "changed others' files", "sent": "reached the network", "left": "left files or processes",
    "lost": "no result", "late": "late"}


def ours(samples: list[Sample], folder: Path) -> list[Result]:
    with arena(folder, budget=DISPLAY) as made:
        return made.grade(samples, feedback=True)


def stock(samples: list[Sample], folder: Path) -> list[Result]:
    with stock_arena(folder) as made:
        results = []
        for sample in (sample for sample in samples if made.applies(sample)):
            results.append(made.judge(sample))
            print(f"{sample.name}: {'; '.join(results[-1].won) or 'held'}", flush=True)
        return results


def counts(results: list[Result], limit: float) -> dict[str, dict[str, int]]:
    """By family, what COLUMNS names."""
    def of(family: str) -> dict[str, int]:
        mine = [result for result in results if result.sample.family == family]
        return {"samples": len(mine), "gained": sum(r.gained for r in mine), "read": sum(bool(r.read) for r in mine),
                "changed": sum(bool(r.changed) for r in mine), "sent": sum(r.sent for r in mine),
                "left": sum(r.left for r in mine),
                "lost": sum(r.points is None for r in mine), "late": sum(r.seconds > limit + 2 for r in mine)}
    return {family: of(family) for family in FAMILIES if any(r.sample.family == family for r in results)}


def table(counted: dict[str, dict[str, int]]) -> Table:
    made = Table(title="The hostile corpus")
    made.add_column("family")
    for heading in COLUMNS.values():
        made.add_column(heading, justify="right")
    for family, row in counted.items():
        made.add_row(family, *(str(row[name]) for name in COLUMNS))
    made.add_section()
    made.add_row("all", *(str(n) for n in total(counted).values()))
    return made


def total(counted: dict[str, dict[str, int]]) -> dict[str, int]:
    return {name: sum(row[name] for row in counted.values()) for name in COLUMNS}


def page(here: dict, there: dict) -> str:
    """The page that sets two saved runs side by side."""
    def row(family: str, ours: dict[str, int], stock: dict[str, int]) -> str:
        return f"| {family} | " + " | ".join(f"{ours[name]} / {stock[name]}" for name in COLUMNS) + " |"

    ours, stock = here["families"], there["families"]
    head = PAGE_HEAD.format(here=here["day"], there=there["day"], version=there["nbgrader"], limit=LIMIT + 2,
                            total=TOTAL, display=DISPLAY, patience=PATIENCE, load=here["load"], cores=here["cores"])
    return head + "\n".join([
        f"| family | {' | '.join(COLUMNS.values())} |", "|---" + "|--:" * len(COLUMNS) + "|",
        *(row(family, ours[family], stock[family]) for family in FAMILIES),
        row("**all**", total(ours), total(stock)), ""])


def main(arguments: list[str]) -> int:
    """0 if nothing was won, 1 otherwise; under --stock always 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--family", action="append", choices=list(FAMILIES))
    parser.add_argument("--name", action="append", choices=list(SAMPLES))
    parser.add_argument("--save", type=Path, metavar="F")
    parser.add_argument("--table", nargs=2, type=Path, metavar=("OURS", "STOCK"))
    args = parser.parse_args(arguments)
    if args.table:
        PAGE.write_text(page(*(json.loads(path.read_text()) for path in args.table)), encoding="utf-8")
        return 0
    logging.disable(logging.INFO)
    chosen = [s for s in SAMPLES.values() if (not args.family or s.family in args.family)
              and (not args.name or s.name in args.name) and not (args.quick and s.slow)]
    with tempfile.TemporaryDirectory(prefix="upstream-arena-", ignore_cleanup_errors=True) as folder:
        results = (stock if args.stock else ours)(chosen, Path(folder))
    counted = counts(results, PATIENCE if args.stock else LIMIT)
    for result in results:
        if result.won and not args.stock:
            print(f"{result.sample.name} ({result.sample.must_not}): {'; '.join(result.won)}")
    Console(width=150).print(table(counted))
    if args.save:
        saved = {"day": str(date.today()), "nbgrader": version("nbgrader"), "load": os.getloadavg()[2],
                 "cores": os.cpu_count(), "families": counted}
        args.save.write_text(json.dumps(saved, indent=1), encoding="utf-8")
    return 0 if args.stock else int(any(n for name, n in total(counted).items() if name != "samples"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
