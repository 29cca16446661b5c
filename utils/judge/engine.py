"""What a promise asks a learner's engine: run this program there, compare it with the truth here."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from utils.curriculum import Topic
from utils.judge.oracle import Truth, truth
from utils.judge.program import Program, trace
from utils.judge.promises import Broken
from utils.judge.replies import STOPS, status
from utils.judge.session import ORDINARY, TOTAL, Limits, Outcome, Session
from utils.judge.variation import varied

RELATIVE, OF_TERMS, ABSOLUTE = 1e-5, 1e-9, 1e-12     # tolerance: of the number, of the terms it sums, and for zero
MANY_LIMITS_HIT, MOST_LIMITS_HIT = 2, 12             # after so many, HASTY limits; after so many, BRIEF ones
HASTY = Limits(cpu=0.5, wall=5.0)                    # fifty times what an ordinary promise needs
BRIEF = Limits(cpu=0.2, wall=2.0)
LARGE = Limits(cpu=5.0, wall=25.0)                   # then, for a script with limits of its own
LONGEST_LOST = TOTAL - LARGE.wall                    # wall seconds for scripts that reach a limit; one more may run

CURES = (                                            # by what an error's type and text hold
    (re.compile("CUDA|device", re.IGNORECASE), "Everything here runs on the processor: leave devices out."),
    (re.compile("EOFError: EOF when reading a line"),
     "Nobody can answer `input()` while a file is judged: take the call out."))
LONGEST = 400                                        # characters of a value that are shown
REFUSALS = ("TypeError", "ValueError", "NotImplementedError", "AssertionError")     # and NotImplemented, seen as absent
REFLECTED = {"__radd__": "2 + a", "__rmul__": "2 * a", "__rsub__": "2 - a", "__rtruediv__": "2 / a",
             "__rpow__": "2 ** a"}
LIMITED = {"processes": "It started more processes or threads than are allowed",
           "files": "It opened more files than are allowed", "output": "It wrote more than is allowed"}
SIGNS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**", "neg": "-"}


class Runner:
    """Runs scripts on the learner's file and keeps what they did. Handles that promises ask for are built on it.

    `seed` is 0 for a learner's own check; at grading it is the submission's, and promises ask for other numbers too.
    """

    def __init__(self, session: Session, seed: int = 0):
        self.session = session
        self.seed = seed
        self.transcript: list[tuple[list, Outcome]] = []        # every script that was run, and what it did
        self._limits_hit, self._lost, self._restarts = 0, 0.0, False

    def drawn(self, *numbers: int | float) -> tuple[int | float, ...]:
        """The numbers that stand for these under this engine's seed."""
        return tuple(varied(x, self.seed) for x in numbers)

    def points(self, *numbers: int | float) -> list[tuple[int | float, ...]]:
        """Where a promise has to hold: at these numbers and, at grading, at those that stand for them."""
        return list(dict.fromkeys((numbers, self.drawn(*numbers))))

    def about(self, topic: Topic, folder: Path) -> Runner:
        """Itself, told which topic is judged and in which folder."""
        return self

    def reports(self, steps: list, code: str | None = None, limits: Limits = ORDINARY) -> list:
        """What a script reported; Broken, showing `code`, if it did not end well."""
        return self.unbroken(self.outcome(steps, limits), code)

    @staticmethod
    def unbroken(outcome: Outcome, code: str | None = None) -> list:
        """What an outcome reports; Broken, showing `code`, if an error stopped it."""
        if outcome.error:
            raise broken(outcome, code)
        return outcome.reports

    def outcome(self, steps: list, limits: Limits = ORDINARY) -> Outcome:
        """What a script did, whatever that is; Broken once too much time was lost on scripts that reach a limit."""
        outcome = self.ask(steps, limits)
        self.transcript.append((steps, outcome))
        return outcome

    def ask(self, steps: list, limits: Limits = ORDINARY) -> Outcome:
        """As `outcome`, for a script that is no promise's."""
        if self._lost > LONGEST_LOST:
            raise Broken(f"Not run: {self._limits_hit} calculations before this one ended Python or reached a limit. "
                         "Mend the first of them, then check again.", status="timeout")
        if self._limits_hit >= MANY_LIMITS_HIT:
            short = BRIEF if self._limits_hit >= MOST_LIMITS_HIT else HASTY
            limits = short if limits == ORDINARY else replace(limits, cpu=min(limits.cpu, LARGE.cpu),
                                                              wall=min(limits.wall, LARGE.wall))
        start = time.monotonic()
        outcome = self.session.run(steps, limits)
        hit = bool(outcome.error) and outcome.error["kind"] in STOPS
        if hit or self._restarts:           # the script after such a one starts a new worker
            self._lost += time.monotonic() - start
        self._limits_hit, self._restarts = self._limits_hit + hit, hit
        return outcome


class Engine(Runner):
    """The learner's `Value`, as promises see it. Everything raises Broken where the learner's numbers are not right."""

    def agrees(self, function: Callable, code: str | None = None, **leaves: int | float) -> None:
        """Value and every leaf's gradient of `function` at `leaves` are right.

        `code`, if it is given, is shown in place of the program's own, below the lines that make the leaves.
        """
        for numbers in self.points(*leaves.values()):
            program = trace(function, dict(zip(leaves, numbers, strict=True)))
            self.agrees_program(program, code and f"{program.head()}\n{code}")

    def computes(self, function: Callable, **leaves: int | float) -> None:
        """The value of `function` at `leaves` is right; nothing is asked about gradients."""
        for numbers in self.points(*leaves.values()):
            program = trace(function, dict(zip(leaves, numbers, strict=True)))
            code = program.code(backward=False)
            _compare(code, "out.data", self.reports(program.script(backward=False), code)[0], truth(program).value)

    def agrees_program(self, program: Program, code: str | None = None) -> None:
        code = code or program.code()
        _judge(self.reports(program.script(), code), truth(program), code)

    def agrees_or_refuses(self, function: Callable, **leaves: int | float) -> None:
        """As `agrees`, or the operation is refused with an error: supporting it is optional, being wrong is not.

        One that is not written yet looks like one that refuses: ask first for what must work.
        """
        for numbers in self.points(*leaves.values()):
            program = trace(function, dict(zip(leaves, numbers, strict=True)))
            outcome = self.outcome(program.script())
            if outcome.error and (outcome.error["type"] in REFUSALS or outcome.error["kind"] == "absent"):
                return
            _judge(self.unbroken(outcome, program.code()), truth(program), program.code())

    def expect(self, quantity: str, yours, expected: float, code: str, size: float = 0.0, slack: float = 0.0,
               why: str | None = None) -> None:
        """One reported number is right: up to rounding of the terms it sums, whose size is `size`, and up to `slack`.

        `expected` may be a report as well; then it must be a number itself. `why` is told where another number stands.
        """
        if not_a_number(quantity, expected):
            self.expect_number(quantity, expected, code)
        _compare(code, quantity, yours, expected, size, slack, why)

    def expect_number(self, quantity: str, yours, code: str) -> None:
        """A report is a number at all."""
        self.expect(quantity, yours, 0.0, code, slack=math.inf)


def _judge(reports: list, expected: Truth, code: str) -> None:
    _compare(code, "out.data", reports[0], expected.value)
    for (leaf, grad), yours in zip(expected.grads.items(), reports[1:], strict=True):
        _compare(code, f"{leaf}.grad", yours, grad, expected.sizes[leaf])


def _compare(code: str, quantity: str, yours, expected: float, size: float = 0.0, slack: float = 0.0,
             why: str | None = None) -> None:
    detail = not_a_number(quantity, yours)
    if detail:
        status = "not-written" if isinstance(yours, dict) and "absent" in yours else "failed"
        raise Broken(detail, status=status, program=code, quantity=quantity, yours=shown(yours),
                     expected=shown(expected))
    if not abs(yours - expected) <= slack + RELATIVE * abs(expected) + OF_TERMS * size + ABSOLUTE:
        raise Broken(why, program=code, quantity=quantity, yours=shown(yours), expected=shown(expected))


def not_a_number(quantity: str, yours) -> str | None:
    """A sentence on why a reported attribute is no number, or None if it is one."""
    if isinstance(yours, bool) or not isinstance(yours, int | float):
        if isinstance(yours, dict) and "absent" in yours:
            return f"{quantity} does not exist: a Value needs an attribute `{yours['absent']}`."
        what = "None" if yours is None else shown(yours)
        return f"{quantity} should be a number; it is {what}."
    if yours != yours:
        return f"{quantity} is nan, which is no number."
    return None


def shown(x) -> str:
    """A reported value as a learner reads it: ten significant digits at most, and not too long a text."""
    if isinstance(x, dict):
        return "nothing" if "absent" in x else f"{x.get('text')} (a {x.get('other')})"
    if isinstance(x, list) and (odd := [item for item in x if isinstance(item, dict)]):
        return f"a list that holds {shown(odd[0])}"
    text = f"{x:.10g}" if isinstance(x, float) else str(x)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text):,} characters)"


def broken(outcome: Outcome, code: str | None) -> Broken:
    """The evidence for a script that was stopped by an error."""
    error = outcome.error
    code_there = f": `{error['code']}`" if error["kind"] != "not-written" else ""      # else it says the same again
    place = f"in line {error['line']}{code_there}." if error["line"] else ""
    return Broken(sentence(error, place), status=status(error), program=code)


def sentence(error: dict, place: str = "") -> str:
    """What stopped a script, for the learner; `place` is where, "in line 3."."""
    said = _said(error)
    if place:
        ends = said.endswith(("?", "!", "..."))
        said = f"{said} {place[:1].upper()}{place[1:]}" if ends else f"{said.removesuffix('.')}, {place}"
    cure = next((cure for pattern, cure in CURES if error["kind"] == "raised" and pattern.search(
        f"{error['type']}: {error['text']}")), "")
    return f"{said if not cure or said.endswith('.') else said + '.'} {cure}".rstrip()


def _said(error: dict) -> str:
    kind, text, what = error["kind"], error["text"], error["what"]
    named = f"{error['type']}: {text}" if text else error["type"]
    if kind == "not-written":
        return f"Not written yet: {text}" if text else "Not written yet."
    if kind == "absent":
        use = f", which Python looks for in `{REFLECTED[what]}`" if what in REFLECTED else ""
        return f"Not written yet: there is no `{what}`{use}."
    if kind == "lost-node":
        name = f"`{SIGNS[what]}`" if what in SIGNS else f"`{what}()`"
        cure = ("does it return `out`?" if error["got"] == "NoneType" else
                "its result must be a Value, or the graph ends there.")
        article = "an" if error["got"][:1] in "aeiou" else "a"
        return f"{name} gave back {article} {error['got']}: {cure}"
    if kind == "recursion":
        return "RecursionError: a function called itself more often than Python allows (about 1,000 calls deep)."
    if kind == "memory":
        return "Ran out of memory: " + (text or "an allocation was refused.")
    if kind == "exit":
        return f"It ended Python itself ({named})."
    if kind == "misshapen":
        return f"{text}."
    if kind == "syntax":
        return f"{named}."
    if kind in LIMITED:
        return f"{LIMITED[kind]} ({named if error['type'] else text})."
    if kind in ("timeout", "crash"):
        return text[:1].upper() + text[1:] + "."
    return named
