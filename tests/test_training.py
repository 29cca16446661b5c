"""`watch_training`: pictures while it runs, and whatever ends it, the model and the losses so far are kept."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import pytest

from utils import training
from utils.datasets import plot_boundary, two_moons
from utils.training import watch_training

XS, YS = two_moons(8)


class Model:
    """A line whose slope is its only parameter."""

    def __init__(self):
        self.w = 0.0

    def __call__(self, point):
        return SimpleNamespace(data=self.w * point[0] - point[1])


def train_step(model, xs, ys, learning_rate):
    model.w += learning_rate
    return 1 / model.w


@pytest.fixture
def frames(monkeypatch):
    """Every frame shown, in order."""
    shown = []
    handle = SimpleNamespace(update=shown.append)
    monkeypatch.setattr(training, "display", lambda frame, display_id: shown.append(frame) or handle)
    return shown


def words(frames):
    return [repr(frame) for frame in frames]


def test_pictures_come_while_training_runs_and_at_its_end(frames):
    clock = itertools.count(0.0, 0.25).__next__
    losses = watch_training(train_step, Model(), XS, YS, steps=8, learning_rate=1.0, clock=clock)
    assert losses == [1 / k for k in range(1, 9)]
    assert words(frames)[0] == "step 0 of 8"
    assert "step 2 of 8, loss 0.500" in words(frames)
    assert words(frames)[-1] == "step 8 of 8, loss 0.125; done"
    assert all(frame.picture.startswith(b"\x89PNG") for frame in frames[1:])
    assert '<progress value="8" max="8"' in frames[-1]._repr_html_()


def test_where_nobody_watches_only_the_last_picture_is_drawn(frames, monkeypatch):
    monkeypatch.setenv(training.GRADING, "1")
    clock = itertools.count(0.0, 0.25).__next__
    assert len(watch_training(train_step, Model(), XS, YS, steps=8, learning_rate=1.0, clock=clock)) == 8
    assert words(frames) == ["step 0 of 8", "step 8 of 8, loss 0.125; done"] and frames[-1].picture


def test_drawing_takes_a_fifth_of_the_time_at_most(frames, monkeypatch):
    now = [0.0]

    def takes(seconds, result):
        now[0] += seconds
        return result

    monkeypatch.setattr(training, "_picture", lambda *_: takes(1.0, b""))
    watch_training(lambda *_: takes(0.2, 0.5), Model(), XS, YS, steps=100, clock=lambda: now[0])
    drawn = len(frames) - 2                 # but for the first and the last
    assert 4 <= drawn <= 20.0 / 4 + 1       # 20 s of training


@pytest.mark.parametrize(("trouble", "told"), [
    (KeyboardInterrupt, "stopped by you; the model keeps what it has learned"),
    (None, "stopped: train_step returned None; return the loss as a float"),
    (math.nan, "stopped: the loss is no finite number"),
    ("<b>", "stopped: train_step returned '<b>'"),
])
def test_what_ends_it_is_said_and_the_model_is_kept(frames, trouble, told, monkeypatch):
    def stumbling(model, xs, ys, learning_rate):
        if model.w >= 3:
            if trouble is KeyboardInterrupt:
                raise trouble
            return trouble
        return train_step(model, xs, ys, learning_rate)

    monkeypatch.setattr(training, "_picture", lambda *_: b"")
    model = Model()
    losses = watch_training(stumbling, model, XS, YS, steps=8, learning_rate=1.0)
    assert told in words(frames)[-1]
    assert losses[:3] == [1.0, 1 / 2, 1 / 3] and model.w == 3
    assert "<b>" not in frames[-1]._repr_html_()
    assert len(watch_training(train_step, model, XS, YS, steps=2, learning_rate=1.0)) == 2 and model.w == 5


@pytest.mark.parametrize("first", ["train_step", "picture"])
def test_the_stop_button_pressed_twice_costs_the_last_picture_and_nothing_else(frames, monkeypatch, first):
    def interrupted(*given):
        if first == "train_step" and given[-1] is not None:         # but for the last picture, which has no grid
            return b""
        raise KeyboardInterrupt

    def step(model, xs, ys, learning_rate):
        if model.w >= 3 and first == "train_step":
            raise KeyboardInterrupt
        return train_step(model, xs, ys, learning_rate)

    monkeypatch.setattr(training, "_picture", interrupted)
    losses = watch_training(step, Model(), XS, YS, steps=8, learning_rate=1.0, clock=itertools.count(0.0, 0.2).__next__)
    assert losses == [1.0, 1 / 2, 1 / 3]
    assert words(frames)[-1] == "step 3 of 8, loss 0.333; stopped by you; the model keeps what it has learned"
    assert frames[-1].picture == b"" and "<img" not in frames[-1]._repr_html_()


def test_an_error_of_the_learners_passes_through(frames):
    def unwritten(model, xs, ys, learning_rate):
        raise NotImplementedError("exercise 4.2")

    with pytest.raises(NotImplementedError):
        watch_training(unwritten, Model(), XS, YS)
    assert words(frames)[-1] == "step 0 of 300; stopped by an error"


def test_a_model_that_cannot_be_drawn_leaves_the_curve(frames):
    broken = SimpleNamespace(w=0.0)         # cannot be called
    watch_training(train_step, broken, XS, YS, steps=2, learning_rate=1.0)
    assert frames[-1].picture.startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no boundary"):
        plot_boundary(lambda point: math.nan, XS, YS)


def test_without_a_notebook_the_last_words_are_printed(monkeypatch, capsys):
    monkeypatch.setattr(training, "display", lambda frame, display_id: None)
    watch_training(train_step, Model(), XS, YS, steps=2, learning_rate=1.0)
    assert capsys.readouterr().out == "step 2 of 2, loss 0.500; done\n"
