"""What a worker answers, read without believing any of it: plain data of the right form, or no reply at all.

Learner code shares the worker's process, so it can write any bytes in place of a reply. Nothing here unpickles,
evaluates or follows what they say.
"""

from __future__ import annotations

import base64
import json
import math
import os
import queue
import re
import select
import struct
import threading
import time

LONGEST_REPLY = 32 << 20        # bytes; the largest honest one, an array of a million entries, has a third of it
TOO_LARGE = f"its answer is larger than {LONGEST_REPLY >> 20} MB"
CHUNK = 1 << 16                 # bytes that are read at once
LONGEST = {"text": 400, "code": 160, "type": 80, "what": 80, "got": 80}      # characters of what a report may show
SEEN_INSIDE = ("not-written", "absent", "lost-node", "raised", "recursion", "memory", "exit", "syntax", "misshapen",
               "output", "processes", "files")
REPORTING = ("get", "items", "report", "exec")      # the worker's steps that report something
LARGEST_INT, DEEPEST = 10**300, 50      # of a report: beyond, the worker describes it
STOPS = ("timeout", "memory", "crash", "output", "processes", "files")      # limits, as a report calls them


class NoReply(Exception):
    """There is no reply that can be used, and none to come: `kind` is that of an error, or None if the worker ended."""

    def __init__(self, kind: str | None, text: str = ""):
        super().__init__(text)
        self.kind, self.text = kind, text


def status(stopped: dict) -> str:
    """The status, in a report, of a promise that this error stopped."""
    return {"absent": "not-written"}.get(kind := stopped["kind"], kind if kind in STOPS or kind == "not-written"
                                          else "failed")


def error(kind: str, text: str) -> dict:
    """An error that is seen from outside, in the form of the worker's own."""
    return {"kind": kind, "type": None, "text": text, "what": None, "got": None, "line": None, "code": None,
            "step": None}


class Arriving:
    """Replies as they come out of a worker's pipe."""

    def __init__(self, stream):
        self._number, self._held, self._last = stream.fileno(), bytearray(), None
        os.set_blocking(self._number, False)
        self._filled = select.poll()
        self._filled.register(self._number, select.POLLIN)

    def get(self, timeout: float) -> dict | NoReply:
        """The next reply, the last one of all a NoReply; queue.Empty if there is none within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (reply := self._last or self._next()) is None:
            left = deadline - time.monotonic()      # bytes that keep coming and make no reply buy no time
            if left <= 0 or not self._filled.poll(left * 1000):
                raise queue.Empty
            try:
                part = os.read(self._number, CHUNK)
            except BlockingIOError:
                continue
            except OSError:
                part = b""
            self._held += part
            self._last = None if part else NoReply(None)
        return reply

    def _next(self) -> dict | NoReply | None:
        """The reply that is held, if it is whole."""
        size = _size(self._held[:8]) if len(self._held) >= 8 else None
        if size is None or (size <= LONGEST_REPLY and len(self._held) < 8 + size):
            return None
        if size > LONGEST_REPLY:
            self._last = NoReply("output", TOO_LARGE)
            return self._last
        body = bytes(self._held[8:8 + size])
        del self._held[:8 + size]
        if (reply := _decoded(body)) is None:
            self._last = NoReply(None)
        return self._last or reply


def listen(stream) -> Arriving | queue.Queue:
    """What gives a worker's replies by `get(timeout)`, as they come out of its pipe."""
    if os.name != "nt":
        return Arriving(stream)
    replies: queue.Queue = queue.Queue()        # no pipe there can be asked whether it holds something
    threading.Thread(target=_move, args=(stream, replies), daemon=True).start()
    return replies


def _move(stream, replies: queue.Queue) -> None:
    """Move replies from a pipe to a queue; the last thing there is a NoReply."""
    last = NoReply(None)
    try:
        while len(head := stream.read(8)) == 8:
            if _size(head) > LONGEST_REPLY:
                last = NoReply("output", TOO_LARGE)
                break
            if (reply := _decoded(stream.read(_size(head)))) is None:
                break
            replies.put(reply)
    except (OSError, ValueError):       # closed by us
        pass
    replies.put(last)


def _size(head: bytes) -> int:
    return struct.unpack(">Q", head)[0]


def _decoded(body: bytes) -> dict | None:
    """A reply, or None if these bytes are none."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError, MemoryError):
        return None
    return reply if isinstance(reply, dict) else None


def checked_error(said) -> dict | None:
    """The error of a reply, its fields of the right type and short; NoReply if it is none of the worker's."""
    if said is None:
        return None
    if not isinstance(said, dict) or said.get("kind") not in SEEN_INSIDE:
        raise NoReply("crash", "the worker's reply is not one of the judge's")
    kept = {name: said.get(name) for name in ("kind", *LONGEST, "line", "step")}
    for name, most in LONGEST.items():
        kept[name] = kept[name][:most] if isinstance(kept[name], str) else None
    for name in ("line", "step"):
        kept[name] = kept[name] if type(kept[name]) is int and 0 <= kept[name] < 1 << 31 else None
    if kept["kind"] in ("absent", "lost-node"):
        kept["what"], kept["got"] = kept["what"] or "?", kept["got"] or "?"
    return kept | {"text": kept["text"] or "", "type": kept["type"] or "Error"}


def checked_reports(said, steps: list, stopped: dict | None) -> list:
    """The reports of a reply to `steps`: as many as were asked for, fewer if an error stopped them; else NoReply.

    Each is of a form that the worker's `plain` gives.
    """
    asked = _asked(steps)
    if not isinstance(said, list) or len(said) > asked or (stopped is None and len(said) != asked):
        raise NoReply("crash", "the worker's reply is not one of the judge's")
    return [_checked(report) for report in said]


def _asked(steps: list) -> int:
    """How many reports a script asks for."""
    return sum(step[1] * _asked(step[2]) if step[0] == "repeat" else step[0] in REPORTING for step in steps)


def _checked(x, depth: int = 0):
    """A report, with something else in place of what no worker sends and the judge could trip over."""
    if isinstance(x, int) and abs(x) > LARGEST_INT:
        return {"other": "int", "text": "a whole number of more than 300 digits"}
    if isinstance(x, list | dict) and depth == DEEPEST:
        return {"other": type(x).__name__, "text": "a structure that is nested too deep"}
    if isinstance(x, list):
        return [_checked(item, depth + 1) for item in x]
    if isinstance(x, dict):
        for name, right in (("array", _is_array), ("absent", _is_absent), ("other", _is_described)):
            if name in x:
                return x if right(x) else {"other": "dict", "text": f"a dictionary with the key {name!r}"}
        return {key: _checked(value, depth + 1) for key, value in x.items()}
    return x


def _is_array(x: dict) -> bool:
    """Whether the worker's `unpack` makes an array of real numbers from this."""
    form, shape = re.fullmatch(r"[<|]([biuf])([1248])", str(x["array"])), x.get("shape")
    if not form or not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        return False
    try:
        return len(base64.b64decode(x["bytes"], validate=True)) == math.prod(shape) * int(form[2])
    except (LookupError, ValueError, TypeError):
        return False


def _is_absent(x: dict) -> bool:
    return isinstance(x["absent"], str)


def _is_described(x: dict) -> bool:
    return isinstance(x["other"], str) and isinstance(x.get("text"), str)
