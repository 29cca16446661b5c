"""`step`: the steps are what the engine did, marks stand where calculus disagrees, and the engine is left as it was."""

from __future__ import annotations

import html
import json
import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tests.engines import REFERENCE, changed, loaded
from tests.zoo import ENGINES
from utils.autograd_stub import Value
from utils.graph_trace import trace
from utils.stepper import Stepper, step


def named(kind, **numbers):
    values = {name: kind(number) for name, number in numbers.items()}
    for name, value in values.items():
        value.label = name
    return values.values()


def river(kind):
    x, y = named(kind, x=2.0, y=3.0)
    a = x + y
    a.label = "a"
    z = a * x
    z.label = "z"
    return z


def texts(stepper):
    return [one.text for one in stepper.run.steps]


def test_forward_then_the_seed_then_one_contribution_at_a_time(tmp_path):
    assert texts(step(river(loaded(REFERENCE, tmp_path).Value))) == [
        "a = x + y = 2.0 + 3.0 = 5.0",
        "z = a × x = 5.0 × 2.0 = 10.0",
        "Seed: z.grad = 1.0. When z moves, z moves by as much.",
        "x.grad: was 0.0, add 5.0 × 1.0 = 5.0, now 5.0",
        "a.grad: was 0.0, add 2.0 × 1.0 = 2.0, now 2.0",
        "x.grad: was 5.0, add 1.0 × 2.0 = 2.0, now 7.0",
        "y.grad: was 0.0, add 1.0 × 2.0 = 2.0, now 2.0",
    ]


def test_parallel_edges_are_two_contributions(tmp_path):
    (a,) = named(loaded(REFERENCE, tmp_path).Value, a=-4.0)
    adds = [(one.edges, one.was, one.now) for one in step(a * a).run.steps if one.kind == "add"]
    assert adds == [((0,), 0.0, -4.0), ((1,), -4.0, -8.0)]


def test_a_rule_that_sends_parallel_shares_together_is_one_right_step(tmp_path):
    source = changed(("            other.grad += self.data * out.grad\n", ""),
                     ("            self.grad += other.data * out.grad\n",
                      "            if self is other:\n                self.grad += 2 * self.data * out.grad\n"
                      "            else:\n                self.grad += other.data * out.grad\n"
                      "                other.grad += self.data * out.grad\n"))
    (a,) = named(loaded(source, tmp_path).Value, a=3.0)
    stepper = step(a * a + a)
    assert [(one.edges, one.change) for one in stepper.run.steps if one.kind == "add" and len(one.edges) == 2] \
        == [((0, 1), 6.0)]
    assert stepper.wrong == []


ONE_LINE_WRONG = {  # what is changed, a program that shows it, the marks
    "set": ([("self.grad += other.data * out.grad", "self.grad = other.data * out.grad")],
            lambda a, b: a * b + a, ["Set, not added: 2.0 × 1.0 = 2.0 is right, but it replaces the 1.0 that a already "
                                     "had."]),
    "sign": ([("slope = exponent *", "slope = -exponent *")], lambda a, b: a**2,
             ["v1 owes a 6.0 × 1.0 = 6.0, and a.grad changed by -6.0."]),
    "upstream left out": ([("self.grad += out.data * out.grad", "self.grad += out.data")], lambda a, b: b * a.exp(),
                          ["v1 owes a 20.09 × 2.0 = 40.17, and a.grad changed by 20.09."]),
    "nothing sent": ([("other.grad += self.data * out.grad", "pass")], lambda a, b: a * b,
                     ["The rule of v1 sends nothing to b here; 3.0 × 1.0 = 3.0 is due."]),
    "no seed": ([("        self.grad = 1.0\n", "")], lambda a, b: a * b,
                ["The pass begins with v1.grad = 0.0: every contribution is a multiple of it. The seed is 1."]),
    "another seed": ([("        self.grad = 1.0\n", "        self.grad = self.data\n")], lambda a, b: a * b,
                     ["The seed is 6.0; d root / d root is 1."]),
    "wrong forward": ([("Value(self.data * other.data,", "Value(self.data * other.data + 1,")], lambda a, b: a * b,
                      ["a × b is 6.0 here, and data says 7.0."]),
    "rules run twice": ([("for node in reversed(order):", "for node in [*reversed(order), *reversed(order)]:")],
                        lambda a, b: a.relu(),
                        ["The rule of v1 runs for the second time, and passes on all of its grad again."]),
    "root's rule alone": ([("for node in reversed(order):", "for node in [self]:")], lambda a, b: a.exp().relu(),
                          ["The pass ends, and the rule of v1 was never run: its inputs got nothing from it."]),
    "nearest first": ([("for node in reversed(order):", "for node in [self, *self._prev, *self._prev[1]._prev[:1]]:")],
                      lambda a, b: (lambda c: c + (c + c))(a * 1.0),
                      ["Too late: the rule of v2 has run already and passed on a grad without this 1.0."] * 2
                      + ["The rule of v2 runs for the second time, and passes on all of its grad again."] * 2),
}


@pytest.mark.parametrize("name", ONE_LINE_WRONG)
def test_a_wrong_engine_is_marked_where_it_goes_wrong(name, tmp_path):
    changes, program, sentences = ONE_LINE_WRONG[name]
    stepper = step(program(*named(loaded(changed(*changes), tmp_path).Value, a=3.0, b=2.0)))
    assert stepper.wrong == sentences
    assert step(program(*named(loaded(REFERENCE, tmp_path).Value, a=3.0, b=2.0))).wrong == []
    assert all(sentence in html.unescape(stepper.fragment()) and sentence in repr(stepper) for sentence in sentences)


@pytest.mark.parametrize("name", ENGINES)
def test_a_right_engine_of_any_style_is_shown_and_never_marked(name, tmp_path, capsys):
    kind = loaded(ENGINES[name].read_text(encoding="utf-8"), tmp_path).Value
    stepper = step(lambda x, y: ((x + y) * x + x * x * y) * y, kind(0.5), kind(3.0))
    assert stepper.wrong == []
    # d/dx = (2x + y + 2xy) y = 21 and d/dy = x y + x (x + y) + 2 x x y = 4.75
    ends = dict(zip((node.name for node in stepper.run.trace.nodes), stepper.run.grads, strict=True))
    assert (ends["x"], ends["y"]) == (pytest.approx(21.0), pytest.approx(4.75))
    assert all(found["agrees"] for found in stepper.trace["measured"].values()) and stepper.trace["measured"]
    assert any(one.kind in ("add", "after") and one.node == stepper.run.trace.nodes.index(node)
               for one in stepper.run.steps for node in stepper.run.trace.nodes if node.name == "x")


@pytest.mark.parametrize("source", [REFERENCE, ENGINES["slots"].read_text(encoding="utf-8"),
                                    ENGINES["properties"].read_text(encoding="utf-8"),
                                    changed(("self.grad = 1.0\n        for", "raise RuntimeError('no')\n        for"))])
def test_the_graph_is_left_as_it_was_found(source, tmp_path):
    engine = loaded(source, tmp_path)
    x = engine.Value(2.0)
    z = x * x + x
    x.grad, z.grad = 5.0, -1.0
    before = trace(z)
    step(z)
    step(z)
    assert trace(z) == before
    assert type(x) is type(z) is engine.Value
    assert not isinstance(x.__dict__ if hasattr(x, "__dict__") else {}, type(None))


def test_a_pass_that_goes_on_and_on_is_stopped(tmp_path):
    forever = changed(("for node in reversed(order):", "while True:\n            node = self"))
    stepper = step(river(loaded(forever, tmp_path).Value))
    assert "Stopped after 4,000 events" in stepper.run.notes[-1]
    assert len(stepper.run.steps) > 10


TROUBLES = {  # what backward() does -> what is said
    "raises": ("raise ValueError('no such node')", "backward() raised ValueError: no such node."),
    "ends Python": ("raise SystemExit", "backward() raised SystemExit."),
    "interrupted": ("raise KeyboardInterrupt", "Stopped by you; shown is what happened until then."),
    "prints": ("print('seeding', 1)", "backward() printed: seeding 1"),
    "unwritten": ("raise NotImplementedError('exercise 1.2')", "backward() is not written yet: exercise 1.2"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_what_goes_wrong_in_backward_is_a_sentence(name, tmp_path, capsys):
    line, sentence = TROUBLES[name]
    stepper = step(river(loaded(changed(("        self.grad = 1.0\n", f"        {line}\n")), tmp_path).Value))
    assert sentence in stepper.run.notes
    assert texts(stepper)[0] == "a = x + y = 2.0 + 3.0 = 5.0"
    assert capsys.readouterr().out == ""


def odd(data=2.0, parents=(), op="", **more):
    return SimpleNamespace(data=data, grad=0.0, _prev=parents, _op=op, label="", **more)


def cycle():
    a, b = odd(), odd()
    a._prev, b._prev = (b,), (a,)
    a._op = b._op = "relu"
    return a


ODD = {
    "cycle": (lambda kind: cycle(), "There is a cycle"),
    "no _prev": (lambda kind: SimpleNamespace(data=1.0, grad=0.0), "No list of inputs"),
    "no backward": (lambda kind: odd(4.0, (odd(), odd()), "+"), "This engine has no backward()"),
    "array": (lambda kind: kind(np.ones((2, 3))), "At 1 value data is no single number"),
    "a long label": (lambda kind: kind(1.0, label="w" * 500), ""),
    "nan": (lambda kind: kind(math.inf) - kind(math.inf), "first data that is not finite"),
    "a huge int": (lambda kind: kind(10**400), ""),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_graphs_are_drawn_as_far_as_they_go(name, tmp_path):
    make, sentence = ODD[name]
    stepper = step(make(loaded(REFERENCE, tmp_path).Value))
    assert isinstance(stepper, Stepper)
    assert any(sentence in note for note in stepper.run.notes) or not sentence
    json.loads(json.dumps(stepper.trace, allow_nan=False))
    assert all(len(node["name"]) <= 24 for node in stepper.trace["nodes"])


def test_a_graph_too_large_to_step_through_is_drawn():
    value = Value(0.0)
    for _ in range(100_000):
        value = value + 1.0
    drawing = step(value)
    assert drawing.notes[0] == "Stepping is for graphs of up to 200 values; this one is drawn instead."
    assert "  v200 = v199 + 1.0" in repr(drawing)


@pytest.mark.parametrize(("arguments", "more", "sentence"), [
    ((3.5,), {}, "an object of type float"),
    (("z",), {}, "it was given 'z'"),
    ((Value(1.0), 2.0), {}, "takes inputs only after a function"),
    ((lambda a: a * 2, "two"), {}, "a number or a Value for each input; a is 'two'"),
    ((lambda a: a * 2,), {"b": 1.0}, "building it raised TypeError"),
    ((lambda a: a.data,), {"a": Value(1.0)}, "an object of type float"),
    ((lambda a: (a - 1.0).log(), Value(1.0)), {}, "building it raised ValueError"),
    ((eval("lambda a: a * 2", {}), 1.0), {}, "found no class Value"),
])
def test_what_cannot_be_stepped_through_is_said(arguments, more, sentence, monkeypatch):
    monkeypatch.delitem(sys.modules, "value", raising=False)
    assert sentence in repr(step(*arguments, **more))


def test_a_function_of_numbers_takes_the_value_that_it_sees():
    stepper = step(lambda x, y: Value(1.0) * x + y, 2.0, y=3)
    assert [node.name for node in stepper.run.trace.nodes if not node.op] == ["v1", "x", "y"]
    assert [leaf["name"] for leaf in stepper.trace["leaves"]] == ["x", "y"]


def test_another_walk_can_be_watched():
    class Toy:
        def __init__(self, data, parents=()):
            self.data, self.grad, self.parents = data, 0.0, parents

        def __add__(self, other):
            return Toy(self.data + other.data, (self, other))

    def walk(node):
        for parent in node.parents:
            parent.grad += node.grad
        for parent in node.parents:
            walk(parent)

    a = Toy(1.0)
    b = a + a
    stepper = step(b + b, names={"a": a, "b": b}, backward=walk)
    assert [(stepper.run.trace.nodes[s.node].name, s.now) for s in stepper.run.steps if s.kind == "add"] == \
        [("b", 1.0), ("b", 2.0), ("a", 2.0), ("a", 4.0), ("a", 6.0), ("a", 8.0)]
