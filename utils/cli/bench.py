"""`course.py bench`: what our engines, the checker and the pictures cost, beside what you would use instead.

Ratios of interleaved runs, each engine in a process of its own, CPU time, one thread. On a busy machine trust them to
about 15 %. `--quick` takes smaller graphs and fewer rounds and ends within a minute.

`course.py bench judge`: how many wrong engines the judge catches and names, how many right ones it accepts, and how
long a check takes. `--quick` takes a share of the engines.

`course.py bench grading`: whole rounds beside nbgrader's own command, submissions judged a second, loops without end.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

ROUNDS, QUICK_ROUNDS = 4, 2
MET = {True: "[green]yes[/green]", False: "[red]no[/red]", None: "?"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=("engines", "judge", "grading"), default="engines",
                        help="what to measure")
    parser.add_argument("--quick", action="store_true", help="smaller graphs, fewer rounds, fewer engines")
    parser.add_argument("--json", metavar="F", type=Path, help="write the results to this file as well")
    parser.add_argument("--plots", metavar="DIR", type=Path, help="draw the pictures of costs.ipynb into this folder")


def run(args: argparse.Namespace) -> int:
    console = Console(width=None if sys.stdout.isatty() else 150)
    if args.json and not args.json.resolve().parent.is_dir():
        print(f"problem: there is no folder {args.json.parent} to write {args.json.name} in -> do: make it, or name a "
              "file elsewhere", file=sys.stderr)
        return 2
    if args.plots and not args.plots.is_dir():
        print(f"problem: there is no folder {args.plots} to draw in -> do: make it, or name another", file=sys.stderr)
        return 2
    return run_engines(args, console) if args.what == "engines" else run_figures(args, console)


def run_figures(args: argparse.Namespace, console: Console) -> int:
    """Measure the judge, or grading."""
    from utils.bench import grading, judging

    figures, measured = [], {"judge": judging, "grading": grading}[args.what]
    for section in measured.SECTIONS:
        console.print(f"[dim]{section.__doc__}[/dim]")
        figures += section(args.quick)
    made = Table(title=f"The {args.what}".replace("The grading", "Grading") + ", a share of the work" * args.quick)
    for head in ("id", "what", "figure", "goal", "met", "note"):
        made.add_column(head, justify="right" if head in ("figure", "goal") else "left", overflow="fold")
    for f in figures:
        goal = "" if f.bound is None else f"{'≥' if f.at_least else '≤'} {f.bound:g} {f.unit}"
        made.add_row(f.id, escape(f.what), f"{number(f.figure)} {f.unit}", goal, MET[f.met] if goal else "",
                     escape(f.note))
    console.print(made)
    if args.json:
        write_json(args.json, machine() | {"quick": args.quick, "results": [f.as_dict() for f in figures]})
    return 0


def run_engines(args: argparse.Namespace, console: Console) -> int:
    """Measure the engines and the checker."""
    from utils.bench import baselines, plots, targets
    from utils.bench.measure import WorkerFailed

    notes = []
    try:
        if not baselines.ready():
            console.print("Installing micrograd and autograd into .bench-venv, once ...")
        python = baselines.install()
    except baselines.NoBaselines as problem:
        python = None
        notes.append(f"{problem} What is compared with them is left out; try again with a network.")
        console.print(notes[0], style="yellow", markup=False)
    if not targets.has_torch():
        notes.append("PyTorch is not installed here: what is compared with it is left out.")
    plan = targets.Plan(args.quick, QUICK_ROUNDS if args.quick else ROUNDS, python)
    if args.quick:
        notes.append(f"Quick: {plan.rounds} rounds instead of {ROUNDS} and smaller graphs. The bounds are those of the "
                     "full sizes, so this is a look and not a verdict.")
    rows = []
    for section in targets.SECTIONS:
        console.print(f"[dim]{section.__doc__.splitlines()[0]}[/dim]")
        try:
            rows += section(plan)
        except WorkerFailed as problem:
            print(f"problem: {problem} -> do: see what it printed; the other measurements go on", file=sys.stderr)
            notes.append(f"Not measured: {problem}.")
    pictures = {}
    if args.json or args.plots:
        console.print("[dim]What costs.ipynb shows: time a node, memory a node, one training step.[/dim]")
        try:
            pictures = targets.pictures(plan)
        except WorkerFailed as problem:
            print(f"problem: {problem} -> do: see what it printed; there are no pictures", file=sys.stderr)
            notes.append(f"Not measured: {problem}.")
    console.print(table(rows))
    for note in notes:
        console.print(note, markup=False)
    if args.json:
        write_json(args.json, report(rows, notes, plan) | pictures)
    if args.plots:
        for file in plots.save(pictures, args.plots):
            console.print(f"drawn: {file}", markup=False)
    return 0


def write_json(file: Path, data: dict) -> None:
    file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def machine() -> dict:
    """What the figures were measured on."""
    return {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}


def report(rows: list, notes: list[str], plan) -> dict:
    """The results as plain data; `targets.pictures` come beside them."""
    return {"quick": plan.quick, "rounds": plan.rounds, **machine(), "notes": notes,
            "results": [row.as_dict() for row in rows]}


def number(value: float | None) -> str:
    """Three digits that matter, or four; as many as a whole number has."""
    if value is None:
        return "-"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows: list) -> Table:
    made = Table(title="Ours beside theirs")
    for head in ("id", "what", "ours", "theirs", "unit", "against", "figure", "target", "met", "note"):
        made.add_column(head, justify="right" if head in ("ours", "theirs", "figure", "target") else "left",
                        overflow="fold")
    for row in rows:
        ratio = "x" if row.theirs is not None or row.against else ""
        target = "" if row.bound is None else f"{'≥' if row.at_least else '≤'} {row.bound:g}{ratio}"
        made.add_row(row.id, escape(row.what), number(row.ours), number(row.theirs), row.unit, row.against,
                     number(row.figure) + (ratio if row.figure is not None else ""), target or "none, shown",
                     MET[row.met] if target else "", escape(row.note))
    return made
