"""Objects that want to be taken for numbers, and replies that want to be taken for the worker's."""

from __future__ import annotations

from tests.hostile.folders import edit
from tests.hostile.sample import Sample

SHELL = '''
class Value:
    def __init__(self, data, *rest, **more):
        self.data = self.grad = Fake(data)

    def same(self, *others):
        return Value(1.0)

    __add__ = __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __pow__ = same
    __neg__ = relu = tanh = exp = log = sigmoid = same

    def backward(self):
        pass
'''


def _fake(name: str, must_not: str, fake: str, **more) -> Sample:
    return Sample(name, "impostor objects", must_not, module=fake + SHELL, alone=True, **more)


def _answers(name: str, must_not: str, source: str) -> Sample:
    """A sample that puts `source` into the answer cell of the first drill."""
    def write(cells: list) -> list:
        return [cell | {"source": source} if cell["id"] == "answer-R1" else cell for cell in cells]
    return Sample(name, "impostor objects", must_not, change=lambda folder: edit(folder / "math-refresh.ipynb", write))


SAMPLES = [
    _fake("equal-to-all", "compare equal to every expected number", '''
class Fake(float):
    def __eq__(self, other):
        return True

    __ne__ = lambda self, other: False
    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __hash__ = float.__hash__
'''),
    _fake("zero-distance", "be at distance 0 from every number", '''
class Fake(float):
    def __sub__(self, other):
        return 0.0

    __rsub__ = __abs__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __sub__
'''),
    _fake("says-it-is-float", "pass a type check by lying about its class", '''
class Fake:
    def __init__(self, data):
        pass

    __class__ = property(lambda self: float)
    __eq__ = lambda self, other: True
    __float__ = lambda self: 0.0
    __hash__ = None
'''),
    _fake("agrees-with-all", "answer every question about itself with itself", '''
class Fake:
    def __init__(self, *anything):
        pass

    def __getattr__(self, name):
        return self

    def __call__(self, *anything, **more):
        return self

    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True
    __bool__ = lambda self: True
    __len__ = lambda self: 0
    __hash__ = None
'''),
    _fake("not-a-number", "slip through `abs(x - y) > bound`, which is false for nan", '''
Fake = lambda data: float("nan")
'''),
    _fake("infinite", "slip through a relative error", '''
Fake = lambda data: float("inf")
'''),
    _fake("numpy-look-alike", "be taken for a NumPy scalar and unpacked by its own code", '''
class Fake:
    ndim = 0

    def __init__(self, data):
        pass

    def item(self):
        return {"r": 0}


Fake.__module__ = "numpy"
'''),
    _fake("answers-in-a-list", "be taken for all the right answers at once", '''
Fake = lambda data: [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
'''),
    _fake("says-absent", "look like the worker's own reply that something is absent", '''
Fake = lambda data: {"absent": "data"}
'''),
    _fake("text-of-a-number", "be converted to a number by the judge", '''
Fake = lambda data: "1.0"
'''),
    _fake("true", "count as 1 because it is True", '''
Fake = lambda data: True
'''),
    _fake("a-million-digits", "stop the judge with a number that cannot be written", '''
Fake = lambda data: 10 ** 1_000_000
''', slow=True),
    _fake("complex", "stop the judge with a number that has no order", '''
Fake = lambda data: complex(1, 1)
'''),
    _fake("print-bomb", "run code, or write megabytes, where the judge prints a value", '''
class Fake:
    def __init__(self, data):
        pass

    def __repr__(self):
        return "x" * 50_000_000
'''),
    _answers("answers-that-equal-all", "count as every right answer of a drill", '''
class Fake(float):
    __eq__ = lambda self, other: True
    __hash__ = float.__hash__


class Any(dict):
    __missing__ = lambda self, key: Fake(1)
    __contains__ = lambda self, key: True


answer_R1 = Any()
'''),
    _answers("answers-that-look-for-right-ones", "find the right answers beside its own cell", '''
import gc

found = [thing for thing in gc.get_objects() if isinstance(thing, dict) and "expected" in thing]
answer_R1 = found[0]["expected"] if found else {}
'''),
    _answers("answers-that-import-the-drills", "call the course's own solution of a drill", '''
import sys

sys.path.insert(0, "@ROOT@")
from utils import drill_bank

answer_R1 = {name: box.expected for name, box in drill_bank.problem("R1").boxes.items()}
'''),
]
