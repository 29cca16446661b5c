"""What holds for every topic, in draft or not: `course.py verify` and the test suite look at the same checks.

A check takes a topic and gives a list of problems, each a sentence; an empty list where there are none.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from utils import curriculum
from utils.curriculum import Topic, load
from utils.hints import ladder
from utils.judge.core import judge
from utils.judge.promises import collect

PARTS = {
    "shipped": ("README.md", "questions.md"),
    "solutions": ("level01-naive.py", "level02-vectorized.py", "level03-memory-efficient.py",
                  "level04-pytorch-reference.py"),
    "tests": ("test_basic.py", "test_edge.py", "test_stress.py"),
}
REFERENCE_SCRIPT = "level04-pytorch-reference.py"
SHORTEST_HINT = 40          # characters
CLEAN = ("not-written", "failed")


def parts(topic: Topic) -> list[str]:
    """Every file that a topic has is there, under one slug in four trees."""
    wanted = [getattr(topic, tree) / name for tree, names in PARTS.items() for name in names]
    wanted += [topic.shipped / topic.module, *(topic.shipped / f"{name}.ipynb" for name in topic.notebooks)]
    missing = [f"{_shown(path)} is missing" for path in wanted if not path.is_file()]
    steps = sorted(path.name[:6] for path in topic.hints.glob("hint-*.md"))
    if steps != ["hint-1", "hint-2", "hint-3"]:
        missing.append(f"{_shown(topic.hints)}/ needs hint-1-*.md to hint-3-*.md, one of each")
    return missing


def manifest(topic: Topic) -> list[str]:
    """The manifest's entry is complete, and agrees with the promises."""
    numbered = topic.slug.startswith(f"{topic.number}-")
    problems = [] if numbered else [f"its slug does not begin with its number, {topic.number}"]
    known = {other.slug for other in load(drafts=True)}
    problems += [f"it comes after {slug}, which is no topic" for slug in topic.after if slug not in known]
    ids = [e.id for e in topic.exercises]
    problems += [f"exercise {id} is listed twice" for id in sorted({id for id in ids if ids.count(id) > 1})]
    problems += [f"exercise {e.id} needs points, minutes and a title" for e in topic.exercises
                 if e.points <= 0 or e.minutes <= 0 or not e.title]
    solutions = {name for name, _ in topic.lacks}
    problems += [f"`lacks` names {name}, which is no solution" for name in sorted(solutions - set(PARTS["solutions"]))]
    problems += [f"`lacks` names exercise {id}, which there is not" for _, left in topic.lacks for id in left
                 if id not in ids]
    promised, judged = {p.exercise for p in collect(topic)}, {e.id for e in topic.exercises if e.kind != "essay"}
    return problems + [f"exercise {id} has no promise in {_shown(topic.tests)}/" for id in sorted(judged - promised)]


def in_step(topic: Topic) -> list[str]:
    """Notebooks and the learner's file are what their sources make."""
    from utils.build.notebooks import BuildError
    from utils.build.skeleton import SkeletonError
    from utils.cli.build import learners_files

    try:
        made = learners_files(topic)
    except (BuildError, SkeletonError) as error:
        return [str(error)]
    return [f"{_shown(path)} is stale: run `course.py build`" for path, content in made.items()
            if not path.is_file() or path.read_bytes() != content]


def unsolved(topic: Topic) -> list[str]:
    """The learner's file as it comes earns 0, and each promise fails with a sentence, not with a crash."""
    report = judge(topic, topic.shipped)
    earned, _ = report.points()
    problems = [f"untouched, it earns {earned:g} points"] if earned else []
    return problems + [f"untouched, {v.name} is {v.status}: {v.detail}" for v in report.verdicts
                       if v.status not in CLEAN or (not v.detail and v.quantity is None)]


def solutions(topic: Topic) -> list[str]:
    """Each solution keeps the promises of its exercises; the reference of level 4 runs to its end."""
    problems = []
    for name in PARTS["solutions"]:
        file = topic.solutions / name
        if name == REFERENCE_SCRIPT:
            run = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, cwd=curriculum.ROOT,
                                 env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])})
            if run.returncode:
                problems.append(f"{name} ended with exit status {run.returncode}: {run.stderr.strip()[-300:]}")
        if name == REFERENCE_SCRIPT != topic.reference:
            continue
        report = judge(topic, topic.solutions, file=file, only=topic.promised_by(name))
        problems += [f"{name} does not keep {v.exercise} {v.name}: {v.detail or v.quantity}" for v in report.verdicts
                     if v.status != "passed"]
    return problems


def hints(topic: Topic) -> list[str]:
    """Every exercise has three hints, each longer than a word and none like another; only the last shows code."""
    problems = []
    for exercise in (e for level in topic.levels for e in level.exercises):
        steps = ladder(topic, exercise.id)
        if len(steps) != 3:
            problems.append(f"exercise {exercise.id} has {len(steps)} hints; it needs one in each of three files")
            continue
        if min(map(len, steps)) < SHORTEST_HINT:
            problems.append(f"exercise {exercise.id} has a hint of less than {SHORTEST_HINT} characters")
        if len(set(steps)) < 3:
            problems.append(f"exercise {exercise.id} has the same hint twice")
        if "```" in steps[0] + steps[1]:
            problems.append(f"exercise {exercise.id} shows code before its third hint")
    return problems


def catalogue(topic: Topic) -> list[str]:
    """Every misconception of the topic's catalogue breaks a promise."""
    from utils.judge.catalogues import uncaught
    return [f"no promise notices the misconception {id}" for id in uncaught(topic)]


def links(topic: Topic) -> list[str]:
    """Every link of the topic's pages leads somewhere."""
    pages = [page for tree in ("shipped", "hints", "tests") for page in sorted(getattr(topic, tree).rglob("*.md"))]
    found = [(page, target) for page in pages
             for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))]
    return [f"{_shown(page)} links to {target}, which is not there" for page, target in found
            if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()]


# What is checked, in the order in which it is told: the name and the check.
CHECKS: dict[str, Callable[[Topic], list[str]]] = {
    "all parts are there": parts,
    "the manifest is complete": manifest,
    "notebooks and skeleton are in step": in_step,
    "unsolved earns nothing and fails cleanly": unsolved,
    "each solution keeps its promises": solutions,
    "hints escalate": hints,
    "every misconception is caught": catalogue,
    "links lead somewhere": links,
}


def _shown(path: Path) -> str:
    return path.relative_to(curriculum.ROOT).as_posix()
