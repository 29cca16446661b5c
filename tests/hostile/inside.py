"""Attacks from inside the interpreter: looking round in it, and patching what the grader is made of."""

from __future__ import annotations

from tests.hostile.sample import Sample


def _look(name: str, must_not: str, module: str, **more) -> Sample:
    return Sample(name, "frames, gc, linecache", must_not, module=module, **more)


def _patch(name: str, must_not: str, module: str, **more) -> Sample:
    return Sample(name, "patched modules", must_not, module=module, **{"base": "forward", **more})


SAMPLES = [
    _look("walks-the-frames", "find the expected numbers in a caller", '''
import sys


def _look_up(self):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if isinstance(value, dict) and "expected" in value:
                self.grad = value["expected"]
        frame = frame.f_back


Value.backward = _look_up
'''),
    _look("rewrites-the-callers-locals", "change the verdict in the frame that is deciding it", '''
import sys


def _rewrite(self):
    frame = sys._getframe()
    while frame:
        frame.f_locals.update(points=100, error=None, passed=True, status="passed", reports=[1.0] * 50)
        frame = frame.f_back


Value.backward = _rewrite
'''),
    _look("finds-the-machine-by-gc", "replace the method that reads its results", '''
import gc

for _thing in gc.get_objects():
    if type(_thing).__name__ in ("Machine", "Engine", "Session", "TestRunner"):
        type(_thing).run = lambda self, *rest: {"reports": [0.0] * 100, "error": None}
'''),
    _look("patches-the-main-module", "have the worker report what it likes", '''
import __main__

__main__.plain = lambda x: 1.0
__main__.explain = lambda *a: None
if hasattr(__main__, "Machine"):
    __main__.Machine.step = lambda self, step: self.reports.append(1.0)
    __main__.Machine.run = lambda self, steps: {"reports": [1.0 for s in steps if s[0] in ("get", "items", "report")],
                                                "error": None}
'''),
    _look("traces-the-grader", "change numbers on their way, by a trace function", '''
import sys


def _trace(frame, event, arg):
    if event == "return" and frame.f_code.co_name in ("attribute", "plain"):
        frame.f_locals["x"] = 1.0
    return _trace


sys.settrace(_trace)
'''),
    _look("poisons-linecache", "show the grader another source than the one that runs", '''
import linecache
import sys

linecache.cache[__file__] = (10, None, ["assert True\\n"] * 1000, __file__)
linecache.getlines = lambda *a, **k: ["pass\\n"]
sys.modules[__name__].__file__ = "@COURSE@/source/value.py"
'''),
    _look("reads-the-tests-by-inspect", "get at the source of the code that calls it", '''
import inspect


def _sources(self):
    _leak("\\n".join(inspect.getsource(info.frame)[:200] for info in inspect.stack()))


Value.backward = _sources
'''),
    _look("ctypes-on-the-numbers", "rewrite a float object of the interpreter in memory", '''
import ctypes

for _number in (1.0, 2.0, 0.0):
    try:
        ctypes.c_double.from_address(id(_number) + 16).value = 1.0
    except (ValueError, OSError):
        pass
'''),
    _patch("patches-builtins", "have every comparison of the grader come out right", '''
import builtins

builtins.abs = lambda x: 0.0
builtins.isinstance = lambda *a: True
builtins.all = builtins.any = lambda x: True
builtins.round = lambda *a: 1
builtins.float = lambda *a: 1.0
'''),
    _patch("patches-math", "have `isclose` say yes", '''
import math

math.isclose = lambda *a, **k: True
math.isnan = math.isinf = lambda x: False
'''),
    _patch("patches-json", "write another reply than the worker's", '''
import json

_dumps = json.dumps
json.dumps = lambda reply, **k: _dumps(
    {"reports": [1.0] * 64, "error": None} if isinstance(reply, dict) and "reports" in reply else reply)
'''),
    _patch("patches-struct-and-os", "send a reply of its own in place of each", '''
import os
import struct

os.write_, os.write = os.write, lambda fd, data: os.write_(fd, data.replace(b"false", b"true"))
struct.pack = lambda form, size: (size + 1).to_bytes(8, "big")
''', slow=True),
    _patch("fills-sys-modules", "stand in for the grader's modules", '''
import sys
import types

for _name in ("utils", "utils.judge", "utils.judge.core", "utils.judge.oracle", "utils.notebook", "torch", "mpmath"):
    sys.modules[_name] = types.ModuleType(_name)
    sys.modules[_name].check = sys.modules[_name].judge = lambda *a, **k: 1
'''),
    _patch("hooks-imports", "hand the grader other modules than it asks for", '''
import builtins
import sys
import types

_import = builtins.__import__
builtins.__import__ = lambda name, *a, **k: types.ModuleType(name) if "judge" in name else _import(name, *a, **k)
sys.meta_path.insert(0, type("Hook", (), {"find_spec": staticmethod(lambda *a: None)}))
'''),
    _patch("patches-numpy", "have `allclose` say yes", '''
try:
    import numpy

    numpy.allclose = numpy.isclose = numpy.array_equal = lambda *a, **k: True
    numpy.testing.assert_allclose = numpy.testing.assert_array_equal = lambda *a, **k: None
except ImportError:
    pass
'''),
    _patch("patches-unittest-and-pytest", "have every assertion pass", '''
import sys
import unittest

for _name in [n for n in dir(unittest.TestCase) if n.startswith("assert")]:
    setattr(unittest.TestCase, _name, lambda self, *a, **k: None)
if "pytest" in sys.modules:
    sys.modules["pytest"].approx = lambda x, **k: type("Any", (), {"__eq__": lambda s, o: True})()
'''),
    _patch("patches-assertion-error", "turn a failure into an exception that is no failure", '''
import builtins

builtins.AssertionError = builtins.Exception = NotImplementedError
'''),
]
