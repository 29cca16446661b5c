# %% [markdown]
# # Backpropagation by hand
#
# **Do.** Write the layers of a network with forward and backward passes of your own; derive softmax and cross-entropy
# twice; walk a backward pass in 26 steps; train your layers until they read digits.
#
# **Learn.** Derive a backward pass by indices and check it by measuring. Say whose memory a layer uses, and where 1/N
# belongs. Recognise a wrong gradient that raises no error.
#
# **Need.** `intuition.ipynb` and `math-refresh.ipynb` of this topic, and NumPy's `@`, `.T`, `.sum(axis=0)`. Three to
# four hours.

# %% [markdown]
# ## How to work
#
# You write in **`layers.py`**, the file beside this notebook; open it in a second tab. Predict, write, **save**, play,
# check. Run this cell first, and again after every restart of the kernel.

# %%
from contextlib import contextmanager

import numpy as np

import layers
from utils.finite_difference_checker import check_gradients
from utils.fresh import follow
from utils.notebook import check, hint, status

follow("layers")
np.set_printoptions(precision=4, suppress=True)

# %% [markdown]
# `layers.py` is loaded anew before a cell whenever you have saved it. An object that you made before keeps its old
# code: make it again. `check` judges the file on disk, in a process of its own. Cells that use what you have not
# written yet begin with `with yours():` and then say so in one line.

# %%
@contextmanager
def yours():
    """For cells that run your code: one line where it is not written yet."""
    try:
        yield
    except NotImplementedError as missing:
        print("Not written yet:", missing)

# %% [markdown]
# Stuck? Four doors, in this order: the message of the failing check, which names the entry of the array that is off;
# `hint("1.1")`, one at a time; a measurement of your own, as in 1.2; a look at one layer of the solution file.

# %% [markdown]
# # Level 1: Linear and ReLU
#
# **Worked example.** `Square` is complete in your `layers.py`. Every layer has its shape: `forward` computes and keeps,
# `backward` multiplies what comes from upstream by the local derivative.
#
# ```python
#     def forward(self, x):
#         self.input = x
#         return x * x
#
#     def backward(self, grad_output):
#         return grad_output * 2 * self.input
# ```
#
# **Predict** what `backward` returns here for an upstream gradient of 10 at each entry.

# %%
square = layers.Square()
print("forward ", square.forward(np.array([[1.0, -2.0, 3.0]])))
print("backward", square.backward(np.array([[10.0, 10.0, 10.0]])))

# %% [markdown]
# ### 1.1 Linear: forward (10 minutes)
#
# `y = x W + b`, for a batch of any size: one example a row. Keep what you will need.
#
# **Predict** the shape of `y` for five examples with three features and two outputs.

# %% try="1.1"
with yours():
    linear = layers.Linear(3, 2, np.random.default_rng(0))
    x = np.arange(15.0).reshape(5, 3)
    print(linear.forward(x).shape)

# hint("1.1")

# %% check="1.1"
check("1.1")

# %% [markdown]
# ### 1.2 Linear: backward (20 minutes)
#
# Three gradients: `grad_W` and `grad_b` are **set**, the input's is returned. Watch a plausible attempt fail first. It
# has the right shapes as long as the batch is a single row.

# %%
class Hasty(layers.Linear):
    """A bias gradient that forgets what broadcasting did."""

    def forward(self, x):
        self.input = x
        return x @ self.W + self.b

    def backward(self, grad_output):
        self.grad_W = self.input.T @ grad_output
        self.grad_b = grad_output.sum()
        return grad_output @ self.W.T

# %% [markdown]
# **Predict**: five examples, each blamed with 1 at the first output and 0 at the second. What should `grad_b` be, and
# what will it be?

# %%
hasty = Hasty(3, 2, np.random.default_rng(0))
hasty.forward(np.ones((5, 3)))
hasty.backward(np.array([[1.0, 0.0]] * 5))
print("grad_b:", hasty.grad_b, "  after a step of 0.1, b:", hasty.b - 0.1 * hasty.grad_b)

# %% [markdown]
# It should be `[5, 0]`. One number stands for both, and NumPy moves both biases by it without a word. The sum runs over
# the batch axis and over no other.
#
# **Yours.** Derive each gradient by asking which outputs one entry reaches, then write all three. `check_gradients`
# measures any of them: it is handed the layer's own `backward` as a function from a cotangent to a gradient.

# %% try="1.2"
with yours():
    linear = layers.Linear(3, 2, np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(5, 3))
    print(check_gradients(linear.forward, x, vjp=linear.backward))

# hint("1.2")

# %% check="1.2"
check("1.2")

# %% [markdown]
# ### 1.3 ReLU: a gate (10 minutes)
#
# `max(x, 0)`, entry by entry. On the way back the gate is where it was on the way forward.
#
# **Predict** all four numbers of the second line.

# %% try="1.3"
with yours():
    gate = layers.ReLU()
    print("forward ", gate.forward(np.array([[3.0, -2.0, 0.5, -0.1]])))
    print("backward", gate.backward(np.array([[-1.0, 20.0, 30.0, -40.0]])))

# hint("1.3")

# %% [markdown]
# <details><summary>The numbers</summary>
#
# -1, 0, 30, 0 (a zero may carry a minus sign, which means nothing). The sign of the gradient has no say in it.
# </details>

# %% check="1.3"
check("1.3")

# %% [markdown]
# ### Level 1 in one view

# %%
check(1)

# %% [markdown] essay="E1"
# ### E1 Shapes are not a proof (5 minutes)
#
# A colleague writes: "I never derive a gradient. `grad_W` has to have the shape of `W`, and there is only one way to
# multiply the arrays I have so that it comes out."
#
# Answer in four to six sentences. Give a case in which the shapes allow a wrong answer, with the wrong product. Derive
# the right one by following a single weight. Say how you would test for the mistake.

# %% [markdown] essay-answer="E1"
# **Model answer.** If the batch size, the number of inputs and the number of outputs are equal, every product of `x`,
# `g` and their transposes has the shape of `W`: `x @ g`, `g.T @ x` and `x.T @ g`, for example. Follow one weight: `W[i,
# j]` carries `x[n, i]` to `y[n, j]`, in every example n. So its gradient is the sum over n of `x[n, i] * g[n, j]`, and
# a sum over the first axis of both is `x.T @ g`. `g.T @ x` is its transpose, and `x @ g` sums over the wrong index. I
# would test with arrays of three different sizes, where a wrong product does not even fit, and with a square case
# against finite differences, where it fits and gives wrong numbers.
#
# **Marking, 4 points.**
#
# - 1: a case in which shapes do not decide (two or three of N, nin, nout equal), with a wrong product that fits.
# - 1: follows one weight (or one entry) to the outputs it reaches, with its factor.
# - 1: the sum over the batch, from the derivation and not from the shapes.
# - 1: a test that would see it: finite differences on a square case, or sizes that all differ. "Train and see whether
#   the loss falls" earns nothing: it often falls all the same.

# %% [markdown]
# # Level 2: Losses
#
# ### 2.1 Tanh (5 minutes)
#
# The slope of tanh is $1 - \tanh^2$. **Predict** which of two upstream gradients, both 1, comes through better: that of
# an input of 0, or that of an input of 5?

# %% try="2.1"
with yours():
    tanh = layers.Tanh()
    tanh.forward(np.array([[0.0, 5.0]]))
    print(tanh.backward(np.array([[1.0, 1.0]])))

# hint("2.1")

# %% check="2.1"
check("2.1")

# %% [markdown]
# ### 2.2 Squared error: mean and sum (15 minutes)
#
# The loss is where the way back begins: `backward` takes no upstream gradient, because that would be 1. And it is where
# $1/N$ comes in. First, a silent failure. **Predict** the mean squared error of a perfect prediction, when the one has
# shape (3, 1) and the other (3,).

# %%
target = np.array([1.0, 2.0, 3.0])
prediction = target.reshape(3, 1)
squares = (prediction - target) ** 2
print("squared differences:", squares.shape, "  mean:", round(squares.mean(), 4))

# %% [markdown]
# Not 0: every prediction met every target. Refuse unequal shapes, with an error that names both.
#
# **Yours.** `SquaredError`, for `"mean"` and for `"sum"`. **Predict** the factor between the two gradients below.

# %% try="2.2"
with yours():
    for reduction in ("mean", "sum"):
        loss = layers.SquaredError(reduction)
        value = loss.forward(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 2.0], [3.0, 6.0]]))
        print(f"{reduction:5} loss {value:.2f}   gradient {loss.backward().tolist()}")

# hint("2.2")

# %% check="2.2"
check("2.2")

# %% [markdown]
# ### 2.3 Softmax and its backward (15 minutes)
#
# Each row becomes probabilities, $s_i = e^{z_i} / \sum_j e^{z_j}$. **Predict** what NumPy says to the textbook's
# formula here.

# %%
z = np.array([[1000.0, 999.0, 0.0]])
with np.errstate(over="ignore", invalid="ignore"):
    print(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))

# %% [markdown]
# Softmax does not change when the same number is taken from every logit of a row. Take the row's own maximum.
#
# **Then backward.** All outputs of a row depend on all its inputs. A rule entry by entry, `s * (1 - s) * grad`, gives
# the blame of a sigmoid. **Predict**: with an upstream gradient of 1 for every output, what must come back? (The
# outputs sum to 1, whatever the inputs are.)

# %% try="2.3"
with yours():
    s = layers.softmax(np.array([[2.0, 1.0, -1.0]]))
    print("softmax           ", s)
    print("upstream all ones ", layers.softmax_backward(s, np.ones((1, 3))))
    print("entry by entry    ", s * (1 - s))

# hint("2.3")

# %% check="2.3"
check("2.3")

# %% [markdown]
# ### 2.4 Cross-entropy in stages (10 minutes)
#
# Softmax, then the mean of $-\log p$ of the right class; and back through the same two stages. **Predict** the sum of
# each row of the gradient.

# %% try="2.4"
logits, labels = np.array([[2.0, 1.0, -1.0], [0.0, 0.0, 0.0]]), np.array([1, 2])
with yours():
    value, grad = layers.cross_entropy_staged(logits, labels)
    print("loss", round(float(value), 6))
    print(grad)

# hint("2.4")

# %% check="2.4"
check("2.4")

# %% [markdown]
# ### 2.5 Cross-entropy in closed form (20 minutes)
#
# Stages are easy to derive and easy to break: a probability that rounds to 0 is divided by. **Predict** which of the
# two below survives a confident and wrong prediction.
#
# Simplify first. $-\log\text{softmax}(z)_y = \log \sum_j e^{z_j} - z_y$, and its gradient is one line.

# %% try="2.5"
confident, truth = np.array([[1000.0, 0.0, 0.0]]), np.array([2])
with yours():
    with np.errstate(all="ignore"):
        print("staged     ", *layers.cross_entropy_staged(confident, truth))
    loss = layers.SoftmaxCrossEntropy()
    print("closed form", loss.forward(confident, truth), loss.backward())

# hint("2.5")

# %% check="2.5"
check("2.5")

# %% [markdown]
# **Checkpoint.** Somebody puts a softmax layer in front of this loss. The shapes fit, and it trains a little. What is
# wrong?
#
# <details><summary>Answer</summary>
#
# The loss takes logits and applies softmax itself. Softmax of softmax squeezes all probabilities towards each other:
# with ten classes none can exceed about 0.23, so the loss has a floor and gradients stay small.
# </details>

# %% [markdown]
# ### Level 2 in one view

# %%
check(2)

# %% [markdown]
# # Level 3: A network, by hand
#
# ### 3.1 Sequential (10 minutes)
#
# Forward through the list, backward through it reversed. **Predict** the shape of what `backward` returns at the end.

# %% try="3.1"
with yours():
    rng = np.random.default_rng(0)
    model = layers.Sequential([layers.Linear(3, 4, rng), layers.ReLU(), layers.Linear(4, 2, rng)])
    x = rng.normal(size=(5, 3))
    model.forward(x)
    print(model.backward(np.ones((5, 2))).shape)
    print(check_gradients(model.forward, x, vjp=model.backward))

# hint("3.1")

# %% check="3.1"
check("3.1")

# %% [markdown]
# ### 3.2 Whose cache, whose array? (10 minutes)
#
# Two ways in which layers hurt each other without an error. This layer keeps its input in the *class*. **Predict** the
# gradient of $x^2$ at 3 and of $x^2$ at 5, as these two layers see it.

# %%
class Shared(layers.Square):
    def forward(self, x):
        Shared.input = x
        return x * x

one, two = Shared(), Shared()
one.forward(np.array([3.0]))
two.forward(np.array([5.0]))
print(one.backward(np.array([1.0])), two.backward(np.array([1.0])))

# %% [markdown]
# The other way is to write into an array that somebody else still needs. **Predict** the last line.

# %%
grad = np.array([1.0, 2.0, 3.0])

def tidy(grad_output):
    grad_output *= np.array([1.0, 0.0, 1.0])        # a gate, in place
    return grad_output

tidy(grad)
print("the caller's gradient is now", grad)

# %% [markdown]
# **Yours.** Go through your layers once: a cache in each object, set by its latest `forward`; no array changed that
# came from outside; gradients set and not added. If you wrote them that way at once, the check passes at once.

# %% try="3.2"
# hint("3.2")

# %% check="3.2"
check("3.2")

# %% [markdown]
# ### 3.3 Dropout: the mask is kept (15 minutes)
#
# While training, each entry is dropped with probability $p$, and the others are divided by $1 - p$ so that the mean
# stays where it was. **Predict**: how many of 10,000 ones survive $p = 0.25$, and what is their mean with the zeros
# counted?

# %% try="3.3"
with yours():
    dropout = layers.Dropout(0.25, np.random.default_rng(0))
    out = dropout.forward(np.ones((100, 100)))
    print("kept", int((out != 0).sum()), "  mean", round(out.mean(), 3), "  largest", round(out.max(), 4))
    back = dropout.backward(np.ones((100, 100)))
    print("passes back where it passed forward:", np.array_equal(back, out))

# hint("3.3")

# %% check="3.3"
check("3.3")

# %% [markdown]
# ### 3.4 Twenty-six steps (30 minutes)
#
# The backward pass of a whole network, one line of the forward pass at a time. `step_by_step` in `layers.py` is that
# forward pass: a linear layer, normalised over the batch, tanh, a second linear layer, cross-entropy. Every value has a
# name. You write `gradient_of(name, v, d)`: the gradient of one name, from the values `v` and from the gradients `d` of
# the steps before it.
#
# **Each step counts by itself.** The check feeds every step with the *right* gradients of the steps before it, so one
# slip costs one step. A last promise runs all of them on each other.
#
# For each name ask three things: in which later lines does it stand (add up), was it copied to a larger shape there
# (sum), and what is the local derivative?

# %%
rng = np.random.default_rng(4)
x, labels = rng.normal(size=(5, 3)), rng.integers(0, 3, size=5)
parameters = [rng.normal(size=shape) for shape in ((3, 4), (4,), (4,), (4,), (4, 3), (3,))]
v = layers.step_by_step(x, labels, *parameters)
print("loss", round(float(v["loss"]), 6))
print({name: v[name].shape for name in ("z", "mu", "logits", "total", "picked")})

# %% [markdown]
# The first one, by measuring: `picked` holds five log-probabilities, and the loss is minus their mean. **Predict** each
# of the five gradients, then write your first line.

# %% try="3.4"
with yours():
    d = {}
    for name in layers.BACKWARD:
        d[name] = layers.gradient_of(name, v, d)
        print(f"{name:8} {d[name].shape!s:8} sum {d[name].sum():+.6f}")

# hint("3.4")

# %% [markdown]
# Some sums are telling. That of `logits` is 0, since each row of $p - \text{onehot}$ is. That of `z` is 0, since
# normalising over the batch takes away what all examples share; so `b1` gets nothing: a bias in front of a
# normalisation has no effect.

# %% check="3.4"
check("3.4")

# %% [markdown]
# ### 3.5 The bridge to your own Value (20 minutes)
#
# A network of layers and a network of scalars are the same function. `on_values` builds linear, tanh, linear and the
# mean cross-entropy from `Value`s, with loops, and lets `backward()` of topic 02 find the gradients. The first line
# below gives your own `Value` where it passes its checks, and says so where it lends you one.
#
# **Predict** how many times slower the scalars are: 10, 100, 1,000 or more?

# %%
from utils.engine import Value

rng = np.random.default_rng(0)
x, labels = rng.normal(size=(20, 16)), rng.integers(0, 4, size=20)
W1, b1, W2, b2 = (rng.normal(size=shape) for shape in ((16, 32), (32,), (32, 4), (4,)))

def with_layers():
    first, second = layers.Linear(16, 32, rng), layers.Linear(32, 4, rng)
    loss = layers.SoftmaxCrossEntropy()
    first.W, first.b, second.W, second.b = W1, b1, W2, b2
    model = layers.Sequential([first, layers.Tanh(), second])
    value = loss.forward(model.forward(x), labels)
    model.backward(loss.backward())
    return value, [first.grad_W, first.grad_b, second.grad_W, second.grad_b]

# %% try="3.5"
from time import perf_counter

def timed(runs, function, *arguments):
    """What the function returns, and the seconds of the fastest of some runs."""
    seconds = []
    for _ in range(runs):
        started = perf_counter()
        result = function(*arguments)
        seconds.append(perf_counter() - started)
    return result, min(seconds)

with yours():
    (value, grads), fast = timed(50, with_layers)
    (value_too, grads_too), slow = timed(3, layers.on_values, Value, x, labels, W1, b1, W2, b2)
    print("same loss:", np.isclose(value, value_too))
    print("same gradients:", all(map(np.allclose, grads, grads_too)))
    print(f"the scalars take {slow / fast:,.0f} times as long")

# hint("3.5")

# %% check="3.5"
check("3.5")

# %% [markdown]
# Several hundred times with a lean engine, several thousand with a plain one. Why? Both compute the same products.
# **Predict** how many functions Python calls on either way, forward and backward together.

# %%
from cProfile import Profile
from pstats import Stats

def calls(function, *arguments):
    """How many functions Python calls while this one runs."""
    profile = Profile()
    profile.runcall(function, *arguments)
    return Stats(profile).total_calls

with yours():
    print(f"layers  {calls(with_layers):9,}")
    print(f"scalars {calls(layers.on_values, Value, x, labels, W1, b1, W2, b2):9,}")

# %% [markdown]
# That is where the time goes. The scalars make a Python object, a rule and a place in an order for *each* product, where
# one call of an array's loop, compiled long ago, does them all. So the factor grows with the network.

# %% [markdown]
# ### Level 3 in one view

# %%
check(3)

# %% [markdown]
# # Level 4: It learns to read digits
#
# 1,797 handwritten digits of 8 × 8 pixels, a fifth of them held back.

# %%
import matplotlib.pyplot as plt

from utils.datasets import digits

images, digit_labels, test_images, test_labels = digits()
figure, axes = plt.subplots(1, 8, figsize=(9, 1.6))
for axis, image, label in zip(axes, images, digit_labels):
    axis.imshow(image.reshape(8, 8), cmap="gray_r")
    axis.set(title=f"label {label}", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ### 4.1 One step downhill (5 minutes)
#
# `sgd(layers, learning_rate)` moves `W` and `b` of every layer that has them. Other layers have none. **Predict** what
# the order matters for: may a layer be moved before the layer below it has run its `backward`?

# %% try="4.1"
with yours():
    linear = layers.Linear(2, 1, np.random.default_rng(0))
    linear.W, linear.b = np.array([[1.0], [2.0]]), np.array([3.0])
    linear.grad_W, linear.grad_b = np.array([[10.0], [0.0]]), np.array([-10.0])
    layers.sgd([linear, layers.ReLU()], 0.1)
    print(linear.W.ravel(), linear.b)

# hint("4.1")

# %% [markdown]
# <details><summary>The order</summary>
#
# No. The gradient that reaches the lower layer goes through this layer's `W`, and must go through the `W` of the
# forward pass. All of backward first, then all of the update.
# </details>

# %% check="4.1"
check("4.1")

# %% [markdown]
# ### 4.2 One epoch (20 minutes)
#
# Every example once, in an order drawn from `rng`, a batch at a time, a smaller last one included. Return the mean loss
# over all examples, each taken before its batch's step. **Predict** the loss of a model that knows nothing about ten
# digits: what is $-\log 0.1$?

# %% try="4.2"
def new_model(seed=0):
    rng = np.random.default_rng(seed)
    return layers.Sequential([layers.Linear(64, 64, rng), layers.ReLU(), layers.Linear(64, 10, rng)])

with yours():
    model, loss, rng = new_model(), layers.SoftmaxCrossEntropy(), np.random.default_rng(1)
    for epoch in range(3):
        mean_loss = layers.train_epoch(model, loss, images, digit_labels, 32, 0.1, rng)
        print(f"epoch {epoch}: mean loss {mean_loss:.4f}")

# hint("4.2")

# %% check="4.2"
check("4.2")

# %% [markdown]
# ### 4.3 Ninety-seven percent (10 minutes)
#
# Thirty epochs with a learning rate of 0.5. The judge does this itself, takes your *weights*, and counts with its own
# forward pass how many of the held-back digits they read. **Predict**: where will the accuracy on digits it has *not*
# seen end, compared with those it has?

# %% try="4.3"
def accuracy(model, images, labels):
    return (model.forward(images).argmax(axis=1) == labels).mean()

with yours():
    model, loss, rng = new_model(), layers.SoftmaxCrossEntropy(), np.random.default_rng(1)
    losses, seen, unseen = [], [], []
    for epoch in range(30):
        losses.append(layers.train_epoch(model, loss, images, digit_labels, 32, 0.5, rng))
        seen.append(accuracy(model, images, digit_labels))
        unseen.append(accuracy(model, test_images, test_labels))
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
    left.semilogy(losses, color="#0072B2")
    left.set(xlabel="epoch", ylabel="mean loss", title="Loss")
    right.plot(seen, color="#0072B2", label="digits it has seen")
    right.plot(unseen, color="#A84400", linestyle="--", label="digits it has not seen")
    right.set(xlabel="epoch", ylabel="share read", title="Accuracy", ylim=(0.85, 1.005))
    right.legend(loc="lower right")
    plt.show()
    print(f"{unseen[-1]:.1%} of {len(test_labels)} unseen digits")

# hint("4.3")

# %% check="4.3"
check("4.3")

# %% [markdown]
# Which ones does it get wrong? **Predict**: would you have read them?

# %%
with yours():
    missed = np.flatnonzero(model.forward(test_images).argmax(axis=1) != test_labels)[:8]
    if len(missed):
        figure, axes = plt.subplots(1, len(missed), figsize=(1.3 * len(missed), 1.7), squeeze=False)
        for axis, i in zip(axes[0], missed):
            axis.imshow(test_images[i].reshape(8, 8), cmap="gray_r")
            read = model.forward(test_images[[i]]).argmax()
            axis.set(title=f"{test_labels[i]}, read {read}", xticks=[], yticks=[])
        plt.show()

# %% [markdown] essay="E2"
# ### E2 A learning rate that moved (5 minutes)
#
# A network with the mean cross-entropy trains well with batches of 32 and learning rate 0.5. A colleague rewrites the
# loss with a *sum*, and makes `Linear.backward` divide everything by N, both parameter gradients and the gradient that
# it returns, "so that it comes out the same". It does for a model of one linear layer. With two it learns, but slowly.
#
# Answer in four to six sentences. What does the gradient of each layer's weights come out as, compared with the right
# one? Why did one layer hide it? Where does 1/N belong, and which test would have found this?

# %% [markdown] essay-answer="E2"
# **Model answer.** The last layer's weights get the sum divided by N, the right mean. The layer below is handed a
# gradient that was divided once already and divides it again, so its weights get 1/N of the right gradient, with N = 32
# here: they hardly move. With one layer there is no layer below, so all is right. The mean is a property of the loss:
# the loss's `backward` brings 1/N in, once, and every layer finds it in what it is handed. A finite-difference check of
# the *first* layer's weights finds it at once, and so does the comparison of a batch with the same batch given twice.
#
# **Marking, 4 points.**
#
# - 1: the last layer is right, the lower layer's gradient is divided twice: 1/N of the right one (32 times too small).
# - 1: why one layer hides it: what is divided in being returned reaches nobody.
# - 1: 1/N belongs into the loss, once; a layer's rule must be right for any upstream gradient.
# - 1: a test that sees it: measuring a gradient of the first layer, or a batch given twice. "The accuracy is lower"
#   earns nothing.

# %% [markdown]
# ### Level 4 in one view, and the whole path

# %%
check(4)

# %%
status()

# %% [markdown]
# ## What to keep
#
# - A layer hands back upstream times local. What was copied forward is summed backward.
# - Derive by indices, check shapes, then measure; a square case belongs among the tests.
# - A cache belongs to one object and its latest forward pass, and an array that came from outside is not written into.
# - $1/N$ enters with the loss, once. Gradients here are set; where a weight is shared they would have to be added.
# - $p - \text{onehot}$, in closed form: simpler, and safe where the stages divide by a rounded 0.
#
# **What it is not yet.** Your layers know their rules because you derived each one. An engine on arrays needs a rule
# only for the operations that layers are made of, and finds the rest: that is topic 02 with arrays in the nodes.
#
# **Open end.** `step_by_step` holds a batch normalisation in eight lines. Derive its backward pass in one line, from
# the steps that you have, and check it against them.
