"""Run scripts in a worker process, and impose limits on it from outside."""

from __future__ import annotations

import json
import marshal
import os
import queue
import select
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path

from utils.curriculum import ROOT
from utils.judge import replies
from utils.judge.replies import NoReply, checked_error, checked_reports
from utils.sandbox import bwrap
from utils.sandbox.isolation import LOCAL, SANDBOX
from utils.sandbox.usage import Family

WORKER = Path(__file__).with_name("worker.py")
POLL = 0.02                     # seconds between two looks at a busy worker
TOTAL = 90.0                    # seconds that one file may use in all; a good one takes five


@dataclass(frozen=True)
class Limits:
    """What one script may use: CPU seconds, wall seconds (generous: the machine may be busy), bytes of memory.

    `watched`: its outcome tells by how much memory grew.
    """

    cpu: float = 2.0
    wall: float = 15.0
    memory: int = 2 << 30
    watched: bool = False


ORDINARY = Limits()
LOADING = Limits(cpu=6.0, wall=30.0)


@dataclass(frozen=True)
class Outcome:
    """What a script gave: its reports in order, and what stopped it, if anything did.

    `error["kind"]` is one of the worker's (`replies.SEEN_INSIDE`), or one that is seen from outside: timeout, memory,
    output, crash.
    """

    reports: list
    error: dict | None = None
    cpu: float = 0.0            # CPU seconds that the worker spent on it, measured from outside
    grown: int = 0              # bytes by which the worker's memory grew meanwhile, at most; where that is `watched`


class Session:
    """A worker with one learner file loaded; it is replaced after each script that it did not survive.

    `file` may be None: then only answer cells can be run. `isolation` is one of utils/sandbox/isolation.py; but for a
    local check, this repository is hidden from the worker's imports. `uses` are packages that the file may import
    though they differentiate; they are imported before it. Use it as a context manager.
    """

    def __init__(self, file: Path | None, isolation: str = LOCAL, uses: tuple[str, ...] = ()):
        self.file = file
        self.isolation = isolation
        self.uses = uses
        self.stub_imported = False
        self._process: subprocess.Popen | None = None
        self._loaded = False
        self._family: Family | None = None
        self._replies: replies.Arriving | queue.Queue | None = None
        self._load_error: dict | None = None
        self._spent = 0.0
        self._grown = 0

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc) -> None:
        self.close()

    def run(self, steps: list, limits: Limits = ORDINARY) -> Outcome:
        """Run one script. Whatever learner code does, this returns, within the limits.

        SandboxError: a sandbox was asked for and cannot be made.
        """
        if self._spent > TOTAL:
            return Outcome([], replies.error("timeout", f"the {TOTAL:g} s that one file may use in all are used up"))
        start = time.monotonic()
        try:
            if not self._loaded:
                self._start(limits)
            if self._load_error:
                return Outcome([], self._load_error)
            self._send(steps, limits.wall)
            reply, cpu = self._wait(limits)
            error = checked_error(reply.get("error"))
            reports = checked_reports(reply.get("reports"), steps, error)
            self._spent += cpu
            return Outcome(reports, error, cpu, self._grown)
        except NoReply as stop:
            # not the seconds it took: on a busy machine they are more, and a verdict must not depend on that
            self._spent += limits.wall if time.monotonic() - start > limits.wall else limits.cpu
            self.close()
            return Outcome([], replies.error(stop.kind, stop.text), limits.cpu)

    def load_error(self, limits: Limits = ORDINARY) -> dict | None:
        """Why the file cannot be loaded, or None."""
        return self.run([], limits).error

    def close(self) -> None:
        """End the worker, and every process that learner code started."""
        if self._process is not None:
            self._family.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                try:
                    pipe.close()
                except OSError:      # unsent bytes to a worker that is gone
                    pass
            self._process, self._loaded = None, False

    def begin(self, limits: Limits = ORDINARY) -> None:
        """Start the worker, which waits until it is asked something: it loads nothing of the learner's before."""
        if self._process is not None:
            return
        if self.isolation == SANDBOX:
            self._process = _in_sandbox(self.file, limits)
        else:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, start_new_session=True,
                cwd=self.file.parent if self.file else tempfile.gettempdir())
        self._family = Family(self._process.pid)
        self._replies = replies.listen(self._process.stdout)

    def _start(self, limits: Limits) -> None:
        self.begin(limits)
        there = self.file and (bwrap.HOME / self.file.name if self.isolation == SANDBOX else self.file)
        self._loaded = True
        self._set_up({"file": there and str(there), "memory": limits.memory, "uses": list(self.uses),
                      "hide": [] if self.isolation in (LOCAL, SANDBOX) else [str(ROOT)]})
        reply, cpu = self._wait(LOADING)
        self._spent += cpu
        self._load_error = checked_error(reply.get("error"))
        self.stub_imported = self.stub_imported or bool(reply.get("stub"))

    def _set_up(self, setting: dict) -> None:
        """Until the worker says that it is there, before anything of the learner's: if not, it is not their fault."""
        try:
            self._send(setting, LOADING.wall)
            ready, _ = self._wait(LOADING)
        except NoReply:
            ready = {}
        if ready != {"ready": True}:
            self._process.kill()
            words = self._process.stderr.read(2000).decode(errors="replace").strip()
            self.close()
            raise bwrap.SandboxError(f"a worker process could not be started; its last words: {words or 'none'}")
        self._family.settle()

    def _send(self, request, patience: float) -> None:
        """Send a request; NoReply if nobody takes it for `patience` seconds: then the last reply was forged."""
        body = json.dumps(request).encode()
        try:
            taken = _write(self._process.stdin, struct.pack(">Q", len(body)) + body, patience)
        except (OSError, ValueError):       # the worker is gone, or the pipe was closed meanwhile
            raise NoReply("crash", "the Python process that ran this file ended") from None
        if not taken:
            raise NoReply("crash", "the Python process that ran this file stopped listening")

    def _wait(self, limits: Limits) -> tuple[dict, float]:
        """The worker's next reply and the CPU seconds it took, or NoReply."""
        start, begun, self._grown = time.monotonic(), self._family.cpu(), 0
        before = self._family.memory() if limits.watched else 0
        while True:
            try:
                reply = self._replies.get(timeout=POLL)
                break
            except queue.Empty:
                if self._family.cpu() - begun + self._family.cpu_of_others() > limits.cpu:
                    raise NoReply("timeout", f"still running after {limits.cpu:g} s of computing") from None
                if time.monotonic() - start > limits.wall:
                    raise NoReply("timeout", f"no answer after {limits.wall:g} s") from None
                memory = self._family.memory()
                self._grown = max(self._grown, memory - before) if limits.watched else 0
                if memory > limits.memory:
                    raise NoReply("memory", f"used more than {limits.memory >> 20} MiB of memory") from None
        if isinstance(reply, NoReply):
            raise reply if reply.kind else NoReply("crash", self._last_words())
        return reply, self._family.cpu() - begun

    def _last_words(self) -> str:
        """How the worker ended that sent bytes which are no reply, or none; it may be there still."""
        try:
            return _ending(self._process.wait(1))
        except subprocess.TimeoutExpired:
            return "the worker's reply is not one of the judge's"


def _write(pipe, data: bytes, patience: float) -> bool:
    """Write all of it; False if that takes over `patience` seconds. OSError or ValueError where the reader is gone."""
    if os.name == "nt":                     # no pipe there can be asked whether it would block
        return _write_aside(pipe, data, patience)
    number, rest, deadline = pipe.fileno(), memoryview(data), time.monotonic() + patience
    os.set_blocking(number, False)
    free = select.poll()
    free.register(number, select.POLLOUT)
    while rest:
        try:
            rest = rest[os.write(number, rest):]
        except BlockingIOError:
            if not free.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return False
    return True


def _write_aside(pipe, data: bytes, patience: float) -> bool:
    """As `_write`, by a thread that may be left waiting."""
    def write() -> None:
        try:
            pipe.write(data)
            pipe.flush()
            sent.put(None)
        except (OSError, ValueError) as error:
            sent.put(error)

    sent: queue.Queue = queue.Queue()
    threading.Thread(target=write, daemon=True).start()
    try:
        problem = sent.get(timeout=patience)
    except queue.Empty:
        return False
    if problem:
        raise problem
    return True


@lru_cache
def _compiled() -> bytes:
    """The worker as a file of byte code, so that a sandbox, which is made anew each time, need not compile it."""
    code = compile(WORKER.read_bytes(), str(bwrap.TOOLS / WORKER.name), "exec", dont_inherit=True)
    return MAGIC_NUMBER + bytes(12) + marshal.dumps(code)     # no source to compare with: flags, time and size are 0


def _in_sandbox(file: Path | None, limits: Limits) -> subprocess.Popen:
    """A worker in a sandbox, with what stands beside the learner's file."""
    worker, others = bwrap.TOOLS / f"{WORKER.stem}.pyc", bwrap.carried(file.parent, first=file.name) if file else {}
    room = bwrap.Room(files={worker: _compiled(), **others}, memory=limits.memory, cpu=int(TOTAL))
    return bwrap.start(room, [sys.executable, "-I", "-B", str(worker)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)


def _ending(code: int) -> str:
    code = 128 - code if code > 128 else code       # a signal, as a sandbox tells it
    if code < 0:
        return f"the Python process that ran this file was ended by signal {-code}"
    return f"the Python process that ran this file ended by itself (exit status {code})"
