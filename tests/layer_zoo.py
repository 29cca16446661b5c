"""Right layers in other styles than the model answer's: whatever the brief does not fix is the learner's.

Each is the model answer with changes; `CLOSURES` is written from the ground up, with one base class and no cache that
has a name.
"""

from __future__ import annotations

from tests.layers import changed

LINEAR = "        self.grad_W = self.input.T @ grad_output"
BACK = "        return grad_output @ self.W.T\n"

STYLES = {
    "bias in a row": [("self.b = np.zeros(nout)", "self.b = np.zeros((1, nout))"),
                      ("grad_output.sum(axis=0)  # b was", "grad_output.sum(axis=0, keepdims=True)  # b was")],
    "column-major weights": [("self.W = rng.normal(scale=np.sqrt(2 / nin), size=(nin, nout))",
                              "self.W = np.asfortranarray(rng.normal(scale=np.sqrt(2 / nin), size=(nin, nout)))"),
                             (LINEAR, "        self.W = np.asfortranarray(self.W)\n" + LINEAR)],
    "einsum": [("self.input.T @ grad_output  #", 'np.einsum("ni,nj->ij", self.input, grad_output)  #'),
               (BACK, '        return np.einsum("nj,ij->ni", grad_output, self.W)\n')],
    "a stack of caches": [
        ("        self.input = x\n        return x @ self.W", "        self.stack = [*getattr(self, 'stack', []), x]\n"
         "        return x @ self.W"),
        (LINEAR, "        self.input = self.stack.pop()\n" + LINEAR)],
    "caches are copies": [("        self.input = x\n        return x @", "        self.input = x.copy()\n        return x @"),
                          ("        self.output = np.tanh(x)\n        return self.output",
                           "        self.output = np.tanh(x).copy()\n        return self.output.copy()")],
    "parameters behind properties": [
        ('class Linear:\n    """y = x W + b: (N, nin) to (N, nout); W is (nin, nout), b is (nout,)."""\n',
         "class Linear:\n    W = property(lambda self: self.p['W'], lambda self, value: self.p.__setitem__('W', value))\n"
         "    b = property(lambda self: self.p['b'], lambda self, value: self.p.__setitem__('b', value))\n"
         "    p = property(lambda self: self.__dict__.setdefault('store', {}))\n")],
    "slots": [('class ReLU:\n', "class ReLU:\n    __slots__ = ('open',)\n\n"), ("class Tanh:\n", "class Tanh:\n"
              "    __slots__ = ('output',)\n\n")],
    "relu by maximum": [("return np.where(self.open, x, 0.0)", "return np.maximum(0, x)"),
                        ("return grad_output * self.open", "return np.where(self.open, grad_output, 0)")],
    "relu's slope at 0 is 1": [("self.open = x > 0", "self.open = x >= 0")],
    "one-hot rows": [("        grad[np.arange(len(self.labels)), self.labels] -= 1  # p - onehot\n",
                      "        grad -= np.eye(grad.shape[1])[self.labels]\n")],
    "softmax by its Jacobian": [
        ("return s * (grad_s - (grad_s * s).sum(axis=1, keepdims=True))",
         "return np.stack([(np.diag(p) - np.outer(p, p)) @ g for p, g in zip(s, grad_s)])")],
    "assertions": [("if np.shape(prediction) != np.shape(target):", "assert np.shape(prediction) == np.shape(target)\n"
                    "        if False:")],
    "steps in place": [("layer.W = layer.W - learning_rate * layer.grad_W", "layer.W -= learning_rate * layer.grad_W"),
                       ("layer.b = layer.b - learning_rate * layer.grad_b", "layer.b -= learning_rate * layer.grad_b")],
    "binomial mask": [("(self.rng.random(x.shape) >= self.p) / (1 - self.p)",
                       "self.rng.binomial(1, 1 - self.p, x.shape) / (1 - self.p)")],
    "shuffled copies": [
        ("    order, total = rng.permutation(len(images)), 0.0\n",
         "    shuffled = np.arange(len(images))\n    rng.shuffle(shuffled)\n    images, labels = images[shuffled], "
         "labels[shuffled]\n    order, total = np.arange(len(images)), 0.0\n")],
    "gradients of None at first": [("        self.grad_W = np.zeros_like(self.W)\n        self.grad_b = np.zeros_like("
                                    "self.b)\n", "        self.grad_W = self.grad_b = None\n")],
    "the loss as an array": [('        return losses.mean() if self.reduction == "mean" else losses.sum()',
                              '        return np.array([losses.mean() if self.reduction == "mean" else losses.sum()])')],
}

CLOSURES = '''
import numpy as np


class Module:
    """forward(x) makes the function that backward calls."""

    def forward(self, *args):
        y, self._back = self.build(*args)
        return y

    def backward(self, *grad):
        return self._back(*grad)


class Linear(Module):
    def __init__(self, nin, nout, rng):
        self.W, self.b = rng.standard_normal((nin, nout)) / nin**0.5, np.zeros(nout)

    def build(self, x):
        def back(g):
            self.grad_W, self.grad_b = np.tensordot(x, g, (0, 0)), np.add.reduce(g)
            return np.inner(g, self.W)
        return np.dot(x, self.W) + self.b, back


class ReLU(Module):
    def build(self, x):
        gate = np.heaviside(x, 0.0)
        return x * gate, lambda g: g * gate


class Tanh(Module):
    def build(self, x):
        return np.tanh(x), lambda g: g / np.cosh(np.clip(x, -300, 300)) ** 2


class SquaredError(Module):
    def __init__(self, reduction="mean"):
        self.how = getattr(np, reduction)
        self.share = {"mean": lambda n: 1 / n, "sum": lambda n: 1}[reduction]

    def build(self, y, t):
        if y.shape != t.shape:
            raise ValueError("shapes differ")
        return self.how((y - t) ** 2), lambda: 2 * self.share(y.size) * (y - t)


def softmax(z):
    return np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))


def softmax_backward(s, grad_s):
    return s * grad_s - s * np.einsum("nc,nc->n", s, grad_s)[:, None]


def cross_entropy_staged(logits, labels):
    p, hot = softmax(logits), np.eye(logits.shape[1])[labels]
    return np.mean(-np.log((p * hot).sum(1))), softmax_backward(p, -hot / p / len(labels))


class SoftmaxCrossEntropy(Module):
    def __init__(self, reduction="mean"):
        self.how, self.share = getattr(np, reduction), {"mean": lambda n: 1 / n, "sum": lambda n: 1}[reduction]

    def build(self, z, labels):
        hot = np.eye(z.shape[1])[labels]
        losses = np.logaddexp.reduce(z, axis=1) - (z * hot).sum(1)
        return self.how(losses), lambda: (softmax(z) - hot) * self.share(len(z))


class Sequential(Module):
    def __init__(self, layers):
        self.layers = layers

    def build(self, x):
        backs = []
        for layer in self.layers:
            x = layer.forward(x)
            backs.insert(0, layer.backward)

        def back(g):
            for one in backs:
                g = one(g)
            return g
        return x, back


class Dropout(Module):
    training = True

    def __init__(self, p, rng):
        self.p, self.rng = p, rng

    def build(self, x):
        if not self.training:
            return x, lambda g: g
        kept = self.rng.uniform(size=x.shape) < 1 - self.p
        return np.where(kept, x / (1 - self.p), 0), lambda g: np.where(kept, g / (1 - self.p), 0)


def sgd(layers, learning_rate):
    for layer in layers:
        for name in ("W", "b"):
            if name in vars(layer):
                setattr(layer, name, getattr(layer, name) - learning_rate * getattr(layer, "grad_" + name))


def train_epoch(model, loss, images, labels, batch_size, learning_rate, rng):
    losses, order = 0.0, rng.permutation(len(images))
    for rows in np.array_split(order, -(-len(order) // batch_size)):
        losses += len(rows) * loss.forward(model.forward(images[rows]), labels[rows])
        model.backward(loss.backward())
        sgd(model.layers, learning_rate)
    return losses / len(images)
'''

SOURCES = {name: changed(*changes) for name, changes in STYLES.items()}
