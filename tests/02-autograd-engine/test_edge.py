"""Levels 2 and 3: every operation with reused inputs and upstream gradients that are not 1; generated programs."""

from __future__ import annotations

from utils.judge import promise
from utils.judge.asked import agrees_on_programs
from utils.judge.engine import Engine


def with_reuse(engine: Engine, f, *points: float) -> None:
    """What shows an overwritten or a lost gradient, at each point: f scaled, reused, on both sides, inside a graph."""
    for a in points:
        engine.agrees(lambda a: 3 * f(a), a=a)
        engine.agrees(lambda a: f(a) * a * a + f(a), a=a)
        engine.agrees(lambda a, b: f(a) * b + a, a=a, b=-2.0)
        engine.agrees(lambda a, b: a + b * f(a), a=a, b=2.5)
        engine.agrees(lambda a, b: f(a * b) * b, a=a, b=1.5)


def also_at(engine: Engine, f, *points: float) -> None:
    """What shows a rule that is right in one region only: f, scaled, at each point."""
    for a in points:
        engine.agrees(lambda a: 3 * f(a), a=a)


# 2.1 Minus, from both sides

@promise(exercise="2.1")
def test_negation(engine):
    """`-a` has gradient -1, and stays in the graph."""
    engine.agrees(lambda a: -a, a=2.0)
    with_reuse(engine, lambda a: -a, 2.0, -1)
    also_at(engine, lambda a: -a, 0.0, 3e4, -2.5e-5)


@promise(exercise="2.1")
def test_difference(engine):
    """`a - b`: gradient 1 for a, -1 for b."""
    engine.agrees(lambda a, b: a - b, a=2.0, b=5.0)
    engine.agrees(lambda a, b, c: c * (a - b), a=2.0, b=5.0, c=-3.0)
    for a, b in ((2.0, -5.0), (0.0, 5.0), (2.0, 0.0), (3e4, -2.5e-5)):
        engine.agrees(lambda a, b: 3 * (a - b), a=a, b=b)


@promise(exercise="2.1")
def test_difference_with_a_number(engine):
    """`a - 2`: a number on the right."""
    with_reuse(engine, lambda a: a - 2, 1.5, -3)
    for n in (-2, 0.5, 0, 0.0):
        also_at(engine, lambda a, n=n: a - n, 1.5)


@promise(exercise="2.1")
def test_number_minus_value(engine):
    """`2 - a`: a number on the left, so the sign turns."""
    engine.agrees(lambda a: 2 - a, a=5.0)
    with_reuse(engine, lambda a: 2 - a, 1.5, -3)
    for n in (-2, 0.5, 0, 0.0):
        also_at(engine, lambda a, n=n: n - a, 1.5)


@promise(exercise="2.1")
def test_value_minus_itself(engine):
    """In `a - a` the two contributions cancel."""
    engine.agrees(lambda a: a - a, a=3.0)
    engine.agrees(lambda a: (a - a) * 5 + a, a=3.0)


@promise(exercise="2.1")
def test_differences_reused(engine):
    """A difference used twice, as in a squared error."""
    def squared(a, b):
        error = a - b
        return error * error
    engine.agrees(squared, a=2.0, b=5.0)
    engine.agrees(lambda a, b: 3 * squared(b, a) - a, a=2, b=2)


# 2.2 Powers and division

@promise(exercise="2.2")
def test_power(engine):
    """`a**n` for a whole n: gradient n * a**(n - 1)."""
    engine.agrees(lambda a: a**2, a=3.0)
    with_reuse(engine, lambda a: a**3, 1.5, 2)
    engine.agrees(lambda a: 3 * a**1 + a**0, a=2.0)
    for n in (1, 4, 5, 6, 2.0, 3.0):
        also_at(engine, lambda a, n=n: a**n, 1.5)
    also_at(engine, lambda a: a**2, 40.0, 2.5e-3)


@promise(exercise="2.2")
def test_power_of_a_negative_or_zero_base(engine):
    """`(-2)**3` and `0**2` need no logarithm."""
    with_reuse(engine, lambda a: a**3, -2.0, -2)
    engine.agrees(lambda a: 3 * a**2 + 5 * a**1, a=0.0)
    for n in (0, 1, 2, 4, 5, -2, -3):
        also_at(engine, lambda a, n=n: a**n, -1.5)


@promise(exercise="2.2")
def test_power_with_a_fraction_or_negative_exponent(engine):
    """`a**0.5` and `a**-2.5`."""
    with_reuse(engine, lambda a: a**0.5, 4.0, 0.25)
    with_reuse(engine, lambda a: a**-2.5, 1.5)
    with_reuse(engine, lambda a: a**-1, -2.0)
    for n in (-1, -2, -3, -4, -1.0, -2.0, 1.5, 2.5, -0.5, -1.5):
        also_at(engine, lambda a, n=n: a**n, 1.5)
    also_at(engine, lambda a: a**0.5, 1e4, 2.5e-3, 1e-8)
    also_at(engine, lambda a: a**-2, 40.0, 0.05, 1e-6)


@promise(exercise="2.2")
def test_division(engine):
    """`a / b`, `a / 4` and `a / a`."""
    engine.agrees(lambda a, b: a / b, a=3.0, b=-4.0)
    engine.agrees(lambda a, b, c: c * (a / b) + b, a=3.0, b=-4.0, c=2.0)
    with_reuse(engine, lambda a: a / 4, 1.5, -3)
    engine.agrees(lambda a: 3 * (a / a) + a, a=2.0)
    for n in (-4, 0.5, 1):
        also_at(engine, lambda a, n=n: a / n, 1.5)
    for a, b in ((0.0, -4.0), (-300.0, 0.02), (0.02, 300.0), (3.0, 1e-6)):
        engine.agrees(lambda a, b: 3 * (a / b), a=a, b=b)


@promise(exercise="2.2")
def test_number_divided_by_value(engine):
    """`2 / a`: a number on the left."""
    engine.agrees(lambda a: 1 / a, a=4.0)
    with_reuse(engine, lambda a: 2 / a, 1.5, -4)
    for n in (-3, 0.5, 0, 0.0):
        also_at(engine, lambda a, n=n: n / a, 1.5)
    also_at(engine, lambda a: 2 / a, 300.0, 0.02, 1e-6)


@promise(exercise="2.2")
def test_value_as_exponent_is_right_or_refused(engine):
    """`a**b` with a Value b is right for both, or refused with a TypeError: never silently wrong."""
    engine.computes(lambda a: 3 * a**2.0, a=2.0)      # what is not written refuses nothing
    engine.agrees_or_refuses(lambda a, b: 3 * a**b, a=2.0, b=3.0)


# 2.3 relu, tanh, exp (relu at exactly 0 is not judged)

@promise(exercise="2.3")
def test_relu(engine):
    """relu passes the upstream gradient on where its input is positive, and nothing elsewhere."""
    for a in (2.0, 0.25, -2.0, -0.25):
        engine.agrees(lambda a: 3 * a.relu(), a=a)
    engine.agrees(lambda a, b: (a * b).relu() * b, a=2.0, b=-3.0)
    also_at(engine, lambda a: a.relu(), 8.0, -8.0, 0.01, -0.01, 1000.0, -1000.0)


@promise(exercise="2.3")
def test_relu_reused(engine):
    """relu of a value that is used elsewhere too."""
    with_reuse(engine, lambda a: a.relu(), 1.5, -1.5, 2, 8.0)


@promise(exercise="2.3")
def test_tanh(engine):
    """tanh: gradient 1 - tanh(a)**2 times the upstream gradient."""
    engine.agrees(lambda a: a.tanh(), a=0.5)
    engine.agrees(lambda a, b: -3 * (a * b).tanh(), a=0.5, b=-1.5)
    also_at(engine, lambda a: a.tanh(), 0.01, 1.25, 3.0, -3.0, 6.0, -6.0)


@promise(exercise="2.3")
def test_tanh_reused(engine):
    """tanh of a value that is used elsewhere too."""
    with_reuse(engine, lambda a: a.tanh(), 0.5, -1.5, 0, 2.0)


@promise(exercise="2.3")
def test_exp(engine):
    """exp: its gradient is its value times the upstream gradient."""
    engine.agrees(lambda a: a.exp(), a=1.5)
    engine.agrees(lambda a, b: 3 * (a * b).exp() * b, a=0.5, b=-1.5)
    also_at(engine, lambda a: a.exp(), 0.0, 4.0, -4.0, 7.0, -7.0, 15.0, -15.0, 30.0, -30.0, 60.0)


@promise(exercise="2.3")
def test_exp_reused(engine):
    """exp of a value that is used elsewhere too."""
    with_reuse(engine, lambda a: a.exp(), 0.5, -1.5, 1, 5.0)


# 2.4 log and sigmoid, and large inputs

@promise(exercise="2.4")
def test_log(engine):
    """log: gradient 1 / a, exact for small and for large inputs."""
    engine.agrees(lambda a: 3 * a.log(), a=2.0)
    engine.agrees(lambda a: 3 * a.log(), a=1e-8)
    with_reuse(engine, lambda a: a.log(), 0.5, 3)
    also_at(engine, lambda a: a.log(), 1, 0.02, 20.0, 1e-4, 2e3, 1e6)


@promise(exercise="2.4")
def test_sigmoid(engine):
    """sigmoid: gradient s * (1 - s) times the upstream gradient."""
    engine.agrees(lambda a: a.sigmoid(), a=0.5)
    with_reuse(engine, lambda a: a.sigmoid(), 0.5, -0.5, -1.5, 0)
    also_at(engine, lambda a: a.sigmoid(), 0.01, 3.0, -3.0, 7.0, -7.0, 14.0, -14.0)


@promise(exercise="2.4")
def test_tanh_of_large_inputs(engine):
    """tanh(1000) is 1, not an overflow; its gradient is 0."""
    also_at(engine, lambda a: a.tanh(), 9.0, -9.0, 20.0, 400.0, -400.0, 1000, -1000)


@promise(exercise="2.4")
def test_sigmoid_of_large_inputs(engine):
    """sigmoid(-1000) is 0 and sigmoid(1000) is 1, not an overflow."""
    also_at(engine, lambda a: a.sigmoid(), 17.0, -17.0, 30.0, -30.0, 800.0, -800.0, 1000, -1000)


# 3.1 Generated programs

@promise(exercise="3.1")
def test_generated_arithmetic(engine):
    """Each of + - * / and unary minus, then 80 generated programs: shared results, numbers on either side."""
    agrees_on_programs(engine, "arithmetic")


@promise(exercise="3.1")
def test_generated_programs(engine):
    """Each operation by itself, then 120 generated programs of all of them."""
    agrees_on_programs(engine, "everything")


@promise(exercise="3.1")
def test_generated_long_programs(engine):
    """Each operation by itself, then 40 generated programs of up to 40 operations."""
    agrees_on_programs(engine, "long")


@promise(exercise="3.1")
def test_generated_sums_and_products(engine):
    """Each of + and *, then 80 generated graphs of them, where only the order of the walk can go wrong."""
    agrees_on_programs(engine, "sums and products")
