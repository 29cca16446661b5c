"""PyTorch's shape: every result has a `grad_fn` object that saves what its backward needs. Parameters come bias first.

Judged: 1 2 3.1 3.2 4
"""

import math
import random


class Function:
    """Remembers its inputs; `backward` gives one gradient for each."""

    def __init__(self, *inputs):
        self.inputs = inputs


class AddBackward(Function):
    def backward(self, grad):
        return grad, grad


class MulBackward(Function):
    def backward(self, grad):
        a, b = self.inputs
        return grad * b.data, grad * a.data


class PowBackward(Function):
    def __init__(self, base, exponent):
        super().__init__(base)
        self.exponent = exponent

    def backward(self, grad):
        return (grad * self.exponent * self.inputs[0].data ** (self.exponent - 1),)


class ScaleBackward(Function):
    """For functions of one input: the slope is known when the result is."""

    def __init__(self, x, slope):
        super().__init__(x)
        self.slope = slope

    def backward(self, grad):
        return (grad * self.slope,)


class Value:
    def __init__(self, data, grad_fn=None):
        self.data = data
        self.grad = 0.0
        self.grad_fn = grad_fn

    @property
    def is_leaf(self):
        return self.grad_fn is None

    def __add__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        return Value(self.data + other.data, AddBackward(self, other))

    def __mul__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        return Value(self.data * other.data, MulBackward(self, other))

    def __pow__(self, exponent):
        if not isinstance(exponent, (int, float)):
            return NotImplemented
        return Value(self.data**exponent, PowBackward(self, exponent))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __neg__(self):
        return -1 * self

    def __sub__(self, other):
        return self + -1 * other

    def __rsub__(self, other):
        return other + -self

    def __truediv__(self, other):
        return self * (other**-1)

    def __rtruediv__(self, other):
        return other * (self**-1)

    def relu(self):
        positive = self.data > 0
        return Value(self.data * positive, ScaleBackward(self, 1.0 * positive))

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, ScaleBackward(self, 1 - t**2))

    def exp(self):
        e = math.exp(self.data)
        return Value(e, ScaleBackward(self, e))

    def log(self):
        return Value(math.log(self.data), ScaleBackward(self, 1 / self.data))

    def sigmoid(self):
        s = (1 + math.tanh(0.5 * self.data)) / 2
        return Value(s, ScaleBackward(self, s * (1 - s)))

    def backward(self):
        order, seen = [], set()

        def sort(value):
            if value in seen:
                return
            seen.add(value)
            if value.grad_fn is not None:
                for parent in value.grad_fn.inputs:
                    sort(parent)
            order.append(value)

        sort(self)
        self.grad = 1.0
        for value in reversed(order):
            if not value.is_leaf:
                for parent, grad in zip(value.grad_fn.inputs, value.grad_fn.backward(value.grad), strict=True):
                    parent.grad += grad


class Neuron:
    def __init__(self, nin, nonlin=True):
        self.bias = Value(random.random())
        self.weights = tuple(Value(random.random() - 0.5) for _ in range(nin))
        self.nonlin = nonlin

    def __call__(self, x):
        z = self.bias
        for w, xi in zip(self.weights, x, strict=True):
            z += w * xi
        return z.tanh() if self.nonlin else z

    def parameters(self):
        return (self.bias, *self.weights)


class Layer:
    def __init__(self, nin, nout, nonlin=True):
        self.neurons = [Neuron(nin, nonlin) for _ in range(nout)]

    def __call__(self, x):
        return tuple(neuron(x) for neuron in self.neurons)

    def parameters(self):
        return sum((neuron.parameters() for neuron in self.neurons), ())


class MLP:
    def __init__(self, nin, nouts):
        *hidden, last = nouts
        self.layers = []
        for nout in hidden:
            self.layers.append(Layer(nin, nout))
            nin = nout
        self.layers.append(Layer(nin, last, nonlin=False))

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x[0] if len(x) == 1 else x

    def parameters(self):
        return sum((layer.parameters() for layer in self.layers), ())


def train_step(model, xs, ys, learning_rate):
    for p in model.parameters():
        p.grad = 0.0
    loss = sum((model(x) - y) * (model(x) - y) for x, y in zip(xs, ys, strict=True)) / len(ys)
    loss.backward()
    for p in model.parameters():
        p.data += -learning_rate * p.grad
    return loss.data
