"""Around the steps: inputs that move, measured slopes, folded neurons, the page, a check that fails."""

from __future__ import annotations

import itertools
import json
import re
import sys

import numpy as np
import pytest

from tests.engines import REFERENCE, TOPIC, changed, loaded, written
from tests.test_stepper import ONE_LINE_WRONG, named, odd, river, texts
from utils.autograd_stub import Value
from utils.bench.stepping import graph
from utils.graph_trace import RULES, trace, traced
from utils.judge.client import judge_folder
from utils.step_failure import rebuild
from utils.step_replay import Program, from_graph
from utils.step_trace import gradients
from utils.stepper import module, step


def test_moved_inputs_are_answered_by_the_learners_code(tmp_path):
    stepper = step(river(loaded(REFERENCE, tmp_path).Value))
    stepper._asked(stepper, {"numbers": [-1.0, 3.0]}, [])
    assert [node["data"] for node in stepper.trace["nodes"]] == ["-1.0", "3.0", "2.0", "-2.0"]
    assert [node["name"] for node in stepper.trace["nodes"]] == ["x", "y", "a", "z"]
    assert texts(stepper)[-2:] == ["x.grad: was 2.0, add 1.0 × (-1.0) = -1.0, now 1.0",
                                   "y.grad: was 0.0, add 1.0 × (-1.0) = -1.0, now -1.0"]
    for nonsense in ({}, {"numbers": [1.0]}, {"numbers": ["a", 2]}, "no"):
        before = stepper.trace
        stepper._asked(stepper, nonsense, [])
        assert stepper.trace is before


def test_inputs_moved_back_to_where_they_were_are_answered_too(monkeypatch):
    stepper, told = step(lambda a: a * 2.0, Value(2.0)), []
    monkeypatch.setattr(stepper, "send", told.append)
    stepper._asked(stepper, {"numbers": [2.0]}, [])
    assert told == [{"trouble": ""}]


def test_inputs_at_which_the_learners_code_raises_are_told_to_the_page(monkeypatch):
    stepper, told = step(lambda a: a.log(), Value(2.0)), []
    monkeypatch.setattr(stepper, "send", told.append)
    before = stepper.trace
    stepper._asked(stepper, {"numbers": [-1.0]}, [])
    assert "raised ValueError for these inputs" in told[0]["trouble"]
    assert stepper.trace is before


@pytest.mark.parametrize(("op", "inputs"), RULES)
def test_every_known_operation_can_be_repeated_if_the_engine_has_it(op, inputs):
    a, b = Value(1.3), Value(0.7)
    word = {"+": a + b, "-": a - b if inputs == 2 else -a, "*": a * b, "/": a / b, "**": a**3}.get(op)
    root = word if word is not None else getattr(a, op)() if hasattr(a, op) else None
    if root is None:
        assert op in ("sqrt", "sin", "cos")
        return
    assert isinstance(from_graph(*traced(root)), Program)


def test_a_graph_that_cannot_be_repeated_has_no_sliders():
    unknown = odd(7.0, (odd(2.0), odd(3.0)), "magic", backward=lambda: None)
    assert step(unknown).trace["leaves"] == []
    disagrees = Value(2.0) * Value(3.0)
    disagrees.data = 7.0
    assert step(disagrees).trace["leaves"] == []
    assert len(step(Value(2.0) * Value(3.0)).trace["leaves"]) == 2


def test_measured_slopes_find_what_is_wrong(tmp_path):
    kind = loaded(changed(("slope = exponent *", "slope = -exponent *")), tmp_path).Value
    a, b = named(kind, a=3.0, b=2.0)
    found = step(a**2 * b).trace["measured"]
    assert {(one["text"], one["agrees"]) for one in found.values()} == {("12.0", False), ("9.0", True)}


def test_gradients_of_a_trace_are_those_of_calculus():
    assert gradients(trace(river(Value))) == [7.0, 2.0, 2.0, 1.0]
    unknown = odd(7.0, (x := odd(2.0), odd(3.0)), "magic")
    assert gradients(trace(odd(9.0, (unknown, x), "+")))[:2] == [None, None]


def network():
    rng = np.random.default_rng(5)
    x = named(Value, x1=1.0, x2=-2.0)
    inputs = list(x)
    for width in (3, 1):
        weights = [[Value(float(rng.uniform(-1, 1))) for _ in inputs] for _ in range(width)]
        inputs = [sum((w * i for w, i in zip(row, inputs, strict=True)), Value(0.0)).tanh() for row in weights]
    return (inputs[0] - 1.0) ** 2


def test_inputs_with_a_name_are_told_first():
    assert step(network()).trace["steps"][0]["text"].startswith("The inputs are given: x1 = 1.0, x2 = -2.0, v")


def test_neurons_fold_into_one_card_each():
    data = step(network()).trace
    flat, folded = data["views"]
    assert sorted(folded["names"].values()) == ["neuron 1", "neuron 2", "neuron 3", "neuron 4"]
    assert len(folded["cards"]) < len(flat["cards"]) / 3
    home = folded["home"]
    inside = [k for k, edge in enumerate(data["edges"]) if home[edge["source"]] == home[edge["target"]]]
    assert inside == [k for k, line in enumerate(folded["edges"]) if line is None]
    assert all(line is not None for line in flat["edges"])
    names = [data["nodes"][card]["name"] for card in folded["cards"]]
    assert "x1" in names and "x2" in names


@pytest.mark.parametrize("program", [True, False], ids=["graphviz", "plain columns"])
def test_cards_lie_inside_the_picture_and_not_on_each_other(program, monkeypatch):
    if not program:
        monkeypatch.setattr("utils.visualization.find_program", lambda pure=False: None)
    for view in step(network()).trace["views"]:
        boxes = list(view["cards"].values())
        for x, y, w, h in boxes:
            assert x >= -1 and y >= -1 and x + w <= view["width"] + 1 and y + h <= view["height"] + 1
        for (x, y, w, h), (p, q, v, u) in itertools.combinations(boxes, 2):
            assert x + w <= p + 1 or p + v <= x + 1 or y + h <= q + 1 or q + u <= y + 1


def test_predict_mode_asks_for_what_calculus_says(tmp_path):
    kind = loaded(changed(ONE_LINE_WRONG["set"][0][0]), tmp_path).Value
    a, b = named(kind, a=3.0, b=2.0)
    stepper = step(a * b + a, predict=True)
    asked = [one["ask"] for one in stepper.trace["steps"] if one.get("ask")]
    assert stepper.predict and stepper.answers == []
    assert asked[-1] == {"question": "a.grad is 1.0. What will it be after the contribution from v1?", "answer": 3.0,
                         "shown": "3.0", "theirs": "2.0"}


def test_the_module_is_one_file_without_imports():
    assert not re.search(r"^(import|export (?!default))", module(), re.MULTILINE)
    assert module().count("export default") == 1


def test_outputs_repeat_and_hold_no_addresses():
    one, two = (step(network()) for _ in range(2))
    assert repr(one) == repr(two)
    assert one.fragment() == two.fragment()
    assert not re.search(r"0x[0-9a-f]{6,}|https?://(?!www\.w3\.org)", one.fragment())


def test_what_a_notebook_keeps_of_a_large_stepper_weighs_less_than_half_a_megabyte():
    """Twice that, while the picture was as Graphviz writes it, with every local derivative in a card of its own."""
    stepper = step(graph(198))
    assert len(stepper.run.trace.nodes) == 199
    assert len(json.dumps(stepper.fragment())) < 500_000


def test_a_page_survives_hostile_labels(tmp_path):
    x = Value(1.0, label="</script><!--<b>")
    page = step(x * x).page()
    assert page.count("</script>") == 1
    assert "<b>" not in page and "<!--" not in page.replace("<!DOCTYPE", "")


def test_save_writes_a_page_or_a_picture(tmp_path):
    stepper = step(river(Value))
    assert stepper.save(tmp_path / "z.html").read_text(encoding="utf-8") == stepper.page()
    assert "<svg" in stepper.save(tmp_path / "z.svg").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"try 'z\.html'"):
        stepper.save(tmp_path / "z.pdf")


def test_what_shows_without_a_kernel_is_the_picture_and_the_steps_in_words():
    bundle, _ = step(river(Value))._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}
    before = bundle["text/html"].partition("<style>")[0]
    assert "data:image/svg+xml;base64," in before
    assert "x.grad: was 5.0, add 1.0 × 2.0 = 2.0, now 7.0" in before


def test_a_feedback_page_is_given_the_picture_alone(monkeypatch):
    """Its sanitizer takes scripts away, and an output of more than 200,000 characters altogether."""
    monkeypatch.setenv("UPSTREAM_GRADING", "1")
    shown = step(graph(160))._repr_mimebundle_()[0]["text/html"]
    assert "<script" not in shown and "<style" not in shown
    assert "data:image/svg+xml;base64," in shown and "steps in words" in shown
    assert len(shown) < 200_000


def failing(folder, source, what):
    return judge_folder(TOPIC, written(folder, source).parent, only=[what])


def test_a_failing_check_opens_in_the_stepper(tmp_path, monkeypatch):
    report = failing(tmp_path, changed(("self.grad += other.data * out.grad", "self.grad = other.data * out.grad")),
                     "1.3")
    monkeypatch.chdir(tmp_path)
    assert 'step(check("1.3"))' in report.text() and 'step(check(&quot;1.3&quot;))' in report.html()
    stepper = step(report)
    assert stepper.wrong and "Set, not added" in stepper.wrong[0]
    assert "value" not in sys.modules
    written(tmp_path, REFERENCE)            # mended since: the engine as it is now
    assert step(report).wrong == []
    assert "From grads of zero, every step of this program is right" in step(report).run.notes[-1]
    written(tmp_path, "def broken(:")
    assert "building it raised SyntaxError" in repr(step(report))


def test_a_report_without_a_program_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "step(" not in failing(tmp_path, REFERENCE, "1.3").text()
    assert "Every promise of this check is kept" in repr(step(failing(tmp_path, REFERENCE, "1.3")))
    shipped = (TOPIC.shipped / TOPIC.module).read_text(encoding="utf-8")
    assert "names no program whose gradient is wrong" in repr(step(failing(tmp_path, shipped, "1.2")))


def test_a_program_whose_root_has_no_name_is_found(tmp_path):
    report = failing(tmp_path, changed(("self.grad += other.data * out.grad", "pass")), "1.2")
    verdict = next(v for v in report.verdicts if v.program)
    object.__setattr__(verdict, "program", "from value import Value\na = Value(2.0)\n(a * 3).backward()")
    root, names = rebuild(report, tmp_path)
    assert root.data == 6.0 and set(names) == {"Value", "a"}
