"""How an engine's costs grow with the graph: time and memory a node, where the time goes, one training step.

Results are plain data, {engine: figures}; `plots` draws them, from `course.py bench --json` too. An engine is a name of
`worker.FILES`, a baseline, or the path of a learner's file, which counts as "yours" in what comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from utils.bench.measure import Race, memory, profile, race, theirs

SIZES = (1_000, 10_000, 100_000)    # nodes
ROUNDS = 2
SLOW = ("level 2",)         # an array for each number: 1e5 of them would take as long as all the others together
SMALL = 10_000              # the most nodes that SLOW engines get
PROFILED = 30_000           # nodes of the program whose time is told apart
FOOTPRINT = 20_000          # nodes whose memory is measured
STEP_POINTS = 100           # of two moons
NAMED = 6                   # functions of a profile that get a line of their own


def shown(engine: str) -> str:
    return "yours" if theirs(engine) else engine


def growth(engines: Sequence[str], sizes: Sequence[int], rounds: int, baselines: Path | None = None) -> dict:
    """CPU nanoseconds a node of a random program, forward, backward and release, with the collector on and off.

    {engine: {"nodes": [...], "on": [...], "off": [...]}}. Raises WorkerFailed if an engine fails.
    """
    found: dict = {shown(name): {"nodes": [], "on": [], "off": []} for name in engines}
    for size in sizes:
        running = tuple(name for name in engines if name not in SLOW or size <= SMALL)
        times = race(Race("dag", running, size, min(size, 1_000), 1, without_gc=True), rounds, baselines)
        for name, seconds in times.items():
            found[shown(name)]["nodes"].append(size)
            for mode in ("on", "off"):
                found[shown(name)][mode].append(seconds[mode] / size * 1e9)
    return {name: figures for name, figures in found.items() if figures["nodes"]}


def footprint(engines: Sequence[str], size: int) -> dict:
    """Bytes a node, and how many nodes of a graph outlive its last name while the collector is off.

    {engine: {"live": bytes after the forward pass, "peak": the most during backward, "left": share of the nodes}}
    """
    found = {}
    for name in engines:
        live, peak = memory("bytes_a_node", name, size)
        found[shown(name)] = {"live": live, "peak": peak, "left": memory("left_after_del", name, size) / size}
    return found


def where_time_goes(engine: str, size: int) -> dict[str, float]:
    """Shares of a run's CPU time, largest first: the garbage collector, and each function with how often it ran."""
    measured = profile(engine, "dag", size)
    rest = 1.0 - measured["collector"]
    named, others = measured["functions"][:NAMED], measured["functions"][NAMED:]
    found = {f"{name}, {calls:,} {'call' if calls == 1 else 'calls'}": share * rest for name, calls, share in named}
    found["garbage collector"] = measured["collector"]
    found = dict(sorted(found.items(), key=lambda item: -item[1]))
    return found | {"all other functions": sum(share for *_, share in others) * rest}


def training_step(engines: Sequence[str], rounds: int) -> dict[str, float]:
    """CPU seconds of one training step on two moons, 100 points: number by number, and level 2 on whole arrays."""
    scalars = race(Race("moons", tuple(engines), STEP_POINTS, 5, 1), rounds, None)
    arrays = race(Race("arrays: moons", ("level 2",), calls=15), rounds, None)
    found = {shown(name): times["on"] for name, times in scalars.items()}
    found["level 2, whole arrays"] = arrays["level 2"]["on"]
    return dict(sorted(found.items(), key=lambda item: -item[1]))
