"""Topic 06's lean layers: what they save, what they refuse; and the bridge to the learner's engine of topic 02."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests import engines
from tests.layers import REFERENCE, TOPIC, InProcess, changed, loaded
from utils.curriculum import ROOT, topic
from utils.engine import learners_file, shortfall
from utils.judge.core import judge
from utils.judge.promises import collect

ENGINE = topic("02")
LEAN = loaded((TOPIC.solutions / "level03-memory-efficient.py").read_text(encoding="utf-8"))
PLAIN = loaded(REFERENCE)
X = np.array([[0.5, -1.0, 2.0], [1.5, 0.1, -0.3]])


def rng():
    return np.random.default_rng(0)


# What is saved

def test_gradients_go_into_one_buffer():
    layer = LEAN.Linear(3, 2, rng())
    buffers = layer.grad_W, layer.grad_b
    for _ in range(2):
        layer.forward(X)
        layer.backward(np.ones((2, 2)))
    assert layer.grad_W is buffers[0] and layer.grad_b is buffers[1]
    assert np.allclose(layer.grad_W, X.T @ np.ones((2, 2)))         # set, not added


def test_a_gate_keeps_a_bit_an_entry_and_gives_it_up():
    gate, x = LEAN.ReLU(), np.linspace(-1, 1, 8000).reshape(100, 80)
    gate.forward(x)
    assert gate._kept[0].nbytes == x.size / 8
    gate.backward(np.ones_like(x))
    assert gate._kept is None


def test_arrays_between_layers_are_written_over_and_the_callers_are_not():
    model = LEAN.Sequential([LEAN.Linear(3, 4, rng()), LEAN.ReLU(), LEAN.Linear(4, 2, rng())])
    made = []
    whole, model.layers[0].forward = model.layers[0].forward, lambda x, own: made.append(whole(x, own)) or made[-1]
    x, g = X.copy(), np.ones((2, 2))
    gated = model.layers[1].forward
    model.layers[1].forward = lambda x, own: made.append(gated(x, own)) or made[-1]
    model.forward(x)
    model.backward(g)
    assert made[0] is made[1]           # the gate wrote into what the linear layer made
    assert np.array_equal(x, X) and np.array_equal(g, np.ones((2, 2)))


def test_single_precision_is_right_to_five_digits():
    grads = []
    for module, dtype in ((PLAIN, {}), (LEAN, {"dtype": np.float32})):
        layers = [module.Linear(64, 32, rng(), **dtype), module.Tanh(), module.Linear(32, 10, rng(), **dtype)]
        model, loss = module.Sequential(layers), module.SoftmaxCrossEntropy()
        x = np.random.default_rng(1).normal(size=(50, 64))
        loss.forward(model.forward(x), np.arange(50) % 10)
        model.backward(loss.backward())
        grads.append(layers[0].grad_W)
    exact, single = grads
    assert single.dtype == np.float32
    apart = np.abs(single - exact).max() / np.abs(exact).max()
    assert 1e-9 < apart < 1e-5


# What is refused, in words

@pytest.mark.parametrize(("use", "error", "words"), [
    (lambda m: m.Linear(3, 2, rng()).forward(X.T), ValueError, r"batch of shape \(N, 3\).*got shape \(3, 2\)"),
    (lambda m: m.Linear(3, 2, rng()).forward(X[0]), ValueError, "one example a row"),
    (lambda m: m.Linear(3, 2, rng()).forward(X.astype(object)), TypeError, "array of numbers, not of object"),
    (lambda m: m.Linear(3, 2, rng()).forward(X * np.nan), ValueError, "holds nan or inf"),
    (lambda m: m.Linear(3, 2, rng()).backward(np.ones((2, 2))), RuntimeError, "call forward first"),
    (lambda m: m.ReLU().backward(X), RuntimeError, "ReLU.backward has nothing"),
    (lambda m: (layer := m.ReLU()) and (layer.forward(X), layer.backward(X.T)), ValueError, r"\(2, 3\); got \(3, 2\)"),
    (lambda m: m.SquaredError().forward(X, X[:, 0]), ValueError, "give both the same shape"),
    (lambda m: m.SquaredError().forward(X[:0], X[:0]), ValueError, "empty batch"),
    (lambda m: m.SquaredError().backward(), RuntimeError, "call forward first"),
    (lambda m: m.SoftmaxCrossEntropy().forward(X, np.array([0, 3])), ValueError, "label 3 is out of range.*0 to 2"),
    (lambda m: m.SoftmaxCrossEntropy().forward(X, np.array([0, -1])), ValueError, "label -1 is out of range"),
    (lambda m: m.SoftmaxCrossEntropy().forward(X, np.array([0.0, 1.0])), ValueError, "2 whole numbers"),
    (lambda m: m.SoftmaxCrossEntropy().forward(X, np.array([0])), ValueError, "one a row"),
    (lambda m: m.SoftmaxCrossEntropy().forward(X[:0], np.array([], int)), ValueError, "empty batch"),
    (lambda m: m.Dropout(1.0, rng()), ValueError, "from 0 to below 1"),
    (lambda m: m.train_epoch(None, None, X[:0], [], 2, 0.1, rng()), ValueError, "at least one example"),
])
def test_bad_input_is_told_in_words(use, error, words):
    with pytest.raises(error, match=words):
        use(LEAN)


def test_empty_batch_passes_through_layers():
    layer = LEAN.Linear(3, 2, rng())
    assert layer.forward(X[:0]).shape == (0, 2)
    assert layer.backward(np.ones((0, 2))).shape == (0, 3)
    assert not layer.grad_W.any()


# The bridge

def bridge(folder, source=REFERENCE):
    """The verdicts on exercise 3.5 of a layers.py in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / TOPIC.module
    file.write_text(source, encoding="utf-8")
    return {v.name: v.status for v in judge(TOPIC, folder, file=file, only=["3.5"]).verdicts}


KEPT = {"test_loss_on_values": "passed", "test_gradients_on_values": "passed"}


def test_bridge_counts_with_either_engine(tmp_path):
    here, mine = tmp_path / TOPIC.slug, tmp_path / ENGINE.slug
    assert bridge(here) == KEPT                                         # none of the learner's own
    engines.written(mine, engines.REFERENCE + "\n\nValue.mean = staticmethod(lambda xs: sum(xs) / len(xs))\n")
    own = changed(("    loss = loss / len(labels)\n", "    loss = Value.mean([loss] * len(labels)) / len(labels)\n"))
    assert bridge(here, own) == KEPT                                    # what only the learner's own Value has
    engines.written(mine, "raise RuntimeError('half written')\n")
    assert bridge(here) == KEPT                                         # a broken one of the learner's own


def test_bridge_with_wrong_gradients_is_broken(tmp_path):
    assert bridge(tmp_path, changed(("    loss.backward()\n", "    (loss * 2).backward()\n"))) == KEPT | {
        "test_gradients_on_values": "failed"}


def test_every_promise_of_the_bridge_is_asked_with_an_engine():
    assert {p.name for p in collect(TOPIC) if p.exercise == "3.5"} == set(KEPT)
    assert InProcess(PLAIN).run([["make", "b", "on_values", []]]).error["type"] == "TypeError"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of topic 06 with topic 02's beside it; work/ is not looked at."""
    here = tmp_path / TOPIC.slug
    here.mkdir()
    monkeypatch.chdir(here)
    return tmp_path / ENGINE.slug


def test_own_engine_is_found_beside_the_topic(place):
    engines.written(place, engines.REFERENCE)
    assert learners_file() == place / ENGINE.module
    assert shortfall(learners_file()) is None


@pytest.mark.parametrize(("source", "words"), [
    ("from utils.autograd_stub import Value\n", "is borrowed: line 1 imports the stub"),
    (None, "does not pass yet: 1.1, 1.2, 1.3"),
    ("raise RuntimeError\n", "does not pass yet"),
])
def test_why_an_engine_is_not_built_on(place, source, words):
    place.mkdir()
    if source is None:
        shutil.copy(ENGINE.shipped / ENGINE.module, place)
    else:
        engines.written(place, source)
    assert words in shortfall(place / ENGINE.module)


@pytest.mark.parametrize(("source", "module", "said"), [
    (engines.REFERENCE, "value", ""),
    ("x = 1\n", "utils.autograd_stub", "So this is the Value of utils.autograd_stub")])
def test_import_gives_the_learners_own_or_says_that_it_does_not(place, source, module, said):
    engines.written(place, source)
    code = "from utils.engine import Value\nprint(Value.__module__, (Value(2.0) * 3).data)"
    run = subprocess.run([sys.executable, "-c", code], cwd=place.parent / TOPIC.slug, capture_output=True, text=True,
                         env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    assert run.stdout.strip().endswith(f"{module} 6.0")
    assert said in run.stdout
    assert bool(said) == (len(run.stdout.splitlines()) > 1)
