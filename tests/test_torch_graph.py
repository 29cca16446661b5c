"""PyTorch's record as a picture: every node once, an edge for every operand, and a sentence where there is nothing."""

from __future__ import annotations

import pytest

from utils.autograd_stub import Value
from utils.cli.tools import need_module
from utils.torch_graph import MOST, draw_tape, side_by_side


@pytest.fixture
def torch():
    need_module("torch")
    import torch

    return torch


def test_a_leaf_used_twice_is_one_node_with_two_edges(torch):
    x = torch.tensor(3.0, requires_grad=True)
    tape = draw_tape(x * x + x)
    assert sorted(tape.names) == ["+", "leaf", "×"]
    assert len(tape.edges) == 4 and len(set(tape.edges)) == 3
    assert tape.svg.count("<g id=\"edge") == 4


def test_data_is_not_recorded_and_gradients_show_at_leaves(torch):
    w = torch.tensor(3.0, requires_grad=True)
    loss = (w * torch.tensor([1.0, 2.0])).sum()
    loss.backward()
    tape = draw_tape(loss)
    assert tape.names.count("leaf") == 1 and "grad 3.0" in tape.svg


def test_without_a_record_there_is_a_sentence(torch):
    assert "Nothing was recorded" in repr(draw_tape(torch.tensor(1.0)))
    assert "Nothing was recorded" in draw_tape(torch.tensor(1.0))._repr_html_()
    with pytest.raises(TypeError, match="takes a tensor"):
        draw_tape(3.0)


def test_a_long_record_is_told_and_not_drawn(torch):
    x = y = torch.tensor(1.0, requires_grad=True)
    for _ in range(500):
        y = y * 1.01
    tape = draw_tape(y)
    assert len(tape.nodes) == MOST + 1 and tape.svg == ""
    assert f"More than {MOST}" in repr(tape) and x.is_leaf


def test_both_engines_show_the_same_operations(torch):
    def f(x, y):
        return (x * y).tanh() + x
    tensors = (torch.tensor(v, requires_grad=True) for v in (0.5, -1.5))
    pair = side_by_side(f(*tensors), f(Value(0.5), Value(-1.5)))
    ops = sorted(name for name in pair.left.names if name != "leaf")
    assert ops == sorted(node.op.replace("*", "×") for node in pair.right.trace.nodes if node.op)
    assert pair._repr_html_().count("<figure") == 2
