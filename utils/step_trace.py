"""A program's run as steps: forward op by op, the seed, then one contribution to a grad at a time.

`steps` puts what was watched (utils/step_watch.py) beside what calculus says: local derivative x upstream. A step is
marked as wrong only where the op is known and the gradients that the engine ends with are wrong too.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from utils.graph_trace import Trace, fits, forward
from utils.step_watch import Event, Seen, Watched
from utils.visualization import SYMBOLS, show


@dataclass(frozen=True)
class Step:
    """One picture of the run. `edges` are indices into the trace's edges, `was` and `now` the node's grad.

    kind: "forward" computes node; "seed" sets the root's grad; "add" is one contribution to node from its user
    `source` (None: not known which); "none" is a contribution that is owed and does not come; "after" the end of a pass
    that could not be watched. `local`, `upstream` and `due` (local x upstream) are None where not known.
    """

    kind: str
    node: int
    text: str
    source: int | None = None
    edges: tuple[int, ...] = ()
    was: Seen = None
    now: Seen = None
    change: float | None = None
    local: float | None = None
    upstream: float | None = None
    due: float | None = None
    wrong: str | None = None


def same(a: object, b: object) -> bool:
    """Whether two numbers agree within 1e-5, as the judge takes them; nan agrees with nan."""
    if not (isinstance(a, (int, float)) and isinstance(b, (int, float))):
        return a == b
    try:
        return a == b or (a != a and b != b) or math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-9)
    except OverflowError:               # an int beyond every float
        return False


def says(trace: Trace, i: int) -> str:
    """What node i computes, in the names of its inputs: "x + y", "tanh(v3)", "" for a leaf."""
    node = trace.nodes[i]
    return _spell(node.op, [trace.nodes[p].name for p in node.parents] + ["…"] * node.more)


def _spell(op: str, inputs: list[str]) -> str:
    if not inputs:
        return ""
    if len(inputs) == 2 and not op[:1].isalpha():
        return f"{inputs[0]} {SYMBOLS.get(op, op)} {inputs[1]}"
    if len(inputs) == 1 and op[:1] in tuple("+*/^×") and len(op) > 1:
        return inputs[0] + (op if op.startswith(("**", "^")) else f" {op[0]} {op[1:].strip()}")
    return f"{op}({', '.join(inputs)})"


def gradients(trace: Trace) -> list[float | None]:
    """d root / d node by the chain rule on the trace; None where a local derivative on the way is not known."""
    users = defaultdict(list)
    for edge in trace.edges:
        users[edge.source].append(edge)
    found: list[float | None] = [None] * len(trace.nodes)
    if trace.cyclic:
        return found
    for i in range(len(trace.nodes) - 1, -1, -1):
        if i == trace.root:
            found[i] = 1.0
            continue
        parts = [None if e.local is None or found[e.target] is None else e.local * found[e.target] for e in users[i]]
        found[i] = None if None in parts or not parts else sum(parts)
    return found


def forward_steps(trace: Trace) -> list[Step]:
    """One step for each computed value, inputs first."""
    found = []
    for i, node in enumerate(trace.nodes):
        if not node.op:
            continue
        inputs = tuple(trace.nodes[p].data for p in node.parents)
        numbers = _spell(node.op, [f"({show(x)})" if str(show(x)).startswith("-") else show(x) for x in inputs]
                         + ["…"] * node.more)
        wrong = None
        if fits(node.op, inputs, node.data) is False and not node.more:
            wrong = f"{says(trace, i)} is {show(forward(node.op, inputs))} here, and data says {show(node.data)}."
        edges = tuple(k for k, e in enumerate(trace.edges) if e.target == i)
        found.append(Step("forward", i, f"{node.name} = {says(trace, i)} = {numbers} = {show(node.data)}", edges=edges,
                          wrong=wrong))
    return found


def backward_steps(trace: Trace, watched: Watched) -> list[Step]:
    """The steps of the pass that was watched; those of a pass that ends right carry no mark."""
    true = gradients(trace)
    leaves = [i for i, node in enumerate(trace.nodes) if not node.op and i != trace.root]
    right = bool(leaves) and all(true[i] is None or same(watched.grads[i], true[i]) for i in leaves)
    reader = _Reader(trace, watched, true)
    found = reader.steps
    for i, grad in enumerate(watched.grads):
        if grad is not None and not same(grad, reader.grads.get(i, watched.before[i] if watched.before else None)):
            found.append(Step("after", i, f"{trace.nodes[i].name}.grad: {show(grad)} after backward()", now=grad))
    if right and all(true[i] is not None for i in leaves):
        return [replace(step, wrong=None) for step in found if step.kind != "none"]
    if not right and not any(step.wrong for step in found):
        found = [replace(step, wrong=_end(trace, true, step)) if step.kind == "after" else step for step in found]
    return found


def _end(trace: Trace, true: Sequence[float | None], step: Step) -> str | None:
    if true[step.node] is None or trace.nodes[step.node].op or step.node == trace.root \
            or same(step.now, true[step.node]):
        return None
    return f"Calculus says {show(true[step.node])}."


class _Reader:
    """Turns events into steps: which edge a change of grad came along, and whether it is the right one."""

    def __init__(self, trace: Trace, watched: Watched, true: Sequence[float | None]) -> None:
        self.trace, self.true = trace, true
        self.users, self.into = defaultdict(list), defaultdict(list)    # node -> edges that leave it, that enter it
        for k, edge in enumerate(trace.edges):
            self.users[edge.source].append(k)
            self.into[edge.target].append(k)
        self.grads: dict[int, Seen] = {}
        self.steps: list[Step] = []
        self.runs: Counter = Counter()                  # how often a node's rule has begun
        self.used: Counter = Counter()                  # contributions that came along an edge without a rule running
        self.seeded = False
        self._read(watched.events)
        if self.runs and not watched.notes:
            self._rules_that_never_ran()

    def _read(self, events: list[Event]) -> None:
        running: list[tuple[int, list[Event]]] = []
        latest = None
        for event in events:
            if event.kind == "rule":
                self._seed_missing(event)
                self.grads[event.node] = event.was
                self.runs[event.node] += 1
                running.append((event.node, []))
                latest = event.node
            elif event.kind == "end":
                node, writes = running.pop()
                self._rule(node, writes)
            elif running and event.node in (self.trace.edges[k].source for k in self.into[running[-1][0]]):
                running[-1][1].append(event)
            else:
                self._loose(event, latest)

    def _seed_missing(self, event: Event) -> None:
        root = self.trace.root
        if self.seeded or event.node != root:
            return
        self.seeded = True
        if not any(step.kind == "seed" for step in self.steps):
            name = self.trace.nodes[root].name
            wrong = None if same(event.was, 1) else (f"The pass begins with {name}.grad = {show(event.was)}: every "
                                                     f"contribution is a multiple of it. The seed is 1.")
            self.steps.append(Step("seed", root, f"The pass begins with {name}.grad = {show(event.was)}", was=event.was,
                                   now=event.was, wrong=wrong))

    def _rule(self, node: int, writes: list[Event]) -> None:
        """The contributions of one run of a rule: one an edge, or one for parallel edges that were sent together."""
        upstream, edges = self.grads.get(node), defaultdict(list)
        for k in self.into[node]:
            edges[self.trace.edges[k].source].append(k)
        left = {p: list(ks) for p, ks in edges.items()}
        count = Counter(event.node for event in writes)
        seen: Counter = Counter()
        began: dict[int, Seen] = {}
        for event in writes:
            p = event.node
            began.setdefault(p, event.was)
            seen[p] += 1
            if count[p] == len(edges[p]):
                change = _difference(event.was, event.now)
                k = min(left[p], key=lambda k: (not same(change, self._due([k], upstream)), k))
                left[p].remove(k)
                self._add(p, node, [k], upstream, event.was, event.now)
            elif seen[p] == count[p]:
                left[p] = []
                self._add(p, node, edges[p], upstream, began[p], event.now)
        for p, ks in left.items():
            due = self._due(ks, upstream)
            if ks and due is not None and not same(due, 0.0):
                name = self.trace.nodes[p].name
                self.steps.append(Step(
                    "none", p, f"{name}.grad: nothing added, stays {show(self.grads.get(p, 0.0))}", node, tuple(ks),
                    self.grads.get(p, 0.0), self.grads.get(p, 0.0), 0.0, self._local(ks), _number(upstream), due,
                    f"The rule of {self.trace.nodes[node].name} sends nothing to {name} here; "
                    f"{self._product(ks, upstream)} is due."))

    def _loose(self, event: Event, latest: int | None) -> None:
        """A change of grad that no rule made: the seed, a reset, or a pass that keeps no rules on its values."""
        p, root = event.node, self.trace.root
        self.grads[p] = event.now
        if p == root and not self.seeded:
            self.seeded = not same(event.now, 0.0)
            if self.seeded:
                wrong = None if same(event.now, 1) else f"The seed is {show(event.now)}; d root / d root is 1."
                name = self.trace.nodes[root].name
                self.steps.append(Step("seed", root, f"Seed: {name}.grad = {show(event.now)}. When {name} moves, "
                                       f"{name} moves by as much.", was=event.was, now=event.now, wrong=wrong))
            return
        if same(event.was, event.now) and same(event.now, 0.0):
            return                                      # zeroing what is zero
        change = _difference(event.was, event.now)
        users = {self.trace.edges[k].target for k in self.users[p]}
        fitting = [k for k in self.users[p] if same(change, self._due([k], self.grads.get(self.trace.edges[k].target)))]
        fitting.sort(key=lambda k: (self.used[k], self.trace.edges[k].target != latest, k))
        if not fitting and len(users) == 1:
            fitting = sorted(self.users[p], key=lambda k: (self.used[k], k))
        if fitting and not same(event.now, 0.0):
            k = fitting[0]
            self.used[k] += 1
            source = self.trace.edges[k].target
            self._add(p, source, [k], self.grads.get(source), event.was, event.now)
        else:
            name = self.trace.nodes[p].name
            self.steps.append(Step("add", p, f"{name}.grad: was {show(event.was)}, now {show(event.now)}", None, (),
                                   event.was, event.now, change))

    def _add(self, p: int, source: int, ks: list[int], upstream: Seen, was: Seen, now: Seen) -> None:
        name, due, change = self.trace.nodes[p].name, self._due(ks, upstream), _difference(was, now)
        product = self._product(ks, upstream)
        self.grads[p] = now
        added = show(change) if change is not None else "?"
        text = f"{name}.grad: was {show(was)}, add {product or added}, now {show(now)}"
        wrong = None
        if due is not None and not same(change, due):
            user = self.trace.nodes[source].name
            text = f"{name}.grad: was {show(was)}, change {added}, now {show(now)}"
            wrong = f"{user} owes {name} {product}, and {name}.grad changed by {added}."
            if same(now, due) and not same(was, 0.0):
                wrong = (f"Set, not added: {product} is right, but it replaces the {show(was)} that {name} already "
                         "had.")
        elif self.runs[p] and self.into[p] and not same(change, 0.0):
            wrong = f"Too late: the rule of {name} has run already and passed on a grad without this {added}."
        elif self.runs[source] > 1 and not same(change, 0.0):
            wrong = (f"The rule of {self.trace.nodes[source].name} runs for the {_nth(self.runs[source])} time, and "
                     f"passes on all of its grad again.")
        self.steps.append(Step("add", p, text, source, tuple(ks), was, now, change, self._local(ks),
                               _number(upstream), due, wrong))

    def _rules_that_never_ran(self) -> None:
        for i in range(len(self.trace.nodes) - 1, -1, -1):
            node, grad = self.trace.nodes[i], self.grads.get(i)
            ks = self.into[i]
            if node.op and not self.runs[i] and ks and not same(grad if grad is not None else 0.0, 0.0):
                p = self.trace.edges[ks[0]].source
                stays = self.grads.get(p, 0.0)
                self.steps.append(Step(
                    "none", p, f"The rule of {node.name} never runs", i, tuple(ks), stays, stays, 0.0, None,
                    _number(grad), None, f"The pass ends, and the rule of {node.name} was never run: its inputs got "
                                         "nothing from it."))

    def _local(self, ks: list[int]) -> float | None:
        locals_ = [self.trace.edges[k].local for k in ks]
        return None if None in locals_ else math.fsum(locals_)

    def _due(self, ks: list[int], upstream: Seen) -> float | None:
        local, upstream = self._local(ks), _number(upstream)
        return None if local is None or upstream is None else local * upstream

    def _product(self, ks: list[int], upstream: Seen) -> str:
        due = self._due(ks, upstream)
        return "" if due is None else f"{_signed(self._local(ks))} × {_signed(_number(upstream))} = {show(due)}"


def _nth(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _signed(number: float) -> str:
    return f"({show(number)})" if number < 0 else show(number)


def _number(seen: Seen) -> float | None:
    return seen if isinstance(seen, (int, float)) else None


def _difference(was: Seen, now: Seen) -> float | None:
    before = 0.0 if was == "None" else _number(was)
    return None if before is None or _number(now) is None else now - before
