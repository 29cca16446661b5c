"""`course.py check` and `course.py status`: the notebook's verdict without a notebook."""

from __future__ import annotations

import argparse
import json

import pytest

from tests.engines import REFERENCE, TOPIC, changed, written
from utils import progress
from utils.cli import check, status
from utils.judge.report import Report


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "STORE", tmp_path / "progress.json")


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    return check.run(parser.parse_args(words))


def test_exit_status_is_0_only_if_every_promise_holds(tmp_path, capsys):
    file = str(written(tmp_path, REFERENCE))
    assert run("02", "--file", file, "--level", "1") == 0
    assert "27 of 27 promises kept, 28 of 28 points" in capsys.readouterr().out
    file = str(written(tmp_path, changed(("self.grad = 1.0", "self.grad = 2.0"))))
    assert run("02-autograd-engine", "--file", file, "--exercise", "1.2") == 1
    assert "not kept: 1.2" in capsys.readouterr().out


def test_json_is_a_valid_report(tmp_path, capsys):
    file = str(written(tmp_path, REFERENCE))
    assert run("02", "--file", file, "--level", "3", "--seed", "5", "--json") == 1      # the naive engine's long chain
    report = Report.from_json(capsys.readouterr().out)
    assert (report.seed, report.topic, report.file) == (5, TOPIC.slug, "value.py")
    assert [v.name for v in report.verdicts if v.status != "passed"] == ["test_long_chain"]


def test_a_report_with_a_field_missing_is_no_report(tmp_path, capsys):
    file = str(written(tmp_path, REFERENCE))
    run("02", "--file", file, "--exercise", "1.1", "--json")
    told = json.loads(capsys.readouterr().out)
    del told["levels"][0]["promises"][0]["status"]
    with pytest.raises(Exception, match=r"must contain .*'status'"):
        Report.from_json(json.dumps(told))


@pytest.mark.parametrize(("words", "said"), [
    (("07",), "no topic '07'"), (("02", "--file", "missing.py"), "no file missing.py"),
    (("02", "--level", "9"), "no level 9"), (("02", "--exercise", "1.9"), "no exercise '1.9'")])
def test_wrong_words_are_a_sentence_and_exit_status_2(words, said, capsys):
    assert run(*words) == 2
    heard = capsys.readouterr().err
    assert said in heard and "Traceback" not in heard


def test_status_shows_the_path(capsys):
    assert status.run(argparse.Namespace(markdown=False)) == 0
    assert "Autograd engine from scratch" in capsys.readouterr().out
