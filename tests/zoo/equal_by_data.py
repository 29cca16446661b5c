"""Values compare by data and hash by identity, with all the comparisons; nodes are told apart by id.

Judged: 1 2 3.1 3.2 3.4 3.5
"""

import functools
import math


@functools.total_ordering
class Value:
    def __init__(self, data, _children=(), _op=""):
        self.data = data
        self.grad = 0.0
        self._prev = _children
        self._op = _op
        self._backward = None

    def __eq__(self, other):
        return self.data == (other.data if isinstance(other, Value) else other)

    def __lt__(self, other):
        return self.data < (other.data if isinstance(other, Value) else other)

    def __hash__(self):
        return id(self)

    def __bool__(self):
        return bool(self.data)

    def __float__(self):
        return float(self.data)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += out.grad * other.data
            other.grad += out.grad * self.data

        out._backward = _backward
        return out

    def __pow__(self, other):
        if isinstance(other, Value):
            raise TypeError("Value ** Value")
        out = Value(self.data**other, (self,), f"**{other}")

        def _backward():
            self.grad += out.grad * other * self.data ** (other - 1)

        out._backward = _backward
        return out

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return self**-1 * other

    def _apply(self, y, slope, name):
        out = Value(y, (self,), name)

        def _backward():
            self.grad += slope * out.grad

        out._backward = _backward
        return out

    def relu(self):
        return self._apply(self.data if self > 0 else 0, 1 if self > 0 else 0, "relu")

    def tanh(self):
        return self._apply(math.tanh(self), 1 - math.tanh(self) ** 2, "tanh")

    def exp(self):
        return self._apply(math.exp(self), math.exp(self), "exp")

    def log(self):
        return self._apply(math.log(self), 1 / self.data, "log")

    def sigmoid(self):
        e = math.exp(-abs(self.data))
        s = 1 / (1 + e) if self > 0 else e / (1 + e)
        return self._apply(s, s * (1 - s), "sigmoid")

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if id(v) not in seen:
                seen.add(id(v))
                for p in v._prev:
                    visit(p)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            if v._backward is not None:
                v._backward()


def checkpoint(f, x):
    out = Value(f(Value(x.data)).data, (x,), "checkpoint")
    out._backward = lambda: again(f, x, out.grad)
    return out


def again(f, x, upstream):
    leaf = Value(x.data)
    root = f(leaf) * upstream
    root.backward()
    x.grad = x.grad + leaf.grad


def derivative(f, x):
    inner = Value(x)
    f(inner).backward()
    return inner.grad if isinstance(inner.grad, Value) else Value(inner.grad)
