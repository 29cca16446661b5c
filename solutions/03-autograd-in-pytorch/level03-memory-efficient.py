"""Level 3, PyTorch with an eye on memory: what a graph keeps, and three ways to keep less.

Holds levels 1 and 2 of the topic. What changed from a first version with autograd:
- The update is in place and outside the record, so no step's graph outlives the step.
- Losses are kept as numbers. A list of loss tensors would keep every graph.
- Batches accumulate one after the other: the memory of one batch, the gradient of all.

`saved_bytes` counts what a forward pass saves for the way back. A chain of 64 tanh layers on 1,000 numbers saves every
output; in 8 pieces, each computed again on the way back, it saves the 8 inputs and one piece at a time.
>>> x = torch.ones(1000, dtype=torch.float64, requires_grad=True)
>>> saved_bytes(lambda: chain(x, 64)), saved_bytes(lambda: chain_in_pieces(x, 64, 8))
(512000, 64000)

What it costs: the pieces run twice. Gradients are the same to the last bit: the same operations, in the same order.
"""

import torch
from torch.utils.checkpoint import checkpoint


def tensor(numbers, **options):
    """A float64 tensor of a number or a list."""
    return torch.tensor(numbers, dtype=torch.float64, **options)


def predict(sizes, w, b):
    """(predictions, w, b) for `w * size + b`: a recorded tensor, and the two leaves it was made from."""
    w, b = tensor(w, requires_grad=True), tensor(b, requires_grad=True)
    return torch.addcmul(b, w, tensor(sizes)), w, b  # b + w * sizes as one operation: one node fewer


def slope(f, x):
    """d f(x) / dx at the number x, a float; nothing is stored in any `.grad`."""
    x = tensor(x, requires_grad=True)
    return torch.autograd.grad(f(x), x)[0].item()


def loss_and_gradients(sizes, prices, w, b):
    """(loss, d loss/dw, d loss/db) as floats, for the mean squared error."""
    predictions, w, b = predict(sizes, w, b)
    loss = torch.nn.functional.mse_loss(predictions, tensor(prices))
    dw, db = torch.autograd.grad(loss, (w, b))
    return loss.item(), dw.item(), db.item()


def gradients_by_hand(sizes, prices, w, b):
    """(d loss/dw, d loss/db) as floats from the formulas, with nothing recorded."""
    sizes = tensor(sizes)
    errors = sizes.mul(w).add_(b).sub_(tensor(prices))  # one array, changed in place: allowed, for no tape needs it
    return (2 * errors @ sizes).item() / len(sizes), 2 * errors.mean().item()


def fit(sizes, prices, learning_rate, steps):
    """(w, b, losses) after `steps` steps of gradient descent from w = b = 0; one step's graph alive at a time."""
    p = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=learning_rate)
    X, y = torch.stack([tensor(sizes), torch.ones(len(sizes), dtype=torch.float64)], dim=1), tensor(prices)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)  # the old gradient's memory is free during the forward pass
        loss = torch.nn.functional.mse_loss(X @ p, y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return p[0].item(), p[1].item(), losses


def accumulated_gradients(batches, w, b):
    """(d loss/dw, d loss/db) of the mean over all examples; each batch's graph is freed before the next is made."""
    w, b = tensor(w, requires_grad=True), tensor(b, requires_grad=True)
    examples = sum(len(sizes) for sizes, _ in batches)
    for sizes, prices in batches:
        errors = torch.addcmul(b, w, tensor(sizes)) - tensor(prices)
        (errors.square().sum() / examples).backward()
    return w.grad.item(), b.grad.item()


def chain(x, layers):
    """tanh applied `layers` times."""
    for _ in range(layers):
        x = x.tanh()
    return x


def chain_in_pieces(x, layers, pieces):
    """The same, in `pieces` pieces of equal length that keep only their input and run again on the way back."""
    for _ in range(pieces):
        x = checkpoint(chain, x, layers // pieces, use_reentrant=False)
    return x


def saved_bytes(forward):
    """How many bytes of tensors the tape holds on to while `forward()` runs and until its result is dropped."""
    sizes = {}

    def note(saved):
        sizes[saved.untyped_storage().data_ptr()] = saved.untyped_storage().nbytes()
        return saved

    with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
        out = forward()
    del out
    return sum(sizes.values())
