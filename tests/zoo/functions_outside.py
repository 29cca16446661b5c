"""Operations are plain functions outside the class, attached to it afterwards; the file talks while it is loaded.

Judged: 1 2 3.1 3.2
"""

import math


class Value:
    """data, grad, and a list of (parent, function from my gradient to the parent's share)"""

    def __init__(self, data):
        self.data = data
        self.grad = 0.0
        self.sends = []

    def __repr__(self):
        return f"<{self.data:.4f} | {self.grad:.4f}>"


def node(data, *sends):
    out = Value(data)
    out.sends = list(sends)
    return out


def lift(x):
    return x if isinstance(x, Value) else node(x)


def add(a, b):
    a, b = lift(a), lift(b)
    return node(a.data + b.data, (a, lambda g: g), (b, lambda g: g))


def mul(a, b):
    a, b = lift(a), lift(b)
    return node(a.data * b.data, (a, lambda g: g * b.data), (b, lambda g: g * a.data))


def power(a, n):
    if isinstance(n, Value):
        raise TypeError("n must be a plain number")
    return node(a.data**n, (a, lambda g: g * n * a.data ** (n - 1)))


def neg(a):
    return node(-a.data, (a, lambda g: -g))


def sub(a, b):
    return add(a, neg(lift(b)))


def div(a, b):
    return mul(a, power(lift(b), -1))


def relu(a):
    return node(max(0, a.data), (a, lambda g: g * (a.data > 0)))


def tanh(a):
    t = math.tanh(a.data)
    return node(t, (a, lambda g: g * (1 - t * t)))


def exp(a):
    y = math.exp(a.data)
    return node(y, (a, lambda g: g * y))


def log(a):
    return node(math.log(a.data), (a, lambda g: g / a.data))


def sigmoid(a):
    x = a.data
    s = 1 / (1 + math.exp(-x)) if x > -700 else 0.0
    return node(s, (a, lambda g: g * s * (1 - s)))


def backward(root):
    order, seen = [], set()

    def visit(v):
        seen.add(v)
        for p, _ in v.sends:
            if p not in seen:
                visit(p)
        order.append(v)

    visit(root)
    root.grad = 1.0
    for v in reversed(order):
        for p, send in v.sends:
            p.grad += send(v.grad)


Value.__add__, Value.__radd__ = add, lambda self, x: add(x, self)
Value.__mul__, Value.__rmul__ = mul, lambda self, x: mul(x, self)
Value.__sub__, Value.__rsub__ = sub, lambda self, x: sub(x, self)
Value.__truediv__, Value.__rtruediv__ = div, lambda self, x: div(x, self)
Value.__pow__, Value.__neg__ = power, neg
Value.relu, Value.tanh, Value.exp, Value.log, Value.sigmoid = relu, tanh, exp, log, sigmoid
Value.backward = backward

x, y = Value(2.0), Value(3.0)
z = x * y + x
z.backward()
print("trying it out:", z, x, y)
assert x.grad == 4.0

if __name__ == "__main__":
    print(1 / x - y)
