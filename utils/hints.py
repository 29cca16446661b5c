"""The hint ladder: an exercise's sections in hint-1-..., hint-2-..., hint-3-..., in that order."""

from __future__ import annotations

import re

from utils.curriculum import Topic

SECTION = re.compile(r"^## (\S+)[^\n]*\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def sections(text: str) -> dict[str, str]:
    """Exercise id -> text of its section, for one hint file: a section starts at `## <id> ` and ends at the next."""
    return {id: body.strip() for id, body in SECTION.findall(text)}


def ladder(topic: Topic, exercise: str) -> list[str]:
    """The hints of one exercise, from a nudge to nearly code."""
    files = sorted(topic.hints.glob("hint-*.md"))
    return [found for file in files if (found := sections(file.read_text(encoding="utf-8")).get(exercise))]
