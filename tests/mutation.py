"""The mutation gate: small changes to the model answer and to the stub, and which promises notice them.

    python -m tests.mutation            every mutant of both files; fails if one survives that is not known as equivalent
    python -m tests.mutation --table    the same, and writes tests/02-autograd-engine/kill-table.md
    python -m tests.mutation --seeds 9  a fixed share of mutants, and the catalogue's engines, with 9 seeds: whether any
                                        graded verdict differs from a learner's own (100 seeds take some eight hours)
    python -m tests.mutation --seeds 100 5      the same, each engine with 5 of the 100 seeds, all seeds in turn

A mutant is caught by a promise if that promise does not hold for it. One in the code of a level must be caught by a promise
of that level: level 3 draws programs from everything, and must not be the only one to notice.
"""

from __future__ import annotations

import ast
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice, repeat
from pathlib import Path

from tests.drawn_once import drawn_once
from tests.engines import REFERENCE, TOPIC, written
from tests.kill_table import NOT_JUDGED, reason, table, unused_reasons
from tests.wrong_bases import BASES
from tests.wrong_engines import WRONG
from utils.curriculum import ROOT
from utils.judge.core import DEFAULT_SEED
from utils.judge.engine import Engine
from utils.judge.promises import Broken, Promise, collect
from utils.judge.recipes import KEPT_AS_SET
from utils.judge.session import Limits, Outcome, Session

SOURCES = {"reference": REFERENCE, "stub": (ROOT / "utils" / "autograd_stub.py").read_text(encoding="utf-8")}
ORDINARY = Limits()
ENOUGH = Limits(cpu=1.0, wall=20.0)     # a right engine needs milliseconds for a script without limits of its own
LONGEST = 4.0                           # CPU seconds for the others, which need half a second
NETWORK = ("Neuron", "Layer", "MLP", "train_step", "dot")
EXTENSIONS = ("checkpoint", "derivative", "_run", "_run_again")
BASICS = ("__init__", "__add__", "__radd__", "__mul__", "__rmul__", "backward", "_node")
ENDLESS = 2                             # a mutant that has reached so many limits is caught: the rest is not run


@dataclass(frozen=True)
class Mutant:
    """One change: in which file and function, of which kind, and the statement before and after."""

    file: str
    function: str
    operator: str
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        return f"{self.file}: {self.function}: `{self.before}` -> `{self.after}`"

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels that promise what the changed code does: one of them has to notice."""
        if self.function.startswith(NETWORK):
            return (4,)
        if self.function in EXTENSIONS:
            return (3,)
        if self.file == "stub" and self.function == "Value.backward":
            return (1, 3, 4)                # one of its branches is for a network's nodes and for checkpoints
        if self.function == "_node":
            return (1, 3)                   # what a result starts from shows in the derivative of a derivative
        return (1,) if self.function.rpartition(".")[2] in BASICS else (2,)


# Operators: each gives the nodes that may stand in a node's place.

def _assignments(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.AugAssign):
        yield "`+=` to `=`", ast.Assign([node.target], node.value, lineno=0)
        other = {ast.Add: ast.Sub, ast.Sub: ast.Add}.get(type(node.op))
        if other:
            yield "flipped sign", ast.AugAssign(node.target, other(), node.value)


def _upstream(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    def is_upstream(x):
        return ast.unparse(x) in ("out.grad", "grad", "self.grad", "node.grad") and isinstance(x.ctx, ast.Load)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        if is_upstream(node.right):
            yield "upstream dropped", node.left
        if is_upstream(node.left):
            yield "upstream dropped", node.right
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and is_upstream(node.left):
        yield "upstream dropped", ast.BinOp(ast.Constant(1.0), node.op, node.right)


def _arithmetic(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    others = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
    if isinstance(node, ast.BinOp) and type(node.op) in others:
        yield "other operator", ast.BinOp(node.left, others[type(node.op)](), node.right)
        if isinstance(node.op, ast.Sub | ast.Div | ast.Pow):
            yield "swapped operands", ast.BinOp(node.right, node.op, node.left)
        if isinstance(node.op, ast.Sub | ast.Pow):
            yield "second operand dropped", node.left
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "flipped sign", node.operand


def _names(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in ("self", "other"):
        yield "other operand", ast.Name("other" if node.id == "self" else "self", node.ctx)
    if isinstance(node, ast.Attribute) and node.attr in ("data", "grad") and isinstance(node.ctx, ast.Load):
        yield "data and grad mixed up", ast.Attribute(node.value, "grad" if node.attr == "data" else "data", node.ctx)


def _constants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "other constant", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield "constant one more", ast.Constant(node.value + 1)
        if node.value:
            yield "constant 0", ast.Constant(0 * node.value)


def _conditions(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield "negated condition", type(node)(**{**dict(ast.iter_fields(node)), "test": ast.UnaryOp(ast.Not(), node.test)})
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        others = {ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt,), ast.Lt: (ast.LtE,), ast.LtE: (ast.Lt,)}
        for op in others.get(type(node.ops[0]), ()):
            yield "other comparison", ast.Compare(node.left, [op()], node.comparators)


def _calls(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "reversed":
        yield "order not reversed", node.args[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
        yield "order turned", ast.Call(ast.Attribute(node.func.value, "insert", ast.Load()), [ast.Constant(0), *node.args], [])
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "abs":
        yield "abs dropped", node.args[0]


def _removals(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.If | ast.Return | ast.Continue) and not text:
        yield "statement removed", ast.Pass()


OPERATORS = (_assignments, _upstream, _arithmetic, _names, _constants, _conditions, _calls, _removals)


def mutants(file: str) -> list[Mutant]:
    """Every mutant of "reference" or "stub", each a different program."""
    return mutants_of(file, SOURCES[file])


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Every mutant of the text of a file, which is called `file` in their names."""
    tree = ast.parse(source)
    found = {ast.unparse(tree): None}
    for function, body in _functions(tree):
        for statement, parent, field, index, node in _places(body):
            before = _line(statement)
            for operator in OPERATORS:
                for kind, new in operator(node):
                    _put(parent, field, index, new)
                    source = ast.unparse(ast.fix_missing_locations(tree))
                    after = _line(new if node is statement else statement)
                    _put(parent, field, index, node)
                    if source not in found:
                        found[source] = Mutant(file, function, kind, before, after, source)
    told: Counter[str] = Counter()
    for source, m in found.items():
        if m:
            told[m.name] += 1
            found[source] = m if told[m.name] == 1 else replace(m, after=f"{m.after} ({told[m.name]})")
    return [m for m in found.values() if m]


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for top in tree.body:
        for inner in top.body if isinstance(top, ast.ClassDef) else [top]:
            name = f"{top.name}.{inner.name}" if inner is not top and isinstance(inner, ast.FunctionDef) else getattr(top, "name", "")
            if isinstance(inner, ast.FunctionDef) and name not in NOT_JUDGED:
                yield name, inner


def _places(node: ast.AST, statement: ast.stmt | None = None) -> Iterator[tuple]:
    """(enclosing statement, parent, field, index, node) for everything in a function's body."""
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.FunctionDef) and field != "body":
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                inside = child if isinstance(child, ast.stmt) else statement
                yield inside, node, field, index, child
                yield from _places(child, inside)


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _line(statement: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(statement)).split("\n")[0]


class _Impatient(Engine):
    """An engine with short limits, for mutants that never end."""

    hit = 0

    def outcome(self, steps: list, limits: Limits = ORDINARY) -> Outcome:
        limits = ENOUGH if limits == ORDINARY else replace(limits, cpu=min(limits.cpu, LONGEST))
        outcome = super().outcome(steps, limits)
        self.hit += bool(outcome.error) and outcome.error["kind"] == "timeout"
        return outcome


def promises(file: str) -> list[Promise]:
    """The promises that this file keeps; the model answer is recursive and does not keep that of the long chain."""
    return [p for p in collect(TOPIC) if "engine" in p.asks_for and (file == "stub" or p.exercise != "3.3")]


def concerned(mutant: Mutant, promise: Promise) -> bool:
    """Whether the promise runs the mutated code at all: `+`, `*` and backward are used by all, the network by its own only."""
    level = int(promise.exercise[0])
    if mutant.levels == (3,):
        return promise.exercise in ("3.4", "3.5")
    if mutant.levels == (2,):
        return level in (2, 4) or promise.exercise == "3.1"
    return mutant.levels[0] == 1 or level == 4


def broken_by(source: str, wanted: list[Promise], folder: Path, seed: int = DEFAULT_SEED) -> list[str]:
    """The names of the promises that do not hold for this file."""
    broken = []
    with Session(written(folder, source)) as session, drawn_once():
        engine = _Impatient(session, seed)
        for promise in wanted:
            if engine.hit < ENDLESS:
                try:
                    promise.keep(engine=engine)
                except Broken:
                    broken.append(promise.name)
    return broken


def killed_by(mutant: Mutant) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return broken_by(mutant.source, [p for p in promises(mutant.file) if concerned(mutant, p)], Path(folder))


def survivors(killers: dict[Mutant, list[str]]) -> list[Mutant]:
    """Mutants that no promise of their own level catches, and that are not known to be equivalent."""
    level_of = {p.name: int(p.exercise[0]) for p in promises("stub")}
    return [m for m, names in killers.items()
            if not {level_of[name] for name in names} & set(m.levels) and (names or not reason(m))]


def share(step: int) -> list[Mutant]:
    """A fixed share of all mutants: each `step`-th; with 1, every one."""
    return [m for file in SOURCES for m in mutants(file)[3 % step::step]]


def depends_on_seed(chosen: list[Mutant], seeds: Iterable[int], exercises: str = "", each: int | None = None,
                    pool: Executor | None = None) -> list[str]:
    """Where a graded verdict is another than the learner's own, of the exercises that begin so (by default all).

    `each` is how many of the seeds a mutant is judged with, all seeds in turn; by default it is judged with every one.
    """
    share_out = pool.map if pool else map
    local = dict(zip(chosen, share_out(partial(_verdict, exercises), repeat(DEFAULT_SEED), chosen), strict=True))
    turns = cycle(range(len(seeds := list(seeds))))
    by_seed = {seed: {} for seed in seeds}
    for m in chosen:
        for turn in islice(turns, each or len(seeds)):
            by_seed[seeds[turn]][m] = local[m]
    return [line for lines in share_out(partial(_differences, exercises), by_seed, by_seed.values()) for line in lines]


def _verdict(exercises: str, seed: int, m: Mutant) -> set[str]:
    """The promises that do not hold, by name; only the exercise, where luck decides which of its promises.

    That is so in an engine whose sets of nodes are walked in the order of their addresses.
    """
    wanted = [p for p in promises(m.file) if p.exercise.startswith(exercises) and concerned(m, p)]
    lucky = {p.name: p.exercise for p in wanted if KEPT_AS_SET.search(m.source)}
    with tempfile.TemporaryDirectory() as folder:
        return {lucky.get(name, name) for name in broken_by(m.source, wanted, Path(folder), seed)}


def _differences(exercises: str, seed: int, local: dict[Mutant, set[str]]) -> list[str]:
    """One seed: the mutants whose verdict is not that of a learner's own check, and in which promises."""
    differ = {m: _verdict(exercises, seed, m) ^ own for m, own in local.items()}
    return [f"seed {seed}, {m.name}: {', '.join(sorted(names))}" for m, names in differ.items() if names]


def with_catalogue(every: list[Mutant]) -> list[Mutant]:
    """Both files as they are, these mutants, and the wrong and right engines of the catalogue's tests."""
    unchanged = [Mutant(file, "Value.backward", "none", "", "", source) for file, source in SOURCES.items()]
    engines = {name: engine.source for name, engine in WRONG.items()} | BASES
    return unchanged + every + [Mutant("reference", "Value.backward", "catalogue", name, "", source)
                                for name, source in engines.items()]


def main(arguments: list[str]) -> int:
    if "--seeds" in arguments:
        number, *each = list(map(int, arguments[arguments.index("--seeds") + 1:])) or [100]
        with ProcessPoolExecutor(2) as pool:
            found = depends_on_seed(with_catalogue(share(40)), range(1, number + 1), "", each[0] if each else None, pool)
        print("\n".join(found) or "no verdict depends on the seed")
        return bool(found)
    every = [m for file in SOURCES for m in mutants(file)]
    with ProcessPoolExecutor(2) as pool:
        killers = dict(zip(every, pool.map(killed_by, every, chunksize=4), strict=True))
    left = survivors(killers)
    text = table(killers, [p for p in collect(TOPIC) if "engine" in p.asks_for])
    if "--table" in arguments:
        (TOPIC.tests / "kill-table.md").write_text(text, encoding="utf-8")
    print(text.partition("\n## ")[0])
    for m in left:
        print(f"not caught at level {' or '.join(map(str, m.levels))}: {m.name}  "
              f"(caught by: {', '.join(killers[m]) or 'nothing'})")
    stale = unused_reasons(killers)
    for pattern in stale:
        print(f"listed as equivalent, but no mutant that survives is like this: {pattern}")
    return bool(left or stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
