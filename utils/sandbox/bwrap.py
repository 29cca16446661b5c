"""What a sandbox holds and may use, and how a program is started in it.

A program in a sandbox sees Python and its packages, read-only, the files that it was given, and folders in memory that
are limited in size. It sees no other file, process, environment variable or network of this machine.

Where the grader is root, a first bwrap builds that view with root's rights, drops them, and the sandbox is made inside
it as it would be by any other user: a root of the outside is exempt from the limit on processes.
"""

from __future__ import annotations

import os
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path

from utils.curriculum import ROOT
from utils.sandbox import seccomp

HOME = Path("/learner")                 # what is given and what is written is here, and in /tmp and /dev/shm
TOOLS = Path("/given")                  # our own files
MIB = 1 << 20
MANY_FILES = 400                        # each is a descriptor while a sandbox is made
UIDS = (61184, 65519)                   # range of short-lived users (systemd's DynamicUser), below any container's end
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime")


class SandboxError(RuntimeError):
    """A sandbox cannot be made here; the text says why, and what to do."""


@dataclass(frozen=True)
class Room:
    """What is in a sandbox, and how much of everything a program in it may use.

    `shown` is visible read-only where it is; `files` are copied in: {path in the sandbox: file here, or its bytes}.
    Sizes in bytes; `cpu` in seconds and for each process; `tasks` counts processes and threads.
    """

    files: Mapping[Path, Path | bytes] = field(default_factory=dict)
    shown: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = HOME
    cpu: int = 600
    memory: int = 2 << 30               # address space of one process
    tasks: int = 32
    open_files: int = 64
    file_size: int = 16 * MIB
    home_size: int = 96 * MIB
    temporary_size: int = 32 * MIB      # of /tmp, and of /dev/shm

    def limits(self) -> dict[str, int]:
        """prlimit's options."""
        return {"cpu": self.cpu, "as": self.memory, "nproc": self.tasks, "nofile": self.open_files,
                "fsize": self.file_size, "core": 0}


ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": str(HOME), "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1",
               "OMP_NUM_THREADS": "1"}

# denial: bwrap's options for it. A test takes one away at a time, to see that the probe notices.
DENIALS = {
    "user": ["--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"],
    "processes": ["--unshare-pid"],
    "network": ["--unshare-net"],
    "ipc": ["--unshare-ipc"],
    "host name": ["--unshare-uts", "--hostname", "sandbox", "--unshare-cgroup-try"],
    "survival": ["--die-with-parent"],
}


@lru_cache
def find_bwrap() -> str:
    """The program bwrap; SandboxError where there is none."""
    if not sys.platform.startswith("linux"):
        raise SandboxError("the sandbox needs Linux")
    if not seccomp.supported():
        raise SandboxError("the sandbox knows the system calls of x86_64 and aarch64 only")
    if path := shutil.which("bwrap"):
        return path
    raise SandboxError("the program bwrap is missing; install it: `apt-get install bubblewrap`, `dnf install "
                       "bubblewrap`, or `conda install -c conda-forge bubblewrap`")


@lru_cache
def _system() -> tuple[tuple[str, str, str], ...]:
    """bwrap's options that show the operating system's programs and Python."""
    found = []
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            found.append(("--symlink", os.readlink(path), str(path)))
        elif path.is_dir():
            found.append(("--ro-bind", str(path), str(path)))
    pythons = [sys.base_prefix, sys.prefix]
    found += [("--ro-bind", path, path) for path in (*SETTINGS, *dict.fromkeys(pythons))
              if Path(path).exists() and not path.startswith("/usr/") and path != "/usr"]
    if any(str(ROOT).startswith(place + "/") for _, _, place in found):     # a course inside one of them stays hidden
        found += [("--tmpfs", "/", str(ROOT)), *(f for f in found if f[2].startswith(f"{ROOT}/"))]
    return tuple(found)


def _view(room: Room) -> list[str]:
    """bwrap's options for all that is visible read-only, with folders above it that everybody may pass through."""
    shown = [*_system(), *(("--ro-bind", str(path), str(path)) for path in room.shown)]
    above = dict.fromkeys(str(folder) for _, _, place in shown for folder in reversed(Path(place).parents[:-1]))
    made = [word for folder in above for word in ("--dir", folder)]
    for kind, source, place in shown:
        made += ["--tmpfs", place] if kind == "--tmpfs" else [kind, source, place]
    return made


def command(room: Room, program: Collection[str], descriptor: Callable[[Path | bytes], int],
            without: Collection[str] = ()) -> list[str]:
    """The command that runs `program` in a sandbox. `descriptor` gives a file descriptor, to inherit, for a content.

    `without` leaves something out, for tests: denials (by their names above), limits (by prlimit's names), "sizes",
    "calls", "root", and in `start` "environment".
    """
    bwrap, view = find_bwrap(), _view(room)
    size = [] if "sizes" in without else ["--size"]

    def memory(place: str, most: int) -> list[str]:
        return [*size, *([str(most)] if size else []), "--tmpfs", place]

    # /tmp first, so that what is shown may stand in it: this repository, for one
    made = [bwrap, *memory("/tmp", room.temporary_size), *view, "--proc", "/proc", "--dev", "/dev",
            *memory("/dev/shm", room.temporary_size), *memory(str(HOME), room.home_size)]
    for place, content in room.files.items():
        made += ["--perms", "0644", "--file", str(descriptor(content)), str(place)]
    made += ["--remount-ro", "/dev", "--chdir", str(room.folder)]
    if "sizes" not in without:
        made += ["--remount-ro", "/"]
    for name, options in DENIALS.items():
        made += [] if name in without else options
    if "calls" not in without:
        made += ["--seccomp", str(descriptor(seccomp.program()))]
    limits = [f"--{name}={most}" for name, most in room.limits().items() if name not in without]
    return [*_as_nobody(bwrap, view, without), *made, "--", _tool("prlimit"), *limits, "--", *program]


def _as_nobody(bwrap: str, view: list[str], without: Collection[str]) -> list[str]:
    """What goes before the sandbox where the grader is root: the same view, with root's rights dropped."""
    if os.geteuid() != 0 or "root" in without:
        return []
    uid = str(random.randint(*UIDS))    # one of its own, since tasks are counted by user
    # bwrap's own /proc has parts covered, which forbids a second one inside; a namespace of processes of its own, since
    # a bwrap that has dropped its rights could not end what runs as another user
    return [bwrap, *view, "--dir", "/tmp", "--dir", "/proc", "--dev-bind", "/dev", "/dev", "--unshare-pid",
            "--die-with-parent", "--", "/bin/sh", "-c", 'mount -t proc proc /proc && exec "$@"', "sh",
            _tool("setpriv"), f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs", "--"]


@lru_cache
def _tool(name: str) -> str:
    if path := shutil.which(name):
        return path
    raise SandboxError(f"the program {name} is missing; it is in the package util-linux")


def start(room: Room, program: Collection[str], without: Collection[str] = (), keep: Collection[int] = (),
          **streams) -> subprocess.Popen:
    """Start `program` in a sandbox. Killing the process that is given back ends everything in it.

    The kernel ends it too when the thread that started it ends. `keep` are descriptors to hand on.
    """
    with ExitStack() as opened:
        descriptors = []

        def descriptor(content: Path | bytes) -> int:
            descriptors.append(number := _readable(content))
            opened.callback(os.close, number)
            return number

        words = command(room, program, descriptor, without)
        # bwrap gets the sandbox's environment, since learner code can read the one that bwrap was started with
        environment = {**(os.environ if "environment" in without else {}), **ENVIRONMENT, **room.environment}
        return subprocess.Popen(words, env=environment, pass_fds=(*descriptors, *keep), start_new_session=True,
                                **streams)


def carried(folder: Path, place: Path = HOME, first: str | None = None) -> dict[Path, Path]:
    """What a learner's folder holds, with where it goes in a sandbox: a Room's `files`.

    No links, at most MANY_FILES, and no more than fits; the file `first` comes first, what is deep in folders last.
    """
    found = sorted(_walk(folder), key=lambda path: (path != folder / (first or ""), len(path.parts), path))
    taken, left = {}, Room.home_size // 2
    for path in found:
        info = path.lstat()
        if stat.S_ISREG(info.st_mode) and info.st_size <= left and len(taken) < MANY_FILES:
            taken[place / path.relative_to(folder)] = path
            left -= info.st_size
    return taken


def _walk(folder: Path) -> Iterator[Path]:
    """Paths below a folder, few more than are wanted however many there are."""
    paths = (Path(here, name) for here, _, names in os.walk(folder) for name in names)
    return islice(paths, 10 * MANY_FILES)


def _readable(content: Path | bytes) -> int:
    """A descriptor from which `content` can be read. Links are not followed."""
    if isinstance(content, Path):
        return os.open(content, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    number = os.memfd_create("given")
    os.write(number, content)
    os.lseek(number, 0, os.SEEK_SET)
    return number
