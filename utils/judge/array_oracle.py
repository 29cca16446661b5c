"""The truth about layers: their forward formulas in plain NumPy, and derivatives of those by complex step.

A complex step needs no backward pass: f(x + ih) = f(x) + ih f'(x) + O(h^2), so Im f(x + ih) / h is the derivative, to
the last digit at h = 1e-30, as nothing is subtracted (Squire and Trapp 1998). The formulas are therefore written so
that they hold for complex numbers close to the real axis; comparisons look at the real part.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STEP = 1e-30


def linear(x, W, b):
    """(N, nin), (nin, nout), (nout,) -> (N, nout)."""
    return x @ W + b


def square(x):
    return x * x


def relu(x):
    return np.where(np.real(x) > 0, x, 0)


def tanh(x):
    return np.tanh(x)


def softmax(z):
    """Rows of (N, C) to probabilities."""
    e = np.exp(z - np.real(z).max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels, reduction: str = "mean"):
    """Minus the log-probability of each row's label, (N, C) and (N,) -> a number."""
    shifted = z - np.real(z).max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    losses = -log_p[np.arange(len(labels)), labels]
    return losses.mean() if reduction == "mean" else losses.sum()


def squared_error(prediction, target, reduction: str = "mean"):
    """Of all entries, (N, D) and (N, D) -> a number."""
    squares = (prediction - target) ** 2
    return squares.mean() if reduction == "mean" else squares.sum()


def gradient(function: Callable, arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    """d function(**arrays) / d arrays[name], entry by entry; `function` gives one number. Shape of arrays[name]."""
    found = np.zeros(np.shape(arrays[name]))
    for place in np.ndindex(found.shape):
        moved = np.array(arrays[name], dtype=complex)
        moved[place] += 1j * STEP
        found[place] = np.imag(function(**{**arrays, name: moved})) / STEP
    return found


def pulled_back(function: Callable, arrays: dict[str, np.ndarray], upstream: np.ndarray) -> dict[str, np.ndarray]:
    """The gradient of sum(upstream * function(**arrays)) by each array: what a layer's backward owes, given `upstream`.
    """
    def total(**values):
        return (upstream * function(**values)).sum()
    return {name: gradient(total, arrays, name) for name in arrays}
