"""nbgrader's configuration for this repository, in one place."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

from utils.build.nbgrader_cells import CODE_STUB, TEXT_STUB
from utils.curriculum import ROOT, load

COURSE = ROOT / "course"
COURSE_ID = "upstream"
# Not nbgrader's own name: if a configuration breaks, nbgrader logs that and goes on with its defaults, and would give
# marks for what kernels claim; without a gradebook that knows the assignment it stops before it runs anything.
GRADEBOOK = "upstream.db"
MAX_FILE = 10_000    # kB, of one submitted file; a notebook without big outputs has 50
MAX_FOLDER = 50_000  # kB

READER = "utils.grading.plugin.SubmissionReader"
SANITIZE = [
    "utils.grading.plugin.Graft",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
AUTOGRADE = [
    "utils.grading.plugin.RunForDisplay",
    "nbgrader.preprocessors.IgnorePattern",
    "nbgrader.preprocessors.LimitOutput",
    "utils.grading.plugin.SanitizeLearnerHTML",
    "utils.grading.plugin.JudgeCells",  # after the sanitizer: its reports are ours, and escaped already
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
FEEDBACK = [
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    "utils.grading.feedback.NamePoints",  # after the styles, since it adds to them
]


def exchange_root(course: Path = COURSE) -> Path:
    """Where released and submitted assignments are exchanged: $UPSTREAM_EXCHANGE, or a folder of the course."""
    return Path(os.environ.get("UPSTREAM_EXCHANGE") or course / "exchange").resolve()


def gradebook_url(course: Path = COURSE) -> str:
    """Where the gradebook is: $UPSTREAM_GRADEBOOK, such as postgresql://user@host/name, or a file of the course."""
    return os.environ.get("UPSTREAM_GRADEBOOK") or f"sqlite:///{(course / GRADEBOOK).as_posix()}?timeout=60"


def _find_alembic() -> None:
    """nbgrader starts `alembic` by its bare name; it is beside this Python, activated or not."""
    beside = str(Path(sys.executable).parent)
    if beside not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join(filter(None, [beside, os.environ.get("PATH")]))


def configure(c, course: Path = COURSE) -> None:
    """Fill nbgrader's configuration `c` for a course in the folder `course`."""
    _find_alembic()
    # nbgrader adds a submission to a session a line later than SQLAlchemy would like; nothing is lost.
    warnings.filterwarnings("ignore", message="Object of type <Submitted.* not in session")
    c.CourseDirectory.course_id = COURSE_ID
    c.CourseDirectory.db_url = gradebook_url(course)
    c.CourseDirectory.max_file_size = MAX_FILE
    c.CourseDirectory.max_dir_size = MAX_FOLDER
    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".DS_Store"]
    c.Exchange.root = str(exchange_root(course))
    c.ExchangeFactory.collect = "utils.grading.collect.Collect"
    c.ExchangeFactory.release_feedback = "utils.grading.release.ReleaseFeedback"

    c.ClearSolutions.code_stub = {"python": CODE_STUB}
    c.ClearSolutions.text_stub = TEXT_STUB

    c.Autograde.exporter_class = READER
    c.Autograde.sanitize_preprocessors = SANITIZE
    c.Autograde.autograde_preprocessors = AUTOGRADE
    c.Autograde.exclude_overwriting = {topic.slug: [topic.module] for topic in load()}
    c.GenerateFeedback.preprocessors = FEEDBACK
    c.ExportApp.plugin_class = "utils.grading.export.Export"
    c.ExportPlugin.to = str(course / "grades.csv")  # by default it goes where one stands: into this repository

    c.Execute.timeout = 60  # seconds a cell; training in exercise 4.2 takes about ten
    c.Execute.extra_arguments = ["--log-level=ERROR"]  # or each kernel warns that it talks over TCP
    c.Execute.iopub_timeout = 10
    c.IgnorePattern.enabled = True
    c.IgnorePattern.pattern = r"\b(Deprecation|PendingDeprecation|Future|Import|Resource)Warning\b"
    c.SanitizeHTML.enabled = True
    c.Validator.validate_all = True

    # Last, so that a configuration that breaks above leaves nbgrader without a course, not with a default one.
    c.CourseDirectory.root = str(course)
