"""The bank of drills: what is asked, what is right, and what each usual slip would give; a module a topic.

Everything here is plain data, drawn from a seed. utils/drills.py judges it and shows it. A topic's module is
`topic_<number>.py`; its `DRAW` has for each drill of the manifest a function from a random generator to a Draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from pathlib import Path
from random import Random

from utils.curriculum import CurriculumError, topic_of
from utils.curriculum import topic as find_topic

GRADED_SEED = 24
TOLERANCE = 1e-3  # relative: four significant digits are enough
APART = 0.01      # relative: two numbers closer than this cannot be told apart as slips
Draw = tuple[str, dict[str, "Box | None"]]  # a problem's text and boxes


@dataclass(frozen=True)
class Box:
    """One thing to fill in: a number, or a name where `expected` is text. `slips` are (wrong value, sentence)."""

    label: str
    expected: float | str = field(repr=False)
    slips: tuple[tuple[float | str, str], ...] = field(repr=False)
    given: Callable[[dict[str, float]], float | None] | None = field(default=None, repr=False)
    tolerance: float = TOLERANCE


@dataclass(frozen=True, repr=False)
class Problem:
    """A drill: its text in Markdown and its boxes by name. Shows as its text, never as its answers."""

    topic: str
    id: str
    seed: int
    text: str
    boxes: dict[str, Box]

    @property
    def graded(self) -> bool:
        return self.seed == GRADED_SEED

    def line(self, answers: dict | None = None) -> str:
        """The line for the answer cell, with None where `answers` has nothing."""
        boxes = ", ".join(f'"{name}": {(answers or {}).get(name)!r}' for name in self.boxes)
        return f"answer_{self.id.replace('.', '_')} = {{{boxes}}}"

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def problem(id: str, seed: int = GRADED_SEED, topic: str | None = None) -> Problem:
    """The drill called `id`, such as "R1", drawn from `seed`; the one that is graded unless told otherwise.

    `topic` is a slug or number; without it, the topic in whose folder this process runs, as in a notebook. Raises
    ValueError for an id or a topic that does not exist and TypeError for a seed that is not a whole number.
    """
    try:
        where = find_topic(topic) if topic else topic_of(Path.cwd())
        draws = import_module(f"utils.drill_bank.topic_{where.number}").DRAW
    except CurriculumError as error:
        raise ValueError(str(error)) from None
    if id not in draws:
        raise ValueError(f"topic {where.number} has no drill {id!r}; its drills are {', '.join(draws)}")
    if not isinstance(seed, int):
        raise TypeError(f"a seed is a whole number, not {seed!r}")
    for attempt in count():
        text, boxes = draws[id](Random(f"{id}/{seed}/{attempt}"))
        if all(box is not None for box in boxes.values()):
            return Problem(where.number, id, seed, text, boxes)


def box(label: str, expected: float, slips: list[tuple[float, str]], given=None) -> Box | None:
    """A box without the slips that its right number, or an earlier slip, cannot be told from.

    None asks for another draw: the number is 0 or too large for mental arithmetic, or one of the two most usual slips,
    which stand first in `slips`, could not be told.
    """
    kept: list[tuple[float, str]] = []
    for value, sentence in [*slips, (-expected, "The size is right, the sign is not.")]:
        if all(abs(value - other) > APART * max(abs(value), abs(other)) for other in [expected, *(v for v, _ in kept)]):
            kept.append((value, sentence))
    usable = 0 < abs(expected) <= 120 and kept[:2] == slips[:2] and len(kept) >= 3
    return Box(label, expected, tuple(kept), given) if usable else None


def follows(rule: Callable, *names: str, hides: tuple[float, ...] = (0,)) -> Callable:
    """Recomputes a box from the learner's earlier ones; None where one is absent or would fit any rule (`hides`)."""
    def given(numbers: dict[str, float]) -> float | None:
        parts = [numbers.get(name) for name in names]
        return None if any(part is None or part in hides for part in parts) else rule(*parts)
    return given


def nonzero(rng: Random, most: int) -> int:
    return rng.choice([-1, 1]) * rng.randint(1, most)


def plus(number: float, symbol: str = "") -> str:
    return f"{'-' if number < 0 else '+'} {abs(number):g}{symbol}"
