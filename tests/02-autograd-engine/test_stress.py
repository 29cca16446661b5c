"""Levels 3 and 4: what reverse mode is for, long chains, and a network that learns."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from utils.datasets import two_moons
from utils.judge import Broken, promise
from utils.judge.session import Limits

# 3.2 Thousands of inputs, one backward pass

INPUTS = 4000
WIDE = Limits(cpu=5.0, wall=40.0)
SMALL_MULTIPLE = 25         # times the forward's CPU time; one forward an input would be 4000 times
LEAST_FORWARD = 0.08        # seconds: below this the clock's own steps would decide


def _balanced_sum(steps: list, registers: list[int], free: int) -> tuple[int, int]:
    """Add up `registers` two by two, so that the graph stays shallow; (register of the sum, next free one)."""
    while len(registers) > 1:
        pairs = list(zip(registers[::2], registers[1::2], strict=False))
        for k, (x, y) in enumerate(pairs):
            steps.append(["op", free + k, "add", {"r": x}, {"r": y}])
        registers = [free + k for k in range(len(pairs))] + registers[2 * len(pairs):]
        free += len(pairs)
    return registers[0], free


def _wide_graph(scale: float) -> tuple[list, int, list[float]]:
    """S = sum of w_i * x_i over all inputs, then the sum of c_j * S over as many c: (steps, root, gradients).

    Each w is a small number times `scale`.
    """
    weights = [scale * ((7 * i) % 11 - 5) / 4 for i in range(INPUTS)]
    factors = [((3 * j) % 7 - 2) / 8 for j in range(INPUTS)]
    steps = [["new", i, i % 5 - 2] for i in range(INPUTS)]
    steps += [["op", INPUTS + i, "mul", {"r": i}, w] for i, w in enumerate(weights)]
    total, free = _balanced_sum(steps, list(range(INPUTS, 2 * INPUTS)), 2 * INPUTS)
    steps += [["op", free + j, "mul", {"r": total}, c] for j, c in enumerate(factors)]
    root, _ = _balanced_sum(steps, list(range(free, free + INPUTS)), free + INPUTS)
    return steps, root, [w * sum(factors) for w in weights]


WIDE_CODE = f"""from value import Value
xs = [Value(i % 5 - 2) for i in range({INPUTS})]
# s = sum of w[i] * xs[i]; out = sum of c[j] * s, each added up two by two
out.backward()          # {INPUTS} gradients from one walk over {4 * INPUTS} operations"""


@promise(exercise="3.2")
def test_gradients_of_thousands_of_inputs(engine):
    """One `backward()` gives the right gradient of every one of 4,000 inputs."""
    steps, root, expected = _wide_graph(*engine.drawn(1.0))
    leaves = [{"r": i} for i in range(INPUTS)]
    steps += [["backward", {"r": root}], ["list", "xs", leaves], ["items", {"r": "xs"}, "grad"]]
    grads = engine.reports(steps, WIDE_CODE, WIDE)[0]
    for i, (yours, gradient) in enumerate(zip(grads, expected, strict=True)):
        engine.expect(f"xs[{i}].grad", yours, gradient, WIDE_CODE, size=INPUTS)


@promise(exercise="3.2")
def test_cost_of_thousands_of_gradients(engine):
    """All 4,000 gradients cost a small multiple of the forward pass: reverse mode, not one forward an input."""
    steps, root, expected = _wide_graph(*engine.drawn(1.0))
    forward = engine.outcome(steps, WIDE)
    engine.unbroken(forward, WIDE_CODE)
    allowed = SMALL_MULTIPLE * max(forward.cpu, LEAST_FORWARD)
    limits = Limits(cpu=allowed, wall=10 * allowed)
    outcome = engine.outcome(steps + [["backward", {"r": root}], ["get", {"r": 0}, "grad"]], limits)
    if outcome.error and outcome.error["kind"] == "timeout":
        raise Broken(f"Forward and backward together took more than {SMALL_MULTIPLE} times the forward pass. "
                     f"One walk over the graph is enough for all {INPUTS} gradients.",
                     status="timeout", program=WIDE_CODE)
    engine.expect("xs[0].grad", engine.unbroken(outcome, WIDE_CODE)[0], expected[0], WIDE_CODE, size=INPUTS)


# 3.3 A chain of 100,000 nodes

LONG = 100_000


@promise(exercise="3.3")
def test_long_chain(engine):
    """`backward()` on a chain of 100,000 operations: no recursion limit."""
    start, growth = engine.drawn(2.0, 1.0)
    q = 1 + round(1e-5 * growth, 9)
    code = (f"from value import Value\na = Value({start})\nout = a\nfor _ in range({LONG // 2}):\n"
            f"    out = out * {q} + a\nout.backward()")
    steps = [["new", 0, start], ["new", 1, 0.0], ["op", 1, "add", {"r": 1}, {"r": 0}],
             ["repeat", LONG // 2, [["op", 1, "mul", {"r": 1}, q], ["op", 1, "add", {"r": 1}, {"r": 0}]]],
             ["get", {"r": 1}, "data"], ["backward", {"r": 1}], ["get", {"r": 0}, "grad"]]
    value, grad = engine.reports(steps, code, Limits(cpu=20.0, wall=100.0))
    # out = a * (q^n + ... + q + 1), a geometric series with n = 50,000
    series = (q ** (LONG // 2 + 1) - 1) / (q - 1)
    engine.expect("out.data", value, start * series, code)
    engine.expect("a.grad", grad, series, code)


# 4.1 A network of Values. The judge sets the parameters itself, so no start value is left to chance.

NETWORKS = ((3, (4, 2)), (2, (5, 3, 1)))
POINTS = ((0.5, -1.0, 2.0), (-1.5, 0.25, 1.0))
STEP = 1e-5                 # of the central differences
SHAPE = (2, (6, 1))
PLACES = 40                 # inputs at which the derivatives by SHAPE's 25 parameters are measured
LEAST_WAYS = 11             # their rank: 22 to 25 with tanh or sigmoid, 12 to 21 with relu, 5 for a neuron, 9 for two


def _slack(slope: float) -> float:
    """What a promise forgives beside a slope measured by central differences."""
    return 1e-4 * max(1.0, abs(slope))


def _size(nin: int, nouts: tuple[int, ...]) -> int:
    """How many parameters: for each neuron its weights and one bias."""
    return sum((n + 1) * m for n, m in zip((nin, *nouts), nouts, strict=False))


def _weights(count: int, seed: int | str) -> list[float]:
    rng = random.Random(seed)
    return [rng.uniform(-0.8, 0.8) for _ in range(count)]


def _wherever(engine, promise: Callable, first: int) -> None:
    """The promise, a function of a seed for weights, holds with the weights it is written for and, at grading, others.

    Weights may lie at a kink of the learner's nonlinearity, where nothing can be measured: then others will do.
    """
    for seed in dict.fromkeys((first, f"{first} {engine.seed}" if engine.seed else first)):
        try:
            promise(seed)
        except Broken as problem:
            if problem.evidence["status"] != "failed":
                raise
            promise(f"{seed} again")


def _model(nin: int, nouts: tuple[int, ...], weights: list[float] | None = None) -> list:
    """Steps that make the model ("m") and its parameters ("ps"), with the judge's weights if given."""
    steps = [["make", "m", "MLP", [nin, list(nouts)]], ["call", "ps", {"r": "m"}, "parameters", []]]
    return steps + ([["setitems", {"r": "ps"}, "data", weights]] if weights else [])


def _forward(out: str, x) -> list:
    """Steps for out = model(x); a list of one output counts as that output."""
    return [["call", out, {"r": "m"}, "", [list(x)]], ["only", out, {"r": out}]]


def _code(nin: int, nouts: tuple[int, ...], *more: str) -> str:
    return "\n".join(["from value import MLP", f"model = MLP({nin}, {list(nouts)})", *more])


@promise(exercise="4.1")
def test_number_of_parameters(engine):
    """`MLP(3, [4, 2])` has 26 parameters: each neuron has a weight an input, and a bias."""
    for nin, nouts in NETWORKS:
        code = _code(nin, nouts, "len(model.parameters())")
        data = engine.reports([*_model(nin, nouts), ["items", {"r": "ps"}, "data"]], code)[0]
        engine.expect("len(model.parameters())", len(data), _size(nin, nouts), code)


@promise(exercise="4.1")
def test_fresh_weights_differ(engine):
    """A new network's weights are not all equal, or its neurons would stay copies of one another."""
    nin, nouts = NETWORKS[0]
    code = _code(nin, nouts, "{p.data for p in model.parameters()}")
    data = engine.reports([*_model(nin, nouts), ["items", {"r": "ps"}, "data"]], code)[0]
    if len({str(x) for x in data}) <= len(nouts) + 1:
        raise Broken("All weights start with the same few numbers. Neurons that start equal receive equal gradients, "
                     "and stay equal: draw each weight at random.", program=code,
                     quantity="different numbers among the parameters", yours=str(len({str(x) for x in data})))


@promise(exercise="4.1")
def test_outputs(engine):
    """Two output neurons give a list of two Values, one gives a Value; inputs may be numbers or Values."""
    nin, nouts = NETWORKS[0]
    weights = _weights(_size(nin, nouts), 1)
    code = _code(nin, nouts, f"[y.data for y in model({list(POINTS[0])})]")
    leaves = [["new", f"x{k}", x] for k, x in enumerate(POINTS[0])]
    steps = [*_model(nin, nouts, weights), *_forward("y", POINTS[0]), ["items", {"r": "y"}, "data"], *leaves,
             *_forward("z", [{"r": f"x{k}"} for k in range(nin)]), ["items", {"r": "z"}, "data"]]
    numbers, values = engine.reports(steps, code)
    engine.expect("len(model(x))", len(numbers), 2, code)
    engine.expect("len(model(x)), with Values in x,", len(values), 2, code)
    for k, (one, other) in enumerate(zip(numbers, values, strict=True)):
        engine.expect(f"model(x)[{k}].data", one, other, code)
    nin, nouts = NETWORKS[1]
    code = _code(nin, nouts, f"model({list(POINTS[0][:nin])}).data")
    engine.reports([*_model(nin, nouts), *_forward("y", POINTS[0][:nin]), ["get", {"r": "y"}, "data"]], code)


@promise(exercise="4.1")
def test_hidden_layers_bend(engine):
    """Hidden layers are not linear, and the last layer is: outputs are not proportional to inputs, and of any size."""
    _has_shape(engine)
    for nouts in ((4, 1), NETWORKS[1][1]):
        code = _code(2, nouts, "model([-2.0, -2.0]), model([0.0, 0.0]), model([2.0, 2.0])")
        steps = _model(2, nouts, [abs(w) for w in _weights(_size(2, nouts), 2)])
        for x in (-2.0, 0.0, 2.0):
            steps += [*_forward("y", [x, x]), ["get", {"r": "y"}, "data"]]
        left, middle, right = outputs = engine.reports(steps, code)
        for output in outputs:
            engine.expect_number("model(x).data", output, code)
        if abs((left + right) / 2 - middle) < 1e-3:
            raise Broken("The network is a straight line in its inputs. Without a nonlinearity between them, layers "
                         "collapse into one.", program=code, quantity="middle output minus the mean of the outer two",
                         yours=f"{middle - (left + right) / 2:.3g}", expected="something else than 0")
    for w in (1.0, -1.0):       # 4 hidden neurons at tanh(5): 4 * w + w
        code = _code(2, (4, 1), f"for p in model.parameters():\n    p.data = {w}", f"model([{2 * w}, {2 * w}]).data")
        steps = [*_model(2, (4, 1), [w] * _size(2, (4, 1))), *_forward("y", [2 * w] * 2), ["get", {"r": "y"}, "data"]]
        out = engine.reports(steps, code)[0]
        engine.expect_number("model(x).data", out, code)
        if not out * w > 2:
            raise Broken("The last layer is not linear: its output does not leave the range of a nonlinearity.",
                         program=code, quantity="model(x).data", yours=f"{out:.4g}", expected=f"about {5 * w:g}")


@lru_cache(maxsize=1)       # three promises build on it; what it finds of one engine holds for all three
def _has_shape(engine) -> None:
    """The outputs depend on the parameters in as many independent ways as those of a network of this shape."""
    nin, nouts = SHAPE
    count, code = _size(nin, nouts), _code(*SHAPE, f"# {PLACES} inputs, each parameter moved by {STEP} and back")
    rng, rank = random.Random(7), 0
    for seed in (8, 9):         # some draws leave neurons idle
        weights = [2 * w for w in _weights(count, seed)]
        xs = [[rng.uniform(-3, 3) for _ in range(nin)] for _ in range(PLACES)]
        steps = _model(nin, nouts)
        for k in range(count):
            for step in (STEP, -STEP):
                steps.append(["setitems", {"r": "ps"}, "data", weights[:k] + [weights[k] + step] + weights[k + 1:]])
                for x in xs:
                    steps += [*_forward("y", x), ["get", {"r": "y"}, "data"]]
        data = engine.reports(steps, code, Limits(cpu=10.0, wall=60.0))
        for value in data:
            engine.expect_number("model(x).data", value, code)
        up, down = np.array(data, float).reshape(count, 2, PLACES).transpose(1, 0, 2)
        sizes = np.linalg.svd((up - down) / (2 * STEP), compute_uv=False)
        rank = max(rank, int((sizes > 1e-6 * max(sizes[0], 1e-6)).sum()))
        if rank >= LEAST_WAYS:
            break
    else:
        raise Broken(f"The {count} parameters do not each do a work of their own. Every neuron has weights of its own, "
                     "and the last one reads all the others through a nonlinearity.", program=code,
                     quantity="independent ways in which parameters change the output", yours=str(rank),
                     expected=f"at least {LEAST_WAYS}")


def _loss(out: str, points, targets) -> list:
    """Steps for the mean squared error over points, built from `model(x)` and the learner's + and *."""
    steps = []
    for k, (x, y) in enumerate(zip(points, targets, strict=True)):
        steps += [*_forward("y", x), ["op", "e", "add", {"r": "y"}, -y], ["op", "e", "mul", {"r": "e"}, {"r": "e"}],
                  ["op", out, "add", {"r": out}, {"r": "e"}] if k else ["op", out, "add", {"r": "e"}, 0.0]]
    return [*steps, ["op", out, "mul", {"r": out}, 1 / len(points)]]


def _measured(engine, nin, nouts, weights, points, targets, code) -> list[float]:
    """The loss's derivative by each parameter: central differences of the learner's own forward pass."""
    steps = _model(nin, nouts)
    for k in range(len(weights)):
        for step in (STEP, -STEP):
            moved = weights[:k] + [weights[k] + step] + weights[k + 1:]
            steps += [["setitems", {"r": "ps"}, "data", moved], *_loss("l", points, targets),
                      ["get", {"r": "l"}, "data"]]
    data = engine.reports(steps, code, Limits(cpu=10.0, wall=60.0))
    for value in data:
        engine.expect_number("loss.data", value, code)
    return [(up - down) / (2 * STEP) for up, down in zip(data[::2], data[1::2], strict=True)]


@promise(exercise="4.1", weight=2)
def test_every_parameter_has_its_gradient(engine):
    """Every parameter's gradient of a loss over two points is what finite differences of your forward pass measure."""
    _has_shape(engine)
    _wherever(engine, lambda seed: _every_gradient(engine, seed), 3)


def _every_gradient(engine, seed: int | str) -> None:
    nin, nouts = NETWORKS[1]
    points, targets = [p[:nin] for p in POINTS], (1.0, -1.0)
    weights = _weights(_size(nin, nouts), seed)
    code = _code(nin, nouts, f"points, targets = {points}, {list(targets)}",
                 "loss = sum((model(x) + -y) * (model(x) + -y) for x, y in zip(points, targets)) * 0.5",
                 "loss.backward()", "[p.grad for p in model.parameters()]")
    measured = _measured(engine, nin, nouts, weights, points, targets, code)
    steps = [*_model(nin, nouts, weights), *_loss("l", points, targets), ["backward", {"r": "l"}],
             ["items", {"r": "ps"}, "grad"]]
    grads = engine.reports(steps, code)[0]
    engine.expect("len(model.parameters())", len(grads), len(measured), code)
    for k, (yours, expected) in enumerate(zip(grads, measured, strict=True)):
        engine.expect(f"model.parameters()[{k}].grad", yours, expected, code, slack=_slack(expected))


# 4.2 Training: what a learner's loop claims is computed again from the weights that it left

RATE = 0.2
ROUNDS = 100
STARTS = (4, 5, 6)          # seeds of start weights


def _training(count: int, seed: int | str = 4) -> tuple[list, list, list[float]]:
    xs, ys = two_moons(count, noise=0.1, seed=3)
    return [[float(v) for v in x] for x in xs], [float(y) for y in ys], _weights(_size(*SHAPE), seed)


def _train_code(count: int, steps: int = 1) -> str:
    loop = f"for _ in range({steps}):\n    " if steps > 1 else ""
    return _code(*SHAPE, f"xs, ys = two_moons({count}, noise=0.1, seed=3)      # from utils.datasets",
                 f"{loop}loss = train_step(model, xs, ys, {RATE})").replace("import MLP", "import MLP, train_step")


@promise(exercise="4.2")
def test_step_returns_the_loss(engine):
    """`train_step` returns the mean squared error before the update, as a number."""
    def returns(seed):
        xs, ys, weights = _training(6, seed)
        code = _train_code(6)
        steps = _model(*SHAPE, weights)
        for x in xs:
            steps += [*_forward("y", x), ["get", {"r": "y"}, "data"]]
        steps += [["make", "r", "train_step", [{"r": "m"}, xs, ys, RATE]], ["report", {"r": "r"}]]
        *outputs, returned = engine.reports(steps, code)
        for out in outputs:
            engine.expect_number("model(x).data", out, code)
        loss = sum((out - y) ** 2 for out, y in zip(outputs, ys, strict=True)) / len(ys)
        engine.expect("train_step(...)", returned, loss, code)
    _wherever(engine, returns, 4)


def _updates(engine, rounds: int, seed: int | str) -> None:
    """After each of `rounds` calls of train_step, every parameter has moved by -rate times the measured gradient."""
    xs, ys, weights = _training(4, seed)
    code = _train_code(4, rounds)
    steps = _model(*SHAPE, weights)
    for _ in range(rounds):
        steps += [["make", "r", "train_step", [{"r": "m"}, xs, ys, RATE]], ["items", {"r": "ps"}, "data"]]
    before = weights
    for after in engine.reports(steps, code):
        engine.expect("len(model.parameters())", len(after), len(weights), code)
        slopes = _measured(engine, *SHAPE, before, xs, ys, code)
        for k, (old, new, slope) in enumerate(zip(before, after, slopes, strict=True)):
            engine.expect(f"model.parameters()[{k}].data", new, old - RATE * slope, code, slack=_slack(slope))
        before = after


@promise(exercise="4.2")
def test_step_goes_downhill(engine):
    """One step moves every parameter by minus the learning rate times its gradient."""
    _wherever(engine, lambda seed: _updates(engine, 1, seed), 4)


@promise(exercise="4.2")
def test_second_step_starts_from_zero_gradients(engine):
    """The second step uses its own gradients, not those of the first added on top."""
    _wherever(engine, lambda seed: _updates(engine, 3, seed), 4)


@promise(exercise="4.2")
def test_training_lowers_the_loss(engine):
    """100 steps on two moons: the loss, computed again from your weights, falls by a quarter or more."""
    # The order of the parameters is the learner's, and one order in fifty starts badly: any of three starts will do.
    _has_shape(engine)
    xs, ys, _ = _training(16)
    code = _train_code(16, ROUNDS)
    for start_seed in STARTS:
        steps = [*_model(*SHAPE, _weights(_size(*SHAPE), start_seed)), *_loss("l", xs, ys), ["get", {"r": "l"}, "data"],
                 ["repeat", ROUNDS, [["make", "r", "train_step", [{"r": "m"}, xs, ys, RATE]]]],
                 *_loss("l", xs, ys), ["get", {"r": "l"}, "data"]]
        start, end = engine.reports(steps, code, Limits(cpu=20.0, wall=100.0))
        engine.expect_number("loss", end, code)
        if end < 0.75 * start:
            return
    raise Broken("The loss did not fall enough.", program=code, quantity=f"loss after {ROUNDS} steps",
                 yours=f"{end:.4g}", expected=f"less than {0.75 * start:.4g}, three quarters of {start:.4g}")
