"""A Value is an index: numbers, gradients and edges stand in lists, in the order in which they were made.

Judged: 1 2 3.1 3.2
"""

import math

numbers, grads, edges = [], [], []


class Value:
    def __init__(self, data, inputs=()):
        self.i = len(numbers)
        numbers.append(data)
        grads.append(0.0)
        edges.append(inputs)

    @property
    def data(self):
        return numbers[self.i]

    @data.setter
    def data(self, x):
        numbers[self.i] = x

    @property
    def grad(self):
        return grads[self.i]

    @grad.setter
    def grad(self, x):
        grads[self.i] = x

    def __add__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        return Value(self.data + o.data, ((self.i, 1), (o.i, 1)))

    def __mul__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        return Value(self.data * o.data, ((self.i, o.data), (o.i, self.data)))

    def __pow__(self, n):
        return Value(math.pow(self.data, n), ((self.i, n * math.pow(self.data, n - 1)),))

    def __neg__(self):
        return Value(-self.data, ((self.i, -1),))

    def __sub__(self, o):
        return self + -o

    def __rsub__(self, o):
        return -self + o

    def __truediv__(self, o):
        return self * o**-1

    def __rtruediv__(self, o):
        return self**-1 * o

    __radd__ = __add__
    __rmul__ = __mul__

    def relu(self):
        return Value(max(self.data, 0), ((self.i, int(self.data > 0)),))

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, ((self.i, 1 - y * y),))

    def exp(self):
        y = math.exp(self.data)
        return Value(y, ((self.i, y),))

    def log(self):
        return Value(math.log(self.data), ((self.i, 1 / self.data),))

    def sigmoid(self):
        y = (math.tanh(self.data / 2) + 1) / 2
        return Value(y, ((self.i, y * (1 - y)),))

    def backward(self):
        grads[self.i] = 1.0
        reached = {self.i}
        for i in range(self.i, -1, -1):  # inputs always stand before what is made of them
            if i in reached:
                for j, slope in edges[i]:
                    reached.add(j)
                    grads[j] += slope * grads[i]
