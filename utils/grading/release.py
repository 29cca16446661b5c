"""Give feedback back through the exchange: one submission that did not come through it stops nobody else's."""

from __future__ import annotations

import glob
from pathlib import Path

from nbgrader.exchange.default.release_feedback import ExchangeReleaseFeedback

BY_EXCHANGE = ("submission_secret.txt", "timestamp.txt")    # what `nbgrader submit` adds; the pages' names depend on it


class ReleaseFeedback(ExchangeReleaseFeedback):
    """nbgrader's release_feedback, which leaves out and names whose work was put into submitted/ by hand."""

    def copy_files(self):
        before, by_hand = self.coursedir.student_id_exclude, []
        for folder in map(Path, sorted(glob.glob(self.src_path))):
            if not all(_readable(folder / name) for name in BY_EXCHANGE):
                by_hand.append(folder.parent.name)
                self.log.warning("%s did not come through the exchange: its pages are in %s, to be given back the way "
                                 "it came", by_hand[-1], folder)
        try:
            self.coursedir.student_id_exclude = ",".join(filter(None, [before, *by_hand]))
            super().copy_files()
        finally:
            self.coursedir.student_id_exclude = before


def _readable(path: Path) -> bool:
    """Whether it is a file of text."""
    try:
        return bool(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError):
        return False
