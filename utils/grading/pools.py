"""Where submissions are graded: warm processes on this machine, or Dask workers on any number of machines."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

import psutil

from utils.setup_state import Problem, command

ANSWER = 10  # seconds that a scheduler has to answer
LOST = 3     # times that Dask gives a task to another worker when one was lost with it


class Pool(Protocol):
    """`width` tasks run at once, `here` or elsewhere. A future that fails with one of `broken` says that the task's
    process ended."""

    width: int
    here: bool
    broken: tuple[type[Exception], ...]

    def submit(self, function, *arguments) -> Future: ...

    def close(self) -> None: ...


def load_ahead() -> None:
    """Begin to load what workers need, in the process that they are forked from, while this one does something else."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # one core a worker; small arrays gain nothing from more
    if os.name != "nt":
        from multiprocessing.forkserver import ensure_running, set_forkserver_preload

        set_forkserver_preload(["utils.grading.warm"])
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C while it loads is for this process alone
        try:
            ensure_running()
        finally:
            signal.signal(signal.SIGINT, handler)


class LocalPool:
    """Processes that are forked from one which has imported everything, so that imports are paid once."""

    broken = (BrokenProcessPool,)
    here = True

    def __init__(self, width: int):
        self.width = width
        self._start()

    def _start(self) -> None:
        load_ahead()
        context = multiprocessing.get_context("spawn" if os.name == "nt" else "forkserver")
        self._executor = ProcessPoolExecutor(self.width, context, initializer=_be_worker, initargs=(os.getcwd(),))

    def submit(self, function, *arguments) -> Future:
        try:
            return self._executor.submit(function, *arguments)
        except BrokenProcessPool:  # every task of it has failed already; new processes for the next
            self.close()
            self._start()
            return self._executor.submit(function, *arguments)

    def close(self) -> None:
        """Stop at once, whatever is running."""
        workers = multiprocessing.active_children()
        self._executor.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            _end_family(worker.pid)


def _end_family(pid: int) -> None:
    """Kill a process and all that it started."""
    try:
        family = [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]
    except psutil.Error:
        return
    for process in family:
        try:
            process.kill()
        except psutil.Error:
            pass


def _be_worker(folder: str) -> None:
    """In a new worker: in the batch's folder, out of reach of the terminal's Ctrl-C, and gone when the batch is."""
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what it starts is interrupted as anywhere
    if os.name != "nt":
        os.setpgid(0, 0)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(batch) -> None:
    batch.join()
    _end_family(os.getpid())


class DaskPool:
    """The workers of a Dask scheduler. They hold nothing: the task of one that is lost goes to another."""

    here = False

    def __init__(self, address: str):
        try:
            from distributed import Client
            from distributed.scheduler import KilledWorker
        except ImportError:
            raise Problem("grading on several machines needs Dask's package `distributed`, which is not here",
                          "run `pip install -r requirements-services.lock` in .venv, on every machine") from None
        self.broken = (KilledWorker,)
        try:
            self._client = Client(address, timeout=ANSWER, set_as_default=False)
        except (OSError, ValueError, ImportError) as error:
            raise Problem(f"no Dask scheduler answers at {address} ({type(error).__name__})",
                          f"start one with `dask scheduler`, name its address, then {_again()}") from None
        self._executor = self._client.get_executor(pure=False, retries=LOST)
        if not self._threads():
            self.close()
            raise Problem(f"the scheduler at {address} has no workers",
                          f"start some with `dask worker {address} --nthreads 1 --nworkers auto`, then {_again()}")

    def _threads(self) -> int:
        return sum(worker["nthreads"] for worker in self._client.scheduler_info(n_workers=-1)["workers"].values())

    @property
    def width(self) -> int:
        """As many as there are threads now: machines come and go."""
        return max(1, self._threads())

    def submit(self, function, *arguments) -> Future:
        return self._executor.submit(function, *arguments)

    def close(self) -> None:
        self._executor.shutdown(wait=False)
        self._client.close(timeout=ANSWER)


def _again() -> str:
    return f"run {command('grade')} again"
