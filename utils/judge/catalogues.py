"""Every topic's catalogue of misconceptions, and which case compares a learner's file with it."""

from __future__ import annotations

from functools import lru_cache

from utils.curriculum import Topic
from utils.judge.layer_case import LayerCase
from utils.judge.layer_misconceptions import catalogue as layers
from utils.judge.layer_models import Models
from utils.judge.misconceptions import Misconception
from utils.judge.misconceptions import catalogue as values
from utils.judge.module import Module
from utils.judge.promises import Broken, collect
from utils.judge.torch_misconceptions import catalogue as torch_entries
from utils.judge.value_case import ValueCase

# By the handle that a topic's promises ask for: how its files are diagnosed.
CASES = {"engine": ValueCase, "module": LayerCase}


def uncaught(topic: Topic) -> list[str]:
    """The ids of the topic's entries that no promise notices."""
    checks = {"02": _unshown_values, "06": _unbroken_layers}
    return checks[topic.number](topic) if topic.number in checks else []


def _unshown_values(topic: Topic) -> list[str]:
    """Entries that no program of the probes shows; all of them are drawn from what the promises ask."""
    from utils.judge.catalogue_page import smallest

    found = []
    for entry in values().values():
        try:
            smallest(entry)
        except LookupError:
            found.append(entry.id)
    return found


def _unbroken_layers(topic: Topic) -> list[str]:
    """Entries that break no promise of their own exercise, when its scripts are run on layers with that flaw."""
    found = []
    for entry in (e for e in layers().values() if e.flaws):
        module = Module(Models(entry.flaws[0])).about(topic, topic.shipped)
        try:
            for promise in (p for p in collect(topic) if p.exercise == entry.exercise):
                promise.keep(module=module)
        except Broken:
            continue
        found.append(entry.id)
    return found


@lru_cache
def everything() -> dict[str, Misconception]:
    """Every entry of every topic by its id; no id is used twice."""
    return {**values(), **layers(), **torch_entries()}


def says(id: str) -> str | None:
    """The sentence of an id as reports hold it, several joined by "+"; None for an unknown one."""
    parts = id.split("+")
    known = everything()
    return " And: ".join(known[part].says for part in parts) if all(part in known for part in parts) else None
