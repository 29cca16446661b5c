"""Attacks on the machine: time, memory, processes, disk, output. Each is bounded: it does no harm where it works."""

from __future__ import annotations

from tests.hostile.sample import Sample


def _bomb(name: str, must_not: str, module: str = "", **more) -> Sample:
    return Sample(name, "bombs", must_not, module=module, **more)


def _in_backward(code: str, **more) -> dict:
    return {"module": f"\n\ndef _attack(self):\n    {code}\n\n\nValue.backward = _attack\n", **more}


SAMPLES = [
    _bomb("loops-at-import", "keep the judge waiting", "\nwhile True:\n    pass\n", slow=True),
    _bomb("sleeps-at-import", "keep the judge waiting without using a processor", "\nimport time\n\ntime.sleep(600)\n",
          slow=True),
    _bomb("loops-in-backward", "use the limit up once for every promise",
          **_in_backward("while True:\n        pass", base="forward", slow=True)),
    _bomb("sleeps-in-backward", "use the longest limit up once for every promise",
          **_in_backward("import time; time.sleep(600)", base="forward", slow=True)),
    _bomb("loops-in-c", "hold the interpreter where no signal reaches it", **_in_backward("10 ** (10 ** 9)",
          base="forward", slow=True)),
    _bomb("backtracks", "hold the interpreter in a regular expression", **_in_backward(
        'import re; re.match(r"(a+)+$", "a" * 64 + "b")', base="forward", slow=True)),
    _bomb("dies-slowly", "be slow to load and die, again and again", '''
import os
import time

_end = time.process_time() + 3
while time.process_time() < _end:
    pass
Value.backward = lambda self: os._exit(1)
''', base="forward", slow=True),
    _bomb("memory-at-import", "take all memory",
          "\n_all = []\nwhile len(_all) < 64:\n    _all.append(bytearray(1 << 26))\n"),
    _bomb("memory-in-backward", "take all memory, a little each time",
          **_in_backward("self.kept = [b'x' * (1 << 26) for _ in range(60)]", base="forward")),
    _bomb("a-number-too-large", "take all memory with one number", "\n_huge = 1 << (1 << 34)\n"),
    _bomb("recursion", "overflow the stack of the interpreter", '''
import sys

sys.setrecursionlimit(10**9)


def _deeper(self):
    _deeper(self)


Value.backward = _deeper
''', base="forward"),
    _bomb("processes", "use up the machine's processes", '''
import os

for _ in range(200):
    try:
        if os.fork() == 0:
            os.execvp("sleep", ["leftover-of-@RUN@-@NAME@", "60"])
    except OSError:
        break
'''),
    _bomb("threads", "use up the machine's threads", '''
import threading
import time

for _ in range(2000):
    try:
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    except (RuntimeError, MemoryError):
        break
'''),
    _bomb("disk", "fill the disk", '''
import os

_folders = (os.getcwd(), "/tmp", "/dev/shm", os.path.dirname(os.path.abspath(__file__)))
for _folder in _folders:
    try:
        with open(os.path.join(_folder, "upstream-hostile-@RUN@-@NAME@"), "wb") as file:
            for _ in range(100):
                file.write(bytes(1 << 20))
    except OSError:
        pass
'''),
    _bomb("files", "use up what files a folder may have", '''
import os
import tempfile

_folder = tempfile.mkdtemp(prefix="upstream-hostile-@RUN@-@NAME@.")
for _n in range(2000):
    open(os.path.join(_folder, str(_n)), "w").close()
'''),
    _bomb("descriptors", "use up open files", '''
_open = []
try:
    while len(_open) < 5000:
        _open.append(open("/dev/null"))
except OSError:
    pass
'''),
    _bomb("output", "fill memory and disk by what it prints", '''
import os

for _fd in (1, 2):
    for _ in range(1000):
        os.write(_fd, b"x" * 100_000)
'''),
    _bomb("a-name-of-megabytes", "fill the report with the name of an error",
          **_in_backward('raise type("E" * 5_000_000, (Exception,), {})("m" * 5_000_000)', base="forward")),
    _bomb("a-source-too-deep", "stop what reads the source", "\n_x = " + "(" * 5000 + ")" * 5000 + "\n"),
    _bomb("a-source-of-megabytes", "keep what reads the source busy", "\n" + "_x = [1, 2, 3]\n" * 100_000),
    _bomb("a-graph-without-end", "have the judge draw or walk an endless graph", '''
class _Endless:
    def __iter__(self):
        return self

    def __next__(self):
        return Value(1.0)


Value._prev = _Endless()
Value.__len__ = lambda self: 1 << 62
Value.__iter__ = lambda self: _Endless()
''', base="forward"),
    _bomb("encoding-of-its-own", "be read otherwise than it is run", "\n# -*- coding: utf-7 -*-\n_x = 1\n"),
]
