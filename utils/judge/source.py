"""Facts read from the learner's source, without running it."""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from pathlib import Path

from utils.curriculum import ROOT

STUB = ROOT / "utils" / "autograd_stub.py"
STUB_NAME = "autograd_stub"


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def borrowed(source: str) -> str | None:
    """Why this source counts as borrowed: it imports the stub, or its Value is the stub's word for word. Else None."""
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
    mine = _value_class(tree)
    if mine is not None and mine == _stub_class():
        return "its class Value is the stub's, word for word"
    return None


def _value_class(tree: ast.Module) -> str | None:
    """The class Value as a canonical text: comments, layout and docstrings do not count."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Value":
            for inner in ast.walk(node):
                if isinstance(inner, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(inner) is not None:
                    inner.body = inner.body[1:] or [ast.Pass()]
            return ast.dump(node)
    return None


@lru_cache
def _stub_class() -> str | None:
    return _value_class(ast.parse(STUB.read_text(encoding="utf-8"))) if STUB.exists() else None
