"""Levels 3 and 4: layers together, a backward pass in 26 steps, the bridge to scalars, and training.

What a learner's training claims is computed here again, from the weights that it left.
"""

from __future__ import annotations

import numpy as np

from utils.datasets import digits
from utils.judge import Broken, promise
from utils.judge import array_oracle as truth
from utils.judge.module import RNG, Name
from utils.judge.session import Limits

# 3.1 Sequential


def _network(scene, sizes, activation="Tanh", hidden=("W1", "b1"), last=("W2", "b2")):
    """A model of linear, activation, linear with drawn parameters; the parameters by name."""
    nin, width, nout = sizes
    arrays = {}
    first, second = scene.make("first", "Linear", nin, width, RNG), scene.make("second", "Linear", width, nout, RNG)
    for layer, (W, b), shape in ((first, hidden, (nin, width)), (second, last, (width, nout))):
        arrays |= {W: scene.drawn(*shape), b: scene.drawn(shape[1])}
        scene.fill(layer, W=arrays[W], b=arrays[b])
    bend = scene.make("bend", activation)
    scene.make("model", "Sequential", [first, bend, second])
    return arrays


def _outputs(x, W1, b1, W2, b2, bend=truth.tanh):
    return truth.linear(bend(truth.linear(x, W1, b1)), W2, b2)


SHAPES = ((3, (3, 3, 3)), (5, (3, 4, 2)), (1, (2, 3, 4)))     # first a square, where going wrong is no error


@promise(exercise="3.1")
def test_sequential_forward(module):
    """`forward` hands each layer's output to the next, in order."""
    for n, sizes in SHAPES:
        scene = module.scene("Linear", "Tanh", "Sequential")
        arrays = _network(scene, sizes)
        x = scene.draw("x", n, sizes[0])
        scene.invoke("y", Name("model"), "forward", x)
        scene.wants("y", _outputs(scene.values["x"], **arrays))
        scene.keep()


@promise(exercise="3.1", weight=2)
def test_sequential_backward(module):
    """`backward` goes through the layers from the last to the first; every parameter gets its gradient."""
    for n, sizes in SHAPES:
        scene = module.scene("Linear", "Tanh", "Sequential")
        arrays = _network(scene, sizes)
        x = scene.draw("x", n, sizes[0])
        scene.invoke("y", Name("model"), "forward", x)
        g = scene.draw("g", n, sizes[2])
        scene.backward("grad_x", "model", g)
        owed = truth.pulled_back(_outputs, {"x": scene.values["x"], **arrays}, scene.values["g"])
        for quantity, name in (("grad_x", "x"), ("second.grad_W", "W2"), ("second.grad_b", "b2"),
                               ("first.grad_W", "W1"), ("first.grad_b", "b1")):
            scene.wants(quantity, owed[name], loose=name.startswith("b"))
        scene.keep()


# 3.4 Twenty-six steps

STEPS = ("picked", "logp", "p", "inverse", "total", "e", "low", "top", "logits", "b2", "W2", "h", "a", "shift",
         "scaled", "gain", "zhat", "inv", "var", "c2", "c", "mu", "z", "b1", "W1", "x")
SIZES = {"x": (5, 3), "W1": (3, 4), "b1": (4,), "gain": (4,), "shift": (4,), "W2": (4, 3), "b2": (3,)}
LABELS = np.array([2, 0, 2, 1, 2])


def _top(logits):
    """The largest of each row, complex numbers compared by their real parts."""
    return np.take_along_axis(logits, np.real(logits).argmax(axis=1)[:, None], axis=1)


# Each step of the forward pass: its name, and how it is made of others.
FORWARD = {
    "z": lambda v: v["x"] @ v["W1"] + v["b1"], "mu": lambda v: v["z"].mean(axis=0), "c": lambda v: v["z"] - v["mu"],
    "c2": lambda v: v["c"] ** 2, "var": lambda v: v["c2"].mean(axis=0), "inv": lambda v: (v["var"] + 1e-5) ** -0.5,
    "zhat": lambda v: v["c"] * v["inv"], "scaled": lambda v: v["zhat"] * v["gain"],
    "a": lambda v: v["scaled"] + v["shift"], "h": lambda v: np.tanh(v["a"]),
    "logits": lambda v: v["h"] @ v["W2"] + v["b2"], "top": lambda v: _top(v["logits"]),
    "low": lambda v: v["logits"] - v["top"], "e": lambda v: np.exp(v["low"]),
    "total": lambda v: v["e"].sum(axis=1, keepdims=True), "inverse": lambda v: v["total"] ** -1.0,
    "p": lambda v: v["e"] * v["inverse"], "logp": lambda v: np.log(v["p"]),
    "picked": lambda v: v["logp"][np.arange(len(LABELS)), LABELS], "loss": lambda v: -v["picked"].mean(),
}


class _Read(dict):
    """A dict that knows which of its keys were read."""

    def __init__(self, *values):
        super().__init__(*values)
        self.keys_read = set()

    def __getitem__(self, key):
        self.keys_read.add(key)
        return super().__getitem__(key)


def _values(inputs: dict) -> dict:
    """The forward pass: the inputs, and every step."""
    v = dict(inputs)
    for name, rule in FORWARD.items():
        v[name] = rule(v)
    return v


def _inputs(module) -> dict:
    rng = np.random.default_rng((module.seed, 26))
    return {name: rng.integers(1, 21, shape) * rng.choice((-1, 1), shape) / 10 for name, shape in SIZES.items()}


def _users(v: dict, name: str) -> list[str]:
    """The steps that are made of this one."""
    found = []
    for step, rule in FORWARD.items():
        seen = _Read(v)
        rule(seen)
        if name in seen.keys_read:
            found.append(step)
    return found


def _owed(v: dict, d: dict, name: str) -> np.ndarray:
    """What a step's users, whose gradients are in `d`, owe it."""
    def total(**moved):
        return sum((d[user] * FORWARD[user](v | moved)).sum() for user in _users(v, name))
    return truth.gradient(total, {name: v[name]}, name)


def _forward_scene(module, inputs):
    scene = module.scene("step_by_step", "gradient_of", "chained")
    arguments = [scene.array(name, inputs[name]) for name in ("x",)] + [scene.array("labels", LABELS)]
    arguments += [scene.array(name, inputs[name]) for name in SIZES if name != "x"]
    return scene, scene.make("v", "step_by_step", *arguments)


@promise(exercise="3.4", weight=0.5, each=STEPS)
def test_one_step_backward(module, box):
    """The gradient of one step follows from the values, and from the gradients that it is given of the steps before."""
    inputs = _inputs(module)
    v = _values(inputs)
    scene, values = _forward_scene(module, inputs)
    # drawn, not the true ones: those of `top` are 0, and forgive any slip
    given = {name: scene.drawn(*v[name].shape) for name in STEPS[:STEPS.index(box)]}
    scene.make("grad", "gradient_of", box, values, scene.mapping("d", given))
    scene.wants("grad", _owed(v, given | {"loss": np.array(1.0)}, box), loose=v[box].ndim < 2)
    scene.keep()


@promise(exercise="3.4", weight=3)
def test_chained_steps(module):
    """All steps in a row, each fed with yours, give the gradients of the inputs and of every parameter."""
    inputs = _inputs(module)
    scene, v = _forward_scene(module, inputs)
    scene.make("d", "chained", v)
    for name in ("x", "W1", "b1", "gain", "shift", "W2", "b2"):
        scene.entry(f"grad_{name}", "d", name)
        expected = truth.gradient(lambda **a: _values(inputs | a)["loss"], {name: inputs[name]}, name)
        scene.wants(f"grad_{name}", expected, loose=expected.ndim < 2)
    scene.keep()


# 3.5 The bridge

@promise(exercise="3.5")
def test_loss_on_values(module):
    """On scalars the network has the same loss."""
    _bridge(module, gradients=False)


@promise(exercise="3.5", weight=2)
def test_gradients_on_values(module):
    """And `backward()` of the scalar engine gives every parameter the gradient that the layers give."""
    _bridge(module, gradients=True)


def _bridge(module, gradients: bool) -> None:
    """With the learner's own engine of topic 02 or with the reference one: it is kept if it holds with either."""
    problems = []
    for origin, source in module.engines:
        try:
            return _bridge_with(module, origin, source, gradients)
        except Broken as problem:
            problems.append(problem)
    raise problems[-1]


def _bridge_with(module, origin: str, source: str, gradients: bool) -> None:
    scene = module.scene("on_values")
    Value = scene.engine(origin, source)
    shapes = {"W1": (3, 4), "b1": (4,), "W2": (4, 3), "b2": (3,)}
    x, labels = scene.draw("x", 3, 3), scene.array("labels", LABELS[1:4])
    parameters = [scene.draw(name, *shape) for name, shape in shapes.items()]
    scene.make("both", "on_values", Value, x, labels, *parameters)
    scene.parts("both", "loss", "grads")

    def loss(**a):
        return truth.cross_entropy(_outputs(**a), LABELS[1:4])
    if gradients:
        scene.parts("grads", *(f"grad_{name}" for name in shapes))
        for name in shapes:
            scene.wants(f"grad_{name}", truth.gradient(loss, {k: scene.values[k] for k in ("x", *shapes)}, name),
                        loose=name.startswith("b"))
    else:
        scene.wants("loss", loss(**{k: scene.values[k] for k in ("x", *shapes)}))
    scene.keep()


# 4.1 One step downhill

RATE = 0.25


@promise(exercise="4.1")
def test_step_goes_downhill(module):
    """`sgd` moves W and b of every layer by minus the learning rate times their gradient."""
    scene = module.scene("Linear", "ReLU", "sgd")
    moved = {}
    layers = [scene.make("first", "Linear", 3, 2, RNG), scene.make("gate", "ReLU"),
              scene.make("second", "Linear", 2, 4, RNG)]
    for name, (nin, nout) in (("first", (3, 2)), ("second", (2, 4))):
        for attribute, shape in (("W", (nin, nout)), ("b", (nout,))):
            value, grad = scene.drawn(*shape), scene.drawn(*shape)
            scene.fill(name, **{attribute: value})
            scene.put(name, **{f"grad_{attribute}": grad})
            moved[f"{name}.{attribute}"] = value - RATE * grad
    scene.make("nothing", "sgd", layers, RATE)
    scene.lines[-1] = scene.lines[-1].removeprefix("nothing = ")
    for quantity, expected in moved.items():
        scene.wants(quantity, expected, loose=True)
    scene.keep()


# 4.2 One epoch. What depends on the order of the examples is not asked for: it is drawn by the learner.

def _epoch(module, n: int, batch: int, rate: float, epochs: int = 1, same: bool = False):
    """A scene after `epochs` epochs on `n` examples (`same`: all equal), and the arrays it started with."""
    scene = module.scene("Linear", "Tanh", "Sequential", "SoftmaxCrossEntropy", "train_epoch")
    arrays = _network(scene, (3, 4, 3))
    loss = scene.make("loss", "SoftmaxCrossEntropy")
    images = scene.array("images", np.repeat(scene.drawn(1, 3), n, axis=0) if same else scene.drawn(n, 3))
    labels = scene.array("labels", np.resize(LABELS[:1] if same else LABELS, n))
    for k in range(epochs):
        scene.make(f"mean_{k}", "train_epoch", Name("model"), loss, images, labels, batch, rate, RNG)
    return scene, {"x": scene.values["images"], **arrays}, scene.values["labels"]


def _trained(arrays: dict, labels, steps: int, rate: float) -> tuple[list[float], dict]:
    """The losses before each of `steps` steps on all examples, and the parameters after them."""
    losses = []
    for _ in range(steps):
        def loss(**a):
            return truth.cross_entropy(_outputs(**a), labels)
        losses.append(float(loss(**arrays)))
        grads = {name: truth.gradient(loss, arrays, name) for name in arrays if name != "x"}
        arrays = {name: value - rate * grads[name] if name in grads else value for name, value in arrays.items()}
    return losses, arrays


def _wants_parameters(scene, arrays: dict) -> None:
    for quantity, name in (("first.W", "W1"), ("first.b", "b1"), ("second.W", "W2"), ("second.b", "b2")):
        scene.wants(quantity, arrays[name], loose=name.startswith("b"))


@promise(exercise="4.2")
def test_epoch_returns_the_mean_loss_of_all_examples(module):
    """Seven examples in batches of three, learning rate 0: the mean over all examples, the last one included."""
    for n, batch in ((7, 3), (4, 4)):
        scene, arrays, labels = _epoch(module, n, batch, 0.0)
        losses = np.array([truth.cross_entropy(_outputs(**arrays)[k:k + 1], labels[k:k + 1]) for k in range(n)])
        left = losses[:, None] * (n % batch > 0)        # of the one example in the last batch, whichever that is
        dropped, weighted = losses.sum() - left, losses.sum() + (batch - 1) * left
        scene.wants("mean_0", losses.mean(), slips={
            "epoch-drops-last-batch": [*dropped / n, *dropped / (n - 1)],
            "epoch-mean-of-means": [*weighted / n, *weighted / batch / np.ceil(n / batch)]})
        _wants_parameters(scene, arrays)
        scene.keep()


@promise(exercise="4.2", weight=2)
def test_epoch_of_one_batch_is_one_step(module):
    """With all examples in one batch, every parameter moves by minus the learning rate times its gradient."""
    scene, arrays, labels = _epoch(module, 5, 5, RATE)
    losses, after = _trained(arrays, labels, 1, RATE)
    scene.wants("mean_0", losses[0])
    _wants_parameters(scene, after)
    scene.keep()


@promise(exercise="4.2", weight=2)
def test_each_batch_starts_from_the_last_step(module):
    """Batch after batch, epoch after epoch: a step for each, from the weights the last one left."""
    scene, arrays, labels = _epoch(module, 4, 2, RATE, epochs=2, same=True)
    losses, after = _trained(arrays, labels, 4, RATE)
    scene.wants("mean_0", np.mean(losses[:2]))
    scene.wants("mean_1", np.mean(losses[2:]))
    _wants_parameters(scene, after)
    scene.keep()


# 4.3 Digits

EPOCHS, BATCH, WIDTH, LEARNING_RATE, ENOUGH = 30, 32, 64, 0.5, 0.97


@promise(exercise="4.3")
def test_digits_are_read(module):
    """64 pixels, 64 relus, 10 classes, 30 epochs: over 97 % of the test images, counted again from your weights."""
    images, labels, test_images, test_labels = digits()
    order = np.random.default_rng(module.seed).permutation(images.shape[1]) if module.seed else slice(None)
    images, test_images = images[:, order], test_images[:, order]
    scene = module.scene("Linear", "ReLU", "Sequential", "SoftmaxCrossEntropy", "train_epoch")
    scene.given("images", images)
    scene.given("labels", labels)
    scene.lines.append("images, labels, test_images, test_labels = digits()      # from utils.datasets")
    layers = [scene.make("first", "Linear", 64, WIDTH, RNG), scene.make("gate", "ReLU"),
              scene.make("second", "Linear", WIDTH, 10, RNG)]
    scene.make("model", "Sequential", layers)
    scene.make("loss", "SoftmaxCrossEntropy")
    scene.rng("rng")
    scene.repeat(EPOCHS, "train_epoch", *map(Name, ("model", "loss", "images", "labels")), BATCH, LEARNING_RATE,
                 Name("rng"))
    for quantity, shape in (("first.W", (64, WIDTH)), ("first.b", (WIDTH,)), ("second.W", (WIDTH, 10)),
                            ("second.b", (10,))):
        scene.wants(quantity, np.zeros(shape), loose=len(shape) == 1, tolerance=np.inf)
    arrays = [scene.array_of(r) for r in scene.keep(Limits(cpu=30.0, wall=150.0))]
    W1, b1, W2, b2 = (a.reshape(-1) if k % 2 else a for k, a in enumerate(arrays))
    right = (_outputs(test_images, W1, b1, W2, b2, truth.relu).argmax(axis=1) == test_labels).mean()
    if not right > ENOUGH:
        raise scene.broken("Not enough of the test images are read.", quantity="share of test images read",
                           yours=f"{right:.4f}", expected=f"more than {ENOUGH}")
