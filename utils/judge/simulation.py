"""Run a script on a wrong engine (utils/judge/flawed.py), in this process and within bounds."""

from __future__ import annotations

from dataclasses import dataclass

from utils.judge.flawed import Engine, Flaw, Node, Stop, Style, Unsupported
from utils.judge.program import METHODS
from utils.judge.walks import backward

LONGEST_SCRIPT = 600        # steps; longer scripts are not simulated


@dataclass(frozen=True)
class Result:
    """How a script ended: its reports, and the kind of error that stopped it, its type, and the step where it did."""

    reports: list
    kind: str | None = None
    detail: str | None = None
    step: int | None = None


def simulate(steps: list, flaw: Flaw, style: Style) -> Result:
    """What a script does on an engine with this flaw; Unsupported if that cannot be told."""
    if length(steps) > LONGEST_SCRIPT:
        raise Unsupported
    engine, registers, reports, position = Engine(flaw, style), {}, [], -1

    def operand(x):
        return registers[x["r"]] if isinstance(x, dict) else x

    def run(kind, *rest) -> None:
        if kind == "new":
            registers[rest[0]] = engine.node(rest[1])
        elif kind == "op":
            registers[rest[0]] = _kept(engine.operate(rest[1], *(operand(x) for x in rest[2:])))
        elif kind == "call" and rest[2] in METHODS and not rest[3]:
            registers[rest[0]] = _kept(engine.method(rest[2], operand(rest[1])))
        elif kind == "backward":
            backward(engine, operand(rest[0]))
        elif kind == "get":
            reports.append(getattr(operand(rest[0]), rest[1]))
        elif kind == "set":
            setattr(operand(rest[0]), rest[1], rest[2])
        elif kind == "repeat":
            before = len(reports)
            for step in rest[1] * rounds(*rest):
                run(*step)
            reports.extend(reports[before:] * (rest[0] - 1) if rounds(*rest) < rest[0] else [])
        elif kind != "collect":
            raise Unsupported
    try:
        for step in steps:
            position += 1
            run(*step)
    except Stop as stop:
        return Result(reports, stop.kind, stop.detail, position)
    except RecursionError:
        return Result(reports, "recursion", None, position)
    except (ArithmeticError, ValueError, TypeError) as error:
        return Result(reports, "raised", type(error).__name__, position)
    return Result(reports)


def length(steps: list) -> int:
    """How many steps are taken, those of a repetition each time that it is run."""
    return sum(rounds(*step[1:]) * length(step[2]) if step[0] == "repeat" else 1 for step in steps)


def rounds(times: int, steps: list) -> int:
    """How often a repetition is run: once where each round throws its graph away, for then all rounds are alike."""
    return 1 if steps[-1] == ["collect"] else times


def _kept(out) -> Node:
    """`out`, which the worker keeps only where it is a Value."""
    if not isinstance(out, Node):
        raise Stop("lost-node", type(out).__name__)
    return out
