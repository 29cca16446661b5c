"""`course.py bench`: every target is measured and reported, whatever is missing. No time is asserted."""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import operator
import subprocess
from collections import Counter

import numpy as np
import pytest

from utils.bench import baselines, measure, scalar, stepping, targets, worker
from utils.cli import bench
from utils.cli.tools import need, need_module
from utils.curriculum import ROOT


class Tiny(targets.Plan):
    """Nothing larger than 200 nodes."""

    def size(self, full: int, quick: int) -> int:
        return min(quick, 200)


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return bench.run(parser.parse_args(words))


def unreachable(*_):
    raise baselines.NoBaselines("No index here.")


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """(exit status, the JSON) of a run with tiny graphs, without PyTorch and with no network."""
    file = tmp_path_factory.mktemp("bench") / "results.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(targets, "Plan", Tiny)
        patch.setattr(targets, "has_torch", lambda: False)
        patch.setattr(baselines, "ready", lambda: True)
        patch.setattr(baselines, "install", unreachable)
        patch.setattr(stepping, "a_step", lambda: stepping.Cost(199, 332, 1.0, 2.0, 9.0, 50.0))   # for real below
        status = command("--quick", "--json", str(file))
    return status, json.loads(file.read_text(encoding="utf-8"))


def test_every_target_is_reported(small_run):
    status, report = small_run
    assert status == 0
    assert list(dict.fromkeys(row["id"] for row in report["results"])) == list(targets.IDS)
    double = {id for id, count in Counter(row["id"] for row in report["results"]).items() if count > 1}
    assert double == {"S1", "S7", "S8", "S10", "V1", "V2", "V3", "L1", "G3", "W1"}
    fields = {field.name for field in dataclasses.fields(targets.Row)} | {"met"}
    for row in report["results"]:
        assert set(row) == fields
        assert row["ours"] >= 0


def test_what_is_missing_is_said(small_run):
    _, report = small_run
    assert any(note.startswith("No index here. What is compared with them is left out") for note in report["notes"])
    assert any(note.startswith("PyTorch is not installed here") for note in report["notes"])
    assert any(note.startswith("Quick: 2 rounds instead of 4 and smaller graphs") for note in report["notes"])
    for row in report["results"]:
        missing = row["against"] in ("micrograd", "torch")
        assert (row["met"] is None) == (missing or row["id"] == "L1")      # which has no target
        assert (row["note"] == f"{row['against']} is not installed") == missing or row["id"] == "S3"


def test_structure_is_judged_at_any_size(small_run):
    """What needs no clock: nothing is left after del, and a whole network is checked in few evaluations."""
    _, report = small_run
    rows = {row["id"]: row for row in report["results"]}
    assert rows["S9"]["met"] is True
    assert [row["met"] for row in report["results"] if row["id"] == "G3"] == [True, True]


def test_a_row_is_met_on_the_right_side():
    row = targets.Row("S1", "", 1.0, 9.0, "micrograd", "ms", 9.0, 9, True)
    assert (row.met, dataclasses.replace(row, figure=8.9).met) == (True, False)
    low = dataclasses.replace(row, at_least=False)
    assert (low.met, dataclasses.replace(low, figure=9.1).met) == (True, False)
    assert dataclasses.replace(row, figure=None).met is None
    assert dataclasses.replace(row, bound=None).met is None


def test_the_table_shows_a_row_as_it_is():
    from rich.console import Console

    made = targets.Row("S9", "nodes [left]", 0, None, "", "nodes", 0, 0, False)
    console = Console(width=150, file=io.StringIO())
    console.print(bench.table([made]))
    assert "S9" in console.file.getvalue()
    assert "nodes [left]" in console.file.getvalue()


def test_engines_that_disagree_are_not_timed():
    run = measure.Race("fan", ("level 3", "level 3, dot"), 10, 10, 1)  # the second computes two moons instead
    with pytest.raises(measure.WorkerFailed, match="level 3, dot computes something else on fan: 338 numbers, not 2"):
        measure.race(run, 1, None)
    with pytest.raises(measure.WorkerFailed, match=r"other computes something else on x: 2\.01, not 2\.0"):
        measure._agree("x", "other", [1.0, 2.01], [1.0, 2.0])


def test_a_worker_that_fails_is_named(capfd):
    with pytest.raises(measure.WorkerFailed, match="level 3 stopped with exit status 1"):
        measure.race(measure.Race("no such workload", ("level 3",), 10, 10), 1, None)
    assert "AttributeError" in capfd.readouterr().err


def test_a_program_uses_all_of_micrograds_operations():
    _, lines, ends = scalar.dag_lines(600)
    assert len(lines) + len(ends) - 1 == 600
    assert lines == scalar.dag_lines(600)[1]
    used = {f for f, _, _ in lines}
    assert used >= {operator.add, operator.sub, operator.mul, operator.truediv, operator.neg}
    assert len(used) == 7  # and relu, and the square
    numbers = range(len(scalar.NUMBERS))
    assert {(i in numbers, j in numbers) for _, i, j in lines if j is not None} == {(False, False), (True, False),
                                                                                   (False, True)}


def test_a_node_that_is_kept_is_counted():
    """S9 can fail: an engine with cycles leaves its nodes behind."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("naive", worker.SOLUTIONS / "level01-naive.py")
    naive = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(naive)
    assert scalar.left_after_del(naive.Value, 200) > 200
    assert scalar.left_after_del(worker.engine("level 3").Value, 200) == 0


def test_no_network_is_a_sentence(monkeypatch, tmp_path):
    words = "ERROR: Could not find a version that satisfies the requirement micrograd==0.1.0"
    monkeypatch.setattr(baselines.venv.EnvBuilder, "create", lambda self, folder: folder.mkdir())
    monkeypatch.setattr(baselines.subprocess, "run",
                        lambda command, **_: subprocess.CompletedProcess(command, 1, "", f"WARNING\n{words}\n"))
    with pytest.raises(baselines.NoBaselines, match=r"micrograd==0\.1\.0.*no package index can be reached.*ERROR: C"):
        baselines.install(tmp_path / "environment")
    assert not baselines.ready(tmp_path / "environment")


def test_the_baselines_use_our_numpy():
    ours = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = baselines.PINS.read_text(encoding="utf-8").splitlines()
    assert {line.split("==")[0] for line in pins} == {"autograd", "micrograd", "numpy"}
    assert next(line for line in pins if line.startswith("numpy==")) in ours


def test_results_go_to_a_folder_that_exists(tmp_path, capsys):
    assert command("--json", str(tmp_path / "missing" / "results.json")) == 2
    assert capsys.readouterr().err.startswith("problem: there is no folder")


# The array engine's operations that the benchmarks rely on


FUSED = {
    "linear": (lambda m, x, w, b: m.linear(x, w, b), lambda t, x, w, b: x @ w + b),
    "linear, relu": (lambda m, x, w, b: m.linear(x, w, b, "relu"), lambda t, x, w, b: (x @ w + b).relu()),
    "linear, tanh": (lambda m, x, w, b: m.linear(x, w, b, "tanh"), lambda t, x, w, b: (x @ w + b).tanh()),
    "softmax": (lambda m, x, w, b: (x @ w + b).softmax(), lambda t, x, w, b: t.softmax(x @ w + b, -1)),
}


@pytest.mark.parametrize("shape", [(5, 3), (2, 5, 3)])
@pytest.mark.parametrize("op", FUSED)
def test_fused_operations_agree_with_pytorch(op, shape):
    torch = pytest.importorskip("torch")
    level2 = worker.engine("level 2")
    rng = np.random.default_rng(7)
    arrays = [rng.normal(size=s) for s in (shape, (3, 4), (4,))]
    ours, theirs = [level2.Value(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    out, expected = FUSED[op][0](level2, *ours), FUSED[op][1](torch, *theirs)
    cotangent = rng.normal(size=out.data.shape)
    out.backward(cotangent, inner=False)
    expected.backward(torch.tensor(cotangent))
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-12)
    for x, t in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=1e-10, atol=1e-13)
    assert type(out.grad) is float  # a gradient inside the graph was not kept


def test_cross_entropy_agrees_with_pytorch():
    torch = pytest.importorskip("torch")
    level2 = worker.engine("level 2")
    array = np.random.default_rng(7).normal(size=(5, 3)) * 300  # exp of it would overflow
    ours, theirs = level2.Value(array), torch.tensor(array, requires_grad=True)
    labels = [0, 2, 1, 1, 2]
    out, expected = ours.cross_entropy(labels) * 3, torch.nn.functional.cross_entropy(theirs, torch.tensor(labels)) * 3
    out.backward()
    expected.backward()
    assert float(out.data) == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-10, atol=1e-15)


def test_single_precision_stays():
    level2 = worker.engine("level 2")
    x = level2.Value(np.ones((4, 3), dtype=np.float32))
    w, b = level2.Value(np.ones((3, 2), dtype=np.float32)), level2.Value(np.zeros(2, dtype=np.float32))
    out = ((level2.linear(x, w, b, "tanh") * 0.5 + 1) ** 2).sigmoid().max(1).mean()
    out.backward()
    assert {array.dtype for array in (out.data, x.grad, w.grad, b.grad)} == {np.dtype(np.float32)}
    assert level2.Value([1, 2]).data.dtype == np.float64


def test_a_leafs_gradient_is_its_own():
    level2 = worker.engine("level 2")
    a, b = level2.Value(np.ones((2, 3))), level2.Value(np.ones((2, 3)))
    cotangent = np.ones((2, 3))
    (a + b).backward(cotangent)
    a.grad *= 5
    assert (b.grad.max(), cotangent.max()) == (1.0, 1.0)


def test_an_unknown_activation_is_refused():
    level2 = worker.engine("level 2")
    with pytest.raises(ValueError, match="the activation must be None, 'relu' or 'tanh', not 'gelu'"):
        level2.linear(np.ones((2, 3)), level2.Value(np.ones((3, 2))), 0.0, "gelu")


def test_only_outputs_are_kept_of_fused_layers():
    """Arrays alive after a forward pass: one for each layer."""
    level2 = worker.engine("level 2")
    x, w, b = np.ones((64, 3)), level2.Value(np.eye(3)), level2.Value(np.zeros(3))
    h, seen = x, set()
    for _ in range(10):
        h = level2.linear(h, w, b, "tanh")
    node = h
    while node._prev:
        seen.add(id(node.data))
        node = node._prev[0]
    assert len(seen) == 10


def test_what_a_step_costs_is_measured():
    need("chromium")
    need_module("playwright.sync_api")
    cost = stepping.a_step(30)
    assert 30 <= cost.values <= 45 and cost.steps > 45
    assert 0 < cost.median <= cost.slowest <= cost.longest and cost.theirs > 0


def test_a_step_that_waited_for_the_cpu_once_is_no_slow_step():
    cost = stepping.summary(9, [[1.0, 2.0, 3.0], [1.0, 90.0, 3.0], [1.0, 2.0, 5.0]], 50.0)
    assert cost == stepping.Cost(9, 3, median=2.0, slowest=3.0, longest=90.0, theirs=50.0)


def test_without_a_browser_or_a_layout_program_rows_say_so(monkeypatch):
    monkeypatch.setattr(stepping, "find", lambda name: None)
    monkeypatch.setattr(stepping, "find_program", lambda: None)
    rows = list(targets.stepper(Tiny(True, 1, None)))
    assert [(row.id, row.met) for row in rows] == [("W1", None), ("W2", None)]
    assert all(row.note.startswith("not run: ") for row in rows)
