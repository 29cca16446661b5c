"""Run some of a learner's scripts once more, in a fresh worker and in the opposite order: nothing may change.

Answers that depend on what was asked before, or on chance, are no answers: a list that is played back, an engine that
turns wrong after a while, state that one graph leaves for the next.
"""

from __future__ import annotations

from collections.abc import Iterable

from utils.judge.engine import shown
from utils.judge.evidence import OUTSIDE, alike, as_seen
from utils.judge.program import of_script
from utils.judge.promises import Broken, Promise
from utils.judge.replies import REPORTING
from utils.judge.session import Outcome, Session
from utils.judge.simulation import Result

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
                **_difference(steps, first, second))
    return found


def otherwise(steps: list, first: Outcome, fresh: Session) -> Outcome | None:
    """What a script gives in a fresh worker, if that is not its first outcome."""
    if not _repeatable(steps, first):
        return None
    second = fresh.run(steps)
    outside = second.error and second.error["kind"] in OUTSIDE
    return None if outside or alike(as_seen(first), as_seen(second)) else second


def unsteady(problem: Broken, first: Outcome, second: Outcome) -> Broken:
    """The problem that a script showed, told with what a fresh worker gave."""
    here = f"{detail} " if (detail := problem.evidence["detail"]) else ""
    pairs = map(_shown, zip(first.reports, second.reports, strict=False))
    there = "an error" if second.error else "no error" if first.error else next(
        (after for before, after in pairs if before != after), "another number")
    return Broken(
        f"{here}That is what these lines did after other graphs; by themselves, in a fresh Python, they gave {there}. "
        "Something is kept from one graph to the next, or left to chance: look for a global name, an attribute of the "
        "class, a default argument.", **{key: x for key, x in problem.evidence.items() if key != "detail"})


def _shown(pair: tuple) -> tuple[str, str]:
    return shown(pair[0]), shown(pair[1])


def _repeatable(steps: list, outcome: Outcome) -> bool:
    """Whether a script is short, reports numbers, and leaves nothing to chance: neither weights nor memory."""
    return (len(steps) <= LONGEST and not any(step[0] in ("make", "repeat") for step in steps)
            and all(isinstance(x, int | float) for x in outcome.reports))


def _sample(scripts: list[tuple[list, Outcome]]) -> list[tuple[list, Outcome]]:
    """A few scripts of a promise, from its first to its last, that ended in numbers and leave nothing to chance."""
    usable = [(steps, outcome) for steps, outcome in scripts if not outcome.error and _repeatable(steps, outcome)]
    return usable[::max(1, len(usable) // EACH)][:EACH]


def _difference(steps: list, first: Outcome, second: Outcome) -> dict[str, str | None]:
    """The lines, and the first two numbers that differ; the second time there may have been an error instead."""
    program, names = of_script(steps) or (None, {})
    code = program and program.code(backward=any(step[0] == "backward" for step in steps))
    if second.error:
        return {"program": code, "quantity": "the second time",
                "yours": f"{second.error['type']}: {second.error['text']}"[:200]}
    asked = [f"{names[step[1]['r']]}.{step[2]}" if step[0] == "get" and step[1]["r"] in names else "a number"
             for step in steps if step[0] in REPORTING]
    what, one, other = next(three for three in zip(asked, first.reports, second.reports, strict=True)
                            if not alike(Result([three[1]]), Result([three[2]])))
    return {"program": code, "quantity": f"{what}, the first and the second time",
            "yours": f"{shown(one)}, then {shown(other)}"[:200]}
