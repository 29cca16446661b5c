"""What a gradient check found: a verdict for each slope in a sentence, and the report that shows them."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass

from utils.finite_differences import EPS, Slope

VERDICTS = ("fail", "unsure", "kink-ok", "pass")  # worst first
HEADS = ("where", "yours", "measured", "verdict")
SHOWN = 8  # rows of the table
FACTORS = (-1.0, 0.5, 2.0, -0.5, -2.0, 1 / 3, 3.0, 0.25, 4.0)


@dataclass(frozen=True)
class Entry:
    """One slope: where, the gradient that was given (`yours`), what was measured +- `bar`, and the verdict on it.

    At a kink `left` and `right` are the one-sided slopes, and nan elsewhere. `step` is the smallest step relied on.
    """

    where: str
    yours: float
    measured: float
    bar: float
    verdict: str
    sentence: str
    left: float = math.nan
    right: float = math.nan
    step: float = 0.0


@dataclass(frozen=True, repr=False)
class Report:
    """The result of a check. True only if `verdict` is "pass".

    verdict: "pass"; "fail": a gradient is wrong; "kink-ok": f has a kink here and the gradient lies between the slopes
    on its two sides; "unsure": the slope could not be measured well enough to say.
    entries: one for each slope that was compared. evaluations: how often f was called.
    """

    verdict: str
    sentence: str
    entries: tuple[Entry, ...]
    evaluations: int

    def __bool__(self) -> bool:
        return self.verdict == "pass"

    @property
    def worst(self) -> Entry:
        """The entry with the worst verdict, and among those the largest error in units of the slope."""
        return self._sorted()[0]

    def _sorted(self) -> list[Entry]:
        return sorted(self.entries, key=lambda e: (VERDICTS.index(e.verdict), -_relative_error(e)))

    def _rows(self) -> tuple[list[tuple[str, ...]], list[str]]:
        """The table's cells, worst rows first unless all pass, and a line on the rows left out, if any."""
        entries = list(self.entries) if self.verdict == "pass" else self._sorted()
        rows = [(e.where, f"{e.yours + 0.0:.10g}", _measured(e), e.verdict) for e in entries[:SHOWN]]
        return rows, [f"... and {len(entries) - SHOWN} more"] if len(entries) > SHOWN else []

    def __repr__(self) -> str:
        rows, rest = self._rows()
        table = [HEADS, *rows]
        widths = [max(len(row[i]) for row in table) for i in range(4)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
        return "\n  ".join([f"{self.verdict}: {self.sentence} ({self.evaluations} evaluations of f)", *lines, *rest])

    def _repr_html_(self) -> str:
        rows, rest = self._rows()
        def line(tag: str, cells: tuple[str, ...]) -> str:
            inner = "".join(f"<{tag} style='text-align: left'>{html.escape(cell)}</{tag}>" for cell in cells)
            return f"<tr>{inner}</tr>"

        lines = line("th", HEADS) + "".join(line("td", row) for row in rows)
        return (f"<p><strong>{self.verdict}</strong>: {html.escape(self.sentence)} "
                f"({self.evaluations} evaluations of f)</p><table>{lines}</table>{''.join(rest)}")


def report(entries: list[Entry], evaluations: int) -> Report:
    """The report on these slopes: its verdict is the worst of theirs."""
    verdict = next(v for v in VERDICTS if any(e.verdict == v for e in entries))
    worst = Report(verdict, "", tuple(entries), evaluations).worst
    count = sum(e.verdict == verdict for e in entries)
    if verdict == "pass":
        sentence = f"{'the gradient agrees' if count == 1 else f'{count} gradients agree'} with the measured slopes"
    else:
        sentence = f"{worst.where}: {worst.sentence}"
        if count > 1:
            sentence += f"; {count} of {len(entries)} slopes: {verdict}"
    return Report(verdict, sentence, tuple(entries), evaluations)


def judge(slope: Slope, given: float, rtol: float = 1e-5) -> str:
    """The verdict on `given`, a claimed slope, in view of the one measured; `rtol` is the relative error let pass."""
    if not math.isfinite(given):
        return "fail"
    if slope.kind == "kink":
        low, high = sorted((slope.left, slope.right))
        margin = slope.bar + rtol * max(abs(low), abs(high))
        return "kink-ok" if low - margin <= given <= high + margin else "fail"
    if slope.kind in ("edge", "steep"):
        return "unsure"
    difference, size = abs(given - slope.value), abs(slope.value)
    tiny = 8 * EPS * slope.variation  # what an engine's own rounding may leave of a slope that is 0
    resolved = slope.bar <= max(3 * rtol * size, 1e-7 * slope.variation)
    resolved = resolved or (slope.kind == "smooth" and slope.variation <= slope.bar)  # as flat as float64 shows
    if difference <= rtol * size + slope.bar + tiny:
        return "pass" if resolved else "unsure"
    trusted = slope.bar <= 1e-3 * max(size, slope.variation)
    return "fail" if trusted and difference > rtol * size + 2 * slope.bar + tiny else "unsure"


def entry(where: str, yours: float, slope: Slope, rtol: float, trouble: str = "") -> Entry:
    """The verdict on `yours` as an entry; `trouble` tells what happened where f was undefined."""
    verdict = judge(slope, yours, rtol)
    return Entry(where, yours, slope.value, slope.bar, verdict, explain(yours, slope, verdict, trouble), slope.left,
                 slope.right, slope.step)


def explain(yours: float, slope: Slope, verdict: str, trouble: str) -> str:
    """One sentence: what the verdict rests on, and for a failure how yours differs."""
    measured = _with_bar(slope.value, slope.bar)
    if not math.isfinite(yours):
        return f"yours is {yours}, not a finite number; f's slope is {measured}"
    if slope.kind == "kink":
        sides = f"f has a kink here: its slope is {slope.left:.7g} on the left and {slope.right:.7g} on the right"
        return f"{sides}; yours, {yours:.7g}, {'lies between' if verdict == 'kink-ok' else 'is outside'}"
    if slope.kind == "edge":
        return f"f cannot be evaluated on both sides of this point ({trouble}): check at a point further inside"
    if slope.kind == "steep":
        return "the slope grows without end as the step shrinks (a jump, a pole, a vertical tangent): check elsewhere"
    if verdict == "pass":
        return f"yours agrees with the measured slope, {measured}"
    if verdict == "unsure":
        why = (f"f is rough: its values scatter by {slope.noise:.0e}. Does it round, or compute in float32?"
               if slope.kind == "noisy" else "round-off, or detail too fine for the steps, hides the rest")
        return f"the slope could be measured to {measured} only, too coarse to judge {yours:.10g}; {why}"
    ratio = yours / slope.value if slope.value else math.inf
    factor = next((f for f in FACTORS if abs(ratio / f - 1) < 1e-4), None)
    if yours == 0:
        how = "no gradient arrives here"
    elif factor is not None:
        how = f"yours is {factor:.4g} times that"
    else:
        how = f"yours is off by {abs(yours - slope.value):.3g}"
    return f"yours is {yours:.10g}, but the measured slope is {measured}: {how}"


def _measured(e: Entry) -> str:
    if not math.isnan(e.left):
        return f"{e.left:.7g} left, {e.right:.7g} right"
    return _with_bar(e.measured, e.bar)


def _with_bar(value: float, bar: float) -> str:
    """A slope to the digits that its bar leaves, at most ten."""
    if not math.isfinite(bar):
        return "not measured"
    digits = math.floor(math.log10(abs(value) / bar)) + 1 if value and bar else 10
    return f"{value + 0.0:.{min(max(digits, 1), 10)}g} +- {bar:.0e}"


def _relative_error(e: Entry) -> float:
    if not math.isfinite(e.yours):
        return math.inf
    error = abs(e.yours - e.measured) / max(abs(e.measured), abs(e.yours), 5e-324)
    return 0.0 if math.isnan(error) else error
