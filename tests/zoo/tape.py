"""A tape: every operation is recorded when it runs, and backward plays the tape from its end, then clears it.

Judged: 1 2 3.1 3.2 3.3
"""

import math

TAPE = []


class Value:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0

    def __add__(self, other):
        return record(lambda x, y: x + y, lambda x, y, z: (1, 1), self, other)

    def __radd__(self, other):
        return record(lambda x, y: x + y, lambda x, y, z: (1, 1), other, self)

    def __sub__(self, other):
        return record(lambda x, y: x - y, lambda x, y, z: (1, -1), self, other)

    def __rsub__(self, other):
        return record(lambda x, y: x - y, lambda x, y, z: (1, -1), other, self)

    def __mul__(self, other):
        return record(lambda x, y: x * y, lambda x, y, z: (y, x), self, other)

    def __rmul__(self, other):
        return record(lambda x, y: x * y, lambda x, y, z: (y, x), other, self)

    def __truediv__(self, other):
        return record(lambda x, y: x / y, lambda x, y, z: (1 / y, -z / y), self, other)

    def __rtruediv__(self, other):
        return record(lambda x, y: x / y, lambda x, y, z: (1 / y, -z / y), other, self)

    def __pow__(self, n):
        if isinstance(n, Value):
            raise TypeError("cannot raise to a Value")
        return record(lambda x: x**n, lambda x, z: (n * x ** (n - 1),), self)

    def __neg__(self):
        return record(lambda x: -x, lambda x, z: (-1,), self)

    def relu(self):
        return record(lambda x: max(x, 0.0), lambda x, z: (float(x > 0),), self)

    def tanh(self):
        return record(math.tanh, lambda x, z: (1 - z * z,), self)

    def exp(self):
        return record(math.exp, lambda x, z: (z,), self)

    def log(self):
        return record(math.log, lambda x, z: (1 / x,), self)

    def sigmoid(self):
        return record(lambda x: (1 + math.tanh(x / 2)) / 2, lambda x, z: (z * (1 - z),), self)

    def backward(self):
        self.grad = 1.0
        for out, inputs, slopes in reversed(TAPE):
            for x, slope in zip(inputs, slopes, strict=True):
                x.grad += slope * out.grad
        TAPE.clear()


def record(f, slopes, *inputs):
    inputs = [x if isinstance(x, Value) else Value(x) for x in inputs]
    numbers = [x.data for x in inputs]
    out = Value(f(*numbers))
    TAPE.append((out, inputs, slopes(*numbers, out.data)))
    return out
