"""Facts read from a source: each slip is told with its line, right engines are told nothing, nothing is run."""

from __future__ import annotations

import textwrap

import pytest

from tests.engines import REFERENCE, TOPIC, changed, written
from tests.wrong_bases import BASES
from utils.curriculum import ROOT
from utils.judge.core import judge
from utils.judge.lint import facts, notes

ZOO = sorted(p for p in (ROOT / "tests" / "zoo").glob("*.py") if not p.stem.startswith("__"))
RIGHT = [*ZOO, *sorted(TOPIC.solutions.glob("level0[123]-*.py")), ROOT / "utils" / "autograd_stub.py",
         TOPIC.shipped / TOPIC.module]


def engine(*methods: str) -> str:
    """A class Value with these methods, the first of them in line 2."""
    return "class Value:\n" + "\n".join(textwrap.indent(textwrap.dedent(m).strip("\n"), "    ") for m in methods) + "\n"


BACKWARD = "def backward(self): self._backward(self.grad, self.data)"
EXP = """\
def exp(self):
    out = Value(1.0, (self,))
    def _backward():
        self.grad += out.data * out.grad
    out._backward = _backward
    return out
"""

# What is wrong, the source, the line, and words of the sentence.
SLIPS = {
    "defined twice": (engine("def f(self): pass", "def f(self): pass"), 3, "`f` is defined a second time"),
    "Python 2's division": (engine("def __div__(self, o): pass"), 2, "Did you mean `__truediv__`"),
    "one underscore": (engine("def _truediv_(self, o): pass"), 2, "`__truediv__`"),
    "one letter too many": (engine("def __truedive__(self, o): pass"), 2, "`__truediv__`"),
    "invented": (engine("def __rgt__(self, o): pass"), 2, "`__lt__`"),
    "an operation in underscores": (engine("def __relu__(self): pass"), 2, "`relu`"),
    "two on one side": (engine("def __rsub_(self, o): pass"), 2, "`__rsub__`"),
    "method hidden": (engine("def __init__(self): self.backward = None", BACKWARD), 2, "hides the method `backward()`"),
    "method of one hidden": (engine(EXP.replace("out._backward", "out.backward"), BACKWARD), 6, "mean `_backward`"),
    "attribute misspelt": (engine(EXP.replace("out._backward", "out._backword"), BACKWARD), 6, "read nowhere"),
    "grad misspelt": (engine("def zero(self): self.gard = 0.0", BACKWARD), 2, "`grad`"),
    "rule not attached": (engine(EXP.replace("    out._backward = _backward\n", ""), BACKWARD), 4, "never used again"),
    "attached inside itself": (engine(EXP.replace("    out._b", "        out._b"), BACKWARD), 6, "only inside itself"),
    "rule called": (engine(EXP.replace("= _backward", "= _backward()"), BACKWARD), 6, "Store the function itself"),
    "new leaf": (engine("def __neg__(self): return Value(-self.data)", BACKWARD), 2, "new leaf"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_slip_is_told_with_its_line(slip):
    source, line, words = SLIPS[slip]
    found = notes(source)
    assert [note.line for note in found] == [line], found
    assert words in str(found[0]) and str(found[0]).startswith(f"Line {line}: ")


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_right_engine_is_told_nothing(path):
    assert notes(path.read_text(encoding="utf-8")) == ()


@pytest.mark.parametrize("base", BASES)
def test_right_engine_in_another_style_is_told_nothing(base):
    assert notes(BASES[base], stopped=True) == ()


@pytest.mark.parametrize("method", [
    "@property\ndef grad(self): return 1\n@grad.setter\ndef grad(self, g): pass",
    "def __div__(self, o): pass\n__truediv__ = __div__", "def __array_priority__(self): pass",
    "def __rpow__(self, o): pass", "def _backward_(self): pass", "def __matmul__(self, o): pass",
    "def __my_own__(self): pass"])
def test_what_python_allows_is_no_slip(method):
    assert notes(engine(method)) == ()


@pytest.mark.parametrize(("use", "error", "words"), [
    ("math.exp(1)", "NameError: name 'math' is not defined (line 3)", "put `import math` at the top"),
    ("np.exp(1)", "NameError: name 'np' is not defined", "put `import numpy as np` at the top"),
    ("othr.data", "NameError: name 'othr' is not defined", "did you mean `other`"),
    ("quux", "NameError: name 'quux' is not defined", "nothing in this file gives it a value")])
def test_undefined_name_is_told_only_where_a_check_met_it(use, error, words):
    source = engine(f"def f(self, other): return {use}")
    assert notes(source) == () and notes(source, ["NameError: name 'elsewhere' is not defined"]) == ()
    assert [words in str(note) for note in notes(source, [error])] == [True]


def test_searched_list_is_told_only_where_a_check_took_too_long():
    source = changed(("        order, seen = [], set()\n", "        order, seen = [], []\n"),
                     ("            seen.add(node)\n", "            seen.append(node)\n"))
    assert notes(source) == ()
    told = notes(source, stopped=True)
    assert len(told) == 1 and "`seen` is a list" in str(told[0])
    assert source.splitlines()[told[0].line - 1].strip() == "if node in seen:"


def test_facts_are_for_diagnosis():
    assert facts(SLIPS["method hidden"][0]) == {"backward-hidden"}
    assert facts(SLIPS["rule called"][0]) == {"rule-called:exp"}
    assert facts(SLIPS["new leaf"][0]) == {"leaves-graph:neg"}
    assert facts(REFERENCE) == frozenset()


@pytest.mark.parametrize("source", ["class Value\n", "", "\0", "x = 1\n", "class Value: pass"])
def test_source_that_cannot_be_read_is_told_nothing(source):
    assert notes(source, ["NameError: name 'y' is not defined"], stopped=True) == ()


def test_source_is_never_run(tmp_path):
    trace = tmp_path / "ran"
    notes(f"open({str(trace)!r}, 'w')\n" + REFERENCE)
    assert not trace.exists()


def test_notes_stand_in_the_report_only_where_something_failed(tmp_path):
    twice = REFERENCE.replace("    # Exercise 2.1\n", "    def unused(self): pass\n    def unused(self): pass\n", 1)
    assert judge(TOPIC, tmp_path, file=written(tmp_path, twice), only=["1.2"]).notes == ()
    wrong = twice.replace("        self.grad = 1.0\n", "        self.grad = 2.0\n")
    report = judge(TOPIC, tmp_path, file=written(tmp_path, wrong), only=["1.2"])
    assert len(report.notes) == 1 and "second time" in report.notes[0]
    assert report.notes[0] in report.text() and "second time" in report.html()
