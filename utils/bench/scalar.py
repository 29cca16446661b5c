"""Workloads on single numbers. Each is made for a `Value` class; calling it runs forward, backward and the release.

A workload returns its result, numbers that all engines must agree on: nothing is timed that computes something else.
"""

from __future__ import annotations

import gc
import itertools
import operator
import random
import tracemalloc
from collections.abc import Callable

from utils.datasets import two_moons

NUMBERS = (0.5, 2.0)     # the constants of a random program
LEAVES = 10
LARGEST = 4.0            # values in a random program stay below, so that nothing overflows on the way
SIZES = (2, 16, 16, 1)   # the network on two moons: 337 parameters
POINTS = 100
RATE = 0.01

Workload = Callable[[], list[float]]


def relu(a):
    return a.relu() if hasattr(a, "relu") else max(a, 0.0)


def dag_lines(size: int, seed: int = 1) -> tuple[list[float], list[tuple[Callable, int, int | None]], list[int]]:
    """(leaves, lines, ends) of a random program with about `size` operations, drawn evenly from those of micrograd.

    A line (f, i, j) applies f to the i-th and, unless j is None, the j-th of: NUMBERS, the leaves, earlier lines.
    `ends` are the lines that no later one uses; their sum is the root, and its additions count towards the size.
    """
    draw = random.Random(seed)
    leaves = [0.1 * (i + 1) - 0.55 for i in range(LEAVES)]
    values, lines = [*NUMBERS, *leaves], []
    ends = set(range(len(NUMBERS), len(values)))
    first = len(NUMBERS)
    two, one = (operator.add, operator.sub, operator.mul, operator.truediv), (operator.neg, relu, _square)
    while len(lines) + len(ends) - 1 < size:
        i, j = draw.randrange(first, len(values)), draw.randrange(first, len(values))
        kind = draw.randrange(11)
        if kind < 4:
            f = two[kind]
        elif kind < 8:  # a number on either side
            f, number = two[kind - 4], draw.randrange(first)
            i, j = (i, number) if draw.random() < 0.5 else (number, i)
        else:
            f, j = one[kind - 8], None
        if f is operator.truediv and abs(values[j]) < 0.5:
            continue
        value = f(values[i]) if j is None else f(values[i], values[j])
        if abs(value) < LARGEST:
            ends -= {i, j}
            ends.add(len(values))
            values.append(value)
            lines.append((f, i, j))
    return leaves, lines, sorted(ends)


def _square(a):
    return a**2


def balanced_sum(nodes: list):
    """The sum, in pairs: a tree, so that an engine that recurses can follow."""
    while len(nodes) > 1:
        pairs = [a + b for a, b in zip(nodes[::2], nodes[1::2], strict=False)]
        nodes = pairs + nodes[len(nodes) - len(nodes) % 2 :]
    return nodes[0]


def dag(Value: type, size: int) -> Workload:
    """S1, S2: a random program in all the operations that micrograd has, on ten leaves."""
    numbers, lines, ends = dag_lines(size)

    def run() -> list[float]:
        leaves = [Value(x) for x in numbers]
        nodes = [*NUMBERS, *leaves]
        for f, i, j in lines:
            nodes.append(f(nodes[i]) if j is None else f(nodes[i], nodes[j]))
        root = balanced_sum([nodes[i] for i in ends])
        root.backward()
        return [root.data, *(leaf.grad for leaf in leaves)]
    return run


def chain(Value: type, size: int) -> Workload:
    """S3: one long chain, x * x * x ..., each product followed by a sum."""
    def run() -> list[float]:
        x = Value(0.5)
        node = x
        for _ in range(size // 2):
            node = node * x + x
        node.backward()
        return [node.data, x.grad]
    return run


def fan(Value: type, size: int) -> Workload:
    """S4: one leaf that `size` products use."""
    def run() -> list[float]:
        x = Value(0.5)
        root = balanced_sum([x * x for _ in range(size)])
        root.backward()
        return [root.data, x.grad]
    return run


class Network:
    """A multilayer perceptron on `Value`s, relu inside and linear at the end; `neuron` makes the weighted sum."""

    def __init__(self, Value: type, neuron: Callable):
        self.neuron = neuron
        weights = iter(starting_weights())
        self.layers = [[(tuple(Value(next(weights)) for _ in range(nin)), Value(next(weights))) for _ in range(nout)]
                       for nin, nout in itertools.pairwise(SIZES)]
        self.parameters = [p for layer in self.layers for w, b in layer for p in (*w, b)]

    def __call__(self, x):
        return forward(self.layers, x, self.neuron)


def starting_weights() -> list[float]:
    """The network's parameters, neuron by neuron: its weights, then its bias."""
    draw = random.Random(0)
    return [draw.uniform(-1, 1) / nin**0.5 for nin, nout in itertools.pairwise(SIZES) for _ in range(nout * (nin + 1))]


def forward(layers, x, neuron):
    for layer in layers[:-1]:
        x = [neuron(w, x, b).relu() for w, b in layer]
    (w, b), = layers[-1]
    return neuron(w, x, b)


def unfused(w, x, b):
    """As micrograd's own network has it."""
    return sum((wi * xi for wi, xi in zip(w, x, strict=True)), b)


def moons(Value: type, size: int = POINTS, neuron: Callable = unfused) -> Workload:
    """S5, S6: one step of gradient descent on two moons, always from the same weights."""
    xs, ys = two_moons(size)
    network = Network(Value, neuron)

    def run() -> list[float]:
        for p, start in zip(network.parameters, starting_weights(), strict=True):
            p.data, p.grad = start, 0.0
        loss = sum((network(x) - y) ** 2 for x, y in zip(xs, ys, strict=True)) * (1.0 / size)
        loss.backward()
        for p in network.parameters:
            p.data -= RATE * p.grad
        return [loss.data, *(p.data for p in network.parameters)]
    return run


def compiled_moons(compile_gradient: Callable, size: int = POINTS) -> Workload:
    """S7: the same step by the function that extension-compiled.py makes of one point's loss."""
    xs, ys = two_moons(size)
    rows = [(*x, y) for x, y in zip(xs, ys, strict=True)]

    def loss(parameters, row):
        flat = iter(parameters)
        layers = [[(tuple(next(flat) for _ in range(nin)), next(flat)) for _ in range(nout)]
                  for nin, nout in itertools.pairwise(SIZES)]
        *x, y = row
        return (forward(layers, x, unfused) - y) ** 2

    start = starting_weights()
    step = compile_gradient(loss, parameters=len(start), columns=3)

    def run() -> list[float]:
        total, gradient = step(start, rows)
        return [total / size, *(p - RATE / size * g for p, g in zip(start, gradient, strict=True))]
    return run


def layers(Value: type, size: int, segment: int | None = None, checkpoint: Callable | None = None) -> Workload:
    """S10: a chain of `size` layers tanh(w * x + b); with a segment length, each segment is a checkpoint."""
    def part(length: int) -> Callable:
        def run_part(x):
            for _ in range(length):
                x = (w * x + b).tanh()
            return x
        return run_part

    w, b = Value(1.1), Value(0.05)
    segments = [part(segment)] * (size // segment) + [part(size % segment)] if segment else [part(size)]

    def run() -> list[float]:
        w.grad = b.grad = 0.0
        x = start = Value(0.3)
        for run_part in segments:
            x = checkpoint(run_part, x) if segment else run_part(x)
        x.backward()
        return [x.data, start.grad, w.grad, b.grad]
    return run


def bytes_a_node(Value: type, size: int) -> tuple[float, float]:
    """S8: (live, peak) bytes for each operation of a random program, without the list that the program keeps itself.

    Live is after the forward pass, peak the most that the backward pass adds to it.
    """
    numbers, lines, ends = dag_lines(size)
    nodes = [*NUMBERS, *(Value(x) for x in numbers)] + [None] * len(lines)
    operations = len(lines) + len(ends) - 1
    gc.collect()
    tracemalloc.start()
    try:
        for place, (f, i, j) in enumerate(lines, len(NUMBERS) + LEAVES):
            nodes[place] = f(nodes[i]) if j is None else f(nodes[i], nodes[j])
        root = balanced_sum([nodes[i] for i in ends])
        live, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        root.backward()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return live / operations, peak / operations


def left_after_del(Value: type, size: int) -> int:
    """S9: how many nodes of a graph are alive after its last name is gone, with the garbage collector off."""
    gc.collect()
    gc.disable()
    try:
        before = sum(type(found) is Value for found in gc.get_objects())
        dag(Value, size)()
        return sum(type(found) is Value for found in gc.get_objects()) - before
    finally:
        gc.enable()
        gc.collect()


def peak_bytes(workload: Workload) -> int:
    """The most memory that one call needs beyond what was there."""
    workload()
    gc.collect()
    tracemalloc.start()
    try:
        workload()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
