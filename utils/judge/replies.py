"""What a worker answers, read without believing any of it: plain data of the right form, or no reply at all.

Learner code shares the worker's process, so it can write any bytes in place of a reply. Nothing here unpickles,
evaluates or follows what they say.
"""

from __future__ import annotations

import json
import queue
import struct

LONGEST_REPLY = 32 << 20        # bytes; the largest honest one, an array of a million entries, has a third of it
LONGEST = {"text": 400, "code": 160, "type": 80, "what": 80, "got": 80}      # characters of what a report may show
SEEN_INSIDE = ("not-written", "absent", "lost-node", "raised", "recursion", "memory", "exit", "syntax", "misshapen",
               "output", "processes", "files")


REPORTING = ("get", "items", "report", "exec")      # the worker's steps that report something
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


def read(stream, replies: queue.Queue) -> None:
    """Move replies from a worker's pipe to a queue, each a dict; the last thing there is a NoReply."""
    last = NoReply(None)
    try:
        while len(head := stream.read(8)) == 8:
            size = struct.unpack(">Q", head)[0]
            if size > LONGEST_REPLY:
                last = NoReply("output", f"its answer is larger than {LONGEST_REPLY >> 20} MB")
                break
            reply = json.loads(stream.read(size))
            if not isinstance(reply, dict):
                break
            replies.put(reply)
    except (OSError, ValueError, RecursionError, MemoryError):       # closed by us, or bytes that are no reply
        pass
    replies.put(last)


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
    """The reports of a reply to `steps`: as many as were asked for, fewer if an error stopped them; else NoReply."""
    asked = _asked(steps)
    if not isinstance(said, list) or len(said) > asked or (stopped is None and len(said) != asked):
        raise NoReply("crash", "the worker's reply is not one of the judge's")
    return said


def _asked(steps: list) -> int:
    """How many reports a script asks for."""
    return sum(step[1] * _asked(step[2]) if step[0] == "repeat" else step[0] in REPORTING for step in steps)
