"""Submissions with something wrong in them: each has a clear line, a defined score, and hurts nobody else's."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter

import nbformat
import pytest

from tests.nbgrader_helpers import SLUG, TOPIC, Course, hand_in
from utils.build.notebooks import instructor_notebook
from utils.grading import records
from utils.grading.submission import SET_ASIDE, read_notebook

SHADOW = 'raise SystemExit("a shadow was imported")\n'


def _solve(folder, *names):
    """Fill in the answers of math-refresh, all or those named."""
    solved = {cell.id: cell.source for cell in instructor_notebook(TOPIC, "math-refresh").cells}
    notebook = nbformat.read(folder / "math-refresh.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.id.startswith("answer-") and (not names or cell.id in names):
            cell.source = solved[cell.id]
    nbformat.write(notebook, folder / "math-refresh.ipynb")


def _edit(path, change):
    """Change a notebook as JSON."""
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def _not_json(folder):
    (folder / "exercises.ipynb").write_text('{"cells": [', encoding="utf-8")


def _no_cells(folder):
    (folder / "exercises.ipynb").write_text('["\\ud800", {"cells": 1}]', encoding="utf-8")


def _deleted(folder):
    def change(data):
        data["cells"] = [cell for cell in data["cells"] if cell["id"] not in ("answer-R1", "check-R2")]
    _edit(folder / "math-refresh.ipynb", change)


def _duplicated(folder):
    def change(data):
        cell = next(cell for cell in data["cells"] if cell["id"] == "answer-R1")
        data["cells"] += [{**cell, "id": "again", "source": "answer_R1 = {}"}]
    _edit(folder / "math-refresh.ipynb", change)


def _renamed(folder):
    (folder / "math-refresh.ipynb").rename(folder / "math-refresh (1).ipynb")


def _no_module(folder):
    (folder / TOPIC.module).unlink()


def _shadows(folder):
    (folder / "numpy.py").write_text(SHADOW)
    for package in ("utils", "value"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").write_text(SHADOW)


def _huge(folder):
    (folder / "notes.txt").write_bytes(b"x" * 11_000_000)
    _edit(folder / "math-refresh.ipynb", lambda data: data["metadata"].update(padding="x" * 11_000_000))


def _kernel(folder):
    _edit(folder / "math-refresh.ipynb", lambda data: data["metadata"].update(
        kernelspec={"name": "julia-1.11", "language": "julia", "display_name": "Julia"}))


def _links(folder):
    (folder / "stolen.txt").symlink_to(folder.parents[2] / "upstream.db")
    (folder / TOPIC.module).unlink()
    (folder / TOPIC.module).symlink_to(folder.parents[1] / "good" / SLUG / TOPIC.module)
    os.mkfifo(folder / "pipe")


def _no_notebooks(folder):
    for path in folder.glob("*.ipynb"):
        path.unlink()


def _metadata(folder):
    def change(data):
        for cell in data["cells"]:
            if cell["id"].startswith("check-"):
                cell["metadata"] = {"nbgrader": {"grade_id": cell["id"], "points": 1000, "schema_version": 9}}
    _edit(folder / "math-refresh.ipynb", change)


def _kernel_dies(folder):
    def change(data):
        data["cells"].insert(0, {"cell_type": "code", "id": "die", "metadata": {}, "outputs": [], "execution_count": 1,
                                 "source": "import os\nos._exit(1)"})
    _edit(folder / "math-refresh.ipynb", change)


FULL = {f"check-{drill.id}": drill.points for drill in TOPIC.drills}
NO_R1 = FULL | {"check-R1": 0}
NOTHING = dict.fromkeys(FULL, 0)
#               what is done to a good submission; points of the drills; what log and feedback say
BAD = {
    "notjson":    (_not_json, FULL, "exercises.ipynb is not a notebook: it is no valid JSON"),
    "nocells":    (_no_cells, FULL, "exercises.ipynb is not a notebook of format 4"),
    "deleted":    (_deleted, NO_R1, "math-refresh.ipynb lacks cells it was released with: answer-R1, check-R2"),
    "duplicated": (_duplicated, NO_R1, "more than one copy of answer-R1. The last copy is graded"),
    "renamed":    (_renamed, FULL, "math-refresh (1).ipynb was taken for math-refresh.ipynb"),
    "nomodule":   (_no_module, FULL, "There is no value.py in this submission"),
    "shadows":    (_shadows, FULL, "numpy.py has the name of a module that Python or this course uses"),
    "huge":       (_huge, NOTHING, "math-refresh.ipynb is larger than 10 MB"),
    "kernel":     (_kernel, FULL, "was saved for a julia kernel. It was run with Python"),
    "links":      (_links, FULL, "value.py was not taken in: a symbolic link"),
    "nonotebook": (_no_notebooks, NOTHING, "There is no math-refresh.ipynb in this submission"),
    "metadata":   (_metadata, FULL, None),
    "dies":       (_kernel_dies, FULL, None),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """One batch, graded: a good submission and all the bad ones, whose value.py does not load and is soon judged."""
    course = Course(tmp_path_factory.mktemp("bad"), budget=0)
    course.run("generate_assignment", SLUG)
    for who in ("good", *BAD):
        folder = hand_in(course, who, "def\n" if who in BAD else None)
        _solve(folder)
        if who in BAD:
            BAD[who][0](folder)
    course.log = course.run("autograde", SLUG)
    course.run("generate_feedback", SLUG, "--notebook", "math-refresh")  # one page each: pages take time
    return course


def test_the_good_one_is_graded_as_if_it_were_alone(course):
    points = course.points("good")
    assert {name: points[name] for name in FULL} == FULL
    assert sum(points.values()) == sum(FULL.values())
    assert "About this submission" not in course.shown("good", "math-refresh")


@pytest.mark.parametrize("who", BAD)
def test_a_bad_submission_has_a_defined_score(course, who):
    points = course.points(who)
    assert {name: points[name] for name in FULL} == BAD[who][1]
    assert len(points) == len(TOPIC.exercises)


@pytest.mark.parametrize("who", [who for who in BAD if BAD[who][2]])
def test_the_problem_is_told_in_the_log_and_in_the_feedback(course, who):
    lines = [line for line in course.log.splitlines() if f"{who}, {SLUG}: " in line]
    assert any(BAD[who][2] in line for line in lines)
    assert BAD[who][2] in course.shown(who, "math-refresh")
    for name in TOPIC.notebooks:
        assert BAD[who][2] in (course.autograded(who) / f"{name}.ipynb").read_text(encoding="utf-8")


def test_nothing_was_graded_with_an_error(course):
    assert "Traceback" not in course.log
    assert "There was an error" not in course.log


def test_what_is_wrong_is_in_the_record_too(course):
    assert any(BAD["renamed"][2] in note for note in records.read(course.root, SLUG, "renamed").notes)


def test_a_record_that_is_none_is_left_out(tmp_path):
    folder = tmp_path / records.FOLDER / SLUG
    folder.mkdir(parents=True)
    for number, text in enumerate(("", "[]", '{"version": 1}', '{"version": 1, "report": {}, "notes": []}')):
        (folder / f"learner{number}.json").write_text(text)
    assert list(records.all_of(tmp_path, SLUG)) == []
    assert records.read(tmp_path, SLUG, "nobody") is None


def test_shadows_are_moved_where_nothing_imports_them(course):
    left = {path.name for path in course.autograded("shadows").iterdir()}
    assert left.isdisjoint({"numpy.py", "utils", "value"})
    assert "a shadow was imported" not in course.shown("shadows", "math-refresh")
    assert (course.submitted("shadows") / "numpy.py").is_file()  # what was handed in stays


def test_links_are_neither_followed_nor_copied(course):
    for folder in (course.submitted("links"), course.autograded("links")):
        assert not any(path.is_symlink() or path.is_fifo() for path in folder.iterdir())
        assert (folder / f"stolen.txt{SET_ASIDE}").read_text() == "a symbolic link\n"
    assert not (course.autograded("links") / "stolen.txt").exists()
    assert not (course.autograded("links") / TOPIC.module).exists()


def test_large_files_are_left_out(course):
    assert not (course.autograded("huge") / "notes.txt").exists()
    assert "notes.txt was left out: 11 MB" in course.log


def test_a_kernel_that_dies_costs_only_the_outputs(course):
    course.allow(20)
    log = course.run("autograde", SLUG, "--student", "dies", "--notebook", "math-refresh", "--force")
    course.allow(0)
    assert "dies, 02-autograd-engine: math-refresh.ipynb was not run to its end (DeadKernelError)" in log
    assert course.points("dies")["check-R1"] == FULL["check-R1"]
    graded = (course.autograded("dies") / "math-refresh.ipynb").read_text(encoding="utf-8")
    assert "could not be run to its end" in graded


def test_notes_are_told_again_when_graded_again(course):
    shutil.rmtree(course.autograded("links"))
    assert BAD["links"][2] in course.run("autograde", SLUG, "--student", "links")


def test_a_judge_that_cannot_work_is_no_score(course, monkeypatch):
    from utils.judge.client import JudgeError

    def broken(*anything, **more):
        raise JudgeError("no judge today")

    monkeypatch.setattr("utils.grading.plugin.judge_folder", broken)
    before = course.points("good")
    shutil.rmtree(course.autograded("good"))
    log = course.run("autograde", SLUG, "--student", "good", status=1)
    assert "no judge today" in log
    assert course.points("good") == before
    assert not course.autograded("good").exists()
    record = records.read(course.root, SLUG, "good")
    assert (record.problem, record.report) == ("no judge today", None)


@pytest.mark.parametrize(("line", "says"), [
    ("get_config().Autograde.autograde_preprocessors = []", "nbgrader's preprocessors are not those of"),
    ("get_config().Autograde.exclude_overwriting = {}", "exclude_overwriting lacks value.py"),
])
def test_other_settings_than_ours_are_refused(course, line, says):
    config = course.root / "nbgrader_config.py"
    before = config.read_text()
    config.write_text(f"{before}{line}\n")
    try:
        assert says in course.run("autograde", SLUG, "--force", status=1)
    finally:
        config.write_text(before)


@pytest.mark.parametrize("line", ["def\n", "raise RuntimeError('mistyped')\n"])
def test_a_configuration_that_breaks_grades_nothing(course, line):
    """nbgrader goes on with its defaults then, and those would run the submission here and believe its kernel."""
    before = course.points("good")
    config, text = course.root / "nbgrader_config.py", (course.root / "nbgrader_config.py").read_text()
    config.write_text(f"{text}{line}" if line.startswith("def") else f"{line}{text}")
    try:
        log = course.run("autograde", SLUG, "--student", "good", "--force", status=1)
    finally:
        config.write_text(text)
    assert "There was an error processing assignment" in log and "Autograding" not in log
    assert course.points("good") == before


def test_collect_follows_no_links_and_goes_on(course):
    course.run("release_assignment", SLUG)
    inbound = course.root / "exchange" / "upstream" / "inbound"
    for who, change in {"linker": _links, "heavy": _huge, "honest": lambda folder: None}.items():
        folder = inbound / f"{who}+{SLUG}+2026-01-0{len(who) - 4} 10:00:00 UTC"
        shutil.copytree(course.root / "release" / SLUG, folder)
        change(folder)
    (inbound / f"whole+{SLUG}+2026-01-01 10:00:00 UTC").symlink_to(course.submitted("good"))
    log = course.run("collect", SLUG)
    assert (course.submitted("honest") / TOPIC.module).is_file()
    assert not (course.submitted("heavy") / "notes.txt").exists()
    assert "11 MB is more than may be handed in" in (course.submitted("heavy") / f"notes.txt{SET_ASIDE}").read_text()
    for name in ("stolen.txt", TOPIC.module, "pipe"):
        assert not (course.submitted("linker") / name).exists()
        assert f"{name} was not taken in" in log
    assert [path.name for path in course.submitted("whole").iterdir()] == [f"submission{SET_ASIDE}"]


def test_feedback_goes_back_to_all_who_came_through_the_exchange(course):
    came = {"aaron": None, "zoe": b"a secret of hers", "oddly": b"\xff\xfe", "emptily": b""}
    for who, secret in came.items():
        folder = course.root / "feedback" / who / SLUG
        folder.mkdir(parents=True)
        (folder / "exercises.html").write_text(who)
        (folder / "timestamp.txt").write_text("2026-01-01 10:00:00 UTC")
        if secret is not None:
            (folder / "submission_secret.txt").write_bytes(secret)
    log = course.run("release_feedback", SLUG)
    released = {path.read_text() for path in (course.root / "exchange" / "upstream" / "feedback").iterdir()}
    assert released & set(came) == {"zoe"}
    assert {who for who in came if f"{who} did not come through the exchange" in log} == set(came) - {"zoe"}


@pytest.mark.parametrize("text", [
    "", "[" * 100_000, "null", '{"cells": null}', "\ufeff{}", '{"nbformat": 3, "worksheets": [{"cells": []}]}',
])
def test_what_is_no_notebook_is_said_to_be_none(tmp_path, text):
    path = tmp_path / "any.ipynb"
    path.write_text(text, encoding="utf-8")
    cells, _, problem = read_notebook(path)
    assert cells == []
    assert problem.startswith("is not a notebook")


def test_odd_cells_are_read_as_far_as_they_make_sense(tmp_path):
    path = tmp_path / "any.ipynb"
    code = {"cell_type": "code", "source": ["a\ud800", 1, "b"], "metadata": {"nbgrader": 7}, "id": [], "attachments": 1}
    pictures = {"p.png": {}, "q.svg": {"image/svg+xml": "<svg/>"}, "r.png": {"image/png": "AAAA"}}
    picture = {"cell_type": "markdown", "source": "p", "attachments": pictures}
    odd = [1, None, picture, {"cell_type": "code", "source": 3}, {"cell_type": "heading", "source": "x"}, code]
    path.write_text(json.dumps({"cells": odd, "metadata": 5}), encoding="utf-8")
    cells, _, problem = read_notebook(path)
    assert problem is None
    assert [(cell.source, cell.names, cell.attachments) for cell in cells] == [
        ("p", (), {"r.png": {"image/png": "AAAA"}}), ("a?b", (), {})]


@pytest.mark.parametrize("text", [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!-- --><svg/onload=alert(1)>", "`<b>` <?x",
    "[x](javascript:alert(1))", "[x]( javascript:alert(1))", "[x](<javascript:alert(1)>)",
    "[x](java&#115;cript:alert(1))",
    "[x][y]\n\n[y]: javascript:alert(1)", "[y]\n\n[y]:\n  javascript:alert(1)", "<javascript:alert(1)>",
    "![x](javascript:alert(1))", "[x](data:text/html,a)",
])
def test_learners_text_becomes_no_tags_and_no_harmful_links(text):
    from nbconvert.filters.markdown import markdown2html

    from utils.grading.plugin import _without_tags

    page = markdown2html(_without_tags(text)).lower()
    assert not re.search(r"<(script|img|svg|b|!|\?)", page)
    assert not re.search(r"<[^>]*(href|src)\s*=", page)
    assert _without_tags(text).replace("\u2060", "") == text


def test_learners_text_keeps_its_links_code_and_pictures():
    from utils.grading.plugin import _without_tags

    text = "a < b, `x < 1`, $a<2$ [docs](https://pytorch.org) ![p](attachment:p.png)\n\n> quoted & told"
    assert _without_tags(text, {"p.png"}) == text


@pytest.mark.parametrize("text", ["![x](attachment:gone.png)", "![x][y]\n\n[y]: attachment:gone.png",
                                  "![x]( attachment:gone.png 'title')", "![x](attachment:a%20b.png)"])
def test_a_picture_that_is_gone_costs_no_page(text):
    from nbconvert.filters.markdown import markdown2html

    from utils.grading.plugin import _without_tags

    with pytest.raises(Exception, match="missing attachment"):
        markdown2html(text)
    assert "<img" not in markdown2html(_without_tags(text))


def test_a_stepper_is_a_picture_and_words_on_a_feedback_page():
    from utils.autograd_stub import Value
    from utils.grading.plugin import SanitizeLearnerHTML
    from utils.stepper import step

    page = SanitizeLearnerHTML()._clean("text/html", step(Value(3.0) * 2.0 + 1.0).fragment())
    assert page.count("<img") == 1 and "steps in words</summary>" in page
    assert not re.search(r"style>|script>|replaceStatic|--us-ink", re.sub(r'"data:[^"]*"', "", page))
    for text in ("<STYLE media=x>p{}</style >b", "<script><style></script>b", "</style>b", "b<script>p{}<b>"):
        assert SanitizeLearnerHTML()._clean("text/html", text) == "b"


def test_what_a_cell_prints_is_cut_before_anything_looks_through_it():
    from nbformat.v4 import new_code_cell, new_notebook

    from utils.grading.plugin import MAX_OUTPUT, RunForDisplay

    runner, cell = RunForDisplay(), new_code_cell("print('x' * 10**6)")
    runner.nb, runner.received, runner.printed = new_notebook(cells=[cell]), 0, Counter()
    runner.clear_before_next_output = False
    for _ in range(3):
        runner.process_message({"msg_type": "stream", "header": {"msg_type": "stream"}, "parent_header": {},
                                "content": {"name": "stdout", "text": "x" * 10**6}}, cell, 0)
    assert sum(len(output.text) for output in cell.outputs) == MAX_OUTPUT + 1  # one more shows that it was cut
