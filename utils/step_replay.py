"""Run a program again at other inputs, with the learner's own code: for sliders, and to measure slopes.

A program is a function of Values, or a graph whose operations are applied again, each by its operator or method.
"""

from __future__ import annotations

import inspect
import math
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from utils.finite_differences import measure
from utils.graph_trace import RULES, Trace, canonical, is_value, plain, read
from utils.step_trace import same

OPERATORS = {("+", 2): operator.add, ("-", 2): operator.sub, ("*", 2): operator.mul, ("/", 2): operator.truediv,
             ("**", 2): operator.pow, ("-", 1): operator.neg}
WORK = 200_000              # operations that measuring all leaves may take; about a second of a learner's Python
EVALUATIONS = 12            # runs of the program for one slope, as a rule


class NoProgram(Exception):
    """This cannot be run: the sentence says why."""


@dataclass
class Program:
    """`run(numbers)` gives the root and its leaves, built by the learner's code; `start` are the leaves' numbers."""

    run: Callable[[Sequence[float]], tuple[Any, list[Any]]]
    start: list[float]
    names: list[str]

    def __post_init__(self) -> None:
        self.reach = [_reach(x) for x in self.start]        # how far from 0 a slider goes; it stays as at first

    def value(self, numbers: Sequence[float]) -> float:
        """The root's data as a float, nan where the program fails there."""
        try:
            return float(plain(self.run(numbers)[0].data))
        except Exception:               # a learner's forward may raise anything off the beaten point
            return math.nan

    def slope(self, i: int) -> float | None:
        """d root / d leaf i, measured with values of the root alone; None where there is no finite slope."""
        def line(offset: float) -> tuple[float, float]:
            numbers = list(self.start)
            numbers[i] += offset
            return numbers[i] - self.start[i], self.value(numbers)
        f0 = self.value(self.start)
        if not math.isfinite(f0):
            return None
        slope = measure(line, f0, width=max(1.0, abs(self.start[i])))
        return None if slope.kind in ("edge", "steep") or not math.isfinite(slope.value) else slope.value


def _reach(x: float) -> float:
    """5, 10, 50, 100, ...: the first that is at least twice |x|."""
    if not abs(x) <= 1e300:             # nan, inf, an int beyond every float
        return 0.0
    power = 10.0 ** max(0, math.ceil(math.log10(max(abs(x), 1.0)) - 1e-9))
    return next(r for r in (5.0, power / 2, power, power * 5) if r >= 2 * abs(x) and r >= 5.0)


def from_function(function: Callable, given: Sequence, named: Mapping[str, Any]) -> Program:
    """The program of `function` at leaves that are Values or numbers; numbers become Values of the learner's engine."""
    slots = [name for name in _parameters(function) if name not in named][:len(given)]
    slots += [f"x{k + 1}" for k in range(len(slots), len(given))]
    leaves = [*given, *named.values()]
    names = [read(leaf, "label") if isinstance(read(leaf, "label"), str) and leaf.label else name
             for leaf, name in zip(leaves, [*slots, *named], strict=True)]
    start = [plain(leaf.data) if is_value(leaf) else leaf for leaf in leaves]
    for name, number in zip(names, start, strict=True):
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise NoProgram(f"step() takes a number or a Value for each input; {name} is {plain(number)}.")
    kinds = [type(leaf) if is_value(leaf) else None for leaf in leaves]
    engine = next((kind for kind in kinds if kind), None) or _engine(function)
    keys = list(named)

    def run(numbers):
        values = [_leaf(kind or engine, number, name) for kind, number, name in zip(kinds, numbers, names, strict=True)]
        first = len(values) - len(keys)
        return function(*values[:first], **dict(zip(keys, values[first:], strict=True))), values

    return Program(run, start, names)


def _parameters(function: Callable) -> list[str]:
    with suppress(TypeError, ValueError):
        return [p.name for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_POSITIONAL]
    return []


def _engine(function: Callable) -> type:
    """`Value` as the function sees it, or of the module `value` that this kernel holds."""
    for place in (getattr(function, "__globals__", {}), vars(sys.modules.get("value", object))):
        if isinstance(place.get("Value"), type):
            return place["Value"]
    raise NoProgram("step() found no class Value to make the inputs with: import yours first, "
                    "or give the inputs as Values, step(f, Value(2.0)).")


def _leaf(engine: type, number: float, name: str) -> Any:
    leaf = engine(number)
    with suppress(Exception):           # an engine without room for a label
        leaf.label = name
    return leaf


def from_graph(trace: Trace, values: Sequence[object]) -> Program | None:
    """The program that built this graph, or None where it cannot be repeated: an op unknown, or data that disagrees."""
    nodes = trace.nodes
    spots = [i for i, node in enumerate(nodes) if not node.op]
    start = [nodes[i].data for i in spots]
    if trace.cyclic or trace.total > len(nodes) or trace.odd or any(node.more for node in nodes) \
            or not all(isinstance(x, (int, float)) for x in start):
        return None
    calls = {i: _call(nodes[i].op, len(nodes[i].parents)) for i in range(len(nodes)) if nodes[i].op}
    if None in calls.values():
        return None

    def run(numbers):
        made: list[Any] = []
        fresh = iter(numbers)
        for i, node in enumerate(nodes):
            made.append(calls[i](*(made[p] for p in node.parents)) if node.op else type(values[i])(next(fresh)))
            if node.label:
                with suppress(Exception):
                    made[i].label = node.label
        return made[trace.root], [made[i] for i in spots]

    program = Program(run, start, [nodes[i].name for i in spots])
    return program if same(program.value(start), nodes[trace.root].data) else None


def _call(op: str, inputs: int) -> Callable | None:
    word, constant = canonical(op, inputs)
    if (word, inputs + (constant is not None)) not in RULES:
        return None
    if constant is not None:
        return lambda a: OPERATORS[word, 2](a, constant)
    return OPERATORS.get((word, inputs)) or (lambda a: getattr(a, word)())
