"""Rebuild a notebook from the one that was released, taking from the learner's only text."""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

TRUSTED = "upstream_shipped"  # metadata of a cell whose text is the released one: it needs no sanitizing


@dataclass
class Cell:
    """A submitted cell, as far as anything in it is used."""

    type: str
    source: str
    names: tuple[str, ...]  # grade id, cell id: what it may be called in the released notebook
    attachments: dict = field(default_factory=dict)


@dataclass
class Grafted:
    notebook: NotebookNode
    deleted: list[str]     # names of graded, answer or question cells that the learner's notebook lacks
    duplicated: list[str]  # names of answer cells it has more than once


def graft(released: NotebookNode, submitted: list[Cell]) -> Grafted:
    """The released notebook with the learner's answers, and the learner's ordinary cells where they stood.

    Graded and locked cells are the released ones, always. Of several copies of an answer cell the last one counts.
    """
    ours = {cell.id: cell for cell in released.cells}
    by_text = {(cell.cell_type, cell.source): cell.id for cell in released.cells if "nbgrader" not in cell.metadata}
    copies: dict[str, list[Cell]] = defaultdict(list)
    extra: dict[str | None, list[Cell]] = defaultdict(list)  # learner's own cells, by the cell they follow
    anchor = None
    for cell in submitted:
        name = next((n for n in cell.names if n in ours), None) or by_text.get((cell.type, cell.source))
        if name is None:
            extra[anchor].append(cell)
        else:
            copies[name].append(cell)
            anchor = name

    cells, number = [], 0

    def add_extra(those: list[Cell]) -> None:
        nonlocal number
        for cell in those:
            number += 1
            cells.append(_ordinary(cell, f"extra-{number}"))

    add_extra(extra[None])
    for name, original in ours.items():
        cell = copy.deepcopy(original)
        mine = copies[name]
        if mine and is_answer(cell):
            add_extra([c for c in mine[:-1] if c.source not in (mine[-1].source, original.source)])
            cell.source = mine[-1].source
            if mine[-1].attachments and cell.cell_type == "markdown":
                cell.attachments = mine[-1].attachments
        elif mine and "nbgrader" not in cell.metadata and mine[-1].source != original.source:
            cell = _ordinary(mine[-1], name)
        if cell.source == original.source:
            cell.metadata[TRUSTED] = True
        cells.append(cell)
        add_extra(extra[name])
    named = [name for name, cell in ours.items() if "nbgrader" in cell.metadata]
    return Grafted(new_notebook(cells=cells, metadata=copy.deepcopy(released.metadata)),
                   deleted=[name for name in named if not copies[name]],
                   duplicated=[name for name in named if is_answer(ours[name]) and len(copies[name]) > 1])


def is_answer(cell: NotebookNode) -> bool:
    """Whether the learner writes in this cell and it counts: an answer, or an essay."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def _ordinary(cell: Cell, name: str) -> NotebookNode:
    """A learner's own cell without the learner's metadata. Raw cells become text."""
    if cell.type == "code":
        return new_code_cell(source=cell.source, id=name)
    pictures = {"attachments": cell.attachments} if cell.attachments else {}
    return new_markdown_cell(source=cell.source, id=name, **pictures)
