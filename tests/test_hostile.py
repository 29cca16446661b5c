"""The hostile corpus, as far as an ordinary run has time for it: `python -m tests.hostile` grades all of it."""

from __future__ import annotations

import pytest

from tests.hostile import FAMILIES, SAMPLES
from tests.hostile.__main__ import PAGE
from tests.hostile.arena import Arena, arena
from tests.hostile.sample import Sample
from tests.hostile.stock import stock_arena
from tests.nbgrader_helpers import SLUG
from utils.cli.tools import need
from utils.grading import records
from utils.sandbox.isolation import SANDBOX, WEAK

# One or more of each family, quick ones; those in a folder's files are graded as a batch.
MODULES = ("equal-to-all", "not-a-number", "says-absent", "walks-the-frames", "patches-the-main-module",
           "patches-builtins", "patches-json", "atexit-has-the-last-word", "signals-everyone", "os-exit-at-import",
           "double-fork", "forges-a-perfect-ending", "a-reply-without-end", "nests-deeper-than-json-reads",
           "payload-in-its-values", "imports-the-stub-by-name", "copies-the-stub", "loads-the-solution", "always-one",
           "reads-the-secret", "reads-the-gradebook", "reads-another-submission", "reads-the-solutions",
           "reads-the-environment", "reads-command-lines", "searches-the-disk", "sends-to-the-network",
           "rewrites-the-gradebook", "spoils-a-neighbours-work", "processes", "disk", "memory-at-import", "output")
FOLDERS = ("answers-that-equal-all", "pickles-beside-it", "test-cells-deleted", "test-cells-doubled",
           "test-cells-marked-as-skipped", "a-thousand-points-each", "one-id-for-all", "link-to-the-secret",
           "link-to-a-neighbours-engine", "pipe-for-a-module", "strange-names", "shadows-of-the-course",
           "started-by-tools", "leaks-in-a-helper", "nested-without-end", "lone-surrogates", "script-in-text",
           "turns-cells-into-pass")
ASKED = ("1.1", "1.2", "1.3", "4.2")   # enough to earn points with, if an attack can
# What gets through where there is no sandbox, or under nbgrader as it comes: without it, nothing above would be shown.
UNDEFENDED = {"reads-the-secret": "read", "reads-the-environment": "read", "sends-to-the-network": "sent",
              "spoils-a-neighbours-work": "changed", "rewrites-the-gradebook": "changed", "files": "left"}
FORGED = {"equal-to-all": "gained", "test-cells-marked-as-skipped": "gained", "turns-cells-into-pass": "gained",
          "reads-another-submission": "read"}


@pytest.fixture(scope="module")
def defended(tmp_path_factory):
    need("bwrap")
    with arena(tmp_path_factory.mktemp("hostile"), isolation=SANDBOX) as made:
        yield made


def test_the_corpus_is_as_large_and_as_varied_as_it_says():
    assert len(SAMPLES) >= 80
    assert len(FAMILIES) >= 12
    assert {SAMPLES[name].family for name in (*MODULES, *FOLDERS)} == set(FAMILIES)
    assert all(sample.must_not for sample in SAMPLES.values())


def _rows(text: str) -> dict[str, list[list[int]]]:
    """Pairs of numbers (here, under stock nbgrader) by family, of the page's table."""
    lines = (line.strip("| ").split(" | ") for line in text.splitlines() if " / " in line and line.startswith("|"))
    return {cells[0]: [[int(number) for number in cell.split(" / ")] for cell in cells[1:]] for cells in lines}


def test_the_page_tells_of_the_corpus_as_it_is_and_of_nothing_won():
    rows = _rows(PAGE.read_text(encoding="utf-8"))
    all_of_it = rows.pop("**all**")
    assert {family: row[0][0] for family, row in rows.items()} == FAMILIES
    assert all_of_it == [[sum(pair[side] for pair in column) for side in (0, 1)]
                         for column in zip(*rows.values(), strict=True)]
    assert [pair[0] for pair in all_of_it[1:]] == [0] * len(all_of_it[1:])


@pytest.mark.parametrize("name", MODULES)
def test_an_attack_in_a_module_wins_nothing(defended, name):
    assert defended.judge(SAMPLES[name], only=ASKED).won == []


def test_attacks_in_a_folder_win_nothing_and_stop_nobody(tmp_path):
    need("bwrap")
    with arena(tmp_path) as made:
        results = made.grade([SAMPLES[name] for name in FOLDERS], feedback=True)
        unseen = _places_where_a_canary_is_not_seen(made, SAMPLES[FOLDERS[0]])
    assert {result.sample.name: result.won for result in results if result.won} == {}
    assert unseen == []


def _places_where_a_canary_is_not_seen(made: Arena, sample: Sample) -> list[str]:
    """Put one by hand into all that grading left, a file at a time, and into its log."""
    token, unseen = made.canaries.token("secret"), []
    if made.look([sample], f"a line with {token}")[0].read != ["secret"]:
        unseen.append("the log")
    for folder in (made.course.root / "release" / SLUG, made.course.autograded(sample.name),
                   made.course.root / "feedback" / sample.name / SLUG, made.course.root / records.FOLDER / SLUG):
        path = next(p for p in sorted(folder.iterdir()) if p.suffix != ".py" and p.stem in ("exercises", sample.name))
        before = path.read_text(encoding="utf-8")
        path.chmod(0o644)
        path.write_text(f"{before}{token}", encoding="utf-8")
        if not made.look([sample], "")[0].read:
            unseen.append(str(path))
        path.write_text(before, encoding="utf-8")
    return unseen


def test_the_same_attacks_win_where_there_is_no_sandbox(tmp_path):
    with arena(tmp_path, isolation=WEAK) as made:
        won = {name: made.judge(SAMPLES[name], only=ASKED[:1]) for name in UNDEFENDED}
    assert [name for name, what in UNDEFENDED.items() if not getattr(won[name], what)] == []


def test_the_same_attacks_win_under_stock_nbgrader(tmp_path):
    with stock_arena(tmp_path) as made:
        won = {name: made.judge(SAMPLES[name]) for name in FORGED}
    assert [name for name, what in FORGED.items() if not getattr(won[name], what)] == []
