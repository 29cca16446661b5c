"""A JupyterHub with two learners and an instructor: a submission goes round through its exchange, and comes back."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.grading_helpers import QUICK, grade
from tests.nbgrader_helpers import SLUG, TOPIC, Course
from utils.cli.tools import need_module
from utils.grading.config import COURSE_ID

LEARNERS = ("ada", "blaise")
INSTRUCTOR = "instructor"
TOKEN = secrets.token_hex(16)
PATIENCE = 120  # seconds for a server to answer

CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_port = {ports[1]}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "{token}"
c.Authenticator.allowed_users = {{"ada", "blaise", "instructor"}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{homes}/{{username}}"
c.Spawner.args = ["--allow-root"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
c.Spawner.environment = {{"UPSTREAM_EXCHANGE": "{exchange}"}}
c.JupyterHub.services = [{{"name": "test", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "test", "services": ["test"],
                            "scopes": ["admin:users", "admin:servers", "access:servers"]}}]
"""


def _free_ports(number: int) -> list[int]:
    with ExitStack() as open_ones:
        doors = [open_ones.enter_context(socket.socket()) for _ in range(number)]
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return [door.getsockname()[1] for door in doors]


class Hub:
    """The hub's and its users' servers, spoken to as their pages do."""

    def __init__(self, address: str):
        self.address = address
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"token {TOKEN}"

    def call(self, method: str, path: str, **more):
        answer = self.session.request(method, f"{self.address}/{path}", timeout=PATIENCE, **more)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def of(self, who: str, method: str, path: str, **more):
        """A request to the server of one user."""
        return self.call(method, f"user/{who}/{path}", **more)

    def start_server(self, who: str) -> None:
        self.call("POST", f"hub/api/users/{who}/server")
        until = time.monotonic() + PATIENCE
        while not self.call("GET", f"hub/api/users/{who}")["servers"].get("", {}).get("ready"):
            assert time.monotonic() < until, f"{who}'s server did not start"
            time.sleep(0.2)


@pytest.fixture
def hub(tmp_path):
    """(the hub, the course in the instructor's home)."""
    need_module("jupyterhub")
    homes, exchange = tmp_path / "homes", tmp_path / "exchange"
    course = Course(homes / INSTRUCTOR, budget=0)
    for who in LEARNERS:
        (homes / who).mkdir()
        # All accounts of this hub are one account of the system, so each learner's name is told.
        (homes / who / "nbgrader_config.py").write_text(
            "from pathlib import Path\nfrom utils.grading.config import configure\nc = get_config()\n"
            f"configure(c, Path({str(course.root)!r}))\nc.CourseDirectory.student_id = {who!r}\n", encoding="utf-8")
    ports, programs = _free_ports(3), Path(sys.executable).parent
    (tmp_path / "jupyterhub_config.py").write_text(CONFIG.format(
        ports=ports, proxy=programs / "configurable-http-proxy", token=TOKEN, homes=homes, exchange=exchange))
    exchange.mkdir(mode=0o777)
    log = open(tmp_path / "hub.log", "w")  # noqa: SIM115  the process writes it
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "CONFIGPROXY_AUTH_TOKEN": TOKEN}
    process = subprocess.Popen([sys.executable, "-m", "jupyterhub"], cwd=tmp_path, stdout=log, stderr=log,
                               env=environment)
    made, until = Hub(f"http://127.0.0.1:{ports[0]}"), time.monotonic() + PATIENCE
    while True:
        try:
            made.call("GET", "hub/api/")
            break
        except (requests.ConnectionError, AssertionError):
            assert process.poll() is None and time.monotonic() < until, (tmp_path / "hub.log").read_text()[-3000:]
            time.sleep(0.2)
    yield made, course
    process.terminate()  # it stops its users' servers and its proxy
    process.wait(timeout=PATIENCE)


def test_a_submission_goes_round(hub, tmp_path, monkeypatch):
    hub, course = hub
    monkeypatch.setenv("UPSTREAM_EXCHANGE", str(tmp_path / "exchange"))
    for who in (*LEARNERS, INSTRUCTOR):
        hub.start_server(who)
    for action in ("assign", "release"):
        assert hub.of(INSTRUCTOR, "POST", f"formgrader/api/assignment/{SLUG}/{action}")["success"]

    which = {"course_id": COURSE_ID, "assignment_id": SLUG}
    for who in LEARNERS:
        listed = hub.of(who, "GET", "assignments", params={"course_id": COURSE_ID})["value"]
        assert [entry["assignment_id"] for entry in listed] == [SLUG]
        hub.of(who, "POST", "assignments/fetch", json=which)
    module = {"type": "file", "format": "text", "content": QUICK}
    hub.of("blaise", "PUT", f"api/contents/{SLUG}/{TOPIC.module}", json=module)
    notebook = hub.of("ada", "GET", f"api/contents/{SLUG}/math-refresh.ipynb")
    next(cell for cell in notebook["content"]["cells"] if cell["id"] == "answer-R1")["source"] = _solved("answer-R1")
    hub.of("ada", "PUT", f"api/contents/{SLUG}/math-refresh.ipynb", json=notebook)
    for who in LEARNERS:
        hub.of(who, "POST", "assignments/submit", json=which)

    assert hub.of(INSTRUCTOR, "POST", f"formgrader/api/assignment/{SLUG}/collect")["success"]
    assert grade(course.root) == 0
    submissions = hub.of(INSTRUCTOR, "GET", f"formgrader/api/submissions/{SLUG}")
    assert {s["student"]: s["score"] for s in submissions} == {"ada": 3, "blaise": 0}
    for action in ("generate_feedback", "release_feedback"):
        assert hub.of(INSTRUCTOR, "POST", f"formgrader/api/assignment/{SLUG}/{action}")["success"]
    for who, told in {"ada": "3 of 3", "blaise": "0 of 3"}.items():
        hub.of(who, "POST", "assignments/fetch_feedback", json=which)
        pages = list((tmp_path / "homes" / who / SLUG / "feedback").rglob("math-refresh.html"))
        assert len(pages) == 1
        assert told in re.sub(r"<[^>]+>", "", pages[0].read_text(encoding="utf-8"))


def _solved(name: str) -> str:
    from utils.build.notebooks import instructor_notebook

    return next(cell.source for cell in instructor_notebook(TOPIC, "math-refresh").cells if cell.id == name)
