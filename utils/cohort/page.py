"""The report as one HTML page that opens without a network: what is in it; page.html.j2 says how it looks."""

from __future__ import annotations

import os
import re
import statistics
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from utils.cohort import charts
from utils.cohort.gather import Cohort, Learner
from utils.cohort.items import claims, items, named, stops_at
from utils.cohort.similar import clusters, likeness
from utils.curriculum import ROOT
from utils.judge.report import number

SLOWEST = 10
RESEMBLES = 0.8         # share of a module's runs that a published engine has too, from which on it is told


def page(cohort: Cohort, target: Path, when: str) -> str:
    """The page's HTML; links in it lead from `target`'s folder. `when` is told as the time it was made."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(number=number, marked=_marked, link=lambda path: _link(path, target))
    rows, graded = items(cohort), cohort.graded
    totals = [learner.total for learner in graded]
    pictures = {"totals": charts.totals(cohort), "outcomes": charts.outcomes(rows)} if graded else {}
    return environment.get_template("page.html.j2").render(
        cohort=cohort, topic=cohort.topic, when=when, items=rows, claims=claims(cohort), named=named(cohort),
        median=statistics.median(totals) if totals else None, mean=statistics.fmean(totals) if totals else None,
        pictures=pictures, stops=lambda learner: stops_at(cohort, learner), clusters=_clusters(cohort),
        published=_published(cohort), failed=[one for one in cohort.learners if one.problem],
        remarked=[one for one in cohort.learners if one.record and one.record.notes],
        slowest=_slowest(cohort), waiting=[one for one in graded if one.waiting],
        borrowed=[one for one in cohort.learners if one.borrowed], by_id={one.id: one for one in cohort.learners})


def _marked(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _link(path: Path, target: Path) -> str:
    """`path` as the page's links name it: relative, so that the course can be moved."""
    return quote(Path(os.path.relpath(path, target.parent)).as_posix())


def _slowest(cohort: Cohort) -> list[Learner]:
    timed = [learner for learner in cohort.learners if learner.record]
    return sorted(timed, key=lambda learner: (-learner.record.seconds, learner.id))[:SLOWEST]


def _template(cohort: Cohort) -> str:
    return (cohort.topic.shipped / cohort.topic.module).read_text(encoding="utf-8")


def _own(cohort: Cohort) -> dict[str, str]:
    """Modules that are somebody's own work, as far as is known: not borrowed, and more than what was released."""
    template = _template(cohort)
    return {one.id: one.module for one in cohort.learners if one.module and one.module != template and not one.borrowed}


def _clusters(cohort: Cohort) -> list:
    return clusters(_own(cohort), _template(cohort))


def _published(cohort: Cohort) -> list[tuple[Learner, str, float]]:
    """(learner, file, share) for every module that resembles an engine that anyone can read in this repository."""
    files = [*sorted(cohort.topic.solutions.glob("level0*.py")), ROOT / "utils" / "autograd_stub.py"]
    template, known = _template(cohort), {file.name: file.read_text(encoding="utf-8") for file in files}
    by_id = {one.id: one for one in cohort.learners}
    found = []
    for who, text in _own(cohort).items():
        share, name = max((likeness(text, other, template), name) for name, other in known.items())
        if share >= RESEMBLES:
            found.append((by_id[who], name, share))
    return sorted(found, key=lambda row: (-row[2], row[0].id))
