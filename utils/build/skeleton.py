"""The learner's file, made from the reference solution it is a skeleton of.

Blocks of the reference are marked, at any indentation. The short form, for what is the learner's to write:

    # exercise 2.2 >>> Value / number
    return self * other**-1
    # <<<

leaves `raise NotImplementedError("exercise 2.2: Value / number")`. The long form carries the text of the learner's
file, half-written code included, as comments:

    # exercise 2.2 >>>
    return self * other**-1
    # learner's file:
    #     half = other
    #     raise NotImplementedError("exercise 2.2: Value / number")
    # <<<

Either replacement stands at the block's indentation. Everything outside blocks is copied as it is.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

HEADER = "# This file is yours to edit: an update never overwrites it once you have changed it.\n"
OPEN = re.compile(r"( *)# (\S.*?) >>>(?: (\S.*))?$")  # indentation, label, and what is missing (short form)
TURN = re.compile(r" *# learner's file:$")
CLOSE = re.compile(r" *# <<<$")
COMMENT = re.compile(r" *#(?: (.*))?$")


class SkeletonError(ValueError):
    """Markers of a reference solution that do not fit together; the text begins with the line number."""


@dataclass
class Block:
    """One marked block: the line it opens on, its indentation, its solution and the lines that replace it."""

    line: int
    indent: str
    solution: list[str] = field(default_factory=list)
    text: list[str] | None = None  # None until the replacement is known

    def replacement(self) -> str:
        text = textwrap.dedent("\n".join(self.text)).strip("\n")
        return textwrap.indent(text, self.indent) + "\n"


def parse(source: str) -> list[str | Block]:
    """The source as lines to copy and blocks to replace, in order. Raises SkeletonError naming the line."""
    parts: list[str | Block] = []
    block, reading = None, False  # the open block, and whether its commented text is being read
    for number, line in enumerate(source.splitlines(), 1):
        if opening := OPEN.match(line):
            if block is not None:
                raise SkeletonError(f"line {number}: opens inside the block of line {block.line}; end that first")
            indent, label, missing = opening.groups()
            block = Block(number, indent, text=missing and [f'raise NotImplementedError("{label}: {missing}")'])
        elif TURN.match(line):
            if block is None or block.text is not None:
                raise SkeletonError(f"line {number}: `learner's file:` belongs in an open block that has no text yet")
            block.text, reading = [], True
        elif CLOSE.match(line):
            if block is None:
                raise SkeletonError(f"line {number}: closes a block that no `# ... >>>` opened")
            if not block.text:
                raise SkeletonError(f"line {number}: the block of line {block.line} has no text for the learner's file")
            parts.append(block)
            block, reading = None, False
        elif reading:
            comment = COMMENT.match(line)
            if comment is None:
                raise SkeletonError(f"line {number}: expected a comment, text of the learner's file: {line.strip()!r}")
            block.text.append(comment[1] or "")
        else:
            (parts if block is None else block.solution).append(line)
    if block is not None:
        raise SkeletonError(f"line {block.line}: this block is never closed; end it with `# <<<`")
    return parts


def skeleton(source: str) -> str:
    """The learner's file for a reference solution: every marked block replaced by its text.

    Raises SkeletonError, with the line number, where markers do not fit together or where there are none.
    """
    parts = parse(source)
    if not any(isinstance(part, Block) for part in parts):
        raise SkeletonError("line 1: no block is marked, so the learner's file would be the solution")
    return HEADER + "".join(part.replacement() if isinstance(part, Block) else part + "\n" for part in parts)
