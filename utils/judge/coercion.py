"""How a source makes a Value of a number, read without running it: the many ways to write one idea.

`other if isinstance(other, Value) else Value(other)`, a helper that does so, an `if` or a `try` before the operation.
An expression is read as ("value", operand), where the operand is "self" or "other".
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

MAKERS = ("Value", "cls", "__class__")
Names = Mapping[str, object]


def helpers(tree: ast.Module, cls: ast.ClassDef, operations: Mapping[str, str]) -> dict[str, bool]:
    """The functions and methods of one operand: whether they make a Value of it (else they give it back as it is)."""
    found, makers = {}, subclasses(tree)
    for name, body, parameters in _small_functions(tree, cls):
        operand = [p for p in parameters if p not in ("self", "cls")][:1]
        if not operand or name in operations:
            continue
        nodes = [node for part in body for node in ast.walk(part)]
        returned = [node.value for node in nodes if isinstance(node, ast.Return)]
        if len(body) == 1 and all(isinstance(value, ast.Name) and value.id == operand[0] for value in returned):
            found[name] = False
        elif (all(isinstance(value, ast.Name | ast.IfExp | ast.BoolOp | ast.Call) for value in returned)
                and any(_makes_value(node, operand[0], makers) for node in nodes)):
            found[name] = True
    return found


def subclasses(tree: ast.Module) -> tuple[str, ...]:
    """The classes of the file that are Values by inheritance."""
    return tuple(node.name for node in tree.body if isinstance(node, ast.ClassDef)
                 and any(isinstance(base, ast.Name) and base.id == "Value" for base in node.bases))


def _small_functions(tree: ast.Module, cls: ast.ClassDef) -> Iterator[tuple[str, list[ast.stmt], list[str]]]:
    """(name, body, parameters) of the functions of the file, of the class's methods, and of lambdas with a name."""
    for node in (*tree.body, *cls.body):
        if isinstance(node, ast.FunctionDef):
            body = [part for part in node.body if not is_text(part)]
            yield node.name, body, [a.arg for a in node.args.args]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, [ast.Return(node.value.body)], [a.arg for a in node.value.args.args]


def _makes_value(node: ast.AST, operand: str, makers: tuple[str, ...]) -> bool:
    """`Value(x)`, `cls(x)`, `type(self)(x)` of the operand."""
    if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Name)
            and node.args[0].id == operand):
        return False
    return called(node) in (*MAKERS, *makers) or (isinstance(node.func, ast.Call) and called(node.func) == "type")


def called(node: ast.Call) -> str | None:
    """The last name of what is called: `lift` in `lift(x)` and in `self.lift(x)`."""
    return getattr(node.func, "id", getattr(node.func, "attr", None))


def is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


class Coercions:
    """What counts as making a Value in one file."""

    def __init__(self, tree: ast.Module, cls: ast.ClassDef, operations: Mapping[str, str]):
        self.makers, self.helpers = subclasses(tree), helpers(tree, cls, operations)

    def expression(self, node: ast.expr, names: Names) -> object | None:
        """("value", operand), or the operand itself where a helper gives it back; None for anything else."""
        if isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], ast.Name):
            operand = names.get(node.args[0].id)
            if operand is None:
                return None
            if _makes_value(node, node.args[0].id, self.makers) or self.helpers.get(called(node)):
                return _value(operand)
            return operand if self.helpers.get(called(node)) is False else None
        choices = ([node.body, node.orelse] if isinstance(node, ast.IfExp)
                   else node.values if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) else [])
        made = [value for choice in choices if isinstance(value := self.expression(choice, names), tuple)]
        return made[0] if made else None

    def statement(self, node: ast.stmt, names: dict) -> bool:
        """Whether this is a guard or a coercion, the latter noted in `names`: `if not ...: other = Value(other)`."""
        if isinstance(node, ast.Assert | ast.Pass) or is_text(node):
            return True
        if isinstance(node, ast.If) and not node.orelse:
            inner = node.body
        elif isinstance(node, ast.Try) and all(isinstance(part, ast.Expr) for part in node.body):
            inner = [part for handler in node.handlers for part in handler.body]
        else:
            return False
        if len(inner) == 1 and (isinstance(inner[0], ast.Raise) or _not_implemented(inner[0])):
            return True
        if len(inner) != 1 or (target := assigned(inner[0])) is None:
            return False
        made = self.expression(inner[0].value, names)
        if not isinstance(made, tuple) or made != _value(names.get(target)):
            return False
        names[target] = made
        return True


def assigned(node: ast.stmt) -> str | None:
    """The one name that a statement gives a value, or None."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) and node.value else None


def _value(operand: object) -> object:
    return operand if isinstance(operand, tuple) else ("value", operand)


def _not_implemented(node: ast.stmt) -> bool:
    return isinstance(node, ast.Return) and isinstance(node.value, ast.Name) and node.value.id == "NotImplemented"
