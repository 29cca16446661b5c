"""int data stays int, gradients too where they can: `Value(2) * Value(3)` holds 6. `_prev` is a list.

Judged: 1 2 3.1 3.2 3.4 3.5
"""

import math


class Value:
    def __init__(self, data, prev=None, op=None):
        self.data = data
        self.grad = 0
        self._prev = [] if prev is None else prev
        self._op = op
        self._backward = lambda: None

    def __add__(self, other):
        if isinstance(other, (int, float)):
            other = Value(other)
        out = Value(self.data + other.data, [self, other], "+")

        def _backward():
            for x in (self, other):
                x.grad = x.grad + out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        if isinstance(other, (int, float)):
            other = Value(other)
        out = Value(self.data * other.data, [self, other], "*")

        def _backward():
            self.grad, other_share = self.grad + other.data * out.grad, self.data * out.grad
            other.grad = other.grad + other_share

        out._backward = _backward
        return out

    def __pow__(self, n):
        if isinstance(n, Value):
            return (n * self.log()).exp()
        out = Value(self.data**n, [self], f"**{n}")

        def _backward():
            self.grad += n * self.data ** (n - 1) * out.grad

        out._backward = _backward
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + other * -1

    def __rsub__(self, other):
        return self * -1 + other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def relu(self):
        out = Value(max(self.data, 0), [self], "relu")

        def _backward():
            self.grad += out.grad if self.data > 0 else 0

        out._backward = _backward
        return out

    def _through(self, y, slope, op):
        out = Value(y, [self], op)

        def _backward():
            self.grad += slope * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        return self._through(math.tanh(self.data), 1 - math.tanh(self.data) ** 2, "tanh")

    def exp(self):
        return self._through(math.exp(self.data), math.exp(self.data), "exp")

    def log(self):
        return self._through(math.log(self.data), 1 / self.data, "log")

    def sigmoid(self):
        big = math.exp(-abs(self.data))
        s = (1 if self.data >= 0 else big) / (1 + big)
        return self._through(s, s - s * s, "sigmoid")

    def backward(self):
        done, marks = [], {}

        def visit(v):
            if marks.get(id(v)):
                return
            marks[id(v)] = True
            for p in v._prev:
                visit(p)
            done.append(v)

        visit(self)
        self.grad = 1
        for v in done[::-1]:
            v._backward()


def checkpoint(f, x):
    out = Value(f(Value(x.data)).data, (x,), "checkpoint")
    def _backward():
        copy = Value(x.data)
        (out.grad * f(copy)).backward()
        x.grad += copy.grad
    out._backward = _backward
    return out


def derivative(f, x):
    inner = Value(x)
    f(inner).backward()
    return inner.grad if isinstance(inner.grad, Value) else Value(inner.grad)
