"""Pieces of the command line on their own: ports, what pip says, programs that tests need."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing, suppress

import pytest

from utils.cli import lab, main
from utils.setup_state import Problem, explain_pip
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
