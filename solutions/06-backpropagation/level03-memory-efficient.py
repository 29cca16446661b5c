"""Level 3, the lean layers: no array is made that another could have been, and none is kept longer than it is needed.

Where level 2 keeps the input of every ReLU and makes two arrays for every product, these layers

- write into arrays that they own: gradients of parameters into buffers made once, an inner layer's output over its
  input where nobody else holds it (`forward(x, own=True)`, which only Sequential says, of arrays between its layers);
- keep the least that `backward` needs: a ReLU one bit an entry (`np.packbits`), a dropout layer the same;
- give up what they kept as soon as `backward` has used it: a second `backward` needs a second `forward`;
- work in the precision of their parameters: `Linear(nin, nout, rng, dtype=np.float32)` halves all memory, and its
  gradients are right to about 1e-5 of the largest one, where float64 gives 1e-12.

Errors say what was given, what was expected and what to do. Holds every exercise but 3.4 and 3.5.
"""

import numpy as np


def _batch(x, columns, who):
    """`x` as a float array (N, columns), or an error that says what is wrong with it."""
    x = np.asarray(x)
    if x.dtype.kind not in "fiu":
        raise TypeError(f"{who} takes an array of numbers, not of {x.dtype}; convert it with x.astype(float)")
    if x.ndim != 2 or (columns is not None and x.shape[1] != columns):
        wanted = f"(N, {'any' if columns is None else columns})"
        raise ValueError(f"{who} takes a batch of shape {wanted}, one example a row; got shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{who} got an input that holds nan or inf; look at the step before, or at the learning rate")
    return x if x.dtype.kind == "f" else x.astype(float)


def _labels(labels, n, classes):
    """`labels` as n whole numbers from 0 to classes - 1, or an error that says which is none."""
    labels = np.asarray(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ValueError(f"labels are {n} whole numbers, one a row; got shape {labels.shape} of {labels.dtype}")
    if n == 0:
        raise ValueError("the mean loss of an empty batch is not defined; give at least one example")
    if labels.min() < 0 or labels.max() >= classes:
        wrong = labels[(labels < 0) | (labels >= classes)][0]
        raise ValueError(f"label {wrong} is out of range; with {classes} classes labels go from 0 to {classes - 1}")
    return labels


class _Layer:
    """What layers share: one thing kept for `backward`, and given up by it."""

    _kept = None

    def _take(self, grad_output):
        """What `forward` kept, once; the upstream gradient is checked against the output's shape."""
        if self._kept is None:
            raise RuntimeError(f"{type(self).__name__}.backward has nothing to go back through; call forward first, "
                               "once for each backward")
        kept, shape = self._kept
        if np.shape(grad_output) != shape:
            raise ValueError(f"the upstream gradient has the output's shape, {shape}; got {np.shape(grad_output)}")
        self._kept = None
        return kept


class Linear(_Layer):
    """y = x W + b: (N, nin) to (N, nout); W is (nin, nout), b is (nout,), both of `dtype`."""

    def __init__(self, nin, nout, rng, dtype=np.float64):
        self.W = rng.normal(scale=np.sqrt(2 / nin), size=(nin, nout)).astype(dtype)
        self.b = np.zeros(nout, dtype)
        self.grad_W, self.grad_b = np.empty_like(self.W), np.empty_like(self.b)

    def forward(self, x, own=False):
        x = _batch(x, len(self.W), "Linear").astype(self.W.dtype, copy=False)
        y = x @ self.W
        y += self.b
        self._kept = x, y.shape
        return y

    def backward(self, grad_output, own=False):
        x = self._take(grad_output)
        np.matmul(x.T, grad_output, out=self.grad_W)  # into the buffer: set, not added
        np.sum(grad_output, axis=0, out=self.grad_b.reshape(-1))
        return grad_output @ self.W.T


class ReLU(_Layer):
    """y = max(x, 0); a bit an entry is kept."""

    def forward(self, x, own=False):
        x = _batch(x, None, "ReLU")
        self._kept = np.packbits(x > 0), x.shape
        return np.maximum(x, 0, out=x if own else None)

    def backward(self, grad_output, own=False):
        bits = self._take(grad_output)
        mask = np.unpackbits(bits, count=grad_output.size).reshape(grad_output.shape)
        return np.multiply(grad_output, mask, out=grad_output if own else None)


class Tanh(_Layer):
    """y = tanh x; the output is kept, which the next layer keeps as well."""

    def forward(self, x, own=False):
        x = _batch(x, None, "Tanh")
        y = np.tanh(x, out=x if own else None)
        self._kept = y, y.shape
        return y

    def backward(self, grad_output, own=False):
        slope = np.square(self._take(grad_output))
        np.subtract(1, slope, out=slope)
        return np.multiply(grad_output, slope, out=slope)


class SquaredError(_Layer):
    """The squared differences of all entries, their mean or their sum."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def forward(self, prediction, target):
        if np.shape(prediction) != np.shape(target):
            raise ValueError(f"prediction has shape {np.shape(prediction)} and target {np.shape(target)}; "
                             "give both the same shape")
        difference = np.subtract(prediction, target)
        if self.reduction == "mean" and not difference.size:
            raise ValueError("the mean of an empty batch is not defined; give at least one example")
        self._kept = difference, difference.shape
        total = np.vdot(difference, difference)
        return total / difference.size if self.reduction == "mean" else total

    def backward(self):
        difference = self._take(self._kept[0] if self._kept else None)
        difference *= 2 / difference.size if self.reduction == "mean" else 2
        return difference


def softmax(z):
    """Each row of `z`, (N, C), as probabilities; one array is made."""
    e = _batch(z, None, "softmax") - z.max(axis=1, keepdims=True)
    np.exp(e, out=e)
    e /= e.sum(axis=1, keepdims=True)
    return e


def softmax_backward(s, grad_s):
    """d(loss)/dz from s = softmax(z) and d(loss)/ds; one array is made."""
    grad = grad_s - np.einsum("nc,nc->n", grad_s, s)[:, None]
    grad *= s
    return grad


def cross_entropy_staged(logits, labels):
    """(loss, d(loss)/d(logits)), in stages."""
    p = softmax(logits)
    labels = _labels(labels, *p.shape)
    rows = np.arange(len(labels))
    picked = p[rows, labels]
    grad_p = np.zeros_like(p)
    grad_p[rows, labels] = -1 / (picked * len(labels))
    return -np.log(picked).mean(), softmax_backward(p, grad_p)


class SoftmaxCrossEntropy(_Layer):
    """The same loss in one piece. What is kept is the gradient itself, made in the probabilities' place."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def forward(self, logits, labels):
        logits = _batch(logits, None, "SoftmaxCrossEntropy")
        labels = _labels(labels, *logits.shape)
        rows = np.arange(len(labels))
        e = logits - logits.max(axis=1, keepdims=True)
        picked = e[rows, labels]
        np.exp(e, out=e)
        total = e.sum(axis=1)
        losses = np.log(total) - picked
        e /= total[:, None]
        e[rows, labels] -= 1
        if self.reduction == "mean":
            e /= len(labels)
        self._kept = e, e.shape
        return losses.mean() if self.reduction == "mean" else losses.sum()

    def backward(self):
        return self._take(self._kept[0] if self._kept else None)


class Sequential:
    """Layers one after another. Arrays between them belong to nobody else, so a layer may write over its input.

    The first input and the output are the caller's: the first layer is not told that it owns what it reads.
    """

    def __init__(self, layers):
        self.layers = list(layers)

    def forward(self, x):
        for k, layer in enumerate(self.layers):
            # what a Tanh gave out it keeps, and a Linear keeps what it reads: only what a Linear made is free
            x = layer.forward(x, own=k > 0 and isinstance(self.layers[k - 1], Linear))
        return x

    def backward(self, grad_output):
        for k, layer in enumerate(reversed(self.layers)):
            grad_output = layer.backward(grad_output, own=k > 0)
        return grad_output


class Dropout(_Layer):
    """While `training`, each entry is 0 with probability `p`, else divided by 1 - p; a bit an entry is kept."""

    def __init__(self, p, rng):
        if not 0 <= p < 1:
            raise ValueError(f"p is the share to drop, from 0 to below 1; got {p}")
        self.p, self.rng, self.training = p, rng, True

    def forward(self, x, own=False):
        x = _batch(x, None, "Dropout")
        if not self.training:
            self._kept = False, x.shape
            return x if own else x.copy()
        kept = self.rng.random(x.shape, dtype=np.float32) >= self.p
        self._kept = np.packbits(kept), x.shape
        y = np.multiply(x, kept, out=x if own else None)
        y /= 1 - self.p
        return y

    def backward(self, grad_output, own=False):
        bits = self._take(grad_output)
        if bits is False:
            return grad_output if own else grad_output.copy()
        mask = np.unpackbits(bits, count=grad_output.size).reshape(grad_output.shape)
        grad = np.multiply(grad_output, mask, out=grad_output if own else None)
        grad /= 1 - self.p
        return grad


def sgd(layers, learning_rate):
    """One step downhill, in place, for W and b of every layer that has them; gradients are used up as scratch."""
    for layer in layers:
        if isinstance(layer, Linear):
            for parameter, grad in ((layer.W, layer.grad_W), (layer.b, layer.grad_b)):
                grad *= learning_rate
                parameter -= grad


def train_epoch(model, loss, images, labels, batch_size, learning_rate, rng):
    """Visit every example once, a batch at a time, in an order drawn from `rng`; the mean loss of all examples."""
    if not len(images):
        raise ValueError("an epoch needs at least one example; images is empty")
    order, total = rng.permutation(len(images)), 0.0
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        total += loss.forward(model.forward(images[batch]), labels[batch]) * len(batch)
        model.backward(loss.backward())
        sgd(model.layers, learning_rate)
    return total / len(images)
