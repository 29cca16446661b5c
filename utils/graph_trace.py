"""A graph of values as plain data, walked from its root: what `draw` draws and what a stepper can replay.

Any engine will do. Only `data` is needed; inputs, op, label and grad are read where an engine keeps them.
"""

from __future__ import annotations

import inspect
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, pairwise

PARENTS = ("_prev", "_children", "_parents", "parents", "children", "prev", "inputs", "_inputs")
HOLDERS = ("grad_fn", "_ctx", "ctx", "creator")     # engines that keep the inputs on a function object
WALK_LIMIT = 200_000                                # values looked at, so that no graph can hang a notebook
TIE_WORK = 100_000                                  # values x ties looked at while ordering sets
LABEL_LENGTH = 24                                   # characters
ABSENT = object()
NO_INPUTS, NOT_VALUES, ONCE_OR_TWICE = "no inputs kept", "not values", "once or twice"      # what can be odd

Number = int | float


def _sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


# (op, inputs): forward, then d out / d input for each input; y is the output.
RULES = {
    ("+", 2):       (lambda a, b: a + b,  (lambda a, b, y: 1.0,              lambda a, b, y: 1.0)),
    ("-", 2):       (lambda a, b: a - b,  (lambda a, b, y: 1.0,              lambda a, b, y: -1.0)),
    ("*", 2):       (lambda a, b: a * b,  (lambda a, b, y: b,                lambda a, b, y: a)),
    ("/", 2):       (lambda a, b: a / b,  (lambda a, b, y: 1 / b,            lambda a, b, y: -a / b**2)),
    ("**", 2):      (lambda a, b: a**b,   (lambda a, b, y: b * a ** (b - 1), lambda a, b, y: y * math.log(a))),
    ("-", 1):       (lambda a: -a,        (lambda a, y: -1.0,)),
    ("relu", 1):    (lambda a: max(0.0, a), (lambda a, y: float(a > 0),)),
    ("tanh", 1):    (math.tanh,           (lambda a, y: 1 - y * y,)),
    ("exp", 1):     (math.exp,            (lambda a, y: y,)),
    ("log", 1):     (math.log,            (lambda a, y: 1 / a,)),
    ("sigmoid", 1): (_sigmoid,            (lambda a, y: y * (1 - y),)),
    ("sqrt", 1):    (math.sqrt,           (lambda a, y: 0.5 / y,)),
    ("sin", 1):     (math.sin,            (lambda a, y: math.cos(a),)),
    ("cos", 1):     (math.cos,            (lambda a, y: -math.sin(a),)),
}
ALIASES = {"add": "+", "sub": "-", "mul": "*", "×": "*", "−": "-", "div": "/", "truediv": "/", "pow": "**", "^": "**",
           "neg": "-", "ln": "log", "σ": "sigmoid"}
WITH_CONSTANT = re.compile(r"(\*\*|pow|\^|[-+*/×−])\s*\(?\s*(-?[\d.]+(?:e[-+]?\d+)?)\)?")     # "**2", "* 3", "^-0.5"


@dataclass(frozen=True)
class Node:
    """One value. `data` and `grad` are int, float or a short text; `grad` is None where the engine has none."""

    name: str                    # unique in its graph: the label, or v1, v2, ... as the literature numbers them
    label: str                   # "" where nobody named the value
    op: str                      # "" for a leaf, "?" where the engine does not say
    data: Number | str
    grad: Number | str | None
    parents: tuple[int, ...]     # indices into Trace.nodes, left operand first; a * a holds one index twice
    more: bool                   # has inputs that are not in this trace


@dataclass(frozen=True)
class Edge:
    source: int
    target: int
    position: int                # which operand of the target
    local: float | None          # d target / d source along this edge alone; None where it is not known


@dataclass(frozen=True)
class Trace:
    """Nodes with inputs before what uses them (cycles aside), one edge an operand, and what was odd on the way."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    root: int
    total: int                   # values reached, at most WALK_LIMIT; len(nodes) of them are here
    cyclic: bool
    odd: Mapping[str, int]       # NO_INPUTS, NOT_VALUES, ONCE_OR_TWICE: number of nodes


def trace(root: object, max_nodes: int = 200, names: Mapping[str, object] | None = None) -> Trace:
    """The part of `root`'s graph nearest the root, at most `max_nodes` values, in an order that runs repeat.

    `names` maps names to values, as `globals()` does; it names values that carry no label.
    """
    return traced(root, max_nodes, names)[0]


def traced(root: object, max_nodes: int = 200,
           names: Mapping[str, object] | None = None) -> tuple[Trace, list[object]]:
    """`trace`, and beside it the values themselves, in the order of its nodes."""
    walk = _Walk(root, max_nodes)
    walk.settle_sets()
    order, cyclic = walk.inputs_first(walk.nearest(max_nodes))
    given = {id(value): shorten(name) for name, value in (names or {}).items() if not name.startswith("_")}
    position = {i: n for n, i in enumerate(order)}
    nodes, edges, used, odd, unnamed = [], [], Counter(), Counter(), 0
    for i in order:
        label = walk.label[i] or given.get(id(walk.values[i]), "")
        unnamed += not label
        name = label or f"v{unnamed}"
        used[name] += 1
        inputs = walk.parents[i]
        inside = [p for p in inputs if p in position]
        nodes.append(Node(name if used[name] == 1 else f"{name} ({used[name]})", label,
                          (walk.op[i] or "?") if inputs else "", walk.data[i], walk.grad[i],
                          tuple(position[p] for p in inside), len(inside) < len(inputs)))
        local = local_derivatives(walk.op[i], tuple(walk.data[p] for p in inputs), walk.data[i])
        edges += [Edge(position[p], position[i], k, local[k]) for k, p in enumerate(inputs) if p in position]
        odd.update(walk.odd[i])
    seen = Trace(tuple(nodes), tuple(edges), position[0], walk.total, cyclic, dict(odd))
    return seen, [walk.values[i] for i in order]


class _Walk:
    """The graph near the root as lists, in order of discovery: inputs (as positions), op, data, grad and label.

    Whole levels are kept, so that what is kept does not depend on the order in which a set gives its members.
    """

    def __init__(self, root: object, max_nodes: int) -> None:
        self.values, self.parents, self.is_set, self.odd, depth = [root], [], [], [], [0]
        index = {id(root): 0}
        for i, value in enumerate(self.values):         # grows while it is walked: breadth first, no recursion
            found, unordered = _members(value, root)
            members = [member for member in found or () if member is not None]
            for member in members:
                if id(member) not in index and len(index) < WALK_LIMIT:
                    index[id(member)] = len(self.values)
                    self.values.append(member)
                    depth.append(depth[i] + 1)
            self.parents.append([index[id(member)] for member in members if id(member) in index])
            self.is_set.append(unordered)
            self.odd.append([NO_INPUTS] if found is None else [NOT_VALUES] if len(members) < len(found) else [])
        self.total = len(self.values)
        last = depth[min(max_nodes, self.total) - 1] + 1        # level of the inputs of the last value drawn
        size = bisect_right(depth, last)
        self.values, self.is_set, self.odd = self.values[:size], self.is_set[:size], self.odd[:size]
        self.parents = [inputs if depth[i] < last else [] for i, inputs in enumerate(self.parents[:size])]
        self.op = [_op(value) for value in self.values]
        self.data = [plain(read(value, "data")) for value in self.values]
        self.grad = [None if g is ABSENT else plain(g) for g in (read(v, "grad") for v in self.values)]
        self.label = [_label(value) for value in self.values]

    def settle_sets(self) -> None:
        """Give the members of every set an order and a count: by what the op makes of them, else by structure."""
        sets = [i for i, unordered in enumerate(self.is_set) if unordered]
        for i in sets:
            if len(self.parents[i]) == 1:               # the set of a * a has one member
                a, y = self.data[self.parents[i][0]], self.data[i]
                twice = fits(self.op[i], (a, a), y)
                if not fits(self.op[i], (a,), y) and (twice or (twice is None and self.op[i] in ("+", "*"))):
                    self.parents[i] *= 2
                elif twice is False and self.op[i] in ("+", "*"):
                    self.odd[i].append(ONCE_OR_TWICE)
        sets = [i for i in sets if len(set(self.parents[i])) > 1]
        marks, tied = {}, sets
        while tied:
            rank = self._ranks(marks)
            for i in sets:
                self.parents[i].sort(key=rank.__getitem__)
            tied = [p for i in sets for p, q in pairwise(self.parents[i]) if rank[p] == rank[q]]
            if len(marks) * len(rank) > TIE_WORK:
                break
            if tied:                                    # twins: call one of them first, and let that spread
                marks[min(tied, key=rank.__getitem__)] = len(marks)
        for i in sets:
            if len(self.parents[i]) == 2:
                (a, b), y = (self.data[p] for p in self.parents[i]), self.data[i]
                if fits(self.op[i], (b, a), y) and not fits(self.op[i], (a, b), y):
                    self.parents[i].reverse()

    def _ranks(self, marks: Mapping[int, int]) -> list[tuple]:
        """A sort key for each value that depends on the graph alone, never on addresses or on a set's order.

        Colour refinement (Weisfeiler and Leman): two rounds of telling each value about its inputs, then its users.
        """
        colour = [repr((self.op[i], self.label[i], self.data[i], self.grad[i], marks.get(i))).encode()
                  for i in range(len(self.op))]
        order, _ = self.inputs_first(range(len(colour)))
        users = [[] for _ in colour]
        for i, inputs in enumerate(self.parents):
            for p in inputs:
                users[p].append(i)
        for neighbours, sweep in [(self.parents, order), (users, order[::-1])] * 2:
            fresh = [b""] * len(colour)
            for i in sweep:
                around = [fresh[n] for n in neighbours[i]]
                if neighbours is users or self.is_set[i]:
                    around.sort()
                fresh[i] = blake2b(b"|".join([colour[i], *around]), digest_size=12).digest()
            colour = fresh
        return [(not inputs, not label, label, c)     # what was computed stands before leaves, names before no names
                for inputs, label, c in zip(self.parents, self.label, colour, strict=True)]

    def nearest(self, limit: int) -> list[int]:
        """At most `limit` positions, breadth first from the root."""
        kept = [0]
        seen = {0}
        for i in kept:
            for p in self.parents[i]:
                if p not in seen and len(kept) < limit:
                    seen.add(p)
                    kept.append(p)
        return kept

    def inputs_first(self, kept: Iterable[int]) -> tuple[list[int], bool]:
        """`kept` in topological order, operands left to right; and whether a cycle makes that impossible."""
        inside, done, order, cyclic = set(kept), {0: False}, [], False
        stack = [(0, iter(self.parents[0]))]
        while stack:
            i, rest = stack[-1]
            for p in rest:
                if p not in inside:
                    continue
                if p not in done:
                    done[p] = False
                    stack.append((p, iter(self.parents[p])))
                    break
                cyclic = cyclic or not done[p]
            else:
                done[i] = True
                order.append(i)
                stack.pop()
        return order, cyclic


def canonical(op: str, inputs: int) -> tuple[str, int | float | None]:
    """The op as RULES spells it, and the constant that an op of one input like "**2" carries."""
    constant = None
    if inputs == 1 and (match := WITH_CONSTANT.fullmatch(op)):
        with suppress(ValueError):      # "**1.2.3"
            op, constant = match[1], float(match[2]) if set(match[2]) & set(".e") else int(match[2])
    word = op.strip("_ ").lower().removesuffix("0").removesuffix("backward")
    return ALIASES.get(word, word), constant


def _rule(op: str, inputs: tuple) -> tuple | None:
    """Forward and partials of `op`, with the inputs completed by the constant that an op like `**2` carries."""
    if not all(isinstance(x, (int, float)) for x in inputs):
        return None
    word, constant = canonical(op, len(inputs))
    if constant is not None:
        inputs = (*inputs, float(constant))
    rule = RULES.get((word, len(inputs)))
    return rule and (*rule, inputs)


def forward(op: str, inputs: tuple) -> float | None:
    """What `op` makes of `inputs`; None where op or inputs are not known, or there is no such number."""
    rule = _rule(op, inputs)
    try:
        return rule and float(rule[0](*map(float, rule[2])))
    except (ArithmeticError, ValueError, TypeError):    # overflow, log of a negative number, a complex power
        return None


def fits(op: str, inputs: tuple, out: object) -> bool | None:
    """Whether `out` is what `op` makes of `inputs` (within 1e-5); None where that cannot be told."""
    expected = forward(op, inputs)
    if expected is None or not isinstance(out, (int, float)):
        return None
    return expected == out or (expected != expected and out != out) or math.isclose(expected, out, rel_tol=1e-5)


def local_derivatives(op: str, inputs: tuple, out: object) -> list[float | None]:
    """d out / d input for each of `inputs`; None where op or numbers do not tell. relu'(0) is 0."""
    if not fits(op, inputs, out):
        return [None] * len(inputs)
    _, rules, arguments = _rule(op, inputs)
    found = []
    for rule in rules[: len(inputs)]:
        try:
            found.append(float(rule(*map(float, arguments), float(out))))
        except (ArithmeticError, ValueError, TypeError):
            found.append(None)
    return found


def is_value(thing: object, root: object = None) -> bool:
    """True for what can stand in a graph: an object with `data` and `grad`, or one of the root's class."""
    if root is not None and isinstance(thing, type(root)):
        return True
    return read(thing, "data") is not ABSENT and read(thing, "grad") is not ABSENT


def read(thing: object, name: str) -> object:
    """The attribute, or ABSENT where there is none or reading it fails."""
    try:
        return getattr(thing, name)
    except Exception:               # a learner's property may raise anything; the drawing goes on without it
        return ABSENT


def _holders(value: object) -> list[object]:
    return [h for h in (read(value, name) for name in HOLDERS) if h is not ABSENT and h is not None]


def _members(value: object, root: object) -> tuple[list | None, bool]:
    """What `value` was made of (None for a member that is no value) and whether it was kept as a set.

    None in place of the list where the engine keeps none (an attribute that is None is an empty list). A member may
    be a value or a tuple that holds one.
    """
    found = None
    for holder in chain((value,), (read(value, name) for name in HOLDERS)):
        if holder is ABSENT:
            continue
        for kept in (None,) if holder is None else (read(holder, name) for name in PARENTS):
            if kept is None:
                found = []
            elif isinstance(kept, (tuple, list, set, frozenset, dict)):
                found = []
                if kept:
                    parts = [member if isinstance(member, (tuple, list)) else (member,) for member in kept]
                    return ([next((p for p in part if is_value(p, root)), None) for part in parts],
                            isinstance(kept, (set, frozenset)))
            elif kept is not ABSENT and is_value(kept):
                return [kept], False
    return found, False


def _op(value: object) -> str:
    for op in (read(value, "_op"), read(value, "op")):
        if isinstance(op, str) and op:
            return shorten(op)
        if isinstance(read(op, "__name__"), str) and not inspect.ismethod(op):
            return shorten(op.__name__)
    return shorten(type(_holders(value)[0]).__name__) if _holders(value) else ""


def _label(value: object) -> str:
    for label in (read(value, "label"), read(value, "name")):
        if isinstance(label, str) and shorten(label):
            return shorten(label)
    return ""


def shorten(text: str, length: int = LABEL_LENGTH) -> str:
    """`text` on one line, printable characters only, at most `length` of them."""
    text = "".join(c for c in " ".join(text.split()) if c.isprintable())
    return text if len(text) <= length else text[: length - 1] + "…"


def plain(thing: object) -> Number | str:
    """`thing` as a number where it is one (0-d arrays too), else as a short text without addresses."""
    if isinstance(thing, (int, float)) and not isinstance(thing, bool):
        return float(thing) if isinstance(thing, float) else int(thing)
    if thing is ABSENT:
        return "absent"
    if thing is None or isinstance(thing, (bool, str)):
        return shorten(repr(thing))
    try:
        shape = tuple(thing.shape)
        return plain(thing.item()) if shape == () else f"array {shape}"
    except Exception:               # no array, or an array type of the learner's own
        return shorten(type(thing).__name__)
