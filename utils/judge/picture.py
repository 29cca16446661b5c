"""The failing program of a message as a picture: right numbers everywhere, the wrong one beside its right one."""

from __future__ import annotations

from functools import lru_cache

import graphviz

from utils.graph_trace import Node, Trace
from utils.judge.expression import NotAProgram, parse
from utils.judge.oracle import everywhere
from utils.judge.program import METHODS, SYMBOLS, Line, Program, Ref
from utils.judge.report import Verdict
from utils.visualization import GREY, VERMILION, add_edge, add_nodes, as_image, caption, card, new_graph, render, show

MOST_NODES = 14             # values; a larger program is not read from a picture
LONGEST_NUMBER = 24         # characters of what came instead
SIGNS = SYMBOLS | {"neg": "-"} | {method: method for method in METHODS}
CAPTION = "These numbers are right, but for the one with a cross: that is yours."


def picture(verdict: Verdict) -> str:
    """HTML for the program of a promise that was not kept; "" where it is large, no straight line, or has no number."""
    if verdict.status != "failed" or not verdict.program or None in (verdict.quantity, verdict.yours):
        return ""
    return _picture(verdict.program, verdict.quantity, verdict.yours)


@lru_cache(maxsize=64)
def _picture(code: str, quantity: str, yours: str) -> str:
    try:
        program, names = parse(code)
    except NotAProgram:
        return ""
    name, _, attribute = quantity.partition(".")
    if name not in names or attribute not in ("data", "grad") or len(program.leaves) + len(program.lines) > MOST_NODES:
        return ""
    try:
        graph, alt = _drawn(program, names, name, attribute, yours[:LONGEST_NUMBER])
    except (ArithmeticError, ValueError, TypeError):    # no right number to show: the promise says what it expects
        return ""
    svg = render(graph.source, alt)
    return as_image(svg, alt, least=0.5) if svg else ""


def _drawn(program: Program, names: dict[str, int], name: str, attribute: str,
           yours: str) -> tuple[graphviz.Digraph, str]:
    """The graph, and what it shows in words."""
    trace, marked = as_trace(program, names), names[name]
    graph = new_graph()
    add_nodes(graph, trace)
    graph.node(f"v{marked}", label=card(trace.nodes[marked], wrong=(attribute, yours)), color=VERMILION, penwidth="3")
    for target, line in enumerate(program.lines, start=len(program.leaves)):
        for position, x in enumerate(line.operands):
            if isinstance(x, Ref):
                add_edge(graph, f"v{x.index}", f"op{target}")
            elif line.op != "pow":
                constant = f"constant{target}_{position}"
                graph.node(constant, label=show(x), shape="plaintext", fontcolor=GREY, margin="0.03", width="0",
                           height="0")
                add_edge(graph, constant, f"op{target}")
    caption(graph, [CAPTION])
    right = show(getattr(trace.nodes[marked], attribute))
    return graph, f"The graph of this program. Wrong in it: {name}.{attribute}, yours {yours}, expected {right}."


def as_trace(program: Program, names: dict[str, int]) -> Trace:
    """`program` with its right numbers, as `draw` takes a learner's graph; a constant operand is no node of it."""
    labels = {index: name for name, index in names.items()}
    made = [("", ())] * len(program.leaves) + [
        (_sign(line), tuple(x.index for x in line.operands if isinstance(x, Ref))) for line in program.lines]
    nodes = tuple(Node(labels.get(k) or f"v{k + 1}", labels.get(k, ""), op, value + 0.0, grad + 0.0, inputs, False)
                  for k, ((op, inputs), (value, grad)) in enumerate(zip(made, everywhere(program), strict=True)))
    return Trace(nodes, (), program.root, len(nodes), False, {})


def _sign(line: Line) -> str:
    number = line.operands[-1]
    return SIGNS[line.op] + (show(number) if line.op == "pow" and not isinstance(number, Ref) else "")

