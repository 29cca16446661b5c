"""Level 4, the reference: the same layers, losses and training in PyTorch, whose autograd writes every backward.

Run it: `python solutions/06-backpropagation/level04-pytorch-reference.py`. It takes the layers of level 2 and PyTorch's
through the same inputs, prints how far the numbers are apart, and trains both on the digits. Any difference beyond
rounding ends it with an error.
"""

import importlib.util
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from utils.datasets import digits

TOLERANCE = 1e-12
EPOCHS, BATCH, WIDTH, RATE = 30, 32, 64, 0.5


def layers_by_hand():
    """The module of level 2."""
    spec = importlib.util.spec_from_file_location("layers", Path(__file__).with_name("level02-vectorized.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compare(name, mine, theirs):
    """Print the largest difference of arrays and tensors, pair by pair; SystemExit where it is more than rounding."""
    apart = max(float(np.abs(a - b.detach().numpy()).max()) for a, b in zip(mine, theirs, strict=True))
    print(f"{name:<38} apart by at most {apart:.1e}")
    if not apart <= TOLERANCE:
        raise SystemExit(f"{name}: level 2 and PyTorch disagree by {apart:.3g}")


def tensor(array):
    return torch.tensor(array, requires_grad=array.dtype.kind == "f")


def same_gradients(layers):
    """Every layer and loss, one by one, with drawn upstream gradients."""
    rng = np.random.default_rng(6)
    x, g = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    linear = layers.Linear(4, 3, rng)
    y, grad_x = linear.forward(x), linear.backward(g)
    inputs = [tensor(a) for a in (x, linear.W, linear.b)]
    out = inputs[0] @ inputs[1] + inputs[2]
    compare("Linear", [y, grad_x, linear.grad_W, linear.grad_b],
            [out, *torch.autograd.grad(out, inputs, torch.tensor(g))])
    for layer, function in ((layers.ReLU(), torch.relu), (layers.Tanh(), torch.tanh)):
        z = tensor(g)
        out = function(z)
        upstream = rng.normal(size=g.shape)
        compare(type(layer).__name__, [layer.forward(g), layer.backward(upstream)],
                [out, *torch.autograd.grad(out, [z], torch.tensor(upstream))])
    labels = rng.integers(0, 3, 5)
    for reduction in ("mean", "sum"):
        target, loss = rng.normal(size=g.shape), layers.SquaredError(reduction)
        z = tensor(g)
        out = F.mse_loss(z, torch.tensor(target), reduction=reduction)
        compare(f"SquaredError, {reduction}", [loss.forward(g, target), loss.backward()],
                [out, *torch.autograd.grad(out, [z])])
        loss, z = layers.SoftmaxCrossEntropy(reduction), tensor(30 * g)
        out = F.cross_entropy(z, torch.tensor(labels), reduction=reduction)
        compare(f"SoftmaxCrossEntropy, {reduction}", [loss.forward(30 * g, labels), loss.backward()],
                [out, *torch.autograd.grad(out, [z])])


def same_training(layers):
    """Thirty epochs on the digits from the same start, in the same order: the share of test images that each reads."""
    images, labels, test_images, test_labels = digits()
    rng = np.random.default_rng(0)
    mine = layers.Sequential([layers.Linear(64, WIDTH, rng), layers.ReLU(), layers.Linear(WIDTH, 10, rng)])
    theirs = torch.nn.Sequential(torch.nn.Linear(64, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, 10)).double()
    for hand, torchs in ((mine.layers[0], theirs[0]), (mine.layers[2], theirs[2])):
        torchs.weight.data, torchs.bias.data = torch.tensor(hand.W.T.copy()), torch.tensor(hand.b)  # PyTorch keeps W.T
    optimizer, loss = torch.optim.SGD(theirs.parameters(), lr=RATE), layers.SoftmaxCrossEntropy()
    for epoch in range(EPOCHS):
        layers.train_epoch(mine, loss, images, labels, BATCH, RATE, np.random.default_rng(epoch))
        for batch in torch.tensor(np.random.default_rng(epoch).permutation(len(images))).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(theirs(torch.tensor(images)[batch]), torch.tensor(labels)[batch]).backward()
            optimizer.step()
    predictions = mine.forward(test_images).argmax(axis=1), theirs(torch.tensor(test_images)).argmax(dim=1).numpy()
    for name, predicted in zip(("level 2", "PyTorch"), predictions, strict=True):
        print(f"{name} reads {(predicted == test_labels).mean():.2%} of the test images")
    if not (predictions[0] == predictions[1]).mean() > 0.99:
        raise SystemExit("level 2 and PyTorch, trained alike, read the digits differently")


if __name__ == "__main__":
    torch.set_num_threads(1)
    by_hand = layers_by_hand()
    same_gradients(by_hand)
    same_training(by_hand)
