# %% [markdown]
# # Maths refresh: a squared error, an average, and a derivative of a derivative
#
# **Do:** derive the gradient of a squared error for one house, then for many; see what an average does when batches are
# unequal; differentiate twice, and multiply by a matrix that is never written down.
#
# **Learn:** where the 2 and the 1/N of a regression's gradient come from, what accumulates and what must be divided,
# and what a second derivative says.
#
# **Need:** the chain rule of topic 02. About 20 minutes; three short drills are marked.

# %% [markdown]
# ## 1. The error of one house
#
# A house of size $s$ costs $p$. The model says $w s + b$, and the loss is the squared error $L = (w s + b - p)^2$.
#
# It is a chain of three links: a prediction, an error, a square. **Predict** for $w = 2$, $s = 3$, $b = 1$, $p = 10$:
# how many times as far does $L$ move when $b$ moves? And when $w$ moves?

# %%
def loss(w, b, s=3.0, p=10.0):
    return (w * s + b - p) ** 2

h = 1e-5
print("towards b:", round((loss(2.0, 1.0 + h) - loss(2.0, 1.0 - h)) / (2 * h), 6))
print("towards w:", round((loss(2.0 + h, 1.0) - loss(2.0 - h, 1.0)) / (2 * h), 6))

# %% [markdown]
# The error is $e = 2 \cdot 3 + 1 - 10 = -3$.
#
# - The square: $dL/de = 2e = -6$.
# - The error moves as far as the prediction, and the prediction as far as $b$: $\partial L/\partial b = 2e = -6$.
# - When $w$ moves by 1, the prediction moves by $s$: $\partial L/\partial w = 2e \cdot s = -18$.
#
# Both are negative: raise $w$ or $b$, and the loss falls, since the prediction is too low. The sign travels with the
# definition of the error. Whoever writes $p - (w s + b)$ has the same loss and must carry a minus into both lines.

# %% [markdown]
# ### Drill R1
#
# Fill in the form and press Tab or Enter: every box is judged on its own. *Another problem* draws new numbers for
# practice. What counts is the answer cell below the form, with the numbers of the problem shown here.

# %%
from utils.drills import drill_form, problem

problem("R1")

# %%
drill_form("R1")

# %% answer="R1"
answer_R1 = {"error": None, "db": None, "dw": None}  # replace each None by your number
### BEGIN SOLUTION
answer_R1 = {"error": 4.0, "db": 8.0, "dw": 32.0}
### END SOLUTION

# %%
from utils.notebook import check

# %% check="R1"
check("R1", answer_R1)

# %% [markdown]
# ## 2. Many houses: where 1/N belongs
#
# The loss of many examples is a mean. A derivative goes through a mean term by term, so **the gradient of a mean is the
# mean of the gradients**:
#
# $$\frac{\partial}{\partial w} \, \frac{1}{N} \sum_i e_i^2 \;=\; \frac{1}{N} \sum_i 2\, e_i\, s_i$$
#
# The $1/N$ appears **once**. Written into the loss and once more into the update, it makes the learning rate $N$ times
# smaller; written nowhere, $N$ times larger.
#
# **Predict**: the same four examples, in one batch and with each given twice. What happens to the gradient of the mean,
# and to that of the sum?

# %%
examples = [(1.0, 4.0), (2.0, 3.0), (3.0, 8.0), (4.0, 9.0)]     # (size, price)

def gradient_of_sum(examples, w=2.0, b=0.0):
    return sum(2 * (w * s + b - p) * s for s, p in examples)

for name, batch in (("once ", examples), ("twice", examples + examples)):
    total = gradient_of_sum(batch)
    print(f"each {name}: sum {total:6.1f}   mean {total / len(batch):6.2f}")

# %% [markdown]
# The mean does not care, and so a learning rate chosen for it serves any batch size. Now in two batches, of three
# examples and of one. **Predict** which of the two lines gives the gradient of the mean over all four.

# %%
parts = [examples[:3], examples[3:]]
print("mean of the batches' means", sum(gradient_of_sum(part) / len(part) for part in parts) / len(parts))
print("sums, divided by N once   ", sum(gradient_of_sum(part) / len(examples) for part in parts))

# %% [markdown]
# The second. In a mean of means the lonely fourth example counts three times as much as each of the others.

# %% [markdown]
# ### Drill R2

# %%
problem("R2")

# %%
drill_form("R2")

# %% answer="R2"
answer_R2 = {"mean": None, "first": None, "naive": None}  # replace each None by your number
### BEGIN SOLUTION
answer_R2 = {"mean": 7.0, "first": 2.0, "naive": 18.0}
### END SOLUTION

# %% check="R2"
check("R2", answer_R2)

# %% [markdown]
# ## 3. A derivative of a derivative
#
# $f(x) = x^3$ has the slope $3x^2$. That slope is itself a function, and its slope is $6x$: the **second derivative**,
# or how fast the slope changes. **Predict** its value at $x = 2$, then measure: the central difference of a central
# difference comes down to three values of $f$.

# %%
def f(x):
    return x**3

h = 1e-3
print("measured", round((f(2.0 + h) - 2 * f(2.0) + f(2.0 - h)) / h**2, 6))

# %% [markdown]
# Twelve. For a function of two inputs there are four second derivatives, and they form the **Hessian** matrix $H$: how
# the slope towards each input changes when each input moves. A network with a million weights has one with $10^{12}$
# entries, which nobody writes down. But often one needs only $H v$ for one direction $v$: *how does the gradient change
# when I move along $v$?* And that can be measured with two gradients.
#
# **Predict** both entries for $g(u, v) = u^2 v$ at $(3, 2)$ and the direction $(1, 0)$. The gradient is
# $(2 u v, u^2) = (12, 9)$, and only $u$ moves.

# %%
def gradient(u, v):
    return 2 * u * v, u * u

h = 1e-5
ahead, behind = gradient(3.0 + h, 2.0), gradient(3.0 - h, 2.0)
print("H v:", [round((a - b) / (2 * h), 6) for a, b in zip(ahead, behind)])

# %% [markdown]
# $(2v, 2u) = (4, 6)$: the first column of $H$. In exercises.ipynb PyTorch does the same without a step size: it
# differentiates its own backward pass.

# %% [markdown]
# ### Drill R3

# %%
problem("R3")

# %%
drill_form("R3")

# %% answer="R3"
answer_R3 = {"first": None, "second": None, "product": None}  # replace each None by your number
### BEGIN SOLUTION
answer_R3 = {"first": 20.0, "second": 28.0, "product": 24.0}
### END SOLUTION

# %% check="R3"
check("R3", answer_R3)

# %% [markdown]
# ## What to take with you
#
# 1. A squared error has the gradient *twice the error, times what the parameter does to the prediction*.
# 2. The gradient of a mean is the mean of the gradients, and the $1/N$ is written once.
# 3. Batches of unequal length: add up sums, divide by the number of all examples.
# 4. A second derivative is the slope of a slope; $H v$ asks for it in one direction, for the price of two gradients.
#
# **One to go on with:** the mean squared error of a line is a parabola in $(w, b)$, so its Hessian does not depend on
# where you are. Work it out for the six houses of intuition.ipynb. Its two eigenvalues differ by a factor of about 85:
# what has that to do with the two speeds of the learning curve?
#
# **Next:** [exercises.ipynb](exercises.ipynb).
