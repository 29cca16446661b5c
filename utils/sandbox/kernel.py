"""The kernel of a learner's notebook, run in a sandbox so that its outputs can be shown.

The sandbox shares no folder and no network with us, so both ends of every connection are made here: five sockets that
already listen are handed to the kernel (`inside.py`), which answers on them.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager

from utils.curriculum import ROOT
from utils.sandbox import inside
from utils.sandbox.bwrap import HOME, MIB, TOOLS, Room, carried, start
from utils.sandbox.usage import Family

SHOWN = (ROOT / "utils", ROOT / "topics")       # what notebooks import and show; no solutions, hints, tests or course
MEMORY = 3 << 30                                # bytes, of all its processes; torch alone takes 0.3 GB
KERNEL = Room(shown=SHOWN, memory=8 << 30, tasks=96, open_files=256, home_size=128 * MIB, temporary_size=64 * MIB)
LONGEST_MESSAGE = 32 * MIB
WAITING_MESSAGES = 30                           # of each socket, in our memory
LOOK = 0.1                                      # seconds between two looks at a running kernel


class SandboxedKernel(AsyncKernelManager):
    """A kernel in a sandbox, for at most `seconds`; it works on a copy of `folder`, made when it starts."""

    def __init__(self, folder: Path, seconds: float, **options):
        super().__init__(**options)
        self._folder, self._seconds = folder, seconds
        self._place = tempfile.TemporaryDirectory(prefix="upstream-kernel-")
        self.transport, self.ip = "ipc", str(Path(self._place.name, "kernel"))
        self.kernel_spec.interrupt_mode = "message"     # a signal would end the sandbox
        self.context.maxmsgsize, self.context.rcvhwm = LONGEST_MESSAGE, WAITING_MESSAGES

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options) -> None:
        ports = [self.shell_port, self.iopub_port, self.stdin_port, self.control_port, self.hb_port]
        listeners = {port: _listener(f"{self.ip}-{port}") for port in ports}
        try:
            process = self._start(listeners, options["env"])
        finally:
            for listener in listeners.values():
                listener.close()
        provisioner = self.provisioner
        provisioner.process, provisioner.pid, provisioner.pgid = process, process.pid, os.getpgid(process.pid)
        threading.Thread(target=_watch, args=(process, time.monotonic() + self._seconds), daemon=True).start()

    def _start(self, listeners: dict[int, socket.socket], environment: dict[str, str]) -> subprocess.Popen:
        script, connection, here = TOOLS / "inside.py", TOOLS / "connection.json", HOME / self._folder.name
        known = self.get_connection_info() | {"ip": "/tmp/kernel", "key": self.session.key.decode()}
        numbers = {port: listener.fileno() for port, listener in listeners.items()}
        room = replace(KERNEL, environment=environment, folder=here, cpu=max(1, int(4 * self._seconds)),
                       files={script: Path(inside.__file__), connection: json.dumps(known).encode(),
                              **carried(self._folder, here), **_font_list()})
        return start(room, [sys.executable, "-B", str(script), str(connection), json.dumps(numbers)],
                     keep=numbers.values(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL)

    def end(self) -> None:
        """End it now, by itself: whoever waits for an answer sees that it died."""
        if self.provisioner.process is not None:
            Family(self.provisioner.process.pid).kill()

    async def _async_kill_kernel(self, restart: bool = False) -> None:
        """As its base, which looks only every 0.1 s whether it has ended."""
        if self.has_kernel:
            self.end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.provisioner.process.wait(1)
        await super()._async_kill_kernel(restart)

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        self._place.cleanup()
        await super()._async_cleanup_resources(restart)

    cleanup_resources = _async_cleanup_resources


def _listener(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    return listener


def _watch(process: subprocess.Popen, deadline: float) -> None:
    """End the kernel when its time is over or its memory too much; whoever waits for it sees that it died."""
    family = Family(process.pid)
    while process.poll() is None:
        if time.monotonic() > deadline or family.memory() > MEMORY:
            family.kill()
            return
        time.sleep(LOOK)


def _font_list() -> dict[Path, Path]:
    """Matplotlib's list of fonts, if it has been made for this account: making it takes seconds."""
    found = Path.home().glob(".cache/matplotlib/fontlist-*.json")
    return {HOME / ".cache" / "matplotlib" / path.name: path for path in found}
