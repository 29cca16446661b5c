"""The data sets that notebooks train on, and the picture of a decision boundary."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from utils.datasets import GRID, plot_boundary, two_moons


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_moons_are_plain_lists_of_floats():
    xs, ys = two_moons(7)
    assert len(xs) == len(ys) == 7
    assert all(type(x) is list and [type(c) for c in x] == [float, float] for x in xs)
    assert ys == [1.0] * 4 + [-1.0] * 3


def test_points_without_noise_lie_on_the_documented_half_circles():
    xs, ys = two_moons(40, noise=0.0)
    for (x, y), target in zip(xs, ys, strict=True):
        if target > 0:
            assert x * x + y * y == pytest.approx(1.0)
            assert y >= 0
        else:
            assert (x - 1) ** 2 + (y - 0.5) ** 2 == pytest.approx(1.0)
            assert y <= 0.5


def test_no_straight_line_separates_the_moons():
    """Each moon's inner tip lies within the other moon's convex hull."""
    xs, ys = two_moons(41, noise=0.0)
    upper = np.array([x for x, y in zip(xs, ys, strict=True) if y > 0])
    tip = np.array([0.0, 0.5])  # where the lower moon begins
    assert tip.tolist() in [x for x, y in zip(xs, ys, strict=True) if y < 0]
    for angle in np.linspace(0.0, 2 * np.pi, 360):
        direction = np.array([np.cos(angle), np.sin(angle)])
        assert (upper @ direction).max() > tip @ direction


def test_noise_has_the_standard_deviation_asked_for():
    clean, noisy = (np.array(two_moons(2000, noise=noise)[0]) for noise in (0.0, 0.3))
    assert (noisy - clean).std() == pytest.approx(0.3, rel=0.05)


def test_same_seed_same_points_and_another_seed_others():
    assert two_moons(10, seed=3) == two_moons(10, seed=3)
    assert two_moons(10, seed=3)[0] != two_moons(10, seed=4)[0]


@pytest.mark.parametrize(("arguments", "names"), [({"n": 1}, "got 1"), ({"noise": -0.1}, "got -0.1")])
def test_bad_arguments_are_named(arguments, names):
    with pytest.raises(ValueError, match=names):
        two_moons(**arguments)


def test_boundary_follows_the_prediction():
    """For the prediction x - 0.3 the line lies at x = 0.3, and the two sides have different colours."""
    xs, ys = two_moons(20)
    asked = []

    def predict(point):
        asked.append(point)
        return point[0] - 0.3

    ax = plot_boundary(predict, xs, ys)
    filled, line = ax.collections[:2]
    vertices = np.concatenate([path.vertices for path in line.get_paths()])
    assert np.allclose(vertices[:, 0], 0.3)
    assert len({tuple(colour) for colour in filled.get_facecolor()}) == 2
    assert len(asked) == GRID**2
    assert all(type(point) is list and [type(c) for c in point] == [float, float] for point in asked)


def test_classes_differ_by_marker_and_are_named():
    xs, ys = two_moons(20)
    ax = plot_boundary(lambda point: 1.0, xs, ys)
    first, second = ax.collections[-2:]
    assert first.get_paths()[0].vertices.shape != second.get_paths()[0].vertices.shape
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["target +1", "target -1"]
    assert ax.get_xlabel()
    assert ax.get_ylabel()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("constant", [0.5, -3.0, 0.0])
def test_a_model_without_a_boundary_is_drawn_without_a_warning(constant):
    xs, ys = two_moons(20)
    ax = plot_boundary(lambda point: constant, xs, ys)
    assert len(ax.collections) == 3  # the filled sides and two classes of points; no line


def test_draws_on_given_axes():
    _, ax = plt.subplots()
    assert plot_boundary(lambda point: point[1], *two_moons(6), ax=ax) is ax


@pytest.mark.parametrize(("xs", "ys", "names"), [
    ([[0.0, 1.0]], [1.0, -1.0], "got 1 and 2"),
    ([], [], "got 0 and 0"),
    ([[0.0, 1.0]], [0.0], "got \\[0.0\\]"),
])
def test_points_and_targets_that_do_not_fit_are_named(xs, ys, names):
    with pytest.raises(ValueError, match=names):
        plot_boundary(lambda point: 1.0, xs, ys)
