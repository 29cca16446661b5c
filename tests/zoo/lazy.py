"""Lazy: an operation only notes what to do, and the number is computed when somebody reads `data`.

Judged: 1 2 3.1 3.2
"""

import math


class Value:
    def __init__(self, data=None, compute=None, slopes=None, inputs=()):
        self._data = data
        self._compute = compute
        self._slopes = slopes
        self._inputs = inputs
        self.grad = 0.0

    @property
    def data(self):
        if self._data is None:
            self._data = self._compute(*[x.data for x in self._inputs])
        return self._data

    @data.setter
    def data(self, x):
        self._data = x

    def __add__(self, o):
        return later(lambda a, b: a + b, lambda a, b, y: (1, 1), self, o)

    def __radd__(self, o):
        return later(lambda a, b: a + b, lambda a, b, y: (1, 1), o, self)

    def __sub__(self, o):
        return later(lambda a, b: a - b, lambda a, b, y: (1, -1), self, o)

    def __rsub__(self, o):
        return later(lambda a, b: a - b, lambda a, b, y: (1, -1), o, self)

    def __mul__(self, o):
        return later(lambda a, b: a * b, lambda a, b, y: (b, a), self, o)

    def __rmul__(self, o):
        return later(lambda a, b: a * b, lambda a, b, y: (b, a), o, self)

    def __truediv__(self, o):
        return later(lambda a, b: a / b, lambda a, b, y: (1 / b, -y / b), self, o)

    def __rtruediv__(self, o):
        return later(lambda a, b: a / b, lambda a, b, y: (1 / b, -y / b), o, self)

    def __pow__(self, n):
        if isinstance(n, Value):
            raise TypeError("the exponent must be a number")
        return later(lambda a: a**n, lambda a, y: (n * a ** (n - 1),), self)

    def __neg__(self):
        return later(lambda a: -a, lambda a, y: (-1,), self)

    def relu(self):
        return later(lambda a: max(a, 0), lambda a, y: (1 if a > 0 else 0,), self)

    def tanh(self):
        return later(math.tanh, lambda a, y: (1 - y * y,), self)

    def exp(self):
        return later(math.exp, lambda a, y: (y,), self)

    def log(self):
        return later(math.log, lambda a, y: (1 / a,), self)

    def sigmoid(self):
        return later(lambda a: 0.5 * (1 + math.tanh(0.5 * a)), lambda a, y: (y * (1 - y),), self)

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for x in v._inputs:
                    visit(x)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            if v._inputs:
                slopes = v._slopes(*[x.data for x in v._inputs], v.data)
                for x, slope in zip(v._inputs, slopes, strict=True):
                    x.grad += slope * v.grad


def later(compute, slopes, *inputs):
    return Value(None, compute, slopes, [x if isinstance(x, Value) else Value(x) for x in inputs])
