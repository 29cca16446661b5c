"""Generated programs: hypothesis draws them, and shrinks a failing one to the smallest that still fails."""

from __future__ import annotations

import math

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from utils.judge.engine import Engine
from utils.judge.program import METHODS, SYMBOLS, Line, Program, Ref

NAMES = "abcd"
NUMBERS = (1, 2, 3, -1, -2, 0.5, 1.5, -0.5, 2.0, -3.0, 0.1, -1.25)     # equal ints and floats on purpose
EXPONENTS = (2, 3, -1, 0.5, -2.5, 2.0)
ARITHMETIC = tuple(op for op in SYMBOLS if op != "pow") + ("neg",)
EVERYTHING = ARITHMETIC + ("pow",) + METHODS
LARGEST, SMALLEST = 10.0, 0.1       # where values stay: functions are smooth and rounding is small there


@st.composite
def programs(draw, ops: tuple[str, ...] = EVERYTHING, longest: int = 10) -> Program:
    """A program of up to four leaves and `longest` lines, every intermediate value in a smooth, well-conditioned place."""
    leaves = {name: draw(st.sampled_from(NUMBERS)) for name in NAMES[:draw(st.integers(1, len(NAMES)))]}
    values = [float(x) for x in leaves.values()]
    lines: list[Line] = []
    for _ in range(draw(st.integers(1, longest))):
        op = draw(st.sampled_from(ops))
        operands = _operands(draw, op, len(values))
        value = _value(op, [values[x.index] if isinstance(x, Ref) else x for x in operands])
        if value is not None:
            lines.append(Line(op, operands))
            values.append(value)
    return Program(leaves, tuple(lines)) if lines else Program(leaves, (Line("mul", (Ref(0), 3.0)),))


def _operands(draw, op: str, count: int) -> tuple:
    ref = st.builds(Ref, st.integers(0, count - 1))
    if op in METHODS or op == "neg":
        return (draw(ref),)
    if op == "pow":
        return draw(ref), draw(st.sampled_from(EXPONENTS))
    number = st.sampled_from(NUMBERS)
    return draw(st.one_of(st.tuples(ref, ref), st.tuples(ref, number), st.tuples(number, ref)))


def _value(op: str, x: list[float]) -> float | None:
    """The result in floats, or None where this step would leave the smooth, well-conditioned region."""
    if op in ("log", "relu", "truediv") and abs(x[-1]) < SMALLEST or op == "log" and x[0] < 0:
        return None
    if op == "pow" and (abs(x[0]) < SMALLEST or x[0] < 0 and x[1] != int(x[1])):
        return None
    if op == "exp" and x[0] > LARGEST:
        return None
    value = {
        "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "neg": lambda a: -a,
        "truediv": lambda a, b: a / b, "pow": lambda a, b: a**b, "relu": lambda a: max(a, 0.0), "tanh": math.tanh,
        "exp": math.exp, "log": math.log, "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    }[op](*x)
    return value if abs(value) <= LARGEST else None


def agrees_on_programs(engine: Engine, ops: tuple[str, ...], count: int, longest: int = 10) -> None:
    """The engine is right on `count` programs drawn from its seed; raises Broken on the smallest that shows otherwise."""
    @settings(max_examples=count, database=None, deadline=None, print_blob=False, report_multiple_bugs=False,
              verbosity=Verbosity.quiet, phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck))
    @seed(engine.seed)
    @given(programs(ops, longest))
    def agree(program):
        engine.agrees_program(program)

    agree()
