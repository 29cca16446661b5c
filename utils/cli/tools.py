"""Programs that some tests need and that may be missing: such a test is "not run", or fails where CI must have them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from functools import lru_cache

import pytest

NOT_RUN = "not run: "  # how the reason of a skip begins; `course.py test` lists these at the end

# tool: the names that it goes by
NAMES = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "bwrap": ("bwrap",),
}
# tool: arguments with which it must end with 0 to count as found
TRIAL = {"bwrap": ["--ro-bind", "/", "/", "--unshare-all", "true"]}


@lru_cache
def find(name: str) -> str | None:
    """The path of a tool that is here and works, else None."""
    for candidate in NAMES.get(name, (name,)):
        path = shutil.which(candidate)
        if path is None:
            continue
        if name not in TRIAL or subprocess.run([path, *TRIAL[name]], capture_output=True, check=False).returncode == 0:
            return path
    return None


def missing(what: str) -> None:
    """End the running test as "not run", or as failed under UPSTREAM_CI=1."""
    if os.environ.get("UPSTREAM_CI") == "1":
        pytest.fail(f"UPSTREAM_CI=1 and {what}: .ci/run must install it", pytrace=False)
    pytest.skip(NOT_RUN + what, allow_module_level=True)


def need(name: str) -> str:
    """The path of a program that the running test needs."""
    path = find(name)
    if path is None:
        missing(f"{name} not found" if not shutil.which(name) else f"{name} does not work here")
    return path


def need_module(name: str):
    """The imported package that the running test needs."""
    if importlib.util.find_spec(name.split(".")[0]) is None:
        missing(f"the package {name} not found")
    return importlib.import_module(name)
