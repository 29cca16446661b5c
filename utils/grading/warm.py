"""Imported once, by the process that grading's workers are forked from: what every submission needs is loaded then."""

import compileall
import gc
import sys

import numpy.random  # noqa: F401
from traitlets.utils.importstring import import_item

from utils.curriculum import ROOT, load
from utils.grading import feedback, task  # noqa: F401
from utils.grading.config import AUTOGRADE, SANITIZE
from utils.judge import asked, generate, picture  # noqa: F401
from utils.judge.promises import collect

for step in (*SANITIZE, *AUTOGRADE):
    import_item(step)
for topic in load():
    collect(topic)
asked.stored()
feedback.rehearse(load()[0].slug)
if not sys.dont_write_bytecode:         # for notebooks, too: a kernel in a sandbox can read it, and write none
    compileall.compile_dir(str(ROOT / "utils"), quiet=2)
gc.collect()
gc.freeze()                             # what is loaded stays: no look at it again, and no copies of its pages
gc.set_threshold(50_000, 20, 50)        # reports and notebooks are made of many small objects
