"""Is this gradient right? Measure the slopes of f with nothing but its values, and compare.

    check_gradients(lambda a, b: a * b + a, [Value(2.0), Value(3.0)])   runs your backward(), judges every leaf's grad
    check_gradients(f, x, grad)                                         judges a gradient that you worked out
    check_many(loss_fn, model.parameters())                             a whole model in about 30 evaluations
    numerical_gradient(f, x)                                            measures only

f takes numbers, `Value`s, NumPy arrays or torch tensors, as f(x) or as f(*xs); a list x is handed over whole if f has
one parameter. How a slope and its error bar are measured: utils/finite_differences.py; when a gradient counts as right:
`judge` in utils/gradient_report.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from utils.finite_differences import Slope, measure
from utils.gradient_inputs import is_tensor, is_value
from utils.gradient_problem import GradientCheckError, Problem
from utils.gradient_report import Entry, Report, entry, explain, report

ENTRIES = 100              # more slopes than this are checked along random directions first
DIRECTIONS = 2
FINER = 1e-5               # along a direction rtol times this: one wrong slope among hundreds hardly shows
DIRECTION_ROWS = 7         # 14 evaluations
METHODS = ("adaptive", "complex")


def numerical_gradient(f: Callable, x: Any, h: float | None = None, *, method: str = "adaptive") -> Any:
    """The gradient of a scalar function f at x, measured; numbers, arrays and lists in the form of x.

    method "adaptive" searches the step and extrapolates; "complex" is Im f(x + ih) / h with h = 1e-20, right to the
    last digits for analytic f of numbers or NumPy arrays (W. Squire and G. Trapp, SIAM Review 40 (1998) 110-112).
    With a step h: the plain central difference (f(x + h) - f(x - h)) / 2h, whatever its error.
    At a kink the mean of both one-sided slopes. Raises GradientCheckError where there is no finite slope.
    """
    if h is not None and not (isinstance(h, (int, float)) and 0 < h < math.inf):
        raise ValueError(f"h is {h!r}; expected a positive step such as 1e-5, or no h to have it searched")
    _known(method)
    problem = Problem(f, x)
    if len(problem.cotangent) > 1:
        raise TypeError(f"f returned {len(problem.cotangent)} numbers; expected one. Sum its result or take one entry, "
                        "or use check_gradients, which weights array outputs with a random cotangent")
    slopes = []
    for i, name in enumerate(problem.names):
        if h is not None:
            slopes.append(problem.central(i, h))
            continue
        slope = problem.slope(i, target=1e-11) if method == "adaptive" else problem.complex_slope(i)
        if slope.kind in ("edge", "steep"):
            raise GradientCheckError(f"{name}: {explain(0.0, slope, 'unsure', problem.trouble)}")
        # Digits that the bar does not cover are not measured: round them off.
        slopes.append(round(slope.value, math.floor(-math.log10(slope.bar))) if slope.bar else slope.value)
    return problem.shaped(np.array(slopes))


def check_gradients(f: Callable, x: Any, grad: Any = None, *, vjp: Callable | None = None, value: type | None = None,
                    rtol: float = 1e-5, method: str = "adaptive", seed: int = 0) -> Report:
    """Compare a gradient of f at x with measured slopes; the report is true only if every slope agrees.

    grad: the gradient in the form of x, or a function of x that returns it; for an array output the Jacobian, of shape
    output shape + x shape. Without it, x holds Values or tensors, and backward() of f's result gives the gradient.
    vjp: instead of grad, a function from a cotangent (dL/d output) to dL/dx: a layer's backward, called after f(x).
    value: a class to wrap the numbers in x with. rtol: relative error to let pass. method: see numerical_gradient.
    seed: draws the cotangent that weights an array output into one number, and the directions for a large x.
    Raises TypeError or ValueError for inputs that cannot be checked, GradientCheckError for such functions.
    """
    _known(method)
    problem = Problem(f, x, value=value, seed=seed)
    yours = problem.gradient(grad, vjp)
    rtol = max(rtol, 1e3 * problem.eps)
    if len(yours) > ENTRIES and method == "adaptive":
        return _along_directions(problem, yours, rtol, seed)
    entries = []
    for i, given in enumerate(yours.tolist()):
        finite = given if math.isfinite(given) else None
        slope = problem.slope(i, finite, rtol) if method == "adaptive" else problem.complex_slope(i)
        entries.append(entry(problem.names[i], given, slope, rtol, problem.trouble))
    return report(entries, problem.evaluations)


def check_many(loss_fn: Callable[[], Any], parameters: Sequence[Any], *, rtol: float = 1e-5, seed: int = 0) -> Report:
    """Check backward() of a whole model: two random directions first, then bisection to a faulty parameter.

    loss_fn takes no argument and builds the loss from `parameters`, Values (or float64 tensors) whose .data can be set.
    About 30 evaluations say "pass", at most 350 name a wrong parameter. Data and grad of the parameters are put back.
    """
    leaves = list(parameters)
    if not leaves or not all(is_value(p) or is_tensor(p) for p in leaves):
        raise TypeError("parameters is empty or holds something else than Values; pass model.parameters()")
    if any(is_tensor(p) and p.element_size() < 8 for p in leaves):
        raise TypeError("the parameters are coarser than float64, too coarse to check; call model.double() first")
    kept = [(p.data, p.grad) for p in leaves]

    def loss(*fresh: Any) -> Any:
        for p, new in zip(leaves, fresh, strict=True):
            p.data, p.grad = new.data, new.grad
        out = loss_fn()
        for i, (p, new) in enumerate(zip(leaves, fresh, strict=True)):
            if np.any(np.asarray(p.data) != np.asarray(new.data)):
                raise GradientCheckError(f"loss_fn changes parameters[{i}]: it must compute the loss, without a step")
        return out

    try:
        problem = Problem(loss, leaves, stem="parameters")
        return _along_directions(problem, problem.gradient(leaves=leaves), rtol, seed)
    finally:
        for p, (data, grad) in zip(leaves, kept, strict=True):
            p.data, p.grad = data, grad


def _along_directions(problem: Problem, yours: np.ndarray, rtol: float, seed: int) -> Report:
    """Compare slopes along random directions d, where the gradient g promises g . d; where they differ, look closer."""
    if not np.isfinite(yours).all():
        i = int(np.argmin(np.isfinite(yours)))
        return report([entry(problem.names[i], float(yours[i]), problem.slope(i), rtol)], problem.evaluations)
    rng = np.random.default_rng(seed)
    entries = []
    for number in range(1, DIRECTIONS + 1):
        direction = rng.choice([-1.0, 1.0], len(yours)) * rng.uniform(0.5, 1.5, len(yours))
        direction /= np.linalg.norm(direction)
        where, promised = f"direction {number} of {DIRECTIONS}", float(yours @ direction)
        gap, bar, slope = _gap(problem, yours, direction, rtol)
        if not abs(gap) > 3 * bar:  # or it is nan, and then the entry says why
            entries.append(entry(where, promised, slope, rtol, problem.trouble))
            continue
        i, alone = _locate(problem, yours, direction, gap, bar, rtol)
        given, fine = float(yours[i]), 1e-3 * rtol
        found = entry(problem.names[i], given, problem.slope(i, given, fine), fine, problem.trouble)
        if found.verdict == "pass":
            lost = "the slope in this direction is not what the gradient promises, but no single slope shows it"
            found = Entry(where, promised, slope.value, slope.bar, "unsure", lost, step=slope.step)
        elif alone:
            found = replace(found, sentence=f"{found.sentence}; no other seems wrong")
        else:
            found = replace(found, sentence=f"{found.sentence}; others are wrong too")
        return report([found], problem.evaluations)
    return report(entries, problem.evaluations)


def _locate(problem: Problem, yours: np.ndarray, direction: np.ndarray, gap: float, bar: float,
            rtol: float) -> tuple[int, bool]:
    """Index of a slope that explains the gap along `direction`, by bisection, and whether it explains it alone.

    Slopes add up: what the left half of the coordinates does not explain is the right half's, without measuring that.
    """
    suspects, alone = np.arange(len(yours)), True
    while len(suspects) > 1:
        left, right = np.array_split(suspects, 2)
        part = np.zeros_like(direction)
        part[left] = direction[left]
        left_gap, left_bar, _ = _gap(problem, yours, part, rtol)
        halves = [(left, left_gap, left_bar), (right, gap - left_gap, bar + left_bar)]
        halves.sort(key=lambda half: abs(half[1]))
        (_, other_gap, other_bar), (suspects, gap, bar) = halves
        alone = alone and abs(other_gap) <= 3 * other_bar
    return int(suspects[0]), alone


def _gap(problem: Problem, yours: np.ndarray, direction: np.ndarray, rtol: float) -> tuple[float, float, Slope]:
    """Promised minus measured slope along `direction`, how far that can be trusted, and the measurement."""
    norm = float(np.linalg.norm(direction))
    promised = float(yours @ direction)
    slope = measure(problem.line(direction / norm), problem.f0, given=promised / norm, rtol=FINER * rtol,
                    target=0.1 * FINER * rtol, eps=problem.eps, rows=DIRECTION_ROWS)
    slack = 16 * problem.eps * math.sqrt(len(yours)) * float(np.abs(yours * direction).sum())  # round-off in `promised`
    return promised - slope.value * norm, slope.bar * norm + slack, slope


def _known(method: str) -> None:
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
