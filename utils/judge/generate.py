"""Generated programs: hypothesis draws them, and a failing one is reduced to the smallest that still fails."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from utils.judge.engine import Engine
from utils.judge.fixed import fixed_programs, steep_programs
from utils.judge.program import METHODS, SYMBOLS, Line, Program, Ref
from utils.judge.promises import Broken
from utils.judge.reduce import reduce
from utils.judge.replies import STOPS
from utils.judge.variation import DEFAULT_SEED

NAMES = "abcd"
NUMBERS = (1, 2, 3, -1, -2, 0.5, 1.5, -0.5, 2.0, -3.0, 0.1, -1.25, 5.0, -8)        # equal ints and floats on purpose
OPERANDS = (*NUMBERS, 0)            # a leaf of 0 would rule out too much
EXPONENTS = (2, 3, -1, 0.5, -2.5, 2.0, 4, -2, -3, 1.5)
ARITHMETIC = tuple(op for op in SYMBOLS if op != "pow") + ("neg",)
EVERYTHING = ARITHMETIC + ("pow",) + METHODS
LARGEST, SMALLEST = 10.0, 0.1       # where values stay: functions are smooth and rounding is small there


@st.composite
def programs(draw, ops: tuple[str, ...] = EVERYTHING, longest: int = 10) -> Program:
    """A program of up to four leaves and `longest` lines, every intermediate value in a smooth, well-conditioned place.

    Results that no later line uses are added up at the end, so that every line has a share in the root.
    """
    leaves = {name: draw(_one_of(NUMBERS)) for name in NAMES[:draw(_up_to(len(NAMES)))]}
    values = [float(x) for x in leaves.values()]
    lines: list[Line] = []
    for _ in range(draw(_up_to(longest))):
        op = draw(_one_of(ops))
        operands = _operands(draw, op, len(values))
        value = _value(op, [values[x.index] if isinstance(x, Ref) else x for x in operands])
        if value is not None:
            lines.append(Line(op, operands))
            values.append(value)
    return Program(leaves, (*lines, *_gather(len(leaves), lines)))


def _gather(leaves: int, lines: list[Line]) -> list[Line]:
    """Lines that add up what is not used yet: the results, or the first leaf where there are none."""
    used = {x.index for line in lines for x in line.operands if isinstance(x, Ref)}
    loose = [k for k in range(leaves, leaves + len(lines)) if k not in used] or [0]
    total, end = Ref(loose[0]), leaves + len(lines)
    sums = [Line("mul", (total, 3.0))]          # an upstream gradient that is not 1
    for k, index in enumerate(loose[1:]):
        sums.append(Line("add", (Ref(end + k), Ref(index))))
    return sums


def _operands(draw, op: str, count: int) -> tuple:
    if op in METHODS or op == "neg":
        return (draw(_ref(count)),)
    if op == "pow":
        return draw(_ref(count)), draw(_one_of(EXPONENTS))
    return draw(_two(count))


# Each strategy is made once, since hypothesis looks into every new one at length.

@lru_cache
def _one_of(choices: tuple) -> st.SearchStrategy:
    return st.sampled_from(choices)


@lru_cache
def _up_to(most: int) -> st.SearchStrategy[int]:
    return st.integers(1, most)


@lru_cache
def _ref(count: int) -> st.SearchStrategy[Ref]:
    """One of the `count` values so far."""
    return st.builds(Ref, st.integers(0, count - 1))


@lru_cache
def _two(count: int) -> st.SearchStrategy[tuple]:
    ref, number = _ref(count), _one_of(OPERANDS)
    return st.one_of(st.tuples(ref, ref), st.tuples(ref, number), st.tuples(number, ref))


def _value(op: str, x: list[float]) -> float | None:
    """The result in floats, or None where this step would leave the smooth, well-conditioned region."""
    if (op in ("log", "relu", "truediv") and abs(x[-1]) < SMALLEST) or (op == "log" and x[0] < 0):
        return None
    if op == "pow" and (abs(x[0]) < SMALLEST or (x[0] < 0 and x[1] != int(x[1]))):
        return None
    if op == "exp" and x[0] > LARGEST:
        return None
    value = {
        "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "neg": lambda a: -a,
        "truediv": lambda a, b: a / b, "pow": lambda a, b: a**b, "relu": lambda a: max(a, 0.0), "tanh": math.tanh,
        "exp": math.exp, "log": math.log, "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    }[op](*x)
    return value if abs(value) <= LARGEST else None


def well_conditioned(program: Program) -> bool:
    """Whether every step of a program stays in the smooth, well-conditioned region."""
    values = [float(x) for x in program.leaves.values()]
    for line in program.lines:
        value = _value(line.op, [values[x.index] if isinstance(x, Ref) else x for x in line.operands])
        if value is None:
            return False
        values.append(value)
    return True


@lru_cache(maxsize=8)       # a learner's own check draws the same four times over, and grading asks those programs too
def drawn(seed: int, ops: tuple[str, ...], count: int, longest: int) -> tuple[Program, ...]:
    """`count` programs, the same in every process for the same seed."""
    found: list[Program] = []

    @settings(max_examples=count, database=None, deadline=None, print_blob=False, verbosity=Verbosity.quiet,
              phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
    @seeded(seed)
    @given(programs(ops, longest))
    def draw(program):
        found.append(program)
    draw()
    return tuple(found)


def asked(seed: int, ops: tuple[str, ...], count: int, longest: int) -> Iterator[Program]:
    """The programs that an engine has to be right on: fixed ones, those of a learner's own check, those of the seed."""
    yield from filter(well_conditioned, fixed_programs(ops))
    yield from steep_programs(ops)
    for drawn_from in dict.fromkeys((DEFAULT_SEED, seed)):
        yield from drawn(drawn_from, ops, count, longest)


def agrees_on_programs(engine: Engine, ops: tuple[str, ...], count: int, longest: int = 10) -> None:
    """The engine is right on each operation and on `count` drawn programs; else Broken, with a small one that shows it.

    At grading it has to be right on `count` more, drawn from the submission's seed.
    """
    for program in asked(engine.seed, ops, count, longest):
        problem = _problem(engine, program)
        if problem:
            raise _smallest(engine, program, problem)


def _problem(engine: Engine, program: Program) -> Broken | None:
    try:
        engine.agrees_program(program)
    except Broken as problem:
        return problem
    return None


def _smallest(engine: Engine, program: Program, first: Broken) -> Broken:
    """What is wrong with the smallest program that fails as `program` did; as it is where learner code ran too long."""
    status = first.evidence["status"]
    if status in STOPS:
        return first

    def still(candidate: Program) -> bool:
        problem = _problem(engine, candidate) if well_conditioned(candidate) else None
        return problem is not None and problem.evidence["status"] == status
    return _problem(engine, reduce(program, still)) or first
