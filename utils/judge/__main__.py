"""The judge as a process: requests on standard input, reports on standard output, each JSON in one line."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from utils.curriculum import topic
from utils.judge.core import judge


def main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)    # a background job's children would ignore an interrupt
    requests, replies = sys.stdin, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)       # what anything else prints here is no report
    for line in requests:
        request = json.loads(line)
        file = Path(request["file"]) if request["file"] else None
        report = judge(topic(request["topic"]), Path(request["folder"]), file=file, only=request["only"],
                       seed=request["seed"], answers=request["answers"], isolation=request["isolation"])
        text = report.to_json().replace("\n", " ")                              # line ends in strings are escaped
        replies.write(text.encode("utf-8", "replace") + b"\n")                  # learner text may hold lone surrogates
        replies.flush()


if __name__ == "__main__":
    main()
