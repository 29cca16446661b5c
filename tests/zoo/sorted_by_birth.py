"""Collect the graph in any order, sort it by the time of birth, walk it backwards.

Judged: 1 2 3.1 3.2 3.3
"""

import math

_births = 0


class Value:
    def __init__(self, data, op="", left=None, right=None):
        global _births
        _births += 1
        self.birth = _births
        self.data = data
        self.grad = 0.0
        self.op, self.left, self.right = op, left, right

    def binary(self, op, data, right):
        return Value(data, op, self, right)

    def __add__(self, other):
        other = to_value(other)
        return self.binary("+", self.data + other.data, other)

    def __mul__(self, other):
        other = to_value(other)
        return self.binary("*", self.data * other.data, other)

    def __pow__(self, other):
        other = to_value(other)
        return self.binary("**", self.data**other.data, other)

    def __sub__(self, other):
        return self + to_value(other) * -1

    def __truediv__(self, other):
        return self * to_value(other) ** -1

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return to_value(other) + self

    def __rmul__(self, other):
        return to_value(other) * self

    def __rsub__(self, other):
        return to_value(other) - self

    def __rtruediv__(self, other):
        return to_value(other) / self

    def relu(self):
        return Value(self.data if self.data > 0 else 0, "relu", self)

    def tanh(self):
        return Value(math.tanh(self.data), "tanh", self)

    def exp(self):
        return Value(math.exp(self.data), "exp", self)

    def log(self):
        return Value(math.log(self.data), "log", self)

    def sigmoid(self):
        if self.data < 0:
            return Value(1 - 1 / (1 + math.exp(self.data)), "sigmoid", self)
        return Value(1 / (1 + math.exp(-self.data)), "sigmoid", self)

    def step(self):
        a, b, g = self.left, self.right, self.grad
        if self.op == "+":
            a.grad += g
            b.grad += g
        elif self.op == "*":
            a.grad, b_share = a.grad + g * b.data, g * a.data
            b.grad += b_share
        elif self.op == "**":
            a.grad += g * b.data * a.data ** (b.data - 1)
            if a.data > 0:
                b.grad += g * self.data * math.log(a.data)
        elif self.op == "relu":
            a.grad += g * (self.data > 0)
        elif self.op == "tanh":
            a.grad += g * (1 - self.data * self.data)
        elif self.op == "exp":
            a.grad += g * self.data
        elif self.op == "log":
            a.grad += g / a.data
        elif self.op == "sigmoid":
            a.grad += g * self.data * (1 - self.data)

    def backward(self):
        found, todo = {self}, [self]
        while todo:
            v = todo.pop()
            for p in (v.left, v.right):
                if p is not None and p not in found:
                    found.add(p)
                    todo.append(p)
        self.grad = 1.0
        for v in sorted(found, key=lambda v: v.birth, reverse=True):
            v.step()


def to_value(x):
    return x if isinstance(x, Value) else Value(x)
