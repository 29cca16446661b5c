"""Run scripts in a worker process, and impose limits on it from outside."""

from __future__ import annotations

import json
import queue
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from utils.curriculum import ROOT

WORKER = Path(__file__).with_name("worker.py")
LONGEST_REPLY = 64 << 20        # bytes
POLL = 0.02                     # seconds between two looks at a busy worker


@dataclass(frozen=True)
class Limits:
    """What one script may use: CPU seconds, wall seconds (generous: the machine may be busy), bytes of memory."""

    cpu: float = 2.0
    wall: float = 15.0
    memory: int = 2 << 30


ORDINARY = Limits()
LOADING = Limits(cpu=6.0, wall=30.0)


@dataclass(frozen=True)
class Outcome:
    """What a script gave: its reports in order, and what stopped it, if anything did.

    `error["kind"]` is one of the worker's (not-written, absent, lost-node, raised, recursion, memory, exit, syntax), or
    one that is seen from outside: timeout, memory, crash.
    """

    reports: list
    error: dict | None = None
    cpu: float = 0.0            # CPU seconds that the worker spent on it, measured from outside


class _Stopped(Exception):
    """The worker gave no reply; `error` says why."""

    def __init__(self, kind: str, text: str):
        super().__init__(text)
        self.error = {"kind": kind, "type": None, "text": text, "what": None, "got": None,
                      "line": None, "code": None, "step": None}


class Session:
    """A worker with one learner file loaded; it is replaced after each script that it did not survive.

    `file` may be None: then only answer cells can be run. `isolated` hides this repository from the worker's imports,
    as grading does. Use it as a context manager.
    """

    def __init__(self, file: Path | None, isolated: bool = False):
        self.file = file
        self.isolated = isolated
        self.stub_imported = False
        self._process: subprocess.Popen | None = None
        self._replies: queue.Queue = queue.Queue()
        self._load_error: dict | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc) -> None:
        self.close()

    def run(self, steps: list, limits: Limits = ORDINARY) -> Outcome:
        """Run one script. Whatever learner code does, this returns, within the limits."""
        try:
            if self._process is None:
                self._start(limits)
            if self._load_error:
                return Outcome([], self._load_error)
            self._send(steps)
            reply, cpu = self._wait(limits)
            if not isinstance(reply.get("reports"), list) or not (
                    reply.get("error") is None or _is_error(reply["error"])):
                raise _Stopped("crash", "the worker's reply is not one of the judge's")
            return Outcome(reply["reports"], reply["error"], cpu)
        except _Stopped as stop:
            self.close()
            return Outcome([], stop.error, limits.cpu)

    def load_error(self, limits: Limits = ORDINARY) -> dict | None:
        """Why the file cannot be loaded, or None."""
        return self.run([], limits).error

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                try:
                    pipe.close()
                except OSError:      # unsent bytes to a worker that is gone
                    pass
            self._process = None

    def _start(self, limits: Limits) -> None:
        self._process = subprocess.Popen([sys.executable, "-I", "-B", str(WORKER)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._replies = queue.Queue()
        threading.Thread(target=_read, args=(self._process.stdout, self._replies), daemon=True).start()
        hidden = [str(ROOT)] if self.isolated else []
        self._send({"file": str(self.file) if self.file else None, "memory": limits.memory, "hide": hidden})
        reply, _ = self._wait(LOADING)
        self._load_error = reply.get("error")
        if self._load_error is not None and not _is_error(self._load_error):
            raise _Stopped("crash", "the worker's reply is not one of the judge's")
        self.stub_imported = self.stub_imported or bool(reply.get("stub"))

    def _send(self, request) -> None:
        body = json.dumps(request).encode()
        try:
            self._process.stdin.write(struct.pack(">Q", len(body)) + body)
            self._process.stdin.flush()
        except OSError:
            raise _Stopped("crash", "the Python process that ran this file ended") from None

    def _wait(self, limits: Limits) -> tuple[dict, float]:
        """The worker's next reply and the CPU seconds it took, or _Stopped."""
        watched = psutil.Process(self._process.pid)
        start, begun = time.monotonic(), _cpu(watched)
        while True:
            try:
                reply = self._replies.get(timeout=POLL)
                break
            except queue.Empty:
                if _cpu(watched) - begun > limits.cpu:
                    raise _Stopped("timeout", f"still running after {limits.cpu:g} s of computing") from None
                if time.monotonic() - start > limits.wall:
                    raise _Stopped("timeout", f"no answer after {limits.wall:g} s") from None
                if _memory(watched) > limits.memory:
                    raise _Stopped("memory", f"used more than {limits.memory >> 20} MiB of memory") from None
        if reply is None:
            raise _Stopped("crash", _ending(self._process.wait()))
        return reply, _cpu(watched) - begun


def _is_error(error) -> bool:
    """Whether a reply's error is one that the worker makes."""
    return isinstance(error, dict) and {"kind", "type", "text", "what", "got", "line", "code"} <= set(error)


def _read(stream, replies: queue.Queue) -> None:
    """Move replies from the worker's pipe to the queue; None when there will be no more, or one that is not ours."""
    try:
        while len(head := stream.read(8)) == 8:
            size = struct.unpack(">Q", head)[0]
            reply = json.loads(stream.read(size)) if size <= LONGEST_REPLY else None
            replies.put(reply if isinstance(reply, dict) else None)
    except (OSError, ValueError):       # closed by us, or bytes that are no reply
        pass
    replies.put(None)


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
        return times.user + times.system
    except psutil.Error:
        return 0.0


def _memory(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def _ending(code: int) -> str:
    if code < 0:
        return f"the Python process that ran this file was ended by signal {-code}"
    return f"the Python process that ran this file ended by itself (exit status {code})"
