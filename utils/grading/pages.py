"""Feedback pages of a whole assignment, made in a pool: those whose notebook or marks have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait

from nbgrader.utils import find_all_files

from utils.grading import feedback, records
from utils.grading.batch import Batch
from utils.grading.bundle import File, read_files
from utils.grading.folders import replace_folder
from utils.grading.pools import Pool

PERMISSIONS = 0o644  # of files in feedback/, as nbgrader's


class Pages:
    """The feedback pages of a batch's assignment, as `nbgrader generate_feedback` makes them."""

    def __init__(self, batch: Batch):
        self.batch, self.course, self.slug = batch, batch.course, batch.slug
        self._marks = batch.book.marks(self.slug)
        self._made = self.course.root / records.FOLDER / f"pages-{self.slug}.json"

    def plan(self, only: Iterable[str] = ()) -> list[str]:
        """Those (of all, or of those named) with a page that is missing or not of today's notebook and marks."""
        made = self._read()
        return [who for who in sorted(set(only) & set(self._marks) if only else self._marks)
                if (notebooks := self._notebooks(who)) and not self._is_current(who, notebooks, made)]

    def _is_current(self, who: str, notebooks: dict[str, bytes], made: dict[str, str]) -> bool:
        folder = self.course.folder("feedback", who, self.slug)
        return (made.get(who) == self._digest(who, notebooks)
                and all((folder / f"{name}.html").is_file() for name in notebooks))

    def run(self, plan: list[str], pool: Pool, tell: Callable[[str, str | None], None]) -> None:
        """Make the pages of those that the plan names."""
        made, waiting = self._read(), list(reversed(plan))
        flying: dict[Future, tuple[str, str]] = {}
        try:
            while waiting or flying:
                while waiting and len(flying) < 2 * pool.width:
                    who = waiting.pop()
                    notebooks = self._notebooks(who)
                    future = pool.submit(feedback.pages, self.slug, notebooks, self._marks[who])
                    flying[future] = (who, self._digest(who, notebooks))
                for future in wait(flying, return_when=FIRST_COMPLETED).done:
                    who, digest = flying.pop(future)
                    self._write(who, future.result())
                    made[who] = digest
                    tell(who, None)
        finally:
            records.write_whole(self._made, json.dumps(made, indent=1, sort_keys=True).encode())

    def _notebooks(self, who: str) -> dict[str, bytes]:
        files = sorted(self.course.folder("autograded", who, self.slug).glob("*.ipynb"))
        return {path.stem: path.read_bytes() for path in files if path.stem in self._marks[who]}

    def _digest(self, who: str, notebooks: dict[str, bytes]) -> str:
        told = repr((sorted(notebooks.items()), sorted(self._marks[who].items()), self.batch.assignment.code))
        return hashlib.sha256(told.encode()).hexdigest()

    def _read(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._made.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _write(self, who: str, pages: dict[str, bytes]) -> None:
        """Replace feedback/<student>/<assignment>/: the pages, and the files that were beside the notebooks."""
        graded = self.course.folder("autograded", who, self.slug)
        beside = read_files(graded, sorted(find_all_files(str(graded), [*self.course.coursedir.ignore, "*.ipynb"])))
        made = tuple(File(f"{name}.html", html, len(html), 0.0) for name, html in pages.items())
        replace_folder(self.course.folder("feedback", who, self.slug), (*beside, *made), PERMISSIONS)
