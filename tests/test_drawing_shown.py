"""How a drawing is shown: the page's HTML, shapes and colours, without a layout program, as a file, as a figure."""

from __future__ import annotations

import base64
import html
import os
import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest

from tests.small_graphs import SVG, graph_of, river
from utils import visualization
from utils.build.figures import AHEAD, BACK, FOLDER, figures
from utils.curriculum import ROOT
from utils.slim import slim
from utils.visualization import draw, find_program


def test_a_drawing_keeps_what_it_saw():
    z = river()
    drawing = draw(z)
    before = repr(drawing)
    z.data, z.grad, z._prev = 0.0, 0.0, ()
    assert repr(drawing) == before != repr(draw(z))


def test_html_shows_without_trust_and_says_what_it_shows():
    root = river()
    root.label = 'z"><script>'
    drawing = draw(root)
    graph_of(drawing)
    page = ET.fromstring(drawing._repr_html_().replace("></div>", "/></div>"))
    image = page.find("img")
    kind, data = image.get("src").split(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == slim(drawing.svg)
    assert image.get("alt") == drawing.alt
    assert "x data 2.0 grad 7.0" in drawing.alt
    assert "<script" not in drawing._repr_html_() + drawing.svg
    assert not re.search(r"0x[0-9a-f]{6,}", repr(drawing) + drawing.dot)


def looks_of(svg: str) -> list[tuple]:
    """Every drawn element in order: kind, text, where its box lies, fill, stroke, size."""
    root, found = ET.fromstring(svg), []
    rules = dict(re.findall(r"\.(c\d+)\{([^}]*)\}", root.findtext(f"{SVG}style") or ""))
    for element in root.iter():
        at = dict(element.attrib)
        at |= dict(rule.split(":") for rule in rules.get(at.get("class"), "").split(";") if rule)
        numbers = [float(x) for x in re.findall(r"-?\d+\.?\d*", at.get("d") or at.get("points") or "")]
        if element.tag == f"{SVG}rect":
            x, y, w, h = (float(at[key]) for key in ("x", "y", "width", "height"))
            numbers = [x, y, x + w, y + h]
        if numbers or element.tag == f"{SVG}text":
            box = [round(f(axis), 1) for f in (min, max) for axis in (numbers[::2], numbers[1::2]) if numbers]
            found.append((element.text, at.get("x") if not numbers else box, at.get("fill"), at.get("stroke"),
                          at.get("stroke-width"), float(at.get("font-size", "0").removesuffix("px"))))
    return found


@pytest.mark.parametrize("locals", [False, True])
def test_a_slim_picture_is_the_same_picture_in_less_than_half_the_bytes(locals):
    drawing = draw(river() * river(), locals=locals)
    graph_of(drawing)
    small = slim(drawing.svg)
    assert looks_of(small) == looks_of(drawing.svg) and len(looks_of(small)) > 40
    assert "<rect" in small and "<title" not in small
    assert len(small.partition("<style")[2]) < 0.5 * len(drawing.svg)


def test_leaves_and_root_differ_in_shape_not_in_colour_alone():
    drawing = draw(river())
    graph_of(drawing)
    shapes = {}
    for group in ET.fromstring(drawing.svg).iter(f"{SVG}g"):
        if group.get("class") == "node":
            outline = next(e for e in group if e.tag in (f"{SVG}polygon", f"{SVG}path"))
            shapes[group.findtext(f"{SVG}title")] = (outline.tag.removeprefix(SVG), outline.get("stroke-width"))
    assert shapes["v0"][0] == shapes["v1"][0] == "polygon"      # square corners
    assert shapes["v2"][0] == shapes["v3"][0] == "path"         # rounded ones
    assert float(shapes["v3"][1]) >= 2 * float(shapes["v2"][1])


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_every_text_reaches_aa_contrast():
    v = visualization
    pairs = [(ink, paper) for ink in (v.INK, v.GREY, v.VERMILION) for paper in (v.LEAF_FILL, v.INNER_FILL)]
    for one, other in [*pairs, (v.GREEN, v.PILL_FILL), ("#FFFFFF", v.BLUE), (BACK["colour"], BACK["fill"]),
                       (AHEAD["colour"], AHEAD["fill"])]:
        dark, light = sorted((luminance(one), luminance(other)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (one, other)


@pytest.mark.parametrize("program", [None, "no-such-program"])
def test_without_a_program_the_text_stands_in(program, monkeypatch, tmp_path):
    monkeypatch.setattr(visualization, "find_program", lambda pure=False: program)
    drawing = draw(river())
    assert html.escape(repr(drawing)) in drawing._repr_html_()
    assert "conda install graphviz" in drawing._repr_html_()
    with pytest.raises(OSError, match="install Graphviz"):
        drawing.save(tmp_path / "z.svg")


def test_a_system_dot_is_used_for_drawings_and_never_for_figures(monkeypatch):
    made = figures()
    own = find_program(pure=True)
    monkeypatch.setattr(visualization.shutil, "which", lambda name, path=None: f"/some/{name}")
    assert (find_program(), find_program(pure=True)) == ("/some/dot", "/some/graphviz-pure")
    monkeypatch.setattr(visualization, "find_program", lambda pure=False: own if pure else "/some/dot")
    assert figures() == made


def test_save_writes_the_picture(tmp_path):
    drawing = draw(river())
    graph_of(drawing)
    assert drawing.save(tmp_path / "z.svg").read_text(encoding="utf-8") == drawing.svg
    with pytest.raises(ValueError, match=r"try 'z\.svg'"):
        drawing.save(tmp_path / "z.png")


def test_figures_are_committed_as_generated_and_hold_the_right_numbers():
    made = figures()
    if not made:
        assert not os.environ.get("UPSTREAM_CI"), "graphviz-pure is missing"
        pytest.skip("not run: no graphviz-pure")
    assert {path: (ROOT / path).read_bytes() for path in made} == made == figures()

    def cards(name):
        picture = SimpleNamespace(svg=made[f"{FOLDER}/{name}.svg"].decode())
        return {texts[0]: texts[2::2] for node, texts in graph_of(picture)[0].items() if node.startswith("v")}

    # By hand: z = (x + y) x, so dz/dx = 2x + y = 7 and dz/dy = x = 2; then x + 3, times 2; then c = 4a.
    assert cards("river") == {"x": ["2.0", "7.0"], "y": ["3.0", "2.0"], "a": ["5.0", "2.0"], "z": ["10.0", "1.0"]}
    assert cards("chain") == {"x": ["1.0", "2.0"], "u": ["4.0", "2.0"], "v": ["8.0", "1.0"], "loss": ["8.0", "1.0"]}
    assert cards("diamond") == {"a": ["3.0", "4.0"], "b": ["6.0", "2.0"], "c": ["12.0", "1.0"]}
    assert f"{2**26:,} paths" in made[f"{FOLDER}/two-paths.svg"].decode()
