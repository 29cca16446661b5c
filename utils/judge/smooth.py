"""Where operations are smooth and well-conditioned: what programs are drawn from, and made smaller within."""

from __future__ import annotations

import math

from utils.judge.program import Program, Ref

LARGEST, SMALLEST = 10.0, 0.1       # where values stay: functions are smooth and rounding is small there


def value(op: str, x: list[float]) -> float | None:
    """The result in floats, or None where this step would leave the smooth, well-conditioned region."""
    if (op in ("log", "relu", "truediv") and abs(x[-1]) < SMALLEST) or (op == "log" and x[0] < 0):
        return None
    if op == "pow" and (abs(x[0]) < SMALLEST or (x[0] < 0 and x[1] != int(x[1]))):
        return None
    if op == "exp" and x[0] > LARGEST:
        return None
    result = {
        "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "neg": lambda a: -a,
        "truediv": lambda a, b: a / b, "pow": lambda a, b: a**b, "relu": lambda a: max(a, 0.0), "tanh": math.tanh,
        "exp": math.exp, "log": math.log, "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    }[op](*x)
    return result if abs(result) <= LARGEST else None


def well_conditioned(program: Program) -> bool:
    """Whether every step of a program stays in the smooth, well-conditioned region."""
    values = [float(x) for x in program.leaves.values()]
    for line in program.lines:
        found = value(line.op, [values[x.index] if isinstance(x, Ref) else x for x in line.operands])
        if found is None:
            return False
        values.append(found)
    return True
