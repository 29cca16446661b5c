"""The failing program of a message as a picture: right numbers, the wrong one marked; none where none helps."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest

from tests.engines import TOPIC, written
from tests.wrong_engines import WRONG
from utils.judge.core import judge
from utils.judge.expression import parse
from utils.judge.oracle import everywhere, truth
from utils.judge.picture import MOST_NODES, as_trace, picture
from utils.judge.probes import probes
from utils.judge.report import Verdict
from utils.judge.show import WORDS

SUM = "a = Value(2.0)\nb = Value(3.0)\nt1 = a * b\nout = t1 + t1\nout.backward()"
FAILED = Verdict("p", "says", "1.3", "failed", 0, 1, program=SUM, quantity="a.grad", yours="3", expected="6")


def words(html: str) -> list[str]:
    """The texts in the picture."""
    svg = base64.b64decode(re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)[1]).decode()
    return [text.strip() for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def test_wrong_number_stands_beside_the_right_one():
    found = words(picture(FAILED))
    assert {"a", "b", "t1", "out", "×", "+"} <= set(found)
    assert found[found.index("✗ 3") - 1] == "grad, yours"
    assert found[found.index("expected") + 1] == "6.0"
    assert found.count("✗ 3") == 1 and "12.0" in found and "These numbers are right" in " ".join(found)


def test_wrong_value_is_marked_at_the_result():
    found = words(picture(replace(FAILED, quantity="out.data", yours="7", expected="12")))
    assert found[found.index("✗ 7") - 1] == "data, yours" and found[found.index("expected") + 1] == "12.0"


def test_picture_is_told_in_words_and_is_the_same_every_time():
    html = picture(FAILED)
    assert 'alt="The graph of this program. Wrong in it: a.grad, yours 3, expected 6.0."' in html
    picture.__globals__["_picture"].cache_clear()
    assert picture(FAILED) == html


@pytest.mark.parametrize("yours", ["nothing", "<script>alert(1)</script>", "\\N", "x" * 500, "nan", '"'])
def test_whatever_stood_there_is_shown_as_text(yours):
    html = picture(replace(FAILED, yours=yours))
    assert "<script" not in html and "<script" not in "".join(words(html))
    assert any(word.startswith("✗") and len(word) < 100 for word in words(html))


@pytest.mark.parametrize("change", [
    {"status": "passed"}, {"status": "timeout"}, {"program": None}, {"quantity": None}, {"yours": None},
    {"quantity": "z.grad"}, {"quantity": "answer_R2['x']"}, {"quantity": "model.parameters()"},
    {"program": "for _ in range(3):\n    a = a + a"}, {"program": SUM.replace("a * b", "a / 0")},
    {"program": "a = Value(2.0)\nout = a" + " + a" * MOST_NODES}])
def test_no_picture_where_there_is_none_to_draw(change):
    assert picture(replace(FAILED, **change)) == ""


def test_numbers_of_the_picture_are_the_oracle_s():
    for program in (p for p in probes() if len(p.lines) < MOST_NODES and p.code()):
        all_of_it, expected = everywhere(program), truth(program)
        assert all_of_it[program.root] == (expected.value, 1.0)
        assert [grad for _, grad in all_of_it[:len(program.leaves)]] == list(expected.grads.values())
        assert len(as_trace(program, {}).nodes) == len(all_of_it)


def test_gradient_of_an_inner_node_is_that_of_a_leaf_in_its_place():
    inner = everywhere(parse(SUM)[0])[2]
    assert inner == (6.0, truth(parse("t1 = 6; t1 + t1")[0]).grads["t1"])


@pytest.mark.parametrize(("name", "exercise"), [("reference: = in exp", "2.3"), ("explicit: 2 - a turned", "2.1")])
def test_message_of_a_check_draws_its_program_in_notebooks_only(name, exercise, tmp_path):
    report = judge(TOPIC, tmp_path, file=written(tmp_path, WRONG[name].source), only=[exercise])
    failed = next(v for v in report.verdicts if v.status == "failed")
    assert report.html(exercise).count("<img") == 1 and f"✗ {failed.yours}" in words(report.html(exercise))
    assert WORDS["failed"] in report.text(exercise) and "img" not in report.text(exercise) + report.to_json()


def test_picture_survives_the_sanitizer_of_feedback_pages():
    from utils.grading.plugin import SanitizeLearnerHTML

    kept = SanitizeLearnerHTML()._clean("text/html", f"<div>{picture(FAILED)}<script>alert(1)</script></div>")
    assert words(kept) == words(picture(FAILED)) and "Wrong in it: a.grad" in kept and "<script" not in kept
