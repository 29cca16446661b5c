"""`course.py grade`: the same results as nbgrader's own command, on all cores, however often it is stopped."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import nbformat
import psutil
import pytest
from filelock import FileLock

from tests.nbgrader_helpers import SLUG, TOPIC, Course, hand_in
from utils.build.notebooks import instructor_notebook
from utils.cli.main import main
from utils.curriculum import ROOT
from utils.grading import batch, records, task
from utils.grading.bundle import Bundle, read_files, take_assignment
from utils.grading.gradebook import Book
from utils.grading.opened import open_course
from utils.grading.submission import SET_ASIDE
from utils.judge.source import digest
from utils.setup_state import Problem

HALF = (TOPIC.shipped / TOPIC.module).read_text(encoding="utf-8").split("# exercise 1.2")[0]
QUICK = "def\n"  # a module that does not load is soon judged
ESSAY = "essay-answer-E1"


def _answer(folder: Path, name: str, cell: str, text: str) -> None:
    path = folder / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    next(c for c in notebook.cells if c.id == cell).source = text
    nbformat.write(notebook, path)


def _essay(folder: Path) -> None:
    _answer(folder, "exercises", ESSAY, "Every consumer first.")


def _drill(folder: Path) -> None:
    solved = {cell.id: cell.source for cell in instructor_notebook(TOPIC, "math-refresh").cells}
    _answer(folder, "math-refresh", "answer-R1", solved["answer-R1"])


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


def _course(root: Path, kinds=KINDS) -> Course:
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


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    """A course with submissions, ungraded."""
    return _course(tmp_path_factory.mktemp("pattern")).root


@pytest.fixture(scope="module")
def graded(pattern, tmp_path_factory):
    """The same, graded by `course.py grade`."""
    root = _copy(pattern, tmp_path_factory.mktemp("graded") / "course")
    assert _grade(root) == 0
    return root


@pytest.fixture
def course(graded, tmp_path):
    """A graded course that a test may change."""
    return _copy(graded, tmp_path / "course")


def _copy(root: Path, to: Path) -> Path:
    shutil.copytree(root, to, symlinks=True)
    config = to / "nbgrader_config.py"
    assert str(root) not in config.read_text(encoding="utf-8")
    return to


def _grade(root: Path, *arguments: str) -> int:
    where = Path.cwd()
    try:
        return main(["grade", "--course", str(root), "--workers", "2", *arguments])
    finally:
        os.chdir(where)


def _start(root: Path, **environment) -> subprocess.Popen:
    """The command in a process of its own."""
    command = [sys.executable, "-P", "-m", "utils", "grade", "--course", root, "--workers", "2"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            start_new_session=True, env=os.environ | environment)


def _rows(root: Path) -> list[tuple]:
    """All that the gradebook says of submissions, in an order of its own."""
    with sqlite3.connect(root / "gradebook.db") as db:
        rows = list(db.execute(
            "select s.student_id, s.timestamp, n.late_submission_penalty, b.name, g.auto_score, g.manual_score, "
            "g.needs_manual_grade from submitted_assignment s join submitted_notebook n on n.assignment_id = s.id "
            "join grade g on g.notebook_id = n.id join base_cell b on b.id = g.cell_id"))
        rows += list(db.execute(
            "select s.student_id, b.name, c.auto_comment, c.manual_comment from submitted_assignment s "
            "join submitted_notebook n on n.assignment_id = s.id join comment c on c.notebook_id = n.id "
            "join base_cell b on b.id = c.cell_id"))
    return sorted(rows, key=repr)


def _files(root: Path, kind: str) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in (root / kind).rglob("*") if p.is_file()}


def _reports(root: Path) -> dict[str, dict]:
    """The records, without their times."""
    found = {}
    for path in (root / records.FOLDER / SLUG).glob("*.json"):
        found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        del found[path.stem]["graded"], found[path.stem]["seconds"]
    return found


def _same(one: Path, other: Path) -> None:
    assert _rows(one) == _rows(other)
    assert _files(one, "autograded") == _files(other, "autograded")
    assert _reports(one) == _reports(other)


def test_it_stores_what_nbgraders_own_command_stores(pattern, graded, tmp_path):
    theirs = Course.__new__(Course)
    theirs.root = _copy(pattern, tmp_path / "course")
    theirs.run("autograde", SLUG)
    assert _rows(theirs.root) == _rows(graded)
    assert _files(theirs.root, "autograded") == _files(graded, "autograded")
    stock, ours = _reports(theirs.root), _reports(graded)
    for who in KINDS:
        for only_ours in ("key", "scores"):
            assert stock[who].pop(only_ours) is None and ours[who].pop(only_ours) is not None
    assert stock == ours


def test_there_is_a_row_and_a_record_for_every_submission(graded):
    assert {row[0] for row in _rows(graded)} == set(KINDS) == set(_reports(graded))
    penalties = {row[0] for row in _rows(graded) if len(row) == 7 and row[2]}
    assert penalties == {"late"}
    assert any("exercises (1).ipynb" in note for note in _reports(graded)["messy"]["notes"])
    assert (graded / "submitted" / "messy" / SLUG / f"link{SET_ASIDE}").is_file()


def test_a_second_run_has_nothing_to_do(course, capsys):
    before = _files(course, "")
    assert _grade(course) == 0
    assert "Nothing to grade: 6 submissions, and none has changed." in capsys.readouterr().out
    assert _files(course, "") == before


def _edit_module(root):
    (root / "submitted" / "half" / SLUG / TOPIC.module).write_text(QUICK)


def _hand_in_again(root):
    (root / "submitted" / "half" / SLUG / "timestamp.txt").write_text("2026-04-30 10:00:00 UTC")


def _lose_folder(root):
    shutil.rmtree(root / "autograded" / "half")


def _lose_record(root):
    records.path(root, SLUG, "half").unlink()


def _tear_record(root):
    records.path(root, SLUG, "half").write_text('{"version": 1, "assign')


def _change_score(root):
    with sqlite3.connect(root / "gradebook.db") as db:
        db.execute("update grade set auto_score = 1 where notebook_id in (select n.id from submitted_notebook n join "
                   "submitted_assignment s on n.assignment_id = s.id where s.student_id = 'half')")


CHANGES = {
    _edit_module: "the submission changed", _hand_in_again: "the submission changed",
    _lose_folder: "its folder in autograded/ is gone", _lose_record: "new", _tear_record: "new",
    _change_score: "the gradebook holds other scores",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_dry_run_says_what_would_be_graded_and_changes_nothing(course, capsys, change):
    change(course)
    before = _files(course, "")
    assert _grade(course, "--dry-run") == 0
    out = capsys.readouterr().out
    assert out == f"half: {CHANGES[change]}\nWould grade 1, and leave 5 as they are.\n"
    assert _files(course, "") == before


def test_only_what_changed_is_graded_again_and_what_was_lost_comes_back(course, graded, capsys):
    for change in (_lose_folder, _change_score):
        change(course)
    (course / "submitted" / "drill" / SLUG / TOPIC.module).write_text("class Value:\n    pass\n")
    assert _grade(course) == 0
    assert "Graded 2 submissions" in capsys.readouterr().out
    changed = {row[0] for row in set(_rows(course)) ^ set(_rows(graded))}
    assert changed <= {"drill"}
    assert _reports(course)["half"] == _reports(graded)["half"]
    assert _reports(course)["drill"] != _reports(graded)["drill"]


def test_another_judge_or_other_settings_grade_everyone_again(course, monkeypatch, capsys):
    monkeypatch.setattr("utils.grading.bundle.code_version", lambda slug: "another")
    assert _grade(course, "--dry-run") == 0
    assert capsys.readouterr().out.count("the judge changed") == len(KINDS)
    monkeypatch.undo()
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + "get_config().LimitOutput.max_lines = 7\n")
    assert _grade(course, "--dry-run") == 0
    assert capsys.readouterr().out.count("the assignment or its settings changed") == len(KINDS)


def test_one_can_be_graded_again(course, graded, capsys):
    when = {who: records.path(course, SLUG, who).stat().st_mtime_ns for who in KINDS}
    assert _grade(course, "--student", "drill", "--force") == 0
    assert "Graded 1 submission " in capsys.readouterr().out
    assert {w for w in KINDS if records.path(course, SLUG, w).stat().st_mtime_ns != when[w]} == {"drill"}
    _same(course, graded)


def test_a_mark_given_by_hand_stays_settled_until_the_work_changes(course):
    with sqlite3.connect(course / "gradebook.db") as db:
        mine = ("select g.id from grade g join base_cell b on b.id = g.cell_id join submitted_notebook n on "
                "n.id = g.notebook_id join submitted_assignment s on s.id = n.assignment_id "
                f"where b.name = '{ESSAY}' and s.student_id = 'essay'")
        db.execute(f"update grade set manual_score = 3, needs_manual_grade = 0 where id in ({mine})")
    db.close()

    def mark():
        return next(row[5:] for row in _rows(course) if len(row) == 7 and row[0] == "essay" and row[3] == ESSAY)

    assert _grade(course, "--student", "essay", "--force") == 0
    assert mark() == (3, 0)
    _answer(course / "submitted" / "essay" / SLUG, "exercises", ESSAY, "Changed.")
    assert _grade(course) == 0
    assert mark() == (3, 1)


@pytest.mark.parametrize(("arguments", "says"), [
    (["--student", "nobody"], "there is no submission of 02-autograd-engine by nobody"),
    (["09"], "09"),
])
def test_a_wrong_name_is_said_to_be_wrong(course, capsys, arguments, says):
    assert _grade(course, *arguments) in (1, 2)
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1


def test_a_course_without_submissions_or_release_says_so(tmp_path, capsys):
    root = Course(tmp_path, budget=0).root
    assert _grade(root) == 1
    assert "run `nbgrader generate_assignment 02-autograd-engine`" in capsys.readouterr().err
    assert _grade(tmp_path / "nowhere") == 1
    assert "there is no course in" in capsys.readouterr().err


def test_other_settings_than_ours_are_refused(course, capsys):
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + "get_config().Autograde.autograde_preprocessors = []\n")
    assert _grade(course, "--force") == 1
    assert "configuration is not the one of utils/grading/config.py" in capsys.readouterr().err


class Inline:
    """A pool that grades at once, here; `meanwhile` happens while it does."""

    broken = ()
    width = 1

    def __init__(self, meanwhile=lambda bundle: None):
        self.meanwhile = meanwhile

    def submit(self, function, bundle) -> Future:
        future = Future()
        future.set_result(function(bundle))
        self.meanwhile(bundle)
        return future


def _run(root: Path, pool, only=(), force=True, order=lambda plan: None):
    """(plan, tally, what was told) of a batch with another pool."""
    where, told = Path.cwd(), []
    try:
        opened = open_course(root)
        with Book(opened.coursedir.db_url, opened.course_id, "again") as book:
            job = batch.Batch(opened, book, SLUG)
            plan = job.plan(only, force)
            order(plan)
            return plan, job.run(plan, pool, lambda who, problem: told.append((who, problem))), told
    finally:
        os.chdir(where)


def test_a_submission_that_changes_meanwhile_is_graded_as_it_is_in_the_end(course):
    module = course / "submitted" / "broken" / SLUG / TOPIC.module

    def change_once(bundle):
        if module.read_text() == QUICK:
            module.write_text("class Value:\n    pass\n")

    _, tally, told = _run(course, Inline(change_once), ["broken"])
    assert told == [("broken", None)]
    assert tally.graded["broken"].report.digest == digest(module)


def test_one_that_never_stops_changing_or_goes_away_has_no_result_and_no_new_score(course):
    module, before = course / "submitted" / "broken" / SLUG / TOPIC.module, _rows(course)
    _, tally, _ = _run(course, Inline(lambda bundle: module.write_text(f"{module.read_text()}#")), ["broken"])
    assert tally.problems == {"broken": "it changed 3 times while it was graded"}
    gone = course / "submitted" / "drill"
    _, tally, _ = _run(course, Inline(lambda bundle: shutil.rmtree(gone, ignore_errors=True)), ["drill"])
    assert tally.problems == {"drill": "its folder in submitted/ is gone"}
    assert _rows(course) == before
    assert records.read(course, SLUG, "broken").problem


def end_for_drill(bundle: Bundle):
    """A task whose process is ended by one submission."""
    if bundle.student == "drill":
        os.kill(os.getpid(), signal.SIGKILL)
    return task.grade_one(bundle)


def test_a_process_that_ends_costs_only_the_one_that_ended_it(course, graded, monkeypatch, capsys):
    monkeypatch.setattr(batch, "grade_one", end_for_drill)
    before = _rows(course)
    assert _grade(course, "--force") == 1
    captured = capsys.readouterr()
    assert "Not graded, and no score changed: drill." in captured.out
    assert "not graded: drill (the process that graded it ended 3 times)" in captured.err
    assert _rows(course) == before
    monkeypatch.undo()
    assert _grade(course) == 0  # and it is tried again
    _same(course, graded)


def test_a_judge_that_fails_is_no_score(course, monkeypatch):
    before = _rows(course)
    monkeypatch.setattr(task, "judge", lambda *a, **b: 1 / 0)
    _, tally, _ = _run(course, Inline(), ["drill"])
    assert tally.problems == {"drill": "ZeroDivisionError: division by zero"}
    assert _rows(course) == before
    assert records.read(course, SLUG, "drill").report is None


def test_a_worker_with_other_code_takes_no_part(course, monkeypatch):
    bundle = Bundle(take_assignment(open_course(course).coursedir, SLUG, {}), "x", ())
    monkeypatch.setattr("utils.grading.bundle.code_version", lambda slug: "another")
    with pytest.raises(task.OtherVersion):
        task.grade_one(bundle)
    monkeypatch.undo()

    class Remote(Inline):
        def submit(self, function, bundle):
            future = Future()
            future.set_exception(task.OtherVersion("it has another version"))
            return future

    with pytest.raises(Problem, match="give every machine this commit"):
        _run(course, Remote())


def test_results_do_not_depend_on_order_workers_or_hash_seed(pattern, graded, tmp_path):
    root = _copy(pattern, tmp_path / "course")

    def backwards(plan):
        plan.todo = dict(reversed(plan.todo.items()))

    _run(root, Inline(), order=backwards)
    _same(root, graded)
    seeded = _copy(pattern, tmp_path / "seeded")
    process = _start(seeded, PYTHONHASHSEED="7")
    assert "Graded 6" in process.communicate(timeout=300)[0] and process.returncode == 0
    _same(seeded, graded)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(("sent", "after"), [(signal.SIGKILL, 1), (signal.SIGKILL, 4), (signal.SIGINT, 2)])
def test_stopped_at_any_moment_it_goes_on_where_it_was(pattern, graded, tmp_path, sent, after):
    root = _copy(pattern, tmp_path / "course")
    process = _start(root)
    written = root / records.FOLDER / SLUG
    while process.poll() is None and (not written.is_dir() or len(list(written.glob("*.json"))) < after):
        time.sleep(0.002)
    family = _family(process.pid)
    process.send_signal(sent)
    told = process.communicate(timeout=60)[0]
    if sent == signal.SIGINT and process.returncode:
        assert process.returncode == 130
        assert "Nothing is lost" in told and "Traceback" not in told
    _all_gone(family)
    assert _grade(root) == 0
    _same(root, graded)
    assert not list(root.rglob(f"{records.NEW}*"))


def _family(pid: int):
    return psutil.Process(pid).children(recursive=True)


def _all_gone(processes) -> None:
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert alive == []


def test_two_graders_at_once_are_not_possible(course, capsys):
    with FileLock(course / batch.LOCK):
        assert _grade(course, "--force") == 1
    assert "another `course.py grade` is at work" in capsys.readouterr().err


def test_a_gradebook_that_another_program_holds_is_said_to_be_held(course, capsys):
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + "c = get_config().CourseDirectory\nc.db_url = "
                      "c.db_url.replace('timeout=60', 'timeout=0.2')\n")
    holder = sqlite3.connect(course / "gradebook.db")
    holder.execute("begin exclusive")
    assert _grade(course, "--force") == 1
    holder.close()
    told = capsys.readouterr().err
    assert "another program holds the gradebook" in told and "Traceback" not in told
    assert _grade(course) == 0


def test_a_full_disk_and_a_folder_that_cannot_be_written_are_one_sentence(course, graded, monkeypatch, capsys):
    for number, says in ((errno.ENOSPC, "the disk is full"), (errno.EROFS, "cannot be written to or read")):
        def refuse(*anything, number=number):
            raise OSError(number, os.strerror(number), "grades")

        monkeypatch.setattr(records, "write_whole", refuse)
        assert _grade(course, "--force") == 1
        told = capsys.readouterr().err
        assert says in told and "goes on where it was" in told and "Traceback" not in told
        monkeypatch.undo()
    assert _grade(course) == 0
    _same(course, graded)


def test_a_bundle_is_the_submission_and_nothing_of_the_place(course, tmp_path):
    opened = open_course(course)
    folder = opened.folder("submitted", "messy", SLUG)
    bundle = Bundle(take_assignment(opened.coursedir, SLUG, {}), "messy", read_files(folder))
    assert str(course) not in repr(bundle)
    again = bundle.unpack(tmp_path / "elsewhere")
    assert Bundle(bundle.assignment, "messy", read_files(again)).digest() == bundle.digest()
    assert next(f for f in bundle.files if f.name == "notes.txt").content is None
