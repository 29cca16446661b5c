# This file is yours to edit: an update never overwrites it once you have changed it.
"""Your layers: each with a `forward`, and a `backward` that you derive yourself.

Open exercises.ipynb beside this file. It says what each exercise asks and in which order to go. Replace a
`raise NotImplementedError` line by your code, save, then run the exercise's check cell in the notebook.

A batch is an array with one example a row: `x` has shape (N, nin). Every layer keeps two promises:

- `forward(x)` returns the output, and keeps in the layer what `backward` will need;
- `backward(grad_output)` takes d(loss)/d(output), in the output's shape, and returns d(loss)/d(input), in the
  input's. It belongs to the latest `forward`. Where there are parameters it sets `grad_W` and `grad_b`, with `=`.

Neither changes an array that it was given. `Square` is complete; the rest is yours.
"""

import numpy as np


# Worked example
class Square:
    """y = x * x, entry by entry."""

    def forward(self, x):
        self.input = x
        return x * x

    def backward(self, grad_output):
        return grad_output * 2 * self.input  # upstream times local derivative


class Linear:
    """y = x W + b: (N, nin) to (N, nout); W is (nin, nout), b is (nout,)."""

    def __init__(self, nin, nout, rng):
        """Weights drawn from `rng`, a numpy Generator, so that a relu's input keeps its size (He et al. 2015)."""
        self.W = rng.normal(scale=np.sqrt(2 / nin), size=(nin, nout))
        self.b = np.zeros(nout)
        self.grad_W = np.zeros_like(self.W)
        self.grad_b = np.zeros_like(self.b)

    # Exercise 1.1
    def forward(self, x):
        """x W + b, for a batch of any size."""
        raise NotImplementedError("exercise 1.1: Linear.forward")

    # Exercise 1.2
    def backward(self, grad_output):
        """Set grad_W, like W, and grad_b, like b; return the gradient of the input, (N, nin)."""
        raise NotImplementedError("exercise 1.2: Linear.backward")


# Exercise 1.3
class ReLU:
    """y = max(x, 0), entry by entry; the slope at exactly 0 is taken as 0."""

    def forward(self, x):
        raise NotImplementedError("exercise 1.3: ReLU.forward")

    def backward(self, grad_output):
        raise NotImplementedError("exercise 1.3: ReLU.backward")


# Exercise 2.1
class Tanh:
    """y = tanh x, entry by entry."""

    def forward(self, x):
        raise NotImplementedError("exercise 2.1: Tanh.forward")

    def backward(self, grad_output):
        raise NotImplementedError("exercise 2.1: Tanh.backward")


# Exercise 2.2
class SquaredError:
    """The squared differences of all entries, their mean or their sum: a number."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction  # "mean" or "sum"

    def forward(self, prediction, target):
        """The loss. Both have the same shape, or ValueError: (N, 1) and (N,) would broadcast to (N, N)."""
        raise NotImplementedError("exercise 2.2: SquaredError.forward")

    def backward(self):
        """d(loss)/d(prediction), in its shape."""
        raise NotImplementedError("exercise 2.2: SquaredError.backward")


# Exercise 2.3
def softmax(z):
    """Each row of `z`, (N, C), as probabilities: e**z over the row's sum, for numbers of any size."""
    raise NotImplementedError("exercise 2.3: softmax")


def softmax_backward(s, grad_s):
    """d(loss)/dz from s = softmax(z) and d(loss)/ds, all (N, C)."""
    raise NotImplementedError("exercise 2.3: softmax_backward")


# Exercise 2.4
def cross_entropy_staged(logits, labels):
    """(loss, d(loss)/d(logits)): softmax, then the mean of -log p[label]; back through the same two stages.

    `logits` is (N, C), `labels` N whole numbers from 0 to C - 1.
    """
    raise NotImplementedError("exercise 2.4: cross_entropy_staged")


# Exercise 2.5
class SoftmaxCrossEntropy:
    """The same loss in one piece: its mean or its sum over the batch, finite for logits of any size."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction  # "mean" or "sum"

    def forward(self, logits, labels):
        """The loss: -log softmax(logits)[label], reduced over the rows."""
        raise NotImplementedError("exercise 2.5: SoftmaxCrossEntropy.forward")

    def backward(self):
        """d(loss)/d(logits), (N, C), in closed form."""
        raise NotImplementedError("exercise 2.5: SoftmaxCrossEntropy.backward")


# Exercise 3.1
class Sequential:
    """Layers one after another: the output of each is the input of the next."""

    def __init__(self, layers):
        self.layers = list(layers)

    def forward(self, x):
        raise NotImplementedError("exercise 3.1: Sequential.forward")

    def backward(self, grad_output):
        raise NotImplementedError("exercise 3.1: Sequential.backward")


# Exercise 3.3
class Dropout:
    """While `training`, each entry is 0 with probability `p`, else divided by 1 - p; otherwise nothing happens."""

    def __init__(self, p, rng):
        self.p, self.rng = p, rng  # rng: a numpy Generator
        self.training = True

    def forward(self, x):
        raise NotImplementedError("exercise 3.3: Dropout.forward")

    def backward(self, grad_output):
        raise NotImplementedError("exercise 3.3: Dropout.backward")


# Exercise 3.4: one step of a backward pass at a time
def step_by_step(x, labels, W1, b1, gain, shift, W2, b2):
    """The forward pass of a small network, every step with a name of its own: a dict of all values.

    A linear layer, normalised over the batch, tanh, a second linear layer, and the mean cross-entropy.
    """
    z = x @ W1 + b1  # (N, H)
    mu = z.mean(axis=0)  # (H,), and so are var and inv
    c = z - mu
    c2 = c**2
    var = c2.mean(axis=0)
    inv = (var + 1e-5) ** -0.5
    zhat = c * inv
    scaled = zhat * gain
    a = scaled + shift
    h = np.tanh(a)
    logits = h @ W2 + b2  # (N, C)
    top = logits.max(axis=1, keepdims=True)  # (N, 1), and so are total and inverse
    low = logits - top
    e = np.exp(low)
    total = e.sum(axis=1, keepdims=True)
    inverse = total**-1
    p = e * inverse
    logp = np.log(p)
    picked = logp[np.arange(len(labels)), labels]  # (N,)
    loss = -picked.mean()
    return dict(locals())


# The order of a backward pass through it: each step needs only gradients of steps before it in this list.
BACKWARD = ["picked", "logp", "p", "inverse", "total", "e", "low", "top", "logits", "b2", "W2", "h", "a", "shift",
            "scaled", "gain", "zhat", "inv", "var", "c2", "c", "mu", "z", "b1", "W1", "x"]


def gradient_of(name, v, d):
    """d(loss)/d(v[name]), in the shape of v[name]: `v` holds all values, `d` the gradients of the steps before it."""
    if name == "picked":
        raise NotImplementedError("exercise 3.4: d(loss)/d(picked)")
    # ... and so on, a step at a time, in the order of BACKWARD
    raise NotImplementedError(f"exercise 3.4: d(loss)/d({name})")


def chained(v):
    """The whole backward pass, each step fed with yours: a dict of all gradients."""
    d = {}
    for name in BACKWARD:
        d[name] = gradient_of(name, v, d)
    return d


# Exercise 3.5: the bridge to topic 02
def on_values(Value, x, labels, W1, b1, W2, b2):
    """(loss, [grad_W1, grad_b1, grad_W2, grad_b2]) of linear, tanh, linear, mean cross-entropy; on scalars.

    `Value` is a scalar engine's class (topic 02); the gradients come from its `backward()`, as arrays.
    """
    raise NotImplementedError("exercise 3.5: on_values")


# Exercise 4.1
def sgd(layers, learning_rate):
    """One step downhill for W and b of every layer that has them."""
    raise NotImplementedError("exercise 4.1: sgd")


# Exercise 4.2
def train_epoch(model, loss, images, labels, batch_size, learning_rate, rng):
    """Visit every example once, in an order drawn from `rng`, a batch at a time; the mean loss of all examples.

    `model` is a Sequential, `loss` a SoftmaxCrossEntropy; a smaller last batch counts too. For each batch: forward,
    backward, one step of `sgd`. The loss of a batch is taken before its step.
    """
    raise NotImplementedError("exercise 4.2: train_epoch")
