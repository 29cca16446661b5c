"""See a network learn: the loss curve and the decision boundary, drawn again and again while training runs."""

from __future__ import annotations

import base64
import html
import io
import math
import os
import time
from collections.abc import Callable, Sequence
from importlib import import_module

from IPython.display import DisplayHandle, display

from utils.datasets import plot_boundary
from utils.notebook import GRADING

GRID = 20               # points of the boundary along each axis while training runs; the last picture has more
SHARE = 4               # training gets this many times the time that drawing takes
LEAST = 0.5             # seconds between two pictures


class Frame:
    """One picture of a training run; `_repr_html_` for notebooks, text elsewhere."""

    def __init__(self, words: str, done: int, steps: int, picture: bytes = b"") -> None:
        self.words, self.done, self.steps, self.picture = words, done, steps, picture

    def __repr__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        words = html.escape(self.words)
        image = base64.b64encode(self.picture).decode()
        shown = (f'<img alt="Left: the loss at each step. Right: the points and the decision boundary. {words}" '
                 f'src="data:image/png;base64,{image}" style="max-width:100%">') if image else ""
        return (f'<div><label><progress value="{self.done}" max="{self.steps}" style="width:16em"></progress> '
                f"{words}</label><br>{shown}</div>")


def watch_training(train_step: Callable, model: Callable, xs: Sequence, ys: Sequence, *, steps: int = 300,
                   learning_rate: float = 0.2, clock: Callable[[], float] = time.monotonic) -> list[float]:
    """Call `train_step(model, xs, ys, learning_rate)` `steps` times and show how it goes; the losses come back.

    Interrupt it (the square in the toolbar) and the model keeps what it has learned: run on with the same model.
    xs: n points of two numbers; ys: n targets, +1 or -1. Errors of `train_step` pass through, after a last picture.
    """
    losses: list[float] = []
    handle = display(Frame(f"step 0 of {steps}", 0, steps), display_id=True)
    watched = not os.environ.get(GRADING)       # a feedback page shows the last picture only
    cost, ending = 0.0, "done"
    try:
        import_module("matplotlib.figure")      # takes long: here it is no part of what the first picture costs
        shown = clock()
        while len(losses) < steps:
            loss = train_step(model, xs, ys, learning_rate)
            if not isinstance(loss, (int, float)):
                ending = f"stopped: train_step returned {loss!r:.40}; return the loss as a float, float(loss.data)"
                break
            losses.append(loss)
            if not math.isfinite(loss):
                ending = "stopped: the loss is no finite number; are the gradients right, is the learning rate small?"
                break
            if watched and clock() - shown >= max(LEAST, SHARE * cost):
                began = clock()
                _update(handle, losses, steps, "", model, xs, ys, GRID)
                shown = clock()
                cost = shown - began
    except KeyboardInterrupt:
        ending = "stopped by you; the model keeps what it has learned"
    except BaseException:
        _update(handle, losses, steps, "stopped by an error", model, xs, ys, None)
        raise
    _update(handle, losses, steps, ending, model, xs, ys, None)
    return losses


def _update(handle: DisplayHandle | None, losses: list[float], steps: int, ending: str, model: Callable, xs: Sequence,
            ys: Sequence, grid: int | None) -> None:
    words = f"step {len(losses)} of {steps}" + (f", loss {losses[-1]:.3f}" if losses else "") \
        + (f"; {ending}" if ending else "")
    try:
        picture = _picture(losses, model, xs, ys, grid) if losses else b""
    except KeyboardInterrupt:
        if not ending:
            raise
        picture = b""                   # stopped once more, while the last picture was drawn: its words are enough
    frame = Frame(words, len(losses), steps, picture)
    if handle is not None:              # None outside IPython
        handle.update(frame)
    elif ending:
        print(frame)


def _picture(losses: list[float], model: Callable, xs: Sequence, ys: Sequence, grid: int | None) -> bytes:
    """The loss curve and the boundary as PNG; the curve alone where the model's answers cannot be drawn."""
    from matplotlib.figure import Figure  # here, since it takes long to import

    figure = Figure(figsize=(11, 4), dpi=80)
    left, right = figure.subplots(1, 2)
    left.plot(losses, color="#0072B2")
    left.set(xlabel="step", ylabel="mean squared error", title="Loss", ylim=(0, None))
    try:
        plot_boundary(lambda point: model(point).data, xs, ys, ax=right, **({"grid": grid} if grid else {}))
    except (ArithmeticError, AttributeError, TypeError, ValueError) as problem:
        right.set(title=f"No boundary: {type(problem).__name__}")
    except KeyboardInterrupt:                   # while drawing: the curve is enough
        right.set(title="No boundary: interrupted")
    held = io.BytesIO()
    figure.savefig(held, format="png", bbox_inches="tight", metadata={"Software": None})
    return held.getvalue()
