"""`draw`: what is on the picture is what is in the graph, for every engine style, and the same each time."""

from __future__ import annotations

import base64
import html
import math
import os
import random
import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pytest

from utils import graph_trace, visualization
from utils.build.figures import AHEAD, BACK, FOLDER, figures
from utils.curriculum import ROOT
from utils.graph_trace import RULES, forward, local_derivatives, trace
from utils.slim import slim
from utils.visualization import Drawing, draw, find_program, show

SVG = "{http://www.w3.org/2000/svg}"


class Value:
    """A minimal engine whose inputs are kept as `kind`; no gradients: they are set where a test needs them."""

    kind = tuple

    def __init__(self, data, inputs=(), op="", label=""):
        self.data, self.grad, self._prev, self._op, self.label = data, 0.0, self.kind(inputs), op, label

    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other), "+")

    def __sub__(self, other):
        return type(self)(self.data - other.data, (self, other), "-")

    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), "*")


class SetValue(Value):
    kind = set


class ListValue(Value):
    kind = list


def graph_of(drawing: Drawing) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """The picture read back: the texts of each node, and the edges, a pill on an edge counted as part of it."""
    if find_program() is None:
        assert not os.environ.get("UPSTREAM_CI"), "graphviz-pure is missing"
        pytest.skip("not run: no layout program")
    nodes, edges = {}, []
    for group in ET.fromstring(drawing.svg).iter(f"{SVG}g"):
        title = group.findtext(f"{SVG}title")
        if group.get("class") == "node":
            nodes[title] = ["".join(text.itertext()).strip() for text in group.iter(f"{SVG}text")]
        elif group.get("class") == "edge":
            edges.append(tuple(title.split("->")))
    return nodes, edges


def river(kind=Value):
    x, y = kind(2.0, label="x"), kind(3.0, label="y")
    a = x + y
    a.label = "a"
    z = a * x
    z.label = "z"
    x.grad, y.grad, a.grad, z.grad = 7.0, 2.0, 2.0, 1.0
    return z


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


def test_a_drawing_keeps_what_it_saw():
    z = river()
    drawing = draw(z)
    before = repr(drawing)
    z.data, z.grad, z._prev = 0.0, 0.0, ()
    assert repr(drawing) == before != repr(draw(z))


def test_html_shows_without_trust_and_says_what_it_shows():
    root = river()
    root.label = 'z"><script>'
    drawing = draw(root)
    graph_of(drawing)
    page = ET.fromstring(drawing._repr_html_().replace("></div>", "/></div>"))
    image = page.find("img")
    kind, data = image.get("src").split(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == slim(drawing.svg)
    assert image.get("alt") == drawing.alt
    assert "x data 2.0 grad 7.0" in drawing.alt
    assert "<script" not in drawing._repr_html_() + drawing.svg
    assert not re.search(r"0x[0-9a-f]{6,}", repr(drawing) + drawing.dot)


def looks_of(svg: str) -> list[tuple]:
    """Every drawn element in order: kind, text, where its box lies, fill, stroke, size."""
    root, found = ET.fromstring(svg), []
    rules = dict(re.findall(r"\.(c\d+)\{([^}]*)\}", root.findtext(f"{SVG}style") or ""))
    for element in root.iter():
        at = dict(element.attrib)
        at |= dict(rule.split(":") for rule in rules.get(at.get("class"), "").split(";") if rule)
        numbers = [float(x) for x in re.findall(r"-?\d+\.?\d*", at.get("d") or at.get("points") or "")]
        if element.tag == f"{SVG}rect":
            x, y, w, h = (float(at[key]) for key in ("x", "y", "width", "height"))
            numbers = [x, y, x + w, y + h]
        if numbers or element.tag == f"{SVG}text":
            box = [round(f(axis), 1) for f in (min, max) for axis in (numbers[::2], numbers[1::2]) if numbers]
            found.append((element.text, at.get("x") if not numbers else box, at.get("fill"), at.get("stroke"),
                          at.get("stroke-width"), float(at.get("font-size", "0").removesuffix("px"))))
    return found


@pytest.mark.parametrize("locals", [False, True])
def test_a_slim_picture_is_the_same_picture_in_less_than_half_the_bytes(locals):
    drawing = draw(river() * river(), locals=locals)
    graph_of(drawing)
    small = slim(drawing.svg)
    assert looks_of(small) == looks_of(drawing.svg) and len(looks_of(small)) > 40
    assert "<rect" in small and "<title" not in small
    assert len(small.partition("<style")[2]) < 0.5 * len(drawing.svg)


def test_leaves_and_root_differ_in_shape_not_in_colour_alone():
    drawing = draw(river())
    graph_of(drawing)
    shapes = {}
    for group in ET.fromstring(drawing.svg).iter(f"{SVG}g"):
        if group.get("class") == "node":
            outline = next(e for e in group if e.tag in (f"{SVG}polygon", f"{SVG}path"))
            shapes[group.findtext(f"{SVG}title")] = (outline.tag.removeprefix(SVG), outline.get("stroke-width"))
    assert shapes["v0"][0] == shapes["v1"][0] == "polygon"      # square corners
    assert shapes["v2"][0] == shapes["v3"][0] == "path"         # rounded ones
    assert float(shapes["v3"][1]) >= 2 * float(shapes["v2"][1])


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_every_text_reaches_aa_contrast():
    v = visualization
    pairs = [(ink, paper) for ink in (v.INK, v.GREY, v.VERMILION) for paper in (v.LEAF_FILL, v.INNER_FILL)]
    for one, other in [*pairs, (v.GREEN, v.PILL_FILL), ("#FFFFFF", v.BLUE), (BACK["colour"], BACK["fill"]),
                       (AHEAD["colour"], AHEAD["fill"])]:
        dark, light = sorted((luminance(one), luminance(other)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (one, other)


@pytest.mark.parametrize("program", [None, "no-such-program"])
def test_without_a_program_the_text_stands_in(program, monkeypatch, tmp_path):
    monkeypatch.setattr(visualization, "find_program", lambda pure=False: program)
    drawing = draw(river())
    assert html.escape(repr(drawing)) in drawing._repr_html_()
    assert "conda install graphviz" in drawing._repr_html_()
    with pytest.raises(OSError, match="install Graphviz"):
        drawing.save(tmp_path / "z.svg")


def test_a_system_dot_is_used_for_drawings_and_never_for_figures(monkeypatch):
    made = figures()
    own = find_program(pure=True)
    monkeypatch.setattr(visualization.shutil, "which", lambda name, path=None: f"/some/{name}")
    assert (find_program(), find_program(pure=True)) == ("/some/dot", "/some/graphviz-pure")
    monkeypatch.setattr(visualization, "find_program", lambda pure=False: own if pure else "/some/dot")
    assert figures() == made


def test_save_writes_the_picture(tmp_path):
    drawing = draw(river())
    graph_of(drawing)
    assert drawing.save(tmp_path / "z.svg").read_text(encoding="utf-8") == drawing.svg
    with pytest.raises(ValueError, match=r"try 'z\.svg'"):
        drawing.save(tmp_path / "z.png")


def test_the_trace_is_plain_data():
    walked = trace(river())
    assert [node.name for node in walked.nodes] == ["x", "y", "a", "z"]
    assert [(e.source, e.target, e.local) for e in walked.edges if e.target == 3] == [(2, 3, 2.0), (0, 3, 5.0)]


def test_figures_are_committed_as_generated_and_hold_the_right_numbers():
    made = figures()
    if not made:
        assert not os.environ.get("UPSTREAM_CI"), "graphviz-pure is missing"
        pytest.skip("not run: no graphviz-pure")
    assert {path: (ROOT / path).read_bytes() for path in made} == made == figures()

    def cards(name):
        picture = SimpleNamespace(svg=made[f"{FOLDER}/{name}.svg"].decode())
        return {texts[0]: texts[2::2] for node, texts in graph_of(picture)[0].items() if node.startswith("v")}

    # By hand: z = (x + y) x, so dz/dx = 2x + y = 7 and dz/dy = x = 2; then x + 3, times 2; then c = 4a.
    assert cards("river") == {"x": ["2.0", "7.0"], "y": ["3.0", "2.0"], "a": ["5.0", "2.0"], "z": ["10.0", "1.0"]}
    assert cards("chain") == {"x": ["1.0", "2.0"], "u": ["4.0", "2.0"], "v": ["8.0", "1.0"], "loss": ["8.0", "1.0"]}
    assert cards("diamond") == {"a": ["3.0", "4.0"], "b": ["6.0", "2.0"], "c": ["12.0", "1.0"]}
    assert f"{2**26:,} paths" in made[f"{FOLDER}/two-paths.svg"].decode()
