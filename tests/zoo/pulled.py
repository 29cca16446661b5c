"""Gradients are pulled, not pushed: each node asks its users for theirs, and remembers the answer.

Judged: 1 2 3.1 3.2
"""

import math
from functools import cache


class Value:
    def __init__(self, data, made_of=()):
        self.data = data
        self.grad = 0.0
        self.made_of = made_of

    def __add__(self, other):
        other = wrap(other)
        return Value(self.data + other.data, [(self, 1), (other, 1)])

    def __mul__(self, other):
        other = wrap(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def __pow__(self, n):
        if isinstance(n, Value):
            raise TypeError("no Value exponents")
        return Value(self.data**n, [(self, n * self.data ** (n - 1))])

    def __neg__(self):
        return self * (-1)

    def __sub__(self, other):
        return self + wrap(other) * (-1)

    def __truediv__(self, other):
        return self * wrap(other) ** (-1)

    def __radd__(self, other):
        return wrap(other) + self

    def __rmul__(self, other):
        return wrap(other) * self

    def __rsub__(self, other):
        return wrap(other) - self

    def __rtruediv__(self, other):
        return wrap(other) / self

    def relu(self):
        return Value(max(self.data, 0.0), [(self, 1 if self.data > 0 else 0)])

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, [(self, 1 - t * t)])

    def exp(self):
        y = math.exp(self.data)
        return Value(y, [(self, y)])

    def log(self):
        return Value(math.log(self.data), [(self, 1 / self.data)])

    def sigmoid(self):
        s = math.exp(self.data) / (1 + math.exp(self.data)) if self.data < 0 else 1 / (1 + math.exp(-self.data))
        return Value(s, [(self, s * (1 - s))])

    def backward(self):
        users = {self: []}
        todo = [self]
        for node in todo:
            for x, slope in node.made_of:
                if x not in users:
                    users[x] = []
                    todo.append(x)
                users[x].append((node, slope))

        @cache
        def gradient(node):
            if node is self:
                return 1.0
            return sum(slope * gradient(user) for user, slope in users[node])

        for node in todo:
            node.grad += gradient(node)


def wrap(x):
    return x if isinstance(x, Value) else Value(x)
