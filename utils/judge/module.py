"""What a promise asks a learner's module of functions and layers: run this scene there, compare with the truth here.

    scene = module.scene("Linear")
    x = scene.draw("x", 4, 3)
    layer = scene.make("layer", "Linear", 3, 2)
    scene.invoke("y", layer, "forward", x)
    scene.wants("y", expected)
    scene.keep()

A scene is a script (utils/judge/worker.py) and, line by line, the same as code to paste. Arrays are drawn from the
seed and from the scene so far: the learner's own seed always gives the same ones, each submission its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from utils.curriculum import Topic
from utils.engine import engines
from utils.judge.arrays import as_array, literal, mismatch
from utils.judge.engine import Runner
from utils.judge.promises import Broken
from utils.judge.session import ORDINARY, Limits
from utils.judge.worker import pack

TENTHS = 20                 # drawn numbers are tenths from -2 to 2, and never 0
RNG = {"r": "rng"}
EMPTY: Mapping = MappingProxyType({})


class Module(Runner):
    """The learner's file, as promises about functions and layers see it."""

    name = "module"                                 # of the file, as code to paste imports it
    engines: tuple[tuple[str, str], ...] = ()       # scalar engines for a bridge to topic 02: whose, and their text

    def about(self, topic: Topic, folder: Path) -> Module:
        self.name = Path(topic.module).stem
        self.engines = engines(folder)
        return self

    def scene(self, *names: str) -> Scene:
        """An empty scene; `names` are what its code imports from the learner's file."""
        return Scene(self, names)


@dataclass(frozen=True)
class Wanted:
    """A reported quantity: what it should be, how much of the code leads to it, and what to say where it is wrong.

    `slips`: misconceptions, each with the numbers that it gives.
    """

    quantity: str
    expected: np.ndarray | float
    lines: int
    because: str | None
    loose: bool
    tolerance: float
    slips: Mapping[str, list[float]]


@dataclass
class Scene:
    """A script under construction, its code, and what is wanted of it."""

    module: Module
    names: tuple[str, ...]
    steps: list = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    values: dict[str, np.ndarray] = field(default_factory=dict)     # arrays by name, as they were given
    draws: int = 0

    def code(self, lines: int | None = None) -> str:
        """The first `lines` lines as code to paste, with its imports."""
        body = self.lines[:lines]
        head = ["import numpy as np"] if any("np." in line for line in body) else []
        return "\n".join([*head, f"from {self.module.name} import {', '.join(self.names)}", *body])

    # What happens in the scene

    def draw(self, name: str, *shape: int) -> Name:
        """An array of fresh numbers called `name`; its name."""
        return self.array(name, self.drawn(*shape))

    def drawn(self, *shape: int) -> np.ndarray:
        """Fresh numbers, tenths from -2 to 2 without 0, that belong to this point of the scene."""
        self.draws += 1
        rng = np.random.default_rng((self.module.seed, zlib.crc32(repr((self.names, self.lines, self.draws)).encode())))
        return rng.integers(1, TENTHS + 1, shape) * rng.choice((-1, 1), shape) / 10

    def array(self, name: str, values) -> Name:
        """The array `values` called `name`; its name."""
        self.values[name] = np.array(values)
        self.steps.append(["let", name, pack(self.values[name])])
        self.lines.append(f"{name} = {literal(self.values[name])}")
        return Name(name)

    def constant(self, name: str, value: float, *shape: int) -> Name:
        """An array of that shape, called `name`, with `value` everywhere; its name."""
        name = self.array(name, np.full(shape, value))
        self.lines[-1] = f"{name} = np.full({shape}, {value!r})"
        return name

    def make(self, name: str, what: str, *args) -> Name:
        """name = what(*args), a class or function of the learner's file. `RNG` among the args is a fresh generator."""
        if RNG in args:
            self.steps.append(["rng", "rng", 0])
        self.steps.append(["make", name, what, [_operand(a) for a in args]])
        self.lines.append(f"{name} = {what}({', '.join(map(_shown, args))})")
        return Name(name)

    def fill(self, layer: str, **arrays) -> None:
        """Give parameters their numbers, in the shape that the learner's layer holds them in."""
        for attribute, values in arrays.items():
            self.steps.append(["fill", {"r": layer}, attribute, pack(np.array(values))])
            self.lines.append(f"{layer}.{attribute} = {literal(np.array(values))}")

    def put(self, layer: str, **attributes) -> None:
        """Set attributes to arrays or plain data."""
        for attribute, value in attributes.items():
            self.steps.append(["set", {"r": layer}, attribute, _operand(value)])
            self.lines.append(f"{layer}.{attribute} = {_shown(value)}")

    def invoke(self, name: str, layer: str, method: str, *args) -> Name:
        """name = layer.method(*args)."""
        self.steps.append(["invoke", name, {"r": layer}, method, [_operand(a) for a in args]])
        self.lines.append(f"{name} = {layer}.{method}({', '.join(map(_shown, args))})")
        return Name(name)

    def backward(self, name: str, layer: str, *upstream: str) -> Name:
        """name = layer.backward(upstream), or without an upstream gradient for a loss."""
        return self.invoke(name, layer, "backward", *map(Name, upstream))

    def parts(self, whole: str, *names: str) -> None:
        """names = whole, item by item of a tuple or list."""
        self.steps += [["item", name, {"r": whole}, k] for k, name in enumerate(names)]
        self.lines.append(f"{', '.join(names)} = {whole}")

    def entry(self, name: str, mapping: str, key: str) -> None:
        """name = mapping[key]."""
        self.steps.append(["item", name, {"r": mapping}, key])
        self.lines.append(f"{name} = {mapping}[{key!r}]")

    def mapping(self, name: str, arrays: dict[str, np.ndarray]) -> Name:
        """A dict of arrays called `name`; its name."""
        self.steps.append(["dict", name, list(arrays), [pack(values) for values in arrays.values()]])
        self.lines.append(f"{name} = {{{', '.join(f'{key!r}: {literal(values)}' for key, values in arrays.items())}}}")
        return Name(name)

    def take(self, name: str) -> Name:
        """A class or function of the learner's file, to be handed to something in the scene; its name."""
        self.steps.append(["name", name, name])
        return Name(name)

    def function(self, name: str, source: str) -> Name:
        """A function of the judge's, given as the lines that define it; its name."""
        self.steps += [["module", f"given {name}", "given", source], ["attr", name, {"r": f"given {name}"}, name]]
        self.lines += source.strip().splitlines()
        return Name(name)

    def call(self, name: str, function: str, *args) -> Name:
        """name = function(*args), for a function or object that is in the scene; its name."""
        self.steps.append(["invoke", name, {"r": function}, "", [_operand(a) for a in args]])
        self.lines.append(f"{name} = {function}({', '.join(map(_shown, args))})")
        return Name(name)

    def engine(self, origin: str, source: str) -> Name:
        """The class `Value` of a scalar engine, given as the text of its module."""
        self.steps += [["module", "engine", "engine", source], ["attr", "Value", {"r": "engine"}, "Value"]]
        self.lines.append(f"from utils.engine import Value      # {origin}")
        return Name("Value")

    def given(self, name: str, values: np.ndarray) -> None:
        """An array that is too large for the code; a line of the scene's own should say where it is from."""
        self.values[name] = values
        self.steps.append(["let", name, pack(values)])

    def rng(self, name: str) -> Name:
        """A generator that several calls share; its name."""
        self.steps.append(["rng", name, 0])
        self.lines.append(f"{name} = np.random.default_rng(0)")
        return Name(name)

    def repeat(self, count: int, what: str, *args) -> None:
        """what(*args), `count` times over."""
        self.steps.append(["repeat", count, [["make", "last", what, [_operand(a) for a in args]]]])
        self.lines += [f"for _ in range({count}):", f"    {what}({', '.join(map(_shown, args))})"]

    # What is wanted of it

    def wants(self, quantity: str, expected, because: str | None = None, loose: bool = False,
              tolerance: float = 1e-6, slips: Mapping[str, list[float]] = EMPTY) -> None:
        """`quantity`, a name or `layer.attribute`, is `expected` now. `because` is said where it is not.

        `loose`: axes of length 1 may be there or not. `tolerance` is relative. `slips`: as in Wanted.
        """
        name, _, attribute = quantity.partition(".")
        self.steps.append(["get", {"r": name}, attribute] if attribute else ["report", {"r": name}])
        self.wanted.append(Wanted(quantity, expected, len(self.lines), because, loose, tolerance, slips))

    def unchanged(self, *names: str) -> None:
        """These arrays still hold what they were made with."""
        for name in names:
            self.wants(name, self.values[name], f"`{name}` belongs to the caller, and was changed in place. "
                       "Make a new array instead.")

    def reports(self, limits: Limits = ORDINARY) -> list:
        """Run the scene: what it reported. Broken, showing its code, if an error stopped it."""
        outcome = self.module.outcome(self.steps, limits)
        return self.module.unbroken(outcome, self.code())

    def keep(self, limits: Limits = ORDINARY) -> list:
        """Run the scene; Broken where something is not as wanted. What it reported."""
        reports = self.reports(limits)
        for wanted, yours in zip(self.wanted, reports, strict=False):
            self.judge(wanted, yours)
        return reports

    def keep_within(self, memory: int, limits: Limits) -> None:
        """As `keep`, and Broken where the worker's memory grew by more than `memory` bytes meanwhile."""
        outcome = self.module.outcome(self.steps, replace(limits, watched=True))
        for wanted, yours in zip(self.wanted, self.module.unbroken(outcome, self.code()), strict=False):
            self.judge(wanted, yours)
        if outcome.grown > memory:
            raise self.broken(f"Memory grew by more than {memory >> 20} MiB meanwhile, and should not grow at all. "
                              "Something holds on to every step's graph: a tensor with a `grad_fn` in a list, a sum or "
                              "a parameter.", status="memory")

    def judge(self, wanted: Wanted, yours) -> None:
        """One report is as wanted, or Broken."""
        wrong = mismatch(wanted.quantity, yours, wanted.expected, wanted.loose, wanted.tolerance)
        if wrong:
            detail = " ".join(filter(None, (wanted.because, wrong.detail))) or None
            number = as_array(yours)
            named = (id for id, values in wanted.slips.items()
                     if number is not None and number.size == 1 and np.isclose(number.item(), values, rtol=1e-9).any())
            raise Broken(detail, program=self.code(wanted.lines), quantity=wrong.quantity, yours=wrong.yours,
                         expected=wrong.expected, misconception=next(named, None))

    @staticmethod
    def array_of(report) -> np.ndarray:
        """A report that was found to be an array, as one."""
        return as_array(report)

    def broken(self, detail: str, **evidence) -> Broken:
        """A failure of the whole scene, to raise."""
        return Broken(detail, program=self.code(), **evidence)


class Name(str):
    """The name of something in a scene, told apart from a text that is an argument."""


def _operand(x):
    """An argument as a script holds it."""
    if isinstance(x, list | tuple):
        return [_operand(item) for item in x]
    if isinstance(x, Name):
        return {"r": str(x)}
    return pack(x) if isinstance(x, np.ndarray) else x


def _shown(x) -> str:
    """An argument as code holds it."""
    if isinstance(x, list | tuple):
        return f"[{', '.join(map(_shown, x))}]"
    if x is RNG:
        return "np.random.default_rng(0)"
    return str(x) if isinstance(x, Name) else literal(x) if isinstance(x, np.ndarray) else repr(x)
