"""How well learner code is kept from everything else: what there is, and what an instructor asks for by name."""

from __future__ import annotations

import os

LOCAL = "local"         # a learner's own check: limits, no defence
SANDBOX = "sandbox"     # what grading asks for: utils/sandbox
WEAK = "weak"           # grading where there is no sandbox, if the instructor asks for it by name
CHOICES = (SANDBOX, WEAK)
VARIABLE = "UPSTREAM_ISOLATION"

WEAKER = ("Weak isolation, as you asked: submitted code runs in processes of its own with limits on time and memory, "
          "but as your account. It can read and change your files, use the network and start programs that outlive it. "
          "Grade only submissions that you trust, or under an account that owns nothing else.")


def chosen() -> str:
    """The isolation that grading uses: $UPSTREAM_ISOLATION, or the sandbox. ValueError for another name."""
    name = os.environ.get(VARIABLE) or SANDBOX
    if name not in CHOICES:
        raise ValueError(f"{VARIABLE}={name}: the choices are {' and '.join(CHOICES)}")
    return name
