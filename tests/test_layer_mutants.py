"""Topic 06's mutation gate: a fixed share of all mutants here, the whole with `python -m tests.layer_mutation`."""

from __future__ import annotations

import pytest

from tests.layer_mutation import EQUIVALENT, caught, every, reason, survivors
from tests.layers import REFERENCE

if not hasattr(__import__("signal"), "SIGALRM"):
    pytest.skip("mutants that never end are stopped by an alarm, which Windows has not", allow_module_level=True)

EVERY = every()
SHARE = EVERY[2::7]


def test_unchanged_is_not_caught():
    assert not caught(REFERENCE)


def test_mutants_are_of_every_function_and_many_kinds():
    functions = {m.function for m in EVERY}
    assert {"Linear.backward", "softmax_backward", "gradient_of", "on_values", "train_epoch", "sgd"} <= functions
    assert len({m.operator for m in SHARE}) >= 6 and len(SHARE) >= 50


def test_every_mutant_is_caught_or_known_as_equivalent():
    assert [m.name for m in survivors(SHARE)] == []


def test_reasons_are_few_and_in_use():
    excused = [m for m in EVERY if reason(m)]
    assert {reason(m) for m in excused} == set(EQUIVALENT)
    assert len(excused) < 0.1 * len(EVERY)


@pytest.mark.parametrize("function", ["Linear.backward", "SoftmaxCrossEntropy.backward", "train_epoch"])
def test_what_is_excused_is_nothing_that_matters(function):
    mine = [m for m in EVERY if m.function == function]
    assert len([m for m in mine if reason(m)]) == 0
