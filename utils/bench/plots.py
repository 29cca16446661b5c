"""Pictures of what `growth` measures: the ones that costs.ipynb shows and `course.py bench --plots` writes.

Engines differ in marker, line and place as well as in colour (Okabe and Ito's palette), and each line carries its name.
"""

from __future__ import annotations

from pathlib import Path

LOOKS = {  # colour, marker, line
    "yours": ("#D55E00", "o", "-"), "level 1": ("#0072B2", "s", "--"), "level 2": ("#CC79A7", "^", ":"),
    "level 3": ("#009E73", "D", "-."), "micrograd": ("#000000", "v", (0, (5, 1, 1, 1, 1, 1))),
}
PLAIN = ("#56B4E9", "P", "-")
SIZE = (8.0, 4.2)  # inches


def _axes(height: float = SIZE[1]):
    import matplotlib.pyplot as plt  # here, since it takes longer to import than all of this package

    axes = plt.subplots(figsize=(SIZE[0], height), layout="constrained")[1]
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def growth(data: dict):
    """Time a node against the size of the graph, both logarithmic; the axes. `data` is that of `growth.growth`.

    Lines are with the collector on; a hollow marker below one is the same engine with the collector off.
    """
    axes = _axes()
    for name, found in data.items():
        colour, marker, line = LOOKS.get(name, PLAIN)
        axes.plot(found["nodes"], found["on"], color=colour, marker=marker, linestyle=line, label=name)
        axes.plot(found["nodes"], found["off"], color=colour, marker=marker, linestyle="", markerfacecolor="none")
    axes.plot([], [], color="#595959", marker="o", linestyle="", markerfacecolor="none", label="collector off")
    axes.set(xscale="log", yscale="log", xlabel="nodes of the graph", ylabel="CPU time a node (ns)",
             title="Forward, backward and release of a random program")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axis.set_minor_formatter("")
    axes.grid(which="both", alpha=0.25)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return axes


def footprint(data: dict):
    """Bytes a node, after the forward pass and at most, as bars; the axes. `data` is that of `growth.footprint`."""
    axes = _axes(1.2 + 0.7 * len(data))
    widest = max(found["peak"] for found in data.values())
    for place, (name, found) in enumerate(data.items()):
        colour = LOOKS.get(name, PLAIN)[0]
        axes.barh(place - 0.18, found["live"], 0.34, color=colour)
        axes.barh(place + 0.18, found["peak"], 0.34, color="white", edgecolor=colour, hatch="///")
        for offset, key in ((-0.18, "live"), (0.18, "peak")):
            axes.text(found[key] + widest * 0.01, place + offset, f"{found[key]:,.0f}", va="center")
    axes.set(yticks=range(len(data)), yticklabels=list(data), xlabel="bytes a node", xlim=(0, widest * 1.12),
             title="Memory: the graph (filled), the most during backward (hatched)")
    axes.invert_yaxis()
    return axes


def shares(data: dict[str, float], title: str):
    """Shares of the time as bars, the collector's hatched; the axes. `data` is that of `growth.where_time_goes`."""
    axes = _axes(1.2 + 0.32 * len(data))
    for place, (name, share) in enumerate(data.items()):
        collector = name == "garbage collector"
        axes.barh(place, share, color="white" if collector else "#0072B2", edgecolor="#D55E00" if collector else None,
                  hatch="///" if collector else None)
        axes.text(share + 0.01, place, f"{share:.0%}", va="center")
    axes.set(yticks=range(len(data)), yticklabels=list(data), xlabel="share of the CPU time", title=title,
             xlim=(0, max(data.values()) * 1.15))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.invert_yaxis()
    return axes


def training_step(data: dict[str, float]):
    """One training step, on a logarithmic axis; the axes. `data` is that of `growth.training_step`."""
    axes = _axes(1.2 + 0.4 * len(data))
    for place, (name, seconds) in enumerate(data.items()):
        colour, marker, _ = LOOKS.get(name, PLAIN)
        axes.plot(seconds * 1e3, place, color=colour, marker=marker, markersize=9)
        axes.annotate(f"{seconds * 1e3:,.3g} ms", (seconds * 1e3, place), (10, 0), textcoords="offset points",
                      va="center")
    axes.set(xscale="log", yticks=range(len(data)), yticklabels=list(data), xlabel="CPU time of a step (ms)",
             title="One training step on 100 points, 337 parameters")
    axes.margins(x=0.25, y=0.15)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.grid(axis="x", alpha=0.25)
    axes.invert_yaxis()
    return axes


def save(report: dict, folder: Path) -> list[Path]:
    """Write the pictures of a report of `course.py bench` as SVG; the files."""
    import matplotlib

    matplotlib.use("agg")
    files = []
    for name, draw in (("growth", growth), ("footprint", footprint), ("training_step", training_step)):
        if name in report:
            files.append(folder / f"{name.replace('_', '-')}.svg")
            draw(report[name]).figure.savefig(files[-1])
    return files
