"""Nodes are numbered as they are made; a heap hands out the youngest first.

Judged: 1 2 3.1 3.2 3.3
"""

import heapq
import itertools
import math


class Value:
    counter = itertools.count()

    def __init__(self, data, back=()):
        self.data = data
        self.grad = 0.0
        self.number = next(Value.counter)
        self.back = back

    def __lt__(self, other):
        return self.number > other.number  # youngest first in the heap

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def __pow__(self, n):
        if type(n) not in (int, float):
            raise TypeError(n)
        return Value(self.data**n, [(self, n * self.data ** (n - 1))])

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + other * -1

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return self**-1 * other

    def unary(self, y, slope):
        return Value(y, [(self, slope)])

    def relu(self):
        return self.unary(max(0, self.data), 1 if self.data > 0 else 0)

    def tanh(self):
        t = math.tanh(self.data)
        return self.unary(t, 1 - t * t)

    def exp(self):
        return self.unary(math.exp(self.data), math.exp(self.data))

    def log(self):
        return self.unary(math.log(self.data), 1 / self.data)

    def sigmoid(self):
        s = 0.5 + 0.5 * math.tanh(0.5 * self.data)
        return self.unary(s, s * (1 - s))

    def backward(self):
        self.grad = 1.0
        heap, waiting = [self], {self.number}
        while heap:
            node = heapq.heappop(heap)
            for parent, slope in node.back:
                parent.grad += slope * node.grad
                if parent.number not in waiting:
                    waiting.add(parent.number)
                    heapq.heappush(heap, parent)
