"""The course's folder: what `nbgrader generate_assignment` starts from, and where assignments are exchanged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from utils.cli.build import instructor_files
from utils.curriculum import load
from utils.grading.config import COURSE, exchange_root

RECORD = "source-written.json"  # digests of what was written to source/, to know an instructor's edit from our file

# nbgrader started inside the course's folder reads this; without it, it would grade there with its defaults.
CONFIG = '''"""Written by `course.py build`; the course is configured in utils/grading/config.py."""

from pathlib import Path

from utils.grading.config import configure

configure(get_config(), Path(__file__).resolve().parent)  # noqa: F821  nbgrader puts get_config here
'''


def fill(course: Path | None = None) -> list[Path]:
    """Write source/<topic>/ for every topic, and return the files that were left because someone edited them."""
    course = course or COURSE
    exchange_root(course).mkdir(parents=True, exist_ok=True)
    (course / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    record = course / RECORD
    written = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    kept = []
    for topic in load():
        for path, content in instructor_files(topic, course / "source" / topic.slug).items():
            name, new = path.relative_to(course).as_posix(), _digest(content)
            if path.is_file() and _digest(path.read_bytes()) not in (new, written.get(name)):
                kept.append(path)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written[name] = new
    record.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return kept


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
