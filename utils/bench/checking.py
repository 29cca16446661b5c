"""G3: what it takes to check a whole network, and to find the one parameter whose gradient is wrong."""

from __future__ import annotations

import random

from utils.bench.scalar import SIZES
from utils.bench.worker import engine
from utils.datasets import two_moons
from utils.finite_difference_checker import check_many

ERROR = 1e-2  # of one parameter's gradient
WRONG = 211   # its place among the 337


def whole_network() -> tuple[int, int, bool]:
    """Evaluations for a right network and for one with a wrong gradient, and whether both verdicts are right."""
    level3 = engine("level 3")
    xs, ys = two_moons(10)
    random.seed(0)
    model = level3.MLP(SIZES[0], list(SIZES[1:]))

    def loss():
        return sum(((model(x) - y) ** 2 for x, y in zip(xs, ys, strict=True)), 0.0)

    def slightly_off():
        p = model.parameters()[WRONG]
        extra = level3.Value(0.0, (p,), "wrong")  # adds nothing to the loss, and ERROR of its gradient to p's

        def rule():
            p.grad += ERROR * slope * extra.grad

        extra._backward = rule
        return loss() + extra

    right = check_many(loss, model.parameters())
    for p in model.parameters():
        p.grad = 0.0
    loss().backward()
    slope = model.parameters()[WRONG].grad
    wrong = check_many(slightly_off, model.parameters())
    found = bool(right) and wrong.verdict == "fail" and wrong.worst.where == f"parameters[{WRONG}]"
    return right.evaluations, wrong.evaluations, found
