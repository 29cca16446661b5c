"""Feedback pages: what nbgrader's lack (the exercises' names, a mark on what is folded), and pages from data alone.

`nbgrader generate_feedback` uses NamePoints, which asks the gradebook. `page` makes the same page from marks that it is
given, so that it can be made in any process.
"""

from __future__ import annotations

import json
import logging
from functools import lru_cache

import nbformat
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution, is_task

from utils.build.nbgrader_cells import grade_id
from utils.curriculum import topic
from utils.judge.report import number

# nbgrader's table calls every exercise "Test cell"; its stylesheet takes the triangle from `summary`, and the room
# between the columns of tables; a wide drawing would run out of the page.
CSS = ("#toc li:not(.late-penalty) { display: none } summary { display: list-item; cursor: pointer } "
       ".output_subarea { overflow-x: auto } .rendered_html th, .rendered_html td { padding: 1px 14px 1px 0 }")


class NamePoints(GetGrades):
    """Gets the grades, and puts a list of the page's exercises on top: by name, with points and a link to each."""

    def preprocess(self, nb, resources):
        nb, resources = super().preprocess(nb, resources)
        where = resources["nbgrader"]
        with Gradebook(where["db_url"]) as book:
            grades = book.find_submission_notebook(where["notebook"], where["assignment"], where["student"]).grades
            waiting = {g.cell.name for g in grades if g.needs_manual_grade and g.manual_score is None}
        return list_points(nb, resources, waiting)


def list_points(nb: NotebookNode, resources, waiting: set[str]):
    """The notebook with the list on top; `waiting` are the cells that nobody has marked yet."""
    resources["inlining"]["css"].append(CSS)
    exercises = topic(resources["nbgrader"]["assignment"]).exercises
    names = {grade_id(kind, e.id): f"{e.id} {e.title}" for e in exercises for kind in ("check", "essay-answer")}
    rows = []
    for of in (cell.metadata.nbgrader for cell in nb.cells if is_grade(cell)):
        points = number(of.points)
        told = f"not marked yet, {points} possible" if of.grade_id in waiting else f"{number(of.score)} of {points}"
        rows.append(f"- [{names[of.grade_id]}](#{of.grade_id}): {told}")
    if rows:
        nb.cells.insert(0, new_markdown_cell("\n".join(rows), id="points"))
    return nb, resources


class PutMarks(NbGraderPreprocessor):
    """As NamePoints, from marks that it was given: one notebook's of `Book.marks`."""

    marks: dict

    def preprocess(self, nb, resources):
        nb, resources = super().preprocess(nb, resources)
        resources["nbgrader"].update({name: self.marks[name] for name in ("score", "max_score", "late_penalty")})
        waiting = {name for name, cell in self.marks["cells"].items() if cell["waiting"]}
        return list_points(nb, resources, waiting)

    def preprocess_cell(self, cell, resources, index):
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if is_solution(cell) or is_task(cell):
            cell.metadata.nbgrader["comment"] = self.marks["comments"].get(name)
        if is_grade(cell) or is_task(cell):
            mark = self.marks["cells"][name]
            cell.metadata.nbgrader.update(score=mark["score"], points=mark["points"])
        return cell, resources


@lru_cache(maxsize=8)  # a notebook that learners leave as it is gives the same page
def page(slug: str, name: str, notebook: bytes, marks: str) -> bytes:
    """nbgrader's feedback page of an autograded notebook; `marks` is JSON of what PutMarks takes."""
    exporter, put = _exporter()
    put.marks = json.loads(marks)
    resources = {"unique_key": name, "output_files_dir": f"{name}_files", "metadata": {"name": name, "path": ""},
                 "nbgrader": {"assignment": slug, "notebook": name}}
    html, _ = exporter.from_notebook_node(nbformat.reads(notebook.decode("utf-8"), as_version=4), resources)
    return html.encode("utf-8", "replace")


def pages(slug: str, notebooks: dict[str, bytes], marks: dict[str, str]) -> dict[str, bytes]:
    """The pages of one submission, by notebook."""
    return {name: page(slug, name, notebook, marks[name]) for name, notebook in notebooks.items()}


def rehearse(slug: str) -> None:
    """Make a page of nothing, so that templates, lexers and schemas are loaded in this process and its children."""
    nothing = new_notebook(cells=[new_markdown_cell("`a`", id="text"), new_code_cell("a", id="code")])
    marks = {"score": 0, "max_score": 0, "late_penalty": 0, "comments": {}, "cells": {}}
    page(slug, "nothing", nbformat.writes(nothing).encode(), json.dumps(marks))


@lru_cache(maxsize=1)
def _exporter() -> tuple[HTMLExporter, PutMarks]:
    """nbgrader's exporter of feedback pages, made once a process, and the step that is told the marks."""
    converter = GenerateFeedback(coursedir=CourseDirectory())
    exporter, put = HTMLExporter(config=converter.config), PutMarks()
    exporter.log.setLevel(logging.ERROR)
    exporter.register_preprocessor("nbconvert.preprocessors.CSSHTMLHeaderPreprocessor")
    exporter.register_preprocessor(put)
    return exporter, put
