"""Topic 06's catalogue: every wrong layer is caught by a promise and named; what is not in it is not named."""

from __future__ import annotations

import numpy as np
import pytest

from tests.layers import MODULES, TOPIC, changed, trial, written
from utils.judge import layer_misconceptions, misconceptions, torch_misconceptions
from utils.judge.catalogues import everything, says
from utils.judge.core import judge
from utils.judge.diagnosis import diagnose
from utils.judge.layer_case import LayerCase
from utils.judge.layer_misconceptions import catalogue
from utils.judge.layer_models import Models

SIMULATED = [entry for entry in catalogue().values() if entry.flaws]


def named(rules) -> tuple[dict[str, list[str]], set[str]]:
    """(the broken promises by exercise, what they are named for) of layers with these rules."""
    runs, broken = trial(Models(rules))
    return broken, {d.id for d in diagnose(LayerCase("", runs, None), broken).values()} if broken else set()


def test_right_models_break_no_promise():
    assert named({}) == ({}, set())


@pytest.mark.parametrize("entry", SIMULATED, ids=lambda entry: entry.id)
def test_entry_is_caught_and_named(entry):
    shape = len(entry.id) % len(entry.flaws)        # one of its shapes, spread over all positions
    broken, found = named(entry.flaws[shape])
    assert entry.exercise in broken
    assert found == {entry.id}


@pytest.mark.parametrize("rules", [
    {"Linear.share_W": lambda s, x, g: 1.7 * x.T @ g},
    {"ReLU.pull": lambda s, x, g: g * (x > 0.3)},
    {"SoftmaxCrossEntropy.pull": lambda s, p, y: p / 3},
    {"sgd.moved": lambda s, p, g, rate: p - rate * g + 0.01},
    {"softmax_backward": lambda s, g: np.zeros_like(s)},
], ids=["weights", "gate", "loss", "step", "softmax"])
def test_what_is_not_in_the_catalogue_is_not_named(rules):
    broken, found = named(rules)
    assert broken
    assert found == set()


def test_two_at_once_are_both_named():
    one, other = catalogue()["dW-transposed"], catalogue()["softmax-diagonal"]
    _, found = named({**one.flaws[0], **other.flaws[0]})
    assert {part for id in found for part in id.split("+")} == {one.id, other.id}


def test_ids_and_sentences():
    assert not set(misconceptions.catalogue()) & set(catalogue())
    assert len(everything()) == len(misconceptions.catalogue()) + len(catalogue()) + len(torch_misconceptions.catalogue())
    entries = [entry for part in layer_misconceptions.sections().values() for entry in part]
    assert len(entries) == len(catalogue())
    for entry in entries:
        assert entry.exercise in MODULES
        assert entry.says.endswith(".") and says(entry.id) == entry.says
    assert "And: " in says("dW-transposed+softmax-diagonal")


# Files as learners write them, through a real worker: independent of the models.
FILES = {
    "dW-transposed": ("self.input.T @ grad_output", "grad_output.T @ self.input"),
    "dX-turned": ("return grad_output @ self.W.T", "return self.W.T @ grad_output"),
    "db-no-axis": ("grad_output.sum(axis=0)", "grad_output.sum()"),
    "db-unsummed": ("grad_output.sum(axis=0)", "grad_output"),
    "layer-averages": ("self.grad_W = self.input.T @ grad_output", "grad_output = grad_output / len(grad_output)\n"
                       "        self.grad_W = self.input.T @ grad_output"),
    "accumulates": ("self.grad_b = grad_output.sum(axis=0)", "self.grad_b = self.grad_b + grad_output.sum(axis=0)"),
    "steps-before-use": ("return grad_output @ self.W.T", "self.W = self.W - 0.1 * self.grad_W\n        self.b = self.b "
                           "- 0.1 * self.grad_b\n        return grad_output @ self.W.T"),
    "relu-gated-by-gradient": ("return grad_output * self.open", "return grad_output * (grad_output > 0)"),
    "relu-changes-input": ("return np.where(self.open, x, 0.0)", "x[~self.open] = 0\n        return x"),
    "cache-shared-tanh": ("self.output = np.tanh(x)\n        return self.output",
                          "Tanh.output = np.tanh(x)\n        return Tanh.output"),
    "error-no-mean": ('return slope / slope.size if self.reduction == "mean" else slope', "return slope"),
    "error-broadcasts": ("if np.shape(prediction) != np.shape(target):", "if False:"),
    "softmax-diagonal": ("return s * (grad_s - (grad_s * s).sum(axis=1, keepdims=True))", "return grad_s * s * (1 - s)"),
    "ce-sign": ("] -= 1  # p - onehot\n        return grad", "] -= 1\n        grad = -grad\n        return grad"),
    "ce-mean-twice": ("return grad / len(self.labels) if", "return grad / len(self.labels) ** 2 if"),
    "ce-softmax-twice": ("        shifted = logits", "        logits = softmax(logits)\n        shifted = logits"),
    "sequential-forwards": ("for layer in reversed(self.layers):", "for layer in self.layers:"),
    "step-uphill": ("layer.W - learning_rate * layer.grad_W\n            layer.b = layer.b -",
                    "layer.W + learning_rate * layer.grad_W\n            layer.b = layer.b +"),
    "epoch-mean-of-means": (", labels[batch]) * len(batch)", ", labels[batch]) * batch_size"),
    "dropout-new-mask": ("return grad_output * self.mask", "self.forward(grad_output)\n        return grad_output * self.mask"),
    "dropout-unscaled": (">= self.p) / (1 - self.p) if", ">= self.p) if"),
    "dropout-always-on": (" if self.training else np.ones(x.shape)", ""),
    "dropout-keeps-p": ("self.rng.random(x.shape) >= self.p) / (1 - self.p)",
                        "self.rng.random(x.shape) < self.p) / (1 - self.p)"),
}


@pytest.mark.parametrize("id", FILES)
def test_wrong_file_is_named(id, tmp_path):
    file = written(tmp_path, changed(FILES[id]))
    wanted = [e for e in MODULES if e != "4.3"]
    report = judge(TOPIC, tmp_path, file=file, only=wanted)
    broken = [v for v in report.verdicts if v.status != "passed"]
    assert broken[0].misconception == id
    # where the order of the examples tells, which the learner draws, nothing is compared and nothing named
    assert {v.misconception for v in broken if v.exercise != "4.2"} <= {id}
    assert {v.misconception for v in broken} <= {id, None}
