"""Run the test suite. Arguments go to pytest: `course.py test tests/test_setup.py -x`.

`--repeat 20` runs the judge's own tests, or the files that are named, 20 times in a row, each time in new processes.
`--services` runs the tests with a Dask scheduler, a PostgreSQL server and a JupyterHub instead (some minutes).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import pytest

from utils.cli.tools import NOT_RUN
from utils.setup_state import ROOT, Problem

PASSES_ON = True
# The tests of what gives a verdict, tests/test_<name>.py, those that take longest first.
JUDGE = ("misconceptions", "mutation_gate", "fairness", "judge_*", "layer_catalogue", "layers", "extension_promises",
         "oracles", "bad_input", "expression", "generated_programs", "graded_numbers", "killing", "lint", "picture",
         "planted_bug")
SERVICES = "tests/services"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "course.py test [--repeat N | --services] [arguments of pytest]"
    parser.add_argument("--repeat", type=int, metavar="N", help="run N times in a row, and stop at the first failure; "
                                                                "without files, the judge's own tests")
    parser.add_argument("--services", action="store_true", help="run the tests with servers, tests/services, instead")


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
    return ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]


def repeat(times: int, arguments: list[str]) -> int:
    """Run the tests `times` in a row, each run in processes of its own; the exit status of the first that fails, or 0.
    """
    if not any(argument.partition("::")[0].endswith(".py") or os.path.isdir(argument) for argument in arguments):
        files = [file for name in JUDGE for file in sorted((ROOT / "tests").glob(f"test_{name}.py"))]
        arguments = [*(str(file.relative_to(ROOT)) for file in files), *arguments]
    for run in range(1, times + 1):
        print(f"run {run} of {times}", flush=True)
        status = subprocess.run([sys.executable, "-P", "-m", "utils", "test", "-q", *arguments], check=False).returncode
        if status:
            print(f"run {run} of {times} failed")
            return status
    print(f"{times} runs in a row passed")
    return 0


def run(args: argparse.Namespace) -> int:
    os.chdir(ROOT)
    if args.repeat is not None:
        if args.repeat < 1:
            raise Problem(f"--repeat takes a number of runs from 1 on, not {args.repeat}", "write --repeat 20")
        return repeat(args.repeat, args.passed_on)
    named = any(argument.startswith(SERVICES) for argument in args.passed_on)
    where = ["-n", "0", *([] if named else [SERVICES])] if args.services else in_parallel(args.passed_on)
    return int(pytest.main([*where, *args.passed_on], plugins=[NotRun()]))
