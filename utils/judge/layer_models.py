"""Layers whose every rule can be replaced by a wrong one: what diagnosis compares a learner's layers with.

What is right is decided by array_oracle.py, never by these. A flaw is a dict: "Linear.pull" -> the function that stands
in that method's place, "softmax" -> the one that stands in that function's. `run` runs a script on layers with a flaw,
by the same machine that runs it on the learner's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace

import numpy as np

from utils.judge.session import Limits, Outcome
from utils.judge.worker import Machine

Rules = Mapping[str, Callable]


class Layer:
    """Something that keeps what its backward needs."""

    def keep(self, x):
        self.kept = x

    def recall(self):
        return self.kept

    def forward(self, x):
        self.keep(x)
        return self.value(x)

    def backward(self, grad_output):
        return self.pull(self.recall(), grad_output)


class Linear(Layer):
    def __init__(self, nin, nout, rng):
        self.W, self.b = np.zeros((nin, nout)), np.zeros(nout)

    def value(self, x):
        return x @ self.W + self.b

    def backward(self, grad_output):
        x = self.recall()
        self.blame(x, grad_output)
        return self.pull(x, grad_output)

    def blame(self, x, g):
        self.grad_W, self.grad_b = self.share_W(x, g), self.share_b(x, g)

    def share_W(self, x, g):
        return x.T @ g

    def share_b(self, x, g):
        return g.sum(axis=0)

    def pull(self, x, g):
        return g @ self.W.T


class ReLU(Layer):
    def value(self, x):
        return np.maximum(x, 0)

    def pull(self, x, g):
        return g * (x > 0)


class Tanh(Layer):
    def value(self, x):
        return np.tanh(x)

    def pull(self, x, g):
        return g * (1 - np.tanh(x) ** 2)


class SquaredError(Layer):
    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def check(self, y, t):
        if np.shape(y) != np.shape(t):
            raise ValueError("shapes differ")

    def forward(self, y, t):
        self.check(y, t)
        self.keep(y - t)
        return self.value(self.kept)

    def backward(self):
        return self.pull(self.recall())

    def value(self, d):
        return (d**2).mean() if self.reduction == "mean" else (d**2).sum()

    def pull(self, d):
        return 2 * d / d.size if self.reduction == "mean" else 2 * d


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_backward(s, grad_s):
    return s * (grad_s - (grad_s * s).sum(axis=1, keepdims=True))


def onehot(labels, p):
    """(N,) and anything (N, C) -> (N, C)."""
    return np.eye(p.shape[1])[labels]


class Staged:
    """cross_entropy_staged, with its stages as rules."""

    softmax = staticmethod(softmax)
    softmax_backward = staticmethod(softmax_backward)

    def __call__(self, logits, labels):
        p = self.softmax(logits)
        return self.value(p, labels), self.softmax_backward(p, self.pull(p, labels))

    def value(self, p, labels):
        return -np.log(p[np.arange(len(labels)), labels]).mean()

    def pull(self, p, labels):
        return -onehot(labels, p) / p / len(labels)


class SoftmaxCrossEntropy(Layer):
    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def forward(self, logits, labels):
        self.keep((self.probabilities(logits), labels))
        return self.value(logits, labels)

    def backward(self):
        return self.pull(*self.recall())

    def probabilities(self, logits):
        return softmax(logits)

    def value(self, z, labels):
        z = z - z.max(axis=1, keepdims=True)
        losses = (np.log(np.exp(z).sum(axis=1, keepdims=True)) - z)[np.arange(len(labels)), labels]
        return losses.mean() if self.reduction == "mean" else losses.sum()

    def pull(self, p, labels):
        grad = p - onehot(labels, p)
        return grad / len(labels) if self.reduction == "mean" else grad


class Sequential:
    def __init__(self, layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad_output):
        for layer in self.layers[::-1]:
            grad_output = layer.backward(grad_output)
        return grad_output


class Step:
    """sgd: what becomes of W and of b."""

    def __call__(self, layers, rate):
        for layer in layers:
            if isinstance(layer, Linear):
                layer.W = self.moved(layer.W, layer.grad_W, rate)
                layer.b = self.moved_bias(layer.b, layer.grad_b, rate)

    def moved(self, parameter, grad, rate):
        return parameter - rate * grad

    moved_bias = moved


class Epoch:
    """train_epoch; in the order in which the examples come, since no script that is compared depends on the order."""

    step = Step()

    def __call__(self, model, loss, images, labels, batch_size, rate, rng):
        losses = []
        for rows in self.batches(len(images), batch_size):
            losses.append((loss.forward(model.forward(images[rows]), labels[rows]), len(rows)))
            self.learn(model, loss, rate)
        return self.mean(losses, len(images))

    def batches(self, n, size):
        return [np.arange(start, min(start + size, n)) for start in range(0, n, size)]

    def learn(self, model, loss, rate):
        model.backward(loss.backward())
        self.step(model.layers, rate)

    def mean(self, losses, n):
        return sum(loss * count for loss, count in losses) / n


CLASSES = (Linear, ReLU, Tanh, SquaredError, SoftmaxCrossEntropy, Sequential)
FUNCTIONS = {"softmax": softmax, "softmax_backward": softmax_backward}
CALLABLE = {"cross_entropy_staged": Staged, "sgd": Step, "train_epoch": Epoch}
KNOWN = {cls.__name__ for cls in CLASSES} | set(FUNCTIONS) | set(CALLABLE)


def module(rules: Rules) -> SimpleNamespace:
    """A module of layers and functions, some of whose rules are replaced."""
    made: dict[str, Callable] = dict(FUNCTIONS)
    for name, cls in {**{c.__name__: c for c in CLASSES}, **CALLABLE}.items():
        own = {key.partition(".")[2]: rule for key, rule in rules.items() if key.startswith(f"{name}.")}
        made[name] = type(name, (cls,), own) if own else cls
    if made["sgd"] is not Step and "train_epoch.step" not in rules:
        made["train_epoch"] = type("train_epoch", (made["train_epoch"],), {"step": made["sgd"]()})
    made |= {name: made[name]() for name in CALLABLE}
    return SimpleNamespace(**{**made, **{key: rule for key, rule in rules.items() if key in FUNCTIONS}})


class Models:
    """In a session's place: runs scripts on layers with these rules, in this process."""

    def __init__(self, rules: Rules):
        self.rules = rules

    def run(self, steps: list, limits: Limits | None = None) -> Outcome:
        reply = run(steps, self.rules)
        return Outcome(reply["reports"], reply["error"])


def run(steps: list, rules: Rules) -> dict:
    """What a script reports on layers with these rules, and the error that stops it: as the worker's replies."""
    with np.errstate(all="ignore"):
        return Machine(module(rules)).run(steps)
