"""The stepper's script: its own tests under node, and the exported page in a real browser, without a network."""

from __future__ import annotations

import logging
import subprocess

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.engines import REFERENCE, changed, loaded
from tests.test_workspace import BROWSER_FLAGS
from utils.autograd_stub import Value
from utils.bench.stepping import graph
from utils.cli.tools import missing, need, need_module
from utils.curriculum import ROOT
from utils.stepper import step


def packages():
    """node_modules, with the packages of package.json."""
    folder = ROOT / "node_modules"
    if not (folder / "jsdom").is_dir() or not (folder / "axe-core").is_dir():
        missing("node_modules not found (npm ci)")
    return folder


def test_the_script_passes_its_own_tests():
    node = need("node")
    packages()
    done = subprocess.run([node, "--test", "tests/web/"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    assert "# pass 18" in done.stdout


def test_jupyterlab_starts_without_an_error_of_node(caplog):
    """Its script is CommonJS, and .venv lies in this folder: a package.json here must not call all scripts modules."""
    need("node")
    from jupyterlab.commands import _yarn_config

    _yarn_config(logging.getLogger("yarn"))
    assert caplog.text == ""


@pytest.fixture(scope="module")
def browser():
    chromium = need("chromium")
    browsers = need_module("playwright.sync_api")
    with browsers.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=BROWSER_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Opens a stepper's saved page, offline; fails where the page asks for anything else or its script errs."""
    troubles, contexts = [], []

    def opened(stepper, **options):
        context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url) if not request.url.startswith(("file", "data"))
                else None)
        page.goto(stepper.save(tmp_path / "page.html").as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def wrong(tmp_path):
    """A stepper over z = a * b + a with the gradient of a product's left factor set, not added."""
    source = changed(("self.grad += other.data * out.grad", "self.grad = other.data * out.grad"))
    kind = loaded(source, tmp_path).Value
    a, b = kind(3.0, label="a"), kind(-2.0, label="b")
    z = a * b + a
    z.label = "z"
    return step(z)


@pytest.fixture
def river(tmp_path):
    """Makes a stepper over z = (x + y) * x on the model answer."""
    kind = loaded(REFERENCE, tmp_path).Value

    def made(**more):
        x, y = kind(2.0, label="x"), kind(3.0, label="y")
        a = x + y
        a.label = "a"
        z = a * x
        z.label = "z"
        return step(z, **more)
    return made


def grads(page):
    return page.locator(".us-grad").all_text_contents()


def test_every_control_works_from_the_keyboard(open_page, river):
    page = open_page(river())
    page.locator(".upstream-stepper").focus()
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.part ?? document.activeElement.tagName"))
    assert [part for part in reached if part != "BODY"][:10] == [
        "frame", "first", "back", "step", "play", "slider", "predict", "measured", "SUMMARY", "SUMMARY"]
    page.locator(".upstream-stepper").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    assert grads(page) == ["7.0", "0.0", "2.0", "1.0"]
    assert page.locator(".us-caption").inner_text() == "x.grad: was 5.0, add 1.0 × 2.0 = 2.0, now 7.0"
    assert page.locator(".us-now").text_content() == "1.0 × 2.0 = 2.0"
    page.keyboard.press("ArrowLeft")
    assert grads(page) == ["5.0", "0.0", "2.0", "1.0"]
    page.locator("[data-part=slider]").focus()
    page.keyboard.press("End")
    assert page.locator(".us-caption").inner_text() == "The pass is over: x.grad = 7.0, y.grad = 2.0."


def test_play_runs_to_the_end(open_page, river):
    page = open_page(river())
    page.clock.install()
    page.locator("[data-part=play]").click()
    page.clock.run_for(1100 * 3 + 50)
    assert page.locator(".us-count").inner_text() == "3 of 8"
    page.clock.run_for(1100 * 6)
    assert page.locator("[data-part=play]").inner_text() == "Play"
    assert grads(page) == ["7.0", "2.0", "2.0", "1.0"]


def test_predict_mode_asks_and_answers(open_page, river):
    page = open_page(river(predict=True))
    page.locator(".upstream-stepper").focus()
    page.keyboard.press("End")
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    assert page.locator(".us-said").inner_text() == "You predicted it."
    assert page.locator(".us-count").inner_text() == "4 of 8"


def test_a_moved_input_is_previewed(open_page, river):
    page = open_page(river())
    page.locator("summary", has_text="Change the inputs").click()
    page.locator("[data-part=input-x]").fill("-1")
    assert page.locator(".us-data").all_text_contents() == ["-1.0", "3.0", "2.0", "-2.0"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, wrong, scheme):
    page = open_page(wrong, color_scheme=scheme)
    page.add_script_tag(path=packages() / "axe-core" / "axe.min.js")
    for summary in page.locator("summary").all():
        summary.click()
    page.locator("[data-part=measured]").check()
    for part in ("first", "slider", "predict"):
        page.locator(f"[data-part={part}]").focus()
        page.keyboard.press({"first": "Enter", "slider": "End", "predict": "Space"}[part])
        if part == "predict":
            page.locator("[data-part=first]").click()
            for _ in range(4):
                page.locator("[data-part=step]").click()
            assert page.locator("[data-part=answer]").is_visible()
        found = page.evaluate("axe.run()")
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
        assert len(found["passes"]) > 10


def test_a_wrong_step_has_a_cross_and_a_sentence_and_is_not_told_by_colour_alone(open_page, wrong):
    page = open_page(wrong)
    page.locator(".upstream-stepper").focus()
    page.keyboard.press("End")
    assert page.locator(".us-pill.us-fault .us-cross").is_visible()
    assert "a.grad is -2.0, and calculus says -1.0." in page.locator(".us-fault-text").inner_text()
    page.locator("[data-part=back]").click()
    assert page.locator(".us-fault-text").inner_text().startswith("Wrong here: Set, not added")
    dashes = page.locator(".us-send .us-line").first.evaluate("line => getComputedStyle(line).strokeDasharray")
    assert dashes != "none"         # this contribution is negative


COVERED = """() => {
  const step = document.querySelector('[data-part=step]');
  const boxes = (what) => [...document.querySelectorAll(what)].map((one) => one.getBoundingClientRect())
    .filter((box) => box.width > 0);
  const found = [];
  for (let k = Number(document.querySelector('[data-part=slider]').max); k > 0; k -= 1) {
    step.click();
    const cards = boxes('.us-box');
    for (const one of boxes('.us-pill rect, .us-pill .us-cross')) {
      if (cards.some((card) => Math.min(card.right, one.right) - Math.max(card.left, one.left) > 2
        && Math.min(card.bottom, one.bottom) - Math.max(card.top, one.top) > 2)) {
        found.push(document.querySelector('.us-caption').textContent);
      }
    }
  }
  return found;
}"""


def test_what_an_edge_says_covers_no_card(open_page, tmp_path):
    """At no step, nor does the cross of a wrong one."""
    kind = loaded(changed(("self.grad += other.data * out.grad", "self.grad = other.data * out.grad")), tmp_path).Value
    a, b = kind(3.0), kind(-2.0)
    page = open_page(step((a * b + a) * b))
    assert page.evaluate(COVERED) == []
    page.set_viewport_size({"width": 900, "height": 800})       # it shrinks a little to fit, before it scrolls
    assert page.locator(".us-frame").evaluate("frame => frame.scrollWidth <= frame.clientWidth")
    page = open_page(step(graph(40)))
    page.locator("[data-part=folded]").uncheck()
    assert page.evaluate(COVERED) == []


def test_a_long_number_stands_beside_its_word(open_page):
    page = open_page(step(Value(-123456.789) * Value(-0.000123456789)))
    page.locator("[data-part=slider]").fill("4")
    for word in ("data", "grad"):
        words = page.locator(".us-word", has_text=word).all()
        numbers = page.locator(f".us-{word}").all()
        for left, right in zip(words, numbers, strict=True):
            ends, begins = left.bounding_box(), right.bounding_box()
            assert ends["x"] + ends["width"] <= begins["x"], right.text_content()


def test_without_a_script_the_picture_and_the_steps_stand_there(open_page, river):
    page = open_page(river(), java_script_enabled=False)
    picture = page.locator(".upstream-static img")
    assert picture.bounding_box()["width"] > 100
    assert "x data 2.0 grad 7.0" in picture.get_attribute("alt")
    page.locator("summary").click()
    assert page.locator("ol li").all_text_contents()[-1] == "y.grad: was 0.0, add 1.0 × 2.0 = 2.0, now 2.0"


def test_the_active_value_of_a_large_graph_is_in_sight(open_page):
    value = Value(0.5, label="x")
    for _ in range(60):
        value = (value * 1.001 + 0.01).tanh()
    page = open_page(step(value), reduced_motion="reduce")
    for key in ("End", "ArrowLeft", "Home", "ArrowRight"):
        page.locator(".upstream-stepper").focus()
        page.keyboard.press(key)
        if page.locator(".us-active").count():
            frame, card = page.locator(".us-frame").bounding_box(), page.locator(".us-active").bounding_box()
            assert frame["x"] <= card["x"] and card["x"] + card["width"] <= frame["x"] + frame["width"]


def saved_by_jupyterlab(river, tmp_path):
    """Without the widget's state, which would need a kernel or a network."""
    bundle, _ = river()._repr_mimebundle_()
    return new_notebook(cells=[new_code_cell("step(z)", outputs=[new_output("display_data", data=bundle)])])


def run_by_nbconvert(river, tmp_path):
    """`jupyter nbconvert --execute`, which keeps the state of every widget that it hears of."""
    from nbconvert.preprocessors import ExecutePreprocessor

    (tmp_path / "value.py").write_text(REFERENCE, encoding="utf-8")
    source = ("import value\nfrom utils.stepper import step\nfrom utils.drills import drill_form\n"
              "display(step(lambda x, y: (x + y) * x, x=2.0, y=3.0), drill_form('R1', topic='02-autograd-engine'))")
    notebook, _ = ExecutePreprocessor(kernel_name="python3").preprocess(
        new_notebook(cells=[new_code_cell(source)]), {"metadata": {"path": str(tmp_path)}})
    assert "widgets" not in notebook.metadata
    return notebook


@pytest.mark.parametrize("kept", [saved_by_jupyterlab, run_by_nbconvert])
def test_it_lives_in_what_nbconvert_exports(kept, browser, river, tmp_path):
    from nbconvert import HTMLExporter  # here, since it takes a second to import

    html, _ = HTMLExporter().from_notebook_node(kept(river, tmp_path))
    (tmp_path / "notebook.html").write_text(html, encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((tmp_path / "notebook.html").as_uri(), wait_until="domcontentloaded")
    page.locator(".upstream-stepper").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    assert grads(page) == ["7.0", "0.0", "2.0", "1.0"]
    context.close()
