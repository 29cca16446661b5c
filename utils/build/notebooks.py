"""Notebooks from their text sources: the instructor's version, with answers, and the learner's, without.

Sources are MyST Markdown in topics/<slug>/ (prose, no answers) or py:percent in solutions/<slug>/ (graded notebooks).
The same sources give the same bytes: cell ids are grade ids or come from the content, metadata is pinned.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import re
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from utils.build.nbgrader_cells import CODE_STUB, KINDS, TEXT_STUB, grade_id, metadata
from utils.curriculum import ROOT, CurriculumError, Exercise, Topic
from utils.judge.answers import variable

FORMATS = {
    ".md": {"extension": ".md", "format_name": "myst"},
    ".py": {"extension": ".py", "format_name": "percent", "comment_magics": False},
}
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


class BuildError(Exception):
    """A source that cannot be built; the text begins with file and line."""


def source_of(topic: Topic, name: str) -> Path:
    """The one source of a notebook: topics/<slug>/<name>.md or solutions/<slug>/<name>.py."""
    choices = [topic.shipped / f"{name}.md", topic.solutions / f"{name}.py"]
    found = [path for path in choices if path.is_file()]
    if len(found) != 1:
        where = " and ".join(_shown(path) for path in choices)
        raise BuildError(f"{_shown(choices[1])}:1: notebook {name!r} needs exactly one source, {where}; "
                         f"found {len(found)}")
    return found[0]


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


class _Reader:
    """Reads one source, cell by cell, keeping what errors need: where each cell begins."""

    def __init__(self, topic: Topic, path: Path):
        self.topic, self.path = topic, path
        self.text = path.read_text(encoding="utf-8")
        self.answers: dict[str, NotebookNode] = {}
        self.essays: set[str] = set()
        self.seen: Counter[str] = Counter()

    def error(self, message: str, needle: str, nth: int = 1) -> BuildError:
        """An error at the `nth` line that holds `needle`."""
        lines = [n for n, line in enumerate(self.text.splitlines(), 1) if needle in line]
        return BuildError(f"{_shown(self.path)}:{lines[min(nth, len(lines)) - 1] if lines else 1}: {message}")

    def notebook(self) -> NotebookNode:
        raw = jupytext.reads(self.text, fmt=FORMATS[self.path.suffix])
        cells = [self.cell(cell) for cell in raw.cells]
        for exercise in self.answers.keys() - self.checked():
            raise self.error(f'answer cell {exercise} has no check cell after it: add `# %% check="{exercise}"`',
                             f'answer="{exercise}"')
        for exercise in self.essays - {e for kind, e in self.pairs() if kind == "essay-answer"}:
            raise self.error(f'question {exercise} has no cell to answer in: add '
                             f'`# %% [markdown] essay-answer="{exercise}"`', f'essay="{exercise}"')
        _give_ids(cells)
        return new_notebook(cells=cells, metadata=copy.deepcopy(METADATA))

    def pairs(self) -> set[tuple[str, str]]:
        return {tuple(key.split(" ", 1)) for key in self.seen}

    def checked(self) -> set[str]:
        return {exercise for kind, exercise in self.pairs() if kind == "check"}

    def cell(self, raw: NotebookNode) -> NotebookNode:
        make = {"code": new_code_cell, "markdown": new_markdown_cell}.get(raw.cell_type)
        first = raw.source.strip().partition("\n")[0]
        if make is None:
            raise self.error(f"a {raw.cell_type} cell; only code and markdown are used", first)
        options = {key: value for key, value in raw.metadata.items() if key != "lines_to_next_cell"}
        tags = options.pop("tags", [])
        cell = make(source=raw.source, metadata={"tags": list(tags)} if tags else {})
        if len(options) > 1:
            raise self.error(f"one option a cell, found {', '.join(options)}", first)
        for kind, exercise in options.items():
            self.mark(cell, kind, exercise)
        if BEGIN in cell.source and "answer" not in options:
            raise self.error("a solution outside an answer cell would be released to learners", BEGIN)
        return cell

    def mark(self, cell: NotebookNode, kind: str, exercise: str) -> None:
        """Give the cell its metadata, after looking whether it is what its option says."""
        option = f'{kind}="{exercise}"'
        if kind not in (*KINDS, "try"):
            raise self.error(f"unknown option {kind!r}; known are try, {', '.join(KINDS)}", f"{kind}=")
        try:
            entry = self.topic.exercise(exercise)
        except CurriculumError as error:
            raise self.error(str(error), option) from error
        if kind == "try":
            return
        if self.path.suffix == ".md":
            raise self.error("a Markdown source holds no graded cells; write the notebook in solutions/", exercise)
        self.seen[f"{kind} {exercise}"] += 1
        if (times := self.seen[f"{kind} {exercise}"]) > 1:
            raise self.error(f"second cell with {option}; each is used once", option, times)
        if cell.cell_type != KINDS[kind]["cell_type"]:
            raise self.error(f"{option} belongs on a {KINDS[kind]['cell_type']} cell", option)
        if kind.startswith("essay") != (entry.kind == "essay"):
            raise self.error(f"{exercise} is of kind {entry.kind!r} in the manifest; {kind!r} does not fit", option)
        if problem := getattr(self, f"problem_in_{kind.replace('-', '_')}")(cell, entry):
            raise self.error(problem, option)
        cell.metadata["nbgrader"] = metadata(kind, exercise, entry.points)

    def problem_in_answer(self, cell: NotebookNode, entry: Exercise) -> str | None:
        name = variable(entry.id)
        if entry.kind == "module":
            return f"{entry.id} is judged from {self.topic.module}; it takes no answer cell"
        if cell.source.count(BEGIN) != 1 or cell.source.count(END) != 1:
            return f"an answer cell holds one solution between `{BEGIN}` and `{END}`"
        start, _, rest = cell.source.partition(BEGIN)
        if not (_assigns(start, name) and _assigns(rest.partition(END)[0], name)):
            return f"both the learner's starting line and the solution assign {name}"
        self.answers[entry.id] = cell

    def problem_in_check(self, cell: NotebookNode, entry: Exercise) -> str | None:
        if entry.kind == "module":
            wanted = f'check("{entry.id}")'
        elif entry.id in self.answers:
            wanted = f'check("{entry.id}", {variable(entry.id)})'
        else:
            return f'a check of {entry.id} needs an answer cell before it: `# %% answer="{entry.id}"`'
        return None if cell.source == wanted else f"a check cell is one line, `{wanted}`"

    def problem_in_essay(self, cell: NotebookNode, entry: Exercise) -> None:
        self.essays.add(entry.id)

    def problem_in_essay_answer(self, cell: NotebookNode, entry: Exercise) -> str | None:
        return None if entry.id in self.essays else f'the question, `essay="{entry.id}"`, comes before its answer'


def _assigns(code: str, name: str) -> bool:
    """Whether the code has a top-level assignment to `name`. Code that does not parse assigns nothing."""
    try:
        body = ast.parse(code).body
    except SyntaxError:
        return False
    return any(isinstance(target, ast.Name) and target.id == name
               for statement in body if isinstance(statement, ast.Assign) for target in statement.targets)


def _give_ids(cells: list[NotebookNode]) -> None:
    """Ids that stay: the grade id where there is one, else from the content (nbformat 4.5: unique, at most 64)."""
    used: Counter[str] = Counter()
    for cell in cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        name = cell.metadata.get("nbgrader", {}).get("grade_id", f"cell-{digest}")
        used[name] += 1
        cell.id = name if used[name] == 1 else f"{name}-{used[name]}"


def instructor_notebook(topic: Topic, name: str) -> NotebookNode:
    """The notebook with answers, rubrics and nbgrader's markers."""
    return _Reader(topic, source_of(topic, name)).notebook()


def learner_notebook(topic: Topic, name: str) -> NotebookNode:
    """The notebook as nbgrader would release it, made by nbgrader's own steps."""
    from nbgrader.preprocessors import CheckCellMetadata, ClearOutput, ClearSolutions, ComputeChecksums, LockCells
    from traitlets.config import Config

    config = Config({"ClearSolutions": {"code_stub": {"python": CODE_STUB}, "text_stub": TEXT_STUB}})
    notebook, resources = instructor_notebook(topic, name), {}
    for step in (LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums):
        notebook, resources = step(config=config).preprocess(notebook, resources)
    text = as_text(notebook)
    if leaked := re.search("(BEGIN|END) SOLUTION", text):
        raise BuildError(f"{_shown(source_of(topic, name))}:1: {leaked[0]!r} is left in the learner's version")
    return notebook


def complete(topic: Topic, notebooks: list[NotebookNode]) -> None:
    """Every exercise of the manifest has its cell, once over all notebooks; else BuildError."""
    found = Counter(cell.metadata.nbgrader.grade_id for notebook in notebooks for cell in notebook.cells
                    if cell.metadata.get("nbgrader", {}).get("grade"))
    for exercise in topic.exercises:
        kind = "essay-answer" if exercise.kind == "essay" else "check"
        if (times := found[grade_id(kind, exercise.id)]) != 1:
            raise BuildError(f'topics/curriculum.toml:1: {topic.slug}, {exercise.id}: {times} cells with '
                             f'{kind}="{exercise.id}" in its notebooks ({", ".join(topic.notebooks)}); one is needed')


def as_text(notebook: NotebookNode) -> str:
    """The file's content: validated, keys sorted, one trailing newline."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
