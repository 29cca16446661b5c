"""A submission as bytes: all that grading it depends on, readable on any machine that has this repository."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from nbgrader.utils import find_all_files

from utils.curriculum import ROOT, topic
from utils.grading.config import MAX_FILE

# Sections of the configuration that say how a notebook is run and shown; they travel with the bundle.
SECTIONS = ("RunForDisplay", "Execute", "ExecutePreprocessor", "IgnorePattern", "LimitOutput", "SanitizeHTML",
            "SanitizeLearnerHTML")
TIMES = "timestamp.txt"  # nbgrader's submit writes into it when the work was handed in


@dataclass(frozen=True)
class File:
    """A file by its name in the folder. `content` is None where it is too large to be read; then `size` says so."""

    name: str
    content: bytes | None
    size: int
    saved: float  # seconds since 1970; shown to the learner, and no part of what is graded


@dataclass(frozen=True)
class Assignment:
    """What all submissions of an assignment are graded with: released notebooks, the course's files, settings.

    `key` makes the seeds of generated programs; `code` is the version of the judge; `isolation` is "sandbox", or
    "weak" where the instructor asked for that.
    """

    slug: str
    released: tuple[File, ...]
    files: tuple[File, ...]
    ignore: tuple[str, ...]
    settings: dict
    key: bytes
    code: str
    isolation: str

    def digest(self) -> str:
        """Of all that a result depends on besides the submission and the code."""
        told = repr((self.slug, [(f.name, f.content) for f in (*self.released, *self.files)], self.ignore,
                     sorted((name, sorted(section.items())) for name, section in self.settings.items()), self.key,
                     self.isolation))
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True)
class Bundle:
    """One submission, to be graded."""

    assignment: Assignment
    student: str
    files: tuple[File, ...]

    def digest(self) -> str:
        """Of the names and contents of everything that was handed in."""
        told = hashlib.sha256()
        for file in self.files:
            content = b"%d" % file.size if file.content is None else file.content
            told.update(b"%b\0%d\0" % (os.fsencode(file.name), len(content)) + content)
        return told.hexdigest()

    def unpack(self, folder: Path) -> Path:
        """Write the submission into `folder`, as it was handed in."""
        return _unpack(self.files, folder)


def read_files(folder: Path, wanted=None) -> tuple[File, ...]:
    """The files below `folder`, in the order of their names, or those of the paths `wanted`."""
    found = []
    for path in sorted(folder.rglob("*") if wanted is None else map(Path, wanted)):
        if path.is_file() and not path.is_symlink():
            info = path.stat()
            small = info.st_size <= MAX_FILE * 1000
            content = path.read_bytes() if small else None
            name = path.relative_to(folder).as_posix()
            found.append(File(name, content, len(content) if small else info.st_size, info.st_mtime))
    return tuple(found)


def _unpack(files: tuple[File, ...], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        target = folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.content is not None:
            target.write_bytes(file.content)
        else:
            target.touch()
            os.truncate(target, file.size)  # takes no disk; nobody reads what is in it
        os.utime(target, (file.saved, file.saved))
    return folder


def unpack_released(assignment: Assignment, folder: Path) -> Path:
    """Write the released notebooks into `folder`."""
    return _unpack(assignment.released, folder)


def lay_out(bundle: Bundle, folder: Path) -> Path:
    """Fill `folder` as nbgrader fills autograded/<student>/<assignment>/: the learner's files, then the course's."""
    mine = tuple(f for f in bundle.files if not _ignored(f.name, (*bundle.assignment.ignore, "*.ipynb")))
    _unpack(mine, folder)
    return _unpack(bundle.assignment.files, folder)


def _ignored(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether nbgrader leaves this file out: it, or a folder that it is in, goes by such a name."""
    return any(fnmatchcase(part, pattern) for part in Path(name).parts for pattern in patterns)


def take_assignment(coursedir, slug: str, settings: dict, isolation: str) -> Assignment:
    """The assignment `slug` of nbgrader's `coursedir`. `settings` are sections of its configuration."""
    released = Path(coursedir.format_path(coursedir.release_directory, ".", slug))
    source = Path(coursedir.format_path(coursedir.source_directory, ".", slug))
    own = source / topic(slug).module  # stays the learner's
    ours = [p for p in find_all_files(str(source), [*coursedir.ignore, "*.ipynb"]) if Path(p) != own]
    kept = {name: dict(settings[name]) for name in SECTIONS if settings.get(name)}
    return Assignment(slug, read_files(released, sorted(released.glob("*.ipynb"))), read_files(source, sorted(ours)),
                      tuple(coursedir.ignore), kept, assignment_key(Path(coursedir.root), slug), code_version(slug),
                      isolation)


def assignment_key(course: Path, slug: str) -> bytes:
    """What seeds of this assignment are made from, by the course's secret; the secret is made on first use."""
    path = course / "secret"
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    return hmac.digest(path.read_bytes(), slug.encode(), "sha256")


def seed(key: bytes, work: str) -> int:
    """Fresh for each submission, the same when it is graded again, unforeseeable without the course's secret."""
    return int.from_bytes(hmac.digest(key, work.encode(), "sha256")[:4], "big")


@lru_cache
def code_version(slug: str) -> str:
    """Digest of everything that a verdict may depend on besides the submission: this repository's code, Python."""
    files = [*(ROOT / "utils").rglob("*.py"), *(ROOT / "utils").rglob("*.json"), *topic(slug).tests.rglob("*.py"),
             ROOT / "topics" / "curriculum.toml", ROOT / "requirements.lock"]
    told = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for path in sorted(files):
        told.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return told.hexdigest()
