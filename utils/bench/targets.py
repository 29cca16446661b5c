"""Every target by its id: what is measured, against what, and the bound; results are rows of one table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from utils.bench import growth
from utils.bench.measure import Race, memory, race

IDS = ("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "V1", "V2", "V3", "V4", "L1", "G1", "G2", "G3",
       "W1", "W2")


@dataclass(frozen=True)
class Plan:
    """How much is measured. `quick` takes smaller graphs and fewer rounds; its bounds are the same."""

    quick: bool
    rounds: int
    baselines: Path | None  # the Python that has micrograd and autograd, if they are there

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full


@dataclass(frozen=True)
class Row:
    """One comparison: what, ours and theirs with a unit, the figure that counts, and its bound."""

    id: str
    what: str
    ours: float | None
    theirs: float | None
    against: str
    unit: str
    figure: float | None  # a ratio, or ours where nothing stands beside it
    bound: float | None     # None: no target, the figure is shown
    at_least: bool
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the figure is within its bound; None if it was not measured, or has none."""
        if self.figure is None or self.bound is None:
            return None
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def as_dict(self) -> dict:
        return dataclasses.asdict(self) | {"met": self.met}


def _times_faster(id: str, what: str, ours: float, theirs: float | None, bound: float, against: str = "micrograd",
                  note: str = "") -> Row:
    """`theirs` over `ours`, at least `bound`; both in seconds, shown in ms."""
    ratio = None if theirs is None else theirs / ours
    return Row(id, what, ours * 1e3, None if theirs is None else theirs * 1e3, against, "ms", ratio, bound, True,
               note or ("" if theirs else f"{against} is not installed"))


def _times_slower(id: str, what: str, ours: float, theirs: float | None, bound: float | None, against: str) -> Row:
    """`ours` over `theirs`, at most `bound`, where there is one."""
    ratio = None if theirs is None else ours / theirs
    return Row(id, what, ours * 1e3, None if theirs is None else theirs * 1e3, against, "ms", ratio, bound, False,
               "" if theirs else f"{against} is not installed")


def _at_most(id: str, what: str, value: float, bound: float, unit: str, note: str = "") -> Row:
    return Row(id, what, value, None, "", unit, value, bound, False, note)


def _get(times: dict, engine: str, mode: str = "on") -> float | None:
    return times.get(engine, {}).get(mode)


def graphs(plan: Plan) -> Iterator[Row]:
    """S1 to S4: random programs, a chain, a fan-out."""
    pair = ("level 3", "micrograd")
    size = plan.size(10_000, 10_000)
    times = race(Race("dag", pair, size, size, plan.size(5, 3), without_gc=True), plan.rounds, plan.baselines)
    for mode, bound in (("on", 9), ("off", 4.5)):
        yield _times_faster("S1", f"random program, {size:,} nodes, collector {mode}", times["level 3"][mode],
                            _get(times, "micrograd", mode), bound)
    for id, workload, words, full, quick, bound in (("S2", "dag", "random program", 1_000_000, 30_000, 6),
                                                    ("S3", "chain", "chain", 1_000_000, 30_000, 6),
                                                    ("S4", "fan", "fan-out", 100_000, 20_000, 10)):
        size = plan.size(full, quick)
        times = race(Race(workload, pair, size, 1_000, 1), plan.rounds, plan.baselines)
        note = "ours at the default recursion limit, micrograd at a raised one" if id == "S3" else ""
        yield _times_faster(id, f"{words}, {size:,} nodes", times["level 3"]["on"], _get(times, "micrograd"), bound,
                            note=note)


def moons(plan: Plan) -> Iterator[Row]:
    """S5 to S7: one training step on two moons, number by number."""
    engines = ("level 3", "level 3, dot", "compiled", "micrograd")
    times = race(Race("moons", engines, 100, 5, plan.size(3, 1)), plan.rounds, plan.baselines)
    theirs = _get(times, "micrograd")
    yield _times_faster("S5", "two moons, a step", times["level 3"]["on"], theirs, 18)
    yield _times_faster("S6", "two moons, a step, fused dot", times["level 3, dot"]["on"], theirs, 60)
    compiled = times["compiled"]["on"]
    yield _times_faster("S7", "two moons, a step, compiled", compiled, theirs, 400)
    torch = _get(_array_times("moons", plan), "torch")
    yield _times_slower("S7", "two moons, compiled against arrays", compiled, torch, 4, "torch")


def scalar_memory(plan: Plan) -> Iterator[Row]:
    """S8 to S10: bytes a node, what is left, checkpoints."""
    live, peak = memory("bytes_a_node", "level 3", plan.size(100_000, 30_000))
    yield _at_most("S8", "live bytes a node", live, 130, "B")
    yield _at_most("S8", "peak bytes a node", peak, 155, "B")
    left = memory("left_after_del", "level 3", plan.size(100_000, 10_000))
    yield _at_most("S9", "nodes alive after del, collector off", left, 0, "nodes")

    size = plan.size(100_000, 30_000)
    plain, cut = (memory("peak", "level 3", size, workload) for workload in ("layers", "checkpointed"))
    note = "the gain grows with the square root of the length" if plan.quick else ""
    yield Row("S10", f"chain of {size:,} layers, memory", cut / 1e3, plain / 1e3, "without checkpoints", "kB",
              plain / cut, 150, True, note)
    seconds = {}
    for workload in ("layers", "checkpointed"):
        seconds[workload] = race(Race(workload, ("level 3",), size, 1_000, 1), plan.rounds, None)["level 3"]["on"]
    yield _times_slower("S10", f"chain of {size:,} layers, time", seconds["checkpointed"], seconds["layers"], 1,
                        "without checkpoints")


def _array_times(workload: str, plan: Plan) -> dict:
    engines = ("level 2", "by hand", *(("torch",) if has_torch() else ()), "autograd")
    return race(Race(f"arrays: {workload}", engines, calls=plan.size(20, 15)), plan.rounds * 2, plan.baselines)


def has_torch() -> bool:
    import importlib.util

    return importlib.util.find_spec("torch") is not None


def arrays(plan: Plan) -> Iterator[Row]:
    """V1 to V4: level 2 against NumPy by hand, PyTorch and HIPS autograd."""
    for id, workload, words, by_hand, torch in (("V1", "mlp", "MLP 784-256-10, batch 128", 1.08, 1.0),
                                                ("V2", "attention", "attention 8 x 128 x 64", 1.10, 1.0),
                                                ("V3", "moons", "two moons, a step on arrays", 1.75, 0.4)):
        times = _array_times(workload, plan)
        ours, hips = times["level 2"]["on"], _get(times, "autograd")
        row = _times_slower(id, words, ours, times["by hand"]["on"], by_hand, "by hand")
        yield dataclasses.replace(row, note=f"HIPS autograd: {hips * 1e3:.3g} ms" if hips else "")
        yield _times_slower(id, words, ours, _get(times, "torch"), torch, "torch")
    size = plan.size(8192, 2048)
    peak = memory("activation_peak", "level 2", size)
    yield Row("V4", "64 layers, activation peak", peak, 64.0, "outputs alone", "units", peak / 64, 1.06, False)


def layers(plan: Plan) -> Iterator[Row]:
    """L1: topic 06's layers, level 2 and level 3, against NumPy by hand and PyTorch. Shown; nobody set a target.

    A layer cannot know that nobody needs the gradient of the first input: one of three large products is for that. So
    V1's bounds cannot be asked of layers.
    """
    engines = ("layers 2", "layers 3", "by hand", *(("torch",) if has_torch() else ()))
    times = race(Race("arrays: mlp", engines, calls=plan.size(20, 15)), plan.rounds * 2, None)
    for level in ("2", "3"):
        ours, words = times[f"layers {level}"]["on"], f"layers of level {level}, MLP 784-256-10"
        yield dataclasses.replace(_times_slower("L1", words, ours, times["by hand"]["on"], None, "by hand"),
                                  note="with the gradient of the first input, which by hand is left out")
        yield _times_slower("L1", words, ours, _get(times, "torch"), None, "torch")


def checker(plan: Plan) -> Iterator[Row]:
    """G1 to G3: the gradient checker on the functions kept back from its tuning, and on a whole network."""
    from tests.gradient_zoo import IN_FLOAT32, ours, score, zoo
    from utils.bench.checking import whole_network

    cases = zoo()[:: plan.size(1, 12)]
    result = score("ours", ours, cases, errors=(1e-4,))
    missed = [name for name in result.misses[1e-4] if not name.startswith(tuple(IN_FLOAT32))]
    yield _at_most("G1", f"false alarms on {len(cases):,} right gradients", len(result.alarms), 0, "alarms",
                   "; ".join(result.alarms[:2]))
    yield _at_most("G2", "errors of 1e-4 missed, float64 functions", len(missed), 0, "misses", "; ".join(missed[:2]))
    right, wrong, found = whole_network()
    yield _at_most("G3", "a right network of 337 parameters", right, 30, "evaluations")
    yield _at_most("G3", "one wrong parameter in 337", wrong, 350, "evaluations", "" if found else "not found")


def stepper(plan: Plan) -> Iterator[Row]:
    """W1 and W2: a step of the stepper in a browser, beside a graph that ipywidgets redraws; a large drawing."""
    from utils.bench import stepping

    try:
        cost = stepping.a_step()
    except stepping.NoBrowser as problem:
        yield Row("W1", "a step at 200 values", None, None, "", "ms", None, 16, False, f"not run: {problem}")
    else:
        what = f"a step at {cost.values} values"
        yield _at_most("W1", f"{what}: script and layout", cost.median, 16, "ms", f"median of {cost.steps} steps")
        yield _at_most("W1", "the slowest of these steps", cost.slowest, 16, "ms",
                       f"each the median of {stepping.PASSES} passes; longest single time {cost.longest:.3g} ms, "
                       "waiting for the CPU included")
        yield _times_faster("W1", what, cost.median / 1e3, cost.theirs / 1e3, 3, "ipywidgets",
                            "theirs without messages")
    values, seconds = stepping.a_drawing(plan.size(2_000, 2_000))
    what = f"draw(root) of {values:,} values"
    if seconds is None:
        yield Row("W2", what, None, None, "", "s", None, 1.2, False, "not run: no program lays graphs out here")
    else:
        yield _at_most("W2", what, seconds, 1.2, "s", "about a second of CPU; the browser not counted")


SECTIONS: tuple[Callable[[Plan], Iterator[Row]], ...] = (graphs, moons, scalar_memory, arrays, layers, checker, stepper)


def pictures(plan: Plan) -> dict:
    """What costs.ipynb measures, with micrograd in the learner's place: data for `plots.save`."""
    sizes = [min(size, plan.size(growth.SIZES[-1], growth.SMALL)) for size in growth.SIZES]
    scalars = ("level 3", "level 1")
    return {"growth": growth.growth((*scalars, "level 2", "micrograd"), sorted(set(sizes)), plan.rounds // 2,
                                    plan.baselines),
            "footprint": growth.footprint(scalars, plan.size(growth.FOOTPRINT, growth.FOOTPRINT // 2)),
            "training_step": growth.training_step((*scalars, "level 3, dot", "compiled"), plan.rounds // 2)}
