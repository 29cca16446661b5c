"""Level 4, the reference: level 3's engine and PyTorch compute the same things, and the differences are printed.

Run it: `python solutions/02-autograd-engine/level04-pytorch-reference.py`. The expressions below are written once and
evaluated by both, in float64, since PyTorch's tensors have methods of the same names; then one network is trained
twice from the same weights. The exit status is 0 if all agree within 1e-5, else 1; 2 where PyTorch is missing.

What changed from level 3: a node is a tensor as in level 2, and the rules and the walk are compiled. What it costs:
on single numbers it is several times slower than levels 1 and 3, since the work around a product is far more than
the product.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path

from utils.datasets import two_moons

REQUIRED = 1e-5  # the promise of level 3 of the topic
EXPECTED = 1e-12  # what float64 leaves of it
POINTS = ((2.0, 3.0), (0.5, -1.5), (-0.7, 0.3), (-30.0, 25.0))  # (a, b)
SIZES, STEPS = [8, 8, 1], 200
RATE = 0.05  # at 0.1 the loss jumps on its way down, and each jump makes rounding errors grow until the runs part


def chain(a, b):
    """A graph 900 nodes deep, in which b is used 300 times."""
    for _ in range(300):
        a = (a * 0.9 + b).tanh()
    return a


def diamonds(a, b):
    """Twelve diamonds, one upon the other: 4,096 paths to each of a and b."""
    out = a * b
    for _ in range(12):
        out = out * 0.5 + out.tanh()
    return out


EXPRESSIONS = {
    "a*b + a":                       lambda a, b: a * b + a,
    "a*a + a - a":                   lambda a, b: a * a + a - a,
    "(2 - a) / (b*b + 1)":           lambda a, b: (2 - a) / (b * b + 1),
    "1 / (a*a) - a / b":             lambda a, b: 1 / (a * a) - a / b,
    "a**3 * b**-2":                  lambda a, b: a**3 * b**-2,
    "a*b + tanh(b) - a**2 / 2":      lambda a, b: a * b + b.tanh() - a**2 / 2,
    "relu(a)*b*b + relu(-b)*a":      lambda a, b: a.relu() * b * b + (-b).relu() * a,
    "exp(a/10)*a + 3*exp(b/10)":     lambda a, b: (a / 10).exp() * a + 3 * (b / 10).exp(),
    "log(a*a + b*b) * b":            lambda a, b: (a * a + b * b).log() * b,
    "sigmoid(a)*b + 3*sigmoid(b)":   lambda a, b: a.sigmoid() * b + 3 * b.sigmoid(),
    "tanh(a)*a*a + sigmoid(20*a)":   lambda a, b: a.tanh() * a * a + (20 * a).sigmoid(),
    "12 diamonds":                   diamonds,
    "a chain of 900 nodes":          chain,
}


def level3():
    """The module beside this file; its name has a hyphen, so `import` cannot spell it."""
    path = Path(__file__).with_name("level03-memory-efficient.py")
    spec = importlib.util.spec_from_file_location("level03", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def difference(ours: float, theirs: float) -> float:
    """|ours - theirs|, relative to theirs where that is larger than 1."""
    return abs(ours - theirs) / max(1.0, abs(theirs))


def compare(f, engine, torch) -> float:
    """The largest difference of value, da and db over all points, after one backward pass and after a second."""
    worst = 0.0
    for point in POINTS:
        ours = [engine.Value(x) for x in point]
        theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in point]
        our_root, their_root = f(*ours), f(*theirs)
        worst = max(worst, difference(our_root.data, their_root.item()))
        for _ in range(2):  # the gradients of the second pass add to the first's
            our_root.backward()
            their_root.backward(retain_graph=True)
            for x, t in zip(ours, theirs, strict=True):
                worst = max(worst, difference(x.grad, 0.0 if t.grad is None else t.grad.item()))
    return worst


def twin(model, torch):
    """The same network in PyTorch, with the same weights."""
    parts = []
    for layer in model.layers:
        linear = torch.nn.Linear(len(layer.neurons[0].w), len(layer.neurons), dtype=torch.float64)
        for i, neuron in enumerate(layer.neurons):
            linear.weight.data[i] = torch.tensor([w.data for w in neuron.w], dtype=torch.float64)
            linear.bias.data[i] = neuron.b.data
        parts += [linear, torch.nn.Tanh()]
    return torch.nn.Sequential(*parts[:-1])  # the last layer is linear


def train(engine, torch, xs, ys) -> tuple[object, list[tuple[float, float]]]:
    """Our network after STEPS steps, and the losses (ours, PyTorch's) before each step of the two."""
    random.seed(0)
    model = engine.MLP(2, SIZES)
    reference = twin(model, torch)
    inputs = torch.tensor(xs, dtype=torch.float64)  # (n, 2)
    targets = torch.tensor(ys, dtype=torch.float64).reshape(-1, 1)  # (n, 1)
    losses = []
    for _ in range(STEPS):
        ours = engine.train_step(model, xs, ys, RATE)
        loss = torch.nn.functional.mse_loss(reference(inputs), targets)
        reference.zero_grad()
        loss.backward()
        for p in reference.parameters():
            p.data -= RATE * p.grad
        losses.append((ours, loss.item()))
    return model, losses


def picture(model) -> str:
    """Where the model says +, over x from -1.5 to 2.5 and y from 1.5 down to -1."""
    across, down = ([-1.5 + 4 * i / 47 for i in range(48)], [1.5 - 2.5 * j / 11 for j in range(12)])
    return "\n".join("  " + "".join("+" if model([x, y]).data > 0 else "." for x in across) for y in down)


def main() -> int:
    try:
        import torch
    except ImportError:
        print("This comparison needs PyTorch, which is not installed here; `python3 course.py lab` installs it where "
              "its wheels can be reached.", file=sys.stderr)
        return 2
    engine = level3()
    print(f"{'expression':<30} largest difference to PyTorch {torch.__version__} (value and gradients, two passes)")
    worst = 0.0
    for name, f in EXPRESSIONS.items():
        found = compare(f, engine, torch)
        worst = max(worst, found)
        print(f"{name:<30} {found:.1e}  {'ok' if found <= REQUIRED else 'DIFFERS'}")

    xs, ys = two_moons(60, noise=0.1, seed=0)
    model, losses = train(engine, torch, xs, ys)
    print(f"\nTwo moons, MLP(2, {SIZES}), {len(model.parameters())} parameters, learning rate {RATE}")
    print("step   loss, level 3    loss, PyTorch    difference")
    for step, (ours, theirs) in enumerate(losses):
        worst = max(worst, difference(ours, theirs))
        if step % 40 == 0 or step == STEPS - 1:
            print(f"{step:>4}   {ours:.12f}   {theirs:.12f}   {abs(ours - theirs):.1e}")
    right = sum((model(x).data > 0) == (y > 0) for x, y in zip(xs, ys, strict=True))
    print(f"\nThe trained network has {right} of {len(xs)} points right. It says + here:\n{picture(model)}\n")

    agreed = worst <= REQUIRED
    print(f"{'Agreed' if agreed else 'DISAGREED'}: the largest difference is {worst:.1e}; {REQUIRED:.0e} is required, "
          f"and {EXPECTED:.0e}, the precision of float64, is {'' if worst <= EXPECTED else 'not '}reached.")
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
