"""Workloads on arrays, each for our engine (level 2), for NumPy with the gradients worked out by hand, PyTorch and HIPS
autograd. A workload returns the loss and the gradients, or the gradients alone where the cotangent is given; all four
must agree on them.

    mlp         784-256-10, relu, softmax cross-entropy, batch of 128, float32 (V1)
    attention   one head, 8 x 128 x 64 with four 64 x 64 projections, float32, random cotangent (V2)
    moons       the network of `scalar`, one step of gradient descent on all points, float64 (V3)

Each writes a workload as its users do: where PyTorch has one operation (`cross_entropy`, `mse_loss`), level 2 has too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from utils.bench.scalar import POINTS, RATE, SIZES, peak_bytes
from utils.datasets import two_moons

BATCH, PIXELS, HIDDEN, CLASSES = 128, 784, 256, 10
ITEMS, LENGTH, WIDTH = 8, 128, 64
SCALE = WIDTH**-0.5

Workload = Callable[[], list]


def mlp_data() -> tuple:
    """x (n, 784), labels (n,), then W1, b1, W2, b2."""
    rng = np.random.default_rng(0)
    shapes = (PIXELS, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,)
    parameters = [(rng.normal(size=shape) * 0.05).astype(np.float32) for shape in shapes]
    return rng.normal(size=(BATCH, PIXELS)).astype(np.float32), rng.integers(0, CLASSES, BATCH), *parameters


def attention_data() -> tuple:
    """x and the cotangent, (8, 128, 64); then Wq, Wk, Wv, Wo, (64, 64)."""
    rng = np.random.default_rng(0)
    x, cotangent = rng.normal(size=(2, ITEMS, LENGTH, WIDTH)).astype(np.float32)
    return x, cotangent, *(rng.normal(size=(4, WIDTH, WIDTH)) * SCALE).astype(np.float32)


def moons_data() -> tuple:
    """x (n, 2), y (n, 1), and the list W1, b1, W2, ... of the starting parameters."""
    rng = np.random.default_rng(0)
    xs, ys = two_moons(POINTS)
    parameters = []
    for nin, nout in itertools.pairwise(SIZES):
        parameters += [rng.uniform(-1, 1, (nin, nout)) * nin**-0.5, np.zeros(nout)]
    return np.array(xs), np.array(ys)[:, None], parameters


def warm_allocator() -> None:
    """Free one large array first. After that the C library keeps freed memory; before, each new array of more than
    128 kB is new to the kernel, and one would time its page faults: a quarter of the attention, for every engine."""
    np.empty(2**25 - 2**16, dtype=np.uint8)


def level02(engine, workload: str) -> Workload:
    Value, linear = engine.Value, engine.linear
    if workload == "mlp":
        x, labels, *arrays = mlp_data()
        w1, b1, w2, b2 = leaves = [Value(array) for array in arrays]

        def run() -> list:
            for leaf in leaves:
                leaf.grad = 0.0
            loss = linear(linear(x, w1, b1, "relu"), w2, b2).cross_entropy(labels)
            loss.backward(inner=False)
            return [loss.data, *(leaf.grad for leaf in leaves)]
    elif workload == "attention":
        x, cotangent, *arrays = attention_data()
        wq, wk, wv, wo = leaves = [Value(array) for array in arrays]

        def run() -> list:
            for leaf in leaves:
                leaf.grad = 0.0
            out = ((x @ wq) * SCALE @ (x @ wk).T).softmax() @ (x @ wv) @ wo
            out.backward(cotangent, inner=False)
            return [leaf.grad for leaf in leaves]
    else:
        x, y, arrays = moons_data()
        w1, b1, w2, b2, w3, b3 = leaves = [Value(array) for array in arrays]

        def run() -> list:
            for leaf, array in zip(leaves, arrays, strict=True):
                leaf.data, leaf.grad = array, 0.0
            out = linear(linear(linear(x, w1, b1, "relu"), w2, b2, "relu"), w3, b3)
            loss = out.squared_error(y)
            loss.backward(inner=False)
            for leaf in leaves:
                leaf.data = leaf.data - RATE * leaf.grad
            return [loss.data, *(leaf.data for leaf in leaves)]
    return run


def layers(module) -> Workload:
    """The mlp on topic 06's layers, whose precision is that of their parameters."""
    x, labels, w1, b1, w2, b2 = mlp_data()
    rng = np.random.default_rng(0)
    first, second = module.Linear(PIXELS, HIDDEN, rng), module.Linear(HIDDEN, CLASSES, rng)
    for layer, W, b in ((first, w1, b1), (second, w2, b2)):
        layer.W, layer.b, layer.grad_W, layer.grad_b = W, b, np.zeros_like(W), np.zeros_like(b)
    model, loss = module.Sequential([first, module.ReLU(), second]), module.SoftmaxCrossEntropy()

    def run() -> list:
        value = loss.forward(model.forward(x), labels)
        model.backward(loss.backward())
        return [value, first.grad_W, first.grad_b, second.grad_W, second.grad_b]
    return run


def by_hand(workload: str) -> Workload:
    return {"mlp": mlp_by_hand, "attention": attention_by_hand, "moons": moons_by_hand}[workload]()


def mlp_by_hand() -> Workload:
    x, labels, w1, b1, w2, b2 = mlp_data()
    rows = np.arange(BATCH)

    def run() -> list:
        h = x @ w1
        h += b1
        np.maximum(h, 0, out=h)
        z = h @ w2
        z += b2
        z -= z.max(-1, keepdims=True)
        p = np.exp(z)
        total = p.sum(-1)
        loss = (np.log(total) - z[rows, labels]).mean()
        p /= total[:, None]
        p[rows, labels] -= 1
        p *= 1 / BATCH
        gh = p @ w2.T
        gh *= h > 0
        return [loss, x.T @ gh, gh.sum(0), h.T @ p, p.sum(0)]
    return run


def attention_by_hand() -> Workload:
    x, cotangent, wq, wk, wv, wo = attention_data()
    shape, flat = x.shape, x.reshape(-1, WIDTH)
    g = cotangent.reshape(-1, WIDTH)

    def run() -> list:
        q, k, v = ((flat @ w).reshape(shape) for w in (wq, wk, wv))
        q *= SCALE
        p = q @ k.swapaxes(1, 2)
        p -= p.max(-1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(-1, keepdims=True)
        y = (p @ v).reshape(-1, WIDTH)
        y @ wo  # the output; the cotangent is given, so nothing reads it
        gy = (g @ wo.T).reshape(shape)
        gv = p.swapaxes(1, 2) @ gy
        gs = gy @ v.swapaxes(1, 2)
        gs *= p
        gs -= p * gs.sum(-1, keepdims=True)
        gq, gk = gs @ k, gs.swapaxes(1, 2) @ q
        gq *= SCALE
        return [*(flat.T @ each.reshape(-1, WIDTH) for each in (gq, gk, gv)), y.T @ g]
    return run


def moons_by_hand() -> Workload:
    x, y, start = moons_data()

    def run() -> list:
        w1, b1, w2, b2, w3, b3 = start
        h1 = x @ w1
        h1 += b1
        np.maximum(h1, 0, out=h1)
        h2 = h1 @ w2
        h2 += b2
        np.maximum(h2, 0, out=h2)
        error = h2 @ w3
        error += b3
        error -= y
        g3 = error * (2 / len(x))
        g2 = g3 @ w3.T
        g2 *= h2 > 0
        g1 = g2 @ w2.T
        g1 *= h1 > 0
        gradients = x.T @ g1, g1.sum(0), h1.T @ g2, g2.sum(0), h2.T @ g3, g3.sum(0)
        return [(error * error).mean(), *(p - RATE * g for p, g in zip(start, gradients, strict=True))]
    return run


def pytorch(workload: str) -> Workload:
    import torch

    torch.set_num_threads(1)
    relu, linear = torch.relu, torch.nn.functional.linear
    if workload == "mlp":
        x, labels, *arrays = map(torch.tensor, mlp_data())
        leaves = [array.mT.contiguous() if array.ndim == 2 else array for array in arrays]
        w1, b1, w2, b2 = [leaf.requires_grad_() for leaf in leaves]

        def run() -> list:
            for leaf in leaves:
                leaf.grad = None
            loss = torch.nn.functional.cross_entropy(linear(relu(linear(x, w1, b1)), w2, b2), labels)
            loss.backward()
            return [loss, *(leaf.grad.T if leaf.ndim == 2 else leaf.grad for leaf in leaves)]
    elif workload == "attention":
        x, cotangent, *arrays = map(torch.tensor, attention_data())
        wq, wk, wv, wo = leaves = [array.requires_grad_() for array in arrays]

        def run() -> list:
            for leaf in leaves:
                leaf.grad = None
            out = torch.softmax((x @ wq) * SCALE @ (x @ wk).transpose(1, 2), -1) @ (x @ wv) @ wo
            out.backward(cotangent)
            return [leaf.grad for leaf in leaves]
    else:
        x, y, arrays = moons_data()
        x, y = torch.tensor(x), torch.tensor(y)
        leaves = [torch.tensor(array.T.copy()).requires_grad_() for array in arrays]
        w1, b1, w2, b2, w3, b3 = leaves
        start = [leaf.detach().clone() for leaf in leaves]

        def run() -> list:
            with torch.no_grad():
                for leaf, data in zip(leaves, start, strict=True):
                    leaf.copy_(data)
                    leaf.grad = None
            loss = torch.nn.functional.mse_loss(linear(relu(linear(relu(linear(x, w1, b1)), w2, b2)), w3, b3), y)
            loss.backward()
            with torch.no_grad():
                for leaf in leaves:
                    leaf -= RATE * leaf.grad
            return [loss, *(leaf.detach().numpy().T for leaf in leaves)]
    return run


def hips(workload: str) -> Workload:
    import autograd.numpy as anp
    from autograd import value_and_grad

    rows = np.arange(BATCH)
    if workload == "mlp":
        x, labels, *start = mlp_data()

        def loss(p):
            w1, b1, w2, b2 = p
            z = anp.dot(anp.maximum(anp.dot(x, w1) + b1, 0), w2) + b2
            z = z - anp.max(z, axis=-1, keepdims=True)
            return anp.mean(anp.log(anp.sum(anp.exp(z), axis=-1)) - z[rows, labels])
    elif workload == "attention":
        x, cotangent, *start = attention_data()

        def loss(p):
            wq, wk, wv, wo = p
            s = anp.matmul(anp.dot(x, wq) * SCALE, anp.swapaxes(anp.dot(x, wk), 1, 2))
            e = anp.exp(s - anp.max(s, axis=-1, keepdims=True))
            out = anp.dot(anp.matmul(e / anp.sum(e, axis=-1, keepdims=True), anp.dot(x, wv)), wo)
            return anp.sum(out * cotangent)
    else:
        x, y, start = moons_data()

        def loss(p):
            h = x
            for w, b in zip(p[:-2:2], p[1:-2:2], strict=True):
                h = anp.maximum(anp.dot(h, w) + b, 0)
            return anp.mean((anp.dot(h, p[-2]) + p[-1] - y) ** 2)
    both = value_and_grad(loss)

    def run() -> list:
        value, gradients = both(start)
        if workload == "attention":
            return gradients
        if workload == "moons":
            gradients = [p - RATE * g for p, g in zip(start, gradients, strict=True)]
        return [value, *gradients]
    return run


def activation_peak(engine, size: int) -> float:
    """V4: the most memory of a forward and backward through 64 layers tanh(h w + b), in units of one layer's output."""
    rng = np.random.default_rng(0)
    x, cotangent = rng.normal(size=(2, size, 32)).astype(np.float32)
    layers = [(engine.Value((rng.normal(size=(32, 32)) * 0.2).astype(np.float32)),
               engine.Value(np.zeros(32, dtype=np.float32))) for _ in range(64)]

    def run() -> None:
        h = x
        for w, b in layers:
            h = engine.linear(h, w, b, "tanh")
        h.backward(cotangent, inner=False)

    return peak_bytes(run) / x.nbytes
