"""Level 2, the vectorized engine: a node holds a NumPy array, so one node does the work of thousands.

What changed from level 1, and what for:
- `data` and `grad` are arrays of any shape, a number being an array without axes. Python pays for a node once and
  NumPy does the arithmetic: a layer of a network is one matrix product, for all points at once.
- An operation is one line of a table: its forward, and for each operand the vector-Jacobian product (VJP), which
  takes the gradient g of the output to the gradient of that operand. Nothing refers back to the node: no cycles.
- Shapes that broadcasting stretched are summed back in one place, `unbroadcast`.
- A constant operand is not a node, so its gradient is never computed. The first share of a gradient is stored, only
  later ones are added; nothing is filled with zeros first. The order of nodes is found without recursion.
- What runs together is one operation: `linear` with its activation is one node on one array; `softmax`,
  `cross_entropy` and `squared_error` skip the arrays between their steps. A batch times one matrix is a single product
  of flat matrices, and so is a sum over rows. float32 stays float32.

What it costs: on single numbers it is slower than level 1, since every call of NumPy costs far more than one product.
`parameters()` promises a list of single Values, so a layer has to stack its weights into an array in every forward,
and take the gradient apart again: work that grows with the number of weights, in Python. Keep one array a layer where
you are free to choose (`linear`). All outputs stay alive until the graph goes. Holds levels 1, 2 and 4.
"""

import random
from functools import lru_cache

import numpy as np


def _power_slope(a, n):
    """d/da a**n; 0 for n = 0, also at a = 0."""
    return n * a ** (n - 1.0) if n else np.zeros_like(a)


def _expand(g, a, axis):
    """The gradient of a reduction along `axis`, stretched to the shape of its operand a."""
    out = np.empty_like(a)
    out[...] = g if axis is None else np.expand_dims(g, axis)
    return out


def _largest(a, axis):
    """1 where a has its maximum along `axis`, else 0; equal maxima share the 1."""
    mask = (a == a.max(axis, keepdims=True)).astype(a.dtype)
    return mask / mask.sum(axis, keepdims=True)


def _sigmoid(a):
    e = np.exp(-np.abs(a))  # in (0, 1]: never overflows
    return np.where(a >= 0, 1, e) / (1 + e)


def _softmax(a):
    e = a - a.max(-1, keepdims=True)  # at most 0: exp never overflows
    np.exp(e, out=e)
    e /= e.sum(-1, keepdims=True)
    return e


def _cross_entropy(a, labels):
    z = a - a.max(-1, keepdims=True)
    return (np.log(np.exp(z).sum(-1)) - z[np.arange(len(z)), labels]).mean()


def _cross_entropy_vjp(g, a, labels):
    """(softmax(a) - 1 at the label) * g / n: the arrays between the two steps are skipped."""
    out = _softmax(a)
    out[np.arange(len(out)), labels] -= 1
    out *= g / len(out)
    return out


def _squared_error(a, targets):
    error = np.subtract(a, targets).reshape(-1)
    return error.dot(error) / error.size


def _scatter(g, a, index):
    """Zeros of a's shape, with g added at `index`."""
    out = np.zeros_like(a)
    np.add.at(out, index, g)
    return out


def _t(a):
    return a.T if a.ndim == 2 else a.swapaxes(-1, -2)


def _product(a, b):
    """a @ b; one matrix b for a whole batch is a single product of two matrices."""
    if b.ndim > 2:
        return a @ b
    return a.dot(b) if a.ndim == 2 else a.reshape(-1, a.shape[-1]).dot(b).reshape(*a.shape[:-1], b.shape[-1])


def _right(g, a, b):
    """The VJP of a @ b for b: a.T @ g, summed over the batch where b has none."""
    if b.ndim > 2:
        return _t(a) @ g
    return (a if a.ndim == 2 else a.reshape(-1, a.shape[-1])).T.dot(g if g.ndim == 2 else g.reshape(-1, g.shape[-1]))


# g: gradient of the output, y: the output, a and b: the operands
_RULES = {  # forward                        VJP for a                                        VJP for b
    "+":       (lambda a, b: a + b,          lambda g, y, a, b: g,                            lambda g, y, a, b: g),
    "-":       (lambda a, b: a - b,          lambda g, y, a, b: g,                            lambda g, y, a, b: -g),
    "*":       (lambda a, b: a * b,          lambda g, y, a, b: g * b,                        lambda g, y, a, b: g * a),
    "/":       (lambda a, b: a / b,          lambda g, y, a, b: g / b,                   lambda g, y, a, b: -g * y / b),
    "@":       (_product,                    lambda g, y, a, b: _product(g, _t(b)), lambda g, y, a, b: _right(g, a, b)),
    "neg":     (lambda a: -a,                lambda g, y, a: -g),
    "**":      (lambda a, n: a**n,           lambda g, y, a, n: g * _power_slope(a, n)),
    "relu":    (lambda a: np.maximum(a, 0),  lambda g, y, *_: g * (y > 0)),
    "tanh":    (np.tanh,                     lambda g, y, *_: g * (1 - y * y)),
    "exp":     (np.exp,                      lambda g, y, a: g * y),
    "log":     (np.log,                      lambda g, y, a: g / a),
    "sigmoid": (_sigmoid,                    lambda g, y, a: g * y * (1 - y)),
    "softmax": (_softmax,                    lambda g, y, a: (g - np.einsum("...i, ...i -> ...", g, y)[..., None]) * y),
    "sum":     (lambda a, axis: a.sum(axis), lambda g, y, a, axis: _expand(g, a, axis)),
    "mean":    (lambda a, axis: a.mean(axis), lambda g, y, a, axis: _expand(g * (y.size / a.size), a, axis)),
    "max":     (lambda a, axis: a.max(axis), lambda g, y, a, axis: _expand(g, a, axis) * _largest(a, axis)),
    "T":       (_t,                          lambda g, y, a: _t(g)),
    "linear":  (lambda a, w, b: np.add(y := _product(a, w), b, out=y),  # b is added in place
                lambda g, y, a, w, b: _product(g, _t(w)), lambda g, y, a, w, b: _right(g, a, w),
                lambda g, y, a, w, b: g),
    "cross entropy": (_cross_entropy,        lambda g, y, a, labels: _cross_entropy_vjp(g, a, labels)),
    "squared error": (_squared_error, lambda g, y, a, targets: np.subtract(a, targets) * (2 * float(g) / np.size(a))),
    "[]":      (lambda a, index: a[index],   lambda g, y, a, index: _scatter(g, a, index)),
}


class Value:
    """An array in a graph: `grad`, of the same shape, is d(root)/d(this node) after `root.backward()`."""

    __slots__ = ("_first", "_kept", "_op", "_prev", "_vjps", "data", "grad", "label")
    __array_ufunc__ = None  # so that NumPy leaves `array * value` to __rmul__

    def __init__(self, data, _children=(), _op="", label=""):
        self.data = np.array(_array(data))
        if not self.data.size or not np.isfinite(self.data).all():
            raise ValueError(f"Value holds finite numbers, at least one, not {repr(data)[:40]} of the shape "
                             f"{self.data.shape}; inf or nan would spread to every result: find where it was made")
        self.grad = 0.0
        self._prev = tuple(_children)  # the operands that are Values
        self._op, self.label = _op, label  # for drawings
        self._vjps = ()  # one for each of _prev: (g, *_kept) to the gradient of that operand
        self._kept = ()  # the output, the operands' arrays, the settings: what the rules read
        self._first = None  # a rule for g that comes before those of the operands

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def __add__(self, other): return _apply("+", self, other)
    def __radd__(self, other): return _apply("+", other, self)
    def __sub__(self, other): return _apply("-", self, other)
    def __rsub__(self, other): return _apply("-", other, self)
    def __mul__(self, other): return _apply("*", self, other)
    def __rmul__(self, other): return _apply("*", other, self)
    def __truediv__(self, other): return _apply("/", self, other)
    def __rtruediv__(self, other): return _apply("/", other, self)
    def __matmul__(self, other): return _matmul(self, other)
    def __rmatmul__(self, other): return _matmul(other, self)
    def __getitem__(self, index): return _apply("[]", self, settings=(index,))
    def __neg__(self): return _apply("neg", self)
    def relu(self): return _apply("relu", self)
    def tanh(self): return _apply("tanh", self)
    def exp(self): return _apply("exp", self)
    def log(self): return _apply("log", self)
    def sigmoid(self): return _apply("sigmoid", self)
    def softmax(self): return _apply("softmax", self)  # along the last axis

    # `axis` is an int, a tuple or None for everything; equal maxima share the gradient, as in torch.amax.
    def sum(self, axis=None): return _apply("sum", self, settings=(axis,))
    def mean(self, axis=None): return _apply("mean", self, settings=(axis,))
    def max(self, axis=None): return _apply("max", self, settings=(axis,))

    @property
    def T(self): return _apply("T", self)  # the last two axes exchanged

    def __pow__(self, exponent):
        """Every element to the power of a constant, int or float. Raises TypeError for a Value as exponent."""
        if not isinstance(exponent, (int, float)):
            raise TypeError(f"the exponent must be an int or a float, not {type(exponent).__name__}; "
                            "for a Value b write (b * a.log()).exp()")
        return _apply("**", self, settings=(float(exponent),))

    def cross_entropy(self, labels):
        """The mean of -log softmax(row)[label] over the rows of (n, classes), for n whole numbers `labels`."""
        labels, shape = np.asarray(labels), np.shape(self.data)
        if len(shape) != 2 or labels.shape != shape[:1] or labels.dtype.kind not in "iu" or (
                labels.min() < 0 or labels.max() >= shape[1]):
            raise ValueError("cross_entropy takes (n, classes) and n whole numbers from 0 to classes - 1, got "
                             f"{shape} and labels {repr(labels)[:60]}")
        return _apply("cross entropy", self, settings=(labels,))

    def squared_error(self, targets):
        """The mean of (a - target)**2 over all elements, for an array `targets` of the same shape."""
        if np.shape(targets) != _shape(self):
            raise ValueError(f"squared_error takes targets shaped {_shape(self)}, got {np.shape(targets)}: reshape")
        return _apply("squared error", self, settings=(_array(targets),))

    def backward(self, gradient=None, inner=True):
        """Add d(this)/d(leaf) to every leaf's `grad`; inside the graph `grad` is that of this pass.

        `gradient`, of this node's shape, weighs its elements; only a single number may leave it out (it is 1 then).
        Without `inner`, a gradient inside the graph is dropped when it has been passed on: half the memory.
        """
        data = np.asarray(self.data)
        if gradient is None and data.size != 1:
            raise ValueError(f"backward() starts from a single number, and this has the shape {data.shape}; "
                             "call sum() or mean() first, or pass a gradient of that shape")
        gradient = 1.0 if gradient is None else _array(gradient)
        seed = np.array(gradient, data.dtype, ndmin=data.ndim)
        if seed.shape != data.shape:
            raise ValueError(f"the gradient has the shape {seed.shape}, not the node's, {data.shape}")
        nodes, uses = [self], {}
        for node in nodes:  # first walk, over a list that grows: count the uses of every node inside the graph
            for parent in node._prev:
                if parent in uses:
                    uses[parent] += 1
                elif parent._prev:
                    uses[parent] = 1
                    nodes.append(parent)
        if not self._prev:
            self.grad = self.grad + seed
        nodes, shares = [self], {self: seed}
        del seed
        for node in nodes:  # second walk: a node is ready when the last of its uses has contributed
            g, kept = shares.pop(node), node._kept
            if inner and node._prev:
                node.grad = g
            if node._first:
                g = node._first(g, *kept)
            for parent, vjp in zip(node._prev, node._vjps, strict=True):
                share = vjp(g, *kept)
                if share.shape != (shape := getattr(parent.data, "shape", ())):
                    share = unbroadcast(share, shape)
                if not parent._prev:  # a leaf: its first share is stored, an array of its own, and not added to zeros
                    if type(parent.grad) is not float or parent.grad:
                        share = parent.grad + share
                    elif share is g or share.base is not None:
                        share = share.copy()
                    parent.grad = share
                    continue
                shares[parent] = shares[parent] + share if parent in shares else share
                uses[parent] -= 1
                if not uses[parent]:
                    nodes.append(parent)


_ones = lru_cache(16)(np.ones)


def unbroadcast(g, shape):
    """g summed over the axes along which broadcasting stretched an operand of this `shape`."""
    extra = g.ndim - len(shape)
    if len(shape) == 1 and extra:  # a bias: ones @ g is faster than a sum over rows
        return _ones(g.size // shape[0], g.dtype).dot(g.reshape(-1, shape[0]))
    stretched = tuple([i + extra for i, n in enumerate(shape) if n == 1])
    out = np.add.reduce(g, (*range(extra), *stretched))
    return out.reshape(shape) if stretched else out


def _node(op, data, operands, vjps, kept=(), new=object.__new__):
    """The Value of an operation; a VJP belongs to an operand, and only operands that are Values keep theirs."""
    out = new(Value)
    out.data, out.grad, out._op, out.label = data, 0.0, op, ""
    out._kept, out._first = kept, None
    parents, rules = [], []
    for x, vjp in zip(operands, vjps, strict=True):
        if isinstance(x, Value):
            parents.append(x)
            rules.append(vjp)
    out._prev, out._vjps = tuple(parents), rules
    return out


def _array(x):
    """The array of a Value, or a number or an array, as floats. Raises TypeError for anything else."""
    if isinstance(x, Value):
        return x.data
    if isinstance(x, (int, float)):
        return float(x)  # no array: a number of Python's own leaves float32 as it is
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"expected a number or an array of numbers, got {x!r}")
    return array if array.dtype.kind == "f" else array.astype(float)


def _shape(x):
    return getattr(x.data, "shape", ()) if isinstance(x, Value) else np.shape(x)


def _apply(op, *operands, settings=()):
    forward, *vjps = _RULES[op]
    arrays = [x.data if type(x) is Value else _array(x) for x in operands]
    try:
        y = forward(*arrays, *settings)
    except ValueError as error:
        if len(arrays) > 1:
            raise ValueError(f"{op} takes shapes that are equal, or 1 where they differ, counted from the last axis; "
                             f"got {', '.join(str(np.shape(a)) for a in arrays)}: reshape one") from error
        raise
    return _node(op, y, operands, vjps, (y, *arrays, *settings))


def _matmul(a, b, op="@", *rest):
    left, right = _shape(a), _shape(b)
    if len(left) < 2 or len(right) < 2 or left[-1] != right[-2]:
        raise ValueError(f"{op} takes shapes (..., n, k) and (..., k, m), got {left} and {right}; make a vector (1, n)")
    return _apply(op, a, b, *rest)


def linear(x, w, b, activation=None):
    """activation(x @ w + b), for x (..., n, k), w (k, m), b (m,), and None, "relu" or "tanh" as activation.

    One node on one array: no rule reads the sum, so the activation overwrites it, and its own rule comes first.
    """
    if activation not in (None, "relu", "tanh"):
        raise ValueError(f"the activation must be None, 'relu' or 'tanh', not {activation!r}")
    out = _matmul(x, w, "linear", b)
    if activation:
        np.maximum(out.data, 0.0, out=out.data) if activation == "relu" else np.tanh(out.data, out=out.data)
        out._op, out._first = f"linear, {activation}", _RULES[activation][1]
    return out


def stack(values, shape):
    """One Value of this `shape` from a list of single Values or numbers, filled row by row."""
    data = np.reshape([_array(v) for v in values], shape)
    return _node("stack", data, values, [lambda g, i=i: g.reshape(-1)[i] for i in range(len(values))])


class Neuron:
    """tanh(w . x + b) for `nin` inputs; without the tanh where `nonlin` is False. Seed `random` for fixed weights."""

    def __init__(self, nin, nonlin=True):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)
        self.nonlin = nonlin

    def __call__(self, x):
        """One Value from `x`, a list of `nin` Values or numbers."""
        total = (stack(x, (len(x),)) * stack(self.w, (len(self.w),))).sum() + self.b
        return total.tanh() if self.nonlin else total

    def parameters(self):
        """The weights and the bias, a list of single Values."""
        return [*self.w, self.b]


class Layer:
    """`nout` neurons that read the same `nin` inputs; `kw` goes to each Neuron."""

    def __init__(self, nin, nout, **kw):
        self.neurons = [Neuron(nin, **kw) for _ in range(nout)]

    def __call__(self, x):
        """(n, nout) from `x`, (n, nin): all neurons and all n points in one product."""
        nout, nin = len(self.neurons), len(self.neurons[0].w)
        w = stack([w for neuron in self.neurons for w in neuron.w], (nout, nin))
        total = x @ w.T + stack([neuron.b for neuron in self.neurons], (nout,))
        return total.tanh() if self.neurons[0].nonlin else total

    def parameters(self):
        """The parameters of all neurons, a list of single Values."""
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP:
    """Layers of the sizes `nouts` on `nin` inputs; each has tanh but the last, which is linear."""

    def __init__(self, nin, nouts):
        sizes, last = [nin, *nouts], len(nouts) - 1
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i < last) for i in range(len(nouts))]

    def batch(self, x):
        """(n, nout) from `x`, (n, nin), an array or a Value."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __call__(self, x):
        """From a list of `nin` Values or numbers: one Value if the last layer has one neuron, else their list."""
        out = self.batch(stack(x, (1, len(x))))
        return out[0, 0] if out.data.shape[1] == 1 else [out[0, i] for i in range(out.data.shape[1])]

    def parameters(self):
        """The parameters of all layers, a list of single Values."""
        return [p for layer in self.layers for p in layer.parameters()]


def train_step(model, xs, ys, learning_rate):
    """One step of gradient descent on the mean squared error over all points; the loss before it, as a float."""
    parameters = model.parameters()
    for p in parameters:
        p.grad = 0.0
    loss = model.batch(np.asarray(xs, dtype=float)).squared_error(np.reshape(ys, (len(xs), -1)))
    loss.backward()
    for p in parameters:
        p.data = p.data - learning_rate * p.grad
    return float(loss.data)
