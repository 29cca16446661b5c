"""A Graphviz picture in about a third of its bytes, for pages and notebooks: drawn as before, said once."""

from __future__ import annotations

import re

NAMES = re.compile(r'<title>.*?</title>|<g id="(?:node|edge)\d+" class="\w+">|</g>|\n| text-anchor="start"')
LOOK = re.compile(r'(?: (?:fill|stroke|stroke-width|stroke-dasharray|font-weight|font-size)="[^"]*")+')
ROUNDED = re.compile(r'<path( class="\w+") d="M([-\d.,]+)C((?:[-\d.,]+ ){23})\2"/>')


def slim(svg: str) -> str:
    """`svg`, as Graphviz writes it, without names for its parts; looks become classes, rounded boxes `rect`s.

    For an image: in a page of its own the classes would meet others.
    """
    svg = NAMES.sub("", svg).replace("</svg>", "</g></svg>")       # of the groups, the outermost moves the picture
    looks = {look: f"c{k}" for k, look in enumerate(dict.fromkeys(LOOK.findall(svg)))}
    for look in sorted(looks, key=len, reverse=True):               # a short look may be the start of a long one
        svg = svg.replace(look, f' class="{looks[look]}"')
    style = "".join(f".{name}{{{_rule(look)}}}" for look, name in looks.items())
    return ROUNDED.sub(_box, svg).replace("<g ", f"<style>{style}</style><g ", 1)


def _rule(look: str) -> str:
    return re.sub(r' ([\w-]+)="([^"]*)"', lambda m: f"{m[1]}:{m[2]}{'px' * (m[1] == 'font-size')};", look)


def _box(match: re.Match) -> str:
    """The path around a rounded box, eight curves that begin at the left end of its upper side, as one element."""
    xs, ys = zip(*(map(float, point.split(",")) for point in match[3].split()), strict=True)
    left, top = min(xs), min(ys)
    return (f'<rect{match[1]} x="{left}" y="{top}" width="{max(xs) - left:.2f}" height="{max(ys) - top:.2f}" '
            f'rx="{xs[1] - left:.2f}"/>')
