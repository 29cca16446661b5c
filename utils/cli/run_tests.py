"""Run the test suite. All arguments go to pytest: `course.py test tests/test_setup.py -x`."""

from __future__ import annotations

import argparse
import os

import pytest

from utils.cli.tools import NOT_RUN
from utils.setup_state import ROOT

PASSES_ON = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "course.py test [arguments of pytest]"


class NotRun:
    """A section at the end: what was not run because a tool is missing."""

    def pytest_terminal_summary(self, terminalreporter) -> None:
        reasons: dict[str, list[str]] = {}
        for report in terminalreporter.stats.get("skipped", []):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            reason = reason.removeprefix("Skipped: ")
            if reason.startswith(NOT_RUN):
                reasons.setdefault(reason.removeprefix(NOT_RUN), []).append(report.nodeid)
        if reasons:
            terminalreporter.section("not run")
            for reason, tests in sorted(reasons.items()):
                terminalreporter.write_line(f"{reason}: {len(tests)} not run")
                for test in tests:
                    terminalreporter.write_line(f"  {test}")


def in_parallel(arguments: list[str]) -> list[str]:
    """Two workers, unless the arguments say how many or ask for a debugger."""
    chosen = ("-n", "--numprocesses", "--dist", "--pdb", "--trace", "-p", "--co", "--collect-only")
    if any(argument.startswith(chosen) for argument in arguments):
        return []
    return ["-n", "2", "--dist", "loadscope"]


def run(args: argparse.Namespace) -> int:
    os.chdir(ROOT)
    return int(pytest.main([*in_parallel(args.passed_on), *args.passed_on], plugins=[NotRun()]))
