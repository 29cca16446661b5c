"""The pictures of topic 06: layers that hand a gradient back, and a gate that decides what passes."""

from __future__ import annotations

import graphviz

import utils.visualization as view

FOLDER = "topics/06-backpropagation/figures"
BACK = {"color": view.VERMILION, "fontcolor": view.VERMILION, "style": "dashed", "constraint": "false"}


def pictures() -> dict[str, tuple[str, str]]:
    """Name -> (Graphviz source, what it shows in words)."""
    return {
        "brigade": (brigade(("Linear", "ReLU", "Linear", "Loss"), ("x", "z", "h", "y", "L")),
                    "Four layers in a row: Linear, ReLU, Linear, Loss. Solid arrows carry x, z, h, y, L to the right. "
                    "Dashed arrows hand the gradient of each of them back to the left, starting with 1."),
        "gate": (gate((3.0, -2.0, 0.5, -0.1), (10.0, 20.0, 30.0, 40.0)),
                 "relu with the inputs 3, -2, 0.5, -0.1 and the upstream gradients 10, 20, 30, 40: the first and the "
                 "third pass back, the second and the fourth are stopped."),
    }


def _layer(graph: graphviz.Digraph, name: str, text: str) -> None:
    graph.node(name, label=f"<<B>{text}</B>>", shape="box", style="rounded,filled", fillcolor=view.BLUE,
               color=view.BLUE, fontcolor="white", margin="0.16,0.1")


def brigade(layers: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Graphviz source: layers in a row, the values between them going right, their gradients going left."""
    graph = view.new_graph()
    graph.attr(nodesep="0.5", ranksep="0.75")
    ends = ["source", *(f"layer{k}" for k in range(len(layers))), "end"]
    graph.node("source", label="data", shape="plaintext", fontcolor=view.GREY)
    graph.node("end", label="seed 1", shape="plaintext", fontcolor=view.VERMILION)
    for k, text in enumerate(layers):
        _layer(graph, f"layer{k}", text)
    for left, right, value in zip(ends[:-1], ends[1:], values, strict=True):
        graph.edge(left, right, label=f" {value} ", color=view.BLUE, fontcolor=view.BLUE, penwidth="1.5")
        graph.edge(right, left, label=f" dL/d{value} ", **BACK)
    view.caption(graph, ("Solid: data, left to right. Dashed: what each layer is told, and what it tells the one "
                         "before it, upstream times local.",), 100)
    return graph.source


def gate(inputs: tuple[float, ...], upstream: tuple[float, ...]) -> str:
    """Graphviz source: a row for each entry of a relu, with what goes in, whether it is open, and what comes back."""
    graph = view.new_graph()
    graph.attr(ranksep="0.7", nodesep="0.12")
    for k, (x, g) in enumerate(reversed(list(zip(inputs, upstream, strict=True)))):  # drawn from the bottom up
        is_open = x > 0
        back, ahead = (g, x) if is_open else (0.0, 0.0)
        graph.node(f"in{k}", label=f"input {view.show(x)}\\lgradient {view.show(back)}\\l", shape="box", style="filled",
                   color=view.BLUE, fillcolor=view.LEAF_FILL)
        graph.node(f"gate{k}", label="open" if is_open else "closed", shape="box", style="rounded,filled",
                   fillcolor=view.PILL_FILL if is_open else "#EEEEEE", color=view.GREEN if is_open else view.GREY,
                   fontcolor=view.GREEN if is_open else view.GREY, penwidth="1.6" if is_open else "0.8")
        graph.node(f"out{k}", label=f"output {view.show(ahead)}\\lgradient {view.show(g)}\\l", shape="box",
                   style="rounded,filled", color=view.BLUE, fillcolor=view.INNER_FILL)
        graph.edge(f"in{k}", f"gate{k}", color=view.BLUE)
        graph.edge(f"gate{k}", f"out{k}", color=view.BLUE, arrowhead="normal" if is_open else "none",
                   style="solid" if is_open else "dotted")
        graph.edge(f"out{k}", f"gate{k}", arrowhead="normal", **BACK)
        graph.edge(f"gate{k}", f"in{k}", arrowhead="normal" if is_open else "none",
                   **(BACK if is_open else BACK | {"style": "dotted"}))
    view.caption(graph, ("The sign of the input, on the way forward, decides. The gradient's own sign does not.",), 100)
    return graph.source
