"""Fixed programs, which come before those that are drawn: each operation by itself, and where it is steep.

A slip in one operation shows here whatever the seed, so a learner's own check and grading meet it alike. Drawn programs
are for what shows only where operations meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from utils.judge.program import METHODS, Program, Ref, build

A, B, RESULT = Ref(0), Ref(1), Ref(2)
LEAVES = ({"a": 0.75, "b": -2.0}, {"a": -0.5, "b": 3})
NUMBERS = (2, -0.5, 0)
EXPONENTS = (2, 3, -1, 0.5, -2.5, 2.0, 1)
STEEP = (                           # a small number that was added to be on the safe side is not small here
    ({"a": 1e-8}, "log", A), ({"a": 1e-8}, "pow", A, 0.5), ({"a": 1e-6}, "pow", A, -1),
    ({"a": 3.0, "b": 1e-6}, "truediv", A, B), ({"a": 1e-6}, "truediv", 2, A))


def _operands(op: str) -> Iterator[tuple]:
    """Every way of giving this operation a and b, a alone, or a and a number on either side."""
    if op in METHODS or op == "neg":
        yield (A,)
    elif op == "pow":
        yield from ((A, n) for n in EXPONENTS)
    else:
        yield from ((A, B), (B, A), (A, A), *((A, n) for n in NUMBERS), *((n, A) for n in NUMBERS))


@lru_cache
def fixed_programs(ops: tuple[str, ...]) -> tuple[Program, ...]:
    """Each of these operations by itself; `add` and `mul` have to be among them.

    Its result is used twice and scaled, and its input is used again: ((result * a + result) + b) * -0.5.
    Some of them leave the region where the operation is smooth or defined: whoever judges by them leaves those out.
    """
    again = (("mul", RESULT, A), ("add", Ref(3), RESULT), ("add", Ref(4), B), ("mul", Ref(5), -0.5))
    return tuple(build(leaves, [(op, *operands), *again])
                 for op in ops for operands in _operands(op) for leaves in LEAVES)


def steep_programs(ops: tuple[str, ...]) -> tuple[Program, ...]:
    """These operations, scaled, where they are steep."""
    return tuple(build(leaves, [(op, *operands), ("mul", Ref(len(leaves)), 3.0)])
                 for leaves, op, *operands in STEEP if op in ops)
