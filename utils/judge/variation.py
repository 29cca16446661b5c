"""At grading a promise asks for more than the numbers it is written with: others drawn from the submission's seed.

A learner's own check uses seed 0, and only the numbers as they are written. A graded promise has to hold for those and
for the drawn ones, so a table of recorded answers helps nobody, and what a check calls wrong is wrong at grading too.
"""

from __future__ import annotations

import random

DEFAULT_SEED = 0            # of a learner's own check
SPREAD = 0.1                # a drawn float is at most this share away from the one it stands for
STEPS = 4                   # a drawn integer is at most so much larger in size


def varied(number: int | float, seed: int) -> int | float:
    """The number that stands for this one at grading: of its type and sign, near it, and the same wherever it occurs.

    0 stays 0, and equal numbers stay equal: where a promise uses them, it is about them.
    """
    if not seed or not number:
        return number
    rng = random.Random(f"{seed} {number!r}")
    if isinstance(number, int):
        return number + rng.randint(0, STEPS) * (1 if number > 0 else -1)
    return float(f"{number * rng.uniform(1 - SPREAD, 1 + SPREAD):.4g}")
