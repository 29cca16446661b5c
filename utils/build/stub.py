"""The escape hatch, utils/autograd_stub.py: the engine of level 3 under a header of its own."""

from __future__ import annotations

import ast

HEADER = '''"""A complete `Value`, for a learner who is stuck or comes back later: the escape hatch.

    from utils.autograd_stub import Value

It works wherever your own `Value` does, so you can go on with the curriculum and return to your engine when you like.
Work done with it is marked borrowed: it earns no points in the topic where you write the engine, and the mark goes
when your own `Value` passes.

`python3 course.py build` makes this file from {source},
which tells how it works; to change this file, change that one.
"""
'''


def stub(source: str, path: str) -> str:
    """The stub's text, from the text of the engine at `path`: the same code, the stub's docstring.

    Raises ValueError where the engine has no module docstring to replace.
    """
    first = ast.parse(source).body[0]
    if not (isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.lineno == 1):
        raise ValueError(f"{path} does not begin with a docstring, which the stub's own would replace")
    code = "".join(source.splitlines(keepends=True)[first.end_lineno :])
    return HEADER.format(source=path) + code
