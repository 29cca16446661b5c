"""Small programs, the smallest first, that tell wrong engines apart: for diagnosis, and for the catalogue's page."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from utils.judge.program import Program, trace


def _uses(f: Callable, a: float, b: float) -> list[Program]:
    """f alone, scaled, reused, and on either side of another use."""
    return [trace(g, leaves) for g, leaves in (
        (lambda a: f(a), {"a": a}), (lambda a: 3 * f(a), {"a": a}), (lambda a: f(a) + a, {"a": a}),
        (lambda a: a + f(a), {"a": a}),
        (lambda a: f(a) * a, {"a": a}), (lambda a: a * f(a), {"a": a}), (lambda a, b: f(a * b) * b, {"a": a, "b": b}))]


def _both(f: Callable) -> list[Program]:
    """f of two Values: distinct, the same one, one of them reused."""
    return [trace(g, leaves) for g, leaves in (
        (lambda a, b: f(a, b), {"a": 2.0, "b": 5.0}), (lambda a: f(a, a), {"a": 3.0}), (lambda a, b: f(a, b) * 3,
                {"a": 2.0, "b": 5.0}),
        (lambda a, b: f(a, b) + a, {"a": 2.0, "b": 5.0}), (lambda a, b: f(a, b) + b, {"a": 2.0, "b": 5.0}),
        (lambda a, b: a + f(a, b), {"a": 2.0, "b": 5.0}), (lambda a, b: b + f(a, b), {"a": 2.0, "b": 5.0}),
        (lambda a, b: f(f(a, b), f(a, b)), {"a": 2.0, "b": 5.0}), (lambda a, b: f(a * b, b), {"a": 2.0, "b": 5.0}),
        (lambda a, b: f(a, b), {"a": 3, "b": 3}))]


def _row(a, times: int):
    for _ in range(times):
        a = 0.6 * a + a * 0.5
    return a


def _doubled(a):
    b = a + a
    return b + b


def _squared(a):
    b = a * a
    return b * b


def _arms(a, b, turned: bool):
    t = a * b
    far = t * 2 + 1
    return far * t if turned else t * far


def _equal(a, b):
    return (a + 1) * 2 + (b + 1) * 5


def _crossed(a, b):
    s, p = a + b, a * b
    u, v = s * p, p + s
    return u * v + s


@lru_cache
def probes() -> tuple[Program, ...]:
    """Every probe, by its number of operations."""
    found = [Program({"a": 2.0}, ()), *(trace(g, {"a": 3.0}) for g in (
        lambda a: a + 2, lambda a: 5 + a, lambda a: a * 2, lambda a: 5 * a, lambda a: a - 2, lambda a: 5 - a,
        lambda a: a / 4,
        lambda a: 5 / a, _doubled, _squared))]
    for f in (lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a / b):
        found += _both(f)
    for f in (lambda a: a**2, lambda a: a**3):
        found += _uses(f, 1.5, 2.0)
    for f in (lambda a: -a, lambda a: a.relu(), lambda a: a.tanh(), lambda a: a.exp(),
              lambda a: a.log(), lambda a: a.sigmoid(), lambda a: 2 + a, lambda a: 2 * a, lambda a: 2 - a,
              lambda a: 2 / a):
        found += _uses(f, 0.5, 1.5)
    found += [trace(f, {"a": a}) for a in (-2.0, 400.0, -400.0, 1000.0, -1000.0) for f in (
        lambda a: a.relu(), lambda a: a.tanh(), lambda a: a.sigmoid())]
    found += [trace(lambda a: a**3, {"a": -2.0}), trace(lambda a: a.log(), {"a": 1e-8}),
              trace(lambda a, b: a**b, {"a": 2.0, "b": 3.0}), trace(_equal, {"a": 1, "b": 1}),
              trace(lambda a: (a * 2) * (a * 3), {"a": 1.5}), trace(lambda a, b: (a * b) * (a + b) * 3,
                                                                    {"a": 2.0, "b": 5.0})]
    found += [trace(lambda a, b, turned=turned: _arms(a, b, turned), {"a": 2.0, "b": 3.0}) for turned in (False, True)]
    found += [trace(_crossed, leaves) for leaves in ({"a": 2.0, "b": 3.0}, {"a": 2, "b": 2})]
    found += [trace(lambda a, times=times: _row(a, times), {"a": 2.0}) for times in (1, 2, 26)]
    return tuple(sorted(found, key=lambda program: (len(program.lines), len(program.leaves))))
