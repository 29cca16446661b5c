"""How a learner's `Value` is compared with wrong engines: what diagnosis.py needs to know about topic 02."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache, reduce
from itertools import product
from operator import or_

from utils.judge.diagnosis import UNWRITTEN, Ask, Entries, Run
from utils.judge.evidence import Script, alike, as_seen, has_value_exponent, operations, simulated, touches
from utils.judge.flawed import DELEGATED, IN_ORDER, MICROGRAD, Flaw, Style
from utils.judge.lint import facts
from utils.judge.misconceptions import HIDING, Misconception, catalogue
from utils.judge.probes import probes
from utils.judge.program import Program
from utils.judge.recipes import style_of
from utils.judge.session import Outcome
from utils.judge.simulation import Result, length

TRIES = 64                  # orders tried for an engine that walks in one of its own, or another one each time
SHORT = 11                  # steps: a script with few orders, so that trying some is trying nearly all


@lru_cache(maxsize=4096)
def _joined(flaws: tuple[Flaw, ...]) -> Flaw:
    return reduce(or_, flaws)


class ValueCase:
    """One learner's file: the scripts that were run on it, and how it is written."""

    def __init__(self, source: str, scripts: Iterable[Run], ask: Ask):
        self.style, self.facts, self._ask = style_of(source), facts(source), ask
        self.bases = _bases(self.style)
        self.scripts = [s for one in scripts if (s := self.script(*one)) is not None]
        self.scripts.sort(key=lambda s: (not s.wrong, length(s.steps)))        # short wrong ones first: they tell most
        self.orders, self.orders_of_pairs = (False, True), ((False, True) if self.style.distinct else (False,))

    def script(self, exercise: str, promise: str, steps: list, outcome: Outcome) -> Script | None:
        """What was run, where it tells anything: nothing that is not written, nothing that cannot be simulated."""
        if outcome.error and (outcome.error["kind"] in UNWRITTEN or has_value_exponent(steps)):
            return None             # an engine may refuse a Value as exponent
        script = Script(exercise, promise, steps, as_seen(outcome), uses=self._uses(steps))
        script.right = simulated(script, Flaw(), replace(self.style, order="left"))
        return script if script.right is not None else None

    def probe(self, program: Program) -> Script:
        """A script that was not run yet."""
        steps = program.script()
        script = Script("", "", steps, Result([]), uses=self._uses(steps))
        script.right = simulated(script, Flaw(), replace(self.style, order="left"))
        return script

    def _uses(self, steps: list) -> frozenset[str]:
        return frozenset().union(*(operations(steps, base) for base in self.bases))

    def styles(self, flaw: Flaw) -> list[Style]:
        """The ways of writing an engine with this flaw that its numbers depend on."""
        bases = list(self.bases)
        if flaw.walk != "sorted":
            bases += [replace(base, distinct=not base.distinct) for base in bases]
        orders = ("left", "right", "tape") if flaw.feels_order else ("left",)
        return [replace(base, order=order) for base in bases for order in orders]

    def explains(self, entries: Entries, scripts: list[Script], any_order: bool = False) -> bool:
        """Whether an engine with these flaws gives every outcome of `scripts`, a wrong one among them."""
        for flaws in product(*(entry.flaws for entry in entries)):
            flaw = _joined(flaws)
            if any_order and not (flaw.feels_order and (flaw.walk == "sorted" or self.style.distinct)):
                continue
            styles = [replace(base, order="left") for base in self.bases] if any_order else self.styles(flaw)
            for style in styles:
                if _gives(flaw, style, scripts, any_order):
                    return True
        return False

    def shows(self, entries: Entries, scripts: Iterable[Script]) -> bool:
        """Whether engines with these flaws are wrong on one of `scripts`, in what may be the learner's style."""
        flaw = _joined(tuple(entry.flaws[0] for entry in entries))
        results = ((s, simulated(s, flaw, base)) for s in scripts for base in self.bases)
        return any(result is not None and s.right is not None and not alike(result, s.right) for s, result in results)

    def candidates(self) -> list[Misconception]:
        return [entry for entry in catalogue().values() if entry.fact is None or entry.fact in self.facts]

    def hiding(self) -> list[Entries]:
        """Entries that are met together and hide each other."""
        return [(catalogue()[one], catalogue()[two]) for one, two in HIDING]

    def unasked(self, written: frozenset[str]) -> list[Script]:
        """Programs of operations in `written` that were not run yet."""
        return [s for s in map(self.probe, probes()) if s.uses <= written]

    def ask(self, script: Script) -> Script | None:
        """The same script after it was run."""
        return self.script("", "", script.steps, self._ask(script.steps))

    def differ(self, matches: list[Entries], script: Script) -> bool:
        """Whether the matches foretell different things for a script."""
        flaws = [_joined(tuple(e.flaws[0] for e in m)) for m in matches]
        for base in self.bases:
            results = [simulated(script, flaw, base) for flaw in flaws]
            if None not in results and any(not alike(results[0], other) for other in results[1:]):
                return True
        return False

    @staticmethod
    def breadth(entries: Entries) -> int:
        """In how many methods an engine with these flaws is wrong."""
        return sum(len(e.flaws[0].concerns) for e in entries)


def _bases(style: Style) -> list[Style]:
    """The style as it was read; then with what was not read built from others, in one usual way and another."""
    found = [replace(style, recipes={**DELEGATED, **style.recipes})]
    for usual in (DELEGATED, IN_ORDER, DELEGATED | MICROGRAD):
        built = {name: recipe for name, recipe in usual.items() if name in style.unread or name not in style.recipes}
        other = replace(style, recipes={**found[0].recipes, **built})
        if all(other.recipes != one.recipes for one in found):
            found.append(other)
    return found


def _gives(flaw: Flaw, style: Style, scripts: list[Script], any_order: bool) -> bool:
    """Whether an engine with this flaw gives what was seen, as far as can be told, and in a wrong script for sure."""
    told = False
    for script in scripts:
        if not touches(flaw, script):
            if script.wrong:
                return False
            continue
        fits = _fits_in_any(script, flaw, style) if any_order else _fits(script, flaw, style)
        if fits is False:
            return False
        told = told or (script.wrong and bool(fits))
    return told


def _fits(script: Script, flaw: Flaw, style: Style) -> bool | None:
    """Whether this engine gives what was seen; None where that cannot be told."""
    result = simulated(script, flaw, style)
    return None if result is None else alike(script.seen, result)


def _fits_in_any(script: Script, flaw: Flaw, style: Style) -> bool | None:
    """The same for an engine that walks in an order of its own; None for a long script on which the order tells."""
    short = length(script.steps) <= SHORT
    orders = ("left", "right", "tape", *(f"any {k}" for k in range(TRIES if short else 5)))
    for order in orders:
        verdict = _fits(script, flaw, replace(style, order=order))
        if verdict is not False:
            return verdict
    if short:
        return False
    results = [simulated(script, flaw, replace(style, order=order)) for order in orders]
    return None if style.distinct or any(not alike(results[0], other) for other in results[1:]) else False
