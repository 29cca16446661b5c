"""What state .venv is in, and the sentences for what can go wrong with it. Standard library only: course.py runs it
before any package is installed."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "setup.json"  # written last: what a completed set-up installed
LOG = VENV / "setup.log"  # all that pip said
LOCK = VENV / "setup.lock"  # held while a set-up runs
PINS, TEST_PINS = ROOT / "requirements.lock", ROOT / "requirements-test.lock"
SERVICE_PINS = ROOT / "requirements-services.lock"  # Dask, PostgreSQL's driver, JupyterHub
SPACE_MB = 2000  # .venv with PyTorch takes 1,400 MB
DAY = 24 * 3600  # seconds; PyTorch, where it was out of reach, is tried again after that


class Problem(Exception):
    """What went wrong and what to do about it."""

    def __init__(self, what: str, do: str):
        super().__init__(f"problem: {what} -> do: {do}")


def command(name: str = "") -> str:
    """How to type a command of the course here: `python3 course.py lab`."""
    return " ".join(["`py" if os.name == "nt" else "`python3", "course.py", name]).strip() + "`"


def again() -> str:
    """The advice to repeat the command that was given."""
    return f"run {command(' '.join(sys.argv[1:2]))} again"


def locks_for(name: str, *options: str) -> list[Path]:
    """The locks whose packages a command needs."""
    locks = [PINS, TEST_PINS] if name == "test" else [PINS]
    services = any(option == "--services" or option.split("=")[0] == "--scheduler" for option in options)
    return [*locks, SERVICE_PINS] if services and name in ("test", "grade") else locks


def pins(lock: Path) -> tuple[list[str], str | None]:
    """The lines of a lock: (all but PyTorch's, PyTorch's). PyTorch is installed in a step of its own."""
    lines = [line.strip() for line in lock.read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    torch = next((line for line in lines if line.startswith("torch==")), None)
    return [line for line in lines if line != torch], torch


def digest(lock: Path) -> str:
    return hashlib.sha256(repr(pins(lock)).encode()).hexdigest()


def version_of(python: Path | str) -> str | None:
    """`3.11` of an interpreter that starts, None of one that does not."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        words = subprocess.check_output([python, "-I", "-S", "-c", code], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return words.decode().strip()


def read_stamp() -> dict:
    """What the last completed set-up left: lock name -> digest, and `python`, `torch_missing_since`. Else empty."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def stale(locks: list[Path]) -> str | None:
    """Why set-up has work to do: "none", "broken", "half-made", "changed" or "torch"; None if all is in place."""
    if not (VENV / "pyvenv.cfg").exists():
        return "none"
    stamp, version = read_stamp(), version_of(PYTHON)
    if version is None or stamp.get("python", version) != version:
        return "broken"
    if not stamp:
        return "half-made"
    if any(stamp.get(lock.name) != digest(lock) for lock in locks):
        return "changed"
    since = stamp.get("torch_missing_since")
    return "torch" if since is not None and not 0 <= time.time() - since < DAY else None


def site_packages() -> Path:
    code = "import sys, sysconfig; sys.stdout.buffer.write(sysconfig.get_path('purelib').encode())"
    return Path(subprocess.check_output([PYTHON, "-I", "-c", code]).decode())


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(folder: Path) -> dict[str, Path]:
    """The packages in a site-packages folder: normal name -> its .dist-info folder."""
    return {normal(path.name.split("-")[0]): path for path in folder.glob("*.dist-info")}


def is_whole(info: Path) -> bool:
    """Whether every file of an installed package is there; a set-up that was killed leaves some out."""
    try:
        with open(info / "RECORD", newline="", encoding="utf-8") as record:
            names = [row[0] for row in csv.reader(record) if row]
    except (OSError, ValueError):
        return False
    return all(name.endswith(".pyc") or (info.parent / name).exists() for name in names)


def unfinished(lines: list[str], folder: Path) -> list[str]:
    """The pins whose package is missing or has lost files. A line with a marker may be for another platform."""
    found = installed(folder)
    packages = [(line, found.get(normal(line.split("==")[0]))) for line in lines]
    return [line for line, info in packages if not (is_whole(info) if info else ";" in line)]


def check_this_python() -> None:
    """For `--here`: the running Python has the packages of pyproject.toml. Raises Problem if not."""
    import tomllib
    from importlib import metadata

    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    present = {normal(package.metadata["Name"] or "") for package in metadata.distributions()}
    missing = {normal(re.match(r"[\w.-]+", line).group()) for line in wanted} - present
    if shutil.which("dot"):
        missing -= {"graphviz-pure"}  # its stand-in
    if "torch" in missing:
        print("PyTorch is not installed: all works but what compares with it.", file=sys.stderr)
        missing -= {"torch"}
    if missing:
        raise Problem(f"this Python ({sys.executable}) lacks {', '.join(sorted(missing))}",
                      f"run `conda env create -f environment.yml`, then `conda activate upstream`, then {again()[4:]}")


def free_mb() -> int:
    return shutil.disk_usage(ROOT).free // 10**6


def disk_full() -> Problem:
    return Problem(f"set-up needs {SPACE_MB} MB of disk and {free_mb()} MB are free",
                   f"free some space there (and for temporary files), then {again()}")


def read_only() -> Problem:
    return Problem(f"the folder {ROOT} cannot be written to",
                   "copy the repository to a folder of your own and run the command there")


def explain_os_error(error: OSError) -> Problem:
    if error.errno == errno.ENOSPC:
        return disk_full()
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return read_only()
    return Problem(f"the system refused ({error})", f"mend that, then {again()}")


# `from versions: none`: the index has not answered, for what is locked exists.
OFFLINE = re.compile(r"(NewConnection|ConnectTimeout|NameResolution|ReadTimeout|Proxy|MaxRetry|SSL|Protocol)Error"
                     r"|getaddrinfo|Failed to establish|[Cc]onnection (was )?(broken|aborted|reset|refused)"
                     r"|Could not fetch URL|\(from versions: none\)")


def explain_pip(words: str) -> Problem:
    """The problem behind a failed pip, from what it said."""
    if re.search(r"Errno 28\b|WinError 112\b", words):
        return disk_full()
    if re.search(r"Errno (13|30)\b|WinError 5\b", words):
        return read_only()
    if OFFLINE.search(words):
        return Problem("the network, or the package index that pip uses, is out of reach",
                       f"connect, then {again()}: it goes on where it was (details: {LOG})")
    errors = re.findall(r"^ERROR: (.*?)\.?$", words, re.M)
    return Problem(f"pip could not install the packages ({errors[-1] if errors else 'it gave no reason'})",
                   f"read the end of {LOG}, then {again()}")
