"""Modules that are more alike than chance: for a person to look at, never a penalty.

A module is a set of runs of RUN tokens, with names, numbers and layout left out, so that renaming and reformatting
change nothing. Runs of the released skeleton are taken out, and those that many of the cohort have: a `Value` has few
right forms. What is left of two modules is compared by the share of the smaller one that the other has too.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

RUN = 14                # tokens
COMMON = 0.25           # share of the cohort that has a run, from which on it says nothing; at least FEW learners
FEW = 4
ALIKE = 0.6             # share of runs from which on two modules are shown together
ENOUGH = 40             # runs that a module must have left, about ten lines of its own


@dataclass(frozen=True)
class Cluster:
    """Learners whose modules are alike, each with at least one other; `share` of the most alike pair."""

    learners: tuple[str, ...]
    share: float


def clusters(modules: dict[str, str], template: str = "") -> list[Cluster]:
    """Groups of learners with similar modules, the most alike first. `modules`: learner -> source."""
    shipped = runs(template)
    sets = {who: runs(text) - shipped for who, text in modules.items()}
    often = Counter(run for own in sets.values() for run in own)
    limit = max(FEW, COMMON * len(sets))
    sets = {who: kept for who, own in sets.items() if len(kept := {r for r in own if often[r] <= limit}) >= ENOUGH}
    groups = {who: {who} for who in sets}
    best: dict[str, float] = {}
    for one, other in combinations(sorted(sets), 2):
        share = len(sets[one] & sets[other]) / min(len(sets[one]), len(sets[other]))
        if share >= ALIKE:
            together = groups[one] | groups[other]
            groups |= dict.fromkeys(together, together)
            best |= {who: max(share, best.get(who, 0.0)) for who in (one, other)}
    found = {tuple(sorted(group)) for group in groups.values() if len(group) > 1}
    return sorted((Cluster(group, max(best[who] for who in group)) for group in found),
                  key=lambda c: (-c.share, c.learners))


def likeness(text: str, other: str, template: str = "") -> float:
    """The share of `text`'s own runs that `other` has too, 0 to 1; 0 where `text` has too few of its own."""
    own = runs(text) - runs(template)
    return len(own & runs(other)) / len(own) if len(own) >= ENOUGH else 0.0


@lru_cache(maxsize=2048)
def runs(source: str) -> frozenset[tuple[str, ...]]:
    """Every run of RUN tokens of a Python source, as far as it can be read."""
    tokens = list(_tokens(source))
    return frozenset(tuple(tokens[k:k + RUN]) for k in range(len(tokens) - RUN + 1))


def _tokens(source: str):
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NAME:
                yield token.string if keyword.iskeyword(token.string) or token.string.startswith("__") else "name"
            elif token.type == tokenize.NUMBER:
                yield "number"
            elif token.type == tokenize.OP:
                yield token.string
            elif token.type in (tokenize.INDENT, tokenize.DEDENT):
                yield tokenize.tok_name[token.type]
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return
