"""The hint ladder, and the text of the exercises notebook, against the manifest and the reference solution."""

from __future__ import annotations

import importlib.util
import re

import pytest

from utils.curriculum import topic
from utils.hints import ladder, sections

TOPIC = topic("02")
FILES = ("hint-1-structure.md", "hint-2-backward.md", "hint-3-topological.md")
TEXTS = [(TOPIC.hints / name).read_text(encoding="utf-8") for name in FILES]
HINTED = [e for level in TOPIC.levels for e in level.exercises]
NOTEBOOK = (TOPIC.solutions / "exercises.py").read_text(encoding="utf-8")
REFERENCE = (TOPIC.solutions / "level01-naive.py").read_text(encoding="utf-8")
SKELETON = (TOPIC.shipped / "value.py").read_text(encoding="utf-8")
GAP, FENCE = "____", "```"


def copied(text: str) -> list[str]:
    """Lines of the reference that the learner's file lacks, of 30 characters or more, that stand in `text`."""
    flat = " ".join(text.split())
    given = {" ".join(line.split()) for line in SKELETON.splitlines()}
    lines = {" ".join(re.sub(r"  # .*", "", line).split()) for line in REFERENCE.split('"""', 2)[2].splitlines()}
    return sorted(line for line in lines - given if len(line) >= 30 and not line.startswith("#") and line in flat)


# ---- hints

def test_the_ladder_has_these_three_files():
    assert tuple(sorted(path.name for path in TOPIC.hints.glob("*.md"))) == FILES


def test_sections_end_where_the_next_begins():
    text = "# A file\nintro\n## 1.1 One\nfirst\n\n```python\na\n```\n## 2.1 Two\nsecond\n"
    assert sections(text) == {"1.1": "first\n\n```python\na\n```", "2.1": "second"}


@pytest.mark.parametrize("exercise", HINTED, ids=lambda e: e.id)
def test_every_exercise_has_three_steps(exercise):
    steps = ladder(TOPIC, exercise.id)
    assert len(steps) == 3
    assert all(len(step) >= 60 for step in steps)


@pytest.mark.parametrize("text", TEXTS, ids=FILES)
def test_headings_are_the_manifests_in_its_order(text):
    found = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert found == [f"{e.id} {e.title}" for e in HINTED]


@pytest.mark.parametrize("exercise", HINTED, ids=lambda e: e.id)
def test_hints_escalate_from_a_question_to_nearly_code(exercise):
    nudge, structure, nearly = ladder(TOPIC, exercise.id)
    assert FENCE not in nudge
    assert FENCE not in structure
    assert FENCE in nearly
    assert GAP in nearly
    assert GAP not in nudge + structure


@pytest.mark.parametrize("text", TEXTS, ids=FILES)
def test_no_hint_holds_a_line_of_the_solution(text):
    assert copied(text) == []


def test_a_copied_line_would_be_found():
    """The control for the test above: lines of the solution are found, lines of the learner's file are not counted."""
    assert copied("Write\n    self.grad += other.data * out.grad\nthere.") == ["self.grad += other.data * out.grad"]
    assert copied("    other = other if isinstance(other, Value) else Value(other)") == []


# ---- the notebook's text

def test_headings_state_the_manifests_titles_and_minutes():
    asked = [*HINTED, *TOPIC.essays]
    wanted = {f"{e.id} {e.title} ({e.minutes} minutes{', extension' if e.extension else ''})" for e in asked}
    found = re.findall(r"^# ### ([0-9E].*)$", NOTEBOOK, re.MULTILINE)
    assert set(found) == wanted
    assert len(found) == len(wanted)


def test_level_headings_are_the_manifests():
    found = re.findall(r"^# # (Level .*)$", NOTEBOOK, re.MULTILINE)
    assert found == [f"Level {level.number}: {level.title}" for level in TOPIC.levels]


@pytest.mark.parametrize("exercise", HINTED, ids=lambda e: e.id)
def test_every_exercise_can_be_played_with_and_offers_its_hint(exercise):
    _, _, cell = NOTEBOOK.partition(f'# %% try="{exercise.id}"\n')
    assert cell.partition("\n# %%")[0].rstrip().endswith(f'# hint("{exercise.id}")')


def test_the_worked_example_is_the_one_in_the_learners_file():
    block = re.search(r"# ```python\n(#     def __add__.*?)# ```", NOTEBOOK, re.DOTALL)[1]
    shown = "\n".join(line[2:] for line in block.splitlines())
    assert shown in SKELETON


def test_no_cell_imports_the_escape_hatch():
    """Importing it marks the learner's topic as borrowed; the text may name it."""
    code = [line for line in NOTEBOOK.splitlines() if not line.startswith("#")]
    assert not [line for line in code if "autograd_stub" in line]


def test_the_training_log_of_the_essay_comes_from_a_real_run():
    spec = importlib.util.spec_from_file_location("reference_for_the_log", TOPIC.solutions / "level01-naive.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    log = re.search(r"# step +loss +w +w\.grad\n((?:# [ \d.-]+\n)+)", NOTEBOOK)[1]
    w, lines = reference.Value(0.0), []
    for step in range(15):
        loss = sum((w * x - 3.0 * x) ** 2 for x in (1.0, 2.0, 3.0)) / 3
        loss.backward()  # w.grad is not set to zero: that is what the essay is about
        lines.append(f"# {step:4}{loss.data:8.2f}{w.data:8.2f}{w.grad:10.2f}\n")
        w.data -= 0.02 * w.grad
    assert log == "".join(lines)
