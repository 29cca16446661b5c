"""Level 4: second derivatives, an operation with its own rule, gradients watched by hooks."""

from __future__ import annotations

import numpy as np

from utils.judge import promise

FUNCTIONS = (               # source, first and second derivative
    ("def f(x):\n    return (x**2 + 1) ** 3", lambda x: 6 * x * (x**2 + 1) ** 2,
     lambda x: 6 * (x**2 + 1) ** 2 + 24 * x**2 * (x**2 + 1)),
    ("def f(x):\n    return x.sin() * x", lambda x: np.sin(x) + x * np.cos(x), lambda x: 2 * np.cos(x) - x * np.sin(x)),
)


# 4.1 Derivatives of derivatives

@promise(exercise="4.1")
def test_curvature(module):
    """`curvature(f, x)` is the second derivative."""
    for source, first, second in FUNCTIONS:
        scene = module.scene("curvature")
        f, x = scene.function("f", source), float(scene.drawn(1)[0])
        scene.make("out", "curvature", f, x)
        scene.wants("out", second(x), slips={"first-derivative": [first(x)]})
        scene.keep()


@promise(exercise="4.1")
def test_hessian_times_a_vector(module):
    """`hessian_times(f, x, v)` is H v, for v in any direction."""
    for n in (2, 4):
        scene = module.scene("hessian_times")
        f = scene.function("f", "def f(x):\n    return (x**3).sum() + x[0] ** 2 * x[-1]")
        x, v = scene.drawn(n), scene.drawn(n)
        H = np.diag(6 * x)
        H[0, 0] += 2 * x[-1]
        H[0, -1] += 2 * x[0]
        H[-1, 0] += 2 * x[0]
        scene.make("out", "hessian_times", f, x.tolist(), v.tolist())
        scene.wants("out", H @ v)
        scene.keep()


# 4.2 A rule of your own

THROUGH = """
def through(rule, x, s, upstream):
    import torch
    x, s = (torch.tensor(t, dtype=torch.float64, requires_grad=True) for t in (x, s))
    y = rule.apply(x, s)
    y.backward(torch.tensor(upstream, dtype=torch.float64))
    return [y.tolist(), x.grad.tolist(), s.grad.tolist()]
"""


def _through(module, shape: tuple[int, ...], wanted: str) -> None:
    scene = module.scene("ScaledTanh")
    x, s, g = scene.drawn(*shape), float(scene.drawn(1)[0]), scene.drawn(*shape)
    scene.function("through", THROUGH)
    scene.call("out", "through", scene.take("ScaledTanh"), x.tolist(), s, g.tolist())
    scene.parts("out", "y", "grad_x", "grad_s")
    t = np.tanh(x)
    scene.wants("y", s * t)
    if wanted == "x":
        scene.wants("grad_x", g * s * (1 - t**2))
    else:
        scene.wants("grad_s", (g * t).sum(), "It is one number: the sum of the shares of all elements.")
    scene.keep()


@promise(exercise="4.2")
def test_gradient_of_the_elements(module):
    """`ScaledTanh` gives every element of x its gradient, for any upstream gradient."""
    for shape in ((3,), (2, 4)):
        _through(module, shape, "x")


@promise(exercise="4.2")
def test_gradient_of_the_scale(module):
    """And `s`, which served every element, gets the sum of all shares."""
    for shape in ((3,), (2, 4)):
        _through(module, shape, "s")


# 4.3 Watching gradients pass

@promise(exercise="4.3")
def test_watched_gradients(module):
    """`watched` gives the size of the gradient at every layer's output, first layer first."""
    for depth in (1, 4):
        scene = module.scene("watched")
        weights, x = scene.drawn(depth), float(scene.drawn(1)[0])
        scene.make("sizes", "watched", weights.tolist(), x)
        outputs = []
        for w in weights:
            outputs.append(np.tanh(w * (outputs[-1] if outputs else x)))
        sizes = [1.0]
        for w, out in zip(weights[:0:-1], outputs[:0:-1], strict=True):
            sizes.insert(0, abs(sizes[0] * (1 - out**2) * w))
        scene.wants("sizes", sizes)
        scene.keep()
