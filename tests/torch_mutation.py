"""The mutation gate of topic 03: small changes to the model answer, and whether a promise notices them.

    python -m tests.torch_mutation      every mutant; fails if one survives that is not known as equivalent

Mutants run in this process, as they are changes to code of our own. What keeps memory flat is judged in workers alone.
"""

from __future__ import annotations

import sys
import warnings
from types import ModuleType

from tests.gates import Gate
from tests.layers import InProcess
from utils.curriculum import topic
from utils.judge.module import Module
from utils.judge.promises import Broken, collect

TOPIC = topic("03")
REFERENCE = (TOPIC.solutions / TOPIC.reference).read_text(encoding="utf-8")
PROMISES = [p for p in collect(TOPIC) if "module" in p.asks_for and p.name != "test_fit_keeps_no_graph"]

# Why no promise has to notice: function, a part of the statement before, and a part of the statement after.
EQUIVALENT = {
    "The square, or the size, of an error is that of its negative.": (
        ("", "- tensor(prices)) ** 2", "(tensor(prices) - "), ("", "- prices) ** 2", "((prices - "),
        ("patient_5", "errors = w", "errors = tensor(prices) - "), ("patient_6", ".abs()", "(tensor(prices) - "),
        ("patient_10", "state - target", "target - state"),
        ("patient_13", "- tensor(targets)) ** 2", "(tensor(targets) - ")),
    "From 0, w and -w give the same losses on prices and on their negatives.": (
        ("patient_11", "- prices) ** 2", "+ prices) ** 2"),),
    "Rows are equally long.": (("patient_7", "inputs[0]", "inputs[1]"),),
    "Lists of unequal length do not occur.": (("", "strict=True", "strict=False"),),
}


def _breaks(source: str) -> bool:
    module = ModuleType("practice")
    exec(compile(source, TOPIC.module, "exec"), module.__dict__)
    judged = Module(InProcess(module)).about(TOPIC, TOPIC.shipped)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")             # PyTorch's, about what a mutant does
        for promise in PROMISES:
            try:
                promise.keep(module=judged)
            except Broken:
                return True
    return False


GATE = Gate("practice", REFERENCE, _breaks, EQUIVALENT)

if __name__ == "__main__":
    sys.exit(GATE.main())
