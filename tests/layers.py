"""Learner files of topic 06 for the judge's own tests: the model answer with changes, and layers run in process."""

from __future__ import annotations

from functools import partial
from types import ModuleType

from tests import engines
from utils.curriculum import topic
from utils.judge.module import Module
from utils.judge.promises import Broken, collect
from utils.judge.session import Outcome
from utils.judge.worker import Machine

TOPIC = topic("06")
REFERENCE = (TOPIC.solutions / TOPIC.reference).read_text(encoding="utf-8")
SKELETON = (TOPIC.shipped / TOPIC.module).read_text(encoding="utf-8")
MODULES = [e.id for level in TOPIC.levels for e in level.exercises]
MODELLED = [e for e in MODULES if e not in ("3.3", "3.4", "3.5", "4.3")]        # what layer_models.py has models for

changed = partial(engines.changed, source=REFERENCE)
written = partial(engines.written, name=TOPIC.module)


class InProcess:
    """In a session's place: runs scripts on a module of our own, in this process."""

    def __init__(self, module):
        self.module = module

    def run(self, steps: list, limits=None) -> Outcome:
        reply = Machine(self.module).run(steps)
        return Outcome(reply["reports"], reply["error"])


def loaded(source: str) -> ModuleType:
    """A module of our own, from its text."""
    module = ModuleType(TOPIC.module.removesuffix(".py"))
    exec(compile(source, TOPIC.module, "exec"), module.__dict__)
    return module


def trial(session, exercises=MODELLED) -> tuple[list, dict[str, list[str]]]:
    """(what was run, the broken promises by exercise) of the promises of these exercises."""
    module = Module(session).about(TOPIC, TOPIC.shipped)
    runs, broken = [], {}
    for promise in (p for p in collect(TOPIC) if p.exercise in exercises and "module" in p.asks_for):
        start = len(module.transcript)
        try:
            promise.keep(module=module)
        except Broken:
            broken.setdefault(promise.exercise, []).append(promise.name)
        runs += [(promise.exercise, promise.name, *script) for script in module.transcript[start:]]
    return runs, broken
