"""The protocol: one process an engine, the engines in turn over several rounds, the median of their CPU times."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from utils.curriculum import ROOT

IN_BASELINES = ("micrograd", "autograd")  # engines that live in .bench-venv
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
CLOSE = 1e-3  # float32 workloads included
PATIENCE = 30  # seconds for one answer of a learner's engine, which may hold a loop without end


class WorkerFailed(RuntimeError):
    """A worker ended early, or computes something else than the others."""


@dataclass(frozen=True)
class Race:
    """One workload on several engines, ours first. `calls` are timed in each round."""

    workload: str
    engines: tuple[str, ...]
    size: int = 0
    warm_size: int = 0
    calls: int = 5
    without_gc: bool = False  # time calls without the garbage collector too


class Worker:
    """A process of utils/bench/worker.py. Our own engines may take their time; a learner's file has PATIENCE."""

    def __init__(self, race: Race, engine: str, baselines: Path | None):
        self.engine = engine
        self.words = _words() if theirs(engine) else None
        python = baselines if engine in IN_BASELINES else Path(sys.executable)
        environment = os.environ | dict.fromkeys(THREADS, "1") | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        command = [python, "-P", "-m", "utils.bench.worker", race.workload, engine, str(race.size), str(race.warm_size)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
                                        env=environment, stderr=self.words)

    def ask(self, **request):
        """The answer to one request. Raises WorkerFailed if the process ends instead, or a learner's takes too long."""
        clock = threading.Timer(PATIENCE, self.process.kill)
        if self.words:
            clock.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, as the missing answer will show
        line = self.process.stdout.readline()
        in_time = not self.words or clock.is_alive()
        clock.cancel()
        if not line and not in_time:
            raise WorkerFailed(f"no answer within {PATIENCE} seconds")
        if not line:
            raise WorkerFailed(self.last_words(self.process.wait()))
        return json.loads(line)

    def last_words(self, status: int) -> str:
        """Why the process ended: of a learner's, the last line it wrote."""
        if not self.words:
            return f"{self.engine} stopped with exit status {status}; its words are above"
        self.words.seek(0)
        return ([line.strip() for line in self.words if line.strip()] or [f"it ended with exit status {status}"])[-1]

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.kill()
        self.process.wait()
        if self.words:
            self.words.close()


def theirs(engine: str) -> bool:
    """Whether the engine is a learner's file, not one of ours by name."""
    return engine.endswith(".py")


def _words() -> IO[str]:
    """A file for what a process writes; it goes when it is closed."""
    return tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")


def race(run: Race, rounds: int, baselines: Path | None) -> dict[str, dict[str, float]]:
    """{engine: {"on": median CPU seconds of a call, "off": without the garbage collector}}, after comparing results."""
    engines = [name for name in run.engines if baselines or name not in IN_BASELINES]
    workers, times = [], {(name, mode): [] for name in engines for mode in ("on", "off")}
    try:
        for name in engines:
            workers.append(Worker(run, name, baselines))
            _agree(run.workload, name, workers[-1].ask(do="result"), workers[0].ask(do="result"))
        for _ in range(rounds):
            for worker in workers:
                times[worker.engine, "on"] += worker.ask(do="time", calls=run.calls, gc=True)
                if run.without_gc:
                    times[worker.engine, "off"] += worker.ask(do="time", calls=run.calls, gc=False)
    finally:
        for worker in workers:
            worker.__exit__()
    return {name: {mode: statistics.median(times[name, mode]) for mode in ("on", "off") if times[name, mode]}
            for name in engines}


def memory(name: str, engine: str, size: int, workload: str = ""):
    """One measurement of memory, in a fresh process of one of our engines."""
    with Worker(Race(workload, (engine,), size), engine, None) as worker:
        return worker.ask(do="memory", name=name)


def profile(engine: str, workload: str, size: int) -> dict:
    """What `worker.profiled` says of one workload on one engine, in a fresh process."""
    with Worker(Race(workload, (engine,), size, min(size, 1_000)), engine, None) as worker:
        return worker.ask(do="profile")


def _agree(workload: str, engine: str, result: Sequence[float], expected: Sequence[float]) -> None:
    if len(result) != len(expected):
        raise WorkerFailed(f"{engine} computes something else on {workload}: {len(result)} numbers, not "
                           f"{len(expected)}")
    scale = max(map(abs, expected))
    for given, first in zip(result, expected, strict=True):
        if not math.isclose(given, first, rel_tol=CLOSE, abs_tol=CLOSE * scale * 1e-2):
            raise WorkerFailed(f"{engine} computes something else on {workload}: {given!r}, not {first!r}")
