"""Level 1: `+`, `*` and `backward()`. Upstream gradients are never 1 where it matters, and inputs are reused."""

from __future__ import annotations

import operator

from utils.judge import promise

LEVELS_OF_TWO_PATHS = 26
ROUNDS = 60          # enough for memory of earlier graphs to be used again
OUTLIVES = ("The first graph was right. What this one differs in is what the graphs before it left behind: look for a "
            "set, list or mark that outlives `backward()`. A new node may get the `id()` of one that is gone.")


# 1.1 Forward: values and the graph

# `+` and the forward half of `*` are given, so each promise here asks for something that the learner writes.

@promise(exercise="1.1")
def test_number_plus_value(engine):
    """`2 + a` works: the number on the left becomes a Value."""
    engine.computes(lambda a: 2 + a, a=1.5)
    engine.computes(lambda a, b: (0.5 + a) + b, a=-4, b=2.5)
    engine.computes(lambda a: 0 + a, a=1.5)


@promise(exercise="1.1")
def test_number_times_value(engine):
    """`3 * a` works."""
    engine.computes(lambda a: 3 * a, a=1.5)
    engine.computes(lambda a, b: (-2.0 * a) * b, a=-4, b=2.5)
    engine.computes(lambda a: 0.5 * a, a=1.5)
    engine.computes(lambda a: 0 * a, a=1.5)


@promise(exercise="1.1")
def test_numbers_on_either_side(engine):
    """Numbers and Values mix freely in one expression."""
    engine.computes(lambda a: 1 + a * 2 + 3 * a + 4, a=1.5)
    engine.computes(lambda a, b: 2 * (a + 0.5) * (1 + b) * -1, a=-4, b=2.5)
    engine.computes(lambda a: a + 0, a=1.5)
    engine.computes(lambda a: a * 0, a=1.5)


@promise(exercise="1.1")
def test_computing_changes_no_input(engine):
    """Using a Value leaves its `data` alone, and its `grad` at 0 until `backward()`."""
    for a, b in engine.points(2.0, 3.0):
        steps = [["new", 0, a], ["new", 1, b], ["op", 2, "mul", {"r": 0}, {"r": 1}],
                 ["op", 3, "mul", 5, {"r": 2}], ["op", 4, "add", 1, {"r": 3}],
                 ["get", {"r": 0}, "data"], ["get", {"r": 1}, "data"], ["get", {"r": 2}, "data"],
                 ["get", {"r": 0}, "grad"], ["get", {"r": 1}, "grad"]]
        code = f"from value import Value\na = Value({a})\nb = Value({b})\nt = a * b\nout = 1 + 5 * t"
        names = ("a.data", "b.data", "t.data", "a.grad", "b.grad")
        for name, yours, expected in zip(names, engine.reports(steps, code), (a, b, a * b, 0.0, 0.0), strict=True):
            engine.expect(name, yours, expected, code)


# 1.2 Backward through a tree

@promise(exercise="1.2")
def test_root_has_gradient_one(engine):
    """`backward()` starts with 1 at the root, d(out)/d(out), and `+` passes it on."""
    engine.agrees(lambda a: a + 0.0, a=2.0)
    for (a,) in engine.points(2.0):
        steps = [["new", 0, a], ["backward", {"r": 0}], ["get", {"r": 0}, "grad"]]
        code = f"from value import Value\na = Value({a})\na.backward()"
        engine.expect("a.grad", engine.reports(steps, code)[0], 1.0, code)


@promise(exercise="1.2")
def test_sum_passes_the_upstream_gradient(engine):
    """Through `+`, both inputs receive the upstream gradient, whatever it is."""
    engine.agrees(lambda a, b: a + b, a=2.0, b=3.0)
    engine.agrees(lambda a, b, c: (a + b) * c, a=2.0, b=3.0, c=-4.0)
    engine.agrees(lambda a, b: 3 * (a + b), a=2e5, b=-3e4)


@promise(exercise="1.2")
def test_product_multiplies_by_the_other_input(engine):
    """Through `*`, each input receives the other one times the upstream gradient."""
    engine.agrees(lambda a, b: a * b, a=2.0, b=3.0)
    engine.agrees(lambda a, b, c: a * b * c, a=2.0, b=3.0, c=-4.0)
    engine.agrees(lambda a, b, c: c * (b * a), a=2.0, b=3.0, c=-4.0)
    engine.agrees(lambda a, b: 3 * (a * b), a=2e5, b=-3e4)
    engine.agrees(lambda a, b: 3 * (a * b), a=2.5e-7, b=300.0)


@promise(exercise="1.2")
def test_gradient_with_numbers_on_either_side(engine):
    """A number takes part in the value and receives no gradient, on either side."""
    engine.agrees(lambda a: 3 * (a + 2), a=1.5)
    engine.agrees(lambda a: (2 + a) * 3, a=1.5)
    engine.agrees(lambda a: 5 + (4 * a) * 0.5, a=1.5)
    engine.agrees(lambda a: 3 * (0 + a), a=1.5)
    engine.agrees(lambda a: 3 * (a + 0.0), a=1.5)
    engine.agrees(lambda a: 0 * a + a, a=1.5)
    engine.agrees(lambda a: a * 0.0 + a, a=1.5)


@promise(exercise="1.2")
def test_tree_of_sums_and_products(engine):
    """On a tree, where nothing is used twice, every leaf's gradient is right."""
    engine.agrees(lambda a, b, c, d: a * b + c * d, a=2.0, b=3.0, c=-4.0, d=0.5)
    engine.agrees(lambda a, b, c, d: (a + b) * (c * (d + 2)) * 3, a=2.0, b=3.0, c=-4.0, d=0.5)


@promise(exercise="1.2")
def test_gradient_at_zero(engine):
    """A value of 0 can have a gradient that is not 0: it is a sensitivity, not a size."""
    engine.agrees(lambda a, b: 3 * (a * b), a=0.0, b=5.0)
    engine.agrees(lambda a, b, c: (a + b) * c, a=0, b=0, c=2)


# 1.3 A value used twice

@promise(exercise="1.3")
def test_sum_of_a_value_with_itself(engine):
    """In `a + a`, a receives two contributions."""
    engine.agrees(lambda a: a + a, a=3.0)
    engine.agrees(lambda a: 3 * (a + a), a=3.0)


@promise(exercise="1.3")
def test_product_of_a_value_with_itself(engine):
    """In `a * a`, a receives two contributions."""
    engine.agrees(lambda a: a * a, a=3.0)
    engine.agrees(lambda a: -2 * (a * a), a=-1.5)


@promise(exercise="1.3")
def test_value_used_in_two_places(engine):
    """A value used in two operations receives a contribution from each."""
    engine.agrees(lambda a, b: a * b + a, a=2.0, b=3.0)
    engine.agrees(lambda a, b: a + b * a, a=2.0, b=3.0)
    engine.agrees(lambda a, b: (a + b) * a, a=2.0, b=3.0)
    engine.agrees(lambda a, b: b * (a + b), a=2.0, b=3.0)


@promise(exercise="1.3")
def test_value_used_many_times(engine):
    """Every use counts, however many there are."""
    engine.agrees(lambda a: a * a * a * a, a=1.5)
    engine.agrees(lambda a, b: a + a * b + (a + 1) * (b + a) + a, a=1.5, b=-2.0)


@promise(exercise="1.3")
def test_equal_numbers_are_different_values(engine):
    """Two Values that hold the same number stay two Values."""
    engine.agrees(lambda a, b: a * b + a, a=3, b=3)
    engine.agrees(lambda a, b: (a + b) * (b + a) + 2 * a, a=2, b=2)
    engine.agrees(lambda a, b: (a + 1) * 2 + (b + 1) * 5, a=1, b=1)


@promise(exercise="1.3")
def test_gradients_set_to_zero_start_again(engine):
    """After `grad = 0`, a new graph over the same leaves gives the same gradients."""
    build = [["op", 2, "mul", {"r": 0}, {"r": 1}], ["op", 3, "add", {"r": 2}, {"r": 0}], ["backward", {"r": 3}]]
    zero = [["set", {"r": 0}, "grad", 0.0], ["set", {"r": 1}, "grad", 0.0]]
    read = [["get", {"r": 0}, "grad"], ["get", {"r": 1}, "grad"]]
    for a, b in engine.points(2.0, 3.0):
        code = (f"from value import Value\na = Value({a})\nb = Value({b})\n(a * b + a).backward()\n"
                "a.grad = b.grad = 0.0\n(a * b + a).backward()")
        reports = engine.reports([["new", 0, a], ["new", 1, b], *build, *zero, *build, *read], code)
        for name, yours, expected in zip(("a.grad", "b.grad"), reports, (b + 1, a), strict=True):
            engine.expect(name, yours, expected, code)


# 1.4 Diamonds: the order of the walk

@promise(exercise="1.4")
def test_diamond_of_sums(engine):
    """`b = a + a; c = b + b`: b is complete before it passes anything on."""
    def diamond(a):
        b = a + a
        return b + b
    engine.agrees(diamond, a=3.0)
    engine.agrees(lambda a: 3 * diamond(a), a=3.0)


@promise(exercise="1.4")
def test_one_graph_after_the_other(engine):
    """Graphs that are made and thrown away one after the other know nothing of each other."""
    build = [["op", 2, "mul", {"r": 0}, {"r": 1}], ["op", 2, "add", {"r": 2}, {"r": 0}], ["backward", {"r": 2}]]
    read = [["get", {"r": 0}, "grad"], ["get", {"r": 1}, "grad"]]
    for a, b in engine.points(2.0, 3.0):
        code = (f"import gc\nfrom value import Value\nfor k in range({ROUNDS}):\n"
                f"    a = Value({a})\n    b = Value({b})\n    out = a * b + a\n    out.backward()\n"
                "    print(k, a.grad, b.grad)\n    gc.collect()    # memory of this graph is free for the next one")
        one = [["new", 0, a], ["new", 1, b], *build, *read, ["collect"]]
        reports = engine.reports([["repeat", ROUNDS, one]], code)
        for k, yours in enumerate(reports):
            name, expected = (("a.grad", b + 1), ("b.grad", a))[k % 2]
            engine.expect(f"{name}, k = {k // 2}", yours, expected, code, why=OUTLIVES if k > 1 else None)


@promise(exercise="1.4")
def test_diamond_of_products(engine):
    """The same diamond with products."""
    def diamond(a):
        b = a * a
        return b * b
    engine.agrees(diamond, a=1.5)
    engine.agrees(lambda a, c: c * diamond(a), a=1.5, c=-2.0)


@promise(exercise="1.4")
def test_long_arm_and_short_arm(engine):
    """A node used near the root and far from it waits for both uses, in either order of the operands."""
    def short_and_long(a):
        b = a + a
        return b, b + b
    engine.agrees(lambda a: operator.add(*short_and_long(a)), a=1.0)
    engine.agrees(lambda a: operator.add(*reversed(short_and_long(a))), a=1.0)

    def arms(a, b):
        t = a * b
        far = ((t * 2) + 1) * a
        return t, far
    engine.agrees(lambda a, b: arms(a, b)[0] + arms(a, b)[1], a=2.0, b=3.0)

    def far_first(a, b):
        t, far = arms(a, b)
        return far * t

    def far_last(a, b):
        t, far = arms(a, b)
        return t * far
    engine.agrees(far_first, a=2.0, b=3.0)
    engine.agrees(far_last, a=2.0, b=3.0)


@promise(exercise="1.4")
def test_node_used_at_three_depths(engine):
    """A node used at three depths waits for all of them."""
    def deep_first(a):
        x = a * 2
        y = x * 3
        z = y * x
        return (z + x) * y + x

    def deep_last(a):
        x = a * 2
        y = 3 * x
        z = x * y
        return x + y * (x + z)
    engine.agrees(deep_first, a=1.5)
    engine.agrees(deep_last, a=1.5)


@promise(exercise="1.4")
def test_crossed_uses(engine):
    """Two nodes that both feed two others meet again at the root."""
    def crossed(a, b):
        s, p = a + b, a * b
        u, v = s * p, p + s
        return u * v + s
    engine.agrees(crossed, a=2.0, b=3.0)
    engine.agrees(crossed, a=2, b=2)


@promise(exercise="1.4")
def test_diamonds_in_a_row(engine):
    """Four diamonds in a row: each passes on its whole gradient once."""
    def row(a):
        for factor in (2, 3, -2, 0.5):
            a = a * factor + a
        return a
    engine.agrees(row, a=1.5)
    engine.agrees(lambda a: row(a) * row(a), a=1.5)


@promise(exercise="1.4")
def test_node_used_a_hundred_times(engine):
    """A node used a hundred times, at a hundred depths, passes on the sum of all contributions."""
    def fan(a):
        t = a * 3
        total = t + 1
        for k in range(100):
            total = total + t * k
        return total
    code = "t = a * 3\nout = t + 1\nfor k in range(100):\n    out = out + t * k\nout.backward()"
    engine.agrees(fan, code, a=0.5)


@promise(exercise="1.4")
def test_untidy_graph(engine):
    """Leaves and nodes used everywhere at once, as in real programs."""
    def untidy(a, b, c):
        t = a * b + c
        u = t * a + b * t
        v = u + t * c
        return (u * v + t) * c + v * a
    engine.agrees(untidy, a=1.5, b=-0.5, c=2)
    engine.agrees(untidy, a=2, b=2, c=2)


# 1.5 Sixty-seven million paths

def _levels(engine, combine, text: str, start: float) -> None:
    """Apply `combine`, written as `text`, 26 times, starting from a."""
    def levels(a):
        for _ in range(LEVELS_OF_TWO_PATHS):
            a = combine(a)
        return a
    engine.agrees(levels, f"out = a\nfor _ in range({LEVELS_OF_TWO_PATHS}):\n    out = {text}\nout.backward()", a=start)


@promise(exercise="1.5")
def test_sums_with_many_paths(engine):
    """26 times `out = out + out`: 2^26 paths, 27 nodes, each visited once."""
    _levels(engine, lambda out: out + out, "out + out", 1.0)


@promise(exercise="1.5")
def test_distinct_paths(engine):
    """26 levels with two different paths each: a walk along every path would never end."""
    _levels(engine, lambda out: 0.6 * out + out * 0.5, "0.6 * out + out * 0.5", 2.0)
