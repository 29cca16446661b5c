"""What learner code may do to the judge: nothing. Each misbehaviour is a clear verdict within its limits."""

from __future__ import annotations

import itertools
import os
import queue
import signal
import struct
import time
from types import SimpleNamespace

import pytest

from tests.engines import TOPIC, changed, written
from utils.judge import engine as engine_module
from utils.judge import replies
from utils.judge.client import judge_folder
from utils.judge.core import judge
from utils.judge.session import Limits, Session
from utils.sandbox.isolation import LOCAL, WEAK

TIMES = '        out = Value(self.data * other.data, (self, other), "*")\n'
QUICK = Limits(cpu=0.5, wall=1.5)


def in_product(statement: str) -> str:
    """The model answer, with `statement` run in every multiplication."""
    return changed((TIMES, TIMES + f"        {statement}\n"))


# What is written in the file, the status of exercise 1.3's promises, and a word of the sentence that tells why.
BAD_FILES = {
    "syntax error": ("class Value\n    pass\n", "failed", "SyntaxError"),
    "no class": ("x = 1\n", "not-written", "`Value`"),
    "empty file": ("", "not-written", "`Value`"),
    "error on import": ("import math\nmath.sqrt(-1)\n", "failed", "ValueError"),
    "unknown import": ("import no_such_module_anywhere\n", "failed", "no_such_module_anywhere"),
    "sys.exit on import": ("import sys\nsys.exit(0)\n", "failed", "SystemExit"),
    "os._exit on import": ("import os\nos._exit(0)\n", "crash", "ended by itself"),
    "recursion in an operation": (in_product("self * other"), "failed", "RecursionError"),
    "os._exit in an operation": (in_product("import os; os._exit(3)"), "crash", "exit status 3"),
    "sys.exit in an operation": (in_product("raise SystemExit('bye')"), "failed", "SystemExit"),
    "keyboard interrupt": (in_product("raise KeyboardInterrupt"), "failed", "KeyboardInterrupt"),
    "segmentation fault": (in_product("import ctypes; ctypes.string_at(0)"), "crash", "signal"),
    "huge allocation": (in_product("x = bytearray(1 << 40)"), "memory", "memory"),
    "no return": (changed((TIMES, TIMES + "        return None\n")), "failed", "return"),
    "returns a number": (changed((TIMES, TIMES + "        return 1.0\n")), "failed", "float"),
    "returns a string": (changed((TIMES, TIMES + "        return 'six'\n")), "failed", "str"),
    "data is a string": (changed((TIMES, TIMES + "        out.data = 'six'\n")), "failed", "should be a number"),
    "data is nan": (changed((TIMES, TIMES + "        out.data = float('nan')\n")), "failed", "nan"),
    "grad is a list": (changed(("self.grad = 0.0\n        self._prev", "self.grad = []\n        self._prev")), "failed", "Error"),
    "unprintable error": (in_product("raise type('E', (Exception,), {'__str__': lambda s: 1 / 0})"), "failed", "cannot be printed"),
    "raises on the third call": (in_product("Value.n = getattr(Value, 'n', 0) + 1; 1 / (Value.n - 3)"), "failed", "ZeroDivisionError"),
    "hostile getattr": (changed(("    def __repr__(self):", "    def __getattr__(self, name):\n        return 1 / 0\n\n"
                                 "    def __repr__(self):"), ("        self.grad = 0.0\n        self._prev", "        self._prev")),
                        "failed", "ZeroDivisionError"),
    "data is inf": (changed((TIMES, TIMES + "        out.data = float('inf')\n")), "failed", "data is inf"),
    "returns an array": (changed((TIMES, TIMES + "        import numpy; return numpy.array([1.0])\n")), "failed", "ndarray"),
    "returns another object": (changed((TIMES, TIMES + "        return object()\n")), "failed", "gave back an object"),
    "raises in __init__": (changed(("        self.data = data\n", "        raise ValueError('no')\n")), "failed", "ValueError: no"),
    "unhashable": (changed(("    def __repr__(self):", "    def __hash__(self):\n        raise TypeError('never')\n\n"
                            "    def __repr__(self):")), "failed", "never"),
    "equal to all": (changed(("    def __repr__(self):", "    def __eq__(self, other):\n        return True\n\n"
                              "    def __hash__(self):\n        return 0\n\n    def __repr__(self):")), "failed", ""),
    "quotients that are none": (
        "import fractions\n\n\nclass Mine:\n    numerator, denominator = 1, 0.5\n\n\nfractions.Fraction = Mine\n"
        + changed((TIMES, TIMES + "        out.data = Mine()\n")), "failed", "should be a number"),
    "quotients beyond every float": ("from fractions import Fraction\n" + changed(
        (TIMES, TIMES + "        out.data = Fraction(10**400)\n")), "failed", "OverflowError"),
    "float that lies": (changed(("class Value:", "class F(float):\n    def __float__(self):\n        return 4.0\n"
                                 "    def __mul__(self, o):\n        return F(7.0)\n\n\nclass Value:"),
                                ("        self.data = data\n", "        self.data = F(data)\n")), "failed", ""),
    "kept between graphs": (changed(("        self.grad = 1.0\n", "        self.grad = Value.n = getattr(Value, 'n', 0) + 1.0\n")),
                            "failed", ""),
    "endless class name": (in_product("raise type('E' * 10_000, (Exception,), {})"), "failed", "EEEE"),
    "class without a name": (in_product("raise type('M', (type,), {'__name__': property(lambda c: 1 / 0)})"
                                        "('E', (Exception,), {})('odd')"), "failed", "odd"),
    "prints for ever": (in_product("while True: print('x' * 1000)"), "timeout", " s"),
    "endless loop": (in_product("while True: pass"), "timeout", " s"),
    "sleeps for ever": (in_product("import time; time.sleep(1000)"), "timeout", " s"),
}


@pytest.fixture(autouse=True)
def short_limits(monkeypatch):
    """Half a second of computing is plenty for exercise 1.3, and keeps this file quick."""
    monkeypatch.setattr(engine_module, "HASTY", QUICK)
    monkeypatch.setattr(engine_module, "MANY_LIMITS_HIT", 0)


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file_gets_a_clear_verdict(name, tmp_path):
    source, status, word = BAD_FILES[name]
    report = judge(TOPIC, tmp_path, file=written(tmp_path, source), only=["1.3"])
    spoiled = [v for v in report.verdicts if v.status != "passed"]
    assert spoiled and spoiled[0].status == status, report.text()
    assert word in (spoiled[0].detail or f"{spoiled[0].quantity} is {spoiled[0].yours}")
    assert len(spoiled[0].detail or "") < 700
    assert "Traceback" not in report.text() and "worker.py" not in report.text()


def test_other_promises_are_judged_after_a_crash(tmp_path):
    """A crash in tanh costs tanh's promises and no others."""
    report = judge(TOPIC, tmp_path, file=written(tmp_path, changed(
        ("        t = math.tanh(self.data)", "        import os; os._exit(1)\n        t = math.tanh(self.data)"))), only=["2.3"])
    assert {v.name: v.status for v in report.verdicts} == {
        "test_relu": "passed", "test_relu_reused": "passed", "test_tanh": "crash", "test_tanh_reused": "crash",
        "test_exp": "passed", "test_exp_reused": "passed"}


def test_error_names_the_learners_line(tmp_path):
    file = written(tmp_path, changed(("        return self * -1.0\n", "        return self * minus_one\n")))
    detail = judge(TOPIC, tmp_path, file=file, only=["2.1"]).verdicts[0].detail
    line = file.read_text(encoding="utf-8").splitlines().index("        return self * minus_one") + 1
    assert f"line {line}: `return self * minus_one`" in detail and "NameError" in detail


def test_missing_reflected_method_is_named(tmp_path):
    source = changed(("    def __rsub__(self, other):", "    def _rsub_(self, other):"))
    verdict = next(v for v in judge(TOPIC, tmp_path, file=written(tmp_path, source), only=["2.1"]).verdicts
                   if v.name == "test_number_minus_value")
    assert verdict.status == "not-written" and "`__rsub__`" in verdict.detail and "`2 - a`" in verdict.detail


def test_missing_file_and_missing_attribute_are_not_yet_written(tmp_path):
    report = judge(TOPIC, tmp_path, only=["1.2"])
    assert {v.status for v in report.verdicts} == {"not-written"} and report.saved is None
    source = changed(("self.grad = 0.0\n        self._prev", "self._prev"), ("self.grad = 1.0", "pass"))
    bare = judge(TOPIC, tmp_path, file=written(tmp_path, source), only=["1.1"])
    assert [v.name for v in bare.verdicts if v.status != "passed"] == ["test_computing_changes_no_input"]
    assert "`grad`" in next(v.detail for v in bare.verdicts if v.detail)


def test_printing_does_not_disturb_the_replies(tmp_path):
    chatty = in_product("print('hello'); import sys, os; sys.stderr.write('x'); os.write(1, b'12345678' * 9)")
    assert judge(TOPIC, tmp_path, file=written(tmp_path, chatty), only=["1.2", "1.3"]).kept


def test_fractions_are_numbers(tmp_path):
    """Exact `data` and `grad`, a denominator of 3 among them; a class of one's own that looks like it stays unknown."""
    exact = "from fractions import Fraction\n" + changed(("        self.data = data\n", "        self.data = Fraction(data)\n"),
        ("        self.grad = 0.0\n        self._prev", "        self.grad = Fraction(0)\n        self._prev"))
    file = written(tmp_path, exact)
    assert judge(TOPIC, tmp_path, file=file, only=["1.1", "1.2", "1.3", "1.4", "2.1", "2.2"]).kept
    with Session(file) as session:
        assert session.run([["new", 0, 1], ["op", 1, "truediv", {"r": 0}, 3], ["get", {"r": 1}, "data"]]).reports == [1 / 3]
    own = exact.replace("from fractions import Fraction\n", "import fractions\nclass Fraction(fractions.Fraction):\n    pass\n")
    assert not judge(TOPIC, tmp_path, file=written(tmp_path, own), only=["1.1"]).kept


def test_helpers_beside_the_file_are_found_and_shadow_nothing(tmp_path):
    written(tmp_path, "def one():\n    return 1.0\n", "helpers.py")
    written(tmp_path, "raise RuntimeError('shadowed')\n", "math.py")
    written(tmp_path, "raise RuntimeError('shadowed')\n", "random.py")
    source = changed(("import math\n", "import math\nfrom helpers import one\n"), ("self.grad = 1.0", "self.grad = one()"))
    assert judge_folder(TOPIC, tmp_path, file=written(tmp_path, source), only=["1.2", "2.3"]).kept


def test_isolated_worker_cannot_import_this_repository(tmp_path):
    file = written(tmp_path, "import importlib\nValue = importlib.import_module('utils.auto' + 'grad_stub').Value\n")
    loose, tight = (judge(TOPIC, tmp_path, file=file, only=["1.2"], isolation=isolation) for isolation in (LOCAL, WEAK))
    assert loose.kept and loose.borrowed and loose.points()[0] == 0        # seen by the worker, though not in the source
    assert not tight.kept and "No module named" in tight.verdicts[0].detail


def test_workers_leave_nothing_running(tmp_path):
    session = Session(written(tmp_path, in_product("while True: pass")))
    with session:
        script = [["new", 0, 2.0], ["op", 1, "mul", {"r": 0}, {"r": 0}]]
        assert session.run(script, QUICK).error["kind"] == "timeout"
        assert session._process is None
        assert session.run([["new", 0, 2.0], ["get", {"r": 0}, "data"]], QUICK).reports == [2.0]
        process = session._process
    assert process.poll() is not None


def test_a_worker_that_waits_loads_the_file_when_it_is_asked(tmp_path):
    with Session(written(tmp_path, "this is no Python")) as session:
        session.begin()
        process = session._process
        written(tmp_path, in_product("pass"))
        assert session.run([["new", 0, 2.0], ["get", {"r": 0}, "data"]]).reports == [2.0]
        assert session._process is process


@pytest.mark.skipif(os.name == "nt", reason="replies are read by a thread there")
def test_bytes_that_keep_coming_and_make_no_reply_buy_no_time(monkeypatch):
    """A header that promises 64 kB, then a byte for ever: whoever waits gets to look at the limits."""
    ends, clock, head = os.pipe(), itertools.count(), iter(struct.pack(">Q", 1 << 16))
    os.write(ends[1], b"x")                 # there is always something to read
    monkeypatch.setattr(replies, "os", SimpleNamespace(
        set_blocking=os.set_blocking, read=lambda number, most: bytes([next(head, 120)])))
    monkeypatch.setattr(replies, "time", SimpleNamespace(monotonic=lambda: next(clock) * 0.01))
    with open(ends[0], "rb") as stream, pytest.raises(queue.Empty):
        replies.Arriving(stream).get(0.5)
    os.close(ends[1])
    assert next(clock) < 100


@pytest.mark.skipif(os.name == "nt", reason="no process can be stopped there")
def test_a_worker_that_does_not_listen_costs_its_own_script_only(tmp_path):
    with Session(written(tmp_path, in_product("pass"))) as session:
        assert session.load_error() is None
        os.kill(session._process.pid, signal.SIGSTOP)
        large = [["report", [0.0] * 100_000]]       # more than a pipe holds
        outcome = session.run(large, Limits(wall=0.3))
        assert outcome.error["kind"] == "crash" and "stopped listening" in outcome.error["text"]
        assert session.run(large).reports == [[0.0] * 100_000]


def test_memory_is_limited_where_it_grows_slowly(tmp_path):
    grows = in_product("keep = [bytearray(1 << 20) for _ in range(10_000)]")
    with Session(written(tmp_path, grows)) as session:
        outcome = session.run([["new", 0, 2.0], ["op", 1, "mul", {"r": 0}, {"r": 0}]], Limits(cpu=20, wall=60, memory=1 << 29))
    assert outcome.error["kind"] == "memory"


def test_forged_reply_is_no_verdict(tmp_path):
    """Bytes on the reply pipe that are no reply end the worker, not the judge."""
    forge = in_product("import os; [os.write(fd, (20).to_bytes(8, 'big') + b'[\"not a reply\", 1, 2]'[:20]) "
                       "for fd in range(3, 12) if os.path.exists(f'/proc/self/fd/{fd}') and 'pipe' in os.readlink(f'/proc/self/fd/{fd}')]")
    start = time.monotonic()
    report = judge(TOPIC, tmp_path, file=written(tmp_path, forge), only=["1.2"])
    assert {v.status for v in report.verdicts} & {"crash", "failed", "timeout"} and time.monotonic() - start < 60
