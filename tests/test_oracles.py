"""The oracle is right: on thousands of generated programs it agrees with PyTorch and with differences in 50 digits."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import replace
from unittest.mock import patch

import pytest
from mpmath import mp, mpf

from utils.cli.tools import missing
from utils.judge import oracle
from utils.judge.fixed import fixed_programs, steep_programs
from utils.judge.generate import drawn
from utils.judge.oracle import Truth, truth
from utils.judge.program import ARITHMETIC, EVERYTHING, METHODS, Program, build, trace
from utils.judge.smooth import well_conditioned

DRAWN = ((EVERYTHING, 400, 10), (ARITHMETIC, 80, 10), (("add", "mul"), 60, 16), (EVERYTHING, 60, 40))
SEED = 20
STEP = mpf(10) ** -18       # of the central differences: in 50 digits their error is about STEP squared

# The functions alone, in 50 digits: no rule for a derivative is used here.
IN_DIGITS = {"relu": lambda x: max(x, mpf(0)), "tanh": mp.tanh, "exp": mp.exp, "log": mp.log,
             "sigmoid": lambda x: 1 / (1 + mp.exp(-x))}


@pytest.fixture(scope="module")
def programs() -> list[Program]:
    """Drawn ones, also cut short after every other line, and fixed ones: thousands, hundreds with each operation."""
    whole = [program for ops, count, longest in DRAWN for program in drawn(SEED, ops, count, longest)]
    cut = [Program(p.leaves, p.lines[:k]) for p in whole for k in range(len(p.lines), 0, -2)]
    assert len(cut) >= 2000
    for op in EVERYTHING:
        assert sum(op in {line.op for line in p.lines} for p in cut) >= 300, op
    return cut + [p for p in fixed_programs(EVERYTHING) if well_conditioned(p)] + list(steep_programs(EVERYTHING))


@pytest.fixture(scope="module")
def torch():
    try:
        import torch
    except ImportError:
        missing("PyTorch is not installed")
    torch.set_num_threads(1)
    return torch


def by_differences(program: Program) -> tuple[float, dict[str, float]]:
    """Value and gradients from the functions alone."""
    with mp.workdps(oracle.DIGITS):
        def value(moved: str | None, step: mpf) -> mpf:
            return program.evaluate(lambda name, data: mpf(data) + (step if name == moved else 0),
                                    lambda op, x: (IN_DIGITS.get(op) or getattr(operator, op))(*x))
        grads = {leaf: (value(leaf, STEP) - value(leaf, -STEP)) / (2 * STEP) for leaf in program.leaves}
        return float(value(None, mpf(0))), {leaf: float(g) for leaf, g in grads.items()}


def by_torch(torch, program: Program) -> tuple[float, dict[str, float]]:
    """Value and gradients from PyTorch in float64."""
    leaves = {name: torch.tensor(float(x), dtype=torch.float64, requires_grad=True)
              for name, x in program.leaves.items()}
    root = program.evaluate(lambda name, _: leaves[name],
                            lambda op, x: getattr(torch if op in METHODS else operator, op)(*x))
    root.backward()
    return root.item(), {name: 0.0 if x.grad is None else x.grad.item() for name, x in leaves.items()}


def first_disagreement(programs: Iterable[Program], other: Callable, rounding: float) -> str | None:
    """The code of the first program on which the oracle and `other` differ by more than rounding of what is summed."""
    for program in programs:
        expected, (value, grads) = truth(program), other(program)
        apart = [abs(value - expected.value) > rounding * max(1.0, abs(expected.value))]
        apart += [abs(grads[leaf] - expected.grads[leaf]) > rounding * max(1.0, expected.sizes[leaf]) for leaf in grads]
        if any(apart):
            return program.code()
    return None


def test_oracle_agrees_with_differences_in_50_digits(programs):
    assert first_disagreement(programs, by_differences, rounding=1e-15) is None


def test_oracle_agrees_with_pytorch(programs, torch):
    assert first_disagreement(programs, lambda p: by_torch(torch, p), rounding=1e-13) is None


@pytest.mark.parametrize("op", EVERYTHING)
def test_wrong_rule_is_noticed(op, programs, torch):
    """Negative control: a derivative that is off by a hundred-millionth of itself, in one rule of the table."""
    right = oracle.RULES[op]

    def slightly_wrong(*operands):
        result = right(*operands)
        return replace(result, partials={leaf: d * (1 + mpf(10) ** -8) for leaf, d in result.partials.items()})

    using = [p for p in programs if op in {line.op for line in p.lines}]
    with patch.dict(oracle.RULES, {op: slightly_wrong}):
        assert first_disagreement(using, by_differences, rounding=1e-15)
        assert first_disagreement(using, lambda p: by_torch(torch, p), rounding=1e-13)
    assert first_disagreement(using[:20], by_differences, rounding=1e-15) is None


@pytest.mark.parametrize("op", EVERYTHING)
def test_wrong_value_is_noticed(op, programs):
    right = oracle.RULES[op]

    def slightly_wrong(*operands):
        result = right(*operands)
        return replace(result, value=result.value * (1 + mpf(10) ** -8))

    using = (p for p in programs if op in {line.op for line in p.lines})
    with patch.dict(oracle.RULES, {op: slightly_wrong}):
        assert first_disagreement(using, by_differences, rounding=1e-15)


def test_sizes_bound_the_gradients(programs):
    """What rounding is forgiven by is at least the gradient, and equal to it where one path leads to the leaf."""
    for program in programs:
        expected = truth(program)
        assert all(expected.sizes[leaf] >= abs(g) * (1 - 1e-12) for leaf, g in expected.grads.items())
    assert truth(trace(lambda a: a * 3 - a, {"a": 2.0})) == Truth(4.0, {"a": 2.0}, {"a": 4.0})


@pytest.mark.parametrize(("program", "expected"), [
    (build({"a": 2}, []), (2.0, {"a": 1.0})),
    (trace(lambda a, b: a + 0, {"a": 2, "b": 3}), (2.0, {"a": 1.0, "b": 0.0})),
    (trace(lambda a: 3 * a**2 + a, {"a": 0.0}), (0.0, {"a": 1.0})),
    (trace(lambda a: a**0 + a**1, {"a": -2.0}), (-1.0, {"a": 1.0})),
    (trace(lambda a, b: a**b, {"a": 2.0, "b": 3.0}), (8.0, {"a": 12.0, "b": 5.545177444479562})),
    (trace(lambda a: a.tanh() + a.sigmoid(), {"a": -1000}), (-1.0, {"a": 0.0})),
    (trace(lambda a: a.relu() * 5, {"a": -1.0}), (0.0, {"a": 0.0})),
])
def test_oracle_on_corners(program, expected):
    """Where no programs are drawn: no line, an unused leaf, 0, constant powers, Values as exponents, overflow."""
    assert (truth(program).value, truth(program).grads) == (expected[0], pytest.approx(expected[1], rel=1e-15))
