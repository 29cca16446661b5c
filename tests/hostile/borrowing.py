"""Other people's engines handed in as one's own, and answers without an engine."""

from __future__ import annotations

from tests.engines import TOPIC
from tests.hostile.sample import Sample

STUB = "@ROOT@/utils/autograd_stub.py"
LEVEL03 = f"@ROOT@/solutions/{TOPIC.slug}/level03-memory-efficient.py"
TORCH = '''
import torch


class Value:
    def __init__(self, data, *rest):
        self.t = data if isinstance(data, torch.Tensor) else torch.tensor(float(data), dtype=torch.float64)
        if not self.t.requires_grad and self.t.is_leaf:
            self.t.requires_grad_()
        self.t.retain_grad()

    data = property(lambda self: self.t.item())
    grad = property(lambda self: 0.0 if self.t.grad is None else self.t.grad.item())

    def backward(self):
        self.t.backward()


def _wrap(name):
    def method(self, *others):
        return Value(getattr(self.t, name)(*[getattr(o, "t", o) for o in others]))
    return method


for _name in ("add", "radd", "mul", "rmul", "sub", "rsub", "truediv", "rtruediv", "pow", "neg"):
    setattr(Value, f"__{_name}__", _wrap(f"__{_name}__"))
for _name in ("relu", "tanh", "exp", "log", "sigmoid"):
    setattr(Value, _name, _wrap(_name))
'''


def _loan(name: str, must_not: str, module: str, **more) -> Sample:
    return Sample(name, "stub, solutions, torch", must_not, module=module, **{"alone": True, **more})


def _table(name: str, must_not: str, module: str, **more) -> Sample:
    return Sample(name, "hard-coded answers", must_not, module=module, **{"base": "forward", **more})


def _stub_text() -> str:
    return (TOPIC.solutions.parents[1] / "utils" / "autograd_stub.py").read_text(encoding="utf-8")


SAMPLES = [
    _loan("imports-the-stub", "earn points with the stub", "from utils.autograd_stub import Value\n"),
    _loan("imports-the-stub-by-name", "earn points with the stub, imported unseen", '''
import importlib

Value = importlib.import_module("utils." + "autograd" + "_stub").Value
'''),
    _loan("runs-the-stubs-file", "earn points with the stub, read as a text", f'''
exec(open(r"{STUB}").read())
'''),
    _loan("puts-the-repository-on-the-path", "find the stub after all", '''
import sys

sys.path[:0] = ["@ROOT@", ".", "..", "../.."]
from utils.autograd_stub import Value
'''),
    _loan("copies-the-stub", "earn points with the stub, copied", _stub_text()),
    _loan("copies-the-stub-with-comments", "earn points with the stub, copied, and comments of its own",
          "# my own work\n" + _stub_text().replace("class Value:", "class Value:\n    # all mine", 1)),
    _loan("loads-the-solution", "earn points with the reference solution", f'''
import importlib.util

_spec = importlib.util.spec_from_file_location("level03", r"{LEVEL03}")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
Value = _module.Value
'''),
    _loan("asks-the-judges-oracle", "let the judge's own oracle do the sums", '''
import sys

sys.path.insert(0, "@ROOT@")
from utils.judge import flawed, oracle, simulation

Value = simulation.Value if hasattr(simulation, "Value") else oracle.Value
'''),
    _loan("wraps-torch", "earn points with PyTorch's gradients", TORCH),
    _loan("wraps-torch-found-late", "earn points with PyTorch's gradients, imported unseen",
          TORCH.replace("import torch", "torch = __import__('importlib').import_module('tor' + 'ch')", 1)),
    _loan("downloads-an-engine", "fetch an engine from elsewhere", '''
import socket

with socket.create_connection(("127.0.0.1", @PORT@), 2) as _line:
    _line.sendall(b"@NAME@: give me an engine")
    exec(_line.recv(65536))
'''),
    _loan("installs-a-package", "have pip fetch an engine", '''
import subprocess
import sys

subprocess.run([sys.executable, "-m", "pip", "install", "--index-url", "http://127.0.0.1:@PORT@/@NAME@", "micrograd"],
               timeout=8, check=True)
from micrograd.engine import Value
'''),
    _table("knows-the-briefs-answers", "pass with the numbers that the notebook prints", '''
_known = {(2.0, 3.0): (4.0, 2.0), (2.0, -3.0): (-3.0, 2.0), (3.0, 4.0): (5.0, 3.0)}
_made = []
_init = Value.__init__


def _remember(self, data, *rest):
    _init(self, data)
    _made.append(self)


def _look_up(self):
    leaves = _made[:2]
    for leaf, grad in zip(leaves, _known.get(tuple(v.data for v in leaves), (1.0, 1.0))):
        leaf.grad = grad


Value.__init__, Value.backward = _remember, _look_up
'''),
    _table("always-one", "pass where the right gradient is 1", '''
def _ones(self):
    import gc
    for thing in gc.get_objects():
        if type(thing) is Value:
            thing.grad = 1.0


Value.backward = _ones
''', base="ones"),
    _table("counts-the-questions", "replay what an earlier grading asked, question by question", '''
_count = iter(range(10**6))
_answers = [1.0, 2.0, 3.0, 4.0, 0.5, -1.0]
Value.grad = property(lambda self: _answers[next(_count) % len(_answers)], lambda self, x: None)
'''),
    _table("remembers-on-disk", "keep what was asked for the next try", '''
import json

try:
    _known = json.load(open("/tmp/upstream-hostile-@RUN@-@NAME@.json"))
except (OSError, ValueError):
    _known = []


def _note(self):
    _known.append(self.data)
    with open("/tmp/upstream-hostile-@RUN@-@NAME@.json", "w") as file:
        file.write("CANARY kept " + json.dumps(_known))


Value.backward = _note
'''),
]
