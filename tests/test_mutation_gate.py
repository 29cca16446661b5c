"""The mutation gate: a fixed share of all mutants here, the whole with `python -m tests.mutation`."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from dataclasses import replace
from unittest.mock import patch

import pytest

from tests import cosmic_mutants, mutation
from tests.drawn_once import drawn_once
from tests.engines import REFERENCE, TOPIC, changed, written
from tests.kill_table import EQUIVALENT, NOT_JUDGED, reason, table, unused_reasons
from tests.mutation import (
    SOURCES,
    Mutant,
    broken_by,
    concerned,
    depends_on_seed,
    killed_by,
    mutants,
    promises,
    share,
    survivors,
    with_catalogue,
)
from utils.judge.core import judge
from utils.judge.promises import collect

EVERY = {file: mutants(file) for file in SOURCES}
SHARE = share(26)
TABLE = TOPIC.tests / "kill-table.md"


# Which mutants there are

def test_every_function_that_is_judged_is_mutated():
    for file, source in SOURCES.items():
        classes = [c for c in ast.parse(source).body if isinstance(c, ast.ClassDef)]
        methods = {f"{c.name}.{f.name}" for c in classes for f in c.body if isinstance(f, ast.FunctionDef)}
        assert methods - set(NOT_JUDGED) == {m.function for m in EVERY[file] if "." in m.function}
        assert len({m.name for m in EVERY[file]}) == len({m.source for m in EVERY[file]}) == len(EVERY[file])


def test_operators_make_the_slips_that_learners_make():
    """One of each kind that is asked for, in the model answer."""
    told = {m.name.removeprefix("reference: ") for m in EVERY["reference"]}
    slips = {
        "Value.__add__: `self.grad += 1.0 * out.grad` -> `self.grad = 1.0 * out.grad`",
        "Value.__mul__: `self.grad += other.data * out.grad` -> `self.grad += other.data`",
        "Value.__mul__: `self.grad += other.data * out.grad` -> `self.grad += self.data * out.grad`",
        "Value.backward: `self.grad = 1.0` -> `self.grad = 2.0`",
        "Value.backward: `self.grad = 1.0` -> `pass`",
        "Value.backward: `for node in reversed(order):` -> `for node in order:`",
        "Value.backward: `order.append(node)` -> `order.insert(0, node)`",
        "Value.backward: `if node in seen:` -> `pass`",
        "Value.__sub__: `return self + -other` -> `return self + other`",
        "Value.__neg__: `return self * -1.0` -> `return self * 1.0`",
        "Value.tanh: `out._backward = _backward` -> `pass`",
        "train_step: `p.data -= learning_rate * p.grad` -> `p.data += learning_rate * p.grad`",
    }
    assert slips <= told, slips - told


def test_mutants_are_programs_that_differ_in_one_place():
    original = ast.unparse(ast.parse(REFERENCE)).splitlines()
    for m in EVERY["reference"]:
        lines = ast.unparse(ast.parse(m.source)).splitlines()
        assert lines != original
        assert sum((Counter(lines) - Counter(original)).values()) <= 2, m.name


# What is caught

@pytest.fixture(scope="module")
def killers() -> dict[Mutant, list[str]]:
    return {m: killed_by(m) for m in SHARE}


def test_share_is_spread_over_files_levels_and_operators():
    assert len(SHARE) >= 30
    assert {m.file for m in SHARE} == set(SOURCES)
    assert {level for m in SHARE for level in m.levels} == {1, 2, 3, 4}
    assert len({m.operator for m in SHARE}) >= 8
    assert share(1) == [m for file in SOURCES for m in mutants(file)] and set(SHARE) < set(share(1))


def test_every_mutant_is_caught_at_its_level_or_known_as_equivalent(killers):
    assert [m.name for m in survivors(killers)] == []
    assert sum(bool(names) for names in killers.values()) >= 0.75 * len(killers)


def test_unchanged_files_break_nothing(tmp_path):
    for file, source in SOURCES.items():
        assert broken_by(source, promises(file), tmp_path / file) == []


def test_promises_that_are_left_out_hold(killers, tmp_path):
    """A promise that a mutant is not run against does not run the mutated code: it holds."""
    for k, m in enumerate([m for m in SHARE if m.levels in ((2,), (4,))][::6]):
        left_out = [p for p in promises(m.file) if not concerned(m, p)]
        assert left_out
        assert broken_by(m.source, left_out, tmp_path / str(k)) == [], m.name


def test_gate_agrees_with_the_judge(killers, tmp_path):
    """The same verdicts as core.judge, promise by promise."""
    for k, m in enumerate([m for m in SHARE if killers[m]][::6]):
        wanted = [p for p in promises(m.file) if concerned(m, p)]
        with drawn_once():
            file = written(tmp_path / str(k), m.source)
            report = judge(TOPIC, tmp_path, file=file, only={p.exercise for p in wanted})
        assert {v.name for v in report.verdicts if v.status != "passed"} == set(killers[m]), m.name


# Negative controls

CHANGED = Mutant("reference", "Value.exp", "statement removed", "self.grad += out.data * out.grad", "pass", "")


def test_gate_reports_what_survives():
    assert survivors({CHANGED: []}) == [CHANGED]
    assert survivors({CHANGED: ["test_exp"]}) == []
    assert survivors({CHANGED: ["test_generated_programs"]}) == [CHANGED]       # not at its own level
    excused = next(m for m in EVERY["reference"] if reason(m))
    assert survivors({excused: []}) == []


def test_gate_reports_a_reason_without_mutants():
    assert set(unused_reasons({CHANGED: []})) == {p for patterns in EQUIVALENT.values() for p in patterns}


def test_gate_notices_a_promise_that_is_gone(killers):
    """Without the promises of level 1, mutants of level 1 survive."""
    gone = {p.name for p in collect(TOPIC) if p.exercise[0] == "1"}
    assert survivors({m: [n for n in names if n not in gone] for m, names in killers.items() if 1 in m.levels})


def test_mutant_that_never_ends_is_caught_and_left(tmp_path):
    endless = REFERENCE.replace("        self.grad = 1.0\n", "        while True: pass\n")
    with patch.object(mutation, "ENOUGH", replace(mutation.ENOUGH, cpu=0.2)):
        broken = broken_by(endless, promises("reference"), tmp_path)
    assert len(broken) == mutation.ENDLESS


# The committed table

def test_kill_table_is_of_these_files_and_promises():
    """The whole run is too long for here; what it counted must still be what there is."""
    text = TABLE.read_text(encoding="utf-8")
    stale = "kill-table.md is out of date: run `python -m tests.mutation --table`"
    for file in SOURCES:
        counts = Counter(m.function for m in EVERY[file])
        assert f"| {file} | {len(EVERY[file])} |" in text, stale
        assert all(f"| {file} | {function} | {count} |" in text for function, count in counts.items()), stale
    for p in collect(TOPIC):
        assert "engine" not in p.asks_for or f"| {p.exercise} | {p.name} |" in text, stale


def test_kill_table_counts():
    excused = next(m for m in EVERY["reference"] if reason(m))
    counted = [p for p in collect(TOPIC) if p.name in ("test_exp", "test_log")]
    text = table({CHANGED: ["test_exp"], excused: [], replace(CHANGED, after="x"): []}, counted)
    assert "| reference | 3 | 1 | 1 | 1 |" in text
    assert "| 2.3 | test_exp | 1 | 1 |" in text
    assert "Catching nothing: test_log." in text


# Local and graded verdicts

def test_verdicts_do_not_depend_on_the_seed(tmp_path):
    """Both files, a dozen mutants, and some of the catalogue's engines; `python -m tests.mutation --seeds` has more."""
    unchanged = [Mutant(file, "Value.backward", "none", "", "", source) for file, source in SOURCES.items()]
    assert depends_on_seed([*unchanged, *SHARE[1::3]], range(1, 6), "3.1") == []
    assert depends_on_seed(with_catalogue(SHARE[1::6])[::16], range(1, 3), "1") == []
    assert depends_on_seed(with_catalogue(SHARE[1::6])[1::16], range(1, 3), "2") == []


@pytest.mark.parametrize(("name", "seed"), [
    ("reference: log padded by 1e-6", 75), ("stored: log padded by 1e-12", 82), ("reference: = for the right of *", 58),
    ("reference: * hands a set of its inputs to a function", 95), ("dispatch: shares in a dict for *", 97)])
def test_flaw_that_a_draw_may_miss_is_met_by_every_check(name, seed, tmp_path):
    """Each with a seed whose programs once told it otherwise than those of a learner's own check."""
    (engine,) = [m for m in with_catalogue([]) if m.before == name]
    assert depends_on_seed([engine], [seed], "3.1") == []
    broken = broken_by(engine.source, [p for p in promises("reference") if p.exercise == "3.1"], tmp_path)
    assert set(broken) >= {"test_generated_programs", "test_generated_long_programs"}


def test_verdict_that_depends_on_the_seed_is_told():
    """Negative control: an engine that is wrong on graphs of seven nodes of which the first holds -1.25."""
    odd = "        self.grad = 1.0 + (len(order) == 7 and order[0].data == -1.25)\n"
    rare = REFERENCE.replace("        self.grad = 1.0\n", odd)
    found = depends_on_seed([Mutant("reference", "Value.backward", "rare", "", "", rare)], range(1, 9), "3.1")
    assert 0 < len(found) < 9
    table = REFERENCE.replace("        self.grad = 1.0\n", "        self.grad = 1.0 + (order[0].data * 4 % 1 > 0)\n")
    found = depends_on_seed([Mutant("reference", "Value.backward", "table", "", "", table)], [1], "1.2")
    assert len(found) == 1 and "test_sum_passes_the_upstream_gradient" in found[0]


# Another tool's mutants

def test_mutants_of_another_tool_are_taken_where_they_are_new_and_judged(monkeypatch):
    monkeypatch.setattr(cosmic_mutants, "mutants", EVERY.get)
    line = "            self.grad += out.data * out.grad\n"
    made = [("Remainder", changed((line, line.replace("* out.grad", "% out.grad")))),
            ("Again", changed((line, line.replace("* out.grad", "% out.grad")))),
            ("Ours", changed((line, line.replace("+=", "=")))), ("Broken", changed((line, line.replace("*", "* *")))),
            ("Printing", REFERENCE.replace("Value(", "Valve(", 1)), ("Nothing", REFERENCE)]
    found = list(cosmic_mutants.others(REFERENCE, iter(made)))
    assert [(m.function, m.operator, m.before, m.after) for m in found] == [
        ("Value.exp", "Remainder", line.strip(), line.strip().replace("* out.grad", "% out.grad"))]
    assert found[0].levels == (2,) and set(killed_by(found[0])) >= {"test_exp"}


def test_other_form_of_sigmoid_is_asked_for_just_below_zero():
    """Found by cosmic-ray: a form that is for 0 and above, taken from -1 on, is wrong in between."""
    wrong = changed(("(1.0 if self.data >= 0 else e)", "(1.0 if self.data >= -1 else e)"))
    assert "test_sigmoid" in killed_by(Mutant("reference", "Value.sigmoid", "", "", "", wrong))


def test_the_other_tool_is_asked_for_in_a_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cosmic_ray", None)
    assert cosmic_mutants.main() == 2
    assert "problem: cosmic-ray is not installed -> do: " in capsys.readouterr().err
