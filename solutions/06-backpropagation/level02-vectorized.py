# header >>>
"""Level 2, the vectorized layers: a batch is one array, and each rule is one line of matrix algebra.

The model answer to the exercises, and the source of the learner's file. `x` is a batch, one example a row. A layer's
`forward` keeps what its `backward` will need; `backward` takes d(loss)/d(output), sets d(loss)/d(parameter) and returns
d(loss)/d(input). The rules are those of level 1, whose loops over the examples have become sums inside a product.
"""
# learner's file:
# """Your layers: each with a `forward`, and a `backward` that you derive yourself.
#
# Open exercises.ipynb beside this file. It says what each exercise asks and in which order to go. Replace a
# `raise NotImplementedError` line by your code, save, then run the exercise's check cell in the notebook.
#
# A batch is an array with one example a row: `x` has shape (N, nin). Every layer keeps two promises:
#
# - `forward(x)` returns the output, and keeps in the layer what `backward` will need;
# - `backward(grad_output)` takes d(loss)/d(output), in the output's shape, and returns d(loss)/d(input), in the
#   input's. It belongs to the latest `forward`. Where there are parameters it sets `grad_W` and `grad_b`, with `=`.
#
# Neither changes an array that it was given. `Square` is complete; the rest is yours.
# """
# <<<

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
        # exercise 1.1 >>> Linear.forward
        self.input = x
        return x @ self.W + self.b
        # <<<

    # Exercise 1.2
    def backward(self, grad_output):
        """Set grad_W, like W, and grad_b, like b; return the gradient of the input, (N, nin)."""
        # exercise 1.2 >>> Linear.backward
        self.grad_W = self.input.T @ grad_output  # entry i, j: what input i met, times what output j is blamed for
        self.grad_b = grad_output.sum(axis=0)  # b was copied to every row: its gradient is the sum over rows
        return grad_output @ self.W.T
        # <<<


# Exercise 1.3
class ReLU:
    """y = max(x, 0), entry by entry; the slope at exactly 0 is taken as 0."""

    def forward(self, x):
        # exercise 1.3 >>> ReLU.forward
        self.open = x > 0
        return np.where(self.open, x, 0.0)
        # <<<

    def backward(self, grad_output):
        # exercise 1.3 >>> ReLU.backward
        return grad_output * self.open
        # <<<


# Exercise 2.1
class Tanh:
    """y = tanh x, entry by entry."""

    def forward(self, x):
        # exercise 2.1 >>> Tanh.forward
        self.output = np.tanh(x)
        return self.output
        # <<<

    def backward(self, grad_output):
        # exercise 2.1 >>> Tanh.backward
        return grad_output * (1 - self.output**2)  # d/dx tanh = 1 - tanh^2
        # <<<


# Exercise 2.2
class SquaredError:
    """The squared differences of all entries, their mean or their sum: a number."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction  # "mean" or "sum"

    def forward(self, prediction, target):
        """The loss. Both have the same shape, or ValueError: (N, 1) and (N,) would broadcast to (N, N)."""
        # exercise 2.2 >>> SquaredError.forward
        if np.shape(prediction) != np.shape(target):
            raise ValueError(f"prediction has shape {np.shape(prediction)} and target {np.shape(target)}; "
                             "give both the same shape")
        self.difference = prediction - target
        squares = self.difference**2
        return squares.mean() if self.reduction == "mean" else squares.sum()
        # <<<

    def backward(self):
        """d(loss)/d(prediction), in its shape."""
        # exercise 2.2 >>> SquaredError.backward
        slope = 2 * self.difference
        return slope / slope.size if self.reduction == "mean" else slope
        # <<<


# Exercise 2.3
def softmax(z):
    """Each row of `z`, (N, C), as probabilities: e**z over the row's sum, for numbers of any size."""
    # exercise 2.3 >>> softmax
    e = np.exp(z - z.max(axis=1, keepdims=True))  # the largest exponent is 0; a shift of the row cancels
    return e / e.sum(axis=1, keepdims=True)
    # <<<


def softmax_backward(s, grad_s):
    """d(loss)/dz from s = softmax(z) and d(loss)/ds, all (N, C)."""
    # exercise 2.3 >>> softmax_backward
    return s * (grad_s - (grad_s * s).sum(axis=1, keepdims=True))
    # <<<


# Exercise 2.4
def cross_entropy_staged(logits, labels):
    """(loss, d(loss)/d(logits)): softmax, then the mean of -log p[label]; back through the same two stages.

    `logits` is (N, C), `labels` N whole numbers from 0 to C - 1.
    """
    # exercise 2.4 >>> cross_entropy_staged
    rows = np.arange(len(labels))
    p = softmax(logits)
    loss = -np.log(p[rows, labels]).mean()
    grad_p = np.zeros_like(p)
    grad_p[rows, labels] = -1 / p[rows, labels] / len(labels)
    return loss, softmax_backward(p, grad_p)
    # <<<


# Exercise 2.5
class SoftmaxCrossEntropy:
    """The same loss in one piece: its mean or its sum over the batch, finite for logits of any size."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction  # "mean" or "sum"

    def forward(self, logits, labels):
        """The loss: -log softmax(logits)[label], reduced over the rows."""
        # exercise 2.5 >>> SoftmaxCrossEntropy.forward
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # never the log of a rounded 0
        self.p, self.labels = np.exp(log_p), labels
        losses = -log_p[np.arange(len(labels)), labels]
        return losses.mean() if self.reduction == "mean" else losses.sum()
        # <<<

    def backward(self):
        """d(loss)/d(logits), (N, C), in closed form."""
        # exercise 2.5 >>> SoftmaxCrossEntropy.backward
        grad = self.p.copy()
        grad[np.arange(len(self.labels)), self.labels] -= 1  # p - onehot
        return grad / len(self.labels) if self.reduction == "mean" else grad
        # <<<


# Exercise 3.1
class Sequential:
    """Layers one after another: the output of each is the input of the next."""

    def __init__(self, layers):
        self.layers = list(layers)

    def forward(self, x):
        # exercise 3.1 >>> Sequential.forward
        for layer in self.layers:
            x = layer.forward(x)
        return x
        # <<<

    def backward(self, grad_output):
        # exercise 3.1 >>> Sequential.backward
        for layer in reversed(self.layers):
            grad_output = layer.backward(grad_output)
        return grad_output
        # <<<


# Exercise 3.3
class Dropout:
    """While `training`, each entry is 0 with probability `p`, else divided by 1 - p; otherwise nothing happens."""

    def __init__(self, p, rng):
        self.p, self.rng = p, rng  # rng: a numpy Generator
        self.training = True

    def forward(self, x):
        # exercise 3.3 >>> Dropout.forward
        self.mask = (self.rng.random(x.shape) >= self.p) / (1 - self.p) if self.training else np.ones(x.shape)
        return x * self.mask
        # <<<

    def backward(self, grad_output):
        # exercise 3.3 >>> Dropout.backward
        return grad_output * self.mask
        # <<<


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
    # exercise 3.4 >>>
    match name:
        case "picked":
            return np.full_like(v["picked"], -1 / len(v["picked"]))
        case "logp":
            grad = np.zeros_like(v["logp"])
            grad[np.arange(len(v["labels"])), v["labels"]] = d["picked"]
            return grad
        case "p":
            return d["logp"] / v["p"]
        case "inverse":
            return (d["p"] * v["e"]).sum(axis=1, keepdims=True)
        case "total":
            return -d["inverse"] / v["total"] ** 2
        case "e":
            return d["p"] * v["inverse"] + d["total"]
        case "low":
            return d["e"] * v["e"]
        case "top":
            return -d["low"].sum(axis=1, keepdims=True)
        case "logits":
            largest = v["logits"] == v["top"]
            return d["low"] + d["top"] * largest
        case "b2":
            return d["logits"].sum(axis=0)
        case "W2":
            return v["h"].T @ d["logits"]
        case "h":
            return d["logits"] @ v["W2"].T
        case "a":
            return d["h"] * (1 - v["h"] ** 2)
        case "shift":
            return d["a"].sum(axis=0)
        case "scaled":
            return d["a"]
        case "gain":
            return (d["scaled"] * v["zhat"]).sum(axis=0)
        case "zhat":
            return d["scaled"] * v["gain"]
        case "inv":
            return (d["zhat"] * v["c"]).sum(axis=0)
        case "var":
            return d["inv"] * -0.5 * (v["var"] + 1e-5) ** -1.5
        case "c2":
            return np.ones_like(v["c2"]) * d["var"] / len(v["c2"])
        case "c":
            return d["zhat"] * v["inv"] + d["c2"] * 2 * v["c"]
        case "mu":
            return -d["c"].sum(axis=0)
        case "z":
            return d["c"] + d["mu"] / len(v["z"])
        case "b1":
            return d["z"].sum(axis=0)
        case "W1":
            return v["x"].T @ d["z"]
        case "x":
            return d["z"] @ v["W1"].T
    # learner's file:
    # if name == "picked":
    #     raise NotImplementedError("exercise 3.4: d(loss)/d(picked)")
    # # ... and so on, a step at a time, in the order of BACKWARD
    # <<<
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
    # exercise 3.5 >>> on_values
    parameters = [[[Value(float(w)) for w in row] for row in np.atleast_2d(array)] for array in (W1, b1, W2, b2)]
    w1, (bias1,), w2, (bias2,) = parameters

    def linear(inputs, weights, bias):
        return [sum((a * row[j] for a, row in zip(inputs, weights, strict=True)), bias[j]) for j in range(len(bias))]

    loss = Value(0.0)
    for row, label in zip(x, labels, strict=True):
        logits = linear([a.tanh() for a in linear([float(a) for a in row], w1, bias1)], w2, bias2)
        loss = loss + sum((z.exp() for z in logits), Value(0.0)).log() - logits[label]
    loss = loss / len(labels)
    loss.backward()
    grads = [np.array([[value.grad for value in row] for row in rows]) for rows in parameters]
    return loss.data, [grad.reshape(np.shape(array)) for grad, array in zip(grads, (W1, b1, W2, b2), strict=True)]
    # <<<


# Exercise 4.1
def sgd(layers, learning_rate):
    """One step downhill for W and b of every layer that has them."""
    # exercise 4.1 >>> sgd
    for layer in layers:
        if hasattr(layer, "W"):
            layer.W = layer.W - learning_rate * layer.grad_W
            layer.b = layer.b - learning_rate * layer.grad_b
    # <<<


# Exercise 4.2
def train_epoch(model, loss, images, labels, batch_size, learning_rate, rng):
    """Visit every example once, in an order drawn from `rng`, a batch at a time; the mean loss of all examples.

    `model` is a Sequential, `loss` a SoftmaxCrossEntropy; a smaller last batch counts too. For each batch: forward,
    backward, one step of `sgd`. The loss of a batch is taken before its step.
    """
    # exercise 4.2 >>> train_epoch
    order, total = rng.permutation(len(images)), 0.0
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        total += loss.forward(model.forward(images[batch]), labels[batch]) * len(batch)
        model.backward(loss.backward())
        sgd(model.layers, learning_rate)
    return total / len(images)
    # <<<
