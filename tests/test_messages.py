"""What a report says to a learner: joined into sentences, the next step last, and each thing once."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.engines import REFERENCE, TOPIC, changed, written
from utils.judge.catalogues import says
from utils.judge.core import judge
from utils.judge.engine import sentence
from utils.judge.program import of_script, trace
from utils.judge.report import Report

LEVEL_1 = ("1.1", "1.2", "1.3")


def judged(folder, source: str, *only: str) -> Report:
    return judge(TOPIC, folder, file=written(folder, source), only=only or LEVEL_1)


def error(kind: str, type: str, text: str) -> dict:
    return {"kind": kind, "type": type, "text": text, "what": None, "got": None}


@pytest.mark.parametrize(("stopped", "said"), [
    (error("raised", "ValueError", "no"), "ValueError: no, in line 7: `f(x)`."),
    (error("raised", "ValueError", "no."), "ValueError: no, in line 7: `f(x)`."),
    (error("raised", "ValueError", "what?"), "ValueError: what? In line 7: `f(x)`."),
    (error("raised", "ValueError", "long ..."), "ValueError: long ... In line 7: `f(x)`."),
    (error("raised", "AssertionError", ""), "AssertionError, in line 7: `f(x)`."),
    (error("syntax", "SyntaxError", "expected ':'"), "SyntaxError: expected ':', in line 7: `f(x)`."),
    (error("exit", "SystemExit", "0"), "It ended Python itself (SystemExit: 0), in line 7: `f(x)`."),
    (error("recursion", "RecursionError", "deep"), "RecursionError: a function called itself more often than Python "
     "allows (about 1,000 calls deep), in line 7: `f(x)`."),
    (error("raised", "AssertionError", "no CUDA here"), "AssertionError: no CUDA here, in line 7: `f(x)`. Everything "
     "here runs on the processor: leave devices out."),
    (error("raised", "EOFError", "EOF when reading a line"), "EOFError: EOF when reading a line, in line 7: `f(x)`. "
     "Nobody can answer `input()` while a file is judged: take the call out."),
])
def test_the_line_is_joined_to_what_happened_there(stopped, said):
    assert sentence(stopped, "in line 7: `f(x)`.") == said


@pytest.mark.parametrize(("head", "mend"), [
    ("class Value\n", "SyntaxError: expected ':', in line 1: `class Value`. Mend that line first"),
    ("n = input()\n", "Nobody can answer `input()` while a file is judged: take the call out. Mend that line first"),
    ("import os\nos._exit(0)\n", "(exit status 0). Mend that first"),
], ids=["syntax", "input", "no line"])
def test_a_file_that_cannot_be_loaded_is_told_once_and_to_be_mended(tmp_path, head, mend):
    report = judged(tmp_path, head)
    assert mend in report.notes[0] and {v.hint for v in report.verdicts} == {None}
    for shown in (report.text(), report.text("1.2"), report.html()):
        assert shown.count("cannot be loaded") == 1
        assert not any(words in shown for words in ("hint(", "Also open", "not kept:", "(line "))
    assert "#D55E00" in report.html()


def test_a_slip_in_a_helper_is_told_with_the_helper_s_line_and_the_import(tmp_path):
    written(tmp_path, "one = 1\ntwo = (\n", "helpers.py")
    (note,) = judged(tmp_path, f"import math as m\nimport helpers\n{REFERENCE}").notes
    assert "'(' was never closed (helpers.py, line 2), in line 2: `import helpers`." in note
    written(tmp_path, "\none = (\n", "helpers.py")
    assert "in line 1: `import helpers`." in judged(tmp_path, f"import helpers\n{REFERENCE}").notes[0]


def test_a_file_that_cannot_be_loaded_does_not_hide_what_is_wrong_elsewhere(tmp_path):
    report = judge(TOPIC, tmp_path, file=written(tmp_path, "class Value\n"), only=["1.1", "2.5"], answers={"2.5": {}})
    assert "2.5" in report.text() and "`2 + a`" not in report.text()


WRONG_TANH = ("t = math.tanh(self.data)", "t = self.data")


def first_told(report: Report) -> str:
    return re.search(r"^(?:not kept|not yet written): (\S+)", report.text(), re.MULTILINE)[1]


def test_what_is_not_begun_of_level_1_comes_before_what_is_wrong_above_it(tmp_path):
    bare = ("class Value:\n    def __init__(self, data):\n        self.data = data\n"
            "    def tanh(self):\n        return self\n    def backward(self):\n        pass\n")
    report = judged(tmp_path, bare, "1.1", "1.2", "2.3")
    assert "failed" in {v.status for v in report.of("2.3")} and first_told(report) == "1.1"
    wrong_first = changed(WRONG_TANH, ("        return self * -1.0\n", "        raise NotImplementedError\n"))
    assert first_told(judged(tmp_path, wrong_first, "1.1", "2.1", "2.3")) == "2.3"
    begun = changed(WRONG_TANH, ("    def __radd__(self, other):", "    def unknown(self, other):"))
    assert first_told(judged(tmp_path, begun, "1.1", "2.3")) == "2.3"


# The first pass in a new Python starts from 4/3, if it is over a graph of five values.
ONCE = ("        self.grad = 1.0\n", "        first, Value.old = not hasattr(Value, 'old'), True\n"
                                     "        self.grad = 4 / 3 if first and len(order) > 4 else 1.0\n")


def test_what_differs_from_run_to_run_is_shown_with_its_lines_and_both_numbers(tmp_path):
    report = judged(tmp_path, changed(ONCE), "1.2")
    (verdict,) = (v for v in report.verdicts if v.status != "passed")
    assert verdict.program.endswith("c = Value(2)\nout = (a + b) * c\nout.backward()")
    assert verdict.quantity == "a.grad, the first and the second time" and verdict.yours == "2, then 2.666666667"
    assert "in a fresh Python" in verdict.detail and verdict.program.split("\n")[-2] in report.text()


def test_the_list_of_what_is_open_says_why_in_a_few_words(tmp_path):
    report = judged(tmp_path, REFERENCE, "1.1")
    (group,) = report.groups
    long = "This is the first sentence of a reason. " + "And here is more of it, at some length. " * 5
    told = tuple(replace(v, status="failed", detail=long) for v in group.promises)
    listed = replace(report, groups=(replace(group, promises=told),)).text().split("Also open:")[1]
    assert listed.count("This is the first sentence of a reason.") == 3 and "And here is more" not in listed


def test_what_every_path_means_is_told_in_the_words_of_the_code():
    assert all(word in says("every-path") for word in ("`__eq__`", "dataclass", "visit each node once"))


@pytest.mark.parametrize("function", [
    lambda a: a, lambda a, b: a * b + a, lambda a, b, c: 3 * (a - b).exp() / c**2 - 1,
    lambda a, b: (-a).tanh() * a + b])
@pytest.mark.parametrize("backward", [True, False])
def test_the_program_of_a_script_is_the_one_that_it_was_made_from(function, backward):
    names = function.__code__.co_varnames
    program = trace(function, {name: k + 1.5 for k, name in enumerate(names)})
    found, called = of_script(program.script(backward))
    assert found == program and called[program.root] == "out" and called[0] == ("out" if program.root == 0 else "a")


@pytest.mark.parametrize("steps", [
    [], [["new", 0, 1.0], ["set", {"r": 0}, "grad", 0.0]], [["new", 0, 1.0], ["op", 0, "neg", {"r": 0}]],
    [["new", 0, 1.0], ["backward", {"r": 0}], ["backward", {"r": 0}]], [["new", k, 1.0] for k in range(99)]])
def test_a_script_that_is_no_straight_line_has_no_program(steps):
    assert of_script(steps) is None
