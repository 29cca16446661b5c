"""The catalogue: every wrong engine is caught and rightly named, no right one and no unknown flaw gets a name."""

from __future__ import annotations

import math

import pytest

from tests.engines import REFERENCE, TOPIC, changed, written
from tests.test_judge_verdicts import MUTANTS
from tests.wrong_bases import BASES
from tests.wrong_engines import WRONG
from tests.wrong_slips import SLIPS
from utils.judge import catalogue_page
from utils.judge import engine as engine_module
from utils.judge.catalogues import says
from utils.judge.core import judge
from utils.judge.flawed import MICROGRAD, REFLECTED, Flaw, Style, Unsupported
from utils.judge.misconceptions import HIDING, catalogue, sections
from utils.judge.oracle import truth
from utils.judge.probes import probes
from utils.judge.recipes import style_of
from utils.judge.session import Limits
from utils.judge.simulation import simulate

MODULES = [e.id for n in (1, 2) for e in TOPIC.level(n).exercises if e.kind == "module"]
UNNAMED: set[str] = set()       # wrong engines that are caught and get no name; never more than 5 in 100


@pytest.fixture(autouse=True)
def short_limits(monkeypatch):
    """Half a second of computing is plenty for level 1 and 2, and keeps engines without an end quick."""
    monkeypatch.setattr(engine_module, "HASTY", Limits(cpu=0.5, wall=10.0))
    monkeypatch.setattr(engine_module, "MANY_LIMITS_HIT", 0)


def parts(ids) -> set[str]:
    return {part for id in ids for part in id.split("+")}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_engine_is_caught_and_rightly_named(name, tmp_path):
    engine = WRONG[name]
    report = judge(TOPIC, tmp_path, file=written(tmp_path, engine.source), only=[*MODULES, *engine.also])
    broken = [v for v in report.verdicts if v.status != "passed"]
    assert broken, "every promise was kept"
    names = {v.misconception for v in broken if v.misconception}
    assert parts(names) <= parts(engine.ids), f"named {names}"
    if engine.ids and name not in UNNAMED:
        assert all(v.misconception for v in broken if v.status != "not-written"), report.text()
        assert any(set(id.split("+")) <= parts(names) for id in engine.ids), f"only named {names}"
    if engine.note:
        assert any(engine.note in note for note in report.notes), report.notes


def test_no_more_than_a_twentieth_may_stay_unnamed():
    assert len(UNNAMED) <= len(WRONG) / 20 and set(WRONG) >= UNNAMED


def test_the_wrong_engines_cover_the_catalogue():
    """Each entry, or where there is one for each operation, each kind, has a wrong engine written for it."""
    met = parts(id for engine in WRONG.values() for id in engine.ids)
    assert met <= set(catalogue())
    for title in ("The walk", "Several operations at once"):
        assert {e.id for e in sections()[title]} - {"one-share-everywhere", "drops-upstream-everywhere"} <= met
    operations = {*EXPLICIT_STYLE.recipes, "left", "right"}
    for title in ("The rule of one operation", "One of two inputs"):
        kinds = {kind(e.id, operations) for e in sections()[title]}
        assert kinds - {kind(id, operations) for id in met} <= {"negates"}
    assert sum("+" in id for engine in WRONG.values() for id in engine.ids[:1]) >= 5


def kind(id: str, operations: set[str]) -> str:
    return "-".join(word for word in id.split("-") if word not in operations)


@pytest.mark.parametrize("base", BASES)
def test_right_engine_gets_no_name_and_no_note(base, tmp_path):
    report = judge(TOPIC, tmp_path, file=written(tmp_path, BASES[base]), only=MODULES)
    assert report.kept and not report.notes and not any(v.misconception for v in report.verdicts)


# Mutants of the model answer that no entry describes.
UNKNOWN = ("test_numbers_on_either_side", "test_computing_changes_no_input", "test_gradient_at_zero",
           "test_gradients_set_to_zero_start_again", "test_long_arm_and_short_arm", "test_node_used_at_three_depths",
           "test_node_used_a_hundred_times", "test_difference_with_a_number", "test_value_minus_itself",
           "test_power_of_a_negative_or_zero_base", "test_power_with_a_fraction_or_negative_exponent")


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("together", [True, False])
def test_unknown_flaw_gets_no_name(name, together, tmp_path):
    """Neither when all is judged, nor when the exercises are judged one by one and so with less evidence."""
    file = written(tmp_path, changed(MUTANTS[name]))
    for only in [MODULES] if together else [[id] for id in MODULES]:
        report = judge(TOPIC, tmp_path, file=file, only=only)
        assert {v.misconception for v in report.verdicts} == {None}, (only, report.text())


@pytest.mark.parametrize(("name", "exercise", "id"), [
    ("reference: = in +", "1.5", "overwrites-add"), ("reference: = in exp", "2.3", "overwrites-exp"),
    ("explicit: 2 - a turned", "2.1", "rsub-turned"), ("tape: tanh of nodes", "2.4", "tanh-overflows"),
    ("reference: before its parents", "1.4", "depth-first-order"),
    ("stored: each share down every path", "1.5", "every-path")])
def test_one_exercise_is_evidence_enough(name, exercise, id, tmp_path):
    """Where its own programs leave two entries open, more programs are run."""
    report = judge(TOPIC, tmp_path, file=written(tmp_path, WRONG[name].source), only=[exercise])
    assert {v.misconception for v in report.verdicts if v.status != "passed"} == {id}


def test_each_promise_is_named_for_what_shows_in_it(tmp_path):
    source = WRONG["dispatch: relu overwrites, tanh drops upstream"].source
    report = judge(TOPIC, tmp_path, file=written(tmp_path, source), only=["2.3"])
    assert {v.name: v.misconception for v in report.verdicts if v.misconception} == {
        "test_relu_reused": "overwrites-relu", "test_tanh": "drops-upstream-tanh",
        "test_tanh_reused": "drops-upstream-tanh"}


def test_a_half_written_exercise_gets_no_name(tmp_path):
    source = changed(("        return (-self) + other\n", "        raise NotImplementedError\n"),
                     ("        return self * -1.0\n", "        return self * 1.0\n"))
    report = judge(TOPIC, tmp_path, file=written(tmp_path, source), only=["2.1"])
    assert {v.status for v in report.verdicts} >= {"failed", "not-written"}
    assert {v.misconception for v in report.verdicts} == {None}


@pytest.mark.parametrize("name", SLIPS)
def test_slip_of_no_entry_is_caught_by_its_exercise_and_gets_no_name(name, tmp_path):
    """By what every seed asks: the numbers that the promises are written with. And a short program shows it.

    Judged by itself there is least evidence against a name; every fourth is judged with all the others, too.
    """
    exercise, source = SLIPS[name]
    file = written(tmp_path, source)
    for only in ([exercise], MODULES)[:1 + (list(SLIPS).index(name) % 4 == 0)]:
        report = judge(TOPIC, tmp_path, file=file, only=only)
        shown = [v.program for v in report.verdicts if v.status == "failed" and v.exercise == exercise]
        assert shown and min(len(program.splitlines()) for program in shown) <= 7, report.text()
        assert {v.misconception for v in report.verdicts} == {None}, (only, report.text())


@pytest.mark.parametrize("name", [name for name in SLIPS if " + 1e-1" in name or "padded" in name])
def test_small_number_added_to_be_safe_shows_in_programs_too(name, tmp_path):
    """Whatever is drawn: 3.1 looks where the operation is steep, too."""
    report = judge(TOPIC, tmp_path, file=written(tmp_path, SLIPS[name][1]), only=["3.1"])
    broken = {v.name for v in report.verdicts if v.status != "passed"}
    assert broken >= {"test_generated_programs", "test_generated_long_programs"}


def test_report_tells_the_sentence_once(tmp_path):
    report = judge(TOPIC, tmp_path, file=written(tmp_path, WRONG["reference: = in exp"].source), only=["2.3"])
    sentence = says("overwrites-exp")
    assert " ".join(report.text().split()).count(sentence) == 1
    assert report.html().count("What this looks like") == 1
    assert sentence not in report.to_json() and "overwrites-exp" in report.to_json()


def test_ids_are_told_apart_and_unknown_ones_have_no_sentence():
    assert says("rsub-turned+overwrites-exp") == f"{says('rsub-turned')} And: {says('overwrites-exp')}"
    assert says("no-such-id") is None and says("rsub-turned+no-such-id") is None
    sentences = [e.says for e in catalogue().values()]
    assert len(sentences) == len(set(sentences)) == sum(map(len, sections().values()))


def test_entries_point_to_exercises_with_hints():
    for entry in catalogue().values():
        assert TOPIC.exercise(entry.exercise).hint, entry.id
    assert {id for pair in HIDING for id in pair} <= set(catalogue())


# ---- the wrong engines of the judge itself

EXPLICIT_STYLE = style_of(BASES["explicit"])


@pytest.mark.parametrize("style", [Style(), Style(MICROGRAD), Style(order="right"), Style(order="tape"),
                                   Style(order="any 1"), Style(distinct=True), EXPLICIT_STYLE])
def test_engine_without_a_flaw_is_right(style):
    for program in probes():
        result, expected = simulate(program.script(), Flaw(), style), truth(program)
        assert result.kind is None
        for mine, other in zip(result.reports, (expected.value, *expected.grads.values()), strict=True):
            assert math.isclose(mine, other, rel_tol=1e-9, abs_tol=1e-9), program.code()


def outcomes(flaw: Flaw) -> tuple:
    own = Style(dict.fromkeys(flaw.concerns & set(REFLECTED)))
    found = []
    for program in probes():
        try:
            result = simulate(program.script(), flaw, own)
            found.append((*(round(x, 9) for x in result.reports if x == x), result.kind, result.detail, result.step))
        except Unsupported:
            found.append(None)
    return tuple(found)


def test_entries_that_behave_alike_have_one_cure_or_a_fact():
    """Else diagnosis could never choose between them, and would name neither."""
    seen: dict[tuple, list] = {}
    for entry in catalogue().values():
        if entry.id != "updates-in-backward":       # no single program shows it
            seen.setdefault(outcomes(entry.flaws[0]), []).append(entry)
    for alike in seen.values():
        assert len({entry.family for entry in alike if entry.fact is None}) <= 1, [entry.id for entry in alike]


# ---- the page

def test_page_is_the_same_every_time_and_names_every_id():
    page = catalogue_page.page()
    assert page == catalogue_page.page()
    for entry in catalogue().values():
        assert f"| `{entry.id}` | " in page and entry.says in page


def test_committed_page_is_the_generated_one():
    for path, content in catalogue_page.files().items():
        assert path.read_bytes() == content, f"{path.name} is stale: run `python3 course.py build`"


@pytest.mark.parametrize("id", ["overwrites-add", "rsub-turned", "depth-first-order", "tanh-overflows"])
def test_smallest_program_shows_the_flaw(id):
    program, quantity, yours, right = catalogue_page.smallest(catalogue()[id])
    assert program.endswith("out.backward()") and yours != right
    assert quantity or yours == "OverflowError"


# ---- how an engine is written

@pytest.mark.parametrize(("method", "recipe"), [
    ("def __sub__(self, other): return self + (-other)", ("add", "self", ("neg", "other"))),
    ("def __sub__(self, b):\n        b = b if isinstance(b, Value) else Value(b)\n        return self + b * -1",
     ("add", "self", ("mul", ("value", "other"), -1))),
    ("def __rsub__(self, other): return Value(other) - self", ("sub", ("value", "other"), "self")),
    ("__radd__ = __add__", ("add", "self", "other")),
    ("def sigmoid(self): return (self * 0.5).tanh() * 0.5 + 0.5",
     ("add", ("mul", ("tanh", ("mul", "self", 0.5)), 0.5), 0.5)),
    ("def __neg__(self): return Value(-self.data, (self,))", None)])
def test_recipe_is_read(method, recipe):
    name = next(n for n in ("sub", "rsub", "radd", "sigmoid", "neg") if f"{n}(" in method or f"__{n}__" in method)
    name = "rsub" if "__rsub__" in method else name
    assert style_of(f"class Value:\n    {method}\n").recipes[name] == recipe


@pytest.mark.parametrize("method", ["def __rsub__(self, other): return self - other",
                                    "def sigmoid(self): return 1 / (1 + (-self).exp())",
                                    "def tanh(self): return ((2 * self).exp() - 1) / ((2 * self).exp() + 1)"])
def test_recipe_that_is_not_right_everywhere_is_left_out(method):
    assert not style_of(f"class Value:\n    {method}\n").recipes


@pytest.mark.parametrize("source", ["", "class Value\n", "x = 1\n", "class Value:\n    pass\n", "\0"])
def test_source_without_recipes_has_the_usual_style(source):
    assert style_of(source) == style_of("") or not style_of(source).recipes


def test_methods_that_take_long_to_follow_through_each_other_are_taken_as_they_are():
    methods = {"__truediv__(self, other): return self * other**-1": " - 0" * 60,
               "__sub__(self, other): return self + -other": " + 0" * 60}
    source = "class Value:\n" + "".join(f"    def {method}{tail}\n" for method, tail in methods.items())
    assert set(style_of(source).recipes.values()) == {None}
    assert None not in style_of(source.replace(" - 0", "", 59)).recipes.values()


def test_style_of_the_model_answer():
    recipes = style_of(REFERENCE).recipes
    assert {name: recipes[name] for name in MICROGRAD} == MICROGRAD
