"""0-d NumPy arrays inside, as in an engine that will hold tensors one day; gradients are never changed in place.

Judged: 1 2 3.1 3.2
"""

import numpy as np


class Value:
    __array_priority__ = 1000

    def __init__(self, data, requires_grad=True, name=None):
        self.data = np.asarray(data, dtype=float)
        self.grad = np.zeros_like(self.data)
        self.requires_grad = requires_grad
        self.name = name
        self.parents = []

    @staticmethod
    def result(data, *parents):
        out = Value(data)
        out.parents = [(p, f) for p, f in parents if p.requires_grad]
        return out

    def __add__(self, other):
        other = constant(other)
        return Value.result(self.data + other.data, (self, lambda g: g), (other, lambda g: g))

    def __sub__(self, other):
        other = constant(other)
        return Value.result(self.data - other.data, (self, lambda g: g), (other, lambda g: -g))

    def __mul__(self, other):
        other = constant(other)
        return Value.result(self.data * other.data, (self, lambda g: g * other.data), (other, lambda g: g * self.data))

    def __truediv__(self, other):
        other = constant(other)
        return Value.result(self.data / other.data, (self, lambda g: g / other.data),
                            (other, lambda g: -g * self.data / other.data**2))

    def __radd__(self, other):
        return constant(other) + self

    def __rsub__(self, other):
        return constant(other) - self

    def __rmul__(self, other):
        return constant(other) * self

    def __rtruediv__(self, other):
        return constant(other) / self

    def __neg__(self):
        return Value.result(-self.data, (self, np.negative))

    def __pow__(self, other):
        other = constant(other)
        parents = [(self, lambda g: g * other.data * self.data ** (other.data - 1))]
        if other.requires_grad:
            parents.append((other, lambda g: g * self.data**other.data * np.log(self.data)))
        return Value.result(self.data**other.data, *parents)

    def relu(self):
        return Value.result(self.data.clip(0), (self, lambda g: np.where(self.data > 0, g, 0.0)))

    def tanh(self):
        y = np.tanh(self.data)
        return Value.result(y, (self, lambda g: g * (1 - y**2)))

    def exp(self):
        y = np.exp(self.data)
        return Value.result(y, (self, lambda g: g * y))

    def log(self):
        return Value.result(np.log(self.data), (self, lambda g: g / self.data))

    def sigmoid(self):
        y = np.where(self.data >= 0, 1 / (1 + np.exp(-np.abs(self.data))),
                     np.exp(-np.abs(self.data)) / (1 + np.exp(-np.abs(self.data))))
        return Value.result(y, (self, lambda g: g * y * (1 - y)))

    def backward(self):
        topo = []
        seen = set()

        def visit(v):
            if id(v) not in seen:
                seen.add(id(v))
                for p, _ in v.parents:
                    visit(p)
                topo.append(v)

        visit(self)
        self.grad = np.ones_like(self.data)
        for v in reversed(topo):
            for p, f in v.parents:
                p.grad = p.grad + f(v.grad)


def constant(x):
    return x if isinstance(x, Value) else Value(x, requires_grad=False)
