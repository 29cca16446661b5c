# %% [markdown]
# # Maths refresh: a product of matrices, and its derivative
#
# A draft: one measurement so far.
#
# **Do:** move one entry of a matrix. **Learn:** which entries of a product feel it. **Need:** what a matrix product is.

# %% [markdown]
# **Predict:** `W[0, 1]` grows by 0.001. Which entries of `x @ W` change, and by how much?

# %%
import numpy as np

x = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
W = np.zeros((2, 3))
moved = W.copy()
moved[0, 1] += 0.001
(x @ moved - x @ W) / 0.001
