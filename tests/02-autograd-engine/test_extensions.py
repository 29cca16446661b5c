"""Level 3's extensions: a checkpoint that computes again instead of keeping, and a derivative of a derivative.

The function that is checkpointed or differentiated is the judge's own, and counts its calls.
"""

from __future__ import annotations

from utils.judge import Broken, promise
from utils.judge.oracle import truth
from utils.judge.program import trace

# 3.4 Compute it twice, keep less

DEPTH = 6
LEAVES = {"x": 0.7, "w": -0.6, "b": 0.45}

LAYERS = f"""
calls = 0
w = b = None

def f(h):
    global calls
    calls += 1
    for _ in range({DEPTH}):
        h = h * h * w + b
    return h
"""
USE = "\n".join(["from value import Value, checkpoint", *(f"{name} = Value({x})" for name, x in LEAVES.items()), "",
                 "def f(h):", f"    for _ in range({DEPTH}):", "        h = h * h * w + b", "    return h", ""])


def _layers(x, w, b):
    for _ in range(DEPTH):
        x = x * x * w + b
    return x


def _start() -> list:
    """Steps that make the leaves, and "f", the judge's function of one Value on them."""
    return [*(["new", name, data] for name, data in LEAVES.items()), ["module", "judge", "judge", LAYERS],
            ["set", {"r": "judge"}, "w", {"r": "w"}], ["set", {"r": "judge"}, "b", {"r": "b"}],
            ["attr", "f", {"r": "judge"}, "f"]]


def _grads() -> list:
    return [["get", {"r": name}, "grad"] for name in LEAVES]


def _checkpoint(out: str, x: str) -> list:
    return ["make", out, "checkpoint", [{"r": "f"}, {"r": x}]]


@promise(exercise="3.4", weight=2)
def test_checkpoints_give_the_right_gradients(engine):
    """`checkpoint(f, x)` has the value of f(x), and x and the weights that f uses get their gradients through it."""
    expected = truth(trace(lambda x, w, b: _layers(_layers(x, w, b), w, b) * 3 + _layers(x, w, b) * w, LEAVES))
    code = USE + ("h = checkpoint(f, x)\nout = checkpoint(f, h) * 3 + h * w\nout.backward()")
    steps = [*_start(), _checkpoint("h", "x"), _checkpoint("out", "h"), ["op", "out", "mul", {"r": "out"}, 3],
             ["op", "t", "mul", {"r": "h"}, {"r": "w"}], ["op", "out", "add", {"r": "out"}, {"r": "t"}],
             ["get", {"r": "out"}, "data"], ["backward", {"r": "out"}], *_grads()]
    value, *grads = engine.reports(steps, code)
    engine.expect("out.data", value, expected.value, code)
    for name, grad in zip(LEAVES, grads, strict=True):
        engine.expect(f"{name}.grad", grad, expected.grads[name], code, size=expected.sizes[name])


@promise(exercise="3.4")
def test_a_checkpoint_runs_its_function_twice(engine):
    """`f` runs once when the checkpoint is made, and once more in `backward()`: nothing of its graph was kept."""
    code = USE + "out = checkpoint(f, x)      # f runs\nout.backward()              # f runs again"
    calls = ["get", {"r": "judge"}, "calls"]
    steps = [*_start(), _checkpoint("out", "x"), calls, ["backward", {"r": "out"}], calls]
    forward, both = engine.reports(steps, code)
    for when, yours, expected in (("after checkpoint(f, x)", forward, 1), ("after out.backward()", both, 2)):
        if yours != expected:
            raise Broken(f"f has run {yours} times {when}, expected {expected}: once for its value, and once more in "
                         "backward(), where its graph is built, walked and forgotten.", program=code,
                         quantity=f"calls of f {when}", yours=str(yours), expected=str(expected))


@promise(exercise="3.4")
def test_a_checkpoint_gives_the_same_bits(engine):
    """One checkpoint over everything gives, to the last bit, the gradients that your engine gives without it."""
    code = USE + "out = checkpoint(f, x)      # and f(x) itself, on other leaves\nout.backward()"
    through = engine.reports([*_start(), _checkpoint("out", "x"), ["backward", {"r": "out"}], *_grads()], code)
    plain = engine.reports([*_start(), ["call", "out", {"r": "f"}, "", [{"r": "x"}]], ["backward", {"r": "out"}],
                            *_grads()], code)
    right = truth(trace(_layers, LEAVES))
    for name, yours, expected in zip(LEAVES, through, plain, strict=True):
        engine.expect(f"{name}.grad", yours, right.grads[name], code, size=right.sizes[name])
        if yours != expected:
            raise Broken("The same numbers in the same order give the same bits. Start the walk over the graph of f "
                         "from the checkpoint's gradient; do not multiply by it at the end.", program=code,
                         quantity=f"{name}.grad", yours=repr(yours), expected=repr(expected))


# 3.5 The derivative of a derivative. Each function with its derivative worked out; the oracle differentiates both.

FUNCTIONS = {
    "t * t * t": (lambda t: t * t * t, lambda t: 3 * t * t),
    "3 * t + 1": (lambda t: 3 * t + 1, lambda t: 0 * t + 3),
    "(t * t + 2) * (t * t + 2) * 0.5": (lambda t: (t * t + 2) * (t * t + 2) * 0.5, lambda t: 2 * t * (t * t + 2)),
    "t * (t + t) + t * t * t * t * -2": (lambda t: t * (t + t) + t * t * t * t * -2, lambda t: 4 * t + t * t * t * -8),
}
PLACES = (1.5, -0.75)


def _derivative(engine, body: str, x: float) -> tuple[list, str]:
    """(f's calls, derivative(f, x).data, and x.grad before and after its backward()), with the code that shows it."""
    code = (f"from value import Value, derivative\nx = Value({x})\nd = derivative(lambda t: {body}, x)\n"
            "d.backward()")
    source = f"calls = 0\ndef f(t):\n    global calls\n    calls += 1\n    return {body}\n"
    steps = [["new", "x", x], ["module", "judge", "judge", source], ["attr", "f", {"r": "judge"}, "f"],
             ["make", "d", "derivative", [{"r": "f"}, {"r": "x"}]], ["get", {"r": "judge"}, "calls"],
             ["get", {"r": "d"}, "data"], ["backward", {"r": "d"}], ["get", {"r": "x"}, "grad"]]
    outcome = engine.outcome(steps)
    if isinstance(outcome.reports[-1] if outcome.reports else None, dict):
        raise Broken(f"derivative(...) returned no Value for f(t) = {body}. Where a gradient is a plain number, as "
                     "that of a straight line, make it a Value.", program=code, quantity="d.data", yours="nothing")
    return engine.unbroken(outcome, code), code


@promise(exercise="3.5", weight=2)
def test_derivatives_have_derivatives(engine):
    """`derivative(f, x)` is f'(x) as a Value; its `backward()` gives x the gradient f''(x)."""
    for body, (f, slope) in FUNCTIONS.items():
        for x in PLACES:
            (_, first, second), code = _derivative(engine, body, x)
            expected = truth(trace(slope, {"t": x}))
            engine.expect("d.data", first, truth(trace(f, {"t": x})).grads["t"], code)
            engine.expect("x.grad", second, expected.grads["t"], code, size=expected.sizes["t"])


@promise(exercise="3.5")
def test_a_derivative_runs_its_function_once(engine):
    """`f` runs once for both derivatives: they come from the graph, not from differences."""
    (calls, first, _), code = _derivative(engine, "t * t * t", PLACES[0])
    engine.expect("d.data", first, 3 * PLACES[0]**2, code)
    if calls != 1:
        raise Broken(f"f has run {calls} times, expected once: differentiate the graph that one run leaves.",
                     program=code, quantity="calls of f", yours=str(calls), expected="1")
