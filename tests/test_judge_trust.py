"""What a worker says is believed only so far: forged replies and sources made to hurt are verdicts, never a failure."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest

from tests.engines import TOPIC, changed, written
from utils.curriculum import ROOT, topic
from utils.judge import replies
from utils.judge.core import judge
from utils.judge.replies import NoReply, checked_error, checked_reports
from utils.judge.report import Report
from utils.judge.session import ORDINARY, Outcome, Session
from utils.judge.source import readable

END = "\ndef unused(a):\n    return "
SOURCES = {
    "deep signs": changed() + END + "-" * 3000 + "1\n",
    "deep sum": changed() + END + "+".join(["1"] * 5000) + "\n",
    "deep calls": changed() + END + "a" + "()" * 3000 + "\n",
    "deep lambdas": "x = " + "lambda: " * 3000 + "1\n",
    "many parentheses": "x = " + "(" * 100_000 + "1" + ")" * 100_000,
    "a null byte": "x = 1\0",
    "other encoding": "# -*- coding: nonsense -*-\n",
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_made_to_hurt_its_readers_is_judged(name, tmp_path):
    report = judge(TOPIC, tmp_path, file=written(tmp_path, SOURCES[name]), only=["1.2"])
    assert report.points()[0] == 0
    assert "cannot be loaded" in report.verdicts[0].detail


def test_only_sources_out_of_all_proportion_are_left_unread():
    assert readable(changed()) == changed()
    assert readable("no Python at all (") == "no Python at all ("
    for source in ("x = " + "-" * 200 + "1", "x = " + "-" * 100_000 + "1", "x = 1\n" * 40_000):
        assert readable(source) == ""


def test_a_long_source_is_judged_like_a_short_one(tmp_path):
    long = changed() + "\n" + "".join(f"def unused_{k}(a, b): return a + b\n" for k in range(20_000))
    assert judge(TOPIC, tmp_path, file=written(tmp_path, long), only=["1.2"]).kept


NEEDLESS = {
    "sums of sums": "    def relu(self):\n        x = self + self\n" + "        x = x + x\n" * 40 + "        return x\n",
    "powers of powers": "    def tanh(self): return Value(9)**9**9**9\n    def __neg__(self): return self * 9**9**9\n",
    "a class of classes": "    pass\n" + "\n".join(f"class A{k}(A{k + 1}): pass" for k in range(6000)) + "\nValue = A0\n",
    "attributes": "    def exp(self):\n" + "".join(f"        self.attribute{k} = self.attributa{k}\n" for k in range(4000)),
}
READ = """
import ast
import sys
from utils.judge.lint import notes
from utils.judge.recipes import style_of
source = sys.stdin.read()
ast.parse(source)       # nothing is read of one that is no Python
notes(source, ["NameError: name 'attributb1' is not defined"], stopped=True), style_of(source)
"""


@pytest.mark.parametrize("name", NEEDLESS)
def test_a_source_made_to_keep_its_readers_busy_is_read_at_once(name):
    """Each took over a minute: what doubles with each line, or is compared with all the rest."""
    source = "class Value:\n" + NEEDLESS[name]
    assert readable(source) == source
    done = subprocess.run([sys.executable, "-P", "-c", READ], input=source, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 0


ARRAY = {"array": "<f8", "shape": [2], "bytes": "AAAAAAAAAAAAAAAAAAAAAA=="}
ODD = [None, True, 0, 10**400, -(10**4000), 1.5, float("nan"), float("inf"), 1e308, "", "x" * 5000, "\ud800", [], {},
       [[[]]], {"absent": "grad"}, {"absent": [1]}, {"other": "A", "text": "t"}, {"other": None}, {"a": {"b": 1}}, ARRAY,
       ARRAY | {"array": "O"}, ARRAY | {"array": "<c16"}, ARRAY | {"shape": [-1]}, ARRAY | {"shape": [10**9, 10**9]},
       ARRAY | {"bytes": 3}, ARRAY | {"bytes": "%%"}, [1, 2, 3], [1.0, None]]


def forged(random: random.Random, steps: list) -> dict:
    """A reply that learner code could write in place of the worker's."""
    def value(depth: int = 0):
        nested = depth < 3 and random.random() < 0.25
        return [value(depth + 1) for _ in range(random.randrange(5))] if nested else random.choice(ODD)

    kinds = [*replies.SEEN_INSIDE, "invented"]
    error = None if random.random() < 0.6 else {name: value() for name in (*replies.LONGEST, "line", "step")} | {
        "kind": random.choice(kinds)}
    count = sum(step[0] in replies.REPORTING for step in steps)
    return json.loads(json.dumps({"reports": [value() for _ in range(count)], "error": error if steps else None}))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("number", ["02", "06"])
def test_forged_replies_are_verdicts(number, seed, tmp_path, monkeypatch):
    """Whatever the replies hold, there is a report that holds to its schema, and the promises are not kept."""
    chance = random.Random(seed)

    def run(self, steps, limits=ORDINARY):
        reply = forged(chance, steps)
        try:
            error = checked_error(reply["error"])
            return Outcome(checked_reports(reply["reports"], steps, error), error, 0.01)
        except NoReply as stop:
            return Outcome([], replies.error(stop.kind, stop.text))

    monkeypatch.setattr(Session, "run", run)
    where = topic(number)
    source = next(where.solutions.glob("level01*.py")).read_text(encoding="utf-8")
    exercises = [e.id for e in where.exercises if e.kind == "module"][:9]
    report = judge(where, tmp_path, file=written(tmp_path, source, where.module), only=exercises)
    assert Report.from_json(report.to_json()) == report
    assert len(report.html()) < 200_000 and "Traceback" not in report.text()
    assert report.points()[0] < report.points()[1]


def test_what_is_no_report_is_replaced():
    ask = [["report", 0]]
    for right in (ARRAY, {"absent": "grad"}, [1.5, {"a": 2}]):
        assert checked_reports([right], ask, None) == [right]
    for odd in (10**400, ARRAY | {"array": "O"}, {"absent": 3}, {"other": 3}):
        assert set(checked_reports([odd], ask, None)[0]) == {"other", "text"}
    deep = [1]
    for _ in range(900):
        deep = [deep]
    assert "nested too deep" in json.dumps(checked_reports(deep, ask, None))
    with pytest.raises(NoReply):
        checked_reports("no list", ask, None)
