"""Put a folder of a submission's files in place, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from nbgrader.utils import rmtree

from utils.grading.bundle import File
from utils.grading.records import FOLDER, NEW


def replace_folder(target: Path, files: Iterable[File], permissions: int) -> None:
    """Make `target` hold these files and nothing else."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=target.parent, prefix=NEW))
    try:
        for file in files:
            path = new / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            path.chmod(permissions)
        new.chmod(0o755)
        if target.exists():
            rmtree(str(target))
        new.rename(target)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def clean_up(course: Path) -> None:
    """Remove what a batch that was killed left half-written."""
    for kind in ("autograded/*", "feedback/*", FOLDER, f"{FOLDER}/*"):
        for path in course.glob(f"{kind}/{NEW}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
