"""What every test file shares: the learner's file as `engine`, `module` and `answers`, how a broken promise is told.

`pytest tests/<topic>/test_basic.py` judges work/<topic>/; `--file F` names another file. A topic's folder is collected
only when the command line names it: the whole suite judges the solutions instead (tests/test_solutions.py).
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from utils.curriculum import Topic, load
from utils.judge.answers import Answers
from utils.judge.core import DEFAULT_SEED
from utils.judge.engine import Engine
from utils.judge.module import Module
from utils.judge.promises import Broken
from utils.judge.report import Verdict
from utils.judge.session import Session
from utils.judge.show import promise_text

HERE = Path(__file__).parent
RECURSION_LIMIT = sys.getrecursionlimit()


def pytest_addoption(parser):
    parser.addoption("--file", help="the file that a topic's tests judge, instead of the one in work/")


def pytest_ignore_collect(collection_path: Path, config) -> bool | None:
    """Leave out a topic's tests, and those with servers, unless they are asked for."""
    left_out = {topic.slug for topic in load()} | {"services"}
    if collection_path.parent == HERE and collection_path.name in left_out:
        asked = [Path(arg.split("::")[0]).resolve() for arg in config.invocation_params.args if not arg.startswith("-")]
        return None if any(path == collection_path or collection_path in path.parents for path in asked) else True
    return None


@pytest.fixture(autouse=True)
def _usual_recursion_limit() -> None:
    """An engine of the zoo raises the limit when it is loaded; no other test is to see that."""
    sys.setrecursionlimit(RECURSION_LIMIT)


def pytest_generate_tests(metafunc) -> None:
    """A promise with several boxes is as many tests."""
    promises = getattr(metafunc.function, "promises", ())
    if promises and "box" in metafunc.fixturenames:
        metafunc.parametrize("box", [promise.box for promise in promises])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A broken promise is a failure with its evidence, and no traceback of ours."""
    try:
        return (yield)
    except Broken as problem:
        text = promise_text(Verdict("", "", "", points=0, max=0, **problem.evidence))
    pytest.fail(text, pytrace=False)


def _judged(request) -> tuple[Topic, Path]:
    topic = next(topic for topic in load() if topic.slug in request.path.parts)
    named = request.config.getoption("--file")
    return topic, Path(named).resolve() if named else topic.work / topic.module


@pytest.fixture(scope="module")
def session(request):
    """A worker with the learner's file, for a whole test file."""
    topic, file = _judged(request)
    if not file.is_file():
        pytest.fail(f"there is no {file.name} in {file.parent.name}/ to judge; `python3 course.py lab` makes one, "
                    "or name a file with --file", pytrace=False)
    with Session(file, uses=topic.uses) as session:
        yield session


@pytest.fixture(scope="module")
def engine(session):
    """The learner's `Value`."""
    return Engine(session, DEFAULT_SEED)


@pytest.fixture(scope="module")
def module(session, request):
    """The learner's functions and layers."""
    topic, file = _judged(request)
    return Module(session, DEFAULT_SEED).about(topic, file.parent)


@pytest.fixture(scope="module")
def answers(request):
    """The answers in the notebooks beside the learner's file."""
    topic, file = _judged(request)
    with Answers(topic, file.parent) as given:
        yield given
