"""Level 3, the debugging ward: what each patient is for, and that a repair does not lose it."""

from __future__ import annotations

import math

import numpy as np

from utils.judge import promise
from utils.judge.module import Name

RATE, STEPS = 0.05, 7


def houses(scene, n: int) -> tuple[list[float], list[float]]:
    """Drawn sizes and prices, as lists."""
    sizes = np.abs(scene.drawn(n)) + 0.5
    return sizes.round(2).tolist(), (10 * np.abs(scene.drawn(n)) + 5).round(2).tolist()


def descend(sizes, prices, slope_of_error, steps: int = STEPS) -> tuple[float, float]:
    """(w, b) after gradient descent from 0 on a mean over the errors; `slope_of_error` differentiates each term."""
    sizes, prices, w, b = np.array(sizes), np.array(prices), 0.0, 0.0
    for _ in range(steps):
        slopes = slope_of_error(w * sizes + b - prices)
        w, b = w - RATE * (slopes * sizes).mean(), b - RATE * slopes.mean()
    return w, b


def squared(error):
    return 2 * error


# 3.2 The four lines of a training step

def _trains(module, patient: str, slope_of_error=squared, slips=None) -> None:
    """A patient reaches what gradient descent reaches, for several numbers of steps and of houses."""
    for n, steps in ((6, STEPS), (3, 1), (5, 2)):
        scene = module.scene(patient)
        sizes, prices = houses(scene, n)
        scene.make("out", patient, sizes, prices, RATE, steps)
        scene.parts("out", "w", "b")
        right = descend(sizes, prices, slope_of_error, steps)
        wrong = {id: descend(sizes, prices, other, steps) for id, other in (slips or {}).items()}
        wrong["stays-at-start"] = (0.0, 0.0)
        for k, name in enumerate("wb"):
            apart = {id: [out[k]] for id, out in wrong.items() if not np.isclose(out[k], right[k])}
            scene.wants(name, right[k], slips=apart)
        scene.keep()


@promise(exercise="3.2")
def test_patient_1(module):
    """Patient 1 reaches the parameters that gradient descent reaches."""
    _trains(module, "patient_1")


@promise(exercise="3.2")
def test_patient_2(module):
    """Patient 2 reaches them with its optimizer."""
    _trains(module, "patient_2")


@promise(exercise="3.2")
def test_patient_3(module):
    """Patient 3 reaches them after any number of steps."""
    _trains(module, "patient_3")


@promise(exercise="3.2")
def test_patient_4(module):
    """Patient 4 reaches them as well."""
    _trains(module, "patient_4")


# 3.3 Where the graph was cut

@promise(exercise="3.3")
def test_patient_5(module):
    """Patient 5 gives the clipped loss and its gradients; where an error is clipped, no gradient flows."""
    scene = module.scene("patient_5")
    sizes, prices = [1.0, 1.5, 2.0, 2.5], [7.5, 3.0, 9.5, 4.0]
    w, b = (float(x) for x in np.abs(scene.drawn(2)))
    scene.make("out", "patient_5", sizes, prices, w, b)
    scene.parts("out", "loss", "dw", "db")
    sizes, errors = np.array(sizes), w * np.array(sizes) + b - np.array(prices)
    limit = np.abs(errors).mean()
    clipped = errors.clip(-limit, limit)
    slopes = np.where(np.abs(errors) < limit, 2 * errors, 0.0)
    scene.wants("loss", (clipped**2).mean(), slips={"clipping-lost": [(errors**2).mean()]})
    scene.wants("dw", (slopes * sizes).mean())
    scene.wants("db", slopes.mean())
    scene.keep()


@promise(exercise="3.3")
def test_patient_6(module):
    """Patient 6 descends on the mean absolute error."""
    _trains(module, "patient_6", np.sign, {"other-loss": squared})


DRAWN = """
def drawn(seed, n):
    import torch
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(n, generator=generator, dtype=torch.float64) * 0.01).tolist()
"""


@promise(exercise="3.3")
def test_patient_7(module):
    """Patient 7 gives the gradient by its small random weights, for any seed."""
    scene = module.scene("patient_7")
    rows = scene.drawn(3, 4)
    seed = 3
    scene.function("drawn", DRAWN)
    scene.make("gradient", "patient_7", rows.tolist(), seed)
    scene.call("weights", "drawn", seed, 4)
    scene.wants("gradient", np.zeros(4), tolerance=np.inf)
    scene.wants("weights", np.zeros(4), tolerance=np.inf)
    yours, weights = (scene.array_of(report) for report in scene.keep())
    right = 2 * rows.T @ (rows @ weights)
    if not np.allclose(yours, right, rtol=1e-6, atol=1e-12):
        raise scene.broken("The gradient is not that of sum((inputs . weights)**2) by 0.01 times the drawn numbers.",
                           quantity="gradient", yours=str(yours.round(6).tolist()),
                           expected=str(right.round(6).tolist()))


# 3.4 The tape

@promise(exercise="3.4")
def test_patient_8(module):
    """Patient 8 gives e**x + 1 and its slope."""
    for _ in range(2):
        scene = module.scene("patient_8")
        x = float(scene.drawn(1)[0])
        scene.make("out", "patient_8", x)
        scene.parts("out", "y", "slope")
        scene.wants("y", math.exp(x) + 1, slips={"purpose-lost": [math.exp(x)]})
        scene.wants("slope", math.exp(x))
        scene.keep()


@promise(exercise="3.4")
def test_patient_9(module):
    """Patient 9 gives the sum of both derivatives."""
    for x in (0.5, -1.25):
        scene = module.scene("patient_9")
        scene.make("out", "patient_9", x)
        t, slope = math.sin(x), math.cos(x)
        scene.wants("out", (2 * t + 3 * t**2) * slope, slips={"purpose-lost": [2 * t * slope, 3 * t**2 * slope]})
        scene.keep()


@promise(exercise="3.4")
def test_patient_10(module):
    """Patient 10 carries the state over as a number: each gradient is that of its own step."""
    scene = module.scene("patient_10")
    inputs, targets = scene.drawn(5), scene.drawn(5)
    w = 0.7
    scene.make("gradients", "patient_10", inputs.tolist(), targets.tolist(), w)
    right, past, forgotten, state, slope = [], [], [], 0.0, 0.0
    for number, target in zip(inputs, targets, strict=True):
        state, slope = 0.5 * state + w * number, 0.5 * slope + number
        right.append(2 * (state - target) * number)
        past.append(2 * (state - target) * slope)
        forgotten.append(2 * (w * number - target) * number)
    scene.parts("gradients", *(f"g{k}" for k in range(5)))
    for k in range(5):
        scene.wants(f"g{k}", right[k], slips={"past-kept": [past[k]], "state-lost": [forgotten[k]]} if k else {})
    scene.keep()


@promise(exercise="3.4")
def test_patient_11(module):
    """Patient 11 gives the loss before each step, as numbers."""
    scene = module.scene("patient_11")
    sizes, prices = houses(scene, 6)
    scene.make("history", "patient_11", sizes, prices, RATE, 4)
    w, losses = 0.0, []
    for _ in range(4):
        errors = w * np.array(sizes) - np.array(prices)
        losses.append((errors**2).mean())
        w -= RATE * 2 * (errors * sizes).mean()
    scene.wants("history", losses)
    scene.keep()


# 3.5 Shapes and modes

@promise(exercise="3.5")
def test_patient_12(module):
    """Patient 12 gives the gradient of the mean over all rows."""
    scene = module.scene("patient_12")
    rows, w = scene.drawn(4, 3), scene.drawn(3)
    scene.make("gradient", "patient_12", rows.tolist(), w.tolist())
    scene.wants("gradient", 2 * rows.T @ (rows @ w) / 4, "It is the mean over the rows that is differentiated.")
    scene.keep()


@promise(exercise="3.5")
def test_patient_13(module):
    """Patient 13 compares each prediction with its own target."""
    for n in (4, 1):
        scene = module.scene("patient_13")
        rows, targets, w = scene.drawn(n, 2), scene.drawn(n), scene.drawn(2)
        scene.make("out", "patient_13", rows.tolist(), targets.tolist(), w.tolist())
        scene.parts("out", "loss", "gradient")
        errors = rows @ w - targets
        scene.wants("loss", (errors**2).mean(), slips={"loss-summed": [(errors**2).sum()]} if n > 1 else {})
        scene.wants("gradient", 2 * rows.T @ errors / n)
        scene.keep()


MODEL = """
def model_of(W, training):
    import torch
    linear = torch.nn.Linear(2, 3, bias=False).double()
    linear.weight.data = torch.tensor(W, dtype=torch.float64)
    model = torch.nn.Sequential(linear, torch.nn.Dropout(0.5))
    return model.train(training)
"""
STATE = """
def state(model, out):
    return [out.detach().tolist(), int(out.requires_grad), int(model.training)]
"""


@promise(exercise="3.5")
def test_patient_14_predicts(module):
    """Patient 14 predicts without dropout, and records nothing."""
    scene = module.scene("patient_14")
    W, rows = scene.drawn(3, 2), scene.drawn(4, 2)
    scene.function("model_of", MODEL)
    scene.function("state", STATE)
    scene.call("model", "model_of", W.tolist(), True)
    scene.make("out", "patient_14", Name("model"), rows.tolist())
    scene.call("seen", "state", Name("model"), Name("out"))
    scene.parts("seen", "predictions", "recorded", "training")
    scene.wants("predictions", rows @ W.T, "Dropout is at work, or it is no prediction of this model.")
    scene.wants("recorded", 0, "The predictions are recorded, and keep a graph alive.")
    scene.keep()


@promise(exercise="3.5")
def test_patient_14_leaves_the_mode(module):
    """Afterwards the model is in the mode it was in, training or not."""
    for training in (True, False):
        scene = module.scene("patient_14")
        W, rows = scene.drawn(3, 2), scene.drawn(2, 2)
        scene.function("model_of", MODEL)
        scene.function("state", STATE)
        scene.call("model", "model_of", W.tolist(), training)
        scene.make("out", "patient_14", Name("model"), rows.tolist())
        scene.call("seen", "state", Name("model"), Name("out"))
        scene.parts("seen", "predictions", "recorded", "is_training")
        scene.wants("predictions", rows @ W.T, "Dropout is at work, or it is no prediction of this model.")
        scene.wants("is_training", int(training), slips={"mode-changed": [int(not training)]})
        scene.keep()
