"""What holds for the whole repository: layout, style, and what must never be committed."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

from utils.build.notebooks import instructor_notebook
from utils.cli.tools import need_module
from utils.curriculum import ROOT, load

LONGEST_FILE = 400          # lines of Python that can be read in one sitting


def committed(*suffixes: str) -> list[Path]:
    """The files that git knows or would take; every file where there is no git."""
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode == 0:
        names = listing.stdout.splitlines()
    else:
        skipped = {".venv", "work", "course", "__pycache__"}
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if not skipped & set(p.parts)]
    return [ROOT / n for n in names if n.endswith(suffixes) and (ROOT / n).is_file()]


def lines_that(pattern: str, files: list[Path]) -> list[str]:
    """file:line of every line in which the pattern is found."""
    return [f"{file.relative_to(ROOT)}:{number}" for file in files
            for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
            if re.search(pattern, line)]


def test_no_folder_without_a_manifest_entry():
    slugs = {topic.slug for topic in load(drafts=True)}
    for tree in ("topics", "solutions", "hints", "tests"):
        assert {p.name for p in (ROOT / tree).iterdir() if re.match(r"\d\d-", p.name)} == slugs


def test_notebooks_are_committed_without_outputs_and_answers():
    notebooks = committed(".ipynb")
    assert notebooks
    for path in notebooks:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert all(not c.get("outputs") and c.get("execution_count") is None for c in cells if c["cell_type"] == "code")
        assert "BEGIN " + "SOLUTION" not in path.read_text(encoding="utf-8")


def test_nothing_names_a_machine_path_or_a_registry():
    files = committed(".py", ".md", ".toml", ".yml", ".lock", ".json", ".ipynb", "run")
    machine = "|".join([re.escape(str(ROOT) + "/"), "/" + "root/", "/" + r"home/[a-z]+/", "/" + "opt/"])
    assert lines_that(machine, files) == []
    assert lines_that(r"(pypi|pythonhosted|registry\.npmjs|debian)\." + r"(org|net|com)", files) == []
    assert lines_that(r"https?://", committed(".lock")) == []


def test_the_one_address_of_a_package_index_is_in_course_py():
    files = [f for f in committed(".py", ".toml", ".yml", ".lock", "run") if ROOT / "tests" not in f.parents]
    found = lines_that("download" + r"\.pytorch\.org", files)
    assert len(found) == 1 and found[0].startswith("course.py:")


def test_python_files_can_be_read_in_one_sitting():
    notebooks_as_text = {ROOT / "solutions" / t.slug / f"{n}.py" for t in load() for n in t.notebooks}
    long = {p.name: n for p in committed(".py") if p not in notebooks_as_text
            and (n := len(p.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE}
    assert long == {}


def test_ruff_finds_nothing():
    need_module("ruff")
    run = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise", str(ROOT)],
                         capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stdout


def test_ci_runs_the_readmes_test_command():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "python3 course.py test\n" in script and "python3 course.py test --services\n" in script
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 course.py test" in readme and "python3 course.py lab" in readme


def test_links_in_markdown_lead_somewhere():
    for page in committed(".md"):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def accidental_lists(text: str) -> list[str]:
    """The lines of Markdown that begin in mid-sentence with what Markdown takes for an item of a list."""
    item, found, in_code = re.compile(r"[-+*] |\d+[.)] "), [], False
    for before, line in itertools.pairwise(text.splitlines()):
        in_code ^= before.startswith("```")
        in_sentence = before.strip() and before[0] not in "# <|" and before[-1] not in ".:" and not item.match(before)
        if in_sentence and not in_code and item.match(line):
            found.append(line)
    return found


def test_no_sentence_is_broken_into_a_list():
    pages = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in committed(".md")}
    cells = {f"{t.slug} {name} {cell.id}": cell.source for t in load() for name in t.notebooks
             for cell in instructor_notebook(t, name).cells if cell.cell_type == "markdown"}
    assert {where: lines for where, text in (pages | cells).items() if (lines := accidental_lists(text))} == {}
    assert accidental_lists("Divide by 1\n- p, always.\n\nA list:\n- one\n- two") == ["- p, always."]


def test_dependencies_are_named_in_the_readme_with_their_reason():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("### What it is built on")[1]
    for dependency in (name for group in groups for name in group):
        name = re.match(r"[A-Za-z0-9_-]+", dependency)[0]
        assert re.search(rf"^\|.*\b{re.escape(name)}\b.*\|", table, re.MULTILINE), name
