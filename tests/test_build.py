"""What is generated: notebooks that say the same every time, and sources whose mistakes are named by file and line."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import nbformat
import pytest
from nbgrader.nbgraderformat import SCHEMA_VERSION as NBGRADER_SCHEMA
from nbgrader.nbgraderformat import MetadataValidator

from utils.build import nbgrader_cells, notebooks
from utils.build.notebooks import BuildError, as_text, complete, instructor_notebook, learner_notebook
from utils.cli import build
from utils.curriculum import ROOT, load, topic

TOPICS = load()
EVERY = [(one, name) for one in TOPICS for name in one.notebooks]

GOOD = '''\
# %% [markdown]
# # A title

# %% answer="R1"
answer_R1 = {"slope": None}  # replace None by your number
### BEGIN SOLUTION
answer_R1 = {"slope": 6.0}
### END SOLUTION

# %% check="R1"
check("R1", answer_R1)

# %% check="1.1"
check("1.1")

# %% [markdown] essay="E1"
# Why?

# %% [markdown] essay-answer="E1"
# Because of the model answer.

# %% try="1.1" tags=["raises-exception"]
1 / 0
'''


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Build a notebook from a text: `source(text)` is the instructor's, `source(text, learner_notebook)` the other."""
    path = tmp_path / "sample.py"
    monkeypatch.setattr(notebooks, "source_of", lambda one, name: path)

    def make(text, how=instructor_notebook):
        path.write_text(text, encoding="utf-8")
        return how(topic("02"), "sample")

    return make


@pytest.mark.parametrize(("one", "name"), EVERY, ids=[name for _, name in EVERY])
def test_the_same_source_gives_the_same_bytes(one, name):
    assert as_text(learner_notebook(one, name)) == as_text(learner_notebook(one, name))


@pytest.mark.parametrize(("one", "name"), EVERY, ids=[name for _, name in EVERY])
def test_a_built_notebook_is_clean_and_its_metadata_complete(one, name):
    for notebook in (instructor_notebook(one, name), learner_notebook(one, name)):
        MetadataValidator().validate_nb(notebook)
        assert set(notebook.metadata) == {"kernelspec", "language_info"}
        assert notebook.metadata.kernelspec.name == "python3"
        ids = [cell.id for cell in notebook.cells]
        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", one) for one in ids)
        for cell in notebook.cells:
            assert set(cell.metadata) <= {"nbgrader", "tags", "deletable", "editable"}
            assert cell.id == cell.metadata.get("nbgrader", {}).get("grade_id", cell.id)
            assert cell.cell_type != "code" or (cell.outputs == [] and cell.execution_count is None)


def test_the_schema_version_is_that_of_the_nbgrader_in_use():
    assert nbgrader_cells.SCHEMA_VERSION == NBGRADER_SCHEMA


@pytest.mark.parametrize("one", TOPICS, ids=lambda one: one.slug)
def test_the_points_of_the_cells_add_up_as_the_manifest_says(one):
    cells = [cell.metadata.nbgrader for name in one.notebooks for cell in instructor_notebook(one, name).cells
             if "nbgrader" in cell.metadata]
    assert sum(meta.points for meta in cells if meta.grade) == one.points


def test_learners_get_neither_answers_nor_rubrics_nor_markers():
    for one, name in EVERY:
        answers = {cell.id: cell.source for cell in instructor_notebook(one, name).cells
                   if cell.metadata.get("nbgrader", {}).get("solution")}
        for cell in learner_notebook(one, name).cells:
            assert "SOLUTION" not in cell.source
            if cell.id in answers and cell.cell_type == "markdown":
                assert cell.source == nbgrader_cells.TEXT_STUB
            elif cell.id in answers:
                assert cell.source == answers[cell.id].partition(notebooks.BEGIN)[0]


def test_the_learners_version_keeps_the_starting_line(source):
    cells = {cell.id: cell.source for cell in source(GOOD, learner_notebook).cells}
    assert cells["answer-R1"] == 'answer_R1 = {"slope": None}  # replace None by your number\n'
    assert cells["essay-answer-E1"] == nbgrader_cells.TEXT_STUB


def test_ids_come_from_content_and_stay_unique(source):
    first = [cell.id for cell in source(GOOD).cells]
    moved = [cell.id for cell in source(GOOD + "\n# %% [markdown]\n# # A title\n").cells]
    assert moved[:-1] == first
    assert moved[-1] == f"{first[0]}-2"


@pytest.mark.parametrize(("old", "new", "line", "says"), [
    ('check="1.1"', 'check="1.9"', 13, "has no exercise '1.9'"),
    ('try="1.1"', 'try="7.7"', 22, "has no exercise '7.7'"),
    ('# %% answer="R1"', "# %%", 6, "would be released"),
    ("### BEGIN SOLUTION\n", "", 4, "one solution between"),
    ("### END SOLUTION\n", "", 4, "one solution between"),
    ('answer_R1 = {"slope": None}', "answer_R2 = 1", 4, "assign answer_R1"),
    ('answer_R1 = {"slope": 6.0}', "pass", 4, "assign answer_R1"),
    ('# %% check="R1"\ncheck("R1", answer_R1)', "", 4, "has no check cell"),
    ('check("R1", answer_R1)', "check('R1')", 10, 'one line, `check("R1", answer_R1)`'),
    ('# %% check="1.1"', '# %% answer="1.1"', 13, "judged from value.py"),
    ('# %% check="1.1"\ncheck("1.1")', '# %% check="R1"\ncheck("R1", answer_R1)', 13, "second cell"),
    ("# %% [markdown] essay-answer=\"E1\"\n# Because of the model answer.", "", 16, "no cell to answer in"),
    ('# %% [markdown] essay="E1"', '# %% [markdown] essay="R1"', 16, "kind 'drill'"),
    ('# %% [markdown] essay-answer="E1"', '# %% essay-answer="E1"', 19, "belongs on a markdown cell"),
    ('# %% check="1.1"', '# %% chek="1.1"', 13, "unknown option 'chek'"),
    ('# %% check="1.1"', '# %% check="1.1" try="1.1"', 14, "one option a cell"),
    ("# %% [markdown]\n# # A", "# %% [raw]\n# # A", 2, "only code and markdown"),
])
def test_a_mistake_in_a_source_is_named_by_file_and_line(source, old, new, line, says):
    assert old in GOOD
    with pytest.raises(BuildError, match=re.escape(says)) as caught:
        source(GOOD.replace(old, new))
    assert re.search(rf"sample\.py:{line}: ", str(caught.value))


def test_an_exercise_without_its_cell_is_named(source):
    with pytest.raises(BuildError, match=r"02-autograd-engine, 1\.2: 0 cells with check="):
        complete(topic("02"), [source(GOOD)])


def test_a_notebook_needs_exactly_one_source():
    with pytest.raises(BuildError, match="needs exactly one source"):
        instructor_notebook(replace(topic("02"), notebooks=("poetry",)), "poetry")


def _arguments(*words):
    parser = argparse.ArgumentParser()
    build.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture
def small_tree(tmp_path, monkeypatch):
    """Two generated files and their places, and no course."""
    files = {tmp_path / "topics" / "a.ipynb": b"one\n", tmp_path / "b.py": b"two\n"}
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "shipped_files", lambda: files)
    monkeypatch.setattr(build, "fill_course", lambda: None)
    monkeypatch.setattr(build, "leftovers", lambda made: [p for p in (tmp_path / "topics").glob("*") if p not in made])
    return files


def test_check_names_what_is_stale_and_writes_nothing(small_tree, capsys):
    assert build.run(_arguments()) == 0
    assert build.run(_arguments("--check")) == 0
    stale = next(iter(small_tree))
    stale.write_bytes(b"edited\n")
    (stale.parent / "old.ipynb").touch()
    capsys.readouterr()
    assert build.run(_arguments("--check")) == 1
    said = capsys.readouterr().out
    assert "stale: topics/a.ipynb\n" in said
    assert "stale: topics/old.ipynb has no source" in said
    assert "b.py" not in said
    assert stale.read_bytes() == b"edited\n"
    assert build.run(_arguments()) == 0
    assert stale.read_bytes() == b"one\n"
    assert not (stale.parent / "old.ipynb").exists()


def test_what_is_committed_is_what_the_sources_give():
    files = build.shipped_files()
    stale = [path.relative_to(ROOT).as_posix() for path, content in files.items()
             if not path.is_file() or path.read_bytes() != content]
    assert stale == []
    assert build.leftovers(files) == []


def test_the_instructors_folder_holds_the_reference_only_when_asked(tmp_path):
    one = topic("02")
    assert build.run(_arguments("02", "--instructor", str(tmp_path))) == 0
    folder = tmp_path / one.slug
    assert (folder / one.module).read_bytes() == (one.shipped / one.module).read_bytes()
    assert (folder / "questions.md").is_file()
    assert build.run(_arguments("02", "--instructor", str(tmp_path), "--reference")) == 0
    assert (folder / one.module).read_bytes() == (one.solutions / "level01-naive.py").read_bytes()
    cells = nbformat.read(folder / "exercises.ipynb", as_version=4).cells
    assert any("BEGIN SOLUTION" in cell.source for cell in cells)


def test_an_instructors_edit_in_the_course_is_kept(tmp_path):
    from utils.grading.course import fill

    assert fill(tmp_path) == []
    edited = tmp_path / "source" / "02-autograd-engine" / "exercises.ipynb"
    untouched = edited.with_name("value.py")
    edited.write_text("mine", encoding="utf-8")
    untouched.unlink()
    assert fill(tmp_path) == [edited]
    assert edited.read_text(encoding="utf-8") == "mine"
    assert untouched.is_file()
    shutil.rmtree(edited.parent)
    assert fill(tmp_path) == []


def test_the_exchange_is_where_the_environment_says(tmp_path, monkeypatch):
    from utils.grading.config import exchange_root

    monkeypatch.delenv("UPSTREAM_EXCHANGE", raising=False)
    assert exchange_root(tmp_path) == tmp_path / "exchange"
    monkeypatch.setenv("UPSTREAM_EXCHANGE", str(tmp_path / "shared"))
    assert exchange_root(tmp_path) == tmp_path / "shared"


def test_the_repository_is_an_nbgrader_course():
    result = subprocess.run([sys.executable, "-m", "nbgrader", "autograde", "no-such-assignment"], cwd=ROOT,
                            capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert f"No notebooks were matched by '{ROOT / 'course' / 'submitted'}" in result.stderr
