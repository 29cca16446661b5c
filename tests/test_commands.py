"""Pieces of the command line on their own: ports, what pip says, programs that tests need."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing, suppress

import pytest

from utils.cli import lab, main, run_tests
from utils.setup_state import ROOT, Problem, explain_pip
from utils.workspace import Workspace


def test_a_port_that_is_taken_is_one_sentence_and_the_default_is_a_free_one():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken, pytest.raises(Problem, match="is taken -> do: "):
        lab.choose_port(taken.getsockname()[1])
    with suppress(OSError), closing(socket.create_server(("127.0.0.1", lab.FIRST_PORT))):
        assert lab.choose_port(None) > lab.FIRST_PORT
    with pytest.raises(Problem, match="no port"):
        lab.choose_port(70_000)


@pytest.mark.parametrize(("error", "part"), [
    (PermissionError(13, "Permission denied"), "cannot be written to -> do: copy"),
    (OSError(28, "No space left on device"), "MB are free -> do: free"),
])
def test_a_work_folder_that_cannot_be_written_is_one_sentence(monkeypatch, capsys, error, part):
    def refuse(*_):
        raise error

    monkeypatch.setattr(Workspace, "fill", refuse)
    assert main.main(["lab", "--no-browser"]) == 1
    assert part in capsys.readouterr().err


@pytest.mark.parametrize(("words", "part"), [
    ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "MB are free"),
    ("ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'", "cannot be written to"),
    ("WARNING: Retrying: broken by 'NewConnectionError(...)'\nERROR: No matching distribution", "network"),
    ("socket.gaierror: [Errno 11001] getaddrinfo failed", "network"),
    ("ERROR: No matching distribution found for demo==3.0", "No matching distribution found for demo==3.0"),
    ("", "no reason"),
])
def test_what_pip_says_becomes_a_sentence(words, part):
    assert part in str(explain_pip(words)).split(" -> do: ")[0]


NEEDS = """
from utils.cli.tools import need
def test_a_tool():
    need("no-such-tool")
def test_nothing():
    pass
"""


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("1", 1)])
def test_a_missing_tool_is_listed_as_not_run_and_fails_in_ci(tmp_path, ci, status):
    (tmp_path / "test_needs.py").write_text(NEEDS)
    command = [sys.executable, "-P", "-m", "utils", "test", str(tmp_path), "-n0", "-p", "no:cacheprovider"]
    said = subprocess.run(command, env={**os.environ, "UPSTREAM_CI": ci}, capture_output=True, text=True, check=False)
    assert said.returncode == status, said.stdout
    assert "no-such-tool not found" in said.stdout
    assert ("= not run =" in said.stdout) == (status == 0)


def test_tests_are_repeated_in_processes_of_their_own(tmp_path):
    counts = """
from pathlib import Path
def test_run():
    runs = Path(__file__).with_name("runs")
    runs.write_text(runs.read_text() + "." if runs.exists() else ".")
"""
    (tmp_path / "test_counts.py").write_text(counts)
    command = [sys.executable, "-P", "-m", "utils", "test", "--repeat", "2", str(tmp_path / "test_counts.py"), "-n0",
               "-p", "no:cacheprovider"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "2 runs in a row passed" in done.stdout, done.stdout
    assert (tmp_path / "runs").read_text() == ".."


def test_repeating_stops_at_the_first_failure(monkeypatch, capsys):
    statuses = iter([0, 0, 3, 0])
    monkeypatch.setattr(run_tests.subprocess, "run",
                        lambda command, check: subprocess.CompletedProcess(command, next(statuses)))
    assert main.main(["test", "--repeat", "9", "tests/test_judge_worker.py"]) == 3
    assert "run 3 of 9 failed" in capsys.readouterr().out and next(statuses) == 0
    assert main.main(["test", "--repeat", "0"]) == 1 and "from 1 on" in capsys.readouterr().err


def test_without_files_the_judge_s_own_tests_are_repeated(monkeypatch):
    asked, done = [], subprocess.CompletedProcess([], 0)
    monkeypatch.setattr(run_tests.subprocess, "run", lambda command, check: asked.append(command) or done)
    assert run_tests.repeat(2, ["-x"]) == 0
    files = [word for word in asked[0] if word.endswith(".py")]
    assert len(asked) == 2 and asked[0] == asked[1] and asked[0][-1] == "-x"
    assert {"tests/test_misconceptions.py", "tests/test_mutation_gate.py", "tests/test_judge_verdicts.py"} <= set(files)
    assert all((ROOT / file).is_file() for file in files) and len(files) == len(set(files))
    for name in run_tests.JUDGE:
        assert list((ROOT / "tests").glob(f"test_{name}.py")), name
