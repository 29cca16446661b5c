"""Bad input to the engines of levels 2 and 3: a sentence with what was given and what would do, and nothing broken."""

from __future__ import annotations

import math
import re
from types import ModuleType

import numpy as np
import pytest

from utils.autograd_stub import Value as Stub
from utils.bench.worker import engine

SCALAR, ARRAYS = engine("level 3"), engine("level 2")
Value = SCALAR.Value

NO_NUMBERS = {
    "text": ("3", "str '3'"), "None": (None, "NoneType None"), "complex": (1j, "complex 1j"),
    "list": ([1.0], "list [1.0]"), "array": (np.ones(2), "ndarray array"),
    "whole numbers": (np.array([1, 2]), "ndarray array"),
    "array without axes": (np.array(2.0), "ndarray array"), "empty array": (np.array([]), "ndarray array"),
}
TAKES = {
    "Value holds": lambda x: Value(x), "+ takes a Value or": lambda x: Value(2.0) + x,
    "- takes a Value or": lambda x: Value(2.0) - x, "* takes a Value or": lambda x: Value(2.0) * x,
    "/ takes a Value or": lambda x: Value(2.0) / x, "backward takes": lambda x: Value(2.0).exp().backward(x),
}
REFLECTED = {"+": lambda x: x + Value(2), "-": lambda x: x - Value(2), "*": lambda x: x * Value(2),
             "/": lambda x: x / Value(2)}


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("says", TAKES)
def test_what_is_no_number_is_refused(says, kind):
    wrong, shown = NO_NUMBERS[kind]
    with pytest.raises(TypeError, match="^" + re.escape(f"{says} a number, an int or a float, not {shown}")):
        TAKES[says](wrong)


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("sign", REFLECTED)
def test_what_is_no_number_is_refused_on_the_left(sign, kind):
    """NumPy and lists would otherwise take the Value apart, or copy themselves two times."""
    wrong, shown = NO_NUMBERS[kind]
    with pytest.raises(TypeError, match=re.escape(f"{sign} takes a Value or a number, an int or a float, not {shown}")):
        REFLECTED[sign](wrong)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_a_leaf_is_finite(wrong):
    with pytest.raises(ValueError, match=f"Value holds a finite number, not {wrong}"):
        Value(wrong)
    with pytest.raises(ValueError, match="Value holds finite numbers"):
        ARRAYS.Value([1.0, wrong])


def test_a_value_is_no_number():
    with pytest.raises(TypeError, match="Value holds a number, an int or a float, not Value"):
        Value(Value(1.0))


def test_numbers_of_numpy_are_numbers():
    for two in (np.float64(2), np.float32(2), np.int64(2), True + 1):
        a = Value(two)
        out = two * a + a * two + (a - two) / two
        out.backward()
        assert (out.data, a.grad) == (8.0, 4.5)


DOMAINS = {
    "exp": (lambda: Value(1000).exp(), OverflowError, r"exp\(1000\) is too large for a float"),
    "log": (lambda: Value(-1.5).log(), ValueError, "log takes a number above 0, got -1.5"),
    "root": (lambda: Value(-8.0) ** 0.5, ValueError, r"-8.0 \*\* 0.5 is no float"),
    "pole": (lambda: Value(0.0) ** -1, ValueError, r"0.0 \*\* -1 is no float"),
    "power": (lambda: Value(9.0) ** 999.0, OverflowError, r"9.0 \*\* 999.0 is no float"),
}


@pytest.mark.parametrize("name", DOMAINS)
def test_outside_of_a_functions_domain(name):
    call, kind, words = DOMAINS[name]
    with pytest.raises(kind, match=words):
        call()


def test_a_pass_that_was_stopped_leaves_the_next_one_right():
    """Uses that were counted and not consumed would make the next pass wait for ever."""
    a, b, interrupted = Value(1.5), Value(-0.5), True
    shared = a * b
    own = Value(3 * shared.data, (shared, b), "own")    # 3 * shared + 0 * b

    def rule():
        if interrupted:
            raise KeyboardInterrupt
        shared.grad += 3 * own.grad

    own._backward = rule
    root = (own * a + shared.tanh()) * shared + own
    with pytest.raises(KeyboardInterrupt):
        root.backward()
    assert [x._uses for x in (a, b, shared, own, root)] == [0] * 5
    a.grad = b.grad = 0.0
    interrupted = False
    root.backward()
    c, d = Value(1.5), Value(-0.5)
    e = c * d
    ((3 * e * c + e.tanh()) * e + 3 * e).backward()
    assert (a.grad, b.grad) == pytest.approx((c.grad, d.grad), rel=1e-14)


# Checkpoints that read nodes inside the graph

def test_a_checkpoint_that_reads_an_inner_node_is_refused():
    x, w = Value(0.5), Value(2.0)
    inside = x * w
    with pytest.raises(ValueError, match="f reads inside, a node inside the graph"):
        SCALAR.checkpoint(lambda t: t * inside, x)
    out = SCALAR.checkpoint(lambda t, i: t * i * w, x, inside)      # as an input, beside a leaf
    out.backward()
    assert (x.grad, w.grad) == (2 * 0.5 * 4.0, 2 * 0.25 * 2.0)


def test_a_checkpoint_sees_globals_and_not_attributes_of_the_same_name():
    scope = ModuleType("notebook").__dict__
    scope |= {"Value": Value, "checkpoint": SCALAR.checkpoint}
    exec("x = Value(3.0)\nh = x * x\nclass Box: pass\nbox = Box()\nbox.h = Value(5.0)\n"
         "fine = checkpoint(lambda t: t * box.h, x)", scope)
    assert scope["fine"].data == 15.0
    with pytest.raises(ValueError, match="f reads h, a node"):
        exec("checkpoint(lambda t: t * h, x)", scope)


# Arrays

LABELS = {"too few": [0], "not whole": [0.5, 1.0], "too large": [0, 3], "negative": [0, -1], "of two axes": [[0], [1]]}


@pytest.mark.parametrize("labels", LABELS)
def test_labels_that_do_not_fit_are_refused(labels):
    """One label for two rows would be used for both, and -1 would count from the end."""
    with pytest.raises(ValueError, match=r"n whole numbers from 0 to classes - 1, got \(2, 3\) and labels array"):
        ARRAYS.Value(np.ones((2, 3))).cross_entropy(LABELS[labels])


def test_arrays_without_numbers_are_refused():
    for shape in ((0,), (0, 3), (3, 0)):
        with pytest.raises(ValueError, match=rf"at least one, not .* of the shape \({shape[0]},"):
            ARRAYS.Value(np.ones(shape))


def test_the_stub_is_as_careful():
    with pytest.raises(TypeError, match="takes a Value or a number"):
        Stub(2.0) * [3.0]
