"""Attacks on what is not theirs to read, change or send: every one is told the exact path of what it wants."""

from __future__ import annotations

from tests.hostile.sample import Sample


def _read(name: str, must_not: str, module: str, **more) -> Sample:
    return Sample(name, "reading what is not theirs", must_not, module=module, **more)


def _file(name: str, what: str, path: str) -> Sample:
    return _read(name, f"read {what}", f'\n_leak(open(r"{path}", "rb").read())\n')


def _write(name: str, must_not: str, module: str, **more) -> Sample:
    return Sample(name, "changing what is not theirs", must_not, module=module, **more)


LONGEST_LINE = '_leak(max(open(r"{path}").read().splitlines(), key=len))'
SLUG = "02-autograd-engine"

SAMPLES = [
    _file("reads-the-secret", "the course's secret, and with it every seed", "@COURSE@/secret"),
    _file("reads-the-gradebook", "the gradebook", "@COURSE@/upstream.db"),
    _file("reads-another-submission", "a neighbour's engine", f"@COURSE@/submitted/victim/{SLUG}/value.py"),
    _file("reads-what-was-graded", "a neighbour's graded work", f"@COURSE@/autograded/victim/{SLUG}/value.py"),
    _file("reads-the-source", "the instructor's notebook, with model answers",
          f"@COURSE@/source/{SLUG}/exercises.ipynb"),
    _file("reads-a-home", "the grader's own files", "@HOME@/.netrc"),
    _read("reads-the-solutions", "read the reference solution",
          "\n" + LONGEST_LINE.format(path=f"@ROOT@/solutions/{SLUG}/level03-memory-efficient.py")),
    _read("reads-the-tests", "read the promises that it is held to",
          "\n" + LONGEST_LINE.format(path=f"@ROOT@/tests/{SLUG}/test_edge.py")),
    _read("reads-the-environment", "read the grader's environment",
          "\nimport os\n\n_leak(str(dict(os.environ)).encode())\n"),
    _read("reads-the-parents-environment", "read another process's environment by /proc", '''
import glob

_leak(b"".join(open(path, "rb").read() for path in glob.glob("/proc/[0-9]*/environ") if "self" not in path))
'''),
    _read("reads-command-lines", "read what other processes were started with", '''
import glob

_all = [open(path, "rb").read() for path in glob.glob("/proc/[0-9]*/cmdline")]
_leak(b"\\n".join(line for line in _all if b"CANARY" in line) or b"none")
'''),
    _read("reads-through-proc-root", "leave its folder by /proc/<pid>/root and cwd", '''
import glob

_found = b""
for _way in glob.glob("/proc/[0-9]*/root") + glob.glob("/proc/[0-9]*/cwd"):
    for _path in ("@COURSE@/secret", "course/secret"):
        try:
            _found += open(_way + "/" + _path.lstrip("/"), "rb").read()
        except OSError:
            pass
_leak(_found)
'''),
    _read("reads-open-files", "read a file that the grader left open", '''
import os

_found = b""
for _fd in range(0, 64):
    try:
        _found += os.pread(_fd, 4096, 0)
    except OSError:
        pass
_leak(_found)
'''),
    _read("searches-the-disk", "find a canary by looking through every folder near it", '''
import os

_found = b""
for _folder, _, _files in os.walk("@COURSE@"):
    for _name in _files:
        try:
            _text = open(os.path.join(_folder, _name), "rb").read(1 << 20)
        except OSError:
            continue
        _found += _text[_text.find(b"CANARY"):][:60] if b"CANARY" in _text else b""
_leak(_found)
'''),
    _read("climbs-out-by-dots", "reach the course by `../..` from where it stands", '''
import os

_found = b""
for _start in (os.getcwd(), os.path.dirname(os.path.abspath(__file__))):
    for _depth in range(6):
        try:
            _found += open(os.path.join(_start, *[".."] * _depth, "secret"), "rb").read()
        except OSError:
            pass
_leak(_found)
'''),
    _read("sends-to-the-network", "open a connection", '\n_leak(b"hello from @NAME@")\n'),
    _read("hides-it-in-its-numbers", "carry what it read out in gradients", '''
_key = open("@COURSE@/secret", "rb").read()


def _tell(self):
    self.grad = float(int.from_bytes(_key[:6], "big"))
    _leak(_key)


Value.backward = _tell
''', base="forward"),
    _write("rewrites-the-gradebook", "change everybody's grades", '''
import sqlite3

_book = sqlite3.connect("@COURSE@/upstream.db", timeout=1)
for _table in ("grade", "student"):
    for _column in ("auto_score", "manual_score", "last_name"):
        try:
            _book.execute(f"UPDATE {_table} SET {_column} = 100")
        except sqlite3.Error:
            pass
_book.commit()
'''),
    _write("spoils-a-neighbours-work", "change another submission", f'''
open("@COURSE@/submitted/victim/{SLUG}/value.py", "w").write("raise SystemExit")
'''),
    _write("replaces-the-secret", "choose the seed of its own grading",
           '\nopen("@COURSE@/secret", "w").write("0" * 64)\n'),
    _write("writes-its-own-report", "put a report in place of the judge's", '''
import os

os.makedirs("@COURSE@/reports/leaked-@NAME@", exist_ok=True)
open("@COURSE@/reports/leaked-@NAME@/evil.json", "w").write("CANARY 88 of 88")
'''),
    _write("plants-a-configuration", "have nbgrader run code of its own the next time", '''
open("@COURSE@/nbgrader_config.py", "a").write("\\n# CANARY planted\\n")
'''),
    _write("replaces-its-own-file", "be honest when it is looked at, and not when it is run", '''
open(__file__, "w").write("from utils.autograd_stub import Value\\n")
'''),
    _write("deletes-the-submissions", "leave nothing to grade", '''
import os

for _name in os.listdir("@COURSE@/submitted/victim/02-autograd-engine"):
    os.remove("@COURSE@/submitted/victim/02-autograd-engine/" + _name)
'''),
]
