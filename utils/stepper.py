"""Step through the backward pass of your own engine: `step(z)`, or `step(lambda x, y: x * y, x=2.0, y=3.0)`.

It runs your own rules and shows what each does to `grad`, one contribution at a time. Live in JupyterLab, alive without
a kernel in exported pages (`save("z.html")`), a picture with a list of the steps where no script may run.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from utils.attended import attended
from utils.graph_trace import ABSENT, is_value, plain, read, trace
from utils.judge.report import Report
from utils.notebook import GRADING
from utils.step_data import MOST_NODES, Run, as_data, observe
from utils.step_failure import rebuild
from utils.step_layout import PILLS_UP_TO
from utils.step_replay import NoProgram, Program, from_function, from_graph
from utils.visualization import Drawing, draw

WEB = Path(__file__).with_name("web")
MODULES = ("model.js", "picture.js", "stepper.js")      # joined in this order; each may use those before it
LISTED = 60                     # steps written out in words, below the static picture


def step(what: object, *leaves: object, names: Mapping[str, object] | None = None, predict: bool = False,
         backward: Callable[[object], object] | None = None, **named: object) -> Any:
    """A stepper through the run of `what`, forward and backward.

    what: a value, which your graph ends in; or a function of Values and its inputs, numbers or Values, in order or by
    name; or the report of a check, whose failing program is built again on your engine as it is now.
    names: names for values without a label, such as `globals()`. predict: ask for each gradient before showing it;
    `answers` holds what was answered. backward: a function of the root that walks the graph, instead of its method.
    The graph is left as it was found. Raises nothing: what cannot be shown is said in a sentence.
    """
    failing = isinstance(what, Report)
    try:
        if failing:
            what, names = rebuild(what)
        program, root, made = None, what, []
        if callable(what) and not is_value(what):
            program = from_function(what, leaves, named)
            root, made = program.run(program.start)
            names = {**dict(zip(program.names, made, strict=True)), **(names or {})}
        elif leaves or named:
            raise NoProgram("step() takes inputs only after a function: step(f, x=2.0), or step(z) for a value z.")
        if read(root, "data") is ABSENT:
            raise NoProgram("step() takes a value of your engine, an object whose `data` can be read; it was given "
                            f"{plain(root) if isinstance(root, str) else 'an object of type ' + type(root).__name__}.")
    except NoProgram as problem:
        return Drawing(None, notes=(str(problem),))
    except Exception as error:          # a learner's forward may raise anything
        words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return Drawing(None, notes=(f"There is no graph to step through; building it raised {words}",))
    seen = trace(root, MOST_NODES)
    if seen.total > MOST_NODES:
        drawing = draw(root, names=names)
        drawing.notes = (f"Stepping is for graphs of up to {MOST_NODES} values; this one is drawn instead.",
                         *drawing.notes)
        return drawing
    stepper = Stepper(root, program, names=names, predict=predict, backward=backward, leaves=made)
    if failing and not stepper.wrong:
        stepper.say("From grads of zero, every step of this program is right: the failure needs what the check does "
                    "around it, or the number it looks at is not a gradient. Its message shows both.")
    return stepper


class Stepper(anywidget.AnyWidget):
    """What `step` returns. `answers` is what was predicted so far; `save` writes a page; `wrong` lists marked steps."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    trace = traitlets.Dict().tag(sync=True)
    at = traitlets.Int(0).tag(sync=True)
    predict = traitlets.Bool(False).tag(sync=True)
    answers = traitlets.List().tag(sync=True)
    live = traitlets.Bool(True).tag(sync=True)

    def __init__(self, root: object, program: Program | None = None, *, names: Mapping[str, object] | None = None,
                 predict: bool = False, backward: Callable[[object], object] | None = None,
                 leaves: Sequence[object] = ()) -> None:
        self._backward = backward
        self.run, values = observe(root, names, backward, leaves)
        self._program = program or from_graph(self.run.trace, values)
        super().__init__(_esm=module(), _css=css(), trace=as_data(self.run, self._program), predict=predict)
        self.on_msg(self._asked)

    def open(self) -> None:
        """Tell the page of this widget, where there is one; what nbconvert runs shows the page's own stepper."""
        if attended():
            super().open()

    def say(self, note: str) -> None:
        """Add a sentence below the picture."""
        self.run.notes = (*self.run.notes, note)
        self.trace = {**self.trace, "notes": list(self.run.notes)}

    @property
    def wrong(self) -> list[str]:
        """What is wrong with the steps that are marked, a sentence each."""
        return [step.wrong for step in self.run.wrong]

    def _asked(self, _: object, message: dict, buffers: object) -> None:
        """The page moved the inputs: run the learner's code on them, and answer with what it did."""
        numbers = message.get("numbers") if isinstance(message, dict) else None
        if self._program is None or not isinstance(numbers, list) or len(numbers) != len(self._program.start) \
                or not all(isinstance(x, (int, float)) or x is None for x in numbers):
            return
        self._program.start = [kept if x is None else float(x)      # None: a number that JSON does not know
                               for x, kept in zip(numbers, self._program.start, strict=True)]
        try:
            root, made = self._program.run(self._program.start)
            self.run, _ = observe(root, dict(zip(self._program.names, made, strict=True)), self._backward,
                                  made)
        except Exception as error:      # a learner's forward off the beaten point: log of a negative number
            self.send({"trouble": f"Your code raised {type(error).__name__} for these inputs: {plain(str(error))}"})
            return
        answer = as_data(self.run, self._program)
        if answer == self.trace:        # back where it was: no trait changes, and the page still waits
            self.send({"trouble": ""})
        self.trace = answer

    def __repr__(self) -> str:
        marked = len(self.run.wrong)
        lines = [f"Stepper: {self.trace['summary']}; {len(self.run.steps)} steps, {marked} marked as wrong"]
        return "\n".join([*lines, *("  " + line for line in self.wrong), *self.run.notes])

    def page(self) -> str:
        """A page that holds everything it needs: the stepper, and the picture where no script may run."""
        title = html.escape(f"Stepper: {self.trace['summary']}")
        return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
                f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
                f'</head>\n<body class="upstream-page">\n<main>\n<h1>{title}</h1>\n{self.fragment()}\n</main>\n'
                f"</body>\n</html>\n")

    def fragment(self) -> str:
        """The stepper for a page that others write: a picture in words and lines, which a script brings to life."""
        data = json.dumps({"trace": self.trace, "predict": self.predict, "at": 0, "answers": [], "live": False},
                          ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
        return (f'<div class="upstream-static">{static(self.run)}</div>\n<style>\n{css()}</style>\n'
                f'<script type="module">\n{module()}\nreplaceStatic(document, {data});\n</script>')

    def save(self, path: str | Path) -> Path:
        """Write a page that works offline (.html), or the picture at the end of the pass (.svg); returns the path."""
        path = Path(path)
        if path.suffix == ".svg":
            return _drawing(self.run).save(path)
        if path.suffix != ".html":
            raise ValueError(f"save() writes .html and .svg files, and was given {path.name!r}: "
                             f"try {path.stem + '.html'!r}")
        path.write_text(self.page(), encoding="utf-8", newline="\n")
        return path

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict] | dict:
        made = super()._repr_mimebundle_(**kwargs) if self.comm is not None else {}
        bundle, metadata = made if isinstance(made, tuple) else (made, {})
        shown = static(self.run) if os.environ.get(GRADING) else self.fragment()    # feedback pages run no script
        return {**bundle, "text/plain": repr(self), "text/html": shown}, metadata


def _drawing(run: Run) -> Drawing:
    return Drawing(run.after, locals=len(run.after.nodes) <= PILLS_UP_TO,
                   notes=(*(step.wrong for step in run.wrong[:3]), *run.notes))


def static(run: Run) -> str:
    """HTML without a script: the graph at the end of the pass, and every step in words."""
    items = [f"<li>{html.escape(step.text)}" + (f" <strong>Wrong: {html.escape(step.wrong)}</strong>" if step.wrong
                                                 else "") + "</li>" for step in run.steps[:LISTED]]
    if len(run.steps) > LISTED:
        items.append(f"<li>and {len(run.steps) - LISTED} more</li>")
    return (f"{_drawing(run)._repr_html_()}<details><summary>{len(run.steps)} steps in words</summary>"
            f"<ol>{''.join(items)}</ol></details>")


@lru_cache
def module() -> str:
    """The stepper's script as one ES module: its files in a row, without the lines that import from each other."""
    text = "\n".join((WEB / name).read_text(encoding="utf-8") for name in MODULES)
    return re.sub(r"^import .*\n|^export (?!default)(?=function|const|class)", "", text, flags=re.MULTILINE)


@lru_cache
def css() -> str:
    return (WEB / "stepper.css").read_text(encoding="utf-8")
