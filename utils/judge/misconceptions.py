"""The catalogue: misconceptions about engines that are met in real code, each with the flaws that behave like it.

How often each was seen among 214 public engines is told by `seen`; an entry about one operation stands for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from utils.judge.flawed import REFLECTED, Flaw, Node
from utils.judge.slips import Slip, local_derivatives, values

UNARY = ("neg", "relu", "tanh", "exp", "log", "sigmoid")
BINARY = ("add", "mul", "sub", "truediv")
OPERATIONS = (*BINARY, "pow", *UNARY)
METHODS = (*OPERATIONS, *REFLECTED)
WRITTEN = {"add": "+", "mul": "*", "sub": "-", "truediv": "/", "pow": "**", "neg": "-a", "radd": "2 + a",
           "rmul": "2 * a", "rsub": "2 - a", "rtruediv": "2 / a"}
EXERCISES = {"add": "1.3", "mul": "1.3", "radd": "1.1", "rmul": "1.1", "sub": "2.1", "rsub": "2.1", "neg": "2.1",
             "truediv": "2.2", "rtruediv": "2.2", "pow": "2.2", "relu": "2.3", "tanh": "2.3", "exp": "2.3",
             "log": "2.4",
             "sigmoid": "2.4"}


@dataclass(frozen=True)
class Misconception:
    """One way of being wrong.

    `flaws` behave so, each a shape in which it is met; `exercise` is the one whose hint helps. Entries of one `family`
    have one cure. An entry with a `fact` is named only where the source shows that fact (lint.py), and then before
    others that behave alike.
    """

    id: str
    says: str
    flaws: tuple[Flaw, ...]
    exercise: str
    seen: str
    family: str
    fact: str | None = None


def _name(op: str) -> str:
    return f"`{WRITTEN.get(op, op)}`"


def _entry(id: str, family: str, exercise: str, seen: str, says: str, *flaws: Flaw,
           fact: str | None = None) -> Misconception:
    return Misconception(id, says, flaws, exercise, seen, family, fact)


ADDS_UP = "which loses what it has received before. Each use adds its share: `+=`."
BEGINNERS = "a slip that beginners make"


def _dropped(slope: float, out: Node) -> float:
    return slope


def _none_is_called(*_):
    raise TypeError("'NoneType' object is not callable")


# What goes wrong in the rule of one operation, whichever it is: how the id begins, how often it was seen, the sentence.
RULES = {
    "overwrites": ("7 of 211 engines in `+` or `*`, 23 in one other operation",
                   "The rule of {} sets an input's `grad` with `=`, " + ADDS_UP),
    "drops-upstream": ("5 of 211 engines", "The rule of {} passes on its local derivative alone. Multiply it by the "
                       "result's own gradient, `out.grad`."),
    "adds-upstream": ("1 of 211 engines", "The rule of {} adds `out.grad` to the local derivative. Multiply the two."),
    "multiplies-by-data": ("a mutant", "The rule of {} multiplies by the result's `data`. What comes from upstream is "
                           "`out.grad`."),
    "negates": ("a mutant", "The gradients that {} passes on have the wrong sign."),
    "unattached": ("7 of 211 engines", "The value of {} is right, but nothing flows back through it: its rule never "
                   "runs, or adds nothing. Is it attached to `out`, under the name that `backward()` calls, and is "
                   "`out` made with its inputs as children?"),
    "leaves-graph": ("2 of 187 engines", "The result of {} is made without its inputs as children, so the walk stops "
                     "there."),
    "no-children": ("2 of 187 engines", "The rule of {} is right, but its result is made without its inputs as "
                    "children: the walk stops there, and what lies behind them gets nothing."),
    "no-return": ("3 of 142 engines", "{} gives back nothing: its method has no `return out` at the end."),
    "returns-number": ("2 of 187 engines", "{} gives back a plain number, so the graph ends there: make a Value of "
                       "it."),
    "rule-called": (BEGINNERS, "{} calls its rule at once and stores what it returns, None. Store the function: "
                    "`out._backward = _backward`, without brackets."),
    "calls-itself": ("2 of 190 engines", "{} calls itself for ever: its method asks for the same operation again, on "
                     "the same operands."),
}
ONE_CURE = ("overwrites", "drops-upstream")         # for which the cure is one, whatever the operation
SIGN_OF_ITS_OWN = ("neg", "rsub", "rtruediv")       # "negates" would be the same as another entry


def _rules() -> Iterator[Misconception]:
    for op in METHODS:
        ops, two = frozenset({op}), op in BINARY or op in REFLECTED
        flaws = {
            "overwrites": [Flaw(assigns=ops, right_first=right) for right in ((False, True) if two else (False,))],
            "drops-upstream": [Flaw(shares={op: _dropped})],
            "adds-upstream": [Flaw(shares={op: lambda slope, out: slope + out.grad})],
            "multiplies-by-data": [Flaw(shares={op: lambda slope, out: slope * out.data})],
            "negates": [Flaw(shares={op: lambda slope, out: -slope * out.grad})] if op not in SIGN_OF_ITS_OWN else [],
            "unattached": [Flaw(unattached=ops)],
            "leaves-graph": [Flaw(unattached=ops)],
            "no-children": [Flaw(childless=ops)],
            "no-return": [Flaw(returns={op: "nothing"})],
            "returns-number": [Flaw(returns={op: "a number"})],
            "rule-called": [Flaw(slopes={op: _none_is_called})],
            "calls-itself": [Flaw(loops=ops)] if op not in UNARY else [],
        }
        for kind, shapes in flaws.items():
            seen, says = RULES[kind]
            if shapes:
                yield _entry(f"{kind}-{op}", kind if kind in ONE_CURE else f"{kind}-{op}", EXERCISES[op], seen,
                             says.format(_name(op)), *shapes,
                             fact=f"{kind}:{op}" if kind in ("leaves-graph", "rule-called") else None)


def _rereading(ops: frozenset[str]) -> Iterator[Flaw]:
    """`a, b = inputs`, `rule(*inputs)` and `list(inputs)[1]`, of a set that holds one."""
    return (Flaw(rereads=ops, reread_error=error) for error in ("ValueError", "TypeError", "IndexError"))


def _sides() -> Iterator[Misconception]:
    """What goes wrong on one side of an operation with two inputs."""
    for op in BINARY:
        for k, side in enumerate(("left", "right")):
            line = frozenset({f"{op}.{k}"})
            yield _entry(f"overwrites-{op}-{side}", "overwrites", EXERCISES[op], "7 of 211 engines in `+` or `*`",
                         f"The rule of {_name(op)} sets its {side} input's `grad` with `=`, {ADDS_UP}",
                         Flaw(assigns=line), Flaw(assigns=line, right_first=True))
            yield _entry(f"drops-upstream-{op}-{side}", "drops-upstream", EXERCISES[op], "5 of 211 engines",
                         f"The rule of {_name(op)} gives its {side} input the local derivative alone. Multiply it by "
                         "the result's own gradient, `out.grad`.", Flaw(shares={f"{op}.{k}": _dropped}))
        yield _entry(f"one-share-{op}", "one-share", EXERCISES[op], "1 of 189 engines",
                     f"With the same Value on both sides of {_name(op)}, one of the two shares is lost: keep one for "
                     "each operand, not one for each object (a dict or set of operands holds it once).",
                     Flaw(second_wins=frozenset({op})), Flaw(second_wins=frozenset({op}), right_first=True))
        yield _entry(f"set-of-inputs-{op}", "set-of-inputs", EXERCISES[op], "2 of 211 engines",
                     f"The rule of {_name(op)} unpacks its two inputs from a set, which holds the same Value only "
                     "once. Use the operands themselves, or a tuple.", *_rereading(frozenset({op})))
        yield _entry(f"uncoerced-{op}", "uncoerced", "1.1" if op in ("add", "mul") else EXERCISES[op],
                     "8 of 211 engines",
                     f"{_name(op)} reads `other.data`, which a plain number does not have: make it a Value first.",
                     Flaw(uncoerced=frozenset({op})))


def _widespread() -> Iterator[Misconception]:
    """The same in several rules."""
    two, every = frozenset({"add", "mul"}), frozenset(METHODS)
    for id, ops, which in (("add-mul", two, "The rules of `+` and `*` set"), ("everywhere", every, "Every rule sets")):
        yield _entry(f"overwrites-{id}", "overwrites", "1.3", "7 of 211 engines",
                     f"{which} an input's `grad` with `=`, {ADDS_UP}",
                     Flaw(assigns=ops), Flaw(assigns=ops, right_first=True))
    for id, ops, which in (("add-mul", two, "The rules of `+` and `*` pass"),
                           ("everywhere", every, "Every rule passes")):
        yield _entry(f"drops-upstream-{id}", "drops-upstream", "1.2", "5 of 211 engines",
                     f"{which} on the local derivative alone. Multiply it by the result's own gradient, `out.grad`.",
                     Flaw(shares=dict.fromkeys(ops, _dropped)))
    yield _entry("one-share-everywhere", "one-share", "1.3", "1 of 189 engines",
                 "With the same Value on both sides of an operation, one of the two shares is lost: keep one for each "
                 "operand, not one for each object (a dict or set of operands holds it once).",
                 *(Flaw(second_wins=every, right_first=right) for right in (False, True)))
    yield _entry("set-of-inputs-everywhere", "set-of-inputs", "1.3", "2 of 211 engines",
                 "Rules unpack their two inputs from a set, which holds the same Value only once. Use the operands "
                 "themselves, or a tuple.", *_rereading(every), *_rereading(two))
    yield _entry("uncoerced-everywhere", "uncoerced", "1.1", "8 of 211 engines",
                 "Operations read `other.data`, which a plain number does not have: make it a Value first.",
                 Flaw(uncoerced=frozenset(BINARY)), Flaw(uncoerced=two))


# What goes wrong in `backward()` itself: exercise, how often seen, sentence, and the walks that behave so (walks.py).
WALKS = {
    "only-the-root": (
        "1.2", "3 of 211 engines", "The root's inputs have gradients, nothing behind them has. Either only the root's "
        "rule runs, or the others run too early, while their own gradient is still 0: the root comes first "
        "(`reversed(order)`).", "root only"),
    "walk-not-started": (
        "1.2", "3 of 211 engines", "Only the root has a gradient: no rule is ever run.", "nothing"),
    "nodes-twice": (
        "1.4", "5 of 211 engines", "A node that is used twice stands in the order twice, so its rule runs twice: "
        "append it only when it is new.", "twice", "stack twice"),
    "depth-first-order": (
        "1.4", "2 of 211 engines", "A node passes its gradient on before all its users have added to it. Append a "
        "node after the recursive calls for its parents, not before, then go through the order backwards.",
        "depth first"),
    "breadth-first-order": (
        "1.4", "famous tests accept it", "Breadth first is no topological order: where one path is shorter than "
        "another, a node passes its gradient on before it is complete.", "breadth first", "breadth first, late"),
    "recursive-accumulated": (
        "1.4", "1 of 211 engines", "Each call passes on all that a node has accumulated so far, so its first share is "
        "counted again with the second. Visit a node once, when its gradient is complete.", "recursive, shares"),
    "seeds-every-node": (
        "1.2", BEGINNERS, "`backward()` sets the gradient to 1 at every node that it calls itself on, not at the root "
        "alone.", "recursive, seeding"),
    "no-visited-set": (
        "1.4", "11 of 212 engines, and micrograd's first version", "A node's rule runs once for every way that leads "
        "to it, each time on all that has arrived so far, so its first share is passed on again with the second. "
        "Remember which nodes were visited: each rule runs once, after all users of its node.",
        "unvisited", "recursive"),
    "every-path": (
        "1.5", "11 of 212 engines", "Something follows every path through the graph, and there are 2^26 of "
        "them. Either calls do not remember where they have been: visit each node once. Or comparing two nodes "
        "compares the whole graphs behind them, as the `__eq__` and `__hash__` that a dataclass writes do: compare "
        "nodes by identity.",
        "per path"),
}


def _walks() -> Iterator[Misconception]:
    yield _entry("seed-missing", "seed-missing", "1.2", "3 of 211 engines", "Every gradient is 0, the root's own too: "
                 "`backward()` never sets it to 1, or never comes that far.", Flaw(seed=0.0))
    yield _entry("backward-hidden", "seed-missing", "1.2", "3 of 211 engines", "Every gradient is 0: each Value has "
                 "an attribute `backward` of its own, which hides the method. Call the attribute `_backward`.",
                 Flaw(seed=0.0, walk="nothing"), fact="backward-hidden")
    yield _entry("seed-not-one", "seed-not-one", "1.2", "a mutant", "Every gradient is twice what it should be: the "
                 "root's gradient starts at 2.", Flaw(seed=2.0))
    for id, (exercise, seen, says, *walks) in WALKS.items():
        yield _entry(id, id, exercise, seen, says, *(Flaw(walk=walk) for walk in walks))
    yield _entry("equal-by-value", "equal-by-value", "1.3", "2 of 214 engines", "Two nodes that hold equal numbers are "
                 "taken for one, and one of them is skipped: keep track of nodes by identity, not by value.",
                 Flaw(equal="data"), Flaw(equal="structure"))
    yield _entry("updates-in-backward", "updates-in-backward", "1.3", "2 of 214 engines", "`backward()` changes "
                 "`data`. It only fills in `grad`; taking a step is the training loop's work.",
                 *(Flaw(step=sign * rate) for rate in (0.1, 0.01, 0.001, 0.05, 0.5, 1.0) for sign in (-1, 1)))


def _slips(slips: Iterable[Slip]) -> Iterator[Misconception]:
    for slip in slips:
        yield Misconception(slip.id, slip.says, slip.flaws, EXERCISES[slip.op], slip.seen, slip.id)


@lru_cache
def sections() -> dict[str, tuple[Misconception, ...]]:
    """The entries under the headings of the catalogue's page."""
    makers = {"The walk": _walks(), "Several operations at once": _widespread(), "The rule of one operation": _rules(),
              "One of two inputs": _sides(), "Local derivatives": _slips(local_derivatives()),
              "Values": _slips(values())}
    return {title: tuple(entries) for title, entries in makers.items()}


@lru_cache
def catalogue() -> dict[str, Misconception]:
    """Every entry by its id."""
    return {entry.id: entry for entries in sections().values() for entry in entries}


# Entries that are met together and hide each other: no single one explains any failing program.
HIDING = (("overwrites-add-mul", "depth-first-order"), ("overwrites-add-mul", "recursive-accumulated"),
          ("overwrites-add-mul", "drops-upstream-add-mul"), ("overwrites-everywhere", "depth-first-order"),
          ("overwrites-everywhere", "recursive-accumulated"), ("overwrites-everywhere", "nodes-twice"),
          ("overwrites-add-mul", "nodes-twice"))
