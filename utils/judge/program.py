"""Programs: straight-line arithmetic on `Value` leaves, traced from a lambda or drawn by hypothesis.

A program is plain data. It can be run by a worker (`script`), by an oracle (`evaluate`), and shown as Python to paste
(`code`). Operand side, literals and the difference between int and float are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**"}
METHODS = ("relu", "tanh", "exp", "log", "sigmoid")
ARITHMETIC = (*(op for op in SYMBOLS if op != "pow"), "neg")
EVERYTHING = (*ARITHMETIC, "pow", *METHODS)
NAMES = "abcdefghijklmn"            # of leaves, where a script has none


@dataclass(frozen=True)
class Ref:
    """The value of line `index` of a program; leaves come first."""

    index: int


@dataclass(frozen=True)
class Line:
    """One operation: its name and its operands, each a Ref or a plain number."""

    op: str
    operands: tuple[Ref | int | float, ...]


@dataclass(frozen=True)
class Program:
    """Leaves by name, then one operation a line; the last line is the result."""

    leaves: dict[str, int | float]
    lines: tuple[Line, ...]
    root: int = field(default=-1)

    def __post_init__(self):
        if self.root < 0:
            object.__setattr__(self, "root", len(self.leaves) + len(self.lines) - 1)

    def evaluate(self, make: Callable, apply: Callable):
        """Run with other numbers: make(name, data) gives a leaf, apply(op, operands) a result. Returns the root."""
        values = [make(name, data) for name, data in self.leaves.items()]
        for line in self.lines:
            values.append(apply(line.op, [values[x.index] if isinstance(x, Ref) else x for x in line.operands]))
        return values[self.root]

    def script(self, backward: bool = True) -> list:
        """The worker's steps: it reports the root's data, then with `backward` each leaf's grad."""
        steps = [["new", k, data] for k, data in enumerate(self.leaves.values())]
        for out, line in enumerate(self.lines, start=len(steps)):
            operands = [{"r": x.index} if isinstance(x, Ref) else x for x in line.operands]
            method = line.op in METHODS
            steps.append(["call", out, operands[0], line.op, []] if method else ["op", out, line.op, *operands])
        root = {"r": self.root}
        if not backward:
            return steps + [["get", root, "data"]]
        return (steps + [["get", root, "data"], ["backward", root]]
                + [["get", {"r": k}, "grad"] for k in range(len(self.leaves))])

    def code(self, backward: bool = True) -> str:
        """Python to paste: results used more than once get a name, the rest are written in place."""
        names = list(self.leaves)
        used = [0] * (len(names) + len(self.lines))
        for line in self.lines:
            for x in line.operands:
                if isinstance(x, Ref):
                    used[x.index] += 1
        lines: list[str] = []
        texts: list[tuple[str, int]] = [(name, 9) for name in names]
        for index, line in enumerate(self.lines, start=len(names)):
            text = _text(line, texts)
            if index == self.root:
                lines.append(f"out = {text[0]}")
            elif used[index] > 1 or len(text[0]) > 60:
                name = f"t{index - len(names) + 1}"
                lines.append(f"{name} = {text[0]}")
                text = (name, 9)
            texts.append(text)
        if not self.lines:
            lines.append(f"out = {names[self.root]}")
        if backward:
            lines.append("out.backward()")
        return "\n".join([self.head(), *lines])

    def head(self) -> str:
        """Python that makes the leaves."""
        return "\n".join(["from value import Value", *(f"{name} = Value({x!r})" for name, x in self.leaves.items())])


# How tightly an operator binds; a number's own minus sign binds like a unary minus.
BINDS = {"add": 1, "sub": 1, "mul": 2, "truediv": 2, "neg": 3, "pow": 4}


def _text(line: Line, texts: list[tuple[str, int]]) -> tuple[str, int]:
    """(source text, how tightly it binds) of one line."""
    parts = [texts[x.index] if isinstance(x, Ref) else (repr(x), 3 if x < 0 else 9) for x in line.operands]
    if line.op in METHODS:
        return f"{_wrap(parts[0], 8)}.{line.op}()", 9
    strength = BINDS[line.op]
    if line.op == "neg":
        return f"-{_wrap(parts[0], strength)}", strength
    left, right = (strength + 1, strength) if line.op == "pow" else (strength, strength + 1)
    spaced = f" {SYMBOLS[line.op]} "
    return f"{_wrap(parts[0], left)}{spaced}{_wrap(parts[1], right)}", strength


def _wrap(part: tuple[str, int], needed: int) -> str:
    return part[0] if part[1] >= needed else f"({part[0]})"


class TraceError(TypeError):
    """A promise's lambda did something that a straight-line program cannot hold."""


class Traced:
    """Stands for a Value while a lambda is traced: records operations, refuses to be looked at."""

    def __init__(self, lines: list[Line], index: int):
        self._lines, self._ref = lines, Ref(index)

    def _record(self, op: str, *operands) -> Traced:
        plain = tuple(x._ref if isinstance(x, Traced) else _number(x) for x in operands)
        self._lines.append(Line(op, plain))
        return Traced(self._lines, self._offset + len(self._lines) - 1)

    @property
    def _offset(self) -> int:
        return self._lines.leaves          # a _Recorder knows how many leaves come before its lines

    def __add__(self, other): return self._record("add", self, other)
    def __radd__(self, other): return self._record("add", other, self)
    def __sub__(self, other): return self._record("sub", self, other)
    def __rsub__(self, other): return self._record("sub", other, self)
    def __mul__(self, other): return self._record("mul", self, other)
    def __rmul__(self, other): return self._record("mul", other, self)
    def __truediv__(self, other): return self._record("truediv", self, other)
    def __rtruediv__(self, other): return self._record("truediv", other, self)
    def __pow__(self, other): return self._record("pow", self, other)
    def __neg__(self): return self._record("neg", self)
    def relu(self): return self._record("relu", self)
    def tanh(self): return self._record("tanh", self)
    def exp(self): return self._record("exp", self)
    def log(self): return self._record("log", self)
    def sigmoid(self): return self._record("sigmoid", self)

    def _refuse(self, *_):
        raise TraceError("a program is straight-line: it cannot compare a Value, test it, or turn it into a number; "
                         "write a longer script for that")

    __bool__ = __float__ = __int__ = __index__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _refuse
    __hash__ = None


class _Recorder(list):
    """The lines of a program being traced, and how many leaves it has."""

    def __init__(self, leaves: int):
        super().__init__()
        self.leaves = leaves


def trace(function: Callable, leaves: dict[str, int | float]) -> Program:
    """The program that `function(**leaves)` runs when its arguments are Values; TraceError names what it may not do."""
    lines = _Recorder(len(leaves))
    root = function(**{name: Traced(lines, k) for k, name in enumerate(leaves)})
    if not isinstance(root, Traced):
        raise TraceError(f"a program must return a Value made from its leaves, not {root!r}")
    return Program(dict(leaves), tuple(lines), root._ref.index)


STRAIGHT = ("new", "op", "call", "get", "backward")      # the steps of a program's script


def of_script(steps: Sequence[list]) -> tuple[Program, dict[int, str]] | None:
    """The program that a worker's script runs, and what its registers are called; None where it is no straight line."""
    made = [step for step in steps if step[0] in ("new", "op", "call")]
    order = sorted(made, key=lambda step: step[0] != "new")
    place = {step[1]: k for k, step in enumerate(order)}
    ends = [step[1]["r"] for step in steps if step[0] == "backward"] or [step[1] for step in order[-1:]]
    numbers = [step[2] for step in order if step[0] == "new"]
    straight = all(step[0] in STRAIGHT and not (step[0] == "call" and step[4]) for step in steps)
    if not straight or len(place) < len(made) or len(ends) != 1 or len(numbers) > len(NAMES):
        return None
    lines = [(step[3], step[2]) if step[0] == "call" else step[2:] for step in order[len(numbers):]]
    program = build(dict(zip(NAMES, numbers, strict=False)), [
        (op, *(Ref(place[x["r"]]) if isinstance(x, dict) else x for x in operands)) for op, *operands in lines
    ], place[ends[0]])
    return program, dict(zip(place, program.leaves, strict=False)) | {ends[0]: "out"}


def _number(x):
    if type(x) not in (int, float):
        raise TraceError(f"a program holds Values, ints and floats; it was given {x!r}, a {type(x).__name__}")
    return x


def build(leaves: dict[str, int | float], lines: Sequence[tuple], root: int = -1) -> Program:
    """A program from (op, operand, ...) tuples, where an operand is a Ref or a number."""
    return Program(leaves, tuple(Line(op, tuple(operands)) for op, *operands in lines), root)
