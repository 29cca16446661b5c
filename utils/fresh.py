"""`follow("value")` in a notebook: before each cell that may use it, the learner's module as it was last saved.

IPython's own autoreload patches a module piece by piece and is left with pieces of several versions when a file cannot
be loaded, or when a class changes its kind; here a version is loaded as a whole or not at all. A cell that only asks
`check`, `hint` or `status` loads nothing, so a file that hangs or ends Python still gets its verdict.
"""

from __future__ import annotations

import ast
import gc
import sys
import traceback
from pathlib import Path
from types import FunctionType, ModuleType

from IPython import get_ipython

ASKING = {"check", "hint", "status"}
EVENT = "pre_run_cell"


def follow(name: str) -> None:
    """Load the module `name` anew before a cell, whenever its file was saved since; what the notebook imported follows.

    Values made before belong to the new class from then on, but keep the local rules that they were made with. Does
    nothing outside IPython.
    """
    shell = get_ipython()
    if shell is None:
        return
    for known in _followers(shell, name):
        shell.events.unregister(EVENT, known)
    shell.events.register(EVENT, Follower(name, shell.user_ns))


def followed(name: str) -> bool:
    """Whether this kernel follows the module `name`."""
    shell = get_ipython()
    return shell is not None and bool(_followers(shell, name))


def _followers(shell, name: str) -> list[Follower]:
    return [f for f in shell.events.callbacks[EVENT] if isinstance(f, Follower) and f.name == name]


class Follower:
    """Keeps one module, and the names that a notebook took from it, as new as its file."""

    def __init__(self, name: str, notebook: dict):
        self.name, self.notebook = name, notebook
        self.seen: bytes | None = None      # the file when it was last tried
        self.problem: str | None = None     # why that failed

    def __call__(self, info) -> None:
        module = sys.modules.get(self.name)
        file = Path(getattr(module, "__file__", None) or "")
        if not file.is_file() or _only_asks(info.raw_cell):
            return
        if (content := file.read_bytes()) != self.seen:
            self.seen, self.problem = content, None
            self._load(module, file)
        if self.problem:
            print(f"{file.name} cannot be loaded: {self.problem} This cell runs your last version that could.\n")

    def _load(self, module: ModuleType, file: Path) -> None:
        new = ModuleType(self.name)
        new.__file__, new.__spec__, new.__loader__ = module.__file__, module.__spec__, module.__loader__
        try:
            exec(compile(self.seen, str(file), "exec", dont_inherit=True), vars(new))
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            self.problem = _sentence(error, file)
            return
        sys.modules[self.name] = new
        self._move_values(module, new)
        taken = {id(thing): key for key, thing in vars(module).items() if isinstance(thing, type | FunctionType)}
        for key, thing in list(self.notebook.items()):
            if thing is module:
                self.notebook[key] = new
            elif taken.get(id(thing)) in vars(new):
                self.notebook[key] = vars(new)[taken[id(thing)]]

    def _move_values(self, module: ModuleType, new: ModuleType) -> None:
        """Make what was built of the module's classes instances of the new ones, so that both may be mixed."""
        classes = {old: vars(new).get(key) for key, old in vars(module).items() if self._owns(old)}
        for thing in gc.get_objects():
            if self._owns(successor := classes.get(type(thing))):
                try:
                    thing.__class__ = successor
                except TypeError:
                    pass                    # laid out in another way, such as with __slots__: it stays what it was

    def _owns(self, thing) -> bool:
        return isinstance(thing, type) and thing.__module__ == self.name


def _only_asks(cell: str) -> bool:
    """Whether a cell does nothing but call `check`, `hint` or `status`."""
    try:
        lines = ast.parse(cell).body
    except (SyntaxError, ValueError):
        return False
    return all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)
               and isinstance(line.value.func, ast.Name) and line.value.func.id in ASKING for line in lines)


def _sentence(error: BaseException, file: Path) -> str:
    """What went wrong and on which line of the file, as far as that is known."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return f"line {error.lineno}: {error.msg}."
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    where = f"line {lines[-1]}: " if lines else ""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"{where}{what}."
