"""No closures: the rule of a node is a functools.partial of a method. The graph is walked along `_prev`, a list.

Judged: 1 2 3.1 3.2 3.4 3.5
"""

import math
from functools import partial


class Value:
    def __init__(self, data, _children=None, _op=""):
        self.data = data
        self.grad = 0.0
        self._prev = list(_children or [])
        self._op = _op
        self._backward = None

    def _from_add(self, a, b):
        a.grad += self.grad
        b.grad += self.grad

    def _from_mul(self, a, b):
        a.grad += self.grad * b.data
        b.grad += self.grad * a.data

    def _from_slope(self, a, slope):
        a.grad += self.grad * slope()

    def __add__(self, other):
        other = self._other(other)
        out = Value(self.data + other.data, [self, other], "+")
        out._backward = partial(out._from_add, self, other)
        return out

    def __mul__(self, other):
        other = self._other(other)
        out = Value(self.data * other.data, [self, other], "*")
        out._backward = partial(out._from_mul, self, other)
        return out

    def _single(self, op, data, slope):
        out = Value(data, [self], op)
        out._backward = partial(out._from_slope, self, slope)
        return out

    def __pow__(self, n):
        return self._single("**", math.pow(self.data, n), lambda: n * math.pow(self.data, n - 1))

    def __neg__(self):
        return self._single("neg", -self.data, lambda: -1.0)

    def relu(self):
        return self._single("relu", (self.data > 0) * self.data, lambda: self.data > 0)

    def tanh(self):
        return self._single("tanh", math.tanh(self.data), lambda: 1 - math.tanh(self.data) ** 2)

    def exp(self):
        return self._single("exp", math.exp(self.data), partial(math.exp, self.data))

    def log(self):
        return self._single("log", math.log(self.data), lambda: 1 / self.data)

    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.data)) if self.data > -700 else 0.0
        return self._single("sigmoid", s, lambda: s * (1 - s))

    def __sub__(self, other):
        return self + self._other(other).__neg__()

    def __truediv__(self, other):
        return self * self._other(other).__pow__(-1)

    def __radd__(self, other):
        return self._other(other) + self

    def __rsub__(self, other):
        return self._other(other) - self

    def __rmul__(self, other):
        return self._other(other) * self

    def __rtruediv__(self, other):
        return self._other(other) / self

    @staticmethod
    def _other(x):
        return x if isinstance(x, Value) else Value(x)

    def _visit(self, seen, order):
        if self in seen:
            return
        seen.add(self)
        for child in self._prev:
            child._visit(seen, order)
        order.append(self)

    def backward(self):
        order = []
        self._visit(set(), order)
        self.grad = 1.0
        for node in reversed(order):
            if node._backward:
                node._backward()


def checkpoint(f, x):
    out = Value(f(Value(x.data)).data, (x,), "checkpoint")
    out._backward = Again(f, x, out).run
    return out


class Again:
    def __init__(self, f, x, out):
        self.f, self.x, self.out = f, x, out

    def run(self):
        leaf = Value(self.x.data)
        (self.f(leaf) * self.out.grad).backward()
        self.x.grad += leaf.grad


def derivative(f, x):
    inner = Value(x)
    f(inner).backward()
    return inner.grad if isinstance(inner.grad, Value) else Value(inner.grad)
