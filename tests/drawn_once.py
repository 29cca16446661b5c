"""Judge many files quickly: the generated programs of a seed and their truths are worked out once, for all files.

Drawing programs is most of what level 3 costs, and they depend on the seed alone. Nothing else is changed: the
promises, the engine and its worker are the judge's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from unittest.mock import patch

from utils.judge import engine as engine_module
from utils.judge import generate
from utils.judge.engine import Engine
from utils.judge.generate import agrees_on_programs
from utils.judge.oracle import Truth, truth
from utils.judge.program import Program


class _Listener:
    """Stands for an engine that is right on everything, and notes the programs that it is asked about."""

    def __init__(self, seed: int):
        self.seed, self.programs = seed, []

    def agrees_program(self, program: Program) -> None:
        self.programs.append(program)


@lru_cache(maxsize=64)
def programs_of(seed: int, ops: tuple[str, ...], count: int, longest: int) -> tuple[Program, ...]:
    """The programs that the judge draws from this seed, as long as none of them fails."""
    listener = _Listener(seed)
    agrees_on_programs(listener, ops, count, longest)
    return tuple(listener.programs)


def _agrees_on_programs(engine: Engine, ops: tuple[str, ...], count: int, longest: int = 10) -> None:
    """As the judge's own, but a failing program is not made smaller."""
    for program in programs_of(engine.seed, ops, count, longest):
        engine.agrees_program(program)


_known: dict[tuple, Truth] = {}


def _truth(program: Program) -> Truth:
    key = (*program.leaves.items(), program.lines, program.root)
    if key not in _known:
        _known[key] = truth(program)
    return _known[key]


@contextmanager
def drawn_once() -> Iterator[None]:
    """Inside, judging shares programs and truths between files."""
    with (patch.object(generate, "agrees_on_programs", _agrees_on_programs),
          patch.object(engine_module, "truth", _truth)):
        yield
