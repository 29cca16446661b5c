"""What a notebook holds of the learner's module follows the file: as a whole, or not at all."""

from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace

import pytest
from IPython.core.events import EventManager, available_events

from tests.engines import REFERENCE, changed, written
from utils import fresh

PLAY = "a = Value(3.0)"


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A notebook that has run `from value import Value` and `follow("value")`; `run(cell)` precedes a cell."""
    written(tmp_path, REFERENCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "value", raising=False)
    importlib.invalidate_caches()
    module = importlib.import_module("value")
    shell = SimpleNamespace(user_ns={"Value": module.Value, "value": module})
    shell.events = EventManager(shell, available_events)
    monkeypatch.setattr(fresh, "get_ipython", lambda: shell)
    fresh.follow("value")
    yield SimpleNamespace(names=shell.user_ns, folder=tmp_path, shell=shell,
                          run=lambda cell=PLAY: shell.events.trigger("pre_run_cell", SimpleNamespace(raw_cell=cell)))
    sys.modules.pop("value", None)


def slope(names):
    a = names["Value"](3.0)
    (a * a).backward()
    return a.grad


TWICE = (("        self.grad = 1.0\n", "        self.grad = 2.0\n"),)


def test_a_saved_change_is_there_in_the_next_cell(notebook):
    notebook.run()
    assert slope(notebook.names) == 6.0
    written(notebook.folder, changed(*TWICE))
    notebook.run()
    assert slope(notebook.names) == 12.0
    assert notebook.names["value"] is sys.modules["value"] and notebook.names["value"].Value is notebook.names["Value"]


@pytest.mark.parametrize(("broken", "said"), [
    ("class Value:\n    def f(self:\n", "line 2: '(' was never closed."),
    ("import math\nimport no_such_module\n", "line 2: ModuleNotFoundError: No module named 'no_such_module'."),
    ("import sys\nsys.exit(0)\n", "line 2: SystemExit: 0."),
    ("\n\nraise KeyboardInterrupt\n", "line 3: KeyboardInterrupt."),
], ids=["syntax", "import", "exit", "interrupt"])
def test_a_file_that_cannot_be_loaded_is_told_in_one_line_and_changes_nothing(notebook, capsys, broken, said):
    notebook.run()
    written(notebook.folder, broken)
    told = f"value.py cannot be loaded: {said} This cell runs your last version that could.\n\n"
    for _ in range(2):      # as long as it is so, not only once
        notebook.run()
        assert capsys.readouterr() == (told, "")
        assert slope(notebook.names) == 6.0
    written(notebook.folder, changed(*TWICE))
    notebook.run()
    assert capsys.readouterr() == ("", "") and slope(notebook.names) == 12.0


def test_values_made_before_a_change_mix_with_new_ones(notebook):
    notebook.run()
    old = notebook.names["Value"](3.0)
    written(notebook.folder, REFERENCE + "\n# changed\n")
    notebook.run()
    out = notebook.names["Value"](2.0) * old + old
    out.backward()
    assert (out.data, old.grad) == (9.0, 3.0) and type(old) is notebook.names["Value"]


def test_to_the_escape_hatch_and_back(notebook):
    for source in ("from utils.autograd_stub import Value\n", REFERENCE):
        written(notebook.folder, source)
        notebook.run()
        assert slope(notebook.names) == 6.0 and notebook.names["Value"] is sys.modules["value"].Value


@pytest.mark.parametrize(("cell", "loads"), [
    ('check("1.3")', False), ("check(1)", False), ('# why?\nhint("1.1")\nstatus()', False),
    ("a = check(1)", True), ("Value(1.0)", True), ("check(1)\ndraw(a)", True), ("%time check(1)", True),
])
def test_a_cell_that_only_asks_loads_nothing(notebook, capsys, cell, loads):
    notebook.run()
    written(notebook.folder, "print('loaded')\n")
    notebook.run(cell)
    assert capsys.readouterr().out == "loaded\n" * loads


def test_names_that_are_not_the_modules_stay(notebook):
    number, text = 5, "mine"
    notebook.names |= {"n": number, "t": text, "Mine": type("Value", (), {})}
    before = dict(notebook.names)
    written(notebook.folder, REFERENCE + "\nn = 5\nlimit = 5\n")
    notebook.run()
    written(notebook.folder, REFERENCE + "\nn = 6\nlimit = 7\n")
    notebook.run()
    assert [notebook.names[key] is before[key] for key in ("n", "t", "Mine")] == [True] * 3


def test_following_again_registers_once(notebook, capsys):
    fresh.follow("value")
    written(notebook.folder, "print('loaded')\n")
    notebook.run()
    assert capsys.readouterr().out == "loaded\n" and fresh.followed("value") and not fresh.followed("other")


def test_outside_ipython_nothing_happens(monkeypatch):
    monkeypatch.setattr(fresh, "get_ipython", lambda: None)
    fresh.follow("value")
    assert not fresh.followed("value")
