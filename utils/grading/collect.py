"""Take submissions in from the exchange: copy files, follow nothing, let one bad folder stop nobody else's."""

from __future__ import annotations

import fnmatch
import os
import shutil
import stat
import time
from pathlib import Path

from nbgrader.exchange.default.collect import ExchangeCollect

from utils.grading.submission import note_left_out


class Collect(ExchangeCollect):
    """nbgrader's collect, with a copy that leaves out links, pipes and too large files, and says so in their place."""

    def do_copy(self, src, dest, log=None):
        source, target = Path(src), Path(dest)
        room = self.coursedir.max_dir_size * 1000
        target.mkdir(parents=True)
        if source.is_symlink():
            self._leave_out(target / "submission", "a symbolic link in place of the submission")
            return
        for folder, subfolders, files in os.walk(source):
            here = target / Path(folder).relative_to(source)
            here.mkdir(exist_ok=True)
            links = [name for name in subfolders if Path(folder, name).is_symlink()]
            subfolders[:] = [name for name in subfolders if name not in links and not self._ignored(name)]
            for name in sorted(files + links):
                path = Path(folder, name)
                if self._ignored(name):
                    continue
                info = path.lstat()
                if not stat.S_ISREG(info.st_mode):
                    self._leave_out(here / name, "a symbolic link" if stat.S_ISLNK(info.st_mode) else "not a file")
                elif info.st_size > min(self.coursedir.max_file_size * 1000, room):
                    self._leave_out(here / name, f"{info.st_size / 1e6:.0f} MB is more than may be handed in")
                elif not os.access(path, os.R_OK):
                    self._leave_out(here / name, "a file that cannot be read")
                else:
                    room -= info.st_size
                    shutil.copy(path, here / name)
                    saved = min(max(info.st_mtime, 0), time.time())  # the report tells when the learner saved the file
                    os.utime(here / name, (saved, saved))

    def _ignored(self, name: str) -> bool:
        return any(fnmatch.fnmatch(name, pattern) for pattern in self.coursedir.ignore)

    def _leave_out(self, path: Path, why: str) -> None:
        self.log.warning("%s was not taken in: %s", path, why)
        note_left_out(path, why)
