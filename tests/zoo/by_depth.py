"""Every node knows its height above the leaves; backward goes down level by level.

Judged: 1 2 3.1 3.2 3.3
"""

import math
from collections import defaultdict


class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.slopes = slopes
        self.height = 1 + max((p.height for p in parents), default=-1)

    def __add__(self, other):
        a, b = pair(self, other)
        return Value(a.data + b.data, (a, b), (1.0, 1.0))

    def __radd__(self, other):
        return self.__add__(other)

    def __mul__(self, other):
        a, b = pair(self, other)
        return Value(a.data * b.data, (a, b), (b.data, a.data))

    def __rmul__(self, other):
        return self.__mul__(other)

    def __sub__(self, other):
        a, b = pair(self, other)
        return Value(a.data - b.data, (a, b), (1.0, -1.0))

    def __rsub__(self, other):
        a, b = pair(other, self)
        return a - b

    def __truediv__(self, other):
        a, b = pair(self, other)
        return Value(a.data / b.data, (a, b), (b.data**-1, -a.data * b.data**-2))

    def __rtruediv__(self, other):
        a, b = pair(other, self)
        return a / b

    def __pow__(self, n):
        return Value(pow(self.data, n), (self,), (n * pow(self.data, n - 1),))

    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))

    def relu(self):
        return Value((abs(self.data) + self.data) / 2, (self,), ((1 + math.copysign(1, self.data)) / 2,))

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, (self,), (1 - t * t,))

    def exp(self):
        return Value(math.exp(self.data), (self,), (math.exp(self.data),))

    def log(self):
        return Value(math.log(self.data), (self,), (1.0 / self.data,))

    def sigmoid(self):
        s = math.exp(self.data - math.log1p(math.exp(self.data))) if self.data < 30 else 1 / (1 + math.exp(-self.data))
        return Value(s, (self,), (s * (1 - s),))

    def backward(self):
        levels = defaultdict(set)
        levels[self.height].add(self)
        self.grad = 1.0
        for height in range(self.height, -1, -1):
            for node in levels.pop(height, ()):
                for parent, slope in zip(node.parents, node.slopes, strict=True):
                    parent.grad += node.grad * slope
                    levels[parent.height].add(parent)


def pair(a, b):
    return (a if isinstance(a, Value) else Value(a)), (b if isinstance(b, Value) else Value(b))
