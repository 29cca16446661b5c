"""Programs that hypothesis draws from a seed."""

from __future__ import annotations

from functools import lru_cache

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from utils.judge.program import EVERYTHING, METHODS, Line, Program, Ref
from utils.judge.smooth import value

NAMES = "abcd"
NUMBERS = (1, 2, 3, -1, -2, 0.5, 1.5, -0.5, 2.0, -3.0, 0.1, -1.25, 5.0, -8)        # equal ints and floats on purpose
OPERANDS = (*NUMBERS, 0)            # a leaf of 0 would rule out too much
EXPONENTS = (2, 3, -1, 0.5, -2.5, 2.0, 4, -2, -3, 1.5)


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
        result = value(op, [values[x.index] if isinstance(x, Ref) else x for x in operands])
        if result is not None:
            lines.append(Line(op, operands))
            values.append(result)
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
