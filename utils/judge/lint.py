"""Facts about an engine read from its source, never by running it: a second opinion when its numbers are wrong.

A note is a sentence for the learner. A fact is a word for diagnosis, where two ways of being wrong behave alike.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from utils.judge.recipes import NAMES

REAL = frozenset(name for kind in (int, float, complex, list, dict, set, type, type(len), type(lambda: 0))
                 for name in dir(kind)) | {
    f"__{name}__" for name in ("matmul", "rmatmul", "imatmul", "itruediv", "ifloordiv", "imod", "ipow", "ilshift",
                               "irshift", "del",
                               "next", "enter", "exit", "getattr", "post_init", "slots", "match_args", "set_name",
                               "copy", "deepcopy",
                               "array", "array_priority", "array_ufunc", "array_function", "bytes", "version", "all",
                               "author")}
MEANT = {"__div__": "__truediv__", "__rdiv__": "__rtruediv__", "__idiv__": "__itruediv__", "__nonzero__": "__bool__",
         "__rgt__": "__lt__", "__rlt__": "__gt__", "__rge__": "__le__", "__rle__": "__ge__", "__rneg__": "__neg__",
         "__exp__": "exp", "__log__": "log", "__relu__": "relu", "__tanh__": "tanh", "__sigmoid__": "sigmoid",
         "__power__": "__pow__",
         "__minus__": "__sub__", "__plus__": "__add__", "__times__": "__mul__", "__divide__": "__truediv__",
         "__subtract__": "__sub__", "__negative__": "__neg__", "__multiply__": "__mul__", "__backward__": "backward"}
REDEFINED = ("setter", "getter", "deleter", "overload", "register")
NAME_ERROR = re.compile(r"name '(\w+)' is not defined")
MISSING = re.compile(r"there is no `(\w+)`")
MODULES = ("math", "random", "numpy", "np")
DRAWN = frozenset(("_prev", "_op", "label", "_children"))     # names of the brief, which drawings read
BARE = frozenset(name.strip("_") for name in REAL)
MOST_NAMES = 300                    # of a file, among which one that is spelt nearly so is looked for
MOST_LINES, MOST_NOTES = 3, 6       # lines of one note, and notes, that are told
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Note:
    """A sentence and the line that it is about; `fact` is the word that diagnosis knows it by, if it does.

    Notes of one `kind` say the same of other names.
    """

    line: int
    says: str
    fact: str | None = None
    kind: str | None = None

    def __str__(self) -> str:
        return f"Line {self.line}: {self.says}"


def notes(source: str, errors: Collection[str] = (), stopped: bool = False) -> tuple[Note, ...]:
    """What is odd about this source, in the order of its lines; () for one that cannot be read.

    `errors` are the sentences of what the checks met: only a name that failed there is said to be undefined or missing.
    `stopped` says that only large graphs took too long: then a slow way of searching is worth a word.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()
    found = [*_undefined(tree, errors), *_nearly(tree, errors)]
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        found += [*_defined_twice(cls), *_misspelt(cls)]
    read = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}
    for cls in _engine(tree):
        found += [*_hidden_methods(cls), *_unread_attributes(cls, read | {"grad", "data", "_backward"})]
        for method in _methods(cls):
            found += [*_rules(method), *_leaves(method, cls)]
        if stopped:
            found += _searched_lists(cls)
    return tuple(sorted(found, key=lambda note: note.line))


def told(found: Collection[Note]) -> list[str]:
    """Notes as sentences for a report, those of one kind together."""
    groups: dict[str, list[Note]] = {}
    for note in found:
        groups.setdefault(note.kind or note.says, []).append(note)
    sentences = [_together(alike) for alike in groups.values()]
    more = len(sentences) - MOST_NOTES
    return sentences[:MOST_NOTES] + ([f"There is more to say of this file ({more}): mend these first."]
                                     if more > 0 else [])


def _together(alike: list[Note]) -> str:
    """One sentence for notes that say the same, of the same names or of others."""
    lines = list(dict.fromkeys(note.line for note in alike))
    if len({note.says for note in alike}) == 1:
        return f"{_lines(lines)}: {alike[0].says}"
    rest = _lines([line for line in lines if line != alike[0].line])
    return f"{alike[0]} The same in l{rest[1:]}." if rest else str(alike[0])


def _lines(lines: list[int]) -> str:
    """ "Line 3", "Lines 3, 5, 7 and 2 more"; "" for none."""
    some = ", ".join(map(str, lines[:MOST_LINES]))
    more = f" and {len(lines) - MOST_LINES} more" if len(lines) > MOST_LINES else ""
    return f"Line{'s' * (len(lines) > 1)} {some}{more}" if lines else ""


def _engine(tree: ast.Module) -> list[ast.ClassDef]:
    """The class Value, or the one that it is another name of, and those of its base classes that stand in this file."""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    waiting = ["Value", *(node.value.id for node in tree.body if isinstance(node, ast.Assign)
                          and isinstance(node.value, ast.Name)
                          and any(isinstance(target, ast.Name) and target.id == "Value" for target in node.targets))]
    names: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in classes and name not in names:
            waiting += [base.id for base in classes[name].bases if isinstance(base, ast.Name)]
        names.add(name)
    return [cls for name, cls in classes.items() if name in names]


def facts(source: str) -> frozenset[str]:
    """The words that diagnosis knows this source by."""
    return frozenset(note.fact for note in notes(source) if note.fact)


def _methods(cls: ast.ClassDef) -> Iterator[Function]:
    return (node for node in cls.body if isinstance(node, Function))


def _defined_twice(cls: ast.ClassDef) -> Iterator[Note]:
    first: dict[str, int] = {}
    for method in _methods(cls):
        decorations = {getattr(d, "attr", getattr(d, "id", "")) for d in method.decorator_list}
        if method.name in first and not decorations & set(REDEFINED):
            yield Note(method.lineno, f"`{method.name}` is defined a second time (first in line {first[method.name]}). "
                       "Python keeps the later one.")
        first.setdefault(method.name, method.lineno)


def _misspelt(cls: ast.ClassDef) -> Iterator[Note]:
    """Methods that Python will never look for, though their names say that it should."""
    stored = (node for node in ast.walk(cls) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    known = {method.name for method in _methods(cls)} | {node.id for node in stored}
    for method in _methods(cls):
        name = method.name
        looks_special = name.startswith("_") and name.endswith("_") and name.strip("_") and len(name) > 4
        if looks_special and name not in REAL:
            near = _near(name.strip("_"), BARE)
            meant = MEANT.get(name) or (f"__{near}__" if near else None)
            if meant and meant not in known:
                why = "That is Python 2's name" if name in ("__div__", "__rdiv__", "__idiv__", "__nonzero__") else \
                    "Python never looks for that name"
                yield Note(method.lineno, f"`{name}`: {why}. Did you mean `{meant}`?")


def _is_self(node: ast.expr, method: Function) -> bool:
    return isinstance(node, ast.Name) and bool(method.args.args) and node.id == method.args.args[0].arg


def _stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)


def _special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _hidden_methods(cls: ast.ClassDef) -> Iterator[Note]:
    """`self.backward = ...` in a class that has a method of that name."""
    names = {method.name for method in _methods(cls) if not method.decorator_list}
    for method in _methods(cls):
        for node in ast.walk(method):
            if _stored(node) and node.attr in names and _is_self(node.value, method):
                yield Note(node.lineno, f"`self.{node.attr} = ...` hides the method `{node.attr}()` of the same name.",
                           "backward-hidden" if node.attr == "backward" else None)


def _unread_attributes(cls: ast.ClassDef, read: Collection[str]) -> Iterator[Note]:
    """`out._backword = ...`: an attribute of a node that is set, never read, and spelt nearly as one that is read."""
    methods = {method.name for method in _methods(cls) if not method.decorator_list}
    unread = []
    for node in (node for method in _methods(cls) for node in ast.walk(method)):
        if not _stored(node) or not isinstance(node.value, ast.Name) or node.attr in DRAWN or _special(node.attr):
            continue
        what = f"{node.value.id}.{node.attr}"
        if node.attr in methods and node.value.id != "self":
            meant = " Did you mean `_backward`?" if node.attr == "backward" else ""
            yield Note(node.lineno, f"`{what} = ...` hides the method `{node.attr}()` of that one Value.{meant}",
                       kind=f"hides {node.attr}")
        elif node.attr not in read and node.attr not in methods:
            unread.append((node, what))
    for node, what in unread[:MOST_NAMES]:
        if near := _near(node.attr, read):
            yield Note(node.lineno, f"`{what}` is set here and read nowhere. Did you mean `{near}`?")


def _near(name: str, names: Collection[str], likeness: float = 0.75) -> str | None:
    """The one of `names` that is spelt nearly so; None where there are so many that each would take a while."""
    few = sorted(names) if len(names) <= MOST_NAMES else ()
    return next(iter(difflib.get_close_matches(name, few, 1, likeness)), None)


def _rules(method: Function) -> Iterator[Note]:
    """Rules that never run: not attached, attached only inside themselves, or called instead of attached."""
    nodes = list(ast.walk(method))
    inner = [node for node in nodes if isinstance(node, ast.FunctionDef) and node is not method]
    used: dict[str, list[ast.Name]] = {}
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            used.setdefault(node.id, []).append(node)
    for rule in inner:
        own, uses = {id(node) for node in ast.walk(rule)}, used.get(rule.name, [])
        outside = any(id(node) not in own for node in uses)
        if not outside and uses:
            yield Note(uses[0].lineno, f"`{rule.name}` of `{method.name}` is mentioned only inside itself. Is this "
                       "line indented one step too far?", kind="inside itself")
        elif not outside and not rule.decorator_list:
            yield Note(rule.lineno, f"`{rule.name}` of `{method.name}` is defined and never used again: attach it to "
                       "`out`.", kind="not attached")
    if method.name not in NAMES:
        return
    names = {rule.name for rule in inner}
    for node in nodes:
        if (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
                and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)
                and node.value.func.id in names):
            rule = node.value.func.id
            yield Note(node.lineno, f"`{rule}()` calls the rule here, before there is a gradient. Store the function "
                       f"itself: `{ast.unparse(node.targets[0])} = {rule}`.", f"rule-called:{NAMES[method.name]}",
                       kind="called")


def _leaves(method: Function, cls: ast.ClassDef) -> Iterator[Note]:
    """An operation that makes its result from a number alone."""
    if method.name not in NAMES or any(isinstance(node, ast.FunctionDef | ast.Lambda) for node in ast.walk(method)
                                       if node is not method):
        return
    if any(_stored(node) for node in ast.walk(method)):
        return
    for node in ast.walk(method):
        if (isinstance(node, ast.Return) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)
                and node.value.func.id == cls.name and len(node.value.args) == 1 and not node.value.keywords):
            yield Note(node.lineno, f"`{method.name}` makes its result without its inputs as children, so it is a new "
                       "leaf.", f"leaves-graph:{NAMES[method.name]}", kind="leaf")


def _searched_lists(cls: ast.ClassDef) -> Iterator[Note]:
    """`if node in visited` where visited is a list."""
    for method in _methods(cls):
        pairs = [pair for node in ast.walk(method) if isinstance(node, ast.Assign) for pair in _pairs(node)]
        lists = {target.id for target, value in pairs if isinstance(target, ast.Name) and _is_list(value)}
        for node in ast.walk(method):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
                where = node.comparators[0]
                if isinstance(where, ast.Name) and where.id in lists:
                    yield Note(node.lineno, f"`{where.id}` is a list, and `in` looks through all of it each time: "
                               "with 16,000 nodes that is 100 million comparisons. Use a set.")


def _is_list(value: ast.expr) -> bool:
    return isinstance(value, ast.List) or (isinstance(value, ast.Call) and getattr(value.func, "id", "") == "list")


def _pairs(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    """(target, value) of an assignment, `a, b = [], []` included."""
    target = node.targets[0]
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        return list(zip(target.elts, node.value.elts, strict=False))
    return [(target, node.value)]


def _undefined(tree: ast.Module, errors: Collection[str]) -> Iterator[Note]:
    """The names that a check stumbled over, and what may have been meant."""
    names = {match[1] for error in errors if (match := NAME_ERROR.search(error))}
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, Function | ast.ClassDef)}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    bound |= {(alias.asname or alias.name).split(".")[0] for node in imports for alias in node.names}
    for name in sorted(names):
        use = next((node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name), None)
        if use is None:
            continue
        near = _near(name, bound - {name}, 0.6)
        if name in MODULES:
            cure = f"put `import {'numpy as np' if name == 'np' else name}` at the top of the file."
        elif name in bound:
            cure = "it has a value elsewhere, which is not seen from here."
        else:
            cure = f"did you mean `{near}`?" if near else "nothing in this file gives it a value."
        yield Note(use.lineno, f"`{name}` is not defined here: {cure}")


def _nearly(tree: ast.Module, errors: Collection[str]) -> Iterator[Note]:
    """A class or function of the file that is spelt nearly as one that a check did not find."""
    defined = {node.name: node.lineno for node in tree.body if isinstance(node, ast.ClassDef | Function)}
    for name in sorted({match[1] for error in errors if (match := MISSING.search(error))}):
        alike = {other.lower(): other for other in defined}
        near = alike.get(_near(name.lower(), alike))
        if near and name not in defined:
            yield Note(defined[near], f"`{near}` stands here. Did you mean `{name}`?")
