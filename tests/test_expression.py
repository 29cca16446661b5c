"""Programs read from text: what `Program.code` prints comes back the same; nothing else is accepted, nothing is run."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, seed, settings

from utils.judge.expression import LONGEST_TEXT, MOST_OPERATIONS, NotAProgram, parse, program_of
from utils.judge.generate import programs
from utils.judge.oracle import truth
from utils.judge.probes import probes
from utils.judge.program import Line, Program, Ref

A = {"a": 2.0, "b": 3.0}


def test_printed_program_is_read_back():
    for program in probes():
        if len(program.lines) <= MOST_OPERATIONS:
            assert program_of(program.code()).code() == program.code()
            assert program_of(program.code()).leaves == program.leaves


@seed(0)
@settings(max_examples=50, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_drawn_program_is_read_back(program):
    read = program_of(program.code())       # its lines may stand in another order
    assert read.leaves == program.leaves
    assert sorted(line.op for line in read.lines) == sorted(line.op for line in program.lines)
    assert truth(read) == truth(program)


@pytest.mark.parametrize(("text", "lines"), [
    ("a * a + a", (Line("mul", (Ref(0), Ref(0))), Line("add", (Ref(1), Ref(0))))),
    ("3 * a.exp()", (Line("exp", (Ref(0),)), Line("mul", (3, Ref(1))))),
    ("-a ** 2", (Line("pow", (Ref(0), 2)), Line("neg", (Ref(1),)))),
    ("a - -1.5", (Line("sub", (Ref(0), -1.5)),)),
    ("t = a / 4\nt * t", (Line("truediv", (Ref(0), 4)), Line("mul", (Ref(1), Ref(1))))),
    ("a", ())])
def test_program_is_what_the_text_says(text, lines):
    assert parse(text, A)[0] == Program({"a": 2.0}, lines)


def test_names_stand_for_leaves_and_lines():
    program, names = parse("x = 4; t = a * x; t + b", A)
    assert program.leaves == {"x": 4, "a": 2.0, "b": 3.0}
    assert names == {"x": 0, "a": 1, "b": 2, "t": 3}
    assert parse("x = Value(4); x * x")[0] == parse("x = 4; x * x")[0]


@pytest.mark.parametrize(("text", "told"), [
    (None, "text in quotes"), (5, "text in quotes"), (["a"], "text in quotes"), ("", "The last line"),
    ("import os", "`import os` is none"), ("__import__('os').system('ls')", "none of these"),
    ("a.__class__", "none of these"), ("lambda: 1", "none of these"), ("[a for a in b]", "none of these"),
    ("a if a else b", "none of these"), ("a.exp(2)", "none of these"), ("exp(a)", "none of these"),
    ("a @ b", "none of these"), ("a == b", "none of these"), ("a = True; a * a", "none of these"),
    ("a + 1j", "none of these"), ("a + 'b'", "none of these"), ("for a in b: a", "none of these"),
    ("a += 1; a", "none of these"), ("print(a)", "none of these"), ("a * Value(3)", "none of these"),
    ("x * a", "no `x`"), ("2 * 3", "numbers alone"), ("a + 2 ** 9 ** 9 ** 9", "numbers alone"), ("7", "is a number"),
    ("a = 1; a = 2; a", "has a value already"), ("a *", "not Python"), ("\0", "not Python"), ("(" * 300, "not Python"),
    ("a + " * 90 + "a", "operations at most"), ("-" * 500 + "a", "operations at most"),
    ("a" + ".exp()" * 90, "operations at most"), ("x = y = " + "-" * 500 + "a", "none of these"),
    ("a" * (LONGEST_TEXT + 1), "characters at most")])
def test_anything_else_is_refused_in_a_sentence(text, told):
    with pytest.raises(NotAProgram, match=told.replace("(", r"\(")):
        parse(text, A)
    assert program_of(text if isinstance(text, str) else None) is None


def test_nothing_in_a_text_is_run(monkeypatch):
    import builtins
    monkeypatch.setattr(builtins, "eval", None)
    monkeypatch.setattr(builtins, "exec", None)
    assert parse("a.exp() * a", A)[0].leaves == {"a": 2.0}
