# header >>>
"""Level 1, the naive engine: one closure a node and a recursive sort, the shape that micrograd made known.

The model answer to the exercises; it holds levels 1, 2 and 4. An operation has four beats: coerce the operand, build
`out`, write the local rule beside it, return. It has three limits, which level 3 removes.

A reference cycle: the node holds its rule, and the rule holds the node. `del` frees nothing; the garbage collector
has to find every node, and on large graphs that search is most of the running time.
>>> import gc, weakref
>>> gc.disable(); y = Value(2.0) * 3.0; node = weakref.ref(y); del y; node() is None
False
>>> gc.enable(); found = gc.collect(); node() is None
True

The recursion limit: `backward` goes one call deeper for each node of a chain.
>>> y = Value(1.0)
>>> for _ in range(5000): y = y + 1.0
>>> y.backward()
Traceback (most recent call last):
RecursionError: maximum recursion depth exceeded...

A stale second backward: nodes inside the graph keep the first pass's gradient and send it on once more.
The gradient of x**4 at 2 is 32; two passes should add up to 64.
>>> x = Value(2.0); y = (x * x) ** 2
>>> y.backward(); x.grad
32.0
>>> y.backward(); x.grad
96.0
"""
# learner's file:
# """Your autograd engine: the `Value` class, and a small network built on it.
#
# Open exercises.ipynb beside this file. It says what each exercise asks and in which order to go. Replace a
# `raise NotImplementedError` line by your code, save, then run the exercise's check cell in the notebook.
#
# Every operation has four beats: coerce the operand, build `out`, write the local rule, return. `__add__` is
# complete, `__mul__` is half written, the rest is yours.
# """
# <<<

import math
import random


class Value:
    """A number in a graph: `data` is its value, `grad` is d(root)/d(this node) after `root.backward()`."""

    def __init__(self, data, _children=(), _op="", label=""):
        self.data = data
        self.grad = 0.0
        self._prev = tuple(_children)  # the parents, the inputs of the operation; a set would lose an edge of a * a
        self._op = _op  # for drawings, as is label
        self.label = label
        self._backward = lambda: None  # the local rule: sends this node's grad on to its parents

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    # Worked example
    def __add__(self, other):
        """a + b; local derivatives: 1 for a and 1 for b."""
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), "+")
        def _backward():
            self.grad += 1.0 * out.grad
            other.grad += 1.0 * out.grad
        out._backward = _backward
        return out

    # Exercise 1.1
    def __radd__(self, other):
        """number + a: Python asks here when the number on the left does not know how to add a Value."""
        # exercise 1.1 >>> number + Value
        return self + other
        # <<<

    # Exercise 1.2: the forward value is given, half of the local rule is missing
    def __mul__(self, other):
        """a * b; local derivatives: b for a, and a for b."""
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), "*")
        def _backward():
            other.grad += self.data * out.grad
            # exercise 1.2 >>> self's share of the gradient of a product
            self.grad += other.data * out.grad
            # <<<
        out._backward = _backward
        return out

    # Exercise 1.1
    def __rmul__(self, other):
        """number * a."""
        # exercise 1.1 >>> number * Value
        return self * other
        # <<<

    # Exercises 1.2 to 1.5: a first version for trees, made better three times
    def backward(self):
        """Fill `grad` of this node (with 1) and of all it depends on: each rule once, after those of its users."""
        # exercise 1.2 >>> backward()
        order, seen = [], set()

        def visit(node):
            if node in seen:
                return
            seen.add(node)
            for parent in node._prev:
                visit(parent)
            order.append(node)  # after all its parents: reversed, every node comes before them

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()
        # <<<

    # Exercise 2.1
    def __neg__(self):
        """-a; local derivative: -1."""
        # exercise 2.1 >>> -Value
        return self * -1.0
        # <<<

    # Exercise 2.1
    def __sub__(self, other):
        """a - b; local derivatives: 1 for a, and -1 for b."""
        # exercise 2.1 >>> Value - Value and Value - number
        return self + (-other)
        # <<<

    # Exercise 2.1
    def __rsub__(self, other):
        """number - a."""
        # exercise 2.1 >>> number - Value
        return (-self) + other
        # <<<

    # Exercise 2.2
    def __pow__(self, exponent):
        """a**n for a constant n, int or float; local derivative: n * a**(n - 1). A Value as exponent: TypeError."""
        # exercise 2.2 >>> Value ** number
        if not isinstance(exponent, (int, float)):
            raise TypeError(f"the exponent must be an int or a float, not {type(exponent).__name__}; "
                            "for a Value b write (b * a.log()).exp()")
        out = Value(math.pow(self.data, exponent), (self,), f"**{exponent}")
        def _backward():
            slope = exponent * math.pow(self.data, exponent - 1) if exponent else 0.0
            self.grad += slope * out.grad
        out._backward = _backward
        return out
        # <<<

    # Exercise 2.2
    def __truediv__(self, other):
        """a / b; local derivatives: 1/b for a, and -a/b**2 for b."""
        # exercise 2.2 >>> Value / Value and Value / number
        return self * other**-1
        # <<<

    # Exercise 2.2
    def __rtruediv__(self, other):
        """number / a."""
        # exercise 2.2 >>> number / Value
        return self**-1 * other
        # <<<

    # Exercise 2.3
    def relu(self):
        """max(a, 0); local derivative: 1 where a > 0, else 0."""
        # exercise 2.3 >>> relu
        out = Value(self.data if self.data > 0 else 0.0, (self,), "relu")
        def _backward():
            self.grad += (1.0 if self.data > 0 else 0.0) * out.grad
        out._backward = _backward
        return out
        # <<<

    # Exercise 2.3
    def tanh(self):
        """t = tanh a, for inputs of any size; local derivative: 1 - t**2."""
        # exercise 2.3 >>> tanh
        t = math.tanh(self.data)  # the quotient of exponentials overflows near a = 355
        out = Value(t, (self,), "tanh")
        def _backward():
            self.grad += (1 - t * t) * out.grad
        out._backward = _backward
        return out
        # <<<

    # Exercise 2.3
    def exp(self):
        """y = e**a; local derivative: y."""
        # exercise 2.3 >>> exp
        out = Value(math.exp(self.data), (self,), "exp")
        def _backward():
            self.grad += out.data * out.grad
        out._backward = _backward
        return out
        # <<<

    # Exercise 2.4
    def log(self):
        """The natural logarithm of a > 0; local derivative: 1/a."""
        # exercise 2.4 >>> log
        out = Value(math.log(self.data), (self,), "log")
        def _backward():
            self.grad += out.grad / self.data
        out._backward = _backward
        return out
        # <<<

    # Exercise 2.4
    def sigmoid(self):
        """s = 1 / (1 + e**-a), for inputs of any size and either sign; local derivative: s * (1 - s)."""
        # exercise 2.4 >>> sigmoid
        e = math.exp(-abs(self.data))  # in (0, 1]: never overflows
        s = (1.0 if self.data >= 0 else e) / (1.0 + e)
        out = Value(s, (self,), "sigmoid")
        def _backward():
            self.grad += s * (1 - s) * out.grad
        out._backward = _backward
        return out
        # <<<


# Exercise 3.4, an extension
def checkpoint(f, x):
    """f(x) as one node on x, for f from a Value to a Value; its rule runs f again, for what x and f's weights get."""
    # exercise 3.4 >>> checkpoint
    out = Value(f(Value(x.data)).data, (x,), "checkpoint")
    def _backward():
        copy = Value(x.data)  # a leaf: the walk ends here
        (f(copy) * out.grad).backward()  # times a constant: the walk over f's graph starts from out.grad
        x.grad += copy.grad
    out._backward = _backward
    return out
    # <<<


# Exercise 3.5, an extension
def derivative(f, x):
    """f'(x) at the Value x, as a Value whose backward() gives x.grad f''(x); f uses + and * only, and runs once."""
    # exercise 3.5 >>> derivative
    inner = Value(x)  # a number that is itself a Value: this walk computes with Values, and leaves a graph
    f(inner).backward()
    slope = inner.grad
    return slope if isinstance(slope, Value) else Value(slope)
    # <<<


# Exercise 4.1
class Neuron:
    """tanh(w . x + b) for `nin` inputs; without the tanh where `nonlin` is False."""

    def __init__(self, nin, nonlin=True):
        """Weights: `nin` Values, each at random in [-1, 1] (`random.uniform`); bias: Value(0.0)."""
        # exercise 4.1 >>> Neuron.__init__
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)
        self.nonlin = nonlin
        # <<<

    def __call__(self, x):
        """One Value from `x`, a list of `nin` Values or numbers."""
        # exercise 4.1 >>> Neuron.__call__
        total = sum((w * xi for w, xi in zip(self.w, x, strict=True)), self.b)
        return total.tanh() if self.nonlin else total
        # <<<

    def parameters(self):
        """The neuron's weights and its bias, as one list of Values."""
        # exercise 4.1 >>> Neuron.parameters
        return [*self.w, self.b]
        # <<<


# Exercise 4.1
class Layer:
    """`nout` neurons that read the same `nin` inputs; `kw` goes to each Neuron."""

    def __init__(self, nin, nout, **kw):
        """Make the neurons."""
        # exercise 4.1 >>> Layer.__init__
        self.neurons = [Neuron(nin, **kw) for _ in range(nout)]
        # <<<

    def __call__(self, x):
        """A list of `nout` Values."""
        # exercise 4.1 >>> Layer.__call__
        return [neuron(x) for neuron in self.neurons]
        # <<<

    def parameters(self):
        """The parameters of all neurons, as one list of Values."""
        # exercise 4.1 >>> Layer.parameters
        return [p for neuron in self.neurons for p in neuron.parameters()]
        # <<<


# Exercise 4.1
class MLP:
    """Layers one after another: MLP(2, [8, 1]) reads 2 inputs, has one hidden layer of 8 and 1 output."""

    def __init__(self, nin, nouts):
        """`nouts` lists the layers' sizes; every layer has tanh but the last, which is linear."""
        # exercise 4.1 >>> MLP.__init__
        sizes, last = [nin, *nouts], len(nouts) - 1
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i < last) for i in range(len(nouts))]
        # <<<

    def __call__(self, x):
        """One Value if the last layer has one neuron, else the list of its Values."""
        # exercise 4.1 >>> MLP.__call__
        for layer in self.layers:
            x = layer(x)
        return x[0] if len(x) == 1 else x
        # <<<

    def parameters(self):
        """The parameters of all layers, as one list of Values."""
        # exercise 4.1 >>> MLP.parameters
        return [p for layer in self.layers for p in layer.parameters()]
        # <<<


# Exercise 4.2
def train_step(model, xs, ys, learning_rate):
    """One step of gradient descent on the mean squared error over all points; the loss before it, as a float.

    `xs` is a list of inputs, `ys` the list of their targets. Gradients are set to zero first.
    """
    # exercise 4.2 >>> train_step
    parameters = model.parameters()
    for p in parameters:
        p.grad = 0.0
    loss = sum((model(x) - y) ** 2 for x, y in zip(xs, ys, strict=True)) / len(xs)
    loss.backward()
    for p in parameters:
        p.data -= learning_rate * p.grad
    return float(loss.data)
    # <<<
