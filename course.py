#!/usr/bin/env python3
"""The one command of this repository: `python3 course.py lab`, `test`, `doctor`, ... (alone, it lists them).

Makes .venv on first use, keeps it in step with requirements.lock, then hands over to `python -m utils` in it.
With `--here` before the command the running Python is used instead (conda users).
Standard library only. The syntax is Python 3.6's, so that an older Python prints a sentence and not a syntax error.
"""
import os
import sys

OLDEST = (3, 11)

# PyTorch's own index of wheels without GPU libraries. The ordinary index has, for Linux, only the build that brings
# several gigabytes of them. The one address in this repository.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def too_old():
    """The sentence for a Python that cannot run the course; it names a newer one if there is one."""
    newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11")
             if os.system('%s -c "" >%s 2>&1' % (name, os.devnull)) == 0]
    advice = "run `%s course.py`" % newer[0] if newer else "install a newer Python, then run course.py with it"
    versions = OLDEST + tuple(sys.version_info[:2])
    return "problem: Upstream needs Python %d.%d or newer, this is %d.%d -> do: " % versions + advice


def hand_over(python, arguments):
    """Become `python -m utils` (on Windows: start it and end with it)."""
    # -P: a file named utils.py in the current folder does not stand in for the package.
    command = [str(python), "-P", "-m", "utils"] + arguments
    if os.name != "nt":
        os.execv(command[0], command)
    import subprocess
    child = subprocess.Popen(command)
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:  # Ctrl-C reaches the child as well, and it ends in its own way
            pass


def main(arguments):
    from utils import setup_state, setup_steps
    from utils.cli import main as cli

    here = arguments[:1] == ["--here"]
    arguments = arguments[1:] if here else arguments
    try:
        if cli.needs_no_packages(arguments):
            return cli.main(arguments)
        if here:
            setup_state.check_this_python()
            inherited = os.environ.get("PYTHONPATH")
            os.environ["PYTHONPATH"] = os.pathsep.join([str(setup_state.ROOT)] + ([inherited] if inherited else []))
            return hand_over(sys.executable, arguments)
        setup_steps.set_up(setup_state.locks_for(*arguments), TORCH_CPU_INDEX)
        return hand_over(setup_state.PYTHON, arguments)
    except setup_state.Problem as problem:
        return str(problem)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Nothing is lost: %s, and it goes on where it was.\n" % setup_state.again())
        return 130
    except OSError as error:
        return str(setup_state.explain_os_error(error))


if __name__ == "__main__":
    sys.exit(too_old() if sys.version_info < OLDEST else main(sys.argv[1:]))
