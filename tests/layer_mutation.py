"""The mutation gate of topic 06: small changes to the model answer, and whether a promise notices them.

    python -m tests.layer_mutation      every mutant; fails if one survives that is not known as equivalent

The operators are those of mutation.py. Mutants run in this process, as they are changes to code of our own.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager

import numpy as np

from tests.layers import MODULES, REFERENCE, InProcess, loaded, trial
from tests.mutation import Mutant, mutants_of

LONGEST = 20                                        # seconds that a mutant may take: an endless one is caught
JUDGED = [e for e in MODULES if e != "4.3"]         # training takes too long here, and trains on what the others judge

# Why no promise has to notice: function, a part of the statement before, and a part of the statement after.
EQUIVALENT = {
    "The worked example is given.": (("Square.", "", ""),),
    "Start weights of any size will do here; training, exercise 4.3, needs good ones.": (
        ("Linear.__init__", "self.W = rng", ""),),
    "Gradients need no value before the first backward.": (("Linear.__init__", "self.grad_", "pass"),),
    "The slope of a relu at exactly 0 is not judged.": (("ReLU.forward", "x > 0", "x >= 0"),),
    "A drawn number is never exactly p.": (("Dropout.forward", ">=", "> self.p"),),
    "The forward pass of the 26 steps is given, and no later step reads the loss.": (
        ("step_by_step", "loss = ", ""),),
    "The mean over the batch takes the bias out again.": (("step_by_step", "+ b1", "- b1"),),
    "Lists of unequal length do not occur.": (("", "strict=True", "strict=False"),),
}


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


def every() -> list[Mutant]:
    return mutants_of("layers", REFERENCE)


def caught(source: str) -> bool:
    """Whether a promise does not hold for this text of layers.py."""
    try:
        with _limited():
            return bool(trial(InProcess(loaded(source)), JUDGED)[1])
    except TimeoutError:
        return True


def reason(mutant: Mutant) -> str | None:
    """Why nothing has to catch this mutant, or None."""
    return next((why for why, patterns in EQUIVALENT.items() for function, before, after in patterns
                 if mutant.function.startswith(function) and before in mutant.before and after in mutant.after), None)


def survivors(mutants: list[Mutant]) -> list[Mutant]:
    """Those that no promise catches, and that are not known to be equivalent."""
    return [m for m in mutants if not reason(m) and not caught(m.source)]


def main() -> int:
    mutants = every()
    left = survivors(mutants)
    known = sum(bool(reason(m)) for m in mutants)
    print(f"{len(mutants)} mutants: {len(mutants) - known - len(left)} caught, {known} equivalent, {len(left)} survive")
    for m in left:
        print(f"not caught: {m.name}")
    return bool(left)


if __name__ == "__main__":
    sys.exit(main())
