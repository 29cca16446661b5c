"""The drills: right numbers, told slips, answers of any type, credit carried forward, and the form."""

from __future__ import annotations

import copy
import math
import re
import sys

import mpmath
import numpy as np
import pytest

from utils.curriculum import topic
from utils.drill_bank import APART
from utils.drill_bank import box as make_box
from utils.drills import GRADED_SEED, NO_FORM, drill_form, judge_box, planted_bug, problem
from utils.judge.promises import collect

DRILLS = ("R1", "R2", "R3", "R4")
SEEDS = range(201)
TOPIC = topic("02")


@pytest.fixture(autouse=True)
def _in_the_topics_folder(monkeypatch):
    """As in a notebook: the folder says whose drills are meant."""
    monkeypatch.chdir(TOPIC.shipped)


def right(drill):
    return {name: box.expected for name, box in drill.boxes.items()}


# Expected numbers, from the text that a learner reads and from nothing else

def formula(text, start):
    """The Python function of the formula that stands after `start` in a drill's text; its names are x, u, v."""
    source = text.split(start, 1)[1].split("$")[0].replace(r"\,", "*").replace(r"\mathrm{relu}(x)", "*max(0, x)")
    source = re.sub(r"(?<=\d)\*?(?=[xuv*])", "*", source.replace("^", "**")).replace("**max", "*max")
    return eval(f"lambda x=0, u=0, v=0: {source}", {"max": max})


def point(text, name="x"):
    return mpmath.mpf(re.search(rf"\${name} = (-?[\d.]+)\$", text)[1])


def recomputed_r1(text):
    x, old, new = re.search(r"f'\((.*?)\)", text)[1], *re.search(r"from \$(.*?)\$ to \$(.*?)\$", text).groups()
    slope = mpmath.mpf(re.search(r"k'\(.*?\) = (-?\d+)", text)[1])
    b = point(text, "b")
    return {"df_dx": mpmath.diff(formula(text, "$f(x) = "), mpmath.mpf(x)),
            "dg_db": mpmath.diff(lambda moved: point(text, "a") * moved, b),
            "change": slope * (mpmath.mpf(new) - mpmath.mpf(old))}


def recomputed_r2(text):
    u, f, x = formula(text, "First $u = "), formula(text, "then $f = "), point(text)
    return {"du_dx": mpmath.diff(u, x), "df_du": mpmath.diff(lambda moved: f(u=moved), u(x)),
            "df_dx": mpmath.diff(lambda moved: f(u=u(moved)), x)}


def recomputed_r3(text):
    u, v, f, x = formula(text, "$u = "), formula(text, "$v = "), formula(text, "Then $f = "), point(text)
    return {"via_u": mpmath.diff(lambda moved: f(u=u(moved), v=v(x)), x),
            "via_v": mpmath.diff(lambda moved: f(u=u(x), v=v(moved)), x),
            "df_dx": mpmath.diff(lambda moved: f(u=u(moved), v=v(moved)), x)}


def recomputed_r4(text):
    f, k, x, h = formula(text, "Take $f(x) = "), formula(text, "$k(x) = "), point(text), point(text, "h")
    central = (f(x + h) - f(x - h)) / (2 * h)
    return {"central": central, "error": central - mpmath.diff(f, x), "kink": (k(h) - k(-h)) / (2 * h)}


@pytest.mark.parametrize("drill_id", DRILLS)
def test_expected_numbers_follow_from_the_text(drill_id):
    recomputed = globals()[f"recomputed_{drill_id.lower()}"]
    for seed in SEEDS:
        drill = problem(drill_id, seed)
        numbers = recomputed(drill.text)
        assert right(drill) == pytest.approx({name: float(n) for name, n in numbers.items()}, rel=1e-9), seed


def test_recomputing_notices_a_wrong_text():
    drill = problem("R2")
    text = re.sub(r"\$x = (-?\d+)\$", lambda found: f"$x = {int(found[1]) + 1}$", drill.text)
    assert right(drill) != pytest.approx({name: float(n) for name, n in recomputed_r2(text).items()})


# Drawing

@pytest.mark.parametrize("drill_id", DRILLS)
def test_a_drill_has_three_told_boxes_with_friendly_numbers(drill_id):
    for seed in SEEDS:
        drill = problem(drill_id, seed)
        assert len(drill.boxes) == 3
        for name, box in drill.boxes.items():
            assert f"`{name}`" in drill.text
            assert 0 < abs(box.expected) <= 120
            assert round(box.expected, 2) == pytest.approx(box.expected)
            assert len({sentence for _, sentence in box.slips}) == len(box.slips) >= 3
            values = [box.expected, *(value for value, _ in box.slips)]
            for i, one in enumerate(values):
                for other in values[:i]:
                    assert abs(one - other) > APART * max(abs(one), abs(other)), (drill_id, seed, name)


def test_a_slip_that_cannot_be_told_is_dropped_and_an_untellable_box_is_drawn_again():
    slips = [(3.0, "one"), (4.0, "two"), (4.01, "close to two"), (2.001, "close to the right one")]
    assert [sentence for _, sentence in make_box("x", 2.0, slips).slips][:2] == ["one", "two"]
    assert len(make_box("x", 2.0, slips).slips) == 3       # the sign is the third
    assert make_box("x", 3.001, slips) is None             # the most usual slip would count as right
    assert make_box("x", 0.0, slips) is None


def test_a_seed_gives_one_problem_and_seeds_differ():
    assert problem("R3", 7).text == problem("R3", 7).text
    assert problem("R3").seed == GRADED_SEED
    assert len({problem("R3", seed).text for seed in SEEDS}) > 100


def test_an_unknown_drill_or_seed_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="R1, R2, R3, R4"):
        problem("R9")
    with pytest.raises(TypeError, match="whole number"):
        problem("R1", "abc")


def test_without_a_topic_the_folder_says_whose_drills_are_meant(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert problem("R1", topic="02").topic == problem("R1", topic=TOPIC.slug).topic == "02"
    with pytest.raises(ValueError, match="name the topic"):
        problem("R1")


def test_a_problem_shows_its_text_and_never_its_answers():
    drill = problem("R4")
    assert repr(drill) == drill._repr_markdown_() == drill.text
    assert "12.64" not in repr(drill) + repr(drill.boxes)
    assert right(drill)["central"] == pytest.approx(12.64)      # the number that the line above looks for


# Judging

@pytest.mark.parametrize("drill_id", DRILLS)
def test_right_numbers_pass_and_every_slip_fails_with_its_own_sentence(drill_id):
    for seed in (GRADED_SEED, 0, 1, 2):
        drill = problem(drill_id, seed)
        for name, box in drill.boxes.items():
            assert judge_box(drill, right(drill), name)[0] == "passed"
            assert judge_box(drill, right(drill) | {name: box.expected * 1.0005}, name)[0] == "passed"
            assert judge_box(drill, right(drill) | {name: box.expected * 1.002}, name)[0] == "failed"
            for value, sentence in box.slips:
                status, _, yours, said = judge_box(drill, {name: value}, name)
                assert (status, said, yours) == ("failed", sentence, f"{value:.6g}")


@pytest.mark.parametrize(("box", "wrong", "says"), [
    ("du_dx", lambda r: -r["du_dx"], "sign"),
    ("df_dx", lambda r: r["du_dx"] + r["df_du"], "added"),
    ("df_dx", lambda r: r["du_dx"], "upstream"),
    ("df_dx", lambda r: r["df_du"], "local derivative du/dx is missing"),
    ("df_du", lambda r: r["df_du"] / 2, "come down as a factor"),
])
def test_the_usual_slips_of_a_chain_are_named(box, wrong, says):
    numbers = right(problem("R2"))      # f = u**2
    assert says in judge_box(problem("R2"), {box: wrong(numbers)}, box)[3]


@pytest.mark.parametrize(("value", "says"), [
    ("4.0", "'4.0'"), (True, "True"), (math.nan, "nan"), (-math.inf, "-inf"), ([4.0], "type list"),
    ({"a": 1}, "type dict"), (4 + 0j, "type complex"), (10**400, "too large"), (10**5000, "too large"),
    (np.array([1.0, 2.0]), "type ndarray"), ("x" * 10**6, "'xxx"), (object(), "type object"), (np.True_, "type bool"),
], ids=lambda value: None if isinstance(value, str) and len(value) < 20 else type(value).__name__)
def test_what_is_no_number_fails_with_a_sentence_that_says_so(value, says):
    status, expected, yours, sentence = judge_box(problem("R1"), {"df_dx": value}, "df_dx")
    assert (status, expected) == ("failed", None)
    assert sentence.startswith("Expected one plain number")
    assert says in sentence
    assert len(sentence) < 200
    assert says in yours


@pytest.mark.parametrize("number", [int, float, np.float64, np.int64, np.float32])
def test_every_kind_of_number_is_taken(number):
    assert judge_box(problem("R1"), {"df_dx": number(right(problem("R1"))["df_dx"])}, "df_dx")[0] == "passed"


@pytest.mark.parametrize("answers", [None, {"df_dx": None}])
def test_what_is_empty_is_not_written(answers):
    assert judge_box(problem("R1"), answers, "df_dx")[0] == "not-written"


@pytest.mark.parametrize("answers", [[23.0], 23.0, "23", {}, {"dfdx": 23.0}, {("df", "dx"): 23.0, None: 1}])
def test_a_missing_box_or_no_dict_fails_and_says_what_is_expected(answers):
    status, _, _, sentence = judge_box(problem("R1"), answers, "df_dx")
    assert status == "failed"
    assert "df_dx" in sentence


def test_judging_changes_nothing():
    answers = {"du_dx": 5, "df_du": "x", "df_dx": [1]}
    before = copy.deepcopy(answers)
    assert len({judge_box(problem("R2"), answers, "df_dx") for _ in range(3)}) == 1
    assert answers == before


# Errors carried forward

def test_a_box_that_follows_from_a_wrong_earlier_one_keeps_its_credit():
    chain = problem("R2")
    answers = {"du_dx": 5.0, "df_du": chain.boxes["df_du"].expected}
    answers["df_dx"] = answers["du_dx"] * answers["df_du"]
    assert judge_box(chain, answers, "du_dx")[0] == "failed"
    assert judge_box(chain, answers, "df_dx")[::3] == (
        "passed", "Follows from your earlier numbers: this step is right.")
    assert judge_box(chain, {"via_u": 7, "via_v": 4, "df_dx": 11}, "df_dx")[0] == "failed"     # another drill's boxes
    assert judge_box(problem("R3"), {"via_u": 7, "via_v": 4, "df_dx": 11}, "df_dx")[0] == "passed"
    assert judge_box(problem("R4"), {"central": 13.5, "error": 1.5}, "error")[0] == "passed"   # 4x^3 at 1: exact 12


@pytest.mark.parametrize("answers", [
    {"du_dx": 5, "df_du": 3, "df_dx": 8},               # added, not multiplied
    {"du_dx": 0, "df_du": 0, "df_dx": 0},               # 0 would follow from anything
    {"du_dx": 1, "df_du": 1, "df_dx": 1},
    {"du_dx": "5", "df_du": 3, "df_dx": 15},            # the earlier box is no number
    {"df_du": 3, "df_dx": 15},
    {"du_dx": 1e200, "df_du": 1e200, "df_dx": 1e300},
])
def test_nothing_is_carried_from_numbers_that_do_not_show_the_step(answers):
    assert judge_box(problem("R2"), answers, "df_dx")[0] == "failed"


# What is shown

def test_the_graded_drill_keeps_its_numbers_and_practice_shows_them():
    for seed in SEEDS:
        for drill in (problem(drill_id, seed) for drill_id in DRILLS):
            for name, box in drill.boxes.items():
                wrong = [value for value, _ in box.slips] + [98765.4, "text", None]
                for value in wrong:
                    status, expected, _, sentence = judge_box(drill, {name: value}, name)
                    shown = f"{box.expected:.6g}"
                    if status == "failed":
                        assert expected == (None if seed == GRADED_SEED else shown)
                    if abs(box.expected) > 2:           # a sentence may speak of x^2
                        numbers = re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", sentence.replace(box.label, ""))
                        assert shown not in numbers, (drill.id, seed, name, sentence)
    assert judge_box(problem("R1"), {"df_dx": 0}, "df_dx", reveal=True)[1] == "23"
    assert judge_box(problem("R1", 5), {"df_dx": 0}, "df_dx", reveal=False)[1] is None


# The form

def test_the_form_judges_each_box_and_writes_the_line_for_the_answer_cell():
    form = drill_form("R2")
    numbers = right(problem("R2"))
    assert form.problem is not None
    assert all(note.value.endswith("></div>") for note in form.notes.values())
    form.fields["du_dx"].value = f" {numbers['du_dx']} "
    form.fields["df_du"].value = "<b>"
    form.fields["df_dx"].value = str(numbers["du_dx"] + numbers["df_du"])
    assert "Right." in form.notes["du_dx"].value
    assert "Not yet." in form.notes["df_du"].value
    assert "<b>" not in form.notes["df_du"].value
    assert "You added" in form.notes["df_dx"].value
    assert problem("R2").line({"du_dx": -6.0, "df_dx": 8.0}).replace('"', "&quot;") in form.line.value
    form.fields["df_dx"].value = "inf"
    assert "inf" not in form.line.value


def test_another_problem_is_for_practice_and_going_back_loses_nothing():
    form = drill_form("R1")
    form.fields["df_dx"].value = "23"
    form.another.click()
    practice = problem("R1", GRADED_SEED + 1)
    assert practice.text in form.text.outputs[0]["data"]["text/markdown"]
    assert form.fields["df_dx"].value == form.line.value == ""
    form.fields["df_dx"].value = "98765"
    assert f"Expected: {practice.boxes['df_dx'].expected:g}." in form.notes["df_dx"].value
    form.back.click()
    assert (form.fields["df_dx"].value, form.text.outputs) == ("23", ())
    form.fields["df_dx"].value = "98765"
    assert "Expected:" not in form.notes["df_dx"].value


def test_a_form_of_a_practice_seed_shows_its_own_text():
    assert problem("R4", 3).text in drill_form("R4", 3).text.outputs[0]["data"]["text/markdown"]


def test_without_widgets_the_form_is_a_sentence(monkeypatch):
    assert drill_form("R1")._repr_mimebundle_().keys() > {"text/plain"}
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert drill_form("R1")._repr_mimebundle_() == {"text/plain": NO_FORM}


# The notebook and the promises

def test_the_maths_notebook_starts_unwritten_and_its_reference_answers_are_right():
    source = (TOPIC.solutions / "math-refresh.py").read_text(encoding="utf-8")
    for drill in map(problem, DRILLS):
        cell = source.split(f'# %% answer="{drill.id}"\n')[1].split("# %%")[0]
        start, solution = cell.split("### BEGIN SOLUTION")
        names = {}
        exec(start, names)
        assert start.startswith(drill.line())
        assert {judge_box(drill, names[f"answer_{drill.id}"], name)[0] for name in drill.boxes} == {"not-written"}
        exec(solution, names)
        assert {judge_box(drill, names[f"answer_{drill.id}"], name)[0] for name in drill.boxes} == {"passed"}


def test_every_box_is_one_promise():
    for drill in (*map(problem, DRILLS), planted_bug()):
        assert [p.box for p in collect(TOPIC) if p.exercise == drill.id] == list(drill.boxes)
