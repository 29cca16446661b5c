"""environment.yml (conda) has what requirements.lock (pip) has, in the same versions: all that the project asks for."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml

from utils.setup_state import PINS, ROOT, SERVICE_PINS, TEST_PINS, locks_for, normal

# pip's name: conda-forge's, where they differ by more than `-` for `_`.
CONDA_NAMES = {
    "fastjsonschema": "python-fastjsonschema",
    "graphviz": "python-graphviz",
    "matplotlib": "matplotlib-base",  # without Qt
    "torch": "pytorch",
    "tzdata": "python-tzdata",
}
# Not in environment.yml; it says why.
LEFT_OUT = {"appnope", "colorama", "graphviz-pure", "pexpect", "ptyprocess", "pywinpty"}
# In environment.yml only.
CONDA_ONLY = {"python", "pip", "graphviz"}

LOCK = PINS.read_text(encoding="utf-8")
ENVIRONMENT = (ROOT / "environment.yml").read_text(encoding="utf-8")


def locked(lock: str) -> dict[str, str]:
    """Conda's name -> version, of a lock's pins for Python 3.11."""
    pins = {}
    for line in lock.split("\n"):
        requirement, _, marker = line.partition(" ; ")
        if requirement and "python_full_version >=" not in marker:
            name, version = requirement.split("==")
            pins[normal(CONDA_NAMES.get(name, name))] = version
    return {name: version for name, version in pins.items() if name not in LEFT_OUT}


def listed(environment: str) -> dict[str, str]:
    """Conda's name -> version (with the build, where one is asked for) of an environment file."""
    entries = [entry.split("=", 1) for entry in yaml.safe_load(environment)["dependencies"]]
    known = {normal(name) if name not in CONDA_ONLY else name: rest for name, *rest in entries}
    return {name: rest[0] if rest else "" for name, rest in known.items() if name not in CONDA_ONLY}


def differences(lock: str, environment: str) -> list[str]:
    """What the two do not agree on; PyTorch must be the CPU build."""
    pip, conda = locked(lock), listed(environment)
    pip["pytorch"] += "=cpu*"
    return [f"{name}: lock {pip.get(name)}, environment.yml {conda.get(name)}"
            for name in sorted(pip.keys() | conda.keys()) if pip.get(name) != conda.get(name)]


def test_conda_and_pip_get_the_same_versions():
    assert differences(LOCK, ENVIRONMENT) == []


@pytest.mark.parametrize(("old", "new"), [
    ("numpy=2", "numpy=1"),
    ("  - rich=15.0.0\n", ""),
    ("  - pip\n", "  - pip\n  - pandas=3.0.0\n"),
    ("=cpu*", "=cuda*"),
    ("  - jupyter_client=", "  - jupyter_klient="),
])
def test_a_difference_is_found(old, new):
    assert ENVIRONMENT.count(old) == 1
    assert differences(LOCK, ENVIRONMENT.replace(old, new))


def test_conda_has_the_real_graphviz_and_the_python_that_the_lock_is_for():
    entries = yaml.safe_load(ENVIRONMENT)["dependencies"]
    assert "graphviz" in entries
    assert "python=3.11" in entries


@pytest.mark.parametrize("lock", [PINS, TEST_PINS, SERVICE_PINS], ids=lambda lock: lock.name)
def test_a_lock_holds_exact_versions_and_no_address(lock):
    for line in lock.read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*==[A-Za-z0-9.!+]+( ; .+)?", line), line


def test_what_the_project_asks_for_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    for wanted, lock in ((project["project"]["dependencies"], PINS), (groups["test"], TEST_PINS),
                         (groups["services"], SERVICE_PINS)):
        pinned = {line.split("==")[0] for line in lock.read_text(encoding="utf-8").splitlines()}
        assert {normal(re.match(r"[\w.-]+", line).group()) for line in wanted} <= pinned


def test_the_locks_agree():
    main = PINS.read_text(encoding="utf-8").splitlines()
    names, pins = {line.split("==")[0] for line in main}, {line.split(" ;")[0] for line in main}
    for lock in (TEST_PINS, SERVICE_PINS):
        for line in lock.read_text(encoding="utf-8").splitlines():
            assert line.split("==")[0] not in names or line.split(" ;")[0] in pins, line


@pytest.mark.parametrize(("words", "locks"), [
    (["lab"], [PINS]), (["test", "-x"], [PINS, TEST_PINS]), (["test", "--services"], [PINS, TEST_PINS, SERVICE_PINS]),
    (["grade", "02"], [PINS]), (["grade", "02", "--scheduler", "tcp://x"], [PINS, SERVICE_PINS]),
    (["grade", "--scheduler=tcp://x"], [PINS, SERVICE_PINS]), (["check", "--services"], [PINS]),
])
def test_a_command_brings_the_packages_that_it_needs(words, locks):
    assert locks_for(*words) == locks


def test_pytorch_brings_no_gpu_library_into_the_lock():
    assert not re.search(r"^(nvidia|cuda|triton)", LOCK, re.M)
