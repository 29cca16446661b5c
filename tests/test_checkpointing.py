"""Checkpoints and second derivatives: the same gradients to the bit, counted forwards, counted nodes, other oracles.

What is counted is counted from outside the engine: calls of functions that the tests own, and objects that are alive.
"""

from __future__ import annotations

import gc
import importlib.util
import math
import random
from types import ModuleType

import mpmath
import pytest

from utils.curriculum import topic

FOLDER = topic("02").solutions


def load(name: str, *change: str) -> ModuleType:
    """A solution file as a module; with (old, new), that piece of its source is changed first."""
    source = (FOLDER / name).read_text(encoding="utf-8")
    if change:
        assert source.count(change[0]) == 1, f"{change[0]!r} should stand once in {name}"
        source = source.replace(*change)
    module = ModuleType(name.removesuffix(".py").replace("-", "_"))
    exec(compile(source, name, "exec"), module.__dict__)
    return module


EFFICIENT, COMPILED = "level03-memory-efficient.py", "extension-compiled.py"
ENGINE = load(EFFICIENT)
Value, checkpoint = ENGINE.Value, ENGINE.checkpoint
COMPILER = load(COMPILED)


class Layers:
    """A chain of layers tanh(w x + b) whose calls are counted; `most` is the largest number of Values seen alive."""

    def __init__(self, engine: ModuleType = ENGINE):
        self.engine = engine
        self.w, self.b = engine.Value(1.3), engine.Value(0.11)
        self.calls = 0

    def layer(self, x):
        self.calls += 1
        return (self.w * x + self.b).tanh()

    def part(self, length: int):
        def run(x):
            for _ in range(length):
                x = self.layer(x)
            return x
        return run

    def outcome(self, root, x) -> tuple[float, ...]:
        root.backward()
        return root.data, x.grad, self.w.grad, self.b.grad


def plain(length: int) -> tuple[float, ...]:
    layers, x = Layers(), Value(0.7)
    return layers.outcome(layers.part(length)(x), x)


def in_segments(length: int, segment: int, layers: Layers) -> tuple:
    """(root, x) of the chain with a checkpoint for each segment."""
    x = layers.engine.Value(0.7)
    root = x
    for _ in range(length // segment):
        root = layers.engine.checkpoint(layers.part(segment), root)
    return root, x


def alive() -> int:
    return sum(type(found) is Value for found in gc.get_objects())


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_gradients_are_equal_to_the_bit():
    layers = Layers()
    assert layers.outcome(*in_segments(120, 10, layers)) == plain(120)


@pytest.mark.parametrize("change", [
    ("out.backward(grad)", "out.backward()"),
    ("return [copy.grad for copy in copies]", "return [grad * copy.grad for copy in copies]"),
])
def test_a_wrong_checkpoint_is_seen(change):
    layers = Layers(load(EFFICIENT, *change))
    assert layers.outcome(*in_segments(120, 10, layers)) != plain(120)


def test_every_layer_runs_twice():
    layers = Layers()
    root, _ = in_segments(120, 10, layers)
    assert layers.calls == 120
    root.backward()
    assert layers.calls == 240


def test_only_segments_are_alive(no_collector):
    layers = Layers()
    before = alive()
    root, _ = in_segments(120, 10, layers)
    assert alive() - before == 13  # the input and 12 checkpoints, instead of 361 nodes
    most = 0
    run = layers.layer

    def watched(x):
        nonlocal most
        if layers.calls % 10 == 9:  # the last layer of a segment
            most = max(most, alive() - before)
        return run(x)

    layers.layer = watched
    root.backward()
    assert 13 + 3 * 9 < most < 13 + 3 * 10 + 2  # and one segment at a time
    del root
    assert alive() - before <= 1


def halves(layers: Layers, length: int):
    """Checkpoints inside checkpoints: half the chain is one, and half of that, down to single layers."""
    def run(x):
        if length == 1:
            return layers.layer(x)
        half = length // 2
        return checkpoint(halves(layers, length - half), checkpoint(halves(layers, half), x))
    return run


def test_checkpoints_inside_checkpoints():
    layers, x = Layers(), Value(0.7)
    outcome = layers.outcome(halves(layers, 64)(x), x)
    assert outcome == plain(64)
    assert layers.calls == 64 * 7  # once, and again on each of the 6 levels


def test_several_inputs_and_a_second_use():
    def f(a, b):
        return (a * b + a).tanh() * b

    found = []
    for run in (f, lambda a, b: checkpoint(f, a, b)):
        a, b = Value(0.4), Value(-1.2)
        inside = a * b
        (run(inside, b) * inside + 3 * run(b, b)).backward()
        found.append((a.grad, b.grad))
    assert found[1] == pytest.approx(found[0], rel=1e-14)


def test_a_checkpoint_needs_one_value():
    for wrong in (lambda x: 3.0, lambda x: [x], lambda x: None):
        with pytest.raises(TypeError, match="checkpoint takes a function that returns one Value; it returned"):
            checkpoint(wrong, Value(1.0))


def test_dot_is_the_sum_of_products():
    draw = random.Random(4)
    numbers = [draw.uniform(-1, 1) for _ in range(7)]
    found = []
    for weighted in (ENGINE.dot, lambda w, x, b: sum((wi * xi for wi, xi in zip(w, x, strict=True)), b)):
        *leaves, b = [Value(x) for x in numbers]
        w, x = leaves[:3], [leaves[3], 2, leaves[3]]  # an input that is used twice, and a number
        out = weighted(w, x, b)
        (out * out.tanh() + w[0] * x[0]).backward()
        found.append([out.data, *(leaf.grad for leaf in (*leaves, b))])
    assert found[0] == pytest.approx(found[1], rel=1e-14)
    assert ENGINE.dot(w, x, b)._prev.count(leaves[3]) == 2
    with pytest.raises(ValueError, match=r"zip\(\)"):
        ENGINE.dot(w, x[:2], b)


# Second derivatives, by differentiating the backward pass

FUNCTIONS = {
    "log, tanh, sigmoid": (lambda x: (x * x + 1).log() * x.tanh() / (2 - x.sigmoid()),
                           lambda x: mpmath.log(x * x + 1) * mpmath.tanh(x) / (2 - 1 / (1 + mpmath.exp(-x)))),
    "powers, exp": (lambda x: (x * 0.3).exp() ** 1.5 - 2 / x**3 + -x * 4,
                    lambda x: mpmath.exp(x * 0.3) ** 1.5 - 2 / x**3 - 4 * x),
    "diamonds": (lambda x: ((x + x) * (x * x) + x.tanh()) * ((x + x) * (x * x) + x.tanh()),
                 lambda x: ((x + x) * (x * x) + mpmath.tanh(x)) ** 2),
    "relu": (lambda x: (x * x - 0.2).relu() * x + (x - 5).relu(), lambda x: (x * x - mpmath.mpf(0.2)) * x),
}


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_of_higher_order(name, order):
    ours, theirs = FUNCTIONS[name]
    derivative = COMPILER.compile_derivative(ours, order)
    for x in (0.7, 1.9):
        with mpmath.workdps(40):
            expected = float(mpmath.diff(theirs, x, order))
        assert derivative(x) == pytest.approx(expected, rel=1e-11), f"order {order} at {x}"


def energy(x):
    """A function of three numbers whose second derivatives all differ."""
    a, b, c = x
    return (a * b).tanh() * c + (a * a + c * c + 1).log() * b + (a / (b * b + 2)).exp() * a + (b * c - a).relu() * b


def test_a_hessian_agrees_with_pytorch():
    torch = pytest.importorskip("torch")
    hessian = COMPILER.compile_hessian(energy, 3)
    for point in ((0.3, 1.2, -0.4), (-0.8, 0.9, 1.7)):
        x = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in point]
        first = torch.autograd.grad(energy(x), x, create_graph=True)
        expected = [[s.item() for s in torch.autograd.grad(d, x, retain_graph=True)] for d in first]
        for ours, theirs in zip(hessian(*point), expected, strict=True):
            assert ours == pytest.approx(theirs, rel=1e-11, abs=1e-13)


def test_a_wrong_rule_is_seen_in_the_second_derivative_only():
    """1 - y*y with y as a number has the right value, and no derivative of its own."""
    broken = load(COMPILED, '"tanh":    ("tanh({})",                        lambda g, y, a: g * (1.0 - y * y)),',
                  '"tanh":    ("tanh({})",                        lambda g, y, a: g * (1.0 - a.tanh() * 0.6 * y)),')
    f = FUNCTIONS["diamonds"][0]
    assert broken.compile_derivative(f, 2)(0.7) != pytest.approx(COMPILER.compile_derivative(f, 2)(0.7), rel=1e-6)


# The compiler


def test_compiled_gradients_are_the_engines():
    """The same function on Values, row by row, and compiled."""
    def f(p, row):
        hidden = [(p[i] * row[0] + p[i + 1] * row[1]).relu() for i in (0, 2)]
        return (hidden[0] * p[4] + hidden[1].tanh() * p[5] - row[2]) ** 2 + (p[0] / 4).sigmoid() * 0.1

    draw = random.Random(1)
    numbers = [draw.uniform(-1, 1) for _ in range(6)]
    rows = [[draw.uniform(-1, 1) for _ in range(3)] for _ in range(9)]
    leaves = [Value(x) for x in numbers]
    loss = sum((f(leaves, row) for row in rows), 0.0)
    loss.backward()
    total, gradient = COMPILER.compile_gradient(f, parameters=6, columns=3)(numbers, rows)
    assert total == pytest.approx(loss.data, rel=1e-13)
    assert gradient == pytest.approx([leaf.grad for leaf in leaves], rel=1e-12)


def test_a_relu_that_is_off_sends_nothing_and_the_rest_arrives():
    """Its products are skipped together; a sum that it is a part of is not."""
    def f(p, row):
        on = (p[0] + p[1] + row[0]).relu()
        return on * p[2] + p[0] * 3 + p[1] * 5 + (p[3] * row[1] + p[4]).relu()

    step = COMPILER.compile_gradient(f, parameters=5, columns=2)
    assert sum(line.strip().startswith("if t") for line in step.source.splitlines()) == 2
    numbers = [1.0, 1.0, 2.0, 1.0, 0.5]
    once = COMPILER.compile_gradient(lambda p, row: (p[0] * row[0]).relu(), parameters=1, columns=1)
    assert not any(line.strip().startswith("if") for line in once.source.splitlines())   # nothing to compute two times
    assert step(numbers, [(-5.0, -7.0)]) == (8.0, [3.0, 5.0, 0.0, 0.0, 0.0])
    assert step(numbers, [(1.0, 7.0)]) == (8.0 + 6.0 + 7.5, [5.0, 7.0, 3.0, 7.0, 1.0])
    assert step(numbers, [(-5.0, -7.0), (1.0, 7.0)])[1] == [8.0, 12.0, 3.0, 7.0, 1.0]


def test_in_a_large_program_what_is_read_most_comes_first():
    def f(p, row):
        return sum((p[i] * row[0]).tanh() ** 2 for i in range(130))

    step = COMPILER.compile_gradient(f, parameters=130, columns=1)
    assert step.__code__.co_varnames[2] == "x0"
    assert step.__code__.co_varnames.index("p0") > 130
    total, gradient = step([0.5] * 130, [(2.0,)])
    t = math.tanh(1.0)
    assert total == pytest.approx(130 * t * t, rel=1e-13)
    assert gradient == pytest.approx([2 * t * (1 - t * t) * 2.0] * 130, rel=1e-13)


def test_what_no_result_needs_is_dropped():
    def f(p, row):
        p[0].exp() * row[0]  # used by nothing
        return p[0] * row[0] * row[0] + 0 * p[1].tanh()

    step = COMPILER.compile_gradient(f, parameters=2, columns=1)
    assert "exp" not in step.source
    assert "tanh" not in step.source
    assert "x0" in step.source
    assert step([3.0, 1.0], [[2.0], [1.0]]) == (15.0, [5.0, 0.0])


def test_a_long_trace_compiles():
    """Neither the traversal nor Python's parser recurses into it."""
    def f(x):
        for _ in range(3000):
            x = x * 0.999 + 0.001
        return x

    assert COMPILER.compile_derivative(f)(0.5) == pytest.approx(0.999**3000, rel=1e-10)


def test_numbers_that_have_no_literal():
    assert COMPILER.compile_derivative(lambda x: x * math.inf)(1.0) == math.inf
    assert math.isnan(COMPILER.compile_derivative(lambda x: x * math.nan)(1.0))
    assert COMPILER.compile_derivative(lambda x: 5.0 + 0 * x)(1.0) == 0.0


def test_what_cannot_be_traced_is_refused():
    for wrong, message in ((lambda x: x if x else -x, "a trace has no numbers to decide by"),
                           (lambda x: x**x, "the exponent must be an int or a float, not Symbol"),
                           (lambda x: x + "1", "expected a number or a Symbol beside"),
                           (lambda x: x > 0 and x, "not supported between instances")):
        with pytest.raises(TypeError, match=message):
            COMPILER.compile_derivative(wrong)


def test_header_of_the_extension_is_true():
    import doctest

    spec = importlib.util.spec_from_file_location("extension", FOLDER / COMPILED)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    results = doctest.testmod(module)
    assert (results.failed, results.attempted) == (0, 4)
