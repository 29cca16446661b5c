"""One subclass of Value for each operation, with its own forward and backward.

Judged: 1 2 3.1 3.2
"""

import math


class Value:
    inputs = ()

    def __init__(self, data):
        self.data = data
        self.grad = 0.0

    def spread(self):
        """A leaf has nothing to spread."""

    def __add__(self, other):
        return Add(self, other)

    def __radd__(self, other):
        return Add(other, self)

    def __sub__(self, other):
        return Sub(self, other)

    def __rsub__(self, other):
        return Sub(other, self)

    def __mul__(self, other):
        return Mul(self, other)

    def __rmul__(self, other):
        return Mul(other, self)

    def __truediv__(self, other):
        return Div(self, other)

    def __rtruediv__(self, other):
        return Div(other, self)

    def __pow__(self, n):
        return Pow(self, n)

    def __neg__(self):
        return Sub(0, self)

    def relu(self):
        return Relu(self)

    def tanh(self):
        return Tanh(self)

    def exp(self):
        return Exp(self)

    def log(self):
        return Log(self)

    def sigmoid(self):
        return Sigmoid(self)

    def backward(self):
        seen = set()

        def after(node):
            if node not in seen:
                seen.add(node)
                for x in node.inputs:
                    yield from after(x)
                yield node

        self.grad = 1.0
        for node in reversed(list(after(self))):
            node.spread()


class Operation(Value):
    def __init__(self, *inputs):
        self.inputs = [x if isinstance(x, Value) else Value(x) for x in inputs]
        super().__init__(self.forward(*(x.data for x in self.inputs)))

    def spread(self):
        for x, d in zip(self.inputs, self.derivatives(*(x.data for x in self.inputs)), strict=True):
            x.grad += d * self.grad


class Add(Operation):
    def forward(self, a, b):
        return a + b

    def derivatives(self, a, b):
        return 1, 1


class Sub(Operation):
    def forward(self, a, b):
        return a - b

    def derivatives(self, a, b):
        return 1, -1


class Mul(Operation):
    def forward(self, a, b):
        return a * b

    def derivatives(self, a, b):
        return b, a


class Div(Operation):
    def forward(self, a, b):
        return a / b

    def derivatives(self, a, b):
        return 1 / b, -a / b**2


class Pow(Operation):
    def forward(self, a, n):
        return a**n

    def derivatives(self, a, n):
        return n * a ** (n - 1), self.data * math.log(a) if a > 0 else 0.0


class Relu(Operation):
    def forward(self, a):
        return a if a > 0 else 0.0

    def derivatives(self, a):
        return (1.0 if a > 0 else 0.0,)


class Tanh(Operation):
    def forward(self, a):
        return math.tanh(a)

    def derivatives(self, a):
        return (1 - self.data**2,)


class Exp(Operation):
    def forward(self, a):
        return math.exp(a)

    def derivatives(self, a):
        return (self.data,)


class Log(Operation):
    def forward(self, a):
        return math.log(a)

    def derivatives(self, a):
        return (1 / a,)


class Sigmoid(Operation):
    def forward(self, a):
        return 1 / (1 + math.exp(-a)) if a > 0 else math.exp(a) / (1 + math.exp(a))

    def derivatives(self, a):
        return (self.data * (1 - self.data),)
