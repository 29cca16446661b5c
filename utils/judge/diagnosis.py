"""Name a misconception: the catalogue's entry that behaves as the learner's engine did on every script that was run."""

from __future__ import annotations

from dataclasses import dataclass

from utils.judge.flawed import Flaw, Unsupported, simulate
from utils.judge.misconceptions import Misconception, catalogue, pairs
from utils.judge.session import Outcome

RELATIVE, ABSOLUTE = 1e-7, 1e-9


@dataclass(frozen=True)
class Diagnosis:
    """What the learner's engine behaves like: one entry, or two that occur together."""

    entries: tuple[Misconception, ...]

    @property
    def id(self) -> str:
        return "+".join(entry.id for entry in self.entries)

    @property
    def says(self) -> str:
        return " And: ".join(entry.says for entry in self.entries)


Script = tuple[list, Outcome]


def diagnose(own: list[Script], others: list[Script]) -> Diagnosis | None:
    """What explains an exercise's scripts, `own`, and shows in the `others` that were run wherever it would show.

    Single entries come first, then pairs. Where several match that have different cures, none is named: no guess.
    """
    own = sorted(own, key=lambda script: _right(script[0]) == _seen(script[1]))      # wrong ones first: they tell most
    for candidates in ([(entry,) for entry in catalogue().values()], list(pairs())):
        matches = [c for c in candidates if any(_explains(_joined(c), composed, own, others) for composed in (True, False))]
        if matches:
            return Diagnosis(matches[0]) if len({_cure(m) for m in matches}) == 1 else None
    return None


def _joined(entries: tuple[Misconception, ...]) -> Flaw:
    flaw = entries[0].flaw
    for entry in entries[1:]:
        flaw = flaw | entry.flaw
    return flaw


def _cure(entries: tuple[Misconception, ...]) -> str:
    """What an entry is about: walks in other orders behave alike on few programs, and have one cure."""
    return "+".join("order" if e.flaw.walk.startswith(("depth", "breadth")) else e.id for e in entries)


def _seen(outcome: Outcome) -> tuple[list, str | None]:
    return outcome.reports, outcome.error["kind"] if outcome.error else None


def _right(steps: list) -> tuple[list, str | None] | None:
    """What an engine without a flaw gives, or None for a script that is not simulated."""
    return _simulated(steps, Flaw(), composed=False)


def _simulated(steps: list, flaw: Flaw, composed: bool) -> tuple[list, str | None] | None:
    try:
        return simulate(steps, flaw, composed)
    except Unsupported:
        return None


def _explains(flaw: Flaw, composed: bool, own: list[Script], others: list[Script]) -> bool:
    """Whether an engine with this flaw gives every outcome of `own`, and every one of `others` that the flaw changes."""
    compared = 0
    for steps, outcome in own:
        flawed = _simulated(steps, flaw, composed)
        if flawed is not None:
            if not _alike(_seen(outcome), flawed):
                return False
            compared += 1
    for steps, outcome in others:
        flawed = _simulated(steps, flaw, composed)
        if flawed is not None and not _alike(_seen(outcome), flawed) and not _alike(flawed, _right(steps)):
            return False
    return compared > 0


def _alike(one: tuple[list, str | None], other: tuple[list, str | None]) -> bool:
    """The same kind of ending, and the same numbers up to rounding."""
    return one[1] == other[1] and len(one[0]) == len(other[0]) and all(
        isinstance(a, int | float) and abs(a - b) <= ABSOLUTE + RELATIVE * abs(b) for a, b in zip(one[0], other[0], strict=True))
