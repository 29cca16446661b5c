"""Level 2, by hand on arrays: the same formulas as matrix products, in NumPy.

What changed from level 1: the design matrix X has a row (size, 1) for each house, and the two parameters are one vector
p = (w, b). Then loss = mean((X p - y)**2) and its gradient is 2 X^T (X p - y) / N, for any number of parameters at
once. What it costs: still one formula a loss, derived on paper; and one must know where the transpose belongs.

Holds exercises 1.3, 1.4 and level 2.
"""

import numpy as np


def design(sizes):
    """The matrix with a row (size, 1) for each house: shape (N, 2), float64."""
    return np.column_stack([np.asarray(sizes, dtype=float), np.ones(len(sizes))])


def gradient(X, y, p):
    """(loss, gradient of shape (2,)) at p = (w, b)."""
    errors = X @ p - y  # (N,)
    return (errors @ errors) / len(y), 2 * X.T @ errors / len(y)


def loss_and_gradients(sizes, prices, w, b):
    """(loss, d loss/dw, d loss/db) as floats."""
    loss, (dw, db) = gradient(design(sizes), np.asarray(prices, dtype=float), np.array([w, b]))
    return float(loss), float(dw), float(db)


def gradients_by_hand(sizes, prices, w, b):
    """(d loss/dw, d loss/db) as floats."""
    return loss_and_gradients(sizes, prices, w, b)[1:]


def fit(sizes, prices, learning_rate, steps):
    """(w, b, losses) after `steps` steps of gradient descent from w = b = 0."""
    X, y, p = design(sizes), np.asarray(prices, dtype=float), np.zeros(2)
    losses = []
    for _ in range(steps):
        loss, slope = gradient(X, y, p)
        p -= learning_rate * slope
        losses.append(float(loss))
    return float(p[0]), float(p[1]), losses


def accumulated_gradients(batches, w, b):
    """(d loss/dw, d loss/db) of the mean over all examples, batch by batch."""
    examples = sum(len(sizes) for sizes, _ in batches)
    shares = [np.array(gradients_by_hand(*batch, w, b)) * len(batch[0]) / examples for batch in batches]
    dw, db = sum(shares)
    return float(dw), float(db)
