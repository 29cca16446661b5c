"""Topic 03's judge: wrong work is caught and named, unrepaired patients earn nothing, other right ways are accepted.

Each case is the reference with some of its lines changed, judged on the exercise it is about.
"""

from __future__ import annotations

import doctest
import importlib.util

import pytest

from utils.cli.tools import need_module
from utils.curriculum import topic
from utils.judge.catalogues import says
from utils.judge.core import judge
from utils.judge.torch_misconceptions import catalogue

TOPIC = topic("03")
REFERENCE = (TOPIC.solutions / TOPIC.reference).read_text(encoding="utf-8")

FIT = "        w.grad = b.grad = None\n        losses.append(loss.item())"
# exercise, the misconception that is named (or None), and the change: old text, new text
WRONG = [
    ("1.1", None, "w, b = tensor(w, requires_grad=True), tensor(b, requires_grad=True)\n    return w * tensor(sizes) + b, w, b",
     "w, b = tensor(w), tensor(b)\n    return w * tensor(sizes) + b, w, b"),
    ("1.1", None, "return w * tensor(sizes) + b, w, b", "return (w * tensor(sizes) + b).detach(), w, b"),
    ("1.1", None, "w, b = tensor(w, requires_grad=True), tensor(b, requires_grad=True)\n    return w * tensor(sizes)",
     "w, b = tensor(w, requires_grad=True) * 1, tensor(b, requires_grad=True)\n    return w * tensor(sizes)"),
    ("1.1", None, "dtype=torch.float64, **options", "dtype=torch.float32, **options"),
    ("1.2", None, "return x.grad.item()\n    # <<<\n\n\ndef loss", "return 2 * x.grad.item()\n    # <<<\n\n\ndef loss"),
    ("1.3", "loss-summed", "((predictions - tensor(prices)) ** 2).mean()", "((predictions - tensor(prices)) ** 2).sum()"),
    ("1.4", "factor-two-missing", "sum(2 * error * size", "sum(error * size"),
    ("1.4", "mean-divided-twice", "strict=True)) / len(sizes)\n    return dw", "strict=True)) / len(sizes) ** 2\n    return dw"),
    ("2.1", "gradient-not-cleared", FIT, "        losses.append(loss.item())"),
    ("2.1", "loss-summed", "loss = ((w * sizes + b - prices) ** 2).mean()\n        loss.backward()\n        with torch.no_grad():\n"
     "            w -= learning_rate * w.grad\n            b -= learning_rate * b.grad\n" + FIT,
     "loss = ((w * sizes + b - prices) ** 2).sum()\n        loss.backward()\n        with torch.no_grad():\n"
     "            w -= learning_rate * w.grad\n            b -= learning_rate * b.grad\n" + FIT),
    ("2.1", "ascends", "            w -= learning_rate * w.grad\n            b -= learning_rate * b.grad\n" + FIT,
     "            w += learning_rate * w.grad\n            b += learning_rate * b.grad\n" + FIT),
    ("2.1", "offset-not-moved", "            b -= learning_rate * b.grad\n" + FIT, FIT),
    ("2.1", None, "losses.append(loss.item())", "losses.append(loss)"),
    ("2.2", "mean-of-means", "(((w * tensor(sizes) + b - tensor(prices)) ** 2).sum() / examples).backward()",
     "(((w * tensor(sizes) + b - tensor(prices)) ** 2).mean() / len(batches)).backward()"),
    ("2.2", "batches-added", "(((w * tensor(sizes) + b - tensor(prices)) ** 2).sum() / examples).backward()",
     "((w * tensor(sizes) + b - tensor(prices)) ** 2).mean().backward()"),
    ("2.2", "last-batch-only", "    for sizes, prices in batches:\n", "    for sizes, prices in batches:\n        w.grad = b.grad = None\n"),
    ("3.2", "stays-at-start", "        with torch.no_grad():\n            w -= learning_rate * w.grad\n"
     "            b -= learning_rate * b.grad\n        # learner's file:", "        # learner's file:"),
    ("3.3", "clipping-lost", "clipped = errors.clamp(-limit, limit)", "clipped = errors"),
    ("3.3", "other-loss", "(w * tensor(sizes) + b - tensor(prices)).abs().mean()", "((w * tensor(sizes) + b - tensor(prices)) ** 2).mean()"),
    ("3.3", None, "generator=generator, dtype=torch.float64) * 0.01)", "generator=generator, dtype=torch.float64))"),
    ("3.4", "state-lost", "state = 0.5 * state.detach() + w * number", "state = w * number"),
    ("3.4", "past-kept", "state = 0.5 * state.detach() + w * number\n        (state - target).square().backward()",
     "state = 0.5 * state + w * number\n        (state - target).square().backward(retain_graph=True)"),
    ("3.4", "purpose-lost", "    y = y + 1.0\n", ""),
    ("3.4", "purpose-lost", "(u + v).backward()", "u.backward()"),
    ("3.5", None, "squares.mean().backward()", "squares.sum().backward()"),
    ("3.5", "loss-summed", "((predictions.squeeze(1) - tensor(targets)) ** 2).mean()",
     "((predictions.squeeze(1) - tensor(targets)) ** 2).sum()"),
    ("3.5", "mode-changed", "    model.train(was_training)\n", ""),
    ("3.5", "mode-changed", "    model.train(was_training)\n", "    model.train()\n"),
    ("3.5", None, "    with torch.no_grad():\n        predictions = model(tensor(rows))", "    predictions = model(tensor(rows))"),
    ("4.1", "first-derivative", "    (second,) = torch.autograd.grad(first, x)\n    return second.item()", "    return first.item()"),
    ("4.2", None, "return upstream * s * (1 - t**2), (upstream * t).sum()", "return s * (1 - t**2), (upstream * t).sum()"),
    ("4.2", None, "return upstream * s * (1 - t**2), (upstream * t).sum()", "return upstream * s * (1 - t**2), (upstream * t).mean()"),
    ("4.3", None, "return [seen[i] for i in range(len(weights))]", "return [seen[i] for i in reversed(range(len(weights)))]"),
]

RIGHT = [
    ("1.1", "return w * tensor(sizes) + b, w, b", "return (tensor(sizes)[:, None] * w).squeeze(1) + b, w, b"),
    ("1.2", "    f(x).backward()\n    return x.grad.item()", "    return torch.autograd.grad(f(x), x)[0].item()"),
    ("2.1", FIT, "        w.grad.zero_()\n        b.grad.zero_()\n        losses.append(float(loss.detach()))"),
    ("2.1", "        with torch.no_grad():\n            w -= learning_rate * w.grad\n            b -= learning_rate * b.grad\n" + FIT,
     "        w = (w - learning_rate * w.grad).detach().requires_grad_()\n"
     "        b = (b - learning_rate * b.grad).detach().requires_grad_()\n        losses.append(loss.item())"),
    ("3.2", "            w.grad.zero_()\n            b.grad.zero_()\n", "        w.grad = b.grad = None\n"),
    ("3.4", "    (u + v).backward()\n", "    u.backward(retain_graph=True)\n    v.backward()\n"),
    ("3.4", "state = 0.5 * state.detach() + w * number", "state = 0.5 * state.item() + w * number"),
    ("3.5", "squares.mean().backward()", "squares.backward(torch.full_like(squares, 1 / len(squares)))"),
    ("3.5", "predictions.squeeze(1) - tensor(targets)", "predictions - tensor(targets).reshape(-1, 1)"),
    ("3.5", "    with torch.no_grad():\n        predictions = model(tensor(rows))",
     "    with torch.inference_mode():\n        predictions = model(tensor(rows))"),
    ("4.2", "        t, s = ctx.saved_tensors\n        return upstream * s * (1 - t**2), (upstream * t).sum()",
     "        t, s = ctx.saved_tensors\n        return s * upstream - s * upstream * t * t, torch.einsum('...,...->', upstream, t)"),
]


@pytest.fixture(autouse=True)
def _torch():
    need_module("torch")


def judged(folder, exercise, old="", new=""):
    """The verdicts on one exercise, of the reference with a change."""
    assert old in REFERENCE
    file = folder / TOPIC.module
    file.write_text(REFERENCE.replace(old, new) if old else REFERENCE, encoding="utf-8")
    return judge(TOPIC, folder, only=[exercise]).verdicts


@pytest.mark.parametrize(("exercise", "name", "old", "new"), WRONG, ids=[f"{e}-{n or k}" for k, (e, n, *_) in enumerate(WRONG)])
def test_wrong_work_is_caught_and_named(tmp_path, exercise, name, old, new):
    broken = [v for v in judged(tmp_path, exercise, old, new) if v.status != "passed"]
    assert broken
    assert {v.misconception for v in broken} <= {name, None}
    assert name is None or any(v.misconception == name for v in broken)


@pytest.mark.parametrize(("exercise", "old", "new"), RIGHT, ids=[f"{e}-{k}" for k, (e, *_) in enumerate(RIGHT)])
def test_another_right_way_is_accepted(tmp_path, exercise, old, new):
    assert {v.status for v in judged(tmp_path, exercise, old, new)} == {"passed"}


def test_every_entry_of_the_catalogue_is_named_by_a_promise_and_says_something():
    assert {name for _, name, *_ in WRONG if name} == set(catalogue())
    assert all(says(id) for id in catalogue())


def test_graphs_that_are_kept_are_seen_from_outside(tmp_path):
    kept = "        loss.backward(retain_graph=True)\n        fit.kept = [*getattr(fit, 'kept', []), loss]\n        with torch.no_grad():\n"
    old = "        loss.backward()\n        with torch.no_grad():\n            w -= learning_rate * w.grad\n            b -= learning_rate * b.grad\n" + FIT
    new = old.replace("        loss.backward()\n        with torch.no_grad():\n", kept)
    statuses = {v.name: v.status for v in judged(tmp_path, "2.1", old, new)}
    assert statuses.pop("test_fit_keeps_no_graph") == "memory"
    assert set(statuses.values()) == {"passed"}


def test_numbers_agree_with_measured_ones():
    """The formulas of the promises are checked against finite differences of their own loss."""
    spec = importlib.util.spec_from_file_location("promises_basic_03", TOPIC.tests / "test_basic.py")
    promises = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(promises)
    sizes, prices, h = [1.0, 2.5, 0.5], [3.0, 1.0, 2.0], 1e-6
    _, dw, db = promises.loss_and_slopes(sizes, prices, 0.7, -0.3)

    def loss(w, b):
        return promises.loss_and_slopes(sizes, prices, w, b)[0]
    assert abs((loss(0.7 + h, -0.3) - loss(0.7 - h, -0.3)) / (2 * h) - dw) < 1e-6
    assert abs((loss(0.7, -0.3 + h) - loss(0.7, -0.3 - h)) / (2 * h) - db) < 1e-6


def test_what_level_3_says_of_its_memory_is_so():
    spec = importlib.util.spec_from_file_location("level03_of_03", TOPIC.solutions / "level03-memory-efficient.py")
    lean = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lean)
    assert doctest.testmod(lean)[:] == (0, 2)
