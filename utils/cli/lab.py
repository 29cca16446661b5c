"""Open the curriculum in JupyterLab: fills work/, writes its start page, prints the address."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import threading
import webbrowser
from pathlib import Path

from utils import curriculum
from utils.setup_state import Problem, explain_os_error
from utils.workspace import START, Workspace, start_page

FIRST_PORT = 8888
ADDRESS = "127.0.0.1"  # reachable from this machine only
SETTINGS = Path(__file__).parent / "lab_settings"  # overrides.json and page_config.json of JupyterLab

# Off on the server, and in the page by page_config.json. jupytext opens .py files as notebooks, value.py among them;
# nbgrader's panels show errors where there is no exchange, and its Validate button is a second verdict beside `check`;
# jupyter_lsp starts npm to look for language servers.
OFF = ("jupyter_lsp", "jupyterlab_jupytext", *(f"nbgrader.server_extensions.{name}" for name in
                                ("assignment_list", "course_list", "formgrader", "validate_assignment")))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, help=f"default: the first free one from {FIRST_PORT}")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name != "nt":  # there, the option means something else
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def choose_port(wanted: int | None) -> int:
    """The port to serve on: the wanted one, or the first free one from 8888. Raises Problem if there is none."""
    if wanted is None:
        free = next((port for port in range(FIRST_PORT, FIRST_PORT + 100) if is_free(port)), None)
        if free is None:
            raise Problem(f"ports {FIRST_PORT} to {FIRST_PORT + 99} are taken", "name a free one with --port")
        return free
    if not 0 < wanted < 65536:
        raise Problem(f"{wanted} is no port", "name one from 1024 to 65535 with --port")
    if not is_free(wanted):
        raise Problem(f"port {wanted} is taken", "leave --port out, and the first free one is used")
    return wanted


def prepare(work: Workspace) -> None:
    """Fill work/ and write its start page."""
    from utils.cli import status

    topics = curriculum.load()
    report = work.fill(topics)
    for line in report.kept:
        print(line)
    if report.kept:
        print("To take the course's version of one, move yours away and start again.")
    work.write_start(start_page(topics, status.progress_markdown()))


def serve(work: Path, port: int, browser: bool) -> None:
    """Run JupyterLab until it is stopped."""
    from jupyterlab.labapp import LabApp
    from traitlets.config import Config

    token = secrets.token_hex(16)
    os.environ["JUPYTER_TOKEN"] = token  # the environment, since a command line is seen by every user of the machine
    url = f"http://{ADDRESS}:{port}/lab/tree/{START}?token={token}"

    def announce() -> None:
        print(f"\nUpstream is open at\n\n    {url}\n\nStop it with Ctrl-C.", flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    # As a command line, since that goes before what the learner's own configuration of Jupyter says.
    options = {
        "ServerApp.root_dir": work, "ServerApp.ip": ADDRESS, "ServerApp.port": port, "ServerApp.port_retries": 0,
        "ServerApp.base_url": "/", "ServerApp.open_browser": False, "ServerApp.answer_yes": True,
        "ServerApp.allow_root": True, "ServerApp.log_level": "ERROR", "LabApp.log_level": "ERROR",
        "LabApp.app_settings_dir": SETTINGS, "LabApp.workspaces_dir": work / ".upstream" / "workspaces",
        "LabApp.extension_manager": "readonly",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "KernelManager.transport_encryption": "auto",  # without it, each kernel prints a warning
    }
    config = Config(ServerApp={"jpserver_extensions": dict.fromkeys(OFF, False)})
    server = LabApp.initialize_server(argv=[f"--{name}={value}" for name, value in options.items()], config=config)
    server.io_loop.add_callback(announce)
    server.start()


def run(args: argparse.Namespace) -> int:
    work, port = Workspace(), choose_port(args.port)
    try:
        prepare(work)
    except OSError as error:
        raise explain_os_error(error) from None
    serve(work.folder, port, not args.no_browser)
    return 0
