"""Levels 1 and 2: recorded predictions, one derivative, a regression. What is right is computed without autograd."""

from __future__ import annotations

import numpy as np

from utils.judge import promise
from utils.judge.module import Name
from utils.judge.session import Limits

HOUSES = (6, 1, 4)          # how many examples a drawn data set has
# What a tensor is: recorded, a leaf, made by an operation, of 64 bits.
LOOK = """
def look(t):
    return [int(t.requires_grad), int(t.is_leaf), int(t.grad_fn is not None), t.element_size()]
"""
FIRST = "One step from 0 moves a parameter by minus the learning rate times its gradient."
WHAT = "As [requires_grad, is_leaf, has a grad_fn, bytes a number, 8 in float64]."
FUNCTIONS = (               # source, and its derivative
    ("def f(x):\n    return (x**2 + 1) ** 3", lambda x: 6 * x * (x**2 + 1) ** 2),
    ("def f(x):\n    return x * x.sin() + x", lambda x: np.sin(x) + x * np.cos(x) + 1),
    ("def f(x):\n    y = 3 * x\n    return y * y - y.exp() / 9", lambda x: 18 * x - np.exp(3 * x) / 3),
)
MEMORY = 40 << 20           # bytes that a training may grow by; graphs that are kept take three times as much
LONG = Limits(cpu=20.0, wall=60.0)


def houses(scene, n: int) -> tuple[list[float], list[float]]:
    """Drawn sizes and prices, as lists."""
    sizes = np.abs(scene.drawn(n)) + 0.5
    return sizes.round(2).tolist(), (100 * np.abs(scene.drawn(n)) + 50).round(1).tolist()


def loss_and_slopes(sizes, prices, w: float, b: float) -> tuple[float, float, float]:
    """(loss, d/dw, d/db) of the mean squared error, from the formulas."""
    errors = w * np.array(sizes) + b - np.array(prices)
    return (errors**2).mean(), 2 * (errors * np.array(sizes)).mean(), 2 * errors.mean()


def descend(sizes, prices, rate: float, steps: int, *, clear=True, factor=1.0, move_b=True):
    """(w, b, losses) of gradient descent from 0; the options make what a usual slip makes."""
    w = b = dw = db = 0.0
    losses = []
    for _ in range(steps):
        loss, slope_w, slope_b = loss_and_slopes(sizes, prices, w, b)
        dw, db = (slope_w, slope_b) if clear else (dw + slope_w, db + slope_b)
        losses.append(loss)
        w -= rate * factor * dw
        b -= rate * factor * db * move_b
    return w, b, losses


# 1.1 A forward pass that is recorded

@promise(exercise="1.1")
def test_predictions(module):
    """`predict` returns w * size + b for every size first."""
    for n in HOUSES[:2]:
        scene = module.scene("predict")
        sizes, _ = houses(scene, n)
        w, b = (float(x) for x in scene.drawn(2))
        scene.function("numbers", "def numbers(t):\n    return t.detach().tolist()")
        scene.make("out", "predict", sizes, w, b)
        scene.parts("out", "predictions", "w", "b")
        scene.call("values", "numbers", Name("predictions"))
        scene.wants("values", w * np.array(sizes) + b)
        scene.keep()


@promise(exercise="1.1")
def test_leaves(module):
    """`w` and `b` come back as leaves that ask for a gradient, and the predictions are recorded."""
    scene = module.scene("predict")
    sizes, _ = houses(scene, 3)
    scene.function("look", LOOK)
    scene.make("out", "predict", sizes, 2.0, 1.0)
    scene.parts("out", "predictions", "w", "b")
    for name, expected in (("w", [1, 1, 0, 8]), ("b", [1, 1, 0, 8]), ("predictions", [1, 0, 1, 8])):
        scene.call(f"of_{name}", "look", Name(name))
        scene.wants(f"of_{name}", expected, WHAT)
    scene.keep()


# 1.2 One derivative

@promise(exercise="1.2")
def test_slope(module):
    """`slope(f, x)` is the derivative of f at x, a number, for any f."""
    for source, derivative in FUNCTIONS:
        scene = module.scene("slope")
        f, x = scene.function("f", source), float(scene.drawn(1)[0])
        scene.make("out", "slope", f, x)
        scene.wants("out", derivative(x))
        scene.keep()


@promise(exercise="1.2")
def test_slope_again(module):
    """A second call does not remember the first."""
    source, derivative = FUNCTIONS[1]
    scene = module.scene("slope")
    f = scene.function("f", source)
    scene.make("first", "slope", f, 0.5)
    scene.make("second", "slope", f, -1.5)
    scene.wants("second", derivative(-1.5))
    scene.keep()


# 1.3 and 1.4 A loss and its gradients

def _gradients(module, name: str, quantities: tuple[str, ...]) -> None:
    for n in HOUSES:
        scene = module.scene(name)
        sizes, prices = houses(scene, n)
        w, b = (float(x) for x in scene.drawn(2))
        scene.make("out", name, sizes, prices, w, b)
        scene.parts("out", *quantities)
        truth = dict(zip(("loss", "dw", "db"), loss_and_slopes(sizes, prices, w, b), strict=True))
        for quantity in quantities:
            right = truth[quantity]
            slips = {"loss-summed": [right * n], "factor-two-missing": [right / 2], "mean-divided-twice": [right / n]}
            scene.wants(quantity, right, slips=slips if n > 2 else {})
        scene.keep()


@promise(exercise="1.3")
def test_loss(module):
    """`loss_and_gradients` returns the mean squared error first."""
    scene = module.scene("loss_and_gradients")
    sizes, prices = houses(scene, 5)
    scene.make("out", "loss_and_gradients", sizes, prices, 1.5, -2.0)
    scene.parts("out", "loss", "dw", "db")
    loss = loss_and_slopes(sizes, prices, 1.5, -2.0)[0]
    scene.wants("loss", loss, slips={"loss-summed": [5 * loss]})
    scene.keep()


@promise(exercise="1.3")
def test_gradients_by_autograd(module):
    """Its two gradients are those of the mean, for any number of examples."""
    _gradients(module, "loss_and_gradients", ("loss", "dw", "db"))


@promise(exercise="1.4")
def test_gradients_by_hand(module):
    """`gradients_by_hand` returns the same two gradients, from formulas."""
    _gradients(module, "gradients_by_hand", ("dw", "db"))


# 2.1 Four lines a step

def _fit(module, steps: int, n: int = 6):
    scene = module.scene("fit")
    sizes, prices = houses(scene, n)
    scene.make("out", "fit", sizes, prices, 0.05, steps)
    scene.parts("out", "w", "b", "losses")
    return scene, sizes, prices


@promise(exercise="2.1", weight=2)
def test_parameters_after_a_few_steps(module):
    """After 1, 2 and 20 steps from 0, `w` and `b` are where gradient descent leads."""
    for steps in (1, 2, 20):
        scene, *data = _fit(module, steps)
        right = descend(*data, 0.05, steps)
        wrong = {"gradient-not-cleared": {"clear": False}, "loss-summed": {"factor": 6.0}, "ascends": {"factor": -1.0},
                 "factor-two-missing": {"factor": 0.5}, "offset-not-moved": {"move_b": False},
                 "stays-at-start": {"factor": 0.0}}
        with np.errstate(all="ignore"):
            slipped = {id: descend(*data, 0.05, steps, **option) for id, option in wrong.items()}
        for k, name in enumerate("wb"):
            slips = {id: [out[k]] for id, out in slipped.items() if not np.isclose(out[k], right[k])}
            scene.wants(name, right[k], FIRST if steps == 1 else None, slips=slips)
        scene.keep()


@promise(exercise="2.1")
def test_losses_of_a_fit(module):
    """`losses` has the loss before each step, as numbers."""
    scene, *data = _fit(module, 5)
    scene.wants("losses", descend(*data, 0.05, 5)[2])
    scene.keep()


@promise(exercise="2.1")
def test_fit_keeps_no_graph(module):
    """A thousand steps need no more memory than ten: no step leaves its graph behind."""
    scene = module.scene("fit")
    sizes = [1.0 + (k % 13) / 13 for k in range(5000)]
    prices = [200 * size - 10 for size in sizes]
    scene.make("out", "fit", sizes, prices, 0.05, 1000)
    scene.lines = ["sizes = [1.0 + (k % 13) / 13 for k in range(5000)]", "prices = [200 * size - 10 for size in sizes]",
                   "out = fit(sizes, prices, 0.05, 1000)"]
    scene.parts("out", "w", "b", "losses")
    scene.wants("losses", np.zeros(1000), tolerance=np.inf)
    scene.keep_within(MEMORY, LONG)


# 2.2 Small batches, one gradient

@promise(exercise="2.2")
def test_unequal_batches(module):
    """The gradient of the mean over all examples, though the batches hold 4, 1 and 3 of them."""
    _batches(module, (4, 1, 3))


@promise(exercise="2.2")
def test_one_batch(module):
    """A single batch gives what `loss_and_gradients` gives."""
    _batches(module, (5,))


def _batches(module, lengths: tuple[int, ...]) -> None:
    scene = module.scene("accumulated_gradients")
    batches = [houses(scene, n) for n in lengths]
    w, b = (float(x) for x in scene.drawn(2))
    scene.make("out", "accumulated_gradients", [list(batch) for batch in batches], w, b)
    scene.parts("out", "dw", "db")
    slopes = np.array([loss_and_slopes(*batch, w, b)[1:] for batch in batches])
    shares = np.array(lengths) / sum(lengths)
    for k, name in enumerate(("dw", "db")):
        slips = {"mean-of-means": [slopes[:, k].mean()], "batches-added": [slopes[:, k].sum()],
                 "last-batch-only": [slopes[-1, k] * shares[-1], slopes[-1, k]]} if len(lengths) > 1 else {}
        scene.wants(name, shares @ slopes[:, k], slips=slips)
    scene.keep()
