"""The drills of topic 02's maths notebook, and its planted bug."""

from __future__ import annotations

import math
import operator
from random import Random

from utils.drill_bank import GRADED_SEED, Box, Draw, Problem, box, follows, nonzero, plus
from utils.planted_bug import BuggyValue


def _derivatives(rng: Random) -> Draw:
    c, n, d, x = rng.choice([2, 3, 4]), rng.choice([2, 3]), rng.choice([-5, -3, 3, 5, 7]), rng.choice([-2, 2, 3])
    a, b = rng.sample([-5, -4, -3, -2, 2, 3, 4, 5, 6], 2)
    k, slope, h = rng.randint(5, 9), rng.choice([-4, -3, -2, 2, 3, 4]), rng.choice([0.1, 0.2])
    text = (f"**R1. Derivatives as numbers**\n\n"
            f"1. `df_dx`: $f(x) = {c}x^{n} {plus(d, 'x')}$. What is $f'({x})$?\n"
            f"2. `dg_db`: $g(a, b) = a\\,b$ at $a = {a}$, $b = {b}$. What is $\\partial g / \\partial b$?\n"
            f"3. `change`: all you know of $k$ is $k({x}) = {k}$ and $k'({x}) = {slope}$. By about how much does $k$ "
            f"change when $x$ goes from ${x}$ to ${x + h:g}$?")
    down = c * n * x ** (n - 1)
    return text, {
        "df_dx": box(f"df/dx at x = {x}", down + d, [
            (c * x**n + d * x, "That is f at this x: its value, not its slope."),
            (c * x ** (n - 1) + d, "The exponent has to come down as a factor: the slope of x^n is n x^(n-1)."),
            (c * n * x**n + d, "The exponent stayed one too high: the slope of x^n is n x^(n-1)."),
            (down + d * x, "The linear term still has its x: its slope is the factor alone."),
            (down, "A term is missing: the slope of a sum is the sum of the slopes."),
            (n * x ** (n - 1) + d, "The factor in front of the power is lost: it stays where it is."),
        ]),
        "dg_db": box("∂g/∂b", a, [
            (b, "That is b itself. Where b moves, what is left is the other factor."),
            (a * b, "That is g, the value. How fast does it grow when only b moves?"),
            (a + b, "You moved both inputs. For ∂g/∂b only b moves."),
            (1, "A derivative of 1 belongs to a sum. In a product the other factor is left."),
        ]),
        "change": box("change of k", slope * h, [
            (slope, "That is the slope: change per unit of x. Multiply it by how far x moves."),
            (k + slope * h, "That is the new value of k; the question is by how much it changes."),
            (slope / h, "Divided instead of multiplied: change = slope times step."),
            (h, "That is how far x moves, not k."),
            (k, "That is the old value of k, not its change."),
        ]),
    }


def _chain(rng: Random) -> Draw:
    x, n, a, b = rng.choice([-3, -2, 2, 3]), rng.choice([2, 3]), rng.choice([-4, -3, -2, 2, 3, 4]), nonzero(rng, 9)
    if rng.random() < 0.5:
        inner, u, du = f"{a}x", a * x + b, a
        inner_slips = [(a * x, "That is the value of the linear term. Its slope is the factor alone."),
                       (x, "That is x. The slope of a multiple of x is the factor in front."),
                       (a + b, "The constant does not move with x, so its slope is 0."),
                       (1, "The factor in front of x is lost.")]
    else:
        inner, u, du = "x^2", x * x + b, 2 * x
        inner_slips = [(x * x, "That is the value of x^2, not its slope."),
                       (x, "The exponent has to come down as a factor: the slope of x^2 is 2x."),
                       (2, "The exponent came down, but an x is left beside it."),
                       (2 * x + b, "The constant does not move with x, so its slope is 0.")]
    df = n * u ** (n - 1)
    text = (f"**R2. A chain**\n\nFirst $u = {inner} {plus(b)}$, then $f = u^{n}$. At $x = {x}$:\n\n"
            f"1. `du_dx`: the local derivative $du/dx$\n"
            f"2. `df_du`: the local derivative $df/du$, at the $u$ that this $x$ gives\n"
            f"3. `df_dx`: the whole chain, $df/dx$")
    return text, {
        "du_dx": box(f"du/dx at x = {x}", du, [(u, "That is u, the value, not its derivative."), *inner_slips]),
        "df_du": box("df/du at this u", df, [
            (u**n, "That is f, the value, not its derivative."),
            (u ** (n - 1), "The exponent has to come down as a factor: the slope of u^n is n u^(n-1)."),
            (n * u**n, "The exponent stayed one too high: the slope of u^n is n u^(n-1)."),
            (n * x ** (n - 1), "You put x into it. The outer derivative is taken at u, which is what f is fed."),
            (n, "The exponent came down, but a power of u is left beside it."),
            (df * du, "That is already the whole chain. Here only df/du."),
        ]),
        "df_dx": box(f"df/dx at x = {x}", df * du, [
            (df + du, "You added the two derivatives. Along a chain they multiply."),
            (df, "The upstream part df/du alone: the local derivative du/dx is missing."),
            (du, "The local part du/dx alone: it has to be multiplied by the upstream df/du."),
            (n * x ** (n - 1) * du, "The outer derivative was taken at x. It belongs at u."),
            (u**n * du, "You multiplied by the value of f. The factor is the derivative df/du."),
            (df * u, "You multiplied by the value of u. The factor is the derivative du/dx."),
            (u ** (n - 1) * du, "The exponent of the outer power did not come down as a factor."),
            (u**n, "That is f, the value, not its derivative."),
        ], follows(operator.mul, "du_dx", "df_du", hides=(0, 1))),
    }


def _two_paths(rng: Random) -> Draw:
    x, a, b = rng.choice([-2, 2, 3]), rng.choice([-3, -2, 2, 3, 4]), rng.choice([-4, -3, -1, 1, 3, 5])
    u, du, v, dv = a * x + b, a, x * x, 2 * x
    if rng.random() < 0.5:
        formula, f, fu, fv = r"u\,v", u * v, v, u
    else:
        c = rng.choice([-3, 2, 3, 5])
        formula, f, fu, fv = f"u^2 {plus(c, 'v')}", u * u + c * v, 2 * u, c
    text = (f"**R3. Two paths**\n\n$x$ reaches $f$ in two ways: $u = {a}x {plus(b)}$ and $v = x^2$. "
            f"Then $f = {formula}$. At $x = {x}$:\n\n"
            f"1. `via_u`: what the path through $u$ contributes to $df/dx$\n"
            f"2. `via_v`: what the path through $v$ contributes\n"
            f"3. `df_dx`: the derivative of $f$ by $x$")
    via = {}
    for name, value, up, local, other_up in (("u", u, fu, du, fv), ("v", v, fv, dv, fu)):
        via[f"via_{name}"] = box(f"contribution through {name}", up * local, [
            (local, f"That is d{name}/dx alone: the upstream factor ∂f/∂{name} is missing."),
            (up, f"That is the upstream ∂f/∂{name} alone: the local factor d{name}/dx is missing."),
            (up + local, "You added the two factors. Along one path they multiply."),
            (other_up * local, f"That is the other path's upstream factor. The path through {name} needs ∂f/∂{name}."),
            (value * local, f"You multiplied by {name} itself. The upstream factor is ∂f/∂{name}."),
            (value, f"That is {name}, the value, not a derivative."),
            (f, "That is f, the value, not a derivative."),
        ])
    return text, {**via, "df_dx": box(f"df/dx at x = {x}", fu * du + fv * dv, [
        (fu * du, "That is the path through u alone: the one through v is dropped."),
        (fv * dv, "That is the path through v alone: the one through u is dropped."),
        (fu * du * fv * dv, "You multiplied the two paths. Along a path multiply, across paths add."),
        (fu + fv, "You added the upstream factors without the local ones."),
        (du + dv, "You added the local derivatives without their upstream factors."),
        (du * dv, "You multiplied the local derivatives. Each needs its own upstream factor, then the paths add."),
        (fu * du - fv * dv, "You subtracted one path from the other. Paths add."),
        ((fu * du + fv * dv) / 2, "You took the mean of the paths. Paths add."),
        (f, "That is f, the value, not its derivative."),
    ], follows(operator.add, "via_u", "via_v"))}


def _measure(rng: Random) -> Draw:
    c, x, h = rng.choice([2, 3, 4]), rng.choice([-2, -1, 1, 2]), rng.choice([0.4, 0.5])
    a, b = rng.choice([2, 3, 4, 5, 6]), rng.choice([-3, -2, 2, 3])
    exact, ahead, behind = 3 * c * x * x, 3 * c * x * h + c * h * h, -3 * c * x * h + c * h * h
    text = (f"**R4. Measure it**\n\nTake $f(x) = {c}x^3$ at $x = {x}$ with the (large) step $h = {h}$. "
            f"A cell of your own may do the arithmetic.\n\n"
            f"1. `central`: the central difference of $f$\n"
            f"2. `error`: that estimate minus the exact derivative, with its sign\n"
            f"3. `kink`: $k(x) = {a}\\,\\mathrm{{relu}}(x) {plus(b, 'x')}$ has a kink at $0$. "
            f"What does its central difference at $0$ give, with this step or any other?")
    return text, {
        "central": box(f"central difference, h = {h}", exact + c * h * h, [
            (exact, "That is the exact derivative. The central difference with this step differs from it."),
            (exact + ahead, "That is the forward difference: one step ahead only. Go a step to each side."),
            (exact + behind, "That is the backward difference: one step behind only. Go a step to each side."),
            (2 * (exact + c * h * h), "The two points lie 2h apart: divide by 2h, not by h."),
            (2 * h * (exact + c * h * h), "That is the difference of the two values; divide it by their distance, 2h."),
        ]),
        "error": box("estimate minus exact", c * h * h, [
            (ahead, "That is the error of the forward difference."),
            (behind, "That is the error of the backward difference."),
            (c * h * h / exact, "That is the relative error. Here the plain difference, estimate minus exact."),
            (h * h, "That is h squared alone: how curved f is counts too. Subtract the two numbers."),
            (exact, "That is the exact derivative itself."),
        ], follows(lambda central: central - exact, "central", hides=(exact,))),
        "kink": box("central difference of k at 0", a / 2 + b, [
            (a + b, "That is the slope on the right. A central difference looks to both sides."),
            (b, "That is the slope on the left, where relu is flat. A central difference looks to both sides."),
            (a / 2, "That is the relu term alone. The linear term has a slope as well."),
            (a + 2 * b, "The two points lie 2h apart: divide by 2h, not by h."),
            (a / 2 - b, "The linear term entered with the wrong sign."),
        ]),
    }


DRAW = {"R1": _derivatives, "R2": _chain, "R3": _two_paths, "R4": _measure}


def planted_bug() -> Problem:
    """Exercise 2.5: one wrong line in BuggyValue (utils/planted_bug.py), to be found by measuring."""
    a = BuggyValue(0.5)
    y = a.tanh() * a.exp() + a.sigmoid() * a
    y.backward()
    t, e, s = math.tanh(0.5), math.exp(0.5), 1 / (1 + math.exp(-0.5))
    right = (1 - t * t) * e + t * e + s * (1 - s) * 0.5 + s
    text = ("**2.5 Find the planted bug**\n\n`BuggyValue` has every operation of level 2 and one wrong line. Its "
            "forward values are right, and so is the gradient of each operation alone, and of three times each.\n\n"
            "1. `op`: which method has the wrong backward? Its name as text, such as `\"mul\"`\n"
            "2. `grad`: the right $dy/da$ of `y = a.tanh() * a.exp() + a.sigmoid() * a` at `a = 0.5`, "
            "to four significant digits")
    elsewhere = "Products appear in every program that fails, but a product of plain inputs, reused ones too, is right."
    return Problem("02", "2.5", GRADED_SEED, text, {
        "op": Box("the faulty method", "exp", (
            ("mul", elsewhere),
            ("add", "Sums are where the paths meet, but sums of plain inputs, reused ones too, are right."),
            ("backward", "The walk is right: every node once, after all its consumers. Look at the single rules."),
        )),
        "grad": box("dy/da at a = 0.5", right, [
            (a.grad, "That is what BuggyValue says, and it is the one not to believe. Measure it."),
            (y.data, "That is y, the value, not its derivative."),
        ]),
    })
