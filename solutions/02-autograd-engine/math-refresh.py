# %% [markdown]
# # Maths refresh: slopes, chains, and how to measure them
#
# **Do:** nudge inputs and watch outputs, multiply slopes along a chain, add them across paths, measure a slope from
# two values, and find the step size at which measuring goes wrong.
#
# **Learn:** what a derivative says as a number, the eight rules that your engine will use, the chain rule with one
# path and with several, and what a finite difference can and cannot tell.
#
# **Need:** Python functions, and a dim memory of slopes from school. About 25 minutes; four short drills are marked.

# %% [markdown]
# ## 1. A derivative is a sensitivity
#
# Take $f(x) = x^2$ at $x = 3$, where $f$ is $9$. Push $x$ up by $0.001$.
#
# **Predict:** how many times $0.001$ does $f$ move?

# %%
def f(x):
    return x * x

step = 0.001
moved = f(3.0 + step) - f(3.0)
print(f"f moved by {moved:.6f}, which is {moved / step:.3f} times the step")

# %% [markdown]
# About 6 times. The extra 0.001 is there because $f$ bends upwards on the way. A step to *both* sides cancels that:

# %%
def slope(f, x, h=1e-5):
    """Central difference: how far f moves for each unit that x moves, measured around x."""
    return (f(x + h) - f(x - h)) / (2 * h)

slope(f, 3.0)

# %% [markdown]
# Six, up to rounding in the last digits. This number is the **derivative** of $f$ at $3$, written $f'(3)$ or $df/dx$.
# Read it as a sensitivity: *near this point, a small change of $x$ comes out multiplied by 6.*
#
# $$\text{change of } f \;\approx\; f'(x) \cdot \text{change of } x$$
#
# Its sign says which way $f$ goes when $x$ grows. It is not the value of $f$, and the two have little to do with
# each other.
#
# **Predict:** $g(x) = 5\,(x - 2)$ is $0$ at $x = 2$. What is its slope there?

# %%
def g(x):
    return 5 * (x - 2)

print("value", g(2.0), "  slope", round(slope(g, 2.0), 6))

# %% [markdown]
# A value of zero with a slope of five. A weight or a bias that starts at 0 can still have a large gradient.

# %% [markdown]
# ## 2. The rules your engine will use
#
# | rule | $f(x)$ | $f'(x)$ |
# |---|---|---|
# | sum | $u + v$ | $u' + v'$ |
# | product | $u\,v$ | $u'\,v + u\,v'$ |
# | power | $x^n$ | $n\,x^{n-1}$ |
# | exponential | $e^x$ | $e^x$ |
# | logarithm | $\ln x$ | $1/x$ |
# | tanh | $\tanh x$ | $1 - \tanh^2 x$ |
# | sigmoid | $\sigma(x) = 1 / (1 + e^{-x})$ | $\sigma(x)\,(1 - \sigma(x))$ |
# | relu | $\max(0, x)$ | $1$ if $x > 0$, $0$ if $x < 0$ |
#
# There is no need to take a table on trust when slopes can be measured. **Predict:** for which rows will rule and
# measurement agree in every digit that is printed?

# %%
from math import exp, log, tanh

def sigmoid(x):
    return 1 / (1 + exp(-x))

rules = {
    "x**2 + 3*x": (lambda x: x**2 + 3 * x,      lambda x: 2 * x + 3),
    "x**2 * x":   (lambda x: x**2 * x,          lambda x: 2 * x * x + x**2 * 1),
    "x**-2":      (lambda x: x**-2,             lambda x: -2 * x**-3),
    "exp":        (exp,                         exp),
    "log":        (log,                         lambda x: 1 / x),
    "tanh":       (tanh,                        lambda x: 1 - tanh(x)**2),
    "sigmoid":    (sigmoid,                     lambda x: sigmoid(x) * (1 - sigmoid(x))),
    "relu":       (lambda x: max(0.0, x),       lambda x: 1.0 if x > 0 else 0.0),
}
for name, (f, rule) in rules.items():
    print(f"{name:12} rule {rule(0.7):10.6f}   measured {slope(f, 0.7):10.6f}")

# %% [markdown]
# All of them, at six decimals. The rules for tanh, sigmoid and exp share something worth a second look: the derivative
# is made from the *value*, which the forward pass has computed already. Your engine will reuse it.
#
# One point is left out of the table: relu at $0$, where the graph has a corner. **Predict:** what does the central
# difference say there?

# %%
def relu(x):
    return max(0.0, x)

h = 1e-5
print("from the left ", (relu(0.0) - relu(-h)) / h)
print("from the right", (relu(h) - relu(0.0)) / h)
print("central       ", slope(relu, 0.0))

# %% [markdown]
# Two slopes, and the central difference gives their mean, which is the slope on neither side. At a **kink** there is
# no derivative; engines pick one by convention, and for relu almost all of them pick 0.

# %% [markdown]
# ### Drill R1
#
# Each of the four drills works like this. Fill in the form and press Tab or Enter: every box is judged on its own, and
# a wrong number is compared with what the usual slips give. *Another problem* draws new numbers for practice, as often
# as you like. What counts is the answer cell below the form, filled in with the numbers of the problem shown here.

# %%
from utils.drills import drill_form, problem

problem("R1")

# %%
drill_form("R1")

# %% answer="R1"
answer_R1 = {"df_dx": None, "dg_db": None, "change": None}  # replace each None by your number
### BEGIN SOLUTION
answer_R1 = {"df_dx": 23.0, "dg_db": -2.0, "change": 0.3}
### END SOLUTION

# %%
from utils.notebook import check

# %% check="R1"
check("R1", answer_R1)

# %% [markdown]
# ## 3. The chain rule: multiply along the way
#
# Two machines in a row: $u = 3x - 1$, then $f = u^3$. At $x = 1$ the first gives $u = 2$, the second $f = 8$.
#
# - $u$ is 3 times as sensitive as $x$: $du/dx = 3$.
# - $f$ is 12 times as sensitive as $u$: $df/du = 3u^2 = 12$, taken at $u = 2$, since 2 is what it is fed.
#
# **Predict:** push $x$ by $0.001$. How far does $u$ move, and how far $f$?

# %%
def u(x):
    return 3 * x - 1

def f(u):
    return u**3

step = 0.001
du = u(1 + step) - u(1)
df = f(u(1 + step)) - f(u(1))
print(f"x moved {step:.4f}   u moved {du:.4f}   f moved {df:.4f}   f over x: {df / step:.2f}")

# %% [markdown]
# The step grew threefold, then about twelvefold: 36 in all, up to the bend of $f$ that a step this long still feels.
#
# $$\frac{df}{dx} = \frac{df}{du} \cdot \frac{du}{dx} = 12 \cdot 3 = 36$$
#
# That is the **chain rule**. The factor $du/dx$ is a **local derivative**: it needs nothing but its own machine. The
# factor $df/du$ is what arrives from the output's side; we call it the **upstream gradient**. A longer chain has more
# factors, and nothing else changes. Here are three links; the middle factor is missing.

# %% [markdown]
# **Predict:** $s = 2x$, $t = \tanh s$, $f = t^2$ at $x = 0.5$. Write down the middle factor $dt/ds$ before you run the
# cell.

# %%
x = 0.5
s = 2 * x
t = tanh(s)

df_dt = 2 * t           # local derivative of the square, at t
dt_ds = 1 - t**2        # local derivative of tanh, made from its value
ds_dx = 2
print("product of the links ", df_dt * dt_ds * ds_dx)
print("measured in one piece", slope(lambda x: tanh(2 * x)**2, x))

# %% [markdown]
# ### Drill R2

# %%
problem("R2")

# %%
drill_form("R2")

# %% answer="R2"
answer_R2 = {"du_dx": None, "df_du": None, "df_dx": None}  # replace each None by your number
### BEGIN SOLUTION
answer_R2 = {"du_dx": -6.0, "df_du": 14.0, "df_dx": -84.0}
### END SOLUTION

# %% check="R2"
check("R2", answer_R2)

# %% [markdown]
# ## 4. Several inputs: move one, hold the others
#
# A **partial derivative** $\partial f / \partial a$ is the sensitivity to $a$ alone, while every other input stands
# still. Take $f(a, b) = a\,b + b$ at $a = 2$, $b = -3$.
#
# **Predict** both partial derivatives.

# %%
def f(a, b):
    return a * b + b

print("df/da", round(slope(lambda a: f(a, -3.0), 2.0), 6))
print("df/db", round(slope(lambda b: f(2.0, b), -3.0), 6))

# %% [markdown]
# Where $a$ moves, its partner $b = -3$ is left. Where $b$ moves, it does so in two places, and $a + 1 = 3$ is left.
#
# The list of all partial derivatives is the **gradient**. Measuring it takes two evaluations for every input:

# %%
from utils.finite_difference_checker import numerical_gradient

numerical_gradient(f, [2.0, -3.0], h=1e-5)

# %% [markdown]
# ## 5. Several paths: add them up
#
# Now one input reaches the output by two ways: $u = 2x$ and $v = x + 1$, then $f = u\,v$. The drawing shows the graph
# at $x = 3$, with the local derivative on each edge.

# %%
from utils.autograd_stub import Value
from utils.visualization import draw

x = Value(3.0)
u = x * 2
v = x + 1
f = u * v
draw(f, grads=False, locals=True, names=globals())

# %% [markdown]
# Multiply along each path: through $u$ it is $4 \cdot 2$, through $v$ it is $6 \cdot 1$. **Predict:** what is $df/dx$,
# and which of the two would you see if $x$ moved for $u$ only?

# %%
def product(x_for_u, x_for_v):
    return (2 * x_for_u) * (x_for_v + 1)

print("through u alone", round(slope(lambda x: product(x, 3.0), 3.0), 6))
print("through v alone", round(slope(lambda x: product(3.0, x), 3.0), 6))
print("through both   ", round(slope(lambda x: product(x, x), 3.0), 6))

# %% [markdown]
# Eight and six, and together fourteen: **along a path multiply, across paths add.** This sum is the reason for the `+=`
# in every rule of your engine. A finished engine agrees:

# %%
f.backward()
draw(f, locals=True, names=globals())

# %% [markdown]
# ### Drill R3

# %%
problem("R3")

# %%
drill_form("R3")

# %% answer="R3"
answer_R3 = {"via_u": None, "via_v": None, "df_dx": None}  # replace each None by your number
### BEGIN SOLUTION
answer_R3 = {"via_u": 30.0, "via_v": 8.0, "df_dx": 38.0}
### END SOLUTION

# %% check="R3"
check("R3", answer_R3)

# %% [markdown]
# ## 6. Measuring well: the step size
#
# You will check your engine by measuring, so look at what a measurement is worth. There are two ways to step:
#
# $$\text{forward: } \frac{f(x+h) - f(x)}{h} \qquad\qquad \text{central: } \frac{f(x+h) - f(x-h)}{2h}$$
#
# Both get better as $h$ shrinks, and then worse. **Predict:** computers keep about 16 digits. Which $h$ is best for
# the central difference: $10^{-15}$, $10^{-10}$, $10^{-5}$ or $10^{-1}$?

# %%
import numpy as np

def forward(f, x, h):
    return (f(x + h) - f(x)) / h

def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)

def relative_error(difference, h, number):
    """Error of the measured slope of exp: the median of 99 points around 1, computed in type `number`."""
    x = np.linspace(0.5, 1.5, 99).astype(number)
    exact = np.exp(x.astype(np.float64))
    return np.median(abs(difference(np.exp, x, number(h)) - exact) / exact)

for h in (1e-1, 1e-5, 1e-10, 1e-15):
    print(f"h = {h:.0e}   relative error {relative_error(central, h, np.float64):.0e}")

# %% [markdown]
# The step in the middle wins by far. The whole curve shows why:

# %%
import matplotlib.pyplot as plt

steps = 10.0 ** np.arange(-15, 0.01, 0.125)
curves = [  # difference, type, colour (Okabe-Ito), line style, where its name stands and how it is aligned
    (forward, np.float64, "#0072B2", "--", 1.5e-6, 4e-6, "right"),
    (central, np.float64, "#009E73", "-", 4e-5, 3e-11, "left"),
    (central, np.float32, "#D55E00", ":", 3e-8, 2e0, "right"),
]
figure, axes = plt.subplots(figsize=(7.5, 4.5), layout="constrained")
for difference, number, colour, style, *place, aligned in curves:
    errors = np.array([relative_error(difference, h, number) for h in steps])
    best = errors.argmin()
    axes.loglog(steps, errors, style, color=colour, linewidth=2)
    axes.plot(steps[best], errors[best], "o", color=colour)
    axes.text(*place, f"{difference.__name__}, {number.__name__}", color=colour, ha=aligned, fontsize=11)
    print(f"{difference.__name__} {number.__name__}   best h {steps[best]:.0e}   error {errors[best]:.0e}")
axes.set(xlabel="step size h", ylabel="relative error of the measured slope", ylim=(1e-13, 1e1))
axes.grid(color="#DDDDDD")

# %% [markdown]
# Read the curve of the central difference from right to left. Down to about $10^{-5}$ the error falls with $h^2$: the
# part that comes from the bend of $f$, **truncation**. Below that it rises with $1/h$: the two values agree in almost
# all their digits, the difference keeps the few that are left, and dividing by a tiny $h$ blows up their **round-off**.
#
# - The forward difference falls with $h$ only and is best near $10^{-8}$, and several hundred times worse there.
# - In float32, with 7 digits, the best central step is near $0.004$, and a step of $10^{-5}$ has lost all but two or
#   three of them. Check gradients in float64.
#
# A checker that is to be trusted goes further and searches the step for you. The one you will use also tells a kink
# from a wrong gradient. Here it looks at the engine's gradient of the two-path function:

# %%
from utils.finite_difference_checker import check_gradients

check_gradients(lambda x: (x * 2) * (x + 1), [Value(3.0)])

# %% [markdown]
# ### Drill R4

# %%
problem("R4")

# %%
drill_form("R4")

# %% [markdown]
# Room for your arithmetic. `central` from above takes any function: `central(lambda x: x**2, 3.0, 0.1)`.

# %% try="R4"
central(lambda x: x**2, 3.0, 0.1)

# %% answer="R4"
answer_R4 = {"central": None, "error": None, "kink": None}  # replace each None by your number
### BEGIN SOLUTION
answer_R4 = {"central": 12.64, "error": 0.64, "kink": 5.0}
### END SOLUTION

# %% check="R4"
check("R4", answer_R4)

# %% [markdown]
# ## What to take with you
#
# 1. A derivative is a sensitivity: near this point, a change of the input comes out multiplied by it. It is not the
#    value.
# 2. Along a path local derivatives multiply; across paths the products add.
# 3. A local derivative needs only its own operation's inputs and output. That is why an engine can be built from
#    small rules.
# 4. Any derivative can be measured: central difference, float64, $h$ near $10^{-5}$, and with care at kinks. Measuring
#    costs two evaluations an input or more; the engine you build next finds all of them in one pass.
#
# The questions in [questions.md](questions.md) are a good test of whether this has settled.
#
# **One to go on with:** try `exp(1 + 1j * h).imag / h` with `cmath.exp` and $h = 10^{-20}$. Why does this step suffer
# from no round-off, although it is far smaller than any in the plot?
#
# **Next:** [exercises.ipynb](exercises.ipynb), where you write the engine.
