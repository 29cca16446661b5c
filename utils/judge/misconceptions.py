"""The catalogue: misconceptions about engines that are met in real code, each with the flaws that behave like it.

How often each was seen among 214 public engines is told by `seen`; an entry about one operation stands for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from utils.judge.flawed import REFLECTED, Flaw
from utils.judge.slips import Slip, local_derivatives, values

UNARY = ("neg", "relu", "tanh", "exp", "log", "sigmoid")
BINARY = ("add", "mul", "sub", "truediv")
OPERATIONS = (*BINARY, "pow", *UNARY)
METHODS = (*OPERATIONS, *REFLECTED)
WRITTEN = {"add": "+", "mul": "*", "sub": "-", "truediv": "/", "pow": "**", "neg": "-a", "radd": "2 + a",
           "rmul": "2 * a", "rsub": "2 - a", "rtruediv": "2 / a"}
EXERCISES = {"add": "1.3", "mul": "1.3", "radd": "1.1", "rmul": "1.1", "sub": "2.1", "rsub": "2.1", "neg": "2.1",
             "truediv": "2.2", "rtruediv": "2.2", "pow": "2.2", "relu": "2.3", "tanh": "2.3", "exp": "2.3", "log": "2.4",
             "sigmoid": "2.4"}


@dataclass(frozen=True)
class Misconception:
    """One way of being wrong.

    `flaws` behave so, each a shape in which it is met; `exercise` is the one whose hint helps. Entries of one `family`
    have one cure. An entry with a `fact` is named only where the source shows that fact (lint.py), and then before others
    that behave alike.
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


def _only(op: str) -> frozenset[str]:
    return frozenset({op})


def _entry(id: str, family: str, exercise: str, seen: str, says: str, *flaws: Flaw, fact: str | None = None) -> Misconception:
    return Misconception(id, says, flaws, exercise, seen, family, fact)


ADDS_UP = "which loses what it has received before. Each use adds its share: `+=`."
DROPPED = (lambda slope, out: slope)


def _rules() -> Iterator[Misconception]:
    """What goes wrong in the rule of one operation, whichever it is."""
    for op in METHODS:
        two, where = op in BINARY or op in REFLECTED, EXERCISES[op]
        firsts = (False, True) if two else (False,)
        yield _entry(f"overwrites-{op}", "overwrites", where, "7 of 211 engines in `+` or `*`, 23 in one other operation",
                     f"The rule of {_name(op)} sets an input's `grad` with `=`, {ADDS_UP}",
                     *(Flaw(assigns=_only(op), right_first=right) for right in firsts))
        yield _entry(f"drops-upstream-{op}", "drops-upstream", where, "5 of 211 engines",
                     f"The rule of {_name(op)} passes on its local derivative alone. Multiply it by the result's own gradient, "
                     "`out.grad`.", Flaw(shares={op: DROPPED}))
        yield _entry(f"adds-upstream-{op}", f"adds-upstream-{op}", where, "1 of 211 engines",
                     f"The rule of {_name(op)} adds `out.grad` to the local derivative. Multiply the two.",
                     Flaw(shares={op: lambda slope, out: slope + out.grad}))
        yield _entry(f"multiplies-by-data-{op}", f"multiplies-by-data-{op}", where, "a mutant",
                     f"The rule of {_name(op)} multiplies by the result's `data`. What comes from upstream is `out.grad`.",
                     Flaw(shares={op: lambda slope, out: slope * out.data}))
        yield _entry(f"negates-{op}", f"negates-{op}", where, "a mutant",
                     f"The gradients that {_name(op)} passes on have the wrong sign.",
                     Flaw(shares={op: lambda slope, out: -slope * out.grad}))
        yield _entry(f"unattached-{op}", f"unattached-{op}", where, "7 of 211 engines",
                     f"The value of {_name(op)} is right, but nothing flows back through it. Is its rule attached to `out`, under the "
                     "name that `backward()` calls, and is `out` made with its inputs as children?", Flaw(unattached=_only(op)))
        yield _entry(f"leaves-graph-{op}", f"leaves-graph-{op}", where, "2 of 187 engines",
                     f"The result of {_name(op)} is made without its inputs as children, so the walk stops there.",
                     Flaw(unattached=_only(op)), fact=f"leaves-graph:{op}")
        yield _entry(f"no-return-{op}", f"no-return-{op}", where, "3 of 142 engines",
                     f"{_name(op)} gives back nothing: its method has no `return out` at the end.", Flaw(returns={op: "nothing"}))
        yield _entry(f"returns-number-{op}", f"returns-number-{op}", where, "2 of 187 engines",
                     f"{_name(op)} gives back a plain number, so the graph ends there: make a Value of it.",
                     Flaw(returns={op: "a number"}))
        yield _entry(f"rule-called-{op}", f"rule-called-{op}", where, "a slip that beginners make",
                     f"{_name(op)} calls its rule at once and stores what it returns, None. Store the function: "
                     "`out._backward = _backward`, without brackets.", Flaw(slopes={op: _none_is_called}), fact=f"rule-called:{op}")
        if op not in UNARY:
            yield _entry(f"calls-itself-{op}", f"calls-itself-{op}", where, "2 of 190 engines",
                         f"{_name(op)} calls itself for ever: its method asks for the same operation again, on the same operands.",
                         Flaw(loops=_only(op)))


def _none_is_called(*_):
    raise TypeError("'NoneType' object is not callable")


def _sides() -> Iterator[Misconception]:
    """What goes wrong on one side of an operation with two inputs."""
    for op in BINARY:
        for k, side in enumerate(("left", "right")):
            line = _only(f"{op}.{k}")
            yield _entry(f"overwrites-{op}-{side}", "overwrites", EXERCISES[op], "7 of 211 engines in `+` or `*`",
                         f"The rule of {_name(op)} sets its {side} input's `grad` with `=`, {ADDS_UP}",
                         Flaw(assigns=line), Flaw(assigns=line, right_first=True))
            yield _entry(f"drops-upstream-{op}-{side}", "drops-upstream", EXERCISES[op], "5 of 211 engines",
                         f"The rule of {_name(op)} gives its {side} input the local derivative alone. Multiply it by the result's "
                         "own gradient, `out.grad`.", Flaw(shares={f"{op}.{k}": DROPPED}))
        yield _entry(f"one-share-{op}", "one-share", EXERCISES[op], "1 of 189 engines",
                     f"With the same Value on both sides of {_name(op)}, one of the two shares is lost: keep one for each operand, "
                     "not one for each object (a dict or set of operands holds it once).",
                     Flaw(second_wins=_only(op)), Flaw(second_wins=_only(op), right_first=True))
        yield _entry(f"set-of-inputs-{op}", "set-of-inputs", EXERCISES[op], "2 of 211 engines",
                     f"The rule of {_name(op)} unpacks its two inputs from a set, which holds the same Value only once. Use the "
                     "operands themselves, or a tuple.", Flaw(rereads=_only(op)))
        yield _entry(f"uncoerced-{op}", "uncoerced", "1.1" if op in ("add", "mul") else EXERCISES[op], "8 of 211 engines",
                     f"{_name(op)} reads `other.data`, which a plain number does not have: make it a Value first.",
                     Flaw(uncoerced=_only(op)))


def _widespread() -> Iterator[Misconception]:
    """The same in several rules."""
    two, every = frozenset({"add", "mul"}), frozenset(METHODS)
    for id, ops, which in (("add-mul", two, "The rules of `+` and `*` set"), ("everywhere", every, "Every rule sets")):
        yield _entry(f"overwrites-{id}", "overwrites", "1.3", "7 of 211 engines", f"{which} an input's `grad` with `=`, {ADDS_UP}",
                     Flaw(assigns=ops), Flaw(assigns=ops, right_first=True))
    for id, ops, which in (("add-mul", two, "The rules of `+` and `*` pass"), ("everywhere", every, "Every rule passes")):
        yield _entry(f"drops-upstream-{id}", "drops-upstream", "1.2", "5 of 211 engines", f"{which} on the local derivative alone. "
                     "Multiply it by the result's own gradient, `out.grad`.", Flaw(shares=dict.fromkeys(ops, DROPPED)))
    yield _entry("one-share-everywhere", "one-share", "1.3", "1 of 189 engines", "With the same Value on both sides of an operation, "
                 "one of the two shares is lost: keep one for each operand, not one for each object (a dict or set of operands "
                 "holds it once).", *(Flaw(second_wins=every, right_first=right) for right in (False, True)))
    yield _entry("set-of-inputs-everywhere", "set-of-inputs", "1.3", "2 of 211 engines", "Rules unpack their two inputs from a set, "
                 "which holds the same Value only once. Use the operands themselves, or a tuple.",
                 Flaw(rereads=every), Flaw(rereads=two))
    yield _entry("uncoerced-everywhere", "uncoerced", "1.1", "8 of 211 engines", "Operations read `other.data`, which a plain number "
                 "does not have: make it a Value first.", Flaw(uncoerced=frozenset(BINARY)), Flaw(uncoerced=two))


WALKS = (
    ("only-the-root", "1.2", "3 of 211 engines", "The root's inputs have gradients, nothing behind them has. Either only the root's "
     "rule runs, or the others run too early, while their own gradient is still 0: the root comes first (`reversed(order)`).",
     "root only"),
    ("walk-not-started", "1.2", "3 of 211 engines", "Only the root has a gradient: no rule is ever run.", "nothing"),
    ("nodes-twice", "1.4", "5 of 211 engines", "A node that is used twice stands in the order twice, so its rule runs twice: append "
     "it only when it is new.", "twice", "stack twice"),
    ("depth-first-order", "1.4", "2 of 211 engines", "A node passes its gradient on before all its users have added to it. Append a "
     "node after the recursive calls for its parents, not before, then go through the order backwards.", "depth first"),
    ("breadth-first-order", "1.4", "famous tests accept it", "Breadth first is no topological order: where one path is shorter than "
     "another, a node passes its gradient on before it is complete.", "breadth first", "breadth first, late"),
    ("recursive-accumulated", "1.4", "1 of 211 engines, and micrograd's first version", "Each visit passes on all that a node has "
     "accumulated so far, so its first share is counted again with the second. Visit a node once, when its gradient is complete.",
     "recursive", "recursive, shares"),
    ("seeds-every-node", "1.2", "a slip that beginners make", "`backward()` sets the gradient to 1 at every node that it calls itself "
     "on, not at the root alone.", "recursive, seeding"),
    ("no-visited-set", "1.5", "11 of 212 engines", "Nothing remembers which nodes were visited, so a node stands in the order once "
     "for every path, and there can be 2^26 of them. Keep a set of what was seen.", "unvisited"),
    ("every-path", "1.5", "11 of 212 engines", "The numbers are right, but every path is walked on its own, and there are 2^26 of "
     "them. Visit each node once.", "per path"),
)


def _walks() -> Iterator[Misconception]:
    """What goes wrong in `backward()` itself."""
    yield _entry("seed-missing", "seed-missing", "1.2", "3 of 211 engines", "Every gradient is 0, the root's own too: `backward()` "
                 "never sets it to 1, or never comes that far.", Flaw(seed=0.0))
    yield _entry("backward-hidden", "seed-missing", "1.2", "3 of 211 engines", "Every gradient is 0: each Value has an attribute "
                 "`backward` of its own, which hides the method. Call the attribute `_backward`.", Flaw(seed=0.0, walk="nothing"),
                 fact="backward-hidden")
    yield _entry("seed-not-one", "seed-not-one", "1.2", "a mutant", "Every gradient is twice what it should be: the root's gradient "
                 "starts at 2.", Flaw(seed=2.0))
    for id, exercise, seen, says, *walks in WALKS:
        yield _entry(id, id, exercise, seen, says, *(Flaw(walk=walk) for walk in walks))
    yield _entry("equal-by-value", "equal-by-value", "1.3", "2 of 214 engines", "Two nodes that hold equal numbers are taken for one, "
                 "and one of them is skipped: keep track of nodes by identity, not by value.",
                 Flaw(equal="data"), Flaw(equal="structure"))
    yield _entry("updates-in-backward", "updates-in-backward", "1.3", "2 of 214 engines", "`backward()` changes `data`. It only fills "
                 "in `grad`; taking a step is the training loop's work.",
                 *(Flaw(step=sign * rate) for rate in (0.1, 0.01, 0.001, 0.05, 0.5, 1.0) for sign in (-1, 1)))


def _slips(slips: Iterable[Slip]) -> Iterator[Misconception]:
    for slip in slips:
        yield Misconception(slip.id, slip.says, slip.flaws, EXERCISES[slip.op], slip.seen, slip.id)


@lru_cache
def catalogue() -> dict[str, Misconception]:
    """Every entry by its id."""
    entries = [*_walks(), *_widespread(), *_rules(), *_sides(), *_slips(local_derivatives()), *_slips(values())]
    return {entry.id: entry for entry in entries}


# Entries that are met together and hide each other: no single one explains any failing program.
HIDING = (("overwrites-add-mul", "depth-first-order"), ("overwrites-add-mul", "recursive-accumulated"),
          ("overwrites-add-mul", "drops-upstream-add-mul"), ("overwrites-everywhere", "depth-first-order"),
          ("overwrites-everywhere", "recursive-accumulated"), ("overwrites-everywhere", "nodes-twice"),
          ("overwrites-add-mul", "nodes-twice"))


def says(id: str) -> str | None:
    """The sentence of an id as reports hold it: one entry's, or those of several joined by "+"; None for an unknown one."""
    known = catalogue()
    parts = id.split("+")
    return " And: ".join(known[part].says for part in parts) if all(part in known for part in parts) else None
