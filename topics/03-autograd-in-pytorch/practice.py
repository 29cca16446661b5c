# This file is yours to edit: an update never overwrites it once you have changed it.
"""Your practice with PyTorch's autograd: a regression, a ward of broken programs, and what lies beyond `backward()`.

Open exercises.ipynb beside this file. It says what each exercise asks and in which order to go. In levels 1, 2 and 4,
replace a `raise NotImplementedError` line by your code. In level 3 every function is complete and wrong: repair it
with the smallest change that keeps what it is meant to do. Save, then run the check cell in the notebook.

Make every tensor float64, as `tensor` below does: float32 keeps seven digits, too few for a judge.
"""

import torch


def tensor(numbers, **options):
    """A float64 tensor of a number or a list."""
    return torch.tensor(numbers, dtype=torch.float64, **options)


# Level 1: from hand-made derivatives to backward()

def predict(sizes, w, b):
    """(predictions, w, b) for `w * size + b`: a recorded tensor, and the two leaves it was made from."""
    raise NotImplementedError("exercise 1.1: the two leaves, and a recorded prediction for every size")


def slope(f, x):
    """d f(x) / dx at the number x, a float; f takes and returns a tensor of one number."""
    raise NotImplementedError("exercise 1.2: one run of f, one backward pass")


def loss_and_gradients(sizes, prices, w, b):
    """(loss, d loss/dw, d loss/db) as floats, by autograd; the loss is the mean of (prediction - price)**2."""
    raise NotImplementedError("exercise 1.3: the mean squared error of the predictions, and its two gradients")


def gradients_by_hand(sizes, prices, w, b):
    """(d loss/dw, d loss/db) of the same loss as floats, from formulas that you derived, without autograd."""
    raise NotImplementedError("exercise 1.4: the two formulas")


# Level 2: a regression from end to end

def fit(sizes, prices, learning_rate, steps):
    """(w, b, losses) after `steps` steps of gradient descent from w = b = 0; losses[i] is the loss before step i.

    w and b are floats, losses a list of floats. No step leaves a graph behind.
    """
    raise NotImplementedError("exercise 2.1: forward, backward, update, clear")


def accumulated_gradients(batches, w, b):
    """(d loss/dw, d loss/db) as floats: the loss is the mean over ALL examples, one backward pass for each batch.

    `batches` is a list of (sizes, prices), and the batches need not be equally long. Only one graph is alive at a time.
    """
    raise NotImplementedError("exercise 2.2: one backward pass a batch, and the right share for each")


# Level 3: the debugging ward. Each docstring says what the program is for, then what was seen.

# Exercise 3.2: the four lines of a training step


def patient_1(sizes, prices, learning_rate, steps):
    """(w, b) after `steps` steps of gradient descent on the mean squared error. Seen: the loss swings."""
    w, b = tensor(0.0, requires_grad=True), tensor(0.0, requires_grad=True)
    sizes, prices = tensor(sizes), tensor(prices)
    for _ in range(steps):
        loss = ((w * sizes + b - prices) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= learning_rate * w.grad
            b -= learning_rate * b.grad
    return w.item(), b.item()


def patient_2(sizes, prices, learning_rate, steps):
    """(w, b) as above, with an optimizer. Seen: no error, and w and b are 0 after any number of steps."""
    w, b = tensor(0.0, requires_grad=True), tensor(0.0, requires_grad=True)
    sizes, prices = tensor(sizes), tensor(prices)
    optimizer = torch.optim.SGD([w, b], lr=learning_rate)
    for _ in range(steps):
        loss = ((w * sizes + b - prices) ** 2).mean()
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
    return w.item(), b.item()


def patient_3(sizes, prices, learning_rate, steps):
    """(w, b) as above. Seen: an error in the second step, about None."""
    w, b = tensor(0.0, requires_grad=True), tensor(0.0, requires_grad=True)
    sizes, prices = tensor(sizes), tensor(prices)
    for _ in range(steps):
        w.grad = b.grad = None
        loss = ((w * sizes + b - prices) ** 2).mean()
        loss.backward()
        w = w - learning_rate * w.grad
        b = b - learning_rate * b.grad
    return w.item(), b.item()


def patient_4(sizes, prices, learning_rate, steps):
    """(w, b) as above. Seen: an error in the first step, about a tensor that does not require grad."""
    w, b = tensor(0.0, requires_grad=True), tensor(0.0, requires_grad=True)
    sizes, prices = tensor(sizes), tensor(prices)
    for _ in range(steps):
        w.grad = b.grad = None
        with torch.no_grad():
            predictions = w * sizes + b
        loss = ((predictions - prices) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= learning_rate * w.grad
            b -= learning_rate * b.grad
    return w.item(), b.item()


# Exercise 3.3: where the graph was cut


def patient_5(sizes, prices, w, b):
    """(loss, d loss/dw, d loss/db) with errors clipped to at most `limit`. Seen: an error, as with patient 4."""
    w, b = tensor(w, requires_grad=True), tensor(b, requires_grad=True)
    errors = w * tensor(sizes) + b - tensor(prices)
    limit = errors.abs().mean().item()  # a constant, on purpose: no gradient flows through the limit
    clipped = tensor([max(-limit, min(limit, error.item())) for error in errors])
    loss = (clipped**2).mean()
    loss.backward()
    return loss.item(), w.grad.item(), b.grad.item()


def patient_6(sizes, prices, learning_rate, steps):
    """(w, b) after `steps` steps of an optimizer on the mean ABSOLUTE error. Seen: no error, and w and b stay 0."""
    w, b = tensor(0.0, requires_grad=True), tensor(0.0, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=learning_rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (w * tensor(sizes) + b - tensor(prices)).abs().mean()
        loss = torch.tensor(loss.item(), requires_grad=True)
        loss.backward()
        optimizer.step()
    return w.item(), b.item()


def patient_7(inputs, seed):
    """The gradient of sum((inputs . weights)**2) by small random weights, a list. Seen: None in place of a gradient."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(len(inputs[0]), generator=generator, dtype=torch.float64, requires_grad=True) * 0.01
    ((tensor(inputs) @ weights) ** 2).sum().backward()
    return weights.grad.tolist()


# Exercise 3.4: the tape


def patient_8(x):
    """(y, dy/dx) of y = e**x + 1, as floats. Seen: an error about an in-place operation."""
    x = tensor(x, requires_grad=True)
    y = x.exp()
    y += 1.0
    y.backward()
    return y.item(), x.grad.item()


def patient_9(x):
    """(du/dx + dv/dx) for u = t**2 and v = t**3 with t = sin x, as a float. Seen: an error about a second time."""
    x = tensor(x, requires_grad=True)
    t = x.sin()
    u, v = t**2, t**3
    u.backward()
    v.backward()
    return x.grad.item()


def patient_10(inputs, targets, w):
    """The gradient of each step's loss by w, a list of floats; the state carries over as a NUMBER from step to step.

    Seen: it was made to run with retain_graph=True. Now each step is slower than the one before, and the gradients are
    those of the whole past.
    """
    w = tensor(w, requires_grad=True)
    state, gradients = tensor(0.0), []
    for number, target in zip(inputs, targets, strict=True):
        w.grad = None
        state = 0.5 * state + w * number
        (state - target).square().backward(retain_graph=True)
        gradients.append(w.grad.item())
    return gradients


def patient_11(sizes, prices, learning_rate, steps):
    """The loss before each step, to plot it later: a list. Seen: memory grows with every step."""
    w = tensor(0.0, requires_grad=True)
    sizes, prices, history = tensor(sizes), tensor(prices), []
    for _ in range(steps):
        w.grad = None
        loss = ((w * sizes - prices) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= learning_rate * w.grad
        history.append(loss)
    return history


# Exercise 3.5: shapes and modes


def patient_12(rows, w):
    """d/dw of the mean over all rows of (row . w)**2, a list. Seen: an error about scalar outputs."""
    w = tensor(w, requires_grad=True)
    squares = (tensor(rows) @ w) ** 2
    squares.backward()
    return w.grad.tolist()


def patient_13(rows, targets, w):
    """(loss, d loss/dw) for the mean squared error of a layer with one output. Seen: no error, a fit too flat."""
    w = tensor(w, requires_grad=True)
    predictions = tensor(rows) @ w.reshape(-1, 1)  # (N, 1), as a layer returns it
    loss = ((predictions - tensor(targets)) ** 2).mean()
    loss.backward()
    return loss.item(), w.grad.tolist()


def patient_14(model, rows):
    """The predictions of a model with dropout for a report, as a tensor; afterwards training goes on as before.

    Seen: the numbers differ from run to run, and every report keeps a graph alive.
    """
    return model(tensor(rows))


# Level 4: beyond backward()

def curvature(f, x):
    """The second derivative of f at the number x, a float; f takes and returns a tensor of one number."""
    raise NotImplementedError("exercise 4.1: differentiate the derivative: the first pass must be recorded too")


def hessian_times(f, x, v):
    """H v as a list, for the matrix H of second derivatives of f at x; two passes, and H itself is never made.

    f takes a tensor of one axis and returns one number; x and v are lists of that length.
    """
    raise NotImplementedError("exercise 4.1: the gradient, its product with v, and the gradient of that")


class ScaledTanh(torch.autograd.Function):
    """y = s * tanh(x) with a rule of its own: `ScaledTanh.apply(x, s)` for x of any shape and s of one number."""

    @staticmethod
    def forward(ctx, x, s):
        """The value; what the rule will need goes into ctx."""
        t = x.tanh()
        ctx.save_for_backward(t, s)
        return s * t

    @staticmethod
    def backward(ctx, upstream):
        """(gradient of x, gradient of s): upstream times local, summed where one number served many."""
        raise NotImplementedError("exercise 4.2: the two gradients; s was used once for every element of x")


def watched(weights, x):
    """The size of the gradient as it passes each layer of `x -> tanh(w x)`, first layer first: a list of floats.

    `weights` is a list of numbers, one a layer; the last output is the result that is differentiated. The size is
    |d result / d output of the layer|, seen by a hook on that output.
    """
    raise NotImplementedError("exercise 4.3: a hook on every output; the hooks run from the last layer to the first")
