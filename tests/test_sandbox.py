"""The sandbox holds, and the probe that says so notices each denial and each limit that is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.engines import TOPIC, changed, written
from utils.cli.tools import need
from utils.curriculum import ROOT
from utils.judge.client import JudgeError, JudgeProcess, judge_folder
from utils.judge.session import Limits, Session
from utils.sandbox import bwrap, probe
from utils.sandbox.isolation import LOCAL, SANDBOX, WEAK, chosen

need("bwrap")

# What is left out, and the attempts that then succeed. Some denials are there twice: both are left out.
CONTROLS = {
    ("network",): {"network", "abstract_sockets"},
    ("ipc",): {"shared_memory"},
    ("host name",): {"host_name"},
    ("environment",): {"environment"},
    ("as",): {"memory"},
    ("nproc",): {"tasks"},
    ("nofile",): {"open_files"},
    ("fsize",): {"file_size"},
    ("core",): {"core_dumps"},
    ("sizes",): {"writing", "memory_files"},
    ("calls",): {"system_calls"},
    ("calls", "user"): {"system_calls", "user_namespaces"},
}
AS_ROOT = {
    ("root",): {"root", "tasks"},
    ("root", "processes"): {"processes", "survival"},
    ("root", "survival"): {"survival"},
}
TIMES = '        out = Value(self.data * other.data, (self, other), "*")\n'


def test_the_sandbox_holds():
    probe.prove()


@pytest.mark.parametrize("without", CONTROLS, ids=" and ".join)
def test_the_probe_notices_what_is_missing(without):
    """The same probe, without one denial or limit, gets through."""
    assert CONTROLS[without] <= probe.escapes(without).keys()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to drop")
@pytest.mark.parametrize("without", AS_ROOT, ids=" and ".join)
def test_the_probe_notices_what_root_must_give_up(without, monkeypatch):
    monkeypatch.setattr(probe, "LINGER", 1.0)
    assert AS_ROOT[without] <= probe.escapes(without).keys()


def test_the_probe_notices_endless_computing():
    assert probe.computes_on(without=("cpu",))


def test_a_sandbox_that_does_not_hold_is_not_used(monkeypatch, tmp_path):
    probe.prove.cache_clear()
    monkeypatch.setattr(probe, "escapes", lambda: {"network": "127.0.0.1:80"})
    with pytest.raises(JudgeError, match=r"does not hold on this machine, so nothing is graded.*network: 127"):
        judge_folder(TOPIC, tmp_path, only=["1.2"], isolation=SANDBOX)


@pytest.mark.parametrize(("script", "says"), [
    (None, "bwrap is missing; install it"),
    ("echo 'bwrap: No permissions to create new namespace' >&2; exit 1", "No permissions .*sysctl"),
    ("exit 0", "its words: none"),
])
def test_without_bubblewrap_nothing_is_graded(script, says, monkeypatch, tmp_path):
    for cache in (probe.prove, bwrap.find_bwrap):
        cache.cache_clear()
    if script:
        (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bwrap, "_tool", lambda name: name)
    try:
        with pytest.raises(JudgeError, match=says):
            judge_folder(TOPIC, tmp_path, only=["1.2"], isolation=SANDBOX)
    finally:
        bwrap.find_bwrap.cache_clear()


def test_an_unprivileged_grader_has_the_same_sandbox():
    """The probe, run by a user without rights; as root, inside a view that such a user can read."""
    script = ("import os; from utils.sandbox.probe import prove; from utils.sandbox.bwrap import find_bwrap;"
              "assert os.geteuid() != 0; prove()")
    words = [sys.executable, "-c", script]
    if os.geteuid() == 0:
        words = [need("bwrap"), *bwrap._view(bwrap.Room(shown=(ROOT,))), "--perms", "1777", "--tmpfs", "/tmp",
                 "--dev-bind", "/dev", "/dev", "--dev-bind", "/proc", "/proc", "--dir", "/etc", "--dir", "/var", "--",
                 "setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", *words]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def in_product(statement: str) -> str:
    """The model answer, with `statement` run in every multiplication."""
    return changed((TIMES, TIMES + f"        {statement}\n"))


# Statement in a multiplication, status of the promise, a word of its sentence.
HITS = {
    "processes": ("import os, time; [os.fork() or time.sleep(60) for _ in range(99)]", "processes", "processes"),
    "threads": ("import threading, time; [threading.Thread(target=time.sleep, args=(60,), daemon=True).start() "
                "for _ in range(99)]", "processes", "threads"),
    "open files": ("Value.opened = [open('/dev/null') for _ in range(999)]", "files", "files"),
    "file size": ("open('large', 'wb').write(bytes(1 << 26))", "output", "wrote"),
    "disk": ("[open(f'/tmp/{k}', 'wb').write(bytes(1 << 22)) for k in range(99)]", "output", "wrote"),
    "memory": ("x = bytearray(1 << 31)", "memory", "memory"),
    "answer": ("out.data = 'x' * (1 << 26)", "output", "larger"),
    "segmentation fault": ("import ctypes; ctypes.string_at(0)", "crash", "signal 11"),
    "own end": ("import os; os._exit(3)", "crash", "exit status 3"),
    "signal": ("import os; os.kill(os.getpid(), 9)", "crash", "signal 9"),
}


@pytest.mark.parametrize("name", HITS)
def test_each_limit_has_its_own_status(name, tmp_path):
    statement, status, word = HITS[name]
    report = judge(tmp_path, in_product(statement))
    spoiled = [v for v in report.verdicts if v.status != "passed"]
    assert spoiled[0].status == status, report.text()
    assert word in spoiled[0].detail
    assert report.isolation == SANDBOX


def judge(tmp_path, source):
    from utils.judge.core import judge as judge_here

    return judge_here(TOPIC, tmp_path, file=written(tmp_path, source), only=["1.3"], isolation=SANDBOX)


def test_verdicts_are_those_of_a_local_check(tmp_path):
    """A right engine, with a helper and a file that it writes, is right in the sandbox too."""
    written(tmp_path, "ONE = 1.0\n", "helpers.py")
    source = changed(("import math\n", "import math\nfrom helpers import ONE\nopen('log.txt', 'w').write('x')\n"),
                     ("self.grad = 1.0", "self.grad = ONE"))
    file = written(tmp_path, source)
    with JudgeProcess(LOCAL) as local, JudgeProcess(SANDBOX) as sandbox:
        ours, theirs = (judge.judge(TOPIC, tmp_path, file=file, only=["1.2", "1.3", "2.3"])
                        for judge in (local, sandbox))
        assert theirs.kept
        assert ours.groups == theirs.groups
        assert sandbox.judge(TOPIC, tmp_path, file=file, only=["1.2"], seed=7).seed == 7    # one process, many requests


def test_learner_code_sees_nothing_of_this_repository(tmp_path):
    places = [str(ROOT / "utils"), str(ROOT / "solutions"), str(tmp_path), "/etc/passwd"]
    look = ("import json, os, sys, importlib.util as u\n"
            f"seen = [p for p in {places} if os.path.exists(p)]\n"
            "seen += [n for n in ('utils', 'tests') if u.find_spec(n)] + sorted(os.environ)\n"
            "class Value:\n    def __init__(self, x): self.data = json.dumps([seen, os.getcwd(), __file__])\n")
    with Session(written(tmp_path, look), SANDBOX) as session:
        seen, here, file = json.loads(session.run([["new", 0, 1.0], ["get", {"r": 0}, "data"]]).reports[0])
    assert set(seen) <= {*bwrap.ENVIRONMENT, "MKL_NUM_THREADS", "PWD", "LC_CTYPE"}
    assert (here, file) == ("/learner", "/learner/value.py")


def test_links_lead_nowhere(tmp_path):
    (tmp_path / "theirs.py").write_text(changed(), encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "value.py").symlink_to(tmp_path / "theirs.py")
    report = judge_folder(TOPIC, tmp_path / "mine", only=["1.2"], isolation=SANDBOX)
    assert {v.status for v in report.verdicts} == {"not-written"}
    assert report.digest is None


@pytest.mark.parametrize("isolation", [LOCAL, SANDBOX])
def test_no_process_outlives_its_worker(isolation, tmp_path):
    leave = in_product("import subprocess, sys; subprocess.Popen([sys.executable, '-c', "
                       "'import time; time.sleep(99)'], start_new_session=True)")
    with Session(written(tmp_path, leave), isolation) as session:
        session.run([["new", 0, 2.0], ["op", 1, "mul", {"r": 0}, {"r": 0}]])
        members = session._family.members()
        assert len(members) > 1
    for member in members:
        member.wait(10)


def test_a_file_may_use_so_much_time_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.judge.session.TOTAL", 0.3)
    with Session(written(tmp_path, in_product("while True: pass"))) as session:
        script = [["new", 0, 2.0], ["op", 1, "mul", {"r": 0}, {"r": 0}]]
        first, second = (session.run(script, Limits(cpu=0.5)).error for _ in range(2))
    assert "still running" in first["text"]
    assert second["kind"] == "timeout" and "in all are used up" in second["text"]


def test_weak_isolation_is_asked_for_by_name(monkeypatch):
    monkeypatch.delenv("UPSTREAM_ISOLATION", raising=False)
    assert chosen() == SANDBOX
    monkeypatch.setenv("UPSTREAM_ISOLATION", "weak")
    assert chosen() == WEAK
    monkeypatch.setenv("UPSTREAM_ISOLATION", "none")
    with pytest.raises(ValueError, match="the choices are sandbox and weak"):
        chosen()


def test_what_is_shown_may_stand_in_the_folder_for_temporary_files(tmp_path):
    """A repository that was cloned into /tmp is such a thing: the sandbox's own /tmp does not cover it."""
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "word").write_text("seen")
    os.chmod(shown, 0o755)
    room = bwrap.Room(shown=(shown,))
    with bwrap.start(room, ["/bin/cat", str(shown / "word")], stdout=subprocess.PIPE) as process:
        assert process.communicate()[0] == b"seen"
