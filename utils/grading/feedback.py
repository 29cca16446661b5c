"""What nbgrader's feedback page lacks: the exercises' names in its table of points, and a mark on what is folded."""

from __future__ import annotations

from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook
from nbgrader.preprocessors import GetGrades
from nbgrader.utils import is_grade

from utils.build.nbgrader_cells import grade_id
from utils.curriculum import topic
from utils.judge.report import number

# nbgrader's table calls every exercise "Test cell"; its stylesheet takes the triangle from `summary`.
CSS = "#toc li:not(.late-penalty) { display: none } summary { display: list-item; cursor: pointer }"


class NamePoints(GetGrades):
    """Gets the grades, and puts a list of the page's exercises on top: by name, with points and a link to each."""

    def preprocess(self, nb, resources):
        nb, resources = super().preprocess(nb, resources)
        resources["inlining"]["css"].append(CSS)
        where = resources["nbgrader"]
        exercises = topic(where["assignment"]).exercises
        names = {grade_id(kind, e.id): f"{e.id} {e.title}" for e in exercises for kind in ("check", "essay-answer")}
        with Gradebook(where["db_url"]) as book:
            grades = book.find_submission_notebook(where["notebook"], where["assignment"], where["student"]).grades
            waiting = {g.cell.name for g in grades if g.needs_manual_grade and g.manual_score is None}
        rows = []
        for of in (cell.metadata.nbgrader for cell in nb.cells if is_grade(cell)):
            points = number(of.points)
            told = f"not marked yet, {points} possible" if of.grade_id in waiting else f"{number(of.score)} of {points}"
            rows.append(f"- [{names[of.grade_id]}](#{of.grade_id}): {told}")
        if rows:
            nb.cells.insert(0, new_markdown_cell("\n".join(rows), id="points"))
        return nb, resources
