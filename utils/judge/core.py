"""The judge itself: run every promise that was asked for on one folder of learner work, and report."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from utils.curriculum import Exercise, Topic
from utils.judge import lint
from utils.judge.again import changed, otherwise, unsteady
from utils.judge.answers import Answers
from utils.judge.catalogues import CASES
from utils.judge.diagnosis import Diagnosis, diagnose
from utils.judge.engine import Engine, Runner, broken
from utils.judge.module import Module
from utils.judge.promises import Broken, Promise, collect
from utils.judge.report import Group, Report, Verdict
from utils.judge.session import Outcome, Session
from utils.judge.source import borrowed, digest, likeness, readable
from utils.judge.variation import DEFAULT_SEED
from utils.sandbox.isolation import LOCAL

MANY_TIMEOUTS = 8
LARGE = 1000            # steps of a script, from which on a slow search can be what took too long
HANDLES: dict[str, type[Runner]] = {"engine": Engine, "module": Module}     # what promises about the module may ask for
UNWRITTEN = re.compile(r"Not written yet: exercise (\S+):")


def judge(topic: Topic, folder: Path, *, file: Path | None = None, only: Collection[str] | None = None,
          seed: int = DEFAULT_SEED, answers: dict | None = None, isolation: str = LOCAL) -> Report:
    """Judge the learner's work in `folder`: its module (or `file` instead) and its notebooks' answer cells.

    `only` names the exercises to judge; `answers` are given live, by exercise; `isolation` is one of
    utils/sandbox/isolation.py: all but a local check hide this repository, so that the stub cannot be borrowed unseen,
    and take links for missing files. Raises nothing that learner work can cause; SandboxError if a sandbox fails.
    """
    file = file or folder / topic.module
    found = file if file.is_file() and (isolation == LOCAL or not file.is_symlink()) else None
    wanted = [p for p in collect(topic) if only is None or p.exercise in only]
    with (Session(found, isolation, topic.uses) as session, Session(found, isolation, topic.uses) as fresh,
          Answers(topic, folder, answers, isolation) as given):
        runners = {name: HANDLES[name](session, seed).about(topic, folder) for name in map(_handle, wanted) if name}
        handles = {**runners, "answers": given}
        about_module = bool(runners)
        unloadable = _unloadable(topic, session) if about_module else None
        if "engine" in runners and not unloadable:
            fresh.begin()       # while the first works
        trials = [_try(p, handles, unloadable) for p in wanted]
        there = about_module and found is not None
        source = readable(file.read_text(encoding="utf-8", errors="replace")) if there else ""
        loan = borrowed(source) or ("it imports the stub" if session.stub_imported else None)
        loan = loan if "engine" in runners else None    # the stub is for topic 02's engine
        odd = _odd(trials, fresh) if "engine" in runners and not unloadable else None
        named = _diagnoses(source, trials, odd, next(iter(runners.values()))) if runners and not unloadable else {}
        if not unloadable and not named:        # what has a name may well differ from run to run: it comes first
            trials = _again(_told(trials, odd), fresh)
    groups = [_group(topic, level.number, level.title, level.exercises, trials, named, loan) for level in topic.levels]
    groups.append(_group(topic, None, "Drills", topic.drills, trials, {}, None))
    notes = _notes(topic, unloadable, loan, source, trials)
    if isolation != LOCAL and not loan and (like := likeness(source, topic)):
        notes = (*notes, like)
    return Report(topic.slug, file.name if about_module else None, _saved(file) if there else None,
                  digest(file) if there else None, seed, loan, isolation, tuple(g for g in groups if g.promises), notes,
                  given.tables)


@dataclass(frozen=True)
class Trial:
    """A promise: what broke it, or None, and the scripts that were run for it; whether it could be looked at at all."""

    promise: Promise
    problem: Broken | None
    scripts: list[tuple[list, Outcome]]
    looked_at: bool = True


def _unloadable(topic: Topic, session: Session) -> Broken | None:
    """Why no promise about the module can be looked at, or None."""
    if session.file is None:
        return Broken(f"There is no {topic.module} in this folder.", status="not-written")
    error = session.load_error()
    if error is None:
        return None
    problem = broken(Outcome([], error), None)
    first = "that line" if error["line"] else "that"
    problem.evidence["detail"] = (f"{session.file.name} cannot be loaded. {problem.evidence['detail']} Mend {first} "
                                  "first, then check again: nothing else can be looked at before.")
    return problem


def _try(promise: Promise, handles: dict, unloadable: Broken | None) -> Trial:
    name = _handle(promise)
    if unloadable and name:
        return Trial(promise, unloadable, [], looked_at=False)
    transcript = handles[name].transcript if name else []
    start = len(transcript)
    problem = None
    try:
        promise.keep(**handles)
    except Broken as broken_promise:
        problem = broken_promise
    except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError):
        # a reply of the right form whose contents no worker of ours sends: learner code wrote on the pipe
        problem = Broken("What came back from running this file cannot be read.", status="crash")
    return Trial(promise, problem, transcript[start:])


def _handle(promise: Promise) -> str | None:
    """The handle by which a promise asks for the learner's module, or None where it is about answers."""
    return next((name for name in promise.asks_for if name in HANDLES), None)


@dataclass(frozen=True)
class Odd:
    """The first trial that is wrong, and what its last script gave in a fresh worker: something else."""

    trial: Trial
    there: Outcome


def _odd(trials: list[Trial], fresh: Session) -> Odd | None:
    first = next((t for t in trials if t.problem and t.scripts and _handle(t.promise) == "engine"
                  and t.problem.evidence["status"] == "failed"), None)
    there = otherwise(*first.scripts[-1], fresh) if first else None
    return Odd(first, there) if there else None


def _told(trials: list[Trial], odd: Odd | None) -> list[Trial]:
    """The trials, where the odd one says that it is."""
    return [replace(t, problem=unsteady(t.problem, t.scripts[-1][1], odd.there)) if odd and t is odd.trial else t
            for t in trials]


def _again(trials: list[Trial], fresh: Session) -> list[Trial]:
    """The trials, where what was kept is broken if its scripts give something else in a fresh worker."""
    kept = [(t.promise, t.scripts) for t in trials if t.scripts and not t.problem and _handle(t.promise) == "engine"]
    if not kept:
        return trials
    found = changed(kept, fresh)
    return [replace(t, problem=t.problem or found.get(t.promise)) for t in trials]


def _diagnoses(source: str, trials: list[Trial], odd: Odd | None, runner: Runner) -> dict[str, Diagnosis]:
    """For each broken promise of an exercise that is written: the misconception that explains it, where one does.

    It explains what the odd script gave in a fresh worker as well.
    """
    broken_ones: dict[str, list[str]] = {}
    unwritten = set()
    for promise, problem in ((t.promise, t.problem) for t in trials if t.problem and _handle(t.promise)):
        if problem.evidence["status"] == "not-written":
            unwritten.add(promise.exercise)
        elif problem.evidence["status"] in ("failed", "timeout"):
            broken_ones.setdefault(promise.exercise, []).append(promise.name)
    limits_hit = sum(bool(t.problem) and t.problem.evidence["status"] == "timeout" for t in trials)
    if limits_hit > MANY_TIMEOUTS:      # everything hangs: that says nothing about which rule is wrong
        return {}
    failing = {exercise: names for exercise, names in broken_ones.items() if exercise not in unwritten}
    if not failing:
        return {}
    runs = [(t.promise.exercise, t.promise.name, *script) for t in trials for script in t.scripts]
    if odd:
        runs.append((odd.trial.promise.exercise, odd.trial.promise.name, odd.trial.scripts[-1][0], odd.there))
    case = next(CASES[name] for t in trials if (name := _handle(t.promise)))
    try:
        return diagnose(case(source, runs, runner.ask), failing)
    except Broken:                      # too many limits reached: no evidence is no name
        return {}


def _group(topic: Topic, level: int | None, title: str, exercises: tuple[Exercise, ...], trials: list[Trial],
           named: dict[str, Diagnosis], loan: str | None) -> Group:
    verdicts = []
    for exercise in exercises:
        shares = sum(p.weight for p in collect(topic) if p.exercise == exercise.id)
        for trial in (t for t in trials if t.promise.exercise == exercise.id):
            p, problem = trial.promise, trial.problem
            most = round(exercise.points * p.weight / shares, 9)      # so that the parts add up to whole points
            earned = most if problem is None and not (loan and exercise.kind == "module") else 0.0
            evidence = dict(problem.evidence) if problem else {"status": "passed"}
            if problem and p.name in named:
                evidence["misconception"] = named[p.name].id
            hint = _hint(topic, exercise, evidence) if problem and trial.looked_at else None
            verdicts.append(Verdict(p.name, p.says, exercise.id, points=earned, max=most, hint=hint, **evidence))
    return Group(level, title, tuple(verdicts))


def _hint(topic: Topic, exercise: Exercise, evidence: dict) -> str | None:
    """The call that shows a hint: of the exercise that is not written, where another one waits for it."""
    named = UNWRITTEN.search(evidence.get("detail") or "") if evidence["status"] == "not-written" else None
    chosen = next((e for e in topic.exercises if named and e.id == named[1]), exercise)
    return f'hint("{chosen.id}")' if chosen.hint else None


def _saved(file: Path) -> str:
    return datetime.fromtimestamp(file.stat().st_mtime).isoformat(timespec="seconds")


def _notes(topic: Topic, unloadable: Broken | None, loan: str | None, source: str,
           trials: list[Trial]) -> tuple[str, ...]:
    notes = [unloadable.evidence["detail"]] if unloadable and not loan else []
    if loan:
        notes.append(f"Borrowed: {loan}. Borrowed work earns no points here; "
                     f"they are yours once the promises hold for a {topic.module} of your own.")
    problems = [t.problem for t in trials if t.problem and _handle(t.promise) == "engine"]      # lint knows engines
    if problems and not loan:
        details = [p.evidence["detail"] or "" for p in problems]
        notes += lint.told(lint.notes(source, details, stopped=_only_large_stopped(trials)))
    return tuple(notes)


def _only_large_stopped(trials: list[Trial]) -> bool:
    """Whether scripts took too long, and none of them was a small one."""
    sizes = [_size(steps) for t in trials for steps, outcome in t.scripts
             if outcome.error and outcome.error["kind"] == "timeout"]
    return bool(sizes) and min(sizes) >= LARGE


def _size(steps: list) -> int:
    """How many steps a script runs."""
    return sum(step[1] * _size(step[2]) if step[0] == "repeat" else 1 for step in steps)
