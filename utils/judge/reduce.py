"""Make a failing program small: delta debugging on its lines, leaves and numbers.

hypothesis could shrink it too, but it shrinks the choices that made a program: 40 s for one of 40 lines. Working on the
lines themselves takes well under a second, and ends at programs a person would have written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from utils.judge.program import Line, Program, Ref

PLAIN_NUMBERS = (2.0, 3.0, 1.0, -2.0, 0.5)


def reduce(program: Program, still: Callable[[Program], bool]) -> Program:
    """The smallest program found for which `still` holds, as it does for `program`; the same input, the same result."""
    smaller = True
    while smaller:
        smaller = next((p for p in _simpler(program) if still(p)), None)
        program = smaller or program
    names = dict(zip("abcdefgh", program.leaves.values(), strict=False))
    return Program(names, program.lines, program.root) if len(names) == len(program.leaves) else program


def _simpler(program: Program) -> Iterator[Program]:
    """Programs a step simpler: the root earlier, a line replaced by one of its operands, a plainer number."""
    first = len(program.leaves)
    for root in range(first, program.root):
        yield tidy(Program(program.leaves, program.lines, root))
    for k, line in enumerate(program.lines):
        for operand in line.operands:
            if isinstance(operand, Ref):
                yield tidy(_without(program, k, operand))
    for name, data in program.leaves.items():
        for plain in PLAIN_NUMBERS[:_rank(data)]:
            yield Program(program.leaves | {name: plain}, program.lines, program.root)
    for k, line in enumerate(program.lines):
        for j, operand in enumerate(line.operands):
            if not isinstance(operand, Ref):
                for plain in PLAIN_NUMBERS[:_rank(operand)]:
                    operands = (*line.operands[:j], plain, *line.operands[j + 1:])
                    yield Program(program.leaves, _replaced(program.lines, k, Line(line.op, operands)), program.root)


def _rank(number: int | float) -> int:
    """How many of the plain numbers are plainer than this one."""
    return PLAIN_NUMBERS.index(number) if number in PLAIN_NUMBERS and type(number) is float else len(PLAIN_NUMBERS)


def _replaced(lines: tuple[Line, ...], k: int, line: Line) -> tuple[Line, ...]:
    return (*lines[:k], line, *lines[k + 1:])


def _without(program: Program, k: int, stand_in: Ref) -> Program:
    """`program` with every use of line k replaced by `stand_in`."""
    gone = len(program.leaves) + k

    def swap(x):
        return stand_in if isinstance(x, Ref) and x.index == gone else x
    lines = tuple(Line(line.op, tuple(swap(x) for x in line.operands)) for line in program.lines)
    return Program(program.leaves, lines, stand_in.index if program.root == gone else program.root)


def tidy(program: Program) -> Program:
    """`program` without the lines and leaves that its root does not depend on (one leaf always stays)."""
    first, needed = len(program.leaves), {program.root}
    for index in range(first + len(program.lines) - 1, first - 1, -1):
        if index in needed:
            needed |= {x.index for x in program.lines[index - first].operands if isinstance(x, Ref)}
    kept = sorted(needed | ({0} if not any(k < first for k in needed) else set()))
    place = {old: new for new, old in enumerate(kept)}
    names = list(program.leaves)
    leaves = {names[k]: program.leaves[names[k]] for k in kept if k < first}
    lines = tuple(Line(program.lines[k - first].op, tuple(Ref(place[x.index]) if isinstance(x, Ref) else x
                                                          for x in program.lines[k - first].operands))
                  for k in kept if k >= first)
    return Program(leaves, lines, place[program.root])
