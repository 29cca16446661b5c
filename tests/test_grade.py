"""`course.py grade`: the same results as nbgrader's own command, and only what is new or has changed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from multiprocessing import forkserver

import pytest

from tests.grading_helpers import (  # noqa: F401  fixtures
    ESSAY,
    KINDS,
    QUICK,
    a_course_to_change,
    a_graded_course,
    a_pattern,
    assert_same,
    copy_of,
    files,
    grade,
    reports,
    rows,
    without_sandbox,
    write_answer,
)
from tests.nbgrader_helpers import SLUG, TOPIC, Course
from utils.cli.tools import need
from utils.grading import records
from utils.grading.pools import LocalPool, load_ahead
from utils.grading.submission import SET_ASIDE
from utils.sandbox.isolation import SANDBOX, VARIABLE


def test_it_stores_what_nbgraders_own_command_stores(pattern, graded, tmp_path):
    theirs = Course.__new__(Course)
    theirs.root = copy_of(pattern, tmp_path / "course")
    theirs.run("autograde", SLUG)
    assert rows(theirs.root) == rows(graded)
    assert files(theirs.root, "autograded") == files(graded, "autograded")
    stock, ours = reports(theirs.root), reports(graded)
    for who in KINDS:
        for only_ours in ("key", "scores"):
            assert stock[who].pop(only_ours) is None and ours[who].pop(only_ours) is not None
    assert stock == ours


def test_workers_are_where_the_batch_is_and_can_be_interrupted_as_anything_can(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pool = LocalPool(1)
    try:
        assert pool.submit(os.getcwd).result() == str(tmp_path)
        assert pool.submit(signal.getsignal, signal.SIGINT).result() is signal.default_int_handler
    finally:
        pool.close()


@pytest.mark.skipif(os.name == "nt", reason="there is no fork server there")
def test_what_loads_ahead_is_out_of_reach_of_ctrl_c(monkeypatch):
    seen = []
    monkeypatch.setattr(forkserver, "ensure_running", lambda: seen.append(signal.getsignal(signal.SIGINT)))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        load_ahead()
        assert (seen, signal.getsignal(signal.SIGINT)) == ([signal.SIG_IGN], signal.default_int_handler)
    finally:
        signal.signal(signal.SIGINT, before)


def test_there_is_a_row_and_a_record_for_every_submission(graded):
    assert {row[0] for row in rows(graded)} == set(KINDS) == set(reports(graded))
    penalties = {row[0] for row in rows(graded) if len(row) == 7 and row[2]}
    assert penalties == {"late"}
    assert any("exercises (1).ipynb" in note for note in reports(graded)["messy"]["notes"])
    assert (graded / "submitted" / "messy" / SLUG / f"link{SET_ASIDE}").is_file()


def test_a_second_run_has_nothing_to_do(course, capsys):
    before = files(course, "")
    assert grade(course) == 0
    assert "Nothing to grade: 6 submissions, and none has changed." in capsys.readouterr().out
    assert files(course, "") == before


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
    with sqlite3.connect(root / "upstream.db") as db:
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
    before = files(course, "")
    assert grade(course, "--dry-run") == 0
    out = capsys.readouterr().out
    assert out == f"half: {CHANGES[change]}\nWould grade 1, and leave 5 as they are.\n"
    assert files(course, "") == before


def test_only_what_changed_is_graded_again_and_what_was_lost_comes_back(course, graded, capsys):
    for change in (_lose_folder, _change_score):
        change(course)
    (course / "submitted" / "drill" / SLUG / TOPIC.module).write_text("class Value:\n    pass\n")
    assert grade(course) == 0
    assert "Graded 2 submissions" in capsys.readouterr().out
    changed = {row[0] for row in set(rows(course)) ^ set(rows(graded))}
    assert changed <= {"drill"}
    assert reports(course)["half"] == reports(graded)["half"]
    assert reports(course)["drill"] != reports(graded)["drill"]


def test_another_judge_or_other_settings_grade_everyone_again(course, monkeypatch, capsys):
    monkeypatch.setattr("utils.grading.bundle.code_version", lambda slug: "another")
    assert grade(course, "--dry-run") == 0
    assert capsys.readouterr().out.count("the judge changed") == len(KINDS)
    monkeypatch.undo()
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + "get_config().LimitOutput.max_lines = 7\n")
    assert grade(course, "--dry-run") == 0
    assert capsys.readouterr().out.count("the assignment or its settings changed") == len(KINDS)


def test_one_can_be_graded_again(course, graded, capsys):
    when = {who: records.path(course, SLUG, who).stat().st_mtime_ns for who in KINDS}
    assert grade(course, "--student", "drill", "--force") == 0
    assert "Graded 1 submission " in capsys.readouterr().out
    assert {w for w in KINDS if records.path(course, SLUG, w).stat().st_mtime_ns != when[w]} == {"drill"}
    assert_same(course, graded)


def test_a_mark_given_by_hand_stays_settled_until_the_work_changes(course):
    with sqlite3.connect(course / "upstream.db") as db:
        mine = ("select g.id from grade g join base_cell b on b.id = g.cell_id join submitted_notebook n on "
                "n.id = g.notebook_id join submitted_assignment s on s.id = n.assignment_id "
                f"where b.name = '{ESSAY}' and s.student_id = 'essay'")
        db.execute(f"update grade set manual_score = 3, needs_manual_grade = 0 where id in ({mine})")
    db.close()

    def mark():
        return next(row[5:] for row in rows(course) if len(row) == 7 and row[0] == "essay" and row[3] == ESSAY)

    assert grade(course, "--student", "essay", "--force") == 0
    assert mark() == (3, 0)
    write_answer(course / "submitted" / "essay" / SLUG, "exercises", ESSAY, "Changed.")
    assert grade(course) == 0
    assert mark() == (3, 1)


@pytest.mark.parametrize(("slug", "arguments", "says"), [
    (SLUG, ["--student", "nobody"], "there is no submission of 02-autograd-engine by nobody"),
    ("99", [], "99"),
])
def test_a_wrong_name_is_said_to_be_wrong(course, capsys, slug, arguments, says):
    assert grade(course, *arguments, slug=slug) in (1, 2)
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1


@pytest.mark.parametrize("address", ["nonsense", "8786", "127.0.0.1:8786", "tcp://host", "tcp://host:port"])
def test_what_is_no_schedulers_address_is_said_to_be_none(tmp_path, capsys, address):
    with pytest.raises(SystemExit, match="2"):
        grade(tmp_path, "--scheduler", address)
    assert f"{address} is no scheduler's address; give one such as tcp://" in capsys.readouterr().err


def test_a_course_without_submissions_or_release_says_so(tmp_path, capsys):
    root = Course(tmp_path, budget=0).root
    assert grade(root) == 1
    assert "run `nbgrader generate_assignment 02-autograd-engine`" in capsys.readouterr().err
    assert grade(tmp_path / "nowhere") == 1
    assert "there is no course in" in capsys.readouterr().err


def test_other_settings_than_ours_are_refused(course, capsys):
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + "get_config().Autograde.autograde_preprocessors = []\n")
    assert grade(course, "--force") == 1
    assert "configuration is not the one of utils/grading/config.py" in capsys.readouterr().err


def test_feedback_pages_are_nbgraders_and_made_again_where_marks_change(course, capsys):
    theirs = Course.__new__(Course)
    theirs.root = copy_of(course, course.parent / "theirs")
    theirs.run("generate_feedback", SLUG)
    assert grade(course, "--feedback") == 0
    assert "Made the feedback pages of 6 submissions" in capsys.readouterr().out
    assert files(course, "feedback") == files(theirs.root, "feedback")
    assert grade(course, "--feedback") == 0
    assert "Made the feedback pages of 0 submissions" in capsys.readouterr().out
    with Course.gradebook(theirs) as book, sqlite3.connect(course / "upstream.db") as db:
        comment = book.find_comment(ESSAY, "exercises", SLUG, "essay").id
        db.execute("update comment set manual_comment = 'Name the diamond.' where id = ?", [comment])
    (course / "feedback" / "half" / SLUG / "exercises.html").unlink()
    assert grade(course, "--feedback") == 0
    assert "Made the feedback pages of 2 submissions" in capsys.readouterr().out
    changed = {name for name, page in files(course, "feedback").items() if page != files(theirs.root, "feedback")[name]}
    assert changed == {f"feedback/essay/{SLUG}/exercises.html"}


def test_in_the_sandbox_results_are_the_same(course, graded, monkeypatch, capsys):
    need("bwrap")
    monkeypatch.setenv(VARIABLE, SANDBOX)
    assert grade(course, "--dry-run") == 0
    assert capsys.readouterr().out.count("the assignment or its settings changed") == len(KINDS)
    assert grade(course, "--student", "late") == 0
    assert rows(course) == rows(graded)
