"""Facts read from the learner's source, without running it."""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from pathlib import Path

from utils.curriculum import ROOT, Topic
from utils.judge.report import FOR_INSTRUCTOR

STUB = ROOT / "utils" / "autograd_stub.py"
STUB_NAME = "autograd_stub"
LONGEST, DEEPEST = 200_000, 100     # characters, and levels of its syntax tree; an engine has 10,000 and 20
ALIKE = 0.9             # the share of a solution's own code from which on a likeness is told
NAMES = ("id", "attr", "arg", "name")


def readable(source: str) -> str:
    """The source, or an empty one where reading it would take too long or go too deep: then nothing is said about it.

    A source that is no Python is given back: whoever parses it says so.
    """
    try:
        layer = [ast.parse(source)] if len(source) <= LONGEST else None
    except (SyntaxError, ValueError):
        return source
    except (RecursionError, MemoryError):
        return ""
    for _ in range(DEEPEST if layer else 0):
        layer = [child for node in layer for child in ast.iter_child_nodes(node)]
    return "" if layer or layer is None else source


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def borrowed(source: str) -> str | None:
    """Why this source counts as borrowed, or None: it imports the stub, or its Value is the stub's, names aside."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):      # the last two: nested too deep to read
        return None
    for node in ast.walk(tree):
        names = ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                 else [node.module or "", *(alias.name for alias in node.names)] if isinstance(node, ast.ImportFrom)
                 else [])
        if any(STUB_NAME in name.split(".") for name in names):
            return f"line {node.lineno} imports the stub"
    mine, stub = _value_class(tree), _stub()
    if mine and stub and _count(mine) == stub[0] and _canonical(mine) == stub[1]:     # in the order of what it costs
        return "its class Value is the stub's, names and layout aside"
    return None


def likeness(source: str, topic: Topic) -> str | None:
    """A sentence for the instructor where nearly all methods of a solution stand in this source, names aside.

    What the learner's file held from the start does not count. It is told, and costs nothing: solutions are public.
    """
    try:
        mine = _methods(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    shares = {name: sum(size for text, size in own.items() if text in mine) / max(1, sum(own.values()))
              for name, own in _published(topic).items()}
    name = max(shares, key=shares.get)
    return (f"{FOR_INSTRUCTOR}{shares[name]:.0%} of what {name} adds to the learner's file stands in this file "
            "too, names and layout aside. No points depend on that.") if shares[name] >= ALIKE else None


@lru_cache
def _published(topic: Topic) -> dict[str, dict[str, int]]:
    """By file: the methods of each solution, and of the stub, that the learner's file did not hold from the start."""
    def read(file: Path) -> dict[str, int]:
        return _methods(ast.parse(file.read_text(encoding="utf-8")))
    given = read(topic.shipped / topic.module)
    return {file.name: {text: size for text, size in read(file).items() if text not in given}
            for file in (*sorted(topic.solutions.glob("level0[123]*.py")), STUB)}


def _methods(tree: ast.Module) -> dict[str, int]:
    """The methods of the class Value as canonical texts, each with its length."""
    found = [node for cls in tree.body if isinstance(cls, ast.ClassDef) and cls.name == "Value"
             for node in cls.body if isinstance(node, ast.FunctionDef)]
    return {text: len(text) for text in map(_canonical, found)}


def _value_class(tree: ast.Module) -> ast.ClassDef | None:
    return next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Value"), None)


def _count(cls: ast.ClassDef) -> int:
    """How many methods it has, which layout and docstrings do not change."""
    return sum(isinstance(node, ast.FunctionDef) for node in cls.body)


def _canonical(tree: ast.AST) -> str:
    """A text that is the same for code which differs in comments, layout, docstrings and names only."""
    numbers: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        for field in NAMES:
            if isinstance(name := getattr(node, field, None), str):
                setattr(node, field, numbers.setdefault(name, f"n{len(numbers)}"))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            node.value = numbers.setdefault(node.value, f"n{len(numbers)}")        # a name in `__slots__`, say
    return ast.dump(tree)


@lru_cache
def _stub() -> tuple[int, str] | None:
    """The stub's class Value: its number of methods, and its canonical text."""
    found = _value_class(ast.parse(STUB.read_text(encoding="utf-8"))) if STUB.exists() else None
    return found and (_count(found), _canonical(found))
