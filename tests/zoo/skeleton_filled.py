"""The learner's file as it is handed out, filled in one exercise after another; what was visited is kept in a list.

Judged: 1 2 3.1 3.4 3.5 4
"""

import math
import random


class Value:
    """A number in a graph: `data` is its value, `grad` is d(root)/d(this node) after `root.backward()`."""

    def __init__(self, data, _children=(), _op="", label=""):
        self.data = data
        self.grad = 0.0
        self._prev = tuple(_children)
        self._op = _op
        self.label = label
        self._backward = lambda: None

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def __add__(self, other):
        """a + b; local derivatives: 1 for a and 1 for b."""
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), "+")
        def _backward():
            self.grad += 1.0 * out.grad
            other.grad += 1.0 * out.grad
        out._backward = _backward
        return out

    def __radd__(self, other):
        # first I wrote other + self, which calls __radd__ again and again
        return Value(other) + self

    def __mul__(self, other):
        """a * b; local derivatives: b for a, and a for b."""
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), "*")
        def _backward():
            other.grad += self.data * out.grad
            self.grad = self.grad + other.data * out.grad
        out._backward = _backward
        return out

    def __rmul__(self, other):
        return Value(other) * self

    def backward(self):
        todo = [self]
        uses = {}
        visited = []
        while len(todo) > 0:
            node = todo.pop()
            if node in visited:
                continue
            visited.append(node)
            for parent in node._prev:
                uses[parent] = uses.get(parent, 0) + 1
                todo.append(parent)
        self.grad = 1.0
        todo = [self]
        while len(todo) > 0:
            node = todo.pop()
            node._backward()
            for parent in node._prev:
                uses[parent] = uses[parent] - 1
                if uses[parent] == 0:
                    todo.append(parent)

    def __neg__(self):
        out = Value(-self.data, (self,), "neg")
        def _backward():
            self.grad += -1.0 * out.grad
        out._backward = _backward
        return out

    def __sub__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data - other.data, (self, other), "-")
        def _backward():
            self.grad += out.grad
            other.grad += -out.grad
        out._backward = _backward
        return out

    def __rsub__(self, other):
        return Value(other) - self

    def __pow__(self, exponent):
        if isinstance(exponent, Value):
            raise TypeError("the exponent is a Value")
        out = Value(self.data**exponent, (self,), "**")
        def _backward():
            self.grad += exponent * self.data ** (exponent - 1) * out.grad
        out._backward = _backward
        return out

    def __truediv__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data / other.data, (self, other), "/")
        def _backward():
            self.grad += 1 / other.data * out.grad
            other.grad += -self.data / other.data**2 * out.grad
        out._backward = _backward
        return out

    def __rtruediv__(self, other):
        return Value(other) / self

    def relu(self):
        out = Value(self.data, (self,), "relu")
        if self.data < 0:
            out.data = 0.0
        def _backward():
            if self.data > 0:
                self.grad += out.grad
            elif self.data == 0:
                self.grad += 0.5 * out.grad
        out._backward = _backward
        return out

    def tanh(self):
        if self.data > 100:
            t = 1.0
        elif self.data < -100:
            t = -1.0
        else:
            t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)
        out = Value(t, (self,), "tanh")
        def _backward():
            self.grad += (1 - t**2) * out.grad
        out._backward = _backward
        return out

    def exp(self):
        out = Value(math.exp(self.data), (self,), "exp")
        def _backward():
            self.grad += math.exp(self.data) * out.grad
        out._backward = _backward
        return out

    def log(self):
        out = Value(math.log(self.data), (self,), "log")
        def _backward():
            self.grad += out.grad / self.data
        out._backward = _backward
        return out

    def sigmoid(self):
        return 0.5 * ((0.5 * self).tanh() + 1)


class Neuron:
    def __init__(self, nin, nonlin=True):
        self.w = []
        for _ in range(nin):
            self.w.append(Value(random.uniform(-1, 1)))
        self.b = Value(0.0)
        self.nonlin = nonlin

    def __call__(self, x):
        total = self.b
        for i in range(len(self.w)):
            total = total + self.w[i] * x[i]
        if self.nonlin:
            total = total.tanh()
        return total

    def parameters(self):
        return self.w + [self.b]


class Layer:
    def __init__(self, nin, nout, **kw):
        self.neurons = [Neuron(nin, **kw) for _ in range(nout)]

    def __call__(self, x):
        return [n(x) for n in self.neurons]

    def parameters(self):
        parameters = []
        for n in self.neurons:
            parameters.extend(n.parameters())
        return parameters


class MLP:
    def __init__(self, nin, nouts):
        self.layers = []
        for i in range(len(nouts)):
            if i > 0:
                nin = nouts[i - 1]
            if i == len(nouts) - 1:
                self.layers.append(Layer(nin, nouts[i], nonlin=False))
            else:
                self.layers.append(Layer(nin, nouts[i]))

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        if len(x) == 1:
            return x[0]
        return x

    def parameters(self):
        parameters = []
        for layer in self.layers:
            parameters.extend(layer.parameters())
        return parameters


def train_step(model, xs, ys, learning_rate):
    for p in model.parameters():
        p.grad = 0.0
    loss = 0
    for i in range(len(xs)):
        loss += (model(xs[i]) - ys[i]) ** 2
    loss = loss / len(xs)
    loss.backward()
    for p in model.parameters():
        p.data = p.data - learning_rate * p.grad
    return loss.data


def checkpoint(f, x):
    out = Value(f(Value(x.data)).data, (x,), "checkpoint")
    def _backward():
        copy = Value(x.data)
        (f(copy) * out.grad).backward()
        x.grad += copy.grad
    out._backward = _backward
    return out


def derivative(f, x):
    inner = Value(x)
    f(inner).backward()
    return inner.grad if isinstance(inner.grad, Value) else Value(inner.grad)
