"""Wrong engines of no entry: right at ordinary inputs, wrong at some others, by the exercise that has to notice.

Each is the model answer with a slip that its writer would not see in a few tries.
"""

from __future__ import annotations

from tests.engines import changed
from tests.wrong_engines import COERCE, SIGMOID, TANH
from tests.wrong_rules import MUL_OTHER, MUL_SELF, RMUL, RULES

SLIPS: dict[str, tuple[str, str]] = {}      # name -> exercise, source

PRODUCT = 'Value(self.data * other.data, (self, other), "*")'
SUB, RSUB = "        return self + (-other)\n", "        return (-self) + other\n"
DIV, RDIV = "        return self * other**-1\n", "        return self**-1 * other\n"
POW = 'Value(math.pow(self.data, exponent), (self,), f"**{exponent}")'
POW_SLOPE = "            slope = exponent * math.pow(self.data, exponent - 1) if exponent else 0.0\n"
RELU = "Value(self.data if self.data > 0 else 0.0,"
EXP, LOG = "Value(math.exp(self.data),", "Value(math.log(self.data),"


def slip(exercise: str, name: str, *changes: tuple[str, str]) -> None:
    SLIPS[name] = exercise, changed(*changes)


def swap(line: str, *words: str) -> tuple[str, str]:
    """The line with the first of two words replaced by the second, wherever it stands there."""
    return line, line.replace(*words)


def with_number(sign: str, number: str) -> tuple[str, str]:
    """`+` or `*` that makes a Value of `number` where its right operand is a number."""
    line = f"        out = Value(self.data {sign} other.data"
    return COERCE + line, COERCE.replace("Value(other)\n", f"Value({number})\n") + line


# 0 taken for nothing at all, numbers cut to whole or positive ones
slip("1.1", "0 + a is 1 + a", ("        return self + other\n", "        return self + (other or 1)\n"))
slip("1.1", "0 * a is a", swap(RMUL, "other", "(other or 1)"))
slip("1.1", "0.5 * a is 0 * a", swap(RMUL, "other", "int(other)"))
slip("1.1", "a + 0 is a + 1", with_number("+", "other or 1"))
slip("1.1", "a * 0 is a", with_number("*", "other or 1"))
PLAIN = "if getattr(other, 'data', other) is other else other"
for exercise, text, line in (("2.1", "a - n", SUB), ("2.1", "n - a", RSUB),
                             ("2.2", "a / n", DIV), ("2.2", "n / a", RDIV)):
    for name, number in (("negative n", f"abs(other) {PLAIN}"), ("an n with a fraction", f"-(-other // 1) {PLAIN}"),
                         ("an n of 0", "other or 1")):
        if (text, name) != ("a / n", "an n of 0"):
            slip(exercise, f"{text} of {name}", (line, f"        other = {number}\n{line}"))

# Small and large values and gradients, deep and wide graphs
slip("1.2", "products end at a million", (PRODUCT, f"{PRODUCT}\n        out.data = max(-1e6, min(1e6, out.data))"))
slip("1.2", "gradients end at 1000", (MUL_SELF, f"{MUL_SELF}\n            self.grad = max(-1e3, min(1e3, self.grad))"))
slip("1.2", "gradients have six decimals", (MUL_OTHER, f"{MUL_OTHER}\n            other.grad = round(other.grad, 6)"))
slip("1.2", "small gradients are left out", (MUL_OTHER, f"if abs(self.data) > 1e-3: {MUL_OTHER}"))
slip("1.4", "the walk goes 60 nodes deep", ("def visit(node):", "def visit(node, depth=0):"),
     ("            if node in seen:", "            if node in seen or depth > 60:"),
     ("visit(parent)", "visit(parent, depth + 1)"))
slip("1.4", "60 uses count", (MUL_SELF, "self.uses = getattr(self, 'uses', 0) + 1\n"
                              f"            if self.uses <= 60: {MUL_SELF}"))

# Exponents
for name, old, new in (
        ("slope 0 for |n| >= 4", "if exponent else", "if exponent and abs(exponent) < 4 else"),
        ("slope 0 for n < -2.5", "if exponent else", "if exponent and exponent >= -2.5 else"),
        ("slope of a whole n alone", "exponent - 1", "exponent - isinstance(exponent, int)"),
        ("slope for a positive base alone", "self.data", "abs(self.data)")):
    slip("2.2", f"pow: {name}", swap(POW_SLOPE, old, new))
for name, condition, value in (
        ("a**-2 is a**2", "exponent == -2", "self.data**2"), ("a**-3 is a**3", "exponent == -3", "self.data**3"),
        ("a**4 is a**2", "exponent == 4", "self.data**2"), ("a**1.5 is a**0.5", "exponent == 1.5", "self.data**0.5")):
    slip("2.2", f"pow: {name}", (POW, f"{POW}\n        out.data = {value} if {condition} else out.data"))

# A small number added to be on the safe side
slip("2.2", "a / b is a / (b + 1e-10)", swap(DIV, "other", "(other + 1e-10)"))
slip("2.2", "n / a is n / (a + 1e-10)", swap(RDIV, "self", "(self + 1e-10)"))
slip("2.2", "a**n is (a + 1e-12)**n", swap(POW, "self.data", "self.data + 1e-12"))
slip("2.2", "a**n: slope padded by 1e-12", swap(POW_SLOPE, "self.data", "self.data + 1e-12"))

# Functions that are right near 0 only, or on one side of it
for end in (3, 5, 20, 50):
    slip("2.3", f"exp ends at {end}", swap(EXP, "self.data", f"min(self.data, {end})"))
for end in (3, 20):
    slip("2.3", f"exp begins at -{end}", swap(EXP, "self.data", f"max(self.data, -{end})"))
for where in ("> 4", "> 25", "< -5", "== 0"):
    slip("2.3", f"exp: slope 1.5 where a {where}",
         swap(RULES["exp"], "out.data", f"(1.5 if self.data {where} else out.data)"))
for end in (6, 100):
    slip("2.3", f"relu ends at {end}", swap(RELU, "self.data if", f"min(self.data, {end}) if"))
slip("2.3", "relu begins at 0.1", swap(RULES["relu"], "> 0", "> 0.1"))
slip("2.3", "relu leaks below -5", swap(RELU, "else 0.0", "else 0.01 * min(self.data + 5, 0.0)"))
for end in (2.4, 5):
    slip("2.3", f"tanh: slope 0 beyond {end}", swap(RULES["tanh"], "(1", f"(abs(self.data) < {end}) * (1"))
slip("2.3", "tanh is 1 from 2.5 on", (TANH, f"{TANH}        t = round(t) if abs(self.data) > 2.5 else t\n"))
slip("2.3", "tanh is a near 0", (TANH, f"{TANH}        t = self.data if abs(self.data) < 0.1 else t\n"))
for end in (10, 1000, 1e5):
    slip("2.4", f"log ends at {end:g}", swap(LOG, "self.data", f"min(self.data, {end})"))
slip("2.4", "log: slope 1 from 10 on", swap(RULES["log"], "self.data", "(self.data if self.data < 10 else 1.0)"))
for end in (5, 10, 20):
    slip("2.4", f"sigmoid ends at -{end} and {end}", swap(SIGMOID, "abs(self.data)", f"min({end}, abs(self.data))"))
slip("2.4", "sigmoid: slope 0 beyond 6", swap(RULES["sigmoid"], "s * (1", "(abs(self.data) < 6) * s * (1"))
