"""Ask for a report from a judge process of its own, so that nothing done to this process can change a verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from utils.curriculum import ROOT, Topic
from utils.judge.core import DEFAULT_SEED
from utils.judge.report import Report


class JudgeError(RuntimeError):
    """The judge itself failed: our fault, never the learner's, and never a score."""


def judge_folder(topic: Topic, folder: Path, *, file: Path | None = None, only: Collection[str] | None = None,
                 seed: int | None = None, answers: dict | None = None, isolated: bool = False) -> Report:
    """As `core.judge`, in a process of its own. `answers` must be plain data; JudgeError if the judge cannot work."""
    request = {"topic": topic.slug, "folder": str(folder.resolve()), "file": str(file.resolve()) if file else None,
               "only": sorted(only) if only is not None else None, "seed": DEFAULT_SEED if seed is None else seed,
               "answers": answers, "isolated": isolated}
    result = subprocess.run([sys.executable, "-P", "-m", "utils.judge"], input=json.dumps(request), cwd=ROOT,
                            capture_output=True, text=True, encoding="utf-8", env=_environment())
    if result.returncode != 0:
        raise JudgeError(f"the judge stopped before it had a verdict; its last words: {result.stderr.strip()[-500:]}")
    return Report.from_json(result.stdout)


def _environment() -> dict[str, str]:
    """This process's environment, with the repository importable and text in UTF-8 everywhere."""
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
