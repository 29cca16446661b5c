# This file is yours to edit: an update never overwrites it once you have changed it.
"""Your autograd engine: the `Value` class, and a small network built on it.

Open exercises.ipynb beside this file. It says what each exercise asks and in which order to go. Replace a
`raise NotImplementedError` line by your code, save, then run the exercise's check cell in the notebook.

Every operation has four beats: coerce the operand, build `out`, write the local rule, return. `__add__` is
complete, `__mul__` is half written, the rest is yours.
"""

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
        raise NotImplementedError("exercise 1.1: number + Value")

    # Exercise 1.2: the forward value is given, half of the local rule is missing
    def __mul__(self, other):
        """a * b; local derivatives: b for a, and a for b."""
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), "*")
        def _backward():
            other.grad += self.data * out.grad
            raise NotImplementedError("exercise 1.2: self's share of the gradient of a product")
        out._backward = _backward
        return out

    # Exercise 1.1
    def __rmul__(self, other):
        """number * a."""
        raise NotImplementedError("exercise 1.1: number * Value")

    # Exercises 1.2 to 1.5: a first version for trees, made better three times
    def backward(self):
        """Fill `grad` of this node (with 1) and of all it depends on: each rule once, after those of its users."""
        raise NotImplementedError("exercise 1.2: backward()")

    # Exercise 2.1
    def __neg__(self):
        """-a; local derivative: -1."""
        raise NotImplementedError("exercise 2.1: -Value")

    # Exercise 2.1
    def __sub__(self, other):
        """a - b; local derivatives: 1 for a, and -1 for b."""
        raise NotImplementedError("exercise 2.1: Value - Value and Value - number")

    # Exercise 2.1
    def __rsub__(self, other):
        """number - a."""
        raise NotImplementedError("exercise 2.1: number - Value")

    # Exercise 2.2
    def __pow__(self, exponent):
        """a**n for a constant n, int or float; local derivative: n * a**(n - 1). A Value as exponent: TypeError."""
        raise NotImplementedError("exercise 2.2: Value ** number")

    # Exercise 2.2
    def __truediv__(self, other):
        """a / b; local derivatives: 1/b for a, and -a/b**2 for b."""
        raise NotImplementedError("exercise 2.2: Value / Value and Value / number")

    # Exercise 2.2
    def __rtruediv__(self, other):
        """number / a."""
        raise NotImplementedError("exercise 2.2: number / Value")

    # Exercise 2.3
    def relu(self):
        """max(a, 0); local derivative: 1 where a > 0, else 0."""
        raise NotImplementedError("exercise 2.3: relu")

    # Exercise 2.3
    def tanh(self):
        """t = tanh a, for inputs of any size; local derivative: 1 - t**2."""
        raise NotImplementedError("exercise 2.3: tanh")

    # Exercise 2.3
    def exp(self):
        """y = e**a; local derivative: y."""
        raise NotImplementedError("exercise 2.3: exp")

    # Exercise 2.4
    def log(self):
        """The natural logarithm of a > 0; local derivative: 1/a."""
        raise NotImplementedError("exercise 2.4: log")

    # Exercise 2.4
    def sigmoid(self):
        """s = 1 / (1 + e**-a), for inputs of any size and either sign; local derivative: s * (1 - s)."""
        raise NotImplementedError("exercise 2.4: sigmoid")


# Exercise 3.4, an extension
def checkpoint(f, x):
    """f(x) as one node on x, for f from a Value to a Value; its rule runs f again, for what x and f's weights get."""
    raise NotImplementedError("exercise 3.4: checkpoint")


# Exercise 3.5, an extension
def derivative(f, x):
    """f'(x) at the Value x, as a Value whose backward() gives x.grad f''(x); f uses + and * only, and runs once."""
    raise NotImplementedError("exercise 3.5: derivative")


# Exercise 4.1
class Neuron:
    """tanh(w . x + b) for `nin` inputs; without the tanh where `nonlin` is False."""

    def __init__(self, nin, nonlin=True):
        """Weights: `nin` Values, each at random in [-1, 1] (`random.uniform`); bias: Value(0.0)."""
        raise NotImplementedError("exercise 4.1: Neuron.__init__")

    def __call__(self, x):
        """One Value from `x`, a list of `nin` Values or numbers."""
        raise NotImplementedError("exercise 4.1: Neuron.__call__")

    def parameters(self):
        """The neuron's weights and its bias, as one list of Values."""
        raise NotImplementedError("exercise 4.1: Neuron.parameters")


# Exercise 4.1
class Layer:
    """`nout` neurons that read the same `nin` inputs; `kw` goes to each Neuron."""

    def __init__(self, nin, nout, **kw):
        """Make the neurons."""
        raise NotImplementedError("exercise 4.1: Layer.__init__")

    def __call__(self, x):
        """A list of `nout` Values."""
        raise NotImplementedError("exercise 4.1: Layer.__call__")

    def parameters(self):
        """The parameters of all neurons, as one list of Values."""
        raise NotImplementedError("exercise 4.1: Layer.parameters")


# Exercise 4.1
class MLP:
    """Layers one after another: MLP(2, [8, 1]) reads 2 inputs, has one hidden layer of 8 and 1 output."""

    def __init__(self, nin, nouts):
        """`nouts` lists the layers' sizes; every layer has tanh but the last, which is linear."""
        raise NotImplementedError("exercise 4.1: MLP.__init__")

    def __call__(self, x):
        """One Value if the last layer has one neuron, else the list of its Values."""
        raise NotImplementedError("exercise 4.1: MLP.__call__")

    def parameters(self):
        """The parameters of all layers, as one list of Values."""
        raise NotImplementedError("exercise 4.1: MLP.parameters")


# Exercise 4.2
def train_step(model, xs, ys, learning_rate):
    """One step of gradient descent on the mean squared error over all points; the loss before it, as a float.

    `xs` is a list of inputs, `ys` the list of their targets. Gradients are set to zero first.
    """
    raise NotImplementedError("exercise 4.2: train_step")
