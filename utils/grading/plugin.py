"""nbgrader's extension points: an exporter that reads submissions, and preprocessors that rebuild, run and judge them.

One submission in `nbgrader autograde`: the reader makes it safe, reads it and has it judged before anything of it runs
here. Then for each notebook Graft puts the rebuilt one in place, RunForDisplay executes it for the feedback page,
JudgeCells replaces what the kernel says in graded cells by the judge's verdict, and nbgrader saves that.
"""

from __future__ import annotations

import fnmatch
import gc
import glob
import os
import re
import tempfile
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from time import monotonic
from typing import NoReturn

import bleach
import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat.v4 import new_markdown_cell, new_notebook, new_output
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from traitlets import Enum, Integer, List, Unicode, default

from utils.build.nbgrader_cells import graded_cells
from utils.curriculum import CurriculumError, Topic, topic
from utils.grading import records
from utils.grading.bundle import assignment_key, seed
from utils.grading.config import AUTOGRADE, SANITIZE
from utils.grading.graft import TRUSTED
from utils.grading.submission import Submission, make_safe, read
from utils.judge.client import JudgeError, judge_folder
from utils.judge.report import Report
from utils.sandbox.bwrap import SandboxError
from utils.sandbox.isolation import CHOICES, VARIABLE, WEAK, WEAKER, chosen
from utils.sandbox.kernel import SandboxedKernel
from utils.sandbox.probe import prove

HARMLESS = [
    "a", "b", "blockquote", "br", "code", "dd", "details", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "hr", "i",
    "img", "kbd", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "th",
    "thead", "tr", "u", "ul",
]
PICTURES = ("data:image/svg+xml;base64,", "data:image/png;base64,", "data:image/jpeg;base64,")
MAX_RECEIVED = 20_000_000  # characters of all outputs of a notebook
PYTHON = "python3"  # the kernel's name
GRACE = 10  # seconds that a kernel may live longer than its cells' time
MAX_OUTPUT = 20_000  # characters of one output that are kept for the feedback page


class TooMuchOutput(Exception):
    """A notebook gave more output than is looked at."""


class NotGraded(NbGraderException):
    """Grading could not be done, for a reason that is not the learner's: an error in the log, never a score."""


class SubmissionReader(NotebookExporter):
    """Reads submitted notebooks for `nbgrader autograde`, whatever state they are in.

    `submission` and `report` are those of the submission in hand.
    """

    submission: Submission
    report: Report
    isolation = Enum(CHOICES, help=f"What keeps submitted code from everything else; ${VARIABLE} says it too."
                     ).tag(config=True)

    @default("isolation")
    def _isolation_default(self) -> str:
        try:
            return chosen()
        except ValueError as error:
            self._refuse(str(error))

    def __init__(self, **kw):
        super().__init__(**kw)
        self.key = None
        self._check_configuration()
        if self.isolation == WEAK:
            self.log.warning(WEAKER)
        else:
            try:
                prove()
            except SandboxError as problem:
                self._refuse(f"Nothing was graded: {problem}")
        self._take_in_all()

    def _check_configuration(self) -> None:
        """Refuse to grade with other steps than ours: a kernel's own claims would then count."""
        grader = self.parent
        try:
            self.topic: Topic = topic(grader.coursedir.assignment_id)
        except CurriculumError as error:
            self._refuse(f"{error}. Other assignments cannot be graded in this course.")
        if list(grader.sanitize_preprocessors) != SANITIZE or list(grader.autograde_preprocessors) != AUTOGRADE:
            self._refuse("nbgrader's preprocessors are not those of utils/grading/config.py; another "
                         "nbgrader_config.py changes them. `jupyter --paths` lists the folders to look in.")
        if self.topic.module not in grader.exclude_overwriting.get(self.topic.slug, []):
            self._refuse(f"Autograde.exclude_overwriting lacks {self.topic.module}: the instructor's would be graded.")

    def _refuse(self, why: str) -> NoReturn:
        self.log.error(why)
        raise NotGraded(why)

    def _take_in_all(self) -> None:
        """Make every submitted folder safe to copy, and have nbgrader look also for the notebooks it did not find."""
        course = self.parent.coursedir
        names = [p.stem for p in self._released().glob("*.ipynb") if fnmatch.fnmatch(p.stem, course.notebook_id)]
        if not names:
            self._refuse(f"No released notebooks in {self._released()}. "
                         f"Run `nbgrader generate_assignment {self.topic.slug}` first.")
        for folder in glob.glob(course.format_path(course.submitted_directory, course.student_id, self.topic.slug)):
            if os.path.isdir(folder):
                make_safe(Path(folder))
                found = self.parent.assignments.setdefault(folder, [])
                found += sorted({os.path.join(folder, f"{name}.ipynb") for name in names} - set(found))

    def _released(self) -> Path:
        course = self.parent.coursedir
        return Path(course.format_path(course.release_directory, ".", self.topic.slug))

    def from_filename(self, filename, resources=None, **kw):
        course, who = self.parent.coursedir, resources["nbgrader"]["student"]
        submitted = Path(course.format_path(course.submitted_directory, who, self.topic.slug))
        if Path(filename).parent != submitted:  # the second pass, over the notebook that the first one wrote
            return super().from_filename(filename, resources=resources, **kw)
        if self.key != submitted:
            self._open(submitted, Path(course.format_path(course.autograded_directory, who, self.topic.slug)), who)
        return self.from_notebook_node(new_notebook(), resources=resources, **kw)

    def _open(self, submitted: Path, copied: Path, who: str) -> None:
        self.key, begun = None, monotonic()
        self.submission = read(self.topic, submitted, self._released())
        for note in self.submission.notes:
            self.log.warning("%s, %s: %s", who, self.topic.slug, note)
        self.submission.set_aside(copied)
        key = assignment_key(Path(self.parent.coursedir.root), self.topic.slug)
        with tempfile.TemporaryDirectory(prefix="upstream-judge-") as desk:
            digest = self.submission.write_for_judge(Path(desk))
            kept = {"assignment": self.topic.slug, "student": who, "work": digest, "notes": self.submission.notes}
            try:
                self.report = judge_folder(self.topic, Path(desk), seed=seed(key, digest), isolation=self.isolation)
            except JudgeError as error:
                self._keep(begun, **kept, problem=str(error))
                self.log.error("%s, %s: not graded, since the judge stopped (below). No score was changed; a first "
                               "grading that fails shows as 0 in nbgrader's tables.", who, self.topic.slug)
                raise
        self._keep(begun, **kept, report=self.report)
        self.log.info("%s, %s: %s", who, self.topic.slug, self.report.verdict)
        self.key = submitted

    def _keep(self, begun: float, **what) -> None:
        """Leave the record of this submission for `course.py report`."""
        seconds = round(monotonic() - begun, 1)
        records.write(Path(self.parent.coursedir.root), records.Record(graded=records.now(), seconds=seconds, **what))


class Graft(NbGraderPreprocessor):
    """Puts the rebuilt notebook in place of the submitted one, and on top what there is to say about the submission."""

    def preprocess(self, nb, resources):
        submission, report = self.parent.submission, self.parent.report
        nb = submission.notebooks[resources["nbgrader"]["notebook"]]
        if notes := [*submission.notes, *report.learners_notes]:
            text = "**About this submission**\n\n" + "\n".join(f"- {note}" for note in notes)
            nb = nb.copy()
            nb.cells = [new_markdown_cell(text, id="about-this-submission"), *nb.cells]
        return nb, resources


class RunForDisplay(Execute):
    """Executes the notebook for the feedback page. Whatever the kernel does, it costs only the outputs shown."""

    budget = Integer(180, help="Seconds for a whole notebook; 0 shows it without outputs.").tag(config=True)

    def preprocess(self, nb, resources, km=None):
        if self.budget <= 0 or not any(is_grade(cell) for cell in nb.cells):
            return nb, resources  # without graded cells it is the course's text, not the learner's work
        self.deadline, self.received, self.printed = monotonic() + self.budget, 0, Counter()
        self.shutdown_kernel, self.coalesce_streams = "immediate", True
        self.timeout_func = lambda cell: max(1, min(self.timeout, int(self.deadline - monotonic())))
        who = resources["nbgrader"]
        try:
            super().preprocess(nb, resources, km)
            _shorten(nb)
            nbformat.validate(nb)
        except Exception as error:  # a dead or hostile kernel may raise anything; the score does not come from here
            self.log.warning("%s, %s: %s.ipynb was not run to its end (%s). Its score is not affected.",
                             who["student"], who["assignment"], who["notebook"], type(error).__name__)
            for cell in nb.cells:
                if cell.cell_type == "code":
                    cell.outputs, cell.execution_count = [], None
            nb.cells.insert(0, new_markdown_cell(
                "**This notebook could not be run to its end**, so its cells are shown without outputs. "
                "The points do not depend on that: they come from your files.", id="not-run-to-its-end"))
            gc.collect()  # unfinished tasks of the client: ended here, not in the midst of something else
        nb.metadata.pop("widgets", None)
        return nb, resources

    def preprocess_cell(self, cell, resources, index):
        if monotonic() > self.deadline:
            return cell, resources
        return super().preprocess_cell(cell, resources, index)

    def create_kernel_manager(self):
        """The one place where a learner's kernel comes from."""
        if self.parent.isolation == WEAK:
            return super().create_kernel_manager()
        folder = Path(self.resources["metadata"]["path"])
        self.km = SandboxedKernel(folder, self.budget + GRACE, kernel_name=PYTHON, config=self.config)
        return self.km

    def start_new_kernel(self, **kw):
        """UPSTREAM_GRADING makes `check` return at once in it."""
        there = os.environ if self.parent.isolation == WEAK else {}
        return super().start_new_kernel(env={**there, "UPSTREAM_GRADING": "1"}, **kw)

    def process_message(self, msg, cell, cell_index):
        self.received += len(str(msg["content"]))
        if self.received > MAX_RECEIVED:
            if isinstance(self.km, SandboxedKernel):
                self.km.end()
            raise TooMuchOutput
        if msg["msg_type"] == "stream":     # nbclient looks for carriage returns in time quadratic in a line's length
            text = str(msg["content"]["text"])
            msg["content"]["text"] = text[:max(0, MAX_OUTPUT + 1 - self.printed[cell_index])]
            self.printed[cell_index] += len(text)
        return super().process_message(msg, cell, cell_index)


def _shorten(nb) -> None:
    """Cut long output, so that an endless print does not make an endless page."""
    for output in (output for cell in nb.cells if cell.cell_type == "code" for output in cell.outputs):
        if output.output_type == "stream" and len(output.text) > MAX_OUTPUT:
            output.text = f"{output.text[:MAX_OUTPUT]}\n[cut here: only {MAX_OUTPUT} characters are shown]\n"
        for kind, data in getattr(output, "data", {}).items():
            if kind.startswith("text/") and len(data) > 10 * MAX_OUTPUT:
                output.data = {"text/plain": f"[an output of {len(data)} characters is not shown]"}
                break


class SanitizeLearnerHTML(SanitizeHTML):
    """Leaves no HTML in what learners wrote and only harmless HTML in outputs; released text stays as it is."""

    tags = List(Unicode(), HARMLESS).tag(config=True)

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type == "code":
            return super().preprocess_cell(cell, resources, index)
        if not cell.metadata.pop(TRUSTED, False):
            cell.source = _without_tags(cell.source, cell.get("attachments", {}))
        return cell, resources

    def sanitize_code_outputs(self, outputs):
        for output in outputs:
            if "data" in output:
                output.data = {kind: self._clean(kind, data) for kind, data in output.data.items()
                               if kind in self.safe_output_keys | self.sanitized_output_types}
        return outputs

    def _clean(self, kind: str, data):
        if kind == "text/html":
            return bleach.clean(_without_code(data), tags=self.tags, attributes=_harmless,
                                protocols={"http", "https", "data"})
        if kind.startswith("image/") and not re.fullmatch(r"[A-Za-z0-9+/=\s]*", data):
            return ""  # not base64, so not a picture
        return _without_tags(data) if kind == "text/markdown" else data


def _without_code(html: str) -> str:
    """HTML without scripts and style sheets: of these, the sanitizer takes the tags away and leaves the text."""
    first, *rest = re.split(r"(?i)<(/?(?:script|style))\b", html)
    kept, inside = [first], ""
    for tag, text in zip(map(str.lower, rest[::2]), rest[1::2], strict=True):
        if not inside and not tag.startswith("/"):
            inside = tag
        elif tag == f"/{inside}" or not inside:
            inside = ""
            kept.append(text.partition(">")[2])
    return "".join(kept)


def _without_tags(text: str, attachments: Collection[str] = ()) -> str:
    """Markdown that looks the same, and in which nothing is an HTML tag or a link to anything but the web.

    A picture that is not among the cell's `attachments` is no link either: nbconvert would make no page at all.

    A word joiner, which shows nothing, goes after a `<` that could begin a tag, and after the `]` of a link. An HTML
    sanitizer would take `a<b` for a tag and drop what follows, show `&lt;` in code, and see no Markdown links.
    """
    text = re.sub(r"<(?=[A-Za-z/!?])", "<\u2060", text)
    text = re.sub(r"\](?=[(:]\s*(?!https?://|mailto:|attachment:))", "]\u2060", text)
    return re.sub(r"\](?=[(:]\s*attachment:([^\s)]*))",
                  lambda link: "]" if link[1] in attachments else "]\u2060", text)


def _harmless(tag: str, name: str, value: str) -> bool:
    """Links to the web, and pictures that are part of the page (an SVG shown by `img` runs no scripts)."""
    if tag == "img":
        return name in ("alt", "width", "height") or (name == "src" and value.startswith(PICTURES))
    return tag == "a" and (name == "title" or (name == "href" and value.startswith(("https://", "http://", "#"))))


class JudgeCells(NbGraderPreprocessor):
    """Writes the judge's verdict into every graded code cell, in place of what the kernel said there."""

    def preprocess(self, nb, resources):
        self.exercises = graded_cells(self.parent.topic)
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell, resources, index):
        cell.metadata.pop(TRUSTED, None)
        if not is_grade(cell) or is_solution(cell):
            return cell, resources
        name, worth = cell.metadata.nbgrader["grade_id"], cell.metadata.nbgrader["points"]
        report = self.parent.report
        earned, possible = report.points(self.exercises[name]) if name in self.exercises else (0, 0)
        if not possible:
            raise NotGraded(f"The judge has nothing to say about the graded cell {name}; only exercises of the "
                            f"manifest can be graded automatically.")
        points = round(worth * min(max(earned / possible, 0), 1), 6)
        exercise = self.exercises[name]
        shown = {"text/plain": report.text(exercise), "text/html": report.html(exercise)}
        cell.execution_count = None
        cell.outputs = [new_output("display_data", shown),
                        new_output("execute_result", {"text/plain": repr(points)}, execution_count=None)]
        return cell, resources
