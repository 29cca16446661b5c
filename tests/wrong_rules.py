"""Wrong engines with the names that fit them, first part: what goes wrong in the rule or the value of an operation.

The model answer and four other right engines, each spoiled in known ways. Written without a look at the judge's own
imitations (utils/judge/flawed.py): a test of those must not share their mistakes. tests/wrong_engines.py has the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.engines import changed
from tests.wrong_bases import BASES


@dataclass(frozen=True)
class Wrong:
    """A source, and the ids of which any names it rightly; a pair has two joined by "+", and both must be named.

    `note` is a word of the note that the source earns by itself, if any, `also` what to judge beside levels 1 and 2.
    """

    source: str
    ids: tuple[str, ...]
    note: str | None = None
    also: tuple[str, ...] = ()


WRONG: dict[str, Wrong] = {}


def spoiled(source: str, **lines: str) -> str:
    """`source` with the statement on each marked line replaced; a mark `exp.0` is written exp_0 here."""
    for name, new in lines.items():
        mark = name.replace("_", ".", 1)
        hits = [line for line in source.split("\n") if line.endswith(f"# {mark}")]
        if len(hits) != 1:
            raise ValueError(f"{len(hits)} lines are marked {mark!r}, expected one")
        indent = hits[0][:len(hits[0]) - len(hits[0].lstrip())]
        source = source.replace(hits[0], "\n".join(indent + line for line in new.split("\n")) if new else "", 1)
    return source


def wrong(name: str, source: str, *ids: str, note: str | None = None, also: tuple[str, ...] = ()) -> None:
    if name in WRONG:
        raise ValueError(f"two wrong engines are called {name!r}")
    WRONG[name] = Wrong(source, ids, note, also)


def patched(name: str, *changes: tuple[str, str], ids: str, note: str | None = None,
            also: tuple[str, ...] = ()) -> None:
    """The model answer with changes."""
    wrong(f"reference: {name}", changed(*changes), *ids.split(), note=note, also=also)


def variant(base: str, name: str, ids: str, *changes: tuple[str, str], note: str | None = None, **lines: str) -> None:
    """Another engine with changes, and then with marked lines replaced."""
    wrong(f"{base}: {name}", spoiled(changed(*changes, source=BASES[base]), **lines), *ids.split(), note=note)


RMUL = "        return self * other\n        # <<<\n\n    # Exercises 1.2"
ADD = "self.grad += 1.0 * out.grad\n            other.grad += 1.0 * out.grad"
MUL_SELF, MUL_OTHER = "self.grad += other.data * out.grad", "other.grad += self.data * out.grad"
RULES = {"pow": "self.grad += slope * out.grad", "relu": "self.grad += (1.0 if self.data > 0 else 0.0) * out.grad",
         "tanh": "self.grad += (1 - t * t) * out.grad", "exp": "self.grad += out.data * out.grad",
         "log": "self.grad += out.grad / self.data", "sigmoid": "self.grad += s * (1 - s) * out.grad"}

# G1, G2: `=` where `+=` belongs
patched("= in + and *", (ADD, ADD.replace("+=", "=")), (MUL_SELF, MUL_SELF.replace("+=", "=")),
        (MUL_OTHER, MUL_OTHER.replace("+=", "=")), ids="overwrites-add-mul overwrites-everywhere")
patched("= in +", (ADD, ADD.replace("+=", "=")), ids="overwrites-add")
patched("= in *", (MUL_SELF, MUL_SELF.replace("+=", "=")), (MUL_OTHER, MUL_OTHER.replace("+=", "=")),
        ids="overwrites-mul")
patched("= for the left of +", ("self.grad += 1.0 * out.grad", "self.grad = 1.0 * out.grad"), ids="overwrites-add-left")
patched("= for the right of +", ("other.grad += 1.0 * out.grad", "other.grad = 1.0 * out.grad"),
        ids="overwrites-add-right")
patched("= for the left of *", (MUL_SELF, MUL_SELF.replace("+=", "=")), ids="overwrites-mul-left")
patched("= for the right of *", (MUL_OTHER, MUL_OTHER.replace("+=", "=")), ids="overwrites-mul-right")
for op, line in RULES.items():
    patched(f"= in {op}", (line, line.replace("+=", "=")), ids=f"overwrites-{op}")
variant("explicit", "= in + and *", "overwrites-add-mul", add_0="self.grad = out.grad", add_1="other.grad = out.grad",
        mul_0="self.grad = other.data * out.grad", mul_1="other.grad = self.data * out.grad")
variant("explicit", "= in *", "overwrites-mul", mul_0="self.grad = other.data * out.grad",
        mul_1="other.grad = self.data * out.grad")
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
variant("dispatch", "= in + and *", "overwrites-add-mul", add_0="a.grad = g", add_1="b.grad = g",
        mul_0="a.grad = b.data * g", mul_1="b.grad = a.data * g")
variant("dispatch", "= in exp", "overwrites-exp", exp_0="a.grad = g * self.data")
variant("dispatch", "= in relu", "overwrites-relu", relu_0="a.grad = g if self.data > 0 else 0.0")
variant("dispatch", "= in log", "overwrites-log", log_0="a.grad = g / a.data")
variant("dispatch", "= for the left of *", "overwrites-mul-left", mul_0="a.grad = b.data * g")

# G3, W8: one share for one object
variant("stored", "shares in a dict by operand", "one-share-everywhere",
        init_prev="self._prev = list(dict.fromkeys(parents))",
        init_slopes="self._slopes = list(dict(zip(parents, slopes)).values())")
variant("dispatch", "shares in a dict for *", "one-share-mul", mul_1="",
        mul_0="for x, s in {a: b.data, b: a.data}.items(): x.grad += s * g")
variant("explicit", "shares in a dict for -", "one-share-sub", sub_0="",
        sub_1="for x, s in {self: 1, other: -1}.items(): x.grad += s * out.grad")
variant("explicit", "+ loops over the set of parents", "one-share-add",
        add_1="for p in out._prev: p.grad += out.grad", add_0="")
variant("explicit", "* unpacks the set of parents", "set-of-inputs-mul", mul_1="x, y = out._prev",
        mul_0="x.grad += y.data * out.grad\ny.grad += x.data * out.grad")
patched("+ unpacks the set of parents", (ADD, "first, second = set(out._prev); first.grad += out.grad; "
                                         "second.grad += out.grad"), ids="set-of-inputs-add")
variant("explicit", "+ and * unpack the set of parents", "set-of-inputs-everywhere", mul_1="x, y = out._prev",
        mul_0="x.grad += y.data * out.grad\ny.grad += x.data * out.grad", add_1="x, y = out._prev\nx.grad += out.grad",
        add_0="y.grad += out.grad")

# S1 to S5: minus and division
patched("2 - a turned", ("        return (-self) + other\n", "        return self - other\n"), ids="rsub-turned")
variant("explicit", "2 - a turned", "rsub-turned", rsub_return="return self - Value(other)")
variant("dispatch", "2 - a turned", "rsub-turned", rsub="def __rsub__(self, other): return self.__sub__(other)")
variant("stored", "2 - a turned", "rsub-turned", rsub="return Value(self.data - other, (self,), (1.0,))")
variant("stored", "2 - a: the sign of its gradient", "rsub-same-sign",
        rsub="return Value(other - self.data, (self,), (1.0,))")
patched("2 / a turned", ("        return self**-1 * other\n", "        return self / other\n"), ids="rtruediv-turned")
variant("explicit", "2 / a turned", "rtruediv-turned", rtruediv_return="return self / Value(other)")
variant("tape", "2 / a forgets the 2", "rtruediv-drops-number", rtruediv="return self**-1")
variant("tape", "a / b forgets b", "truediv-drops-operand", truediv="return self**-1")
patched("a / b multiplies", ("        return self * other**-1\n", "        return self * other\n"),
        ids="truediv-multiplies")
for op, known, loop in (("radd", "self + other", "other + self"), ("rsub", "(-self) + other", "other - self"),
                        ("rtruediv", "self**-1 * other", "other / self")):
    patched(f"{op} calls itself", (f"        return {known}\n", f"        return {loop}\n"), ids=f"calls-itself-{op}")
patched("rmul calls itself", (RMUL, RMUL.replace("self * other", "other * self")), ids="calls-itself-rmul")
variant("explicit", "2 - a calls itself", "calls-itself-rsub", rsub_return="return other - self")
variant("dispatch", "a - b calls itself", "calls-itself-sub", sub="def __sub__(self, other): return self - other")
patched("a - b turned", ("        return self + (-other)\n", "        return -self + other\n"), ids="sub-turned")
patched("a - b adds", ("        return self + (-other)\n", "        return self + other\n"), ids="sub-adds")
variant("explicit", "a - b: the sign of b's gradient", "sub-same-sign", sub_1="other.grad += out.grad")
variant("stored", "a - b: the sign of b's gradient", "sub-same-sign",
        sub="return Value(self.data - other.data, (self, other), (1.0, 1.0))")
variant("explicit", "a - b has no rule", "unattached-sub", sub_attach="")
patched("-a leaves the graph", ("        return self * -1.0\n", "        return Value(-self.data)\n"),
        ids="leaves-graph-neg")
variant("dispatch", "-a leaves the graph", "leaves-graph-neg", neg_out="def __neg__(self): return Value(-self.data)")
patched("-a is a number", ("        return self * -1.0\n", "        return self.data * -1\n"), ids="returns-number-neg")
variant("tape", "-a is a number", "returns-number-neg", neg="return -self.data")
variant("stored", "-a: the sign of its gradient", "neg-positive", neg="return Value(-self.data, (self,), (1.0,))")
variant("stored", "a / b: the sign of b's gradient", "truediv-sign",
        truediv="return Value(self.data / other.data, (self, other), (1 / other.data, self.data / other.data**2))")
variant("explicit", "a / b: b not squared", "truediv-not-squared",
        truediv_1="other.grad -= self.data / other.data * out.grad")

# L1: wrong local derivatives
patched("* with its own data", (MUL_SELF, "self.grad += self.data * out.grad"),
        (MUL_OTHER, "other.grad += other.data * out.grad"), ids="mul-own-data")
patched("* with the left data twice", (MUL_SELF, "self.grad += self.data * out.grad"), ids="mul-left-twice")
variant("tape", "* with its own data", "mul-own-data",
        mul="return Value(self.data * other.data, (self, other), lambda g: (g * self.data, g * other.data))")
variant("stored", "* as if it were +", "mul-like-add",
        mul="return Value(self.data * other.data, (self, other), (1, 1))")
patched("* reads grad", (MUL_OTHER, "other.grad += self.grad * out.grad"),
        (MUL_SELF, "self.grad += other.grad * out.grad"), ids="mul-reads-grad")
variant("explicit", "* reads grad", "mul-reads-grad", mul_1="other.grad += self.grad * out.grad",
        mul_0="self.grad += other.grad * out.grad")
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
        ("exp", "self.grad += 0.0", "unattached-exp"),
        ("tanh", "self.grad += (1 - t) * out.grad", "tanh-not-squared"),
        ("tanh", "self.grad += (1 - self.data**2) * out.grad", "tanh-of-input"),
        ("tanh", "self.grad += t * (1 - t) * out.grad", "tanh-like-sigmoid"),
        ("log", "self.grad += out.grad / out.data", "log-of-result"),
        ("sigmoid", "self.grad += s * out.grad", "sigmoid-half"),
        ("sigmoid", "self.grad += self.data * (1 - self.data) * out.grad", "sigmoid-of-input"),
        ("tanh", "self.grad += (1 - t * t) * out.data", "multiplies-by-data-tanh")):
    patched(f"{op}: {new}", (RULES[op], new), ids=ids)
SLOPE = "exponent * math.pow(self.data, exponent - 1) if"
patched("pow keeps the exponent", (SLOPE, SLOPE.replace(" - 1", "")), ids="pow-exponent-not-lowered")
patched("pow without its factor", (SLOPE, SLOPE.replace("exponent * ", "")), ids="pow-no-factor")
variant("dispatch", "pow keeps the exponent", "pow-exponent-not-lowered", pow_0="a.grad += n * self.data * g")
variant("stored", "exp of its input", "exp-of-input", exp="return Value(y, (self,), (self.data,))")
variant("tape", "exp of its input", "exp-of-input", exp="return Value(e, (self,), lambda g: (g * self.data,))")
variant("dispatch", "relu the wrong way round", "relu-inverted", relu_0="a.grad += 0.0 if self.data > 0 else g")
variant("tape", "tanh not squared", "tanh-not-squared", tanh="return Value(t, (self,), lambda g: (g * (1 - t),))")
variant("explicit", "sigmoid with one factor", "sigmoid-other-half", sigmoid_0="self.grad += (1 - s) * out.grad")
variant("stored", "log of its result", "log-of-result", log="y = log(self.data)\nreturn Value(y, (self,), (1 / y,))")

# L2: the upstream gradient dropped
for op, new in (("relu", "self.grad += 1.0 if self.data > 0 else 0.0"), ("tanh", "self.grad += 1 - t * t"),
                ("exp", "self.grad += out.data"), ("log", "self.grad += 1 / self.data"),
                ("sigmoid", "self.grad += s * (1 - s)"), ("pow", "self.grad += slope")):
    patched(f"{op} drops upstream", (RULES[op], new), ids=f"drops-upstream-{op}")
patched("+ drops upstream", (ADD, "self.grad += 1.0\n            other.grad += 1.0"), ids="drops-upstream-add")
patched("* drops upstream", (MUL_SELF, "self.grad += other.data"), (MUL_OTHER, "other.grad += self.data"),
        ids="drops-upstream-mul")
patched("the left of * drops upstream", (MUL_SELF, "self.grad += other.data"), ids="drops-upstream-mul-left")
variant("stored", "upstream dropped everywhere", "drops-upstream-everywhere", back_share="parent.grad += slope")
variant("tape", "upstream dropped in exp", "drops-upstream-exp", exp="return Value(e, (self,), lambda g: (e,))")
variant("dispatch", "upstream dropped in relu", "drops-upstream-relu", relu_0="a.grad += 1.0 if self.data > 0 else 0.0")
variant("explicit", "upstream dropped in + and *", "drops-upstream-add-mul", add_0="self.grad += 1",
        add_1="other.grad += 1", mul_0="self.grad += other.data", mul_1="other.grad += self.data")

# L3, and bodies that were copied
patched("sigmoid is tanh", ("        s = (1.0 if self.data >= 0 else e) / (1.0 + e)",
                            "        s = math.tanh(self.data)"),
        (RULES["sigmoid"], "self.grad += (1 - s * s) * out.grad"), ids="sigmoid-is-tanh")
variant("stored", "sigmoid is tanh", "sigmoid-is-tanh", sigmoid_value="y = tanh(self.data)",
        sigmoid="return Value(y, (self,), (1 - y * y,))")
patched("2 * a adds", (RMUL, RMUL.replace("*", "+")), ids="rmul-adds")
variant("stored", "2 * a adds", "rmul-adds", rmul="__rmul__ = __add__")
