"""backward takes an optional gradient and returns all gradients; before that it resets every gradient in the graph.

Judged: 1 2 3.1 3.2 4
"""

import math
import random


class Value:
    def __init__(self, data, label="", parents=(), derivatives=()):
        self.data = data
        self.label = label
        self.parents = parents
        self.derivatives = derivatives
        self.grad = 0.0

    def __add__(self, other):
        other = Value._(other)
        return Value(self.data + other.data, "+", (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = Value._(other)
        return Value(self.data - other.data, "-", (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = Value._(other)
        return Value(self.data * other.data, "*", (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = Value._(other)
        return Value(self.data / other.data, "/", (self, other), (1.0 / other.data, -self.data / other.data**2))

    def __pow__(self, other):
        if isinstance(other, Value):
            if self.data <= 0:
                raise ValueError("the base of a Value exponent must be positive")
            y = self.data**other.data
            return Value(y, "**", (self, other), (other.data * y / self.data, y * math.log(self.data)))
        return Value(self.data**other, "**", (self,), (other * self.data ** (other - 1),))

    def __rpow__(self, other):
        return Value(other) ** self

    def __radd__(self, other):
        return Value(other) + self

    def __rsub__(self, other):
        return Value(other) - self

    def __rmul__(self, other):
        return Value(other) * self

    def __rtruediv__(self, other):
        return Value(other) / self

    def __neg__(self):
        return Value(-self.data, "neg", (self,), (-1.0,))

    def relu(self):
        return Value(self.data * (self.data > 0), "relu", (self,), (self.data > 0,))

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, "tanh", (self,), (1 - t * t,))

    def exp(self):
        y = math.exp(self.data)
        return Value(y, "exp", (self,), (y,))

    def log(self):
        return Value(math.log(self.data), "log", (self,), (1 / self.data,))

    def sigmoid(self):
        y = math.exp(min(self.data, 0)) / (1 + math.exp(-abs(self.data)))
        return Value(y, "sigmoid", (self,), (y * (1 - y),))

    @staticmethod
    def _(x):
        return x if isinstance(x, Value) else Value(x)

    def graph(self):
        nodes, seen = [], set()

        def add(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    add(parent)
                nodes.append(node)

        add(self)
        return nodes[::-1]

    def backward(self, gradient=1.0):
        nodes = self.graph()
        for node in nodes:
            node.grad = 0.0
        self.grad = gradient
        for node in nodes:
            for parent, d in zip(node.parents, node.derivatives, strict=True):
                parent.grad += d * node.grad
        return {node: node.grad for node in nodes}


class Neuron:
    def __init__(self, nin, nonlin=True):
        self.w = [Value(random.uniform(-1, 1), f"w{i}") for i in range(nin)]
        self.b = Value(random.uniform(-1, 1), "b")
        self.nonlin = nonlin

    def __call__(self, x):
        z = sum(w * xi for w, xi in zip(self.w, x, strict=True)) + self.b
        if not self.nonlin:
            return z
        e = (2 * z).sigmoid()  # tanh from sigmoid
        return 2 * e - 1

    def parameters(self):
        return [self.b] + self.w


class MLP:
    def __init__(self, nin, nouts):
        sizes = [nin] + nouts
        self.layers = [[Neuron(n, nonlin=k < len(nouts) - 1) for _ in range(m)]
                       for k, (n, m) in enumerate(zip(sizes, nouts, strict=False))]

    def __call__(self, x):
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x if len(x) > 1 else x[0]

    def parameters(self):
        return [p for layer in self.layers for neuron in layer for p in neuron.parameters()]


def train_step(model, xs, ys, learning_rate):
    loss = sum((model(x) - y) ** 2 for x, y in zip(xs, ys, strict=True)) / len(xs)
    loss.backward()  # resets
    for p in model.parameters():
        p.data -= learning_rate * p.grad
    return loss.data
