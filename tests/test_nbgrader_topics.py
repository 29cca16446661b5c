"""Every topic but the one of test_nbgrader_cycle.py, once round through nbgrader's own commands."""

from __future__ import annotations

import nbformat
import pytest

from tests.nbgrader_helpers import SLUG, Course, hand_in
from utils.build.nbgrader_cells import graded_cells
from utils.build.notebooks import instructor_notebook
from utils.curriculum import load

OTHERS = [topic for topic in load() if topic.slug != SLUG]
SABOTAGE = "\n\nraise RuntimeError('sabotaged on purpose')\n"


@pytest.fixture(scope="module", params=OTHERS, ids=lambda topic: topic.slug)
def course(request, tmp_path_factory):
    """A course with one topic, in which an untouched, a right and a broken submission were graded."""
    topic = request.param
    course = Course(tmp_path_factory.mktemp("course"), budget=0, topic=topic)
    course.run("generate_assignment", topic.slug)
    reference = (topic.solutions / topic.reference).read_text(encoding="utf-8")
    hand_in(course, "empty")
    _answer(course, hand_in(course, "reference", reference))
    hand_in(course, "sabotaged", reference + SABOTAGE)
    course.run("autograde", topic.slug)
    course.run("generate_feedback", topic.slug, "--student", "sabotaged")
    return course


def _answer(course, folder) -> None:
    """Fill in the answer cells."""
    for name in course.topic.notebooks:
        notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        solved = {cell.id: cell.source for cell in instructor_notebook(course.topic, name).cells}
        for cell in notebook.cells:
            if cell.id.startswith("answer-"):
                cell.source = solved[cell.id]
        nbformat.write(notebook, folder / f"{name}.ipynb")


def test_a_release_holds_no_solution(course):
    released = course.root / "release" / course.topic.slug
    assert (released / course.topic.module).read_bytes() == (course.topic.shipped / course.topic.module).read_bytes()
    assert not [path for path in released.rglob("*") if path.is_file() and b"SOLUTION" in path.read_bytes()]


def test_empty_earns_nothing(course):
    points = course.points("empty")
    assert sum(points.values()) == 0
    assert len(points) == len(course.topic.exercises)


def test_the_reference_earns_all_it_promises(course):
    points, topic = course.points("reference"), course.topic
    promised = {*topic.promised_by(topic.reference), *(e.id for e in topic.exercises if e.kind in ("answer", "drill"))}
    short = {name: points[name] for name, exercise in graded_cells(topic).items()
             if exercise in promised and points[name] != topic.exercise(exercise).points}
    assert short == {}


def test_a_module_that_breaks_on_import_earns_nothing(course):
    assert sum(course.points("sabotaged").values()) == 0


def test_feedback_says_for_every_exercise_what_it_earned_and_what_went_wrong(course):
    topic = course.topic
    pages = {name: course.shown("sabotaged", name) for name in topic.notebooks}
    listed = " ".join(pages.values())
    assert [e.id for e in topic.exercises if f"{e.id} {e.title}: 0 of {e.points}" not in listed] == []
    assert "sabotaged on purpose" in pages["exercises"]
