"""Which operations a source builds from others, read without running it: `__sub__` as `self + (-other)`, say.

A flaw in one operation shows in all that are built from it, so a wrong engine is imitated in the learner's own style.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from utils.judge.coercion import Coercions, assigned, called
from utils.judge.flawed import REFLECTED, VALUES, Engine, Flaw, Stop, Style, Unsupported
from utils.judge.program import METHODS

DUNDERS = {f"__{name}__": name for name in ("add", "sub", "mul", "truediv", "neg", "pow", *REFLECTED)}
NAMES = DUNDERS | {name: name for name in METHODS}
FUNCTIONS = {name.strip("_"): op for name, op in NAMES.items() if op not in REFLECTED} | {"div": "truediv"}
SIGNS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.Pow: "pow"}
KEPT_AS_SET = re.compile(r"_prev\s*=\s*(set|frozenset)\(|(children|parents|inputs|prev)\s*=\s*(set|frozenset)\(")
PLACES = ((0.7, 1.9), (-1.3, 0.4), (2.5, 3.0))          # where a recipe has to give what its operation means
LARGEST = 100           # operations of a recipe, with those of the methods that it is built from
FAR = ((400.0, 1.0), (-400.0, 1.0), (1000.0, 1.0), (-1000.0, 1.0))


class _NoRecipe(Exception):
    """The method has a rule of its own, or is written in a way that is not read."""


def style_of(source: str) -> Style:
    """How the class Value of this source is written; for a source that cannot be read, the usual style."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return Style()
    recipes: dict[str, tuple | None] = {}
    unread: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Value":
            recipes, unread = _recipes(node, Coercions(tree, node, NAMES))
    kept = {name: recipe for name, recipe in recipes.items() if recipe is None or _means(name, recipe)}
    if any(_size(recipe, kept) > LARGEST for recipe in kept.values()):
        kept = dict.fromkeys(kept)
    return Style(kept, distinct=bool(KEPT_AS_SET.search(source)), unread=frozenset(unread))


def _recipes(cls: ast.ClassDef, coercions: Coercions) -> tuple[dict[str, tuple | None], set[str]]:
    """The recipe of each method, None for one that has none; and which of those may yet be built from others."""
    found, unread = {}, set()
    for node in cls.body:
        if isinstance(node, ast.FunctionDef) and node.name in NAMES:
            name = NAMES[node.name]
            try:
                found[name] = _recipe(node, coercions)
            except _NoRecipe:
                found[name] = None
                if not _has_rule(node):
                    unread.add(name)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Lambda):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id in NAMES:
                    found[NAMES[target.id]] = _alias(node.value, coercions)
    return found, unread


def _has_rule(method: ast.FunctionDef) -> bool:
    """Whether the method is surely no combination of others: it has a function inside, or sets an attribute."""
    inner = (node for statement in method.body for node in ast.walk(statement))
    return any(isinstance(node, ast.FunctionDef | ast.Lambda)
               or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)) for node in inner)


def _alias(value: ast.Name | ast.Lambda, coercions: Coercions) -> tuple | None:
    """What `__radd__ = __add__` or `__radd__ = lambda self, other: ...` stands for."""
    try:
        if isinstance(value, ast.Lambda):
            return _operation(_read(value.body, _parameters(value.args), coercions))
        return (NAMES[value.id], "self", "other") if value.id in NAMES else None
    except _NoRecipe:
        return None


def _parameters(args: ast.arguments) -> dict[str, str]:
    return dict(zip((a.arg for a in args.args), ("self", "other"), strict=False))


def _recipe(method: ast.FunctionDef, coercions: Coercions) -> tuple:
    names: dict = _parameters(method.args)
    for statement in method.body:
        if isinstance(statement, ast.Return) and statement.value is not None:
            return _operation(_read(statement.value, names, coercions))
        if (target := assigned(statement)) is not None:
            names[target] = _small(_read(statement.value, names, coercions))
        elif not coercions.statement(statement, names):
            raise _NoRecipe
    raise _NoRecipe


def _operation(recipe) -> tuple:
    if not isinstance(recipe, tuple):
        raise _NoRecipe
    return _small(recipe)


def _small(recipe):
    """The recipe, if it is one to follow step by step: `x = x + x` forty times over is not."""
    if _size(recipe) > LARGEST:
        raise _NoRecipe
    return recipe


def _size(recipe, recipes: Mapping[str, tuple | None] = MappingProxyType({}), inside: tuple[str, ...] = ()) -> int:
    """How many operations it takes to follow a recipe whose methods have `recipes`; a little over LARGEST at most."""
    if not isinstance(recipe, tuple):
        return 0
    total, name = 1, recipe[0].strip("!")
    if name not in inside:              # one that calls itself ends in a RecursionError before long
        total += max(_size(recipes.get(n), recipes, (*inside, name)) for n in (name, "r" + name))
    for part in recipe[1:]:
        if total > LARGEST:
            break
        total += _size(part, recipes, inside)
    return total


def _read(node: ast.expr, names: Mapping, coercions: Coercions):
    """An expression as a recipe."""
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _read(node.operand, names, coercions)
        return -inner if isinstance(inner, int | float) else ("neg", inner)
    if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
        return SIGNS[type(node.op)], _read(node.left, names, coercions), _read(node.right, names, coercions)
    if (coerced := coercions.expression(node, names)) is not None:
        return coerced
    if isinstance(node, ast.Call) and not node.keywords:
        return _call(node, names, coercions)
    raise _NoRecipe


def _call(node: ast.Call, names: Mapping, coercions: Coercions) -> tuple:
    """A method of a Value; `Value(3)`; or `add(x, y)`, `Add(x, y)`, `Add.apply(x, y)` for what `x + y` does."""
    values = [_read(x, names, coercions) for x in node.args]
    if called(node) == "Value" and len(values) == 1 and not isinstance(values[0], tuple):
        return "value", values[0]
    function = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr == "apply" else node.func
    if isinstance(function, ast.Name) and (name := FUNCTIONS.get(function.id.lower().strip("_"))) and values:
        plain = (str, int, float) if name != "pow" else ()
        return f"!{name}", *(("given", value) if isinstance(value, plain) else value for value in values)
    if isinstance(node.func, ast.Attribute) and node.func.attr in NAMES and len(values) <= 1:
        name, mine = NAMES[node.func.attr], _read(node.func.value, names, coercions)
        return (name[1:], *values, mine) if name in REFLECTED else (name, mine, *values)
    raise _NoRecipe


def _means(name: str, recipe: tuple) -> bool:
    """Whether the recipe gives what the operation means, if all others are right."""
    def right(a: float, b: float) -> bool:
        unary = name in METHODS or name == "neg"
        if unary and name == "log" and a < 0:
            return True
        operands = (a,) if unary else (b, a) if name in REFLECTED else (a, 2 if name == "pow" else b)
        engine = Engine(Flaw(), Style({name: recipe}))
        mine = engine.node(a)
        try:
            out = engine.method(name, mine, None if unary else 2 if name == "pow" else b)
            return math.isclose(out.data, VALUES[name](*operands), rel_tol=1e-9, abs_tol=1e-9)
        except (ArithmeticError, AttributeError, ValueError, TypeError, RecursionError, Stop, Unsupported):
            return False
    return all(right(a, b) for a, b in (*PLACES, *(FAR if name in ("tanh", "sigmoid") else ())))
