"""Set-up for real, in copies of the repository: a small lock, wheels made here, no network."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from utils.cli import main
from utils.cli.tools import need
from utils.setup_state import ROOT

STATUS = '''
import importlib.metadata, sys
def add_arguments(parser): parser.add_argument("--say")
def run(args):
    packages = [f"{name}={importlib.metadata.version(name)}" for name in ("demo", "torch") if any(
        found.metadata["Name"] == name for found in importlib.metadata.distributions())]
    print("handed over to", sys.prefix, args.say, *packages)
    return 7
'''


def wheel(folder: Path, name: str, version: str, files: int = 1) -> None:
    """A wheel with `files` modules in the package `name`."""
    contents = {f"{name}/__init__.py": f"version = {version!r}\n"}
    contents |= {f"{name}/m{number}.py": "x = 1\n" for number in range(1, files)}
    info = f"{name}-{version}.dist-info"
    contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    contents[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = ""
    for path, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    contents[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)


def heed_ctrl_c() -> None:
    """In a child: undo that a test suite which runs in the background ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Copy:
    """A copy of what set-up needs, and course.py run in it."""

    def __init__(self, root: Path, wheels: Path):
        self.root, self.wheels = root, wheels
        self.venv = root / ".venv"
        self.python = self.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def environment(self, **more: str) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON"))}
        return {**clean, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels),
                "PIP_NO_CACHE_DIR": "1", **more}

    def run(self, *arguments: str, before: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess:
        command = [*before, sys.executable, str(self.root / "course.py"), *(arguments or ("status",))]
        return subprocess.run(command, env=self.environment(**environment), cwd=self.wheels, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=120, check=False)

    def start(self, *arguments: str) -> subprocess.Popen:
        """The same, in a process group of its own, not waited for."""
        return subprocess.Popen([sys.executable, str(self.root / "course.py"), *arguments], env=self.environment(),
                                cwd=self.wheels, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                start_new_session=True, preexec_fn=heed_ctrl_c)

    def lock(self, *lines: str) -> None:
        (self.root / "requirements.lock").write_text("\n".join(lines) + "\n")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    @property
    def log(self) -> str:
        path = self.venv / "setup.log"
        return path.read_text() if path.exists() else ""

    @property
    def stamp(self) -> dict:
        return json.loads((self.venv / "setup.json").read_text())

    def site_packages(self) -> Path:
        return next(self.venv.rglob("demo-*.dist-info")).parent


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    wheel(folder, "demo", "1.0", files=3)
    wheel(folder, "demo", "2.0")
    wheel(folder, "large", "1.0", files=3000)
    wheel(folder, "torch", "2.13.0+cpu")
    return folder


@pytest.fixture
def fresh(tmp_path, wheels):
    """A copy as a clone has it: no .venv."""
    return fresh_copy(tmp_path / "clone", wheels)


def fresh_copy(root: Path, wheels: Path) -> Copy:
    for name in ("course.py", "pyproject.toml", "utils/__init__.py", "utils/__main__.py", "utils/setup_state.py",
                 "utils/setup_steps.py", "utils/cli/__init__.py", "utils/cli/main.py", "utils/cli/doctor.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "utils/cli/status.py").write_text(STATUS)
    (root / "requirements-test.lock").write_text("")
    copy = Copy(root, wheels)
    copy.lock("demo==1.0", "torch==2.13.0", "elsewhere==1.0 ; sys_platform == 'no-such-platform'")
    return copy


@pytest.fixture(scope="module")
def first(tmp_path_factory, wheels):
    """A copy that was set up, and what its first start said."""
    copy = fresh_copy(tmp_path_factory.mktemp("first") / "clone", wheels)
    return copy, copy.run("status", "--say", "hello")


@pytest.fixture
def done(first, tmp_path, wheels):
    """A copy of the copy that was set up."""
    shutil.copytree(first[0].root, tmp_path / "clone", symlinks=True)
    return Copy(tmp_path / "clone", wheels)


def one_sentence(result: subprocess.CompletedProcess, *parts: str) -> None:
    """The run failed with one line `problem: ... -> do: ...` at the end, which holds `parts`, and with no traceback."""
    line = result.stderr.strip().splitlines()[-1]
    assert result.returncode == 1
    assert line.startswith("problem: ")
    assert " -> do: " in line
    assert "Traceback" not in result.stderr
    for part in parts:
        assert part in line


def test_the_first_start_sets_up_and_hands_over(first):
    copy, said = first
    assert said.returncode == 7, said.stderr
    assert said.stdout.split() == ["handed", "over", "to", str(copy.venv), "hello", "demo=1.0", "torch=2.13.0+cpu"]
    assert "Setting up .venv" in said.stderr
    assert "packages: all of requirements.lock" in said.stderr
    assert "PyTorch 2.13.0: installed" in said.stderr
    assert copy.stamp["torch_missing_since"] is None


def test_a_later_start_installs_nothing_and_says_nothing(done):
    log = done.log
    again = done.run()
    assert (again.returncode, again.stderr) == (7, "")
    assert done.log == log


def test_utils_is_importable_in_the_environment_wherever_the_repository_is(done):
    where = subprocess.check_output([done.python, "-I", "-c", "import utils; print(utils.__file__)"], text=True)
    assert Path(where.strip()).parent == done.root / "utils"


def test_a_folder_named_utils_in_the_current_folder_is_not_taken_for_ours(done, tmp_path):
    (tmp_path / "utils.py").write_text("raise SystemExit('the wrong one')")
    said = subprocess.run([sys.executable, done.root / "course.py", "status"], cwd=tmp_path, capture_output=True,
                          env=done.environment(), text=True, check=False)
    assert said.returncode == 7, said.stderr


def test_a_changed_lock_is_noticed_and_applied(done):
    done.lock("demo==2.0", "torch==2.13.0")
    changed = done.run()
    assert "demo=2.0" in changed.stdout
    assert "have changed" in changed.stderr
    assert done.run().stderr == ""


def test_the_test_lock_is_installed_for_test_only(done):
    (done.root / "requirements-test.lock").write_text("large==1.0\n")
    assert done.run("status").stderr == ""
    (done.root / "utils/cli/run_tests.py").write_text(STATUS)
    assert "requirements-test.lock" in done.run("test").stderr
    assert done.run("status").stderr == done.run("test").stderr == ""


def kill_when_pip_runs(copy: Copy, sent: int) -> subprocess.CompletedProcess:
    """Start, and send a signal to the whole process group as soon as pip has begun."""
    begun = copy.log.count("$ ")
    with copy.start("status") as process:
        deadline = time.monotonic() + 60
        while copy.log.count("$ ") == begun and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, sent)
        words = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, *words)


@pytest.mark.skipif(os.name == "nt", reason="process groups")
def test_a_set_up_that_was_killed_is_completed(done):
    done.lock("demo==2.0", "large==1.0", "torch==2.13.0")
    assert kill_when_pip_runs(done, signal.SIGKILL).returncode == -signal.SIGKILL
    assert "half-made" in done.run("doctor").stdout
    completed = done.run()
    assert "completing .venv" in completed.stderr
    assert "demo=2.0" in completed.stdout
    assert done.run("doctor").returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="process groups")
def test_ctrl_c_says_what_to_do_and_loses_nothing(done):
    done.lock("demo==2.0", "large==1.0", "torch==2.13.0")
    stopped = kill_when_pip_runs(done, signal.SIGINT)
    assert stopped.returncode == 130
    assert "Nothing is lost" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert "demo=2.0" in done.run().stdout


def test_a_package_that_lost_files_is_mended(done):
    (done.site_packages() / "demo" / "m2.py").unlink()
    assert "demo" in done.run("doctor").stdout
    (done.venv / "setup.json").unlink()
    assert done.run().returncode == 7
    assert (done.site_packages() / "demo" / "m2.py").exists()


def test_an_environment_without_pip_is_completed(done):
    for path in done.site_packages().glob("pip*"):
        shutil.rmtree(path)
    (done.venv / "setup.json").unlink()
    done.lock("demo==2.0", "torch==2.13.0")
    assert "demo=2.0" in done.run().stdout


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_an_environment_whose_python_is_gone_is_made_anew(done):
    done.python.unlink()
    done.python.symlink_to("/no/such/python")
    assert "is gone or has changed" in done.run("doctor").stdout
    mended = done.run()
    assert "making .venv anew" in mended.stderr
    assert "demo=1.0" in mended.stdout


def test_an_environment_of_another_python_is_broken(done):
    (done.venv / "setup.json").write_text(json.dumps({**done.stamp, "python": "3.10"}))
    assert "is gone or has changed" in done.run("doctor").stdout


@pytest.mark.parametrize("stamp", ["", "{", "[]", "\x00"])
def test_a_stamp_that_cannot_be_read_counts_as_half_made(done, stamp):
    (done.venv / "setup.json").write_text(stamp)
    assert "half-made" in done.run("doctor").stdout


@pytest.mark.skipif(os.name == "nt", reason="flock")
def test_a_second_course_py_waits_for_the_first(done):
    import fcntl

    done.lock("demo==2.0", "torch==2.13.0")
    with open(done.venv / "setup.lock", "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with done.start("status") as second:
            assert "waiting" in second.stderr.readline()
            assert "demo-2.0" not in str(list(done.venv.rglob("demo-*")))
            fcntl.flock(held, fcntl.LOCK_UN)
            words, _ = second.communicate(timeout=60)
    assert "demo=2.0" in words


def test_no_network_is_one_sentence(done):
    done.lock("demo==3.0", "torch==2.13.0")
    nowhere = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "0", "PIP_FIND_LINKS": ""}
    one_sentence(done.run(**nowhere), "out of reach", "course.py status` again", "setup.log")
    doctor = done.run("doctor", **nowhere)
    assert doctor.returncode == 1
    assert "out of reach" in doctor.stdout


def test_a_version_that_does_not_exist_is_one_sentence(done):
    done.lock("demo==3.0")
    one_sentence(done.run(), "demo==3.0", "setup.log")


@pytest.mark.skipif(sys.platform != "linux", reason="PyTorch's own index is for Linux")
def test_pytorch_out_of_reach_is_done_without_and_tried_again_after_a_day(done, tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:  # takes connections and never answers
        port = silent.getsockname()[1]
        done.edit("course.py", "https://download.pytorch.org/whl/cpu", f"http://127.0.0.1:{port}/")
        done.edit("utils/setup_steps.py", "ANSWER_SECONDS = 20", "ANSWER_SECONDS = 2")
        done.lock("demo==1.0", "torch==9.9.9")
        said = done.run(PIP_NO_INDEX="0", PIP_INDEX_URL=f"file://{tmp_path}/")
        assert said.returncode == 7
        assert "PyTorch 9.9.9: out of reach" in said.stderr
        asked = done.log.split(f"--index-url http://127.0.0.1:{port}/ torch==9.9.9+cpu")
        assert len(asked) == 2
        assert "ERROR" not in asked[1]  # pip was ended before its own patience was
        assert done.run().stderr == ""  # not tried on each start
        assert "out of reach" in done.run("doctor").stdout
        (done.venv / "setup.json").write_text(json.dumps({**done.stamp, "torch_missing_since": time.time() - 90_000}))
        assert "Trying again" in done.run().stderr


def test_no_space_is_noticed_before_anything_is_made(fresh):
    fresh.edit("utils/setup_state.py", "SPACE_MB = 2000", "SPACE_MB = 10**9")
    one_sentence(fresh.run(), "MB are free", "free some space")
    assert fresh.run("doctor").returncode == 1


def test_a_disk_that_fills_up_is_one_sentence(fresh):
    fresh.venv.mkdir()
    small = (need("bwrap"), "--dev-bind", "/", "/", "--size", str(2 * 2**20), "--tmpfs", str(fresh.venv))
    one_sentence(fresh.run(before=small), "MB are free", "free some space")


def test_a_read_only_folder_is_one_sentence(fresh):
    sealed = (need("bwrap"), "--dev-bind", "/", "/", "--ro-bind", str(fresh.root), str(fresh.root))
    one_sentence(fresh.run(before=sealed), "cannot be written to", "copy the repository")
    doctor = fresh.run("doctor", before=sealed)
    assert "cannot be written to" in doctor.stdout
    assert doctor.returncode == 1


def test_doctor_is_content_with_a_fresh_clone_and_with_a_finished_one(fresh, first):
    for copy in (fresh, first[0]):
        said = copy.run("doctor", PIP_NO_INDEX="1")
        assert said.returncode == 0, said.stdout
        assert all(line.startswith("ok: ") for line in said.stdout.splitlines())
    assert not fresh.venv.exists()


def test_doctor_names_a_stale_lock(done):
    done.lock("demo==2.0")
    said = done.run("doctor")
    assert "requirements.lock is newer" in said.stdout
    assert said.returncode == 1


def test_doctor_names_a_port_that_is_taken(first):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        said = first[0].run("doctor", "--port", str(taken.getsockname()[1]))
    assert said.returncode == 1
    assert "is taken -> do: " in said.stdout


def test_an_older_python_gets_a_sentence_and_the_file_parses_there(fresh):
    source = (ROOT / "course.py").read_text()
    ast.parse(source, feature_version=(3, 6))
    pretend = "import sys, runpy; sys.version_info = (3, 9, 1); runpy.run_path(sys.argv[1], run_name='__main__')"
    said = subprocess.run([sys.executable, "-c", pretend, fresh.root / "course.py"], capture_output=True, text=True,
                          check=False)
    one_sentence(said, "needs Python 3.11 or newer, this is 3.9")


def test_a_wrong_command_sets_nothing_up(fresh):
    said = fresh.run("stauts")
    assert said.returncode == 2
    assert "did you mean `status`?" in said.stderr
    assert not fresh.venv.exists()


def test_help_sets_nothing_up(fresh):
    said = fresh.run("--help")
    assert said.returncode == 0
    assert all(command in said.stdout for command in main.COMMANDS)
    assert not fresh.venv.exists()


def test_here_uses_the_running_python_and_says_what_it_lacks(fresh):
    said = fresh.run("--here", "status")
    assert said.stdout.startswith(f"handed over to {sys.prefix} ")
    assert not fresh.venv.exists()
    fresh.edit("pyproject.toml", '"numpy"', '"no-such-package"')
    one_sentence(fresh.run("--here", "status"), "no-such-package", "conda env create")


def test_the_one_address_stands_in_one_place():
    found = [path for path in ROOT.rglob("*.py") if not {".venv", "work", "course"} & set(path.relative_to(ROOT).parts)
             and path.name != "test_setup.py" and "download.pytorch.org" in path.read_text(encoding="utf-8")]
    assert found == [ROOT / "course.py"]
