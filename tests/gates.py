"""A mutation gate in this process: small changes to a model answer of ours, and whether a promise notices each."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from tests.mutation import Mutant, mutants_of

LONGEST = 20                                        # seconds that a mutant may take: an endless one is caught


@dataclass(frozen=True)
class Gate:
    """The mutants of one file's text, by the operators of mutation.py.

    `breaks(source)` tells whether a promise does not hold for a text. `equivalent`: why no promise has to notice, with
    for each a function, a part of the statement before, and a part of the statement after.
    """

    file: str
    source: str
    breaks: Callable[[str], bool]
    equivalent: dict[str, tuple[tuple[str, str, str], ...]]

    def every(self) -> list[Mutant]:
        return mutants_of(self.file, self.source)

    def caught(self, source: str) -> bool:
        """Whether a promise does not hold for this text."""
        try:
            with _limited():
                return self.breaks(source)
        except TimeoutError:
            return True

    def reason(self, mutant: Mutant) -> str | None:
        """Why nothing has to catch this mutant, or None."""
        m = mutant
        return next((why for why, patterns in self.equivalent.items() for function, before, after in patterns
                     if m.function.startswith(function) and before in m.before and after in m.after), None)

    def survivors(self, mutants: list[Mutant]) -> list[Mutant]:
        """Those that no promise catches, and that are not known to be equivalent."""
        return [m for m in mutants if not self.reason(m) and not self.caught(m.source)]

    def main(self) -> int:
        """Try every mutant; 1 if one survives."""
        mutants = self.every()
        left = self.survivors(mutants)
        known = sum(bool(self.reason(m)) for m in mutants)
        print(f"{len(mutants)} mutants: {len(mutants) - known - len(left)} caught, {known} equivalent, "
              f"{len(left)} survive")
        for m in left:
            print(f"not caught: {m.name}")
        return bool(left)


@contextmanager
def _limited():
    def stop(*_):
        raise TimeoutError
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST)
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
