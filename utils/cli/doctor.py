"""Say what is wrong with this installation, and how to mend it. Exit status 0 if nothing is.

Standard library only: it works without .venv, and with a broken one.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from utils import setup_state as state
from utils.setup_state import Problem, command

STATES = {
    "half-made": (".venv is half-made: its set-up did not end", f"run {command('lab')}, it goes on where it was"),
    "broken": ("the Python of .venv is gone or has changed", f"run {command('lab')}, it makes .venv anew"),
    "changed": ("requirements.lock is newer than what .venv holds", f"run {command('lab')}, it installs what changed"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8888, help="the port that `lab` shall use (default: 8888)")


def check_python(args: argparse.Namespace) -> str:
    return f"Python {sys.version.split()[0]} ({sys.executable})"


def check_folder(args: argparse.Namespace) -> str:
    missing = [lock.name for lock in (state.PINS, state.TEST_PINS) if not lock.is_file()]
    if missing:
        raise Problem(f"{' and '.join(missing)} missing from {state.ROOT}", "restore it: `git checkout -- .`")
    try:
        with tempfile.TemporaryFile(dir=state.ROOT):
            return f"{state.ROOT} can be written to"
    except OSError as error:
        raise state.explain_os_error(error) from None


def check_space(args: argparse.Namespace) -> str:
    if state.stale([state.PINS]) in ("none", "half-made", "broken") and state.free_mb() < state.SPACE_MB:
        raise state.disk_full()
    if state.free_mb() < 100:
        raise Problem(f"{state.free_mb()} MB of disk are free", "free some: notebooks and grades could not be saved")
    return f"{state.free_mb()} MB of disk are free"


def check_venv(args: argparse.Namespace) -> str:
    why = state.stale([state.PINS])
    if why == "none":
        if not importlib.util.find_spec("ensurepip") and not importlib.util.find_spec("pip"):
            raise Problem("this Python comes without pip",
                          "install it (on Debian and Ubuntu: `sudo apt install python3-venv`)")
        return f".venv is not made yet; {command('lab')} makes it"
    if why in STATES:
        raise Problem(*STATES[why])
    lines, _ = state.pins(state.PINS)
    broken = state.unfinished(lines, state.site_packages())
    if broken:
        raise Problem(f"files of {', '.join(line.split('==')[0] for line in broken)} are gone from .venv",
                      f"delete the folder .venv, then run {command('lab')}")
    return ".venv holds the packages of requirements.lock"


def check_torch(args: argparse.Namespace) -> str:
    if state.stale([state.PINS]) in ("none", *STATES):
        return f"PyTorch comes with {command('lab')}"
    if state.read_stamp().get("torch_missing_since") is not None:
        return "PyTorch is not installed, it was out of reach; all works without it but what compares with it"
    return "PyTorch is installed"


def has_pip(python: Path | str) -> bool:
    return state.version_of(python) is not None and not subprocess.run(
        [python, "-m", "pip", "--version"], capture_output=True, check=False).returncode


def check_network(args: argparse.Namespace) -> str:
    if state.stale([state.PINS]) not in ("none", *STATES):
        return "the network is not needed: all packages are installed"
    pip = next(([str(python), "-m", "pip"] for python in (state.PYTHON, sys.executable) if has_pip(python)), None)
    if pip is None:
        return "the network is not tried: this needs pip, which comes with .venv"
    pin = next(line for line in state.pins(state.PINS)[0] if ";" not in line)
    with tempfile.TemporaryDirectory() as folder:
        asked = [*pip, "download", "--no-deps", "--retries", "0", "--timeout", "10", "--dest", folder, pin]
        answer = subprocess.run(asked, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if answer.returncode:
        raise state.explain_pip(answer.stdout + answer.stderr)
    return "the package index answers"


def check_port(args: argparse.Namespace) -> str:
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", args.port)):
            return f"port {args.port} is free"
    if args.port == 8888:
        return "port 8888 is taken; `lab` uses the next free one"
    raise Problem(f"port {args.port} is taken", "leave --port out, and the first free one is used")


def check_work(args: argparse.Namespace) -> str:
    record = state.ROOT / "work" / ".upstream" / "installed.json"
    if not record.exists():
        return f"work/ is not filled yet; {command('lab')} fills it"
    try:
        json.loads(record.read_text(encoding="utf-8"))
    except ValueError:
        raise Problem(f"{record.relative_to(state.ROOT)} cannot be read",
                      f"run {command('lab')}; it writes a new one and leaves your files as they are") from None
    return "work/ and its record are in order"


def check_tools(args: argparse.Namespace) -> str:
    tools = {"bwrap": "grading submissions on Linux", "chromium": "browser tests"}
    missing = [f"{name} (for {use})" for name, use in tools.items() if not shutil.which(name)]
    return f"not found, and not needed to learn: {', '.join(missing)}" if missing else "bwrap and chromium are found"


CHECKS = (check_python, check_folder, check_space, check_venv, check_torch, check_network, check_port, check_work,
          check_tools)


def diagnose(args: argparse.Namespace) -> Iterator[tuple[bool, str]]:
    """(fine, sentence) of each check."""
    for check in CHECKS:
        try:
            yield True, f"ok: {check(args)}"
        except Problem as problem:
            yield False, str(problem)
        except (OSError, subprocess.SubprocessError) as error:
            yield False, str(Problem(f"{check.__name__.removeprefix('check_')} could not be checked ({error})",
                                     f"delete the folder .venv, then run {command('lab')}"))


def run(args: argparse.Namespace) -> int:
    fine = True
    for ok, sentence in diagnose(args):
        print(sentence, flush=True)
        fine = fine and ok
    return 0 if fine else 1
