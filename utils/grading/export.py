"""The table of `nbgrader export`, in an order that does not depend on who was graded first, and without false zeros."""

from __future__ import annotations

from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import CsvExportPlugin

from utils.grading import records

ASSIGNMENT, STUDENT, SCORES = 0, 3, slice(-4, -1)  # columns of nbgrader's table; the names between may hold commas


class Export(CsvExportPlugin):
    """nbgrader's CSV, by assignment and student; empty scores for a submission that could not be graded."""

    def export(self, gradebook: Gradebook) -> None:
        super().export(gradebook)
        path = Path(self.to or "grades.csv")
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        rows = sorted((line.split(",") for line in lines), key=lambda row: (row[ASSIGNMENT], row[STUDENT]))
        for row in rows:
            if self._was_not_graded(gradebook, row[ASSIGNMENT], row[STUDENT]):
                row[SCORES] = ["", "", ""]
        path.write_text("".join(f"{line}\n" for line in (head, *map(",".join, rows))), encoding="utf-8")

    def _was_not_graded(self, gradebook: Gradebook, assignment: str, student: str) -> bool:
        """Whether work was handed in and the gradebook has no result of it, for a reason of ours."""
        record = records.read(Path(self.parent.coursedir.root), assignment, student)
        if record is None or record.problem is None:
            return False
        try:
            gradebook.find_submission(assignment, student)
        except MissingEntry:
            return True
        return False
