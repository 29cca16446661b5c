"""Which commands there are, and how one is chosen. Standard library only; a command's module is loaded when it runs.

A command may raise Problem: its sentence is printed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys

from utils.setup_state import Problem

# command: (module, what it is for)
COMMANDS = {
    "lab": ("utils.cli.lab", "open the curriculum in JupyterLab"),
    "check": ("utils.cli.check", "judge your file as the notebook does"),
    "status": ("utils.cli.status", "progress from checks that passed"),
    "doctor": ("utils.cli.doctor", "say what is wrong with this installation, and how to mend it"),
    "test": ("utils.cli.run_tests", "run the test suite; arguments go to pytest"),
    "verify": ("utils.cli.verify", "check that topics are whole: unsolved earns 0, solutions pass, hints escalate"),
    "new-topic": ("utils.cli.new_topic", "scaffold a topic, in draft"),
    "build": ("utils.cli.build", "regenerate notebooks and skeleton (--check: fail if stale)"),
    "bench": ("utils.cli.bench", "what the engines cost, beside what you would use instead (--quick: a minute)"),
    "grade": ("utils.cli.grade", "grade submissions: what is new or has changed, on all cores"),
    "report": ("utils.cli.report", "a page and CSV files on an assignment: scores, exercises, misconceptions"),
    "instructor": ("utils.cli.instructor", "JupyterLab with nbgrader formgrader on the course"),
}
HELP = ("-h", "--help", "help")


def usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name.ljust(width)}  {purpose}" for name, (_, purpose) in COMMANDS.items()]
    return "\n".join([
        "usage: python3 course.py COMMAND [options]", "", *lines, "",
        "`python3 course.py COMMAND --help` lists a command's options.",
        "`python3 course.py --here COMMAND` uses the running Python (conda) instead of .venv.",
    ])


def unknown(command: str) -> str:
    close = difflib.get_close_matches(command, COMMANDS, n=1)
    advice = f"did you mean `{close[0]}`?" if close else f"the commands are {', '.join(COMMANDS)}"
    return f"problem: there is no command {command!r} -> do: {advice}"


def needs_no_packages(arguments: list[str]) -> bool:
    """Whether `main` can answer before anything is installed: help, a wrong command, doctor."""
    return not arguments or arguments[0] not in COMMANDS or arguments[0] == "doctor"


def main(arguments: list[str]) -> int:
    """Run the command that `arguments` begin with; its exit status. 2: the command line is wrong."""
    if not arguments or arguments[0] in HELP:
        print(usage())
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        print(unknown(name), file=sys.stderr)
        return 2
    module = importlib.import_module(COMMANDS[name][0])
    parser = argparse.ArgumentParser(prog=f"course.py {name}", description=module.__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    module.add_arguments(parser)
    if getattr(module, "PASSES_ON", False):  # unknown arguments are another program's
        args, args.passed_on = parser.parse_known_args(rest)
    else:
        args = parser.parse_args(rest)
    try:
        return module.run(args)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
