"""A zoo of right and wrong gradients, kept back: the checker was tuned on other functions.

Each function is written once, for `math` and for mpmath alike: its values come from float64, its true slopes from
mpmath with 50 digits, so nothing here rests on the checker. `comparison_table()` runs it beside plain central
differences and torch.autograd.gradcheck.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import mpmath

from utils.finite_difference_checker import check_gradients

ERRORS = (1e-2, 1e-3, 1e-4)  # relative errors that a checker ought to see


@dataclass(frozen=True)
class Case:
    """A function of one number, a point and the true slope; two slopes at a kink, where all between them is right."""

    name: str
    f: Callable[[float], float]
    x: float
    left: float
    right: float

    def wrong(self, error: float) -> float:
        """A slope that is off by `error` of the largest there is."""
        outer = max(self.left, self.right, key=abs)
        return outer * (1 + error)

    def shows(self, error: float) -> bool:
        """False where float64 hides the error: it changes f by less than 64 roundings over a step of 1 or x."""
        return abs(self.wrong(error) - self.wrong(0.0)) * max(abs(self.x), 1.0) > 64 * 2.0**-52 * abs(self.f(self.x))


def sigmoid(m, x):
    return 1 / (1 + m.exp(-x))


def relu(x):
    return x if x > 0 else 0 * x


def single(x):
    """Rounded to float32, as a careless array would; an mpmath number stays as it is."""
    return struct.unpack("f", struct.pack("f", x))[0] if isinstance(x, float) else x


def inner(m, weights, xs):
    return sum((w * x for w, x in zip(weights, xs, strict=True)), 0 * xs[0])


def two_layers(m, *xs):
    hidden = [m.tanh(inner(m, (a, 1.5 - a, 0.25 * a), xs)) for a in (-1.25, 0.5, 2.0, 3.5)]
    return (inner(m, (0.5, -1.0, 0.75, 2.0), hidden) - 1) ** 2


def cross_entropy(m, *logits):
    return m.log(sum(m.exp(z) for z in logits)) - logits[1]


# name: function of (m, *xs), low and high end of the range of each x, further points (kinks, nearly kinks)
SMOOTH = {
    "degree 7": (lambda m, x: x**7 - 4 * x**4 + x / 3, -2, 2),
    "atan": (lambda m, x: m.atan(x), -6, 6),
    "sinh": (lambda m, x: m.sinh(x), -4, 8),
    "asinh": (lambda m, x: m.asinh(3 * x), -5, 50),
    "erf": (lambda m, x: m.erf(x), -2.5, 2.5),
    "x exp(-x)": (lambda m, x: x * m.exp(-x), -3, 9),
    "log(1 + x^2)": (lambda m, x: m.log(1 + x * x), -4, 40),
    "log cosh": (lambda m, x: m.log(m.cosh(x)), -6, 6),
    "sin cos": (lambda m, x: m.sin(x) * m.cos(2 * x), -20, 20),
    "exp sin": (lambda m, x: m.exp(m.sin(x)), -9, 9),
    "swish": (lambda m, x: x * sigmoid(m, x), -8, 8),
    "gelu": (lambda m, x: x / 2 * (1 + m.tanh(0.7978845608 * (x + 0.044715 * x**3))), -3, 4),
    "sqrt(1 + x^2)": (lambda m, x: m.sqrt(1 + x * x), -9, 9),
    "x^x": (lambda m, x: x**x, 0.05, 6),
    "tan": (lambda m, x: m.tan(x), -1.5, 1.5),
    "acos": (lambda m, x: m.acos(x), -0.99, 0.99),
    "sin x^2": (lambda m, x: m.sin(x * x), -12, 12),
    "sigmoid sigmoid": (lambda m, x: sigmoid(m, 4 * sigmoid(m, 3 * x) - 2), -2, 2),
}
SCALED = {
    "1e9 cos": (lambda m, x: 1e9 * m.cos(x), -3, 3),
    "1e-20 exp": (lambda m, x: 1e-20 * m.exp(x), -5, 5),
    "sin 300x": (lambda m, x: m.sin(300 * x), -2, 2),
    "exp(-40x)": (lambda m, x: m.exp(-40 * x), -1, 1),
    "steep tanh": (lambda m, x: m.tanh(200 * (x - 0.125)), 0.1, 0.15),
    "x log x near 0": (lambda m, x: x * m.log(x), 1e-7, 1e-3),
    "1/x^2 near 0": (lambda m, x: x**-2, 1e-4, 1e-2),
    "1e4 + sin": (lambda m, x: 10000 + m.sin(x), -3, 3),
    "x^2 at 1e6": (lambda m, x: x * x + 3 * x, 1e5, 1e7),
    "x log x at 1e6": (lambda m, x: x * m.log(x), 1e5, 1e7),
    "needle": (lambda m, x: m.exp(-((64 * (x - 1)) ** 2)), 0.98, 1.03),
    "cube root": (lambda m, x: m.exp(m.log(x) / 3), 1e-5, 1),
    "ripple": (lambda m, x: x + m.sin(200 * x) / 1024, -2, 2),
    "Lorentz": (lambda m, x: 1 / (1 + 1e6 * (x - 0.5) ** 2), 0.49, 0.515),
    "sin 1e4 x": (lambda m, x: m.sin(10000 * x), -1, 1),
    "degree 9": (lambda m, x: x**9 - 1000 * x**5 + x, -30, 30),
    "2^x far out": (lambda m, x: 2**x, 20, 60),
    "root near 0": (lambda m, x: 1e-12 * m.sqrt(m.sqrt(x)), 1e-9, 1e-5),
    "tail of tanh": (lambda m, x: m.tanh(x), 5, 8),
    "tail of a Gaussian": (lambda m, x: m.exp(-x * x / 2), 4, 6.5),
    "tail of sigmoid": (lambda m, x: sigmoid(m, x), -30, -8),
    "1e6 + x^3": (lambda m, x: 1000000 + x**3, 0.5, 4),
    "1e3 log(1e-3 + x^2)": (lambda m, x: 1000 * m.log(0.001 + x * x), -0.2, 0.2),
    "log log": (lambda m, x: m.log(m.log(x)), 1.001, 1.1),
}
CANCELLING = {
    "(e^x - 1 - x) / x^2": (lambda m, x: (m.exp(x) - 1 - x) / (x * x), 0.02, 2),
    "(sqrt(1 + x^2) - 1) / x": (lambda m, x: (m.sqrt(1 + x * x) - 1) / x, 0.01, 3),
    "sin x / x": (lambda m, x: m.sin(x) / x, 0.001, 9),
    "log(1 + x) / x": (lambda m, x: m.log(1 + x) / x, 0.001, 3),
    "(x + 1e3)^2 - 1e6": (lambda m, x: (x + 1000) ** 2 - 1000000, -2, 2),
    "1 - cos": (lambda m, x: 1 - m.cos(x), 0.001, 3),
}
KINKED = {
    "relu(2x - 1)": (lambda m, x: relu(2 * x - 1), -2, 3, (0.5, 0.5001, 0.49999)),
    "|sin|": (lambda m, x: abs(m.sin(x)), -7, 7, (0.0, 1e-4)),
    "max(x, x^2)": (lambda m, x: max(x, x * x), -1, 2, (0.0, 1.0, 0.999, 1e-5)),
    "leaky": (lambda m, x: relu(x) - relu(-x) / 8, -3, 3, (0.0, 1e-3, -1e-5)),
    "clip": (lambda m, x: relu(x + 1) - relu(x - 1) - 1, -3, 3, (1.0, -1.0, 0.9999)),
    "Huber": (lambda m, x: x * x / 2 if abs(x) < 1 else abs(x) - 0.5 + 0 * x, -3, 3, (0.999,)),
    "hinge^2": (lambda m, x: relu(1 - x) ** 2, -2, 3, (0.999, 1.001)),
    "two kinks": (lambda m, x: abs(x - 0.25) + abs(x - 0.2501) + m.sin(x), -1, 1, (0.25, 0.25005)),
    "exp(-|x|)": (lambda m, x: m.exp(-abs(x)), -3, 3, (0.0, 1e-4)),
    "max(sin, cos)": (lambda m, x: max(m.sin(x), m.cos(x)), -6, 6, (0.785,)),
}
SEVERAL = {  # the last number: how many inputs
    "Rosenbrock": (lambda m, x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2, -2, 2, 2),
    "xy / (x^2 + y^2)": (lambda m, x, y: x * y / (x * x + y * y), 0.1, 3, 2),
    "log sum exp": (lambda m, *xs: m.log(sum(m.exp(x) for x in xs)), -4, 4, 4),
    "neuron": (lambda m, *xs: m.tanh(inner(m, (0.5, -1.25, 2.0, 0.125, -0.75), xs)), -1, 1, 5),
    "cross entropy": (cross_entropy, -3, 3, 4),
    "length": (lambda m, *xs: m.sqrt(sum(x * x for x in xs)), -5, 5, 3),
    "product": (lambda m, a, b, c, d: a * b * c * d, -3, 3, 4),
    "two layers": (two_layers, -1, 1, 3),
    "ill-conditioned": (lambda m, x, y: 1e6 * x * x + y * y / 64 + x * y, -1, 1, 2),
    "largest": (lambda m, *xs: max(xs), -2, 2, 3),
    "Beale": (lambda m, x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y * y) ** 2, -2, 2, 2),
}
IN_FLOAT32 = {"float32 inside": (lambda m, x: single(single(m.sin(x)) * single(m.exp(x))), -2, 2)}


def _slope(f: Callable, x: float, side: int) -> float:
    """The true slope on one side (-1 or 1), or on both (0)."""
    h = mpmath.mpf(10) ** -20
    return float(mpmath.diff(f, mpmath.mpf(x), h=h, direction=side))


def _case(name: str, f: Callable, xs: list[float], i: int, kink: bool) -> Case:
    def at(m: object, x):
        return f(m, *(x if j == i else type(x)(other) for j, other in enumerate(xs)))

    left, right = (_slope(lambda x: at(mpmath, x), xs[i], side) for side in ((-1, 1) if kink else (0, 0)))
    where = f"{name} at {', '.join(f'{x:.6g}' for x in xs)}, input {i}"
    return Case(where, lambda x: at(math, x), xs[i], left, right)


@lru_cache
def zoo() -> tuple[Case, ...]:
    """About 1600 cases, the same each time."""
    rng = random.Random("kept back")
    cases = []
    with mpmath.workdps(50):
        for name, (f, low, high) in (SMOOTH | SCALED | CANCELLING | IN_FLOAT32).items():
            cases += [_case(name, f, [rng.uniform(low, high)], 0, False) for _ in range(19)]
        for name, (f, low, high, special) in KINKED.items():
            cases += [_case(name, f, [rng.uniform(low, high)], 0, False) for _ in range(20)]
            cases += [_case(name, f, [float(x)], 0, _is_kink(f, x)) for x in special]
        for name, (f, low, high, count) in SEVERAL.items():
            for _ in range(42 // count):
                xs = [rng.uniform(low, high) for _ in range(count)]
                cases += [_case(name, f, xs, i, False) for i in range(count)]
    return tuple(cases)


def _is_kink(f: Callable, x: float) -> bool:
    return abs(_slope(lambda t: f(mpmath, t), x, 1) - _slope(lambda t: f(mpmath, t), x, -1)) > 1e-9


Checker = Callable[[Callable[[float], float], float, float], str]  # f, x, claimed slope -> verdict


def ours(f: Callable[[float], float], x: float, given: float) -> str:
    return check_gradients(f, x, given).verdict


def central(f: Callable[[float], float], x: float, given: float) -> str:
    """The usual recipe: step 1e-6, relative error at most 1e-5."""
    h = 1e-6
    slope = (f(x + h) - f(x - h)) / (2 * h)
    return "pass" if abs(slope - given) <= 1e-5 * max(abs(slope), abs(given)) else "fail"


def gradcheck(f: Callable[[float], float], x: float, given: float) -> str:
    """torch.autograd.gradcheck as it comes, on a function that computes f and claims the slope."""
    import torch

    class Claimed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, t):
            return t.new_tensor(f(t.item()))

        @staticmethod
        def backward(ctx, upstream):
            return upstream * given

    point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    return "pass" if torch.autograd.gradcheck(Claimed.apply, (point,), raise_exception=False) else "fail"


@dataclass(frozen=True)
class Score:
    """What a checker made of the zoo. Alarms: right gradients judged "fail". Misses: wrong ones let pass, by error."""

    checker: str
    points: int
    alarms: list[str]
    unsure: list[str]             # neither accepted nor rejected, right gradients
    misses: dict[float, list[str]]
    doubts: dict[float, list[str]]  # wrong gradients judged "unsure"
    wrong: dict[float, int]       # how many wrong gradients there were, by error
    evaluations: float            # of f, for a right gradient


def score(name: str, check: Checker, cases: tuple[Case, ...], errors: tuple[float, ...] = ERRORS) -> Score:
    """Run one checker over the cases with the right gradient, then with each wrong one."""
    alarms, unsure, calls = [], [], 0
    misses, doubts, wrong = ({error: [] for error in errors} for _ in range(3))
    for number, case in enumerate(cases):
        def counted(x: float, case: Case = case) -> float:
            nonlocal calls
            calls += 1
            return case.f(x)

        verdict = check(counted, case.x, (case.left, case.right, (case.left + case.right) / 2)[number % 3])
        {"fail": alarms, "unsure": unsure}.get(verdict, []).append(case.name)
        for error in errors:
            if case.shows(error):
                verdict = check(case.f, case.x, case.wrong(error))
                wrong[error].append(case.name)
                {"pass": misses, "kink-ok": misses, "unsure": doubts}.get(verdict, {error: []})[error].append(case.name)
    return Score(name, len(cases), alarms, unsure, misses, doubts, {e: len(n) for e, n in wrong.items()},
                 calls / len(cases))


def comparison_table() -> list[Score]:
    """Ours, plain central differences and torch's gradcheck on the whole zoo (about a minute)."""
    checkers = {"ours": ours, "central differences": central, "torch gradcheck": gradcheck}
    return [score(name, check, zoo()) for name, check in checkers.items()]


def as_text(scores: list[Score]) -> str:
    """The scores as a table of percentages."""
    errors = list(scores[0].misses)
    heads = ["checker", "false alarms", "unsure", *(f"misses {error:g}" for error in errors), "evaluations"]
    lines = [f"{heads[0]:20}" + "".join(f"{head:>15}" for head in heads[1:])]
    for s in scores:
        rates = [len(s.alarms) / s.points, len(s.unsure) / s.points,
                 *(len(s.misses[error]) / s.wrong[error] for error in errors)]
        lines.append(f"{s.checker:20}" + "".join(f"{rate:>15.2%}" for rate in rates) + f"{s.evaluations:>15.1f}")
    return "\n".join(lines)
