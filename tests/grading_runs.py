"""Long runs of `course.py grade`, too long for the suite, on a course of made-up submissions:

    python -m tests.grading_runs same 200 5      200 submissions, graded 5 times: other workers, order, hash seed, load
    python -m tests.grading_runs kills 20        killed with kill -9 at 20 random moments, and resumed each time

Each prints what it did and what differed; exit status 1 if anything did.
"""

from __future__ import annotations

import argparse
import difflib
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.grading_helpers import KINDS, QUICK, copy_of, export, files, make_course, reports, rows, start
from tests.nbgrader_helpers import SLUG, TOPIC
from utils.grading import records
from utils.sandbox.isolation import SANDBOX, VARIABLE

SEED = 20_240_501


def _engines() -> list[str]:
    """Modules of all qualities: the model engine without some of its methods, or with a changed line."""
    model = (TOPIC.solutions / "level01-naive.py").read_text(encoding="utf-8").split("class Neuron")[0]
    changes = [("out.grad * other.data", "out.grad"), ("reversed(order)", "order"), ("+= out.grad", "= out.grad"),
               ("def __rsub__", "def _rsub"), ("def __pow__", "def _pow"), ("def tanh", "def than"), ("", "")]
    return [model.replace(old, new, 1) + f"\nmade = {number}\n" for number, (old, new) in enumerate(changes)]


def _submissions(number: int) -> dict[str, tuple[str | None, Callable]]:
    """Mostly modules that are soon judged, one in eight an engine; every kind of the suite's small courses."""
    engines, kinds, made = _engines(), list(KINDS.values()), {}
    for i in range(number):
        module, change = kinds[i % len(kinds)]
        text = engines[i // 8 % len(engines)] if i % 8 == 0 else f"{module or QUICK}# {i}\n"
        made[f"learner{i:03}"] = (text, change)
    return made


def _state(root: Path) -> tuple:
    return rows(root), reports(root), files(root, "autograded"), export(root)


def _differences(one: tuple, other: tuple) -> list[str]:
    names = ("gradebook", "reports", "autograded", "grades.csv")
    return [f"{name}{_where(a, b)}" for name, a, b in zip(names, one, other, strict=True) if a != b]


def _where(one, other) -> str:
    """Which entries of two tables differ, and the first lines that do."""
    if not isinstance(one, dict):
        return ""
    keys = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    texts = [table.get(keys[0], b"") for table in (one, other)]
    lines = [text.decode("utf-8", "replace") if isinstance(text, bytes) else json.dumps(text, indent=1)
             for text in texts]
    told = [line[:200] for line in difflib.unified_diff(*map(str.splitlines, lines), lineterm="", n=0)][2:10]
    return " of " + ", ".join(keys[:8]) + "".join(f"\n    {line}" for line in told) + "\n"


def _hog() -> None:
    while True:
        pass


def same(number: int, times: int) -> int:
    """Grade the same submissions several times, and compare everything that is left."""
    dice, wrong = random.Random(SEED), 0
    with tempfile.TemporaryDirectory(prefix="upstream-runs-") as place:
        pattern = make_course(Path(place, "pattern"), _submissions(number)).root
        first = None
        for run in range(times):
            root, workers, seed = copy_of(pattern, Path(place, f"run{run}")), (1, 2, 4)[run % 3], dice.randrange(2**32)
            hogs = [multiprocessing.Process(target=_hog, daemon=True) for _ in range(run % 2)]
            for hog in hogs:
                hog.start()
            begun, status, told = time.monotonic(), 0, ""
            half = dice.sample(_names(pattern), number // 2) if run else []
            for chosen in (half, []):  # in another order: some of them first, then the others
                process = start(root, "--workers", str(workers), *(f"--student={who}" for who in chosen),
                                PYTHONHASHSEED=str(seed))
                told += process.communicate()[0]
                status |= process.returncode
            for hog in hogs:
                hog.kill()
            state = _state(root)
            first = first or state
            found = _differences(first, state)
            wrong += bool(found or status or len(state[1]) != number)
            print(f"run {run + 1}: {workers} workers, hash seed {seed}, {len(half)} first, {len(hogs)} CPU hogs; "
                  f"{len(state[1])} results in {time.monotonic() - begun:.0f} s; different from the first run: "
                  f"{', '.join(found) or 'nothing'}{told if status else ''}", flush=True)
            shutil.rmtree(root)
    return wrong


def kills(times: int, number: int = 40) -> int:
    """Kill the command at random moments, each time resume, and compare with a run that nobody disturbed."""
    dice, wrong = random.Random(SEED), 0
    with tempfile.TemporaryDirectory(prefix="upstream-runs-") as place:
        pattern = make_course(Path(place, "pattern"), _submissions(number)).root
        calm, root = copy_of(pattern, Path(place, "calm")), copy_of(pattern, Path(place, "killed"))
        start(calm).communicate()
        written = root / records.FOLDER / SLUG
        for kill in range(times):
            process, before = start(root), _count(written)
            # half of them between two records, the others at any time from the start on
            until = time.monotonic() + dice.uniform(0, 3)
            more = dice.randrange(0, 3)
            while process.poll() is None and (_count(written) < before + more or time.monotonic() < until):
                time.sleep(0.001)
            process.kill()
            process.communicate()
            print(f"kill {kill + 1}: after {_count(written)} of {number} results", flush=True)
        finished = start(root)
        told = finished.communicate()[0]
        found = _differences(_state(calm), _state(root))
        wrong = bool(found or finished.returncode or len(reports(root)) != number)
        print(f"{times} kills, then to the end: {len(reports(root))} of {number} results; different from an "
              f"undisturbed run: {', '.join(found) or 'nothing'}{told if finished.returncode else ''}")
    return wrong


def _names(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "submitted").iterdir())


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*.json")) if folder.is_dir() else 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.grading_runs", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("same", "kills"))
    parser.add_argument("number", type=int, help="submissions, or kills")
    parser.add_argument("times", type=int, nargs="?", default=5, help="runs of `same`")
    args = parser.parse_args(arguments)
    os.environ.setdefault(VARIABLE, SANDBOX)
    return int(bool(same(args.number, args.times) if args.what == "same" else kills(args.number)))


if __name__ == "__main__":
    sys.exit(main())
