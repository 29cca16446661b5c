"""The mutation gate of topic 06: small changes to the model answer, and whether a promise notices them.

    python -m tests.layer_mutation      every mutant; fails if one survives that is not known as equivalent

The operators are those of mutation.py. Mutants run in this process, as they are changes to code of our own.
"""

from __future__ import annotations

import sys

from tests.gates import Gate
from tests.layers import MODULES, REFERENCE, InProcess, loaded, trial

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


def _breaks(source: str) -> bool:
    return bool(trial(InProcess(loaded(source)), JUDGED)[1])


GATE = Gate("layers", REFERENCE, _breaks, EQUIVALENT)
every, caught, reason, survivors = GATE.every, GATE.caught, GATE.reason, GATE.survivors

if __name__ == "__main__":
    sys.exit(GATE.main())
