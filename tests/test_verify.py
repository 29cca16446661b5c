"""Every topic is whole; each check of `course.py verify` can fail; a scaffolded topic passes them all as it is."""

from __future__ import annotations

import shutil

import pytest

from utils import curriculum
from utils.build.new_topic import scaffold
from utils.cli import main
from utils.cli.build import learners_files, write
from utils.curriculum import CurriculumError, load, topic
from utils.judge import catalogues
from utils.judge.promises import collect
from utils.verify import CHECKS

SLUG = "77-a-new-one"


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("one", load(drafts=True), ids=lambda one: one.slug)
def test_topic_passes(one, name):
    assert CHECKS[name](one) == []


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A topic that was scaffolded into an empty curriculum."""
    (tmp_path / "topics").mkdir()
    manifest = tmp_path / "topics" / "curriculum.toml"
    manifest.write_text((curriculum.ROOT / "topics" / "curriculum.toml").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(curriculum, "ROOT", tmp_path)
    load.cache_clear()
    scaffold(SLUG, module="made.py")
    write(learners_files(topic(SLUG)))
    yield topic(SLUG)
    load.cache_clear()
    collect.cache_clear()


def problems(one) -> dict[str, list[str]]:
    collect.cache_clear()
    return {name: found for name, check in CHECKS.items() if (found := check(one))}


def test_scaffolded_topic_passes_and_no_learner_sees_it(made):
    assert problems(made) == {}
    assert made.draft and made not in load() and made in load(drafts=True)
    assert (made.shipped / "made.py").read_text().count("raise NotImplementedError(") == 1


def _replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


BREAKS = {
    "all parts are there": (lambda one: (one.tests / "test_edge.py").unlink(), "test_edge.py is missing"),
    "the manifest is complete": (lambda one: (one.tests / "test_basic.py").write_text('"""None."""\n'),
                                 "exercise 1.1 has no promise"),
    "notebooks and skeleton are in step": (lambda one: _replace(one.shipped / "made.py", "Twice", "twice"),
                                           "made.py is stale"),
    "unsolved earns nothing and fails cleanly": (
        lambda one: shutil.copy(one.solutions / one.reference, one.shipped / "made.py"), "untouched, it earns 1"),
    "each solution keeps its promises": (
        lambda one: _replace(one.solutions / "level02-vectorized.py", "2 * x", "3 * x"),
        "level02-vectorized.py does not keep 1.1"),
    "hints escalate": (lambda one: _replace(one.hints / "hint-1-structure.md", "Which", "```\nx + x\n```\nWhich"),
                       "shows code before its third hint"),
    "links lead somewhere": (lambda one: _replace(one.shipped / "README.md", "(questions.md)", "(answers.md)"),
                             "links to answers.md"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_check_can_fail(made, name):
    change, sentence = BREAKS[name]
    change(made)
    found = problems(made)
    assert any(sentence in problem for problem in found[name]), found
    if name != "unsolved earns nothing and fails cleanly":      # a solved file is a stale one too
        assert set(found) == {name}


def test_script_that_fails_is_told(made):
    (made.solutions / "level04-pytorch-reference.py").write_text("raise SystemExit('apart')\n")
    assert "exit status 1: apart" in problems(made)["each solution keeps its promises"][0]


def test_misconception_that_nothing_notices_is_told(monkeypatch):
    right = next(iter(catalogues.layers().values()))
    blind = type(right)("harmless", right.says, ({"Linear.pull": lambda s, x, g: g @ s.W.T},), "1.2", "", "harmless")
    monkeypatch.setattr(catalogues, "layers", lambda: {"harmless": blind})
    assert CHECKS["every misconception is caught"](topic("06")) == ["no promise notices the misconception harmless"]


@pytest.mark.parametrize(("slug", "module", "sentence"), [
    ("optimizers", "work.py", "is no slug"), ("7-x", "work.py", "is no slug"), ("78-../x", "work.py", "is no slug"),
    ("02-twice", "work.py", "number 02 is taken by 02-autograd-engine"), (SLUG, "work.py", "number 77 is taken"),
    ("78-new", "../work.py", "is no module's name"),
])
def test_a_topic_that_cannot_be_made_is_refused(made, slug, module, sentence):
    before = sorted(curriculum.ROOT.rglob("*"))
    with pytest.raises(CurriculumError, match=sentence):
        scaffold(slug, module=module)
    assert sorted(curriculum.ROOT.rglob("*")) == before


def test_what_stands_already_is_not_overwritten(made):
    (curriculum.ROOT / "hints" / "78-new").mkdir(parents=True)
    (curriculum.ROOT / "hints" / "78-new" / "hint-1-structure.md").write_text("mine")
    with pytest.raises(CurriculumError, match="is there already"):
        scaffold("78-new")
    assert not (curriculum.ROOT / "topics" / "78-new").exists()


def test_commands(made, capsys):
    assert main.main(["verify", SLUG]) == 0
    assert f"{SLUG} (draft)" in capsys.readouterr().out
    (made.shipped / "questions.md").unlink()
    assert main.main(["verify", SLUG]) == 1
    assert "wrong  all parts are there" in capsys.readouterr().out
    assert main.main(["verify", "no-such"]) == 2
    assert main.main(["new-topic", "x"]) == 2
