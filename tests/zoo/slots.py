"""`__slots__`, NumPy-free, everything by hand: every operation has a closure of its own, the reflected ones too.

Judged: 1 2 3.1 3.2
"""

import math


def number(x):
    return x.data if isinstance(x, Value) else x


class Value:
    __slots__ = ("_back", "_prev", "data", "grad")

    def __init__(self, data, prev=()):
        self.data = data
        self.grad = 0
        self._prev = prev
        self._back = None

    def __add__(self, other):
        out = Value(self.data + number(other), (self, other))

        def back():
            self.grad += out.grad
            if isinstance(other, Value):
                other.grad += out.grad

        out._back = back
        return out

    __radd__ = __add__

    def __sub__(self, other):
        out = Value(self.data - number(other), (self, other))

        def back():
            self.grad += out.grad
            if isinstance(other, Value):
                other.grad -= out.grad

        out._back = back
        return out

    def __rsub__(self, other):
        out = Value(other - self.data, (self,))

        def back():
            self.grad -= out.grad

        out._back = back
        return out

    def __mul__(self, other):
        out = Value(self.data * number(other), (self, other))

        def back():
            self.grad += number(other) * out.grad
            if isinstance(other, Value):
                other.grad += self.data * out.grad

        out._back = back
        return out

    __rmul__ = __mul__

    def __truediv__(self, other):
        out = Value(self.data / number(other), (self, other))

        def back():
            self.grad += out.grad / number(other)
            if isinstance(other, Value):
                other.grad -= out.grad * self.data / (other.data * other.data)

        out._back = back
        return out

    def __rtruediv__(self, other):
        out = Value(other / self.data, (self,))

        def back():
            self.grad -= out.grad * other / self.data**2

        out._back = back
        return out

    def __pow__(self, other):
        """Both gradients, where the exponent is a Value too."""
        n = number(other)
        out = Value(self.data**n, (self, other))

        def back():
            self.grad += n * self.data ** (n - 1) * out.grad
            if isinstance(other, Value):
                other.grad += out.data * math.log(self.data) * out.grad

        out._back = back
        return out

    def __neg__(self):
        out = Value(-self.data, (self,))

        def back():
            self.grad -= out.grad

        out._back = back
        return out

    def relu(self):
        out = Value(self.data if self.data > 0 else 0, (self,))

        def back():
            if self.data > 0:
                self.grad += out.grad

        out._back = back
        return out

    def tanh(self):
        out = Value(math.tanh(self.data), (self,))

        def back():
            self.grad += out.grad / math.cosh(self.data) ** 2 if abs(self.data) < 300 else 0

        out._back = back
        return out

    def exp(self):
        out = Value(math.e**self.data, (self,))

        def back():
            self.grad += out.data * out.grad

        out._back = back
        return out

    def log(self):
        out = Value(math.log(self.data), (self,))

        def back():
            self.grad += out.grad / self.data

        out._back = back
        return out

    def sigmoid(self):
        e = math.exp(-abs(self.data))
        out = Value(1 / (1 + e) if self.data > 0 else e / (1 + e), (self,))

        def back():
            self.grad += out.grad * e / (1 + e) ** 2

        out._back = back
        return out

    def backward(self):
        topo, seen = [], set()

        def go(v):
            if isinstance(v, Value) and v not in seen:
                seen.add(v)
                for p in v._prev:
                    go(p)
                topo.append(v)

        go(self)
        self.grad = 1
        while topo:
            v = topo.pop()
            if v._back:
                v._back()
