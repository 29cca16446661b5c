"""What PyTorch recorded, as a picture: the `grad_fn` nodes below a tensor, drawn as `draw` draws a graph of Values."""

from __future__ import annotations

import re
from functools import cached_property

import utils.visualization as view
from utils.visualization import Drawing, draw

MOST = 60                   # nodes that are drawn
OPS = {"Add": "+", "Sub": "-", "Mul": "×", "Div": "÷", "Pow": "**", "Neg": "neg", "Rsub": "-"}


def draw_tape(root: object) -> Tape:
    """A picture of the record that ends in the tensor `root`: leaves on the left with data and grad, operations as
    pills. TypeError for what is no tensor; a tensor without a record gives a sentence."""
    if not hasattr(root, "grad_fn"):
        raise TypeError(f"draw_tape() takes a tensor, and was given an object of type {type(root).__name__}")
    return Tape(root)


def side_by_side(tensor: object, value: object) -> Pair:
    """PyTorch's record of `tensor` beside the graph of `value`, a scalar engine's."""
    return Pair(draw_tape(tensor), draw(value))


class Tape(Drawing):
    """The record below one tensor, as it is now."""

    def __init__(self, root):
        super().__init__(None)
        self.nodes, self.edges = _walk(root.grad_fn)
        self.leaves = {k: node.variable for k, node in enumerate(self.nodes) if hasattr(node, "variable")}
        self.names = [_name(node) for node in self.nodes]

    @cached_property
    def svg(self) -> str:
        """The picture as an SVG document, or "" where there is nothing to draw or no program that can."""
        return view.render(self.dot, self.alt) if 0 < len(self.nodes) <= MOST else ""

    @cached_property
    def dot(self) -> str:
        """The record in Graphviz's language."""
        graph = view.new_graph("tape")
        for k, name in enumerate(self.names):
            if k in self.leaves:
                graph.node(f"n{k}", label=_card(self.leaves[k]), shape="box", style="filled", color=view.BLUE,
                           fillcolor=view.LEAF_FILL)
            else:
                graph.node(f"n{k}", label=f"<<B>{name}</B>>", shape="box", style="rounded,filled", fillcolor=view.BLUE,
                           color=view.BLUE, fontcolor="white", margin="0.1,0.04")
        for parent, child in self.edges:
            graph.edge(f"n{parent}", f"n{child}")
        view.caption(graph, ("PyTorch's record: an operation keeps no value of its own, a leaf keeps its gradient.",))
        return graph.source

    @property
    def alt(self) -> str:
        return f"PyTorch's record of {len(self.nodes)} nodes, inputs first: {', '.join(reversed(self.names))}."

    def __repr__(self) -> str:
        if not self.nodes:
            return "Nothing was recorded for this tensor: it has no grad_fn."
        return self.alt + (f" More than {MOST} are not drawn." if len(self.nodes) > MOST else "")


class Pair:
    """Two drawings in a row."""

    def __init__(self, left: Drawing, right: Drawing):
        self.left, self.right = left, right

    def __repr__(self) -> str:
        return f"{self.left!r}\n{self.right!r}"

    def _repr_html_(self) -> str:
        boxes = "".join(f'<figure style="margin:0;flex:1 1 36em;min-width:0"><figcaption>{name}</figcaption>'
                        f"{drawing._repr_html_()}</figure>"
                        for name, drawing in (("PyTorch", self.left), ("Value", self.right)))
        return f'<div style="display:flex;flex-wrap:wrap;gap:1em">{boxes}</div>'


def _walk(root) -> tuple[list, list[tuple[int, int]]]:
    """(nodes below `root`, root first; edges as (input, user)), one edge an operand. At most MOST + 1 nodes."""
    nodes, edges = ([root] if root is not None else []), []
    for k, node in enumerate(nodes):            # a list that grows
        for parent, _ in node.next_functions:
            if parent is None:                  # a constant, or data: not recorded
                continue
            if parent not in nodes:
                if len(nodes) > MOST:
                    return nodes, edges
                nodes.append(parent)
            edges.append((nodes.index(parent), k))
    return nodes, edges


def _name(node) -> str:
    """`MulBackward0` as ×, `TanhBackward0` as tanh, an accumulator as leaf."""
    name = re.sub(r"Backward\d*$", "", node.name().rpartition("::")[2])
    return "leaf" if name == "AccumulateGrad" else OPS.get(name, name.lower())


def _card(leaf) -> str:
    """A leaf's shape or number, and its gradient."""
    def told(tensor) -> str:
        if tensor is None:
            return "None"
        return view.show(tensor.item()) if tensor.numel() == 1 else "of shape " + str(tuple(tensor.shape))
    return f"leaf\\ldata {told(leaf)}\\lgrad {told(leaf.grad)}\\l"
