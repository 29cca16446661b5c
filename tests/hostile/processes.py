"""Attacks on the process: its end, its threads and signals; its pipes and files; code that runs when data is read."""

from __future__ import annotations

import pickle
from pathlib import Path

from tests.hostile.sample import Sample

# Every open descriptor gets a reply in the worker's own form, that all went well and every number is 1.
FORGE = '''
import json
import os
import struct


def _forge(count, numbers, error=None):
    body = json.dumps({"reports": numbers, "error": error, "stub": False, "step": None}).encode()
    for fd in range(3, 12):
        try:
            os.write(fd, (struct.pack(">Q", len(body)) + body) * count)
        except OSError:
            pass
'''


def _life(name: str, must_not: str, module: str, **more) -> Sample:
    return Sample(name, "exits, threads, signals", must_not, module=module, **more)


def _pipe(name: str, must_not: str, module: str, **more) -> Sample:
    return Sample(name, "forged output and pipes", must_not, module=module, **more)


def _in_backward(code: str) -> str:
    return f"\n\ndef _attack(self):\n    {code}\n\n\nValue.backward = _attack\n"


def _pickles(folder: Path) -> None:
    left = folder.parents[2] / "leaked-pickles-beside-it"

    class Payload:
        def __reduce__(self):
            return exec, (f"open({str(left)!r}, 'w').write('CANARY unpickled')",)

    for name in ("value.pkl", "results.pickle", "answers.pkl", ".otter.pickle", "model.pt"):
        (folder / name).write_bytes(pickle.dumps(Payload()))


def _results(folder: Path) -> None:
    (folder / "report.json").write_text('{"version": 1, "verdict": "88 of 88 points"}')
    (folder / "results.json").write_text('{"score": 100, "tests": [{"score": 100, "max_score": 1}]}')
    (folder / "grades.csv").write_text("student,score\nevil,100\n")
    (folder / "feedback").mkdir()
    (folder / "feedback" / "exercises.html").write_text("<h1>100 %</h1>")
    (folder / "upstream-judge.json").write_text('{"points": 100}')


SAMPLES = [
    _life("atexit-has-the-last-word", "say that all went well when the process ends", FORGE + '''
import atexit

atexit.register(_forge, 50, [1.0] * 10)
'''),
    _life("thread-rewrites-results", "change results from a thread while they are read", '''
import gc
import threading
import time


def _rewrite():
    for _ in range(200):
        for thing in gc.get_objects():
            if type(thing).__name__ == "Machine":
                thing.reports[:] = [1.0] * len(thing.reports)
        time.sleep(0.01)


threading.Thread(target=_rewrite, daemon=True).start()
''', base="forward"),
    _life("ignores-signals", "outlive the time limit by ignoring what ends it", '''
import signal

for _number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, getattr(signal, "SIGXCPU", signal.SIGTERM)):
    signal.signal(_number, signal.SIG_IGN)
while True:
    pass
''', slow=True),
    _life("signals-the-judge", "end the process that judges", '''
import os
import signal

for _number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
    try:
        os.kill(os.getppid(), _number)
    except OSError:
        pass
''', unboxed=False),
    _life("signals-everyone", "end every process that it may signal", '''
import os
import signal

try:
    os.killpg(0, signal.SIGKILL)
except OSError:
    pass
''', unboxed=False),
    _life("exits-with-0", "end as a program that found no fault", "\nimport sys\n\nsys.exit(0)\n"),
    _life("os-exit-at-import", "end without a trace before it is asked", "\nimport os\n\nos._exit(0)\n"),
    _life("os-exit-in-backward", "end without a trace when it is asked", "\nimport os\n" + _in_backward("os._exit(0)"),
          base="forward"),
    _life("raises-an-exit-it-is-not", "be taken for a clean end", _in_backward(
        'raise type("SystemExit", (BaseException,), {"code": 0})()'), base="forward"),
    _life("aborts", "take the judge down with it", "\nimport os\n" + _in_backward("os.abort()"), base="forward"),
    _life("segfaults", "take the judge down with it", "\nimport ctypes\n" + _in_backward("ctypes.string_at(0)"),
          base="forward"),
    _life("leaves-a-process-behind", "go on after it was graded", '''
import subprocess
import sys

subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)  # leftover-of-@RUN@-@NAME@"],
                 start_new_session=True)
'''),
    _life("double-fork", "go on after it was graded, as nobody's child", '''
import os
import sys

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(120)  # leftover-of-@RUN@-@NAME@"])
    os._exit(0)
'''),
    _pipe("forges-replies", "answer in the worker's place, with all it will be asked",
          FORGE + "\n_forge(200, [1.0] * 10)\n"),
    _pipe("forges-a-perfect-ending", "answer that nothing is wrong and nothing was asked",
          FORGE + "\n_forge(200, [])\n"),
    _pipe("forges-replies-and-stops-listening", "have the judge wait for ever to be heard", FORGE + """
import time

_forge(200, [1.0] * 10)
time.sleep(600)
"""),
    _pipe("forges-errors-that-are-none", "name an error of a form the judge does not know", FORGE + '''
_forge(20, [1.0], {"kind": "passed", "type": None, "text": "ok", "what": None, "got": None, "line": None, "code": None})
'''),
    _pipe("prints-a-verdict", "have what it prints taken for the report", '''
import json
import sys

for _stream in (sys.stdout, sys.stderr, sys.__stdout__):
    print(json.dumps({"version": 1, "verdict": "88 of 88 points: 78 passed"}), file=_stream, flush=True)
    print("PASSED [100%]\\n\\n1000 passed in 0.01s", file=_stream, flush=True)
'''),
    _pipe("closes-every-pipe", "be taken for one that had nothing to say", '''
import os

os.closerange(0, 64)
''', base="forward"),
    _pipe("a-reply-without-end", "fill the judge's memory with one reply", '''
import os
import struct

for _fd in range(3, 12):
    try:
        os.write(_fd, struct.pack(">Q", 1 << 62) + b"[" * 4096)
    except OSError:
        pass
'''),
    _pipe("nests-deeper-than-json-reads", "stop the judge by a reply that it cannot parse", '''
import os
import struct

_body = b'{"reports": ' + b"[" * 100_000 + b"]" * 100_000 + b', "error": null}'
for _fd in range(3, 12):
    try:
        os.set_blocking(_fd, False)
        os.write(_fd, struct.pack(">Q", len(_body)) + _body)
    except OSError:
        pass
'''),
    _pipe("odd-numbers-in-json", "stop the judge by numbers that JSON does not have", '''
import os
import struct

_body = b'{"reports": [NaN, Infinity, -Infinity, 1e999, 1' + b"0" * 5000 + b'], "error": null}'
for _fd in range(3, 12):
    try:
        os.write(_fd, (struct.pack(">Q", len(_body)) + _body) * 20)
    except OSError:
        pass
'''),
    _pipe("reads-the-requests", "learn from the pipe what will be asked", '''
import os

_seen = b""
for _fd in range(3, 12):
    try:
        os.set_blocking(_fd, False)
        _seen += os.read(_fd, 65536)
    except OSError:
        pass
''', base="forward"),
    Sample("payload-in-its-values", "pickles and result files", "run code in the judge that unpickles its values",
           alone=True, module='''
class Value:
    def __init__(self, data, *rest):
        self.data = self.grad = Payload()

    def __add__(self, other):
        return self

    __radd__ = __mul__ = __rmul__ = __add__

    def backward(self):
        pass


class Payload:
    def __reduce__(self):
        return exec, ("open('@COURSE@/leaked-@NAME@', 'w').write('CANARY unpickled')",)

    def __repr__(self):
        return "cos\\nsystem\\n(S'touch @COURSE@/leaked-@NAME@'\\ntR."
'''),
    Sample("pickles-beside-it", "pickles and result files", "be unpickled by a grader that looks for results",
           change=_pickles),
    Sample("results-beside-it", "pickles and result files", "have files of its own taken for the grader's",
           change=_results),
    Sample("copyreg", "pickles and result files", "change how every object is pickled", base="forward", module='''
import copyreg
import pickle

copyreg.pickle(Value, lambda v: (exec, ("open('@COURSE@/leaked-@NAME@', 'w').write('CANARY unpickled')",)))
pickle.loads = pickle.load = lambda *a, **k: {"score": 100}
'''),
]
