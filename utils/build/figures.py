"""The committed pictures of the prose. `figures()` makes them; `course.py build` writes or checks them."""

from __future__ import annotations

from types import SimpleNamespace

import utils.visualization as view
from utils.build import layer_figures
from utils.graph_trace import Trace, forward, local_derivatives, trace
from utils.visualization import show

FOLDER = "topics/02-autograd-engine/figures"
AHEAD = {"colour": view.BLUE, "fill": view.INNER_FILL}    # pill of what an edge carries downstream
BACK = {"colour": view.VERMILION, "fill": "#FBEDE3"}         # pill of a gradient contribution
UPSTREAM = {"color": view.VERMILION, "style": "dashed"}


def figures() -> dict[str, bytes]:
    """Each figure's path from the repository's root, and its SVG; empty where graphviz-pure has no build.

    graphviz-pure lays them out even where a system `dot` is at hand: its bytes are the same on every machine.
    """
    river = run({"x": 2.0, "y": 3.0}, [("a", "+", "x", "y"), ("z", "*", "a", "x")])
    chain = run({"x": 1.0}, [("u", "+ 3", "x"), ("v", "× 2", "u"), ("loss", "relu", "v")])
    diamond = run({"a": 3.0}, [("b", "+", "a", "a"), ("c", "+", "b", "b")])
    pictures = {
        "river": (flow(river, "Solid blue: data flows downstream, left to right.",
                       "Dashed: gradients flow upstream, each upstream × local = contribution; contributions add up."),
                  "The graph of z = (x + y) * x at x = 2, y = 3: data flows right, gradients flow left. "
                  "x receives 5 from the product and 2 from the sum: its grad is 7."),
        "chain": (view.to_dot(chain, locals=True),
                  "A chain from x = 1 to the loss: add 3, times 2, relu. Local derivatives 1, 2 and 1; x has grad 2."),
        "diamond": (flow(diamond, "Each edge brings its own contribution, upstream × local: 2 at b, 4 at a.",
                         "b must be complete before it sends anything on to a."),
                    "b = a + a, then c = b + b, at a = 3: two edges into each sum, so b has grad 2 and a has grad 4."),
        "two-paths": (two_paths(3, 26),
                      "Levels in a row, each with two paths from its input to its output: the number of paths doubles "
                      "at each level, 2, 4, 8, and is 67,108,864 after 26."),
    }
    drawn = {f"{folder}/{name}.svg": view.render(source, alt, pure=True)
             for folder, those in ((FOLDER, pictures), (layer_figures.FOLDER, layer_figures.pictures()))
             for name, (source, alt) in those.items()}
    return {path: (svg + "\n").encode() for path, svg in drawn.items() if svg}


def run(leaves: dict[str, float], program: list[tuple[str, ...]]) -> Trace:
    """The trace of a straight-line program of (name, op, inputs...): forward, then gradients of its last line."""
    values = {name: SimpleNamespace(label=name, data=data, grad=0.0, _op="", _prev=()) for name, data in leaves.items()}
    for name, op, *inputs in program:
        parents = tuple(values[i] for i in inputs)
        values[name] = SimpleNamespace(label=name, data=forward(op, tuple(p.data for p in parents)), grad=0.0,
                                       _op=op, _prev=parents)
    root = values[program[-1][0]]
    root.grad = 1.0
    for name, op, *_ in reversed(program):              # a program's lines are in topological order already
        out = values[name]
        local = local_derivatives(op, tuple(p.data for p in out._prev), out.data)
        for parent, derivative in zip(out._prev, local, strict=True):
            parent.grad += derivative * out.grad
    return trace(root)


def flow(walked: Trace, *sentences: str) -> str:
    """Graphviz source: each edge twice, with the data it carries downstream and the contribution it brings back."""
    graph = view.new_graph()
    graph.attr(nodesep="0.16")
    graph.attr("edge", color=view.BLUE, penwidth="1.5")
    view.add_nodes(graph, walked)
    for i, node in enumerate(walked.nodes):
        if node.op:
            view.add_edge(graph, f"op{i}", f"v{i}", back=True, **UPSTREAM)
    for edge in walked.edges:
        ends, lane = (f"v{edge.source}", f"op{edge.target}"), f"{edge.target}_{edge.position}"
        upstream = walked.nodes[edge.target].grad
        text = f"{show(upstream)} × {show(edge.local)} = {show(upstream * edge.local)}"
        view.add_edge(graph, *ends, show(walked.nodes[edge.source].data), name=f"ahead{lane}", **AHEAD)
        view.add_edge(graph, *ends, text, name=f"back{lane}", back=True, **BACK, **UPSTREAM)
    graph.node("seed", label=f"seed {show(walked.nodes[walked.root].grad)}", shape="plaintext",
               fontcolor=view.VERMILION, margin="0.02")
    view.add_edge(graph, f"v{walked.root}", "seed", back=True, **UPSTREAM)
    view.caption(graph, sentences, width=110)
    return graph.source


def two_paths(drawn: int, levels: int) -> str:
    """Graphviz source: `drawn` of `levels` levels x -> 0.4 x + 0.6 x, with the number of paths that reach each x."""
    graph = view.new_graph()

    def value(level: int) -> None:
        paths = f"{2 ** level:,} path" + "s" * (level > 0)
        graph.node(f"x{level}", shape="box", margin="0.1,0.06", color=view.BLUE, penwidth="1.2",
                   style="rounded,filled" if level else "filled",
                   fillcolor=view.INNER_FILL if level else view.LEAF_FILL,
                   label=f'<<B>x{level}</B><BR/><FONT POINT-SIZE="10" COLOR="{view.VERMILION}">{paths}</FONT>>')

    def op(name: str, text: str) -> None:
        graph.node(name, label=f"<<B>{text}</B>>", shape="box", style="rounded,filled", fillcolor=view.BLUE,
                   color=view.BLUE, fontcolor="white", margin="0.06,0.02", height="0.28", width="0.34")

    value(0)
    for level in range(1, drawn + 1):
        value(level)
        op(f"sum{level}", "+")
        for side, factor in (("left", "× 0.4"), ("right", "× 0.6")):
            op(f"{side}{level}", factor)
            graph.edge(f"x{level - 1}", f"{side}{level}")
            graph.edge(f"{side}{level}", f"sum{level}")
        graph.edge(f"sum{level}", f"x{level}")
    graph.node("more", label=f"{levels - drawn} more levels", shape="plaintext", fontcolor=view.GREY)
    value(levels)
    graph.edge(f"x{drawn}", "more", style="dashed")
    graph.edge("more", f"x{levels}", style="dashed")
    view.caption(graph, (f"{levels} levels: {3 * levels} operations, {2 ** levels:,} paths. "
                         "A backward pass that follows paths walks all of them; "
                         f"one that visits each node once takes {3 * levels} steps.",), 110)
    return graph.source
