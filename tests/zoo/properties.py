"""`data` and `grad` are properties over private storage; data is checked and kept as a float.

Judged: 1 2 3.1 3.2
"""

import math


class Value:
    def __init__(self, data, *parents):
        self.data = data
        self.grad = 0
        self._parents = parents
        self._push = lambda g: ()

    @property
    def data(self):
        return self._data

    @data.setter
    def data(self, x):
        if isinstance(x, bool) or not isinstance(x, (int, float)):
            raise TypeError(f"data must be a number, not {type(x).__name__}")
        self._data = float(x)

    @property
    def grad(self):
        return self._grad

    @grad.setter
    def grad(self, x):
        self._grad = float(x)

    def _new(self, x, parents, push):
        out = Value(x, *parents)
        out._push = push
        return out

    def __add__(self, other):
        a, b = self, coerce(other)
        return self._new(a.data + b.data, (a, b), lambda g: (g, g))

    def __mul__(self, other):
        a, b = self, coerce(other)
        return self._new(a.data * b.data, (a, b), lambda g: (g * b.data, g * a.data))

    def __truediv__(self, other):
        a, b = self, coerce(other)
        return self._new(a.data / b.data, (a, b), lambda g: (g / b.data, -g * a.data / b.data**2))

    def __pow__(self, k):
        return self._new(math.pow(self.data, k), (self,), lambda g: (g * k * math.pow(self.data, k - 1),))

    def __radd__(self, other):
        return coerce(other).__add__(self)

    def __rmul__(self, other):
        return coerce(other).__mul__(self)

    def __rtruediv__(self, other):
        return coerce(other).__truediv__(self)

    def __neg__(self):
        return self._new(-self.data, (self,), lambda g: (-g,))

    def __sub__(self, other):
        return self + -coerce(other)

    def __rsub__(self, other):
        return coerce(other) + -self

    def relu(self):
        return self._new(max(self.data, 0.0), (self,), lambda g: (g * (self.data > 0),))

    def tanh(self):
        return self._new(t := math.tanh(self.data), (self,), lambda g: (g * (1 - t * t),))

    def exp(self):
        return self._new(e := math.exp(self.data), (self,), lambda g: (g * e,))

    def log(self):
        return self._new(math.log(self.data), (self,), lambda g: (g / self.data,))

    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.data)) if self.data >= 0 else math.exp(self.data) / (1 + math.exp(self.data))
        return self._new(s, (self,), lambda g: (g * s * (1 - s),))

    def _order(self, seen):
        if self not in seen:
            seen[self] = True
            for p in self._parents:
                p._order(seen)
            del seen[self]
            seen[self] = True  # a dict keeps its order: behind all its parents now

    def backward(self):
        seen = {}
        self._order(seen)
        self.grad = 1
        for node in reversed(seen):
            for p, g in zip(node._parents, node._push(node.grad), strict=True):
                p.grad += g


def coerce(x):
    return x if isinstance(x, Value) else Value(x)
