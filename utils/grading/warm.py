"""Imported once, by the process that grading's workers are forked from: what every submission needs is loaded then."""

from traitlets.utils.importstring import import_item

from utils.curriculum import load
from utils.grading import feedback, task  # noqa: F401
from utils.grading.config import AUTOGRADE, SANITIZE
from utils.judge.promises import collect

for step in (*SANITIZE, *AUTOGRADE):
    import_item(step)
for topic in load():
    collect(topic)
