"""nbgrader's metadata for each kind of cell, and the grade ids that tie a cell to an exercise of the manifest."""

from __future__ import annotations

from utils.curriculum import Topic

SCHEMA_VERSION = 3  # of nbgrader's cell metadata; a test compares it with the nbgrader in use

# What stands in a released cell in place of an answer: nothing after the learner's starting line; a line of prose.
CODE_STUB = ""
TEXT_STUB = "Write your answer here."

#                 cell type   grade  solution locked
_TABLE = {
    "answer":       ("code",     False, True,  False),
    "check":        ("code",     True,  False, True),
    "essay":        ("markdown", False, False, True),
    "essay-answer": ("markdown", True,  True,  False),
}
KINDS = {kind: dict(zip(("cell_type", "grade", "solution", "locked"), row, strict=True))
         for kind, row in _TABLE.items()}


def grade_id(kind: str, exercise: str) -> str:
    """The id of a cell: `grade_id("check", "1.3")` is "check-1-3" (nbgrader takes letters, digits, `_` and `-`)."""
    return f"{kind}-{exercise.replace('.', '-')}"


def graded_cells(topic: Topic) -> dict[str, str]:
    """Grade id of every auto-graded cell of the topic, with the id of the exercise whose points it carries."""
    return {grade_id("check", e.id): e.id for e in topic.exercises if e.kind != "essay"}


def metadata(kind: str, exercise: str, points: int) -> dict:
    """nbgrader's metadata of one cell, complete; `points` counts only where the kind is graded."""
    flags = {key: value for key, value in KINDS[kind].items() if key != "cell_type"}
    worth = {"points": points} if flags["grade"] else {}
    return {"schema_version": SCHEMA_VERSION, "grade_id": grade_id(kind, exercise), "task": False, **flags, **worth}
