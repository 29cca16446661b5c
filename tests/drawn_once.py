"""Judge many files quickly: generated programs and truths are worked out once, for all files and seeds.

Drawing programs is most of what level 3 costs, and they depend on the seed alone. Nothing else is changed: the
promises, the engine and its worker are the judge's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from unittest.mock import patch

from utils.judge import asked, generate
from utils.judge import engine as engine_module
from utils.judge.engine import Engine
from utils.judge.oracle import Truth, truth
from utils.judge.program import Program
from utils.judge.promises import Broken

_drawn = lru_cache(maxsize=64)(generate.drawn)


def _as_it_is(engine: Engine, program: Program, first: Broken) -> Broken:
    """In place of the judge's `_smallest`: a failing program is not made smaller."""
    return first


_known: dict[tuple, Truth] = {}


def _truth(program: Program) -> Truth:
    key = (*program.leaves.items(), program.lines, program.root)
    if key not in _known:
        _known[key] = truth(program)
    return _known[key]


@contextmanager
def drawn_once() -> Iterator[None]:
    """Inside, judging shares programs and truths between files."""
    with (patch.object(generate, "drawn", _drawn), patch.object(asked, "_smallest", _as_it_is),
          patch.object(engine_module, "truth", _truth)):
        yield
