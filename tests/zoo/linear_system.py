"""All gradients at once: each equation says that a node's gradient is the sum over its users, and NumPy solves them.

Judged: 1 2 3.1
"""

import math

import numpy as np


class Value:
    def __init__(self, data, depends=()):
        self.data = data
        self.grad = 0.0
        self.depends = depends

    def __add__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        return Value(self.data + o.data, [(self, 1.0), (o, 1.0)])

    def __mul__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        return Value(self.data * o.data, [(self, o.data), (o, self.data)])

    def __pow__(self, n):
        if isinstance(n, Value):
            raise TypeError("a power needs a number")
        return Value(self.data**n, [(self, n * self.data ** (n - 1))])

    def __neg__(self):
        return -1 * self

    def __sub__(self, o):
        return self + -1 * o

    def __rsub__(self, o):
        return o + -1 * self

    def __truediv__(self, o):
        return self * o**-1

    def __rtruediv__(self, o):
        return o * self**-1

    __radd__ = __add__
    __rmul__ = __mul__

    def relu(self):
        return Value(max(0.0, self.data), [(self, float(self.data > 0))])

    def tanh(self):
        return Value(math.tanh(self.data), [(self, 1 - math.tanh(self.data) ** 2)])

    def exp(self):
        return Value(math.exp(self.data), [(self, math.exp(self.data))])

    def log(self):
        return Value(math.log(self.data), [(self, 1 / self.data)])

    def sigmoid(self):
        s = 1 / (1 + math.exp(-max(self.data, -700)))
        return Value(s, [(self, s * (1 - s))])

    def backward(self):
        place = {self: 0}
        nodes = [self]
        for node in nodes:
            for parent, _ in node.depends:
                if parent not in place:
                    place[parent] = len(nodes)
                    nodes.append(parent)
        matrix = np.eye(len(nodes))
        for node in nodes:
            for parent, slope in node.depends:
                matrix[place[parent], place[node]] -= slope
        right = np.zeros(len(nodes))
        right[0] = 1.0
        for node, g in zip(nodes, np.linalg.solve(matrix, right), strict=True):
            node.grad += float(g)
