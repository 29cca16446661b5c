"""Level 3, the memory-efficient engine: flat nodes without cycles, and a backward pass that counts instead of sorting.

What changed from level 1, and what for:
- A node keeps numbers, not a closure: its parents and the local derivative for each, in slots. Nodes refer to their
  parents only, so the graph is gone as soon as its last user is: nothing is left for the garbage collector.
- A number beside a Value becomes part of the node (`a * 3` has the one parent `a`) instead of a leaf of its own.
- `backward` counts the uses of every node, then passes on a node's gradient when the last use has contributed, as
  PyTorch does. There is no recursion and no set, so a chain may have a million nodes.
- Gradients inside the graph start from zero in every pass. So a second `backward` on a kept graph is right: leaves
  accumulate, x**4 at 2 goes from 32 to 64.
- `dot` makes one node of a neuron's whole sum. `checkpoint` keeps no graph of a part: backward computes it again.

What it costs: the local derivatives are computed in the forward pass, wanted or not, and the rule of an operation is
no longer a function that one can read line by line. It is still one Python object a number: level 2 is the way out
of that. Holds levels 1 to 4, long chains included. `python3 course.py bench` measures it.
"""

import math
import random
from dis import get_instructions
from functools import partial
from itertools import repeat
from numbers import Real

_PLAIN = frozenset((int, float))  # the types of numbers that need no second look


class Value:
    """A number in a graph: `data` is its value, `grad` is d(root)/d(this node) after `root.backward()`."""

    # _a and _b are the parents (None: no such parent), _da and _db the local derivative for each. With one parent, _db
    # is the constant operand, for drawings. A node of many parents has their tuple in _a, and in _da the list of local
    # derivatives, or a function that takes this node's gradient to the parents' shares of it.
    __slots__ = ("_a", "_b", "_da", "_db", "_tag", "_uses", "data", "grad")
    __array_ufunc__ = None  # so that NumPy asks us about `array * value`, instead of making an array of Values

    def __init__(self, data, _children=(), _op="", label=""):
        if type(data) is not float or data - data != 0.0:  # inf - inf and nan - nan are nan
            data = _number(data, "Value holds")
        self.data = data
        self.grad = 0.0
        self._a = tuple(_children) or None
        self._da = _no_shares
        self._b = self._db = None
        self._uses = 0  # how many uses are still to contribute; not 0 during backward only
        self._tag = _op  # the operation, and the label behind a tab: one slot fewer in every node
        if label:
            self.label = label

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    # An operation is one line: its name, its value, then each parent and the local derivative for it.
    def __add__(self, other):
        """a + b."""
        if type(other) is Value:
            return _node("+", self.data + other.data, self, 1.0, other, 1.0)
        if type(other) not in _PLAIN:
            other = _number(other, "+ takes a Value or")
        return _node("+{}", self.data + other, self, 1.0, None, other)

    def __mul__(self, other):
        """a * b."""
        if type(other) is Value:
            return _node("*", self.data * other.data, self, other.data, other, self.data)
        if type(other) not in _PLAIN:
            other = _number(other, "* takes a Value or")
        return _node("*{}", self.data * other, self, other, None, other)

    def __sub__(self, other):
        """a - b."""
        if type(other) is Value:
            return _node("-", self.data - other.data, self, 1.0, other, -1.0)
        if type(other) not in _PLAIN:
            other = _number(other, "- takes a Value or")
        return _node("-{}", self.data - other, self, 1.0, None, other)

    def __truediv__(self, other):
        """a / b."""
        if type(other) is Value:
            out = self.data / other.data
            return _node("/", out, self, 1.0 / other.data, other, -out / other.data)
        if type(other) not in _PLAIN:
            other = _number(other, "/ takes a Value or")
        return _node("/{}", self.data / other, self, 1.0 / other, None, other)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        """number - a."""
        if type(other) not in _PLAIN:
            other = _number(other, "- takes a Value or")
        return _node("{}-", other - self.data, self, -1.0, None, other)

    def __rtruediv__(self, other):
        """number / a."""
        if type(other) not in _PLAIN:
            other = _number(other, "/ takes a Value or")
        out = other / self.data
        return _node("{}/", out, self, -out / self.data, None, other)

    def __neg__(self):
        """-a."""
        return _node("neg", -self.data, self, -1.0)

    def __pow__(self, exponent):
        """a**n for a constant n, int or float. Raises TypeError for a Value as exponent."""
        if not isinstance(exponent, (int, float)):
            raise TypeError(f"the exponent must be an int or a float, not {type(exponent).__name__}; "
                            "for a Value b write (b * a.log()).exp()")
        x = self.data
        try:
            slope = exponent * math.pow(x, exponent - 1) if x and exponent else _power_slope_at_zero(exponent)
            return _node("**{}", math.pow(x, exponent), self, slope, None, exponent)
        except (OverflowError, ValueError) as error:  # too large; 1 / 0; the root of a negative number
            raise type(error)(f"{x} ** {exponent} is no float: {error}") from None

    def relu(self):
        """max(a, 0); the local derivative at 0 is 0."""
        return _node("relu", self.data, self, 1.0) if self.data > 0 else _node("relu", 0.0, self, 0.0)

    def tanh(self):
        """tanh a."""
        t = math.tanh(self.data)
        return _node("tanh", t, self, 1.0 - t * t)

    def exp(self):
        """e**a."""
        try:
            e = math.exp(self.data)
        except OverflowError:
            raise OverflowError(f"exp({self.data}) is too large for a float; make the input smaller") from None
        return _node("exp", e, self, e)

    def log(self):
        """The natural logarithm of a > 0."""
        if not self.data > 0:
            raise ValueError(f"log takes a number above 0, got {self.data}; where it can be 0, add a little first")
        return _node("log", math.log(self.data), self, 1.0 / self.data)

    def sigmoid(self):
        """1 / (1 + e**-a), from e**-|a|, which never overflows."""
        e = math.exp(-abs(self.data))
        return _node("sigmoid", (1.0 if self.data >= 0 else e) / (1.0 + e), self, e / (1.0 + e) ** 2)

    def backward(self, gradient=1.0):
        """Add `gradient` * d(this)/d(leaf) to every leaf's `grad`, and set the others'; the graph stays usable."""
        if type(gradient) not in _PLAIN:
            gradient = _number(gradient, "backward takes")
        nodes = [self]
        try:
            for node in nodes:  # first walk, over a list that grows: count the uses of every node
                a, b = node._a, node._b
                if b is not None:
                    node.grad = 0.0
                    if not a._uses:
                        nodes.append(a)
                    a._uses += 1
                    if not b._uses:
                        nodes.append(b)
                    b._uses += 1
                elif type(a) is tuple:
                    node.grad = 0.0
                    for parent in a:
                        if not parent._uses:
                            nodes.append(parent)
                        parent._uses += 1
                elif a is not None:  # a leaf's gradient is not reset: it accumulates from pass to pass
                    node.grad = 0.0
                    if not a._uses:
                        nodes.append(a)
                    a._uses += 1
            self.grad += gradient
            nodes = [self]
            for node in nodes:  # second walk: a node is ready when the last of its uses has contributed
                a, b, grad = node._a, node._b, node.grad
                if b is not None:
                    a.grad += node._da * grad
                    a._uses -= 1
                    if not a._uses:
                        nodes.append(a)
                    b.grad += node._db * grad
                    b._uses -= 1
                    if not b._uses:
                        nodes.append(b)
                elif type(a) is tuple:
                    slopes, grad = (node._da, grad) if type(node._da) is list else (node._da(grad), 1.0)
                    for parent, slope in zip(a, slopes, strict=False):
                        parent.grad += slope * grad
                        parent._uses -= 1
                        if not parent._uses:
                            nodes.append(parent)
                elif a is not None:
                    a.grad += node._da * grad
                    a._uses -= 1
                    if not a._uses:
                        nodes.append(a)
        except BaseException:  # interrupted, or a rule of one's own failed: the next pass must not wait for this one
            _forget_uses(nodes)
            raise

    # The names of level 1, for drawings and for an operation of one's own: Value(x, (a, b), "op"), then set _backward.
    @property
    def _prev(self):
        if type(self._a) is Value:
            return (self._a,) if self._b is None else (self._a, self._b)
        return self._a or ()

    def _send(self):
        many = self._da if type(self._a) is tuple else [self._da, self._db]
        slopes, grad = (many, self.grad) if type(many) is list else (many(self.grad), 1.0)
        for parent, slope in zip(self._prev, slopes, strict=False):
            parent.grad += slope * grad

    def _send_by(self, rule):
        self._da = lambda grad: rule() or repeat(0.0)  # the rule has sent all there is

    _backward = property(lambda self: self._send, _send_by)

    @property
    def _op(self):
        return self._tag.partition("\t")[0].replace("{}", str(self._db))  # "*{}" with the constant 3 reads "*3"

    @property
    def label(self):
        return self._tag.partition("\t")[2]

    @label.setter
    def label(self, label):
        kind = self._tag.partition("\t")[0]
        self._tag = f"{kind}\t{label}"


def _forget_uses(nodes):
    for node in nodes:
        for parent in node._prev:
            if parent._uses:
                parent._uses = 0
                nodes.append(parent)


def _number(x, says):
    """x as a finite int or float, or an error that says what was given, what is expected and what to do."""
    if isinstance(x, Real):
        if math.isfinite(x):
            return x if isinstance(x, int) else float(x)
        raise ValueError(f"{says} a finite number, not {x}, which would spread to every result: find where it was made")
    raise TypeError(f"{says} a number, an int or a float, not {type(x).__name__} {repr(x)[:40]}; "
                    "of a text float() makes one, of an array or a list take single numbers")


def _power_slope_at_zero(n):
    """d/dx x**n at x = 0, or for n = 0 anywhere; infinite for the slope of a root."""
    return float(n == 1) if n >= 1 or n == 0 else math.inf


def _no_shares(grad):
    """The rule of a node that has none."""
    return repeat(0.0)


def _node(kind, data, a, da, b=None, db=None, new=object.__new__):
    """The Value of an operation, without the detour through __init__."""
    out = new(Value)
    out.data = data
    out.grad = 0.0
    out._a = a
    out._da = da
    out._b = b
    out._db = db
    out._uses = 0
    out._tag = kind
    return out


def dot(weights, inputs, bias):
    """bias + the sum of weight * input, as one node; inputs may be numbers. Raises ValueError for unequal lengths."""
    parents, slopes, total = [bias], [1.0], bias.data
    for w, x in zip(weights, inputs, strict=True):
        if type(x) is Value:
            parents.append(x)
            slopes.append(w.data)
            x = x.data
        parents.append(w)
        slopes.append(x)
        total += w.data * x
    return _node("dot", total, tuple(parents), slopes)


def checkpoint(f, *inputs):
    """f(*inputs) as one node that keeps no graph of what f does: backward calls f again, and walks what it made.

    `f` takes Values and returns one; it must do the same in both calls. What else it uses must be leaves, such as
    weights: they get their gradients too. Raises TypeError if f returns anything else, and ValueError if a variable
    that f reads holds a node inside a graph (one in a list or an attribute is not seen).
    """
    _refuse_inner_nodes(f)
    return _node("checkpoint", _run(f, inputs)[1].data, inputs, partial(_run_again, f, inputs))


def _refuse_inner_nodes(f):
    for step in get_instructions(f) if hasattr(f, "__code__") else ():
        x = f.__globals__.get(step.argval) if step.opname == "LOAD_GLOBAL" else None
        if step.opname == "LOAD_DEREF" and step.argval in f.__code__.co_freevars:
            x = f.__closure__[f.__code__.co_freevars.index(step.argval)].cell_contents
        if type(x) is Value and x._a is not None:
            raise ValueError(f"checkpoint: f reads {step.argval}, a node inside the graph, which is no leaf; "
                             f"give it to f as one of its inputs: checkpoint(f, ..., {step.argval})")


def _run(f, inputs):
    copies = [Value(x.data) for x in inputs]  # leaves: the graph of f ends here
    out = f(*copies)
    if type(out) is not Value:
        raise TypeError(f"checkpoint takes a function that returns one Value; it returned {out!r}")
    return copies, out


def _run_again(f, inputs, grad):
    copies, out = _run(f, inputs)
    out.backward(grad)
    return [copy.grad for copy in copies]


def derivative(f, x):
    """f'(x) at a Value x as a Value: its `backward` adds f''(x) to x.grad. f may use +, -, * and / only."""
    inner = _node("", x, None, None)  # a number that is a Value: this backward pass computes with Values
    f(inner).backward()
    return inner.grad if type(inner.grad) is Value else Value(inner.grad)


class Neuron:
    """tanh(w . x + b) for `nin` inputs; without the tanh where `nonlin` is False. Seed `random` for fixed weights."""

    def __init__(self, nin, nonlin=True):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)
        self.nonlin = nonlin

    def __call__(self, x):
        """One Value from `x`, a list of `nin` Values or numbers."""
        total = dot(self.w, x, self.b)
        return total.tanh() if self.nonlin else total

    def parameters(self):
        """The weights and the bias, a list of Values."""
        return [*self.w, self.b]


class Layer:
    """`nout` neurons that read the same `nin` inputs; `kw` goes to each Neuron."""

    def __init__(self, nin, nout, **kw):
        self.neurons = [Neuron(nin, **kw) for _ in range(nout)]

    def __call__(self, x):
        """A list of `nout` Values."""
        return [neuron(x) for neuron in self.neurons]

    def parameters(self):
        """The parameters of all neurons, a list of Values."""
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP:
    """Layers of the sizes `nouts` on `nin` inputs; each has tanh but the last, which is linear."""

    def __init__(self, nin, nouts):
        sizes, last = [nin, *nouts], len(nouts) - 1
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i < last) for i in range(len(nouts))]

    def __call__(self, x):
        """One Value if the last layer has one neuron, else the list of its Values."""
        for layer in self.layers:
            x = layer(x)
        return x[0] if len(x) == 1 else x

    def parameters(self):
        """The parameters of all layers, a list of Values."""
        return [p for layer in self.layers for p in layer.parameters()]


def train_step(model, xs, ys, learning_rate):
    """One step of gradient descent on the mean squared error over all points; the loss before it, as a float."""
    parameters = model.parameters()
    for p in parameters:
        p.grad = 0.0
    loss = sum((model(x) - y) ** 2 for x, y in zip(xs, ys, strict=True)) / len(xs)
    loss.backward()
    for p in parameters:
        p.data -= learning_rate * p.grad
    return float(loss.data)
