"""How good and how quick the judge is: wrong engines caught and named, mutants killed, right engines accepted, seconds.

Everything is judged as a learner's file is, but for limits on time that are short for engines without an end.
"""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from utils.curriculum import topic
from utils.judge import engine as engine_module
from utils.judge.client import judge_folder
from utils.judge.core import judge
from utils.judge.report import Report
from utils.judge.session import Limits

IDS = ("J1", "J2", "J3", "J4", "J5", "J6", "J7", "J8")
SHORT = Limits(cpu=0.5, wall=10.0)
SECONDS = {1: 1.0, 2: None, 3: 5.0, 4: None}    # goals of a level's check on two cores
PROCESSES = 2
ROUNDS, QUICK_ROUNDS = 5, 1
TOPIC = topic("02")


@dataclass(frozen=True)
class Figure:
    """One figure of the judge: a share in per cent, a count, or seconds. `bound` is None where there is no goal."""

    id: str
    what: str
    figure: float
    unit: str
    bound: float | None
    at_least: bool
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.bound is None:
            return None
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def as_dict(self) -> dict:
        return dataclasses.asdict(self) | {"met": self.met}


@dataclass(frozen=True)
class Outcome:
    """What became of one wrong engine; `rightly` is None where the catalogue has no name for it."""

    name: str
    caught: bool
    rightly: bool | None
    wrongly: bool


def outcome(name: str, ids: tuple[str, ...], report: Report) -> Outcome:
    """`ids`: the names of which any fits; a pair has two, joined by "+"."""
    broken = [v for v in report.verdicts if v.status not in ("passed", "not-written")]
    given = {part for v in broken if v.misconception for part in v.misconception.split("+")}
    fitting = {part for id in ids for part in id.split("+")}
    all_named = all(v.misconception for v in broken) and any(set(id.split("+")) <= given for id in ids)
    return Outcome(name, any(v.status != "passed" for v in report.verdicts), all_named if ids else None,
                   bool(given - fitting))


def _judge_wrong(name: str) -> Outcome:
    from tests.wrong_engines import WRONG

    engine = WRONG[name]
    modules = [e.id for n in (1, 2) for e in TOPIC.level(n).exercises if e.kind == "module"]
    with (tempfile.TemporaryDirectory() as folder, patch.object(engine_module, "HASTY", SHORT),
          patch.object(engine_module, "MANY_LIMITS_HIT", 0)):
        file = Path(folder) / TOPIC.module
        file.write_text(engine.source, encoding="utf-8")
        return outcome(name, engine.ids, judge(TOPIC, Path(folder), file=file, only=[*modules, *engine.also]))


def _judge_right(name: str) -> bool:
    from tests.zoo import ENGINES, exercises

    return judge(TOPIC, ENGINES[name].parent, file=ENGINES[name], only=exercises(ENGINES[name])).kept


def _each(function: Callable, items: Iterable) -> list:
    with ProcessPoolExecutor(PROCESSES) as pool:
        return list(pool.map(function, items))


def share(id: str, what: str, hits: int, total: int, bound: float, missed: Iterable[str] = ()) -> Figure:
    """`hits` of `total` in per cent, with the first of those missed."""
    left = [*missed]
    told = f": not {'; '.join(left[:2])}" + " ..." * (len(left) > 2) if left else ""
    return Figure(id, what, 100 * hits / total, "%", bound, True, f"{hits} of {total}{told}")


def naming(quick: bool) -> Iterator[Figure]:
    """J1 to J4: wrong engines caught and named."""
    from tests.wrong_engines import WRONG

    found = _each(_judge_wrong, list(WRONG)[::6] if quick else WRONG)
    yield share("J1", "wrong engines caught", sum(o.caught for o in found), len(found), 100,
                (o.name for o in found if not o.caught))
    for id, what, chosen in (("J2", "named rightly, of those in the catalogue", found),
                             ("J4", "fresh variants, in other styles, named rightly",
                              [o for o in found if not o.name.startswith("reference")])):
        nameable = [o for o in chosen if o.rightly is not None]
        yield share(id, what, sum(o.rightly for o in nameable), len(nameable), 95,
                    (o.name for o in nameable if not o.rightly))
        if id == "J2":
            wrongly = [o.name for o in found if o.wrongly]
            yield Figure("J3", "named wrongly", len(wrongly), "engines", 0, False, "; ".join(wrongly[:2]))


def mutants(quick: bool) -> Iterator[Figure]:
    """J5: mutants of the model answer and of the stub killed at the level that promises the property."""
    from tests import mutation
    from tests.kill_table import reason

    chosen = mutation.share(60 if quick else 1)
    killers = dict(zip(chosen, _each(mutation.killed_by, chosen), strict=True))
    left = mutation.survivors(killers)
    equivalent = [m for m, names in killers.items() if not names and reason(m)]
    total = len(chosen) - len(equivalent)
    yield share("J5", f"mutants killed, of those not equivalent ({len(equivalent)} are)", total - len(left), total, 100,
                (m.name for m in left))


def fairness(quick: bool) -> Iterator[Figure]:
    """J6: right engines in other styles accepted."""
    from tests.zoo import ENGINES

    names = list(ENGINES)[::3] if quick else list(ENGINES)
    kept = dict(zip(names, _each(_judge_right, names), strict=True))
    yield share("J6", "right engines in other styles accepted", sum(kept.values()), len(kept), 100,
                (name for name, accepted in kept.items() if not accepted))


def seconds(quick: bool) -> Iterator[Figure]:
    """J7 and J8: seconds of wall time a check, on an engine that keeps every promise."""
    file, rounds = TOPIC.solutions / "level03-memory-efficient.py", QUICK_ROUNDS if quick else ROUNDS
    for id, words, run in (("J7", "a new judge process", judge_folder), ("J8", "a warm judge", judge)):
        for level, goal in SECONDS.items():
            only = [e.id for e in TOPIC.level(level).exercises if e.kind == "module"]
            times = []
            for _ in range(rounds):
                start = time.perf_counter()
                run(TOPIC, file.parent, file=file, only=only)
                times.append(time.perf_counter() - start)
            yield Figure(id, f"check({level}), {words}", statistics.median(times), "s", goal, False,
                         f"median of {rounds}" if rounds > 1 else "")


SECTIONS: tuple[Callable[[bool], Iterator[Figure]], ...] = (naming, mutants, fairness, seconds)
