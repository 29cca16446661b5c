"""Courses for the tests of `course.py grade`: six small submissions, and comparisons of what grading them left."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import nbformat
import pytest

from tests.nbgrader_helpers import SLUG, TOPIC, Course, hand_in
from utils.build.notebooks import instructor_notebook
from utils.cli.main import main
from utils.curriculum import ROOT
from utils.grading import records
from utils.sandbox.isolation import VARIABLE, WEAK

HALF = (TOPIC.shipped / TOPIC.module).read_text(encoding="utf-8").split("# exercise 1.2")[0]
QUICK = "def\n"  # a module that does not load is soon judged
ESSAY = "essay-answer-E1"


GRADES = """
    select s.student_id, s.timestamp, n.late_submission_penalty, b.name, g.auto_score, g.manual_score,
        g.needs_manual_grade
    from submitted_assignment s join submitted_notebook n on n.assignment_id = s.id
        join grade g on g.notebook_id = n.id join base_cell b on b.id = g.cell_id"""
COMMENTS = """
    select s.student_id, b.name, c.auto_comment, c.manual_comment
    from submitted_assignment s join submitted_notebook n on n.assignment_id = s.id
        join comment c on c.notebook_id = n.id join base_cell b on b.id = c.cell_id"""


def write_answer(folder: Path, name: str, cell: str, text: str) -> None:
    path = folder / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    next(c for c in notebook.cells if c.id == cell).source = text
    nbformat.write(notebook, path)


def _essay(folder: Path) -> None:
    write_answer(folder, "exercises", ESSAY, "Every consumer first.")


def _drill(folder: Path) -> None:
    solved = {cell.id: cell.source for cell in instructor_notebook(TOPIC, "math-refresh").cells}
    write_answer(folder, "math-refresh", "answer-R1", solved["answer-R1"])


def _messy(folder: Path) -> None:
    (folder / "exercises.ipynb").rename(folder / "exercises (1).ipynb")
    (folder / "numpy.py").write_text("raise SystemExit")
    (folder / "notes.txt").write_bytes(b"x" * 11_000_000)
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "data").mkdir()
    (folder / "data" / "table.csv").write_text("1,2\n")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "value.pyc").write_bytes(b"")


def _late(folder: Path) -> None:
    (folder / "timestamp.txt").write_text("2026-05-02 10:00:00 UTC")


KINDS: dict[str, tuple[str | None, Callable]] = {
    "broken": (QUICK, lambda folder: None),
    "drill": (QUICK, _drill),
    "essay": (QUICK, _essay),
    "half": (HALF, lambda folder: None),
    "late": (QUICK, lambda folder: (_drill(folder), _late(folder))),
    "messy": (QUICK, _messy),
}


def make_course(root: Path, kinds=KINDS) -> Course:
    course = Course(root, budget=0)
    course.run("generate_assignment", SLUG)
    with course.gradebook() as book:
        book.update_or_create_assignment(SLUG, duedate="2026-05-01 10:00:00 UTC")
    config = root / "nbgrader_config.py"
    config.write_text(f'{config.read_text()}get_config().LateSubmissionPlugin.penalty_method = "zero"\n')
    (root / "secret").write_text("a secret of this test")
    for who, (module, change) in kinds.items():
        change(hand_in(course, who, module))
    return course


@pytest.fixture(scope="module", autouse=True)
def without_sandbox():
    """What keeps submissions in is tested elsewhere, and takes a second to prove in each run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, WEAK)
        yield


@pytest.fixture(scope="module", name="pattern")
def a_pattern(without_sandbox, tmp_path_factory):
    """A course with submissions, ungraded."""
    return make_course(tmp_path_factory.mktemp("pattern")).root


@pytest.fixture(scope="module", name="graded")
def a_graded_course(pattern, tmp_path_factory):
    """The same, graded by `course.py grade`."""
    root = copy_of(pattern, tmp_path_factory.mktemp("graded") / "course")
    assert grade(root) == 0
    return root


@pytest.fixture(name="course")
def a_course_to_change(graded, tmp_path):
    """A graded course that a test may change."""
    return copy_of(graded, tmp_path / "course")


def copy_of(root: Path, to: Path) -> Path:
    shutil.copytree(root, to, symlinks=True)
    config = to / "nbgrader_config.py"
    assert str(root) not in config.read_text(encoding="utf-8")
    return to


def grade(root: Path, *arguments: str, slug: str = SLUG) -> int:
    """The command, in this process; its exit status."""
    where = Path.cwd()
    try:
        return main(["grade", slug, "--course", str(root), "--workers", "2", *arguments])
    finally:
        os.chdir(where)


def start(root: Path, *arguments: str, **environment) -> subprocess.Popen:
    """The command in a process of its own."""
    command = [sys.executable, "-P", "-m", "utils", "grade", SLUG, "--course", root, "--workers", "2", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            start_new_session=True, env=os.environ | environment)


def rows(root: Path) -> list[tuple]:
    """All that the gradebook says of submissions, in an order of its own."""
    with closing(sqlite3.connect(root / "upstream.db")) as db:
        found = [row for query in (GRADES, COMMENTS) for row in db.execute(query)]
    return sorted(found, key=repr)


def files(root: Path, kind: str) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in (root / kind).rglob("*") if p.is_file()}


def reports(root: Path) -> dict[str, dict]:
    """The records, without their times."""
    found = {}
    for path in (root / records.FOLDER / SLUG).glob("*.json"):
        found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        del found[path.stem]["graded"], found[path.stem]["seconds"]
    return found


def assert_same(one: Path, other: Path) -> None:
    assert rows(one) == rows(other)
    assert files(one, "autograded") == files(other, "autograded")
    assert reports(one) == reports(other)


def export(root: Path) -> str:
    """grades.csv as `nbgrader export` writes it."""
    course = Course.__new__(Course)
    course.root = root
    course.run("export")
    return (root / "grades.csv").read_text(encoding="utf-8")
