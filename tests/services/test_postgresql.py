"""The gradebook in a real PostgreSQL server: nbgrader's commands and ours find there what they do in a file."""

from __future__ import annotations

import csv
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.grading_helpers import (  # noqa: F401  fixtures
    COMMENTS,
    GRADES,
    a_graded_course,
    a_pattern,
    grade,
    make_course,
    reports,
    rows,
    without_sandbox,
)
from tests.nbgrader_helpers import SLUG
from utils.cli.tools import missing, need_module
from utils.grading.config import gradebook_url

UNPRIVILEGED = ("postgres", "nobody")  # PostgreSQL does not run as root
PATIENCE = 60  # seconds for the server to answer


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        missing(f"{name} not found")
    return path


@pytest.fixture(scope="module")
def server():
    """(URL of an empty database on a server of its own, the server's process)."""
    need_module("psycopg")
    postgres, initdb = _program("postgres"), _program("initdb")
    account = {}
    home = Path(tempfile.mkdtemp(prefix="upstream-postgresql-"))
    if os.geteuid() == 0:
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = next(known[name] for name in UNPRIVILEGED if name in known)
        account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        os.chown(home, entry.pw_uid, entry.pw_gid)
    subprocess.run([initdb, "-D", home / "data", "-U", "upstream", "--auth=trust", "--no-sync", "-E", "UTF8"],
                   check=True, cwd=home, capture_output=True, **account)
    process = subprocess.Popen([postgres, "-D", home / "data", "-k", home, "-c", "listen_addresses="], cwd=home,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **account)
    url = f"postgresql://upstream@/postgres?host={home}"
    engine = create_engine(url)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            engine.connect().close()
            break
        except OperationalError:
            assert process.poll() is None and time.monotonic() < until, "the server did not start"
            time.sleep(0.1)
    engine.dispose()
    yield url, process
    process.terminate()
    process.wait()
    shutil.rmtree(home)


def _stored(url: str) -> list[tuple]:
    """As `rows`, from PostgreSQL."""
    engine = create_engine(url)
    with engine.connect() as db:
        found = [tuple(row) for query in (GRADES, COMMENTS) for row in db.execute(text(query))]
    engine.dispose()
    return found


def _plain(row: tuple) -> tuple:
    """A row in words that both databases have: SQLite has times as text and truths as numbers."""
    return tuple(value.strftime("%Y-%m-%d %H:%M:%S.%f") if hasattr(value, "strftime") else value for value in row)


def test_postgresql_holds_the_same_gradebook(server, graded, tmp_path, monkeypatch, capsys):
    url, process = server
    monkeypatch.setenv("UPSTREAM_GRADEBOOK", url)
    assert gradebook_url() == url
    course = make_course(tmp_path / "course")
    assert grade(course.root) == 0
    assert not (course.root / "upstream.db").exists()
    assert sorted(map(_plain, _stored(url)), key=repr) == rows(graded)
    assert {who: r["scores"] for who, r in reports(course.root).items()} == \
        {who: r["scores"] for who, r in reports(graded).items()}
    capsys.readouterr()
    assert grade(course.root) == 0
    assert "none has changed" in capsys.readouterr().out

    course.run("autograde", SLUG, "--student", "drill", "--force")  # nbgrader's own commands find it too
    assert sorted(map(_plain, _stored(url)), key=repr) == rows(graded)
    course.run("generate_feedback", SLUG, "--student", "drill")
    assert "3 of 3" in course.shown("drill", "math-refresh")
    course.run("export")
    with open(course.root / "grades.csv", encoding="utf-8") as table:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(table) if row["assignment"] == SLUG}
    assert scores["drill"] == 3 and scores["broken"] == 0

    process.terminate()
    process.wait()
    capsys.readouterr()
    assert grade(course.root, "--force") == 1
    told = capsys.readouterr().err
    assert "the gradebook's database refused" in told and "Traceback" not in told and told.count("\n") == 1
