"""What hostile submissions are after, made for one run: canaries, the places that hold them, a line that hears them."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.engines import TOPIC
from utils.curriculum import ROOT

SHARED = sorted({tempfile.gettempdir(), "/tmp", "/dev/shm"})    # where attacks may leave files named for their run


def _longest_line(path: Path) -> str:
    return max(path.read_text(encoding="utf-8").splitlines(), key=len).strip()[:60]


@dataclass
class Canaries:
    """`tokens` are texts that must not be seen anywhere but where they belong; `heard` is what was sent to the line."""

    course: Path
    home: Path
    tokens: dict[str, str] = field(default_factory=dict)
    heard: list[bytes] = field(default_factory=list)
    port: int = 0
    run: str = field(default_factory=lambda: secrets.token_hex(4))      # other arenas on this machine are not ours

    @property
    def places(self) -> dict[str, object]:
        """What the samples' texts are filled in with."""
        return {"COURSE": self.course, "HOME": self.home, "ROOT": ROOT, "PORT": self.port, "RUN": self.run}

    def token(self, what: str) -> str:
        """A new canary, named for its place."""
        return self.tokens.setdefault(what, f"CANARY-{what}-{secrets.token_hex(6)}")

    def plant(self) -> None:
        """Put canaries into the course's secret, its sources, a neighbour's work and the grader's home."""
        (self.course / "secret").write_text(self.token("secret"))
        source = self.course / "source" / TOPIC.slug / "exercises.ipynb"
        text, begin = source.read_text(encoding="utf-8"), "### BEGIN SOLUTION\\n"
        if begin not in text:
            raise ValueError("the instructor's notebook holds no solution to put a canary in")
        if (token := self.token("source")) not in text:
            source.write_text(text.replace(begin, f"{begin}# {token}\\n", 1), encoding="utf-8")
        self.home.mkdir(exist_ok=True)
        (self.home / ".netrc").write_text(self.token("home"))
        for name, path in {"solutions": TOPIC.solutions / "level03-memory-efficient.py",
                           "tests": TOPIC.tests / "test_edge.py"}.items():
            self.tokens[name] = _longest_line(path)

    def state(self) -> dict[str, str]:
        """Digests of all that no submission may change: the course's, a neighbour's, the grader's, this repository."""
        places = (self.course / "secret", self.course / "source", self.course / "nbgrader_config.py", self.home,
                  self.course / "submitted" / "victim",
                  TOPIC.solutions, TOPIC.tests, ROOT / "utils" / "judge", ROOT / "utils" / "grading")
        files = [path for place in places for path in ([place] if place.is_file() else place.rglob("*"))]
        digests = {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
                   for path in files if path.is_file() and "__pycache__" not in path.parts}
        return digests | {"the gradebook": self._neighbours_row()}

    def _neighbours_row(self) -> str:
        """What the gradebook says of the neighbour, who is never graded while attacks run."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.course / 'upstream.db'}?mode=ro", uri=True)) as book:
                return repr(list(book.execute("select * from student where id = 'victim'")))
        except sqlite3.Error:
            return "not there"

    def seen_in(self, text: str) -> list[str]:
        """The places whose canaries stand in a text."""
        return [what for what, token in self.tokens.items() if token in text]

    def left_by(self) -> set[str]:
        """Names of samples that left a file where they may not write, or a process."""
        files = glob.glob(f"{self.course}/**/leaked-*", recursive=True)
        litter = [Path(path).name.partition(f"{self.run}-")[2].partition(".")[0] for path in self._litter()]
        return {Path(path).name.partition("leaked-")[2] for path in files} | {*litter} | {n for _, n in self._left()}

    def sweep(self) -> None:
        """Take away what attacks left."""
        for path in [*self._litter(), *glob.glob(f"{self.course}/**/leaked-*", recursive=True)]:
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        for process, _ in self._left():
            with contextlib.suppress(psutil.Error):
                process.kill()

    def _litter(self) -> list[str]:
        return [path for folder in SHARED for path in glob.glob(f"{folder}/upstream-hostile-{self.run}-*")]

    def _left(self) -> list[tuple[psutil.Process, str]]:
        """Processes that samples left, with the sample's name: it stands in their command line."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if marked := re.search(rf"leftover-of-{self.run}-([a-z0-9-]+)", " ".join(process.cmdline())):
                    found.append((process, marked[1]))
        return found


@contextlib.contextmanager
def canaries(course: Path, home: Path) -> Iterator[Canaries]:
    """Canaries in environment and command lines too, and a line on this machine that hears what is sent to it."""
    held = Canaries(course, home)
    before = {name: os.environ.get(name) for name in ("UPSTREAM_CANARY", "HOME")}
    os.environ.update(UPSTREAM_CANARY=held.token("environment"), HOME=str(home))
    server = socket.create_server(("127.0.0.1", 0))
    held.port = server.getsockname()[1]
    threading.Thread(target=_hear, args=(server, held.heard), daemon=True).start()
    beside = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()", held.token("command-line")],
                              stdin=subprocess.PIPE)
    try:
        yield held
    finally:
        server.close()
        beside.communicate()
        held.sweep()
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _hear(server: socket.socket, heard: list[bytes]) -> None:
    while True:
        try:
            line, _ = server.accept()
        except OSError:
            return
        with line, contextlib.suppress(OSError):
            line.settimeout(1)
            heard.append(line.recv(65536) or b"(a connection, and nothing on it)")
