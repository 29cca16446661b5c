"""What a step of the stepper costs in a browser, beside redrawing the same graph in an ipywidgets HTML."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from utils.cli.tools import find
from utils.stepper import step
from utils.visualization import render, to_dot

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

# Milliseconds of each step forward: script, style and layout, up to where the browser could paint.
OURS = """() => {
  const times = [];
  const step = document.querySelector('[data-part=step]');
  const last = Number(document.querySelector('[data-part=slider]').max);
  document.body.getBoundingClientRect();
  for (let k = 0; k < last; k += 1) {
    const begin = performance.now();
    step.click();
    document.body.getBoundingClientRect();
    times.push(performance.now() - begin);
  }
  return times;
}"""
THEIRS = """([one, other]) => {
  const place = document.body.appendChild(document.createElement('div'));
  const times = [];
  for (let k = 0; k < 20; k += 1) {
    const begin = performance.now();
    place.innerHTML = k % 2 ? one : other;
    document.body.getBoundingClientRect();
    times.push(performance.now() - begin);
  }
  return times;
}"""


class NoBrowser(Exception):
    """There is nothing here to measure in: the sentence says what is missing."""


def graph(values: int) -> object:
    """A root over about so many values: neurons of three inputs each, in a chain."""
    from utils.autograd_stub import Value

    out = Value(0.5, label="x")
    while values > 0:
        out = sum((out * Value(0.1 * k) for k in (1, 2, 3)), Value(0.01)).tanh()
        values -= 11
    return out


def a_step(values: int = 198) -> tuple[int, float, float, float]:
    """(values, ours in ms: median and slowest, theirs in ms: median) of one step; raises NoBrowser.

    Theirs is Python's drawing of the graph, once a step, and the page's exchange of it; the messages between kernel
    and page come on top.
    """
    chromium = find("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NoBrowser("Playwright is not installed (it comes with `course.py test`).") from None
    if chromium is None:
        raise NoBrowser("No Chromium is installed.")
    stepper = step(graph(values))
    trace, drawn, spent = stepper.run.after, [], []
    for grads in (True, False):
        began = time.perf_counter()
        drawn.append(render(to_dot(trace, grads=grads), "graph"))
        spent.append((time.perf_counter() - began) * 1e3)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = stepper.save(Path(folder) / "page.html")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(page_file.as_uri())
        page.locator("[data-part=folded]").uncheck()
        ours = page.evaluate(OURS)
        theirs = page.evaluate(THEIRS, drawn)
        browser.close()
    return len(trace.nodes), statistics.median(ours), max(ours), statistics.median(theirs) + min(spent)
