"""Draw the graph behind a value: the learner's engine, the stub's, or any other.

`draw(z)` shows in JupyterLab, in untrusted notebooks and exports too, and prints as a listing elsewhere.
"""

from __future__ import annotations

import base64
import html
import math
import re
import shutil
import subprocess
import sysconfig
import textwrap
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

import graphviz

from utils.graph_trace import ABSENT, NO_INPUTS, NOT_VALUES, ONCE_OR_TWICE, WALK_LIMIT, Node, Trace, read, trace
from utils.slim import slim

MAX_NODES = 2_000           # about a second of layout
QUICK_FROM = 400            # values; from here on the layout is less thorough: straight edges, few rounds
QUICK = {"splines": "line", "mclimit": "0.05", "nslimit": "0.05", "nslimit1": "0.5"}
RENDER_SECONDS = 30

# Okabe and Ito's palette; the two darkened ones reach 4.5:1 on white. Shape and words say the same as colour.
BLUE, ORANGE, VERMILION, GREEN = "#0072B2", "#E69F00", "#A84400", "#00664B"
INK, GREY, LINE = "#1A1A1A", "#595959", "#6B7785"
LEAF_FILL, INNER_FILL, PILL_FILL = "#DCEEF8", "#FFFFFF", "#E6F4EF"

FONT = "Arial"              # the layout's metrics; viewers use what they have of FONT_FAMILY
FONT_FAMILY = "Arial, 'Liberation Sans', Helvetica, sans-serif"
GAP = "\u200c"              # keeps Graphviz from reading the \\N in a label as a command; render() takes it out again
SYMBOLS = {"*": "×", "-": "−", "/": "÷"}

NO_PROGRAM = ("To see this as a picture, install Graphviz (its program `dot`): `apt install graphviz`, "
              "`brew install graphviz` or `conda install graphviz`.")


def draw(root: object, *, grads: bool = True, locals: bool = False, max_nodes: int = 200,
         names: Mapping[str, object] | None = None) -> Drawing:
    """A picture of the graph that ends in `root`: inputs on the left, `root` on the right, as they are now.

    grads: show each value's `grad`. locals: show on each edge the local derivative d out / d input, where the op is
    known. max_nodes: draw that many values nearest the root, 2,000 at most. names: names for values without a
    label, for example `names=globals()`.
    """
    if read(root, "data") is ABSENT:
        return Drawing(None, notes=(f"draw() takes one value of your engine, an object whose `data` can be read; "
                                    f"it was given an object of type {type(root).__name__}.",))
    walked = trace(root, max(1, min(max_nodes, MAX_NODES)), names)
    return Drawing(walked, grads=grads, locals=locals, notes=notes(walked, grads=grads, locals=locals))


class Drawing:
    """A graph as a picture (`svg`, `save`), as Graphviz source (`dot`) and as text (`str`); `notes` says what is odd.

    It shows the values as they were when it was made.
    """

    def __init__(self, trace: Trace | None, *, grads: bool = True, locals: bool = False,
                 notes: tuple[str, ...] = ()) -> None:
        self.trace, self.grads, self.locals, self.notes = trace, grads, locals, notes

    @cached_property
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        return to_dot(self.trace, grads=self.grads, locals=self.locals, notes=self.notes) if self.trace else ""

    @cached_property
    def svg(self) -> str:
        """The picture as an SVG document, or "" where this machine has no program that can lay it out."""
        return render(self.dot, self.alt) if self.trace else ""

    @property
    def alt(self) -> str:
        """The picture in words, for readers who do not see it."""
        if len(self.trace.nodes) > 12:
            return _headline(self.trace) + "."
        return f"{_headline(self.trace)}: " + "; ".join(" ".join(line.split()) for line in self._lines()) + "."

    def save(self, path: str | Path) -> Path:
        """Write the picture to `path` (.svg) and return it; OSError where no picture can be made."""
        path = Path(path)
        if path.suffix != ".svg":
            raise ValueError(f"save() writes .svg files, and was given {path.name!r}: try {path.stem + '.svg'!r}")
        if not self.svg:
            raise OSError(NO_PROGRAM if self.trace else self.notes[0])
        path.write_text(self.svg, encoding="utf-8", newline="\n")
        return path

    def __repr__(self) -> str:
        if not self.trace:
            return self.notes[0]
        return "\n".join([_headline(self.trace), *("  " + line for line in self._lines()), *self.notes])

    def _repr_html_(self) -> str:
        if not self.svg:
            return f"<pre>{html.escape(repr(self))}</pre>" + (f"<p>{NO_PROGRAM}</p>" if self.trace else "")
        return as_image(self.svg, self.alt)

    def _lines(self) -> list[str]:
        """One line a value, as code that could have made it; columns aligned."""
        nodes = self.trace.nodes
        rows = []
        for node in nodes:
            inputs = [nodes[p].name for p in node.parents] + ["..."] * node.more
            data = f"data {show(node.data)}"
            grad = f"grad {show(node.grad)}" if self.grads and node.grad is not None else ""
            rows.append((node.name + (" = " + _call(node.op, inputs) if inputs else ""), data, grad))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def as_image(svg: str, alt: str, least: float = 0.75) -> str:
    """An SVG document as HTML that shows in untrusted notebooks and on feedback pages too.

    A wide picture shrinks to the page, but never below `least` of its size: from there on it scrolls.
    """
    width = round(float(re.search(r'width="([\d.]+)pt"', svg)[1]) * 4 / 3)     # CSS: 96 px are 72 pt
    source = base64.b64encode(slim(svg).encode()).decode()
    return (f'<div style="overflow-x:auto"><img src="data:image/svg+xml;base64,{source}" width="{width}" '
            f'alt="{html.escape(alt)}" '
            f'style="max-width:100%;min-width:{round(width * least)}px;height:auto;border-radius:6px"></div>')


def _headline(walked: Trace) -> str:
    return (f"Graph of {_count(len(walked.nodes), 'value')} and {_count(len(walked.edges), 'edge')}, "
            f"inputs first, ending in {walked.nodes[walked.root].name}")


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + "s" * (number != 1)


def _call(op: str, inputs: list[str]) -> str:
    if len(inputs) == 2 and not op[:1].isalpha():
        return f"{inputs[0]} {op} {inputs[1]}"
    if len(inputs) == 1 and re.match(r"[-+*/^×].*\d", op):       # an op that carries its constant: "**2", "-1"
        return inputs[0] + re.sub(r"^([-+*/×])\s*(?=[\d.])", r" \1 ", op)
    return f"{op}({', '.join(inputs)})"


def show(value: int | float | str | None) -> str:
    """A number in about four digits: 3 is the int, 3.0 the float, 0.3000 a float that is near 0.3 and is not it."""
    if not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int) and value.bit_length() > 1000:
        return f"int of {value.bit_length()} bits"
    text = repr(value)
    if len(text) <= (9 if isinstance(value, int) else 7):
        return text
    return f"{value:.4g}" if float(f"{value:.4g}") == value else f"{value:#.4g}"


def notes(walked: Trace, *, grads: bool = True, locals: bool = False) -> tuple[str, ...]:
    """One sentence for each thing the picture leaves out, or that a reader should look at."""
    nodes, odd, found = walked.nodes, walked.odd, []
    drawn = len(nodes)
    if walked.total > drawn:
        size = f"{walked.total:,}" + " or more" * (walked.total == WALK_LIMIT)
        more = f"; draw(..., max_nodes={MAX_NODES}) draws more" * (drawn < MAX_NODES)
        found.append(f"Drawn: the {drawn:,} nearest the root of {size} values{more}.")
    if walked.cyclic:
        found.append("There is a cycle, a value that is among its own inputs: no order is right for backward().")
    counted = [
        (odd.get(NO_INPUTS, 0), "No list of inputs (`_prev`) at {}: what came before is not drawn."),
        (odd.get(NOT_VALUES, 0), "Left out at {}: inputs that are no values of this engine."),
        (odd.get(ONCE_OR_TWICE, 0), "At {} the inputs are a set of one, and data does not say if it was used twice."),
        (sum(n.op == "?" for n in nodes), "No `_op` at {}: a question mark stands for it."),
        (sum(isinstance(n.data, str) for n in nodes), "At {} data is no single number: its kind is shown."),
    ]
    if grads:
        counted += [(sum(n.grad is None for n in nodes), "No `grad` at {}."),
                    (sum(n.grad == "None" for n in nodes), "At {} grad is None: backward() wrote nothing there."),
                    (sum(isinstance(n.grad, str) and n.grad != "None" for n in nodes),
                     "At {} grad is no single number: its kind is shown.")]
    if locals:
        counted.append((len({e.target for e in walked.edges if e.local is None}),
                        "No local derivative at {}: op unknown, or data is not what it makes of the inputs."))
    found += [sentence.format(_count(number, "value")) for number, sentence in counted if number]
    bad = [n for n in nodes if isinstance(n.data, float) and not math.isfinite(n.data)]
    if bad:
        found.append(f"Downstream, the first data that is not finite: {bad[0].name}, {bad[0].data}.")
    bad = [n for n in nodes if isinstance(n.grad, float) and not math.isfinite(n.grad)]
    if bad and grads:
        found.append(f"Upstream, the first grad that is not finite: {bad[-1].name}, {bad[-1].grad}.")
    return tuple(found)


# ---- Graphviz

def new_graph(title: str = "graph") -> graphviz.Digraph:
    """An empty left-to-right graph in the house style: white card, thin grey arrows."""
    return graphviz.Digraph(
        title,
        graph_attr={"rankdir": "LR", "bgcolor": "white", "pad": "0.2", "nodesep": "0.22", "ranksep": "0.32",
                    "fontname": FONT, "fontsize": "10", "fontcolor": GREY, "labelloc": "b", "labeljust": "l"},
        node_attr={"fontname": FONT, "fontsize": "11", "fontcolor": INK},
        edge_attr={"fontname": FONT, "fontsize": "10", "color": LINE, "arrowsize": "0.6", "penwidth": "1.1"},
    )


def to_dot(walked: Trace, *, grads: bool = True, locals: bool = False, notes: tuple[str, ...] = ()) -> str:
    """Graphviz source: a card for each value, a pill for the op that made it, an edge for each operand."""
    graph = new_graph()
    if len(walked.nodes) >= QUICK_FROM:
        graph.attr(**QUICK)
    add_nodes(graph, walked, grads=grads)
    for edge in walked.edges:
        text = show(edge.local) if locals and edge.local is not None else ""
        add_edge(graph, f"v{edge.source}", f"op{edge.target}", text, name=f"local{edge.target}_{edge.position}")
    caption(graph, ("On an edge: the local derivative of the op's output by that input.",) * locals + notes)
    return graph.source


def add_nodes(graph: graphviz.Digraph, walked: Trace, *, grads: bool = True) -> None:
    """Put values and ops on `graph`: value i is called v<i>, the op that made it op<i>."""
    for i, node in enumerate(walked.nodes):
        leaf = not node.op
        graph.node(f"v{i}", label=card(node, grads), shape="box", margin="0.1,0.05", color=BLUE,
                   style="filled" if leaf else "rounded,filled", fillcolor=LEAF_FILL if leaf else INNER_FILL,
                   penwidth="2.6" if i == walked.root else "1.2")
        if not leaf:
            graph.node(f"op{i}", label=f"<<B>{_text(SYMBOLS.get(node.op, node.op))}</B>>", shape="box",
                       style="rounded,filled", fillcolor=BLUE, color=BLUE, fontcolor="white",
                       fontsize="13" if len(node.op) <= 2 else "11", margin="0.06,0.02", height="0.28", width="0.34",
                       ordering="in" if node.op in "-/**" else "")
            graph.edge(f"op{i}", f"v{i}")
        if node.more:
            graph.node(f"more{i}", label="...", shape="plaintext", fontcolor=GREY, margin="0.03")
            graph.edge(f"more{i}", f"op{i}", style="dashed")


def _text(text: str) -> str:
    return html.escape(text).replace("\\", "\\" + GAP)


def add_edge(graph: graphviz.Digraph, tail: str, head: str, text: str = "", *, name: str = "", back: bool = False,
             colour: str = GREEN, fill: str = PILL_FILL, **style: str) -> None:
    """An arrow from `tail` to `head` (`back`: drawn from head to tail, with the layout left as it is).

    With `text` it runs through a pill, the node `name`, so that no line crosses what the pill says.
    """
    direction = "back" if back else "forward"
    if text:
        graph.node(name, label=text, shape="box", style="rounded,filled", color=colour, fillcolor=fill,
                   fontcolor=colour, fontsize="10", margin="0.05,0.02", height="0.2", width="0.3", penwidth="0.8")
        graph.edge(tail, name, dir=direction if back else "none", **style)
        tail, direction = name, "none" if back else direction
    graph.edge(tail, head, dir=direction, **style)


def caption(graph: graphviz.Digraph, sentences: Iterable[str], width: int = 72) -> None:
    """Sentences under the picture, left-aligned; `width` in characters."""
    lines = [line for sentence in sentences for line in textwrap.wrap(sentence, width)]
    if lines:
        graph.attr(label=r"\l" + "".join(graphviz.escape(html.escape(line)) + r"\l" for line in lines))


def card(node: Node, grads: bool = True, wrong: tuple[str, str] | None = None) -> str:
    """A value's label in Graphviz's HTML: name if it has one, data, grad.

    `wrong`: "data" or "grad", and the number that stood there instead of the node's; the two are told apart in words.
    """
    name = f"<B>{_text(node.label)}</B>" if node.label else f'<FONT COLOR="{GREY}" POINT-SIZE="9">{node.name}</FONT>'
    rows = [f'<TR><TD COLSPAN="2">{name}</TD></TR>']
    rows.append(_row("data", show(node.data), INK))
    if grads and node.grad is not None:
        rows.append(_row("grad", show(node.grad), VERMILION))
    if wrong:
        at = {"data": 1, "grad": 2}[wrong[0]]
        rows[at:at + 1] = [_row(f"{wrong[0]}, yours", f"✗ {wrong[1]}", VERMILION, bold=True),
                           _row("expected", show(getattr(node, wrong[0])), GREEN, bold=True)]
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(rows)}</TABLE>>'


def _row(word: str, text: str, colour: str, bold: bool = False) -> str:
    shown = f"<B>{_text(text)}</B>" if bold else _text(text)
    return (f'<TR><TD ALIGN="LEFT"><FONT POINT-SIZE="9" COLOR="{GREY}">{word} </FONT></TD>'
            f'<TD ALIGN="RIGHT"><FONT COLOR="{colour}">{shown}</FONT></TD></TR>')


def find_program(pure: bool = False) -> str | None:
    """The layout program: a system `dot`, else `graphviz-pure` from this environment; None if there is neither."""
    own = (shutil.which("graphviz-pure", path=sysconfig.get_path("scripts")) or shutil.which("graphviz-pure"))
    return own if pure else shutil.which("dot") or own


def lay_out(source: str, form: str = "svg", *, pure: bool = False) -> str:
    """Graphviz source in one of Graphviz's output formats; "" where no program can do it (`pure`: graphviz-pure)."""
    program = find_program(pure)
    if program is None:
        return ""
    try:
        done = subprocess.run([program, f"-T{form}"], input=source.encode(), capture_output=True, check=True,
                              timeout=RENDER_SECONDS, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0))
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8").replace("\r\n", "\n")


def render(source: str, alt: str, *, pure: bool = False) -> str:
    """Graphviz source as an SVG document described by `alt`; "" where no program can do it (`pure`: graphviz-pure)."""
    svg = lay_out(source, pure=pure)
    if not svg:
        return ""
    svg = re.sub(r"<!--.*?-->\n?", "", svg[svg.index("<svg"):], flags=re.DOTALL)
    svg = svg.replace(f' font-family="{FONT}"', "").replace(' xml:space="preserve"', "").replace(GAP, "")
    return svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(alt)}" font-family="{FONT_FAMILY}"', 1)
