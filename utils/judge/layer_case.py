"""How a learner's layers are compared with wrong ones: what diagnosis.py needs to know about topic 06."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from itertools import product

from utils.judge import layer_models
from utils.judge.arrays import alike
from utils.judge.diagnosis import UNWRITTEN, Ask, Entries, Run
from utils.judge.layer_misconceptions import catalogue
from utils.judge.misconceptions import Misconception
from utils.judge.session import Outcome

OUTSIDE = ("timeout", "memory", "crash")


@dataclass(eq=False)
class Script:
    """A script that was run, its outcome, and which classes and functions of the learner's file it runs."""

    exercise: str
    promise: str
    steps: list
    seen: dict
    uses: frozenset[str]
    right: dict = field(default_factory=dict)
    known: dict = field(default_factory=dict)       # simulated outcomes, by flaw

    @property
    def wrong(self) -> bool:
        return not same(self.seen, self.right)

    def simulated(self, rules: layer_models.Rules) -> dict:
        """What layers with these rules do."""
        key = tuple(sorted((name, id(rule)) for name, rule in rules.items()))
        if key not in self.known:
            touched = {name.partition(".")[0] for name in rules} & self.uses
            self.known[key] = layer_models.run(self.steps, rules) if touched else self.right
        return self.known[key]


def same(one: dict, other: dict) -> bool:
    """The same kind of ending at the same step, and the same reports up to rounding."""
    mine, theirs = one["error"] or {}, other["error"] or {}
    if any(mine.get(key) != theirs.get(key) for key in ("kind", "type", "step")):
        return False
    return len(one["reports"]) == len(other["reports"]) and all(map(alike, one["reports"], other["reports"]))


def names(steps: list) -> frozenset[str] | None:
    """The classes and functions that a script makes use of; None where one of them has no model, or it is too long."""
    made = {step[2] for step in steps if step[0] == "make"}
    plain = all(step[0] not in ("repeat", "module") for step in steps)
    return frozenset(made) if plain and made <= layer_models.KNOWN else None


# What a function runs besides itself, in some ways of writing it.
CALLS = {"cross_entropy_staged": {"softmax", "softmax_backward"}, "SoftmaxCrossEntropy": {"softmax"},
         "train_epoch": {"sgd"}}


class LayerCase:
    """One learner's layers. Nothing about their order or style matters to their numbers, so there is little to try."""

    orders = orders_of_pairs = (False,)

    def __init__(self, source: str, runs: Iterable[Run], ask: Ask):
        self.scripts = [s for one in runs if (s := self.script(*one)) is not None]
        self.scripts.sort(key=lambda s: (not s.wrong, len(s.steps)))

    @staticmethod
    def script(exercise: str, promise: str, steps: list, outcome: Outcome) -> Script | None:
        """What was run, where it tells anything: nothing that is not written, nothing without a model."""
        uses = names(steps)
        if uses is None or (outcome.error and outcome.error["kind"] in (*UNWRITTEN, *OUTSIDE)):
            return None
        uses = uses.union(*(CALLS.get(name, ()) for name in uses))
        script = Script(exercise, promise, steps, {"reports": outcome.reports, "error": outcome.error}, uses)
        script.right = layer_models.run(steps, {})
        return script

    def candidates(self) -> list[Misconception]:
        return [entry for entry in catalogue().values() if entry.flaws]

    def hiding(self) -> list[Entries]:
        return []

    def explains(self, entries: Entries, scripts: list[Script], any_order: bool = False) -> bool:
        """Whether layers with these flaws give every outcome of `scripts`, a wrong one among them."""
        return any(s.wrong for s in scripts) and any(
            all(same(s.seen, s.simulated(rules)) for s in scripts) for rules in _joined(entries))

    def shows(self, entries: Entries, scripts: Iterable[Script]) -> bool:
        """Whether layers with these flaws are wrong on one of `scripts`."""
        rules = next(_joined(entries))
        return any(not same(s.simulated(rules), s.right) for s in scripts)

    def unasked(self, written: frozenset[str]) -> list[Script]:
        return []           # promises draw fresh numbers, so what they do not tell apart, further scripts would not

    def ask(self, script: Script) -> None:
        return None

    def differ(self, matches: list[Entries], script: Script) -> bool:
        return False

    @staticmethod
    def breadth(entries: Entries) -> int:
        """In how many rules these flaws are wrong."""
        return len(next(_joined(entries)))


def _joined(entries: Entries) -> Iterable[layer_models.Rules]:
    """Each combination of the entries' shapes, as one set of rules."""
    for shapes in product(*(entry.flaws for entry in entries)):
        yield reduce(lambda one, other: {**one, **other}, shapes)
