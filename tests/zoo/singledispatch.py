"""Operations are small frozen records, and functools.singledispatch finds the forward and the backward of each.

Judged: 1 2 3.1 3.2
"""

import math
from dataclasses import dataclass
from functools import singledispatch


@dataclass(frozen=True)
class Plus:
    pass


@dataclass(frozen=True)
class Times:
    pass


@dataclass(frozen=True)
class ToThe:
    n: float


@dataclass(frozen=True)
class Max0:
    pass


@dataclass(frozen=True)
class Exp:
    pass


@dataclass(frozen=True)
class Log:
    pass


@dataclass(frozen=True)
class Tanh:
    scale: float = 1.0  # tanh(scale * x)


@singledispatch
def forward(op, *numbers):
    raise TypeError(f"no forward for {op}")


@singledispatch
def backward(op, y, *numbers):
    raise TypeError(f"no backward for {op}")


forward.register(Plus, lambda op, a, b: a + b)
backward.register(Plus, lambda op, y, a, b: (1.0, 1.0))
forward.register(Times, lambda op, a, b: a * b)
backward.register(Times, lambda op, y, a, b: (b, a))
forward.register(ToThe, lambda op, a: a**op.n)
backward.register(ToThe, lambda op, y, a: (op.n * a ** (op.n - 1),))
forward.register(Max0, lambda op, a: a if a > 0 else 0.0)
backward.register(Max0, lambda op, y, a: (float(a > 0),))
forward.register(Exp, lambda op, a: math.exp(a))
backward.register(Exp, lambda op, y, a: (y,))
forward.register(Log, lambda op, a: math.log(a))
backward.register(Log, lambda op, y, a: (1 / a,))
forward.register(Tanh, lambda op, a: math.tanh(op.scale * a))
backward.register(Tanh, lambda op, y, a: (op.scale * (1 - y * y),))


class Value:
    def __init__(self, data, op=None, parents=()):
        self.data = data
        self.grad = 0.0
        self.op = op
        self.parents = parents

    @classmethod
    def apply(cls, op, *values):
        values = tuple(v if isinstance(v, Value) else Value(v) for v in values)
        return cls(forward(op, *(v.data for v in values)), op, values)

    def __add__(self, other):
        return Value.apply(Plus(), self, other)

    def __radd__(self, other):
        return Value.apply(Plus(), other, self)

    def __mul__(self, other):
        return Value.apply(Times(), self, other)

    def __rmul__(self, other):
        return Value.apply(Times(), other, self)

    def __pow__(self, n):
        if isinstance(n, Value):
            raise TypeError("exponent must not be a Value")
        return Value.apply(ToThe(n), self)

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + other * -1.0

    def __rsub__(self, other):
        return self * -1.0 + other

    def __truediv__(self, other):
        return self * (other**-1)

    def __rtruediv__(self, other):
        return self**-1 * other

    def relu(self):
        return Value.apply(Max0(), self)

    def tanh(self):
        return Value.apply(Tanh(), self)

    def exp(self):
        return Value.apply(Exp(), self)

    def log(self):
        return Value.apply(Log(), self)

    def sigmoid(self):
        return (Value.apply(Tanh(0.5), self) + 1) / 2

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for p in v.parents:
                    visit(p)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            if v.op is not None:
                for p, d in zip(v.parents, backward(v.op, v.data, *(p.data for p in v.parents)), strict=True):
                    p.grad += d * v.grad
