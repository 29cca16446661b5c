"""The drills of topic 06's maths notebook: a matrix product by indices, sums that broadcasting hides, softmax."""

from __future__ import annotations

from random import Random

from utils.drill_bank import Draw, box


def _rows(rng: Random, rows: int, columns: int) -> list[list[int]]:
    """Small whole numbers, none of them 0, no two alike."""
    numbers = rng.sample([-6, -5, -4, -3, -2, 2, 3, 4, 5, 6], rows * columns)
    return [numbers[i * columns:(i + 1) * columns] for i in range(rows)]


def _matrix(rows: list[list[int]]) -> str:
    return r"\begin{pmatrix}" + r" \\ ".join(" & ".join(map(str, row)) for row in rows) + r"\end{pmatrix}"


def _product(rng: Random) -> Draw:
    x, W, g = (_rows(rng, 2, 2) for _ in range(3))
    i, j = rng.choice([(0, 1), (1, 0)])
    n, k = rng.choice([(0, 1), (1, 0)])
    dW = x[0][i] * g[0][j] + x[1][i] * g[1][j]
    dx = g[n][0] * W[k][0] + g[n][1] * W[k][1]
    text = (f"**R1. A product, by indices**\n\n$Y = X W$ with two examples, two inputs and two outputs, and $G$ is the "
            f"gradient of the loss by $Y$:\n\n$$X = {_matrix(x)} \\quad W = {_matrix(W)} \\quad G = {_matrix(g)}$$\n\n"
            f"Rows and columns are counted from 0. All shapes are equal, so they decide nothing.\n\n"
            f"1. `dW`: the gradient by $W_{{{i}{j}}}$\n"
            f"2. `dX`: the gradient by $X_{{{n}{k}}}$")
    return text, {
        "dW": box(f"gradient by W[{i}, {j}]", dW, [
            (x[0][j] * g[0][i] + x[1][j] * g[1][i], "That is the entry across the diagonal: Gᵀ X in place of Xᵀ G."),
            (x[i][0] * g[0][j] + x[i][1] * g[1][j], "That is X G. A weight serves every example: sum over the rows."),
            (x[i][0] * g[j][0] + x[i][1] * g[j][1], "You summed over the outputs. A weight reaches only one of them."),
            (x[0][i] * g[0][j], "That is the first example's share alone."),
            (x[1][i] * g[1][j], "That is the second example's share alone."),
            (dW / 2, "No mean was asked for: the shares of the examples add up."),
        ]),
        "dX": box(f"gradient by X[{n}, {k}]", dx, [
            (g[n][0] * W[0][k] + g[n][1] * W[1][k], "That is G W. Going back, the sum runs along a row of W."),
            (W[0][n] * g[0][k] + W[1][n] * g[1][k], "That is Wᵀ G, for a convention with examples in columns."),
            (W[n][0] * g[0][k] + W[n][1] * g[1][k], "That is W G: the example's row of G has to come first."),
            (g[n][0] * W[k][0], "That is the share of the first output alone."),
            (g[n][1] * W[k][1], "That is the share of the second output alone."),
        ]),
    }


def _broadcast(rng: Random) -> Draw:
    (a, b, c), (d, e, f) = _rows(rng, 2, 3)
    column = rng.choice([0, 1, 2])
    one, two = [a, b, c][column], [d, e, f][column]
    text = (f"**R2. What broadcasting hides**\n\n$X$ has shape (2, 3). The gradient of the loss by the result is\n\n"
            f"$$G = {_matrix([[a, b, c], [d, e, f]])}$$\n\n"
            f"1. `bias`: the result is `X + b` with `b` of shape (3,). What is the gradient by `b[{column}]`?\n"
            f"2. `column`: the result is `X + t` with `t` of shape (2, 1). What is the gradient by `t[0, 0]`?\n"
            f"3. `number`: the result is `X + s` with one number `s`. What is the gradient by `s`?")
    total = a + b + c + d + e + f
    return text, {
        "bias": box(f"gradient by b[{column}]", one + two, [
            (total, "That sums over both axes. b has an entry for each column: sum over the rows only."),
            ((one + two) / 2, "Copies add up; the mean is not asked for."),
            (one, "That is the first row's share alone."),
            (two, "That is the second row's share alone."),
            (a + b + c, "That sums along a row. b[j] was copied down a column."),
        ]),
        "column": box("gradient by t[0, 0]", a + b + c, [
            (a + d, "That sums down a column. t[0, 0] was copied along the first row."),
            (total, "That sums over both axes: t has an entry for each row."),
            ((a + b + c) / 3, "Copies add up; the mean is not asked for."),
            (a, "That is the share of one entry; it was copied to three."),
            (d + e + f, "That is the other row."),
        ]),
        "number": box("gradient by s", total, [
            (a + b + c, "That is the first row alone; s was copied to every entry."),
            (total / 6, "Copies add up; the mean is not asked for."),
            (6, "That would be right for a gradient of ones: upstream times local, summed."),
            (a, "That is the share of one entry; it was copied to six."),
        ]),
    }


def _softmax(rng: Random) -> Draw:
    odds = rng.choice([(2, 1, 1), (1, 2, 1), (1, 1, 2), (1, 3, 4), (4, 1, 3), (5, 2, 1), (1, 4, 5)])
    s = [o / sum(odds) for o in odds]
    g = rng.sample([-8, -4, 4, 8, 12, 16], 3)
    i, label = rng.choice([0, 1, 2]), rng.choice([0, 1, 2])
    mean = sum(p * u for p, u in zip(s, g, strict=True))
    grad = s[i] * (g[i] - mean)
    row = ", ".join(f"{p:g}" for p in s)
    other = (label + 1) % 3
    text = (f"**R3. Softmax**\n\nFor one example softmax gives $s = ({row})$.\n\n"
            f"1. `jacobian`: $\\partial s_{label} / \\partial z_{other}$\n"
            f"2. `dz`: the gradient by the outputs $s$ is $({', '.join(map(str, g))})$. What is that by $z_{i}$?\n"
            f"3. `logit`: now the loss is $-\\log s_{label}$. What is its gradient by the logit $z_{label}$?")
    return text, {
        "jacobian": box(f"∂s{label}/∂z{other}", -s[label] * s[other], [
            (s[label] * (1 - s[label]), "That is the entry on the diagonal. Here one logit moves another probability."),
            (s[label] * s[other], "Its size is right. When one logit rises, the other probabilities fall."),
            (s[other] * (1 - s[other]), "That is the entry on the diagonal. Here one logit moves another probability."),
            (-s[label], "One factor is missing: how much of the probability the other logit holds."),
            (-s[other], "One factor is missing: the probability that is moved."),
        ]),
        "dz": box(f"gradient by z{i}", grad, [
            (s[i] * (1 - s[i]) * g[i], "That is a sigmoid's rule. The other outputs depend on this logit too."),
            (s[i] * g[i], "The second term is missing: s_i times the mean of the gradients, weighted by s."),
            (s[i] * (g[i] - sum(g) / 3), "The mean has to be weighted by s."),
            (g[i] - mean, "The factor s_i in front is missing."),
            (s[i] * (mean - g[i]), "The size is right, the sign is not."),
            (s[i] * (g[i] - sum(g)), "The gradients in the second term are weighted by s."),
        ]),
        "logit": box(f"gradient by z{label}", s[label] - 1, [
            (1 - s[label], "The size is right. Raising the right logit makes the loss fall."),
            (s[label], "That would be the gradient if this class were not the right one."),
            (-1 / s[label], "That is the gradient by the probability. The logit is one stage further back."),
            (s[label] * (1 - s[label]), "That is the derivative of the probability; the loss is its logarithm."),
            (-1, "The part that comes from the sum in the denominator is missing."),
        ]),
    }


DRAW = {"R1": _product, "R2": _broadcast, "R3": _softmax}
