# %% [markdown]
# # Maths refresh: matrices, sums that hide, and softmax
#
# **Do:** derive the gradients of a matrix product by following one entry, see shapes mislead, undo a broadcast, and
# differentiate softmax by pen and by nudge.
#
# **Learn:** read $\sum_n x_{ni}\, g_{nj}$ as a matrix product; say where a sum belongs on the way back; why one logit
# moves every probability.
#
# **Need:** the chain rule, and what a matrix product is. About 30 minutes; three short drills are marked.

# %% [markdown]
# ## 1. One entry of a product
#
# $Y = X W$ says $y_{nj} = \sum_i x_{ni}\, w_{ij}$: example $n$, output $j$, summed over the inputs $i$.
#
# **Predict:** `W[0, 1]` grows by 0.001. Which entries of `X @ W` move, and by how many times 0.001?

# %%
import numpy as np

np.set_printoptions(precision=4, suppress=True)

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])      # 3 examples, 2 inputs
W = np.zeros((2, 4))                                    # 2 inputs, 4 outputs
moved = W.copy()
moved[0, 1] += 0.001
(X @ moved - X @ W) / 0.001

# %% [markdown]
# Column 1, in every row, by 1, 3 and 5: the input that this weight is multiplied by. Written as a formula,
# $\partial y_{nj} / \partial w_{ij} = x_{ni}$, and no other output moves.
#
# Let $g_{nj}$ be the gradient of the loss by $y_{nj}$. The weight reaches the loss once through each example, and paths
# add:
#
# $$\frac{\partial L}{\partial w_{ij}} = \sum_n x_{ni}\, g_{nj}$$
#
# A sum over the **first** index of both. A matrix product sums over the last index of the first and the first of the
# second, so one of them has to be turned: $X^T G$.
#
# The same for an input. $x_{ni}$ reaches every output $j$ of its own example, with the factor $w_{ij}$:
#
# $$\frac{\partial L}{\partial x_{ni}} = \sum_j g_{nj}\, w_{ij}, \qquad\text{that is } G\, W^T$$

# %% [markdown]
# ## 2. When shapes mislead
#
# With 3 examples, 2 inputs and 4 outputs only one product fits. **Predict** how many of these four do, when all three
# sizes are 2.

# %%
def candidates(X, G):
    products = {"X.T @ G": (X.T, G), "G.T @ X": (G.T, X), "X @ G": (X, G), "X @ G.T": (X, G.T)}
    return {name: a @ b for name, (a, b) in products.items() if a.shape[1] == b.shape[0]}

for N, nin, nout in [(3, 2, 4), (2, 2, 2)]:
    made = candidates(np.ones((N, nin)), np.ones((N, nout)))
    fits = [name for name, product in made.items() if product.shape == (nin, nout)]
    print(f"N = {N}, nin = {nin}, nout = {nout}: shaped like W:", ", ".join(fits))

# %% [markdown]
# All four. The nudge knows which is right:

# %%
X, G = np.array([[1.0, -2.0], [5.0, 3.0]]), np.array([[1.0, 2.0], [-3.0, 4.0]])
W = np.array([[2.0, 1.0], [0.0, -1.0]])

def measured(i, j, h=1e-6):
    up, down = W.copy(), W.copy()
    up[i, j] += h
    down[i, j] -= h
    return (((X @ up) * G).sum() - ((X @ down) * G).sum()) / (2 * h)

print("measured\n", np.array([[measured(i, j) for j in range(2)] for i in range(2)]))
for name, made in candidates(X, G).items():
    print(f"{name:8}", made.tolist())

# %% [markdown]
# (The loss in this cell is $\sum y_{nj}\, g_{nj}$, because its gradient by $Y$ is just $G$. That is how one tests a
# backward pass with *any* upstream gradient.)
#
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
answer_R1 = {"dW": None, "dX": None}  # replace each None by your number
### BEGIN SOLUTION
answer_R1 = {"dW": -54.0, "dX": -7.0}
### END SOLUTION

# %%
from utils.notebook import check

# %% check="R1"
check("R1", answer_R1)

# %% [markdown]
# ## 3. The sum that broadcasting hides
#
# `X @ W + b` adds a vector of shape (nout,) to a matrix of shape (N, nout). NumPy copies it to every row, silently.
# Copying is an operation, and its way back is a sum.
#
# **Predict** the gradient for each of the four shapes below, and over which axes the sum runs.

# %%
def unbroadcast(G, shape):
    """Sum `G` back to `shape`, over every axis along which broadcasting copied."""
    while G.ndim > len(shape):
        G = G.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            G = G.sum(axis=axis, keepdims=True)
    return G

G = np.arange(6.0).reshape(2, 3)
for shape in [(3,), (2, 1), (1, 3), ()]:
    print(f"{shape!s:7}", unbroadcast(G, shape).tolist())

# %% [markdown]
# The rule in one sentence: **the gradient has the shape of the thing, and every axis that is missing or has length 1
# was summed over.** A quick test is to count: the entries of the gradient must add up to the same total as $G$.

# %%
print([float(unbroadcast(G, shape).sum()) for shape in [(3,), (2, 1), (1, 3), ()]], float(G.sum()))

# %% [markdown]
# ### Drill R2

# %%
problem("R2")

# %%
drill_form("R2")

# %% answer="R2"
answer_R2 = {"bias": None, "column": None, "number": None}  # replace each None by your number
### BEGIN SOLUTION
answer_R2 = {"bias": -2.0, "column": 4.0, "number": 7.0}
### END SOLUTION

# %% check="R2"
check("R2", answer_R2)

# %% [markdown]
# ## 4. Softmax
#
# $s_i = e^{z_i} / \sum_j e^{z_j}$. Two facts before any derivative. **Predict** both lines.

# %%
def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()

z = np.array([2.0, 1.0, -1.0])
print("sum:", round(softmax(z).sum(), 12))
print("all logits raised by 5 changes nothing:", np.allclose(softmax(z + 5), softmax(z)))

# %% [markdown]
# The second is why the largest logit may be subtracted before anything is exponentiated. Now raise **one** logit.
# **Predict** the signs of the first column of the table, which says how each probability moves when $z_0$ does.

# %%
h = 1e-6
table = np.array([(softmax(z + h * e) - softmax(z - h * e)) / (2 * h) for e in np.eye(3)]).T
print("measured, row i: how s_i moves with each logit\n", table)

# %% [markdown]
# By pen: for the quotient $s_i = e^{z_i} / T$ with $T = \sum_j e^{z_j}$, the derivative of the numerator is $e^{z_i}$
# if the same logit moves and 0 if not, and $T$ moves by $e^{z_j}$ in both cases. So
#
# $$\frac{\partial s_i}{\partial z_j} = s_i\,(\delta_{ij} - s_j), \qquad \delta_{ij} = 1 \text{ if } i = j, \text{ else } 0.$$
#
# This table is the **Jacobian** of softmax. Multiply by an upstream gradient $g_i$ and sum over $i$:
#
# $$\frac{\partial L}{\partial z_j} = \sum_i g_i\, s_i\,(\delta_{ij} - s_j) = s_j\,\Big(g_j - \sum_i g_i s_i\Big)$$
#
# The sum is the mean of the upstream gradients, weighted by $s$. A logit is blamed for what its output does *better or
# worse than the mean*. **Predict** what comes back when all $g_i$ are equal.

# %%
s = softmax(z)
print("formula equals table:", np.allclose(np.diag(s) - np.outer(s, s), table, atol=1e-9))
for g in (np.array([1.0, 1.0, 1.0]), np.array([0.0, 4.0, 0.0])):
    print(g, "->", s * (g - (g * s).sum()))

# %% [markdown]
# Nothing comes back from equal gradients: the outputs sum to 1 whatever the logits do. A test with an upstream gradient
# of ones would bless any rule that returns zeros; test with drawn ones.

# %% [markdown]
# ## 5. The logarithm of a sum
#
# The loss of a classifier is $-\log s_y$ for the right class $y$. Simplified, it is
#
# $$-\log s_y = \log \sum_j e^{z_j} \;-\; z_y.$$
#
# The first term is called *log-sum-exp*. It is close to the largest logit, and its gradient is softmax. **Predict**
# what each line says for logits of 1000.

# %%
def log_sum_exp(z):
    return z.max() + np.log(np.exp(z - z.max()).sum())

large = np.array([1000.0, 998.0, 0.0])
with np.errstate(over="ignore"):
    print("as written:", np.log(np.exp(large).sum()))
print("shifted:   ", round(log_sum_exp(large), 6))
gradient = [(log_sum_exp(z + h * e) - log_sum_exp(z - h * e)) / (2 * h) for e in np.eye(3)]
print("its gradient is softmax:", np.allclose(gradient, softmax(z), atol=1e-8))

# %% [markdown]
# So the gradient of the loss by the logits is $s - \text{onehot}$: softmax from the first term, minus 1 at the right
# class from the second. No division, nothing that can be 0.

# %% [markdown]
# ### Drill R3

# %%
problem("R3")

# %%
drill_form("R3")

# %% answer="R3"
answer_R3 = {"jacobian": None, "dz": None, "logit": None}  # replace each None by your number
### BEGIN SOLUTION
answer_R3 = {"jacobian": -0.03125, "dz": 2.1875, "logit": -0.75}
### END SOLUTION

# %% check="R3"
check("R3", answer_R3)

# %% [markdown]
# ## What to take with you
#
# 1. Follow one entry: which outputs does it reach, with which factor? Sum over them. That gives $X^T G$ and $G\, W^T$.
# 2. Shapes reject wrong products only while the sizes differ.
# 3. What was copied is summed: the gradient has the shape of the thing.
# 4. Softmax: $s\,(g - \text{weighted mean of } g)$, row by row. With the logarithm: $s - \text{onehot}$.
# 5. Subtract the row's maximum before every exponential.
#
# **One to go on with:** the determinant of softmax's Jacobian is 0. What does that say about logits, and which fact of
# section 4 is it?
#
# **Next:** [exercises.ipynb](exercises.ipynb), where you write the layers.
