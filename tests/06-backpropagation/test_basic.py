"""Levels 1 and 2: layers and losses. Upstream gradients are drawn, never ones; no shape is square beside one that is.

What is right comes from the forward formula alone (utils/judge/array_oracle.py), by complex step.
"""

from __future__ import annotations

import numpy as np

from utils.judge import array_oracle as truth
from utils.judge import promise
from utils.judge.module import RNG

SHAPES = ((4, 3, 2), (1, 2, 3), (3, 3, 3))          # N, nin, nout: a batch, a batch of one, a square that hides much
LABELS = np.array([2, 0, 2, 1, 2])


# 1.1 Linear: forward

def _linear(module, n, nin, nout):
    """A scene with a batch `x` and a `layer` of drawn parameters; and its arrays by the names of the formula."""
    scene = module.scene("Linear")
    x = scene.draw("x", n, nin)
    layer = scene.make("layer", "Linear", nin, nout, RNG)
    W, b = scene.drawn(nin, nout), scene.drawn(nout)
    scene.fill(layer, W=W, b=b)
    scene.invoke("y", layer, "forward", x)
    return scene, {"x": scene.values["x"], "W": W, "b": b}


@promise(exercise="1.1")
def test_linear_forward(module):
    """`forward` returns x W + b, with one row for each example."""
    for shape in SHAPES[:2]:
        scene, arrays = _linear(module, *shape)
        scene.wants("y", truth.linear(**arrays))
        scene.keep()


@promise(exercise="1.1")
def test_linear_forward_of_a_square(module):
    """The same where N, nin and nout are equal and no shape can tell x W from W x."""
    scene, arrays = _linear(module, *SHAPES[2])
    scene.wants("y", truth.linear(**arrays))
    scene.keep()


# 1.2 Linear: backward

def _linear_backward(module, wanted: str, shapes=SHAPES) -> None:
    for n, nin, nout in shapes:
        scene, arrays = _linear(module, n, nin, nout)
        scene.draw("g", n, nout)
        owed = truth.pulled_back(truth.linear, arrays, scene.values["g"])
        scene.backward("grad_x", "layer", "g")
        if wanted == "x":
            scene.wants("grad_x", owed["x"])
        else:
            scene.wants(f"layer.grad_{wanted}", owed[wanted], loose=wanted == "b")
        scene.keep()


@promise(exercise="1.2", weight=2)
def test_linear_gradient_of_weights(module):
    """`backward` sets `grad_W`: each weight's share, summed over the batch, whatever comes from upstream."""
    _linear_backward(module, "W")


@promise(exercise="1.2", weight=2)
def test_linear_gradient_of_bias(module):
    """`backward` sets `grad_b`: one number an output, summed over the batch."""
    _linear_backward(module, "b")


@promise(exercise="1.2", weight=2)
def test_linear_gradient_of_input(module):
    """`backward` returns the gradient of the input, in the input's shape."""
    _linear_backward(module, "x")


@promise(exercise="1.2")
def test_linear_backward_is_the_adjoint_of_forward(module):
    """Push x by v, or pull g back: <forward(x + v) - forward(x), g> = <v, backward(g)>, by your own numbers."""
    n, nin, nout = 5, 4, 2
    scene, arrays = _linear(module, n, nin, nout)
    v, g = scene.drawn(n, nin), scene.drawn(n, nout)[:, ::-1].copy()
    moved = scene.array("moved", arrays["x"] + v)
    scene.invoke("pushed", "layer", "forward", moved)
    scene.array("g", g)
    scene.backward("grad_x", "layer", "g")
    for name, shape in (("y", (n, nout)), ("pushed", (n, nout)), ("grad_x", (n, nin))):
        scene.wants(name, np.zeros(shape), tolerance=np.inf)
    y, pushed, grad_x = map(scene.array_of, scene.keep())
    there, back = ((pushed - y) * g).sum(), (v * grad_x).sum()
    if abs(there - back) > 1e-9 * np.abs(g).sum():
        raise scene.broken("`backward` is not the adjoint of your own `forward`: the two products should be equal.",
                           quantity="<v, backward(g)>", yours=f"{back:.6g}", expected=f"{there:.6g}")


# 1.3 ReLU and 2.1 Tanh

def _entrywise(module, kind: str, formula, backward: bool, values=None) -> None:
    scene = module.scene(kind)
    x = scene.array("x", values) if values is not None else scene.draw("x", 4, 3)
    layer = scene.make("layer", kind)
    scene.invoke("y", layer, "forward", x)
    scene.wants("y", formula(scene.values["x"]))
    if backward:
        scene.draw("g", *scene.values["x"].shape)
        scene.backward("grad_x", "layer", "g")
        scene.wants("grad_x", truth.pulled_back(formula, {"x": scene.values["x"]}, scene.values["g"])["x"])
    scene.keep()


@promise(exercise="1.3")
def test_relu_forward(module):
    """`forward` keeps what is positive and puts 0 in the place of the rest."""
    _entrywise(module, "ReLU", truth.relu, backward=False)
    _entrywise(module, "ReLU", truth.relu, backward=False, values=[[-1e-9, 1e-9, -300.0, 300.0]])


@promise(exercise="1.3", weight=2)
def test_relu_backward(module):
    """`backward` lets the upstream gradient through, of either sign, where the input was positive."""
    for values in (None, [[0.5, -0.5, 2.0, -2.0]], -np.ones((2, 3)), np.array([[1.5], [0.1], [-0.3]])):
        _entrywise(module, "ReLU", truth.relu, backward=True, values=values)


@promise(exercise="2.1")
def test_tanh_forward(module):
    """`forward` is tanh, for inputs of any size."""
    _entrywise(module, "Tanh", truth.tanh, backward=False)
    _entrywise(module, "Tanh", truth.tanh, backward=False, values=[[-800.0, 0.0, 800.0]])


@promise(exercise="2.1", weight=2)
def test_tanh_backward(module):
    """`backward` multiplies what comes from upstream by 1 - tanh(x)^2."""
    for values in (None, [[0.0, 1.0, -2.0]], np.array([[1.5], [-0.2], [0.7]])):
        _entrywise(module, "Tanh", truth.tanh, backward=True, values=values)


# 2.2 Squared error

def _squared_error(module, reduction: str, backward: bool, shape=(4, 3)):
    scene = module.scene("SquaredError")
    y, t = scene.draw("y", *shape), scene.draw("t", *shape)
    loss = scene.make("loss", "SquaredError", reduction)
    scene.invoke("value", loss, "forward", y, t)
    arrays = {"prediction": scene.values["y"], "target": scene.values["t"]}
    scene.wants("value", truth.squared_error(**arrays, reduction=reduction))
    if backward:
        scene.backward("grad_y", "loss")
        scene.wants("grad_y", truth.gradient(lambda **a: truth.squared_error(**a, reduction=reduction), arrays,
                                             "prediction"))
    scene.keep()


@promise(exercise="2.2")
def test_squared_error_values(module):
    """`forward` is the mean, or the sum, of all squared differences."""
    for reduction in ("mean", "sum"):
        _squared_error(module, reduction, backward=False)
        _squared_error(module, reduction, backward=False, shape=(5, 1))


@promise(exercise="2.2", weight=2)
def test_squared_error_gradient_of_the_mean(module):
    """With "mean", the gradient is that of the mean: 1 over the number of entries stands in it once."""
    for shape in ((4, 3), (5, 1), (1, 4)):
        _squared_error(module, "mean", backward=True, shape=shape)


@promise(exercise="2.2")
def test_squared_error_gradient_of_the_sum(module):
    """With "sum", nothing is divided by the number of entries."""
    for shape in ((4, 3), (5, 1)):
        _squared_error(module, "sum", backward=True, shape=shape)


# 2.3 Softmax

def _softmax(module, values=None) -> None:
    scene = module.scene("softmax")
    z = scene.array("z", values) if values is not None else scene.draw("z", 4, 3)
    scene.make("s", "softmax", z)
    scene.wants("s", truth.softmax(scene.values["z"]))
    scene.keep()


@promise(exercise="2.3")
def test_softmax_values(module):
    """Each row of `softmax(z)` holds probabilities that add up to 1."""
    _softmax(module)
    _softmax(module, [[0.5, -1.0, 2.0, 0.0]])


@promise(exercise="2.3", weight=2)
def test_softmax_backward(module):
    """`softmax_backward(s, grad_s)` knows that every output of a row depends on every input of it."""
    for shape in ((4, 3), (1, 5), (3, 3)):
        scene = module.scene("softmax_backward")
        z = scene.drawn(*shape)
        s, g = scene.array("s", truth.softmax(z)), scene.draw("grad_s", *shape)
        scene.make("grad_z", "softmax_backward", s, g)
        scene.wants("grad_z", truth.pulled_back(truth.softmax, {"z": z}, scene.values["grad_s"])["z"])
        scene.keep()


# 2.4 and 2.5 Cross-entropy

@promise(exercise="2.4")
def test_staged_loss(module):
    """`cross_entropy_staged` returns the mean of -log p[label] first."""
    scene = module.scene("cross_entropy_staged")
    z, labels = scene.draw("logits", 5, 3), scene.array("labels", LABELS)
    scene.make("both", "cross_entropy_staged", z, labels)
    scene.parts("both", "loss", "grad")
    scene.wants("loss", truth.cross_entropy(scene.values["logits"], LABELS))
    scene.keep()


@promise(exercise="2.4", weight=2)
def test_staged_gradient(module):
    """Its second result is the gradient of the logits, through both stages."""
    for n, classes in ((5, 3), (1, 4), (3, 3)):
        scene = module.scene("cross_entropy_staged")
        z, labels = scene.draw("logits", n, classes), scene.array("labels", LABELS[:n])
        scene.make("both", "cross_entropy_staged", z, labels)
        scene.parts("both", "loss", "grad")
        scene.wants("grad", truth.gradient(lambda z, n=n: truth.cross_entropy(z, LABELS[:n]),
                                           {"z": scene.values["logits"]}, "z"))
        scene.keep()


def _cross_entropy(module, reduction: str, backward: bool, n=5, classes=3, values=None) -> None:
    scene = module.scene("SoftmaxCrossEntropy")
    z = scene.array("logits", values) if values is not None else scene.draw("logits", n, classes)
    n = len(scene.values["logits"])
    labels = scene.array("labels", LABELS[:n])
    loss = scene.make("loss", "SoftmaxCrossEntropy", reduction)
    scene.invoke("value", loss, "forward", z, labels)
    scene.wants("value", truth.cross_entropy(scene.values["logits"], LABELS[:n], reduction))
    if backward:
        scene.backward("grad", "loss")
        scene.wants("grad", truth.gradient(lambda z: truth.cross_entropy(z, LABELS[:n], reduction),
                                           {"z": scene.values["logits"]}, "z"))
    scene.keep()


@promise(exercise="2.5")
def test_cross_entropy_values(module):
    """`forward` is the mean, or the sum, of -log softmax(logits)[label]."""
    for reduction in ("mean", "sum"):
        _cross_entropy(module, reduction, backward=False)


@promise(exercise="2.5", weight=2)
def test_cross_entropy_gradient_of_the_mean(module):
    """With "mean", `backward` is that of the mean: 1/N stands in it once."""
    for n, classes in ((5, 3), (1, 4), (3, 3)):
        _cross_entropy(module, "mean", backward=True, n=n, classes=classes)


@promise(exercise="2.5")
def test_cross_entropy_gradient_of_the_sum(module):
    """With "sum", nothing is divided by N."""
    _cross_entropy(module, "sum", backward=True)
