"""`course.py build`: everything in this repository that is generated, from the sources it is generated from."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from utils.curriculum import ROOT, CurriculumError, Topic, load, topic


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", nargs="?", help="slug or number, for --instructor; all topics by default")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the files that are stale")
    parser.add_argument("--instructor", metavar="DIR", type=Path,
                        help="write instead DIR/<topic>/: notebooks with answers and nbgrader's markers")
    parser.add_argument("--reference", action="store_true",
                        help="with --instructor: the reference solution beside them, not the learner's file")


def run(args: argparse.Namespace) -> int:
    from utils.build.notebooks import BuildError
    from utils.build.skeleton import SkeletonError

    try:
        if args.instructor:
            for one in [topic(args.topic)] if args.topic else load(drafts=True):
                write(instructor_files(one, args.instructor / one.slug, args.reference))
            return 0
        files = shipped_files()
    except (BuildError, CurriculumError, SkeletonError) as error:
        print(error, file=sys.stderr)
        return 1
    stale = [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]
    left = leftovers(files)
    if args.check:
        for path in sorted([*stale, *left]):
            print(f"stale: {path.relative_to(ROOT).as_posix()}" + (" has no source" if path in left else ""))
        if stale or left:
            print("Run `python3 course.py build` and commit what it writes.")
        return 1 if stale or left else 0
    write({path: files[path] for path in stale})
    for path in left:
        path.unlink()
    print(f"{len(files)} generated files, {len(stale) + len(left)} of them changed.")
    fill_course()
    return 0


def shipped_files() -> dict[Path, bytes]:
    """Every committed file that is generated, with its content."""
    from utils.build.figures import figures
    from utils.build.stub import stub
    from utils.judge import asked, catalogue_page, layer_catalogue_page

    engine = topic("02").solutions / "level03-memory-efficient.py"
    text = stub(engine.read_text(encoding="utf-8"), engine.relative_to(ROOT).as_posix())
    files = {ROOT / "utils" / "autograd_stub.py": text.encode()}
    for one in load(drafts=True):
        files |= learners_files(one)
    files |= catalogue_page.files() | layer_catalogue_page.files() | asked.files()
    return files | {ROOT / name: picture for name, picture in figures().items()}


def learners_files(one: Topic) -> dict[Path, bytes]:
    """What is generated in a topic's folder: its notebooks and the learner's file."""
    return {**notebooks(one, one.shipped, answers=False), one.shipped / one.module: _skeleton(one)}


def instructor_files(one: Topic, folder: Path, reference: bool = False) -> dict[Path, bytes]:
    """The instructor's folder of a topic: notebooks with answers, the module as released or as solved, and texts."""
    module = _reference(one) if reference else _skeleton(one)
    own = {one.module, *(f"{name}{kind}" for name in one.notebooks for kind in (".md", ".ipynb"))}
    beside = {folder / path.relative_to(one.shipped): path.read_bytes() for path in sorted(one.shipped.rglob("*"))
              if path.is_file() and path.name not in own and ".ipynb_checkpoints" not in path.parts}
    return {**beside, folder / one.module: module, **notebooks(one, folder, answers=True)}


def notebooks(one: Topic, folder: Path, answers: bool) -> dict[Path, bytes]:
    from utils.build.notebooks import as_text, complete, instructor_notebook, learner_notebook

    make = instructor_notebook if answers else learner_notebook
    made = {name: make(one, name) for name in one.notebooks}
    complete(one, list(made.values()))
    return {folder / f"{name}.ipynb": as_text(notebook).encode() for name, notebook in made.items()}


def _reference(one: Topic) -> bytes:
    return (one.solutions / one.reference).read_bytes()


def _skeleton(one: Topic) -> bytes:
    from utils.build.skeleton import SkeletonError, skeleton

    try:
        return skeleton(_reference(one).decode()).encode()
    except SkeletonError as error:
        raise SkeletonError(f"solutions/{one.slug}/{one.reference}: {error}") from error


def leftovers(files: dict[Path, bytes]) -> list[Path]:
    """Notebooks in topics/ that no source makes."""
    return sorted(path for one in load(drafts=True) for path in one.shipped.glob("*.ipynb") if path not in files)


def write(files: dict[Path, bytes]) -> None:
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def fill_course(course: Path | None = None) -> None:
    """Fill the nbgrader course's source/ (an instructor's own edits there are kept) and make its exchange."""
    from utils.grading.course import fill

    for path in fill(course):
        print(f"kept, since it was edited by hand: {path}")
