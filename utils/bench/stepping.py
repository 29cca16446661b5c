"""What a step of the stepper costs in a browser, beside the same graph redrawn in an ipywidgets HTML; and a drawing."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from utils.cli.tools import find
from utils.stepper import step
from utils.visualization import draw, find_program, render, to_dot

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

PASSES = 7              # a step that waits for the CPU once is no slow step: of each step the median counts

# Milliseconds of each step forward, once a pass: script, style and layout, up to where the browser could paint.
OURS = """(passes) => {
  const part = (name) => document.querySelector(`[data-part=${name}]`);
  const [first, step, slider] = [part('first'), part('step'), part('slider')];
  return Array.from({ length: passes }, () => {
    first.click();
    document.body.getBoundingClientRect();
    return Array.from({ length: Number(slider.max) }, () => {
      const begin = performance.now();
      step.click();
      document.body.getBoundingClientRect();
      return performance.now() - begin;
    });
  });
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


@dataclass(frozen=True)
class Cost:
    """Milliseconds of a step. `slowest` of all `steps`, each the median of its passes; `longest`: once, in any pass."""

    values: int
    steps: int
    median: float
    slowest: float
    longest: float
    theirs: float


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


def a_step(values: int = 198) -> Cost:
    """A step of the stepper on a graph of about so many values; raises NoBrowser.

    Theirs is Python's drawing of the graph, once a step, in CPU time, and the page's exchange of it; the messages
    between kernel and page come on top.
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
        began = _cpu()
        drawn.append(render(to_dot(trace, grads=grads), "graph"))
        spent.append((_cpu() - began) * 1e3)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = stepper.save(Path(folder) / "page.html")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(page_file.as_uri())
        page.locator("[data-part=folded]").uncheck()
        passes = page.evaluate(OURS, PASSES)
        theirs = page.evaluate(THEIRS, drawn)
        browser.close()
    return summary(len(trace.nodes), passes, statistics.median(theirs) + min(spent))


def summary(values: int, passes: list[list[float]], theirs: float) -> Cost:
    """What the times of several passes over the same steps come to."""
    ours = [statistics.median(times) for times in zip(*passes, strict=True)]
    return Cost(values, len(ours), statistics.median(ours), max(ours), max(map(max, passes)), theirs)


def a_drawing(values: int = 2_000, times: int = 3) -> tuple[int, float | None]:
    """(values, CPU seconds) of `draw(root)`, from the graph to what a notebook is given, the least of a few times.

    The program that lays it out is counted in; None in place of seconds where there is none.
    """
    root, spent = graph(values), []
    if find_program() is None:
        return values, None
    for _ in range(times):
        began = _cpu()
        drawing = draw(root, max_nodes=values)
        drawing._repr_html_()
        spent.append(_cpu() - began)
    return len(drawing.trace.nodes), min(spent)


def _cpu() -> float:
    """Seconds of this process and those it has waited for; by the wall where the system does not count the latter."""
    return time.perf_counter() if os.name == "nt" else sum(os.times()[:4])
