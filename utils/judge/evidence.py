"""What was run on a learner's file, as diagnosis sees it: scripts, their outcomes, and how two outcomes compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from utils.judge.flawed import Flaw, Style, Unsupported
from utils.judge.session import Outcome
from utils.judge.simulation import Result, simulate

RELATIVE, ABSOLUTE = 1e-7, 1e-9
OUTSIDE = ("timeout", "memory")     # limits: which one ends a walk without end is a matter of luck
ARITHMETIC = {"OverflowError", "ValueError", "ZeroDivisionError"}       # which one depends on the function used


@dataclass(eq=False)
class Script:
    """A script that was run, what it did, and what a right engine does."""

    exercise: str
    promise: str
    steps: list
    seen: Result
    right: Result | None = None                 # None where a script is not simulated
    uses: frozenset[str] = frozenset()          # operations, with those that they are built from
    known: dict = field(default_factory=dict)   # simulated results, by flaw and style

    @property
    def wrong(self) -> bool:
        return self.right is not None and not alike(self.seen, self.right)


def operations(steps: list, style: Style) -> frozenset[str]:
    """The methods that a script calls, with those that they call in turn."""
    found: set[str] = set()
    steps = [inner for step in steps for inner in (step[2] if step[0] == "repeat" else [step])]
    values = {step[1] for step in steps if step[0] in ("new", "op", "call")}

    def add(name: str) -> None:
        if name not in found:
            found.add(name)
            recipe = style.recipes.get(name)
            for op in _named(recipe) if recipe else ():
                add(op)
    for step in steps:
        if step[0] == "op":
            left = step[3]
            turned = len(step) == 5 and not (isinstance(left, dict) and left["r"] in values)
            add("r" + step[2] if turned else step[2])
            if turned:
                add(step[2])
        elif step[0] == "call":
            add(step[3])
    return frozenset(found)


def has_value_exponent(steps: list) -> bool:
    return any(step[0] == "op" and step[2] == "pow" and isinstance(step[4], dict) for step in steps)


def _named(recipe) -> Iterator[str]:
    """The operations of a recipe, each as a plain and as a reflected one where it can be either."""
    if isinstance(recipe, tuple):
        if recipe[0] not in ("value", "given"):
            yield recipe[0].strip("!")
            if len(recipe) == 3 and recipe[0][0] != "!":
                yield "r" + recipe[0]
        for part in recipe[1:]:
            yield from _named(part)


def touches(flaw: Flaw, script: Script) -> bool:
    """Whether the flaw can show in the script at all."""
    marked = flaw.concerns | flaw.loops | flaw.returns.keys()
    everywhere = not marked or flaw.walk != "sorted" or bool(flaw.equal or flaw.step)
    return everywhere or bool(marked & script.uses)


def simulated(script: Script, flaw: Flaw, style: Style) -> Result | None:
    """What a wrong engine does with the script, or None where that cannot be told."""
    key = flaw, style.order, style.distinct, id(style.recipes)
    if key not in script.known:
        try:
            script.known[key] = simulate(script.steps, flaw, style)
        except Unsupported:
            script.known[key] = None
    return script.known[key]


def as_seen(outcome: Outcome) -> Result:
    """An outcome of the worker as a result that compares with simulated ones."""
    error = outcome.error
    if error is None:
        return Result(outcome.reports)
    return Result(outcome.reports, error["kind"], error["got"] if error["kind"] == "lost-node" else error["type"],
                  error["step"])


def alike(one: Result, other: Result) -> bool:
    """The same kind of ending at the same step, and the same numbers up to rounding."""
    if one.kind in OUTSIDE or other.kind in OUTSIDE:
        return one.kind in OUTSIDE and other.kind in OUTSIDE
    if (one.kind, one.step) != (other.kind, other.step) or len(one.reports) != len(other.reports):
        return False
    details = {one.detail, other.detail} - {None}
    if one.kind in ("raised", "lost-node") and len(details) == 2 and not details <= ARITHMETIC:
        return False
    return all(isinstance(a, int | float) and isinstance(b, int | float) and _close(a, b)
               for a, b in zip(one.reports, other.reports, strict=True))


def _close(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= ABSOLUTE + RELATIVE * abs(b) or (a != a and b != b)
