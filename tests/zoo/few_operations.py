"""Two operations with a rule of their own and everything else composed: minus, division, sigmoid and tanh are programs.

Judged: 1 2 3.1 3.2
"""

import math


class Value:
    def __init__(self, data, _prev=()):
        self.data = data
        self.grad = 0.0
        self._prev = _prev
        self._rule = None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return combine(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return combine(self.data * other.data, (self, other.data), (other, self.data))

    def __pow__(self, n):
        if isinstance(n, Value):
            return (self.log() * n).exp()
        return combine(self.data**n, (self, n * self.data ** (n - 1)))

    def exp(self):
        return combine(math.exp(self.data), (self, math.exp(self.data)))

    def log(self):
        return combine(math.log(self.data), (self, 1 / self.data))

    def __neg__(self):
        return -1 * self

    def __sub__(self, other):
        return self + -1 * other

    def __rsub__(self, other):
        return other + -1 * self

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def relu(self):
        return self * (self.data > 0)

    def sigmoid(self):
        if self.data >= 0:
            return 1 / (1 + (-self).exp())
        e = self.exp()
        return e / (1 + e)

    def tanh(self):
        if self.data >= 0:
            e = (-2 * self).exp()
            return (1 - e) / (1 + e)
        e = (2 * self).exp()
        return (e - 1) / (e + 1)

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for parent, _ in v._prev:
                    visit(parent)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            for parent, slope in v._prev:
                parent.grad += slope * v.grad


def combine(data, *prev):
    return Value(data, prev)
