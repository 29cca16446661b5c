"""The catalogue of topic 06: wrong layers as data, each with the sentence that a learner reads.

Losses and softmax are in loss_misconceptions.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from utils.judge.layer_models import Linear, ReLU, Tanh
from utils.judge.loss_misconceptions import FORUMS, MUTANT, PUBLIC, losses, softmaxes
from utils.judge.loss_misconceptions import entry as _entry
from utils.judge.misconceptions import Misconception

RATES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 0.001)       # learning rates that a backward with a step of its own may use


def _linear() -> Iterator[Misconception]:
    yield _entry("dW-transposed", "1.2", FORUMS,
                 "`grad_W` is transposed: it has the shape of W, (nin, nout), so x comes first, `x.T @ "
                 "grad_output`.",
                 {"Linear.share_W": lambda s, x, g: g.T @ x})
    yield _entry("dX-turned", "1.2", FORUMS,
                 "The gradient of the input is W from the wrong side. For y = x W it is `grad_output @ W.T`: each "
                 "row goes back by itself.",
                 {"Linear.pull": lambda s, x, g: s.W.T @ g}, {"Linear.pull": lambda s, x, g: (s.W @ g)},
                 {"Linear.pull": lambda s, x, g: (s.W @ g.T)}, family="dX")
    yield _entry("dX-untransposed", "1.2", FORUMS,
                 "The gradient of the input goes through W itself, where its transpose belongs: output j sends back"
                 " along column j. A square W hides that from shapes.",
                 {"Linear.pull": lambda s, x, g: g @ s.W}, family="dX")
    yield _entry("dX-inverse", "1.2", FORUMS,
                 "Going back is not undoing: the gradient needs the transpose of W, not its inverse.",
                 {"Linear.pull": lambda s, x, g: g @ np.linalg.inv(s.W)},
                 {"Linear.pull": lambda s, x, g: g @ np.linalg.pinv(s.W)}, family="dX")
    yield _entry("dX-passed-on", "3.1", MUTANT,
                 "`backward` returns the upstream gradient as it came. It owes d(loss)/d(its own input).",
                 {"Linear.pull": lambda s, x, g: g})
    yield _entry("dX-missing", "1.2", FORUMS,
                 "`backward` returns nothing, so the layer before gets no gradient.",
                 {"Linear.pull": lambda s, x, g: None})
    yield _entry("db-no-axis", "1.2", PUBLIC,
                 "`grad_b` is one number for all outputs, and broadcasting hides it. Sum over the rows only: "
                 "`axis=0`.",
                 {"Linear.share_b": lambda s, x, g: g.sum()},
                 {"Linear.share_b": lambda s, x, g: np.full(s.b.shape, g.sum())})
    yield _entry("db-wrong-axis", "1.2", FORUMS,
                 "`grad_b` is summed over the outputs. b has one entry an output, and every example of the batch "
                 "adds a share: sum over `axis=0`.",
                 {"Linear.share_b": lambda s, x, g: g.sum(axis=1)})
    yield _entry("db-unsummed", "1.2", FORUMS,
                 "`grad_b` still has a row for each example. Broadcasting copied b to every row; going back, the "
                 "copies' gradients add up.",
                 {"Linear.share_b": lambda s, x, g: g}, {"Linear.share_b": lambda s, x, g: g.copy()})
    yield _entry("db-mean", "1.2", FORUMS,
                 "`grad_b` is the mean over the batch. Where the loss is a mean, its 1/N is in the upstream "
                 "gradient already: a layer sums.",
                 {"Linear.share_b": lambda s, x, g: g.mean(axis=0)})
    yield _entry("dW-mean", "1.2", FORUMS,
                 "`grad_W` is divided by the batch size. Where the loss is a mean, its 1/N is in the upstream "
                 "gradient already: 1/N belongs in one place.",
                 {"Linear.share_W": lambda s, x, g: x.T @ g / len(x)})
    averaged = {"Linear.share_W": lambda s, x, g: x.T @ g / len(x), "Linear.share_b": lambda s, x, g: g.mean(axis=0)}
    yield _entry("layer-averages", "1.2", FORUMS,
                 "`grad_W` and `grad_b` are divided by the batch size. Where the loss is a mean, its 1/N is in the "
                 "upstream gradient already: 1/N belongs in one place, the loss.",
                 averaged, {**averaged, "Linear.pull": lambda s, x, g: g @ s.W.T / len(x)})
    yield _entry("dW-without-upstream", "1.2", FORUMS,
                 "`grad_W` knows nothing of the upstream gradient: each input's share is times what its output is "
                 "blamed for.",
                 {"Linear.share_W": lambda s, x, g: x.T @ np.ones_like(g)})
    yield _entry("db-ones", "1.2", FORUMS,
                 "`grad_b` counts the rows and leaves out the upstream gradient.",
                 {"Linear.share_b": lambda s, x, g: np.full(s.b.shape, float(len(x)))},
                 {"Linear.share_b": lambda s, x, g: np.ones(s.b.shape)})
    yield _entry("caches-output", "1.2", FORUMS,
                 "The layer keeps its output where it needs its input: `grad_W` is made of what W met.",
                 {"Linear.forward": _keeps_output})
    yield _entry("bias-left-out", "1.1", MUTANT,
                 "`forward` leaves b out.",
                 {"Linear.value": lambda s, x: x @ s.W})
    yield _entry("bias-turned", "1.1", MUTANT,
                 "`forward` subtracts b.",
                 {"Linear.value": lambda s, x: x @ s.W - s.b})
    yield _entry("W-first", "1.1", FORUMS,
                 "`forward` multiplies from the wrong side: examples are rows, so it is `x @ W`.",
                 {"Linear.value": lambda s, x: s.W @ x + s.b}, {"Linear.value": lambda s, x: x @ s.W.T + s.b},
                 {"Linear.value": lambda s, x: s.W.T @ x + s.b})
    yield _entry("steps-before-use", "1.2", PUBLIC,
                 "`backward` takes a step before it has used W: the gradient of the input then comes from the new "
                 "weights. Compute all gradients first; `sgd` steps later.",
                 *({"Linear.backward": _stepping(rate, first=True)} for rate in RATES), family="updates")
    yield _entry("steps-in-backward", "3.2", PUBLIC,
                 "`backward` moves W and b. It only computes gradients; taking a step is the work of `sgd`.",
                 *({"Linear.backward": _stepping(rate, first=False)} for rate in RATES), family="updates")
    yield _entry("accumulates", "3.2", FORUMS,
                 "`grad_W` and `grad_b` add up over calls of `backward`. Here they are set, with `=`: a new batch "
                 "starts from nothing.",
                 {"Linear.blame": _adding("Wb")}, {"Linear.blame": _adding("W")}, {"Linear.blame": _adding("b")})


def _keeps_output(self, x):
    y = self.value(x)
    self.keep(y)
    return y


def _stepping(rate: float, first: bool) -> Callable:
    def backward(self, g):
        x = self.recall()
        self.blame(x, g)
        pulled = None if first else self.pull(x, g)
        self.W, self.b = self.W - rate * self.grad_W, self.b - rate * self.grad_b
        return self.pull(x, g) if first else pulled
    return backward


def _adding(which: str) -> Callable:
    def blame(self, x, g):
        old = getattr(self, "grad_W", 0.0), getattr(self, "grad_b", 0.0)
        self.grad_W = self.share_W(x, g) + (old[0] if "W" in which else 0.0)
        self.grad_b = self.share_b(x, g) + (old[1] if "b" in which else 0.0)
    return blame


def _gates() -> Iterator[Misconception]:
    yield _entry("relu-gated-by-gradient", "1.3", FORUMS,
                 "The gate looks at the sign of the upstream gradient. It is opened by the input: keep where x > 0.",
                 {"ReLU.pull": lambda s, x, g: np.maximum(g, 0)}, {"ReLU.pull": lambda s, x, g: g * (g > 0) * (x > 0)})
    yield _entry("relu-without-upstream", "1.3", FORUMS,
                 "`backward` returns the gate alone: multiply it by what comes from upstream.",
                 {"ReLU.pull": lambda s, x, g: (x > 0).astype(float)}, {"ReLU.pull": lambda s, x, g: x > 0},
                 family="drops-upstream")
    yield _entry("relu-passes-all", "1.3", MUTANT,
                 "The gradient passes a closed gate: where the input was not positive, nothing comes through.",
                 {"ReLU.pull": lambda s, x, g: g})
    yield _entry("relu-times-output", "1.3", FORUMS,
                 "`backward` multiplies by the output. The slope of an open gate is 1, whatever came through.",
                 {"ReLU.pull": lambda s, x, g: g * np.maximum(x, 0)})
    yield _entry("relu-turned", "1.3", MUTANT,
                 "The gate is open where it should be closed.",
                 {"ReLU.pull": lambda s, x, g: g * (x <= 0)})
    yield _entry("relu-absolute", "1.3", MUTANT,
                 "`forward` gives the size of a negative input: a relu gives 0.",
                 {"ReLU.value": lambda s, x: np.abs(x)})
    yield _entry("relu-leaks", "1.3", MUTANT,
                 "A relu lets nothing of a negative input through; a leaky one does.",
                 *({"ReLU.value": _leaky(slope), "ReLU.pull": _leaky_back(slope)} for slope in (0.01, 0.1)))
    yield _entry("relu-changes-input", "3.2", FORUMS,
                 "`forward` writes zeros into the array that it was given. Make a new one: `np.where` or "
                 "`np.maximum`.",
                 {"ReLU.value": _clears}, {"ReLU.forward": _clears_first})
    yield _entry("relu-changes-upstream", "3.2", PUBLIC,
                 "`backward` writes zeros into the upstream gradient, which is somebody else's. Make a new array.",
                 {"ReLU.pull": _clears_upstream})
    yield _entry("tanh-slope-of-input", "2.1", FORUMS,
                 "The slope is 1 - tanh(x)^2: square the output, not the input.",
                 {"Tanh.pull": lambda s, x, g: g * (1 - x**2)})
    yield _entry("tanh-twice", "2.1", PUBLIC,
                 "tanh is applied twice: what is kept is already tanh(x), or is taken for it.",
                 {"Tanh.pull": lambda s, x, g: g * (1 - np.tanh(np.tanh(x)) ** 2)})
    yield _entry("tanh-as-sigmoid", "2.1", FORUMS,
                 "t (1 - t) is the slope of a sigmoid; that of tanh is 1 - t^2.",
                 {"Tanh.pull": lambda s, x, g: g * np.tanh(x) * (1 - np.tanh(x))})
    yield _entry("tanh-without-upstream", "2.1", FORUMS,
                 "`backward` returns the slope alone: multiply it by what comes from upstream.",
                 {"Tanh.pull": lambda s, x, g: 1 - np.tanh(x) ** 2}, family="drops-upstream")
    yield _entry("tanh-passes-all", "2.1", MUTANT,
                 "`backward` leaves the slope of tanh out.",
                 {"Tanh.pull": lambda s, x, g: g})


def _leaky(slope: float) -> Callable:
    return lambda s, x: np.where(x > 0, x, slope * x)


def _leaky_back(slope: float) -> Callable:
    return lambda s, x, g: g * np.where(x > 0, 1.0, slope)


def _clears(self, x):
    x[x < 0] = 0
    return x


def _clears_first(self, x):
    x[x < 0] = 0
    self.keep(x)
    return x


def _clears_upstream(self, x, g):
    g[x <= 0] = 0
    return g


def _caches() -> Iterator[Misconception]:
    """What goes wrong with what a layer keeps."""
    for name in (cls.__name__ for cls in (Linear, ReLU, Tanh)):
        what, end = f"`{name}`", name.lower()
        yield _entry(f"cache-shared-{end}", "3.2", FORUMS,
                     f"{what} keeps what it has seen in one place for all its layers, so a second layer overwrites "
                     f"the first one's. Keep it in `self`.",
                     _shared(name), family="cache-shared")
        yield _entry(f"cache-first-{end}", "3.2", MUTANT,
                     f"{what} keeps the first input for ever: the cache is set once and not renewed. `backward` "
                     f"belongs to the latest `forward`.",
                     {f"{name}.keep": _keeps_first}, family="cache-first")
        yield _entry(f"buffer-reused-{end}", "3.2", PUBLIC,
                     f"{what} gives out the same array at every `forward`, so an earlier output changes under its "
                     f"owner's hands. Make a new one each time.",
                     {f"{name}.forward": _into_one_buffer}, family="buffer-reused")


def _shared(name: str) -> dict[str, Callable]:
    def keep(self, x):
        type(self).kept = x
    return {f"{name}.keep": keep}


def _keeps_first(self, x):
    self.kept = getattr(self, "kept", x)


def _into_one_buffer(self, x):
    self.keep(x)
    y = self.value(x)
    if getattr(self, "buffer", None) is None or self.buffer.shape != y.shape:
        self.buffer = np.empty_like(y)
    self.buffer[...] = y
    return self.buffer


def _networks() -> Iterator[Misconception]:
    yield _entry("sequential-forwards", "3.1", FORUMS,
                 "`backward` goes through the layers in the order of `forward`. The gradient arrives at the last "
                 "layer first: `reversed(self.layers)`.",
                 {"Sequential.backward": lambda s, g: _through(s.layers, g)})
    yield _entry("sequential-same-gradient", "3.1", FORUMS,
                 "Every layer gets the network's own upstream gradient. Each one's is what the layer behind it "
                 "returned.",
                 {"Sequential.backward": lambda s, g: [layer.backward(g) for layer in s.layers[::-1]][-1]})
    yield _entry("sequential-returns-nothing", "3.1", MUTANT,
                 "`backward` goes through the layers and returns nothing: it owes the gradient of the first layer's"
                 " input.",
                 {"Sequential.backward": lambda s, g: [_through(s.layers[::-1], g), None][1]})
    yield _entry("step-uphill", "4.1", FORUMS,
                 "The step goes uphill: the gradient points to where the loss grows, so subtract it.",
                 {"sgd.moved": _plus, "sgd.moved_bias": _plus})
    yield _entry("step-without-rate", "4.1", MUTANT,
                 "The step leaves the learning rate out.",
                 {"sgd.moved": lambda s, p, g, rate: p - g, "sgd.moved_bias": lambda s, p, g, rate: p - g})
    yield _entry("step-forgets-bias", "4.1", MUTANT,
                 "Only W moves: b has a gradient too.",
                 {"sgd.moved_bias": lambda s, p, g, rate: p})
    dropped = {"train_epoch.batches": lambda s, n, k: [np.arange(i, i + k) for i in range(0, n - k + 1, k)]}
    yield _entry("epoch-drops-last-batch", "4.2", FORUMS,
                 "The last batch is dropped when it is smaller than the others: its examples count too.",
                 dropped, {**dropped, "train_epoch.mean": _weighted}, {**dropped, "train_epoch.mean": _of_means})
    yield _entry("epoch-mean-of-means", "4.2", FORUMS,
                 "The mean of the batches' means counts the examples of a smaller batch for more. Weight each batch"
                 " by its size.",
                 {"train_epoch.mean": _of_means},
                 {"train_epoch.mean": lambda s, losses, n: sum(x for x, _ in losses) / n},
                 {"train_epoch.mean": lambda s, losses, n: sum(x for x, _ in losses) * losses[0][1] / n},
                 {"train_epoch.mean": lambda s, losses, n: sum(x for x, _ in losses)})
    yield _entry("epoch-rate-over-batch", "4.2", FORUMS,
                 "1/N is applied twice: the loss is a mean already, so the step is not divided by the batch size "
                 "again.",
                 {"train_epoch.learn": lambda s, model, loss, rate: _learn_divided(s, model, loss, rate)})
    yield _entry("epoch-without-step", "4.2", MUTANT,
                 "The gradients are computed and never used: `sgd` is missing.",
                 {"train_epoch.learn": lambda s, model, loss, rate: model.backward(loss.backward())})
    yield _entry("epoch-one-step", "4.2", MUTANT,
                 "There is one step for the whole epoch: each batch has its own.",
                 {"train_epoch.batches": lambda s, n, k: [np.arange(n)]})


def _weighted(self, losses, n):
    return sum(loss * count for loss, count in losses) / sum(count for _, count in losses)


def _of_means(self, losses, n):
    return np.mean([loss for loss, _ in losses])


def _plus(self, parameter, grad, rate):
    return parameter + rate * grad


def _through(layers, g):
    for layer in layers:
        g = layer.backward(g)
    return g


def _learn_divided(self, model, loss, rate):
    grad = loss.backward()
    model.backward(grad)
    self.step(model.layers, rate / len(grad))


def _told_at_once() -> Iterator[Misconception]:
    """Entries that a promise names itself, from what it sees: a dropout mask is the learner's own."""
    told = {
        "dropout-unscaled": "What is kept is not divided by 1 - p, so the mean of the outputs shrinks while training.",
        "dropout-keeps-p": "p is the share that is kept; it should be the share that is dropped.",
        "dropout-one-mask": "The mask is drawn once and for all: draw a new one in every `forward`.",
        "dropout-passes-all": "The gradient passes where the input was dropped: multiply it by the mask.",
        "dropout-unscaled-backward": "The gradient lacks the factor 1 / (1 - p) that the input had.",
        "dropout-new-mask": "`backward` draws a mask of its own. Keep the one that `forward` drew.",
        "dropout-always-on": "`training` is not looked at: after training, nothing is dropped or scaled.",
    }
    for id, says in told.items():
        yield _entry(id, "3.3", FORUMS, says)


@lru_cache
def sections() -> dict[str, tuple[Misconception, ...]]:
    """The entries under headings."""
    makers = {"Linear": _linear(), "Gates": _gates(), "Softmax": softmaxes(), "Losses": losses(), "Caches": _caches(),
              "Networks and training": _networks(), "Dropout": _told_at_once()}
    return {title: tuple(entries) for title, entries in makers.items()}


@lru_cache
def catalogue() -> dict[str, Misconception]:
    """Every entry by its id."""
    return {entry.id: entry for entries in sections().values() for entry in entries}
