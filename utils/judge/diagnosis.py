"""Name a misconception: the catalogue's entry that behaves as the learner's engine did on every script that was run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from itertools import combinations, product
from operator import or_

from utils.judge.evidence import Script, alike, as_seen, has_value_exponent, operations, simulated, touches
from utils.judge.flawed import MICROGRAD, Flaw, Style
from utils.judge.lint import facts
from utils.judge.misconceptions import HIDING, Misconception, catalogue
from utils.judge.probes import probes
from utils.judge.program import Program
from utils.judge.recipes import style_of
from utils.judge.session import Outcome
from utils.judge.simulation import Result

UNWRITTEN = ("not-written", "absent")
TRIES = 64                  # orders tried for an engine that walks in one of its own, or another one each time
SHORT = 11                  # steps: a script with few orders, so that trying some is trying nearly all
FEW_WRONG = 8               # wrong scripts of an exercise that are looked at one by one to find pairs
MOST_PROBES = 10            # further programs that are run to tell matches apart, and as many to confirm one

Entries = tuple[Misconception, ...]
Ask = Callable[[list], Outcome]
Run = tuple[str, str, list, Outcome]        # exercise, promise, script, and what it did


@dataclass(frozen=True)
class Diagnosis:
    """What the learner's engine behaves like: one entry, or several that occur together."""

    entries: Entries

    @property
    def id(self) -> str:
        return "+".join(entry.id for entry in self.entries)


@lru_cache(maxsize=4096)
def _joined(flaws: tuple[Flaw, ...]) -> Flaw:
    return reduce(or_, flaws)


class Case:
    """One learner's file: the scripts that were run on it, and how it is written."""

    def __init__(self, source: str, scripts: Iterable[Run], ask: Ask):
        self.style, self.facts, self.ask = style_of(source), facts(source), ask
        self.scripts = [s for one in scripts if (s := self.script(*one)) is not None]
        self.scripts.sort(key=lambda s: (not s.wrong, len(s.steps)))        # short wrong ones first: they tell most

    def script(self, exercise: str, promise: str, steps: list, outcome: Outcome) -> Script | None:
        """What was run, where it tells anything: nothing that is not written, nothing that cannot be simulated."""
        if outcome.error and (outcome.error["kind"] in UNWRITTEN or has_value_exponent(steps)):
            return None             # an engine may refuse a Value as exponent
        script = Script(exercise, promise, steps, as_seen(outcome), uses=operations(steps, self.style))
        script.right = simulated(script, Flaw(), replace(self.style, order="left"))
        return script if script.right is not None else None

    def probe(self, program: Program) -> Script:
        """A script that was not run yet."""
        steps = program.script()
        script = Script("", "", steps, Result([]), uses=operations(steps, self.style))
        script.right = simulated(script, Flaw(), replace(self.style, order="left"))
        return script

    def styles(self, flaw: Flaw) -> list[Style]:
        """The ways of writing an engine with this flaw that its numbers depend on."""
        bases = [self.style] if self.style.recipes else [self.style, replace(self.style, recipes=MICROGRAD)]
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
            styles = [replace(self.style, order="left")] if any_order else self.styles(flaw)
            for style in styles:
                if _gives(flaw, style, scripts, any_order):
                    return True
        return False

    def shows(self, entries: Entries, scripts: Iterable[Script]) -> bool:
        """Whether engines with these flaws are wrong on one of `scripts`, in the learner's style."""
        flaw = _joined(tuple(entry.flaws[0] for entry in entries))
        results = ((s, simulated(s, flaw, self.style)) for s in scripts)
        return any(result is not None and s.right is not None and not alike(result, s.right) for s, result in results)

    def candidates(self) -> list[Misconception]:
        return [entry for entry in catalogue().values() if entry.fact is None or entry.fact in self.facts]


def diagnose(source: str, runs: Iterable[Run], failing: Mapping[str, list[str]], ask: Ask) -> dict[str, Diagnosis]:
    """For each broken promise the misconception that explains it, where one does: never a guess.

    `runs` are all scripts that were run, `failing` the exercises that are written and wrong, with their broken
    promises; `ask` runs one more script, should two entries explain them all. An entry, or two, that explain every
    script come first. Else each exercise is looked at by itself; what it is named for must then show in no other script
    that went well, or went wrong in another way without a reason of its own.
    """
    case = Case(source, runs, ask)
    wrong = [s for s in case.scripts if s.wrong]
    if not wrong:
        return {}
    broken = [promise for promises in failing.values() for promise in promises]
    chosen = _confirmed(case, _explanations(case, wrong), case.scripts)
    if chosen:
        return _by_promise(case, chosen, broken)
    found = {}
    for exercise, promises in failing.items():
        own = [s for s in case.scripts if s.exercise == exercise]
        matches = [(e,) for e in case.candidates() if case.explains((e,), own) and _unrefuted(case, e, own)]
        chosen = _confirmed(case, matches, own)
        if chosen:
            found |= _by_promise(case, chosen, promises)
    return found


def _explanations(case: Case, wrong: list[Script]) -> list[Entries]:
    """The entries that explain every script; if there are none, the pairs that do."""
    candidates = case.candidates()
    for any_order in (False, True):
        matches = [(e,) for e in candidates if case.explains((e,), case.scripts, any_order)]
        if matches:
            return matches
    pairs = list(_pairs(case, candidates, wrong))
    for any_order in (False, True) if case.style.distinct else (False,):
        matches = [pair for pair in pairs if case.explains(pair, case.scripts, any_order)]
        if matches:
            return matches
    return []


def _pairs(case: Case, candidates: list[Misconception], wrong: list[Script]) -> Iterator[Entries]:
    """Two entries that explain half of the wrong scripts, each some that the other does not; then those known to hide
    each other.
    """
    wrong = _few_of_each(wrong)
    told = {e.id: frozenset(k for k, s in enumerate(wrong) if case.explains((e,), [s])) for e in candidates}
    partial = [e for e in candidates if told[e.id]]
    for one, two in combinations(partial, 2):
        mine, theirs = told[one.id], told[two.id]
        if not (mine <= theirs or theirs <= mine) and 2 * len(mine | theirs) >= len(wrong):
            yield one, two
    known = catalogue()
    yield from ((known[one], known[two]) for one, two in HIDING)


def _few_of_each(wrong: list[Script]) -> list[Script]:
    """The shortest wrong scripts of each exercise."""
    chosen, count = [], {}
    for script in wrong:
        count[script.exercise] = count.get(script.exercise, 0) + 1
        if count[script.exercise] <= FEW_WRONG:
            chosen.append(script)
    return chosen


def _confirmed(case: Case, matches: list[Entries], scripts: list[Script]) -> Entries | None:
    """The one of `matches` that explains `scripts` and more programs of their operations; None if none or several do.

    First programs on which the matches differ, then some on which what is left should show, and some where not.
    """
    matches = [m for m in matches if any(e.fact for e in m)] or matches
    written = frozenset().union(*(s.uses for s in scripts))
    unasked = [s for s in (case.probe(program) for program in probes()) if s.uses <= written]
    evidence = list(scripts)

    def ask(chosen: list[Script]) -> None:
        nonlocal matches
        for script in chosen:
            unasked.remove(script)
            evidence.extend(filter(None, [case.script("", "", script.steps, case.ask(script.steps))]))
        matches = [m for m in matches if any(case.explains(m, evidence, any_order) for any_order in (False, True))]

    for _ in range(MOST_PROBES):
        telling = next((s for s in unasked if _differ(case, matches, s)), None)
        if len({_cure(m) for m in matches}) <= 1 or telling is None:
            break
        ask([telling])
    if len({_cure(m) for m in matches}) != 1:
        return None
    shown = [s for s in unasked if case.shows(matches[0], [s])][:MOST_PROBES]
    ask(shown + [s for s in unasked if s not in shown][:MOST_PROBES])
    return min(matches, key=lambda m: sum(len(e.flaws[0].concerns) for e in m), default=None)


def _cure(entries: Entries) -> frozenset[str]:
    return frozenset(entry.family for entry in entries)


def _differ(case: Case, matches: list[Entries], script: Script) -> bool:
    """Whether the matches foretell different things for a script."""
    results = [simulated(script, _joined(tuple(e.flaws[0] for e in m)), case.style) for m in matches]
    return None not in results and any(not alike(results[0], other) for other in results[1:])


def _by_promise(case: Case, entries: Entries, broken: list[str]) -> dict[str, Diagnosis]:
    """Each broken promise with those of `entries` that show in its own wrong scripts."""
    found = {}
    for promise in broken:
        wrong = [s for s in case.scripts if s.promise == promise and s.wrong]
        if wrong:
            found[promise] = Diagnosis(tuple(e for e in entries if case.shows((e,), wrong)) or entries)
    return found


def _unrefuted(case: Case, entry: Misconception, own: list[Script]) -> bool:
    """Whether the entry shows in no script of other exercises in which the learner's engine does otherwise.

    One that is wrong and has operations which `own` does not have may be wrong for their sake, and refutes nothing.
    """
    mine = frozenset().union(*(s.uses for s in own))
    others = [s for s in case.scripts if s not in own and not (s.wrong and s.uses - mine)]
    shown = [s for s in others if case.shows((entry,), [s])]
    return not shown or case.explains((entry,), [*(s for s in own if s.wrong), *shown])


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
    short = len(script.steps) <= SHORT
    orders = ("left", "right", "tape", *(f"any {k}" for k in range(TRIES if short else 5)))
    styles = [replace(style, order=order) for order in orders]
    for one in styles:
        verdict = _fits(script, flaw, one)
        if verdict is not False:
            return verdict
    if short:
        return False
    results = [simulated(script, flaw, one) for one in styles]
    return None if style.distinct or any(not alike(results[0], other) for other in results[1:]) else False
