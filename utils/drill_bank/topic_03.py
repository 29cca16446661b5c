"""The drills of topic 03's maths notebook: the squared error, averages over unequal batches, second derivatives."""

from __future__ import annotations

from random import Random

from utils.drill_bank import Draw, box, follows, nonzero, plus


def _squared_error(rng: Random) -> Draw:
    w, size, b = rng.choice([-3, -2, 2, 3]), rng.choice([2, 3, 4]), nonzero(rng, 3)
    price = w * size + b - rng.choice([-5, -4, -3, 3, 4, 5])
    error = w * size + b - price
    text = (f"**R1. One house**\n\nThe model says $w \\cdot s + b$ for a house of size $s$; the loss is "
            f"$L = (w s + b - p)^2$. Take $w = {w}$, $s = {size}$, $b = {b}$ and the price $p = {price}$.\n\n"
            f"1. `error`: what is squared\n"
            f"2. `db`: $\\partial L / \\partial b$\n"
            f"3. `dw`: $\\partial L / \\partial w$")
    return text, {
        "error": box("the error", error, [
            (-error, "Price minus prediction. Here it is prediction minus price, and the sign travels on."),
            (error**2, "That is the loss already; the error is what is squared."),
            (w * size + b, "That is the prediction. How far is it from the price?"),
            (w * size - price, "The offset b is part of the prediction."),
        ]),
        "db": box("∂L/∂b", 2 * error, [
            (error, "The 2 of the square is missing."),
            (2 * error * size, "That is ∂L/∂w. When b moves, the error moves as far as b, whatever the size."),
            (error**2, "That is the loss, not its slope."),
            (2, "The error is missing: the slope of a square is twice what is squared."),
            (2 * error * b, "b itself does not appear: the error moves as far as b does."),
        ], follows(lambda e: 2 * e, "error")),
        "dw": box("∂L/∂w", 2 * error * size, [
            (2 * error, "The local factor is missing: when w moves by 1, the prediction moves by the size."),
            (error * size, "The 2 of the square is missing."),
            (2 * error * w, "The local derivative of w s by w is the other factor, s."),
            (2 * size, "The error is missing: upstream times local."),
            (error**2 * size, "The slope of a square is twice what is squared, not the square."),
        ], follows(lambda db: db * size, "db")),
    }


def _average(rng: Random) -> Draw:
    first = [rng.choice([-6, -3, 3, 6, 9]) for _ in range(2)]
    last = rng.choice([-12, -9, 9, 12, 15])
    one, two, three = *first, last
    mean = (one + two + three) / 3
    text = (f"**R2. An average**\n\nFor three examples the gradients of the single losses by a parameter are ${one}$, "
            f"${two}$ and ${three}$. The loss is the mean over all three. A program sees them in two batches: the "
            f"first two together, then the third.\n\n"
            f"1. `mean`: the gradient of the loss\n"
            f"2. `first`: what the backward pass of the first batch should add to `grad`\n"
            f"3. `naive`: what comes out if each batch uses *its own* mean, and both passes accumulate")
    return text, {
        "mean": box("gradient of the mean", mean, [
            (one + two + three, "That is the gradient of the sum. A mean divides by the number of examples."),
            ((one + two) / 2 + three, "Each batch was averaged by itself, then added. Divide by three, once."),
            (((one + two) / 2 + three) / 2, "A mean of means: the third example counts twice as much as the others."),
            ((one + two + three) / 2, "Divided by the number of batches. A mean divides by the number of examples."),
        ]),
        "first": box("share of the first batch", (one + two) / 3, [
            ((one + two) / 2, "That is the batch's own mean. Its two examples are two of *three*."),
            (one + two, "Not divided yet: by how many examples in all?"),
            (mean, "That is the whole gradient; the first batch brings only its share."),
            ((one + two) / 6, "Divided twice. Once, by the number of all examples."),
        ]),
        "naive": box("with two means", (one + two) / 2 + three, [
            (mean, "That is the right gradient, and this program does not find it. What does each pass add?"),
            (((one + two) / 2 + three) / 2, "The passes accumulate: nobody divides by two."),
            (one + two + three, "That is the sum of all three; here the first batch is averaged."),
            ((one + two) / 2, "That is the first pass alone. The second adds to it."),
        ]),
    }


def _twice(rng: Random) -> Draw:
    c, d, x = rng.choice([2, 3]), rng.choice([-4, -3, 3, 5]), rng.choice([-2, 2, 3])
    a, u, v = rng.choice([2, 3]), rng.choice([-2, 2, 3]), rng.choice([-3, 2, 4])
    p, q = rng.sample([-2, -1, 2, 3], 2)
    hv = 2 * a * v * p + 2 * a * u * q
    text = (f"**R3. Twice**\n\n1. `first`: $f(x) = {c}x^3 {plus(d, 'x^2')}$. What is $f'({x})$?\n"
            f"2. `second`: and $f''({x})$?\n"
            f"3. `product`: $g(u, v) = {a}\\,u^2 v$ at $u = {u}$, $v = {v}$ has the second derivatives "
            f"$g_{{uu}} = {2 * a}v$ and $g_{{uv}} = {2 * a}u$. What is the first entry of $H \\cdot ({p}, {q})$, "
            f"that is $g_{{uu}} \\cdot {p} + g_{{uv}} \\cdot {q}$ at this point?")
    return text, {
        "first": box(f"f' at x = {x}", 3 * c * x**2 + 2 * d * x, [
            (c * x**3 + d * x**2, "That is f, the value."),
            (c * x**2 + d * x, "The exponents have to come down as factors."),
            (6 * c * x + 2 * d, "That is the second derivative already."),
            (3 * c * x**2 + d * x, "In the square term the 2 did not come down."),
            (3 * c * x**2, "The square term is missing: the slope of a sum is the sum of the slopes."),
        ]),
        "second": box(f"f'' at x = {x}", 6 * c * x + 2 * d, [
            (3 * c * x**2 + 2 * d * x, "That is the first derivative. Differentiate it once more."),
            (6 * c * x, "The second term is missing: the slope of a multiple of x is its factor."),
            (3 * c * x + 2 * d, "Two factors come down from a cube, one after the other: 3, then 2."),
            (6 * c * x + d, "The 2 of the square came down in the first step, and stays."),
            (6 * c + 2 * d, "One x is left of the cube after two steps."),
        ]),
        "product": box("first entry of H v", hv, [
            (2 * a * v * p, "That is the first term alone: a row times a vector has two."),
            (2 * a * u * q, "That is the second term alone: a row times a vector has two."),
            (2 * a * v + 2 * a * u, "The vector is missing: each second derivative is multiplied by its entry."),
            (2 * a * v * q + 2 * a * u * p, "The entries of the vector changed places."),
            (2 * a * u * v * p + a * u**2 * q, "Those are first derivatives of g; H holds the second ones."),
            ((2 * a * v * p) * (2 * a * u * q), "The two terms add; they do not multiply."),
        ]),
    }


DRAW = {"R1": _squared_error, "R2": _average, "R3": _twice}
