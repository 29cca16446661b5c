"""Exercises 3.4 and 3.5: their truths agree with PyTorch, and every way of being wrong that we know is caught."""

from __future__ import annotations

import pytest

from tests.engines import TOPIC, changed, written
from utils.judge.core import judge
from utils.judge.oracle import truth
from utils.judge.program import trace
from utils.judge.promises import collect

FUNCTIONS = next(p.function for p in collect(TOPIC) if p.exercise == "3.5").__globals__["FUNCTIONS"]

GRADIENTS, TWICE, BITS = (f"test_{name}" for name in ("checkpoints_give_the_right_gradients",
                                                      "a_checkpoint_runs_its_function_twice",
                                                      "a_checkpoint_gives_the_same_bits"))
DERIVATIVES, ONCE = "test_derivatives_have_derivatives", "test_a_derivative_runs_its_function_once"

WALK = """\
        (f(copy) * out.grad).backward()  # times a constant: the walk over f's graph starts from out.grad
        x.grad += copy.grad
"""
FROM_1 = """\
        f(copy).backward()
        x.grad += copy.grad * out.grad
"""
DIFFERENCES = "    slope = (f(x + 1e-4) + -1 * f(x + -1e-4)) * 5e3\n    return slope\n"
SLOPE, LEAF = "    slope = inner.grad\n", "copy = Value(x.data)  # a leaf"
WRONG = {  # (old, new) in the model answer, and the promises that notice
    "starts from 1": ("(f(copy) * out.grad)", "f(copy)", {GRADIENTS}),
    "multiplies at the end": (WALK, FROM_1, {GRADIENTS}),
    "assigns": ("x.grad += copy.grad", "x.grad = copy.grad", {GRADIENTS}),
    "forgets x": ("x.grad += copy.grad", "pass", {GRADIENTS, BITS}),
    "keeps the graph": ('    out = Value(f(Value(x.data)).data, (x,), "checkpoint")', "    return f(x)", {TWICE}),
    "runs once more": (LEAF, f"f(x); {LEAF}", {TWICE}),
    "rounds on the way": ("x.grad += copy.grad", "x.grad += copy.grad * (1 + 3e-16)", {BITS}),
    "another point": (LEAF, LEAF.replace("x.data", "x.data + 1e-3"), {GRADIENTS, BITS}),
    "differences": ("    inner = Value(x)", DIFFERENCES + "    inner = Value(x)", {ONCE}),
    "no graph": (SLOPE, "    slope = getattr(inner.grad, 'data', inner.grad)\n", {DERIVATIVES}),
    "a float for a straight line": ("slope if isinstance(slope, Value) else Value(slope)", "slope", {DERIVATIVES}),
    "leaves f' in x.grad": (SLOPE, SLOPE + "    x.grad += getattr(slope, 'data', slope)\n", {DERIVATIVES}),
}


def test_every_promise_is_shown_to_fail():
    noticing = set().union(*(notice for _, _, notice in WRONG.values()))
    assert noticing == {p.name for p in collect(TOPIC) if p.exercise in ("3.4", "3.5")}


@pytest.mark.parametrize("slip", WRONG)
def test_a_wrong_extension_is_caught(slip, tmp_path):
    old, new, notice = WRONG[slip]
    report = judge(TOPIC, tmp_path, file=written(tmp_path, changed((old, new))), only=["3.4", "3.5"])
    assert {v.name for v in report.verdicts if v.status == "failed"} >= notice


@pytest.mark.parametrize("body", FUNCTIONS)
def test_second_derivatives_agree_with_pytorch(body):
    torch = pytest.importorskip("torch")
    f, slope = FUNCTIONS[body]
    for x in (1.5, -0.75, 0.3):
        ours = truth(trace(slope, {"t": x}))
        assert ours.value == pytest.approx(truth(trace(f, {"t": x})).grads["t"], rel=1e-14)
        t = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        (first,) = torch.autograd.grad(f(t), t, create_graph=True)
        second = torch.autograd.grad(first, t)[0].item() if first.requires_grad else 0.0
        assert (ours.value, ours.grads["t"]) == pytest.approx((first.item(), second), rel=1e-12)
        assert eval(body, {"t": x}) == f(x)
