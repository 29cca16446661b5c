"""The judge: learner code produces numbers in a worker process, and this package judges them.

`promise` marks what tests/<topic>/test_*.py hold a learner's file to; `client.judge_folder` asks a judge process for a
report; `core.judge` is that judge; `worker.py` is the only process that runs learner code.
"""

from utils.judge.promises import Broken, promise

__all__ = ["Broken", "promise"]
