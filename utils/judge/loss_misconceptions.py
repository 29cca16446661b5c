"""The part of topic 06's catalogue that is about losses and softmax, and what its entries are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from utils.judge.layer_models import SoftmaxCrossEntropy, SquaredError, onehot, softmax
from utils.judge.misconceptions import Misconception

FORUMS = "asked in forums and issues"       # how often an entry is met
PUBLIC = "in public code"
MUTANT = "a mutant"


def entry(id: str, exercise: str, seen: str, says: str, *flaws: dict[str, Callable],
           family: str | None = None) -> Misconception:
    return Misconception(id, says, flaws, exercise, seen, family or id)


def losses() -> Iterator[Misconception]:
    yield entry("error-no-mean", "2.2", FORUMS,
                "The gradient of the mean lacks its 1/N: the loss is divided by the number of entries, so its "
                "gradient is too.",
                {"SquaredError.pull": lambda s, d: 2 * d}, family="no-mean")
    yield entry("error-mean-twice", "2.2", FORUMS,
                "The gradient of the mean is divided by the number of entries twice.",
                {"SquaredError.pull": lambda s, d: SquaredError.pull(s, d) / (d.size if s.reduction == "mean" else 1)},
                family="mean-twice")
    yield entry("error-mean-of-rows", "2.2", FORUMS,
                "The mean is over all entries, rows times columns; yours divides by the rows alone.",
                {"SquaredError.pull": _over_rows(lambda d: 2 * d)},
                {"SquaredError.pull": _over_rows(lambda d: 2 * d),
                 "SquaredError.value": _over_rows(lambda d: (d**2).sum())})
    yield entry("error-no-two", "2.2", FORUMS,
                "The derivative of a square has a factor 2.",
                {"SquaredError.pull": lambda s, d: d / d.size if s.reduction == "mean" else d})
    yield entry("error-sign", "2.2", FORUMS,
                "The sign is turned: a prediction that is too large has a positive gradient.",
                {"SquaredError.pull": lambda s, d: -2 * d / (d.size if s.reduction == "mean" else 1)}, family="sign")
    yield entry("error-always-mean", "2.2", MUTANT,
                '"sum" gives the mean: `reduction` is not looked at.',
                {"SquaredError.__init__": _always("mean")}, family="reduction")
    yield entry("error-always-sum", "2.2", MUTANT,
                '"mean" gives the sum: `reduction` is not looked at.',
                {"SquaredError.__init__": _always("sum")}, family="reduction")
    yield entry("error-broadcasts", "2.2", PUBLIC,
                "A column (N, 1) against a row (N,) broadcasts to N times N differences, without a word. Compare "
                "the shapes first.",
                {"SquaredError.check": lambda s, y, t: None})
    yield entry("ce-softmax-twice", "2.5", PUBLIC,
                "Softmax is applied twice: the loss takes logits, and turns them into probabilities itself.",
                {"SoftmaxCrossEntropy.forward": _softmax_twice},
                {"SoftmaxCrossEntropy.probabilities": lambda s, z: softmax(softmax(z))})
    yield entry("ce-sign", "2.5", PUBLIC,
                "The gradient is p - onehot, and yours has the opposite sign: a class that gets too much "
                "probability must come down.",
                {"SoftmaxCrossEntropy.pull": lambda s, p, y: _reduced(s, onehot(y, p) - p)}, family="sign")
    yield entry("ce-no-mean", "2.5", FORUMS,
                "The gradient of the mean lacks its 1/N, which acts like a learning rate that grows with the "
                "batch.",
                {"SoftmaxCrossEntropy.pull": lambda s, p, y: p - onehot(y, p)}, family="no-mean")
    yield entry("ce-mean-twice", "2.5", FORUMS,
                "1/N stands in the gradient twice.",
                {"SoftmaxCrossEntropy.pull": lambda s, p, y: _reduced(s, SoftmaxCrossEntropy.pull(s, p, y))},
                family="mean-twice")
    yield entry("ce-mean-of-entries", "2.5", FORUMS,
                "The mean is over the N rows; yours divides by all N times C entries.",
                {"SoftmaxCrossEntropy.pull": lambda s, p, y: _reduced(s, (p - onehot(y, p)) / p.shape[1])})
    yield entry("ce-sums", "2.5", MUTANT,
                "The loss is the sum over the batch where the mean is asked for.",
                {"SoftmaxCrossEntropy.__init__": _always("sum")}, family="reduction")
    yield entry("ce-always-mean", "2.5", MUTANT,
                '"sum" gives the mean: `reduction` is not looked at.',
                {"SoftmaxCrossEntropy.__init__": _always("mean")}, family="reduction")
    yield entry("ce-no-onehot", "2.5", MUTANT,
                "The gradient is the probabilities alone: 1 is taken off at the label.",
                {"SoftmaxCrossEntropy.pull": lambda s, p, y: _reduced(s, p)})
    yield entry("ce-overflows", "2.5", FORUMS,
                "e to a large power overflows. Subtract each row's largest logit first: the loss does not change.",
                {"SoftmaxCrossEntropy.value": _unshifted},
                {"SoftmaxCrossEntropy.value": _unshifted, "SoftmaxCrossEntropy.probabilities": lambda s, z: _plain(z)},
                {"SoftmaxCrossEntropy.value": _log_of_plain},
                {"SoftmaxCrossEntropy.value": _log_of_plain,
                 "SoftmaxCrossEntropy.probabilities": lambda s, z: _plain(z)},
                family="overflows")
    yield entry("ce-log-of-zero", "2.5", FORUMS,
                "The log of a probability that was rounded to 0 is -inf. Take the log before: log p = z - log of "
                "the sum of e^z, after the shift.",
                {"SoftmaxCrossEntropy.value": _log_of_softmax})
    yield entry("ce-clipped", "2.5", PUBLIC,
                "A small number inside the log hides the rounding to 0 and bounds the loss. Take the log before: "
                "log p = z - log of the sum of e^z, after the shift.",
                *({"SoftmaxCrossEntropy.value": _clipped(eps, add)}
                  for eps in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15) for add in (True, False)))


def _over_rows(function: Callable) -> Callable:
    return lambda s, d: function(d) / (len(d) if s.reduction == "mean" else 1)


def _always(reduction: str) -> Callable:
    def init(self, _="mean"):
        self.reduction = reduction
    return init


def _reduced(self, grad):
    return grad / len(grad) if self.reduction == "mean" else grad


def _picked(self, log_p, labels):
    losses = -log_p[np.arange(len(labels)), labels]
    return losses.mean() if self.reduction == "mean" else losses.sum()


def _softmax_twice(self, logits, labels):
    return SoftmaxCrossEntropy.forward(self, softmax(logits), labels)


def _unshifted(self, z, labels):
    return _picked(self, z - np.log(np.exp(z).sum(axis=1, keepdims=True)), labels)


def _log_of_plain(self, z, labels):
    return _picked(self, np.log(_plain(z)), labels)


def _log_of_softmax(self, z, labels):
    return _picked(self, np.log(softmax(z)), labels)


def _clipped(eps: float, add: bool) -> Callable:
    def value(self, z, labels):
        p = softmax(z)
        return _picked(self, np.log(p + eps if add else np.clip(p, eps, None)), labels)
    return value


def _plain(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def softmaxes() -> Iterator[Misconception]:
    def forward(function: Callable) -> tuple[dict[str, Callable], ...]:
        """The flaw where `softmax` is used by itself, in the staged loss as well, and in the closed one too."""
        staged = {"softmax": function, "cross_entropy_staged.softmax": staticmethod(function)}
        return {"softmax": function}, staged, staged | {"SoftmaxCrossEntropy.probabilities": lambda s, z: function(z)}

    def back(function: Callable) -> tuple[dict[str, Callable], ...]:
        own = {"softmax_backward": function}
        return own, own | {"cross_entropy_staged.softmax_backward": staticmethod(function)}
    yield entry("softmax-wrong-axis", "2.3", FORUMS,
                "Probabilities add up over the columns, down the batch: the classes are along a row, `axis=1`.",
                *forward(lambda z: softmax(z.T).T))
    yield entry("softmax-whole", "2.3", FORUMS,
                "All entries together add up to 1, and each row should: `sum(axis=1, keepdims=True)`.",
                *forward(lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum()))
    yield entry("softmax-overflows", "2.3", FORUMS,
                "e to a large power overflows. Subtract each row's largest number first: numerator and denominator"
                " shrink alike.",
                *forward(_plain), family="overflows")
    yield entry("softmax-shift-of-all", "2.3", PUBLIC,
                "The shift is the largest number of the whole batch, so a row far below it becomes 0/0. Shift each"
                " row by its own.",
                *forward(lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(axis=1, keepdims=True)),
                family="overflows")
    yield entry("softmax-shift-at-least-0", "2.3", PUBLIC,
                "The shift is never below 0, so a row of large negative numbers becomes 0/0. Shift by the row's "
                "true maximum.",
                *forward(_shift_at_least_0), family="overflows")
    yield entry("softmax-diagonal", "2.3", FORUMS,
                "s (1 - s) is the diagonal of the Jacobian alone. Raising one logit also lowers the row's other "
                "probabilities: s * (g - sum(g * s)).",
                *back(lambda s, g: g * s * (1 - s)))
    yield entry("softmax-sum-of-all", "2.3", MUTANT,
                "The sum of g * s is taken over the whole batch: each row has its own, `axis=1, keepdims=True`.",
                *back(lambda s, g: s * (g - (g * s).sum())))
    yield entry("softmax-without-sum", "2.3", MUTANT,
                "s * g lacks what the row's other outputs send back: s * (g - sum(g * s)).",
                *back(lambda s, g: s * g))
    yield entry("softmax-sum-without-s", "2.3", MUTANT,
                "The row's sum is of g * s, and yours is of g.",
                *back(lambda s, g: s * (g - g.sum(axis=1, keepdims=True))))
    yield entry("staged-no-mean", "2.4", FORUMS,
                "The first stage lacks the mean's 1/N: d(loss)/dp[label] is -1/p/N.",
                {"cross_entropy_staged.pull": lambda s, p, y: -onehot(y, p) / p}, family="no-mean")
    yield entry("staged-mean-twice", "2.4", FORUMS,
                "1/N stands in the gradient twice.",
                {"cross_entropy_staged.pull": lambda s, p, y: -onehot(y, p) / p / len(y) ** 2}, family="mean-twice")
    yield entry("staged-sign", "2.4", FORUMS,
                "The loss is minus a log, so d(loss)/dp[label] is negative.",
                {"cross_entropy_staged.pull": lambda s, p, y: onehot(y, p) / p / len(y)}, family="sign")
    yield entry("staged-gradient-of-p", "2.4", FORUMS,
                "Your gradient is that of the probabilities. One more stage back, through `softmax_backward`, and "
                "it is that of the logits.",
                {"cross_entropy_staged.softmax_backward": staticmethod(lambda s, g: g)})
    yield entry("staged-every-class", "2.4", MUTANT,
                "Every class gets -1/p; only the label's probability is in the loss.",
                {"cross_entropy_staged.pull": lambda s, p, y: -1 / p / len(y)})


def _shift_at_least_0(z):
    e = np.exp(z - np.maximum(z.max(axis=1, keepdims=True), 0))
    return e / e.sum(axis=1, keepdims=True)


