"""One workload on one engine, in a process of its own: `python -m utils.bench.worker WORKLOAD ENGINE SIZE WARM_SIZE`.

Requests and answers are JSON, one a line: {"do": "result"} gives numbers that all engines must agree on, {"do": "time",
"calls": n, "gc": true} the CPU seconds of n calls, {"do": "memory", "name": ...} what that measurement of `scalar` or
`arrays` returns.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from utils.bench import scalar

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions" / "02-autograd-engine"
FILES = {"level 2": "level02-vectorized.py", "level 3": "level03-memory-efficient.py",
         "level 3, dot": "level03-memory-efficient.py", "compiled": "extension-compiled.py"}
WARM_UP = 10       # calls before anything is timed
SMALLEST = 10
ENOUGH = 1_000     # numbers of a result that are compared


def engine(name: str):
    """The module that holds our engine of that name; its file name has a hyphen, so `import` cannot spell it."""
    spec = importlib.util.spec_from_file_location("engine", SOLUTIONS / FILES[name])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def workload(what: str, name: str, size: int) -> Callable[[], list]:
    """The workload as a function to call."""
    if what.startswith("arrays: "):
        from utils.bench import arrays

        arrays.warm_allocator()
        kind = what.removeprefix("arrays: ")
        others = {"by hand": arrays.by_hand, "torch": arrays.pytorch, "autograd": arrays.hips}
        return others[name](kind) if name in others else arrays.level02(engine(name), kind)
    if name == "compiled":
        return scalar.compiled_moons(engine(name).compile_gradient, size)
    if name == "micrograd":
        from micrograd.engine import Value

        sys.setrecursionlimit(10**8)  # its backward() recurses
        return getattr(scalar, what)(Value, size)
    module = engine(name)
    if name == "level 3, dot":
        return scalar.moons(module.Value, size, module.dot)
    if what == "checkpointed":
        return scalar.layers(module.Value, size, round(size**0.5), module.checkpoint)
    return getattr(scalar, what)(module.Value, size)


def numbers(result: list) -> list[float]:
    """A result as floats: the first of each array, and its norm."""
    out = []
    for item in result:
        item = item.detach().numpy() if hasattr(item, "detach") else item
        if getattr(item, "ndim", 0):
            flat = item.ravel().astype(float)
            out += [*flat[:20].tolist(), float((flat @ flat) ** 0.5)]
        else:
            out.append(float(item))
    return out[:ENOUGH]


def timed(call: Callable[[], list], calls: int, collecting: bool) -> list[float]:
    """CPU seconds of each call, with the garbage collector on or off."""
    seconds = []
    for _ in range(calls):
        if not collecting:
            gc.collect()
            gc.disable()
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
        gc.enable()
    return seconds


def memory(name: str, what: str, engine_name: str, size: int):
    if name == "peak":
        return scalar.peak_bytes(workload(what, engine_name, size))
    if name == "activation_peak":
        from utils.bench import arrays

        return arrays.activation_peak(engine(engine_name), size)
    return getattr(scalar, name)(engine(engine_name).Value, size)


def main(what: str, name: str, size: int, warm_size: int) -> None:
    call = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "memory":
            answer = memory(request["name"], what, name, size)
        else:
            if call is None:
                workload(what, name, SMALLEST)  # for its imports: only they are out of the collector's sight
                gc.collect()
                gc.freeze()
                warm = workload(what, name, warm_size)
                for _ in range(WARM_UP):
                    warm()
                call = workload(what, name, size) if size != warm_size else warm
                result = numbers(call())
            answer = result if request["do"] == "result" else timed(call, request["calls"], request["gc"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
