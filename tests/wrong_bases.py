"""Four right engines in other styles than the model answer, each line marked, so that tests can spoil one at a time.

EXPLICIT: a closure an operation, the right input's line first, parents in a set. STORED: local derivatives kept beside
the parents, an iterative walk. DISPATCH: one rule for all, by the operation's sign; Kahn's order. TAPE: functions that
return shares, newest node first; minus and division built from other operations.
"""

from __future__ import annotations

EXPLICIT = '''
import math

class Value:
    def __init__(self, data, _children=(), _op=""):
        self.data = data  # init.data
        self.grad = 0.0  # init.grad
        self._backward = lambda: None  # init.rule
        self._prev = set(_children)  # init.prev

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)  # add.coerce
        out = Value(self.data + other.data, (self, other), "+")  # add.out
        def _backward():
            other.grad += out.grad  # add.1
            self.grad += out.grad  # add.0
        out._backward = _backward  # add.attach
        return out  # add.return

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)  # mul.coerce
        out = Value(self.data * other.data, (self, other), "*")  # mul.out
        def _backward():
            other.grad += self.data * out.grad  # mul.1
            self.grad += other.data * out.grad  # mul.0
        out._backward = _backward  # mul.attach
        return out  # mul.return

    def __sub__(self, other):
        other = other if isinstance(other, Value) else Value(other)  # sub.coerce
        out = Value(self.data - other.data, (self, other), "-")  # sub.out
        def _backward():
            other.grad -= out.grad  # sub.1
            self.grad += out.grad  # sub.0
        out._backward = _backward  # sub.attach
        return out  # sub.return

    def __truediv__(self, other):
        other = other if isinstance(other, Value) else Value(other)  # truediv.coerce
        out = Value(self.data / other.data, (self, other), "/")  # truediv.out
        def _backward():
            other.grad += -self.data / other.data**2 * out.grad  # truediv.1
            self.grad += 1 / other.data * out.grad  # truediv.0
        out._backward = _backward  # truediv.attach
        return out  # truediv.return

    def __radd__(self, other):
        return self + other  # radd.return

    def __rmul__(self, other):
        return self * other  # rmul.return

    def __rsub__(self, other):
        return Value(other) - self  # rsub.return

    def __rtruediv__(self, other):
        return Value(other) / self  # rtruediv.return

    def __neg__(self):
        out = Value(-self.data, (self,), "neg")  # neg.out
        def _backward():
            self.grad += -out.grad  # neg.0
        out._backward = _backward  # neg.attach
        return out  # neg.return

    def __pow__(self, n):
        assert isinstance(n, (int, float))  # pow.guard
        out = Value(self.data**n, (self,), f"**{n}")  # pow.out
        def _backward():
            self.grad += n * self.data ** (n - 1) * out.grad  # pow.0
        out._backward = _backward  # pow.attach
        return out  # pow.return

    def relu(self):
        out = Value(max(0.0, self.data), (self,), "relu")  # relu.out
        def _backward():
            self.grad += (out.data > 0) * out.grad  # relu.0
        out._backward = _backward  # relu.attach
        return out  # relu.return

    def tanh(self):
        t = math.tanh(self.data)  # tanh.value
        out = Value(t, (self,), "tanh")  # tanh.out
        def _backward():
            self.grad += (1 - t**2) * out.grad  # tanh.0
        out._backward = _backward  # tanh.attach
        return out  # tanh.return

    def exp(self):
        out = Value(math.exp(self.data), (self,), "exp")  # exp.out
        def _backward():
            self.grad += out.data * out.grad  # exp.0
        out._backward = _backward  # exp.attach
        return out  # exp.return

    def log(self):
        out = Value(math.log(self.data), (self,), "log")  # log.out
        def _backward():
            self.grad += out.grad / self.data  # log.0
        out._backward = _backward  # log.attach
        return out  # log.return

    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.data)) if self.data > -30 else math.exp(max(self.data, -700))  # sigmoid.value
        out = Value(s, (self,), "sigmoid")  # sigmoid.out
        def _backward():
            self.grad += s * (1 - s) * out.grad  # sigmoid.0
        out._backward = _backward  # sigmoid.attach
        return out  # sigmoid.return

    def backward(self):
        topo = []  # back.order
        visited = set()  # back.seen
        def build_topo(v):
            if v not in visited:  # back.test
                visited.add(v)  # back.add
                for child in v._prev:  # back.loop
                    build_topo(child)  # back.deeper
                topo.append(v)  # back.append
        build_topo(self)  # back.start
        self.grad = 1.0  # back.seed
        for node in reversed(topo):  # back.walk
            node._backward()  # back.rule
'''

STORED = '''
from math import tanh, exp, log

class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data = data
        self.grad = 0.0
        self._prev = list(parents)  # init.prev
        self._slopes = list(slopes)  # init.slopes

    @staticmethod
    def wrap(x):
        return x if isinstance(x, Value) else Value(x)

    def __add__(self, other):
        other = Value.wrap(other)  # add.coerce
        return Value(self.data + other.data, (self, other), (1.0, 1.0))  # add
    __radd__ = __add__  # radd

    def __mul__(self, other):
        other = Value.wrap(other)  # mul.coerce
        return Value(self.data * other.data, (self, other), (other.data, self.data))  # mul
    __rmul__ = __mul__  # rmul

    def __sub__(self, other):
        other = Value.wrap(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))  # sub

    def __rsub__(self, other):
        return Value(other - self.data, (self,), (-1.0,))  # rsub

    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))  # neg

    def __truediv__(self, other):
        other = Value.wrap(other)
        return Value(self.data / other.data, (self, other), (1 / other.data, -self.data / other.data**2))  # truediv

    def __rtruediv__(self, other):
        return Value(other / self.data, (self,), (-other / self.data**2,))  # rtruediv

    def __pow__(self, n):
        if isinstance(n, Value):  # pow.guard
            y = self.data**n.data
            return Value(y, (self, n), (n.data * self.data ** (n.data - 1), y * log(self.data)))  # powv
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))  # pow

    def relu(self):
        return Value(self.data if self.data > 0 else 0.0, (self,), (1.0 if self.data > 0 else 0.0,))  # relu

    def tanh(self):
        y = tanh(self.data)  # tanh.value
        return Value(y, (self,), (1 - y * y,))  # tanh

    def exp(self):
        y = exp(self.data)
        return Value(y, (self,), (y,))  # exp

    def log(self):
        return Value(log(self.data), (self,), (1 / self.data,))  # log

    def sigmoid(self):
        y = 0.5 * (1 + tanh(0.5 * self.data))  # sigmoid.value
        return Value(y, (self,), (y * (1 - y),))  # sigmoid

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]  # back.start
        while stack:  # back.while
            node, done = stack.pop()  # back.pop
            if done:  # back.done
                order.append(node)  # back.append
            elif id(node) not in seen:  # back.test
                seen.add(id(node))  # back.add
                stack.append((node, True))  # back.again
                stack.extend((p, False) for p in node._prev)  # back.push
        self.grad = 1.0  # back.seed
        for node in order[::-1]:  # back.walk
            for parent, slope in zip(node._prev, node._slopes):  # back.loop
                parent.grad += slope * node.grad  # back.share
'''

DISPATCH = '''
import math

def number(x):
    return isinstance(x, (int, float))

class Value:
    def __init__(self, data, op="", *inputs):
        self.data, self.grad, self.op, self.inputs = data, 0.0, op, inputs

    def __add__(self, other):
        if number(other): other = Value(other)  # add.coerce
        return Value(self.data + other.data, "+", self, other)  # add.out

    def __mul__(self, other):
        if number(other): other = Value(other)  # mul.coerce
        return Value(self.data * other.data, "*", self, other)  # mul.out

    def __radd__(self, other): return self.__add__(other)  # radd
    def __rmul__(self, other): return self.__mul__(other)  # rmul
    def __neg__(self): return Value(-self.data, "neg", self)  # neg.out
    def __sub__(self, other): return self + other * -1  # sub
    def __rsub__(self, other): return other + -self  # rsub
    def __truediv__(self, other):
        if number(other): other = Value(other)
        return Value(self.data / other.data, "/", self, other)  # truediv.out
    def __rtruediv__(self, other): return other * self**-1  # rtruediv
    def __pow__(self, n):
        if not number(n): raise TypeError("constant exponents only")  # pow.guard
        return Value(self.data**n, "**", self, n)  # pow.out
    def relu(self): return Value(max(self.data, 0), "relu", self)  # relu.out
    def tanh(self): return Value(math.tanh(self.data), "tanh", self)  # tanh.out
    def exp(self): return Value(math.exp(self.data), "exp", self)  # exp.out
    def log(self): return Value(math.log(self.data), "log", self)  # log.out
    def sigmoid(self):
        small = self.data < -40
        s = math.exp(self.data) if small else math.exp(-math.log1p(math.exp(-self.data)))
        return Value(s, "sigmoid", self)  # sigmoid.out

    def push(self):
        g, a = self.grad, self.inputs[0] if self.inputs else None
        if self.op == "+":
            b = self.inputs[1]
            a.grad += g  # add.0
            b.grad += g  # add.1
        elif self.op == "*":
            b = self.inputs[1]
            a.grad += b.data * g  # mul.0
            b.grad += a.data * g  # mul.1
        elif self.op == "/":
            b = self.inputs[1]
            a.grad += g / b.data  # truediv.0
            b.grad -= g * self.data / b.data  # truediv.1
        elif self.op == "**":
            n = self.inputs[1]
            a.grad += n * a.data ** (n - 1) * g  # pow.0
        elif self.op == "neg":
            a.grad -= g  # neg.0
        elif self.op == "relu":
            a.grad += g if self.data > 0 else 0.0  # relu.0
        elif self.op == "tanh":
            a.grad += g * (1 - self.data**2)  # tanh.0
        elif self.op == "exp":
            a.grad += g * self.data  # exp.0
        elif self.op == "log":
            a.grad += g / a.data  # log.0
        elif self.op == "sigmoid":
            a.grad += g * self.data * (1 - self.data)  # sigmoid.0

    def parents(self):
        return [x for x in self.inputs if isinstance(x, Value)]

    def backward(self):
        uses, found, stack = {}, {self}, [self]
        while stack:
            for p in stack.pop().parents():
                uses[p] = uses.get(p, 0) + 1  # back.count
                if p not in found:
                    found.add(p)
                    stack.append(p)
        self.grad = 1.0  # back.seed
        ready = [self]
        while ready:
            node = ready.pop()  # back.pop
            node.push()  # back.rule
            for p in node.parents():
                uses[p] -= 1
                if uses[p] == 0:  # back.ready
                    ready.append(p)
'''

TAPE = '''
import math
import itertools

count = itertools.count()

class Value:
    def __init__(self, data, parents=(), vjp=None):
        self.data = data
        self.grad = 0
        self.parents = parents
        self.vjp = vjp
        self.number = next(count)

    def lift(self, x):
        return x if isinstance(x, Value) else Value(x)

    def __add__(self, other):
        other = self.lift(other)  # add.coerce
        return Value(self.data + other.data, (self, other), lambda g: (g, g))  # add

    def __mul__(self, other):
        other = self.lift(other)  # mul.coerce
        return Value(self.data * other.data, (self, other), lambda g: (g * other.data, g * self.data))  # mul

    def __neg__(self):
        return self * -1  # neg

    def __sub__(self, other):
        return self + (-other)  # sub

    def __rsub__(self, other):
        return -(self - other)  # rsub

    def __radd__(self, other):
        return self + other  # radd

    def __rmul__(self, other):
        return self * other  # rmul

    def __pow__(self, n):
        return Value(self.data**n, (self,), lambda g: (g * n * self.data ** (n - 1),))  # pow

    def __truediv__(self, other):
        return self * other**-1  # truediv

    def __rtruediv__(self, other):
        return other * self**-1  # rtruediv

    def relu(self):
        return Value(self.data * (self.data > 0), (self,), lambda g: (g * (self.data > 0),))  # relu

    def tanh(self):
        t = math.tanh(self.data)  # tanh.value
        return Value(t, (self,), lambda g: (g * (1 - t * t),))  # tanh

    def exp(self):
        e = math.exp(self.data)
        return Value(e, (self,), lambda g: (g * e,))  # exp

    def log(self):
        return Value(math.log(self.data), (self,), lambda g: (g / self.data,))  # log

    def sigmoid(self):
        x = self.data
        s = 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))  # sigmoid.value
        return Value(s, (self,), lambda g: (g * s * (1 - s),))  # sigmoid

    def backward(self):
        nodes, todo = {}, [self]
        while todo:
            n = todo.pop()
            if n.number not in nodes:
                nodes[n.number] = n
                todo += n.parents
        self.grad = 1.0  # back.seed
        for k in sorted(nodes, reverse=True):  # back.walk
            n = nodes[k]
            if n.vjp:  # back.if
                for p, g in zip(n.parents, n.vjp(n.grad)):  # back.loop
                    p.grad += g  # back.share
'''

BASES = {"explicit": EXPLICIT, "stored": STORED, "dispatch": DISPATCH, "tape": TAPE}
