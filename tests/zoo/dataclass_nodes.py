"""A dataclass compared by identity.

Judged: 1 2 3.1 3.2
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(eq=False)
class Value:
    data: float
    grad: float = 0.0
    prev: list["Value"] = field(default_factory=list, repr=False)
    local: Callable[[float], list[float]] = field(default=lambda g: [], repr=False)

    def __add__(self, other):
        other = _value(other)
        return Value(self.data + other.data, prev=[self, other], local=lambda g: [g, g])

    def __mul__(self, other):
        other = _value(other)
        return Value(self.data * other.data, prev=[self, other], local=lambda g: [g * other.data, g * self.data])

    def __pow__(self, k: float):
        if not isinstance(k, float | int):
            raise ValueError(f"the exponent must be a number, not {k!r}")
        return Value(self.data**k, prev=[self], local=lambda g: [g * k * self.data ** (k - 1)])

    def __neg__(self):
        return Value(-self.data, prev=[self], local=lambda g: [-g])

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __sub__(self, other):
        return self + (-_value(other))

    def __rsub__(self, other):
        return _value(other) - self

    def __truediv__(self, other):
        return self * _value(other) ** -1

    def __rtruediv__(self, other):
        return _value(other) / self

    def relu(self):
        return Value(max(0, self.data), prev=[self], local=lambda g: [g if self.data >= 0 else 0])

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, prev=[self], local=lambda g: [g * (1 - y**2)])

    def exp(self):
        y = math.exp(self.data)
        return Value(y, prev=[self], local=lambda g: [g * y])

    def log(self):
        return Value(math.log(self.data), prev=[self], local=lambda g: [g / self.data])

    def sigmoid(self):
        y = 1 / (1 + math.exp(-self.data)) if self.data > 0 else 1 - 1 / (1 + math.exp(self.data))
        return Value(y, prev=[self], local=lambda g: [g * y * (1 - y)])

    def backward(self):
        order: list[Value] = []
        seen: set[int] = set()

        def walk(v: Value) -> None:
            if id(v) not in seen:
                seen.add(id(v))
                for p in v.prev:
                    walk(p)
                order.insert(0, v)

        walk(self)
        self.grad = 1.0
        for v in order:
            for p, share in zip(v.prev, v.local(v.grad), strict=True):
                p.grad += share


def _value(x) -> Value:
    return x if isinstance(x, Value) else Value(x)
