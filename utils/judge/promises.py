"""Promises: what a learner's file is held to. The functions in tests/<topic>/test_*.py are the only ones there are.

    @promise(exercise="1.3")
    def test_reused_input_accumulates(engine):
        \"\"\"A value used twice receives both contributions.\"\"\"
        engine.agrees(lambda a, b: a * b + a, a=2.0, b=3.0)

pytest collects them; the judge imports the same functions. The docstring's first line is what a learner reads.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from utils.curriculum import Topic


@dataclass(frozen=True)
class Promise:
    """One claim: a function and, where it has several boxes, which of them."""

    function: Callable
    exercise: str
    weight: float = 1.0
    box: str | None = None

    @property
    def name(self) -> str:
        return self.function.__name__ + (f"[{self.box}]" if self.box else "")

    @property
    def says(self) -> str:
        says = (self.function.__doc__ or "").strip().split("\n")[0]
        return f"{says} Here: {self.box}." if self.box else says

    @property
    def asks_for(self) -> tuple[str, ...]:
        """The names of its arguments: `engine` or `answers`, and `box`."""
        code = self.function.__code__
        return code.co_varnames[:code.co_argcount]

    def keep(self, **handles) -> None:
        """Run it on the handles it asks for; raises Broken where it does not hold."""
        available = handles | ({"box": self.box} if self.box else {})
        self.function(**{name: available[name] for name in self.asks_for})


def promise(exercise: str, weight: float = 1.0, each: tuple[str, ...] = ()):
    """Mark a test function as a promise of `exercise`; with `each`, as one promise for every box named there.

    An exercise's points are shared among its promises in proportion to their weights.
    """
    def mark(function):
        function.promises = tuple(Promise(function, exercise, weight, box) for box in each or (None,))
        return function
    return mark


class Broken(Exception):
    """A promise does not hold: `status` as in a report, the evidence, and a `misconception` that is plain to see."""

    def __init__(self, detail: str | None, *, status: str = "failed", program: str | None = None,
                 quantity: str | None = None, yours: str | None = None, expected: str | None = None,
                 misconception: str | None = None):
        super().__init__(detail or f"{quantity} is {yours}, expected {expected}")
        self.evidence = {"status": status, "program": program, "quantity": quantity, "yours": yours,
                         "expected": expected, "detail": detail, "misconception": misconception}


@lru_cache
def collect(topic: Topic) -> tuple[Promise, ...]:
    """Every promise of a topic, exercises in the manifest's order, functions in the order in which they are written."""
    found = []
    for stem in ("test_answers", "test_basic", "test_edge", "test_stress", "test_extensions"):
        path = topic.tests / f"{stem}.py"
        if path.exists():
            functions = [f for f in vars(_load(path, f"promises_{topic.number}_{stem}")).values()
                         if hasattr(f, "promises")]
            found += [p for f in functions for p in f.promises]
    order = {exercise.id: place for place, exercise in enumerate(topic.exercises)}
    for p in found:
        topic.exercise(p.exercise)          # an unknown id is our mistake: say so at once
    return tuple(sorted(found, key=lambda p: order[p.exercise]))


def _load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
