"""A course in a temporary folder and nbgrader's real commands on it, for the tests of grading."""

from __future__ import annotations

import logging
import os
import re
import shutil
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from jupyter_core.application import NoStart
from nbgrader.api import Gradebook
from nbgrader.apps.nbgraderapp import NbGraderApp

from utils.cli.tools import find
from utils.curriculum import Topic, topic
from utils.grading.config import COURSE_ID, configure
from utils.grading.course import fill
from utils.grading.submission import read_notebook
from utils.sandbox.isolation import SANDBOX, VARIABLE, WEAK

TOPIC = topic("02")
SLUG = TOPIC.slug


def own_engine() -> str:
    """A value.py that keeps every promise and, unlike the stage it is made from, is nobody else's word for word."""
    text = (TOPIC.solutions / "level03-memory-efficient.py").read_text(encoding="utf-8")
    return text.replace("class Value:\n", "class Value:\n    mine = True\n", 1)


class Course:
    """An nbgrader course in `root`, and one topic of it. `run` is the command line of nbgrader, in this process."""

    def __init__(self, root: Path, budget: int, topic: Topic = TOPIC):
        self.root, self.topic = root, topic
        fill(root)
        self.written = (root / "nbgrader_config.py").read_text(encoding="utf-8")
        self.allow(budget)

    def allow(self, budget: int) -> None:
        """Let each notebook run for `budget` seconds; 0: not at all."""
        config = f"{self.written}\nget_config().RunForDisplay.budget = {budget}\n"
        (self.root / "nbgrader_config.py").write_text(config, encoding="utf-8")

    def configure_learner(self, home: Path) -> None:
        """Let nbgrader in a learner's folder know the course."""
        (home / "nbgrader_config.py").write_text(
            "from pathlib import Path\nfrom utils.grading.config import configure\n"
            f"configure(get_config(), Path({str(self.root)!r}))\n", encoding="utf-8")

    def run(self, *arguments: str, cwd: Path | None = None, status: int | None = 0) -> str:
        """Run `nbgrader <arguments>` in the course's folder, or in `cwd`; its log. AssertionError on another status."""
        log = StringIO()
        app = NbGraderApp.instance()
        with _settled(cwd or self.root, self.root):
            try:
                app.initialize(list(arguments))
                app.init_logging(logging.StreamHandler, [log], color=False, subapps=True)
                app.start()
            except NoStart:  # how an application ends that has run a subcommand
                ended = 0
            except SystemExit as stop:
                ended = stop.code
            finally:
                app.reset()
        assert status is None or ended == status, log.getvalue()
        return log.getvalue()

    def submitted(self, who: str) -> Path:
        return self.root / "submitted" / who / self.topic.slug

    def autograded(self, who: str) -> Path:
        return self.root / "autograded" / who / self.topic.slug

    def gradebook(self) -> Gradebook:
        configuration = _Everything()
        configure(configuration, self.root)
        return Gradebook(configuration.CourseDirectory.db_url, COURSE_ID)

    def points(self, who: str) -> dict[str, float]:
        """Points by grade id, of every graded cell of a submission; nothing for a cell that awaits a person."""
        with self.gradebook() as book:
            return {grade.cell.name: grade.score for notebook in book.find_submission(self.topic.slug, who).notebooks
                    for grade in notebook.grades if not grade.needs_manual_grade}

    def shown(self, who: str, name: str) -> str:
        """The text of a feedback page, tags removed."""
        page = (self.root / "feedback" / who / self.topic.slug / f"{name}.html").read_text(encoding="utf-8")
        body = page[page.index("<body"):]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", body))


class _Everything:
    """Takes any configuration."""

    def __getattr__(self, name):
        self.__dict__[name] = _Everything()
        return self.__dict__[name]


@contextmanager
def _settled(cwd: Path, root: Path):
    """In the folder `cwd`, with Jupyter's own folders below it and no configuration but the course's."""
    before, where = os.environ.copy(), Path.cwd()
    os.chdir(cwd)
    os.environ.setdefault(VARIABLE, SANDBOX if find("bwrap") else WEAK)
    os.environ.update(JUPYTER_DATA_DIR=str(cwd / ".data"), JUPYTER_CONFIG_DIR=str(cwd / ".config"))
    try:
        yield
    finally:
        os.chdir(where)
        os.environ.clear()
        os.environ.update(before)


def hand_in(course: Course, who: str, module: str | None = None) -> Path:
    """A submission as released, put into submitted/; `module` is the text of its value.py."""
    folder = course.submitted(who)
    shutil.copytree(course.root / "release" / course.topic.slug, folder)
    if module is not None:
        (folder / course.topic.module).write_text(module, encoding="utf-8")
    return folder


def cells_of(path: Path) -> dict[str, str]:
    """Source by id, of a notebook's cells."""
    return {cell.names[-1]: cell.source for cell in read_notebook(path)[0]}
