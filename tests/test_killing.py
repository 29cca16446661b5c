"""Exercise 2.6: five boxes that can be told apart, and tests of learners judged as killed minus rejected."""

from __future__ import annotations

import re

import pytest

from tests.engines import TOPIC
from utils import black_boxes
from utils.black_boxes import GROUPS, LETTERS, NAMES, hidden
from utils.finite_difference_checker import check_gradients, numerical_gradient
from utils.judge.answers import Answers
from utils.judge.core import judge
from utils.judge.flawed import Flaw, Style, Unsupported
from utils.judge.killing import LARGEST, RIGHT, readable, shown_by
from utils.judge.misconceptions import catalogue
from utils.judge.oracle import truth
from utils.judge.probes import probes
from utils.judge.program import METHODS
from utils.judge.promises import Broken
from utils.judge.report import Report
from utils.judge.simulation import simulate
from utils.visualization import draw

SOURCE = (TOPIC.solutions / "exercises.py").read_text(encoding="utf-8")
ANSWER = eval(re.search(r"### BEGIN SOLUTION\nanswer_2_6 = (\{.*?\n\})\n", SOURCE, re.DOTALL)[1])
NOTHING = dict.fromkeys(LETTERS, (None, None, None))


def judged(answer) -> Report:
    return judge(TOPIC, TOPIC.shipped, only=["2.6"], answers={"2.6": answer})


def status(answer, which: str = "shown") -> str:
    """A letter a box: k for kept, f for failed, n for not written."""
    verdicts = [v for v in judged(answer).verdicts if v.name.startswith(f"test_flaw_is_{which}")]
    return "".join({"passed": "k", "failed": "f", "not-written": "n"}[v.status] for v in verdicts)


def score(answer) -> float:
    return judged(answer).points()[0]


# ---- the boxes

def test_everybody_has_the_same_five_one_of_each_group():
    ids = [entry.id for entry in hidden().values()]
    assert list(hidden()) == list(LETTERS)
    assert sorted(next(k for k, group in enumerate(GROUPS) if id in group) for id in ids) == list(range(5))
    assert {letter: name for letter, (name, *_) in ANSWER.items()} == dict(zip(LETTERS, ids, strict=True))


def test_names_are_told_apart_by_what_engines_do():
    seen = {}
    for name in NAMES:
        outcomes = []
        for program in probes():
            try:
                result = simulate(program.script(), catalogue()[name].flaws[0], Style())
                outcomes.append((*(round(x, 6) for x in result.reports), result.kind))
            except Unsupported:
                outcomes.append(None)
        seen.setdefault(tuple(outcomes), []).append(name)
    assert len(seen) == len(NAMES) == len(set(NAMES)), [names for names in seen.values() if len(names) > 1]


@pytest.mark.parametrize("letter", LETTERS)
def test_box_in_a_notebook_is_the_box_that_is_judged(letter):
    box = getattr(black_boxes, letter)
    for program in (p for p in probes() if len(p.lines) < 12):
        expected = simulate(program.script(), hidden()[letter].flaws[0], Style())
        if expected.kind is None:
            leaves = {name: box(x) for name, x in program.leaves.items()}
            scope = {"Value": box}
            exec("\n".join(program.code().split("\n")[1:]), scope)
            assert [scope["out"].data, *(scope[name].grad for name in leaves)] == expected.reports


def test_box_can_be_measured_drawn_and_is_not_mixed():
    assert check_gradients(lambda a: 3 * a.tanh() - a / 2, [black_boxes.A(0.5)])
    assert numerical_gradient(lambda a: a * a, [black_boxes.E(3.0)]) == pytest.approx([6.0])
    y = black_boxes.A(2.0) + 1
    assert "Graph of 3 values" in str(draw(y)) and str(y) == "A(3, grad=0)"
    for other in (black_boxes.B(2.0), "x", None):
        with pytest.raises(TypeError):
            black_boxes.A(2.0) * other
    assert all(callable(getattr(y, method)) for method in METHODS)


def test_walk_without_an_end_is_an_error_of_one_line():
    y = black_boxes.A(1.0)
    for _ in range(40):
        y = y + y
    with pytest.raises(RuntimeError, match="box A comes to no end"):
        y.backward()


def test_list_of_flaws_names_all_and_tells_no_box():
    listed = str(black_boxes.flaws())
    assert listed.count("\n") == len(NAMES) + 2 and all(f"| `{name}` | {catalogue()[name].says} |" in listed
                                                         for name in NAMES)


# ---- what is judged

def test_model_answer_earns_everything_and_nothing_earns_nothing():
    report = judged(ANSWER)
    assert report.kept and report.points() == (5, 5)
    assert report.tables["2.6"].count("killed; none smaller") == 5
    assert "Killed 5 of 5, tests that reject right engines 0: 5 of 5" in report.text("2.6")
    for empty in (NOTHING, {}, None):
        assert score(empty) == 0 and {v.status for v in judged(empty).verdicts} == {"not-written"}
        assert judged(empty).tables == {}


def test_each_box_earns_by_itself():
    for letter in LETTERS:
        assert score(NOTHING | {letter: ANSWER[letter]}) == 1
        assert score(NOTHING | {letter: (ANSWER[letter][0], None, None)}) == 0.5
        assert score(NOTHING | {letter: (None, *ANSWER[letter][1:])}) == 0.5


def test_test_that_rejects_right_engines_costs_a_box_that_is_killed():
    assert status(ANSWER | {"C": (None, "a + a * 1", 1.0)}) == "kkfkf"         # what box C says, taken for right
    assert status(ANSWER | {"A": (None, "a * a", 3.0), "B": (None, "a * a", 3.0)}) == "ffkff"
    assert status(dict.fromkeys(LETTERS, (None, "a * a", 3.0))) == "fffff"
    assert score(dict.fromkeys(LETTERS, (None, "a * a", 3.0))) == 0
    told = judged(ANSWER | {"C": (None, "a + a * 1", 1.0)})
    assert "That is what the box says" in told.text() and "5 of 5, tests" not in told.text()
    assert "Killed 4 of 5, tests that reject right engines 1: 3 of 5" in told.tables["2.6"]


def test_test_on_which_right_engines_differ_rejects_one_of_them():
    for claim in (0.0, 1.0, 0.5):
        answer = NOTHING | {"E": (None, "a = 0; a.relu()", claim)}
        assert status(answer) == "nnnnf" and "right engines differ among each other" in judged(answer).text()


def test_test_that_shows_nothing_kills_nothing():
    report = judged(NOTHING | {"D": (None, "a + b", 1)})
    assert status(NOTHING | {"D": (None, "a + b", 1)}) == "nnnfn" and "nothing shows here" in report.text()


@pytest.mark.parametrize(("letter", "text", "claim", "smaller"), [
    ("D", "b = 7; (a + a) * 4 + b * a", 15, "a + a"), ("B", "t = 3 * a.exp(); t + a.tanh()", 22.238, "3 * a.exp()"),
    ("E", "a - a.relu() * b", -2, "a.relu()")])
def test_smaller_program_is_shown_back(letter, text, claim, smaller):
    table = judged(NOTHING | {letter: (None, text, claim)}).tables["2.6"]
    found = readable(re.search(r"killed; smaller: (.*)", table)[1])
    assert [line.op for line in found.lines] == [line.op for line in readable(smaller).lines]


@pytest.mark.parametrize("name", ["One Share Add", "`one-share-add`", "one_share_add ", "ONE-SHARE-ADD"])
def test_name_may_be_written_in_any_way(name):
    assert status(NOTHING | {"D": (name, None, None)}, "named") == "nnnkn"


def test_wrong_name_is_answered_with_a_program_that_tells_them_apart():
    said = judged(NOTHING | {"A": ("nodes-twice", None, None)}).text()
    assert "It is not `nodes-twice`. On `a = Value(" in said and "and this box" in said
    for name in NAMES:
        for letter in LETTERS:
            kept = status(NOTHING | {letter: (name, None, None)}, "named")[LETTERS.index(letter)]
            assert kept == ("k" if hidden()[letter].id == name else "f")


@pytest.mark.parametrize(("entry", "told"), [
    (5, "three things"), ("a * a", "three things"), (("x", "a"), "three things"), ((None, 5, 1), "text in quotes"),
    ((None, "__import__('os').system('ls')", 1), "none of these"), ((None, "a" * 1000, 1), "at most"),
    ((None, "a.data", 1), "none of these"), ((None, "b * b", 1), "use the name a"), ((None, "a ** b", 1), "exponent"),
    ((None, "a = 9e9; a * a", 1), "Keep every number"), ((None, "a / 0", 1), "Keep every number"),
    ((None, "a = -1; a.log()", 1), "Keep every number"), ((None, "a = -8; a ** 0.5", 1), "Keep every number"),
    ((None, "a.exp().exp().exp().exp()", 1), "Keep every number"), ((None, "1e999 * a", 1), "Keep every number"),
    ((None, f"a * {10**500}", 1), "Keep every number"), ((None, "a ** 1000000", 1), "Keep every number"),
    ((None, "a * a", None), "one plain number"), ((None, "a * a", True), "one plain number"),
    ((None, "a * a", "4"), "one plain number"), ((None, "a * a", float("nan")), "one plain number"),
    ((None, "a * a", 10**400), "one plain number"), ((7, None, None), "none of the names"),
    (("exp", None, None), "none of the names"), (("x" * 10**5, None, None), "none of the names")])
def test_anything_else_is_a_sentence_and_no_point(entry, told):
    report = judged(NOTHING | {"B": entry})
    assert told in report.text() and report.points()[0] == 0 and "Traceback" not in report.text()
    assert Report.from_json(report.to_json()).tables == report.tables


@pytest.mark.parametrize("answer", [5, "text", [1, 2], {"Z": 1}, {1: 2}, {"A": {"A": 1}}])
def test_answer_of_another_kind_is_a_sentence(answer):
    report = judged(answer)
    assert report.points()[0] == 0 and "Traceback" not in report.text()


def test_right_engines_are_right():
    for flaw, style in RIGHT:
        for program in (p for p in probes() if len(p.lines) < 12):
            result = simulate(program.script(), flaw, style)
            assert result.reports[1:] == pytest.approx(list(truth(program).grads.values()))


def test_numbers_stay_modest():
    assert readable("a = 1000; a * a").leaves == {"a": 1000.0} and LARGEST == 1e6
    assert [line.operands[k] for k, line in enumerate(readable("2 * a + 3").lines)] == [2.0, 3.0]
    assert all(type(line.operands[k]) is float for k, line in enumerate(readable("2 * a + 3").lines))


def test_killing_can_fail():
    """The control: with a box that is right, no test kills and no name fits."""
    answers = Answers(TOPIC, TOPIC.shipped, {"2.6": ANSWER})
    right = catalogue()["one-share-add"].__class__("none", "", (Flaw(),), "2.6", "", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("utils.judge.killing.hidden", lambda: dict.fromkeys(LETTERS, right))
        with pytest.raises(Broken, match="nothing shows here"):
            shown_by(answers, "D")


def test_table_shows_in_the_message_of_its_exercise_only():
    report = judge(TOPIC, TOPIC.shipped, only=["2.5", "2.6"], answers={"2.6": ANSWER, "2.5": None})
    assert "box says" in report.text("2.6") and "box says" in report.html("2.6")
    assert "box says" not in report.text("2.5") + report.html("2.5")
