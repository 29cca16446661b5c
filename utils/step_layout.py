"""Where a stepper's cards and edges lie: laid out by Graphviz, or in plain columns where there is none.

A view is one way to show a graph: every value a card, or each neuron folded into one. Pixels, y pointing down.
"""

from __future__ import annotations

from collections import defaultdict

from utils.graph_trace import Trace
from utils.visualization import SYMBOLS, lay_out

CARD_HEIGHT, LEAST_WIDTH, LETTER = 58, 96, 7.2
WORD = 46                       # of a card's width: "data" or "grad" and the space around it and its number
PILL = (54, 20)                 # room for a local derivative
WIDE_PILL = (132, 20)           # room for local x upstream = contribution
WIDE_UP_TO = 12                 # cards; in larger graphs an active edge says the contribution alone
PILLS_UP_TO = 60                # cards; beyond, edges are drawn without room for what they say
ACTIVATIONS = ("tanh", "relu", "sigmoid")
SMALLEST_NEURON = 5             # values


def neurons(trace: Trace) -> dict[int, list[int]]:
    """Head -> members, for each weighted sum in the graph, with its activation if it has one.

    Members are used inside the neuron alone: products, partial sums, and the weights and bias that nothing else reads.
    """
    users = defaultdict(set)
    for edge in trace.edges:
        users[edge.source].add(edge.target)
    nodes, taken, found = trace.nodes, set(), {}

    def is_head(i: int) -> bool:
        if nodes[i].op in ACTIVATIONS:
            return True
        return nodes[i].op == "+" and not any(nodes[u].op == "+" for u in users[i])

    for head in sorted(filter(is_head, range(len(nodes))), key=lambda i: (nodes[i].op == "+", -i)):
        if head in taken:
            continue
        members, open_ = {head}, [head]
        while open_:
            i = open_.pop()
            for p in nodes[i].parents:
                fits = nodes[p].op in ("", "+", "*") if nodes[i].op != "*" else not nodes[p].op
                if fits and p not in members | taken and users[p] <= members:
                    members.add(p)
                    open_.append(p)
        if len(members) >= SMALLEST_NEURON and any(nodes[i].op == "*" for i in members):
            found[head] = sorted(members)
            taken |= members
    return dict(sorted(found.items()))


def card_width(name: str, op: str, digits: int = 0) -> int:
    """Pixels for a name, an op and a number of so many characters."""
    head = 26 + LETTER * (len(name) + min(len(SYMBOLS.get(op, op)), 12)) + 12 * bool(op)
    return max(LEAST_WIDTH, round(head), round(WORD + LETTER * digits))


def view(trace: Trace, folded: dict[int, list[int]] | None = None, digits: int = 0) -> dict:
    """Positions as plain data: {"width", "height", "cards": {node: [x, y, w, h]}, "edges": [...], "home": [...]}.

    home: for each node the card that shows it. edges: for each of the trace's edges its curves (a start, then Bezier
    triples) and the middle of its pill; None for an edge inside a card. room: whether pills have room of their own;
    wide: enough for local x upstream = contribution. digits: characters of the longest number that will be shown.
    """
    home = list(range(len(trace.nodes)))
    for head, members in (folded or {}).items():
        for i in members:
            home[i] = head
    shown = sorted(set(home))
    label = {i: f"neuron {n}" for n, i in enumerate(folded or {}, 1)}
    sizes = {i: (card_width(label.get(i, trace.nodes[i].name), trace.nodes[i].op, digits), CARD_HEIGHT) for i in shown}
    lines: dict[tuple[int, int], list[int]] = defaultdict(list)
    for k, edge in enumerate(trace.edges):
        pair = home[edge.source], home[edge.target]
        if pair[0] != pair[1]:
            lines[pair].append(k)
    # Parallel edges of a folded neuron are one line; between values each is its own.
    drawn = [(pair, [k]) for pair, ks in lines.items() for k in ks] if not folded else list(lines.items())
    pill = WIDE_PILL if len(shown) <= WIDE_UP_TO else PILL
    room = len(shown) <= PILLS_UP_TO and not folded
    placed = _graphviz(sizes, [pair for pair, _ in drawn], pill, room) \
        or _columns(trace, sizes, [pair for pair, _ in drawn])
    edges: list = [None] * len(trace.edges)
    for (_, ks), line in zip(drawn, placed["lines"], strict=True):
        for k in ks:
            edges[k] = line
    return {"width": placed["width"], "height": placed["height"], "cards": placed["cards"], "edges": edges,
            "home": home, "names": label, "room": room,
            "wide": room and pill is WIDE_PILL}


def _graphviz(sizes: dict[int, tuple[int, int]], pairs: list[tuple[int, int]], pill: tuple[int, int],
              pills: bool) -> dict | None:
    tight = len(sizes) > WIDE_UP_TO
    source = ["digraph{rankdir=LR;pad=0;node[shape=box,fixedsize=true];",
              f"nodesep={0.24 if tight else 0.3};ranksep={0.25 if pills else 0.7};"]
    source += [f"v{i}[width={w / 72:.4f},height={h / 72:.4f}];" for i, (w, h) in sizes.items()]
    for k, (a, b) in enumerate(pairs):
        middle = f"p{k}[arrowhead=none];p{k}->" if pills else ""
        source.append(f"v{a}->{middle}v{b};")
        if pills:
            source.append(f"p{k}[width={pill[0] / 72:.4f},height={pill[1] / 72:.4f}];")
    plain = lay_out("".join([*source, "}"]), "plain")
    return _read_plain(plain, sizes, pairs, pills) if plain else None


def _read_plain(text: str, sizes: dict[int, tuple[int, int]], pairs: list[tuple[int, int]], pills: bool) -> dict:
    """Graphviz's "plain" format: inches, y pointing up."""
    places, curves, width, height = {}, defaultdict(list), 0.0, 0.0
    for row in (line.split() for line in text.splitlines()):
        if row[0] == "graph":
            width, height = float(row[2]), float(row[3])
        elif row[0] == "node":
            places[row[1]] = float(row[2]) * 72, (height - float(row[3])) * 72
        elif row[0] == "edge":
            points = [float(x) for x in row[4:4 + 2 * int(row[3])]]
            curves[row[1], row[2]].append([[round(x * 72, 1), round((height - y) * 72, 1)]
                                           for x, y in zip(points[::2], points[1::2], strict=True)])
    lines = []
    for k, (a, b) in enumerate(pairs):
        if pills:
            into, out = curves[f"v{a}", f"p{k}"].pop(), curves[f"p{k}", f"v{b}"].pop()
            x, y = places[f"p{k}"]
            lines.append({"points": [into, out], "x": round(x, 1), "y": round(y, 1)})
        else:
            curve = curves[f"v{a}", f"v{b}"].pop(0)
            x, y = _middle(curve)
            lines.append({"points": [curve], "x": x, "y": y})
    cards = {i: [round(places[f"v{i}"][0] - w / 2, 1), round(places[f"v{i}"][1] - h / 2, 1), w, h]
             for i, (w, h) in sizes.items()}
    return {"width": round(width * 72), "height": round(height * 72), "cards": cards, "lines": lines}


def _middle(curve: list[list[float]]) -> tuple[float, float]:
    """The point half-way along a chain of Bezier curves."""
    start = 3 * ((len(curve) - 1) // 6)
    part, weights = curve[start:start + 4], (1, 3, 3, 1)
    return tuple(round(sum(w * p[axis] for w, p in zip(weights, part, strict=True)) / 8, 1) for axis in (0, 1))


def _columns(trace: Trace, sizes: dict[int, tuple[int, int]], pairs: list[tuple[int, int]]) -> dict:
    """Without Graphviz: a column for each distance from the inputs, straight edges."""
    column: dict[int, int] = {}
    for i in sizes:
        column[i] = 1 + max((column.get(a, 0) for a, b in pairs if b == i), default=-1)
    across, down = max(w for w, _ in sizes.values()) + WIDE_PILL[0] + 30, CARD_HEIGHT + 30
    filled: dict[int, int] = defaultdict(int)
    cards = {}
    for i, (w, h) in sizes.items():
        cards[i] = [column[i] * across + 10, filled[column[i]] * down + 10, w, h]
        filled[column[i]] += 1
    lines, parallel = [], defaultdict(int)
    for a, b in pairs:
        shift = 24 * parallel[a, b]
        parallel[a, b] += 1
        start = [cards[a][0] + cards[a][2], cards[a][1] + CARD_HEIGHT / 2]
        end = [cards[b][0], cards[b][1] + CARD_HEIGHT / 2]
        bend = [(start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + shift]
        lines.append({"points": [[start, bend, bend, end]], "x": bend[0], "y": round((start[1] + 6 * bend[1] + end[1])
                                                                                    / 8, 1)})
    return {"width": max(c[0] + c[2] for c in cards.values()) + 10,
            "height": max(c[1] + c[3] for c in cards.values()) + 10, "cards": cards, "lines": lines}
