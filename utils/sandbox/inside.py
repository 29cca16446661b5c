"""The kernel's side of `kernel.py`, run in the sandbox: an ordinary IPython kernel on sockets that are there already.

What it limits, a learner can undo. It is here to end an endless print early and with a sentence; other limits are
imposed from outside.
"""

import gc
import json
import sys

import zmq
from ipykernel.heartbeat import Heartbeat
from ipykernel.iostream import OutStream
from ipykernel.kernelapp import IPKernelApp

MOST = 1 << 20      # characters that a cell may print
FEWER_LOOKS = (50_000, 20, 50)      # gc's thresholds: it takes most of the time of training a graph of small objects


class TooMuchOutput(Exception):
    """A cell printed more than a page can show."""


class Bounded(OutStream):
    """A cell's output, up to MOST characters."""

    printed = 0

    def write(self, string):
        Bounded.printed += len(string)
        if Bounded.printed > MOST:
            Bounded.printed = 0
            raise TooMuchOutput(f"this cell printed more than {MOST:,} characters, so it was stopped here")
        return super().write(string)


class Kernel(IPKernelApp):
    """A kernel that answers on `sockets`: port -> descriptor."""

    sockets: dict

    def _try_bind_socket(self, s, port):
        s.setsockopt(zmq.USE_FD, self.sockets[port])
        return super()._try_bind_socket(s, port)


def reset(*_):
    Bounded.printed = 0


def tell(shell, kind, error, *_, **__):
    """Show the sentence alone: the lines of this file would not help."""
    lines = [f"{kind.__name__}: {error}"]
    shell._showtraceback(kind, error, lines)
    return lines


def main():
    connection, sockets = sys.argv[1], {int(port): number for port, number in json.loads(sys.argv[2]).items()}
    Kernel.sockets = sockets
    bind = Heartbeat._try_bind_socket
    Heartbeat._try_bind_socket = lambda self: self.socket.setsockopt(zmq.USE_FD, sockets[self.port]) or bind(self)
    sys.argv[1:], sys.path[:1] = [], [""]
    app = Kernel.instance(connection_file=connection, log_level="ERROR", outstream_class=f"{__name__}.Bounded")
    app.initialize(["--HistoryManager.enabled=False"])
    app.shell.events.register("pre_run_cell", reset)
    app.shell.set_custom_exc((TooMuchOutput,), tell)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*FEWER_LOOKS)
    app.start()


if __name__ == "__main__":
    main()
