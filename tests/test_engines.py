"""The solution levels of topic 02: they agree with PyTorch and with each other, and their headers tell the truth."""

from __future__ import annotations

import doctest
import gc
import math
import random
import sys
from types import ModuleType

import pytest

from utils.curriculum import topic
from utils.datasets import two_moons

FOLDER = topic("02").solutions
NAIVE, VECTORIZED, EFFICIENT, REFERENCE = (
    f"level0{i}-{name}.py" for i, name in enumerate(["naive", "vectorized", "memory-efficient", "pytorch-reference"], 1)
)
JUDGED = (NAIVE, VECTORIZED, EFFICIENT)


def load(name: str, *change: str) -> ModuleType:
    """A level as a module; with (old, new), that piece of its source is changed first."""
    source = (FOLDER / name).read_text(encoding="utf-8")
    if change:
        assert source.count(change[0]) == 1, f"{change[0]!r} should stand once in {name}"
        source = source.replace(*change)
    module = ModuleType(name.removesuffix(".py").replace("-", "_"))
    module.__file__ = str(FOLDER / name)
    exec(compile(source, name, "exec"), module.__dict__)
    return module


@pytest.fixture(params=JUDGED)
def engine(request) -> ModuleType:
    return load(request.param)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def used_again(f, x):
    """f with an upstream gradient that is not 1, of an x that is used before and after."""
    return x * 0.5 + f(x) * x + x.tanh()


# Random programs: each line makes a node of earlier nodes; every op keeps its operands where it is defined.
OPS = (
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (b * b + 1.0),
    lambda a, b: 2.0 - a,
    lambda a, b: 3 * a + 1,
    lambda a, b: 1 / (a * a + 2),
    lambda a, b: -a,
    lambda a, b: used_again(lambda x: x**-1.5, a * a + 0.5),
    lambda a, b: a.tanh() ** 3,
    lambda a, b: a.relu(),
    lambda a, b: a.tanh(),
    lambda a, b: used_again(lambda x: x.exp(), a.tanh()),
    lambda a, b: used_again(lambda x: x.log(), a * a + 1.0),
    lambda a, b: a.sigmoid(),
)


def program(seed: int) -> tuple[list[float], list[tuple[int, int, int]]]:
    """Three leaves, and 25 lines (op, operand, operand) in which nodes are used again."""
    draw = random.Random(seed)
    lines = [(draw.randrange(len(OPS)), draw.randrange(i), draw.randrange(i)) for i in range(3, 28)]
    return [draw.uniform(-1.5, 1.5) for _ in range(3)], lines


def outcome(leaf, seed: int) -> list[float]:
    """The value of program `seed` on an engine whose leaves `leaf` makes, then its gradients."""
    numbers, lines = program(seed)
    nodes = [leaf(x) for x in numbers]
    for op, a, b in lines:
        nodes.append(OPS[op](nodes[a], nodes[b]))
    root = sum(nodes[3:], nodes[0] * 0.5).tanh() * 3
    root.backward()
    return [float(root.data), *(0.0 if x.grad is None else float(x.grad) for x in nodes[:3])]


def disagreements(leaf, other, seeds=range(60)) -> list[int]:
    """The seeds of the programs on which two engines differ by more than rounding."""
    return [seed for seed in seeds if outcome(leaf, seed) != pytest.approx(outcome(other, seed), rel=1e-9, abs=1e-11)]


def torch_leaf(torch):
    return lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True)


def test_random_programs_agree_with_pytorch(engine, torch):
    assert disagreements(engine.Value, torch_leaf(torch)) == []


@pytest.mark.parametrize("name", [VECTORIZED, EFFICIENT])
def test_levels_agree_with_each_other(name):
    assert disagreements(load(NAIVE).Value, load(name).Value) == []


RULES = [
    "self.grad += 1.0 * out.grad",
    "other.grad += 1.0 * out.grad",
    "self.grad += other.data * out.grad",
    "other.grad += self.data * out.grad",
    "self.grad += slope * out.grad",
    "self.grad += (1.0 if self.data > 0 else 0.0) * out.grad",
    "self.grad += (1 - t * t) * out.grad",
    "self.grad += out.data * out.grad",
    "self.grad += out.grad / self.data",
    "self.grad += s * (1 - s) * out.grad",
]


def test_every_rule_of_the_naive_engine_has_a_mutant():
    source = (FOLDER / NAIVE).read_text(encoding="utf-8").partition("\ndef checkpoint")[0]
    assert sorted(RULES) == sorted(line.strip() for line in source.splitlines() if ".grad += " in line)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_assigns_is_seen(rule):
    broken = load(NAIVE, rule, rule.replace("+=", "="))
    assert disagreements(broken.Value, load(EFFICIENT).Value)


# What the headers say


def test_header_of_the_naive_engine_is_true():
    module = load(NAIVE)
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    test = doctest.DocTestParser().get_doctest(module.__doc__, vars(module), NAIVE, NAIVE, 0)
    try:
        results.run(test)
    finally:
        gc.enable()
    assert (results.failures, results.tries) == (0, len(test.examples))
    assert results.tries > 8


def chain(Value, length: int):
    """(leaf, root): x + x + x ..., a chain of `length` additions."""
    x = Value(0.5)
    root = x
    for _ in range(length):
        root = root + x
    return x, root


@pytest.mark.parametrize(("name", "length"), [(VECTORIZED, 10_000), (EFFICIENT, 100_000)])
def test_a_long_chain(name, length):
    x, root = chain(load(name).Value, length)
    root.backward()
    assert (root.data, x.grad) == (0.5 * length + 0.5, length + 1)


def test_the_naive_engine_stops_at_a_long_chain():
    with pytest.raises(RecursionError):
        chain(load(NAIVE).Value, 5_000)[1].backward()


@pytest.mark.parametrize(("name", "second"), [(NAIVE, 96.0), (VECTORIZED, 64.0), (EFFICIENT, 64.0)])
def test_second_backward_on_a_kept_graph(name, second):
    x = load(name).Value(2.0)
    y = (x * x) ** 2
    y.backward()
    assert x.grad == 32.0
    y.backward()
    assert x.grad == second


@pytest.mark.parametrize(("name", "free"), [(NAIVE, False), (VECTORIZED, True), (EFFICIENT, True)])
def test_del_frees_the_graph_without_the_garbage_collector(name, free):
    Value = load(name).Value
    gc.collect()
    gc.disable()
    try:
        a, b = Value(1.0), Value(2.0)
        root = sum(((a * b + i).tanh() / 3 for i in range(50)), a)
        root.backward()
        root.backward()
        del root
        left = sum(type(found) is Value for found in gc.get_objects())
    finally:
        gc.enable()
    assert (left == 2) is free  # 2: the leaves a and b


def ladder(Value):
    """(leaf, root) with 26 levels and two paths through each, 2**26 in all; the gradient is 0.75**26 * 2**26."""
    x = Value(1.0)
    root = x
    for _ in range(26):
        root = root * 0.75 + root * 0.75
    return x, root


def below(root) -> list:
    """Every node of the graph, once."""
    nodes = [root]
    seen = {root}
    for node in nodes:
        fresh = set(node._prev) - seen
        seen |= fresh
        nodes += fresh
    return nodes


def count_rules(name: str, nodes: list, calls: list) -> None:
    """Make the local rules of `nodes` note in `calls` that they ran."""

    def counted(i, key, rule):
        def run(*args):
            calls.append((i, key))
            return rule(*args)
        return run

    class Slope(float):
        """A local derivative that notes where it was used."""

        def __mul__(self, other):
            calls.append(self.key)
            return float(self) * other

    for i, node in enumerate(nodes):
        if name == NAIVE:
            node._backward = counted(i, 0, node._backward)
        elif name == VECTORIZED:
            node._vjps = [counted(i, key, vjp) for key, vjp in enumerate(node._vjps)]
        else:
            node._da = Slope(node._da)
            node._da.key = (i, 0)


@pytest.mark.parametrize("name", JUDGED)
def test_each_local_rule_runs_once(name):
    x, root = ladder(load(name).Value)
    nodes, calls = [node for node in below(root) if node._prev], []
    count_rules(name, nodes, calls)
    root.backward()
    assert x.grad == pytest.approx(1.5**26)
    assert len(calls) == len(set(calls))
    assert {i for i, _ in calls} == set(range(len(nodes)))


def test_use_counts_are_clean_after_a_pass():
    _, root = ladder(load(EFFICIENT).Value)
    root.backward()
    assert {node._uses for node in below(root)} == {0}


@pytest.mark.parametrize("name", [NAIVE, EFFICIENT])
def test_an_operation_of_ones_own(name):
    Value = load(name).Value
    a, b = Value(3.0), Value(4.0)
    out = Value(math.hypot(a.data, b.data), (a, b), "hypot", label="c")

    def rule():
        a.grad += a.data / out.data * out.grad
        b.grad += b.data / out.data * out.grad

    out._backward = rule
    (out * out * a + a).backward()  # a**3 + a*b**2 + a
    assert (a.grad, b.grad) == pytest.approx((3 * 9 + 16 + 1, 2 * 3 * 4))
    assert (out._prev, out._op, out.label) == ((a, b), "hypot", "c")


# Drawings, edges of the domain, the network


@pytest.mark.parametrize("name", [NAIVE, VECTORIZED, EFFICIENT])
def test_a_square_has_two_edges(name):
    a = load(name).Value(3.0, label="a")
    square = a * a
    assert (square._prev, square._op, square.label, a.label) == ((a, a), "*", "", "a")


def test_the_efficient_engine_names_constants():
    a = load(EFFICIENT).Value(3.0)
    assert [node._op for node in (a + 1, 2 * a, 5 - a, a / 4, 1 / a, a**3)] == ["+1", "*2", "5-", "/4", "1/", "**3"]
    a.label = "renamed"
    assert a.label == "renamed"


def test_rules_by_hand_give_the_gradients_of_backward():
    """The efficient engine's `_backward` does what level 1's does, for those who walk a graph themselves."""
    Value = load(EFFICIENT).Value
    a = Value(2.0)
    b = a * 3
    c = b * a
    c.grad = 1.0
    for node in (c, b, a):
        node._backward()
    assert (a.grad, b.grad) == (12.0, 2.0)


def test_a_value_as_exponent_is_refused_with_a_way_out(engine):
    a = engine.Value(2.0)
    with pytest.raises(TypeError, match=r"not Value; .*log\(\)\)\.exp\(\)"):
        a**a


def test_powers_at_zero_and_below(engine):
    for x, exponent, slope in ((0.0, 0, 0.0), (0.0, 1, 1.0), (0.0, 2, 0.0), (-2.0, 3, 12.0), (2.0, 0, 0.0)):
        a = engine.Value(x)
        (a**exponent * 1.0).backward()
        assert a.grad == slope, f"{x}**{exponent}"


def test_large_inputs_do_not_overflow(engine):
    for x in (-1000.0, 1000.0):
        a = engine.Value(x)
        out = a.tanh() + 3 * a.sigmoid()
        out.backward()
        assert (out.data, a.grad) == ((4.0, 0.0) if x > 0 else (-1.0, 0.0))


def test_the_same_seed_trains_the_same_network_on_every_level():
    xs, ys = two_moons(20)
    runs = []
    for name in JUDGED:
        module = load(name)
        random.seed(5)
        model = module.MLP(2, [4, 3, 1])
        losses = [module.train_step(model, xs, ys, 0.1) for _ in range(30)]
        assert all(type(loss) is float for loss in losses)
        assert losses[-1] < 0.7 * losses[0]
        runs.append(losses + [float(p.data) for p in model.parameters()])
    assert runs[1] == pytest.approx(runs[0], rel=1e-9)
    assert runs[2] == pytest.approx(runs[0], rel=1e-9)


def test_network_shapes(engine):
    model = engine.MLP(3, [4, 2])
    assert [type(p) for p in model.parameters()] == [engine.Value] * 26
    outs = model([1.0, engine.Value(2.0), -1])
    assert [type(out) for out in outs] == [engine.Value] * 2
    assert type(engine.MLP(2, [1, 1])([0.5, 1.0])) is engine.Value
    assert abs(float(engine.Neuron(2)([100.0, 100.0]).data)) <= 1
    with pytest.raises(ValueError, match=r"zip\(\)|@ takes shapes"):
        model([1.0, 2.0])


# The comparison script (level 4)


@pytest.fixture
def comparison():
    module = load(REFERENCE)
    module.STEPS = 3
    return module


def test_the_comparison_agrees(comparison, torch, capsys):
    assert comparison.main() == 0
    printed = capsys.readouterr().out
    assert "the precision of float64, is reached" in printed
    assert "DIFFERS" not in printed
    assert all(name in printed for name in comparison.EXPRESSIONS)


@pytest.mark.parametrize("change", [
    ('return _node("exp", e, self, e)', 'return _node("exp", e, self, self.data)'),
    ("p.data -= learning_rate * p.grad", "p.data -= 0.9 * learning_rate * p.grad"),
])
def test_the_comparison_sees_a_difference(comparison, torch, capsys, monkeypatch, change):
    monkeypatch.setattr(comparison, "level3", lambda: load(EFFICIENT, *change))
    assert comparison.main() == 1
    assert "DISAGREED" in capsys.readouterr().out


def test_the_comparison_without_pytorch(comparison, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert comparison.main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "needs PyTorch" in said.err
