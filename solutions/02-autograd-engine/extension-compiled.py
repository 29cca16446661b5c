"""Extension: a compiler in a hundred lines. It traces a program, differentiates the trace, and writes Python source.

The levels pay for every operation again in every step: a node is made, found, walked and freed. But a network does the
same operations every time. So run it once on symbols that write down what happens to them, derive the backward pass in
the same symbols, drop what no result needs, print the rest as Python, and let Python compile it. After that there is
no graph at all, only arithmetic on local variables.

>>> step = compile_gradient(lambda parameters, row: (parameters[0] * row[0] - row[1]) ** 2, parameters=1, columns=2)
>>> print(step.source)
def step(parameters, rows):
    p0, = parameters
    g0 = total = 0.0
    for x0, x1, in rows:
        t4 = (p0 * x0) - x1
        total += (t4 * t4)
        g0 += ((t4 + t4) * x0)
    return total, [g0, ]
>>> step([2.0], [(1.0, 5.0), (3.0, 4.0)])
(13.0, [6.0])

Since the backward pass is made of the same symbols as the forward pass, it can be differentiated once more.

>>> compile_derivative(lambda x: x**4, order=2)(2.0)
48.0

What it costs: a trace is one path. A function that looks at its numbers, as in `if x > 0`, cannot be traced, and one
whose loop depends on the data needs a trace for each length. Source for a large graph takes seconds to compile. And
0 * x becomes 0, also where x would have been infinite: compilers call that fast maths.
"""

import math
from itertools import groupby

DEEPEST = 20  # nested parentheses in an expression; Python's parser stops at 200


def _sigmoid(x):
    e = math.exp(-abs(x))  # in (0, 1]: never overflows
    return (1.0 if x >= 0 else e) / (1.0 + e)


BUILT_IN = {"tanh": math.tanh, "exp": math.exp, "log": math.log, "power": math.pow, "sigmoid": _sigmoid,
            "inf": math.inf, "nan": math.nan}

RULES = {  # source of the forward                 what g, the gradient of the result y, becomes for each operand
    "+":       ("{} + {}",                         lambda g, y, a, b: g,            lambda g, y, a, b: g),
    "-":       ("{} - {}",                         lambda g, y, a, b: g,            lambda g, y, a, b: -g),
    "*":       ("{} * {}",                         lambda g, y, a, b: g * b,        lambda g, y, a, b: g * a),
    "/":       ("{} / {}",                         lambda g, y, a, b: g / b,        lambda g, y, a, b: -g * y / b),
    "neg":     ("-{}",                             lambda g, y, a: -g),
    "power":   ("power({}, {})",                   lambda g, y, a, n: g * (n * a ** (n - 1)),  None),
    "tanh":    ("tanh({})",                        lambda g, y, a: g * (1.0 - y * y)),
    "exp":     ("exp({})",                         lambda g, y, a: g * y),
    "log":     ("log({})",                         lambda g, y, a: g / a),
    "sigmoid": ("sigmoid({})",                     lambda g, y, a: g * (y * (1.0 - y))),
    # a where c > 0, else 0: relu(a) is a where a > 0
    "where":   ("({0} if {1} > 0.0 else 0.0)",     lambda g, y, a, c: _where(g, c), None),
}


class Symbol:
    """One line of a trace: an operation on earlier lines and numbers. It has `Value`'s operations and no data."""

    def __init__(self, tape, op, args=()):
        self.tape, self.op, self.args, self.index = tape, op, args, len(tape)
        tape.append(self)  # in the order of creation: operands first

    def __add__(self, other): return self if _is(other, 0) else self._line("+", self, other)
    def __radd__(self, other): return self if _is(other, 0) else self._line("+", other, self)
    def __sub__(self, other): return self if _is(other, 0) else self._line("-", self, other)
    def __rsub__(self, other): return -self if _is(other, 0) else self._line("-", other, self)
    def __truediv__(self, other): return self if _is(other, 1) else self._line("/", self, other)
    def __rtruediv__(self, other): return 0.0 if _is(other, 0) else self._line("/", other, self)
    def __rmul__(self, other): return self * other
    def __neg__(self): return self._line("neg", self)
    def relu(self): return _where(self, self)
    def tanh(self): return self._line("tanh", self)
    def exp(self): return self._line("exp", self)
    def log(self): return self._line("log", self)
    def sigmoid(self): return self._line("sigmoid", self)

    def __mul__(self, other):
        if _is(other, 0):
            return 0.0
        if _is(other, 2):
            return self + self
        return self if _is(other, 1) else self._line("*", self, other)

    def __pow__(self, n):
        if not isinstance(n, (int, float)):
            raise TypeError(f"the exponent must be an int or a float, not {type(n).__name__}; "
                            "for a Symbol b write (b * a.log()).exp()")
        short = {0: 1.0, 1: self, 2: self * self} if n in (0, 1, 2) else {}
        return short[n] if short else self._line("power", self, n)

    def __bool__(self):
        raise TypeError("a trace has no numbers to decide by: compile the branches as functions of their own, "
                        "or write the choice with relu()")

    def _line(self, op, *args):
        for x in args:
            if not isinstance(x, (Symbol, int, float)):
                raise TypeError(f"expected a number or a Symbol beside {op}, got {x!r}")
        return Symbol(self.tape, op, args)


def _is(x, number):
    return isinstance(x, (int, float)) and x == number


def _where(a, condition):
    return 0.0 if _is(a, 0) else Symbol(condition.tape, "where", (a, condition))


def gradients(root, leaves):
    """d(root)/d(leaf) for each leaf, as Symbols (or numbers): the backward pass, written down and not run."""
    if not isinstance(root, Symbol):
        return [0.0] * len(leaves)  # a number depends on nothing
    tape = root.tape[: root.index + 1]
    needed = set(leaves)
    for symbol in tape:
        if not needed.isdisjoint(symbol.args):
            needed.add(symbol)
    shares = {root: 1.0}
    for symbol in reversed(tape):
        if symbol in shares and symbol.args:
            g = shares.pop(symbol)
            for x, rule in zip(symbol.args, RULES[symbol.op][1:], strict=True):
                if rule and x in needed:
                    shares[x] = shares.get(x, 0.0) + rule(g, symbol, *symbol.args)
    return [shares.get(leaf, 0.0) for leaf in leaves]


def lines(outputs, names):
    """(statements, {symbol: its expression}) of what the outputs need; what is used once stands where it is used."""
    tape = next((out.tape for out in outputs if isinstance(out, Symbol)), [])
    uses = dict.fromkeys(tape, 0)
    for out in outputs:
        if isinstance(out, Symbol):
            uses[out] += 1
    for symbol in reversed(tape):
        if uses[symbol]:
            for x in symbol.args:
                if isinstance(x, Symbol):
                    uses[x] += 1
    text, depth, statements = dict(names), dict.fromkeys(names, 0), []
    for symbol in tape:
        if uses[symbol] and symbol.args:
            source = RULES[symbol.op][0].format(*(_source(x, text) for x in symbol.args))
            depth[symbol] = 1 + max(depth.get(x, 0) for x in symbol.args)
            if uses[symbol] == 1 and depth[symbol] < DEEPEST:
                text[symbol] = f"({source})"
            else:
                text[symbol], depth[symbol] = f"t{symbol.index}", 0
                statements.append(f"{text[symbol]} = {source}")
    return statements, text


def _source(x, text):
    return text.get(x) or _number(x)


def _number(x):
    return repr(float(x)) if x >= 0 else f"({float(x)!r})"


def _function(source, name):
    namespace = dict(BUILT_IN)
    exec(compile(source, f"<compiled {name}>", "exec"), namespace)
    namespace[name].source = source
    return namespace[name]


def compile_gradient(f, parameters, columns):
    """A function (numbers, rows) -> (the sum of f(numbers, row) over the rows, the list of its derivatives).

    `f` takes a list of `parameters` Symbols and one of `columns`, an example; it returns one Symbol. The function's
    attribute `source` is its text. Raises TypeError where f does what cannot be traced.
    """
    tape = []
    p, x = ([Symbol(tape, kind) for _ in range(n)] for kind, n in (("p", parameters), ("x", columns)))
    names = {symbol: f"{symbol.op}{i}" for symbols in (p, x) for i, symbol in enumerate(symbols)}
    root = f(p, x)
    shares = gradients(root, p)
    statements, text = lines([root, *shares], names)
    body = [*statements, f"total += {_source(root, text)}", *_additions(shares, text)]
    often = [*(names[symbol] for symbol in x), *(line.partition(" = ")[0] for line in statements)]
    return _function("\n".join([
        "def step(parameters, rows):",
        *_named_first(often, parameters),
        f"    {''.join(names[symbol] + ', ' for symbol in p)}= parameters",
        f"    {''.join(f'g{i} = ' for i in range(parameters))}total = 0.0",
        f"    for {''.join(names[symbol] + ', ' for symbol in x)}in rows:",
        *(f"        {line}" for line in body),
        f"    return total, [{''.join(f'g{i}, ' for i in range(parameters))}]",
    ]), "step")


def _additions(shares, text):
    """The lines that add to the gradients; those that multiply by what a relu sends are skipped where that is 0."""
    def switch(item):
        share = item[1]
        factors = share.args if isinstance(share, Symbol) and share.op == "*" else (share,)
        names = [text[x] for x in factors if isinstance(x, Symbol) and x.op == "where"]
        return next((name for name in names if name.isidentifier()), "")

    for name, group in groupby(enumerate(shares), switch):
        if name:
            yield f"if {name}:"
        indent = "    " if name else ""
        yield from (f"{indent}g{i} += {_source(share, text)}" for i, share in group if not _is(share, 0))


def _named_first(names, parameters):
    """In large programs, a line that names what is read most often.

    Python reaches the first 256 variables of a function with one instruction, and the others with two.
    """
    return [f"    {' = '.join(names)} = 0.0"] if len(names) + 2 * parameters > 256 else []


def compile_derivative(f, order=1):
    """The derivative of that order of a function of one number, as a function of one number: backward of backward."""
    x = Symbol([], "x")
    out = f(x)
    for _ in range(order):
        (out,) = gradients(out, [x])
    statements, text = lines([out], {x: "x"})
    return _function("\n".join(["def derivative(x):", *(f"    {line}" for line in statements),
                                f"    return {_source(out, text)}"]), "derivative")


def compile_hessian(f, size):
    """A function of `size` numbers -> the matrix of second derivatives of f, which takes a list of Symbols."""
    tape = []
    x = [Symbol(tape, "x") for _ in range(size)]
    entries = [second for first in gradients(f(x), x) for second in gradients(first, x)]
    names = {symbol: f"x{i}" for i, symbol in enumerate(x)}
    statements, text = lines(entries, names)
    results = [_source(entry, text) for entry in entries]
    rows = [", ".join(results[i * size : (i + 1) * size]) for i in range(size)]
    return _function("\n".join([
        f"def hessian({', '.join(names.values())}):", *(f"    {line}" for line in statements),
        f"    return [{', '.join(f'[{row}]' for row in rows)}]",
    ]), "hessian")
