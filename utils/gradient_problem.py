"""What a gradient checker is given, made uniform: f as a function of one flat vector, and the gradient claimed."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from utils.finite_differences import EPS, Line, Slope, measure
from utils.gradient_inputs import as_factor, is_tensor, is_value, label_of, read_array, read_leaf, read_output, short

IMAGINARY_STEP = 1e-20


class GradientCheckError(Exception):
    """f cannot be checked: it is random, changes its input, cuts the graph, or fails next to the given point."""


class Problem:
    """f at x: `point` and `names` have one entry for each number that can vary; `line` and `slope` look around `point`.

    f may return several numbers; they are weighted with a random `cotangent`, so that f has one value, `f0` at `point`.
    """

    def __init__(self, f: Callable, x: Any, *, value: type | None = None, seed: int = 0, stem: str = "") -> None:
        if not callable(f):
            raise TypeError(f"f is {short(f)} ({type(f).__name__}); expected a function")
        self.f, self.several, self.evaluations, self.trouble = f, isinstance(x, (list, tuple)), 0, ""
        items = list(x) if self.several else [x]
        if not items:
            raise ValueError("x is empty; give at least one number to vary")
        slots, star, needed = _parameters(f)
        # A list is spread over f(*xs) or handed whole to f(xs); a list of one may mean either: f(x) is tried first.
        self.spread = not self.several or bool(star) or needed != 1 or len(items) == 1
        if not self.several:
            titles = [slots[0] if slots else "x"]
        elif self.spread and len(slots) >= len(items):
            titles = slots[:len(items)]
        else:
            titles = [f"{stem or star or (slots or ['x'])[0]}[{i}]" for i in range(len(items))]
        self.leaves = [read_leaf(item, title, value) for item, title in zip(items, titles, strict=True)]
        self.titles = titles if stem else [label_of(item) or title for item, title in zip(items, titles, strict=True)]
        ends = np.cumsum([leaf.data.size for leaf in self.leaves]).tolist()
        self.parts = [slice(start, end) for start, end in pairwise([0, *ends])]
        self.point = np.concatenate([leaf.data.ravel() for leaf in self.leaves])
        self.args, self.out = self._first_call(either=self.several and len(items) == 1 and not star)
        self.names = [title + (f"[{', '.join(map(str, index))}]" if index else "")
                      for title, leaf in zip(self.titles, self.leaves, strict=True)
                      for index in np.ndindex(leaf.data.shape)]
        numbers, self.eps, self.shape = read_output(self.out)
        if not numbers.size or not np.isfinite(numbers).all():
            raise ValueError(f"f returned {short(self.out)} at the given point; expected finite numbers. "
                             "Try another point")
        draw = np.random.default_rng(seed).standard_normal(numbers.size)
        self.cotangent = draw if numbers.size > 1 else np.ones(1)
        self.f0 = float(self.cotangent @ numbers)
        self._distrust()

    def _first_call(self, either: bool) -> tuple[Any, Any]:
        """The inputs and what f makes of them; `either`: hand over the list whole if f cannot take its only item."""
        args = self._build(self.point)
        try:
            return args, self._call(args)
        except Exception as error:
            if either and isinstance(error, (TypeError, AttributeError, IndexError)):
                self.spread, whole = False, self._build(self.point)
                try:
                    out = self._call(whole)
                    self.titles = [f"{title}[0]" for title in self.titles]
                    return whole, out
                except Exception:
                    self.spread = True  # the first error is the one that tells
            error.add_note("f raised this at the given point itself: call f there on its own first." + (
                " Tensors are handed to it in float64: are f's own too (model.double())?"
                if any(leaf.kind == "tensor" for leaf in self.leaves) else ""))
            raise

    def _distrust(self) -> None:
        """Raise GradientCheckError if f changed its input, or does not give the same answer again."""
        arrays = [read_array(arg, "an input of f") for arg in self.args]
        same = len(arrays) == len(self.leaves)
        for i, leaf in enumerate(self.leaves):
            if not same or arrays[i].shape != leaf.data.shape or (arrays[i] != leaf.data).any():
                before, after = ([a.tolist() for a in some] for some in ([leaf.data for leaf in self.leaves], arrays))
                raise GradientCheckError(f"f changes its input: it was {short(before)} and is {short(after)} after the "
                                         "call. Work on a copy in f")
        again = self.number(self.point)
        if abs(again - self.f0) > 1e-12 * abs(self.f0):
            raise GradientCheckError(f"f is random: two calls at the same point gave {self.f0!r} and {again!r}. "
                                     "Draw the random numbers outside f, or set the seed inside it")

    def _build(self, theta: np.ndarray) -> list[Any]:
        return [leaf.make(theta[part].reshape(leaf.data.shape))
                for leaf, part in zip(self.leaves, self.parts, strict=True)]

    def _call(self, args: list[Any]) -> Any:
        self.evaluations += 1
        with np.errstate(all="ignore"):
            return self.f(*args) if self.spread else self.f(args)

    def number(self, theta: np.ndarray) -> float:
        """The value of f at `theta`, its outputs weighted with the cotangent."""
        numbers, _, shape = read_output(self._call(self._build(theta)))
        if shape != self.shape:
            raise GradientCheckError(f"f returned shape {self.shape} at the given point and {shape} next to it")
        return float(self.cotangent @ numbers)

    def line(self, direction: np.ndarray) -> Line:
        """f along `direction`, of norm 1, as `measure` wants it: nan where f is undefined."""
        def at(offset: float) -> tuple[float, float]:
            theta = self.point + offset * direction
            taken = float((theta - self.point) @ direction)
            try:
                return taken, self.number(theta)
            except (ArithmeticError, ValueError) as error:
                self.trouble = f"{type(error).__name__}: {error}, a step of {offset:+.1g} away"
                return taken, math.nan
            except GradientCheckError:
                raise
            except Exception as error:
                raise GradientCheckError(f"f raised {type(error).__name__}: {error}, a step of {offset:+.1g} from the "
                                         f"given point, at {short(theta.tolist())}, but not at the point") from error
        return at

    def slope(self, i: int, given: float | None = None, rtol: float = 1e-5, target: float | None = None) -> Slope:
        """The measured slope in coordinate i; `given`, `rtol` and `target` as in `measure`."""
        self.trouble = "it is infinite or nan there"
        width = max(abs(float(self.point[i])), 1.0)
        return measure(self.line(self._unit(i)), self.f0, width=width, given=given, rtol=rtol, target=target,
                       eps=self.eps)

    def central(self, i: int, h: float) -> float:
        """(f(x + h) - f(x - h)) / 2h in coordinate i, with the steps as rounded; nan where f is undefined."""
        line = self.line(self._unit(i))
        (up, high), (down, low) = line(h), line(-h)
        if up == down:
            raise ValueError(f"h = {h:g} is lost in {self.names[i]} = {self.point[i]:g}; give a larger step")
        return (high - low) / (up - down)

    def complex_slope(self, i: int) -> Slope:
        """Im f(x + ih) / h in coordinate i, compared with a central difference because f may not be analytic."""
        if any(leaf.kind not in ("number", "array") for leaf in self.leaves):
            raise TypeError("method='complex' is for functions of numbers or NumPy arrays; leave it out for others")
        try:
            out = self._call(self._build(self.point + IMAGINARY_STEP * 1j * self._unit(i)))
        except TypeError as error:
            raise GradientCheckError(f"f does not take complex numbers ({error}): use NumPy's functions in it, np.sin "
                                     "for math.sin, or leave out method='complex'") from error
        value = float(np.imag(self.cotangent @ np.ravel(out))) / IMAGINARY_STEP
        real = self.central(i, 1e-5 * max(abs(float(self.point[i])), 1.0))
        if abs(value - real) > 1e-2 * (abs(value) + abs(real)) + 1e-9 * abs(self.f0):
            raise GradientCheckError(f"f answers a complex step with slope {value:g} and a real one with {real:g}: it "
                                     "is not analytic. abs, max, .real and comparisons lose the imaginary part")
        return Slope(value, 16 * EPS * abs(value), "smooth", IMAGINARY_STEP, variation=abs(value))

    def _unit(self, i: int) -> np.ndarray:
        unit = np.zeros_like(self.point)
        unit[i] = 1.0
        return unit

    def gradient(self, grad: Any = None, vjp: Callable | None = None, leaves: Sequence[Any] = ()) -> np.ndarray:
        """The claimed gradient, flat: from `grad`, from `vjp`, or else from backward() into `leaves` (f's inputs)."""
        if grad is not None and vjp is not None:
            raise TypeError("both grad and vjp are given; give one of them")
        if vjp is not None:
            weights = self.cotangent.reshape(self.shape)
            return self._flat(vjp(as_factor(self.out, weights) if self.shape else 1.0), "the result of vjp", ())
        if callable(grad):
            args = self._build(self.point)
            grad = grad(*args) if self.spread else grad(args)
        if grad is not None:
            return self._flat(grad, "grad", self.shape)
        for name, leaf in zip(self.titles, self.leaves, strict=True):
            if leaf.kind in ("number", "array"):
                raise TypeError(f"there is no gradient to check: {name} is a plain {leaf.kind}, without a backward(). "
                                "Give the gradient, check_gradients(f, x, grad), or wrap the inputs in your Value")
        self._backward()
        return self._flat([leaf.grad for leaf in leaves or self.args], "grad after backward()", (), several=True)

    def _backward(self) -> None:
        root, at = None, 0
        for part in self.out if isinstance(self.out, (list, tuple)) else [self.out]:
            numbers, _, shape = read_output(part)
            weights, at = self.cotangent[at:at + numbers.size], at + numbers.size
            if not is_value(part) and not (is_tensor(part) and part.requires_grad):
                continue  # a constant
            term = part if len(self.cotangent) == 1 else part * as_factor(part, weights.reshape(shape))
            term = term.sum() if shape else term
            root = term if root is None else root + term
        if root is None:
            raise GradientCheckError(f"f returned {short(self.out)} ({type(self.out).__name__}), which no graph leads "
                                     "to: compute it from f's inputs and return the Value or tensor, not its .data")
        try:
            root.backward()
        except Exception as error:
            error.add_note("backward() raised this, called on the result of f.")
            raise

    def _flat(self, grad: Any, what: str, out_shape: tuple[int, ...], several: bool = False) -> np.ndarray:
        """`grad` as a flat vector, checked against the shapes of x; a Jacobian is contracted with the cotangent."""
        listed = isinstance(grad, (list, tuple)) or (isinstance(grad, np.ndarray) and grad.ndim > 0)
        items = list(grad) if (self.several or several) and listed else [grad]
        if len(items) != len(self.leaves):
            raise ValueError(f"{what} has {len(items)} parts and x has {len(self.leaves)}; expected one for each")
        flat = []
        for item, leaf, title in zip(items, self.leaves, self.titles, strict=True):
            array = np.zeros(out_shape + leaf.data.shape) if item is None else read_array(item, what, integers=True)
            if array.shape == leaf.data.shape and len(self.cotangent) == 1:
                flat.append(array.ravel())
            elif array.shape == out_shape + leaf.data.shape:
                flat.append(self.cotangent @ array.reshape(len(self.cotangent), -1) if out_shape else array.ravel())
            else:
                raise ValueError(f"{what} has shape {array.shape} for {title}; expected {out_shape + leaf.data.shape}, "
                                 f"the shape of {'the output, then that of ' if out_shape else ''}the input")
        return np.concatenate(flat)

    def shaped(self, flat: np.ndarray) -> Any:
        """A flat vector in the form of x: numbers for numbers and scalar Values, arrays and tensors for theirs."""
        parts = [as_factor(arg, flat[part].reshape(leaf.data.shape))
                 for leaf, arg, part in zip(self.leaves, self.args, self.parts, strict=True)]
        return parts if self.several else parts[0]


def _parameters(f: Callable) -> tuple[list[str], str, int]:
    """The names of f's positional parameters, of its *args, and how many it needs (2, so several, if it hides them)."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return [], "", 2
    slots = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    star = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "")
    return [p.name for p in slots], star, sum(p.default is p.empty for p in slots)
