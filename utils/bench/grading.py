"""What grading costs beside nbgrader's own command: whole rounds with notebooks and feedback pages, judging, loops.

Every figure is of one course of made-up submissions, graded in the same run by processes of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from pathlib import Path

from utils.bench.judging import Figure
from utils.curriculum import ROOT, topic
from utils.grading.course import fill
from utils.grading.pools import LocalPool
from utils.judge.core import judge
from utils.judge.session import TOTAL

IDS = ("B1", "B2", "B3", "B4")
TOPIC = topic("02")
SLUG = TOPIC.slug
WORKERS = 2
LOOPS = 10
LOOP = '''

def _endless(self):
    while True:
        pass


Value.backward = _endless
'''
# nbgrader's defaults, in place of this course's plugin: what an instructor has who installs nbgrader and no more.
STOCK = """
c = get_config()
from nbgrader.converters import Autograde, GenerateFeedback
c.Autograde.exporter_class = "nbconvert.exporters.NotebookExporter"
c.Autograde.sanitize_preprocessors = Autograde.sanitize_preprocessors.default_args[0]
c.Autograde.autograde_preprocessors = Autograde.autograde_preprocessors.default_args[0]
c.GenerateFeedback.preprocessors = GenerateFeedback.preprocessors.default_args[0]
"""


def _modules(number: int) -> dict[str, str]:
    """Engines of learners who got far: the first level's solution, each with a line of its own."""
    model = (TOPIC.solutions / "level01-naive.py").read_text(encoding="utf-8")
    return {f"learner{i:02}": model.replace("class Value:\n", f"class Value:\n    mine = {i}\n", 1)
            for i in range(number)}


@contextmanager
def _course(modules: dict[str, str], more: str = "") -> Iterator[Path]:
    """An ungraded course with these submissions; `more` goes to the end of its configuration."""
    with tempfile.TemporaryDirectory(prefix="upstream-bench-") as place:
        root = Path(place)
        fill(root)
        config = root / "nbgrader_config.py"
        config.write_text(config.read_text(encoding="utf-8") + more, encoding="utf-8")
        _run(root, "nbgrader", "generate_assignment", SLUG)
        for who, module in modules.items():
            folder = root / "submitted" / who / SLUG
            shutil.copytree(root / "release" / SLUG, folder)
            (folder / TOPIC.module).write_text(module, encoding="utf-8")
        yield root


def _run(root: Path, *command: str) -> float:
    """Seconds of a command in the course's folder. RuntimeError if it fails."""
    words = [sys.executable, "-P", "-m", *command]
    begun = time.monotonic()
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, env=kept | {"PYTHONPATH": str(ROOT)})
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()[-1000:]}")
    return time.monotonic() - begun


def _ours(root: Path, *options: str) -> float:
    return _run(root, "utils", "grade", SLUG, "--course", str(root), "--workers", str(WORKERS), *options)


def rounds(quick: bool) -> list[Figure]:
    """Whole rounds: notebooks run, everything graded, feedback pages made."""
    number = 2 if quick else 8
    modules = _modules(number)
    with _course(modules) as root:
        ours = _ours(root, "--feedback") / number
    with _course(modules) as root:
        plugin = _theirs(root) / number
    with _course(modules, STOCK) as root:
        stock = _theirs(root) / number
    told = f"{number} submissions, {WORKERS} workers: ours {ours:.1f} s a submission, theirs"
    return [Figure("B1", "a whole round, beside nbgrader with its default steps", stock / ours, "x", 8, True,
                   f"{told} {stock:.1f} s"),
            Figure("B2", "a whole round, beside `nbgrader autograde` with this course's plugin", plugin / ours, "x",
                   None, True, f"{told} {plugin:.1f} s")]


def _theirs(root: Path) -> float:
    return _run(root, "nbgrader", "autograde", SLUG) + _run(root, "nbgrader", "generate_feedback", SLUG)


def judging(quick: bool) -> list[Figure]:
    """Judging alone, in warm processes, each submission in fresh sandboxes: levels 1 and 2, two processes."""
    number = 6 if quick else 60
    with tempfile.TemporaryDirectory(prefix="upstream-bench-") as place:
        folders = []
        for who, module in _modules(number).items():
            (folder := Path(place, who)).mkdir()
            (folder / TOPIC.module).write_text(module, encoding="utf-8")
            folders.append(folder)
        pool = LocalPool(WORKERS)
        try:
            wait([pool.submit(_judge, folder) for folder in folders[:WORKERS]])     # pays for the imports
            begun = time.monotonic()
            for judged in [pool.submit(_judge, folder) for folder in folders]:
                judged.result()
            seconds = time.monotonic() - begun
        finally:
            pool.close()
    return [Figure("B3", "submissions judged a second, levels 1 and 2, sandbox on", number / seconds, "/s", 10, True,
                   f"{number} right engines, {WORKERS} processes")]


def _judge(folder: Path) -> None:
    only = [e.id for level in TOPIC.levels if level.number <= 2 for e in level.exercises if e.kind == "module"]
    judge(TOPIC, folder, only=only, isolation="sandbox")


def loops(quick: bool) -> list[Figure]:
    """Ten submissions that never end, in a batch without notebooks."""
    count = 2 if quick else LOOPS
    modules = _modules(4)
    with _course(modules) as root:
        plain = _ours(root, "--no-notebooks")
    endless = {f"endless{i}": module + LOOP for i, module in enumerate(_modules(count).values())}
    with _course(modules | endless) as root:
        more = _ours(root, "--no-notebooks") - plain
    return [Figure("B4", f"seconds that {count} endless loops add", more, "s", count * TOTAL / WORKERS, False,
                   f"one file may use {TOTAL:g} s in all; {WORKERS} workers")]


SECTIONS = (rounds, judging, loops)
