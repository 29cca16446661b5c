# %% [markdown]
# # Build your own autograd engine
#
# **Do.** Write a class `Value` whose numbers remember where they came from; write `backward()`, which turns that
# memory into gradients; add the operations of a network; train one on it.
#
# **Learn.** Give each operation its local rule. Say, from numbers you saw go wrong, why gradients add up and in which
# order a graph must be walked. Find a wrong gradient with nothing but forward values.
#
# **Need.** Python classes and closures, the chain rule (`math-refresh.ipynb`), the picture of a graph
# (`intuition.ipynb`). About three hours; the exercises marked *extension* can wait.

# %% [markdown]
# ## How to work
#
# You write in **`value.py`**, the file beside this notebook; open it in a second tab. Here you read, predict, look at
# your graphs and run checks. Every exercise goes the same way: predict, write, **save**, play, check.
#
# Run this cell first, and again after every restart of the kernel.

# %%
from contextlib import contextmanager

from utils.fresh import follow
from utils.notebook import check, hint, status
from utils.stepper import step
from utils.visualization import draw
from value import Value

follow("value")

# %% [markdown]
# The last line loads `value.py` anew before a cell, whenever you have saved it since. Two things to know:
#
# - **Nodes keep the rules they were born with.** A graph built before you edited `value.py` still runs the old code.
#   Run the cell that builds it again.
# - **`check` judges the file on disk**, in a process of its own. So save first. If something looks older than it
#   should, choose *Kernel > Restart Kernel* and run the cell above. The same helps when a cell of your own code hangs:
#   a check never does.
#
# Some cells below use code you have not written yet. They begin with `with yours():` and then say so in one line.

# %%
@contextmanager
def yours():
    """For cells that run your code: one line where it is not written yet."""
    try:
        yield
    except NotImplementedError as missing:
        print("Not written yet:", missing)

# %% [markdown]
# ### Stuck? Four doors, in this order
#
# 1. **The message of the failing check.** It holds the smallest program that shows the fault, your number and the
#    expected one. Paste that program into a cell and look. Not enough? Go to 2.
# 2. **The hint ladder.** `hint("1.1")` shows the first hint of exercise 1.1; run it again for the next, more concrete
#    one. The playing cells end with that line; take away its `#`. Ladder climbed? Go to 3.
# 3. **Your own graph, seen.** `draw(root)` shows every value, its gradient and its edges. `step(root)` plays your
#    backward pass, one contribution at a time, and marks the first that is not what calculus says; `step(check("1.3"))`
#    does so with the failing program of a check. Still dark after three hours? Go to 4.
# 4. **The escape hatch.** `from utils.autograd_stub import Value`, written into `value.py` below your own class, is a
#    complete engine. Go on with it, without shame: the topic is marked *borrowed* and earns its points once your own
#    engine passes. On another day, take the line out and come back to door 1.

# %% [markdown]
# # Level 1: A tree, a diamond, a gradient
#
# Here is a function of two numbers. How much does it change when `x` does? Push `x` a little and see.
#
# **Predict** the result before you run the cell.

# %%
def f(x, y):
    return x * y + x

h = 0.001
(f(2.0 + h, 3.0) - f(2.0, 3.0)) / h

# %% [markdown]
# About 4: near this point, `f` moves four times as much as `x`. That number is the derivative of `f` with respect to
# `x`. We had to run `f` twice to get it for one input. Your `Value` will run `f` once and then hand you the
# derivative for *every* input, without pushing anything.

# %% [markdown]
# ### 1.1 Forward: values and the graph (15 minutes)
#
# **Worked example.** Addition is complete in your `value.py`. Read it; every other operation has the same four beats.
#
# ```python
#     def __add__(self, other):
#         """a + b; local derivatives: 1 for a and 1 for b."""
#         other = other if isinstance(other, Value) else Value(other)
#         out = Value(self.data + other.data, (self, other), "+")
#         def _backward():
#             self.grad += 1.0 * out.grad
#             other.grad += 1.0 * out.grad
#         out._backward = _backward
#         return out
# ```
#
# 1. **Coerce.** In `a + 3` the 3 becomes a `Value`, so that the lines below need to know one type only.
# 2. **Build `out`.** The sum, and with it the two *parents* it was made of. Those are the edges of the graph. `"+"`
#    is there for drawings.
# 3. **Write the local rule.** `out.grad` will say how much the final result moves when `out` does: the *upstream
#    gradient*. Each parent gets it times a *local derivative*, which is 1 here: push `self` by a little, and `out`
#    moves by as much.
# 4. **Attach and return.** `out._backward = _backward`, without parentheses. The rule is stored and not run: nobody
#    knows `out.grad` yet.

# %% [markdown]
# **Predict** the `data` and the `grad` of `c`, and how many arrows lead to it. Then run.

# %%
a = Value(2.0, label="a")
b = Value(-3.5, label="b")
c = a + b
c.label = "c"
draw(c)

# %% [markdown]
# A gradient is 0 until a backward pass has run.
#
# **Yours.** `a + 1.0` works. `1.0 + a` does not: the float does not know how to add a `Value`, so Python asks the
# right operand, through `a.__radd__(1.0)`. Write `__radd__` and `__rmul__` in `value.py`. Save, play, check.

# %% try="1.1"
with yours():
    a = Value(2.0, label="a")
    display(draw(3.0 * (1.0 + a)))

# hint("1.1")

# %% check="1.1"
check("1.1")

# %% [markdown]
# ### 1.2 Backward through a tree (15 minutes)
#
# **The rule of a product.** With `x = 2` and `y = 3`, push `x` by 0.001: `x * y` goes from 6 to 6.003. It moves three
# times as much. The local derivative for `x` is the *other* factor, `y`.
#
# **Half-written.** `__mul__` holds the share of the right factor. Write the share of the left one.

# %% [markdown]
# **The walk.** Think of `L = (a * b + c) * d`, where nothing is used twice: a *tree*.
#
# - `L.grad` is 1. How much does `L` move when `L` moves? By as much. That is the *seed*.
# - Run `L`'s rule. Now the gradients of its two parents are known. Run *their* rules, and so on to the leaves.
#
# Write a first `backward()` that does this. The shortest one that works on a tree will do, and it is meant to be
# short: exercise 1.4 breaks it, and you will see how.

# %% [markdown]
# **Predict** on paper, with `a = 2`, `b = 3`, `c = -4`, `d = 5`: `L`, and the gradients of `d`, `c`, `b`, `a`.

# %% try="1.2"
with yours():
    a, b, c, d = (Value(x, label=name) for name, x in [("a", 2.0), ("b", 3.0), ("c", -4.0), ("d", 5.0)])
    L = (a * b + c) * d
    L.label = "L"
    L.backward()
    display(draw(L))

# hint("1.2")

# %% [markdown]
# <details><summary>The numbers</summary>
#
# `L` is 10. `d.grad` is 2, the other factor. `c.grad` is 5, `a.grad` is 5 · 3 = 15 and `b.grad` is 5 · 2 = 10: the
# upstream gradient 5, times the local derivative.
# </details>

# %% check="1.2"
check("1.2")

# %% [markdown]
# ### 1.3 A value used twice (10 minutes)
#
# Before you go on, watch someone else fail. This toy can only add. Its rule looks right: each parent's gradient is
# the upstream gradient.

# %%
class Careless:
    """A number that can add, and whose rule assigns."""

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents

    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other))

    def rule(self):
        for parent in self.parents:
            parent.grad = self.grad

# %% [markdown]
# **Predict** `x.grad` for `y = x + x`. What should it be, and what will the toy say?

# %%
x = Careless(3.0)
y = x + x
y.grad = 1.0
y.rule()
x.grad

# %% [markdown]
# It says 1. But `y` is `2x`: push `x`, and `y` moves twice as much. `x` is used twice, so it is owed **two shares**.
# The toy paid the second one over the first.
#
# The cure is two characters, and they are in your `__add__` already: `+=`. Each use *adds* its share.
#
# **Yours.**
#
# 1. Look at `__mul__`: does every line of its rule add?
# 2. Now break it on purpose. Turn one `+=` into `=`, save, and run the check below. Read its message slowly: the
#    program, your number, the expected one. This is the first of the four doors, seen once while you know the cause.
# 3. Put the `+=` back, save, check again.

# %% [markdown]
# **Predict** both gradients: of `a * a + a` at 3, and of `b * b * b` at 2.

# %% try="1.3"
with yours():
    a, b = Value(3.0, label="a"), Value(2.0, label="b")
    y = a * a + a
    y.backward()
    (b * b * b).backward()
    print(a.grad, b.grad)
    display(draw(y))

# hint("1.3")

# %% [markdown]
# <details><summary>The numbers</summary>
#
# 7 and 12. From calculus, 2a + 1 and 3b². From the graph: `a` gets 3 and 3 from the product, and 1 from the sum.
# In the drawing, two arrows lead from `a` to the product.
# </details>

# %% check="1.3"
check("1.3")

# %% [markdown]
# ### 1.4 Diamonds: the order of the walk (20 minutes)
#
# The toy learns to add up its shares, and walks as the first idea says: run a node's rule, then walk on from its
# parents.

# %%
class Toy(Careless):
    """A number that can add, and whose rule adds up."""

    def rule(self):
        for parent in self.parents:
            parent.grad += self.grad

def walk(node):
    node.rule()
    for parent in node.parents:
        walk(parent)

# %% [markdown]
# **Predict** `a.grad`. In calculus, `c = 2b = 4a`.

# %%
a = Toy(1.0)
b = a + a
c = b + b
c.grad = 1.0
walk(c)
a.grad

# %% [markdown]
# Eight, not four. `b` is the parent of `c` twice, so the walk came to `b` twice, and **each time `b` passed on all it
# had**: 2 + 2 to `a`, and then 2 + 2 again. Every share is right, and the sum is wrong.
#
# If your `backward()` is the short one, it says 8 too.
#
# First attempt at a cure: run each rule **once**. We remember whom we have seen. The new graph has a short arm and a
# long one: `d = b + c` uses `b` directly, and also through `c`. In calculus, `d = b + 2b = 3b = 6a`.

# %%
def walk_once(node, seen):
    if node not in seen:
        seen.add(node)
        node.rule()
        for parent in node.parents:
            walk_once(parent, seen)

def gradient_of(add):
    a = Toy(1.0)
    b = a + a
    d = add(b, b + b)
    d.grad = 1.0
    walk_once(d, set())
    return a.grad

# %% [markdown]
# **Predict** both: does it matter which operand is written first?

# %%
print("d = b + c:", gradient_of(lambda b, c: b + c))
print("d = c + b:", gradient_of(lambda b, c: c + b))

# %% [markdown]
# Two, and six: right or wrong, depending on how a sum was written. In the first line the walk went to `b` at once,
# `b` passed on the 1 it had, and *then* `c` came with 2 more for `b`: too late.
#
# So the rule of a node may run only when its gradient is **complete**, and it is complete when every node that uses
# it has run. We need an **order** in which each node stands *after all its users*. The field calls the reverse of it,
# inputs before users, a *topological order*.
#
# **Do it by hand first.** Write down a right order for `a`, `b`, `c`, `d`, where `c = b + b` and `d = b + c`. Who is
# first? Who is last?
#
# **Yours.** Write `backward()` in three steps: find an order of all nodes below the root; seed the root; run each
# rule once, in that order. Nodes can be put into a `set` as they are.

# %% try="1.4"
with yours():
    a = Value(1.0, label="a")
    b = a + a
    c = b + b
    d = b + c
    d.backward()
    print("a.grad is", a.grad, "and should be 6")
    display(draw(d, names=globals()))  # b, c and d carry no label: take the names of the variables

# hint("1.4")

# %% check="1.4"
check("1.4")

# %% [markdown]
# **Checkpoint.** Would the order *nearest to the root first* do as well?
#
# <details><summary>Answer</summary>
#
# No. In `d = b + c`, `b` is one step away from the root, and so is `c`; yet `c` has to run before `b`. What counts is
# the longest way from the root, not the shortest.
# </details>

# %% [markdown]
# ### 1.5 Sixty-seven million paths (10 minutes)
#
# There is another cure for the diamond, and it needs no order. Do not store and pass on: carry **each share on its
# own**, down every path from the root to the leaves, and let the gradient be the sum over all paths. That is right;
# it is what the chain rule says. Let us see what it costs. In this graph each level has two ways down:

# %%
def two_ways(levels):
    x = leaf = Toy(1.0)
    for _ in range(levels):
        left, right = x + Toy(0.0), x + Toy(0.0)
        x = left + right
    return x, leaf

def carry(node, share):
    """Carry one share down every path; returns how many nodes it came to, counted each time."""
    node.grad += share
    return 1 + sum(carry(parent, share) for parent in node.parents)

# %% [markdown]
# The graph has 5 nodes a level and the leaf. **Predict** how the number of visits grows from one line to the next.

# %%
for levels in (4, 8, 12, 16):
    root, leaf = two_ways(levels)
    visits = carry(root, 1.0)
    print(f"{levels:2} levels {5 * levels + 1:4} nodes {visits:8,} visits   gradient of the leaf {leaf.grad:8,.0f}")

# %% [markdown]
# Every gradient is right: the leaf reaches the root by 2 paths a level, 2⁴ = 16 after four. And every four levels
# multiply the work by 16. What would 26 levels cost? Do not run it; ten more levels than 16 double the work ten
# times.

# %%
f"26 levels: {5 * 26 + 1} nodes, {2**26:,} paths, about {visits * 2**10:,} visits"

# %% [markdown]
# 131 nodes, and hundreds of millions of visits. A network is wider than this, and every unit has many more than two
# ways down. Reverse mode is fast because it visits **nodes**, not paths: shares that meet at a node are added there,
# and go on together.
#
# **Yours.** The check gives your engine 26 levels with two different paths each and a limit on its time. If you
# remembered whom you had visited, it passes at once. If not: where does your search for an order come to one node
# many times?

# %% try="1.5"
with yours():
    x = Value(2.0, label="x")
    y = x
    for _ in range(8):  # a few levels; leave the 26 to the check, which cannot hang this notebook
        y = 0.6 * y + y * 0.5
    y.backward()
    print(f"x.grad is {x.grad:.6f} and should be 1.1 to the power of 8, {1.1**8:.6f}")

# hint("1.5")

# %% check="1.5"
check("1.5")

# %% [markdown]
# ### Level 1 in one view

# %%
check(1)

# %% [markdown]
# **See it.** This is your engine at work, on the graph of 1.4. Before each *Step* of the way back, say which number
# comes next, and at which node.

# %%
def diamond(a):
    b = a + a
    c = b + b
    return b + c

step(diamond, a=1.0)

# %% [markdown] essay="E1"
# ### E1 Why a topological order? (5 minutes)
#
# A colleague writes: "My `backward()` starts at the root, goes to the parents, and runs each node's rule the first
# time it gets there. A set makes sure that no rule runs twice. Each node once: what more could anyone want?"
#
# Answer in four to six sentences. Give a small expression of your own, not the one from 1.4, on which this engine is
# wrong, with the number it gives and the right one; say what has gone wrong at which node; and say which order is
# safe and why that cures it.

# %% [markdown] essay-answer="E1"
# **Model answer.** Take `b = a * 2; d = b + b * 3`. Calculus says `d = 8a`, but if the walk goes to `b` before `b *
# 3`, the engine says 2. At that moment `b.grad` holds only the share from `d`, which is 1, and `b` passes that on.
# `b * 3` adds its 3 to `b.grad` later, when `b` has had its one turn, so this share never reaches `a`. A node may run
# its rule only when its gradient is complete, that is, after every node that uses it. The reverse of a topological
# order (inputs before users) is such an order: every user stands before what it uses, so all shares have arrived.
#
# **Marking, 4 points.**
#
# - 1: an expression in which an interior node is used at two different distances from the root, or otherwise really
#   breaks this engine (`a + a`, `a * a` and `b = a + a; c = b + b` do not: give 0). The expression from 1.4: half.
# - 1: the wrong number and the right one, both correct for the expression and an order of the walk that is stated or
#   drawn.
# - 1: names the node, and says that it passed on an *incomplete* gradient (the late share is stored and never sent
#   on).
# - 1: the safe order, "after all its users", and the reason: then the gradient is complete. The word *topological*
#   alone earns nothing.

# %% [markdown]
# # Level 2: The operations of a network
#
# `+`, `*` and a walk make an engine. Now it gets its vocabulary. Each operation is either *built* from ones you have,
# or has four beats and a *local rule* of its own.

# %% [markdown]
# ### 2.1 Minus, from both sides (10 minutes)
#
# No new rule is needed: write `-a`, `a - b` and `number - a` with what you have, and the gradients come by
# themselves.
#
# The third is where engines slip. Python turns `10 - a` into `a.__rsub__(10)`: `self` is the **right** operand.
#
# **Predict** for `a = 4`: value and gradient of `a - 10`, and of `10 - a`.

# %% try="2.1"
with yours():
    for minus in (lambda a: a - 10, lambda a: 10 - a):
        a = Value(4.0)
        y = minus(a)
        y.backward()
        print("value", y.data, "gradient", a.grad)

# hint("2.1")

# %% check="2.1"
check("2.1")

# %% [markdown]
# ### 2.2 Powers and division (10 minutes)
#
# `a**n`, for a constant `n`, is the first rule that is all yours. The derivative of `a**n` is `n * a**(n - 1)`, for
# negative bases too: `(-2)**3` is an ordinary number and needs no logarithm.
#
# What about `a**b` with a `Value` as exponent? It owes a gradient to `b` as well. Deliver it, or refuse
# with a `TypeError`. The one thing an engine must not do is to answer and leave `b.grad` at 0: a wrong number looks
# just like a right one.
#
# Then division: `a / b` is `a * b**-1`, and `1 / a` arrives as `a.__rtruediv__(1)`.
#
# **Predict** for `a = 2`: the gradients of `a**3`, of `a / 4` and of `1 / a`.

# %% try="2.2"
with yours():
    for f in (lambda a: a**3, lambda a: a / 4, lambda a: 1 / a):
        a = Value(2.0)
        y = f(a)
        y.backward()
        print("value", y.data, "gradient", a.grad)

# hint("2.2")

# %% check="2.2"
check("2.2")

# %% [markdown]
# ### 2.3 relu, tanh, exp (10 minutes)
#
# | operation | value | local derivative |
# |---|---|---|
# | `a.relu()` | a where a > 0, else 0 | 1 where a > 0, else 0 |
# | `a.tanh()` | t = tanh a | 1 - t² |
# | `a.exp()` | y = eᵃ | y |
#
# relu has a corner at 0 and no derivative there; 0 is the usual choice. For tanh and exp the local derivative can be
# had from the value that you just computed: keep it.
#
# One factor is easy to leave out. **Predict**: with `a = 0`, `a.tanh()` has gradient 1. And `3 * a.tanh()`?

# %% try="2.3"
with yours():
    a = Value(0.0, label="a")
    y = 3 * a.tanh() + a.exp() * a
    y.backward()
    print("a.grad is", a.grad, "and should be 3 + 1 = 4")
    display(draw(y))

# hint("2.3")

# %% check="2.3"
check("2.3")

# %% [markdown]
# ### 2.4 log and sigmoid, and large inputs (10 minutes)
#
# The textbook says tanh(x) = (e²ˣ - 1) / (e²ˣ + 1) and sigmoid(x) = 1 / (1 + e⁻ˣ). **Predict** what Python says at
# 1000 and at -1000.

# %%
import math

formulas = {
    "tanh(1000)": lambda: (math.exp(2 * 1000) - 1) / (math.exp(2 * 1000) + 1),
    "sigmoid(-1000)": lambda: 1 / (1 + math.exp(1000)),
}
for name, formula in formulas.items():
    try:
        print(name, formula())
    except OverflowError as error:
        print(name, "fails:", error)

# %% [markdown]
# The answers are 1 and 0, or as near as a float can say. It is the *way* there that overflows: `math.exp` fails above
# about 709. Use forms that never raise e to a large positive number. For tanh, `math` has one. For sigmoid,
# 1 / (1 + e⁻ˣ) and eˣ / (eˣ + 1) are the same function; which one is safe where?
#
# Local derivatives: 1/a for `log`; s(1 - s) for `s = sigmoid(a)`.

# %% try="2.4"
with yours():
    for x in (0.0, 1000.0, -1000.0):
        a = Value(x)
        y = a.sigmoid() + a.tanh()
        y.backward()
        print(x, "value", y.data, "gradient", a.grad)

# hint("2.4")

# %% check="2.4"
check("2.4")

# %% [markdown]
# ### 2.5 Find the planted bug (10 minutes)
#
# Somebody else's engine, `BuggyValue`, and one wrong line in it. Do not read its source: most wrong engines you will
# meet are too long to read. Measure. Finite differences need nothing but forward values, so they can judge any
# gradient.

# %%
from utils.drills import BuggyValue, planted_bug
from utils.finite_difference_checker import check_gradients, numerical_gradient

planted_bug()

# %% [markdown]
# **Predict** first: which kind of mistake stays hidden while each input is used only once?

# %% try="2.5"
check_gradients(lambda a: a.tanh(), [BuggyValue(0.5)])

# hint("2.5")

# %% [markdown]
# Try other operations, and the same operation with its input used again. When you know, fill in the answer.

# %% answer="2.5"
answer_2_5 = {"op": None, "grad": None}  # a name as text, and a number
### BEGIN SOLUTION
answer_2_5 = {"op": "exp", "grad": 2.7985}
### END SOLUTION

# %% check="2.5"
check("2.5", answer_2_5)

# %% [markdown]
# ### 2.6 Diagnose and break (25 minutes, extension)
#
# Five more engines, `A` to `E`, with every operation of level 2. Each has **one** flaw, and its name is in this list.

# %%
from utils.black_boxes import A, B, C, D, E, flaws

flaws()

# %% [markdown]
# A diagnosis can be argued about. A test cannot: it *kills* the box, or it does not. So give two things for each box:
# the name of its flaw, and a test that shows it, which is a program and the right gradient of its `a`.
#
# - The program is text: `"a * a + b"`. In it `a`, `b` and `c` are Values of 2, 3 and 5. Other numbers go in front:
#   `"a = 0.5; t = a * b; 3 * t.exp() + t"`. It is read and never run as Python.
# - The test kills the box if the box's `a.grad` is another number than yours.
# - A test with a wrong number fails for *right* engines too. What counts is boxes killed **minus** tests that reject a
#   right engine, so measure before you claim.
#
# **Predict** first: which of these flaws show in a program of one operation, and which cannot?

# %% try="2.6"
a = A(2.0)
y = a * a + a
y.backward()
print("A says", a.grad, "measured", numerical_gradient(lambda a: a * a + a, [A(2.0)])[0])

# hint("2.6")

# %% answer="2.6"
answer_2_6 = {  # for each box: the flaw's name, a program, the right a.grad
    "A": (None, None, None),
    "B": (None, None, None),
    "C": (None, None, None),
    "D": (None, None, None),
    "E": (None, None, None),
}
### BEGIN SOLUTION
answer_2_6 = {
    "A": ("recursive-accumulated", "t = a + a; t + t", 4.0),
    "B": ("drops-upstream-exp", "3 * a.exp()", 22.167),
    "C": ("equal-by-value", "a + a * 1", 2.0),
    "D": ("one-share-add", "a + a", 2.0),
    "E": ("negates-relu", "a.relu()", 1.0),
}
### END SOLUTION

# %% check="2.6"
check("2.6", answer_2_6)

# %% [markdown]
# The table tells where a smaller program would do. A good test is small, fails for the wrong engine and passes for
# every right one, however that one is written. The checks of this notebook are held to the same: each has killed
# engines with known flaws, and accepts thirty right ones in different styles.

# %% [markdown]
# ### Level 2 in one view

# %%
check(2)

# %% [markdown]
# **See it.** The stepper asks before it shows; answer for three steps at least. Then move `a` under *Change the
# inputs*: at which `a` does `tanh` let almost nothing back?

# %%
step(lambda a: 3 * a.tanh() + a.exp() * a, a=0.0, predict=True)

# %% [markdown]
# # Level 3: As right as PyTorch, at any size
#
# ### 3.1 Generated programs (5 minutes)
#
# So far you and we chose the examples. The check below lets each operation take its turn once more. Then a generator
# writes programs of all of them at random, with shared results and numbers on either side, and compares every gradient.
# When one fails, it is made smaller and smaller while it still fails; what you get to see is the smallest.
#
# PyTorch first, on one expression. Its tensors know the same methods, so one function serves both.

# %% try="3.1"
def expression(a, b):
    return ((a * b).tanh() + a.exp() / b - (a - b) ** 3).sigmoid() + a.log().relu()

with yours():
    a, b = Value(1.5), Value(2.0)
    expression(a, b).backward()
    print("yours   ", a.grad, b.grad)

# hint("3.1")

# %%
try:
    import torch

    a, b = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (1.5, 2.0))
    expression(a, b).backward()
    print("PyTorch ", a.grad.item(), b.grad.item())
except ImportError:
    print("PyTorch is not installed here. The check below does not need it.")

# %% check="3.1"
check("3.1")

# %% [markdown]
# ### 3.2 Thousands of inputs, one backward pass (5 minutes)
#
# Why go backwards at all? Count. `f` takes 1,024 numbers and returns one; `calls` notes every run of `f`.

# %%
calls = []

def f(xs):
    """The sum of k x_k squared, added up in pairs."""
    calls.append("f")
    terms = [k * x * x for k, x in enumerate(xs, 1)]
    while len(terms) > 1:
        terms = [a + b for a, b in zip(terms[::2], terms[1::2])]
    return terms[0]

numbers = [0.001 * k for k in range(1024)]

# %% [markdown]
# **Predict**: how often must `f` run for all 1,024 derivatives, first by pushing each input, then with your engine?

# %%
h = 1e-6
base = f(numbers)
pushed = [(f(numbers[:i] + [x + h] + numbers[i + 1:]) - base) / h for i, x in enumerate(numbers)]
print("pushing each input:", len(calls), "runs of f")

# %% try="3.2"
with yours():
    calls.clear()
    leaves = [Value(x) for x in numbers]
    f(leaves).backward()
    print("your engine:", len(calls), "run of f and one backward pass")
    gap = max(abs(leaf.grad - p) for leaf, p in zip(leaves, pushed))
    print(f"largest difference between the two: {gap:.4f}, where gradients go up to {leaves[-1].grad:.1f}")

# hint("3.2")

# %% [markdown]
# N inputs: N + 1 runs against one run and one walk back. A large language model has billions of inputs to its loss.
#
# (The terms are added up in pairs, to keep the graph shallow. What happens to deep ones is the next exercise.)

# %% check="3.2"
check("3.2")

# %% [markdown] essay="E2"
# ### E2 Why backwards? (5 minutes)
#
# A model has 1,000,000 parameters and one loss. *Forward mode* is the other way to apply the chain rule: choose one
# input, and carry along, from the inputs to the output, how much every value moves when that input does.
#
# Answer in four to six sentences. How many passes over the program does each mode need for all derivatives of the
# loss, and why? What does reverse mode have to keep that forward mode does not? Describe a function for which you
# would choose forward mode.

# %% [markdown] essay-answer="E2"
# **Model answer.** A forward-mode pass answers "how does everything move when *this* input moves?", so it takes one
# pass for each input: 1,000,000. A reverse-mode pass answers "how does *this* output move when anything moves?": one
# forward pass and one walk back give the derivatives by all parameters at once. There is one output, so reverse mode
# wins by about a million. The price is memory: local rules need values of the forward pass, and run in the opposite
# order, so the whole graph must be kept until the walk back. Forward mode can forget a value after its last use. For
# a function of one input with many outputs, such as the position of many points as a function of time, one
# forward-mode pass gives everything and reverse mode would need one pass for each output.
#
# **Marking, 4 points.**
#
# - 1: forward mode, one pass an *input* (1,000,000); reverse mode, one pass an *output* (one walk back after one
#   forward run). Both numbers.
# - 1: why: what one pass fixes (an input, or an output) and what it then delivers.
# - 1: reverse mode keeps the values (or the graph) of the forward pass until they are used. "It is slower" or "it
#   needs gradients" earns nothing.
# - 1: a function with few inputs and many outputs, described so that one can count them.

# %% [markdown]
# ### 3.3 A chain of 100,000 nodes (20 minutes, extension)
#
# A last failure, this time most likely your own. **Predict** what your `backward()` does with a chain of 5,000
# additions.

# %% try="3.3"
with yours():
    x = Value(1.0)
    y = x
    for _ in range(5_000):
        y = y + 1.0
    try:
        y.backward()
        print("No trouble: x.grad is", x.grad)
    except RecursionError as error:
        print("RecursionError:", error)

# hint("3.3")

# %% [markdown]
# If your search for an order calls itself, it stands 5,000 calls deep at the far end of the chain, and Python stops
# at about 1,000. A higher limit only moves the wall.
#
# **Yours**, when you have time. Find the same order with a loop and a list of your own. The difficulty in one
# sentence: a call remembers where it was when it comes back, and a list has to be told. The check uses 100,000 nodes.

# %% check="3.3"
check("3.3")

# %% [markdown]
# ### 3.4 Compute it twice, keep less (20 minutes, extension)
#
# A walk back needs the numbers of the forward pass, so the whole graph waits in memory until it comes. In large models
# that graph, and not the weights, is what fills the memory. There is a trade: keep only where a part of the program
# *began*, and run that part again when the walk back gets there. Frameworks call the place a **checkpoint**.
#
# **Predict**: 120 layers, three operations each. How many nodes stay alive without checkpoints, and how many with one
# for every ten layers? How often does a layer run, in all?

# %% try="3.4"
import gc

from value import checkpoint

calls = []

def ten_layers(h):
    """Ten layers h * h * w + b; `calls` notes each run."""
    calls.append("run")
    for _ in range(10):
        h = h * h * w + b
    return h

def alive():
    gc.collect()
    return sum(type(thing) is Value for thing in gc.get_objects())

with yours():
    for run in (lambda h: ten_layers(h), lambda h: checkpoint(ten_layers, h)):
        calls.clear()
        w, b, x = Value(-0.9), Value(0.8), Value(0.7)
        before, y = alive(), x
        for _ in range(12):
            y = run(y)
        kept = alive() - before
        y.backward()
        print(f"{kept:4} nodes kept, {len(calls)} runs; gradients {x.grad!r}, {w.grad!r}, {b.grad!r}")
        del y

# hint("3.4")

# %% [markdown]
# **Yours**: `checkpoint(f, x)`, below the class in `value.py`. It returns a `Value` with the number of `f(x)`, whose
# only parent is `x`. Its local rule runs `f` again, on a fresh leaf that holds the number of `x`, and walks back over
# *that* graph. Three things to get right:
#
# - The walk over the graph of `f` starts from the gradient of the checkpoint, and not from 1.
# - Weights that `f` uses, like `w` and `b`, are leaves. They get their gradients on that walk, through `+=`.
# - `f` runs twice: once for the number, once in the walk back. The check counts, with a function of its own.
#
# The gradients are the same numbers, computed in the same order: the check compares them to the last bit. The nodes
# that you keep are between you and your memory.

# %% check="3.4"
check("3.4")

# %% [markdown]
# ### 3.5 The derivative of a derivative (20 minutes, extension)
#
# A slope changes too, and *its* slope says how a curve bends. To get it, differentiate the backward pass: it is a
# program like any other, made of `+` and `*`.
#
# **Predict** for t³ at t = 3: the derivative, and the derivative of that.

# %% try="3.5"
from value import derivative

with yours():
    x = Value(3.0, label="x")
    d = derivative(lambda t: t * t * t, x)
    print("first derivative", d.data)
    d.backward()
    print("second derivative", x.grad)
    display(draw(d))

# hint("3.5")

# %% [markdown]
# **Yours**: `derivative(f, x)`, below the class. It returns f'(x) as a `Value` with a graph of its own, so that
# `backward()` on it gives `x` the gradient f''(x). `f` uses `+` and `*`, on its argument and on numbers, and runs once;
# `x.grad` is yours to keep clean until then. One way needs no change in your class: what happens in your rules when
# `data` is itself a `Value`?
#
# PyTorch does this with `create_graph=True`.

# %%
try:
    import torch

    t = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(t * t * t, t, create_graph=True)
    (second,) = torch.autograd.grad(first, t)
    print("PyTorch ", first.item(), second.item())
except ImportError:
    print("PyTorch is not installed here. The check below does not need it.")

# %% check="3.5"
check("3.5")

# %% [markdown]
# ### Level 3 in one view

# %%
check(3)

# %% [markdown]
# **See it.** The expression of 3.1 on your engine. Tick *Measured slopes*: the numbers below the inputs come from
# forward runs alone, and know nothing of your rules.

# %%
step(expression, a=1.5, b=2.0)

# %% [markdown]
# # Level 4: It learns
#
# Two half moons reach into each other. No straight line separates them:

# %%
import random

from utils.datasets import plot_boundary, two_moons
from value import MLP, Layer, Neuron, train_step

xs, ys = two_moons(40)
plot_boundary(lambda point: point[1] - 0.25, xs, ys);

# %% [markdown]
# ### 4.1 A network of Values (20 minutes)
#
# | class | what a call computes | parameters |
# |---|---|---|
# | `Neuron(nin, nonlin=True)` | tanh(w · x + b), or without the tanh | nin weights, one bias |
# | `Layer(nin, nout, **kw)` | `nout` neurons, each on the same inputs | those of its neurons |
# | `MLP(nin, nouts)` | one layer after another; tanh in all but the last | those of its layers |
#
# Start the weights at random, so that neurons can become different. An `MLP` whose last layer has one neuron returns
# that one `Value`, otherwise a list.
#
# **Predict** how many parameters `MLP(2, [8, 1])` has.

# %% try="4.1"
with yours():
    random.seed(3)
    print(len(MLP(2, [8, 1]).parameters()), "parameters")
    display(draw(Neuron(2)([1.0, -2.0])))

# hint("4.1")

# %% [markdown]
# <details><summary>The number</summary>
#
# 33: eight neurons with two weights and a bias each, then one with eight weights and a bias.
# </details>

# %% check="4.1"
check("4.1")

# %% [markdown]
# ### 4.2 Training (10 minutes)
#
# `train_step` is one step downhill: set the gradients to zero, compute the loss (the mean of (prediction - target)²
# over all points), walk back, and move every parameter a little *against* its gradient. Change `p.data`, not `p`: the
# step itself has no place in the graph. Return the loss as a float.
#
# **Predict** the loss of a model that says 0 for every point, when the targets are +1 and -1. Training should start
# near there, or above, and end well below.

# %%
from utils.training import watch_training

# %% try="4.2"
with yours():
    random.seed(3)
    model = MLP(2, [8, 1])
    losses = watch_training(train_step, model, xs, ys, steps=300, learning_rate=0.2)
    right = sum((model(x).data > 0) == (y > 0) for x, y in zip(xs, ys))
    print(f"loss {losses[0]:.2f} to {losses[-1]:.2f}; {right} of {len(xs)} points on the right side")

# hint("4.2")

# %% [markdown]
# Saying 0 everywhere costs 1. Your engine did better: about 3,000 nodes a step, every gradient from the rules you
# wrote. (It takes several seconds. Most of them go to Python's garbage collector, because nodes and their rules refer
# to each other; the third solution file shows a way out.)

# %% check="4.2"
check("4.2")

# %% [markdown] essay="E3"
# ### E3 Read a training log (5 minutes)
#
# A model with one parameter, prediction = w · x, is trained on three points that lie exactly on y = 3x. The learning
# rate is 0.02. The gradient of this loss has been checked against finite differences, and it is right.
#
# ```
# step    loss       w    w.grad
#    0   42.00    0.00    -28.00
#    1   27.78    0.56    -50.77
#    2    9.47    1.58    -64.07
#    3    0.10    2.86    -65.41
#    4    6.33    4.16    -54.53
#    5   23.74    5.26    -33.48
#    6   39.93    5.93     -6.18
#    7   43.38    6.05     22.28
#    8   31.62    5.60     46.57
#    9   13.04    4.67     62.18
#   10    0.86    3.43     66.17
#   11    3.74    2.10     57.82
#   12   19.64    0.95     38.67
#   13   37.24    0.18     12.30
#   14   44.01   -0.07    -16.36
# ```
#
# Each line shows `w` before the update, and `w.grad` as the update used it. What is wrong with this training loop,
# and why does it look like this? Which line of the log gives it away? Say what to change, and where in the loop. Four
# to six sentences.

# %% [markdown] essay-answer="E3"
# **Model answer.** The gradient is never set to zero between steps. `backward()` adds to `w.grad`, as it must, so
# `w.grad` is the sum of the gradients of *all* steps so far, and not the gradient here. Line 3 gives it away: the
# loss is almost 0 and `w` is almost 3, so the gradient should be almost 0, but `w.grad` is -65.41. The parameter
# races past the minimum, and slows down only when gradients of the other sign have paid off the old sum; then it
# comes back, so the loss swings between about 0 and its starting value and never settles. Set `w.grad = 0` once a
# step, before `backward()`: at the start of the step, or after the update, but not between `backward()` and the
# update.
#
# **Marking, 4 points.**
#
# - 1: gradients are not zeroed between steps.
# - 1: the mechanism: `backward()` accumulates, so `w.grad` holds the sum over all steps (or: acts like a velocity
#   without friction) and `w` overshoots.
# - 1: evidence from the log: near w = 3 (line 3 or 10) the gradient should be near 0 and is about 65. "The loss goes
#   up" alone earns half: a learning rate that is too large does that as well.
# - 1: the cure and its place: zero once a step, before `backward()` and not between it and the update. "Lower the
#   learning rate" earns nothing; with 0.01 the loss swings just as high, only more slowly.

# %% [markdown]
# ### Level 4 in one view, and the whole path

# %%
check(4)

# %% [markdown]
# **See it.** One point's share of the loss, through a small network of yours, each neuron folded into one card. Which
# neuron gets the largest gradient? Unfold them to see where it comes from.

# %%
with yours():
    random.seed(3)
    small = MLP(2, [3, 1])
    display(step(lambda x1, x2: (small([x1, x2]) - 1.0) ** 2, x1=1.0, x2=-2.0))

# %%
status()

# %% [markdown]
# ## What to keep
#
# - An operation is a value and a **local rule**: upstream gradient times local derivative, *added* to each input.
# - A node passes its gradient on **once**, when it is **complete**: after all its users. That is what the topological
#   order is for.
# - Reverse mode visits nodes, not paths, and gives all derivatives of one output for about the price of running the
#   function a few times.
# - Finite differences can judge any gradient, and they see most when inputs are **reused** and the upstream gradient
#   **is not 1**.
# - Gradients add up across backward passes too. So a training step begins by setting them to zero.
#
# **What it is not yet.** Your numbers are single numbers: PyTorch does the same with tensors, so that one node stands
# for millions of them. The rules, the order, the `+=` and the need to zero are the same there. `questions.md` has the
# interview questions of this topic; you can now answer them with code.
#
# **Open end.** Build `y = (x * x) ** 2` at `x = 2` and call `y.backward()` twice. PyTorch, asked to keep the graph,
# says 32 and then 64, the sum of two equal passes. Yours most likely says 32 and then 96. Why? What would you change,
# and what would your change do to somebody who zeroes only the parameters?
