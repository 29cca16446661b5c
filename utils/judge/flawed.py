"""Wrong engines as data: a small reverse-mode engine with switches, one for each way in which engines go wrong.

It serves diagnosis only: what is right is decided by the oracle, never by this. How such an engine walks its graph is
in walks.py, how it runs a script in simulation.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

REFLECTED = ("radd", "rmul", "rsub", "rtruediv")
BINARY = ("add", "sub", "mul", "truediv", *REFLECTED)


class Stop(Exception):
    """The flawed engine would have been stopped: by which kind of error (as the worker names it), and of which type."""

    def __init__(self, kind: str, detail: str | None = None):
        super().__init__(kind)
        self.kind, self.detail = kind, detail


class Unsupported(Exception):
    """The script has steps that are not simulated, or takes a length of time that cannot be foretold."""


@dataclass(frozen=True, eq=False)
class Flaw:
    """How an engine differs from a right one.

    Operations are named add, sub, mul, truediv, pow, neg, relu, ... and, with the number on the left, radd, rsub, rmul,
    rtruediv; "mul.0" and "mul.1" are the left and the right input's line in a rule.
    """

    assigns: frozenset[str] = frozenset()           # `=` where `+=` belongs
    unattached: frozenset[str] = frozenset()        # nothing flows back: no rule, or no parents
    childless: frozenset[str] = frozenset()         # the rule is right, but the walk does not go on to the inputs
    second_wins: frozenset[str] = frozenset()       # for the same node on both sides, only the last share counts
    rereads: frozenset[str] = frozenset()           # the rule unpacks its two inputs from a set, and
    reread_error: str = "ValueError"                # how that ends when the set holds only one
    reads_grads: frozenset[str] = frozenset()       # the other input's grad where its data belongs
    uncoerced: frozenset[str] = frozenset()         # numbers on the other side are not made Values
    loops: frozenset[str] = frozenset()             # the method calls itself
    shares: Mapping[str, Callable] = field(default_factory=dict)    # op -> (local derivative, node) -> share
    slopes: Mapping[str, Callable] = field(default_factory=dict)    # op -> (inputs' data, result) -> local derivatives
    values: Mapping[str, Callable] = field(default_factory=dict)    # op -> (data of inputs) -> result
    returns: Mapping[str, str] = field(default_factory=dict)        # op -> "nothing" or "a number", instead of a Value
    right_first: bool = False                       # the rule's lines: the right input's comes first
    silent_exponent: bool = False                   # a Value as exponent is taken, and gets no gradient
    seed: float = 1.0
    walk: str = "sorted"
    equal: str = ""                                 # which nodes count as one: those with equal "data" or "structure"
    step: float = 0.0                               # backward() also moves data by this much along the gradient

    @cached_property
    def concerns(self) -> frozenset[str]:
        """The methods that are wrong themselves, so that they are not built from others."""
        sets = (self.assigns, self.unattached, self.childless, self.second_wins, self.rereads, self.reads_grads,
                self.uncoerced)
        marked = [mark for some in (*sets, self.shares, self.slopes, self.values) for mark in some]
        return frozenset(mark.partition(".")[0] for mark in marked)

    @property
    def feels_order(self) -> bool:
        """Whether engines with this flaw differ in their results when they walk in different legal orders."""
        return bool(self.assigns or self.childless or self.equal or self.walk != "sorted" or self.reads_grads)

    def __or__(self, other: Flaw) -> Flaw:
        """Both flaws at once."""
        plain = Flaw()
        both = {}
        for name in (f.name for f in fields(Flaw)):
            mine, theirs = getattr(self, name), getattr(other, name)
            both[name] = (mine | theirs if isinstance(mine, frozenset) else {**mine, **theirs} if isinstance(mine, dict)
                          else theirs if theirs != getattr(plain, name) else mine)
        return Flaw(**both)


@dataclass(frozen=True)
class Style:
    """In what right engines differ, where it matters to the numbers of a wrong one.

    `recipes`: a method that is built from others, as an expression; None for one with a rule of its own.
    `order`: "left", "right" (which parent the walk enters first), "tape" (newest first), or "any <n>": the bits of n
    say at which nodes the right parent comes first, or for a walk in a legal order n is the seed of another one.
    `distinct`: the parents of a node are kept in a set.
    `unread`: methods that are written in a way that is not read; they may have a rule, or be built from others.
    """

    recipes: Mapping[str, tuple | None] = field(default_factory=dict)
    order: str = "left"
    distinct: bool = False
    unread: frozenset[str] = frozenset()


DELEGATED = {"radd": ("add", "self", "other"), "rmul": ("mul", "self", "other"),
             "rsub": ("sub", ("value", "other"), "self"), "rtruediv": ("truediv", ("value", "other"), "self")}
IN_ORDER = DELEGATED | {"radd": ("add", ("value", "other"), "self"), "rmul": ("mul", ("value", "other"), "self")}
MICROGRAD = {"neg": ("mul", "self", -1.0), "sub": ("add", "self", ("neg", "other")),
             "rsub": ("add", ("neg", "self"), "other"), "truediv": ("mul", "self", ("pow", "other", -1)),
             "rtruediv": ("mul", ("pow", "self", -1), "other")}


class Node:
    __slots__ = ("data", "grad", "number", "op", "parents")

    def __init__(self, data, parents=(), op="", number=0):
        self.data, self.grad, self.parents, self.op, self.number = data, 0.0, parents, op, number


def _sigmoid(x: float) -> float:
    e = math.exp(-abs(x))
    return (1.0 if x >= 0 else e) / (1.0 + e)


VALUES: dict[str, Callable] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "truediv": lambda a, b: a / b,
    "pow": lambda a, b: float(a)**b, "neg": lambda a: -a, "relu": lambda a: max(a, 0.0), "tanh": math.tanh,
    "exp": math.exp, "log": math.log, "sigmoid": _sigmoid,
}
SLOPES: dict[str, Callable] = {
    "add": lambda a, b, y: (1.0, 1.0), "sub": lambda a, b, y: (1.0, -1.0), "mul": lambda a, b, y: (b, a),
    "truediv": lambda a, b, y: (1 / b, -a / b**2), "neg": lambda a, y: (-1.0,),
    "pow": lambda a, b, y: (b * a ** (b - 1) if b else 0.0, y * math.log(a) if a > 0 else 0.0),
    "relu": lambda a, y: (1.0 if a > 0 else 0.0,), "tanh": lambda a, y: (1 - y * y,), "exp": lambda a, y: (y,),
    "log": lambda a, y: (1 / a,), "sigmoid": lambda a, y: (y * (1 - y),),
}
for _name in REFLECTED:
    VALUES[_name], SLOPES[_name] = VALUES[_name[1:]], SLOPES[_name[1:]]


class Engine:
    """Runs one script with one flaw."""

    def __init__(self, flaw: Flaw, style: Style):
        self.flaw, self.style, self.made = flaw, style, 0
        self.turned: dict[int, bool] = {}       # number of a node with two parents -> whether the right one comes first

    def node(self, data, parents=(), op="") -> Node:
        self.made += 1
        return Node(data, parents, op, self.made)

    def operate(self, op: str, *operands):
        """`op` on Values and numbers in written order: a Value, or whatever the flawed method gives back."""
        if not any(isinstance(x, Node) for x in operands):
            return VALUES[op](*operands)
        turned = len(operands) == 2 and not isinstance(operands[0], Node)
        return self.method("r" + op, *reversed(operands)) if turned else self.method(op, *operands)

    def method(self, name: str, mine: Node, other=None):
        """What the method of that name gives back, called on `mine`."""
        if name in self.flaw.loops:
            raise Stop("recursion")
        recipe = None if name in self.flaw.concerns else self.style.recipes.get(name, DELEGATED.get(name))
        out = self.follow(recipe, mine, other) if recipe else self.primitive(name, mine, other)
        if name in self.flaw.returns:
            return None if self.flaw.returns[name] == "nothing" else out.data
        return out

    def follow(self, recipe, mine: Node, other):
        """The value of a recipe: "self", "other", a number, or an operation on recipes; "!add" is `+` past its method.

        "value" makes a Value of a number; so does "given", unless the operation that it is given to does not.
        """
        if not isinstance(recipe, tuple):
            return mine if recipe == "self" else other if recipe == "other" else recipe
        op, *operands = recipe
        if op in ("value", "given"):
            return self.value(self.follow(operands[0], mine, other))
        given = [self.follow(x[1], mine, other) for x in operands if isinstance(x, tuple) and x[0] == "given"]
        if op.strip("!") in self.flaw.uncoerced and not all(isinstance(x, Node) for x in given):
            raise Stop("raised", "AttributeError")
        values = [self.follow(x, mine, other) for x in operands]
        return self.primitive(op[1:], *values) if op[0] == "!" else self.operate(op, *values)

    def value(self, x) -> Node:
        return x if isinstance(x, Node) else self.node(x)

    def primitive(self, name: str, mine: Node, other=None) -> Node:
        """The result of a method that has a rule of its own."""
        if name == "pow":
            return self.power(mine, other)
        if name in self.flaw.uncoerced and not isinstance(other, Node):
            raise Stop("raised", "AttributeError")
        inputs = (mine,) if other is None and name not in BINARY else (mine, other)
        nodes = tuple(self.value(x) for x in (reversed(inputs) if name in REFLECTED else inputs))
        data = self.flaw.values.get(name, VALUES[name])(*(n.data for n in nodes))
        return self.node(data, nodes, name)

    def power(self, base: Node, exponent) -> Node:
        if self.flaw.silent_exponent and isinstance(exponent, Node):
            exponent = exponent.data
        exponent = self.value(exponent)
        data = self.flaw.values.get("pow", VALUES["pow"])(base.data, exponent.data)
        if isinstance(data, complex):
            raise Stop("raised")
        return self.node(data, (base, exponent), "pow")

    def rule(self, node: Node) -> None:
        """What the node's `_backward` does to its parents."""
        flaw, op, parents = self.flaw, node.op, node.parents
        if not parents or op in flaw.unattached:
            return
        if op in flaw.rereads and parents[0] is parents[-1]:
            raise Stop("raised", flaw.reread_error)
        slopes = flaw.slopes.get(op, SLOPES[op])(*(p.data for p in parents), node.data)
        last = len(parents) - 1
        for k in range(last, -1, -1) if flaw.right_first else range(last + 1):
            parent = parents[k]
            if op in flaw.second_wins and k < last and parent is parents[last]:
                continue
            line = f"{op}.{k}"
            share = flaw.shares.get(op) or flaw.shares.get(line)
            slope = parents[1 - k].grad if op in flaw.reads_grads else slopes[k]
            share = share(slope, node) if share else slope * node.grad
            parent.grad = share if op in flaw.assigns or line in flaw.assigns else parent.grad + share
