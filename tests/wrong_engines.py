"""Wrong engines with the names that fit them: those of tests/wrong_rules.py and tests/wrong_spellings.py, and what goes
wrong around the rules.
"""

from __future__ import annotations

from tests.engines import REFERENCE
from tests.wrong_bases import BASES
from tests.wrong_rules import ADD, MUL_OTHER, MUL_SELF, RULES, patched, variant, wrong
from tests.wrong_spellings import WRONG

__all__ = ["WRONG"]

ATTACH = "\n        out._backward = _backward\n        return out\n"


def reattached(name: str, op: str, attach: str, ids: str, note: str | None = None) -> None:
    """The model answer with another ending of one operation."""
    patched(name, (RULES[op] + ATTACH, RULES[op] + attach), ids=ids, note=note)


def overwriting(line: str) -> tuple[str, str]:
    return line, line.replace("+=", "=")


# W1, W4: rules that never run, results that are not given back
reattached("exp not attached", "exp", "\n        return out\n", "unattached-exp", note="never used again")
reattached("relu not attached", "relu", "\n        return out\n", "unattached-relu", note="never used again")
reattached("exp attached under a misspelt name", "exp", "\n        out._backword = _backward\n        return out\n",
           "unattached-exp", note="_backword")
reattached("tanh attached as backward", "tanh", "\n        out.backward = _backward\n        return out\n",
           "unattached-tanh", note="hides the method")
reattached("exp attached inside itself", "exp", "\n            out._backward = _backward\n        return out\n",
           "unattached-exp", note="only inside itself")
reattached("exp calls its rule", "exp", "\n        out._backward = _backward()\n        return out\n",
           "rule-called-exp", note="calls the rule")
reattached("relu returns nothing", "relu", "\n        out._backward = _backward\n", "no-return-relu")
variant("explicit", "* not attached", "unattached-mul", mul_attach="", note="never used again")
variant("explicit", "sigmoid attached under a misspelt name", "unattached-sigmoid", note="backward_",
        sigmoid_attach="out.backward_ = _backward")
variant("tape", "relu has no function", "unattached-relu", relu="return Value(self.data * (self.data > 0), (self,))")
variant("stored", "exp has no parents", "leaves-graph-exp", exp="return Value(y)", note="new leaf")
variant("dispatch", "tanh is not in the rule", "unattached-tanh", tanh_0="pass")
variant("dispatch", "exp returns nothing", "no-return-exp",
        exp_out="def exp(self): Value(math.exp(self.data), 'exp', self)")
variant("explicit", "-a returns nothing", "no-return-neg", neg_return="")
patched("exp returns a number", ('        out = Value(math.exp(self.data), (self,), "exp")\n',
                                 "        return math.exp(self.data)\n"), ids="returns-number-exp")
patched("-a has a rule and no children", ("        return self * -1.0\n", """\
        out = Value(-self.data)
        def _backward():
            self.grad -= out.grad
        out._backward = _backward
        return out
"""), ids="no-children-neg", also=("3.1",))
patched("exp has a rule and no children", ('(math.exp(self.data), (self,), "exp")', "(math.exp(self.data))"),
        ids="no-children-exp")

# W2, W3: seeds, and walks that do not start
patched("no seed", ("        self.grad = 1.0\n", ""), ids="seed-missing")
variant("explicit", "no seed", "seed-missing", back_seed="")
variant("tape", "seed in a local name", "seed-missing", back_seed="grad = 1.0")
patched("seed 2", ("        self.grad = 1.0\n", "        self.grad = 2.0\n"), ids="seed-not-one")
variant("stored", "seed 2", "seed-not-one", back_seed="self.grad = 2.0")
variant("explicit", "backward hidden by an attribute", "backward-hidden", note="hides the method",
        init_rule="self.backward = self._backward = lambda: None")
patched("walk not started", ("        visit(self)\n", ""), ids="walk-not-started", note="only inside itself")
variant("explicit", "rules named but not called", "walk-not-started", back_rule="node._backward")
patched("only the root's rule", ("        for node in reversed(order):\n            node._backward()",
                                 "        self._backward()"), ids="only-the-root")
patched("not reversed", ("in reversed(order)", "in order"), ids="only-the-root")
variant("explicit", "not reversed", "only-the-root", back_walk="for node in topo:")
variant("tape", "oldest first", "only-the-root", back_walk="for k in sorted(nodes):")

# T1 to T5: the order of the walk
SEEN = "            if node in seen:\n                return\n            seen.add(node)\n"
PARENTS = "            for parent in node._prev:\n                visit(parent)\n"
APPEND = "            order.append(node)  # after all its parents: reversed, every node comes before them\n"
patched("append outside the test", (SEEN + PARENTS, """\
            if node not in seen:
                seen.add(node)
                for parent in node._prev:
                    visit(parent)
"""), ids="nodes-twice")
variant("explicit", "append outside the test", "nodes-twice",
        ("                topo.append(v)", "            topo.append(v)"))
variant("stored", "a node is pushed twice", "nodes-twice", back_pop="node = stack[-1][0]",
        back_done="if id(node) in seen:", back_append="order.append(stack.pop()[0])", back_test="else:", back_again="")
patched("before its parents", (PARENTS + APPEND, "            order.append(node)\n" + PARENTS),
        ("in reversed(order)", "in order"), ids="depth-first-order")
variant("stored", "a stack's order", "depth-first-order", back_done="if id(node) in seen:", back_append="continue",
        back_test="else:", back_add="seen.add(id(node))\norder.append(node)", back_again="",
        back_walk="for node in order:")
variant("explicit", "before its parents, from a set", "depth-first-order", back_add="visited.add(v)\ntopo.append(v)",
        back_append="pass", back_walk="for node in topo:")
variant("dispatch", "breadth first", "breadth-first-order", ("                uses[p] -= 1\n", ""),
        back_pop="node = ready.pop(0)", back_ready="if uses.pop(p, None) is not None:")
variant("stored", "breadth first", "breadth-first-order", back_pop="node, done = stack.pop(0)", back_append="pass",
        back_again="order.append(node)", back_walk="for node in order:")
patched("no visited set", (SEEN, ""), ids="no-visited-set")
variant("explicit", "visited stays empty", "no-visited-set", back_add="")
WALK = "        order, seen = [], set()\n" + REFERENCE.split("        order, seen = [], set()\n")[1].split("        # <<<")[0]
patched("micrograd's first version", (WALK, """\
        self.grad = self.grad or 1.0
        self.spread()

    def spread(self):
        self._backward()
        for p in self._prev:
            p.spread()
"""), ids="no-visited-set")
patched("every call seeds", (WALK, """\
        self.grad = 1.0
        self._backward()
        for p in self._prev:
            p.backward()
"""), ids="seeds-every-node")
for name, passed_on, id in (("all of grad", "self.grad", "recursive-accumulated"), ("each share", "g", "every-path")):
    head = BASES["stored"][:BASES["stored"].index("    def backward(self):")]
    wrong(f"stored: {name} down every path", head + f"""\
    def backward(self, g=1.0):
        self.grad += g
        for parent, slope in zip(self._prev, self._slopes):
            parent.backward(slope * {passed_on})
""", id)

# E1: equality
patched("equal by data", ("    # Worked example\n", """\
    def __eq__(self, o):
        return self.data == o.data

    def __hash__(self):
        return hash(self.data)

    # Worked example
"""), ids="equal-by-value")
variant("explicit", "seen by data", "equal-by-value", back_test="if v.data not in visited:",
        back_add="visited.add(v.data)")
variant("stored", "equal by what it is made of", "equal-by-value every-path", ("    @staticmethod\n", """\
    def __repr__(self):
        return f'({self.data} {self._prev})'

    @staticmethod
"""), back_test="elif repr(node) not in seen:", back_add="seen.add(repr(node))")

# P1, P2: exponents
patched("Value exponent without a gradient", ("        if not isinstance(exponent, (int, float)):\n", """\
        exponent = getattr(exponent, 'data', exponent)
        if not isinstance(exponent, (int, float)):
"""), ids="pow-silent-exponent")
variant("explicit", "Value exponent without a gradient", "pow-silent-exponent",
        pow_guard="n = n.data if isinstance(n, Value) else n")
patched("pow always takes log", (RULES["pow"], RULES["pow"] + "\n            math.log(self.data)"),
        ids="pow-always-takes-log")
variant("stored", "pow always takes log", "pow-always-takes-log", pow_guard="if True:\n    n = Value.wrap(n)")
variant("explicit", "pow by exp and log", "pow-always-takes-log",
        pow_out="out = Value(math.exp(n * math.log(self.data)), (self,), 'pow')")

# N1 to N4: overflow and padding
TANH = "        t = math.tanh(self.data)  # the quotient of exponentials overflows near a = 355\n"
TWO_EXPS = "        t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)\n"
SIGMOID = """\
        e = math.exp(-abs(self.data))  # in (0, 1]: never overflows
        s = (1.0 if self.data >= 0 else e) / (1.0 + e)
"""
patched("tanh of exp(2x)", (TANH, TWO_EXPS), ids="tanh-overflows")
patched("tanh of exp(x) and exp(-x)", (TANH, """\
        up, down = math.exp(self.data), math.exp(-self.data)
        t = (up - down) / (up + down)
"""), ids="tanh-overflows")
patched("tanh of nodes", (TANH, "        return ((self * 2).exp() - 1) / ((self * 2).exp() + 1)\n        t = 0.0\n"),
        ids="tanh-overflows")
variant("stored", "tanh by NumPy", "tanh-overflows",
        tanh_value="import numpy as np\ne = np.exp(2 * self.data)\ny = float((e - 1) / (e + 1))")
variant("tape", "tanh of nodes", "tanh-overflows", tanh_value="e = (2 * self).exp()\nreturn (e - 1) / (e + 1)\nt = 0.0")
patched("sigmoid overflows", (SIGMOID, "        s = 1 / (1 + math.exp(-self.data))\n"), ids="sigmoid-overflows")
variant("tape", "sigmoid of nodes", "sigmoid-overflows", sigmoid_value="return 1 / (1 + (-self).exp())\ns = 0.0")
variant("stored", "sigmoid = exp / (1 + exp)", "sigmoid-overflows",
        sigmoid_value="y = exp(self.data) / (1 + exp(self.data))")
patched("log padded by 1e-6", ("Value(math.log(self.data),", "Value(math.log(self.data + 1e-6),"), ids="log-padded")
variant("stored", "log padded by 1e-12", "log-padded",
        log="x = self.data + 1e-12\nreturn Value(log(x), (self,), (1 / x,))")

# C1: numbers that are not made Values
COERCE = "        other = other if isinstance(other, Value) else Value(other)\n"
for sign, op in (("+", "add"), ("*", "mul")):
    line = f"        out = Value(self.data {sign} other.data"
    patched(f"{sign} does not coerce", (COERCE + line, line), ids=f"uncoerced-{op}")
variant("explicit", "+ and * do not coerce", "uncoerced-everywhere", add_coerce="", mul_coerce="")
variant("tape", "+ does not coerce", "uncoerced-add", add_coerce="")
variant("explicit", "/ does not coerce", "uncoerced-truediv", truediv_coerce="")

# O1: a step inside backward
patched("backward takes a step", ("            node._backward()", "            node._backward()\n"
                                  "            node.data -= 0.01 * node.grad"), ids="updates-in-backward")
variant("tape", "backward takes a step", "updates-in-backward", back_if="n.data -= 0.1 * n.grad\nif n.vjp:")

# W5, W6, W9: told by the source
patched("rsub misspelt", ("def __rsub__", "def _rsub_"), ids="", note="`__rsub__`")
variant("explicit", "division of Python 2", "", ("def __truediv__", "def __div__"), note="`__truediv__`")
variant("explicit", "radd twice", "radd-subtracts", ("    def __rsub__", """\
    def __radd__(self, other):
        return self - other

    def __rsub__"""), note="second time")
patched("a name that is nowhere", (RULES["tanh"], "self.grad += (1 - tt * tt) * out.grad"), ids="", note="`t`")
patched("math not imported", ("import math\nimport random", "import random"), ids="", note="import math")

# Pairs that occur together
RSUB = ("        return (-self) + other\n", "        return self - other\n")
patched("+ and * overwrite, 2 - a turned", overwriting(ADD), overwriting(MUL_SELF), overwriting(MUL_OTHER), RSUB,
        ids="overwrites-add-mul+rsub-turned")
variant("explicit", "+ overwrites, depth first", "overwrites-add+depth-first-order", add_0="self.grad = out.grad",
        add_1="other.grad = out.grad", init_prev="self._prev = tuple(_children)",
        back_add="visited.add(v)\ntopo.append(v)", back_append="pass", back_walk="for node in topo:")
patched("2 - a and 2 / a turned", RSUB, ("        return self**-1 * other\n", "        return self / other\n"),
        ids="rsub-turned+rtruediv-turned")
patched("exp overwrites, tanh overflows", overwriting(RULES["exp"]), (TANH, TWO_EXPS),
        ids="overwrites-exp+tanh-overflows")
variant("dispatch", "relu overwrites, tanh drops upstream", "overwrites-relu+drops-upstream-tanh",
        relu_0="a.grad = g if self.data > 0 else 0.0", tanh_0="a.grad += 1 - self.data**2")
