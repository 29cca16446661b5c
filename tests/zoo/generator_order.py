"""The reverse order as a generator that runs while gradients flow; gradients live in a dict until the walk ends.

Judged: 1 2 3.1 3.2 3.3
"""

import math
from typing import NamedTuple


class Edge(NamedTuple):
    to: "Value"
    slope: float


class Value:
    def __init__(self, data, *edges):
        self.data = data
        self.grad = 0.0
        self.edges = edges

    def __add__(self, other):
        if not isinstance(other, Value):
            return Value(self.data + other, Edge(self, 1.0))
        return Value(self.data + other.data, Edge(self, 1.0), Edge(other, 1.0))

    def __mul__(self, other):
        if not isinstance(other, Value):
            return Value(self.data * other, Edge(self, other))
        return Value(self.data * other.data, Edge(self, other.data), Edge(other, self.data))

    def __pow__(self, n):
        assert not isinstance(n, Value)
        return Value(self.data**n, Edge(self, n * self.data ** (n - 1)))

    def __neg__(self):
        return Value(-self.data, Edge(self, -1.0))

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return (-self) + other

    def __truediv__(self, other):
        return self * (1 / other)

    def __rtruediv__(self, other):
        return other * self**-1.0

    __radd__ = __add__
    __rmul__ = __mul__

    def relu(self):
        return self * 1.0 if self.data > 0 else self * 0.0

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, Edge(self, 1 - t**2))

    def exp(self):
        y = math.exp(self.data)
        return Value(y, Edge(self, y))

    def log(self):
        return Value(math.log(self.data), Edge(self, 1 / self.data))

    def sigmoid(self):
        t = math.tanh(self.data / 2)
        return Value((1 + t) / 2, Edge(self, (1 - t * t) / 4))

    def uses(self):
        count, stack = {self: 0}, [self]
        while stack:
            for edge in stack.pop().edges:
                if edge.to not in count:
                    count[edge.to] = 0
                    stack.append(edge.to)
                count[edge.to] += 1
        return count

    def reverse_order(self):
        count = self.uses()
        ready = [self]
        while ready:
            node = ready.pop()
            yield node
            for edge in node.edges:
                count[edge.to] -= 1
                if not count[edge.to]:
                    ready.append(edge.to)

    def backward(self):
        share = {self: 1.0}
        for node in self.reverse_order():
            for to, slope in node.edges:
                share[to] = share.get(to, 0.0) + slope * share[node]
        for node, g in share.items():
            node.grad += g
