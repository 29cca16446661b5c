"""One workload on one engine, in a process of its own: `python -m utils.bench.worker WORKLOAD ENGINE SIZE WARM_SIZE`.

Requests and answers are JSON, one a line: {"do": "result"} gives numbers that all engines must agree on, {"do": "time",
"calls": n, "gc": true} the CPU seconds of n calls, {"do": "profile"} where they go, {"do": "memory", "name": ...} what
that measurement of `scalar` or `arrays` returns. ENGINE is a name of FILES, a baseline, or the path of a file.
"""

from __future__ import annotations

import cProfile
import gc
import importlib.util
import json
import os
import pstats
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from utils.bench import scalar

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions" / "02-autograd-engine"
FILES = {"level 1": "level01-naive.py", "level 2": "level02-vectorized.py",
         "level 3": "level03-memory-efficient.py", "level 3, dot": "level03-memory-efficient.py",
         "compiled": "extension-compiled.py", "layers 2": "../06-backpropagation/level02-vectorized.py",
         "layers 3": "../06-backpropagation/level03-memory-efficient.py"}
WARM_UP = 10       # calls before anything is timed
SMALLEST = 10
ENOUGH = 1_000     # numbers of a result that are compared


def engine(name: str):
    """The module that holds our engine of that name, or the one at that path; `import` cannot spell a hyphen."""
    file = SOLUTIONS / FILES[name] if name in FILES else Path(name)
    if name not in FILES:
        sys.path.append(str(file.parent))  # for the files beside a learner's
    spec = importlib.util.spec_from_file_location("engine", file)
    module = sys.modules["engine"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def workload(what: str, name: str, size: int) -> Callable[[], list]:
    """The workload as a function to call."""
    if what.startswith("arrays: "):
        from utils.bench import arrays

        arrays.warm_allocator()
        kind = what.removeprefix("arrays: ")
        others = {"by hand": arrays.by_hand, "torch": arrays.pytorch, "autograd": arrays.hips}
        if name in others:
            return others[name](kind)
        module = engine(name)
        return arrays.layers(module) if hasattr(module, "Sequential") else arrays.level02(module, kind)
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


def profiled(call: Callable[[], list]) -> dict:
    """Where a call's time goes: the collector's share of it (0 to 1), and [function, calls, its own share] of the rest.

    Two runs: one with the collector on and no profiler, which would lay its own cost on every function; then one under
    the profiler, with the collector off, whose time would count for whichever function was allocating.
    """
    started, collecting = 0.0, 0.0

    def watch(phase: str, _: dict) -> None:
        nonlocal started, collecting
        if phase == "start":
            started = time.process_time()
        else:
            collecting += time.process_time() - started

    gc.collect()
    gc.callbacks.append(watch)
    (total,) = timed(call, 1, True)
    gc.callbacks.remove(watch)
    profiler = cProfile.Profile(time.process_time)
    gc.disable()
    profiler.runcall(call)
    gc.enable()
    found = pstats.Stats(profiler).stats  # {(file, line, function): (_, calls, own seconds, ...)}
    whole = sum(own for _, _, own, *_ in found.values())
    functions: dict[str, list] = {}
    for (file, _, name), (_, calls, own, *_) in found.items():
        builtin = re.match(r"<(?:built-in )?method (?:\w+\.)*'?(\w+)", name)
        name = "the program itself" if file == scalar.__file__ else builtin[1] if builtin else name
        row = functions.setdefault(name, [name, 0, 0.0])  # many functions share a name: `_backward`, `__init__`
        row[1] += calls
        row[2] += own / whole
    return {"collector": collecting / total, "functions": sorted(functions.values(), key=lambda row: -row[2])}


def memory(name: str, what: str, engine_name: str, size: int):
    if name == "peak":
        return scalar.peak_bytes(workload(what, engine_name, size))
    if name == "activation_peak":
        from utils.bench import arrays

        return arrays.activation_peak(engine(engine_name), size)
    return getattr(scalar, name)(engine(engine_name).Value, size)


def main(what: str, name: str, size: int, warm_size: int) -> None:
    call = None
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what an engine prints must not mix with the answers
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
            answer = (result if request["do"] == "result" else profiled(call) if request["do"] == "profile" else
                      timed(call, request["calls"], request["gc"]))
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
