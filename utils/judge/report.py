"""What the judge found, as data: the same report in a notebook, on a console, in nbgrader and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

from utils.judge.replies import STOPS

SCHEMA = Path(__file__).with_name("report.schema.json")
VERSION = 2
FOR_INSTRUCTOR = "For the instructor: "   # how a note begins that is not shown to the learner
STATUSES = ("passed", "failed", "not-written", *STOPS)


@dataclass(frozen=True)
class Verdict:
    """One promise and what became of it. `points` are earned, `max` could be.

    For a promise that was not kept: `program` is the smallest code that shows it, `quantity` what was looked at,
    `yours` and `expected` its two values as text, `detail` a sentence, `misconception` the id of a known one or None.
    """

    name: str
    says: str
    exercise: str
    status: str
    points: float
    max: float
    program: str | None = None
    quantity: str | None = None
    yours: str | None = None
    expected: str | None = None
    detail: str | None = None
    misconception: str | None = None
    hint: str | None = None


@dataclass(frozen=True)
class Group:
    """The promises of one level (or of the drills, whose level is None)."""

    level: int | None
    title: str
    promises: tuple[Verdict, ...]

    @property
    def points(self) -> float:
        return tidy(sum(v.points for v in self.promises))

    @property
    def max(self) -> float:
        return tidy(sum(v.max for v in self.promises))


@dataclass(frozen=True)
class Report:
    """The verdict on one folder of learner work, or on the part of it that was asked for."""

    topic: str
    file: str | None                    # the module's name; None where only answer cells were judged
    saved: str | None                   # when the file was last saved, local time, ISO 8601
    digest: str | None                  # SHA-256 of the file
    seed: int
    borrowed: str | None                # why the file counts as borrowed, or None
    isolation: str                      # what kept the learner's code from everything else: utils/sandbox/isolation.py
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = field(default=())
    tables: dict[str, str] = field(default_factory=dict)    # by exercise: what its boxes come to, as aligned text

    @property
    def learners_notes(self) -> tuple[str, ...]:
        """The notes that stand in a notebook, on a page or on a console: those for the instructor are data only."""
        return tuple(note for note in self.notes if not note.startswith(FOR_INSTRUCTOR))

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return tuple(v for group in self.groups for v in group.promises)

    def of(self, exercise: str) -> tuple[Verdict, ...]:
        """The promises of one exercise."""
        return tuple(v for v in self.verdicts if v.exercise == exercise)

    def points(self, exercise: str | None = None) -> tuple[float, float]:
        """(earned, possible) of one exercise, or of everything that was judged."""
        chosen = self.verdicts if exercise is None else self.of(exercise)
        return tidy(sum(v.points for v in chosen)), tidy(sum(v.max for v in chosen))

    @property
    def kept(self) -> bool:
        """Whether every promise holds, borrowed or not."""
        return all(v.status == "passed" for v in self.verdicts)

    @property
    def verdict(self) -> str:
        """The whole report in a line."""
        earned, possible = self.points()
        counts = [(len([v for v in self.verdicts if v.status == s]), s) for s in STATUSES]
        told = ", ".join(f"{n} {'not yet written' if s == 'not-written' else s}" for n, s in counts if n)
        line = f"{number(earned)} of {number(possible)} points: {told or 'nothing to judge'}"
        return f"{line}; borrowed, so no points" if self.borrowed else line

    def to_json(self) -> str:
        data = asdict(self)
        groups = data.pop("groups")
        for group, source in zip(groups, self.groups, strict=True):
            group.update(points=source.points, max=source.max)
        ordered = {"version": VERSION, **data, "levels": groups, "verdict": self.verdict}
        return json.dumps(ordered, indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read a report; ValueError if it is none."""
        data = json.loads(text)
        _validator()(data)
        groups = tuple(Group(g["level"], g["title"], tuple(Verdict(**v) for v in g["promises"]))
                       for g in data["levels"])
        names = ("topic", "file", "saved", "digest", "seed", "borrowed", "isolation")
        return cls(**{name: data[name] for name in names}, groups=groups, notes=tuple(data["notes"]),
                   tables=data["tables"])

    def text(self, exercise: str | None = None) -> str:
        """The report for a console; with `exercise` the part that concerns it."""
        from utils.judge.show import text
        return text(self, exercise)

    def html(self, exercise: str | None = None) -> str:
        """The report for a notebook or a feedback page."""
        from utils.judge.show import html
        return html(self, exercise)

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()


@lru_cache
def _validator() -> Callable[[dict], dict]:
    """A function that raises a ValueError for data that does not hold to the schema of reports."""
    import fastjsonschema  # here, since only a reader of reports needs it

    return fastjsonschema.compile(json.loads(SCHEMA.read_text(encoding="utf-8")))


def tidy(points: float) -> float:
    """`points` without the dust of adding thirds."""
    return round(points, 6)


def number(points: float) -> str:
    """Points as a person writes them: 4, 1.5, 0.67."""
    return f"{points:.2f}".rstrip("0").rstrip(".")
