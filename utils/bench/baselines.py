"""What we compare with, in an environment of its own: .bench-venv, made on first use from baselines.lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from utils.curriculum import ROOT

FOLDER = ROOT / ".bench-venv"
PINS = Path(__file__).with_name("baselines.lock")
PATIENCE = 300  # seconds for pip, downloads included


class NoBaselines(RuntimeError):
    """The baselines cannot be installed; the text is for the user."""


def python(folder: Path = FOLDER) -> Path:
    """The Python of the environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ready(folder: Path = FOLDER) -> bool:
    """Whether a finished installation made `folder` from the lock as it is now, with this version of Python."""
    stamp = folder / "installed.txt"
    return python(folder).exists() and stamp.is_file() and stamp.read_text(encoding="utf-8") == _wanted()


def _wanted() -> str:
    return f"{sys.version}\n{PINS.read_text(encoding='utf-8')}"


def install(folder: Path = FOLDER, options: tuple[str, ...] = ()) -> Path:
    """Make the environment unless it is there; its Python. `options` go to pip. Raises NoBaselines with a sentence."""
    if ready(folder):
        return python(folder)
    command = [python(folder), "-m", "pip", "install", "--no-deps", "--disable-pip-version-check", "--no-input",
               "--retries", "1", "--timeout", "15", *options, "-r", PINS]
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    try:
        shutil.rmtree(folder, ignore_errors=True)
        venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(folder)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoBaselines(f"An environment for the baselines cannot be made in {folder.name}: {error}.") from error
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        pins = ", ".join(PINS.read_text(encoding="utf-8").split())
        raise NoBaselines(f"The baselines ({pins}) cannot be installed, probably because no package index can be "
                          f"reached. pip's last words: {words[-1] if words else 'none'}")
    (folder / "installed.txt").write_text(_wanted(), encoding="utf-8")
    return python(folder)
