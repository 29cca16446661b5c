"""Read a program from its text, as data: what stands there is parsed and never run.

    a = 2; b = 3; t = a * b; 3 * t.exp() + t

Names, numbers, `+ - * / **` and the methods of level 2; the last line is the result. Also reads what `Program.code`
prints, so that a report's failing program can be drawn or run again.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from utils.judge.program import METHODS, SYMBOLS, Line, Program, Ref

LONGEST_TEXT = 600          # characters
MOST_OPERATIONS = 40
OPERATORS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.Pow: "pow"}
ALLOWED = f"A program holds names, numbers, {' '.join(SYMBOLS.values())}, and " + ", ".join(f".{m}()" for m in METHODS)


class NotAProgram(ValueError):
    """The text is no straight-line program; the message is a sentence for the one who wrote it."""


def parse(text: object, given: Mapping[str, int | float] | None = None) -> tuple[Program, dict[str, int]]:
    """The program that `text` writes down, and what its names stand for, as indices.

    `given` are leaves that need no line of their own. NotAProgram for anything else, whatever it is.
    """
    if not isinstance(text, str):
        raise NotAProgram('A program is text in quotes, such as "a * a + a".')
    if len(text) > LONGEST_TEXT:
        raise NotAProgram(f"A program has {LONGEST_TEXT} characters at most; this one has {len(text):,}.")
    try:
        body = ast.parse(text.strip()).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise NotAProgram(f"This is not Python: {text.strip()[:60]!r}.") from None
    return _Reader(given or {}).program(body)


def program_of(code: str | None) -> Program | None:
    """The program that a report shows, where it is a straight-line one."""
    try:
        return parse(code)[0]
    except NotAProgram:
        return None


class _Reader:
    """Collects leaves and lines; an operand is a leaf's name, the number of a line in a Ref, or a plain number."""

    def __init__(self, given: Mapping[str, int | float]):
        self.given, self.leaves, self.lines = given, {}, []
        self.names: dict[str, str | Ref] = {}

    def program(self, body: list[ast.stmt]) -> tuple[Program, dict[str, int]]:
        root = None
        for statement in body:
            root = self.statement(statement, root)
        if root is None:
            raise NotAProgram('The last line of a program is its result, such as "a * a + a".')
        order = {name: k for k, name in enumerate(self.leaves)}

        def place(x):
            return Ref(order[x]) if isinstance(x, str) else Ref(len(order) + x.index) if isinstance(x, Ref) else x
        lines = tuple(Line(line.op, tuple(map(place, line.operands))) for line in self.lines)
        return (Program(dict(self.leaves), lines, place(root).index),
                {name: place(x).index for name, x in self.names.items()})

    def statement(self, node: ast.stmt, root: str | Ref | None) -> str | Ref | None:
        """Read one line; returns the result so far."""
        match node:
            case ast.ImportFrom():
                return root
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                number = _number(value.args[0] if _makes_a_leaf(value) else value)
                self.names[name] = self.leaf(name, number) if number is not None else self.value(value)
                return self.names[name]
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="backward"), args=[])):
                return root
            case ast.Expr(value=value):
                return self.value(value)
        raise NotAProgram(f"{ALLOWED}; `{_told(node)}` is none of these.")

    def leaf(self, name: str, number: int | float) -> str:
        if name in self.names:
            raise NotAProgram(f"`{name}` has a value already: take another name.")
        self.leaves[name] = number
        return name

    def value(self, node: ast.expr) -> str | Ref:
        """An expression that depends on a name."""
        found = self.operand(node, 0)
        if not isinstance(found, str | Ref):
            raise NotAProgram(f"`{_told(node)}` is a number: a program computes with names, such as a.")
        return found

    def operand(self, node: ast.expr, depth: int) -> str | Ref | int | float:
        number = _number(node)
        if number is not None:
            return number
        if depth > MOST_OPERATIONS:
            raise NotAProgram(f"A program has {MOST_OPERATIONS} operations at most.")
        match node:
            case ast.Name(id=name):
                return self.named(name)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return self.line(OPERATORS[type(op)], node, self.operand(left, depth + 1),
                                 self.operand(right, depth + 1))
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return self.line("neg", node, self.operand(inner, depth + 1))
            case ast.Call(func=ast.Attribute(value=inner, attr=method), args=[], keywords=[]) if method in METHODS:
                return self.line(method, node, self.operand(inner, depth + 1))
        raise NotAProgram(f"{ALLOWED}; `{_told(node)}` is none of these.")

    def named(self, name: str) -> str | Ref:
        if name not in self.names:
            if name not in self.given:
                raise NotAProgram(f"There is no `{name}`: give it a number first, as in `{name} = 2; {name} * a`.")
            self.names[name] = self.leaf(name, self.given[name])
        return self.names[name]

    def line(self, op: str, node: ast.expr, *operands: str | Ref | int | float) -> Ref:
        if not any(isinstance(x, str | Ref) for x in operands):
            raise NotAProgram(f"`{_told(node)}` holds numbers alone: write the number that it makes.")
        if len(self.lines) == MOST_OPERATIONS:
            raise NotAProgram(f"A program has {MOST_OPERATIONS} operations at most.")
        self.lines.append(Line(op, operands))
        return Ref(len(self.lines) - 1)


def _number(node: ast.expr) -> int | float | None:
    """The number that a literal stands for, its minus sign included; None for anything else."""
    match node:
        case ast.Constant(value=value) if type(value) in (int, float):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)) if type(value) in (int, float):
            return -value
    return None


def _makes_a_leaf(node: ast.expr) -> bool:
    """Whether this is a class called with one number, such as Value(2.0)."""
    return (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id[:1].isupper()
            and len(node.args) == 1 and not node.keywords and _number(node.args[0]) is not None)


def _told(node: ast.AST) -> str:
    try:
        text = ast.unparse(node).split("\n")[0]
    except RecursionError:
        return "a deep nest"
    return text if len(text) <= 40 else text[:37] + "..."
