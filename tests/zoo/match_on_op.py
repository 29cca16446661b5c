"""A node knows its operation by name; backward looks it up with `match`.

Judged: 1 2 3.1 3.2
"""

import math


class Value:
    def __init__(self, data, op="leaf", args=()):
        self.data = data
        self.op = op
        self.args = args
        self.grad = 0

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, "add", (self, other))

    def __sub__(self, other):
        other = as_value(other)
        return Value(self.data - other.data, "sub", (self, other))

    def __mul__(self, other):
        other = as_value(other)
        return Value(self.data * other.data, "mul", (self, other))

    def __truediv__(self, other):
        other = as_value(other)
        return Value(self.data / other.data, "div", (self, other))

    def __radd__(self, other):
        return as_value(other) + self

    def __rsub__(self, other):
        return as_value(other) - self

    def __rmul__(self, other):
        return as_value(other) * self

    def __rtruediv__(self, other):
        return as_value(other) / self

    def __pow__(self, other):
        return Value(math.pow(self.data, other), "pow", (self, other))

    def __neg__(self):
        return Value(-self.data, "neg", (self,))

    def relu(self):
        return Value(max(self.data, 0), "relu", (self,))

    def tanh(self):
        return Value(math.tanh(self.data), "tanh", (self,))

    def exp(self):
        return Value(math.exp(self.data), "exp", (self,))

    def log(self):
        return Value(math.log(self.data), "log", (self,))

    def sigmoid(self):
        if self.data < 0:
            e = math.exp(self.data)
            return Value(e / (1 + e), "sigmoid", (self,))
        return Value(1 / (1 + math.exp(-self.data)), "sigmoid", (self,))

    def propagate(self):
        g = self.grad
        match self.op, self.args:
            case "add", (a, b):
                a.grad += g
                b.grad += g
            case "sub", (a, b):
                a.grad += g
                b.grad -= g
            case "mul", (a, b):
                a.grad += g * b.data
                b.grad += g * a.data
            case "div", (a, b):
                a.grad += g / b.data
                b.grad -= g * self.data / b.data
            case "pow", (a, n):
                a.grad += g * n * math.pow(a.data, n - 1)
            case "neg", (a,):
                a.grad -= g
            case "relu", (a,) if a.data > 0:
                a.grad += g
            case "tanh", (a,):
                a.grad += g * (1 - self.data**2)
            case "exp", (a,):
                a.grad += g * self.data
            case "log", (a,):
                a.grad += g / a.data
            case "sigmoid", (a,):
                a.grad += g * self.data * (1 - self.data)

    def backward(self):
        order = []
        visited = set()

        def visit(node):
            visited.add(node)
            for arg in node.args:
                if isinstance(arg, Value) and arg not in visited:
                    visit(arg)
            order.append(node)

        visit(self)
        self.grad = 1
        for node in order[::-1]:
            node.propagate()


def as_value(x):
    return x if isinstance(x, Value) else Value(x)
