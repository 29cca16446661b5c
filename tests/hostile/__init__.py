"""The hostile corpus: submissions that try to get more than they are worth, or to do harm; `python -m tests.hostile`.

Every attack is bounded and harmless outside the test: the test makes the canaries, all addresses are this machine's.
"""

from __future__ import annotations

from collections import Counter

from tests.hostile import bombs, borrowing, folders, impostors, inside, kernel, processes, reading
from tests.hostile.sample import Sample

SAMPLES: dict[str, Sample] = {
    sample.name: sample
    for part in (impostors, inside, kernel, processes, reading, borrowing, folders, bombs) for sample in part.SAMPLES}
FAMILIES = Counter(sample.family for sample in SAMPLES.values())
