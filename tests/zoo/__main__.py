"""Judge every engine of the zoo again and again, with other seeds: `python -m tests.zoo [reruns [first]]`.

By default 1000 runs from run 0 on; `python -m tests.zoo 400 600` goes on behind the first 600.
"""

from __future__ import annotations

import sys
import time

from tests.drawn_once import drawn_once
from tests.engines import TOPIC
from tests.zoo import ENGINES, FOLDER, exercises
from utils.judge.core import judge


def main(reruns: int = 1000, first: int = 0) -> int:
    """How many verdicts were false rejects; says which."""
    rejected, start = 0, time.monotonic()
    with drawn_once():
        for run in range(first, first + reruns):
            seed, name = divmod(run, len(ENGINES))
            file = list(ENGINES.values())[name]
            report = judge(TOPIC, FOLDER, file=file, only=exercises(file), seed=seed)
            if not report.kept:
                rejected += 1
                print(f"{file.stem}, seed {seed}: {report.text()}")
            if run % 100 == 99:
                print(f"up to run {run + 1}: {rejected} rejected, {time.monotonic() - start:.0f} s", flush=True)
    print(f"{len(ENGINES)} correct engines, {reruns} runs, seeds {first // len(ENGINES)} to "
          f"{(first + reruns - 1) // len(ENGINES)}: {rejected} false rejects")
    return rejected


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
