"""Grade one submission: `grade_one`, a function from bytes to data that keeps no state and touches no gradebook.

It does what one round of `nbgrader autograde` does, by the same plugin and nbgrader's own steps, and leaves to the
caller what belongs to the course: the gradebook and the folders. So it runs anywhere: in a pool, on another machine.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat.v4 import new_notebook
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, is_task
from traitlets.config import Config

from utils.curriculum import topic
from utils.grading import bundle as bundles
from utils.grading.bundle import Bundle, File
from utils.grading.config import AUTOGRADE, SANITIZE, configure
from utils.grading.submission import Submission, read
from utils.judge.core import judge
from utils.judge.report import Report
from utils.sandbox.isolation import SANDBOX
from utils.sandbox.probe import prove

# Steps of nbgrader that read or write the gradebook. A rebuilt notebook already is the released one in all that the
# first two would restore; of the others, the caller does the part that writes.
WITH_GRADEBOOK = {"OverwriteKernelspec", "OverwriteCells", "SaveAutoGrades", "AssignLatePenalties"}


class OtherVersion(RuntimeError):
    """This machine's copy of the repository is not the one that the work was sent from."""


@dataclass(frozen=True)
class Graded:
    """What grading gave: `problem` says why there is no result (our fault, never the learner's), or is None.

    `files` is the whole folder autograded/<student>/<assignment>/, `scores` by notebook and cell (None: a person marks
    it), `unanswered` the cells that were left as released.
    """

    student: str
    seconds: float
    work: str | None = None
    notes: tuple[str, ...] = ()
    problem: str | None = None
    report: Report | None = None
    files: tuple[File, ...] = ()
    scores: dict[str, dict[str, float | None]] | None = None
    unanswered: dict[str, dict[str, bool]] | None = None


def grade_one(bundle: Bundle, proved: bool = False) -> Graded:
    """The result for one submission; with `proved`, this machine's sandbox is known to hold.

    Raises OtherVersion, and nothing else that a submission could cause.
    """
    begun = monotonic()
    if bundles.code_version(bundle.assignment.slug) != bundle.assignment.code:
        raise OtherVersion("it has another version of this repository, or another Python")
    with tempfile.TemporaryDirectory(prefix="upstream-grade-", ignore_cleanup_errors=True) as desk:
        try:
            known = _grade(bundle, Path(desk), proved)
        except Exception as error:  # no verdict is better than a batch that stops, or than a wrong score
            known = {"problem": f"{type(error).__name__}: {error}"[:500]}
    return Graded(bundle.student, round(monotonic() - begun, 1), **known)


def _grade(bundle: Bundle, desk: Path, proved: bool) -> dict:
    where = topic(bundle.assignment.slug)
    released = bundles.unpack_released(bundle.assignment, desk / "released")
    submission = read(where, bundle.unpack(desk / "submitted"), released)
    copied = bundles.lay_out(bundle, desk / bundle.assignment.slug)  # its name tells a notebook which topic it is of
    submission.set_aside(copied)
    judged = desk / "judged"
    judged.mkdir()
    work = submission.write_for_judge(judged)
    isolation = bundle.assignment.isolation
    if isolation == SANDBOX and not proved:
        prove()
    report = judge(where, judged, seed=bundles.seed(bundle.assignment.key, work), isolation=isolation)
    files = bundles.read_files(copied)
    table = _Table(submission, report, bundle, copied, isolation)
    scores, unanswered = {}, {}
    for name in submission.notebooks:
        text = table.convert(name)
        files += (File(f"{name}.ipynb", text.encode("utf-8", "replace"), len(text), 0.0),)
        cells = nbformat.reads(text, as_version=4).cells
        scores[name] = {c.metadata.nbgrader["grade_id"]: determine_grade(c)[0] for c in cells if is_grade(c)}
        unanswered[name] = {c.metadata.nbgrader["grade_id"]: _is_untouched(c)
                            for c in cells if is_solution(c) or is_task(c)}
    return {"work": work, "notes": submission.notes, "report": report, "files": files, "scores": scores,
            "unanswered": unanswered}


def _is_untouched(cell) -> bool:
    """Whether nbgrader would write "No response." beside it."""
    return not is_task(cell) and cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)


class _Table(NotebookExporter):
    """Takes one submission's notebooks through the plugin's steps, as nbgrader's Autograde does; their `parent`."""

    def __init__(self, submission: Submission, report: Report, bundle: Bundle, folder: Path,
                 isolation: str):
        config = Config()
        configure(config, folder)
        config.merge(json.loads(json.dumps(bundle.assignment.settings)))
        config.Exporter.default_preprocessors = []
        super().__init__(config=config)
        self.submission, self.report, self.topic = submission, report, submission.topic
        self.student, self.folder, self.isolation = bundle.student, folder, isolation

    def convert(self, name: str) -> str:
        """The autograded notebook `name`, as text."""
        text = ""
        for steps in (SANITIZE, AUTOGRADE):
            self._preprocessors = []
            for step in steps:
                if step.rpartition(".")[2] not in WITH_GRADEBOOK:
                    self.register_preprocessor(step)
            node = nbformat.reads(text, as_version=4) if text else new_notebook()
            text, _ = self.from_notebook_node(node, {
                "unique_key": name, "metadata": {"name": name, "path": str(self.folder)},
                "nbgrader": {"student": self.student, "assignment": self.topic.slug, "notebook": name}})
        return text
