"""`course.py report`: what is counted, what is written, and what hostile names and empty courses do to it."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.engines import REFERENCE
from tests.grading_helpers import KINDS, make_course
from tests.nbgrader_helpers import SLUG, TOPIC, own_engine
from tests.zoo import ENGINES
from utils.cli.main import main
from utils.cohort import tables
from utils.cohort.gather import Cohort, Learner, _hints
from utils.cohort.items import claims, items, named, stops_at
from utils.cohort.page import page
from utils.cohort.similar import clusters, likeness
from utils.curriculum import ROOT
from utils.grading.records import Record
from utils.judge.promises import collect
from utils.judge.report import Group, Report, Verdict

SKELETON = (TOPIC.shipped / TOPIC.module).read_text(encoding="utf-8")
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
WHEN = "2026-05-02 10:00"


def _learner(id: str, done: int, **more) -> Learner:
    """Someone who has all points of the first `done` exercises of the levels and nothing else."""
    exercises = [e for e in TOPIC.exercises if e.kind == "module"]
    full = {e.id for e in exercises[:done]}
    wrong = exercises[done].id if done < len(exercises) else None
    verdicts = []
    for promise in collect(TOPIC):
        status = "passed" if promise.exercise in full else "failed" if promise.exercise == wrong else "not-written"
        verdicts.append(Verdict(promise.name, promise.says, promise.exercise, status, float(status == "passed"), 1.0,
                                misconception="overwrites-add-mul" if status == "failed" else None))
    report = Report(topic=TOPIC.slug, file="value.py", saved=None, digest=None, seed=0, borrowed=None, isolation="weak",
                    groups=(Group(None, "All", tuple(verdicts)),))
    scores = {e.id: None if e.kind == "essay" and done > 5 else float(e.points if e.id in full else 0)
              for e in TOPIC.exercises}
    record = Record(TOPIC.slug, id, WHEN, 1.0 + done, report=report)
    return replace(Learner(id, submitted=True, handed_in=datetime(2026, 5, 1, 20), scores=scores, record=record,
                           module=SKELETON), **more)


def _cohort(*learners: Learner, absent: tuple[Learner, ...] = ()) -> Cohort:
    return Cohort(TOPIC, Path("course"), learners, absent)


def _class(count: int) -> Cohort:
    return _cohort(*(_learner(f"s{number:03}", number % 14) for number in range(count)),
                   absent=(Learner("away", "Emmy Noether", "emmy@example.org"),))


class _Page(HTMLParser):
    """Tags, ids and links of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.ids, self.links, self.events = set(), [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "xlink:href"):
                self.links.append(value)
            if name.startswith("on"):
                self.events.append(name)


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def _page(cohort: Cohort) -> str:
    return page(cohort, Path("course/report.html").resolve(), WHEN)


# Counts

def test_every_graded_learner_is_in_one_column_of_every_exercise():
    cohort = _class(30)
    for item in items(cohort):
        assert item.full + item.part + item.tried + item.untouched + item.waiting == 30


def test_a_cohort_stalls_at_the_first_exercise_that_is_not_finished():
    cohort = _cohort(*(_learner(f"s{n}", 3) for n in range(4)), _learner("t", 5))
    stalls = {item.exercise.id: item.stalls for item in items(cohort) if item.stalls}
    order = [e.id for level in TOPIC.levels for e in level.exercises]
    assert stalls == {order[3]: 4, stops_at(cohort, cohort.learners[-1]): 1}


def test_an_extension_stops_nobody():
    everything = {e.id: float(0 if e.extension else e.points) for e in TOPIC.exercises}
    assert stops_at(_class(1), _learner("s", 99, scores=everything)) is None


def test_discrimination_tells_an_exercise_that_strong_learners_fail():
    learners = [_learner(f"s{n}", n) for n in range(12)]
    turned = [replace(one, scores=one.scores | {"R1": float(12 - n)}) for n, one in enumerate(learners)]
    by_id = {item.exercise.id: item for item in items(_cohort(*turned))}
    assert by_id["R1"].discrimination < -0.5
    assert by_id["1.3"].discrimination > 0.5
    assert by_id["R2"].discrimination is None  # nobody has any points there


def test_promises_and_misconceptions_are_counted_by_learner():
    cohort = _cohort(_learner("a", 2), _learner("b", 2), _learner("c", 3))
    assert all(claim.judged == 3 for claim in claims(cohort))
    assert {claim.kept for claim in claims(cohort) if claim.exercise == "1.3"} == {1}
    (one,) = named(cohort)
    assert (one.id, one.learners) == ("overwrites-add-mul", ("a", "b", "c"))


def test_hints_are_read_from_the_outputs_of_a_notebook(tmp_path):
    output = {"data": {"text/markdown": "**Hint 2 of 3 for exercise 1.3**\n\nLook at `+=`."}}
    cell = {"cell_type": "code", "source": 'hint("9.9")  # Hint 3 of 3 for exercise 2.1', "outputs": [output]}
    (tmp_path / "any.ipynb").write_text(json.dumps({"cells": [cell, 7]}), encoding="utf-8")
    assert list(_hints(tmp_path / "any.ipynb")) == [("1.3", 2)]


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"cells": 5}', '{"cells": [{"outputs": 1}]}', "\ufeffnull"])
def test_a_notebook_that_is_none_holds_no_hints(tmp_path, text):
    (tmp_path / "any.ipynb").write_text(text, encoding="utf-8")
    assert list(_hints(tmp_path / "any.ipynb")) == []


# The page

def test_the_page_opens_without_a_network_and_runs_nothing():
    seen = _Page(_page(_class(20)))
    assert seen.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert not seen.events
    assert not [link for link in seen.links if "//" in link]
    assert len(seen.ids) == len(set(seen.ids))
    assert {link[1:] for link in seen.links if link.startswith("#")} <= set(seen.ids)


def test_hostile_names_are_shown_and_not_run():
    ours = _page(_cohort(_learner("plain", 3)))
    bad = _learner(HOSTILE, 3, name=HOSTILE, record=replace(_learner("x", 3).record, notes=(HOSTILE,)))
    text = _page(_cohort(bad, _learner("b", 2, record=Record(TOPIC.slug, "b", WHEN, 1.0, problem=HOSTILE)),
                         absent=(Learner("c", HOSTILE),)))
    assert _Page(text).tags - _Page(ours).tags <= {"br", "details", "summary", "h3", "code"}
    assert not _Page(text).events
    assert "&lt;script&gt;alert(1)" in text
    assert "&lt;code" not in text and "&amp;lt;" not in text


def test_every_picture_has_words_and_a_table_beside_it():
    text = _page(_class(20))
    assert text.count('<figure role="img" aria-label="') == text.count("<figure") == 2
    assert text.count("<svg") == 2
    assert "#0102" not in text  # colours that stand for the page's own while a picture is drawn


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_small_cohort_has_a_page_too(count):
    text = _page(_class(count))
    assert text.count('<tr id="student-') == count
    assert "nan" not in text
    assert "Nobody has handed in anything yet." in text or count


def test_five_hundred_learners_have_a_row_each():
    cohort = _class(500)
    assert _page(cohort).count('<tr id="student-') == 500
    assert len(_rows(tables.everything(cohort))) == 501


def test_the_same_cohort_gives_the_same_page():
    assert _page(_class(15)) == _page(_class(15))


# CSV

def test_canvas_gets_its_columns_and_no_half_grades():
    head, possible, *rows = _rows(tables.canvas(_cohort(
        _learner("a", 2, lms="9001", name="Ada Abel"), _learner("b", 9), absent=(Learner("c"),))))
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"{TOPIC.number} {TOPIC.title}"]
    assert possible[0].strip() == "Points Possible" and possible[-1] == str(TOPIC.points)
    assert rows[0] == ["Ada Abel", "9001", "", "a", "", "10"]
    assert [row[-1] for row in rows[1:]] == ["", ""]  # essays wait for a person; nothing was handed in


def test_moodle_gets_the_columns_of_its_own_export():
    head, row = _rows(tables.moodle(_cohort(_learner("a", 2, name="Ada Abel Byron", email="ada@example.org"))))
    assert head == ["First name", "Last name", "ID number", "Email address", f"{TOPIC.number} {TOPIC.title} (Real)"]
    assert row == ["Ada", "Abel Byron", "a", "ada@example.org", "10"]


def test_no_cell_is_a_formula():
    record = replace(_learner("x", 2).record, notes=("-2+3",))
    bad = _learner("=cmd|'/c calc'!A0", 2, name="@SUM(1)\n+1", record=record)
    for write in (tables.everything, tables.canvas, tables.moodle):
        rows = _rows(write(_cohort(bad)))
        assert len({len(row) for row in rows}) == 1
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "+", "-"))]


# Similar modules

def test_a_renamed_and_reformatted_copy_is_found():
    copy = REFERENCE.replace("other", "right").replace("out", "result")
    copy = copy.replace("\n        # <<<", "\n\n\n        # mine")
    found = clusters({"a": REFERENCE, "b": copy, "c": ENGINES["tape"].read_text()}, SKELETON)
    assert [cluster.learners for cluster in found] == [("a", "b")]
    assert found[0].share == 1.0


def test_engines_that_were_written_apart_are_not_alike():
    written = {name: file.read_text(encoding="utf-8") for name, file in ENGINES.items()}
    together = {name for cluster in clusters(written, SKELETON) for name in cluster.learners}
    assert len(together) <= len(written) // 5, together


def test_what_was_released_makes_nobody_alike():
    added = "\n\ndef mine():\n    return 1\n"
    assert clusters({"a": SKELETON, "b": SKELETON + added, "c": SKELETON + added}, SKELETON) == []


@pytest.mark.parametrize("text", ["", "def\n", "(" * 9_000, "\x00\udc80", "'''"])
def test_a_module_that_cannot_be_read_is_like_none(text):
    assert clusters({"a": text, "b": text, "c": REFERENCE}, SKELETON) == []
    assert likeness(text, REFERENCE) == 0.0


def test_a_published_engine_with_a_line_changed_is_recognised():
    stub = (ROOT / "utils" / "autograd_stub.py").read_text(encoding="utf-8")
    assert likeness(own_engine(), stub, SKELETON) > 0.9
    assert "Close to a published engine" in _page(_cohort(_learner("a", 9, module=own_engine())))
    assert "Close to a published engine" not in _page(_cohort(_learner("a", 9, module=ENGINES["tape"].read_text())))


# The command

def _run(*arguments: str, course: Path) -> int:
    """A command on a course. It goes to the course's folder, where nbgrader looks for its configuration."""
    where = Path.cwd()
    try:
        return main([*arguments, "--course", str(course)])
    finally:
        os.chdir(where)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course in a folder with a blank in its name: two graded by `course.py grade`, one not."""
    made = make_course(tmp_path_factory.mktemp("report") / "my course", {k: KINDS[k] for k in ("drill", "messy")})
    assert _run("grade", SLUG, "--no-notebooks", course=made.root) == 0
    made.run("generate_feedback", SLUG, "--student", "drill", "--notebook", "math-refresh")
    (made.submitted("late") / "deeper").mkdir(parents=True)
    return made


def test_the_command_writes_what_the_gradebook_says(course, tmp_path, capsys):
    asked = ["--canvas", str(tmp_path / "canvas.csv"), "--moodle", str(tmp_path / "moodle.csv")]
    assert _run("report", "02", *asked, course=course.root) == 0
    assert "Not graded yet: 1 of 3." in capsys.readouterr().out
    head, *rows = _rows((course.root / f"report-{SLUG}.csv").read_text(encoding="utf-8"))
    by_id = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert set(by_id) == {"drill", "late", "messy"}
    assert float(by_id["drill"]["R1"]) == course.points("drill")["check-R1"] > 0
    assert float(by_id["drill"]["total"]) == sum(course.points("drill").values())
    assert "numpy.py has the name of a module" in by_id["messy"]["notes"]
    assert by_id["late"]["problem"] == "not graded yet"
    assert len(_rows((tmp_path / "canvas.csv").read_text())) == 5
    assert len(_rows((tmp_path / "moodle.csv").read_text())) == 4


def test_the_page_leads_to_the_feedback_pages_from_wherever_it_is(course, tmp_path):
    from urllib.parse import unquote

    for target in (course.root / "report.html", tmp_path / "elsewhere.html"):
        assert _run("report", "02", "--out", str(target), course=course.root) == 0
        links = [link for link in _Page(target.read_text(encoding="utf-8")).links if not link.startswith("#")]
        assert [(target.parent / unquote(link)).resolve() for link in links] == [
            (course.root / "feedback" / "drill" / SLUG / "math-refresh.html").resolve()]


def test_an_empty_course_has_a_report_and_gets_no_gradebook(tmp_path):
    from utils.grading.course import fill

    fill(tmp_path)
    assert _run("report", "02", course=tmp_path) == 0
    assert "Nobody has handed in anything yet." in (tmp_path / f"report-{SLUG}.html").read_text(encoding="utf-8")
    assert not (tmp_path / "upstream.db").exists()


def test_a_wrong_command_line_is_one_sentence(course, capsys, tmp_path):
    for arguments, where, status, says in (
            (["99"], course.root, 2, "no topic '99'"), (["02"], tmp_path / "nowhere", 1, "there is no course in"),
            (["02", "--out", str(tmp_path / "no" / "page.html")], course.root, 1, "cannot be written: No such file")):
        assert _run("report", *arguments, course=where) == status
        assert says in capsys.readouterr().err
