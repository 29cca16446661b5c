"""What notebooks call: check, hint, status; and what is kept of it."""

from __future__ import annotations

import importlib
import json
import signal
import sys
from types import SimpleNamespace

import pytest

from tests.engines import REFERENCE, TOPIC, changed, written
from utils import notebook, progress
from utils.hints import ladder, sections
from utils.judge.report import Report


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty work/<topic>/ that stands in for the learner's, with its own progress."""
    work = tmp_path / "work" / TOPIC.slug
    work.mkdir(parents=True)
    monkeypatch.setattr(type(TOPIC), "work", property(lambda self: work))
    monkeypatch.setattr(progress, "STORE", tmp_path / "work" / ".upstream" / "progress.json")
    monkeypatch.chdir(work)
    return work


def test_check_judges_the_file_on_disk_and_keeps_what_it_saw(folder):
    written(folder, REFERENCE)
    report = notebook.check("1.3")
    assert isinstance(report, Report) and report.kept and report.points() == (6, 6)
    assert report.saved.replace("T", " ") in str(report) and "6 of 6 promises kept" in report._repr_html_()
    record = progress.read()[TOPIC.slug]
    assert progress.state(TOPIC, TOPIC.exercise("1.3"), record) == "done"
    assert progress.state(TOPIC, TOPIC.exercise("1.4"), record) == "open"


def test_the_judge_stays_and_is_started_again_where_it_is_gone(folder):
    written(folder, REFERENCE)
    assert notebook.check("1.1").kept
    process = notebook._judge()._process
    written(folder, "raise ValueError")
    assert not notebook.check("1.1").kept           # it stays, and judges the file as it is now
    assert notebook._judge()._process is process
    process.send_signal(signal.SIGINT)              # as a kernel's interrupt, which reaches the kernel's children
    process.wait(10)
    assert not notebook.check("1.1").kept
    assert notebook._judge()._process is not process


def test_check_of_a_level_covers_its_exercises_and_their_answers(folder):
    written(folder, REFERENCE)
    assert {v.exercise for v in notebook.check(2).verdicts} == {f"2.{k}" for k in range(1, 7)}


def test_check_of_a_level_knows_answers_that_are_not_saved_yet(folder, monkeypatch):
    written(folder, REFERENCE)
    known = {"answer_2_5": {"op": "exp", "grad": 2.7985}}
    for names, earned in (({}, 22), (known, 26), (known | {"answer_2_5": {"op": "tanh", "grad": 2.7985}}, 24)):
        monkeypatch.setattr(notebook, "get_ipython", lambda names=names: SimpleNamespace(user_ns=names))
        assert notebook.check(2).points() == (earned, TOPIC.level(2).points)


def test_check_of_a_live_answer(folder):
    report = notebook.check("R2", {"no such box": 1.0})
    assert not report.kept and report.points() == (0, TOPIC.exercise("R2").points)
    assert all(v.status in ("failed", "not-written") for v in report.verdicts)


@pytest.mark.parametrize("answer", [object(), {1: object()}, [10**400], float("nan"), "text", {"a": {"b": [print]}}])
def test_check_survives_any_answer(folder, answer):
    assert not notebook.check("R1", answer).kept


def test_failing_check_shows_program_numbers_and_the_next_hint(folder):
    written(folder, changed(("self.grad += out.data * out.grad", "self.grad = out.data * out.grad")))
    text, page = str(notebook.check("2.3")), notebook.check("2.3")._repr_html_()
    for shown in ("a = Value(", ".exp()", "out.backward()", "a.grad", "expected", 'hint("2.3")'):
        assert shown in text
    assert "<pre" in page and "expected" in page and "<script" not in page


def test_report_page_escapes_what_learners_write(folder):
    written(folder, changed(("        self.grad = 1.0\n", "        raise ValueError('<script>alert(1)</script>')\n")))
    page = notebook.check("1.2")._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_unknown_names_are_told_in_a_sentence(folder):
    assert "has no exercise '9.9'" in str(notebook.check("9.9"))
    assert "has no level 7" in str(notebook.check(7))
    assert "has no exercise 'x'" in str(notebook.hint("x"))


def test_outside_a_topic_check_asks_for_one(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "name the topic" in str(notebook.check(1))


def test_while_graded_check_leaves_the_verdict_to_the_judge(folder, monkeypatch):
    monkeypatch.setenv(notebook.GRADING, "1")
    written(folder, "while True: pass")
    assert "when this notebook is graded" in str(notebook.check(1))
    assert "points are on this page" in str(notebook.status())


def test_nbgraders_validate_sees_a_failing_check(folder, monkeypatch):
    """Validate takes a cell without an error for a success, so there a check that fails is an error."""
    written(folder, REFERENCE)
    monkeypatch.setenv(notebook.VALIDATING, "1")
    assert notebook.check("1.1").kept
    written(folder, "")
    with pytest.raises(AssertionError, match="0 of 4 points"):
        notebook.check("1.1")


def test_kernel_with_an_older_module_is_warned(folder, monkeypatch):
    written(folder, REFERENCE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "value", raising=False)
    importlib.invalidate_caches()
    importlib.import_module("value")
    assert notebook.check("1.1").notes == ()
    written(folder, changed(("        self.grad = 1.0\n", "        self.grad = 1.0 + 0.0\n")))
    assert "older value.py" in " ".join(notebook.check("1.1").notes)
    monkeypatch.setattr(notebook, "followed", lambda name: name == "value")     # loaded anew before the next cell
    assert notebook.check("1.1").notes == ()
    del sys.modules["value"]


def test_hints_come_one_at_a_time_and_are_counted(folder):
    steps = ladder(TOPIC, "1.4")
    assert len(steps) >= 2
    shown = [str(notebook.hint("1.4")) for _ in range(len(steps) + 1)]
    for k, step in enumerate(steps):
        assert step in shown[k] and f"Hint {k + 1} of {len(steps)}" in shown[k]
    assert f"{len(steps) - 1} more" in shown[0] and "escape hatch" in shown[-1] and shown[-1] == shown[-2]
    assert progress.read()[TOPIC.slug].hints == {"1.4": len(steps)}


def test_sections_of_a_hint_file():
    text = "# Title\n\nintro\n\n## 1.1 One\n\nfirst\n\n## 2.3 Two\nsecond\n"
    assert sections(text) == {"1.1": "first", "2.3": "second"}


def test_changed_file_makes_what_was_known_of_it_stale(folder):
    written(folder, REFERENCE)
    notebook.check("1.3")
    written(folder, REFERENCE + "\n# changed\n")
    assert progress.stale(TOPIC, progress.read()[TOPIC.slug]) and "has changed since" in progress.markdown()
    notebook.check("1.1")
    record = progress.read()[TOPIC.slug]
    assert not progress.stale(TOPIC, record) and list(record.kept) == ["1.1"]


def test_borrowed_work_is_shown_as_borrowed_and_can_be_given_back(folder):
    written(folder, "from utils.autograd_stub import Value\n")
    assert "Borrowed" in str(notebook.check("1.1"))
    assert progress.state(TOPIC, TOPIC.exercise("1.1"), progress.read()[TOPIC.slug]) == "borrowed"
    written(folder, REFERENCE)
    notebook.check("1.1")
    assert progress.state(TOPIC, TOPIC.exercise("1.1"), progress.read()[TOPIC.slug]) == "done"


@pytest.mark.parametrize("stored", ["", "[]", "{", '{"02-autograd-engine": {"unknown": 1}}',
                                    '{"02-autograd-engine": 3}'])
def test_unreadable_progress_is_taken_for_none(folder, stored):
    progress.STORE.parent.mkdir(parents=True, exist_ok=True)
    progress.STORE.write_text(stored, encoding="utf-8")
    assert progress.read() == {} and "open" in progress.markdown()
    notebook.hint("1.1")
    assert json.loads(progress.STORE.read_text(encoding="utf-8"))[TOPIC.slug]["hints"] == {"1.1": 1}


def test_status_lists_every_exercise(folder):
    shown = notebook.status()._repr_markdown_()
    for exercise in TOPIC.exercises:
        assert f"| {exercise.id} | {exercise.title}" in shown
