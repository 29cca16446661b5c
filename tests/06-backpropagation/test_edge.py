"""Where layers meet their limits: large logits, wrong shapes, caches and arrays that are somebody else's; dropout."""

from __future__ import annotations

import numpy as np

from utils.judge import Broken, promise
from utils.judge import array_oracle as truth
from utils.judge.module import RNG

ENTRIES = 4000              # of a large array through dropout: shares are within 5 standard deviations


# 2.2 Shapes

@promise(exercise="2.2")
def test_squared_error_refuses_unequal_shapes(module):
    """(N, 1) against (N,) raises a ValueError, where it would broadcast to N times N differences."""
    scene = module.scene("SquaredError")
    y, t = scene.draw("y", 3, 1), scene.draw("t", 3)
    loss = scene.make("loss", "SquaredError", "mean")
    scene.invoke("value", loss, "forward", y, t)
    scene.wants("value", 0.0)
    outcome = module.outcome(scene.steps)
    if outcome.error and outcome.error["type"] in ("ValueError", "AssertionError", "TypeError"):
        return
    module.unbroken(outcome, scene.code())
    raise Broken("A prediction of shape (3, 1) against a target of shape (3,) should raise a ValueError: NumPy would "
                 "subtract each target from each prediction, 9 differences in place of 3.", program=scene.code(),
                 quantity="value", yours=str(outcome.reports[0])[:40], expected="a ValueError")


# 2.3 and 2.5 Large logits

@promise(exercise="2.3")
def test_softmax_of_large_numbers(module):
    """Numbers of any size, of either sign, in any row: no overflow, and no 0/0."""
    scene = module.scene("softmax")
    z = scene.array("z", [[1000.0, 0.0, 999.0], [-1000.0, -1001.0, -1000.5], [0.0, 0.5, -800.0]])
    scene.make("s", "softmax", z)
    scene.wants("s", truth.softmax(scene.values["z"]))
    scene.keep()


@promise(exercise="2.5")
def test_cross_entropy_of_large_logits(module):
    """A confident, wrong prediction has a large and finite loss, and a gradient."""
    values, labels = np.array([[1000.0, 0.0, -1000.0], [-900.0, -901.0, -1700.0]]), np.array([2, 0])
    scene = module.scene("SoftmaxCrossEntropy")
    z, y = scene.array("logits", values), scene.array("labels", labels)
    loss = scene.make("loss", "SoftmaxCrossEntropy", "mean")
    scene.invoke("value", loss, "forward", z, y)
    scene.wants("value", truth.cross_entropy(values, labels))
    scene.backward("grad", "loss")
    scene.wants("grad", truth.gradient(lambda z: truth.cross_entropy(z, labels), {"z": values}, "z"))
    scene.keep()


# 3.2 Whose cache, whose array?

KINDS = {"Linear": (3, 3, RNG), "ReLU": (), "Tanh": ()}      # classes, and what they are made with
FORMULAS = {"ReLU": truth.relu, "Tanh": truth.tanh}


def _layer(scene, name: str, kind: str):
    """A layer with drawn parameters: its name, its formula, and its parameters' numbers."""
    layer = scene.make(name, kind, *KINDS[kind])
    if kind in FORMULAS:
        return layer, FORMULAS[kind], {}
    W, b = scene.drawn(3, 3), scene.drawn(3)
    scene.fill(layer, W=W, b=b)
    return layer, truth.linear, {"W": W, "b": b}


def _owed(formula, parameters: dict, x, g) -> dict:
    return truth.pulled_back(formula, {"x": x, **parameters}, g)


@promise(exercise="3.2", each=tuple(KINDS))
def test_two_layers_of_one_class_keep_their_own_caches(module, box):
    """Two layers of one class, each run forward before either runs backward, do not overwrite each other's cache."""
    scene = module.scene(box)
    layers = []
    for name in ("one", "two"):
        layer, rule, parameters = _layer(scene, name, box)
        x = scene.draw(f"x_{name}", 4, 3)
        scene.invoke(f"y_{name}", layer, "forward", x)
        layers.append((name, rule, parameters, scene.values[f"x_{name}"]))
    for name, rule, parameters, x in layers:
        scene.draw(f"g_{name}", 4, 3)
        scene.backward(f"grad_{name}", name, f"g_{name}")
        owed = _owed(rule, parameters, x, scene.values[f"g_{name}"])
        scene.wants(f"grad_{name}", owed["x"])
        if parameters:
            scene.wants(f"{name}.grad_W", owed["W"])
    scene.keep()


@promise(exercise="3.2", each=tuple(KINDS))
def test_backward_belongs_to_the_latest_forward(module, box):
    """After two calls of `forward`, `backward` is about the second; and the first output is still what it was."""
    scene = module.scene(box)
    layer, rule, parameters = _layer(scene, "layer", box)
    first, second = scene.draw("first", 4, 3), scene.draw("second", 4, 3)
    scene.invoke("y", layer, "forward", first)
    scene.invoke("z", layer, "forward", second)
    scene.draw("g", 4, 3)
    scene.backward("grad_x", "layer", "g")
    owed = _owed(rule, parameters, scene.values["second"], scene.values["g"])
    scene.wants("grad_x", owed["x"])
    if parameters:
        scene.wants("layer.grad_W", owed["W"])
    scene.wants("y", rule(scene.values["first"], **parameters),
                "The first output changed after the second `forward`: each call makes an array of its own.")
    scene.keep()


@promise(exercise="3.2", weight=2)
def test_gradients_are_set_and_not_added(module):
    """A second forward and backward leave its own gradients in `grad_W` and `grad_b`: set with `=`, not added."""
    scene = module.scene("Linear")
    layer, rule, parameters = _layer(scene, "layer", "Linear")
    for name in ("first", "second"):
        x = scene.draw(name, 4, 3)
        scene.invoke("y", layer, "forward", x)
        scene.draw(f"g_{name}", 4, 3)
        scene.backward("grad_x", "layer", f"g_{name}")
        owed = _owed(rule, parameters, scene.values[name], scene.values[f"g_{name}"])
        scene.wants("layer.grad_W", owed["W"])
        scene.wants("layer.grad_b", owed["b"], loose=True)
    scene.keep()


@promise(exercise="3.2", each=tuple(KINDS))
def test_arrays_that_were_given_are_not_changed(module, box):
    """`forward` leaves its input alone, `backward` leaves the upstream gradient and the parameters alone."""
    scene = module.scene(box)
    layer, rule, parameters = _layer(scene, "layer", box)
    x = scene.draw("x", 4, 3)
    scene.invoke("y", layer, "forward", x)
    scene.unchanged("x")
    scene.draw("g", 4, 3)
    scene.backward("grad_x", "layer", "g")
    scene.unchanged("x", "g")
    for name, values in parameters.items():
        scene.wants(f"layer.{name}", values, "`backward` computes gradients; the step that uses them comes later.",
                    loose=name == "b")
    owed = _owed(rule, parameters, scene.values["x"], scene.values["g"])
    scene.wants("grad_x", owed["x"])
    scene.keep()


# 3.3 Dropout: judged by what it does, since how it draws its mask is the learner's

def _dropout(module, p: float, training: bool):
    """(scene, x, y, g, grad_x) of a dropout layer on a large array."""
    scene = module.scene("Dropout")
    layer = scene.make("layer", "Dropout", p, RNG)
    if not training:
        scene.put(layer, training=False)
    x = scene.constant("x", 1.5, ENTRIES // 40, 40)
    scene.invoke("y", layer, "forward", x)
    g = scene.constant("g", -0.5, ENTRIES // 40, 40)
    scene.backward("grad_x", layer, g)
    for name in ("y", "grad_x", "x", "g"):
        scene.wants(name, np.zeros((ENTRIES // 40, 40)), tolerance=np.inf)
    return scene, *map(scene.array_of, scene.keep())


@promise(exercise="3.3", weight=2)
def test_dropout_forward(module):
    """While training, entries are 0 with probability p, and the others are divided by 1 - p."""
    for p in (0.5, 0.2):
        scene, y, *_ = _dropout(module, p, training=True)
        kept = y != 0
        if not np.allclose(y[kept], 1.5 / (1 - p), rtol=1e-6):
            scale = np.allclose(y[kept], 1.5, rtol=1e-6)
            raise scene.broken("What is kept is divided by 1 - p, so that its mean stays what it was.",
                               quantity="an entry of y that is not 0", yours=f"{y[kept].flat[0]:.6g}",
                               expected=f"{1.5 / (1 - p):.6g}", misconception="dropout-unscaled" if scale else None)
        share, spread = 1 - kept.mean(), 5 * (p * (1 - p) / ENTRIES) ** 0.5
        if not abs(share - p) <= spread:
            turned = abs(share - (1 - p)) <= spread
            raise scene.broken("The share of entries that are 0 is not p.", quantity="share of zeros in y",
                               yours=f"{share:.4g}", expected=f"about {p}",
                               misconception="dropout-keeps-p" if turned else None)


@promise(exercise="3.3")
def test_dropout_draws_a_new_mask_for_every_forward(module):
    """Two calls of `forward` on the same input drop different entries."""
    scene = module.scene("Dropout")
    layer = scene.make("layer", "Dropout", 0.5, RNG)
    x = scene.constant("x", 1.0, 10, 10)
    for name in ("y", "z"):
        scene.invoke(name, layer, "forward", x)
        scene.wants(name, np.zeros((10, 10)), tolerance=np.inf)
    y, z = map(scene.array_of, scene.keep())
    if np.array_equal(y, z):
        raise scene.broken("Both calls dropped the same entries.", quantity="entries of z that differ from y",
                           yours="0", expected="about half", misconception="dropout-one-mask")


@promise(exercise="3.3", weight=2)
def test_dropout_backward_uses_the_mask_of_its_forward(module):
    """The gradient passes where the input passed, with the same factor."""
    scene, y, grad_x, x, g = _dropout(module, 0.5, training=True)
    expected = g * (y / x)
    if not np.allclose(grad_x, expected, rtol=1e-6):
        place = tuple(int(k) for k in np.argwhere(~np.isclose(grad_x, expected, rtol=1e-6))[0])
        another = np.allclose(np.unique(grad_x), np.unique(expected))       # right entries in wrong places
        name = ("dropout-passes-all" if np.allclose(grad_x, g) else
                "dropout-unscaled-backward" if np.allclose(grad_x, g * (y != 0)) else
                "dropout-new-mask" if another else None)
        raise scene.broken("`backward` multiplies by the mask that this `forward` drew.",
                           quantity=f"grad_x{list(place)}", yours=f"{grad_x[place]:.6g}",
                           expected=f"{expected[place]:.6g}", misconception=name)


@promise(exercise="3.3")
def test_dropout_does_nothing_after_training(module):
    """With `training = False`, values and gradients pass unchanged."""
    scene, y, grad_x, x, g = _dropout(module, 0.5, training=False)
    for name, yours, expected in (("y", y, x), ("grad_x", grad_x, g)):
        if not np.allclose(yours, expected, rtol=1e-9):
            raise scene.broken("With `training = False` nothing is dropped and nothing is scaled.", quantity=name,
                               yours=f"{np.unique(yours)[:3]}", expected=f"{np.unique(expected)}",
                               misconception="dropout-always-on")
