"""One submission as it came in: read it, say what is wrong with it, rebuild its notebooks. Runs nothing of it.

Whatever a learner's folder holds, reading it gives a Submission; every problem is a sentence in `notes`, for the
instructor's log and for the feedback page.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from utils.curriculum import ROOT, Topic
from utils.grading.config import MAX_FILE
from utils.grading.graft import Cell, graft, is_answer

SET_ASIDE = ".set-aside"  # ending of the note that stands where something was that is not taken in
FOLDER = "set-aside"      # where files go that would shadow a module; no name that Python can import
STARTED_BY_PYTHON = {"sitecustomize", "usercustomize", "conftest", "pytest"}
OURS = {"timestamp.txt", "submission_secret.txt"}  # written by nbgrader's submit


@dataclass(frozen=True)
class Submission:
    """A submission that can be graded: `notebooks` are rebuilt and hold the learner's answers, by name."""

    topic: Topic
    folder: Path
    notebooks: dict[str, NotebookNode]
    notes: tuple[str, ...]
    shadows: tuple[str, ...]  # top-level names that would shadow a module

    def write_for_judge(self, folder: Path) -> str:
        """Fill `folder` with what the judge reads: the learner's files, and notebooks of nothing but answer cells.

        Returns a digest of it: equal for equal work, wherever and whenever it was handed in.
        """
        for path in self._files():
            target = folder / path.relative_to(self.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        for name, notebook in self.notebooks.items():
            answers = new_notebook(cells=[cell for cell in notebook.cells if is_answer(cell)])
            (folder / f"{name}.ipynb").write_text(nbformat.writes(answers), encoding="utf-8")
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = os.fsencode(path.relative_to(folder).as_posix())  # a name need not be text
                digest.update(b"%b\0%d\0" % (name, path.stat().st_size) + path.read_bytes())
        return digest.hexdigest()

    def _files(self) -> list[Path]:
        """What the learner's module may import or read: as it stands beside the module, packages and data included."""
        def wanted(path: Path) -> bool:
            parts = path.relative_to(self.folder).parts
            return (_size(path) is not None and parts[0] not in {*self.shadows, *OURS}
                    and not any(part.endswith((".ipynb", ".pyc", SET_ASIDE)) for part in parts))
        return [path for path in sorted(self.folder.rglob("*")) if wanted(path)]

    def set_aside(self, copied: Path) -> None:
        """In nbgrader's copy of the submission, clear away what would shadow a module and what is too large."""
        for name in self.shadows:
            if (path := copied / name).exists():
                (copied / FOLDER).mkdir(exist_ok=True)
                target = copied / FOLDER / f"{name}.txt"
                shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
                path.rename(target)
        for path in copied.rglob("*"):
            if path.is_file() and path.stat().st_size > MAX_FILE * 1000:
                path.unlink()


def read(topic: Topic, folder: Path, released: Path) -> Submission:
    """The submission in `folder`, rebuilt from the notebooks in `released`."""
    notes = _left_out(folder)
    shadows = tuple(sorted(p.name for p in _entries(folder) if _is_shadow(p, topic.module)))
    notes += [f"{name} has the name of a module that Python or this course uses. It was set aside and not imported; "
              f"give it another name if your work needs it." for name in map(_plain, shadows)]
    if not (folder / topic.module).is_file():
        notes.append(f"There is no {topic.module} in this submission, so the exercises it is judged for earn nothing. "
                     f"Hand in the {topic.module} beside your notebooks.")
    elif _size(folder / topic.module) is None:
        notes.append(f"{topic.module} is too large to be read, so it counts as missing.")
    originals = {path.stem: nbformat.read(path, as_version=4) for path in sorted(released.glob("*.ipynb"))}
    found, problems = _find(folder, originals)
    notes += problems
    notebooks = {}
    for name, original in originals.items():
        cells = found.get(name)
        result = graft(original, cells or [])
        notebooks[name] = result.notebook
        if cells is not None:
            notes += _about_cells(name, result.deleted, result.duplicated)
    return Submission(topic, folder, notebooks, tuple(notes), shadows)


def _about_cells(name: str, deleted: list[str], duplicated: list[str]) -> list[str]:
    notes = []
    if deleted:
        notes.append(f"{name}.ipynb lacks cells it was released with: {', '.join(deleted)}. They were put back as they "
                     f"were; an answer that is missing counts as not given.")
    if duplicated:
        notes.append(f"{name}.ipynb has more than one copy of {', '.join(duplicated)}. The last copy is graded.")
    return notes


def _find(folder: Path, originals: dict[str, NotebookNode]) -> tuple[dict[str, list[Cell]], list[str]]:
    """The learner's cells for every released notebook that is there, a renamed one included; and what is wrong."""
    found: dict[str, list[Cell]] = {}
    others: dict[str, list[Cell]] = {}
    notes, unreadable = [], set()
    for path in sorted(folder.glob("*.ipynb")):
        cells, language, problem = read_notebook(path)
        name, shown = path.stem, _plain(path.name)
        if problem:
            unreadable.add(name)
            notes.append(f"{shown} {problem}" + (" Its answers count as not given." if name in originals else ""))
        elif name in originals:
            found[name] = cells
            if language not in (None, "python"):
                notes.append(f"{shown} was saved for a {_plain(language)} kernel. It was run with Python, "
                             f"like all notebooks of this course.")
        else:
            others[path.name] = cells
    for name in sorted(originals.keys() - found.keys()):
        known = {cell.id for cell in originals[name].cells if "nbgrader" in cell.metadata}
        shared = {file: len(known & {n for cell in cells for n in cell.names}) for file, cells in others.items()}
        best = max(shared, key=lambda file: (shared[file], file), default=None)
        if best is not None and shared[best] > 0:
            found[name] = others.pop(best)
            notes.append(f"{_plain(best)} was taken for {name}.ipynb, whose cells it holds. "
                         f"Keep the released name, so that your feedback reaches you.")
        elif name not in unreadable:
            notes.append(f"There is no {name}.ipynb in this submission. Answers given in it count as not given; "
                         f"what is judged from your module is not affected.")
    notes += [f"{_plain(file)} is no notebook of this topic and was not graded." for file in others]
    return found, notes


def read_notebook(path: Path) -> tuple[list[Cell], str | None, str | None]:
    """(cells, language, problem): what can be used of a submitted notebook, whatever the file holds."""
    if path.is_dir():
        return [], None, "is a folder, not a notebook."
    if _size(path) is None:
        return [], None, f"is larger than {MAX_FILE // 1000} MB; clear its outputs before you hand it in."
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        return [], None, f"is not a notebook: it is no valid JSON ({type(error).__name__})."
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        return [], None, "is not a notebook of format 4: it has no list of cells."
    meta = data.get("metadata") if isinstance(data.get("metadata"), dict) else {}
    spec = meta.get("kernelspec") if isinstance(meta.get("kernelspec"), dict) else {}
    language = spec.get("language")
    cells = [cell for cell in map(_cell, data["cells"]) if cell is not None]
    return cells, language.lower() if isinstance(language, str) else None, None


def _cell(raw: object) -> Cell | None:
    if not isinstance(raw, dict) or raw.get("cell_type") not in ("code", "markdown", "raw"):
        return None
    source = raw.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return None
    meta = raw.get("metadata") if isinstance(raw.get("metadata"), dict) else {}
    graded = meta.get("nbgrader") if isinstance(meta.get("nbgrader"), dict) else {}
    names = tuple(n for n in (graded.get("grade_id"), raw.get("id")) if isinstance(n, str))
    return Cell(raw["cell_type"], _encodable(source), names, _attachments(raw.get("attachments")))


def _attachments(raw: object) -> dict:
    """Pictures pasted into a text cell, if they are nothing else."""
    if not isinstance(raw, dict):
        return {}
    return {name: bundle for name, bundle in raw.items() if isinstance(bundle, dict) and bundle
            and all(kind in ("image/png", "image/jpeg") and isinstance(data, str) for kind, data in bundle.items())}


def make_safe(folder: Path) -> None:
    """Replace what must not be copied or followed (links, pipes, devices, an unreadable time) by notes that say so."""
    if folder.is_symlink():
        folder.unlink()
        folder.mkdir()
        note_left_out(folder / "submission", "a symbolic link in place of the submission")
    for path in sorted(folder.rglob("*")):
        kind = stat.S_IFMT(path.lstat().st_mode)
        if kind == stat.S_IFLNK:
            path.unlink()
            note_left_out(path, "a symbolic link")
        elif kind not in (stat.S_IFREG, stat.S_IFDIR):
            path.unlink()
            note_left_out(path, "not a file")
        elif kind == stat.S_IFREG and not os.access(path, os.R_OK):
            path.unlink()
            note_left_out(path, "a file that cannot be read")
    if (times := folder / "timestamp.txt").is_file() and not _is_time(times):
        times.unlink()
        note_left_out(times, "not a time")


def note_left_out(path: Path, why: str) -> None:
    """Leave a note where `path` was: it outlives this run, so a second grading tells the same."""
    path.with_name(path.name + SET_ASIDE).write_text(why + "\n", encoding="utf-8")


def _left_out(folder: Path) -> list[str]:
    notes = []
    for path in sorted(folder.rglob("*" + SET_ASIDE)):
        name = _plain(path.relative_to(folder).as_posix().removesuffix(SET_ASIDE))
        why = _plain(path.read_text(encoding="utf-8", errors="replace")[:80].strip())
        notes.append(f"{name} was not taken in: {why}.")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".ipynb" and path.stat().st_size > MAX_FILE * 1000:
            notes.append(f"{_plain(path.relative_to(folder).as_posix())} was left out: "
                         f"{path.stat().st_size / 1e6:.0f} MB, the limit is {MAX_FILE // 1000} MB.")
    return notes


def _is_time(path: Path) -> bool:
    from nbgrader.utils import parse_utc

    try:
        parse_utc(path.read_text(encoding="utf-8").strip())
    except (ValueError, OverflowError):
        return False
    return True


def _entries(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if p.name not in OURS] if folder.is_dir() else []


def _is_shadow(path: Path, module: str) -> bool:
    """Whether `import` in the submission's folder would find this in place of a module of Python's or ours."""
    if path.name == module or not (path.is_dir() or path.suffix in (".py", ".pyc", ".pyd", ".so")):
        return False
    name = path.name.partition(".")[0]
    return (name == Path(module).stem or name in STARTED_BY_PYTHON or name in sys.stdlib_module_names
            or _installed(name))


def _installed(name: str) -> bool:
    places = [str(ROOT), *(p for p in sys.path if p and Path(p).name in ("site-packages", "dist-packages"))]
    spec = PathFinder.find_spec(name, places) if name.isidentifier() else None
    return spec is not None and spec.origin is not None


def _size(path: Path) -> int | None:
    """Bytes of a regular file that may be read; None if it is too large, no file, or not readable."""
    try:
        info = path.lstat()
    except OSError:
        return None
    return info.st_size if stat.S_ISREG(info.st_mode) and info.st_size <= MAX_FILE * 1000 else None


def _plain(name: str) -> str:
    """A learner's file name fit for a log line and a page: printable, short, no markup."""
    return "".join(c if c.isprintable() and c not in "<>`*[]" else "?" for c in name)[:80]


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
