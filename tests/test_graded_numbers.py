"""What holds at grading beyond a learner's own check, and what no file may do to earn points or time."""

from __future__ import annotations

import pytest

from tests.engines import REFERENCE, TOPIC, changed, written
from tests.mutation import promises
from tests.zoo import ENGINES
from utils.judge import engine as engine_module
from utils.judge.core import judge
from utils.judge.engine import Engine
from utils.judge.session import Limits, Session
from utils.judge.source import STUB, borrowed, likeness
from utils.judge.variation import varied
from utils.sandbox.isolation import LOCAL, WEAK

SEEDS = (0, 1, 2**32 - 1)
SEED = "        self.grad = 1.0\n"


def broken(file, only, **how) -> dict[str, str]:
    return {v.name: v.status for v in judge(TOPIC, file.parent, file=file, only=only, **how).verdicts
            if v.status != "passed"}


# Drawn numbers

@pytest.mark.parametrize("number", [2.0, -1.5, 1e-8, 400.0, 3, -4, 1000])
def test_drawn_number_is_near_of_its_type_and_fresh(number):
    drawn = [varied(number, seed) for seed in range(1, 101)]
    assert varied(number, 0) == number and drawn == [varied(number, seed) for seed in range(1, 101)]
    assert {type(x) for x in drawn} == {type(number)} and all(x * number > 0 for x in drawn)
    if isinstance(number, float):
        assert len(set(drawn)) > 80 and all(abs(x / number - 1) <= 0.101 for x in drawn)
    else:
        assert len(set(drawn)) == 5 and all(abs(x) >= abs(number) for x in drawn)


def test_zero_stays_zero():
    assert [str(varied(x, 7)) for x in (0, 0.0)] == ["0", "0.0"]


def asked(file, seed: int) -> list:
    """The scripts of levels 1 to 3 that an engine which is right is asked to run."""
    with Session(file) as session:
        engine = Engine(session, seed)
        for p in promises("reference"):
            if p.exercise[0] in "12":
                p.keep(engine=engine)
        return [steps for steps, _ in engine.transcript]


def test_graded_promises_ask_the_same_and_more(tmp_path):
    """A learner's scripts are among those of grading: what a check calls wrong is wrong when it is graded."""
    file = written(tmp_path, REFERENCE)
    local, graded, regraded, other = (asked(file, seed) for seed in (0, 5, 5, 6))
    assert all(steps in graded for steps in local) and graded == regraded
    fresh = [steps for steps in graded if steps not in local]
    assert len(fresh) > 0.9 * len(local) and sum(steps in other for steps in fresh) < 0.1 * len(fresh)


def test_table_of_answers_earns_its_points_locally_only(tmp_path):
    """An engine that is right wherever the leaves hold numbers which a check has asked for."""
    numbers = {step[2] for steps in asked(written(tmp_path, REFERENCE), 0) for step in steps if step[0] == "new"}
    table = changed((SEED, f"        known = {[*sorted(numbers), 0.6]}\n"
                           "        leaves = [n.data for n in order if not n._prev and type(n.data) is float]\n"
                           "        self.grad = 1.0 if all(x in known or x * 2 % 1 == 0 for x in leaves) else 3.0\n"))
    file = written(tmp_path, table)
    level = [e.id for e in TOPIC.level(1).exercises if e.id != "1.1"]
    assert broken(file, level) == {}
    assert len(broken(file, level, seed=5)) >= 15


# Again, in a fresh worker

def test_answers_that_depend_on_what_ran_before_are_no_answers(tmp_path):
    """An engine that is right as long as the first number it ever saw is that of the first script."""
    first = changed(("        self.data = data\n", "        self.data = data\n"
                     "        Value.first = Value.__dict__.get('first', data)\n"),
                    (SEED, "        self.grad = 1.0 if Value.first == 2.0 else 3.0\n"))
    report = judge(TOPIC, tmp_path, file=written(tmp_path, first), only=["1.2"])
    told = [v for v in report.verdicts if v.status == "failed"]
    assert told and all("in another order" in v.detail for v in told), report.text()
    assert "Traceback" not in report.text()


@pytest.mark.parametrize(("seed", "name"), [(2.0, "seed-not-one"), (1.0, None)])
def test_a_name_has_to_hold_in_a_fresh_python_too(tmp_path, seed, name):
    """All that the first worker ran after exercise 1.1 says that the seed is 2."""
    later = changed(("        self.data = data\n", "        self.data = data\n"
                     "        Value.made = Value.__dict__.get('made', 0) + 1\n"),
                    (SEED, f"        self.grad = 2.0 if Value.made > 12 else {seed}\n"))
    file = written(tmp_path, later)
    failed = [v for v in judge(TOPIC, tmp_path, file=file, only=["1.1", "1.2"]).verdicts if v.status == "failed"]
    assert failed and {v.misconception for v in failed} == {name}
    assert ("after other graphs" in (failed[0].detail or "")) == (name is None)


@pytest.mark.parametrize(("spoil", "says"), [
    ("        self.grad = 1.0 if Value.walks < 5 else 3.0\n", "they gave 3."),
    ("        if Value.walks == 5:\n            raise RuntimeError('no more')\n" + SEED, "they gave no error.")])
def test_what_goes_wrong_only_after_other_graphs_is_told_so(tmp_path, spoil, says):
    """The program that is shown would not show it by itself."""
    later = changed((SEED, f"        Value.walks = Value.__dict__.get('walks', 0) + 1\n{spoil}"))
    report = judge(TOPIC, tmp_path, file=written(tmp_path, later), only=["1.2"])
    first = next(v for v in report.verdicts if v.program)
    assert "after other graphs" in first.detail and says in first.detail, report.text()
    assert ("no more" in first.detail) == ("raise" in spoil)
    steady = changed((SEED, "        self.grad = 3.0\n"))
    report = judge(TOPIC, tmp_path, file=written(tmp_path, steady), only=["1.2"])
    assert not any("after other graphs" in (v.detail or "") for v in report.verdicts)


def test_what_outlives_its_graph_is_told_where_it_shows(tmp_path):
    """Ids of nodes that are gone, in a set which is never emptied; then an engine that is wrong from the start."""
    def told(*pairs) -> list:
        report = judge(TOPIC, tmp_path, file=written(tmp_path, changed(*pairs)), only=["1.4"])
        return [v for v in report.verdicts if v.name == "test_one_graph_after_the_other" and v.status == "failed"]
    (verdict,) = told(("        order, seen = [], set()\n", "        order = []\n"
                       "        seen = Value.seen = Value.__dict__.get('seen', set())\n"),
                      ("if node in seen", "if id(node) in seen"), ("seen.add(node)", "seen.add(id(node))"))
    assert "left behind" in verdict.detail and "`id()`" in verdict.detail
    (verdict,) = told((SEED, "        self.grad = 3.0\n"))
    assert "left behind" not in (verdict.detail or "")


# What computes the gradients

@pytest.mark.parametrize("line", ["import torch", "from torch import nn", "import autograd.numpy as np",
                                  "__import__('micrograd.engine')", "import jax"])
@pytest.mark.parametrize("isolation", [WEAK, LOCAL])
def test_packages_that_differentiate_are_not_there(line, isolation, tmp_path):
    report = judge(TOPIC, tmp_path, file=written(tmp_path, f"{line}\n{REFERENCE}"), only=["1.1"], isolation=isolation)
    assert {v.status for v in report.verdicts} == {"failed"} and "is not available while" in report.notes[0]


def test_numpy_is_there_and_a_fallback_works(tmp_path):
    head = "import numpy\ntry:\n    import torch\nexcept ImportError:\n    torch = None\n"
    assert broken(written(tmp_path, head + REFERENCE), ["1.1", "1.2"]) == {}


def test_stub_under_other_names_is_borrowed_and_a_likeness_is_told(tmp_path):
    stub = STUB.read_text(encoding="utf-8")
    assert borrowed(stub.replace("_da", "_slope"))
    own = stub.replace("    def relu(self):", "    mine = True\n\n    def relu(self):", 1)
    assert borrowed(own) is None and "level03" in likeness(own, TOPIC)
    assert "level01" in likeness(REFERENCE, TOPIC)
    file = written(tmp_path, own)
    graded = judge(TOPIC, tmp_path, file=file, only=["1.1"], isolation=WEAK)
    assert graded.kept and graded.points()[0] > 0 and any("For the instructor" in note for note in graded.notes)
    assert "For the instructor" not in graded.text() + graded.html() and graded.learners_notes == ()
    assert judge(TOPIC, tmp_path, file=file, only=["1.1"]).notes == ()


def test_own_work_and_the_skeleton_are_like_no_solution():
    for file in ((TOPIC.shipped / TOPIC.module), ENGINES["tape"]):
        assert likeness(file.read_text(encoding="utf-8"), TOPIC) is None
    assert likeness("def :", TOPIC) is None


# A network is a network

def test_one_neuron_is_no_network(tmp_path):
    """As many parameters as were asked for, all of them used, and one nonlinearity."""
    head, rest = REFERENCE.split("# Exercise 4.1\n", 1)
    neuron = '''class MLP:
    def __init__(self, nin, nouts):
        sizes = [nin, *nouts]
        self.nin, self.nout = nin, nouts[-1]
        self.ps = [Value(random.uniform(-1, 1)) for _ in range(sum((a + 1) * b for a, b in zip(sizes, nouts)))]
    def __call__(self, x):
        s = sum((w * v for w, v in zip(self.ps, x)), self.ps[self.nin]).tanh()
        out = [s * sum(self.ps[self.nin + 1:], Value(0.0)) for _ in range(self.nout)]
        return out[0] if len(out) == 1 else out
    def parameters(self):
        return self.ps


'''
    file = written(tmp_path, head + neuron + rest[rest.index("# Exercise 4.2"):])
    assert broken(file, ["4.1", "4.2"]).keys() == {"test_hidden_layers_bend", "test_every_parameter_has_its_gradient",
                                                  "test_training_lowers_the_loss"}


# One budget for a whole file

def test_a_file_that_always_ends_python_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(engine_module, "LONGEST_LOST", 0.0)
    file = written(tmp_path, changed((SEED, "        import os; os._exit(0)\n")))
    report = judge(TOPIC, tmp_path, file=file, only=["1.2"])
    assert [v.status for v in report.verdicts] == ["crash", *["timeout"] * 5]
    assert "Not run: 1 calculation" in report.verdicts[-1].detail and "Traceback" not in report.text()


def test_limits_shrink_with_their_number(tmp_path, monkeypatch):
    """After two limits hasty ones, after twelve brief ones; what stays within them is judged as ever."""
    given = []

    class Endless(Session):
        def run(self, steps, limits=engine_module.ORDINARY):
            given.append(limits)
            return engine_module.Outcome([], {"kind": "timeout"})
    engine = Engine(Endless(None), 0)
    for _ in range(14):
        engine.outcome([])
    assert [x.cpu for x in given] == [2.0] * 2 + [0.5] * 10 + [0.2] * 2
    engine.outcome([], Limits(cpu=20.0, wall=100.0))
    assert given[-1] == engine_module.LARGE


# Messages

def message(tmp_path, source: str, only: str):
    return judge(TOPIC, tmp_path, file=written(tmp_path, source), only=[only])


def test_unwritten_exercise_is_told_once_with_its_own_hint(tmp_path):
    skeleton = (TOPIC.shipped / TOPIC.module).read_text(encoding="utf-8")
    verdict = message(tmp_path, skeleton, "1.3").verdicts[0]
    assert verdict.hint == 'hint("1.2")' and verdict.detail.count("exercise 1.2") == 1
    assert ", in line " in verdict.detail


def test_syntax_error_names_its_line_once(tmp_path):
    detail = message(tmp_path, "class Value\n    pass\n", "1.1").verdicts[0].detail
    assert detail.count("line 1") == 1 and "value.py, line" not in detail


def test_misspelt_class_is_named(tmp_path):
    report = message(tmp_path, REFERENCE.replace("Value", "Valeu"), "1.1")
    assert any("`Valeu` stands here. Did you mean `Value`?" in note for note in report.notes)
    assert not any("stands here" in note for note in message(tmp_path, "class Dog:\n    pass\n", "1.1").notes)
