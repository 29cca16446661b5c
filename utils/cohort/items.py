"""Counts over a cohort: how each exercise and each promise went, which misconceptions were named, where work stops."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass

from utils.cohort.gather import Cohort, Learner
from utils.curriculum import Exercise
from utils.judge.catalogues import says
from utils.judge.report import STATUSES, Verdict

MANY = 5    # fewer scores than this correlate by chance


@dataclass(frozen=True)
class Item:
    """One exercise. `full`, `part`, `tried` (worked on, no points yet), `untouched` and `waiting` count learners.

    `discrimination` is the correlation of its points with the rest of the total: an exercise that strong learners fail
    as often as weak ones is near 0, and worth a look. None where it says nothing.
    """

    exercise: Exercise
    full: int
    part: int
    tried: int
    untouched: int
    waiting: int
    mean: float
    discrimination: float | None
    stalls: int                 # learners for whom it is the first exercise in the order that is not finished
    hints: int                  # learners in whose notebooks a hint for it shows


@dataclass(frozen=True)
class Claim:
    """One promise: how many kept it, and how it broke."""

    name: str
    says: str
    exercise: str
    statuses: dict[str, int]
    misconceptions: dict[str, int]

    @property
    def judged(self) -> int:
        return sum(self.statuses.values())

    @property
    def kept(self) -> int:
        return self.statuses.get("passed", 0)


@dataclass(frozen=True)
class Named:
    """A misconception, in whose work it was named, and for which exercises."""

    id: str
    says: str
    learners: tuple[str, ...]
    exercises: tuple[str, ...]


def items(cohort: Cohort) -> list[Item]:
    """Every exercise of the topic, in order."""
    stalls = Counter(stop for learner in cohort.graded if (stop := stops_at(cohort, learner)))
    return [_item(cohort, exercise, stalls[exercise.id]) for exercise in cohort.topic.exercises]


def _item(cohort: Cohort, exercise: Exercise, stalls: int) -> Item:
    scored = [learner for learner in cohort.graded if exercise.id in learner.scores]
    points = {learner.id: learner.scores[exercise.id] for learner in scored}
    known = {who: score for who, score in points.items() if score is not None}
    zero = [learner for learner in scored if points[learner.id] == 0]
    untouched = sum(_untouched(learner, exercise) for learner in zero)
    rest = {learner.id: learner.total - known[learner.id] for learner in scored if learner.id in known}
    return Item(exercise, sum(score >= exercise.points for score in known.values()),
                sum(0 < score < exercise.points for score in known.values()), len(zero) - untouched, untouched,
                len(points) - len(known), statistics.fmean(known.values()) if known else 0.0,
                _correlation([known[who] for who in rest], list(rest.values())), stalls,
                sum(exercise.id in learner.hints for learner in cohort.learners))


def _untouched(learner: Learner, exercise: Exercise) -> bool:
    """Whether nothing was written for an exercise that earned nothing."""
    if exercise.kind == "essay":
        return True             # an answer that is there waits for a person, or was given no points by one
    report = learner.record.report if learner.record else None
    verdicts = report.of(exercise.id) if report else ()
    return bool(verdicts) and all(v.status == "not-written" for v in verdicts)


def _correlation(one: list[float], other: list[float]) -> float | None:
    if len(one) < MANY or len(set(one)) < 2 or len(set(other)) < 2:
        return None
    return statistics.correlation(one, other)


def stops_at(cohort: Cohort, learner: Learner) -> str | None:
    """The first exercise of the levels, extensions passed over, that does not have full points; None if all have."""
    for level in cohort.topic.levels:
        for exercise in level.exercises:
            if not exercise.extension and (learner.scores.get(exercise.id) or 0.0) < exercise.points:
                return exercise.id
    return None


def claims(cohort: Cohort) -> list[Claim]:
    """Every promise that was judged, in the report's order."""
    found: dict[str, list[Verdict]] = {}
    for learner in cohort.reported:
        for verdict in learner.record.report.verdicts:
            found.setdefault(verdict.name, []).append(verdict)
    return [Claim(name, verdicts[0].says, verdicts[0].exercise,
                  {status: n for status in STATUSES if (n := sum(v.status == status for v in verdicts))},
                  dict(Counter(v.misconception for v in verdicts if v.misconception).most_common()))
            for name, verdicts in found.items()]


def named(cohort: Cohort) -> list[Named]:
    """Misconceptions that were named, the most frequent first."""
    who: dict[str, list[str]] = {}
    where: dict[str, list[str]] = {}
    for learner in cohort.reported:
        for verdict in learner.record.report.verdicts:
            if verdict.misconception:
                who.setdefault(verdict.misconception, []).append(learner.id)
                where.setdefault(verdict.misconception, []).append(verdict.exercise)
    return sorted((Named(id, says(id) or id, tuple(dict.fromkeys(names)), tuple(dict.fromkeys(where[id])))
                   for id, names in who.items()), key=lambda n: (-len(n.learners), n.id))
