"""Run some of a learner's scripts once more, in a fresh worker and in the opposite order: nothing may change.

Answers that depend on what was asked before, or on chance, are no answers: a list that is played back, an engine that
turns wrong after a while, state that one graph leaves for the next.
"""

from __future__ import annotations

from collections.abc import Iterable

from utils.judge.evidence import OUTSIDE, alike, as_seen
from utils.judge.promises import Broken, Promise
from utils.judge.session import Outcome, Session

EACH = 3                # scripts of a promise
LONGEST = 200           # steps: longer ones are not run again


def changed(kept: Iterable[tuple[Promise, list[tuple[list, Outcome]]]], fresh: Session) -> dict[Promise, Broken]:
    """What is wrong with promises that were kept by these scripts: another outcome when they are run again."""
    chosen = [(p, *script) for p, scripts in kept for script in _sample(scripts)]
    found = {}
    for promise, steps, first in reversed(chosen):
        second = fresh.run(steps)
        if second.error and second.error["kind"] in OUTSIDE:
            break               # a busy machine: no evidence
        if not alike(as_seen(first), as_seen(second)):
            found[promise] = Broken(
                "Run once more in a fresh Python and in another order, the same lines gave something else. An answer "
                "may depend neither on what was computed before nor on chance: look for what is kept between graphs.",
                **_difference(first, second))
    return found


def _sample(scripts: list[tuple[list, Outcome]]) -> list[tuple[list, Outcome]]:
    """A few scripts of a promise, from its first to its last, that ended in numbers and leave nothing to chance."""
    usable = [(steps, outcome) for steps, outcome in scripts if not outcome.error and len(steps) <= LONGEST
              and not any(step[0] == "make" for step in steps)
              and all(isinstance(x, int | float) for x in outcome.reports)]
    return usable[::max(1, len(usable) // EACH)][:EACH]


def _difference(first: Outcome, second: Outcome) -> dict[str, str]:
    """The first two numbers that differ, as evidence; the second time there may have been an error instead."""
    if second.error:
        return {"quantity": "the second time", "yours": f"{second.error['type']}: {second.error['text']}"[:200]}
    one, other = next(pair for pair in zip(first.reports, second.reports, strict=True) if pair[0] != pair[1])
    return {"quantity": "a number, the first and the second time", "yours": f"{one:.10g}, then {other}"[:200]}
