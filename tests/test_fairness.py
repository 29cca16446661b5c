"""Nobody's correct work is rejected: the engines of the zoo, odd ways to refuse, parameters in any order."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.drawn_once import drawn_once
from tests.engines import TOPIC, changed, written
from tests.zoo import ENGINES, exercises
from utils.judge.asked import agrees_on_programs
from utils.judge.core import judge
from utils.judge.engine import Engine
from utils.judge.promises import collect
from utils.judge.report import Report
from utils.judge.session import Session


def judged(file: Path, only: list[str], seed: int = 0) -> Report:
    with drawn_once():
        return judge(TOPIC, file.parent, file=file, only=only, seed=seed)


def test_zoo_has_styles_enough_and_all_differ():
    """Thirty and more; each at levels 1 and 2 at least, some at every level, no two the same program."""
    assert len(ENGINES) >= 30
    told = {name: set(exercises(file)) for name, file in ENGINES.items()}
    for exercise in (e for level in TOPIC.levels for e in level.exercises if e.kind == "module"):
        least = len(ENGINES) if exercise.id[0] in "12" else 5
        assert sum(exercise.id in those for those in told.values()) >= least, exercise.id
    shapes = {ast.dump(ast.parse(file.read_text(encoding="utf-8"))) for file in ENGINES.values()}
    assert len(shapes) == len(ENGINES)


@pytest.mark.parametrize("name", ENGINES)
def test_correct_engine_is_accepted(name):
    report = judged(ENGINES[name], exercises(ENGINES[name]))
    assert report.kept, report.text()
    assert report.borrowed is None
    assert report.points()[0] == report.points()[1] > 0


# A slip in engines of five styles: the zoo is accepted for being right, not for being odd.
SLIPS = {
    "stored_slopes": ("parent.grad += slope * node.grad", "parent.grad = slope * node.grad"),
    "match_on_op": ("b.grad -= g * self.data / b.data", "b.grad += g * self.data / b.data"),
    "grad_fn_objects": ("return grad * b.data, grad * a.data", "return grad * a.data, grad * b.data"),
    "heap": ("self.number > other.number", "self.number < other.number"),
    "tape": ("for out, inputs, slopes in reversed(TAPE):", "for out, inputs, slopes in TAPE:"),
    "linear_system": ("-= slope", "= -slope"),
}


@pytest.mark.parametrize("name", SLIPS)
def test_same_engine_with_a_slip_is_rejected(name, tmp_path):
    file = written(tmp_path, changed(SLIPS[name], source=ENGINES[name].read_text(encoding="utf-8")))
    report = judged(file, ["1.2", "1.3", "1.4", "2.2"])
    assert not report.kept and {v.status for v in report.verdicts} >= {"failed"}


def test_sharing_programs_changes_nothing(tmp_path):
    """The scripts that run with shared programs are those that run without, one by one."""
    def scripts(sharing: bool) -> list:
        with Session(ENGINES["stored_slopes"]) as session:
            engine = Engine(session, seed=3)
            if sharing:
                with drawn_once():
                    agrees_on_programs(engine, "long")
            else:
                agrees_on_programs(engine, "long")
            return [steps for steps, _ in engine.transcript]
    assert scripts(sharing=True) == scripts(sharing=False)
    assert len(scripts(sharing=True)) > 2 * 40         # those of a learner's check, those of the seed, and fixed ones


# A Value as exponent

POWER = "        if not isinstance(exponent, (int, float)):\n            raise TypeError("
REFUSALS = {
    "TypeError": POWER,
    "ValueError": POWER.replace("TypeError", "ValueError"),
    "NotImplementedError": POWER.replace("TypeError", "NotImplementedError"),
    "assert": "        assert not isinstance(exponent, Value)\n        str(",
    "return NotImplemented": "        if isinstance(exponent, Value):\n            return NotImplemented\n        str(",
    "both gradients": "        if isinstance(exponent, Value):\n            return (exponent * self.log()).exp()\n"
                      "        str(",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_value_as_exponent_may_be_refused_in_any_way(name, tmp_path):
    report = judged(written(tmp_path, changed((POWER, REFUSALS[name]))), ["2.2"])
    assert report.kept, report.text()


def test_value_as_exponent_may_not_be_ignored(tmp_path):
    silent = changed((POWER, "        exponent = getattr(exponent, 'data', exponent)\n        str("))
    assert {v.name: v.status for v in judged(written(tmp_path, silent), ["2.2"]).verdicts if v.status != "passed"} == {
        "test_value_as_exponent_is_right_or_refused": "failed"}


def test_power_that_is_not_written_refuses_nothing(tmp_path):
    for body in ("raise NotImplementedError('exercise 2.2')", "return NotImplemented"):
        report = judged(written(tmp_path, changed((POWER, f"        {body}\n        str("))), ["2.2"])
        refused = next(v for v in report.verdicts if v.name == "test_value_as_exponent_is_right_or_refused")
        assert refused.status == "not-written"


# The network: parameters in any order, any usual nonlinearity inside

PARAMETERS = "        return [p for layer in self.layers for p in layer.parameters()]\n"
SHUFFLED = """        ps = [p for layer in self.layers for p in layer.parameters()]
        return random.Random({seed}).sample(ps, len(ps))
"""
BEND = "return total.tanh() if self.nonlin else total"


@pytest.mark.parametrize("bend", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_network_is_accepted_whatever_the_order_of_its_parameters(seed, bend, tmp_path):
    source = changed((PARAMETERS, SHUFFLED.format(seed=seed)), (BEND, BEND.replace("tanh", bend)))
    report = judged(written(tmp_path, source), ["4.1", "4.2"])
    assert report.kept, report.text()


@pytest.mark.parametrize(("name", "change"), [
    ("a last layer that bends", (BEND, "return total.tanh()")),
    ("hidden layers that do not", (BEND, "return total")),
    ("the wrong way round", (BEND, "return total if self.nonlin else total.tanh()")),
    ("one hidden layer of two", ("nonlin=i < last", "nonlin=i < last - 1")),
])
def test_network_that_bends_in_the_wrong_place_is_rejected(name, change, tmp_path):
    report = judged(written(tmp_path, changed(change)), ["4.1"])
    assert "test_hidden_layers_bend" in {v.name for v in report.verdicts if v.status == "failed"}


def test_reports_that_are_no_numbers_never_stop_the_judge(tmp_path):
    """Parameters that run out, outputs that are text, outputs whose count changes: each a verdict."""
    call, grows = "        return x[0] if len(x) == 1 else x\n", "        self.n = getattr(self, 'n', 0) + 1\n"
    for change in ((PARAMETERS, PARAMETERS.replace("return [", "yield from [")),
                   (call, "        x[0].data = 'six'\n" + call),
                   (call, grows + "        return x * self.n\n"), (call, grows + "        return x[:self.n]\n"),
                   (PARAMETERS, grows + PARAMETERS.replace("()]", "()][self.n // 2:]"))):
        report = judged(written(tmp_path, changed(change)), ["4.1", "4.2"])
        assert not report.kept and "Traceback" not in report.text()


def test_unlucky_start_is_not_the_learners_fault(tmp_path):
    """In this order of its parameters a right network learns little from the first start; another start will do."""
    file = written(tmp_path, changed((PARAMETERS, SHUFFLED.format(seed=377))))
    assert judged(file, ["4.2"]).kept
    name = "test_training_lowers_the_loss"
    stress = sys.modules[next(p.function.__module__ for p in collect(TOPIC) if p.name == name)]
    with patch.object(stress, "STARTS", stress.STARTS[:1]):
        assert [v.name for v in judged(file, ["4.2"]).verdicts if v.status == "failed"] == [name]
