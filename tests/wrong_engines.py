"""Wrong engines with the names that fit them: the model answer and four other right engines, each spoiled in known ways.

Written without a look at the judge's own imitations (utils/judge/flawed.py): a test of those must not share their mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.engines import REFERENCE, changed
from tests.wrong_bases import BASES, spoiled


@dataclass(frozen=True)
class Wrong:
    """A source, the ids of which any names it rightly, and a word of the note that the source earns by itself, if any.

    A pair has its ids joined by "+": each may be named where it shows, and at least one of each must be.
    """

    source: str
    ids: tuple[str, ...]
    note: str | None = None


WRONG: dict[str, Wrong] = {}


def wrong(name: str, source: str, *ids: str, note: str | None = None) -> None:
    if name in WRONG:
        raise ValueError(f"two wrong engines are called {name!r}")
    WRONG[name] = Wrong(source, ids, note)


def patched(name: str, *changes: tuple[str, str], ids: str, note: str | None = None) -> None:
    """The model answer with changes."""
    wrong(f"reference: {name}", changed(*changes), *ids.split(), note=note)


def variant(base: str, name: str, ids: str, *changes: tuple[str, str], note: str | None = None, **lines: str) -> None:
    """Another engine with changes, and then with marked lines replaced."""
    wrong(f"{base}: {name}", spoiled(changed(*changes, source=BASES[base]), **lines), *ids.split(), note=note)


ADD = "self.grad += 1.0 * out.grad\n            other.grad += 1.0 * out.grad"
MUL_SELF, MUL_OTHER = "self.grad += other.data * out.grad", "other.grad += self.data * out.grad"
ATTACH = "        out._backward = _backward\n        return out\n"
RULES = {"pow": "self.grad += slope * out.grad", "relu": "self.grad += (1.0 if self.data > 0 else 0.0) * out.grad",
         "tanh": "self.grad += (1 - t * t) * out.grad", "exp": "self.grad += out.data * out.grad",
         "log": "self.grad += out.grad / self.data", "sigmoid": "self.grad += s * (1 - s) * out.grad"}

# G1, G2: `=` where `+=` belongs
patched("= in + and *", (ADD, ADD.replace("+=", "=")), (MUL_SELF, MUL_SELF.replace("+=", "=")),
        (MUL_OTHER, MUL_OTHER.replace("+=", "=")), ids="overwrites-add-mul overwrites-everywhere")
patched("= in +", (ADD, ADD.replace("+=", "=")), ids="overwrites-add")
patched("= in *", (MUL_SELF, MUL_SELF.replace("+=", "=")), (MUL_OTHER, MUL_OTHER.replace("+=", "=")), ids="overwrites-mul")
patched("= for the left of +", ("self.grad += 1.0 * out.grad", "self.grad = 1.0 * out.grad"), ids="overwrites-add-left")
patched("= for the right of +", ("other.grad += 1.0 * out.grad", "other.grad = 1.0 * out.grad"), ids="overwrites-add-right")
patched("= for the left of *", (MUL_SELF, MUL_SELF.replace("+=", "=")), ids="overwrites-mul-left")
patched("= for the right of *", (MUL_OTHER, MUL_OTHER.replace("+=", "=")), ids="overwrites-mul-right")
for op, line in RULES.items():
    patched(f"= in {op}", (line, line.replace("+=", "=")), ids=f"overwrites-{op}")
variant("explicit", "= in + and *", "overwrites-add-mul", add_0="self.grad = out.grad", add_1="other.grad = out.grad",
        mul_0="self.grad = other.data * out.grad", mul_1="other.grad = self.data * out.grad")
variant("explicit", "= in *", "overwrites-mul", mul_0="self.grad = other.data * out.grad", mul_1="other.grad = self.data * out.grad")
variant("explicit", "= for the left of +", "overwrites-add-left", add_0="self.grad = out.grad")
variant("explicit", "= for the right of *", "overwrites-mul-right", mul_1="other.grad = self.data * out.grad")
variant("explicit", "= in -", "overwrites-sub", sub_0="self.grad = out.grad", sub_1="other.grad = -out.grad")
variant("explicit", "= in /", "overwrites-truediv", truediv_0="self.grad = 1 / other.data * out.grad",
        truediv_1="other.grad = -self.data / other.data**2 * out.grad")
variant("explicit", "= for the right of -", "overwrites-sub-right", sub_1="other.grad = -out.grad")
variant("explicit", "= in neg", "overwrites-neg", neg_0="self.grad = -out.grad")
variant("explicit", "= in pow", "overwrites-pow", pow_0="self.grad = n * self.data ** (n - 1) * out.grad")
variant("explicit", "= in tanh", "overwrites-tanh", tanh_0="self.grad = (1 - t**2) * out.grad")
variant("explicit", "= in sigmoid", "overwrites-sigmoid", sigmoid_0="self.grad = s * (1 - s) * out.grad")
variant("stored", "= everywhere", "overwrites-everywhere", back_share="parent.grad = slope * node.grad")
variant("tape", "= everywhere", "overwrites-everywhere", back_share="p.grad = g")
variant("dispatch", "= in + and *", "overwrites-add-mul", add_0="a.grad = g", add_1="b.grad = g", mul_0="a.grad = b.data * g",
        mul_1="b.grad = a.data * g")
variant("dispatch", "= in exp", "overwrites-exp", exp_0="a.grad = g * self.data")
variant("dispatch", "= in relu", "overwrites-relu", relu_0="a.grad = g if self.data > 0 else 0.0")
variant("dispatch", "= in log", "overwrites-log", log_0="a.grad = g / a.data")
variant("dispatch", "= for the left of *", "overwrites-mul-left", mul_0="a.grad = b.data * g")

# G3, W8: one share for one object
variant("stored", "shares in a dict by operand", "one-share-everywhere", init_prev="self._prev = list(dict.fromkeys(parents))",
        init_slopes="self._slopes = list(dict(zip(parents, slopes)).values())")
variant("dispatch", "shares in a dict for *", "one-share-mul", mul_0="for x, s in {a: b.data, b: a.data}.items(): x.grad += s * g",
        mul_1="")
variant("explicit", "shares in a dict for -", "one-share-sub", sub_1="for x, s in {self: 1, other: -1}.items(): x.grad += s * out.grad",
        sub_0="")
variant("explicit", "+ loops over the set of parents", "one-share-add", add_1="for p in out._prev: p.grad += out.grad", add_0="")
variant("explicit", "* unpacks the set of parents", "set-of-inputs-mul", mul_1="x, y = out._prev", mul_0="x.grad += y.data * out.grad\n"
        "y.grad += x.data * out.grad")
patched("+ unpacks the set of parents", (ADD, "first, second = set(out._prev)\n            first.grad += out.grad\n"
                                         "            second.grad += out.grad"), ids="set-of-inputs-add")
variant("explicit", "+ and * unpack the set of parents", "set-of-inputs-everywhere", mul_1="x, y = out._prev",
        mul_0="x.grad += y.data * out.grad\ny.grad += x.data * out.grad", add_1="x, y = out._prev\nx.grad += out.grad",
        add_0="y.grad += out.grad")

# S1 to S5: minus and division
patched("2 - a turned", ("        return (-self) + other\n", "        return self - other\n"), ids="rsub-turned")
variant("explicit", "2 - a turned", "rsub-turned", rsub_return="return self - Value(other)")
variant("dispatch", "2 - a turned", "rsub-turned", rsub="def __rsub__(self, other): return self.__sub__(other)")
variant("stored", "2 - a turned", "rsub-turned", rsub="return Value(self.data - other, (self,), (1.0,))")
variant("stored", "2 - a: the sign of its gradient", "rsub-same-sign negates-rsub", rsub="return Value(other - self.data, (self,), (1.0,))")
patched("2 / a turned", ("        return self**-1 * other\n", "        return self / other\n"), ids="rtruediv-turned")
variant("explicit", "2 / a turned", "rtruediv-turned", rtruediv_return="return self / Value(other)")
variant("tape", "2 / a forgets the 2", "rtruediv-drops-number", rtruediv="return self**-1")
variant("tape", "a / b forgets b", "truediv-drops-operand", truediv="return self**-1")
patched("a / b multiplies", ("        return self * other**-1\n", "        return self * other\n"), ids="truediv-multiplies")
for op, body in (("radd", "other + self"), ("rmul", "other * self"), ("rsub", "other - self"), ("rtruediv", "other / self")):
    known = {"radd": "        return self + other\n", "rmul": "        return self * other\n        # <<<\n\n    # Exercises 1.2",
             "rsub": "        return (-self) + other\n", "rtruediv": "        return self**-1 * other\n"}[op]
    patched(f"{op} calls itself", (known, known.replace(known.split("return ")[1].split("\n")[0], body)), ids=f"calls-itself-{op}")
variant("explicit", "2 - a calls itself", "calls-itself-rsub", rsub_return="return other - self")
variant("dispatch", "a - b calls itself", "calls-itself-sub", sub="def __sub__(self, other): return self - other")
patched("a - b turned", ("        return self + (-other)\n", "        return -self + other\n"), ids="sub-turned")
patched("a - b adds", ("        return self + (-other)\n", "        return self + other\n"), ids="sub-adds")
variant("explicit", "a - b: the sign of b's gradient", "sub-same-sign", sub_1="other.grad += out.grad")
variant("stored", "a - b: the sign of b's gradient", "sub-same-sign", sub="return Value(self.data - other.data, (self, other), (1.0, 1.0))")
variant("explicit", "a - b has no rule", "unattached-sub", sub_attach="")
patched("-a leaves the graph", ("        return self * -1.0\n", "        return Value(-self.data)\n"), ids="leaves-graph-neg")
variant("explicit", "-a leaves the graph", "leaves-graph-neg unattached-neg", neg_out="out = Value(-self.data)")
variant("dispatch", "-a leaves the graph", "leaves-graph-neg", neg_out="def __neg__(self): return Value(-self.data)")
patched("-a is a number", ("        return self * -1.0\n", "        return self.data * -1\n"), ids="returns-number-neg")
variant("tape", "-a is a number", "returns-number-neg", neg="return -self.data")
variant("stored", "-a: the sign of its gradient", "neg-positive negates-neg", neg="return Value(-self.data, (self,), (1.0,))")
variant("stored", "a / b: the sign of b's gradient", "truediv-sign",
        truediv="return Value(self.data / other.data, (self, other), (1 / other.data, self.data / other.data**2))")
variant("explicit", "a / b: b not squared", "truediv-not-squared", truediv_1="other.grad -= self.data / other.data * out.grad")

# L1: wrong local derivatives
patched("* with its own data", (MUL_SELF, "self.grad += self.data * out.grad"), (MUL_OTHER, "other.grad += other.data * out.grad"),
        ids="mul-own-data")
patched("* with the left data twice", (MUL_SELF, "self.grad += self.data * out.grad"), ids="mul-left-twice")
variant("tape", "* with its own data", "mul-own-data",
        mul="return Value(self.data * other.data, (self, other), lambda g: (g * self.data, g * other.data))")
variant("stored", "* as if it were +", "mul-like-add", mul="return Value(self.data * other.data, (self, other), (1, 1))")
patched("* reads grad", (MUL_OTHER, "other.grad += self.grad * out.grad"), (MUL_SELF, "self.grad += other.grad * out.grad"),
        ids="mul-reads-grad")
variant("explicit", "* reads grad", "mul-reads-grad", mul_1="other.grad += self.grad * out.grad", mul_0="self.grad += other.grad * out.grad")
patched("* forgets the right", (f"            {MUL_OTHER}\n", ""), ids="mul-right-missing")
variant("dispatch", "+ forgets the left", "add-left-missing", add_0="")
for op, new, ids in (
        ("relu", "self.grad += (0.0 if self.data > 0 else 1.0) * out.grad", "relu-inverted"),
        ("relu", "self.grad += self.data * (self.data > 0) * out.grad", "relu-passes-data"),
        ("relu", "self.grad += out.grad", "relu-always"),
        ("exp", "self.grad += self.data * out.grad", "exp-of-input"),
        ("exp", "self.grad += math.exp(out.data) * out.grad", "exp-twice"),
        ("exp", "self.grad += out.data + out.grad", "adds-upstream-exp"),
        ("exp", "self.grad += self.data * math.exp(self.data - 1) * out.grad", "exp-like-power"),
        ("exp", "self.grad += 0.0", "exp-gradient-missing unattached-exp"),
        ("tanh", "self.grad += (1 - t) * out.grad", "tanh-not-squared"),
        ("tanh", "self.grad += (1 - self.data**2) * out.grad", "tanh-of-input"),
        ("tanh", "self.grad += t * (1 - t) * out.grad", "tanh-like-sigmoid"),
        ("log", "self.grad += out.grad / out.data", "log-of-result"),
        ("sigmoid", "self.grad += s * out.grad", "sigmoid-half"),
        ("sigmoid", "self.grad += self.data * (1 - self.data) * out.grad", "sigmoid-of-input"),
        ("tanh", "self.grad += (1 - t * t) * out.data", "multiplies-by-data-tanh")):
    patched(f"{op}: {new}", (RULES[op], new), ids=ids)
patched("pow keeps the exponent", ("exponent * math.pow(self.data, exponent - 1) if", "exponent * math.pow(self.data, exponent) if"),
        ids="pow-exponent-not-lowered")
patched("pow without its factor", ("exponent * math.pow(self.data, exponent - 1) if", "math.pow(self.data, exponent - 1) if"),
        ids="pow-no-factor")
variant("dispatch", "pow keeps the exponent", "pow-exponent-not-lowered", pow_0="a.grad += n * self.data * g")
variant("stored", "exp of its input", "exp-of-input", exp="return Value(y, (self,), (self.data,))")
variant("tape", "exp of its input", "exp-of-input", exp="return Value(e, (self,), lambda g: (g * self.data,))")
variant("dispatch", "relu the wrong way round", "relu-inverted", relu_0="a.grad += 0.0 if self.data > 0 else g")
variant("tape", "tanh not squared", "tanh-not-squared", tanh="return Value(t, (self,), lambda g: (g * (1 - t),))")
variant("explicit", "sigmoid with one factor", "sigmoid-other-half", sigmoid_0="self.grad += (1 - s) * out.grad")
variant("stored", "log of its result", "log-of-result", log="y = log(self.data)\nreturn Value(y, (self,), (1 / y,))")

# L2: the upstream gradient dropped
for op, new in (("relu", "self.grad += 1.0 if self.data > 0 else 0.0"), ("tanh", "self.grad += 1 - t * t"), ("exp", "self.grad += out.data"),
                ("log", "self.grad += 1 / self.data"), ("sigmoid", "self.grad += s * (1 - s)"), ("pow", "self.grad += slope")):
    patched(f"{op} drops upstream", (RULES[op], new), ids=f"drops-upstream-{op}")
patched("+ drops upstream", (ADD, "self.grad += 1.0\n            other.grad += 1.0"), ids="drops-upstream-add")
patched("* drops upstream", (MUL_SELF, "self.grad += other.data"), (MUL_OTHER, "other.grad += self.data"), ids="drops-upstream-mul")
patched("the left of * drops upstream", (MUL_SELF, "self.grad += other.data"), ids="drops-upstream-mul-left")
variant("stored", "upstream dropped everywhere", "drops-upstream-everywhere", back_share="parent.grad += slope")
variant("tape", "upstream dropped in exp", "drops-upstream-exp", exp="return Value(e, (self,), lambda g: (e,))")
variant("dispatch", "upstream dropped in relu", "drops-upstream-relu", relu_0="a.grad += 1.0 if self.data > 0 else 0.0")
variant("explicit", "upstream dropped in + and *", "drops-upstream-add-mul", add_0="self.grad += 1", add_1="other.grad += 1",
        mul_0="self.grad += other.data", mul_1="other.grad += self.data")

# L3, and bodies that were copied
patched("sigmoid is tanh", ("        s = (1.0 if self.data >= 0 else e) / (1.0 + e)", "        s = math.tanh(self.data)"),
        (RULES["sigmoid"], "self.grad += (1 - s * s) * out.grad"), ids="sigmoid-is-tanh")
variant("stored", "sigmoid is tanh", "sigmoid-is-tanh", sigmoid_value="y = tanh(self.data)", sigmoid="return Value(y, (self,), (1 - y * y,))")
patched("2 * a adds", ("        return self * other\n        # <<<\n\n    # Exercises 1.2", "        return self + other\n        # <<<\n\n    # Exercises 1.2"),
        ids="rmul-adds")
variant("stored", "2 * a adds", "rmul-adds", rmul="__rmul__ = __add__")

# W1 to W4, W8: rules that never run, seeds, shadows, returns
for op, before in (("exp", "self.grad += out.data * out.grad\n"), ("relu", RULES["relu"] + "\n"), ("log", RULES["log"] + "\n")):
    patched(f"{op} not attached", (before + ATTACH, before + "        return out\n"), ids=f"unattached-{op}", note="never used again")
patched("exp attached under a misspelt name", (RULES["exp"] + "\n" + ATTACH, RULES["exp"] + "\n" + ATTACH.replace("_backward =", "_backword =")),
        ids="unattached-exp", note="_backword")
patched("tanh attached as backward", (RULES["tanh"] + "\n" + ATTACH, RULES["tanh"] + "\n" + ATTACH.replace("out._backward", "out.backward")),
        ids="unattached-tanh", note="hides the method")
patched("exp attached inside itself", (RULES["exp"] + "\n" + ATTACH, RULES["exp"] + "\n    " + ATTACH.replace("\n        return", "\n        return")),
        ids="unattached-exp", note="only inside itself")
patched("exp calls its rule", (RULES["exp"] + "\n" + ATTACH, RULES["exp"] + "\n" + ATTACH.replace("= _backward\n", "= _backward()\n")),
        ids="rule-called-exp", note="calls the rule")
variant("explicit", "* not attached", "unattached-mul", mul_attach="")
variant("explicit", "sigmoid attached under a misspelt name", "unattached-sigmoid", sigmoid_attach="out.backward_ = _backward")
variant("tape", "relu has no function", "unattached-relu", relu="return Value(self.data * (self.data > 0), (self,))")
variant("stored", "exp has no parents", "leaves-graph-exp unattached-exp", exp="return Value(y)")
variant("dispatch", "tanh is not in the rule", "unattached-tanh", tanh_0="pass")
patched("no seed", ("        self.grad = 1.0\n", ""), ids="seed-missing")
variant("explicit", "no seed", "seed-missing", back_seed="")
variant("tape", "seed on a copy", "seed-missing", back_seed="grad = 1.0")
patched("seed 2", ("        self.grad = 1.0\n", "        self.grad = 2.0\n"), ids="seed-not-one")
patched("walk not started", ("        visit(self)\n", ""), ids="walk-not-started")
variant("explicit", "walk not started", "walk-not-started", back_start="")
variant("explicit", "rules named but not called", "walk-not-started", back_rule="node._backward")
patched("only the root's rule", ("        for node in reversed(order):\n            node._backward()", "        self._backward()"), ids="only-the-root")
patched("not reversed", ("in reversed(order)", "in order"), ids="only-the-root")
variant("explicit", "not reversed", "only-the-root", back_walk="for node in topo:")
variant("tape", "oldest first", "only-the-root", back_walk="for k in sorted(nodes):")
variant("explicit", "backward hidden by an attribute", "backward-hidden", init_rule="self.backward = self._backward = lambda: None",
        note="hides the method")
variant("dispatch", "exp returns nothing", "no-return-exp", exp_out="def exp(self): Value(math.exp(self.data), 'exp', self)")
patched("relu returns nothing", (RULES["relu"] + "\n" + ATTACH, RULES["relu"] + "\n" + ATTACH.replace("        return out\n", "")), ids="no-return-relu")
variant("explicit", "-a returns nothing", "no-return-neg", neg_return="")
patched("exp returns a number", ('        out = Value(math.exp(self.data), (self,), "exp")\n', "        return math.exp(self.data)\n"),
        ids="returns-number-exp")

# T1 to T5: the walk
patched("append outside the test", ("            if node in seen:\n                return\n            seen.add(node)\n"
        "            for parent in node._prev:\n                visit(parent)\n", "            if node not in seen:\n                seen.add(node)\n"
        "                for parent in node._prev:\n                    visit(parent)\n"), ids="nodes-twice")
variant("explicit", "append outside the test", "nodes-twice", ("                topo.append(v)", "            topo.append(v)"))
variant("stored", "a node is pushed twice", "nodes-twice", back_done="if id(node) in seen:", back_pop="node = stack[-1][0]",
        back_append="order.append(stack.pop()[0])", back_test="else:", back_again="")
patched("before its parents", ("            for parent in node._prev:\n                visit(parent)\n            order.append(node)  # after all its parents: reversed, every node comes before them\n",
                               "            order.append(node)\n            for parent in node._prev:\n                visit(parent)\n"),
        ("in reversed(order)", "in order"), ids="depth-first-order")
variant("stored", "a stack's order", "depth-first-order", back_done="if id(node) in seen:", back_append="continue", back_test="else:",
        back_add="seen.add(id(node))\norder.append(node)", back_again="", back_walk="for node in order:")
variant("dispatch", "breadth first", "breadth-first-order", ("                uses[p] -= 1\n", ""), back_pop="node = ready.pop(0)",
        back_ready="if uses.pop(p, None) is not None:")
variant("stored", "breadth first", "breadth-first-order", back_pop="node, done = stack.pop(0)", back_append="pass", back_again="order.append(node)",
        back_walk="for node in order:")
VISITS = REFERENCE[REFERENCE.index("        order, seen = [], set()\n"):REFERENCE.index("        # <<<\n\n    # Exercise 2.1\n    def __neg__")]
patched("micrograd's first version", (VISITS, "        self.grad = self.grad or 1.0\n        self._walk()\n\n    def _walk(self):\n        self._backward()\n"
                                      "        for p in self._prev:\n            p._walk()\n"), ids="recursive-accumulated")
STORED_WALK = BASES["stored"][BASES["stored"].index("    def backward(self):"):]
wrong("stored: all of grad down every path", BASES["stored"].replace(STORED_WALK, '''    def backward(self, g=1.0):
        self.grad += g
        for parent, slope in zip(self._prev, self._slopes):
            parent.backward(slope * self.grad)
'''), "recursive-accumulated")
wrong("stored: each share down its path", BASES["stored"].replace(STORED_WALK, '''    def backward(self, g=1.0):
        self.grad += g
        for parent, slope in zip(self._prev, self._slopes):
            parent.backward(slope * g)
'''), "every-path")
patched("every call seeds", (VISITS, "        self.grad = 1.0\n        self._backward()\n        for p in self._prev:\n            p.backward()\n"),
        ids="seeds-every-node")
variant("explicit", "visited stays empty", "no-visited-set", back_add="")
patched("no visited set", ("            if node in seen:\n                return\n            seen.add(node)\n", ""), ids="no-visited-set")

# E1, P1, P2, N1 to N4, C1, O1
EQUAL = "    def __eq__(self, o):\n        return self.data == o.data\n\n    def __hash__(self):\n        return hash(self.data)\n\n"
patched("equal by data", ("    # Worked example\n", EQUAL + "    # Worked example\n"), ids="equal-by-value")
variant("explicit", "seen by data", "equal-by-value", back_test="if v.data not in visited:", back_add="visited.add(v.data)")
variant("stored", "equal by what it is made of", "equal-by-value", ("    @staticmethod\n", "    def __repr__(self):\n"
        "        return f'({self.data} {self._prev})'\n\n    @staticmethod\n"), back_test="elif repr(node) not in seen:",
        back_add="seen.add(repr(node))")
patched("Value exponent without a gradient", ("        if not isinstance(exponent, (int, float)):\n",
        "        exponent = getattr(exponent, 'data', exponent)\n        if not isinstance(exponent, (int, float)):\n"), ids="pow-silent-exponent")
variant("explicit", "Value exponent without a gradient", "pow-silent-exponent", pow_guard="n = n.data if isinstance(n, Value) else n")
patched("pow always takes log", (RULES["pow"], "self.grad += slope * out.grad\n            math.log(self.data)"), ids="pow-always-takes-log")
variant("stored", "pow always takes log", "pow-always-takes-log", pow_guard="if True:\n    n = Value.wrap(n)")
variant("explicit", "pow by exp and log", "pow-always-takes-log", pow_out="out = Value(math.exp(n * math.log(self.data)), (self,), 'pow')")
TANH = "        t = math.tanh(self.data)  # the quotient of exponentials overflows near a = 355\n"
for text in ("(math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)",
             "(math.exp(self.data) - math.exp(-self.data)) / (math.exp(self.data) + math.exp(-self.data))"):
    patched(f"tanh = {text}", (TANH, f"        t = {text}\n"), ids="tanh-overflows")
patched("tanh of nodes", (TANH, "        return ((self * 2).exp() - 1) / ((self * 2).exp() + 1)\n        t = 0.0\n"), ids="tanh-overflows")
variant("stored", "tanh by NumPy", "tanh-overflows", tanh_value="import numpy as np\ne = np.exp(2 * self.data)\ny = float((e - 1) / (e + 1))")
variant("tape", "tanh of nodes", "tanh-overflows", tanh_value="e = (2 * self).exp()\nreturn (e - 1) / (e + 1)\nt = 0.0")
SIGMOID = "        e = math.exp(-abs(self.data))  # in (0, 1]: never overflows\n        s = (1.0 if self.data >= 0 else e) / (1.0 + e)\n"
patched("sigmoid overflows", (SIGMOID, "        s = 1 / (1 + math.exp(-self.data))\n"), ids="sigmoid-overflows")
variant("tape", "sigmoid of nodes", "sigmoid-overflows", sigmoid_value="return 1 / (1 + (-self).exp())\ns = 0.0")
variant("stored", "sigmoid = exp / (1 + exp)", "sigmoid-overflows", sigmoid_value="y = exp(self.data) / (1 + exp(self.data))")
patched("log padded by 1e-6", ("Value(math.log(self.data),", "Value(math.log(self.data + 1e-6),"), ids="log-padded")
variant("stored", "log padded by 1e-12", "log-padded", log="return Value(log(self.data + 1e-12), (self,), (1 / (self.data + 1e-12),))")
COERCE = "        other = other if isinstance(other, Value) else Value(other)\n"
patched("+ does not coerce", (COERCE + "        out = Value(self.data + other.data", "        out = Value(self.data + other.data"), ids="uncoerced-add")
patched("* does not coerce", (COERCE + "        out = Value(self.data * other.data", "        out = Value(self.data * other.data"), ids="uncoerced-mul")
variant("explicit", "+ and * do not coerce", "uncoerced-everywhere", add_coerce="", mul_coerce="")
variant("tape", "+ does not coerce", "uncoerced-add", add_coerce="")
variant("explicit", "/ does not coerce", "uncoerced-truediv", truediv_coerce="")
patched("backward takes a step", ("            node._backward()", "            node._backward()\n            node.data -= 0.01 * node.grad"), ids="updates-in-backward")
variant("tape", "backward takes a step", "updates-in-backward", back_if="n.data -= 0.1 * n.grad\nif n.vjp:")

# W5, W6, W9, T6: told by the source
patched("rsub misspelt", ("def __rsub__", "def _rsub_"), ids="", note="`__rsub__`")
variant("explicit", "division of Python 2", "", ("def __truediv__", "def __div__"), note="`__truediv__`")
variant("explicit", "radd twice", "radd-subtracts", ("    def __rsub__", "    def __radd__(self, other):\n        return self - other\n\n"
        "    def __rsub__"), note="second time")
patched("a name that is nowhere", ("self.grad += (1 - t * t) * out.grad", "self.grad += (1 - tt * tt) * out.grad"), ids="", note="`t`")
patched("math not imported", ("import math\nimport random", "import random"), ids="", note="import math")

# Pairs that occur together
patched("+ and * overwrite, 2 - a turned", (ADD, ADD.replace("+=", "=")), (MUL_SELF, MUL_SELF.replace("+=", "=")),
        (MUL_OTHER, MUL_OTHER.replace("+=", "=")), ("        return (-self) + other\n", "        return self - other\n"), ids="overwrites-add-mul+rsub-turned")
variant("explicit", "+ overwrites, depth first", "overwrites-add+depth-first-order overwrites-add-mul+depth-first-order",
        add_0="self.grad = out.grad", add_1="other.grad = out.grad", init_prev="self._prev = tuple(_children)",
        back_add="visited.add(v)\ntopo.append(v)", back_append="pass", back_walk="for node in topo:")
patched("2 - a and 2 / a turned", ("        return (-self) + other\n", "        return self - other\n"),
        ("        return self**-1 * other\n", "        return self / other\n"), ids="rsub-turned+rtruediv-turned")
patched("exp overwrites, tanh overflows", (RULES["exp"], RULES["exp"].replace("+=", "=")), (TANH, "        t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)\n"),
        ids="overwrites-exp+tanh-overflows")
variant("dispatch", "relu overwrites, tanh drops upstream", "overwrites-relu+drops-upstream-tanh", relu_0="a.grad = g if self.data > 0 else 0.0",
        tanh_0="a.grad += 1 - self.data**2")
