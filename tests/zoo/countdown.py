"""A recursive push that waits: each node counts its uses first, and goes on only when all of them have reported.

Judged: 1 2 3.1 3.2 4
"""

import math
import random


class Value:
    def __init__(self, data, *, parents=(), name=""):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.name = name
        self.waiting = 0

    def __add__(self, other):
        other = Value(other) if isinstance(other, (int, float)) else other
        return Value(self.data + other.data, parents=[(self, 1), (other, 1)], name="+")

    def __mul__(self, other):
        other = Value(other) if isinstance(other, (int, float)) else other
        return Value(self.data * other.data, parents=[(self, other.data), (other, self.data)], name="*")

    def __sub__(self, other):
        other = Value(other) if isinstance(other, (int, float)) else other
        return Value(self.data - other.data, parents=[(self, 1), (other, -1)], name="-")

    def __truediv__(self, other):
        other = Value(other) if isinstance(other, (int, float)) else other
        x, y = self.data, other.data
        return Value(x / y, parents=[(self, 1 / y), (other, -x / (y * y))], name="/")

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return Value(other) - self

    def __rtruediv__(self, other):
        return Value(other) / self

    def __neg__(self):
        return 0 - self

    def __pow__(self, n):
        if isinstance(n, Value):
            raise NotImplementedError
        return Value(self.data**n, parents=[(self, n * self.data ** (n - 1))], name=f"**{n}")

    def relu(self):
        return Value(max(self.data, 0.0), parents=[(self, self.data > 0)], name="relu")

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, parents=[(self, 1 - t * t)], name="tanh")

    def exp(self):
        y = math.exp(self.data)
        return Value(y, parents=[(self, y)], name="exp")

    def log(self):
        return Value(math.log(self.data), parents=[(self, 1 / self.data)], name="log")

    def sigmoid(self):
        e = math.exp(-abs(self.data))
        y = 1 / (1 + e)
        if self.data < 0:
            y = 1 - y
        return Value(y, parents=[(self, y * (1 - y))], name="sigmoid")

    def count(self):
        self.waiting += 1
        if self.waiting == 1:
            for parent, _ in self.parents:
                parent.count()

    def receive(self, share):
        self.grad += share
        self.waiting -= 1
        if self.waiting == 0:
            for parent, slope in self.parents:
                parent.receive(slope * self.grad)

    def backward(self):
        self.count()
        self.receive(1.0)


class Neuron:
    def __init__(self, nin, nonlin=True):
        self.weights = [Value(random.triangular(-1, 1), name="w") for _ in range(nin)]
        self.bias = Value(0, name="b")
        self.nonlin = nonlin

    def __call__(self, inputs):
        total = self.bias
        for weight, x in zip(self.weights, inputs, strict=True):
            total = total + x * weight
        return total.sigmoid() if self.nonlin else total

    def parameters(self):
        return [self.bias, *self.weights]


class Layer:
    def __init__(self, nin, nout, nonlin=True):
        self.neurons = [Neuron(nin, nonlin=nonlin) for _ in range(nout)]

    def __call__(self, inputs):
        return [neuron(inputs) for neuron in self.neurons]

    def parameters(self):
        for neuron in self.neurons:
            yield from neuron.parameters()


class MLP:
    def __init__(self, nin, nouts):
        self.layers = []
        while nouts:
            self.layers.append(Layer(nin, nouts[0], nonlin=len(nouts) > 1))
            nin, nouts = nouts[0], nouts[1:]

    def __call__(self, inputs):
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs[0] if len(inputs) == 1 else inputs

    def parameters(self):
        return [p for layer in self.layers[::-1] for p in layer.parameters()]


def train_step(model, xs, ys, learning_rate):
    loss = sum((model(x) - y) ** 2 for x, y in zip(xs, ys, strict=True)) * (1 / len(xs))
    loss.backward()
    for p in model.parameters():
        p.data -= learning_rate * p.grad
        p.grad = 0.0  # ready for the next step
    return loss.data
