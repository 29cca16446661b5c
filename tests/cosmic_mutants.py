"""The mutation gate with another's mutants: cosmic-ray, a maintained tool, makes them; the judge has to notice each.

    .venv/bin/pip install cosmic-ray==8.7.0         no other command needs it
    python -m tests.cosmic_mutants [every]          each `every`-th mutant (default 1) of the model answer

cosmic-ray's own runner starts a test command for each mutant, which is seconds; here its operators change the source
and the warm judge does the rest. mutmut (3.8) does not serve: it keeps all mutants in one module and finds out in its
own process which tests run which function, and a learner's file runs in a process of its own.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.kill_table import NOT_JUDGED, reason
from tests.mutation import SOURCES, Mutant, killed_by, mutants, survivors

FILE = "reference"
EQUIVALENT = {                                      # beside those of kill_table: part of the changed line, and why
    "self.b = Value(": "Any bias to start with will do.",
    "x[ -1] if len(x) == 1": "The first of one element is the last.",
    "len(x) <= 1": "A network without outputs does not occur.",
    "nonlin=i is not last": "i goes up to last: the same as i < last.",
    "nonlin=i != last": "i goes up to last: the same as i < last.",
    "nonlin=False):": "A neuron is judged in an MLP, which always says whether it bends.",
}
ON_WHOLE_NUMBERS = ("Bit", "Shift", "Invert")       # operators that floats do not have: an error at once


def operators() -> Iterator[tuple[str, object]]:
    """(name, operator) of every operator that takes no arguments and could go unnoticed."""
    from cosmic_ray.plugins import get_operator, operator_names

    for name in sorted(operator_names()):
        kind = get_operator(name)
        if not kind.arguments() and not any(word in name for word in ON_WHOLE_NUMBERS):
            yield name.rpartition("/")[2], kind()


def changes(source: str) -> Iterator[tuple[str, str]]:
    """(name of the operator, changed source) for every mutation of cosmic-ray."""
    from cosmic_ray.mutating import mutate_code

    for name, operator in operators():
        occurrence = 0
        while (changed := mutate_code(source, operator, occurrence)) is not None:
            yield name, changed
            occurrence += 1


def others(source: str, made: Iterator[tuple[str, str]]) -> Iterator[Mutant]:
    """The mutants among `made` that change a judged function and that our own operators do not make."""
    known = {m.source for m in mutants(FILE)} | {ast.unparse(ast.parse(source))}
    lines, owner = source.splitlines(), _owners(source)
    for name, changed in made:
        try:
            plain = ast.unparse(ast.parse(changed))
        except SyntaxError:
            continue
        after = changed.splitlines()
        line = next((k for k, (old, new) in enumerate(zip(lines, after, strict=False)) if old != new), None)
        if line is None or plain in known or owner.get(line + 1, "") in {"", *NOT_JUDGED}:
            continue
        known.add(plain)
        yield Mutant(FILE, owner[line + 1], name, lines[line].strip(), after[line].strip(), plain)


def _owners(source: str) -> dict[int, str]:
    """The function, such as Value.exp, that each line belongs to."""
    found = {}
    for top in ast.parse(source).body:
        for inner in top.body if isinstance(top, ast.ClassDef) else [top]:
            if isinstance(inner, ast.FunctionDef):
                name = inner.name if inner is top else f"{top.name}.{inner.name}"
                found |= dict.fromkeys(range(inner.lineno, inner.end_lineno + 1), name)
    return found


def why_equivalent(mutant: Mutant) -> str | None:
    """Why nothing has to notice this mutant, or None."""
    return reason(mutant) or next((why for part, why in EQUIVALENT.items() if part in mutant.after), None)


def main(every: int = 1) -> int:
    """Judge the mutants, and name those that are not noticed at their level; how many these are."""
    try:
        chosen = list(others(SOURCES[FILE], changes(SOURCES[FILE])))[::every]
    except ImportError:
        print("problem: cosmic-ray is not installed -> do: .venv/bin/pip install cosmic-ray==8.7.0", file=sys.stderr)
        return 2
    with ProcessPoolExecutor(2) as pool:
        killers = dict(zip(chosen, pool.map(killed_by, chosen, chunksize=4), strict=True))
    excused = [m for m, names in killers.items() if not names and why_equivalent(m)]
    left = [m for m in survivors(killers) if m not in excused]
    print(f"{len(chosen)} mutants of cosmic-ray that are not ours: {len(chosen) - len(excused) - len(left)} killed, "
          f"{len(excused)} equivalent, {len(left)} left")
    for m in excused:
        print(f"equivalent: {m.name}  ({why_equivalent(m)})")
    for m in left:
        print(f"{m.operator}: {m.name}  (caught by: {', '.join(killers[m]) or 'nothing'})")
    return len(left)


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
