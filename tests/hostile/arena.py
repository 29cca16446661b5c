"""Where hostile submissions are graded, each beside the honest work that it is made of, and what became of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.engines import TOPIC, changed
from tests.hostile.canaries import Canaries, canaries
from tests.hostile.folders import code, edit
from tests.hostile.sample import BASES, CELL, Sample, filled
from tests.nbgrader_helpers import SLUG, Course, hand_in
from utils.curriculum import ROOT
from utils.grading import records
from utils.judge.client import JudgeError, JudgeProcess
from utils.sandbox.isolation import SANDBOX

SEED = 7
VICTIM = "victim"


@dataclass
class Result:
    """What became of one sample. `points` None: no valid report."""

    sample: Sample
    honest: float
    points: float | None = None
    seconds: float = 0.0
    problem: str = ""
    read: list[str] = field(default_factory=list)       # places whose canaries show in report, page, notebook or log
    changed: list[str] = field(default_factory=list)    # files of others that are not what they were
    sent: bool = False                                  # it was heard on the line
    left: bool = False                                  # it left files or processes behind

    @property
    def gained(self) -> bool:
        return self.points is not None and self.points > self.honest

    @property
    def won(self) -> list[str]:
        """In words, what the attack got; empty where the grader held."""
        told = [f"{self.points:g} points, of which {self.honest:g} are honest"] if self.gained else []
        told += [f"read {', '.join(self.read)}"] if self.read else []
        told += [f"changed {', '.join(self.changed[:3])}"] if self.changed else []
        told += [word for word in ("sent", "left") if getattr(self, word)]
        return told + ([f"no valid report: {self.problem}"] if self.points is None else [])


@dataclass
class Arena:
    """A course with canaries, and a neighbour who has handed in."""

    course: Course
    canaries: Canaries
    budget: int                 # seconds that each notebook may run
    grader: JudgeProcess        # a judge that stays
    honest: dict[str, float] = field(default_factory=dict)      # base -> its points, graded the same way

    def hand_in(self, sample: Sample) -> Path:
        """Put a sample into submitted/."""
        folder = hand_in(self.course, sample.name, sample.text(**self.canaries.places))
        self.arm(sample, folder)
        return folder

    def arm(self, sample: Sample, folder: Path) -> None:
        """Do to a folder what is in the sample beside its module."""
        if sample.cells:
            edit(folder / CELL, lambda cells: [*(code(source, id=f"attack-{n}") for n, source in
                                                 enumerate(sample.cells)), *cells])
        if sample.change:
            sample.change(folder)
        for path in folder.rglob("*"):
            if path.suffix in (".py", ".pth", ".ipynb", "") and path.is_file() and not path.is_symlink():
                _fill(path, sample.name, self.canaries.places)

    def judge(self, sample: Sample, only: Collection[str] | None = None) -> Result:
        """Have the judge alone look at a sample, or at some exercises of it, and put back what it changed."""
        if sample.honest not in self.honest:
            folder = hand_in(self.course, f"honest-{sample.honest}", BASES[sample.honest]())
            self.honest[sample.honest] = self._judged(folder, only)[0]
        folder = self.hand_in(sample)
        result = self.watch(sample, lambda: self._judged(folder, only))
        shutil.rmtree(folder.parent, ignore_errors=True)
        return result

    def _judged(self, folder: Path, only: Collection[str] | None) -> tuple[float, str]:
        report = self.grader.judge(TOPIC, folder, seed=SEED, only=only)
        return report.points()[0], report.to_json()

    def watch(self, sample: Sample, grade: Callable[[], tuple[float, str]]) -> Result:
        """What became of a sample that `grade` grades: it gives the points, and all that it shows."""
        result = Result(sample, self.honest[sample.honest])
        before, heard, start = self.canaries.state(), len(self.canaries.heard), time.monotonic()
        try:
            result.points, shown = grade()
            result.read = self.canaries.seen_in(shown)
        except (JudgeError, ValueError) as error:
            result.problem = str(error)
        result.seconds = time.monotonic() - start
        result.changed = _differences(before, self.canaries.state())
        result.sent, result.left = len(self.canaries.heard) > heard, bool(self.canaries.left_by())
        if result.changed:
            self.prepare()
        self.canaries.sweep()
        return result

    def prepare(self) -> None:
        """Plant the canaries, and hand in the neighbour's work, with one in it."""
        self.canaries.plant()
        folder = self.course.submitted(VICTIM)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        told = f'class Value:\n    """{self.canaries.token("neighbour")}"""\n'
        (folder / TOPIC.module).write_text(changed(("class Value:\n", told)), encoding="utf-8")
        self.course.allow(self.budget)

    def grade(self, samples: Collection[Sample], feedback: bool = False, **environment: str) -> list[Result]:
        """Hand all in beside their honest bases, grade the batch, and look what became of each."""
        bases = sorted({sample.honest for sample in samples})
        for base in bases:
            hand_in(self.course, f"honest-{base}", BASES[base]())
        for sample in samples:
            self.hand_in(sample)
        before = self.canaries.state()
        options = ["--no-notebooks"] * (not self.budget) + ["--feedback"] * feedback
        command = [sys.executable, "-P", "-m", "utils", "grade", SLUG, "--course", self.course.root, *options]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | environment)
        self.honest = {base: self._points(f"honest-{base}") for base in bases}
        results = self.look(samples, run.stdout + run.stderr)
        results[0].changed += _differences(before, self.canaries.state())   # who it was cannot be told
        self.canaries.sweep()
        return results

    def look(self, samples: Collection[Sample], log: str) -> list[Result]:
        """What became of samples in a batch that gave this log; what shows elsewhere counts as the first one's."""
        results = [self._graded(sample, log) for sample in samples]
        results[0].read += self.canaries.seen_in("\n".join([log, *self._around()]))
        return results

    def _points(self, who: str) -> float | None:
        """Automatic points in the gradebook; None where there is no valid record of the grading."""
        record = records.read(self.course.root, SLUG, who)
        return None if record is None or record.report is None else sum(self.course.points(who).values())

    def _graded(self, sample: Sample, log: str) -> Result:
        result = Result(sample, self.honest[sample.honest], self._points(sample.name))
        if (record := records.read(self.course.root, SLUG, sample.name)) is not None:
            result.seconds, result.problem = record.seconds, record.problem or ""
        told = [line for line in log.splitlines() if sample.name in line]
        result.read = self.canaries.seen_in("\n".join([*told, *self._shown(sample.name)]))
        result.sent = any(line.startswith(f"{sample.name}: ".encode()) or f"/{sample.name}".encode() in line
                          for line in self.canaries.heard)
        result.left = sample.name in self.canaries.left_by()
        return result

    def _shown(self, who: str) -> Iterator[str]:
        """The texts of everything that grading made of a submission; a file that it only copied is not among them."""
        handed_in = {path.read_bytes() for path in self.course.submitted(who).rglob("*")
                     if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20}
        for place in (self.course.autograded(who), self.course.root / "feedback" / who):
            for path in place.rglob("*"):
                if path.is_file() and (content := path.read_bytes()) not in handed_in:
                    yield content.decode("utf-8", "replace")
        report = records.path(self.course.root, SLUG, who)
        yield report.read_text(encoding="utf-8") if report.is_file() else ""

    def _around(self) -> Iterator[str]:
        """The texts of the release, and of what grading made of the honest."""
        for path in (self.course.root / "release").rglob("*"):
            if path.is_file():
                yield path.read_bytes().decode("utf-8", "replace")
        for base in self.honest:
            yield from self._shown(f"honest-{base}")


@contextlib.contextmanager
def arena(root: Path, budget: int = 0, isolation: str = SANDBOX) -> Iterator[Arena]:
    """An arena in the folder `root`; notebooks may run for `budget` seconds each, 0: not at all."""
    root.mkdir(parents=True, exist_ok=True)
    course = Course(root / "course", budget)
    with canaries(course.root, root / "home") as held, JudgeProcess(isolation) as grader:
        made = Arena(course, held, budget, grader)
        held.plant()
        course.run("generate_assignment", SLUG)
        made.prepare()
        with course.gradebook() as book:
            book.update_or_create_student(VICTIM, last_name=held.token("gradebook"))
        yield made


def _differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def _fill(path: Path, name: str, places: dict) -> None:
    """Fill in the places in a file of text, if it is one."""
    with contextlib.suppress(UnicodeError, OSError):
        if path.stat().st_size < 1 << 20 and "@" in (text := path.read_text(encoding="utf-8")):
            path.write_text(filled(text, name, **places), encoding="utf-8")
