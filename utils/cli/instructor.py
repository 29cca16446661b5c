"""Open the nbgrader course in JupyterLab: release assignments, grade answers in words, return feedback (formgrader)."""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import sys
import threading
import webbrowser

from utils.cli.lab import ADDRESS, SETTINGS, choose_port
from utils.curriculum import ROOT
from utils.setup_state import Problem

# jupytext would open the sources of notebooks as notebooks.
SERVER_EXTENSIONS = {"jupyterlab_jupytext": False}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, help="default: the first free one from 8888")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")


def run(args: argparse.Namespace) -> int:
    from utils.build.notebooks import BuildError
    from utils.build.skeleton import SkeletonError
    from utils.cli.build import fill_course

    try:
        port = choose_port(args.port)
        fill_course()
    except (Problem, BuildError, SkeletonError) as problem:
        print(problem, file=sys.stderr)
        return 1
    serve(port, not args.no_browser)
    return 0


def serve(port: int, browser: bool) -> None:
    """Run JupyterLab on the course, with nbgrader's pages, until it is stopped."""
    from jupyterlab.labapp import LabApp
    from traitlets.config import Config

    os.chdir(ROOT)  # where nbgrader looks for nbgrader_config.py
    token = secrets.token_hex(16)
    os.environ["JUPYTER_TOKEN"] = token  # the environment, since a command line is seen by every user of the machine
    site = f"http://{ADDRESS}:{port}"

    def announce() -> None:
        url = f"{site}/formgrader?token={token}"
        print(f"\nFormgrader is open at\n\n    {url}\n\nand JupyterLab at\n\n    {site}/lab?token={token}\n\n"
              f"Stop both with Ctrl-C.", flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    config = Config()
    config.ServerApp.update(root_dir=str(ROOT), ip=ADDRESS, port=port, port_retries=0, open_browser=False,
                            answer_yes=True, log_level="ERROR", allow_root=True, jpserver_extensions=SERVER_EXTENSIONS)
    config.LabApp.update(app_settings_dir=str(SETTINGS), check_for_updates_class="jupyterlab.NeverCheckForUpdate",
                         log_level="ERROR")
    server = LabApp.initialize_server(argv=[], config=config)
    del os.environ["JUPYTER_TOKEN"]  # grading starts learners' code from here, with this environment
    # Formgrader shows a log as detailed as this one: at its default, thousands of lines about each kernel's messages.
    server.log.setLevel(logging.INFO)
    server.io_loop.add_callback(announce)
    server.start()
