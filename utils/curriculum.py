"""The manifest, topics/curriculum.toml, as Python objects: the only reader of that file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class CurriculumError(Exception):
    """A name that the manifest does not know; the text says which names it does."""


@dataclass(frozen=True)
class Exercise:
    """One graded item: `kind` is "module" (judged from the learner's file), "answer", "drill" or "essay"."""

    id: str
    title: str
    points: int
    minutes: int
    kind: str = "module"
    level: int | None = None
    hint: int | None = None
    extension: bool = False


@dataclass(frozen=True)
class Level:
    number: int
    title: str
    promise: str
    exercises: tuple[Exercise, ...]

    @property
    def points(self) -> int:
        return sum(e.points for e in self.exercises)


@dataclass(frozen=True)
class Topic:
    slug: str
    number: str
    title: str
    minutes: str
    difficulty: str
    module: str
    notebooks: tuple[str, ...]
    after: tuple[str, ...]
    goal: str
    levels: tuple[Level, ...]
    essays: tuple[Exercise, ...]
    drills: tuple[Exercise, ...]
    reference: str = "level01-naive.py"     # the solution that the learner's file is a skeleton of
    uses: tuple[str, ...] = ()              # packages that differentiate, and that the learner's file may import
    lacks: tuple[tuple[str, tuple[str, ...]], ...] = ()     # solution file, and exercises that it does not hold
    stuck: str = "Measure what you doubt with a finite difference, and compare number by number."   # after all hints
    draft: bool = False                     # built and verified, and shown to no learner

    @cached_property
    def exercises(self) -> tuple[Exercise, ...]:
        """Every graded item: the levels' exercises in order, then drills, then essays."""
        return tuple(e for level in self.levels for e in level.exercises) + self.drills + self.essays

    @property
    def points(self) -> int:
        return sum(e.points for e in self.exercises)

    def exercise(self, id: str) -> Exercise:
        for exercise in self.exercises:
            if exercise.id == id:
                return exercise
        known = ", ".join(e.id for e in self.exercises)
        raise CurriculumError(f"topic {self.slug} has no exercise {id!r}; it has {known}")

    def level(self, number: int) -> Level:
        for level in self.levels:
            if level.number == number:
                return level
        known = ", ".join(str(level.number) for level in self.levels)
        raise CurriculumError(f"topic {self.slug} has no level {number!r}; it has {known}")

    def promised_by(self, solution: str) -> list[str]:
        """The ids of the exercises, judged from the module, that this solution file holds."""
        left_out = dict(self.lacks).get(solution, ())
        return [e.id for level in self.levels for e in level.exercises if e.kind == "module" and e.id not in left_out]

    # Where a topic's four folders are: one slug in four trees.
    @property
    def shipped(self) -> Path:
        return ROOT / "topics" / self.slug

    @property
    def solutions(self) -> Path:
        return ROOT / "solutions" / self.slug

    @property
    def hints(self) -> Path:
        return ROOT / "hints" / self.slug

    @property
    def tests(self) -> Path:
        return ROOT / "tests" / self.slug

    @property
    def work(self) -> Path:
        return ROOT / "work" / self.slug


def _exercise(entry: dict, level: int | None = None, kind: str = "module") -> Exercise:
    return Exercise(**{"kind": kind, "level": level, **entry})


def _topic(entry: dict) -> Topic:
    levels = tuple(
        Level(raw["number"], raw["title"], raw["promise"],
              tuple(_exercise(e, level=raw["number"]) for e in raw["exercise"]))
        for raw in entry.pop("level")
    )
    essays = tuple(_exercise(e, kind="essay") for e in entry.pop("essay", ()))
    drills = tuple(_exercise(e, kind="drill") for e in entry.pop("drill", ()))
    lists = {key: tuple(entry.pop(key)) for key in ("notebooks", "after")}
    lists["uses"] = tuple(entry.pop("uses", ()))
    lacks = tuple((file, tuple(ids)) for file, ids in entry.pop("lacks", {}).items())
    return Topic(**entry, **lists, lacks=lacks, levels=levels, essays=essays, drills=drills)


@lru_cache
def load(drafts: bool = False) -> tuple[Topic, ...]:
    """Every topic of the manifest, in the order in which they are taught; those in draft only where asked for."""
    with open(ROOT / "topics" / "curriculum.toml", "rb") as file:
        topics = tuple(_topic(entry) for entry in tomllib.load(file)["topic"])
    return tuple(t for t in topics if drafts or not t.draft)


def topic(name: str) -> Topic:
    """The topic called `name`, in draft or not: a slug (`02-autograd-engine`) or a number (`02`)."""
    for candidate in load(drafts=True):
        if name in (candidate.slug, candidate.number, candidate.number.lstrip("0")):
            return candidate
    known = ", ".join(candidate.slug for candidate in load())
    raise CurriculumError(f"no topic {name!r}; the curriculum has {known}")


def topic_of(folder: Path) -> Topic:
    """The topic in whose folder `folder` is, in any of the trees; CurriculumError if it is in none."""
    for candidate in load(drafts=True):
        if candidate.slug in folder.parts:
            return candidate
    raise CurriculumError(f"{folder.name}/ is no topic's folder; name the topic: topic={load()[0].number!r}")
