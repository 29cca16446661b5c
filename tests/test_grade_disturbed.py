"""A batch that is stopped, disturbed or refused: nothing lost, nothing wrong, one clear sentence."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import time
from concurrent.futures import Future
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from tests.grading_helpers import (  # noqa: F401  fixtures
    KINDS,
    QUICK,
    a_course_to_change,
    a_graded_course,
    a_pattern,
    assert_same,
    copy_of,
    export,
    grade,
    rows,
    start,
    without_sandbox,
)
from tests.nbgrader_helpers import SLUG, TOPIC
from utils.cli.main import main
from utils.grading import batch, records, task
from utils.grading.bundle import Bundle, read_files, take_assignment
from utils.grading.gradebook import Book
from utils.grading.opened import open_course
from utils.judge.source import digest
from utils.sandbox.bwrap import SandboxError
from utils.sandbox.isolation import VARIABLE, WEAK, WEAKER
from utils.setup_state import Problem


class Inline:
    """A pool that grades at once, here; `meanwhile` happens while it does."""

    broken = ()
    width = 1
    here = True

    def __init__(self, meanwhile=lambda bundle: None):
        self.meanwhile = meanwhile

    def submit(self, function, bundle, proved) -> Future:
        future = Future()
        future.set_result(function(bundle, proved))
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
    module, before = course / "submitted" / "broken" / SLUG / TOPIC.module, rows(course)
    _, tally, _ = _run(course, Inline(lambda bundle: module.write_text(f"{module.read_text()}#")), ["broken"])
    assert tally.problems == {"broken": "it changed 3 times while it was graded"}
    gone = course / "submitted" / "drill"
    _, tally, _ = _run(course, Inline(lambda bundle: shutil.rmtree(gone, ignore_errors=True)), ["drill"])
    assert tally.problems == {"drill": "its folder in submitted/ is gone"}
    assert rows(course) == before
    assert records.read(course, SLUG, "broken").problem


def end_for_drill(bundle: Bundle, proved: bool):
    """A task whose process is ended by one submission."""
    if bundle.student == "drill":
        os.kill(os.getpid(), signal.SIGKILL)
    return task.grade_one(bundle, proved)


def test_a_process_that_ends_costs_only_the_one_that_ended_it(course, graded, monkeypatch, capsys):
    monkeypatch.setattr(batch, "grade_one", end_for_drill)
    before = rows(course)
    assert grade(course, "--force", "--student", "drill", "--student", "broken") == 1
    captured = capsys.readouterr()
    assert "Not graded, and no score changed: drill." in captured.out
    assert "not graded: drill (the process that graded it ended 3 times)" in captured.err
    assert rows(course) == before
    monkeypatch.undo()
    assert grade(course) == 0  # and it is tried again
    assert_same(course, graded)


def test_a_judge_that_fails_is_no_score(course, monkeypatch):
    shutil.copytree(course / "submitted" / "drill", course / "submitted" / "aaron")
    with sqlite3.connect(course / "upstream.db") as db:
        db.execute("insert into student (id) values ('aaron')")  # on the roll, never graded
    before = rows(course)
    monkeypatch.setattr(task, "judge", lambda *a, **b: 1 / 0)
    _, tally, _ = _run(course, Inline(), ["drill", "aaron"])
    assert tally.problems == dict.fromkeys(("aaron", "drill"), "ZeroDivisionError: division by zero")
    assert rows(course) == before
    assert records.read(course, SLUG, "drill").report is None
    table = [line.split(",") for line in export(course).splitlines()[1:]]
    assert [row[3] for row in table] == ["aaron", *KINDS]  # in order, whoever came first
    scores = {row[3]: row[-2] for row in table}
    assert (scores["aaron"], scores["drill"], scores["broken"]) == ("", "3.0", "0.0")  # not graded is not zero


def test_a_worker_with_other_code_takes_no_part(course, monkeypatch):
    bundle = Bundle(take_assignment(open_course(course).coursedir, SLUG, {}, WEAK), "x", ())
    monkeypatch.setattr("utils.grading.bundle.code_version", lambda slug: "another")
    with pytest.raises(task.OtherVersion):
        task.grade_one(bundle)
    monkeypatch.undo()

    class Remote(Inline):
        def submit(self, function, bundle, proved):
            future = Future()
            future.set_exception(task.OtherVersion("it has another version"))
            return future

    for Remote.here, says in ((False, "give every machine this commit"), (True, "this repository's files changed")):
        with pytest.raises(Problem, match=says):
            _run(course, Remote())


def test_results_do_not_depend_on_order_workers_or_hash_seed(pattern, graded, tmp_path):
    root = copy_of(pattern, tmp_path / "course")

    def backwards(plan):
        plan.todo = dict(reversed(plan.todo.items()))

    _run(root, Inline(), order=backwards)
    assert_same(root, graded)
    seeded = copy_of(pattern, tmp_path / "seeded")
    process = start(seeded, PYTHONHASHSEED="7")
    assert "Graded 6" in process.communicate(timeout=300)[0] and process.returncode == 0
    assert_same(seeded, graded)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(("sent", "after"), [(signal.SIGKILL, 2), (signal.SIGINT, 1)])
def test_stopped_at_any_moment_it_goes_on_where_it_was(pattern, graded, tmp_path, sent, after):
    root = copy_of(pattern, tmp_path / "course")
    process = start(root)
    written = root / records.FOLDER / SLUG
    while process.poll() is None and (not written.is_dir() or len(list(written.glob("*.json"))) < after):
        time.sleep(0.002)
    family = _family(process.pid)
    process.send_signal(sent)
    told = process.communicate(timeout=300)[0]
    if sent == signal.SIGINT and process.returncode:
        assert process.returncode == 130
        assert "Nothing is lost" in told and "Traceback" not in told
    _all_gone(family)
    assert grade(root) == 0
    assert_same(root, graded)
    assert not list(root.rglob(f"{records.NEW}*"))


def _family(pid: int):
    return psutil.Process(pid).children(recursive=True)


def _all_gone(processes) -> None:
    _, alive = psutil.wait_procs(processes, timeout=120)
    assert alive == []


def test_two_graders_at_once_are_not_possible(course, capsys):
    with FileLock(course / batch.LOCK):
        assert grade(course, "--force") == 1
    assert "another `course.py grade` is at work" in capsys.readouterr().err


def test_a_gradebook_that_another_program_holds_is_said_to_be_held(course, capsys):
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + "c = get_config().CourseDirectory\nc.db_url = "
                      "c.db_url.replace('timeout=60', 'timeout=0.2')\n")
    holder = sqlite3.connect(course / "upstream.db")
    holder.execute("begin exclusive")
    assert grade(course, "--force") == 1
    told = capsys.readouterr().err
    assert "another program holds the gradebook" in told and "Traceback" not in told
    assert main(["report", SLUG, "--course", str(course)]) == 1
    assert "another program holds the gradebook" in capsys.readouterr().err
    holder.close()
    assert grade(course) == 0


def test_a_full_disk_and_a_folder_that_cannot_be_written_are_one_sentence(course, graded, monkeypatch, capsys):
    for number, says in ((errno.ENOSPC, "the disk is full"), (errno.EROFS, "cannot be written to or read")):
        def refuse(*anything, number=number):
            raise OSError(number, os.strerror(number), "grades")

        monkeypatch.setattr(records, "write_whole", refuse)
        assert grade(course, "--force") == 1
        told = capsys.readouterr().err
        assert says in told and "goes on where it was" in told and "Traceback" not in told
        monkeypatch.undo()
    assert grade(course) == 0
    assert_same(course, graded)


def test_a_bundle_is_the_submission_and_nothing_of_the_place(course, tmp_path):
    opened = open_course(course)
    folder = opened.folder("submitted", "messy", SLUG)
    bundle = Bundle(take_assignment(opened.coursedir, SLUG, {}, WEAK), "messy", read_files(folder))
    assert str(course) not in repr(bundle)
    again = bundle.unpack(tmp_path / "elsewhere")
    assert Bundle(bundle.assignment, "messy", read_files(again)).digest() == bundle.digest()
    assert next(f for f in bundle.files if f.name == "notes.txt").content is None


def test_without_a_sandbox_nothing_is_graded_unless_weak_isolation_is_asked_for_by_name(course, monkeypatch, capsys):
    def broken():
        raise SandboxError("bwrap is missing")

    before = rows(course)
    monkeypatch.setattr(batch, "prove", broken)
    monkeypatch.delenv(VARIABLE, raising=False)
    assert grade(course, "--force") == 1
    told = capsys.readouterr().err
    assert "bwrap is missing" in told and f"{VARIABLE}=weak" in told and "Traceback" not in told
    assert rows(course) == before
    monkeypatch.setenv(VARIABLE, "none")
    assert grade(course, "--force") == 1
    assert "the choices are sandbox and weak" in capsys.readouterr().err
    monkeypatch.setenv(VARIABLE, WEAK)
    assert grade(course, "--student", "broken", "--force") == 0
    assert WEAKER[:40] in capsys.readouterr().err
