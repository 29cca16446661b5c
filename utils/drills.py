"""Drills: every box judged on its own, in a form, in an answer cell and at grading.

`problem("R2")` is the drill that counts, any other seed is for practice (utils/drill_bank/). `judge_box` compares a
number with the right one, with what follows from the learner's own earlier boxes, and with what each usual slip gives.
"""

from __future__ import annotations

import html
import math
from itertools import count
from numbers import Real

from utils.attended import attended
from utils.drill_bank import GRADED_SEED, Box, Problem, problem
from utils.drill_bank.topic_02 import planted_bug
from utils.planted_bug import BuggyValue

__all__ = ["GRADED_SEED", "Box", "BuggyValue", "Problem", "drill_form", "judge_box", "planted_bug", "problem"]

RIGHT = "Right."
NO_FORM = "The form needs a notebook that shows widgets. Without it, use the answer cell: its check says the same."


def judge_box(problem: Problem, answers: object, name: str,
              reveal: bool | None = None) -> tuple[str, str | None, str | None, str]:
    """Judge one box of the learner's `answers`: (status, expected, yours, sentence); pure, and raises on nothing given.

    status: "passed", "failed" or "not-written". expected: None unless `reveal`, by default for practice seeds only.
    """
    box = problem.boxes[name]
    if answers is None:
        return "not-written", None, None, f"Nothing filled in yet for {box.label}."
    if not isinstance(answers, dict):
        return "failed", None, _show(answers), f"Expected a dict, one entry a box: {problem.line()}"
    if name not in answers:
        have = ", ".join(_show(key) for key in list(answers)[:5]) or "none"
        return "failed", None, None, f'There is no box "{name}" in your answer. Its boxes: {have}.'
    mine = answers[name]
    if mine is None:
        return "not-written", None, None, f"Nothing filled in yet for {box.label}."
    expected = _show(box.expected) if (not problem.graded if reveal is None else reveal) else None
    status, sentence = (_judge_name if isinstance(box.expected, str) else _judge_number)(box, answers, mine)
    return status, expected, _show(mine), sentence


def _judge_name(box: Box, answers: dict, mine: object) -> tuple[str, str]:
    if not isinstance(mine, str):
        return "failed", f'Expected the name of a method as text, such as "mul"; given {_show(mine)}.'
    method = mine[:80].lower().replace(" ", "").strip("`'\"").removesuffix("()").rpartition(".")[2].strip("_")
    if method == box.expected:
        return "passed", RIGHT
    for slip, sentence in box.slips:
        if method == slip:
            return "failed", sentence
    return "failed", (f"{_show(mine)} is not the one. Check one operation f at a time with the input used again: "
                      "f(a) * a + f(a), against a finite difference.")


def _judge_number(box: Box, answers: dict, mine: object) -> tuple[str, str]:
    value = _number(mine)
    if value is None:
        return "failed", f"Expected one plain number for {box.label}, such as 0.3; given {_show(mine)}."
    near = {"rel_tol": box.tolerance, "abs_tol": 1e-12}
    if math.isclose(value, box.expected, **near):
        return "passed", RIGHT
    carried = box.given and box.given({key: _number(other) for key, other in answers.items()})
    if carried is not None and math.isclose(value, carried, **near):
        return "passed", "Follows from your earlier numbers: this step is right."
    for slip, sentence in box.slips:
        if math.isclose(value, slip, **near):
            return "failed", sentence
    return "failed", (f"{_show(mine)} is not it, and none of the usual slips either. Write the rule down, put in the "
                      "numbers, then measure: (f(x + h) - f(x - h)) / (2 * h) with h = 1e-5.")


def _number(value: object) -> float | None:
    """`value` as a finite float, None if it is no such thing. bool is no number here: True is not an answer of 1."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _show(value: object) -> str:
    """`value` for a message: short, and safe for whatever a learner may have written."""
    if isinstance(value, str):
        return repr(value[:40])
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, Real):
        try:
            return f"{float(value):.6g}"
        except (OverflowError, ValueError):
            return "a number too large for a float"
    return f"a value of type {type(value).__name__}"


def drill_form(id: str, seed: int | None = None, topic: str | None = None) -> DrillForm:
    """A form for the drill `id`: a field a box with instant feedback, practice problems, a line for the answer cell."""
    return DrillForm(problem(id, GRADED_SEED if seed is None else seed, topic))


class DrillForm:
    """The form as widgets: `fields` and `notes` by box name. Where no widgets can be shown it shows as a sentence."""

    def __init__(self, first: Problem):
        self.problem = self.first = first
        self.seeds = count(first.seed + 1)
        self.typed: dict[int, dict[str, str]] = {}  # what was typed, by seed, so that going back loses nothing
        self.widget = None
        try:
            import ipywidgets
        except ImportError:
            return
        if not attended():
            return
        wide = ipywidgets.Layout(width="22em")
        self.text = ipywidgets.Output()
        self.fields = {name: ipywidgets.Text(continuous_update=False, layout=wide, placeholder="a number",
                                             style={"description_width": "13em"}) for name in first.boxes}
        self.notes = {name: ipywidgets.HTML() for name in first.boxes}
        self.line = ipywidgets.HTML()
        self.another = ipywidgets.Button(description="another problem", tooltip="a new one, for practice")
        self.back = ipywidgets.Button(description="back to the first")
        for field in self.fields.values():
            field.observe(self._judge, "value")
        self.another.on_click(lambda _: self._go_to(problem(first.id, next(self.seeds), first.topic)))
        self.back.on_click(lambda _: self._go_to(first))
        rows = [ipywidgets.HBox([self.fields[name], self.notes[name]]) for name in first.boxes]
        self.widget = ipywidgets.VBox([self.text, *rows, self.line, ipywidgets.HBox([self.another, self.back])])
        self._show_problem(first)

    def _go_to(self, drill: Problem) -> None:
        self._show_problem(drill)
        next(iter(self.fields.values())).focus()  # on a button, JupyterLab takes the next key for a shortcut of its own

    def _show_problem(self, drill: Problem) -> None:
        self.typed[self.problem.seed] = {name: field.value for name, field in self.fields.items()}
        self.problem = drill
        text = "" if drill.graded else f"{drill.text}\n\nFor practice (seed {drill.seed}): nothing here counts."
        bundle = {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": text, "text/plain": text}}
        self.text.outputs = (bundle,) if text else ()
        self.back.disabled = drill is self.first
        for name, field in self.fields.items():
            field.description = drill.boxes[name].label
            field.value = self.typed.get(drill.seed, {}).get(name, "")
        self._judge()

    def _judge(self, _change: object = None) -> None:
        answers = {name: _typed(field.value) for name, field in self.fields.items()}
        for name, note in self.notes.items():
            status, expected, _, sentence = judge_box(self.problem, answers, name)
            colour, word = {"passed": ("#0072B2", ""), "failed": ("#D55E00", "Not yet. ")}.get(status, ("#0000", ""))
            if status == "not-written":
                sentence = ""
            elif status == "failed" and expected is not None:
                sentence += f" Expected: {expected}."
            style = (f"border-left: 4px solid {colour}; padding-left: 8px; line-height: 1.4; "
                     "color: var(--jp-content-font-color1, inherit)")    # the theme's own, light or dark
            note.value = f'<div role="status" style="{style}">{word}{html.escape(sentence)}</div>'
        numbers = {name: _number(value) for name, value in answers.items()}
        line = self.problem.line(numbers) if self.problem.graded else ""
        self.line.value = f"For the answer cell: <code>{html.escape(line)}</code>" if line else ""

    def _repr_mimebundle_(self, **kwargs) -> dict:
        shown = self.widget._repr_mimebundle_(**kwargs) if self.widget is not None else None
        return {**(shown or {}), "text/plain": NO_FORM}


def _typed(text: str) -> float | str | None:
    """What a learner typed in a field: a number where it reads as one, None where it is empty."""
    try:
        return float(text.strip().replace("\u2212", "-")) if text.strip() else None
    except ValueError:
        return text
