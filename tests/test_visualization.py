"""`draw`: what is on the picture is what is in the graph, for every engine style, and the same each time."""

from __future__ import annotations

import math
import random
from types import SimpleNamespace

import numpy as np
import pytest

from tests.small_graphs import ListValue, SetValue, Value, graph_of, river
from utils import graph_trace
from utils.graph_trace import RULES, forward, local_derivatives, trace
from utils.visualization import draw, show


def test_the_picture_holds_every_value_op_and_edge():
    nodes, edges = graph_of(draw(river()))
    cards = {texts[0]: texts[1:] for name, texts in nodes.items() if name.startswith("v")}
    assert cards == {"x": ["data", "2.0", "grad", "7.0"], "y": ["data", "3.0", "grad", "2.0"],
                     "a": ["data", "5.0", "grad", "2.0"], "z": ["data", "10.0", "grad", "1.0"]}
    assert sorted(texts for name, texts in nodes.items() if name.startswith("op")) == [["+"], ["×"]]
    assert sorted(edges) == sorted([("v0", "op2"), ("v1", "op2"), ("op2", "v2"), ("v2", "op3"), ("v0", "op3"),
                                    ("op3", "v3")])


def test_the_text_lists_inputs_first():
    assert repr(draw(river())).splitlines() == [
        "Graph of 4 values and 4 edges, inputs first, ending in z",
        "  x           data 2.0    grad 7.0",
        "  y           data 3.0    grad 2.0",
        "  a = x + y   data 5.0    grad 2.0",
        "  z = a * x   data 10.0   grad 1.0",
    ]
    assert "grad" not in repr(draw(river(), grads=False))


@pytest.mark.parametrize("kind", [Value, SetValue, ListValue])
def test_a_value_used_twice_has_two_edges(kind):
    a = kind(-4.0, label="a")
    _, edges = graph_of(draw(a * a))
    assert edges.count(("v0", "op1")) == 2
    _, edges = graph_of(draw(kind(0.0, (kind(-4.0),), "relu")))
    assert edges.count(("v0", "op1")) == 1


def test_a_set_of_one_is_doubled_only_where_data_agrees():
    two, six = SetValue(2.0), SetValue(2.0)
    assert len(draw(SetValue(4.0, (two,), "*")).trace.edges) == 2
    once = draw(SetValue(6.0, (six,), "*"))                             # 2 * 3 with the 3 not kept
    assert len(once.trace.edges) == 1
    assert "used twice" in once.notes[0]
    assert len(draw(SetValue(-2.0, (two,), "-")).trace.edges) == 1      # unary minus


def test_operands_of_a_set_stand_as_the_op_needs_them():
    for _ in range(20):
        assert "= b - a" in repr(draw(SetValue(2.0, label="b") - SetValue(3.0, label="a")))


def two_to_one(kind):
    return (root := river(kind)), [root]


def twins(kind):
    """Untrained layers, every weight equal: as many ties as sets can offer. Returns the root and all sums."""
    sums = []

    def neuron(inputs):
        sums.append(kind(0.5) * inputs[0] + kind(0.5) * inputs[1])
        return sums[-1]

    values = [kind(1.0), kind(1.0)]
    for width in (2, 2, 1):
        values = [neuron(values) for _ in range(width)]
    return values[0], sums


@pytest.mark.parametrize(("build", "max_nodes"), [(two_to_one, 200), (twins, 200), (twins, 8)])
def test_the_same_graph_gives_the_same_bytes(build, max_nodes, monkeypatch):
    def sources():
        keep, dots, orders = [], set(), set()
        for _ in range(40):
            root, made = build(SetValue)
            keep.append((root, [object() for _ in range(random.randrange(9))]))
            dots.add(draw(root, locals=True, max_nodes=max_nodes).dot)
            orders.add(tuple(id(min(value._prev, key=id)) == id(next(iter(value._prev))) for value in made))
        return dots, orders

    dots, orders = sources()
    assert len(orders) > 1, "the sets of this test never differed in order: it proves nothing"
    assert len(dots) == 1
    monkeypatch.setattr(graph_trace._Walk, "_ranks", lambda self, marks: list(range(len(self.values))))
    assert len(sources()[0]) > 1        # control: with positions of discovery as ranks, the bytes do differ


@pytest.mark.parametrize(("op", "count"), RULES)
def test_local_derivatives_agree_with_finite_differences(op, count):
    inputs, h = (1.3, 0.7)[:count], 1e-6
    exact = local_derivatives(op, inputs, forward(op, inputs))
    for k in range(count):
        up, down = list(inputs), list(inputs)
        up[k], down[k] = up[k] + h, down[k] - h
        assert exact[k] == pytest.approx((forward(op, tuple(up)) - forward(op, tuple(down))) / (2 * h), rel=1e-6)


@pytest.mark.parametrize(("op", "data", "out", "local"), [
    ("**3", -2.0, -8.0, 12.0), ("**-0.5", 4.0, 0.5, -0.0625), ("* 3", 2, 6, 3.0), ("relu", 0.0, 0.0, 0.0),
    ("MulBackward", 2.0, 5.0, None), ("exp", 2.0, 1.0, None), ("magic", 2.0, 2.0, None), ("log", -1.0, 0.0, None),
    ("tanh", np.ones(2), 1.0, None),
])
def test_a_local_derivative_is_shown_only_where_op_and_data_agree(op, data, out, local):
    drawing = draw(Value(out, (Value(data),), op), locals=True)
    assert drawing.trace.edges[0].local == local
    assert any("No local derivative at 1 value" in note for note in drawing.notes) == (local is None)
    nodes, _ = graph_of(drawing)
    assert ("local1_0" in nodes) == (local is not None)


def test_parallel_edges_carry_a_pill_each():
    a = Value(-4.0)
    nodes, edges = graph_of(draw(a * a, locals=True))
    assert nodes["local1_0"] == nodes["local1_1"] == ["-4.0"]
    assert edges.count(("v0", "local1_0")) == edges.count(("v0", "local1_1")) == 1


@pytest.mark.parametrize(("number", "text"), [
    (3, "3"), (3.0, "3.0"), (-0.0, "-0.0"), (0.1, "0.1"), (0.1 + 0.2, "0.3000"), (1.0000001, "1.000"),
    (2 / 3, "0.6667"), (1e300, "1e+300"), (123456.0, "1.235e+05"), (math.nan, "nan"), (-math.inf, "-inf"),
    (123456789, "123456789"), (10**400, "int of 1329 bits"), (None, "None"),
])
def test_numbers_are_short_and_do_not_lie(number, text):
    assert show(number) == text


class Slots:
    __slots__ = ("data", "grad", "parents")

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents


class Raising:
    data, grad = 1.0, 0.0

    @property
    def _prev(self):
        raise RuntimeError("not today")


class Mul:
    def __init__(self, *inputs):
        self.inputs = inputs


def grad_fn_engine():
    make = lambda data, fn=None: SimpleNamespace(data=data, grad=0.0, grad_fn=fn)  # noqa: E731
    return make(6.0, Mul(make(2.0), make(3.0)))


def own_input():
    a = Value(2.0)
    b = a + Value(1.0)
    a._prev, a._op = (b,), "relu"
    return b


def without_grad():
    x = Value(2.0)
    x.grad = None
    return x + x


STYLES = {      # engine -> values drawn, edges drawn, what the one sentence says (None: nothing to say)
    "stored local derivatives": (lambda: Slots(3.0, [(p := Slots(1.0), 2.0), (p, 1.0)]), 2, 2, "No `_op` at 1 value"),
    "grad_fn objects": (grad_fn_engine, 3, 2, None),
    "tape: nothing on the value": (lambda: SimpleNamespace(data=3.0, grad=0.0), 1, 0, "No list of inputs"),
    "only data": (lambda: SimpleNamespace(data=3.0, _prev=()), 1, 0, "No `grad` at 1 value"),
    "a property that raises": (Raising, 1, 0, "No list of inputs"),
    "constants kept as numbers": (lambda: Value(6.0, (Value(2.0), 3.0), "*"), 2, 1, "inputs that are no values"),
    "cycle": (own_input, 3, 3, "cycle"),
    "nan": (lambda: Value(math.inf, label="big") - Value(1.0), 3, 2, "first data that is not finite: big, inf"),
    "grad None": (without_grad, 2, 2, "At 1 value grad is None"),
    "arrays": (lambda: Value(np.ones((2, 3))) * Value(np.ones((2, 3))), 3, 2, "At 3 values data is no single number"),
    "0-d arrays": (lambda: Value(np.array(2.0)) * Value(np.float64(3.0)), 3, 2, None),
}


@pytest.mark.parametrize("style", STYLES)
def test_every_style_gives_a_picture_and_one_sentence(style):
    make, values, edges, sentence = STYLES[style]
    drawing = draw(make())
    nodes, _ = graph_of(drawing)
    assert len([name for name in nodes if name.startswith("v")]) == values
    assert len(drawing.trace.edges) == edges
    assert [sentence in note for note in drawing.notes] == ([True] if sentence else [])
    assert all(note in " ".join(repr(drawing).splitlines()) for note in drawing.notes)


@pytest.mark.parametrize("thing", [3.5, None, "z", [Value(1.0)]])
def test_what_is_no_value_gets_a_sentence(thing):
    assert f"of type {type(thing).__name__}" in repr(draw(thing))
    assert "<img" not in draw(thing)._repr_html_()


@pytest.mark.parametrize("label", ['<b>&amp;"\'', r"\N \l \G \\", "Δw", "{a}", "two\nlines\x00", "<", "λ₀", "w" * 500])
def test_labels_are_shown_as_they_are_and_long_ones_cut(label):
    shown = " ".join(label.replace("\x00", "").split())
    nodes, _ = graph_of(draw(Value(1.0, label=label)))
    assert nodes["v0"][0] == (shown if len(shown) <= 24 else shown[:23] + "…")


def test_names_come_from_a_mapping_where_labels_are_missing():
    p, q = Value(2.0), Value(3.0, label="own")
    z = p * q
    assert "  z = p * own " in repr(draw(z, names={"_": p, "p": p, "q": q, "z": z, "other": 4}))


def chain(length):
    value = Value(0)
    for _ in range(length):
        value = Value(value.data + 1, (value,), "+1")
    return value


def test_a_long_chain_is_cut_near_the_root():
    drawing = draw(chain(100_000))
    data = [node.data for node in drawing.trace.nodes]
    assert data == list(range(99_801, 100_001))
    sentence = "Drawn: the 200 nearest the root of 100,001 values; draw(..., max_nodes=2000) draws more."
    assert drawing.notes == (sentence,)
    nodes, edges = graph_of(drawing)
    assert ("more0", "op0") in edges
    assert len([name for name in nodes if name.startswith("v")]) == 200
    assert "  v2 = v1 + 1 " in repr(draw(chain(2)))
    nodes, _ = graph_of(draw(chain(3_000), max_nodes=10**9))
    assert len([name for name in nodes if name.startswith("v")]) == 2_000


def test_the_trace_is_plain_data():
    walked = trace(river())
    assert [node.name for node in walked.nodes] == ["x", "y", "a", "z"]
    assert [(e.source, e.target, e.local) for e in walked.edges if e.target == 3] == [(2, 3, 2.0), (0, 3, 5.0)]
