"""work/ is filled from topics/ and never loses what a learner wrote; the start page shows in a real JupyterLab."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils import curriculum
from utils.cli.tools import need, need_module
from utils.curriculum import ROOT
from utils.workspace import Workspace, shipped_files, start_page

SLUG = "02-autograd-engine"
BROWSER_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync"]


@pytest.fixture
def topic(tmp_path, monkeypatch):
    """The topic of the manifest, with a shipped folder of two files."""
    topic = curriculum.topic(SLUG)
    monkeypatch.setattr(curriculum, "ROOT", tmp_path)
    topic.shipped.mkdir(parents=True)
    ship(topic, "value.py", "# version 1")
    ship(topic, "README.md", "# Topic")
    return topic


@pytest.fixture
def work(tmp_path):
    return Workspace(tmp_path / "work")


def ship(topic, name, text):
    (topic.shipped / name).write_text(text)


def read(work, name="value.py"):
    return (work.folder / SLUG / name).read_text()


def write(work, text, name="value.py"):
    (work.folder / SLUG / name).write_text(text)


def test_an_empty_work_folder_is_filled(topic, work):
    report = work.fill([topic])
    assert sorted(report.written) == [f"{SLUG}/README.md", f"{SLUG}/value.py"]
    assert report.kept == []
    assert read(work) == "# version 1"


def test_a_second_fill_writes_nothing(topic, work):
    work.fill([topic])
    assert work.fill([topic]).written == []


def test_an_unchanged_file_is_updated(topic, work):
    work.fill([topic])
    ship(topic, "value.py", "# version 2")
    report = work.fill([topic])
    assert report.written == [f"{SLUG}/value.py"]
    assert read(work) == "# version 2"


def test_a_changed_file_is_kept_and_a_newer_version_is_reported_in_one_line(topic, work):
    work.fill([topic])
    write(work, "# mine")
    assert work.fill([topic]).kept == []
    ship(topic, "value.py", "# version 2")
    report = work.fill([topic])
    assert report.written == []
    assert len(report.kept) == 1
    assert f"topics/{SLUG}/value.py" in report.kept[0]
    assert "\n" not in report.kept[0]
    assert read(work) == "# mine"


def test_a_changed_file_stays_kept_through_several_versions(topic, work):
    work.fill([topic])
    write(work, "# mine")
    for version in (2, 3):
        ship(topic, "value.py", f"# version {version}")
        assert len(work.fill([topic]).kept) == 1
    assert read(work) == "# mine"


def test_a_file_that_came_to_equal_the_shipped_one_is_updated_again(topic, work):
    work.fill([topic])
    write(work, "# version 2")
    ship(topic, "value.py", "# version 2")
    work.fill([topic])
    ship(topic, "value.py", "# version 3")
    work.fill([topic])
    assert read(work) == "# version 3"


def test_a_deleted_file_comes_back(topic, work):
    work.fill([topic])
    (work.folder / SLUG / "value.py").unlink()
    assert work.fill([topic]).written == [f"{SLUG}/value.py"]


def test_a_file_of_the_learners_own_is_left_alone(topic, work):
    work.fill([topic])
    write(work, "notes", "notes.txt")
    work.fill([topic])
    assert read(work, "notes.txt") == "notes"


@pytest.mark.parametrize("record", ["", "{", "[1, 2]", '"text"', '{"02-autograd-engine/value.py": 7}', "\x00\x01"])
def test_a_corrupted_record_loses_no_work(topic, work, record):
    work.fill([topic])
    write(work, "# mine")
    work.record_file.write_text(record)
    ship(topic, "value.py", "# version 2")
    assert len(work.fill([topic]).kept) == 1
    assert read(work) == "# mine"
    assert work.read_record()[f"{SLUG}/README.md"]  # mended: the file that is as shipped is known again


def test_a_lost_record_is_made_again_and_updates_go_on(topic, work):
    work.fill([topic])
    shutil.rmtree(work.record_file.parent)
    work.fill([topic])
    ship(topic, "value.py", "# version 2")
    assert work.fill([topic]).written == [f"{SLUG}/value.py"]


def test_a_write_that_fails_leaves_the_old_file_whole(topic, work, monkeypatch):
    work.fill([topic])
    ship(topic, "value.py", "# version 2")

    def fail(*_):
        raise OSError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="power cut"):
            work.fill([topic])
    assert read(work) == "# version 1"
    assert {path.name for path in (work.folder / SLUG).iterdir()} == {"value.py", "README.md"}
    assert work.fill([topic]).written == [f"{SLUG}/value.py"]


def test_a_folder_in_the_way_is_reported(topic, work):
    (work.folder / SLUG / "value.py").mkdir(parents=True)
    report = work.fill([topic])
    assert len(report.kept) == 1
    assert (work.folder / SLUG / "value.py").is_dir()


def test_sources_of_notebooks_and_hidden_files_are_not_shipped(topic, work):
    for name in ("intuition.md", "intuition.ipynb", ".hidden"):
        ship(topic, name, "{}")
    (topic.shipped / "__pycache__").mkdir()
    ship(topic, "__pycache__/value.pyc", "")
    assert [path.name for path in shipped_files(topic)] == ["README.md", "intuition.ipynb", "value.py"]


def test_the_start_page_links_what_exists_and_shows_progress(topic):
    ship(topic, "exercises.ipynb", "{}")
    page = start_page([topic], "3 of 90 points")
    assert f"]({SLUG}/exercises.ipynb)" in page
    assert "intuition.ipynb" not in page
    assert "3 of 90 points" in page
    assert topic.title in page


def heed_ctrl_c() -> None:
    """In a child: undo that a test suite which runs in the background ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab as `lab` starts it, on a copy of the repository; its address."""
    home = tmp_path_factory.mktemp("home")
    copy = tmp_path_factory.mktemp("lab")
    for name in ("utils", "topics", "solutions", "hints", "tests", "pyproject.toml"):
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, copy / name, ignore=ignored) if source.is_dir() else shutil.copy(source, copy / name)
    # A learner whose own configuration says otherwise still gets the course.
    (home / ".jupyter").mkdir()
    (home / ".jupyter" / "jupyter_server_config.py").write_text("c.ServerApp.root_dir = '/'\nc.ServerApp.port = 1\n")
    environment = {**os.environ, "PYTHONPATH": str(copy), "HOME": str(home), "USERPROFILE": str(home)}
    environment.pop("JUPYTER_CONFIG_DIR", None)
    command = [sys.executable, "-P", "-m", "utils", "lab", "--no-browser"]
    with subprocess.Popen(command, env=environment, cwd=home, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, preexec_fn=heed_ctrl_c) as server:
        words = ""
        while "http" not in words:
            line = server.stdout.readline()
            assert line, f"JupyterLab ended: {words}"
            words += line
        yield re.search(r"http\S+", words).group(), copy, server
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0  # one Ctrl-C ends it, without a question


def test_jupyterlab_opens_on_the_start_page_without_dialogs(lab, tmp_path):
    url, copy, _ = lab
    chromium = need("chromium")
    browsers = need_module("playwright.sync_api")
    answers = []
    with browsers.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(tmp_path, executable_path=chromium, args=BROWSER_FLAGS)
        page = context.pages[0]
        page.on("response", lambda answer: answers.append((answer.status, answer.url)))
        page.goto(url)
        page.locator(".jp-RenderedMarkdown h1", has_text="Upstream").wait_for(timeout=60_000)
        page.locator(".jp-RenderedMarkdown a", has_text="What it is about").first.click()
        page.locator(".lm-TabBar-tabLabel", has_text="README.md").wait_for(timeout=20_000)
        menus = page.locator(".lm-MenuBar-itemLabel").all_inner_texts()
        popped = page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts()
        context.close()
    assert popped == []
    assert [answer for answer in answers if answer[0] >= 400] == []
    assert answers
    assert "File" in menus
    assert "Nbgrader" not in menus
    assert (copy / "work" / SLUG / "value.py").exists()


def run_all(page, timed_out) -> None:
    """Run all cells. A run asked for a moment too early is dropped, or answered by asking for a kernel: ask again."""
    for _ in range(20):
        with suppress(timed_out):
            if (select := page.locator(".jp-Dialog .jp-mod-accept")).count():
                select.click(timeout=5_000)
            page.get_by_role("menuitem", name="Run", exact=True).click(timeout=5_000)
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click(timeout=5_000)
            page.locator(".jp-InputPrompt", has_text=re.compile(r"\[(\*|\d+)\]")).first.wait_for(timeout=5_000)
            return
    raise AssertionError("JupyterLab never ran the notebook")


def test_jupyterlab_runs_a_notebook_with_check_hint_drawing_and_stepper(lab, tmp_path):
    """A learner's own Value, wrong in one place: the check's card, a hint, the drawing, training stopped by its button,
    and the stepper, played.
    """
    url, copy, _ = lab
    chromium = need("chromium")
    browsers = need_module("playwright.sync_api")
    folder = copy / "work" / SLUG
    right = (copy / "solutions" / SLUG / "level01-naive.py").read_text(encoding="utf-8")
    wrong = right.replace("self.grad += out.data * out.grad", "self.grad = out.data * out.grad")
    (folder / "value.py").write_text(wrong, encoding="utf-8")
    cells = ["from utils.notebook import check, hint\nfrom utils.stepper import step\n"
             "from utils.visualization import draw\nfrom value import Value",
             "a = Value(3.0, label='a'); y = a * a; y.backward(); draw(y)", 'check("2.3")', 'hint("2.3")',
             "import time\nfrom utils.datasets import two_moons\nfrom utils.training import watch_training\n"
             "losses = watch_training(lambda *_: time.sleep(0.01) or 0.5, lambda p: Value(p[0]), *two_moons(8), "
             "steps=10**6)", 'print(len(losses), "steps kept")\nstep(check("2.3"))']
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells], metadata=kernel)
    nbformat.write(notebook, folder / "probe.ipynb")
    with browsers.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(tmp_path, executable_path=chromium, args=BROWSER_FLAGS)
        page = context.pages[0]
        page.goto(url.replace("START.md", f"{SLUG}/probe.ipynb"))
        page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(timeout=90_000)
        ran = page.locator(".jp-OutputArea-output", has_text="Hint 1 of")
        for _ in range(3):          # a run that JupyterLab accepts while the kernel connects can still be lost
            run_all(page, browsers.TimeoutError)
            with suppress(browsers.TimeoutError):
                ran.wait_for(timeout=60_000)
                break
        assert ran.count() == 1
        told = page.locator(".jp-OutputArea-output", has_text="promises kept")
        card = told.inner_text()
        drawn = told.locator("img").evaluate("image => image.complete && image.naturalWidth > 50")
        picture = page.locator(".jp-OutputArea-output img").first
        shown = picture.evaluate("image => image.complete && image.naturalWidth > 50"), picture.get_attribute("alt")
        training = page.locator(".jp-OutputArea-output", has=page.locator("progress"))
        training.locator("img").wait_for(timeout=60_000)        # the loss and the boundary, while it runs
        page.locator('[data-command="notebook:interrupt-kernel"]').first.click()
        stopped = training.filter(has_text="stopped by you; the model keeps what it has learned")
        stopped.wait_for(timeout=60_000)
        stepper = page.locator(".upstream-stepper")             # of the next cell, which runs as ever
        stepper.wait_for(timeout=60_000)
        went_on = page.locator(".jp-OutputArea-output", has_text="steps kept").count()
        number_of_cells = page.locator(".jp-Cell").count()
        stepper.focus()
        for key in ("End", "ArrowLeft", "ArrowLeft", "b", "d", "d"):     # b and d d: commands of JupyterLab outside
            page.keyboard.press(key)
        stepper.locator("[data-part=play]").click()
        stepper.locator(".us-fault-text", has_text="calculus says").wait_for(timeout=30_000)
        assert stepper.locator("[data-part=play]").inner_text() == "Play"       # at the end it stops by itself
        assert stepper.locator(".us-edge.us-fault").count() == 1
        assert page.locator(".jp-Cell").count() == number_of_cells
        stepper.locator("summary", has_text="Change the inputs").click()
        stepper.locator("input[data-part^=input-]").first.fill("0.5")           # the learner's code answers
        stepper.locator(".us-card.us-leaf:not(.us-guess) .us-data", has_text="0.5").wait_for(timeout=30_000)
        context.close()
    assert "out.backward()" in card
    assert "a.grad" in card
    assert 'hint("2.3")' in card
    assert went_on == 1
    assert drawn    # the failing program
    assert shown[0]
    assert "a" in shown[1]
