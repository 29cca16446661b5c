"""Everything that a stepper shows, as plain data that JSON can hold: graph, steps, layout, inputs, measured slopes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from utils.graph_trace import Node, Trace, canonical, plain, read, traced
from utils.step_layout import neurons, view
from utils.step_replay import EVALUATIONS, WORK, Program
from utils.step_trace import Step, backward_steps, forward_steps, gradients, same, says
from utils.step_watch import grad_of, watch
from utils.visualization import notes, show

MOST_NODES = 200                # beyond, the static picture
FOLD_FROM = 30                  # values; in larger graphs neurons are folded at first
SLIDERS = 12                    # inputs that can be moved


@dataclass
class Run:
    """One run of a program: its graph, the grads that its own backward pass left, the steps, and what is odd."""

    trace: Trace
    before: list
    grads: list
    steps: list[Step]
    notes: tuple[str, ...]

    @property
    def after(self) -> Trace:
        """The graph with the grads as the pass left them."""
        nodes = tuple(replace(n, grad=g) for n, g in zip(self.trace.nodes, self.grads, strict=True))
        return replace(self.trace, nodes=nodes)

    @property
    def wrong(self) -> list[Step]:
        return [step for step in self.steps if step.wrong]


def observe(root: object, names: Mapping[str, object] | None = None,
            backward: Callable[[object], object] | None = None, leaves: Sequence[object] = ()) -> tuple[Run, list]:
    """Walk the graph of `root`, watch its backward pass, and put both into steps; the values come beside it.

    leaves: the inputs where they are known; those that the graph does not lead to are shown beside it.
    """
    trace, values = traced(root, MOST_NODES, names)
    for leaf in leaves:
        if not any(leaf is value for value in values):
            trace, values = _beside(trace, leaf, names or {}), [*values, leaf]
    watched = watch(root, values, backward)
    steps = forward_steps(trace) + backward_steps(trace, watched)
    said = list(notes(replace(trace, nodes=tuple(replace(n, grad=g) for n, g in zip(trace.nodes, watched.grads,
                                                                                    strict=True)))))
    if not watched.looked_on:
        said.append("This engine's values cannot be watched while backward() runs: shown is what it leaves.")
    return Run(trace, watched.before, watched.grads, steps, (*said, *watched.notes)), values


def _beside(trace: Trace, leaf: object, names: Mapping[str, object]) -> Trace:
    """The trace with a leaf of its own that nothing leads to: its engine keeps no list of inputs."""
    name = next((name for name, value in names.items() if value is leaf), f"input {len(trace.nodes)}")
    node = Node(name, name, "", plain(read(leaf, "data")), grad_of(leaf), (), False)
    return replace(trace, nodes=(*trace.nodes, node))


def as_data(run: Run, program: Program | None) -> dict[str, Any]:
    """The run as JSON holds it; numbers that JSON does not know are texts."""
    trace = run.trace
    folded = neurons(trace)
    digits = max(len(show(number)) for number in (*(n.data for n in trace.nodes), *run.before, *run.grads,
                                                  *(step.now for step in run.steps)))
    views = [view(trace, digits=digits)]
    if folded and len(folded) > 1:
        views.append(view(trace, folded, digits))
    users: dict[int, int] = {}
    for edge in trace.edges:
        users[edge.source] = users.get(edge.source, 0) + 1
    nodes = []
    for i, node in enumerate(trace.nodes):
        word, constant = canonical(node.op, len(node.parents)) if node.op else ("", None)
        nodes.append({"name": node.name, "op": node.op, "says": says(trace, i), "data": show(node.data),
                      "number": _number(node.data), "rule": word, "constant": constant, "parents": list(node.parents),
                      "before": None if run.before[i] is None else show(run.before[i])})
    return {
        "nodes": nodes, "root": trace.root,
        "edges": [{"source": e.source, "target": e.target, "local": None if e.local is None else show(e.local)}
                  for e in trace.edges],
        "steps": [_opening(trace), *(_step(trace, step) for step in run.steps), _closing(run)],
        "views": views, "folded": len(views) > 1 and len(trace.nodes) > FOLD_FROM,
        "leaves": _sliders(trace, program), "measured": _measured(run, program),
        "start": [_number(x) for x in program.start] if program else [],
        "notes": list(run.notes),
        "summary": f"{len(nodes)} values and {len(trace.edges)} edges, ending in {trace.nodes[trace.root].name}",
    }


def _number(data: object) -> float | None:
    """`data` where a browser can compute with it, else None."""
    return float(data) if isinstance(data, (int, float)) and abs(data) <= 1e300 and math.isfinite(data) else None


def _opening(trace: Trace) -> dict:
    leaves = sorted((n for n in trace.nodes if not n.op), key=lambda n: not n.label)       # those with a name first
    given = [f"{n.name} = {show(n.data)}" for n in leaves]
    text = "The inputs are given: " + ", ".join(given[:6]) + (f" and {len(given) - 6} more." if len(given) > 6 else ".")
    return {"kind": "start", "node": None, "text": text}


def _closing(run: Run) -> dict:
    trace, true = run.trace, gradients(run.trace)
    ends, wrong = [], []
    for i, node in enumerate(trace.nodes):
        if node.op or i == trace.root or run.grads[i] is None:
            continue
        ends.append(f"{node.name}.grad = {show(run.grads[i])}")
        if true[i] is not None and not same(run.grads[i], true[i]):
            wrong.append(f"{node.name}.grad is {show(run.grads[i])}, and calculus says {show(true[i])}.")
    text = ("The pass is over: " if any(s.kind in ("add", "after") for s in run.steps) else "Without a pass: ") \
        + ", ".join(ends[:6]) + (f" and {len(ends) - 6} more." if len(ends) > 6 else ".")
    found = {"kind": "end", "node": None, "text": text if ends else "That is all."}
    if wrong:
        marked = len(run.wrong)
        found["wrong"] = " ".join(wrong[:2]) + (f" {marked} step{'s' * (marked > 1)} marked on the way."
                                                if marked else "")
    return found


def _step(trace: Trace, step: Step) -> dict:
    made = {"kind": step.kind, "node": step.node, "text": step.text}
    if step.edges:
        made["edges"] = list(step.edges)
    if step.source is not None:
        made["source"] = step.source
    if step.wrong:
        made["wrong"] = step.wrong
    if step.kind != "forward" and step.now is not None:
        made["grad"] = show(step.now)
    if step.kind in ("add", "none"):
        made["pill"] = _pill(step)
        made["minus"] = (step.change if step.change is not None else 0.0) < 0
        made["ask"] = _question(trace, step)
    return made


def _pill(step: Step) -> str:
    if step.due is not None:
        return f"{_signed(step.local)} × {_signed(step.upstream)} = {show(step.due)}"
    return "nothing" if step.kind == "none" else "?" if step.change is None else \
        f"+ {show(step.change)}" if step.change >= 0 else f"− {show(-step.change)}"


def _signed(number: float) -> str:
    return f"({show(number)})" if number < 0 else show(number)


def _question(trace: Trace, step: Step) -> dict | None:
    """What predict mode asks before this step, and the number that calculus gives (the engine's, where unknown)."""
    if not isinstance(step.was, (int, float)) or not isinstance(step.now, (int, float)):
        return None
    answer = step.now if step.due is None else step.was + step.due
    if not math.isfinite(answer):
        return None
    name = trace.nodes[step.node].name
    sender = "the next contribution" if step.source is None else \
        f"the contribution from {trace.nodes[step.source].name}"
    return {"question": f"{name}.grad is {show(step.was)}. What will it be after {sender}?", "answer": answer,
            "shown": show(answer), "theirs": show(step.now)}


def _sliders(trace: Trace, program: Program | None) -> list[dict]:
    """The inputs that can be moved: those with a name where there are any, at most a dozen."""
    if program is None:
        return []
    spots = [i for i, node in enumerate(trace.nodes) if not node.op]
    by_name = {trace.nodes[i].name: i for i in spots}
    named = [name for name in program.names if name in by_name and trace.nodes[by_name[name]].label]
    found = []
    for k, name in enumerate(program.names):
        if name not in by_name or (named and name not in named) or _number(program.start[k]) is None:
            continue
        reach = program.reach[k]
        found.append({"node": by_name[name], "place": k, "name": name, "number": float(program.start[k]),
                      "low": -reach, "high": reach, "step": reach / 100})
    return found[:SLIDERS]


def _measured(run: Run, program: Program | None) -> dict[str, dict]:
    """The slope of the root towards each input, from values of the root alone; empty where it takes too long."""
    trace = run.trace
    if program is None or len(program.start) * len(trace.nodes) * EVALUATIONS > WORK:
        return {}
    by_name = {node.name: i for i, node in enumerate(trace.nodes) if not node.op}
    slopes = {by_name[name]: program.slope(k) for k, name in enumerate(program.names) if name in by_name}
    return {str(i): {"text": show(float(f"{slope:.6g}")), "agrees": _agree(run.grads[i], slope)}
            for i, slope in slopes.items() if slope is not None}


def _agree(grad: object, slope: float) -> bool:
    return isinstance(grad, (int, float)) and math.isclose(grad, slope, rel_tol=1e-4, abs_tol=1e-6)
