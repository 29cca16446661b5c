"""Level 2 of topic 02 on arrays: every VJP against PyTorch, with random cotangents and shapes that are not square."""

from __future__ import annotations

import runpy

import numpy as np
import pytest

from utils.curriculum import topic

ENGINE = runpy.run_path(str(topic("02").solutions / "level02-vectorized.py"))
Value, stack = ENGINE["Value"], ENGINE["stack"]

TENSOR_OPS = {
    "broadcast +": (lambda a, b: a + b, (2, 3, 4), (3, 1)),
    "broadcast * with a number": (lambda a, b: a * b, (), (3, 2)),
    "broadcast /": (lambda a, b: a / (b * b + 1), (4,), (2, 3, 4)),
    "broadcast + of one number": (lambda a, b: a + b, (2, 3), (1,)),
    "matrix product": (lambda a, b: a @ b, (2, 3), (3, 5)),
    "product of a batch and one matrix": (lambda a, b: a @ b, (4, 2, 3), (3, 5)),
    "transposed": (lambda a, b: a.T @ b, (3, 2), (3, 5)),
    "sum over an axis": (lambda a, b: (a * b).sum(1), (2, 3, 4), (3, 1)),
    "mean over an axis": (lambda a, b: (a * b).mean(0), (2, 3), (2, 3)),
    "mean over all": (lambda a, b: (a * b).mean(), (2, 3), (2, 3)),
    "chosen twice": (lambda a, b: a[[0, 2, 0]] * b, (3, 2), (2,)),
    "relu, tanh, sigmoid": (lambda a, b: a.relu() * b.tanh() + b.sigmoid(), (2, 3), (2, 3)),
}


@pytest.mark.parametrize("op", TENSOR_OPS)
def test_array_gradients_agree_with_pytorch(op):
    torch = pytest.importorskip("torch")
    f, *shapes = TENSOR_OPS[op]
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=shape) for shape in shapes]
    ours = [Value(array) for array in arrays]
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    out, expected = f(*ours), f(*theirs)
    cotangent = rng.normal(size=out.data.shape)
    out.backward(cotangent)
    expected.backward(torch.tensor(cotangent))
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-12)
    for x, t in zip(ours, theirs, strict=True):
        assert x.grad.shape == x.data.shape
        np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=1e-11, atol=1e-13)


def test_equal_maxima_share_the_gradient():
    torch = pytest.importorskip("torch")
    array = np.array([[1.0, 3.0, 3.0], [2.0, 0.0, -1.0]])
    ours, theirs = Value(array), torch.tensor(array, requires_grad=True)
    ours.max(1).backward(np.array([2.0, 5.0]))
    torch.amax(theirs, 1).backward(torch.tensor([2.0, 5.0]))
    np.testing.assert_array_equal(ours.grad, theirs.grad.numpy())


def test_squared_error_agrees_with_pytorch():
    torch = pytest.importorskip("torch")
    array, targets = np.random.default_rng(5).normal(size=(2, 4, 3))
    ours, theirs = Value(array), torch.tensor(array, requires_grad=True)
    out = ours.squared_error(targets) * 3
    expected = torch.nn.functional.mse_loss(theirs, torch.tensor(targets)) * 3
    out.backward()
    expected.backward()
    assert float(out.data) == pytest.approx(expected.item(), rel=1e-14)
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-14)


def test_targets_of_another_shape_are_refused():
    """(4, 1) beside (4,) would be sixteen differences."""
    with pytest.raises(ValueError, match=r"takes targets shaped \(4, 1\), got \(4,\): reshape"):
        Value(np.ones((4, 1))).squared_error(np.ones(4))


def test_a_layer_with_its_activation_is_one_node():
    linear = ENGINE["linear"]
    x, w, b = np.ones((4, 3)), Value(np.ones((3, 2))), Value(np.zeros(2))
    out = linear(x, w, b, "relu")
    assert (out._prev, len(out._vjps), out._op) == ((w, b), 2, "linear, relu")
    loss = out.squared_error(np.zeros((4, 2)))
    assert loss._prev == (out,)


def test_a_leaf_that_two_operations_use_adds_up():
    """The first share is stored, later ones are added, to what an earlier pass left too; a leaf may be the root."""
    a, b = Value(np.array([1.0, 2.0])), Value(np.array([[3.0], [4.0]]))
    root = (a * b + a).sum()
    root.backward()
    root.backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([18.0, 18.0], [[6.0], [6.0]])
    c = Value(2.0)
    c.backward()
    c.backward()
    assert c.grad == 2.0


def test_constants_cost_no_gradient():
    a, b = Value(np.ones((2, 3))), np.ones((3, 4))
    out = b.T @ a.T
    assert [len(node._vjps) for node in (out, a @ b, 2 * a, a * a)] == [1, 1, 1, 2]
    assert out._prev[0]._prev == (a,)


def test_arrays_say_what_is_wrong():
    a = Value([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"shape \(3,\); call sum\(\) or mean\(\)"):
        a.backward()
    with pytest.raises(ValueError, match=r"\(2,\), not the node's, \(3,\)"):
        a.backward([1.0, 2.0])
    for left, right in ((a, a), (np.ones((2, 3)), Value(np.ones((2, 3))))):
        with pytest.raises(ValueError, match=r"@ takes shapes .* got \(.*3.*\) and \(.*3.*\)"):
            left @ right
    for wrong in (None, "1", 1j, [a]):
        with pytest.raises(TypeError, match="a number or an array of numbers"):
            a + wrong
    for wrong in ("1", [None, 1.0, 2.0], [1j, 1.0, 2.0]):
        with pytest.raises(TypeError, match="a number or an array of numbers"):
            a.backward(wrong)
    assert a.grad == 0.0


def test_shapes_that_do_not_fit_are_said():
    linear, x = ENGINE["linear"], np.ones((2, 3))
    words = r"takes shapes that are equal, or 1 where they differ, .* got \(2, 3\).*\(2, 4\): reshape one"
    with pytest.raises(ValueError, match=words):
        Value(x) * np.ones((2, 4))
    with pytest.raises(ValueError, match=r"linear takes shapes .* got \(2, 3\), \(3, 4\), \(3,\): reshape one"):
        linear(x, Value(np.ones((3, 4))), Value(np.ones(3)))
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        Value(x).sum(2)


def test_a_leaf_keeps_its_own_copy():
    array = np.array([1.0, 2.0])
    leaf = Value(array)
    array[0] = 7.0
    assert leaf.data.tolist() == [1.0, 2.0]


def test_stacked_values_get_their_own_share():
    a, b = Value(2.0), Value(3.0)
    out = stack([a, b, 1.0, a], (2, 2))
    out.backward([[1.0, 2.0], [4.0, 8.0]])
    assert out.data.tolist() == [[2.0, 3.0], [1.0, 2.0]]
    assert (a.grad, b.grad) == (9.0, 2.0)
