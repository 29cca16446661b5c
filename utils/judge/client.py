"""Ask for a report from a judge process of its own, so that nothing done to this process can change a verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

from utils.curriculum import ROOT, Topic
from utils.judge.report import Report
from utils.judge.variation import DEFAULT_SEED
from utils.sandbox.bwrap import SandboxError
from utils.sandbox.isolation import LOCAL, SANDBOX
from utils.sandbox.probe import prove


class JudgeError(RuntimeError):
    """The judge itself failed: our fault, never the learner's, and never a score."""


def judge_folder(topic: Topic, folder: Path, *, file: Path | None = None, only: Collection[str] | None = None,
                 seed: int | None = None, answers: dict | None = None, isolation: str = LOCAL) -> Report:
    """As `core.judge`, in a process of its own. `answers` must be plain data; JudgeError if the judge cannot work."""
    with JudgeProcess(isolation) as judge:
        return judge.judge(topic, folder, file=file, only=only, seed=seed, answers=answers)


class JudgeProcess:
    """A judge that stays: it imports once, and then judges one submission after the other, each in fresh workers.

    `isolation` is one of utils/sandbox/isolation.py. Before the first submission in a sandbox it is proved that the
    sandbox holds, once in a process; JudgeError if it does not. Not for several threads at once: start one for each.
    Use it as a context manager; it starts when it is needed, and again after a JudgeError.
    """

    def __init__(self, isolation: str = LOCAL):
        self.isolation = isolation
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> JudgeProcess:
        return self

    def __exit__(self, *exc) -> None:
        self.close()

    def judge(self, topic: Topic, folder: Path, *, file: Path | None = None, only: Collection[str] | None = None,
              seed: int | None = None, answers: dict | None = None) -> Report:
        """The report on one submission; arguments as for `core.judge`. JudgeError if there cannot be one."""
        request = {"topic": topic.slug, "folder": str(folder.resolve()),
                   "file": str(file.absolute()) if file else None, "only": sorted(only) if only is not None else None,
                   "seed": DEFAULT_SEED if seed is None else seed, "answers": answers, "isolation": self.isolation}
        if self._process is not None and self._process.poll() is not None:     # an interrupt meant for this process
            self.close()                                                        # has reached it too
        if self._process is None:
            self._start()
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = b""
        except BaseException:       # interrupted: what it would answer is not the answer to the next request
            self.close()
            raise
        try:
            return Report.from_json(line.decode("utf-8"))
        except ValueError:
            raise JudgeError(f"the judge stopped before it had a verdict; its last words: {self._stop()}") from None

    def close(self) -> None:
        """End the judge, and with it the workers of a submission that it is at."""
        if self._process is not None:
            self._stop()

    def _start(self) -> None:
        if self.isolation == SANDBOX:
            try:
                prove()
            except SandboxError as problem:
                raise JudgeError(str(problem)) from None
        self._words = tempfile.TemporaryFile()      # noqa: SIM115  closed when the process is
        self._process = subprocess.Popen([sys.executable, "-P", "-m", "utils.judge"], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=self._words, cwd=ROOT, env=_environment())

    def _stop(self) -> str:
        """End the process; the last that it wrote on standard error."""
        process, self._process = self._process, None
        for pipe in (process.stdin, process.stdout):
            try:
                pipe.close()
            except OSError:
                pass
        try:
            process.wait(5)         # without requests it ends by itself, workers first
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with self._words as words:
            words.seek(0)
            return words.read().decode("utf-8", "replace").strip()[-500:]


def _environment() -> dict[str, str]:
    """This process's environment, with the repository importable and text in UTF-8 everywhere."""
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
