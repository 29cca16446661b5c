"""Level 1, by hand: the regression of this topic in plain Python, every derivative worked out on paper.

Holds exercises 1.3, 1.4 and level 2, with the same names and the same numbers as the file that uses autograd. It needs
two formulas, because the model has two parameters and one loss. Another loss, another layer, and the paper work begins
anew: that is what the other files are spared.

The error of one house is e = w * size + b - price, the loss is the mean of e**2. So
    d loss/dw = mean of 2 * e * size        d loss/db = mean of 2 * e
"""


def errors(sizes, prices, w, b):
    """Prediction minus price for every house."""
    return [w * size + b - price for size, price in zip(sizes, prices, strict=True)]


def loss_and_gradients(sizes, prices, w, b):
    """(loss, d loss/dw, d loss/db) as floats."""
    e = errors(sizes, prices, w, b)
    return (sum(x * x for x in e) / len(e), *gradients_by_hand(sizes, prices, w, b))


def gradients_by_hand(sizes, prices, w, b):
    """(d loss/dw, d loss/db) as floats."""
    e = errors(sizes, prices, w, b)
    dw = sum(2 * x * size for x, size in zip(e, sizes, strict=True)) / len(e)
    return dw, sum(2 * x for x in e) / len(e)


def fit(sizes, prices, learning_rate, steps):
    """(w, b, losses) after `steps` steps of gradient descent from w = b = 0."""
    w = b = 0.0
    losses = []
    for _ in range(steps):
        loss, dw, db = loss_and_gradients(sizes, prices, w, b)
        w, b = w - learning_rate * dw, b - learning_rate * db
        losses.append(loss)
    return w, b, losses


def accumulated_gradients(batches, w, b):
    """(d loss/dw, d loss/db) of the mean over all examples, batch by batch."""
    examples = sum(len(sizes) for sizes, _ in batches)
    dw = db = 0.0
    for sizes, prices in batches:
        of_w, of_b = gradients_by_hand(sizes, prices, w, b)
        dw += of_w * len(sizes) / examples  # a batch counts by its length
        db += of_b * len(sizes) / examples
    return dw, db
