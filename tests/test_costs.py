"""What costs.ipynb measures: the learner's engine beside the levels, whatever state it is in. No time is asserted."""

from __future__ import annotations

import json

import matplotlib
import pytest

from tests.engines import REFERENCE, TOPIC, changed, written
from utils.bench import growth, lesson, measure, plots
from utils.cli import bench
from utils.notebook import GRADING

matplotlib.use("agg")


@pytest.fixture
def small(monkeypatch):
    """Graphs of a few hundred nodes."""
    for name, value in (("SIZES", (100, 200)), ("ROUNDS", 1), ("PROFILED", 200), ("FOOTPRINT", 200), ("SMALL", 100),
                        ("STEP_POINTS", 5)):
        monkeypatch.setattr(growth, name, value)
    yield
    matplotlib.pyplot.close("all")


STATES = {  # the learner's file, and what the first look says of it
    "not there": (None, "There is no value.py beside this notebook."),
    "skeleton": ((TOPIC.shipped / TOPIC.module).read_text(encoding="utf-8"), "Not written yet: exercise 2.1"),
    "no class": ("x = 1\n", "stopped on 1,000 nodes: AttributeError: module 'engine' has no attribute 'Value'"),
    "no Python": ("class Value(:\n", "value.py stopped on 1,000 nodes: SyntaxError: invalid syntax"),
    "ends Python": ("import os\nos._exit(3)\n", "value.py stopped on 1,000 nodes: it ended with exit status 3"),
    "a loop": ("while True: pass\n", "value.py stopped on 1,000 nodes: no answer within 2 seconds"),
    "assigns": (changed(("            self.grad += 1.0 * out.grad", "            self.grad = 1.0 * out.grad")),
                "computes other numbers than level 3"),
    "prints": (REFERENCE + "\nprint('{}' * 40_000)\n", None),
}


@pytest.mark.parametrize("state", STATES)
def test_an_engine_in_any_state_is_one_line(state, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "PATIENCE", 2 if state == "a loop" else measure.PATIENCE)
    source, sentence = STATES[state]
    said = lesson.first_look(written(tmp_path, source) if source else tmp_path / "value.py")
    if sentence is None:
        assert said is None
    else:
        assert sentence in said
        assert "\n" not in said


def test_yours_stands_beside_the_levels(small, tmp_path, capsys):
    costs = lesson.Costs(str(written(tmp_path, REFERENCE)))
    times, memory, steps = costs.growth(), costs.footprint(), costs.training_step()
    assert capsys.readouterr().out.startswith("value.py computes what level 3 does on 1,000 nodes")
    assert {name: found["nodes"] for name, found in times.items()} == {
        "level 3": [100, 200], "level 1": [100, 200], "level 2": [100], "yours": [100, 200]}
    assert list(memory) == ["level 1", "level 3", "yours"]
    assert memory["yours"] == memory["level 1"]
    assert memory["level 3"]["left"] == 0.0 < 1.0 < memory["yours"]["left"]
    assert set(steps) == {"yours", "level 1", "level 3", "level 3, dot", "compiled", "level 2, whole arrays"}


def test_a_profile_adds_up_and_names_the_engine(small, tmp_path):
    shares = lesson.Costs(str(tmp_path / "value.py")).where_time_goes()   # level 1, since there is none of yours
    assert sum(shares.values()) == pytest.approx(1.0)
    assert any(name.startswith("visit, ") for name in shares)
    assert {"garbage collector", "all other functions"} < set(shares)
    assert len(shares) == growth.NAMED + 2


def test_where_yours_fails_the_levels_are_measured(small, tmp_path, capsys):
    costs = lesson.Costs(str(written(tmp_path, REFERENCE)))
    costs.yours = (str(tmp_path / "missing.py"),)
    memory = costs.footprint()
    assert list(memory) == ["level 1", "level 3"]
    assert "Yours could not be measured: FileNotFoundError" in capsys.readouterr().out


def test_nothing_is_measured_while_a_notebook_is_graded(monkeypatch, capsys):
    monkeypatch.setenv(GRADING, "1")
    monkeypatch.setattr(measure, "Worker", None)    # starting one would fail
    costs = lesson.Costs()
    assert [costs.growth(), costs.footprint(), costs.where_time_goes(), costs.training_step()] == [None] * 4
    assert capsys.readouterr().out == "Costs are measured when you run this notebook yourself.\n"


DATA = {"growth": {"level 1": {"nodes": [10, 100], "on": [2000.0, 9000.0], "off": [900.0, 1000.0]}, "new": {
    "nodes": [10], "on": [1.0], "off": [1.0]}}, "footprint": {"level 1": {"live": 700.0, "peak": 900.0, "left": 1.5}},
    "training_step": {"level 1": 1.0, "level 3": 0.05}}


def test_pictures_come_from_the_json(tmp_path):
    files = plots.save(json.loads(json.dumps(DATA)), tmp_path)
    assert [file.name for file in files] == ["growth.svg", "footprint.svg", "training-step.svg"]
    assert all(file.stat().st_size > 5_000 for file in files)
    assert plots.save({}, tmp_path) == []


def test_axes_say_what_they_show_and_engines_differ_in_more_than_colour():
    axes = plots.growth(DATA["growth"])
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("nodes of the graph", "CPU time a node (ns)")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["level 1", "new", "collector off"]
    looks = list(plots.LOOKS.values())
    for part in range(3):
        assert len({str(look[part]) for look in looks}) == len(looks)
    matplotlib.pyplot.close("all")


def test_pictures_go_to_a_folder_that_exists(tmp_path, capsys):
    import argparse

    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    assert bench.run(parser.parse_args(["--plots", str(tmp_path / "missing")])) == 2
    assert capsys.readouterr().err.startswith("problem: there is no folder")
