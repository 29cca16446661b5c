"""Wrong engines that differ in how a number becomes a Value, and in whether a class or a call makes the result.

In each of them minus, division and the reflected operations are built from others, so that a flaw in `*`, `+` or minus
shows there too: its name must not hang on the spelling.
"""

from __future__ import annotations

from tests.engines import changed
from tests.wrong_rules import MUL_OTHER, MUL_SELF, WRONG, patched, wrong
from tests.zoo import ENGINES

__all__ = ["WRONG"]

TERNARY = "        other = other if isinstance(other, Value) else Value(other)\n"
HELPER = "\n\ndef lift(x):\n    return x if isinstance(x, Value) else Value(x)\n"
METHOD = """
    @staticmethod
    def lift(x):
        if not isinstance(x, Value):
            x = Value(x)
        return x

    # Worked example"""
# How it is called -> (the statement before the operation, how the other operand is written in it, more of the file).
SPELLINGS = {
    "a helper": ("", "lift(other)", HELPER),
    "a lambda": ("", "lift(other)", "\n\nlift = lambda x: x if isinstance(x, Value) else Value(x)\n"),
    "a method": ("", "self.lift(other)", ""),
    "if": ("        if not isinstance(other, Value):\n            other = Value(other)\n", "other", ""),
    "if a number": ("        if isinstance(other, (int, float)):\n            other = Value(other)\n", "other", ""),
    "try": ("        try:\n            other.data\n        except AttributeError:\n            other = Value(other)\n",
            "other", ""),
    "or": ("        other = isinstance(other, Value) and other or Value(other)\n", "other", ""),
    "hasattr": ("        other = other if hasattr(other, 'data') else Value(other)\n", "other", ""),
    "an annotation": ("        other: Value = other if type(other) is Value else Value(other)\n", "other", ""),
    "a refusal": ("        if not isinstance(other, (int, float, Value)):\n            return NotImplemented\n"
                  + TERNARY, "other", ""),
}
FLAWS = {
    "mul-own-data": [(MUL_SELF, "self.grad += self.data * out.grad"),
                     (MUL_OTHER, "other.grad += other.data * out.grad")],
    "neg-positive": [("        return self * -1.0\n", """\
        out = Value(-self.data, (self,), "neg")
        def _backward():
            self.grad += out.grad
        out._backward = _backward
        return out
""")],
}
BUILT = {"self + other": "{} + self", "self * other": "{} * self", "self + (-other)": "self + (-{})",
         "(-self) + other": "{} - self", "self * other**-1": "self * {}**-1", "self**-1 * other": "{} / self"}


def respelt(spelling: str, *changes: tuple[str, str]) -> str:
    """The model answer, where all that is built from other operations makes its operand a Value in this way first."""
    before, other, more = SPELLINGS[spelling]
    source = changed(*changes, *((f"        return {built}\n", f"{before}        return {operation.format(other)}\n")
                                 for built, operation in BUILT.items()))
    return (changed(("\n    # Worked example", METHOD), source=source) if spelling == "a method" else source) + more


for _id, _changes in FLAWS.items():
    for _spelling in SPELLINGS:
        wrong(f"{_spelling}: {_id}", respelt(_spelling, *_changes), _id)

for _style, _id, _change in (
        ("class_per_operation", "mul-own-data", ("return b, a\n", "return a, b\n")),
        ("class_per_operation", "truediv-not-squared", ("-a / b**2", "-a / b")),
        ("class_per_operation", "uncoerced-everywhere", (
            "[x if isinstance(x, Value) else Value(x) for x in inputs]",
            "[Value(x) if isinstance(self, Pow) and isinstance(x, (int, float)) else x for x in inputs]")),
        ("table_of_rules", "add-right-missing", ("a, b, y: (1, 1)", "a, b, y: (1, 0)")),
        ("table_of_rules", "neg-positive", ("a, y: (-1,)", "a, y: (1,)")),
        ("grad_fn_objects", "mul-own-data", ("grad * b.data, grad * a.data", "grad * a.data, grad * b.data"))):
    wrong(f"{_style}: {_id}", changed(_change, source=ENGINES[_style].read_text(encoding="utf-8")), _id)

patched("* takes its inputs from a list of a set", (MUL_OTHER, "pair = list({self, other})"),
        (MUL_SELF, """pair[0].grad += pair[1].data * out.grad
            pair[1].grad += pair[0].data * out.grad"""), ids="set-of-inputs-mul")
patched("* hands a set of its inputs to a function", (MUL_OTHER, """def share(a, b):
                a.grad += b.data * out.grad
                b.grad += a.data * out.grad"""), (MUL_SELF, "share(*{self, other})"), ids="set-of-inputs-mul")
