"""The judge as a process: a request on standard input, a report on standard output, both JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from utils.curriculum import topic
from utils.judge.core import judge


def main() -> None:
    request = json.load(sys.stdin)
    file = Path(request["file"]) if request["file"] else None
    report = judge(topic(request["topic"]), Path(request["folder"]), file=file, only=request["only"],
                   seed=request["seed"], answers=request["answers"], isolated=request["isolated"])
    sys.stdout.buffer.write(report.to_json().encode("utf-8", "replace"))     # learner text may hold lone surrogates


if __name__ == "__main__":
    main()
