"""Exercise 2.5: the planted bug survives the usual tests, a reused input shows it, and the answer is judged fairly."""

from __future__ import annotations

import re

import mpmath
import pytest

from utils.drills import BuggyValue, judge_box, planted_bug


def engine(f, *numbers):
    """Gradients that BuggyValue gives."""
    values = [BuggyValue(n) for n in numbers]
    f(*values).backward()
    return [v.grad for v in values]


class Number(mpmath.mpf):
    """A high-precision number with the methods of an engine's value."""

    def __new__(cls, value):
        return mpmath.mpf.__new__(cls, value)

    def relu(self):
        return max(mpmath.mpf(0), self)

    tanh, exp, log = (lambda self, f=f: f(self) for f in (mpmath.tanh, mpmath.exp, mpmath.log))

    def sigmoid(self):
        return 1 / (1 + mpmath.exp(-self))


def measured(f, *numbers):
    """Gradients from mpmath's numerical derivative, one input at a time."""
    def slope(i):
        return mpmath.diff(lambda x: f(*(Number(x if j == i else n) for j, n in enumerate(numbers))), numbers[i])
    return [float(slope(i)) for i in range(len(numbers))]


OPS = {"add": lambda a: a + 2, "radd": lambda a: 2 + a, "mul": lambda a: a * 3, "neg": lambda a: -a,
       "sub": lambda a: a - 2, "rsub": lambda a: 2 - a, "pow": lambda a: a**3, "div": lambda a: a / 4,
       "rdiv": lambda a: 2 / a, "relu": lambda a: a.relu(), "tanh": lambda a: a.tanh(), "log": lambda a: a.log(),
       "sigmoid": lambda a: a.sigmoid(), "exp": lambda a: a.exp()}
REUSED = (lambda f: lambda a: f(a) * a * a + f(a),
          lambda f: lambda a: a + 5 * f(a),
          lambda f: lambda a: a * f(a) - f(a))


@pytest.mark.parametrize("op", OPS)
def test_the_usual_tests_do_not_see_the_planted_bug(op):
    f = OPS[op]
    for program in (f, lambda a: 3 * f(a)):
        assert engine(program, 0.7) == pytest.approx(measured(program, 0.7))


@pytest.mark.parametrize("op", OPS)
def test_reused_inputs_show_the_planted_bug_in_one_method_only(op):
    agree = [engine(make(OPS[op]), 0.7) == pytest.approx(measured(make(OPS[op]), 0.7)) for make in REUSED]
    assert agree == [op != planted_bug().boxes["op"].expected] * 3


def test_products_sums_and_quotients_of_two_inputs_are_right():
    for f in (lambda a, b: a * b + a, lambda a, b: (a + b) * (a - b) * a, lambda a, b: a / b + b / a):
        assert engine(f, 0.7, -1.3) == pytest.approx(measured(f, 0.7, -1.3))


def test_the_gradient_asked_for_is_right_and_the_engine_gives_another():
    def program(a):
        return a.tanh() * a.exp() + a.sigmoid() * a

    bug = planted_bug()
    assert "`y = a.tanh() * a.exp() + a.sigmoid() * a` at `a = 0.5`" in bug.text
    assert bug.boxes["grad"].expected == pytest.approx(measured(program, 0.5)[0])
    status, expected, _, sentence = judge_box(bug, {"grad": engine(program, 0.5)[0]}, "grad")
    assert (status, expected) == ("failed", None)
    assert "BuggyValue" in sentence


@pytest.mark.parametrize(("name", "status"), [
    ("exp", "passed"), ("__exp__", "passed"), ("BuggyValue.exp", "passed"), (" EXP ( ) ", "passed"),
    ("`exp`", "passed"), ("tanh", "failed"), ("mul", "failed"), ("backward", "failed"), ("", "failed"),
    ("expo", "failed"), (3, "failed"), (True, "failed"), ([], "failed"), (None, "not-written"),
    ("exp" * 10**6, "failed"),
], ids=range(15))
def test_the_faulty_method_is_named_in_any_spelling(name, status):
    got, expected, _, sentence = judge_box(planted_bug(), {"op": name}, "op")
    assert (got, expected) == (status, None)
    assert status == "passed" or "exp" in str(name) or not re.search(r"\bexp\b", sentence)
