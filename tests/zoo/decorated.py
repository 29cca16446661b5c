"""A decorator makes an operation from a function that returns (value, local derivatives).

Judged: 1 2 3.1 3.2
"""

import functools
import math


def differentiable(f):
    @functools.wraps(f)
    def op(*args):
        values = [a if isinstance(a, Value) else Value(a) for a in args]
        y, slopes = f(*[v.data for v in values])
        out = Value(y)
        out.history = list(zip(values, slopes, strict=True))
        return out

    return op


def swapped(op):
    return lambda self, other: op(other, self)


class Value:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0
        self.history = []

    @differentiable
    def __add__(x, y):
        return x + y, (1, 1)

    @differentiable
    def __sub__(x, y):
        return x - y, (1, -1)

    @differentiable
    def __mul__(x, y):
        return x * y, (y, x)

    @differentiable
    def __truediv__(x, y):
        return x / y, (1 / y, -x / y**2)

    @differentiable
    def __neg__(x):
        return -x, (-1,)

    @differentiable
    def relu(x):
        return (x, (1,)) if x > 0 else (0.0, (0,))

    @differentiable
    def tanh(x):
        t = math.tanh(x)
        return t, (1 - t * t,)

    @differentiable
    def exp(x):
        y = math.exp(x)
        return y, (y,)

    @differentiable
    def log(x):
        return math.log(x), (1 / x,)

    @differentiable
    def sigmoid(x):
        e = math.exp(-abs(x))
        return (1 if x >= 0 else e) / (1 + e), (e / (1 + e) ** 2,)

    @differentiable
    def __pow__(x, n):
        """The exponent's own derivative needs a positive base."""
        return x**n, (n * x ** (n - 1), x**n * math.log(x) if x > 0 else 0.0)

    __radd__, __rsub__ = swapped(__add__), swapped(__sub__)
    __rmul__, __rtruediv__ = swapped(__mul__), swapped(__truediv__)

    def accumulate(self, share):
        self.grad += share

    def backward(self):
        order, seen = [], set()

        def collect(v):
            if v in seen:
                return
            seen.add(v)
            [collect(p) for p, _ in v.history]
            order.append(v)

        collect(self)
        self.accumulate(1.0)
        while order:
            v = order.pop()
            for p, slope in v.history:
                p.accumulate(slope * v.grad)
