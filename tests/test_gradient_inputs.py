"""What the gradient checker may be given: Values, arrays and tensors in every form, and how bad input is refused."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys

import numpy as np
import pytest

from utils.autograd_stub import Value
from utils.curriculum import ROOT, topic
from utils.finite_difference_checker import GradientCheckError, check_gradients, numerical_gradient


class Tiny:
    """An engine with one operation; `accumulate=False` is the commonest bug there is."""

    accumulate = True

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents

    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other))

    def backward(self, upstream=1.0):
        self.grad = self.grad + upstream if self.accumulate else upstream
        if self.parents:
            a, b = self.parents
            a.backward(upstream * b.data)
            b.backward(upstream * a.data)


class Overwriting(Tiny):
    accumulate = False


# Values


def test_values_run_the_engine_and_name_the_inputs():
    report = check_gradients(lambda a, b: a * b + a.tanh(), [Value(2.0), Value(3)])
    assert report
    assert [e.where for e in report.entries] == ["a", "b"]


@pytest.mark.parametrize("x", [Value(3.0), [Value(3.0)]])
def test_one_value_may_come_alone_or_in_a_list(x):
    assert check_gradients(lambda x: x * x, x)


@pytest.mark.parametrize(("f", "count"), [(lambda xs: xs[0] * xs[1], 2), (lambda *xs: xs[0] * xs[1], 2),
                                          (lambda xs: xs[0] ** 2, 1)])
def test_a_list_is_spread_or_handed_over_whole(f, count):
    report = check_gradients(f, [Value(2.0), Value(5.0)][:count])
    assert report
    assert [e.where for e in report.entries] == [f"xs[{i}]" for i in range(count)]


def test_numbers_are_wrapped_in_the_class_given_as_value():
    assert check_gradients(lambda a, b: a * b, [2.0, 3.0], value=Value)


def test_an_engine_that_overwrites_is_caught_by_a_reused_input():
    assert check_gradients(lambda a: a * a, [Tiny(3.0)])
    report = check_gradients(lambda a: a * a, [Overwriting(3.0)])
    assert report.verdict == "fail"
    assert report.worst.yours == 3.0
    assert report.worst.measured == pytest.approx(6.0)


def test_the_values_given_are_left_alone():
    a = Value(2.0)
    a.grad = 7.0
    check_gradients(lambda a: a * a, [a])
    assert (a.data, a.grad) == (2.0, 7.0)


def test_several_values_out_are_weighted_at_random():
    def softmax(a, b, c):
        total = a.exp() + b.exp() + c.exp()
        return [a.exp() / total, b.exp() / total, c.exp() / total]

    assert check_gradients(softmax, [Value(0.5), Value(-1.0), Value(2.0)])


def test_values_that_hold_arrays_are_checked_entry_by_entry():
    spec = importlib.util.spec_from_file_location("arrays", topic("02").solutions / "level02-vectorized.py")
    engine = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(engine)
    rng = np.random.default_rng(1)
    leaves = [engine.Value(rng.normal(size=shape)) for shape in ((2, 3), (3, 4), (4,))]
    report = check_gradients(lambda x, w, b: (x @ w + b).tanh(), leaves)
    assert report
    assert len(report.entries) == 6 + 12 + 4
    assert report.entries[1].where == "x[0, 1]"


def test_an_error_of_the_engine_keeps_its_kind_and_gets_a_note():
    class Unwritten(Tiny):
        def backward(self):
            raise NotImplementedError("exercise 1.2: backward")

    with pytest.raises(NotImplementedError, match=r"exercise 1\.2") as caught:
        check_gradients(lambda a: a * a, [Unwritten(3.0)])
    assert "backward() raised this" in caught.value.__notes__[0]


# Arrays and tensors

W = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])


def test_the_gradient_of_an_array():
    x = np.array([[0.5, 2.0, -1.0], [1.5, -0.5, 3.0]])
    assert check_gradients(lambda x: (W * np.sin(x)).sum(), x, W * np.cos(x))
    wrong = W * np.cos(x)
    wrong[1, 2] *= 1.0001
    assert check_gradients(lambda x: (W * np.sin(x)).sum(), x, wrong).worst.where == "x[1, 2]"


def test_an_array_output_against_its_jacobian_or_its_vjp():
    x = np.array([0.5, -1.0, 2.0])
    assert check_gradients(lambda x: W @ x, x, W)
    assert check_gradients(lambda x: W @ x, x, vjp=lambda v: W.T @ v)
    assert check_gradients(lambda x: W @ x, x, vjp=lambda v: W.T @ np.ones(2)).verdict == "fail"


def test_a_softmax_backward_that_ones_would_bless_is_caught():
    def softmax(z):
        return np.exp(z) / np.exp(z).sum()

    z = np.array([0.5, -1.0, 2.0])
    p = softmax(z)
    assert check_gradients(softmax, z, vjp=lambda v: p * (v - (v * p).sum()))
    assert check_gradients(softmax, z, vjp=lambda v: np.zeros(3)).verdict == "fail"


def test_several_arrays_and_a_gradient_that_is_a_function():
    report = check_gradients(lambda a, b: a @ b, [W[0], W[1]], lambda a, b: [b, a])
    assert report
    assert [e.where for e in report.entries] == ["a[0]", "a[1]", "a[2]", "b[0]", "b[1]", "b[2]"]


def test_large_arrays_are_checked_along_directions_and_an_error_is_located():
    x = np.linspace(-1, 1, 400).reshape(20, 20)
    grad = np.cos(x)
    report = check_gradients(lambda x: np.sin(x).sum(), x, grad)
    assert report
    assert report.evaluations <= 30
    grad[7, 3] *= 1.001
    report = check_gradients(lambda x: np.sin(x).sum(), x, grad)
    assert report.worst.where == "x[7, 3]"
    assert "no other seems wrong" in report.sentence


def test_tensors_are_differentiated_by_torch():
    torch = pytest.importorskip("torch")
    a, b = torch.tensor([[0.5, -1.0]]), torch.tensor([[2.0], [0.25]], dtype=torch.float64)
    assert check_gradients(lambda a, b: (a @ b).tanh() * a, [a, b])
    assert check_gradients(lambda a: (a * a.detach()).sum(), a).verdict == "fail"
    assert numerical_gradient(lambda a: (a * a).sum(), b).flatten().tolist() == pytest.approx([4.0, 0.5])


def test_torch_is_not_imported_for_other_inputs():
    code = ("import sys; from utils.finite_difference_checker import check_gradients\n"
            "assert check_gradients(lambda x: x * x, 3.0, 6.0) and 'torch' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


# Bad input


def holding(data):
    """A Value whose data was changed to something that it would not have been made with."""
    value = Value(0.0)
    value.data = data
    return value


@pytest.mark.parametrize(("x", "error", "said"), [
    ("2.0", TypeError, "'2.0' .str.; expected a number"),
    (None, TypeError, "None"),
    (1j, TypeError, "complex"),
    (True, TypeError, "bool"),
    ([[1.0, 2.0]], TypeError, r"np\.array"),
    (np.array([1, 2]), TypeError, r"int64.*astype\(float\)"),
    (np.array([1j]), TypeError, "complex128"),
    (holding("two"), TypeError, r"x\.data is 'two'"),
    (math.nan, ValueError, "nan; expected finite"),
    (np.array([1.0, math.inf]), ValueError, "inf; expected finite"),
    ([], ValueError, "empty"),
    (np.zeros((0, 3)), ValueError, r"no elements .shape \(0, 3\)"),
])
def test_bad_points_are_refused(x, error, said):
    for call in (numerical_gradient, lambda f, x: check_gradients(f, x, 1.0)):
        with pytest.raises(error, match=said):
            call(lambda x: x, x)


@pytest.mark.parametrize(("grad", "error", "said"), [
    ([1.0, 2.0], ValueError, r"shape \(2,\) for x; expected \(3,\)"),
    (np.ones((3, 1)), ValueError, r"expected \(3,\)"),
    (1.0, ValueError, r"shape \(\)"),
    ("1.0", TypeError, "grad is '1.0'"),
    (np.array([1j, 1, 1]), TypeError, "complex128"),
    (None, TypeError, r"check_gradients\(f, x, grad\)"),
])
def test_bad_gradients_are_refused(grad, error, said):
    with pytest.raises(error, match=said):
        check_gradients(lambda x: x.sum(), np.ones(3), grad)


def test_bad_options_are_refused():
    with pytest.raises(TypeError, match="expected a function"):
        check_gradients(3.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="adaptive, complex"):
        check_gradients(math.sin, 1.0, 1.0, method="newton")
    with pytest.raises(ValueError, match="positive step"):
        numerical_gradient(math.sin, 1.0, h=0.0)
    with pytest.raises(ValueError, match="larger step"):
        numerical_gradient(math.sin, 1e20, h=1e-5)
    with pytest.raises(TypeError, match="one of them"):
        check_gradients(math.sin, 1.0, 1.0, vjp=lambda v: v)
    with pytest.raises(TypeError, match="returned 2 numbers"):
        numerical_gradient(lambda x: [x, x], 1.0)
    with pytest.raises(ValueError, match="2 parts and x has 3"):
        check_gradients(lambda a, b, c: a, [1.0, 2.0, 3.0], [1.0, 2.0])


@pytest.mark.parametrize(("f", "error", "said"), [
    (lambda x: None, TypeError, "None; does it end with `return`"),
    (lambda x: "one", TypeError, "'one' .str."),
    (lambda x: 1j * x, ValueError, "complex number"),
    (lambda x: math.nan, ValueError, "expected finite numbers"),
])
def test_a_function_that_returns_no_number_is_told_so(f, error, said):
    with pytest.raises(error, match=said):
        check_gradients(f, 1.0, 1.0)


def test_a_random_function_is_told_so():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientCheckError, match="f is random"):
        check_gradients(lambda x: x * rng.random(), 1.0, 1.0)


def changes_an_array(x):
    x += 1
    return x.sum()


def changes_a_value(v):
    v.data += 1
    return v * v


@pytest.mark.parametrize(("f", "x"), [(changes_an_array, np.ones(2)), (lambda xs: xs.pop() + xs[0], [1.0, 2.0]),
                                      (changes_a_value, Value(1.0))])
def test_a_function_that_changes_its_input_is_told_so(f, x):
    with pytest.raises(GradientCheckError, match="changes its input"):
        check_gradients(f, x)


def test_a_function_that_raises_next_to_the_point_is_told_where():
    with pytest.raises(GradientCheckError, match=r"IndexError.*step of \+0\.06.*but not at the point"):
        check_gradients(lambda x: [1.0, 2.0][:int(x == 1.0)][0] * x, 1.0, 1.0)


def test_an_error_at_the_point_itself_keeps_its_kind_and_gets_a_note():
    with pytest.raises(ZeroDivisionError) as caught:
        check_gradients(lambda x: 1 / x, 0.0, 1.0)
    assert "call f there on its own" in caught.value.__notes__[0]


def test_a_result_cut_off_from_the_graph_is_told_so():
    with pytest.raises(GradientCheckError, match=r"not its \.data"):
        check_gradients(lambda v: v.data * 2, Value(1.0))


def test_a_gradient_of_another_shape_than_its_data_is_told_so():
    class Unbroadcast:
        def __init__(self, data):
            self.data, self.grad = data, np.zeros_like(data)

        def sum(self):
            root = Unbroadcast(self.data.sum())
            root.backward = lambda: setattr(self, "grad", np.ones((2, *self.data.shape)))
            return root

        def backward(self):
            raise AssertionError("the root's own is called")

    with pytest.raises(ValueError, match=r"grad after backward\(\) has shape \(2, 3\) for x; expected \(3,\)"):
        check_gradients(lambda x: x.sum(), Unbroadcast(np.ones(3)))
