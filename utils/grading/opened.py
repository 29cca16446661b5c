"""The course as nbgrader sees it: its folders, its gradebook and its settings, checked before anything is graded."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from nbgrader.apps import AutogradeApp
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties

from utils.grading.config import AUTOGRADE, COURSE, READER, SANITIZE
from utils.setup_state import ROOT, Problem


@dataclass(frozen=True)
class Opened:
    """A course that can be graded. `settings` is nbgrader's whole configuration, by section."""

    root: Path
    coursedir: CourseDirectory
    settings: dict
    late: AssignLatePenalties
    course_id: str

    def folder(self, kind: str, who: str, slug: str) -> Path:
        """A student's folder: `kind` is "submitted", "autograded" or "feedback"."""
        return Path(self.coursedir.format_path(getattr(self.coursedir, f"{kind}_directory"), who, slug))


def open_course(folder: Path | None = None) -> Opened:
    """The course of this repository, or the one in `folder`. Problem if its configuration is not ours."""
    root = (folder or COURSE).resolve()
    if not root.is_dir():
        raise Problem(f"there is no course in {root}", "run `python3 course.py build`, which makes course/")
    os.chdir(folder.resolve() if folder else ROOT)  # where nbgrader looks for its configuration
    app = AutogradeApp()
    app.log.setLevel(logging.ERROR)
    app.initialize([])
    app.log.setLevel(logging.ERROR)
    coursedir = app.coursedir
    grader = Autograde(coursedir=coursedir, parent=app)
    steps = (list(grader.sanitize_preprocessors), list(grader.autograde_preprocessors))
    reader = app.config.Autograde.get("exporter_class")
    if Path(coursedir.root).resolve() != root or steps != (SANITIZE, AUTOGRADE) or reader != READER:
        raise Problem("nbgrader's configuration is not the one of utils/grading/config.py",
                      "`jupyter --paths` lists the folders where another nbgrader_config.py may be; mend or remove it")
    late = AssignLatePenalties(parent=app)
    late.init_plugin()
    return Opened(root, coursedir, app.config, late, coursedir.course_id)
