"""Exercise 2.6, diagnose and break: a learner's tests against five broken engines, and against right ones.

An answer is, by box, a flaw's name, a program as text, and the right gradient of its leaf `a`. A test kills a box whose
gradient is another one, and rejects a right engine whose gradient is another one. Programs are data (expression.py) and
run on the judge's own imitations, in which nothing can hang: at most 40 operations on numbers of modest size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Real

from utils.black_boxes import EXERCISE, LETTERS, NAMES, hidden
from utils.judge.catalogue_page import line_of
from utils.judge.engine import shown
from utils.judge.expression import NotAProgram, parse
from utils.judge.flawed import MICROGRAD, VALUES, Flaw, Style
from utils.judge.misconceptions import catalogue
from utils.judge.oracle import truth
from utils.judge.probes import probes
from utils.judge.program import Line, Program, Ref
from utils.judge.promises import Broken
from utils.judge.reduce import reduce
from utils.judge.simulation import Result, simulate

GIVEN = {"a": 2.0, "b": 3.0, "c": 5.0}      # leaves that need no line of their own
LARGEST = 1e6                               # of every number in a program
TOLERANCE = 1e-3                            # relative: four significant digits are enough
FORM = 'three things: a name, a program and a number, such as ("overwrites-mul", "a * a + b", 4.0)'
RIGHT = (                                   # ways of being right
    (Flaw(), Style()), (Flaw(), Style(MICROGRAD)), (Flaw(), Style(order="right")), (Flaw(), Style(order="tape")),
    (Flaw(slopes={"relu": lambda a, y: (1.0 if a >= 0 else 0.0,)}), Style()))


@dataclass(frozen=True)
class Attempt:
    """What a learner wrote for one box, and what became of it. `problem` is the sentence for one that counts nothing.

    `says`: the box's own `a.grad`, as text. `rejects`: whether a right engine fails the test. `smaller`: a program with
    fewer operations on which the box is wrong, where there is one.
    """

    letter: str
    name: object = None
    text: object = None
    claim: object = None
    program: Program | None = None
    says: str | None = None
    killed: bool = False
    rejects: bool = False
    problem: str | None = None
    smaller: str | None = None

    @property
    def empty(self) -> bool:
        return self.text is None and self.claim is None

    @property
    def right_name(self) -> bool:
        return _plain(self.name) == hidden()[self.letter].id


def named(answers, letter: str) -> None:
    """The flaw in this box has the right name; else Broken, with a program on which that flaw would show otherwise."""
    test = _tests(answers)[letter]
    if test.name is None:
        raise Broken(f"No name yet for box {letter}.", status="not-written")
    if not test.right_name:
        raise Broken(_why_not(test))


def shown_by(answers, letter: str) -> None:
    """The test for this box kills it, rejects no right engine, and need not pay for one that does; else Broken."""
    tests = _tests(answers)
    test = tests[letter]
    if test.empty:
        raise Broken(f"No program yet for box {letter}.", status="not-written")
    if test.problem:
        raise Broken(test.problem)
    if letter not in paid(tests):
        cost = ", ".join(t.letter for t in tests.values() if t.rejects)
        raise Broken(f"It kills box {letter}, and its share pays for a test that rejects right engines ({cost}).")


def paid(tests: dict[str, Attempt]) -> list[str]:
    """The boxes that earn: those killed, without as many of the last of them as there are tests that reject."""
    killed = [t.letter for t in tests.values() if t.killed]
    return killed[:max(0, len(killed) - sum(t.rejects for t in tests.values()))]


def _tests(answers) -> dict[str, Attempt]:
    """Every box's test, judged once; writes their table into the report."""
    answer = answers.of(EXERCISE)
    if not isinstance(answer, dict):
        raise Broken(f"Expected a dict with the boxes {', '.join(LETTERS)}, for each {FORM}.",
                     status="not-written" if answer is None else "failed")
    tests = {letter: _judged(letter, answer.get(letter)) for letter in LETTERS}
    if not all(test.empty and test.name is None for test in tests.values()):
        answers.tables[EXERCISE] = table(tests)
    return tests


def _judged(letter: str, entry: object) -> Attempt:
    if entry is None:
        return Attempt(letter)
    if not isinstance(entry, list | tuple) or len(entry) != 3:
        return Attempt(letter, text=entry, problem=f"Expected {FORM}.")
    test = Attempt(letter, *entry)
    if test.empty:
        return test
    try:
        program = readable(test.text)
    except NotAProgram as problem:
        return replace(test, problem=str(problem))
    if not _is_number(test.claim):
        return replace(test, program=program, problem="The third entry is the right a.grad, one plain number.")
    return _run(replace(test, program=program))


def readable(text: object) -> Program:
    """A learner's program, numbers as floats; NotAProgram if it is none on which right engines could agree."""
    program, _ = parse(text, GIVEN)
    if "a" not in program.leaves:
        raise NotAProgram("A test looks at a.grad: use the name a.")
    if any(line.op == "pow" and isinstance(line.operands[1], Ref) for line in program.lines):
        raise NotAProgram("The exponent has to be a number here: right engines may refuse a Value.")
    leaves = {name: _float(x) for name, x in program.leaves.items()}
    lines = tuple(Line(line.op, tuple(x if isinstance(x, Ref) else _float(x) for x in line.operands))
                  for line in program.lines)
    program = Program(leaves, lines, program.root)
    try:
        program.evaluate(lambda name, data: _modest(data), lambda op, x: _modest(VALUES[op](*map(_modest, x))))
    except (ArithmeticError, ValueError, TypeError):
        raise NotAProgram(f"Keep every number between -{LARGEST:g} and {LARGEST:g}, and where its operation is "
                          "defined.") from None
    return program


def _float(x: int | float) -> float:
    return float(x) if abs(x) <= LARGEST else math.inf


def _modest(x: float) -> float:
    """`x`, where it is a number of modest size; else OverflowError, or TypeError for a complex one."""
    if not abs(x) <= LARGEST or x < -LARGEST:
        raise OverflowError
    return x


def _run(test: Attempt) -> Attempt:
    """The test on its box and on right engines."""
    place = 1 + list(test.program.leaves).index("a")
    box = _on_box(test.letter, test.program)
    differs = box.kind is not None or not _agree(box.reports[place], test.claim)
    try:
        right = [truth(test.program).grads["a"]]
    except (ArithmeticError, ValueError, TypeError):
        return replace(test, problem="No gradient is right here: the program stops at a point without a slope.")
    right += [result.reports[place] for engine in RIGHT
              if not (result := simulate(test.program.script(), *engine)).kind]
    says = "an error" if box.kind else shown(float(box.reports[place]))
    rejects = not all(_agree(x, test.claim) for x in right)
    if not rejects:
        smaller = _smaller(test) if differs else None
        problem = None if differs else "Its a.grad is the right one on this program, so nothing shows here."
        return replace(test, says=says, killed=differs, problem=problem, smaller=smaller)
    if any(not _agree(x, right[0]) for x in right):
        why = "At this point right engines differ among each other (the corner of relu): take another number."
    elif not differs:
        why = "That is what the box says. Right engines say something else, and this test rejects them: measure it."
    else:
        why = "Right engines have another a.grad here, so this test rejects them: measure it with forward values."
    return replace(test, says=says, rejects=True, problem=why)


def _on_box(letter: str, program: Program) -> Result:
    return simulate(program.script(), hidden()[letter].flaws[0], Style())


def _smaller(test: Attempt) -> str | None:
    """A program with fewer operations on which the box is wrong, as text; None if none was found."""
    def wrong(program: Program) -> bool:
        try:
            right, box = truth(program), _on_box(test.letter, program)
        except (ArithmeticError, ValueError, TypeError):
            return False
        return box.kind is not None or any(not _agree(x, y) for x, y in zip(box.reports[1:], right.grads.values(),
                                                                            strict=True))
    found = reduce(test.program, wrong)
    return _written(found) if len(found.lines) < len(test.program.lines) else None


def _written(program: Program) -> str:
    """A program as a learner would write it: `a * a + b`, behind its numbers where they are not the given ones."""
    given = [f"{name} = {data:g}" for name, data in program.leaves.items() if GIVEN.get(name) != data]
    lines = program.code(backward=False).split("\n")[1 + len(program.leaves):]
    return "; ".join([*given, *lines[:-1], lines[-1].removeprefix("out = ")])


def _why_not(test: Attempt) -> str:
    """Why the name is not the one, for the learner."""
    name = _plain(test.name)
    if name not in NAMES:
        return f"{_shown(test.name)} is none of the names that flaws() lists."
    for program in probes():
        theirs = simulate(program.script(), catalogue()[name].flaws[0], Style())
        box = _on_box(test.letter, program)
        for k, leaf in enumerate(program.leaves):
            if not (theirs.kind or box.kind) and not _agree(theirs.reports[k + 1], box.reports[k + 1]):
                return (f"It is not `{name}`. On `{line_of(program)}` that flaw gives {leaf}.grad "
                        f"{shown(float(theirs.reports[k + 1]))}, and this box {shown(float(box.reports[k + 1]))}.")
    return f"It is not `{name}`."


def table(tests: dict[str, Attempt]) -> str:
    """What each test did, as aligned text, and the sum."""
    rows = [("box", "name", "program", "right a.grad", "box says", "so it is")]
    rows += [(t.letter, "-" if t.name is None else "right" if t.right_name else "not yet", _cut(t.text), _cut(t.claim),
              t.says or "-", _fate(t)) for t in tests.values()]
    widths = [max(len(row[k]) for row in rows) for k in range(5)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row[:5], widths, strict=True)), row[5]])
             for row in rows]
    killed, rejecting = sum(t.killed for t in tests.values()), sum(t.rejects for t in tests.values())
    return "\n".join([*lines, f"Killed {killed} of {len(tests)}, tests that reject right engines {rejecting}: "
                              f"{max(0, killed - rejecting)} of {len(tests)} tests count."])


def _fate(test: Attempt) -> str:
    if test.killed:
        return f"killed; smaller: {test.smaller}" if test.smaller else "killed; none smaller"
    if test.says is None:
        return "open" if test.empty else "no test"
    return "alive; rejects right ones" if test.rejects else "alive"


def _plain(name: object) -> str:
    return name[:60].strip().strip("`").lower().replace("_", "-").replace(" ", "-") if isinstance(name, str) else ""


def _cut(x: object) -> str:
    text = " ".join(x.split()) if isinstance(x, str) else "-" if x is None else _shown(x)
    return text if len(text) <= 36 else text[:33] + "..."


def _shown(x: object) -> str:
    return repr(x[:40]) if isinstance(x, str) else shown(float(x)) if _is_number(x) else f"a {type(x).__name__}"


def _is_number(x: object) -> bool:
    """Whether this is a finite number; True and False are none."""
    return isinstance(x, Real) and not isinstance(x, bool) and abs(x) < 1e300 and x == x


def _agree(one: float, other: float) -> bool:
    return abs(one - other) <= TOLERANCE * abs(other) + 1e-9
