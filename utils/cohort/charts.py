"""Pictures of a cohort, as SVG that takes its colours from the page: text in the page's colour, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from utils.cohort.gather import Cohort
from utils.cohort.items import Item

# What the page's style sheet calls a colour, and the colour that stands for it while matplotlib draws.
COLOURS = {"--text": "#010203", "--full": "#010204", "--part": "#010205", "--tried": "#010206", "--line": "#010207",
           "--waiting": "#010208"}
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "upstream", "font.family": "sans-serif", "font.size": 11,
         "text.color": COLOURS["--text"], "axes.labelcolor": COLOURS["--text"], "axes.edgecolor": COLOURS["--line"],
         "xtick.color": COLOURS["--text"], "ytick.color": COLOURS["--text"], "axes.spines.top": False,
         "axes.spines.right": False}


def totals(cohort: Cohort) -> str:
    """How many learners have how many points."""
    values = [learner.total for learner in cohort.graded]
    edges = np.linspace(0, cohort.topic.points, 23)

    def draw(axes) -> None:
        counts, _, _ = axes.hist(np.clip(values, 0, edges[-1]), bins=edges, color=COLOURS["--full"], rwidth=0.9)
        axes.axvline(float(np.median(values)), color=COLOURS["--text"], linewidth=1.2, linestyle="--")
        axes.annotate(f"median {np.median(values):g}", (float(np.median(values)), max(counts) * 1.03), xytext=(6, 0),
                      textcoords="offset points", va="bottom")
        axes.set(xlabel=f"points of {cohort.topic.points}", ylabel="learners", xlim=(0, edges[-1]),
                 ylim=(0, max(counts) * 1.15))
        axes.yaxis.get_major_locator().set_params(integer=True)
    return _svg((9, 3.1), draw, "totals")


def outcomes(rows: list[Item]) -> str:
    """For every exercise, the share of learners with all, some and none of its points."""
    kinds = (("full", "--full", "all points"), ("part", "--part", "some points"),
             ("tried", "--tried", "tried, no points"), ("waiting", "--waiting", "to be marked"))
    names = [f"{row.exercise.id}  {row.exercise.title}" for row in rows]

    def draw(axes) -> None:
        left = np.zeros(len(rows))
        everyone = np.array([max(1, row.full + row.part + row.tried + row.untouched + row.waiting) for row in rows])
        for kind, colour, label in kinds:
            share = 100 * np.array([getattr(row, kind) for row in rows]) / everyone
            axes.barh(names, share, left=left, color=COLOURS[colour], label=label, height=0.72)
            left += share
        axes.set(xlim=(0, 100), xlabel="% of learners; the rest has nothing there")
        axes.margins(y=0.01)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.legend(loc="lower right", bbox_to_anchor=(0.9, 1.0), ncols=4, frameon=False, handlelength=1)
    return _svg((9, 1.1 + 0.27 * len(rows)), draw, "outcomes")


def _svg(size: tuple[float, float], draw: Callable, name: str) -> str:
    """A figure as SVG for inclusion in a page; the same figure gives the same bytes."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        draw(axes)
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg"):]
    for variable, colour in COLOURS.items():
        svg = svg.replace(colour, f"var({variable})")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'( id="|url\(#|href="#)', rf"\1{name}-", svg)       # two pictures on one page share no ids
    return re.sub(r'<svg (.*?)width="[^"]*"(.*?)height="[^"]*"', r'<svg \1\2aria-hidden="true"', svg, count=1,
                  flags=re.DOTALL)
