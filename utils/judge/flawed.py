"""Wrong engines as data: a small reverse-mode engine with switches, one for each way in which learners' engines go wrong.

`simulate` runs a script as an engine with a given flaw would, and says what it would report or which kind of error would
stop it. It serves diagnosis only: what is right is decided by the oracle, never by this.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from utils.judge.program import METHODS

MOST_VISITS = 20_000        # a walk along every path is taken to have no end after so many rules
LONGEST_SCRIPT = 600        # steps; longer scripts are not simulated
NUMBER = (int, float)


class Stop(Exception):
    """The flawed engine would have been stopped by an error of this kind (as the worker names it)."""

    def __init__(self, kind: str):
        super().__init__(kind)
        self.kind = kind


class Unsupported(Exception):
    """The script has steps that are not simulated."""


@dataclass(frozen=True)
class Flaw:
    """How an engine differs from a right one.

    Operations are named add, sub, mul, truediv, pow, neg, relu, ... and, with the number on the left, radd, rsub, rmul,
    rtruediv; "mul.0" and "mul.1" are the left and the right input's line in a rule.
    """

    assigns: frozenset[str] = frozenset()           # `=` where `+=` belongs
    drops_upstream: frozenset[str] = frozenset()    # local derivative only
    unattached: frozenset[str] = frozenset()        # the rule never runs
    second_wins: frozenset[str] = frozenset()       # for the same node on both sides, only the last share counts
    leaves_graph: frozenset[str] = frozenset()      # the result has no parents
    slopes: Mapping[str, Callable] = field(default_factory=dict)    # op -> (data of inputs, result) -> local derivatives
    values: Mapping[str, Callable] = field(default_factory=dict)    # op -> (data of inputs) -> result, or raises Stop
    stops: Mapping[str, str] = field(default_factory=dict)          # op -> kind of error
    seed: float = 1.0
    walk: str = "sorted"
    equal_by_value: bool = False

    @cached_property
    def concerns(self) -> frozenset[str]:
        """The operations that differ themselves, so that they are not built from others."""
        marked = self.assigns | self.drops_upstream | self.unattached | self.second_wins | self.leaves_graph
        return frozenset(mark.partition(".")[0] for mark in (*marked, *self.slopes, *self.values))

    def __or__(self, other: Flaw) -> Flaw:
        """Both flaws at once."""
        sets = {name: getattr(self, name) | getattr(other, name)
                for name in ("assigns", "drops_upstream", "unattached", "second_wins", "leaves_graph")}
        maps = {name: {**getattr(self, name), **getattr(other, name)} for name in ("slopes", "values", "stops")}
        return Flaw(**sets, **maps, seed=other.seed if other.seed != 1.0 else self.seed,
                    walk=other.walk if other.walk != "sorted" else self.walk,
                    equal_by_value=self.equal_by_value or other.equal_by_value)


class Node:
    __slots__ = ("data", "grad", "parents", "op")

    def __init__(self, data, parents=(), op=""):
        self.data, self.grad, self.parents, self.op = data, 0.0, parents, op


def _sigmoid(x: float) -> float:
    e = math.exp(-abs(x))
    return (1.0 if x >= 0 else e) / (1.0 + e)


VALUES: dict[str, Callable] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "truediv": lambda a, b: a / b,
    "pow": lambda a, b: a**b, "neg": lambda a: -a, "relu": lambda a: max(a, 0.0), "tanh": math.tanh, "exp": math.exp,
    "log": math.log, "sigmoid": _sigmoid,
}
SLOPES: dict[str, Callable] = {
    "add": lambda a, b, y: (1.0, 1.0), "sub": lambda a, b, y: (1.0, -1.0), "mul": lambda a, b, y: (b, a),
    "truediv": lambda a, b, y: (1 / b, -a / b**2), "neg": lambda a, y: (-1.0,),
    "pow": lambda a, b, y: (b * a ** (b - 1) if b else 0.0, 0.0),
    "relu": lambda a, y: (1.0 if a > 0 else 0.0,), "tanh": lambda a, y: (1 - y * y,), "exp": lambda a, y: (y,),
    "log": lambda a, y: (1 / a,), "sigmoid": lambda a, y: (y * (1 - y),),
}


class Engine:
    """Runs one script with one flaw. `composed`: minus and division are built from `+`, `*` and `**`, as in micrograd."""

    def __init__(self, flaw: Flaw, composed: bool):
        self.flaw, self.composed = flaw, composed

    def node(self, name: str, *inputs) -> Node:
        """The result of operation `name`, which may be a reflected one, on nodes and numbers in written order."""
        if name in self.flaw.stops:
            raise Stop(self.flaw.stops[name])
        base = name[1:] if name in ("radd", "rsub", "rmul", "rtruediv") else name
        if self.composed and name not in self.flaw.concerns:
            if base == "neg":
                return self.node("mul", inputs[0], -1.0)
            if base == "sub":
                if name == "rsub":
                    return self.node("add", self.node("neg", inputs[1]), inputs[0])
                minus = self.node("neg", inputs[1]) if isinstance(inputs[1], Node) else -inputs[1]
                return self.node("add", inputs[0], minus)
            if base == "truediv":
                if name == "rtruediv":
                    return self.node("mul", self.node("pow", inputs[1], -1), inputs[0])
                if isinstance(inputs[1], Node):
                    return self.node("mul", inputs[0], self.node("pow", inputs[1], -1))
                return self.node("mul", inputs[0], inputs[1] ** -1)
        if base == "pow":
            return self.power(*inputs)
        nodes = tuple(x if isinstance(x, Node) else Node(x) for x in inputs)
        value = self.flaw.values.get(name) or self.flaw.values.get(base) if name == base else self.flaw.values.get(name)
        data = (value or VALUES[base])(*(n.data for n in nodes))
        return Node(data, () if {name, base} & self.flaw.leaves_graph else nodes, name if name in self.flaw.slopes else base)

    def power(self, base, exponent) -> Node:
        if "pow-silent" not in self.flaw.slopes and isinstance(exponent, Node):
            raise Stop("raised")            # refused, as the brief allows
        power = exponent.data if isinstance(exponent, Node) else exponent
        if not isinstance(base, Node):
            raise Stop("absent")
        data = self.flaw.values.get("pow", VALUES["pow"])(base.data, power)
        if isinstance(data, complex):
            raise Stop("raised")
        return Node(data, () if "pow" in self.flaw.leaves_graph else (base, Node(power)), "pow")

    def rule(self, node: Node) -> None:
        """What the node's `_backward` does to its parents."""
        flaw, op = self.flaw, node.op
        if not node.parents or op in flaw.unattached:
            return
        slopes = flaw.slopes.get(op, SLOPES.get(op))(*(p.data for p in node.parents), node.data)
        last = len(node.parents) - 1
        for k, (parent, slope) in enumerate(zip(node.parents, slopes, strict=True)):
            if op in flaw.second_wins and k < last and parent is node.parents[last]:
                continue
            line = {op, f"{op}.{k}"}
            share = slope if line & flaw.drops_upstream else slope * node.grad
            parent.grad = share if line & flaw.assigns else parent.grad + share

    def backward(self, root: Node) -> None:
        if self.flaw.seed:
            root.grad = self.flaw.seed
        WALKS[self.flaw.walk](self, root)

    def sorted(self, root: Node, *, twice: bool = False) -> list[Node]:
        """Parents before their users (a post-order); with `twice`, a node again for every further use."""
        order, seen, stack = [], set(), [(root, False)]
        while stack:
            node, done = stack.pop()
            mark = node.data if self.flaw.equal_by_value else id(node)
            if done:
                order.append(node)
            elif mark not in seen:
                seen.add(mark)
                stack.append((node, True))
                stack.extend((parent, False) for parent in reversed(node.parents))
            elif twice:
                order.append(node)
        return order


def _run(engine: Engine, order) -> None:
    for node in order:
        engine.rule(node)


def _preorder(engine: Engine, root: Node, right_first: bool) -> None:
    order, seen, stack = [], set(), [root]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            order.append(node)
            stack.extend(node.parents if right_first else reversed(node.parents))
    _run(engine, order)


def _breadth_first(engine: Engine, root: Node) -> None:
    order, seen, waiting = [], {id(root)}, deque([root])
    while waiting:
        node = waiting.popleft()
        order.append(node)
        for parent in node.parents:
            if id(parent) not in seen:
                seen.add(id(parent))
                waiting.append(parent)
    _run(engine, order)


def _recursive(engine: Engine, root: Node) -> None:
    """Each node runs its rule and then calls its parents, once for every use, on what their grad is by then."""
    visits, stack = 0, [root]
    while stack:
        node = stack.pop()
        visits += 1
        if visits > MOST_VISITS:
            raise Stop("timeout")
        engine.rule(node)
        stack.extend(reversed(node.parents))


def _unvisited(engine: Engine, root: Node) -> None:
    """A post-order that remembers nothing: a node stands in it once for every path."""
    order, stack = [], [root]
    while stack:
        node = stack.pop()
        order.append(node)
        if len(order) > MOST_VISITS:
            raise Stop("timeout")
        stack.extend(node.parents)
    _run(engine, order)


def _per_path(engine: Engine, root: Node) -> None:
    """Right, but once along every path."""
    paths, stack = 0, [(root, root.grad)]
    root.grad = 0.0
    while stack:
        node, share = stack.pop()
        paths += 1
        if paths > MOST_VISITS:
            raise Stop("timeout")
        node.grad += share
        if node.parents and node.op not in engine.flaw.unattached:
            slopes = SLOPES[node.op](*(p.data for p in node.parents), node.data)
            stack.extend((p, slope * share) for p, slope in zip(node.parents, slopes, strict=True))


WALKS: dict[str, Callable[[Engine, Node], None]] = {
    "sorted": lambda engine, root: _run(engine, reversed(engine.sorted(root))),
    "not reversed": lambda engine, root: _run(engine, engine.sorted(root)),
    "twice": lambda engine, root: _run(engine, reversed(engine.sorted(root, twice=True))),
    "root only": lambda engine, root: engine.rule(root),
    "nothing": lambda engine, root: None,
    "depth first, left": lambda engine, root: _preorder(engine, root, right_first=False),
    "depth first, right": lambda engine, root: _preorder(engine, root, right_first=True),
    "breadth first": _breadth_first,
    "recursive": _recursive,
    "unvisited": _unvisited,
    "per path": _per_path,
}


def simulate(steps: list, flaw: Flaw, composed: bool) -> tuple[list, str | None]:
    """(reports, kind of error or None) of a script on an engine with this flaw; Unsupported if it cannot be simulated."""
    if len(steps) > LONGEST_SCRIPT:
        raise Unsupported
    engine, registers, reports = Engine(flaw, composed), {}, []

    def operand(x):
        return registers[x["r"]] if isinstance(x, dict) else x
    try:
        for kind, *rest in steps:
            if kind == "new":
                registers[rest[0]] = Node(rest[1])
            elif kind == "op":
                out, name, *operands = rest
                operands = [operand(x) for x in operands]
                reflected = len(operands) == 2 and not isinstance(operands[0], Node)
                registers[out] = engine.node("r" + name if reflected else name, *operands)
            elif kind == "call" and rest[2] in METHODS and not rest[3]:
                registers[rest[0]] = engine.node(rest[2], operand(rest[1]))
            elif kind == "backward":
                engine.backward(operand(rest[0]))
            elif kind == "get":
                reports.append(getattr(operand(rest[0]), rest[1]))
            elif kind == "set":
                setattr(operand(rest[0]), rest[1], rest[2])
            else:
                raise Unsupported
    except Stop as stop:
        return reports, stop.kind
    except (ArithmeticError, ValueError, TypeError):
        return reports, "raised"
    return reports, None
