"""The worker: the only process that runs learner code. It is told what to do and answers with plain data.

It reads requests from its standard input and writes replies to its standard output, each a JSON text behind its length
in 8 bytes. Before learner code is loaded both streams are moved aside, so nothing it prints can mix with a reply.
Standard library only, and self-contained: it runs as `python -I worker.py`, with nothing of ours imported.

The first request names the file to load; {"ready": true} is said before that. Each later request is a script: a list
of steps over numbered registers. An operand is a number, a string, a list of operands, {"r": k} for what register k
holds, or an array as `pack` makes it, as in reports: {"array": dtype, "shape": [...], "bytes": in C order, in base64}.

    ["new", out, x]                 out = Value(x)
    ["make", out, name, args]       out = module.name(*args)
    ["op", out, name, x, y]         out = x <op> y          (y is left out for a unary operator)
    ["call", out, x, method, args]  out = x.method(*args); an empty method name calls x itself
    ["backward", x]                 x.backward()
    ["get", x, attr]                report x.attr
    ["set", x, attr, y]             x.attr = y
    ["items", x, attr]              report [item.attr for item in x]
    ["setitems", x, attr, ys]       item.attr = y for each item of x
    ["list", out, xs]               out = [x, ...]
    ["only", out, x]                out = x[0] if x is a list or tuple of one, else x
    ["report", x]                   report x itself
    ["repeat", n, steps]            the steps, n times over
    ["collect"]                     free what nothing refers to any more, cycles too
    ["exec", source, names]         run source by itself (math and np at hand), report the named variables

For modules of functions and layers:
    ["let", out, x]                 out = x
    ["rng", out, seed]              out = numpy.random.default_rng(seed)
    ["invoke", out, x, method, args]    out = x.method(*args), whatever that is; an empty method name calls x itself
    ["name", out, name]             out = module.name
    ["fill", x, attr, array]        x.attr = array, in the shape that x.attr has; an error if that holds another one
    ["attr", out, x, attr]          out = x.attr
    ["item", out, x, k]             out = x[k]
    ["dict", out, keys, xs]         out = {key: x, ...}
    ["module", out, name, source]   out = a module made from its source, which must need no file
"""

import base64
import contextlib
import errno
import gc
import importlib.util
import json
import math
import operator
import os
import struct
import sys
import traceback
import types

OPERATORS = {
    "add": ("__add__", operator.add), "sub": ("__sub__", operator.sub), "mul": ("__mul__", operator.mul),
    "truediv": ("__truediv__", operator.truediv), "pow": ("__pow__", operator.pow), "neg": ("__neg__", operator.neg),
}
PLAIN = (type(None), bool, int, float, complex, str, bytes)
NUMBERS = "biuf"            # kinds of NumPy's dtypes that cross
LARGEST_ARRAY = 1 << 20     # entries, of an array that is reported
# Packages that differentiate: what one of them computed is not the learner's gradient.
WITHHELD = {"aesara", "algopy", "autograd", "casadi", "chainer", "jax", "jaxlib", "keras", "micrograd", "mxnet",
            "numdifftools", "paddle", "pytensor", "sympy", "tensorflow", "theano", "tinygrad", "torch"}


def withhold(name, path=None, target=None):
    """The finder that is asked first: it refuses the packages that learner code has to do without."""
    if name.partition(".")[0] in WITHHELD:
        raise ModuleNotFoundError(name + " is not available while a file is judged: its gradients are to be your own")


class Absent(Exception):
    """The learner's file has no such name; `what` says which."""

    def __init__(self, what):
        super().__init__(what)
        self.what = what


class LostNode(Exception):
    """An operation gave back something that is no node of the graph."""

    def __init__(self, what, got):
        super().__init__(what)
        self.what, self.got = what, got


class Misshapen(Exception):
    """An attribute holds something else than an array of the shape that the brief gives it."""


def pack(array):
    """A NumPy array of numbers as plain data: dtype, shape, bytes. Little-endian, C order."""
    array = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    return {"array": array.dtype.str, "shape": list(array.shape), "bytes": base64.b64encode(array.tobytes()).decode()}


def unpack(data):
    """A new array from what `pack` made. ValueError, TypeError or KeyError for other data."""
    import numpy
    if numpy.dtype(data["array"]).kind not in NUMBERS:
        raise ValueError("an array of numbers was expected, not " + str(data["array"])[:20])
    return numpy.frombuffer(base64.b64decode(data["bytes"]), data["array"]).reshape(data["shape"]).copy()


def is_array(x):
    return type(x).__module__ == "numpy" and getattr(x, "ndim", 0) > 0


def plain(x):
    """`x` as data that JSON can carry; what is no number, text or list is described, never serialised."""
    if type(x) in (int, float, bool, str, type(None)):
        return describe(x) if isinstance(x, int) and abs(x) > 10**300 else x
    if isinstance(x, float):
        return float.__float__(x)
    if isinstance(x, int):
        return int.__int__(x)
    if type(x) is getattr(sys.modules.get("fractions"), "Fraction", None):
        return plain(int.__truediv__(x.numerator, x.denominator))      # no arithmetic of the learner's
    if type(x).__module__ == "numpy" and getattr(x, "ndim", None) == 0:
        return plain(x.item())
    if is_array(x) and x.dtype.kind in NUMBERS and x.size <= LARGEST_ARRAY:
        return pack(x)
    if type(x) in (list, tuple):
        return [plain(item) for item in x]
    if type(x) is dict:
        return {str(key): plain(value) for key, value in x.items()}
    return describe(x)


def describe(x):
    text = ("a whole number of more than 300 digits" if isinstance(x, int) else
            f"an array of {x.dtype}, shape {x.shape}"[:80] if is_array(x) else safe_text(repr, x, 80))
    return {"other": class_name(x), "text": text}


def class_name(x):
    """The name of x's class, which learner code can neither hide nor make endless."""
    return type.__dict__["__name__"].__get__(type(x))[:80]


def safe_text(function, x, limit):
    """function(x), which may be the learner's own `__repr__` or `__str__`, cut to `limit` characters."""
    try:
        text = function(x)
        return str(text) if len(text) <= limit else str(text[:limit]) + " ..."
    except BaseException as error:
        return f"<a {class_name(x)} that cannot be printed: {class_name(error)}>"


class Machine:
    """Runs scripts on one loaded module."""
    do_collect = staticmethod(gc.collect)

    def __init__(self, module):
        self.module = module
        self.registers = {}
        self.reports = []
        self.position = 0

    def run(self, steps):
        """{"reports": [...], "error": None or what stopped the script and at which step}."""
        self.registers, self.reports, error = {}, [], None
        try:
            for self.position, step in enumerate(steps):
                self.step(step)
        except BaseException as problem:
            error = explain(problem, self.module) | {"step": self.position}
        self.registers = {}
        return {"reports": self.reports, "error": error}

    def step(self, step):
        getattr(self, "do_" + step[0])(*step[1:])

    def operand(self, x):
        if type(x) is dict:
            return self.registers[x["r"]] if "r" in x else unpack(x)
        if type(x) is list:
            return [self.operand(item) for item in x]
        return x

    @staticmethod
    def part(target, name):
        """target.name, or Absent."""
        if not hasattr(target, name):
            raise Absent(name)
        return getattr(target, name)

    def named(self, name):
        return self.part(self.module, name)

    def do_new(self, out, x):
        self.registers[out] = self.named("Value")(x)

    def do_make(self, out, name, args):
        self.registers[out] = self.named(name)(*self.operand(args))

    def do_op(self, out, name, *operands):
        dunder, function = OPERATORS[name]
        values = [self.operand(x) for x in operands]
        try:
            result = function(*values)
        except TypeError as error:
            if error.__traceback__.tb_next is None:     # raised by Python itself: no method took the operands
                raise Absent(dunder if type(values[0]) not in PLAIN else "__r" + dunder[2:]) from None
            raise
        own = getattr(self.module, "Value", None)
        if isinstance(own, type) and not (isinstance(result, own) or hasattr(result, "data")):
            raise LostNode(name, class_name(result))
        self.keep_node(out, result, name)

    def do_call(self, out, x, method, args):
        self.do_invoke(out, x, method, args)
        if method:
            self.keep_node(out, self.registers[out], method)

    def do_invoke(self, out, x, method, args):
        target = self.operand(x)
        self.registers[out] = (self.part(target, method) if method else target)(*self.operand(args))

    def do_name(self, out, name):
        self.registers[out] = self.named(name)

    def do_fill(self, x, attr, array):
        target, array = self.operand(x), self.operand(array)
        shape = getattr(self.part(target, attr), "shape", None)
        if shape is None or [n for n in shape if n != 1] != [n for n in array.shape if n != 1]:
            held = f"an array of shape {shape}" if type(shape) is tuple else f"a {type(getattr(target, attr)).__name__}"
            raise Misshapen(f"{attr} is {held}; expected shape {array.shape}")
        setattr(target, attr, array.reshape(shape))

    def do_let(self, out, x):
        self.registers[out] = self.operand(x)

    do_list = do_let

    def do_rng(self, out, seed):
        import numpy
        self.registers[out] = numpy.random.default_rng(seed)

    def do_attr(self, out, x, attr):
        self.registers[out] = self.part(self.operand(x), attr)

    def do_item(self, out, x, k):
        self.registers[out] = self.operand(x)[k]

    def do_dict(self, out, keys, xs):
        self.registers[out] = dict(zip(keys, self.operand(xs), strict=True))

    def do_module(self, out, name, source):
        module = types.ModuleType(name)
        exec(compile(source, f"<{name}>", "exec"), module.__dict__)
        self.registers[out] = module

    def keep_node(self, out, result, what):
        if type(result) in PLAIN or result is NotImplemented or type(result).__module__ == "numpy":
            raise LostNode(what, class_name(result))
        self.registers[out] = result

    def do_backward(self, x):
        self.part(self.operand(x), "backward")()

    def do_get(self, x, attr):
        self.reports.append(self.attribute(self.operand(x), attr))

    def do_items(self, x, attr):
        self.reports.append([self.attribute(item, attr) for item in self.operand(x)])

    @staticmethod
    def attribute(target, attr):
        if not hasattr(target, attr):
            return {"absent": attr}
        return plain(getattr(target, attr))

    def do_set(self, x, attr, y):
        setattr(self.operand(x), attr, self.operand(y))

    def do_setitems(self, x, attr, ys):
        for item, y in zip(self.operand(x), ys, strict=True):
            setattr(item, attr, y)

    def do_only(self, out, x):
        x = self.operand(x)
        self.registers[out] = x[0] if type(x) in (list, tuple) and len(x) == 1 else x

    def do_report(self, x):
        self.reports.append(plain(self.operand(x)))

    def do_repeat(self, count, steps):
        for _ in range(count):
            for step in steps:
                self.step(step)

    def do_exec(self, source, names):
        scope = {"math": math, "__name__": "answer"}
        if "np" in source:      # importing it takes longer than everything else here
            with contextlib.suppress(ImportError):
                scope["np"] = importlib.import_module("numpy")
        exec(compile(source, "<answer cell>", "exec"), scope)
        self.reports.append({name: plain(scope[name]) for name in names if name in scope})


def explain(problem, module):
    """What went wrong, as plain data: its kind, type and text, and where in the learner's file."""
    line, code = where(problem, getattr(module, "__file__", None))
    kinds = ((NotImplementedError, "not-written"), (Absent, "absent"), (LostNode, "lost-node"), (SystemExit, "exit"),
             (MemoryError, "memory"), (RecursionError, "recursion"), (SyntaxError, "syntax"), (Misshapen, "misshapen"))
    kind = next((name for cls, name in kinds if isinstance(problem, cls)), limit_hit(problem) or "raised")
    text = safe_text(lambda e: e.msg if kind == "syntax" and (code or "") in (e.text or "") else str(e), problem, 300)
    what = getattr(problem, "what", None) if kind in ("absent", "lost-node") else None
    return {"kind": kind, "type": class_name(problem), "text": text, "what": what,
            "got": problem.got if kind == "lost-node" else None, "line": line, "code": code}


def limit_hit(problem):
    """Which limit of the system an error tells of, or None."""
    if isinstance(problem, RuntimeError) and "can't start new thread" in safe_text(str, problem, 80):
        return "processes"
    number = getattr(problem, "errno", None) if isinstance(problem, OSError) else None
    return {errno.EAGAIN: "processes", errno.EMFILE: "files", errno.EFBIG: "output",
            errno.ENOSPC: "output"}.get(number) if type(number) is int else None


def where(problem, file):
    """(line number, source line) of the deepest frame in the learner's file, or (None, None)."""
    if isinstance(problem, SyntaxError) and problem.filename in (file, "<answer cell>"):
        return problem.lineno, safe_text(str.strip, problem.text or "", 120)
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__, limit=-50) if frame.filename == file]
    return (frames[-1].lineno, (frames[-1].line or "")[:120]) if frames else (None, None)


def load(file):
    """The module at `file`, registered under its own name; helpers beside it can be imported, but shadow nothing."""
    folder, name = os.path.dirname(os.path.abspath(file)), os.path.splitext(os.path.basename(file))[0]
    sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def limit_memory(size):
    """No more than `size` bytes of address space, where the system can promise that (the judge watches elsewhere)."""
    try:
        import resource
        size = min([size, *(limit for limit in resource.getrlimit(resource.RLIMIT_AS) if limit >= 0)])
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass


def channels():
    """(requests, replies): the two pipes to the judge, after putting the null device in their place."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    return requests, replies


def receive(stream):
    head = stream.read(8)
    return json.loads(stream.read(struct.unpack(">Q", head)[0])) if len(head) == 8 else None


def send(stream, reply):
    body = json.dumps(reply).encode()
    stream.write(struct.pack(">Q", len(body)) + body)
    stream.flush()


def main():
    sys.dont_write_bytecode = True
    requests, replies = channels()
    setting = receive(requests)
    for library in ("OPENBLAS", "OMP", "MKL"):      # one thread: the same sums everywhere, and memory within its limit
        os.environ[library + "_NUM_THREADS"] = "1"
    limit_memory(setting["memory"])
    gc.set_threshold(50_000, 20, 50)    # else most of the time of an engine with cycles in its graph goes into it
    sys.path[:] = [entry for entry in sys.path if entry not in setting["hide"]]
    for package in setting["uses"]:     # before learner code, so that their import is not on its account
        with contextlib.suppress(ImportError):      # the file will say which one it misses
            importlib.import_module(package)
    send(replies, {"ready": True})
    if not setting["uses"]:             # with one that differentiates at hand, nothing is gained by another
        sys.meta_path.insert(0, types.SimpleNamespace(find_spec=withhold))
    try:
        module, error = load(setting["file"]) if setting["file"] else None, None
    except BaseException as problem:
        module, error = None, explain(problem, type("Unloaded", (), {"__file__": setting["file"]}))
    send(replies, {"error": error, "stub": "utils.autograd_stub" in sys.modules})
    gc.freeze()     # "collect" looks at what scripts make, not at Python and the module
    machine = Machine(module)
    while (steps := receive(requests)) is not None:
        send(replies, machine.run(steps))


if __name__ == "__main__":
    main()
