# %% [markdown]
# # Autograd in PyTorch: use it, break it, repair it
#
# **Do.** Take gradients with `backward()` and check them by hand and by measurement; fit a line; examine fourteen
# broken programs, name what is wrong and repair each with one small change; give PyTorch a rule of your own.
#
# **Learn.** Read what PyTorch's errors say. Tell from a symptom which of the four lines of a training step failed. Know
# when a graph ends too early and when it lives too long.
#
# **Need.** Topic 02, and `intuition.ipynb` of this one. About two hours; level 4 is marked *extension* and can wait.

# %% [markdown]
# ## How to work
#
# You write in **`practice.py`**, the file beside this notebook; open it in a second tab. Predict, write, **save**,
# play, check. Run this cell first, and again after every restart of the kernel.

# %%
import warnings
from contextlib import contextmanager

import practice
from utils.finite_difference_checker import check_gradients, numerical_gradient
from utils.fresh import follow
from utils.notebook import check, hint, status

follow("practice")

SIZES = [1.1, 1.3, 1.6, 1.8, 2.1, 2.4]                  # 1,000 square feet
PRICES = [190.0, 230.0, 310.0, 350.0, 420.0, 480.0]     # 1,000 dollars

# %% [markdown]
# `practice.py` is loaded anew before a cell whenever you have saved it. `check` judges the file on disk, in a process
# of its own. Some cells use code you have not written yet; they begin with `with yours():` and then say so in one line.

# %%
@contextmanager
def yours():
    """For cells that run your code: one line where it is not written yet."""
    try:
        yield
    except NotImplementedError as missing:
        print("Not written yet:", missing)

# %% [markdown]
# Stuck? The message of the failing check first, then `hint("1.1")` for one hint at a time, then a drawing
# (`from utils.torch_graph import draw_tape`, then `draw_tape(tensor)`), then the solution file.

# %% [markdown]
# # Level 1: From hand-made derivatives to backward()
#
# ### 1.1 A forward pass that is recorded (10 minutes)
#
# `w * size + b` for six houses at once. The sizes are data; `w` and `b` are parameters, and only they ask for a
# gradient. Complete `predict`, which returns the predictions and the two leaves.
#
# **Predict**: what does PyTorch call the operation that made the predictions, the last one of the line?

# %% try="1.1"
with yours():
    predictions, w, b = practice.predict(SIZES, 2.0, 1.0)
    print(predictions.tolist())
    print("made by", predictions.grad_fn.name(), "  leaves:", w.is_leaf, b.is_leaf)

# hint("1.1")

# %% check="1.1"
check("1.1")

# %% [markdown]
# ### 1.2 One derivative (5 minutes)
#
# `slope(f, x)`: make a leaf of `x`, run `f`, run back, hand the number over. `f` is any function of a tensor.
#
# **Predict** the slopes at 2 of $x^2$, of $(x^2 + 1)^3$, and of $x / x$.

# %% try="1.2"
functions = {
    "x^2": lambda x: x**2,
    "(x^2 + 1)^3": lambda x: (x**2 + 1) ** 3,
    "x / x": lambda x: x / x,
}
with yours():
    for name, f in functions.items():
        print(f"{name:12} slope {practice.slope(f, 2.0):8.3f}  measured {numerical_gradient(f, 2.0):8.3f}")

# hint("1.2")

# %% check="1.2"
check("1.2")

# %% [markdown]
# ### 1.3 A loss and its gradients (10 minutes)
#
# The mean squared error of the six predictions, and what `backward()` says about `w` and `b`. `predict` gives you what
# you need.
#
# **Predict** the signs of the two gradients at `w = 1, b = 2`, where every prediction is far too low.

# %% try="1.3"
with yours():
    loss, dw, db = practice.loss_and_gradients(SIZES, PRICES, 1.0, 2.0)
    print(f"loss {loss:.2f}   d/dw {dw:.2f}   d/db {db:.2f}")

# hint("1.3")

# %% check="1.3"
check("1.3")

# %% [markdown]
# ### 1.4 The same by hand, and measured (15 minutes)
#
# Trust nothing you have not checked. Derive both formulas on paper and write them in plain Python: no tensor, no
# autograd. Then the three answers stand side by side: autograd, your formulas, and finite differences.
#
# **Predict**: in how many digits will the first two agree? And the third?

# %% try="1.4"
with yours():
    by_hand = practice.gradients_by_hand(SIZES, PRICES, 1.0, 2.0)
    _, *by_autograd = practice.loss_and_gradients(SIZES, PRICES, 1.0, 2.0)
    def loss(w, b):
        return practice.loss_and_gradients(SIZES, PRICES, w, b)[0]
    measured = numerical_gradient(loss, [1.0, 2.0])
    print("by hand  ", *(f"{x:.9f}" for x in by_hand))
    print("autograd ", *(f"{x:.9f}" for x in by_autograd))
    print("measured ", *(f"{x:.9f}" for x in measured))

# hint("1.4")

# %% check="1.4"
check("1.4")

# %% [markdown]
# **Checkpoint.** By hand took a few lines. How many would a loss with 1,000 parameters in four layers take?
#
# <details><summary>Answer</summary>
#
# As many as you are willing to derive, and each change of the model derives them anew. Autograd takes the same one
# line. What stays by hand is the check on a few numbers.
# </details>

# %% [markdown]
# ### Level 1 in one view

# %%
check(1)

# %% [markdown]
# # Level 2: A regression from end to end
#
# ### 2.1 Four lines a step (15 minutes)
#
# Forward, backward, update, clear, as often as asked. Start from `w = b = 0`, and keep the losses as plain numbers.
#
# **Predict**: after 8 steps with learning rate 0.05, is `w` or `b` nearer to where it will end?

# %% try="2.1"
with yours():
    for steps in (8, 80, 8000):
        w, b, losses = practice.fit(SIZES, PRICES, 0.05, steps)
        print(f"{steps:5} steps: price = {w:7.2f} * size {b:+7.2f}   loss {losses[-1]:10.2f}")

# hint("2.1")

# %% [markdown]
# Eight steps take the loss from 119,067 to about 1,260, and the rest takes thousands: `w` and `b` have to trade against
# each other, since a larger `b` can be paid for by a smaller `w`. The learning curve shows the two speeds.

# %%
import matplotlib.pyplot as plt

with yours():
    _, _, losses = practice.fit(SIZES, PRICES, 0.05, 2000)
    figure, axes = plt.subplots(figsize=(6, 3.2))
    axes.loglog(range(1, len(losses) + 1), losses, color="#0072B2")
    axes.set(xlabel="step", ylabel="mean squared error", title="Two speeds")
    plt.show()

# %% check="2.1"
check("2.1")

# %% [markdown]
# Your own `Value` can do this as well. **Predict** which of the two is faster at 50 steps on six houses, and by what
# factor.

# %%
from time import perf_counter

from utils.engine import Value

def fit_with_values(steps):
    w, b = Value(0.0), Value(0.0)
    for _ in range(steps):
        squares = [(w * size + b - price) ** 2 for size, price in zip(SIZES, PRICES)]
        loss = sum(squares, Value(0.0)) * (1 / len(SIZES))
        w.grad = b.grad = 0.0
        loss.backward()
        w.data -= 0.05 * w.grad
        b.data -= 0.05 * b.grad
    return w.data, b.data

# %%
def timed(name, fit, *arguments):
    """Run 50 steps a few times, print what one cost at best, and return w and b."""
    seconds = []
    for _ in range(5):
        started = perf_counter()
        w, b = fit(*arguments, 50)[:2]
        seconds.append(perf_counter() - started)
    print(f"{name:22} {min(seconds) / 50 * 1e6:7,.0f} microseconds a step")
    return w, b

with yours():
    theirs = timed("PyTorch", practice.fit, SIZES, PRICES, 0.05)
    ours = timed("Value", fit_with_values)
    print("the same parameters:", all(abs(x - y) < 1e-9 for x, y in zip(theirs, ours)))

# %% [markdown]
# On so few numbers `Value` keeps up, and often wins: each of PyTorch's operations costs several microseconds
# before it has computed anything. **Predict** what a step costs on six thousand houses, a thousand times as many.

# %%
with yours():
    timed("PyTorch, 6,000 houses", practice.fit, 1000 * SIZES, 1000 * PRICES, 0.05)

# %% [markdown]
# That is what a tensor buys. `Value` would need a thousand times as long as above.

# %% [markdown]
# ### 2.2 Small batches, one gradient (10 minutes)
#
# The examples do not always fit into memory at once. Run back once a batch and let the gradients accumulate, so that
# the result is the gradient of the mean over **all** examples. The batches need not be equally long.
#
# **Predict**: what is wrong with averaging the batches' mean gradients, when the batches hold 4 and 2 houses?

# %% try="2.2"
batches = [(SIZES[:4], PRICES[:4]), (SIZES[4:], PRICES[4:])]
with yours():
    print("in batches", *(f"{x:.3f}" for x in practice.accumulated_gradients(batches, 1.0, 2.0)))
    print("at once   ", *(f"{x:.3f}" for x in practice.loss_and_gradients(SIZES, PRICES, 1.0, 2.0)[1:]))

# hint("2.2")

# %% check="2.2"
check("2.2")

# %% [markdown]
# ### Level 2 in one view

# %%
check(2)

# %% [markdown]
# # Level 3: The debugging ward
#
# Fourteen programs. Each is complete, each has **one** fault, and each fault is common: these were collected from
# public questions and repairs. A docstring says what the program is *for* and what was *seen*. Read a patient in
# `practice.py`, **predict** what it will do, then examine it.
#
# **Predict** for the first four: which two stop with an error, and where have `w` and `b` of the other two gone after
# 20 steps?

# %%
from textwrap import shorten

def examine(number, *arguments):
    """Run one patient, and show what it returns or what PyTorch says."""
    patient = getattr(practice, f"patient_{number}")
    print(f"patient {number}: {patient.__doc__.splitlines()[0]}")
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            print("  returns", patient(*arguments))
        except Exception as error:
            print(f"  {type(error).__name__}: {shorten(str(error), 280, placeholder=' ...')}")
    for warning in heard[:1]:
        print("  warning:", shorten(str(warning.message), 90, placeholder=" ..."))

for number in (1, 2, 3, 4):
    examine(number, SIZES, PRICES, 0.05, 20)

# %% [markdown]
# The right answer to all four is that of `fit`: after 20 steps, about `w = 155.5` and `b = 69.2`. Two patients complain
# and two do not. Which kind would you rather have?
#
# **Predict** for 5, 6 and 7: which one says nothing at all, and what does it return?

# %%
examine(5, SIZES, PRICES, 100.0, 20.0)
examine(6, SIZES, PRICES, 0.05, 20)
examine(7, [[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]], 3)

# %% [markdown]
# Two of the next four stop with a message that you met in intuition.ipynb. **Predict** which, and what sort of thing is
# in the list that patient 11 returns.

# %%
examine(8, 0.5)
examine(9, 0.5)
examine(10, [1.0, 2.0, 3.0], [0.5, 0.5, 0.5], 0.3)
examine(11, SIZES, PRICES, 0.05, 3)

# %% [markdown]
# **Predict** from how many numbers patient 12's pass starts, and whether patient 14 says the same thing twice.

# %%
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.Linear(8, 1)).double()
examine(12, [[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]], [0.5, -1.0])
examine(13, [[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]], [1.0, 2.0, 3.0], [0.5, -1.0])
examine(14, model, [[1.0, 2.0]])
examine(14, model, [[1.0, 2.0]])

# %% [markdown]
# ### 3.1 Ward round: name the cause (20 minutes)
#
# Before anybody is treated, a diagnosis. Sixteen causes, fourteen patients: one each, and two causes are left over.
#
# | | cause |
# |---|---|
# | a | the learning rate is too large |
# | b | a log keeps every graph alive |
# | c | the forward pass is not recorded |
# | d | shapes are broadcast against each other |
# | e | the gradient is cleared before it is used |
# | f | a number that the tape saved is written over |
# | g | the parameter is replaced by something that is not a leaf |
# | h | a layer stays in its training mode, and the report is recorded |
# | i | the loss is made into a new leaf |
# | j | the gradient is never cleared |
# | k | a state drags its whole past along |
# | l | the gradient has the wrong sign |
# | m | the pass starts from many numbers instead of one |
# | n | tensors are turned into numbers inside the loss |
# | o | a shared part of the tape is played twice |
# | p | what is called a parameter was never a leaf |

# %% answer="3.1"
answer_3_1 = {1: None, 2: None, 3: None, 4: None, 5: None, 6: None, 7: None,  # a letter for each patient
              8: None, 9: None, 10: None, 11: None, 12: None, 13: None, 14: None}
### BEGIN SOLUTION
answer_3_1 = dict(zip(range(1, 15), "jegcnipfokbmdh"))
### END SOLUTION

# %% try="3.1"
# hint("3.1")

# %% check="3.1"
check("3.1", answer_3_1)

# %% [markdown]
# ### 3.2 The four lines of a training step (10 minutes)
#
# Patients 1 to 4. Repair each with the smallest change, save, examine it again, and check.
#
# A repair keeps what the program is for. Replacing patient 2's optimizer by your own loop would pass a test and lose
# the patient.

# %% try="3.2"
for number in (1, 2, 3, 4):
    examine(number, SIZES, PRICES, 0.05, 20)

# hint("3.2")

# %% check="3.2"
check("3.2")

# %% [markdown]
# ### 3.3 Where the graph was cut (10 minutes)
#
# Patients 5, 6 and 7. In each the way from the loss to a parameter is broken somewhere. Find the last tensor that still
# knows where it came from.

# %% try="3.3"
examine(5, SIZES, PRICES, 100.0, 20.0)
examine(6, SIZES, PRICES, 0.05, 20)
examine(7, [[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]], 3)

# hint("3.3")

# %% check="3.3"
check("3.3")

# %% [markdown]
# ### 3.4 The tape (10 minutes)
#
# Patients 8 to 11: written over, played twice, never let go. For patient 10 the message of the moment was once silenced
# with `retain_graph=True`; take that away as well.

# %% try="3.4"
examine(8, 0.5)
examine(9, 0.5)
examine(10, [1.0, 2.0, 3.0], [0.5, 0.5, 0.5], 0.3)
examine(11, SIZES, PRICES, 0.05, 3)

# hint("3.4")

# %% check="3.4"
check("3.4")

# %% [markdown]
# ### 3.5 Shapes and modes (10 minutes)
#
# Patients 12, 13 and 14. The second gives a number that looks reasonable, which makes it the most dangerous of the
# ward.

# %% try="3.5"
examine(12, [[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]], [0.5, -1.0])
examine(13, [[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]], [1.0, 2.0, 3.0], [0.5, -1.0])
examine(14, model, [[1.0, 2.0]])

# hint("3.5")

# %% check="3.5"
check("3.5")

# %% [markdown] essay="E1"
# ### E1 A cure that is none (5 minutes)
#
# A colleague's training stops with "Trying to backward through the graph a second time". They add `retain_graph=True`,
# and it runs. After an hour it is slow, and then the machine is out of memory.
#
# Answer in four to six sentences. What did the error say about the program? What does the added argument do? Why did it
# first help and then harm? Name the line you would look for, and the change you would make instead.

# %% [markdown] essay-answer="E1"
# **Model answer.** The error says that this backward pass reached operations whose saved numbers an earlier pass had
# already used and freed, so the new loss still hangs on the graph of an earlier step. `retain_graph=True` keeps the
# saved numbers of every pass instead of freeing them. So the pass no longer fails, but each step now walks its own
# graph and those of all steps before it, and all of them stay in memory: step 1,000 costs 1,000 times what step 1 did.
# The line to look for is the one that carries something over from step to step, such as a hidden state or a running
# average that is a tensor with a `grad_fn`. There it needs a `detach()`, so that the number crosses over and the
# history does not; then `retain_graph` goes.
#
# **Marking, 4 points.**
#
# - 1: the error means that a part of the graph of an *earlier* pass is walked again. "Backward was called twice" alone
#   earns half.
# - 1: `retain_graph=True` keeps the saved numbers (or: the graph) instead of freeing them.
# - 1: why it gets worse: each step's graph includes all earlier ones, so time and memory a step grow with the number of
#   steps.
# - 1: the carried-over tensor is detached between steps. "Call `gc.collect()`" or "use a smaller batch" earns nothing.

# %% [markdown]
# ### Level 3 in one view

# %%
check(3)

# %% [markdown]
# # Level 4: Beyond backward() (extension)
#
# ### 4.1 Derivatives of derivatives (15 minutes)
#
# The backward pass is made of multiplications and additions, so it can be recorded as well: `create_graph=True`. Then
# what it gives can be differentiated again. `torch.autograd.grad(y, x)` returns gradients instead of storing them.
#
# Write `curvature`, and `hessian_times`: $Hv$ for a function of many inputs, in two passes, without ever making $H$.
#
# **Predict** the second derivative of $(x^2 + 1)^3$ at 2. Its first is $6x(x^2+1)^2$.

# %% try="4.1"
with yours():
    print("curvature", practice.curvature(functions["(x^2 + 1)^3"], 2.0))
    def g(x):
        return (x**3).sum() + x[0] * x[1]
    print("H v      ", practice.hessian_times(g, [1.0, 2.0], [1.0, 0.0]))

# hint("4.1")

# %% [markdown]
# <details><summary>The numbers</summary>
#
# $6(x^2+1)^2 + 24x^2(x^2+1) = 150 + 480 = 630$. And $H$ is $6$ and $12$ on the diagonal with $1$ beside it, so its
# product with $(1, 0)$ is the first column, $(6, 1)$.
# </details>

# %% check="4.1"
check("4.1")

# %% [markdown]
# ### 4.2 A rule of your own (15 minutes)
#
# `ScaledTanh` gives PyTorch an operation and its rule: $y = s \tanh x$ for a tensor $x$ of any shape and one number
# $s$. `forward` is there; write `backward`. It gets the upstream gradient, in the shape of $y$, and returns one
# gradient for each input, in *that input's* shape.
#
# **Predict**: `s` is used once for every element of `x`. What follows for its gradient?

# %% try="4.2"
with yours():
    x = torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    s = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    (practice.ScaledTanh.apply(x, s) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    print("x:", [round(g, 6) for g in x.grad.flatten().tolist()], "  s:", round(s.grad.item(), 6))
    print("gradcheck:", torch.autograd.gradcheck(practice.ScaledTanh.apply, (x, s)))

# hint("4.2")

# %% check="4.2"
check("4.2")

# %% [markdown]
# `gradcheck` measures as well, and lets pass what lies within a thousandth. Here is a rule that is off by half of that.
# **Predict** both verdicts: PyTorch's, with its defaults, and that of the checker that you have used since topic 02.

# %%
class Nearly(torch.autograd.Function):
    """tanh, with a backward that is 0.05 % too large."""

    @staticmethod
    def forward(ctx, x):
        t = x.tanh()
        ctx.save_for_backward(t)
        return t

    @staticmethod
    def backward(ctx, upstream):
        (t,) = ctx.saved_tensors
        return 1.0005 * upstream * (1 - t**2)

x = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
print("gradcheck:", torch.autograd.gradcheck(Nearly.apply, (x,)))
print(check_gradients(Nearly.apply, x))

# %% [markdown]
# An error of a thousandth in one rule rarely stops a training. It makes it a little worse, and nobody knows why. Ask
# `gradcheck` for more with `rtol=1e-6`, or use a checker that chooses its step.

# %% [markdown]
# ### 4.3 Watching gradients pass (10 minutes)
#
# A hook on a tensor is called with the gradient that arrives there, during the pass. Use it to see how the gradient
# fares on its way through a stack of `tanh(w x)` layers.
#
# **Predict** for ten layers with `w = 0.5` each: does the gradient at the first layer vanish, stay or explode? And for
# `w = 1`?

# %% try="4.3"
with yours():
    for w in (0.5, 1.0, 2.0):
        print(f"w = {w}:", " ".join(f"{size:.1e}" for size in practice.watched([w] * 10, 0.7)))

# hint("4.3")

# %% check="4.3"
check("4.3")

# %% [markdown]
# Read each line from right to left, the way the gradient went. With `w = 0.5` every layer halves it or worse. With
# `w = 1` only the factor $1 - \tanh^2$ is left, and it fades slowly. With `w = 2` the stack saturates: that factor is
# near 0, and the gradient goes faster than ever.

# %% [markdown]
# ### Level 4 in one view, and the whole path

# %%
check(4)

# %%
status()

# %% [markdown]
# ## What to keep
#
# - A training step is four lines: forward, backward, update outside the record, clear. Know where each one stands.
# - Errors are the harmless failures. A cut graph, a stale gradient and a broadcast loss say nothing at all: look at
#   `grad_fn`, at `grad`, and at shapes.
# - A number carries no history. Let numbers out of a training loop, never tensors with a `grad_fn`.
# - Check a gradient by measurement, and a measurement by hand, at least once.
#
# **Open end.** `torch.autograd.graph.saved_tensors_hooks` tells what a forward pass saves. How many bytes does your
# `fit` save in one step with a million houses, and which operation saves them? `level03-memory-efficient.py` has a way
# to count.
