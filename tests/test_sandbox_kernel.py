"""The notebook that is run for the feedback page is in a sandbox too, and cannot hold up or flood the grader."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Configurable

from tests.engines import TOPIC
from utils.cli.tools import need
from utils.curriculum import ROOT
from utils.grading.plugin import RunForDisplay
from utils.sandbox import kernel as kernels
from utils.sandbox.isolation import SANDBOX, WEAK
from utils.sandbox.kernel import SandboxedKernel

need("bwrap")

CANARY = "a canary outside of the sandbox"


class Grader(Configurable):
    """In nbgrader's place."""

    isolation = SANDBOX


@pytest.fixture
def folder(tmp_path):
    """A learner's folder, and beside it what is not theirs."""
    here = tmp_path / TOPIC.slug
    here.mkdir()
    (here / "helper.py").write_text("ONE = 1\n")
    (tmp_path / "upstream.db").write_text(CANARY)
    return here


def ran(folder: Path, *sources: str, isolation: str = SANDBOX, budget: int = 60, **settings):
    """The notebook of these cells, run for display in `folder`; and what was logged."""
    cells = [new_code_cell(source, id=f"cell-{k}", metadata={"nbgrader": {
        "grade": k == 0, "solution": False, "grade_id": f"g{k}", "locked": True, "schema_version": 3, "points": 1,
        "cell_type": "code"}}) for k, source in enumerate(sources)]
    step = RunForDisplay(parent=Grader(), budget=budget, **{"timeout": 10, "iopub_timeout": 3, **settings})
    step.parent.isolation = isolation
    lines = []
    step.log = logging.Logger("run", logging.WARNING)
    step.log.addHandler(logging.Handler())
    step.log.handlers[0].emit = lambda record: lines.append(record.getMessage())
    resources = {"metadata": {"path": str(folder)}, "nbgrader": {"student": "s", "assignment": "a", "notebook": "n"}}
    notebook, _ = step.preprocess(new_notebook(cells=cells), resources)
    nbformat.validate(notebook)
    return notebook, "\n".join(lines)


def shown(cell) -> str:
    return "".join(output.get("text", "") + output.get("evalue", "") + str(output.get("data", {}).get("text/plain", ""))
                   for output in cell.outputs)


PLACES = [str(ROOT / "solutions"), str(ROOT / "tests"), str(ROOT / "README.md"), "/etc/passwd", "../upstream.db"]
LOOK = f"""
import json, os, socket, pathlib
found = [p for p in {PLACES} + [GRADEBOOK] if os.path.exists(p)]
try:
    socket.create_connection(('127.0.0.1', PORT), 1)
    found.append('a port')
except OSError:
    pass
import utils
from helper import ONE
found += [ONE, pathlib.Path.cwd().name, [n for n in os.environ if 'SECRET' in n], os.getppid()]
pathlib.Path('written.txt').write_text('x')
print(json.dumps(found))
"""


@pytest.mark.parametrize(("isolation", "outside"), [(SANDBOX, False), (WEAK, True)])
def test_a_notebook_sees_its_folder_and_our_package_and_nothing_else(isolation, outside, folder, monkeypatch):
    """Weak isolation is the negative control: the same cell finds everything."""
    monkeypatch.setenv("A_SECRET", "x")
    gradebook = str(folder.parent / "upstream.db")
    with socket.create_server(("127.0.0.1", 0)) as server:
        look = LOOK.replace("GRADEBOOK", repr(gradebook)).replace("PORT", str(server.getsockname()[1]))
        notebook, log = ran(folder, look, isolation=isolation)
    assert log == ""
    *found, one, here, secrets, parent = json.loads(shown(notebook.cells[0]))
    assert (one, here) == (1, TOPIC.slug)
    if outside:
        assert {gradebook, "a port"} <= set(found) and secrets == ["A_SECRET"]
    else:
        assert (found, secrets, parent) == ([], [], 1)
        assert sorted(path.name for path in folder.iterdir()) == ["helper.py"]


def test_an_endless_print_ends_with_a_sentence_and_the_notebook_goes_on(folder):
    notebook, log = ran(folder, "1", "while True: print('x' * 1000)", "6 * 7")
    assert log == ""
    assert "this cell printed more than 1,048,576 characters" in shown(notebook.cells[1])
    assert "inside.py" not in str(notebook) and shown(notebook.cells[2]) == "42"
    assert len(str(notebook)) < 50_000


def test_an_endless_loop_is_interrupted_and_the_notebook_goes_on(folder):
    notebook, log = ran(folder, "1", "while True: pass", "6 * 7", timeout=1)
    assert "Interrupting kernel" in log and "not run to its end" not in log
    assert shown(notebook.cells[2]) == "42"


SPOILERS = {
    "ends": "import os; os._exit(0)",
    "kills": "import os; os.kill(os.getpid(), 9)",
    "floods": "from IPython.display import display, HTML\nwhile True: display(HTML('x' * 1_000_000))",
    "one huge message": "from IPython.display import HTML\nHTML('x' * 60_000_000)",
    "forks": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "no answer": "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
    "memory": "keep = [bytearray(b'x' * (1 << 24)) for _ in range(40)]\nwhile True: pass",
}


@pytest.mark.parametrize("name", SPOILERS)
def test_a_spoiled_kernel_costs_only_the_outputs(name, folder, monkeypatch):
    monkeypatch.setattr(kernels, "MEMORY", 1 << 29)
    monkeypatch.setattr("utils.grading.plugin.MAX_RECEIVED", 5_000_000)
    monkeypatch.setattr("utils.grading.plugin.GRACE", 1)
    soon = name in ("no answer", "forks")   # these end with the time that they may take
    notebook, log = ran(folder, "1", SPOILERS[name], budget=4 if soon else 60, timeout=1 if soon else 60)
    assert "s, a: n.ipynb was not run to its end" in log
    assert notebook.cells[0].source.startswith("**This notebook could not be run to its end**")
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_nothing_of_a_kernel_is_left(folder):
    async def start_and_end():
        manager = SandboxedKernel(folder, 60, kernel_name="python3")
        await manager.start_kernel(env={})
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=30)
        client.execute("import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'],"
                       " start_new_session=True)")
        await client.get_shell_msg(timeout=30)
        members = kernels.Family(manager.provisioner.pid).members()
        await manager.shutdown_kernel(now=True)
        client.stop_channels()
        return members, Path(manager.ip).parent

    members, place = asyncio.run(start_and_end())
    assert len(members) > 4
    for member in members:
        member.wait(10)
    assert not place.exists()


def test_a_kernel_is_nobody_outside(folder):
    async def owner():
        manager = SandboxedKernel(folder, 60, kernel_name="python3")
        await manager.start_kernel(env={})
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=30)
        uid = kernels.Family(manager.provisioner.pid).members()[-1].uids().real
        await manager.shutdown_kernel(now=True)
        client.stop_channels()
        return uid

    uid = asyncio.run(owner())
    assert uid == os.getuid() if os.getuid() else uid > 60_000
