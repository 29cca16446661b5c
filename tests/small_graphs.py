"""A minimal engine to draw the values of, and a picture read back."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET

import pytest

from utils.visualization import Drawing, find_program

SVG = "{http://www.w3.org/2000/svg}"


class Value:
    """A minimal engine whose inputs are kept as `kind`; no gradients: they are set where a test needs them."""

    kind = tuple

    def __init__(self, data, inputs=(), op="", label=""):
        self.data, self.grad, self._prev, self._op, self.label = data, 0.0, self.kind(inputs), op, label

    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other), "+")

    def __sub__(self, other):
        return type(self)(self.data - other.data, (self, other), "-")

    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), "*")


class SetValue(Value):
    kind = set


class ListValue(Value):
    kind = list


def graph_of(drawing: Drawing) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """The picture read back: the texts of each node, and the edges, a pill on an edge counted as part of it."""
    if find_program() is None:
        assert not os.environ.get("UPSTREAM_CI"), "graphviz-pure is missing"
        pytest.skip("not run: no layout program")
    nodes, edges = {}, []
    for group in ET.fromstring(drawing.svg).iter(f"{SVG}g"):
        title = group.findtext(f"{SVG}title")
        if group.get("class") == "node":
            nodes[title] = ["".join(text.itertext()).strip() for text in group.iter(f"{SVG}text")]
        elif group.get("class") == "edge":
            edges.append(tuple(title.split("->")))
    return nodes, edges


def river(kind=Value):
    x, y = kind(2.0, label="x"), kind(3.0, label="y")
    a = x + y
    a.label = "a"
    z = a * x
    z.label = "z"
    x.grad, y.grad, a.grad, z.grad = 7.0, 2.0, 2.0, 1.0
    return z
