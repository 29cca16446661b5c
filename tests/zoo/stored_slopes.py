"""Each node stores its inputs with their local derivatives; no closures, no `_op`. A network of plain lists of weights.

Judged: 1 2 3.1 3.2 3.3 4
"""

import math
import random


class Value:
    def __init__(self, data, edges=()):
        self.data = float(data)
        self.grad = 0.0
        self.edges = edges  # pairs (input, local derivative)

    @staticmethod
    def wrap(x):
        return x if isinstance(x, Value) else Value(x)

    def __add__(self, other):
        other = Value.wrap(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = Value.wrap(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def __sub__(self, other):
        other = Value.wrap(other)
        return Value(self.data - other.data, ((self, 1.0), (other, -1.0)))

    def __truediv__(self, other):
        other = Value.wrap(other)
        return Value(self.data / other.data, ((self, 1 / other.data), (other, -self.data / other.data**2)))

    def __pow__(self, n):
        if isinstance(n, Value):
            raise TypeError("exponent has to be a number")
        return Value(self.data**n, ((self, n * self.data ** (n - 1)),))

    def __neg__(self):
        return Value(-self.data, ((self, -1.0),))

    def __rsub__(self, other):
        return Value(other) - self

    def __rtruediv__(self, other):
        return Value(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def relu(self):
        return Value(max(0.0, self.data), ((self, float(self.data > 0)),))

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, ((self, 1 - t * t),))

    def exp(self):
        e = math.exp(self.data)
        return Value(e, ((self, e),))

    def log(self):
        return Value(math.log(self.data), ((self, 1 / self.data),))

    def sigmoid(self):
        s = 0.5 * (1 + math.tanh(self.data / 2))
        return Value(s, ((self, s * (1 - s)),))

    def backward(self):
        order = []
        done = set()
        stack = [(self, iter(self.edges))]
        done.add(id(self))
        while stack:
            node, rest = stack[-1]
            for parent, _ in rest:
                if id(parent) not in done:
                    done.add(id(parent))
                    stack.append((parent, iter(parent.edges)))
                    break
            else:
                order.append(node)
                stack.pop()
        self.grad = 1.0
        while order:
            node = order.pop()
            for parent, slope in node.edges:
                parent.grad += slope * node.grad


class MLP:
    """Weights as nested lists: weights[layer][neuron][input], biases[layer][neuron]."""

    def __init__(self, nin, nouts):
        self.weights = []
        self.biases = []
        for n in nouts:
            self.weights.append([[Value(random.gauss(0, 1)) for _ in range(nin)] for _ in range(n)])
            self.biases.append([Value(0.0) for _ in range(n)])
            nin = n

    def __call__(self, x):
        for number, (rows, biases) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            out = []
            for row, b in zip(rows, biases, strict=True):
                for w, xi in zip(row, x, strict=True):
                    b = b + w * xi
                out.append(b)
            x = out if number == len(self.weights) else [v.tanh() for v in out]
        return x if len(x) > 1 else x[0]

    def parameters(self):
        flat = [w for rows in self.weights for row in rows for w in row]
        return flat + [b for biases in self.biases for b in biases]


def train_step(model, xs, ys, learning_rate):
    for p in model.parameters():
        p.grad = 0.0
    loss = Value(0.0)
    for x, y in zip(xs, ys, strict=True):
        error = y - model(x)
        loss = loss + error * error
    loss = loss / len(xs)
    loss.backward()
    for p in model.parameters():
        p.data = p.data - learning_rate * p.grad
    return loss.data
