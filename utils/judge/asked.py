"""The programs of exercise 3.1, and an engine that is asked about them; a failing one is reduced to the smallest.

What a learner's own check draws is the same every time, so it is kept in programs.json, which `course.py build` writes:
a check needs no hypothesis, and its verdict does not depend on the version of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from utils.judge.engine import Engine
from utils.judge.fixed import fixed_programs, steep_programs
from utils.judge.program import ARITHMETIC, EVERYTHING, Program, Ref, build
from utils.judge.promises import Broken
from utils.judge.reduce import reduce
from utils.judge.replies import STOPS
from utils.judge.smooth import well_conditioned
from utils.judge.variation import DEFAULT_SEED

STORE = Path(__file__).with_name("programs.json")
SETS = {                            # name -> operations, how many programs, how many lines at most
    "arithmetic": (ARITHMETIC, 80, 10), "everything": (EVERYTHING, 120, 10), "long": (EVERYTHING, 40, 40),
    "sums and products": (("add", "mul"), 80, 16)}


def asked(seed: int, kind: str) -> Iterator[Program]:
    """The programs of one of the SETS: fixed ones, those of a learner's own check and, at grading, the seed's own."""
    ops = SETS[kind][0]
    yield from filter(well_conditioned, fixed_programs(ops))
    yield from steep_programs(ops)
    yield from stored()[kind]
    if seed != DEFAULT_SEED:
        from utils.judge import generate  # here, since a check that draws nothing answers sooner without it

        yield from generate.drawn(seed, *SETS[kind])


def agrees_on_programs(engine: Engine, kind: str) -> None:
    """The engine is right on every program of one of the SETS; else Broken, with a small one that shows it."""
    for program in asked(engine.seed, kind):
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


# What a learner's own check draws

@lru_cache
def stored() -> dict[str, tuple[Program, ...]]:
    """The programs that the default seed draws, by the names of SETS."""
    return {kind: tuple(build(leaves, [[Ref(x["r"]) if isinstance(x, dict) else x for x in line] for line in lines])
                        for leaves, lines in programs)
            for kind, programs in json.loads(STORE.read_text(encoding="utf-8")).items()}


def files() -> dict[Path, bytes]:
    """The store under its path, as `course.py build` writes and checks it: one program a line."""
    from utils.judge import generate

    sets = (f"{json.dumps(kind)}: [\n" + ",\n".join(map(_plain, generate.drawn(DEFAULT_SEED, *how))) + "\n]"
            for kind, how in SETS.items())
    return {STORE: ("{\n" + ",\n".join(sets) + "\n}\n").encode()}


def _plain(program: Program) -> str:
    lines = [[line.op, *({"r": x.index} if isinstance(x, Ref) else x for x in line.operands)] for line in program.lines]
    return json.dumps([program.leaves, lines], separators=(",", ":"))
