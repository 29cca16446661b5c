"""A report for people: text for consoles and feedback, HTML for notebooks. The first failure in full."""

from __future__ import annotations

import re
import textwrap
from html import escape

from utils.judge.expression import program_of
from utils.judge.picture import picture
from utils.judge.report import Report, Verdict, number

WORDS = {"passed": "kept", "failed": "not kept", "not-written": "not yet written", "timeout": "stopped: too long",
         "memory": "stopped: memory", "crash": "Python ended", "output": "stopped: output",
         "processes": "stopped: processes", "files": "stopped: files"}
LONGEST_LIST = 12
LONGEST_REASON = 120        # characters in that list


def _chosen(report: Report, exercise: str | None) -> tuple[Verdict, ...]:
    return report.verdicts if exercise is None else report.of(exercise)


def _headline(report: Report, exercise: str | None) -> str:
    earned, possible = report.points(exercise)
    verdicts = _chosen(report, exercise)
    kept = sum(v.status == "passed" for v in verdicts)
    line = f"{kept} of {len(verdicts)} promises kept, {number(earned)} of {number(possible)} points"
    return f"Exercise {exercise}: {line}" if exercise else line


def _origin(report: Report) -> str:
    if report.file is None:
        return report.topic
    saved = f"saved {report.saved.replace('T', ' ')}" if report.saved else "not found"
    return f"{report.topic}, {report.file}, {saved}"


def _tables(report: Report, exercise: str | None) -> list[str]:
    return [table for id, table in report.tables.items() if exercise in (None, id)]


def _first(report: Report, verdicts: tuple[Verdict, ...]) -> Verdict | None:
    """The one to look at first: the first that is wrong, else the first that is not written.

    All rests on level 1: of what is wrong above it nothing comes before an exercise of it that is not begun.
    """
    base = [v for group in report.groups if group.level == 1 for v in group.promises if v in verdicts]
    begun = {v.exercise for v in base if v.status != "not-written"}
    unwritten = [v for v in verdicts if v.status == "not-written"]
    wrong = [v for v in verdicts if v.status not in ("passed", "not-written")]
    bare = [v for v in base if v.exercise not in begun]
    return next(iter([*(v for v in wrong if v in base), *bare, *wrong, *unwritten]), None)


def _open(report: Report, verdicts: tuple[Verdict, ...]) -> list[Verdict]:
    """What is not kept, the first one first, but for that whose reason stands among the notes."""
    first = _first(report, verdicts)
    rest = [v for v in verdicts if v.status != "passed" and v is not first]
    return [v for v in ([first] if first else []) + rest if not v.detail or v.detail not in report.learners_notes]


def _numbers(verdict: Verdict) -> list[tuple[str, str]]:
    """What was looked at, yours and expected, as far as there are any."""
    pairs = (("looked at", verdict.quantity), ("yours", verdict.yours), ("expected", verdict.expected))
    return [(name, value) for name, value in pairs if value is not None]


def text(report: Report, exercise: str | None = None) -> str:
    verdicts = _chosen(report, exercise)
    lines = [_headline(report, exercise), _origin(report), *report.learners_notes]
    lines += ["\n" + textwrap.indent(table, "  ") for table in _tables(report, exercise)]
    found = _open(report, verdicts)
    if not found:
        return "\n".join(lines)
    first, *rest = found
    lines += ["", f"{WORDS[first.status]}: {first.exercise} {first.says}", promise_text(first)]
    if rest:
        lines += ["", "Also open:", *(f"  {WORDS[v.status]:<17} {v.exercise:<4} {_briefly(v)}"
                                      for v in rest[:LONGEST_LIST])]
    if len(rest) > LONGEST_LIST:
        lines.append(f"  and {len(rest) - LONGEST_LIST} more")
    return "\n".join(lines)


def promise_text(verdict: Verdict) -> str:
    """The evidence of one promise that was not kept."""
    lines = []
    if verdict.program and verdict.status != "not-written":
        lines += ["", *("    " + line for line in verdict.program.split("\n")), ""]
        lines += [f"    {name:<10} {value}" for name, value in _numbers(verdict)]
    if verdict.detail:
        lines.append(f"  {verdict.detail}")
    if looks_like := _looks_like(verdict):
        lines += textwrap.wrap(f"  What this looks like: {looks_like}", 100, subsequent_indent="    ")
    if verdict.hint:
        lines.append(f"  Next: {verdict.hint} in the notebook.")
    if call := _stepper(verdict):
        lines.append(f"  See your own code do it: {call} in the notebook.")
    return "\n".join(lines)


def _briefly(verdict: Verdict) -> str:
    """What a promise says; where it was broken without a program, as a drill's box is, why as well."""
    if verdict.status != "failed" or verdict.program is not None or verdict.detail is None:
        return verdict.says
    why = verdict.detail if len(verdict.detail) <= LONGEST_REASON else re.split(r"(?<=[.?!]) ", verdict.detail)[0]
    return f"{verdict.says} {textwrap.shorten(why, LONGEST_REASON, placeholder=' ...')}"


def _stepper(verdict: Verdict) -> str | None:
    """The call that opens the failing program in the stepper, where it is one that can be stepped through."""
    stepped = verdict.status == "failed" and program_of(verdict.program)
    return f'step(check("{verdict.exercise}"))' if stepped else None


def _looks_like(verdict: Verdict) -> str | None:
    """The sentence of the misconception that the promise is named for, if it is."""
    if verdict.misconception is None:
        return None
    from utils.judge.catalogues import says  # here, since most reports need no catalogue
    return says(verdict.misconception)


STYLE = {
    "card": "border:1px solid var(--jp-border-color1,#bbb);border-left:6px solid {};padding:8px 12px;max-width:52em;"
            "line-height:1.45",
    "code": "background:var(--jp-cell-editor-background,#f5f5f5);color:inherit;padding:6px 10px;margin:6px 0;"
            "overflow-x:auto",
    "aligned": "white-space:pre;font-size:90%",
    "cell": "padding:1px 14px 1px 0;text-align:left;border:none",
    "named": "border-left:3px solid #0072B2;padding:2px 0 2px 10px;margin:6px 0",
    "small": "opacity:.8;font-size:90%",
}
EDGES = {"passed": "#009E73", "not-written": "#999999"}     # Okabe and Ito's palette; the words carry the meaning
WRONG = "#D55E00"


def html(report: Report, exercise: str | None = None) -> str:
    verdicts = _chosen(report, exercise)
    first = _first(report, verdicts)
    edge = EDGES.get(first.status if first else "passed", WRONG)
    parts = [f'<div style="{STYLE["card"].format(edge)}"><b>{_marked(_headline(report, exercise))}</b>',
             f'<div style="{STYLE["small"]}">{escape(_origin(report))}</div>']
    parts += [f"<div>{_marked(note)}</div>" for note in report.learners_notes]
    parts += [f'<pre style="{STYLE["code"]};{STYLE["aligned"]}">{escape(table)}</pre>'
              for table in _tables(report, exercise)]
    if found := _open(report, verdicts):
        parts.append(_first_html(found[0]))
        if found[1:]:
            parts.append(_list_html(found[1:]))
    return "\n".join([*parts, "</div>"])


def _first_html(verdict: Verdict) -> str:
    parts = [f'<div style="margin-top:8px"><b>{WORDS[verdict.status]}:</b> {escape(verdict.exercise)} '
             f"{_marked(verdict.says)}</div>"]
    if verdict.program and verdict.status != "not-written":
        parts.append(f'<pre style="{STYLE["code"]}">{escape(verdict.program)}</pre>')
        rows = "".join(_row(name, f"<code>{escape(value)}</code>") for name, value in _numbers(verdict))
        parts.append(f'<table style="margin:0">{rows}</table>' if rows else "")
        parts.append(picture(verdict))
    if verdict.detail:
        parts.append(f"<div>{_marked(verdict.detail)}</div>")
    if looks_like := _looks_like(verdict):
        parts.append(f'<div style="{STYLE["named"]}"><b>What this looks like:</b> {_marked(looks_like)}</div>')
    if verdict.hint:
        parts.append(f"<div>Next: <code>{escape(verdict.hint)}</code></div>")
    if call := _stepper(verdict):
        parts.append(f"<div>See your own code do it, step by step: <code>{escape(call)}</code></div>")
    return "\n".join(p for p in parts if p)


def _list_html(rest: list[Verdict]) -> str:
    rows = "".join(_row(WORDS[v.status], escape(v.exercise), _marked(_briefly(v))) for v in rest[:LONGEST_LIST])
    more = f"<div>and {len(rest) - LONGEST_LIST} more</div>" if len(rest) > LONGEST_LIST else ""
    return (f'<details style="margin-top:8px"><summary>Also open: {len(rest)}</summary><table>{rows}</table>{more}'
            "</details>")


def _row(*cells: str) -> str:
    inner = "".join(f'<td style="{STYLE["cell"]}">{cell}</td>' for cell in cells)
    return f'<tr style="background:none">{inner}</tr>'


def _marked(sentence: str) -> str:
    """A sentence as HTML, with what stands between backquotes as code."""
    parts = escape(sentence).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 and k < len(parts) - 1 else ("`" if k % 2 else "") + part
                   for k, part in enumerate(parts))
