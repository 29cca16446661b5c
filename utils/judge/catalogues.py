"""Every topic's catalogue of misconceptions, and which case compares a learner's file with it."""

from __future__ import annotations

from functools import lru_cache

from utils.judge.layer_case import LayerCase
from utils.judge.layer_misconceptions import catalogue as layers
from utils.judge.misconceptions import Misconception
from utils.judge.misconceptions import catalogue as values
from utils.judge.value_case import ValueCase

# By the handle that a topic's promises ask for: how its files are diagnosed.
CASES = {"engine": ValueCase, "module": LayerCase}


@lru_cache
def everything() -> dict[str, Misconception]:
    """Every entry of every topic by its id; no id is used twice."""
    return {**values(), **layers()}


def says(id: str) -> str | None:
    """The sentence of an id as reports hold it, several joined by "+"; None for an unknown one."""
    parts = id.split("+")
    known = everything()
    return " And: ".join(known[part].says for part in parts) if all(part in known for part in parts) else None
