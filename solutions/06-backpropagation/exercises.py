# %% [markdown]
# # Backpropagation by hand
#
# This page is a draft: it holds the exercises and their checks, and no explanations yet.
#
# You write in **`layers.py`**, the file beside this notebook; its docstring says what every layer promises. Save it,
# then run a check. `hint("1.1")` shows the first hint of exercise 1.1.

# %%
from utils.notebook import check, hint, status

# %% [markdown]
# # Level 1: Linear and ReLU
#
# `Linear` and `ReLU`, forward and backward, for batches of any size and any upstream gradient.

# %% [markdown]
# ### 1.1 Linear: forward (10 minutes)

# %% check="1.1"
check("1.1")

# %% [markdown]
# ### 1.2 Linear: backward (20 minutes)

# %% check="1.2"
check("1.2")

# %% [markdown]
# ### 1.3 ReLU: a gate (10 minutes)

# %% check="1.3"
check("1.3")

# %% [markdown]
# # Level 2: Losses
#
# `Tanh`, `SquaredError`, softmax and cross-entropy, staged and in closed form; means and sums; no overflow.

# %% [markdown]
# ### 2.1 Tanh (5 minutes)

# %% check="2.1"
check("2.1")

# %% [markdown]
# ### 2.2 Squared error: mean and sum (15 minutes)

# %% check="2.2"
check("2.2")

# %% [markdown]
# ### 2.3 Softmax and its backward (15 minutes)

# %% check="2.3"
check("2.3")

# %% [markdown]
# ### 2.4 Cross-entropy in stages (10 minutes)

# %% check="2.4"
check("2.4")

# %% [markdown]
# ### 2.5 Cross-entropy in closed form (20 minutes)

# %% check="2.5"
check("2.5")

# %% [markdown]
# # Level 3: A network, by hand
#
# `Sequential` and `Dropout`; caches that belong to one layer and to its latest forward; a backward pass in 26 steps; the same gradients from scalars.

# %% [markdown]
# ### 3.1 Sequential (10 minutes)

# %% check="3.1"
check("3.1")

# %% [markdown]
# ### 3.2 Whose cache, whose array? (10 minutes)

# %% check="3.2"
check("3.2")

# %% [markdown]
# ### 3.3 Dropout: the mask is kept (15 minutes)

# %% check="3.3"
check("3.3")

# %% [markdown]
# ### 3.4 Twenty-six steps (45 minutes)

# %% check="3.4"
check("3.4")

# %% [markdown]
# ### 3.5 The bridge to your own Value (20 minutes)

# %% check="3.5"
check("3.5")

# %% [markdown]
# # Level 4: It learns to read digits
#
# `sgd` and `train_epoch`: a network of your layers reads over 97 % of the digits that it has not seen.

# %% [markdown]
# ### 4.1 One step downhill (5 minutes)

# %% check="4.1"
check("4.1")

# %% [markdown]
# ### 4.2 One epoch (20 minutes)

# %% check="4.2"
check("4.2")

# %% [markdown]
# ### 4.3 Ninety-seven percent (10 minutes)

# %% check="4.3"
check("4.3")
