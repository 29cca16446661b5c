"""The catalogue's slips: a wrong formula in one operation, forward or backward. Entries in misconceptions.py."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from utils.judge.flawed import SLOPES, VALUES, Flaw

DERIVATIVE = "10 of 211 engines have a wrong local derivative"
COPIED = "10 of 214 engines define a method twice or copy a body"


@dataclass(frozen=True)
class Slip:
    id: str
    op: str
    says: str
    flaws: tuple[Flaw, ...]
    seen: str


def _slope(id: str, op: str, says: str, slopes: Callable, seen: str = DERIVATIVE) -> Slip:
    return Slip(id, op, says, (Flaw(slopes={op: slopes}),), seen)


def local_derivatives() -> Iterator[Slip]:
    """Slips in the backward formula of an operation whose value is right."""
    yield _slope("mul-own-data", "mul", "In `a * b` each input's local derivative is the other input's data; yours "
                                        "uses its own.",
                 lambda a, b, y: (a, b))
    yield _slope("mul-left-twice", "mul", "In `a * b` the local derivative for a is b; yours is a, for both.",
                 lambda a, b, y: (a, a))
    yield _slope("mul-right-twice", "mul", "In `a * b` the local derivative for b is a; yours is b, for both.",
                 lambda a, b, y: (b, b))
    yield _slope("mul-like-add", "mul", "In `a * b` the local derivatives are b and a; yours are 1 and 1, those of a "
                                        "sum.",
                 lambda a, b, y: (1.0, 1.0))
    yield Slip("mul-reads-grad", "mul", "In `a * b` each input's local derivative is the other input's `data`; yours "
                                        "reads its `grad`.",
               (Flaw(reads_grads=frozenset({"mul"})), Flaw(reads_grads=frozenset({"mul"}), right_first=True)),
               DERIVATIVE)
    for op, right in (("mul", SLOPES["mul"]), ("add", SLOPES["add"]), ("sub", SLOPES["sub"]),
                      ("truediv", SLOPES["truediv"])):
        written = {"mul": "a * b", "add": "a + b", "sub": "a - b", "truediv": "a / b"}[op]
        yield _slope(f"{op}-right-missing", op, f"In `{written}` only the left input receives its share.",
                     lambda a, b, y, right=right: (right(a, b, y)[0], 0.0))
        yield _slope(f"{op}-left-missing", op, f"In `{written}` only the right input receives its share.",
                     lambda a, b, y, right=right: (0.0, right(a, b, y)[1]))
    yield _slope("add-passes-data", "add", "In `a + b` the local derivative is 1 for both; yours is the other "
                                           "input's data.",
                 lambda a, b, y: (b, a))
    yield _slope("add-passes-own-data", "add", "In `a + b` the local derivative is 1 for both; yours is the input's "
                                               "own data.",
                 lambda a, b, y: (a, b))
    yield _slope("sub-same-sign", "sub", "In `a - b` the local derivative for b is -1; yours is 1.", lambda a, b,
                 y: (1.0, 1.0),
                 "3 of 189 engines")
    yield _slope("rsub-same-sign", "rsub", "In `2 - a` the local derivative for a is -1; yours is 1.", lambda a, b,
                 y: (1.0, 1.0),
                 "3 of 189 engines")
    yield _slope("neg-positive", "neg", "The local derivative of -a is -1; yours is 1.", lambda a, y: (1.0,))
    yield _slope("truediv-sign", "truediv", "In `a / b` the local derivative for b is -a / b**2; yours lacks the "
                                            "minus sign.",
                 lambda a, b, y: (1 / b, a / b**2))
    yield _slope("truediv-not-squared", "truediv", "In `a / b` the local derivative for b is -a / b**2; yours "
                                                   "divides by b once.",
                 lambda a, b, y: (1 / b, -a / b))
    yield _slope("rtruediv-sign", "rtruediv", "In `2 / a` the local derivative for a is -2 / a**2; yours lacks the "
                                              "minus sign.",
                 lambda a, b, y: (1 / b, a / b**2))
    yield _slope("pow-exponent-not-lowered", "pow", "The derivative of a**n is n * a**(n - 1); yours keeps the "
                                                    "exponent n.",
                 lambda a, n, y: (n * y, 0.0))
    yield _slope("pow-no-factor", "pow", "The derivative of a**n is n * a**(n - 1); yours lacks the factor n.",
                 lambda a, n, y: (a ** (n - 1), 0.0))
    yield _slope("pow-factor-lowered", "pow", "The derivative of a**n is n * a**(n - 1); yours has the factor n - 1.",
                 lambda a, n, y: ((n - 1) * a ** (n - 1), 0.0))
    yield _slope("relu-inverted", "relu", "relu passes the gradient where its input is positive; yours passes it "
                                          "where it is not.",
                 lambda a, y: (0.0 if a > 0 else 1.0,))
    yield _slope("relu-always", "relu", "relu stops the gradient where its input is negative; yours passes it "
                                        "everywhere.",
                 lambda a, y: (1.0,))
    yield _slope("relu-passes-data", "relu", "The local derivative of relu is 1 or 0; yours is the input's own data.",
                 lambda a, y: (max(a, 0.0),))
    yield _slope("tanh-not-squared", "tanh", "The derivative of tanh is 1 - t**2; yours is 1 - t.", lambda a,
                 y: (1 - y,))
    yield _slope("tanh-of-input", "tanh", "The derivative of tanh is 1 - t**2 with t the result; yours squares the "
                                          "input.",
                 lambda a, y: (1 - a * a,))
    yield _slope("tanh-like-sigmoid", "tanh", "The derivative of tanh is 1 - t**2; yours is t * (1 - t), that of "
                                              "sigmoid.",
                 lambda a, y: (y * (1 - y),))
    yield _slope("exp-of-input", "exp", "The derivative of exp is exp itself, the result's data; yours is the "
                                        "input's data.",
                 lambda a, y: (a,))
    yield _slope("exp-twice", "exp", "The derivative of exp is its result; yours takes exp of the result once more.",
                 lambda a, y: (math.exp(y),))
    yield _slope("exp-like-power", "exp", "The derivative of e**a is e**a; yours is a * e**(a - 1), the rule for a "
                                          "power.",
                 lambda a, y: (a * math.exp(a - 1),))
    yield _slope("log-of-result", "log", "The derivative of log is 1 / a with a the input; yours divides by the "
                                         "result.",
                 lambda a, y: (1 / y,))
    yield _slope("log-not-inverted", "log", "The derivative of log is 1 / a; yours is a.", lambda a, y: (a,))
    yield _slope("sigmoid-of-input", "sigmoid", "The derivative of sigmoid is s * (1 - s) with s the result; yours "
                                                "uses the input.",
                 lambda a, y: (a * (1 - a),))
    yield _slope("sigmoid-half", "sigmoid", "The derivative of sigmoid is s * (1 - s); yours is one of the two "
                                            "factors, s.",
                 lambda a, y: (y,))
    yield _slope("sigmoid-other-half", "sigmoid", "The derivative of sigmoid is s * (1 - s); yours is 1 - s alone.",
                 lambda a, y: (1 - y,))
    yield _slope("sigmoid-like-tanh", "sigmoid", "The derivative of sigmoid is s * (1 - s); yours is 1 - s**2, that "
                                                 "of tanh.",
                 lambda a, y: (1 - y * y,))


def _value(id: str, op: str, says: str, seen: str, value: Callable, slopes: Callable) -> Slip:
    """A wrong value, with the gradient that belongs to it, or with the one that would have been right."""
    return Slip(id, op, says, (Flaw(values={op: value}, slopes={op: slopes}), Flaw(values={op: value})), seen)


def _variants(id: str, op: str, says: str, seen: str, *values: Callable) -> Slip:
    return Slip(id, op, says, tuple(Flaw(values={op: value}) for value in values), seen)


def _quiet(function: Callable) -> Callable:
    """As with NumPy: too large is no error but nan."""
    def value(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return math.nan
    return value


TANHS = (lambda x: (math.exp(2 * x) - 1) / (math.exp(2 * x) + 1),
         lambda x: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x)),
         lambda x: (1 - math.exp(-2 * x)) / (1 + math.exp(-2 * x)))
SIGMOIDS = (lambda x: 1 / (1 + math.exp(-x)), lambda x: math.exp(x) / (1 + math.exp(x)))
PADS = tuple(10.0**-k for k in range(3, 15))


def _padded_logs() -> Iterator[Flaw]:
    """log(x + pad), with 1 / (x + pad) or with 1 / x behind it, and log(max(x, pad))."""
    for pad in PADS:
        def padded(a: float, pad=pad) -> float:
            return math.log(a + pad)

        def held(a: float, pad=pad) -> float:
            return math.log(max(a, pad))
        yield Flaw(values={"log": padded}, slopes={"log": lambda a, y, pad=pad: (1 / (a + pad),)})
        yield Flaw(values={"log": padded})
        yield Flaw(slopes={"log": lambda a, y, pad=pad: (1 / (a + pad),)})
        yield Flaw(values={"log": held})
        yield Flaw(values={"log": held}, slopes={"log": lambda a, y, pad=pad: (1 / max(a, pad),)})


def values() -> Iterator[Slip]:
    """Slips in the forward formula of an operation."""
    yield _value("rsub-turned", "rsub", "`2 - a` gives a - 2: in `__rsub__` the other operand stands on the left.",
                 "17 of 118 engines", lambda a, b: b - a, lambda a, b, y: (-1.0, 1.0))
    yield _value("rsub-adds", "rsub", "`2 - a` gives 2 + a: the minus sign is lost.", "17 of 118 engines", lambda a,
                 b: a + b,
                 lambda a, b, y: (1.0, 1.0))
    yield _value("rtruediv-turned", "rtruediv", "`2 / a` gives a / 2: in `__rtruediv__` the other operand stands on "
                                                "top.",
                 "4 of 95 engines", lambda a, b: b / a, lambda a, b, y: (-b / a**2, 1 / a))
    yield _value("rtruediv-drops-number", "rtruediv", "`2 / a` gives 1 / a: the number on top is forgotten.",
                 "1 of 95 engines", lambda a, b: 1 / b, lambda a, b, y: (0.0, -1 / b**2))
    yield _value("truediv-turned", "truediv", "`a / b` gives b / a.", "4 of 95 engines", lambda a, b: b / a,
                 lambda a, b, y: (-b / a**2, 1 / a))
    yield _value("truediv-drops-operand", "truediv", "`a / b` gives 1 / a: the divisor is forgotten.",
                 "1 of 95 engines",
                 lambda a, b: 1 / a, lambda a, b, y: (-1 / a**2, 0.0))
    yield _value("truediv-multiplies", "truediv", "`a / b` gives a * b: the exponent -1 is missing.", "a mutant",
                 lambda a, b: a * b, lambda a, b, y: (b, a))
    yield _value("mul-adds", "mul", "`a * b` gives a + b.", COPIED, lambda a, b: a + b, lambda a, b, y: (1.0, 1.0))
    yield _value("rmul-adds", "rmul", "`2 * a` gives 2 + a: `__rmul__` holds the body of `__radd__`.", COPIED,
                 lambda a, b: a + b, lambda a, b, y: (1.0, 1.0))
    yield _value("radd-multiplies", "radd", "`2 + a` gives 2 * a: `__radd__` holds the body of `__rmul__`.", COPIED,
                 lambda a, b: a * b, lambda a, b, y: (b, a))
    yield _value("radd-subtracts", "radd", "`2 + a` gives a - 2: `__radd__` subtracts. Is it defined a second time "
                                           "further down, "
                 "meant as `__rsub__`?", "1 of 214 engines", lambda a, b: b - a, lambda a, b, y: (-1.0, 1.0))
    yield _value("radd-adds-itself", "radd", "`2 + a` gives a + a: the number is forgotten.", "a mutant", lambda a,
                 b: b + b,
                 lambda a, b, y: (0.0, 2.0))
    yield _value("sub-turned", "sub", "`a - b` gives b - a.", "3 of 189 engines", lambda a, b: b - a, lambda a, b,
                 y: (-1.0, 1.0))
    yield _value("sub-adds", "sub", "`a - b` gives a + b: the minus sign is lost.", "3 of 189 engines", lambda a,
                 b: a + b,
                 lambda a, b, y: (1.0, 1.0))
    yield _value("neg-lost", "neg", "`-a` gives a: the minus sign is lost.", "a mutant", lambda a: a, lambda a,
                 y: (1.0,))
    yield _value("sigmoid-is-tanh", "sigmoid", "Your sigmoid computes tanh: a body that was copied.", "1 of 35 engines",
                 math.tanh, lambda a, y: (1 - y * y,))
    yield _value("sigmoid-sign", "sigmoid", "Your sigmoid computes 1 / (1 + e**a): the minus sign in the exponent is "
                                            "lost.", DERIVATIVE,
                 lambda a: VALUES["sigmoid"](-a), lambda a, y: (-y * (1 - y),))
    yield _variants("tanh-overflows", "tanh", "This way of writing tanh as a quotient of exponentials overflows for "
                                              "large inputs: "
                    "use `math.tanh`.", "126 of 157 engines", *TANHS, *(_quiet(f) for f in TANHS))
    yield _variants("sigmoid-overflows", "sigmoid", "This way of writing sigmoid overflows far from 0: treat the two "
                                                    "signs apart, "
                    "so that exp only sees numbers up to 0.", "26 of 32 engines", *SIGMOIDS, _quiet(SIGMOIDS[1]))
    yield Slip("log-padded", "log", "Your log is padded or held above a small number: that is another function, and "
                                    "its gradient is "
               "off for small inputs.", tuple(_padded_logs()), "4 of 142 engines")
    yield Slip("pow-always-takes-log", "pow", "`(-2)**3` needs no logarithm: with a constant exponent leave the "
                                              "exponent's own "
               "gradient out, and log is never called.", (
                   Flaw(slopes={"pow": lambda a, n, y: (SLOPES["pow"](a, n, y)[0], y * math.log(a))}),
                   Flaw(values={"pow": lambda a, n: math.exp(n * math.log(a))})), "3 of 190 engines")
    yield Slip("pow-silent-exponent", "pow", "`a**b` with a Value b leaves b without a gradient, silently. Give b "
                                             "its own, "
               "a**b * log(a), or refuse it with a TypeError.", (Flaw(silent_exponent=True),), "11 of 190 engines")
