"""The same submissions under nbgrader as it comes: tests in the notebook, everything in the learner's kernel."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.engines import TOPIC
from tests.hostile.arena import VICTIM, Arena, Result
from tests.hostile.canaries import canaries
from tests.hostile.folders import edit
from tests.hostile.sample import BASES, CELL, NOTHING, Sample
from tests.nbgrader_helpers import SLUG, Course
from utils.build.nbgrader_cells import metadata
from utils.grading.config import gradebook_url

ENGINE = "answer-engine"
PATIENCE = 90           # seconds for a submission; stock nbgrader gives each cell 30
TESTS = {               # exercise: (points, the tests in its cell)
    "1.1": (4, "a, b = Value(2.0), Value(3.0)\nassert (a * b - a).data == 4.0"),
    "1.2": (6, "a, b = Value(2.0), Value(3.0)\n(a * b).backward()\n"
               "assert abs(a.grad - 3.0) < 1e-9 and abs(b.grad - 2.0) < 1e-9"),
    "1.3": (6, "a, b = Value(2.0), Value(3.0)\n(a * b + a).backward()\nassert a.grad == 4.0"),
    "2.3": (6, "a = Value(0.5)\n(3 * a.tanh()).backward()\n"
               "assert math.isclose(a.grad, 3 * (1 - math.tanh(0.5) ** 2))"),
}
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "stock"
c.CourseDirectory.root = {root!r}
c.CourseDirectory.db_url = {gradebook!r}
"""


class StockCourse(Course):
    """A course with nbgrader's default configuration."""

    def __init__(self, root: Path):
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # for alembic
        self.root, self.topic = root, TOPIC
        self.written = CONFIG.format(root=str(root), gradebook=gradebook_url(root))
        source = root / "source" / SLUG
        source.mkdir(parents=True)
        self.allow(0)
        hidden = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"
        cells = [new_code_cell("### BEGIN SOLUTION\nclass Value: ...\n### END SOLUTION", id=ENGINE)]
        cells[0].metadata["nbgrader"] = {**metadata("answer", "engine", 0), "cell_type": "code"}
        for exercise, (points, tests) in TESTS.items():
            cell = new_code_cell(f"import math\n{hidden.format(tests)}", id=f"check-{exercise.replace('.', '-')}")
            cell.metadata["nbgrader"] = {**metadata("check", exercise, points), "cell_type": "code"}
            cells.append(cell)
        nbformat.write(new_notebook(cells=[new_markdown_cell("An engine", id="intro"), *cells]), source / CELL)
        (source / TOPIC.module).write_text(NOTHING, encoding="utf-8")

    def allow(self, budget: int) -> None:
        (self.root / "nbgrader_config.py").write_text(self.written, encoding="utf-8")

    def hand_in(self, who: str, module: str) -> Path:
        """A submission with the text of the module in the answer cell, and in the file too."""
        folder = self.submitted(who)
        shutil.copytree(self.root / "release" / SLUG, folder)
        (folder / TOPIC.module).write_text(module, encoding="utf-8")
        edit(folder / CELL, lambda cells: [
            cell | {"source": module} if cell["id"] == ENGINE else cell for cell in cells])
        return folder

    def grade(self, who: str) -> tuple[float, str]:
        """Points, and all that is shown; ValueError where nbgrader came to no result."""
        process = multiprocessing.get_context("fork").Process(target=_autograde, args=(self, who))
        process.start()
        process.join(PATIENCE)
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        log = self._log(who)
        shown = [path.read_bytes().decode("utf-8", "replace") for path in self.autograded(who).rglob("*.ipynb")
                 if path.is_file()]
        try:
            return sum(self.points(who).values()), "\n".join([log, *map(_outputs, shown)])
        except Exception as error:  # nbgrader's, SQLAlchemy's: no submission, no grades
            raise ValueError(f"no result ({type(error).__name__})") from None

    def _log(self, who: str) -> str:
        path = self.root / f"log-{who}"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _autograde(course: StockCourse, who: str) -> None:
    """In a process of its own: `nbgrader autograde` of one submission."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    log = course.run("autograde", SLUG, "--student", who, "--force", status=None)
    (course.root / f"log-{who}").write_text(log, encoding="utf-8", errors="replace")
    os._exit(0)


def _outputs(text: str) -> str:
    """The outputs of a notebook, as one text: what a learner gets to see of a run."""
    with contextlib.suppress(ValueError, LookupError, TypeError):
        return json.dumps([cell.get("outputs") for cell in json.loads(text)["cells"]])
    return ""


@contextlib.contextmanager
def stock_arena(root: Path) -> Iterator[StockArena]:
    """An arena with the default configuration."""
    root.mkdir(parents=True, exist_ok=True)
    course = StockCourse(root / "course")
    with canaries(course.root, root / "home") as held:
        made = StockArena(course, held, 0, None)
        held.plant()
        course.run("generate_assignment", SLUG)
        made.prepare()
        with course.gradebook() as book:
            book.update_or_create_student(VICTIM, last_name=held.token("gradebook"))
        yield made


class StockArena(Arena):
    """An arena whose grader is nbgrader as it comes."""

    def applies(self, sample: Sample) -> bool:
        """Whether it can be tried here: it changes no notebook but the one there is, and ends no process of ours."""
        return sample.unboxed and not sample.name.startswith("answers-that-")

    def judge(self, sample: Sample, only: Collection[str] | None = None) -> Result:
        if sample.honest not in self.honest:
            self.course.hand_in(f"honest-{sample.honest}", BASES[sample.honest]())
            self.honest[sample.honest] = self.course.grade(f"honest-{sample.honest}")[0]
        folder = self.course.hand_in(sample.name, sample.text(**self.canaries.places))
        self.arm(sample, folder)
        result = self.watch(sample, lambda: self.course.grade(sample.name))
        shutil.rmtree(folder.parent, ignore_errors=True)
        return result
