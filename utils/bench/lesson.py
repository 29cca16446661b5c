"""What costs.ipynb calls: your engine measured beside the solution levels, by the protocol of `course.py bench`.

An engine that cannot be measured is named in one line, and the levels are measured without it. Nothing here judges.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from utils.bench import growth, plots
from utils.bench.measure import Race, WorkerFailed, race
from utils.notebook import GRADING

SMALL = 1_000   # nodes of the first look
LONGEST = 160   # characters of what an engine says that are shown


class Costs:
    """The learner's `file` beside the levels; each method measures in fresh processes, draws, and returns the figures.

    While nbgrader runs the notebook nothing is measured, and None comes back.
    """

    def __init__(self, file: str = "value.py"):
        path = Path(file).resolve()
        self.yours: tuple[str, ...] = ()
        self.dark = bool(os.environ.get(GRADING))
        if self.dark:
            print("Costs are measured when you run this notebook yourself.")
            return
        problem = first_look(path)
        if problem:
            print(f"{problem} The levels are measured without it.")
        else:
            self.yours = (str(path),)
            print(f"{path.name} computes what level 3 does on {SMALL:,} nodes: it is measured with the levels.")

    def growth(self) -> dict | None:
        """Time a node as the graph grows, with the garbage collector on and off."""
        return self._measure(lambda yours: growth.growth(("level 3", "level 1", "level 2", *yours), growth.SIZES,
                                                         growth.ROUNDS), plots.growth)

    def footprint(self) -> dict | None:
        """Bytes a node, and the share of a graph's nodes that outlive it until the collector comes."""
        return self._measure(lambda yours: growth.footprint(("level 1", "level 3", *yours), growth.FOOTPRINT),
                             plots.footprint)

    def where_time_goes(self, engine: str = "yours") -> dict | None:
        """The shares of the collector and of each function; level 1's where there is no engine of yours."""
        title = f"Where the time goes, {growth.PROFILED:,} nodes: {{}}"
        chosen = []

        def measure(yours: tuple[str, ...]) -> dict:
            chosen.append((*yours, "level 1")[0] if engine == "yours" else engine)
            return growth.where_time_goes(chosen[-1], growth.PROFILED)

        return self._measure(measure, lambda data: plots.shares(data, title.format(growth.shown(chosen[-1]))))

    def training_step(self) -> dict | None:
        """One step on two moons: each engine number by number, level 3 with `dot`, compiled, and on whole arrays."""
        engines = ("level 3", "level 3, dot", "level 1", "compiled")
        return self._measure(lambda yours: growth.training_step((*engines, *yours), growth.ROUNDS), plots.training_step)

    def _measure(self, measure: Callable[[tuple], dict], draw: Callable) -> dict | None:
        if self.dark:
            return None
        for yours in dict.fromkeys((self.yours, ())):  # where yours fails, the levels alone
            try:
                data = measure(yours)
            except WorkerFailed as problem:
                print(f"{'Yours' if yours else 'This'} could not be measured: {str(problem)[:LONGEST]}")
            else:
                draw(data)  # a notebook shows it under the cell
                return data
        return None


def first_look(file: Path) -> str | None:
    """Why the file cannot be measured, in a sentence, or None."""
    if not file.is_file():
        return f"There is no {file.name} beside this notebook."
    try:
        race(Race("dag", ("level 3", str(file)), SMALL, SMALL, 1), 1, None)
    except WorkerFailed as problem:
        text = str(problem)
        if text.startswith("NotImplementedError"):
            return f"Not written yet: {text.partition(': ')[2][:LONGEST] or 'an operation'}, in {file.name}."
        if "computes something else" in text:
            return f"{file.name} computes other numbers than level 3: run check(2) in exercises.ipynb first."
        return f"{file.name} stopped on {SMALL:,} nodes: {text[:LONGEST]}"
    return None
