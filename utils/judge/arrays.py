"""Arrays as the judge reads them from a report, writes them as code, and compares them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from utils.judge.engine import shown
from utils.judge.worker import unpack

ABSOLUTE = 1e-12
FLOAT32 = 1e-5              # what single precision leaves of a number
HUGE = 1e6                  # times what is right: no slip in a factor, but growth
SMALL = 16                  # entries: an array that is shown whole


@dataclass(frozen=True)
class Mismatch:
    """Where a report is not what was expected: the quantity, its two values as text, and a sentence."""

    quantity: str
    yours: str
    expected: str
    detail: str | None = None


def as_array(report) -> np.ndarray | None:
    """A reported array, list of numbers or number as an array; None for anything else."""
    if isinstance(report, dict) and "array" in report:
        return unpack(report)
    if isinstance(report, bool | int | float | list):
        try:
            values = np.array(report)
        except ValueError:          # lists of unequal length
            return None
        return values if values.dtype.kind in "biuf" else None
    return None


def mismatch(quantity: str, report, expected, loose: bool = False, tolerance: float = 1e-6) -> Mismatch | None:
    """What is wrong with a report of `quantity`, or None. `loose`: axes of length 1 may be there or not.

    Entries are compared up to `tolerance` of the expected one, and of the largest one for rounding in sums; with an
    infinite tolerance, they only have to be finite.
    """
    expected = np.asarray(expected, dtype=float)
    yours = as_array(report)
    if yours is None:
        return Mismatch(quantity, _what(report), _sort(expected), _no_array(quantity, report, expected))
    if (expected.ndim == 0 and yours.size == 1) or (loose and _bare(yours) == _bare(expected)):
        yours = yours.reshape(expected.shape)
    if yours.shape != expected.shape:
        return Mismatch(f"{quantity}.shape", str(yours.shape), str(expected.shape), _all(quantity, yours, expected))
    largest = np.abs(expected).max(initial=0.0)
    if tolerance == np.inf:
        off = ~np.isfinite(yours)
    else:
        allowed = tolerance * np.abs(expected) + 1e-3 * tolerance * largest + ABSOLUTE
        off = ~(np.abs(yours - expected) <= allowed)        # nan is off
    if not off.any():
        return None
    place = tuple(int(i) for i in np.argwhere(off)[0])
    entry = f"{quantity}[{', '.join(map(str, place))}]" if place else quantity
    detail = " ".join(filter(None, (_symptom(yours, expected, largest), _all(quantity, yours, expected)))) or None
    return Mismatch(entry, shown(yours[place].item()), shown(expected[place].item()), detail)


def _symptom(yours: np.ndarray, expected: np.ndarray, largest: float) -> str | None:
    """What sort of wrong it is, where the numbers by themselves tell."""
    if not np.isfinite(yours).all():
        return ("A nan or inf comes from a division by 0, a logarithm of 0, or steps that grew without bound. "
                "Print the values before it, one after the other.")
    if np.abs(yours).max() > HUGE * max(largest, 1.0):
        return ("More than a million times too large: where steps are repeated they diverge, each overshooting by more "
                "than the one before.")
    if np.all(np.abs(yours - expected) <= FLOAT32 * (np.abs(expected) + largest)):
        if yours.dtype.itemsize < 8:
            return f"Your numbers are right to seven digits: they are {yours.dtype}, and the inputs were float64."
        return ("Nearly right: off by less than 1 part in 100,000, as after a detour through float32, or with a small "
                "constant added.")
    return None


def alike(one, other) -> bool:
    """Whether two reports say the same, numbers up to rounding."""
    mine, theirs = as_array(one), as_array(other)
    if mine is None or theirs is None:
        return type(one) is type(other) and _kind(one) == _kind(other)
    return mine.shape == theirs.shape and np.allclose(mine, theirs, rtol=1e-7, atol=1e-9, equal_nan=True)


def literal(values) -> str:
    """An array as code: np.array([[1.5, -2.0], [0.1, 3.0]])."""
    values = np.asarray(values)
    kind = "" if values.dtype in (np.float64, np.int64) else f", dtype=np.{values.dtype}"
    return f"np.array({_nested(values)}{kind})"


def _nested(values: np.ndarray) -> str:
    if values.ndim == 0:
        return shown(values.item()) if isinstance(values.item(), int) else f"{values.item():.10g}"
    return f"[{', '.join(_nested(row) for row in values)}]" if values.ndim > 1 else str([_entry(v) for v in values])


def _entry(value):
    return float(f"{value.item():.10g}") if isinstance(value.item(), float) else value.item()


def _bare(values: np.ndarray) -> tuple[int, ...]:
    return tuple(n for n in values.shape if n != 1)


def _kind(report):
    return (report.get("absent"), report.get("other")) if isinstance(report, dict) else report


def _what(report) -> str:
    return "None" if report is None else shown(report)


def _sort(expected: np.ndarray) -> str:
    return f"an array of shape {expected.shape}" if expected.ndim else "a number"


def _no_array(quantity: str, report, expected: np.ndarray) -> str:
    if isinstance(report, dict) and "absent" in report:
        return f"`{quantity}` does not exist: the brief asks for an attribute `{report['absent']}`."
    cure = " Does it return its result?" if report is None else ""
    return f"`{quantity}` should be {_sort(expected)}; it is {_what(report)}.{cure}"


def _all(quantity: str, yours: np.ndarray, expected: np.ndarray) -> str | None:
    """Both arrays whole, where they are small and there is more to see than one entry."""
    if max(yours.size, expected.size) > SMALL or max(yours.size, expected.size) < 2:
        return None
    return f"All of `{quantity}`: yours `{_rounded(yours)}`, expected `{_rounded(expected)}`."


def _rounded(values: np.ndarray) -> str:
    if values.ndim == 0:
        return f"{values.item():.4g}"
    return f"[{', '.join(_rounded(row) for row in values)}]"
