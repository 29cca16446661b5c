"""Name a misconception: the catalogue's entry that behaves as the learner's engine did on every script that was run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from itertools import combinations, product
from operator import or_

from utils.judge.flawed import MICROGRAD, Flaw, Style, Unsupported
from utils.judge.lint import facts
from utils.judge.misconceptions import HIDING, Misconception, catalogue
from utils.judge.probes import probes
from utils.judge.recipes import style_of
from utils.judge.session import Outcome
from utils.judge.simulation import Result, simulate

RELATIVE, ABSOLUTE = 1e-7, 1e-9
OUTSIDE = ("timeout", "memory")     # limits: which one ends a walk without end is a matter of luck
UNWRITTEN = ("not-written", "absent")
TRIES = 16                  # orders tried for an engine that walks in one of its own, or another one each time
FEW_WRONG = 8               # wrong scripts, the shortest, that are looked at one by one to find flaws that occur together
MOST_PROBES = 12

Entries = tuple[Misconception, ...]
Ask = Callable[[list], Outcome]


@dataclass(frozen=True)
class Diagnosis:
    """What the learner's engine behaves like: one entry, or several that occur together."""

    entries: Entries

    @property
    def id(self) -> str:
        return "+".join(entry.id for entry in self.entries)


@dataclass(eq=False)
class Script:
    """A script that was run, what it did, and what a right engine does."""

    exercise: str
    steps: list
    seen: Result
    right: Result | None = None                 # None where a script is not simulated
    uses: frozenset[str] = frozenset()          # operations, with those that they are built from
    known: dict = field(default_factory=dict)   # simulated results, by flaw and style

    @property
    def wrong(self) -> bool:
        return self.right is not None and not _alike(self.seen, self.right)


@lru_cache(maxsize=4096)
def _joined(flaws: tuple[Flaw, ...]) -> Flaw:
    return reduce(or_, flaws)


class Case:
    """One learner's file: the scripts that were run on it, and how it is written."""

    def __init__(self, source: str, scripts: Iterable[tuple[str, list, Outcome]], ask: Ask):
        self.style, self.facts, self.ask = style_of(source), facts(source), ask
        self.scripts = [s for one in scripts if (s := self._script(*one)) is not None]
        self.scripts.sort(key=lambda s: (not s.wrong, len(s.steps)))        # short wrong ones first: they tell most
        self.written = frozenset().union(*(s.uses for s in self.scripts))

    def _script(self, exercise: str, steps: list, outcome: Outcome) -> Script | None:
        if outcome.error and (outcome.error["kind"] in UNWRITTEN or _has_value_exponent(steps)):
            return None             # an engine may refuse a Value as exponent
        script = Script(exercise, steps, _seen(outcome), uses=_operations(steps, self.style))
        script.right = _simulated(script, Flaw(), replace(self.style, order="left"))
        return script if script.right is not None else None

    def styles(self, flaw: Flaw) -> list[Style]:
        """The ways of writing an engine with this flaw that its numbers depend on."""
        bases = [self.style] if self.style.recipes else [self.style, replace(self.style, recipes=MICROGRAD)]
        if flaw.walk != "sorted":
            bases += [replace(base, distinct=not base.distinct) for base in bases]
        orders = ("left", "right", "tape") if flaw.feels_order else ("left",)
        return [replace(base, order=order) for base in bases for order in orders]

    def explains(self, entries: Entries, scripts: list[Script], any_order: bool = False) -> bool:
        """Whether some engine with these flaws gives every outcome of `scripts`, a wrong one among them."""
        for flaws in product(*(entry.flaws for entry in entries)):
            flaw = _joined(flaws)
            if any_order and not flaw.feels_order:
                continue
            styles = self.styles(flaw)
            if any_order:
                styles = [style for style in styles if style.order == "left"]
            for style in styles:
                if _gives(flaw, style, scripts, any_order):
                    return True
        return False

    def shows(self, entries: Entries, scripts: Iterable[Script]) -> bool:
        """Whether engines with these flaws are wrong on one of `scripts`, in the learner's style."""
        flaw = _joined(tuple(entry.flaws[0] for entry in entries))
        results = ((s, _simulated(s, flaw, self.style)) for s in scripts)
        return any(result is not None and s.right is not None and not _alike(result, s.right) for s, result in results)

    def candidates(self) -> list[Misconception]:
        return [entry for entry in catalogue().values() if entry.fact is None or entry.fact in self.facts]


def diagnose(source: str, scripts: Iterable[tuple[str, list, Outcome]], failing: list[str], ask: Ask) -> dict[str, Diagnosis]:
    """For each `failing` exercise the misconception that explains it, where one does: never a guess.

    `scripts` are all that were run, each with its exercise; `ask` runs one more, should two entries explain them all.
    An entry, or two, that explain every script come first. Else each exercise is looked at by itself; what it is named
    for must then show in no other script that went well, or otherwise went wrong for want of another reason.
    """
    case = Case(source, scripts, ask)
    wrong = [s for s in case.scripts if s.wrong]
    if not wrong:
        return {}
    for matches in _explanations(case, wrong):
        matches = _separated(case, matches)
        if matches is not None:
            return _by_exercise(case, matches, failing)
    found = {}
    for exercise in failing:
        own = [s for s in case.scripts if s.exercise == exercise]
        matches = [(e,) for e in case.candidates() if case.explains((e,), own) and _unrefuted(case, e, own)]
        chosen = _separated(case, matches, own) if matches else None
        if chosen:
            found[exercise] = Diagnosis(chosen)
    return found


def _explanations(case: Case, wrong: list[Script]) -> Iterator[list[Entries]]:
    """The entries that explain every script, then the pairs that do, each time all that are equally plausible."""
    candidates = case.candidates()
    for any_order in (False, True):
        matches = [(e,) for e in candidates if case.explains((e,), case.scripts, any_order)]
        if matches:
            yield matches
            return
    for any_order in (False, True):
        matches = [pair for pair in _pairs(case, candidates, wrong) if case.explains(pair, case.scripts, any_order)]
        if matches:
            yield matches
            return


def _pairs(case: Case, candidates: list[Misconception], wrong: list[Script]) -> Iterator[Entries]:
    """Two entries of which each explains a wrong script that the other does not, then those known to hide each other."""
    wrong = _few_of_each(wrong)
    told = {e.id: frozenset(k for k, s in enumerate(wrong) if case.explains((e,), [s])) for e in candidates}
    partial = [e for e in candidates if told[e.id]]
    for one, two in combinations(partial, 2):
        if not (told[one.id] <= told[two.id] or told[two.id] <= told[one.id]):
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


def _separated(case: Case, matches: list[Entries], own: list[Script] | None = None) -> Entries | None:
    """The one of `matches` that the learner's engine is, after more scripts where they differ; None if it stays open."""
    certain = [m for m in matches if any(e.fact for e in m)]
    matches = certain or matches
    asked = 0
    for program in probes():
        if len({_cure(m) for m in matches}) == 1 or asked == MOST_PROBES:
            break
        script = Script("", program.script(), Result([]), uses=_operations(program.script(), case.style))
        if script.uses <= case.written and _differ(case, matches, script):
            asked += 1
            script.seen = _seen(case.ask(script.steps))
            script.known.clear()
            left = [m for m in matches if case.explains(m, [script]) or case.explains(m, [script], any_order=True)]
            matches = left or matches
    if len({_cure(m) for m in matches}) > 1:
        return None
    return min(matches, key=lambda m: sum(len(e.flaws[0].concerns) for e in m))


def _cure(entries: Entries) -> frozenset[str]:
    return frozenset(entry.family for entry in entries)


def _differ(case: Case, matches: list[Entries], script: Script) -> bool:
    """Whether the matches foretell different things for a script."""
    results = [_simulated(script, _joined(tuple(e.flaws[0] for e in m)), case.style) for m in matches]
    return None not in results and any(not _alike(results[0], other) for other in results[1:])


def _by_exercise(case: Case, entries: Entries, failing: list[str]) -> dict[str, Diagnosis]:
    """Each failing exercise with those of `entries` that show in its own wrong scripts."""
    found = {}
    for exercise in failing:
        wrong = [s for s in case.scripts if s.exercise == exercise and s.wrong]
        if wrong:
            found[exercise] = Diagnosis(tuple(e for e in entries if case.shows((e,), wrong)) or entries)
    return found


def _unrefuted(case: Case, entry: Misconception, own: list[Script]) -> bool:
    """Whether the entry shows in no script of other exercises in which the learner's engine does otherwise.

    One that is wrong and has operations which `own` does not have may be wrong for their sake, and refutes nothing.
    """
    mine = frozenset().union(*(s.uses for s in own))
    others = [s for s in case.scripts if s not in own and not (s.wrong and s.uses - mine)]
    shown = [s for s in others if case.shows((entry,), [s])]
    return not shown or case.explains((entry,), [*(s for s in own if s.wrong), *shown])


def _operations(steps: list, style: Style) -> frozenset[str]:
    """The methods that a script calls, with those that they call in turn."""
    found: set[str] = set()
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


def _has_value_exponent(steps: list) -> bool:
    return any(step[0] == "op" and step[2] == "pow" and isinstance(step[4], dict) for step in steps)


def _named(recipe) -> Iterator[str]:
    """The operations of a recipe, each as a plain and as a reflected one where it can be either."""
    if isinstance(recipe, tuple):
        if recipe[0] != "value":
            yield recipe[0]
            if len(recipe) == 3:
                yield "r" + recipe[0]
        for part in recipe[1:]:
            yield from _named(part)


def _touches(flaw: Flaw, script: Script) -> bool:
    """Whether the flaw can show in the script at all."""
    marked = flaw.concerns | flaw.loops | flaw.returns.keys()
    return not marked or bool(marked & script.uses) or flaw.feels_order and not flaw.assigns or bool(flaw.equal or flaw.step)


def _gives(flaw: Flaw, style: Style, scripts: list[Script], any_order: bool) -> bool:
    """Whether an engine with this flaw gives what was seen in every script that can be simulated, and in a wrong one."""
    told = False
    for script in scripts:
        if not _touches(flaw, script):
            if script.wrong:
                return False
            continue
        tries = (style, *(replace(style, order=f"any {k}") for k in range(TRIES if any_order else 0)))
        results = (_simulated(script, flaw, one) for one in tries)
        alike = next((True for result in results if result is not None and _alike(script.seen, result)), False)
        if not alike and _simulated(script, flaw, style) is not None:
            return False
        told = told or script.wrong and alike
    return told


def _simulated(script: Script, flaw: Flaw, style: Style) -> Result | None:
    key = flaw, style.order, style.distinct, id(style.recipes)
    if key not in script.known:
        try:
            script.known[key] = simulate(script.steps, flaw, style)
        except Unsupported:
            script.known[key] = None
    return script.known[key]


def _seen(outcome: Outcome) -> Result:
    error = outcome.error
    if error is None:
        return Result(outcome.reports)
    return Result(outcome.reports, error["kind"], error["got"] if error["kind"] == "lost-node" else error["type"], error["step"])


ARITHMETIC = ("OverflowError", "ValueError", "ZeroDivisionError")


def _alike(one: Result, other: Result) -> bool:
    """The same kind of ending at the same step, and the same numbers up to rounding."""
    if one.kind in OUTSIDE or other.kind in OUTSIDE:
        return one.kind in OUTSIDE and other.kind in OUTSIDE
    if (one.kind, one.step) != (other.kind, other.step) or len(one.reports) != len(other.reports):
        return False
    if one.kind in ("raised", "lost-node") and None not in (one.detail, other.detail) and one.detail != other.detail and not (
            one.detail in ARITHMETIC and other.detail in ARITHMETIC):
        return False
    return all(isinstance(a, int | float) and isinstance(b, int | float) and _close(a, b)
               for a, b in zip(one.reports, other.reports, strict=True))


def _close(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= ABSOLUTE + RELATIVE * abs(b) or (a != a and b != b)

