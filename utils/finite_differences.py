"""Measuring a slope without calculus: step, divide, extrapolate, and say how far to trust the answer.

    central difference    D(h) = (f(x + h) - f(x - h)) / 2h = f'(x) + c2 h^2 + c4 h^4 + ...     (Taylor's theorem)
    Richardson            D(h/4) + (D(h/4) - D(h)) / (4^2 - 1)     has no h^2 term; next, with 4^4 - 1, no h^4, ...
    second difference     f(x + h) - 2 f(x) + f(x - h)     shrinks like h^2 where f is smooth, like h at a kink

A large step is wrong because f bends (truncation), a small one because f(x + h) and f(x - h) agree in almost every
digit (round-off). So the step is not chosen but searched: h, h/4, h/16, ..., all of them combined in a Neville tableau,
until two ways of extrapolating agree. Sources: L. F. Richardson, Phil. Trans. R. Soc. A 210 (1911) 307-357; the tableau
with an error estimate: C. J. F. Ridders, Adv. Eng. Software 4 (1982) 75-76, and Numerical Recipes, section 5.7.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

EPS = 2.0**-52          # spacing of float64 numbers near 1
FIRST_STEP = 1 / 17     # about 2^-4, but no power of two: a period of 1/64 must not look like a constant
RATIO = 4               # each step is a quarter of the one before
ROWS = 16               # the last step is then FIRST_STEP / 4^15, about 5e-11
ROUNDING = 4            # a value of f may be off by this many units in the last place
PROBES = (-1.0, -0.83, -0.61, -0.37, -0.19, -0.07, 0.11, 0.23, 0.41, 0.67, 0.79, 0.97)  # irregular on purpose

# Offset wanted -> offset taken (x + h is rounded too) and f there, nan where it is undefined.
Line = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class Slope:
    """A measured slope. `kind`: smooth, kink, noisy (f is rough), steep (no finite slope), edge (undefined nearby)."""

    value: float = math.nan
    bar: float = math.inf       # the slope is believed to lie within value +- bar
    kind: str = "edge"
    step: float = 0.0           # the smallest step that the estimate uses
    left: float = math.nan      # one-sided slopes, measured at a kink only
    right: float = math.nan
    variation: float = 0.0      # max |f(x +- h) - f(x)| / h at the first step: how much f moves at all
    noise: float = 0.0          # how far values of f scatter about a smooth curve, in units of f
    evaluations: int = 0


@dataclass(frozen=True)
class _Row:
    """One step of the ladder: both neighbours of the point, and what they say."""

    h: float
    central: float      # D(h)
    right: float        # (f(x + h) - f(x)) / h
    left: float         # (f(x) - f(x - h)) / h
    rounding: float     # round-off in `central`, `left` and `right`

    @property
    def bend(self) -> float:
        """Second difference / h: falls like h where f is smooth, is the change of slope at a kink, grows in noise."""
        return self.right - self.left

    @property
    def variation(self) -> float:
        return max(abs(self.right), abs(self.left))


@dataclass(frozen=True)
class _Estimate:
    value: float
    spread: float       # disagreement between neighbours in the tableau: truncation, and noise as far as it shows
    rounding: float
    row: _Row
    variation: float    # of f, here or at the first step
    bent: bool          # f did not look smooth at this step

    @property
    def bar(self) -> float:
        return self.spread + ROUNDING * self.rounding

    @property
    def relative(self) -> float:
        """The bar in units of the slopes seen; infinite if the estimate averages over a kink."""
        return math.inf if self.bent else self.bar / max(abs(self.value), self.variation, 5e-324)

    def contradicts(self, other: _Estimate) -> bool:
        return abs(self.value - other.value) > 3 * (self.bar + other.bar)


class Tableau:
    """Neville's triangle: column 0 holds differences, column j has j powers of h removed.

    `power` is the spacing of the powers of h in the error: 2 for central differences, 1 for one-sided ones.
    """

    def __init__(self, power: int) -> None:
        self.power, self.values, self.roundings = power, [], []

    def add(self, value: float, rounding: float) -> list[tuple[float, float, float]]:
        """Append a row for the next smaller step; its columns from 1 on as (value, spread, rounding)."""
        above, above_rounding = self.values, self.roundings
        self.values, self.roundings = [value], [rounding]
        columns = []
        for j, (old, old_rounding) in enumerate(zip(above, above_rounding, strict=True), start=1):
            weight = 1 / (RATIO ** (self.power * j) - 1)
            new = self.values[-1] + (self.values[-1] - old) * weight
            columns.append((new, max(abs(new - self.values[-1]), abs(new - old)),
                            self.roundings[-1] * (1 + weight) + old_rounding * weight))
            self.values.append(new)
            self.roundings.append(columns[-1][2])
        return columns


def measure(line: Line, f0: float, *, width: float = 1.0, given: float | None = None, rtol: float = 1e-5,
            target: float | None = None, eps: float = EPS, rows: int = ROWS) -> Slope:
    """The slope at offset 0 of `line`, where its value is `f0`, with an error bar.

    width: the first step is width / 17; pass max(|x|, 1). given: a claimed slope; the ladder ends early if it agrees,
    and goes on to look for a kink if it does not. target: relative accuracy at which to stop (rtol / 30 unless given).
    eps: relative spacing of the numbers that f returns. rows: how many steps at most, of two evaluations each.
    """
    slope = _climb_down(line, f0, width, given, rtol, rtol / 30 if target is None else target, eps, rows)
    if given is None or slope.kind not in ("smooth", "kink"):
        return slope
    if slope.kind == "smooth" and abs(given - slope.value) <= rtol * abs(slope.value) + slope.bar:
        return slope
    # Rounded values agree with each other by accident, or look bent. Before a claim is rejected, look how rough f is.
    noise = _roughness(line, f0, slope.step)
    bar = slope.bar + ROUNDING * noise / slope.step
    rough = {"kind": "noisy", "left": math.nan, "right": math.nan} if bar > 2 * slope.bar else {}
    return replace(slope, bar=bar, noise=noise, evaluations=slope.evaluations + len(PROBES), **rough)


def _climb_down(line: Line, f0: float, width: float, given: float | None, rtol: float, target: float, eps: float,
                rows: int) -> Slope:
    """Smaller and smaller steps, until the slope is known well enough, or a claim agrees, or there is no use."""
    h, evaluations, settled = width * FIRST_STEP, 0, 0
    tableau, ladder, estimates = Tableau(power=2), [], []
    while len(ladder) < rows and h > 1e-3 * width * FIRST_STEP / RATIO**ROWS:
        row, calls = _row(line, f0, h, eps)
        evaluations += calls
        if row is None:  # f is undefined there: start again closer
            tableau, ladder, estimates, settled = Tableau(power=2), [], [], 0
            h /= RATIO**2
            continue
        columns = tableau.add(row.central, row.rounding)
        ladder.append(row)
        h /= RATIO
        if not columns:
            continue
        value, spread, rounding = min(columns, key=lambda column: column[1] + ROUNDING * column[2])
        bent = _may_be_kink(ladder, rtol * max(abs(value), abs(given or 0.0)))
        now = _Estimate(value, spread, rounding, row, max(row.variation, ladder[0].variation), bent)
        estimates.append(now)
        if len(ladder) < 3:
            continue
        rounded_off = now.spread <= 2 * ROUNDING * now.rounding and row.rounding >= ladder[-2].rounding
        enough = max(target * abs(now.value), 4 * eps * ladder[0].variation)
        settled = settled + 1 if now.bar <= enough or rounded_off else 0
        if _bends_like(1, ladder, 6) and h < 1e-6 * width:
            break
        if not settled or bent:
            continue
        best = _best(estimates)
        if best.contradicts(now):
            if settled < 2 or not _bends_like(2, ladder, 4):
                continue
            best, estimates = now, [now]  # smooth at last: the larger steps skipped over something
        difference = 0.0 if given is None else abs(given - best.value)
        agrees = difference <= rtol * abs(best.value) + best.bar
        certain = settled >= 2 and not _plateau(row, ladder[0])
        if agrees or (certain and _hidden_kink(ladder) < 0.1 * difference):
            return _slope(best, best.bar, "smooth", ladder, evaluations)
    return _conclude(ladder, estimates, evaluations)


def _roughness(line: Line, f0: float, span: float) -> float:
    """How far f strays, within `span`, from any curve made of two smooth halves that meet at the point; 0 if hardly."""
    points = [(0.0, f0), *(line(span * t) for t in PROBES)]
    t, f = np.array(points).T
    if not np.isfinite(f).all():
        return 0.0
    t /= span
    curve = np.stack([np.ones_like(t), t, t**2, t**3, t**4, abs(t), t * abs(t)], axis=1)
    noise = float(abs(f - curve @ np.linalg.lstsq(curve, f)[0]).max())
    return noise if noise > 64 * EPS * abs(f).max() else 0.0


def _row(line: Line, f0: float, h: float, eps: float) -> tuple[_Row | None, int]:
    """The row for step h and the calls it took; None where f is undefined or not finite on either side."""
    up, f_up = line(h)
    if not math.isfinite(f_up):
        return None, 1
    down, f_down = line(-h)
    if not math.isfinite(f_down) or not up > 0 > down:
        return None, 2
    size = max(abs(f_up), abs(f_down))
    return _Row(h, (f_up - f_down) / (up - down), (f_up - f0) / up, (f_down - f0) / down, eps * size / (2 * h)), 2


def _may_be_kink(ladder: list[_Row], negligible: float) -> bool:
    """True if the bend is not shrinking as a smooth function's must, so that smaller steps have to be looked at."""
    before, last = (abs(row.bend) for row in ladder[-2:])
    return last > max(negligible, 4 * ROUNDING * ladder[-1].rounding) and last > 0.4 * before


def _hidden_kink(ladder: list[_Row]) -> float:
    """How large a kink the last rows leave room for: what remains of the bend without the part that falls like h."""
    a, b, c = (row.bend for row in ladder[-3:])
    return max(abs(RATIO * b - a), abs(RATIO * c - b)) / (RATIO - 1)


def _best(estimates: list[_Estimate]) -> _Estimate:
    """The narrowest bar, but a smaller step never overrules a good estimate that it contradicts: it may be noise."""
    best = estimates[0]
    for estimate in estimates[1:]:
        if best.relative > 1e-3:
            best = min(best, estimate, key=lambda e: e.relative)
        elif estimate.bar < best.bar and not estimate.bent and not best.contradicts(estimate):
            best = estimate
    return best


def _conclude(ladder: list[_Row], estimates: list[_Estimate], evaluations: int) -> Slope:
    """The ladder ended without agreement: a kink, no finite slope, noise, or a bar wider than hoped for."""
    if not estimates:
        return Slope(evaluations=evaluations)
    end = _kink(ladder)
    if end is not None:
        (left, left_bar), (right, right_bar) = (_one_sided(ladder[:end + 1], side) for side in ("left", "right"))
        if abs(right - left) > 3 * (left_bar + right_bar):
            return Slope((left + right) / 2, max(left_bar, right_bar), "kink", ladder[end].h, left, right,
                         ladder[0].variation, 0.0, evaluations)
    best = _best(estimates)
    # Steps too small for f show how rough it is: their estimates scatter about the best one by noise / h.
    noise = max((abs(e.value - best.value) * e.row.h for e in estimates if e.row.h < best.row.h), default=0.0)
    bar = best.bar + 2 * noise / best.row.h
    if _plateau(best.row, ladder[0]):
        bar, noise = ladder[0].variation, max(noise, best.row.h * RATIO * ladder[0].variation)
    if _grows([row.central for row in ladder[-5:]]) or _grows([row.bend for row in ladder[-5:]]):
        kind = "steep"
    else:
        kind = "noisy" if noise > 8 * best.row.rounding * best.row.h else "smooth"
    return _slope(best, bar, kind, ladder, evaluations, noise)


def _slope(best: _Estimate, bar: float, kind: str, ladder: list[_Row], evaluations: int, noise: float = 0.0) -> Slope:
    return Slope(best.value, bar, kind, best.row.h, variation=ladder[0].variation, noise=noise, evaluations=evaluations)


def _plateau(row: _Row, first: _Row) -> bool:
    """True if f stays the same at this step, though it moved on both sides at the first: perhaps values are rounded."""
    return row.variation == 0 < min(abs(first.left), abs(first.right))


def _bends_like(power: int, ladder: list[_Row], rows: int) -> bool:
    """True if the second difference went like h^power over the last rows (1: kink, 2: smooth), above round-off."""
    bends = [row.bend * row.h ** (1 - power) for row in ladder[-rows:]]
    return (len(bends) == rows and abs(ladder[-1].bend) > 10 * ROUNDING * ladder[-1].rounding
            and all(a and 0.6 < b / a < 1.6 for a, b in pairwise(bends)))


def _kink(ladder: list[_Row]) -> int | None:
    """Index of the smallest step at which the bend is steady, unless a smaller step shows it gone."""
    for end in range(len(ladder), 2, -1):
        if _bends_like(1, ladder[:end], 3):
            bend = abs(ladder[end - 1].bend)
            gone = any(abs(row.bend) < 0.5 * bend and ROUNDING * row.rounding < 0.05 * bend for row in ladder[end:])
            return None if gone else end - 1
    return None


def _grows(values: list[float]) -> bool:
    """True if every value is of one sign with, and clearly larger than, the one before: towards an infinite slope."""
    return len(values) > 3 and all(a and b / a > 1.3 for a, b in pairwise(values))


def _one_sided(ladder: list[_Row], side: str) -> tuple[float, float]:
    """Slope on one side of the point, extrapolated in all powers of h, with its bar."""
    tableau = Tableau(power=1)
    columns = [(spread + ROUNDING * rounding, value) for row in ladder
               for value, spread, rounding in tableau.add(getattr(row, side), 2 * row.rounding)]
    bar, value = min(columns)
    return value, bar
