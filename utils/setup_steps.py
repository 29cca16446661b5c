"""Making and completing .venv, step by step. Standard library only: course.py runs it before there are packages."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from utils import setup_state as state
from utils.setup_state import LOCK, LOG, PINS, PYTHON, ROOT, STAMP, VENV, Problem

ANSWER_SECONDS = 20  # an index that has sent nothing by then (its DNS hangs, say) is out of reach

FIRST_LINE = {
    "none": f"Setting up .venv, once; this takes a few minutes. Details: {LOG}",
    "half-made": "An earlier set-up did not end: completing .venv.",
    "broken": "The Python that .venv was made with is gone or has changed: making .venv anew.",
    "changed": "The locked packages have changed: updating .venv.",
    "torch": "Trying again to fetch PyTorch.",
}


class Progress:
    """Short lines on stderr; on a terminal the last one is updated in place."""

    def __init__(self):
        self.terminal = sys.stderr.isatty()
        self.text, self.said = "", time.monotonic()

    def update(self, text: str) -> None:
        """A line that changes: shown at once on a terminal, every ten seconds elsewhere."""
        if text == self.text:
            return
        if self.terminal:
            print("\r" + text.ljust(len(self.text)), end="", file=sys.stderr, flush=True)
            self.text = text
        elif time.monotonic() - self.said > 10:
            self.line(text)
            self.text = text

    def line(self, text: str) -> None:
        print("\r" + text.ljust(len(self.text)) if self.terminal and self.text else text, file=sys.stderr, flush=True)
        self.text, self.said = "", time.monotonic()


def try_lock(file) -> bool:
    """Whether this process holds the lock now. A file system that knows no locks lets everyone in."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True


@contextmanager
def alone(say: Progress) -> Iterator[None]:
    """Hold the lock of set-up. The system frees it however its holders end, kill -9 included."""
    VENV.mkdir(exist_ok=True)
    with open(LOCK, "a+") as file:
        os.set_inheritable(file.fileno(), True)  # a pip that outlives a killed course.py holds it too
        if not try_lock(file):
            say.line("Another course.py is setting up .venv: waiting for it.")
            while not try_lock(file):
                time.sleep(0.2)
        yield


def pip(arguments: list[str], watch: Callable[[str], None] = lambda words: None,
        answer_seconds: float | None = None) -> tuple[int, str]:
    """Run `pip install` in .venv, its words into the log: (exit status, its words). `watch` sees them as they grow.

    With `answer_seconds`, pip is ended if by then it has not begun to fetch anything.
    """
    unwanted = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX")
    environment = {key: value for key, value in os.environ.items() if key not in unwanted}
    environment |= {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_NO_COLOR": "1"}
    if "pip" in state.installed(state.site_packages()):
        command = [str(PYTHON), "-m", "pip"]
    else:  # the pip of the Python that runs this file can work on .venv
        command = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    command += ["install", "--no-deps", "--progress-bar", "off", *arguments]
    with open(LOG, "ab") as log, open(LOG, "rb") as reader:
        log.write(f"\n$ {' '.join(command)}\n".encode())
        log.flush()
        reader.seek(0, os.SEEK_END)
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                                 close_fds=False)  # it inherits the lock, and nothing else is inheritable
        started, words = time.monotonic(), ""
        try:
            while True:
                ended = child.poll() is not None
                words += reader.read().decode("utf-8", "replace")
                watch(words)
                if ended:
                    return child.returncode, words
                silent = not re.search(r"^\s*(Downloading|Using cached|Processing|Installing)", words, re.M)
                if answer_seconds and silent and time.monotonic() - started > answer_seconds:
                    return 1, f"{words}\nReadTimeoutError: nothing came within {answer_seconds} seconds"
                time.sleep(0.1)
        finally:
            child.kill()
            child.wait()


def make_venv() -> None:
    """A .venv with a Python that starts and a pip, whatever was there before."""
    version, stamp = state.version_of(PYTHON), state.read_stamp()
    STAMP.unlink(missing_ok=True)
    if version is None or stamp.get("python", version) != version:
        for path in VENV.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path not in (LOCK, LOG):
                path.unlink()
        version = None
    if version is None or not (VENV / "pyvenv.cfg").exists():
        venv.EnvBuilder(symlinks=os.name != "nt", with_pip=False).create(VENV)
    if not state.unfinished(["pip"], state.site_packages()):
        return
    if importlib.util.find_spec("ensurepip"):
        made = subprocess.run([PYTHON, "-I", "-m", "ensurepip", "--upgrade", "--default-pip"], check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if made.returncode:
            words = made.stdout.decode("utf-8", "replace")
            with suppress(OSError), open(LOG, "a", encoding="utf-8") as log:  # the disk may be full
                log.write(words)
            raise state.explain_pip(words)
    elif not importlib.util.find_spec("pip"):
        raise Problem("this Python comes without pip",
                      f"install it (on Debian and Ubuntu: `sudo apt install python3-venv`), then {state.again()}")


def install(lock: Path, say: Progress) -> None:
    """Bring .venv to what `lock` says, and mend packages that a killed set-up left unfinished."""
    lines, _ = state.pins(lock)
    names = {state.normal(line.split("==")[0]) for line in lines}
    wanted, folder = VENV / lock.name, state.site_packages()
    wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def watch(words: str) -> None:
        total = len(lines) - len(re.findall("^Ignoring ", words, re.M))
        found = len(re.findall(r"^\w.* \(from -r ", words, re.M))
        if "Installing collected packages" in words:
            say.update(f"  packages: {len(names & state.installed(folder).keys())} of {total} installed")
        elif found:
            say.update(f"  packages: {found} of {total} fetched")

    status, words = pip(["-r", str(wanted)], watch)
    broken = [] if status else state.unfinished(lines, folder)
    if broken:
        status, words = pip(["--force-reinstall", *(line.split(";")[0].strip() for line in broken)])
    if status:
        raise state.explain_pip(words)
    say.line(f"  packages: all of {lock.name} are installed")


def install_torch(pin: str, index: str, say: Progress) -> bool:
    """Install PyTorch's CPU build; whether it is there. First from what pip's configuration offers without an index."""
    name, version = pin.split("==")
    info = state.installed(state.site_packages()).get(name)
    if info and info.name.removesuffix(".dist-info").split("-")[1].split("+")[0] == version and state.is_whole(info):
        return True

    def watch(words: str) -> None:
        size = re.search(r"Downloading \S*torch-\S+ \((.*?)\)", words)
        say.update(f"  PyTorch {version}, the CPU build{': fetching ' + size[1] if size else ''} ...")

    # Patience with a silent connection is 10 seconds, and there is no second try.
    online = ["--retries", "0", "--timeout", "10"]
    online += ["--index-url", index, f"{pin}+cpu"] if sys.platform == "linux" else [pin]
    there = (pip(["--force-reinstall", "--no-index", pin], watch)[0] == 0
             or pip(["--force-reinstall", *online], watch, ANSWER_SECONDS)[0] == 0)
    say.line(f"  PyTorch {version}: " + ("installed" if there else
             "out of reach. All works without it but what compares with PyTorch; a start tomorrow tries again."))
    return there


def set_up(locks: list[Path], torch_index: str) -> None:
    """Make or complete .venv; quick where there is nothing to do. Raises Problem with the sentence to show."""
    if state.stale(locks) is None:
        return
    say, started = Progress(), time.monotonic()
    with alone(say):
        why, stamp = state.stale(locks), state.read_stamp()
        if why is None:  # done by the course.py that was waited for
            return
        if why == "none" and state.free_mb() < state.SPACE_MB:
            raise state.disk_full()
        say.line(FIRST_LINE[why])
        make_venv()
        if why not in ("changed", "torch"):
            stamp = {}
        for lock in locks:
            if stamp.get(lock.name) != state.digest(lock):
                install(lock, say)
            stamp[lock.name] = state.digest(lock)
        folder, pin = state.site_packages(), state.pins(PINS)[1]
        # A relative path: a repository that is moved keeps working.
        (folder / "upstream.pth").write_text(os.path.relpath(ROOT, folder) + "\n", encoding="utf-8")
        stamp |= {"python": state.version_of(PYTHON), "torch_missing_since": None}
        if pin and not install_torch(pin, torch_index, say):
            stamp["torch_missing_since"] = time.time()
        new = STAMP.with_suffix(".new")
        new.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        os.replace(new, STAMP)
        say.line(f"  ready after {time.monotonic() - started:.0f} s")
