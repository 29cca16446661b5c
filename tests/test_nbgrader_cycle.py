"""The whole round of an assignment through nbgrader's real commands, with six learners."""

from __future__ import annotations

import csv
import logging
import os
import shutil
from datetime import datetime
from types import SimpleNamespace

import nbformat
import pytest

from tests.nbgrader_helpers import SLUG, TOPIC, Course, cells_of, own_engine
from utils.build.nbgrader_cells import TEXT_STUB, graded_cells
from utils.build.notebooks import instructor_notebook, learner_notebook
from utils.cli import instructor
from utils.grading import records
from utils.grading.submission import read

ESSAY = """The product rule makes `a*b` need both data; if a<b nothing changes. <script>alert(1)</script>
[x](javascript:alert(2))"""
PARTLY = '''

def _unwritten(self):
    raise NotImplementedError("exercise 2.3: exp")


Value.exp = _unwritten
Value.relu = lambda self: self * 1
'''
SABOTAGED = '''

def _sabotaged(self):
    raise RuntimeError("sabotaged on purpose")


Value.tanh = _sabotaged
'''
AUTO = sum(e.points for e in TOPIC.exercises if e.kind != "essay")
DRILLS = sum(e.points for e in TOPIC.exercises if e.kind in ("drill", "answer"))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course in which six learners fetched, worked and submitted, and got their feedback."""
    course = Course(tmp_path_factory.mktemp("course"), budget=5)
    course.run("generate_assignment", SLUG)
    course.run("release_assignment", SLUG)
    reference = own_engine()
    course.homes = {
        "empty": _work(course, "empty", None),
        "reference": _work(course, "reference", reference, answers=True),
        "partly": _work(course, "partly", reference + PARTLY, essay=ESSAY),
        "borrower": _work(course, "borrower", "from utils.autograd_stub import Value\n"),
        "sabotaged": _work(course, "sabotaged", reference + SABOTAGED),
        "claims": _work(course, "claims", None, claims=True),
    }
    course.run("collect", SLUG)
    course.log = course.run("autograde", SLUG)
    return course


def _work(course, who, module, answers=False, essay=None, claims=False):
    """One learner's round: fetch, write, submit; the learner's home."""
    home = course.root.parent / f"{course.root.name}-{who}"
    home.mkdir()
    course.configure_learner(home)
    course.run("fetch_assignment", SLUG, cwd=home)
    folder = home / SLUG
    if module is not None:
        (folder / TOPIC.module).write_text(module, encoding="utf-8")
        os.utime(folder / TOPIC.module, (1_700_000_000, 1_700_000_000))
    for name in TOPIC.notebooks:
        notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        solved = {cell.id: cell.source for cell in instructor_notebook(TOPIC, name).cells}
        for cell in notebook.cells:
            if answers and cell.id.startswith("answer-"):
                cell.source = solved[cell.id]
            if essay and cell.id in ("essay-answer-E1", "essay-answer-E3"):
                cell.source = essay
            if claims and cell.id.startswith("check-"):
                cell.source = f"{cell.metadata.nbgrader.points}"
        if claims:
            notebook.cells.insert(0, nbformat.v4.new_code_cell("def check(*what):\n    return 100"))
        nbformat.write(notebook, folder / f"{name}.ipynb")
    course.run("submit", SLUG, "--student", who, cwd=home)
    return home


@pytest.fixture(scope="module")
def returned(course):
    """The same course after one essay was graded by hand and feedback went out and was fetched."""
    with course.gradebook() as book:
        grade = book.find_grade("essay-answer-E1", "exercises", SLUG, "partly")
        assert grade.needs_manual_grade
        assert grade.max_score == TOPIC.exercise("E1").points
        grade.manual_score, grade.needs_manual_grade = 3, False
        book.find_comment("essay-answer-E1", "exercises", SLUG, "partly").manual_comment = "Name the diamond."
        book.db.commit()
    course.run("generate_feedback", SLUG)
    course.run("release_feedback", SLUG)
    for who, home in course.homes.items():
        course.run("fetch_feedback", SLUG, "--student", who, cwd=home)
    course.run("export", cwd=course.homes["empty"])  # wherever one stands, into the course's folder
    return course


def test_the_release_is_the_learners_version_cell_for_cell(course):
    for name in TOPIC.notebooks:
        released = nbformat.read(course.root / "release" / SLUG / f"{name}.ipynb", as_version=4)
        assert released.cells == learner_notebook(TOPIC, name).cells


def test_a_release_holds_no_solution(course):
    for path in (course.root / "release").rglob("*"):
        if path.is_file():
            assert b"SOLUTION" not in path.read_bytes(), path
    released = (course.root / "release" / SLUG / TOPIC.module).read_text(encoding="utf-8")
    assert released == (TOPIC.shipped / TOPIC.module).read_text(encoding="utf-8")
    assert TEXT_STUB in cells_of(course.root / "release" / SLUG / "exercises.ipynb")["essay-answer-E1"]


def test_empty_earns_nothing(course):
    points = course.points("empty")
    assert sum(points.values()) == 0
    assert len(points) == len(TOPIC.exercises)  # essays too: unanswered, they wait for nobody


def test_the_reference_earns_all_automatic_points(course):
    points = course.points("reference")
    short = {name: points[name] for name, exercise in graded_cells(TOPIC).items()
             if points[name] != TOPIC.exercise(exercise).points}
    assert short == {}
    assert sum(points.values()) == AUTO


def test_partly_done_earns_part_of_an_exercise(course):
    points = course.points("partly")
    assert 0 < points["check-2-3"] < TOPIC.exercise("2.3").points
    assert points["check-1-4"] == TOPIC.exercise("1.4").points
    assert points["check-R1"] == 0
    assert "essay-answer-E1" not in points  # it waits for a person
    assert points["essay-answer-E2"] == 0


def test_the_stub_in_place_of_own_work_earns_nothing(course):
    assert sum(course.points("borrower").values()) == 0


def test_sabotage_loses_what_it_breaks_and_no_more(course):
    points = course.points("sabotaged")
    for kept in ("1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2"):
        assert points[f"check-{kept.replace('.', '-')}"] == TOPIC.exercise(kept).points
    assert points["check-2-3"] < TOPIC.exercise("2.3").points
    assert points["check-4-1"] < TOPIC.exercise("4.1").points


def test_what_a_notebook_claims_does_not_count(course):
    assert sum(course.points("claims").values()) == 0


def test_the_learners_own_file_was_graded(course):
    for who in course.homes:
        mine = course.homes[who] / SLUG / TOPIC.module
        assert (course.autograded(who) / TOPIC.module).read_bytes() == mine.read_bytes()
    assert "sabotaged on purpose" in (course.autograded("sabotaged") / TOPIC.module).read_text(encoding="utf-8")


def test_feedback_names_what_failed_with_script_yours_and_expected(returned):
    page = returned.shown("partly", "exercises")
    relu = page[page.index("Exercise 2.3:"):]
    for word in ("relu", "yours", "expected", "Value("):
        assert word in relu[:1500]
    assert "sabotaged on purpose" in returned.shown("sabotaged", "exercises")


def test_feedback_lists_the_exercises_by_name(returned):
    page = returned.shown("partly", "exercises")
    top = page[:page.index("Build your own autograd engine")]
    assert f"1.4 {TOPIC.exercise('1.4').title}: 8 of 8" in top
    assert f"E1 {TOPIC.exercise('E1').title}: 3 of 4" in top  # marked by hand
    assert f"E2 {TOPIC.exercise('E2').title}: 0 of 4" in top  # left empty
    assert f"E3 {TOPIC.exercise('E3').title}: not marked yet, 4 possible" in top
    html = (returned.root / "feedback" / "partly" / SLUG / "exercises.html").read_text(encoding="utf-8")
    assert all(f'href="#{name}"' in html for name in ("check-1-4", "essay-answer-E1"))
    assert "summary { display: list-item" in html


def test_a_report_tells_when_the_learner_saved_the_file(returned):
    mine = returned.homes["partly"] / SLUG / TOPIC.module
    saved = datetime.fromtimestamp(mine.stat().st_mtime).isoformat(sep=" ", timespec="seconds")
    assert f"{TOPIC.module}, saved {saved}" in returned.shown("partly", "exercises")


def test_feedback_says_borrowed(returned):
    page = returned.shown("borrower", "exercises")
    assert "About this submission" in page
    assert "Borrowed" in page


def test_every_learner_fetches_a_page_for_every_notebook(returned):
    for home in returned.homes.values():
        assert {path.stem for path in (home / SLUG / "feedback").rglob("*.html")} == set(TOPIC.notebooks)


def test_the_essay_shows_as_written_and_runs_no_script(returned):
    html = (returned.root / "feedback" / "partly" / SLUG / "exercises.html").read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    page = returned.shown("partly", "exercises").replace("\u2060", "")
    assert "if a&lt;b nothing changes. &lt;script>alert(1)&lt;/script>" in page.replace("&gt;", ">")
    assert "Name the diamond." in page


def test_an_essay_graded_by_hand_is_in_the_export(returned):
    with open(returned.root / "grades.csv", encoding="utf-8") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert set(scores) == set(returned.homes)
    assert scores["empty"] == scores["borrower"] == scores["claims"] == 0
    assert scores["reference"] == AUTO
    assert scores["partly"] == pytest.approx(3 + sum(p for name, p in returned.points("partly").items()
                                                     if name.startswith("check-")))
    assert 0 < scores["partly"] < AUTO - DRILLS + 3


def test_every_submission_leaves_its_report(course):
    kept = {record.student: record for record in records.all_of(course.root, SLUG)}
    assert set(kept) == set(course.homes)
    for who, record in kept.items():
        assert record.problem is None and record.key is None
        earned = {name: record.report.points(exercise)[0] for name, exercise in graded_cells(TOPIC).items()}
        points = course.points(who)
        assert {name: points[name] for name in earned} == pytest.approx(earned)
    assert records.Record.from_json(kept["partly"].to_json()) == kept["partly"]


def test_grading_again_gives_the_same(returned):
    before = returned.points("partly")
    shutil.rmtree(returned.autograded("partly"))
    log = returned.run("autograde", SLUG, "--student", "partly")
    assert "Traceback" not in log
    again = returned.points("partly") | {"essay-answer-E1": 3}  # a person looks again at what was graded by hand
    assert again == before


def test_the_judge_gets_what_stands_beside_the_module(tmp_path):
    folder, desk = tmp_path / "submitted", tmp_path / "desk"
    desk.mkdir()
    for name in (TOPIC.module, "engine/core.py", "engine/__pycache__/core.pyc", "rules.json", "numpy/__init__.py",
                 "timestamp.txt", "exercises.ipynb/x.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    submission = read(TOPIC, folder, TOPIC.shipped)
    first = submission.write_for_judge(desk)
    files = {path.relative_to(desk).as_posix() for path in desk.rglob("*") if path.is_file()}
    assert files == {TOPIC.module, "engine/core.py", "rules.json"} | {f"{name}.ipynb" for name in TOPIC.notebooks}
    assert any("exercises.ipynb is a folder" in note for note in submission.notes)
    (folder / "timestamp.txt").write_text("handed in again")
    assert submission.write_for_judge(desk) == first
    (folder / "engine" / "core.py").write_text("x = 1")
    assert submission.write_for_judge(desk) != first


def test_the_servers_token_is_not_in_the_environment_that_grading_hands_on(monkeypatch):
    seen = {}

    def initialize_server(argv, config):
        seen["given"] = os.environ["JUPYTER_TOKEN"]
        return SimpleNamespace(io_loop=SimpleNamespace(add_callback=lambda call: None), log=logging.getLogger("server"),
                               start=lambda: seen.update(later=os.environ.get("JUPYTER_TOKEN")))

    monkeypatch.setattr("jupyterlab.labapp.LabApp.initialize_server", initialize_server)
    monkeypatch.chdir(TOPIC.shipped)
    instructor.serve(8888, browser=False)
    assert seen["given"]
    assert seen["later"] is None
