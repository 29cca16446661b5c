"""Grading on the workers of a Dask scheduler: the same results, also when a worker is lost in mid-batch."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.grading_helpers import (  # noqa: F401  fixtures
    a_graded_course,
    a_pattern,
    assert_same,
    copy_of,
    grade,
    start,
    without_sandbox,
)
from tests.nbgrader_helpers import SLUG
from utils.cli.tools import need_module
from utils.curriculum import ROOT
from utils.grading import records
from utils.grading.pools import DaskPool
from utils.setup_state import Problem

WORKERS = 3
PATIENCE = 60  # seconds for a server to answer


def _dask(what: str, folder: Path, *arguments: str, **environment) -> subprocess.Popen:
    command = [sys.executable, "-m", "dask", what, *arguments]
    log = open(folder / f"{what}-{time.monotonic_ns()}.log", "w")  # noqa: SIM115  the process writes it
    return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=os.environ | environment)


def _worker(address: str, folder: Path, **environment) -> subprocess.Popen:
    return _dask("worker", folder, address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory",
                 str(folder), **environment)


def _stop(*processes: subprocess.Popen) -> None:
    for process in processes:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        process.wait()


def _wait_for(condition) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "a server did not answer"
        time.sleep(0.05)


@pytest.fixture
def scheduler(tmp_path):
    """The address of a scheduler without workers."""
    need_module("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = _dask("scheduler", tmp_path, "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    _wait_for(lambda: _answers(port) or process.poll() is not None)
    yield f"tcp://127.0.0.1:{port}"
    _stop(process)


def _answers(port: int) -> bool:
    with socket.socket() as door:
        return door.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def workers(scheduler, tmp_path):
    """Three workers of it, each a process."""
    processes = [_worker(scheduler, tmp_path) for _ in range(WORKERS)]

    def all_there():
        try:
            pool = DaskPool(scheduler)
        except Problem:
            return False
        try:
            return pool.width == WORKERS
        finally:
            pool.close()

    _wait_for(all_there)
    yield processes
    _stop(*processes)


def test_a_lost_worker_costs_nothing(pattern, graded, tmp_path, scheduler, workers):
    root = copy_of(pattern, tmp_path / "course")
    process = start(root, "--scheduler", scheduler)
    written = root / records.FOLDER / SLUG
    _wait_for(lambda: process.poll() is not None or (written.is_dir() and any(written.glob("*.json"))))
    assert process.poll() is None, process.communicate()[0]
    workers[0].kill()
    told = process.communicate(timeout=300)[0]
    assert process.returncode == 0, told
    assert "Graded 6 submissions" in told
    assert workers[0].wait() < 0
    assert_same(root, graded)


def test_without_workers_it_says_so(graded, tmp_path, scheduler, capsys):
    root = copy_of(graded, tmp_path / "course")
    assert grade(root, "--force", "--scheduler", scheduler) == 1
    told = capsys.readouterr().err
    sentence = told.splitlines()[-1]       # before it stands what weak isolation, in which these tests run, is told
    assert "has no workers" in sentence and "dask worker tcp://127.0.0.1" in sentence and "Traceback" not in told


def test_without_a_scheduler_it_says_so(graded, tmp_path, capsys, monkeypatch):
    need_module("distributed")
    monkeypatch.setattr("utils.grading.pools.ANSWER", 1)
    root = copy_of(graded, tmp_path / "course")
    for address in ("tcp://127.0.0.1:1", "tcp://no.such.host.invalid:8786"):
        assert grade(root, "--force", "--scheduler", address) == 1
        told = capsys.readouterr().err
        assert f"no Dask scheduler answers at {address}" in told and "Traceback" not in told
    assert_same(root, graded)


def test_a_worker_with_another_version_of_this_repository_grades_nothing(graded, tmp_path, scheduler, capsys):
    other = tmp_path / "other"
    for name in ("utils", "topics", "tests"):
        shutil.copytree(ROOT / name, other / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.lock", other)
    (other / "utils" / "judge" / "kinder.py").write_text("points = 100\n")
    worker = _worker(scheduler, tmp_path, PYTHONPATH=str(other))
    root = copy_of(graded, tmp_path / "course")
    try:
        _wait_for(lambda: grade(root, "--force", "--scheduler", scheduler) == 1
                  and "has no workers" not in (told := capsys.readouterr().err) and _is_other_version(told))
    finally:
        _stop(worker)
    assert_same(root, graded)


def _is_other_version(told: str) -> bool:
    assert "another version of this repository" in told and "give every machine this commit" in told
    assert "Traceback" not in told
    return True
