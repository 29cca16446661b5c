"""The truth: forward-mode dual numbers in 50 digits, independent of every reverse-mode engine.

A dual number carries a value and its derivative with respect to each leaf; each rule below is the derivative of its
operation as any calculus text gives it (DLMF 4.2, 4.35 for log, exp, tanh). Nothing is stored, nothing walks backward.
"""

from __future__ import annotations

from dataclasses import dataclass

from mpmath import mp, mpf

from utils.judge.program import Program

DIGITS = 50


@dataclass(frozen=True)
class Dual:
    """A value and its partial derivatives by leaf name; a leaf that it does not depend on is left out.

    `sizes` holds the same sums with every contribution taken positive: how large the terms were that a float engine had
    to add up, so what rounding it may be forgiven.
    """

    value: mpf
    partials: dict[str, mpf]
    sizes: dict[str, mpf]

    def through(self, value: mpf, slope: mpf) -> Dual:
        """The result of a function of one argument: chain rule."""
        return Dual(value, _scaled(self.partials, slope), _scaled(self.sizes, abs(slope)))


def _scaled(terms: dict[str, mpf], factor: mpf) -> dict[str, mpf]:
    return {leaf: factor * d for leaf, d in terms.items()}


def _added(one: dict[str, mpf], other: dict[str, mpf]) -> dict[str, mpf]:
    return one | {leaf: one.get(leaf, 0) + d for leaf, d in other.items()}


def _both(a: Dual, b: Dual, value: mpf, slope_a: mpf, slope_b: mpf) -> Dual:
    """The result of a function of two arguments: total derivative."""
    return Dual(value, _added(_scaled(a.partials, slope_a), _scaled(b.partials, slope_b)),
                _added(_scaled(a.sizes, abs(slope_a)), _scaled(b.sizes, abs(slope_b))))


def _power(a: Dual, b: Dual) -> Dual:
    value = a.value ** b.value
    slope = b.value * a.value ** (b.value - 1) if b.value != 0 else mpf(0)
    if not b.partials:                       # a constant exponent: no logarithm, so any base it is defined for
        return a.through(value, slope)
    return _both(a, b, value, slope, value * mp.log(a.value))


def _sigmoid(a: Dual) -> Dual:
    value = 1 / (1 + mp.exp(-a.value))
    return a.through(value, value * (1 - value))


def _tanh(a: Dual) -> Dual:
    value = mp.tanh(a.value)
    return a.through(value, 1 - value * value)


RULES = {
    "add": lambda a, b: _both(a, b, a.value + b.value, mpf(1), mpf(1)),
    "sub": lambda a, b: _both(a, b, a.value - b.value, mpf(1), mpf(-1)),
    "mul": lambda a, b: _both(a, b, a.value * b.value, b.value, a.value),
    "truediv": lambda a, b: _both(a, b, a.value / b.value, 1 / b.value, -a.value / b.value**2),
    "pow": _power,
    "neg": lambda a: a.through(-a.value, mpf(-1)),
    "relu": lambda a: a.through(max(a.value, mpf(0)), mpf(1) if a.value > 0 else mpf(0)),
    "tanh": _tanh,
    "exp": lambda a: a.through(mp.exp(a.value), mp.exp(a.value)),
    "log": lambda a: a.through(mp.log(a.value), 1 / a.value),
    "sigmoid": _sigmoid,
}


def _apply(op: str, operands: list) -> Dual:
    return RULES[op](*(x if isinstance(x, Dual) else Dual(mpf(x), {}, {}) for x in operands))


@dataclass(frozen=True)
class Truth:
    """A program's value and each leaf's gradient, rounded to float, and the size of the terms each gradient sums."""

    value: float
    grads: dict[str, float]
    sizes: dict[str, float]


def truth(program: Program) -> Truth:
    """Value and gradients of `program`. The leaves' data count as exact."""
    with mp.workdps(DIGITS):
        root = program.evaluate(lambda name, data: Dual(mpf(data), {name: mpf(1)}, {name: mpf(1)}), _apply)
        grads, sizes = ({leaf: float(terms.get(leaf, 0)) for leaf in program.leaves}
                        for terms in (root.partials, root.sizes))
        return Truth(float(root.value), grads, sizes)


def everywhere(program: Program) -> list[tuple[float, float]]:
    """(value, d root / d value) of every leaf and line of `program`, in its order."""
    duals: list[Dual] = []

    def marked(dual: Dual) -> Dual:
        """The same number, with a derivative of 1 by its own place."""
        duals.append(Dual(dual.value, dual.partials | {str(len(duals)): mpf(1)}, {}))
        return duals[-1]
    with mp.workdps(DIGITS):
        root = program.evaluate(lambda name, data: marked(Dual(mpf(data), {}, {})),
                                lambda op, operands: marked(_apply(op, operands)))
        return [(float(dual.value), float(root.partials.get(str(k), 0))) for k, dual in enumerate(duals)]
