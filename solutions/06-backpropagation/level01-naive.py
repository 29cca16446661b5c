"""Level 1, the naive layers: a loop over the examples of a batch, so that every sum over the batch can be seen.

For one example the rules are those of topic 02: each weight's local derivative is the input that it meets, times the
upstream gradient of the output that it feeds. A batch has as many shares as examples, and shares add up. Level 2 turns
each loop into one product of matrices, which is some twenty times faster on a batch of digits and says the same.

Holds every exercise but 3.4 and 3.5, which are about one network and not about layers.
"""

import math

import numpy as np


class Linear:
    """y = x W + b: (N, nin) to (N, nout); W is (nin, nout), b is (nout,)."""

    def __init__(self, nin, nout, rng):
        self.W = rng.normal(scale=math.sqrt(2 / nin), size=(nin, nout))
        self.b = np.zeros(nout)

    def forward(self, x):
        self.input = x
        return np.array([example @ self.W + self.b for example in x])

    def backward(self, grad_output):
        self.grad_W, self.grad_b = np.zeros_like(self.W), np.zeros_like(self.b)
        grad_input = []
        for example, grad in zip(self.input, grad_output, strict=True):
            self.grad_W += np.outer(example, grad)  # weight (i, j) met input i, and feeds output j
            self.grad_b += grad
            grad_input.append(self.W @ grad)  # input i feeds every output, through row i of W
        return np.array(grad_input)


class ReLU:
    """y = max(x, 0), entry by entry."""

    def forward(self, x):
        self.input = x
        return np.array([[value if value > 0 else 0.0 for value in row] for row in x])

    def backward(self, grad_output):
        return np.array([[g if value > 0 else 0.0 for g, value in zip(grads, row, strict=True)]
                         for grads, row in zip(grad_output, self.input, strict=True)])


class Tanh:
    """y = tanh x, entry by entry."""

    def forward(self, x):
        self.output = np.array([[math.tanh(value) for value in row] for row in x])
        return self.output

    def backward(self, grad_output):
        return np.array([[g * (1 - t * t) for g, t in zip(grads, row, strict=True)]
                         for grads, row in zip(grad_output, self.output, strict=True)])


class SquaredError:
    """The squared differences of all entries, their mean or their sum."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def forward(self, prediction, target):
        if np.shape(prediction) != np.shape(target):
            raise ValueError(f"prediction has shape {np.shape(prediction)} and target {np.shape(target)}; "
                             "give both the same shape")
        self.prediction, self.target = prediction, target
        self.share = 1 / np.size(prediction) if self.reduction == "mean" else 1.0  # of each entry in the loss
        return sum(self.share * (y - t) ** 2 for y, t in zip(np.ravel(prediction), np.ravel(target), strict=True))

    def backward(self):
        return np.array([[self.share * 2 * (y - t) for y, t in zip(ys, ts, strict=True)]
                         for ys, ts in zip(self.prediction, self.target, strict=True)])


def softmax(z):
    """Each row of `z` as probabilities."""
    rows = []
    for row in z:
        powers = [math.exp(value - max(row)) for value in row]
        rows.append([power / sum(powers) for power in powers])
    return np.array(rows)


def softmax_backward(s, grad_s):
    """d(loss)/dz: the whole Jacobian of each row, ds_j/dz_i = s_j (1 if i == j else 0) - s_j s_i, times grad_s."""
    return np.array([[sum(g * (p * (i == j) - p * row[i]) for j, (p, g) in enumerate(zip(row, grads, strict=True)))
                      for i in range(len(row))] for row, grads in zip(s, grad_s, strict=True)])


def cross_entropy_staged(logits, labels):
    """(loss, d(loss)/d(logits)) of the mean of -log p[label], through softmax and back."""
    p = softmax(logits)
    loss, grad_p = 0.0, np.zeros_like(p)
    for n, label in enumerate(labels):
        loss += -math.log(p[n, label]) / len(labels)
        grad_p[n, label] = -1 / p[n, label] / len(labels)
    return loss, softmax_backward(p, grad_p)


class SoftmaxCrossEntropy:
    """The same loss in one piece, its mean or its sum over the batch."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def forward(self, logits, labels):
        self.p, self.labels, loss = softmax(logits), labels, 0.0
        self.share = 1 / len(labels) if self.reduction == "mean" else 1.0
        for row, label in zip(logits, labels, strict=True):
            top = max(row)  # log of the sum of e**z = top + log of the sum of e**(z - top)
            loss += self.share * (top + math.log(sum(math.exp(z - top) for z in row)) - row[label])
        return loss

    def backward(self):
        return np.array([[self.share * (p - (j == label)) for j, p in enumerate(row)]
                         for row, label in zip(self.p, self.labels, strict=True)])


class Sequential:
    """Layers one after another."""

    def __init__(self, layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad_output):
        for layer in reversed(self.layers):
            grad_output = layer.backward(grad_output)
        return grad_output


class Dropout:
    """While `training`, each entry is 0 with probability `p`, else divided by 1 - p."""

    def __init__(self, p, rng):
        self.p, self.rng, self.training = p, rng, True

    def forward(self, x):
        self.mask = [[0.0 if self.training and self.rng.random() < self.p else self._kept() for _ in row] for row in x]
        return x * np.array(self.mask)

    def backward(self, grad_output):
        return grad_output * np.array(self.mask)

    def _kept(self):
        return 1 / (1 - self.p) if self.training else 1.0


def sgd(layers, learning_rate):
    """One step downhill for W and b of every layer that has them."""
    for layer in layers:
        if isinstance(layer, Linear):
            layer.W = layer.W - learning_rate * layer.grad_W
            layer.b = layer.b - learning_rate * layer.grad_b


def train_epoch(model, loss, images, labels, batch_size, learning_rate, rng):
    """Visit every example once, a batch at a time, in an order drawn from `rng`; the mean loss of all examples."""
    order, total = list(rng.permutation(len(images))), 0.0
    while order:
        batch, order = order[:batch_size], order[batch_size:]
        total += loss.forward(model.forward(images[batch]), labels[batch]) * len(batch)
        model.backward(loss.backward())
        sgd(model.layers, learning_rate)
    return total / len(images)
