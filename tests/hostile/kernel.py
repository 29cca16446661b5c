"""Attacks on the kernel that runs the notebook: what it claims must not count, and must not hurt the page."""

from __future__ import annotations

from tests.hostile.sample import LEAK, Sample

SHELL = "ip = get_ipython()\n"


def _cell(name: str, must_not: str, *cells: str, **more) -> Sample:
    return Sample(name, "input transformers and hooks", must_not, cells=cells, **more)


SAMPLES = [
    _cell("turns-cells-into-pass", "have every later cell do nothing",
          SHELL + "ip.input_transformers_post.append(lambda lines: ['pass\\n'])"),
    _cell("turns-cells-into-full-marks", "have every later cell end with the points it is worth",
          SHELL + "ip.input_transformers_cleanup.append(lambda lines: ['100.0\\n'])"),
    _cell("replaces-run-cell", "have cells run by its own function",
          SHELL + "from IPython.core.interactiveshell import ExecutionResult, ExecutionInfo\n"
          "def run(self, *a, **k):\n    return ExecutionResult(ExecutionInfo('', False, False, True, None))\n"
          "type(ip).run_cell = run\ntype(ip).run_cell_async = None"),
    _cell("drops-assertions", "take the assertions out of the syntax tree",
          SHELL + "import ast\nclass Drop(ast.NodeTransformer):\n"
          "    def visit_Assert(self, node):\n        return ast.Pass()\n"
          "    def visit_Raise(self, node):\n        return ast.Pass()\nip.ast_transformers.append(Drop())"),
    _cell("swallows-exceptions", "hide every error from the grader",
          SHELL + "ip.set_custom_exc((BaseException,), lambda *a, **k: None)\nip.showtraceback = lambda *a, **k: None"),
    _cell("answers-for-the-kernel", "reply `ok` to every request",
          SHELL + "async def ok(self, *a, **k):\n"
          "    return {'status': 'ok', 'execution_count': 1, 'user_expressions': {}, 'payload': []}\n"
          "type(ip.kernel).do_execute = ok"),
    _cell("runs-before-every-cell", "set its own results before each cell",
          SHELL + "def before(*a):\n    ip.user_ns['check'] = lambda *a, **k: 100\n"
          "ip.events.register('pre_run_cell', before)"),
    _cell("redefines-check", "have `check` report full marks",
          "import sys, types\nfake = types.ModuleType('utils.notebook')\nfake.check = lambda *a, **k: 100\n"
          "fake.hint = fake.draw = fake.check\nsys.modules['utils.notebook'] = fake\ncheck = fake.check"),
    _cell("displays-its-own-verdict", "have HTML of its own taken for the judge's verdict, and run a script",
          "from IPython.display import HTML, Javascript, display\n"
          "display(HTML('<b>88 of 88 points</b><script>fetch(\"http://127.0.0.1:@PORT@/@NAME@\")</script>'\n"
          "             '<img src=\"http://127.0.0.1:@PORT@/@NAME@\">'))\n"
          "display(Javascript('fetch(\"http://127.0.0.1:@PORT@/@NAME@\")'))"),
    _cell("prints-full-marks", "have the last expression of a cell taken for points",
          SHELL + "import sys\nsys.displayhook = lambda x: print(100.0)\nip.displayhook.compute_format_data = "
          "lambda *a, **k: ({'text/plain': '100.0'}, {})"),
    _cell("reads-from-the-notebook", "read the secret, the gradebook and a neighbour's work from the kernel",
          LEAK + "try:\n    _leak(open('@COURSE@/secret', 'rb').read())\nexcept (OSError, RuntimeError) as problem:\n"
          "    print(problem)\n_leak(open('@COURSE@/submitted/victim/02-autograd-engine/value.py', 'rb').read())"),
    _cell("writes-from-the-notebook", "change the gradebook from the kernel",
          "import sqlite3\nbook = sqlite3.connect('@COURSE@/upstream.db', timeout=1)\n"
          "book.execute('UPDATE grade SET auto_score = 100')\nbook.commit()"),
    _cell("shell-from-the-notebook", "read and leave a process by shell commands",
          "!grep -a -o 'CANARY[^\"]*' @COURSE@/upstream.db @COURSE@/secret\n"
          "!(sleep 120; : leftover-of-@RUN@-@NAME@) &\n%system cat @COURSE@/secret"),
    _cell("kernel-exits", "stop the batch with a kernel that dies", "import os\nos._exit(0)"),
    _cell("kernel-restarts-itself", "lose the grader's connection",
          SHELL + "import os, sys\nip.kernel.shell_stream = None\n"
          "os.execv(sys.executable, [sys.executable, '-c', 'pass'])"),
    _cell("prints-without-end", "fill memory and disk by output",
          "for _ in range(2_000_000):\n    print('x' * 100)", slow=True),
    _cell("never-ends", "keep the grader waiting", "while True:\n    pass", slow=True),
    _cell("asks-for-input", "keep the grader waiting for an answer", "input('your password? ')"),
    _cell("skips-the-tests-in-value-py", "have the module that is imported change the notebook's kernel",
          "import value", module='''
try:
    _ip = get_ipython()
    _ip.input_transformers_post.append(lambda lines: ["pass\\n"])
except NameError:
    pass
'''),
]
