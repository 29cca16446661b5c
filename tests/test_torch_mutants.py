"""Topic 03's mutation gate: a fixed share of all mutants here, the whole with `python -m tests.torch_mutation`."""

from __future__ import annotations

import signal

import pytest

from tests.torch_mutation import EQUIVALENT, GATE, REFERENCE
from utils.cli.tools import need_module

if not hasattr(signal, "SIGALRM"):
    pytest.skip("mutants that never end are stopped by an alarm, which Windows has not", allow_module_level=True)

EVERY = GATE.every()
SHARE = EVERY[1::4]


@pytest.fixture(autouse=True)
def _torch():
    need_module("torch")


def test_unchanged_is_not_caught():
    assert not GATE.caught(REFERENCE)


def test_mutants_are_of_every_function_and_many_kinds():
    functions = {m.function for m in EVERY}
    assert {"predict", "fit", "accumulated_gradients", "patient_14", "hessian_times", "ScaledTanh.backward",
            "watched"} <= functions
    assert len({m.operator for m in SHARE}) >= 6 and len(SHARE) >= 90


def test_every_mutant_is_caught_or_known_as_equivalent():
    assert [m.name for m in GATE.survivors(SHARE)] == []


def test_reasons_are_few_and_in_use():
    excused = [m for m in EVERY if GATE.reason(m)]
    assert {GATE.reason(m) for m in excused} == set(EQUIVALENT)
    assert len(excused) < 0.1 * len(EVERY)
