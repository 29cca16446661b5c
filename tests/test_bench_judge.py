"""`course.py bench judge`: every figure is reported and can be bad. No time is asserted."""

from __future__ import annotations

import argparse
import dataclasses
import json

import pytest

from tests import mutation, wrong_engines, zoo
from tests.engines import TOPIC
from utils.bench import judging
from utils.bench.judging import Figure, outcome, share
from utils.cli import bench
from utils.judge.report import Group, Report, Verdict
from utils.sandbox.isolation import LOCAL


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return bench.run(parser.parse_args(["judge", *words]))


@pytest.fixture(scope="module")
def two_mutants():
    return [m for m in mutation.mutants("reference") if m.function == "Value.tanh"][:2]


@pytest.fixture
def few(monkeypatch, two_mutants):
    """Few engines, judged in this process."""
    monkeypatch.setattr(judging, "_each", lambda function, items: [function(item) for item in items])
    chosen = ("reference: = in exp", "explicit: 2 - a turned")
    monkeypatch.setattr(wrong_engines, "WRONG", {name: wrong_engines.WRONG[name] for name in chosen})
    monkeypatch.setattr(zoo, "ENGINES", {"stored_slopes": zoo.ENGINES["stored_slopes"]})
    monkeypatch.setattr(mutation, "share", lambda step: two_mutants)
    monkeypatch.setattr(judging, "SECONDS", {1: 1.0, 2: None})
    monkeypatch.setattr(judging, "ROUNDS", 1)


def results(file) -> dict[str, list[dict]]:
    assert command("--json", str(file)) == 0
    found = {}
    for row in json.loads(file.read_text(encoding="utf-8"))["results"]:
        found.setdefault(row["id"], []).append(row)
    return found


def test_every_figure_is_reported(few, tmp_path, capsys):
    found = results(tmp_path / "figures.json")
    assert set(found) == set(judging.IDS)
    fields = {field.name for field in dataclasses.fields(Figure)} | {"met"}
    assert all(set(row) == fields for rows in found.values() for row in rows)
    assert all(found[id][0]["met"] for id in ("J1", "J2", "J3", "J5", "J6"))
    assert len(found["J7"]) == len(found["J8"]) == 2 and found["J7"][1]["met"] is None
    assert "J1 to J4" in capsys.readouterr().out


def test_a_bad_judge_has_bad_figures(few, monkeypatch, tmp_path):
    """The control: a judge that passes everything catches, names and kills nothing; one that fails it, accepts none."""
    monkeypatch.setattr(judging, "SECONDS", {})
    monkeypatch.setattr(mutation, "broken_by", lambda *_: [])
    monkeypatch.setattr(judging, "judge", lambda topic, folder, **_: report("passed"))
    blind = results(tmp_path / "blind.json")
    assert [blind[id][0]["figure"] for id in ("J1", "J2", "J5")] == [0, 0, 0] and blind["J6"][0]["met"]
    assert not any(blind[id][0]["met"] for id in ("J1", "J2", "J4", "J5")) and "= in exp" in blind["J1"][0]["note"]
    monkeypatch.setattr(judging, "judge", lambda topic, folder, **_: report("failed", "seed-missing"))
    strict = results(tmp_path / "strict.json")
    assert strict["J1"][0]["met"] and strict["J3"][0]["figure"] == 2 and not strict["J3"][0]["met"]
    assert strict["J6"][0]["figure"] == 0 and not strict["J6"][0]["met"]


def report(*statuses: str) -> Report:
    """A promise for each status; one that is another word is the name of the promise before it."""
    status, *named = statuses
    verdict = Verdict("p", "", "1.3", status, 0, 1, misconception=named[0] if named else None)
    return Report(TOPIC.slug, "value.py", None, None, 0, None, LOCAL, (Group(1, "", (verdict,)),))


@pytest.mark.parametrize(("given", "ids", "caught", "rightly", "wrongly"), [
    (report("failed", "x"), ("x",), True, True, False), (report("failed"), ("x",), True, False, False),
    (report("failed", "y"), ("x",), True, False, True), (report("failed", "x+y"), ("x+y",), True, True, False),
    (report("failed", "x"), ("x+y",), True, False, False), (report("failed", "y"), (), True, None, True),
    (report("failed"), (), True, None, False), (report("passed"), ("x",), False, False, False),
    (report("failed", "y"), ("x", "y"), True, True, False), (report("not-written"), (), True, None, False)])
def test_what_counts_as_named(given, ids, caught, rightly, wrongly):
    found = outcome("an engine", ids, given)
    assert (found.caught, found.rightly, found.wrongly) == (caught, rightly, wrongly)


def test_a_share_tells_what_is_missing():
    assert share("J1", "", 2, 4, 100, ["p", "q", "r"]).note == "2 of 4: not p; q ..."
    assert share("J1", "", 4, 4, 100).met and not share("J1", "", 399, 400, 100).met
