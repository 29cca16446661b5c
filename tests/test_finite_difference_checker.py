"""The gradient checker: right gradients pass, wrong ones fail, what cannot be judged is said; inputs of every form."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from tests.gradient_zoo import IN_FLOAT32, as_text, central, ours, score, zoo
from utils.autograd_stub import MLP, Value
from utils.finite_difference_checker import GradientCheckError, check_gradients, check_many, numerical_gradient
from utils.finite_differences import measure

# The zoo: how often the checker is wrong


@pytest.fixture(scope="module")
def result():
    return score("ours", ours, zoo(), errors=(1e-4,))  # the smallest is the hardest to see


def exact(names):
    """Those that compute in float64 throughout."""
    return [name for name in names if not name.startswith(tuple(IN_FLOAT32))]


def test_the_zoo_raises_no_false_alarm(result):
    print(as_text([result]))
    assert result.points >= 1600
    assert result.alarms == []
    assert exact(result.unsure) == []


def test_no_error_of_1e_4_is_let_pass_in_the_zoo(result):
    assert result.wrong[1e-4] > 1500
    assert exact(result.misses[1e-4]) == []


def test_a_slope_costs_about_ten_evaluations(result):
    assert result.evaluations < 10.5


def test_the_zoo_catches_plain_central_differences():
    plain = score("central differences", central, zoo(), errors=(1e-4,))
    print(as_text([plain]))
    assert len(plain.alarms) > 80


def test_the_zoo_catches_a_lenient_checker():
    def lenient(f, x, given):
        return check_gradients(f, x, given, rtol=1e-3).verdict

    assert len(score("lenient", lenient, zoo()[:100], errors=(1e-4,)).misses[1e-4]) > 50


# Verdicts


def test_a_right_gradient_passes_and_is_true():
    report = check_gradients(math.sin, 1.0, math.cos(1.0))
    assert report
    assert report.verdict == "pass"
    assert report.entries[0].measured == pytest.approx(math.cos(1.0), rel=1e-9)
    assert abs(report.entries[0].measured - math.cos(1.0)) <= report.entries[0].bar


@pytest.mark.parametrize(("yours", "said"), [(-6.0, "-1 times"), (3.0, "0.5 times"), (0.0, "no gradient arrives"),
                                             (6.0006, "off by 0.0006")])
def test_a_failure_says_how_yours_differs(yours, said):
    report = check_gradients(lambda x: x * x, 3.0, yours)
    assert report.verdict == "fail"
    assert not report
    assert said in repr(report)


def test_the_worst_slope_is_named_first():
    report = check_gradients(lambda a, b, c: a * b * c, [1.0, 2.0, 3.0], [6.0, 3.0003, 4.0])
    assert [e.verdict for e in report.entries] == ["pass", "fail", "fail"]
    assert report.worst.where == "c"
    assert report.sentence.startswith("c: ")


@pytest.mark.parametrize("given", [0.0, 0.4, 1.0])
def test_between_the_slopes_of_a_kink_is_kink_ok(given):
    report = check_gradients(lambda x: max(x, 0.0), 0.0, given)
    assert report.verdict == "kink-ok"
    assert not report
    assert (report.entries[0].left, report.entries[0].right) == pytest.approx((0.0, 1.0))
    assert "0 on the left and 1 on the right" in report.sentence


@pytest.mark.parametrize("given", [-0.01, 1.01])
def test_outside_the_slopes_of_a_kink_fails(given):
    assert check_gradients(lambda x: max(x, 0.0), 0.0, given).verdict == "fail"


def test_beside_a_kink_the_slope_is_judged_as_anywhere():
    f = abs
    assert check_gradients(f, 1e-4, 1.0)
    assert check_gradients(f, 1e-4, 0.5).verdict == "fail"


def test_a_kink_nearby_is_not_taken_for_one_at_the_point():
    def line(t):
        return t, abs(t - 1e-3) + math.sin(t)

    assert measure(line, 1e-3, given=0.25, target=1e-15, rows=5).kind != "kink"
    assert measure(lambda t: (t, abs(t)), 0.0, given=0.25, target=1e-15, rows=5).kind == "kink"


def test_a_slight_kink_under_a_bend_is_found_before_a_slope_is_rejected():
    assert check_gradients(lambda x: x * x + 1e-4 * abs(x), 0.0, 5e-5).verdict == "kink-ok"
    assert check_gradients(lambda x: x * x + 1e-4 * abs(x), 0.0, 2e-4).verdict == "fail"


@pytest.mark.parametrize(("f", "x", "said"), [
    (lambda x: float(x > 1), 1.0, "grows without end"),
    (lambda x: abs(x) ** 0.5, 0.0, "grows without end"),
    (math.sqrt, 0.0, "ValueError"),
    (lambda x: round(math.exp(x), 3), 1.0, "rough"),
])
def test_what_cannot_be_judged_is_unsure_and_says_why(f, x, said):
    report = check_gradients(f, x, 2.7)
    assert report.verdict == "unsure"
    assert not report
    assert said in report.sentence


def test_a_gradient_of_zero_passes_where_f_is_flat():
    assert check_gradients(math.tanh, 30.0, 0.0)
    assert check_gradients(lambda x: 3.0, 2.0, 0.0)
    assert check_gradients(lambda x: x * x, 0.0, 0.0)


def test_a_gradient_of_nan_fails_and_the_slope_is_shown():
    report = check_gradients(lambda x: 3 * x, 2.0, math.nan)
    assert report.verdict == "fail"
    assert "nan" in report.sentence
    assert report.entries[0].measured == pytest.approx(3.0)


def test_f_undefined_at_a_large_step_is_measured_with_smaller_ones():
    assert check_gradients(math.log, 1e-6, 1e6)
    assert check_gradients(math.log, 1e-6, 1.0001e6).verdict == "fail"


ROUGH = {
    "sine in float32": (lambda x: float(np.sin(np.float32(x))), math.cos),
    "tanh in float32": (lambda x: float(np.tanh(np.float32(x))), lambda x: 1 - math.tanh(x) ** 2),
    "exp to 5 places": (lambda x: round(math.exp(x), 5), math.exp),
    "float32 in part": (lambda x: float(np.float32(math.sin(x))) * x + x, lambda x: math.sin(x) + x * math.cos(x) + 1),
    "line in float32": (lambda x: float(np.float32(x) * np.float32(0.5)), lambda x: 0.5),
}


@pytest.mark.parametrize("name", ROUGH)
def test_rounding_inside_f_neither_raises_an_alarm_nor_hides_a_large_error(name):
    f, slope = ROUGH[name]
    rng = random.Random(3)
    points = [rng.uniform(-2, 2) for _ in range(60)]
    assert "fail" not in [check_gradients(f, x, slope(x)).verdict for x in points]
    assert not [x for x in points if check_gradients(f, x, 1.01 * slope(x))]


def test_a_ripple_finer_than_the_first_steps_is_followed():
    def f(x):
        return x + 1e-7 * math.sin(1e5 * x)

    assert check_gradients(f, 0.5, 1 + 0.01 * math.cos(50000))
    assert check_gradients(f, 0.5, 1.0).verdict == "fail"


def test_a_slope_of_zero_is_settled_as_soon_as_any():
    assert check_gradients(lambda x: x**3, 0.0, 0.0).evaluations <= 8


# The report


def test_the_text_of_a_report_is_the_same_each_time():
    first, second = (repr(check_gradients(lambda a, b: a * b, [2.0, 3.0], [3.0, -2.0])) for _ in range(2))
    assert first == second
    assert first.splitlines()[0].startswith("fail: b: yours is -2, but the measured slope is 2 +- ")
    assert [line.split()[0] for line in first.splitlines()[1:]] == ["where", "b", "a"]


def test_the_html_of_a_report_is_escaped_and_leaves_rows_out():
    report = check_gradients(lambda x: (x * x).sum(), np.arange(1.0, 21.0), 2 * np.arange(1.0, 21.0))
    shown = replace(report, sentence="a < b")._repr_html_()
    assert "a &lt; b" in shown
    assert shown.count("<tr>") == 9
    assert "... and 12 more" in shown


# numerical_gradient


def test_the_measured_gradient_has_the_form_of_x():
    assert numerical_gradient(lambda x: x**3, 2.0) == pytest.approx(12.0, rel=1e-10)
    assert numerical_gradient(lambda a, b: a**2 * b, [2.0, -3.0]) == pytest.approx([-12.0, 4.0], rel=1e-10)
    assert numerical_gradient(lambda v: v.exp(), Value(0.5)) == pytest.approx(math.exp(0.5), rel=1e-10)
    x = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])
    np.testing.assert_allclose(numerical_gradient(lambda x: np.sin(x).sum(), x), np.cos(x), rtol=1e-10, strict=True)


def test_a_given_step_is_the_plain_central_difference():
    assert numerical_gradient(lambda x: x**3, 2.0, h=0.5) == pytest.approx(12.25)
    assert numerical_gradient(lambda a, b: a * b, [2.0, 3.0], h=0.25) == pytest.approx([3.0, 2.0])


def test_a_complex_step_is_right_to_the_last_digits():
    def f(x):
        return np.exp(x) / np.sqrt(np.sin(x) ** 3 + np.cos(x) ** 3)

    x = 1.5
    s, c = math.sin(x), math.cos(x)
    slope = f(x) * (1 - 1.5 * (s * s * c - c * c * s) / (s**3 + c**3))
    assert numerical_gradient(f, x, method="complex") == pytest.approx(slope, rel=1e-15)
    assert check_gradients(f, x, slope, method="complex")
    assert check_gradients(f, x, slope * 1.0001, method="complex").verdict == "fail"


@pytest.mark.parametrize(("f", "said"), [(np.abs, "not analytic"), (math.sin, "np.sin for math.sin")])
def test_a_complex_step_that_goes_astray_is_noticed(f, said):
    with pytest.raises(GradientCheckError, match=said):
        numerical_gradient(f, -1.0, method="complex")


# check_many


def moons_loss(model, points=12):
    rng = random.Random(4)
    data = [([rng.uniform(-1, 1), rng.uniform(-1, 1)], rng.choice([-1.0, 1.0])) for _ in range(points)]
    return lambda: sum(((model(x) - y) ** 2 for x, y in data), Value(0.0)) * (1 / points)


@pytest.fixture
def model():
    random.seed(7)
    return MLP(2, [16, 16, 1])


class Faulty:
    """A loss whose backward leaves some parameters with a wrong gradient: index -> relative error."""

    def __init__(self, loss, parameters, faults):
        self.loss, self.parameters, self.faults, self.data, self.grad = loss, parameters, faults, loss.data, 0.0

    def backward(self):
        self.loss.backward()
        for i, error in self.faults.items():
            self.parameters[i].grad *= 1 + error


def test_a_whole_model_passes_within_30_evaluations(model):
    parameters = model.parameters()
    before = [(p.data, p.grad) for p in parameters]
    report = check_many(moons_loss(model), parameters)
    assert len(parameters) == 337
    assert report
    assert report.evaluations <= 30
    assert [(p.data, p.grad) for p in parameters] == before


@pytest.mark.parametrize(("index", "error"), [(0, 1e-2), (50, 1e-4), (200, 1e-6), (336, -1e-3)])
def test_one_wrong_parameter_is_located_within_350_evaluations(model, index, error):
    parameters, loss = model.parameters(), moons_loss(model)
    report = check_many(lambda: Faulty(loss(), parameters, {index: error}), parameters)
    assert report.verdict == "fail"
    assert report.worst.where == f"parameters[{index}]"
    assert "no other seems wrong" in report.sentence
    assert report.evaluations <= 350


def test_many_wrong_parameters_are_said_to_be_many(model):
    parameters, loss = model.parameters(), moons_loss(model)
    report = check_many(lambda: Faulty(loss(), parameters, dict.fromkeys(range(337), 1.0)), parameters)
    assert report.verdict == "fail"
    assert "2 times" in report.sentence
    assert "others are wrong too" in report.sentence
    assert report.evaluations <= 350


def test_a_gradient_of_nan_is_located_at_once(model):
    parameters, loss = model.parameters(), moons_loss(model)
    report = check_many(lambda: Faulty(loss(), parameters, {7: math.nan}), parameters)
    assert report.verdict == "fail"
    assert report.worst.where == "parameters[7]"


def test_a_loss_at_the_edge_of_its_domain_is_unsure():
    x = Value(0.0)
    report = check_many(lambda: Value(math.sqrt(x.data)) + x, [x])
    assert report.verdict == "unsure"
    assert "cannot be evaluated on both sides" in report.sentence


def test_a_loss_that_updates_the_parameters_is_told_so(model):
    parameters, loss = model.parameters(), moons_loss(model)

    def step():
        out = loss()
        parameters[5].data -= 0.1
        return out

    before = [p.data for p in parameters]
    with pytest.raises(GradientCheckError, match=r"changes parameters\[5\]"):
        check_many(step, parameters)
    assert [p.data for p in parameters] == before


def test_check_many_wants_parameters():
    with pytest.raises(TypeError, match=r"model\.parameters"):
        check_many(lambda: Value(1.0), [1.0, 2.0])
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"model\.double"):
        check_many(lambda: None, torch.nn.Linear(2, 1).parameters())
    layer = torch.nn.Linear(3, 2).double()
    assert check_many(lambda: layer(torch.ones(1, 3).double()).tanh().sum(), layer.parameters())
