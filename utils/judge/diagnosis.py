"""Name a misconception: the catalogue's entry that behaves as the learner's engine did on every script that was run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

from utils.judge.misconceptions import Misconception
from utils.judge.session import Outcome

UNWRITTEN = ("not-written", "absent")
FEW_WRONG = 8               # wrong scripts of an exercise that are looked at one by one to find pairs
MOST_PROBES = 10            # further programs that are run to tell matches apart, and as many to confirm one

Entries = tuple[Misconception, ...]
Ask = Callable[[list], Outcome]
Run = tuple[str, str, list, Outcome]        # exercise, promise, script, and what it did


class Told(Protocol):
    """A script that was run, as a case knows it."""

    exercise: str
    promise: str
    steps: list
    wrong: bool
    uses: frozenset[str]        # what of the learner's file it runs


class Case(Protocol):
    """One learner's file: the scripts that were run on it, and how it compares with wrong ones.

    `explains` says whether a file with these flaws gives every outcome of `scripts`, a wrong one among them; with
    `any_order`, in whatever order it goes through its work. `shows`: whether it is wrong on one of `scripts`.
    """

    scripts: list[Told]         # short wrong ones first
    orders: tuple[bool, ...]                # what to try for `any_order`, for one entry, and for two
    orders_of_pairs: tuple[bool, ...]

    def candidates(self) -> list[Misconception]: ...
    def hiding(self) -> list[Entries]: ...
    def explains(self, entries: Entries, scripts: list[Told], any_order: bool = False) -> bool: ...
    def shows(self, entries: Entries, scripts: Iterable[Told]) -> bool: ...
    def unasked(self, written: frozenset[str]) -> list[Told]: ...
    def ask(self, script: Told) -> Told | None: ...
    def differ(self, matches: list[Entries], script: Told) -> bool: ...
    def breadth(self, entries: Entries) -> int: ...


@dataclass(frozen=True)
class Diagnosis:
    """What the learner's engine behaves like: one entry, or several that occur together."""

    entries: Entries

    @property
    def id(self) -> str:
        return "+".join(entry.id for entry in self.entries)


def diagnose(case: Case, failing: Mapping[str, list[str]]) -> dict[str, Diagnosis]:
    """For each broken promise the misconception that explains it, where one does: never a guess.

    `case` knows all scripts that were run, and can run one more, should two entries explain them all; `failing` are the
    exercises that are written and wrong, with their broken promises. An entry, or two, that explain every script come
    first. Else each exercise is looked at by itself; what it is named for must then show in no other script
    that went well, or went wrong in another way without a reason of its own.
    """
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


def _explanations(case: Case, wrong: list[Told]) -> list[Entries]:
    """The entries that explain every script; if there are none, the pairs that do."""
    candidates = case.candidates()
    for any_order in case.orders:
        matches = [(e,) for e in candidates if case.explains((e,), case.scripts, any_order)]
        if matches:
            return matches
    pairs = list(_pairs(case, candidates, wrong))
    for any_order in case.orders_of_pairs:
        matches = [pair for pair in pairs if case.explains(pair, case.scripts, any_order)]
        if matches:
            return matches
    return []


def _pairs(case: Case, candidates: list[Misconception], wrong: list[Told]) -> Iterator[Entries]:
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
    yield from case.hiding()


def _few_of_each(wrong: list[Told]) -> list[Told]:
    """The shortest wrong scripts of each exercise."""
    chosen, count = [], {}
    for script in wrong:
        count[script.exercise] = count.get(script.exercise, 0) + 1
        if count[script.exercise] <= FEW_WRONG:
            chosen.append(script)
    return chosen


def _confirmed(case: Case, matches: list[Entries], scripts: list[Told]) -> Entries | None:
    """The one of `matches` that explains `scripts` and more programs of their operations; None if none or several do.

    First programs on which the matches differ, then some on which what is left should show, and some where not.
    """
    matches = [m for m in matches if any(e.fact for e in m)] or matches
    written = frozenset().union(*(s.uses for s in scripts))
    unasked = case.unasked(written)
    evidence = list(scripts)

    def ask(chosen: list[Told]) -> None:
        nonlocal matches
        for script in chosen:
            unasked.remove(script)
            evidence.extend(filter(None, [case.ask(script)]))
        matches = [m for m in matches if any(case.explains(m, evidence, any_order) for any_order in case.orders)]

    for _ in range(MOST_PROBES):
        telling = next((s for s in unasked if case.differ(matches, s)), None)
        if len({_cure(m) for m in matches}) <= 1 or telling is None:
            break
        ask([telling])
    if len({_cure(m) for m in matches}) != 1:
        return None
    shown = [s for s in unasked if case.shows(matches[0], [s])][:MOST_PROBES]
    ask(shown + [s for s in unasked if s not in shown][:MOST_PROBES])
    return min(matches, key=case.breadth, default=None)


def _cure(entries: Entries) -> frozenset[str]:
    return frozenset(entry.family for entry in entries)


def _by_promise(case: Case, entries: Entries, broken: list[str]) -> dict[str, Diagnosis]:
    """Each broken promise with those of `entries` that show in its own wrong scripts."""
    found = {}
    for promise in broken:
        wrong = [s for s in case.scripts if s.promise == promise and s.wrong]
        if wrong:
            found[promise] = Diagnosis(tuple(e for e in entries if case.shows((e,), wrong)) or entries)
    return found


def _unrefuted(case: Case, entry: Misconception, own: list[Told]) -> bool:
    """Whether the entry shows in no script of other exercises in which the learner's engine does otherwise.

    One that is wrong and has operations which `own` does not have may be wrong for their sake, and refutes nothing.
    """
    mine = frozenset().union(*(s.uses for s in own))
    others = [s for s in case.scripts if s not in own and not (s.wrong and s.uses - mine)]
    shown = [s for s in others if case.shows((entry,), [s])]
    return not shown or case.explains((entry,), [*(s for s in own if s.wrong), *shown])
