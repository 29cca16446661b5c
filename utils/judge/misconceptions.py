"""The catalogue: misconceptions about engines that are met in real code, each with the flaw that behaves like it.

How often each was seen among 211 public engines is told by `seen`; an entry about one operation stands for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from utils.judge.flawed import SLOPES, VALUES, Flaw, Stop

UNARY = ("neg", "relu", "tanh", "exp", "log", "sigmoid")
BINARY = ("add", "mul", "sub", "truediv")
OPERATIONS = (*BINARY, "pow", *UNARY)
WRITTEN = {"add": "+", "mul": "*", "sub": "-", "truediv": "/", "pow": "**", "neg": "unary -", "radd": "number +",
           "rmul": "number *", "rsub": "number -", "rtruediv": "number /"}


@dataclass(frozen=True)
class Misconception:
    """One way of being wrong: an id, a sentence to the learner, the flaw that behaves so, the exercise whose hint helps."""

    id: str
    says: str
    flaw: Flaw
    exercise: str
    seen: str


def _name(op: str) -> str:
    return f"`{WRITTEN[op]}`" if op in WRITTEN else f"`{op}`"


def _only(op: str) -> frozenset[str]:
    return frozenset({op})


EXERCISES = {"add": "1.3", "mul": "1.3", "sub": "2.1", "neg": "2.1", "truediv": "2.2", "pow": "2.2", "relu": "2.3",
             "tanh": "2.3", "exp": "2.3", "log": "2.4", "sigmoid": "2.4"}


def _each_operation() -> Iterator[Misconception]:
    for op in OPERATIONS:
        written, where = _name(op), EXERCISES[op]
        yield Misconception(f"overwrites-{op}", f"The rule of {written} sets an input's `grad` with `=`, which loses what "
                            "it has received before. Each use adds its share: `+=`.", Flaw(assigns=_only(op)), where,
                            "7 engines in `+` or `*`, 23 in one other operation")
        yield Misconception(f"drops-upstream-{op}", f"The rule of {written} passes on its local derivative alone. Multiply "
                            "it by the result's own gradient, `out.grad`.", Flaw(drops_upstream=_only(op)), where,
                            "5 engines")
        yield Misconception(f"unattached-{op}", f"{written} computes its value, but its rule never runs: is it attached to "
                            "`out`, under the right name?", Flaw(unattached=_only(op)), where, "7 engines")
        if op not in BINARY:
            yield Misconception(f"leaves-graph-{op}", f"The result of {written} has no parents, so the walk stops there: "
                                "make it with its inputs as children.", Flaw(leaves_graph=_only(op)), where, "2 engines")
    for op in BINARY:
        for k, side in enumerate(("left", "right")):
            yield Misconception(f"overwrites-{op}-{side}", f"The rule of {_name(op)} sets its {side} input's `grad` with `=`, "
                                "which loses what it has received before. Each use adds its share: `+=`.",
                                Flaw(assigns=_only(f"{op}.{k}")), EXERCISES[op], "7 engines in `+` or `*`")
            yield Misconception(f"drops-upstream-{op}-{side}", f"The rule of {_name(op)} gives its {side} input the local "
                                "derivative alone. Multiply it by the result's own gradient, `out.grad`.",
                                Flaw(drops_upstream=_only(f"{op}.{k}")), EXERCISES[op], "5 engines")
        yield Misconception(f"one-share-{op}", f"With the same value on both sides of {WRITTEN[op]}, one of the two shares "
                            "is lost: keep a share for each operand, not for each object.", Flaw(second_wins=_only(op)),
                            EXERCISES[op], "1 engine keeps its derivatives by operand")


def _slope(id: str, op: str, says: str, slopes: Callable, seen: str = "10 engines have a wrong local derivative"):
    return Misconception(id, says, Flaw(slopes={op: slopes}), EXERCISES[op], seen)


def _local_derivatives() -> Iterator[Misconception]:
    yield _slope("mul-own-data", "mul", "In `a * b` each input's local derivative is the other input's data; yours uses its own.",
                 lambda a, b, y: (a, b))
    yield _slope("mul-left-twice", "mul", "In `a * b` the local derivative for a is b; yours is a, for both.",
                 lambda a, b, y: (a, a))
    yield _slope("mul-right-twice", "mul", "In `a * b` the local derivative for b is a; yours is b, for both.",
                 lambda a, b, y: (b, b))
    yield _slope("mul-like-add", "mul", "In `a * b` the local derivatives are b and a; yours are 1 and 1, those of a sum.",
                 lambda a, b, y: (1.0, 1.0))
    yield _slope("mul-other-missing", "mul", "In `a * b` only the left input receives its share.", lambda a, b, y: (b, 0.0))
    yield _slope("mul-self-missing", "mul", "In `a * b` only the right input receives its share.", lambda a, b, y: (0.0, a))
    yield _slope("add-other-missing", "add", "In `a + b` only the left input receives its share.", lambda a, b, y: (1.0, 0.0))
    yield _slope("add-self-missing", "add", "In `a + b` only the right input receives its share.", lambda a, b, y: (0.0, 1.0))
    yield _slope("add-passes-data", "add", "In `a + b` the local derivative is 1 for both; yours is the other input's data.",
                 lambda a, b, y: (b, a))
    yield _slope("sub-same-sign", "sub", "In `a - b` the local derivative for b is -1; yours is 1.", lambda a, b, y: (1.0, 1.0),
                 "3 engines")
    yield _slope("neg-positive", "neg", "The local derivative of -a is -1; yours is 1.", lambda a, y: (1.0,))
    yield _slope("truediv-sign", "truediv", "In `a / b` the local derivative for b is -a / b**2; yours lacks the minus sign.",
                 lambda a, b, y: (1 / b, a / b**2))
    yield _slope("truediv-not-squared", "truediv", "In `a / b` the local derivative for b is -a / b**2; yours divides by b once.",
                 lambda a, b, y: (1 / b, -a / b))
    yield _slope("pow-exponent-not-lowered", "pow", "The derivative of a**n is n * a**(n - 1); yours keeps the exponent n.",
                 lambda a, n, y: (n * y, 0.0))
    yield _slope("pow-no-factor", "pow", "The derivative of a**n is n * a**(n - 1); yours lacks the factor n.",
                 lambda a, n, y: (a ** (n - 1), 0.0))
    yield _slope("relu-inverted", "relu", "relu passes the gradient where its input is positive; yours passes it where it is not.",
                 lambda a, y: (0.0 if a > 0 else 1.0,))
    yield _slope("relu-always", "relu", "relu stops the gradient where its input is negative; yours passes it everywhere.",
                 lambda a, y: (1.0,))
    yield _slope("relu-passes-data", "relu", "The local derivative of relu is 1 or 0; yours is the input's own data.",
                 lambda a, y: (a if a > 0 else 0.0,))
    yield _slope("tanh-not-squared", "tanh", "The derivative of tanh is 1 - t**2; yours is 1 - t.", lambda a, y: (1 - y,))
    yield _slope("tanh-of-input", "tanh", "The derivative of tanh is 1 - t**2 with t the result; yours squares the input.",
                 lambda a, y: (1 - a * a,))
    yield _slope("tanh-like-sigmoid", "tanh", "The derivative of tanh is 1 - t**2; yours is t * (1 - t), that of sigmoid.",
                 lambda a, y: (y * (1 - y),))
    yield _slope("exp-of-input", "exp", "The derivative of exp is exp itself, the result's data; yours is the input's data.",
                 lambda a, y: (a,))
    yield _slope("exp-twice", "exp", "The derivative of exp is its result; yours takes exp of the result once more.",
                 lambda a, y: (math.exp(y),))
    yield _slope("exp-like-power", "exp", "The derivative of e**a is e**a; yours is a * e**(a - 1), the rule for a power.",
                 lambda a, y: (a * math.exp(a - 1),))
    yield _slope("log-of-result", "log", "The derivative of log is 1 / a with a the input; yours divides by the result.",
                 lambda a, y: (1 / y,))
    yield _slope("sigmoid-of-input", "sigmoid", "The derivative of sigmoid is s * (1 - s) with s the result; yours uses the input.",
                 lambda a, y: (a * (1 - a),))
    yield _slope("sigmoid-half", "sigmoid", "The derivative of sigmoid is s * (1 - s); yours is one of the two factors.",
                 lambda a, y: (y,))
    yield _slope("sigmoid-other-half", "sigmoid", "The derivative of sigmoid is s * (1 - s); yours is 1 - s alone.",
                 lambda a, y: (1 - y,))


def _value(id: str, op: str, exercise: str, says: str, seen: str, value: Callable, slopes: Callable | None = None):
    return Misconception(id, says, Flaw(values={op: value}, slopes={op: slopes} if slopes else {}), exercise, seen)


def _overflowing_tanh(x: float) -> float:
    e = math.exp(2 * x)
    return (e - 1) / (e + 1)


def _values() -> Iterator[Misconception]:
    yield _value("rsub-turned", "rsub", "2.1", "`2 - a` gives a - 2: in `__rsub__` the other operand stands on the left.",
                 "17 of 118 engines", lambda a, b: b - a, lambda a, b, y: (-1.0, 1.0))
    yield _value("rtruediv-turned", "rtruediv", "2.2", "`2 / a` gives a / 2: in `__rtruediv__` the other operand stands on top.",
                 "4 of 95 engines", lambda a, b: b / a, lambda a, b, y: (-b / a**2, 1 / a))
    yield _value("rtruediv-drops-number", "rtruediv", "2.2", "`2 / a` gives 1 / a: the number on top is forgotten.",
                 "1 of 95 engines", lambda a, b: 1 / b, lambda a, b, y: (0.0, -1 / b**2))
    yield _value("rmul-adds", "rmul", "1.1", "`2 * a` gives 2 + a: `__rmul__` holds the body of `__radd__`.",
                 "10 engines define a method twice or copy one", lambda a, b: a + b, lambda a, b, y: (1.0, 1.0))
    yield _value("radd-multiplies", "radd", "1.1", "`2 + a` gives 2 * a: `__radd__` holds the body of `__rmul__`.",
                 "10 engines define a method twice or copy one", lambda a, b: a * b, lambda a, b, y: (b, a))
    yield _value("radd-subtracts", "radd", "1.1", "`2 + a` gives a - 2: a second `__radd__` further down, meant as `__rsub__`?",
                 "1 of 214 engines", lambda a, b: b - a, lambda a, b, y: (-1.0, 1.0))
    yield _value("sub-turned", "sub", "2.1", "`a - b` gives b - a.", "3 of 189 engines", lambda a, b: b - a,
                 lambda a, b, y: (-1.0, 1.0))
    yield _value("sub-adds", "sub", "2.1", "`a - b` gives a + b: the minus sign is lost.", "3 of 189 engines",
                 lambda a, b: a + b, lambda a, b, y: (1.0, 1.0))
    yield _value("sigmoid-is-tanh", "sigmoid", "2.4", "Your sigmoid computes tanh: a body that was copied.", "1 of 35 engines",
                 math.tanh, lambda a, y: (1 - y * y,))
    yield _value("tanh-overflows", "tanh", "2.4", "`(exp(2x) - 1) / (exp(2x) + 1)` overflows for x above 355: use `math.tanh`.",
                 "126 of 157 engines", _overflowing_tanh)
    yield _value("sigmoid-overflows", "sigmoid", "2.4", "`1 / (1 + exp(-x))` overflows for x far below 0: treat the two signs "
                 "apart, so that exp only sees numbers up to 0.", "26 of 32 engines", lambda x: 1 / (1 + math.exp(-x)))
    yield _value("log-with-epsilon", "log", "2.4", "`log(x + 1e-6)` is the logarithm of another number: its gradient is off "
                 "for small x.", "4 of 142 engines clamp or pad", lambda x: math.log(x + 1e-6), lambda a, y: (1 / (a + 1e-6),))
    yield Misconception("pow-always-takes-log", "`(-2)**3` needs no logarithm: with a constant exponent leave the exponent's "
                        "own gradient out, and log is never called.",
                        Flaw(values={"pow": _power_with_log}), "2.2", "3 of 190 engines")
    yield Misconception("pow-silent-exponent", "`a**b` with a Value b leaves b without a gradient, silently. Give b its own, "
                        "a**b * log(a), or refuse it with a TypeError.",
                        Flaw(slopes={"pow-silent": SLOPES["pow"]}), "2.2", "11 of 190 engines")


def _power_with_log(a: float, n: float) -> float:
    if a <= 0:
        raise Stop("raised")
    return VALUES["pow"](a, n)


def _stops(op: str, kind: str, exercise: str, id: str, says: str, seen: str) -> Misconception:
    return Misconception(id, says, Flaw(stops={op: kind}), exercise, seen)


def _errors() -> Iterator[Misconception]:
    for op, exercise in (("radd", "1.1"), ("rmul", "1.1"), ("rsub", "2.1"), ("rtruediv", "2.2")):
        yield _stops(op, "recursion", exercise, f"{op}-calls-itself", f"`{WRITTEN[op]} a` calls itself for ever: inside "
                     f"`__{op}__`, `other {WRITTEN[op[1:]]} self` asks `__{op}__` again.", "2 of 190 engines")


def _walks() -> Iterator[Misconception]:
    yield Misconception("seed-missing", "Every gradient is 0: the root's own gradient is never set to 1.", Flaw(seed=0.0), "1.2",
                        "3 engines")
    yield Misconception("seed-not-one", "Every gradient is twice what it should be: the root's gradient starts at 2.",
                        Flaw(seed=2.0), "1.2", "a mutant")
    walks = (
        ("stops-at-root", "root only", "1.2", "Only the root's rule runs: its inputs have gradients, nothing behind them has.",
         "3 engines"),
        ("walk-not-started", "nothing", "1.2", "Only the root has a gradient: no rule is ever run.", "3 engines"),
        ("not-reversed", "not reversed", "1.4", "The rules run from the leaves to the root, so most of them run while their own "
         "gradient is still 0. Go through the order backwards.", "a mutant"),
        ("nodes-twice", "twice", "1.4", "A node that is used twice stands in the order twice, so its rule runs twice: append it "
         "only when it is new.", "5 engines"),
        ("depth-first-order", "depth first, left", "1.4", "A node passes its gradient on before all its users have added to it: "
         "put a node behind its parents (after the recursive calls), then reverse.", "2 engines"),
        ("depth-first-order-right", "depth first, right", "1.4", "A node passes its gradient on before all its users have added "
         "to it: put a node behind its parents, then reverse.", "2 engines"),
        ("breadth-first-order", "breadth first", "1.4", "Breadth first is no topological order: where one path is shorter than "
         "another, a node passes its gradient on before it is complete.", "a mutant that famous tests accept"),
        ("recursive-accumulated", "recursive", "1.4", "Each call passes on all that has been accumulated so far, so the first "
         "share is counted again with the second. Visit a node once, when its gradient is complete.", "1 engine, and "
         "micrograd's first version"),
        ("no-visited-set", "unvisited", "1.5", "Nothing remembers which nodes were visited, so a node stands in the order once for "
         "every path, and there can be 2^26 of them. Keep a set of what was seen.", "11 of 212 engines"),
        ("every-path", "per path", "1.5", "The numbers are right, but every path is walked on its own, and there are 2^26 of "
         "them. Visit each node once.", "11 of 212 engines"),
    )
    for id, walk, exercise, says, seen in walks:
        yield Misconception(id, says, Flaw(walk=walk), exercise, seen)
    yield Misconception("equal-by-value", "Two nodes that hold equal numbers are taken for one, and one of them is skipped: "
                        "keep track of nodes by identity, not by value.", Flaw(equal_by_value=True), "1.3", "2 of 214 engines")
    both = frozenset({"add", "mul"})
    yield Misconception("overwrites-add-mul", "The rules of `+` and `*` set an input's `grad` with `=`, which loses what it has "
                        "received before. Each use adds its share: `+=`.", Flaw(assigns=both), "1.3", "7 engines")
    yield Misconception("overwrites-everywhere", "Every rule sets an input's `grad` with `=`, which loses what it has received "
                        "before. Each use adds its share: `+=`.", Flaw(assigns=frozenset(OPERATIONS)), "1.3", "7 engines")
    yield Misconception("drops-upstream-everywhere", "Every rule passes on its local derivative alone. Multiply it by the "
                        "result's own gradient, `out.grad`.", Flaw(drops_upstream=frozenset(OPERATIONS)), "1.2", "5 engines")


PAIRED = ("overwrites-add-mul", "overwrites-exp", "overwrites-relu", "overwrites-tanh", "rsub-turned", "rtruediv-turned",
          "depth-first-order", "recursive-accumulated", "drops-upstream-tanh", "tanh-overflows", "sigmoid-overflows",
          "pow-silent-exponent", "seed-missing")


@lru_cache
def catalogue() -> dict[str, Misconception]:
    """Every entry by its id."""
    makers = (_walks, _each_operation, _local_derivatives, _values, _errors)
    return {m.id: m for make in makers for m in make()}


@lru_cache
def pairs() -> tuple[tuple[Misconception, Misconception], ...]:
    """Entries that do occur together, two by two; tried only where no single entry matches."""
    known = catalogue()
    return tuple(combinations((known[id] for id in PAIRED), 2))
