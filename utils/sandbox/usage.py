"""What processes use, as their system counts it, and how all of them are ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable

import psutil


class Family:
    """A process that we started, and all that descend from it. The one that works is its last descendant, if any."""

    def __init__(self, pid: int):
        self.pid = pid
        self._first = self._worker = _process(pid)
        self._before = 0.0

    def settle(self) -> None:
        """Call this when the program is there, which may be some processes below the one that was started."""
        self._worker = next(reversed(self.members()), self._worker)
        self._before = 0.0
        self._before = self.cpu_of_others()

    def members(self) -> list[psutil.Process]:
        """All that are there now, the first one first."""
        try:
            return [self._first, *_descendants(self._first)] if self._first else []
        except psutil.Error:
            return []

    def cpu(self) -> float:
        """CPU seconds of the worker so far, with those of its children that ended and were waited for."""
        return _of(self._worker, lambda p: sum(p.cpu_times()[:4]))

    def cpu_of_others(self) -> float:
        """CPU seconds of everything else, since it settled."""
        others = (m for m in self.members() if m != self._worker)
        return sum(_of(member, lambda p: sum(p.cpu_times()[:4])) for member in others) - self._before

    def memory(self) -> int:
        """Bytes in main memory now, pages that are shared counted for each process."""
        return sum(_of(member, lambda p: p.memory_info().rss) for member in self.members())

    def kill(self) -> None:
        """End them all: what descends from it, and what is left in its process group."""
        members = self.members()
        if hasattr(os, "killpg"):
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except OSError:     # it leads no group, or the group is gone
                pass
        end(members)


def end(processes: Iterable[psutil.Process]) -> None:
    """Kill those that are still there."""
    for process in processes:
        try:
            process.kill()
        except psutil.Error:
            pass


def _of(process: psutil.Process | None, number: Callable[[psutil.Process], float]) -> float:
    try:
        return number(process) if process else 0
    except psutil.Error:
        return 0


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    """As psutil's children(recursive=True), which reads all of /proc; Linux can name a process's children."""
    try:
        found, waiting = [], [process.pid]
        while waiting:
            pid = waiting.pop()
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as file:
                    waiting += (children := [int(word) for word in file.read().split()])
                    found += children
        return [member for pid in found if (member := _process(pid))]
    except OSError:
        return process.children(recursive=True)


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None
