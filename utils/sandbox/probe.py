"""Prove, on the machine at hand, that the sandbox holds: once in a grading run, before anything is graded."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import psutil

from utils.curriculum import ROOT
from utils.sandbox import attempts
from utils.sandbox.bwrap import HOME, MIB, TOOLS, Room, SandboxError, find_bwrap, start
from utils.sandbox.usage import Family, end

SMALL = Room(memory=512 * MIB, tasks=16, open_files=32, file_size=MIB, home_size=4 * MIB, temporary_size=MIB)
SHORT = Room(cpu=1)
PLACES = (str(ROOT / "utils"), str(ROOT / "tests"), "/etc/passwd", "/sys/kernel", "/var", "/run")
PATIENCE = 30.0     # seconds for what takes a tenth of one
LINGER = 10.0       # seconds until what should have ended is taken to live on
NO_NAMESPACES = (
    "Let users make namespaces: `sysctl kernel.unprivileged_userns_clone=1` (older Debian), `sysctl "
    "kernel.apparmor_restrict_unprivileged_userns=0` (Ubuntu), `sysctl user.max_user_namespaces=10000` (Red Hat); in a "
    "container, start it with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined`.")


@lru_cache
def prove() -> None:
    """Nothing, if every denial and every limit works; SandboxError, with what to do, otherwise."""
    find_bwrap()
    found = escapes()
    if computes_on():
        found["cpu"] = f"more than {SHORT.cpu} s of computing"
    if found:
        told = "; ".join(f"{name.replace('_', ' ')}: {what}" for name, what in found.items())
        raise SandboxError(f"the sandbox does not hold on this machine, so nothing is graded in it. It let a program "
                           f"have this: {told}. Report it with the output of `bwrap --version` and `uname -a`.")


def escapes(without: Collection[str] = ()) -> dict[str, str]:
    """What a program in the sandbox can have that it must not, by attempt; `without` as in `bwrap.command`.

    SandboxError if there is no sandbox to look at.
    """
    script = TOOLS / "attempts.py"
    room = replace(SMALL, files={script: Path(attempts.__file__), HOME / "given.txt": b"given"})
    with _outside() as outside:
        process = start(room, [sys.executable, "-I", "-S", str(script)], without, stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        members = [psutil.Process(process.pid)]
        try:
            process.stdin.write(json.dumps(outside).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline() if _readable(process.stdout, PATIENCE) else b""
            if not line:
                raise BrokenPipeError
            found, members = json.loads(line), Family(process.pid).members()
            roots = [member.pid for member in members[-2:] if member.uids().real == 0]  # the program, and what it left
            found["root"] = f"the rights of root outside (process {roots[0]})" if roots else None
            process.kill()
            # what was left behind holds this pipe open; without it, reading comes to the end
            found["survival"] = None if _ends(process.stderr) else "a process that outlives the sandbox"
            return {name: what for name, what in found.items() if what is not None}
        except BrokenPipeError:
            process.kill()
            words = process.stderr.read(500).decode(errors="replace").strip() or "none"
            raise SandboxError(f"bwrap cannot make a sandbox here; its words: {words}. {NO_NAMESPACES}") from None
        finally:
            end(members)
            process.communicate()


def computes_on(without: Collection[str] = ()) -> bool:
    """Whether a program goes on when the CPU time that it may use is over."""
    process = start(SHORT, [sys.executable, "-I", "-S", "-c", "while True: pass"], without, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watched = Family(process.pid)
    try:
        while process.poll() is None and watched.cpu_of_others() < 2 * SHORT.cpu:
            time.sleep(0.02)
        return process.poll() is None
    finally:
        process.kill()
        process.wait()


@contextmanager
def _outside() -> Iterator[dict]:
    """Things outside of a sandbox that a program in it is to look for."""
    token = secrets.token_hex(16)
    with (tempfile.NamedTemporaryFile("w", prefix="upstream-probe-", suffix=".txt") as file,
          socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract):
        os.chmod(file.name, 0o644)
        abstract.bind("\0" + token)
        abstract.listen()
        libc, key = ctypes.CDLL(None), secrets.randbelow(1 << 30) + 1
        segment = libc.shmget(key, 1, 0o1600)
        sleeper = subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()", token], stdin=subprocess.PIPE)
        os.environ["UPSTREAM_PROBE"] = token
        try:
            yield {"token": token, "pid": sleeper.pid, "port": server.getsockname()[1], "host": socket.gethostname(),
                   "key": key, "paths": [file.name, *PLACES], "read_only": [sys.prefix, str(TOOLS)]}
        finally:
            del os.environ["UPSTREAM_PROBE"]
            sleeper.kill()
            sleeper.communicate()
            libc.shmctl(segment, 0, None)       # 0: remove it


def _readable(stream, seconds: float) -> bool:
    return bool(select.select([stream], [], [], seconds)[0])


def _ends(stream) -> bool:
    """Whether reading the stream comes to an end."""
    while _readable(stream, LINGER):
        if not os.read(stream.fileno(), 4096):
            return True
    return False
