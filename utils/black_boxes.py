"""The five broken engines of exercise 2.6: `A` to `E`, classes to use like your own `Value`, each with one flaw.

Which flaw is in which box is drawn from a seed, one from each group below, so that everybody has the same five. The
engines themselves are the judge's imitations of flaws that are met in real code (utils/judge/flawed.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from random import Random

from utils.judge.flawed import Engine, Flaw, Node, Stop, Style, Unsupported
from utils.judge.misconceptions import Misconception, catalogue
from utils.judge.program import METHODS, SYMBOLS
from utils.judge.walks import backward

EXERCISE, SEED = "2.6", 26
LETTERS = "ABCDE"
GROUPS = (("overwrites-mul", "overwrites-tanh", "one-share-add"),
          ("drops-upstream-exp", "multiplies-by-data-sigmoid", "adds-upstream-pow"),
          ("depth-first-order", "nodes-twice", "recursive-accumulated"),
          ("equal-by-value", "no-children-neg", "unattached-radd"),
          ("negates-truediv", "negates-relu", "rsub-turned"))
NAMES = tuple(sorted(name for group in GROUPS for name in group))


@lru_cache
def hidden() -> dict[str, Misconception]:
    """What is wrong in each box, by its letter."""
    draw = Random(SEED)
    chosen = [draw.choice(group) for group in GROUPS]
    draw.shuffle(chosen)
    return dict(zip(LETTERS, (catalogue()[name] for name in chosen), strict=True))


class _Engine(Engine):
    """Makes nodes of a box's own class."""

    def __init__(self, flaw: Flaw, kind: type):
        super().__init__(flaw, Style())
        self.kind = kind

    def node(self, data, parents=(), op="") -> Node:
        self.made += 1
        made = self.kind.__new__(self.kind)
        Node.__init__(made, data, parents, op, self.made)
        return made


class Box(Node):
    """A number that remembers how it was made, in an engine with a flaw. `backward()` fills `grad`."""

    label = ""

    def __init__(self, data: float):
        Node.__init__(self, float(data))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.data:g}, grad={self.grad:g})"

    def backward(self) -> None:
        try:
            backward(self.engine, self)
        except (Stop, Unsupported):
            raise RuntimeError(f"box {type(self).__name__} comes to no end on a graph of this size") from None


def _operation(op: str, turned: bool = False) -> Callable:
    def method(self, *other):
        if not all(isinstance(x, int | float) or type(x) is type(self) for x in other):
            return NotImplemented
        if op in METHODS or op == "neg":
            return self.engine.method(op, self)
        return self.engine.operate(op, *((*other, self) if turned else (self, *other)))
    return method


for _op in (*SYMBOLS, "neg"):
    setattr(Box, f"__{_op}__", _operation(_op))
    if _op not in ("pow", "neg"):
        setattr(Box, f"__r{_op}__", _operation(_op, turned=True))
for _op in METHODS:
    setattr(Box, _op, _operation(_op))


def _box(letter: str) -> type[Box]:
    made = type(letter, (Box,), {"__doc__": Box.__doc__})
    made.engine = _Engine(hidden()[letter].flaws[0], made)
    return made


A, B, C, D, E = map(_box, LETTERS)


def flaws():
    """The names to choose from, with what each means, as a table."""
    from utils.notebook import Message  # here, since the judge needs no notebook

    rows = "".join(f"| `{name}` | {catalogue()[name].says} |\n" for name in NAMES)
    return Message(f"| name | what is wrong |\n|---|---|\n{rows}")
