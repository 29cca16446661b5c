"""What a gradient checker may be given and what f may return: numbers, `Value`s, arrays, tensors, read as float64."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.finite_differences import EPS

EXPECTED = "expected a number, a Value, a NumPy array or torch tensor of floats, or a list of these"


@dataclass(frozen=True)
class Leaf:
    """One input of f: its numbers as a float64 array, and how to make such an input from another array."""

    kind: str  # number, array, tensor or value
    data: np.ndarray
    make: Callable[[np.ndarray], Any]


def is_tensor(x: Any) -> bool:
    torch = sys.modules.get("torch")  # whoever holds a tensor has imported it
    return torch is not None and isinstance(x, torch.Tensor)


def is_value(x: Any) -> bool:
    return not is_tensor(x) and all(hasattr(x, name) for name in ("data", "grad", "backward"))


def as_factor(x: Any, array: np.ndarray) -> Any:
    """`array` as a factor for x: a tensor for a tensor, a float where x is one number."""
    if is_tensor(x):
        return sys.modules["torch"].tensor(array, dtype=x.dtype, device=x.device)
    return array if array.ndim else float(array)


def read_leaf(x: Any, name: str, value: type | None) -> Leaf:
    data = read_array(x, name)
    if not data.size:
        raise ValueError(f"{name} has no elements (shape {data.shape}); give at least one number to vary")
    if not np.isfinite(data).all():
        raise ValueError(f"{name} holds {data[~np.isfinite(data)].flat[0]}; expected finite numbers only")
    if is_tensor(x):
        torch, device = sys.modules["torch"], x.device
        return Leaf("tensor", data, lambda a: torch.tensor(a, dtype=torch.float64, device=device, requires_grad=True))
    if is_value(x) or value is not None:
        cls = type(x) if is_value(x) else value
        return Leaf("value", data, lambda a: cls(a.copy() if a.ndim else a.item()))
    if isinstance(x, np.ndarray):
        return Leaf("array", data, np.copy)
    return Leaf("number", data, lambda a: a.item())


def read_array(x: Any, name: str, integers: bool = False) -> np.ndarray:
    """The numbers of x as float64; TypeError, with what was given and expected, for anything but real numbers."""
    if is_tensor(x):
        if not (x.is_floating_point() or integers):
            raise TypeError(f"{name} is a tensor of {x.dtype}; a step would be rounded away. Pass x.double()")
        return x.detach().cpu().double().numpy()
    if is_value(x):
        return read_array(x.data, f"{name}.data", integers)
    if isinstance(x, np.ndarray):
        if x.dtype.kind not in ("fiu" if integers else "f"):
            raise TypeError(f"{name} is an array of {x.dtype}; expected floats, as small steps are lost in others. "
                            "Pass x.astype(float)")
        return x.astype(np.float64)
    if isinstance(x, (int, float, np.floating, np.integer)) and not isinstance(x, bool):
        return np.array(float(x))
    if isinstance(x, (list, tuple)) and integers:
        return np.array([read_array(item, name, integers) for item in x])
    advice = "; write np.array(...) for a table of numbers" if isinstance(x, (list, tuple)) else ""
    raise TypeError(f"{name} is {short(x)} ({type(x).__name__}); {EXPECTED}{advice}")


def read_output(out: Any) -> tuple[np.ndarray, float, tuple[int, ...]]:
    """What f returned: its numbers, their relative spacing, and the shape they came in."""
    if is_value(out):
        return read_output(out.data)
    if is_tensor(out):
        eps = sys.modules["torch"].finfo(out.dtype).eps if out.is_floating_point() else EPS
        return out.detach().cpu().double().numpy().ravel(), max(eps, EPS), tuple(out.shape)
    if isinstance(out, (list, tuple)) and out:
        parts = [read_output(item) for item in out]
        numbers = np.concatenate([part[0] for part in parts])
        return numbers, max(part[1] for part in parts), (numbers.size,)
    if out is None:
        raise TypeError("f returned None; does it end with `return`?")
    array = np.asarray(out)
    if array.dtype.kind == "c":
        raise ValueError(f"f returned the complex number {short(out)}; expected a real one")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"f returned {short(out)} ({type(out).__name__}); expected a number, a Value, an array or a "
                        "tensor")
    eps = float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else EPS
    return array.astype(np.float64).ravel(), max(eps, EPS), array.shape


def label_of(x: Any) -> str:
    label = getattr(x, "label", "") if is_value(x) else ""
    return label if isinstance(label, str) else ""


def short(x: Any) -> str:
    text = repr(x)
    return text if len(text) <= 60 else text[:57] + "..."
