"""Facts read from a source: each slip is told with its line, right engines are told nothing, nothing is run."""

from __future__ import annotations

import textwrap

import pytest

from tests.engines import REFERENCE, TOPIC, changed, written
from tests.wrong_bases import BASES
from utils.curriculum import ROOT
from utils.judge import engine as engine_module
from utils.judge.core import judge
from utils.judge.lint import facts, notes, told
from utils.judge.session import Limits

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


# A class that is no Value may do what a Value should not; the names that drawings read, and Python's own, are no slips.
@pytest.mark.parametrize("source", [
    "class Dual:\n    def __add__(self, o): return Dual(self.x + o.x)\n" + engine(BACKWARD),
    "class F(float):\n    def __add__(self, o): return F(float(self) + o)\n" + engine(BACKWARD),
    "class Node:\n    def __init__(self): self.run = None\n    def run(self): pass\n" + engine(BACKWARD),
    engine("def __init__(self, children): self._prev, self._op, self.label, self._children = children, '', '', ()",
           "def backward(self): self._backward(self.prev, self.op, self.labels, self.children)"),
    engine("def wrap(self, m): m.__name__ = 'x'", "def __new__(cls): return cls.__new__(cls)"),
], ids=["dual numbers", "a float", "a node", "names of the brief", "a name of Python's own"])
def test_what_is_no_slip_of_the_engine_is_not_told(source):
    assert notes(source) == ()


@pytest.mark.parametrize("head", ["class Base:", "class Root:"], ids=["its base", "the base of its base"])
def test_what_value_is_built_of_is_looked_at(head):
    slip = engine("def __neg__(self): return Root(-self.data)").replace("class Value:", "class Root:")
    source = slip + "class Base(Root): pass\nclass Value(Base): pass\n"
    assert [note.line for note in notes(source)] == [2]
    assert [note.line for note in notes(slip + "Value = Root\n")] == [2]


def test_notes_that_say_the_same_are_told_as_one():
    hidden = [EXP.replace("out._backward", "out.backward").replace("exp", name) for name in ("exp", "log", "tanh", "f")]
    source = engine(*hidden, BACKWARD)
    lines = [note.line for note in notes(source)]
    assert told(notes(source)) == [
        f"Lines {lines[0]}, {lines[1]}, {lines[2]} and 1 more: `out.backward = ...` hides the method `backward()` of "
        "that one Value. Did you mean `_backward`?"]
    rule = EXP.replace("    out._backward = _backward\n", "")
    unused = [rule.replace("exp", name) for name in ("exp", "log", "tanh")]
    (one,) = told(notes(engine(*unused)))
    assert one.startswith("Line 4: `_backward` of `exp` is defined") and one.endswith(" The same in lines 9, 14.")


def test_notes_fit_on_a_screen():
    twice = [f"def f{k}(self): pass" for k in range(9) for _ in "ab"]
    assert len(told(notes(engine(*twice)))) == 7 and "(3)" in told(notes(engine(*twice)))[-1]


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


ENDLESS = ("        visit(self)\n", "        visit(self)\n        while order not in seen:\n            pass\n")


@pytest.mark.parametrize(("loop", "only"), [(ENDLESS, "1.2"), (None, "3.2")], ids=["on two nodes", "on many"])
def test_searched_list_is_told_only_where_a_large_graph_took_too_long(tmp_path, monkeypatch, loop, only):
    monkeypatch.setattr(engine_module, "HASTY", Limits(cpu=0.3, wall=3.0))
    monkeypatch.setattr(engine_module, "LARGE", Limits(cpu=1.0, wall=10.0))
    monkeypatch.setattr(engine_module, "MANY_LIMITS_HIT", 0)
    source = changed(("        order, seen = [], set()\n", "        order, seen = [], []\n"),
                     ("            seen.add(node)\n", "            seen.append(node)\n"), *([loop] if loop else []))
    report = judge(TOPIC, tmp_path, file=written(tmp_path, source), only=[only])
    assert any(v.status == "timeout" for v in report.verdicts), report.text()
    assert any("is a list" in note for note in report.notes) == (loop is None)
