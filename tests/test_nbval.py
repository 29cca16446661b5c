"""nbval runs every notebook; and what nbval lets pass in silence is caught beside it.

nbval passes a cell whose magic does not exist, a shell command that fails, and a cell that is meant to raise and does
not. So notebooks are plain Python, and after a cell that is meant to raise another one looks whether it did.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import symtable
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils.build.notebooks import learner_notebook
from utils.cli.build import instructor_files, write
from utils.curriculum import load

TIMEOUT = 120  # seconds a cell
BEFORE = "import sys\nsys.last_value = None"
AFTER = "assert sys.last_value is not None, 'the cell before this one was meant to raise'"


def guarded(notebook):
    """The notebook with a look, around each cell that is meant to raise, at whether it does."""
    cells = []
    for cell in notebook.cells:
        meant = cell.cell_type == "code" and "raises-exception" in cell.metadata.get("tags", [])
        cells += [new_code_cell(BEFORE), cell, new_code_cell(AFTER)] if meant else [cell]
    return new_notebook(cells=cells, metadata=notebook.metadata)


def not_python(notebook) -> list[str]:
    """The code cells that are not plain Python: magics, shell commands, help."""
    odd = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            try:
                ast.parse(cell.source)
            except SyntaxError:
                odd.append(cell.source)
    return odd


def rebound(notebook) -> list[str]:
    """The names that one cell imports from utils and a cell gives another meaning, in a loop for example."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    ours = {name.asname or name.name for source in sources for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("utils") for name in node.names}
    given = {symbol.get_name() for source in sources
             for symbol in symtable.symtable(source, "cell", "exec").get_symbols() if symbol.is_assigned()}
    return sorted(ours & given)


def nbval(*paths: Path) -> subprocess.CompletedProcess:
    """Run nbval on notebooks, in a pytest of its own that shares nothing with this one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "UPSTREAM_"))}
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-cell-timeout", str(TIMEOUT),
               "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(paths[0].parent), *map(str, paths)]
    return subprocess.run(command, cwd=paths[0].parent, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Every topic's notebooks to run: as shipped, unless they need the learner's module; the graded ones solved too."""
    root = tmp_path_factory.mktemp("nbval")
    paths = []
    for topic in load():
        solved, shipped = root / "solved" / topic.slug, root / "shipped" / topic.slug
        write(instructor_files(topic, solved, reference=True))
        shipped.mkdir(parents=True)
        for name in topic.notebooks:
            notebook = learner_notebook(topic, name)
            if any("nbgrader" in cell.metadata for cell in notebook.cells):
                paths.append(solved / f"{name}.ipynb")
            needs = re.compile(rf"^(from|import) {Path(topic.module).stem}\b", re.MULTILINE)
            if not any(needs.search(cell.source) for cell in notebook.cells):
                paths.append(shipped / f"{name}.ipynb")
                nbformat.write(notebook, paths[-1])
    return paths


def test_every_notebook_runs(built):
    for path in built:
        notebook = nbformat.read(path, as_version=4)
        assert not_python(notebook) == [], path
        assert rebound(notebook) == [], path
        nbformat.write(guarded(notebook), path)
    result = nbval(*built)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]


def _write(folder, *sources, tags=()):
    cells = [new_code_cell(source, metadata={"tags": list(tags)} if tags else {}) for source in sources]
    path = folder / "control.ipynb"
    nbformat.write(guarded(new_notebook(cells=cells)), path)
    return path


@pytest.mark.parametrize(("source", "found"), [
    ("with a:\n    for step in (1, 2):\n        b", ["step"]),
    ("def step():\n    pass", ["step"]),
    ("[step for step in (1, 2)]\ndef f():\n    step = 1", []),
    ("from utils.stepper import step\nstep(1)", []),
], ids=["loop", "function", "name of its own", "imported again"])
def test_a_name_of_ours_is_not_used_again_for_something_else(source, found):
    notebook = new_notebook(cells=[new_code_cell("from utils.stepper import step"), new_code_cell(source)])
    assert rebound(notebook) == found


def test_a_good_notebook_passes(tmp_path):
    assert nbval(_write(tmp_path, "a = 1", "assert a == 1")).returncode == 0


@pytest.mark.parametrize(("sources", "tags"), [
    (["1 / 0"], ()),
    (["from value import Value"], ()),
    (["a = 1", "assert a == 2"], ()),
    (["1 + 1"], ("raises-exception",)),
], ids=["error", "no module beside it", "assertion", "meant to raise and does not"])
def test_a_notebook_that_must_fail_fails(tmp_path, sources, tags):
    assert nbval(_write(tmp_path, *sources, tags=tags)).returncode == 1


def test_a_cell_that_raises_as_meant_passes(tmp_path):
    assert nbval(_write(tmp_path, "1 / 0", tags=("raises-exception",))).returncode == 0


@pytest.mark.parametrize("source", ["%no_such_magic\n1 / 0", "!exit 3", "a = 1\na?", "%%time\na"])
def test_what_nbval_passes_in_silence_is_not_plain_python(source):
    assert not_python(new_notebook(cells=[new_code_cell(source), new_code_cell("fine = 1")])) == [source]
