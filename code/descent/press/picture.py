"""A figure as HTML: SVG whose text is text and whose colours the page may set.

The colours are variables of CSS, each with the book's mid-tone for a page that does not set it, so
that one drawing serves a light page, a dark one, and paper.
"""

import re
from collections.abc import Iterable
from functools import cache
from xml.etree import ElementTree
from zlib import crc32

from descent import plotting
from descent._signatures import checked

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
PIXELS = 1.25
"""Of a page, for each typographic point of a figure: 10 points are 12.5 pixels."""

ON_ROOT = {
    # Verdana's letters are as wide as DejaVu's, for which the places of the text were computed.
    "font-family": "'DejaVu Sans', Verdana, sans-serif",
    "stroke-linejoin": "round",
}


@checked
def html(figure: plotting.Figure) -> str:
    """Draw a figure for a wide page and for a phone.

    Args:
        figure: a matplotlib figure.

    Returns:
        A ``div`` of class ``drawing`` with two ``svg``; a page that says nothing shows the first.

    Example:
        >>> figure, _ = plotting.figure()
        >>> html(figure)[:44]
        '<div class="drawing"><svg width="576" height'
    """
    wide, narrow = tidied(plotting.svg(figure)), tidied(plotting.svg(figure, narrow=True))
    return f'<div class="drawing">{wide}{narrow.replace("<svg", HIDDEN, 1)}</div>'


HIDDEN = '<svg style="display: none"'


@cache
def variables() -> dict[str, str]:
    """Say what stands for each of the book's colours in a drawing: a variable, or a mixture of two.

    Example:
        >>> variables()["#3478c9"]
        'var(--descent-0, #3478c9)'
    """
    named = {
        color: f"var(--descent-{number}, {color})" for number, color in enumerate(plotting.PALETTE)
    }
    mixed = {
        color: f"color-mix(in srgb, {named[after]} {100 * part:.0f}%, {named[before]})"
        for color, (before, after, part) in plotting.mixtures().items()
    }
    greys = {
        plotting.INK: "var(--descent-ink, currentColor)",
        plotting.GREY: f"var(--descent-grey, {plotting.GREY})",
    }
    return mixed | named | greys


@checked
def tidied(svg: str) -> str:
    """Rewrite what matplotlib draws: colours by name, short numbers, no identifiers but those used.

    The identifiers are made from the drawing, so that no two drawings of a page share one.

    Args:
        svg: a document of SVG whose text is text.

    Returns:
        One ``svg`` element.
    """
    root = ElementTree.fromstring(svg)
    used = re.findall(r'(?:href="|url\()#([^")]+)', svg)
    own = crc32(svg.encode())
    ids = {name: f"d{own:08x}-{number}" for number, name in enumerate(dict.fromkeys(used))}
    _prune(root)
    for element in root.iter():
        _rewrite(element, ids)
    width, height = (float(each) for each in root.get("viewBox").split()[2:])
    root.attrib = {
        "width": f"{width * PIXELS:.0f}",
        "height": f"{height * PIXELS:.0f}",
        "viewBox": root.get("viewBox"),
        "aria-hidden": "true",
        **ON_ROOT,
    }
    return ElementTree.tostring(root, encoding="unicode")


def _prune(parent: ElementTree.Element) -> None:
    """Drop descriptions, grounds that are not painted, and groups that say nothing."""
    for child in list(parent):
        _prune(child)
        child.tail = None
        if child.tag not in {f"{SVG}text", f"{SVG}tspan"}:
            child.text = None
        place = list(parent).index(child)
        if child.tag in {f"{SVG}metadata", f"{SVG}style"} or child.get("style") == "fill: none":
            parent.remove(child)
        elif child.tag == f"{SVG}text" and len(child):
            child.text = None
            child[:] = _runs(child)
        elif child.tag in {f"{SVG}g", f"{SVG}defs"} and not set(child.attrib) - {"id"}:
            # Definitions may stand anywhere; a group without attributes groups nothing.
            parent[place : place + 1] = (
                list(child) if child.tag == f"{SVG}g" or not len(child) else [child]
            )


def _runs(spans: Iterable[ElementTree.Element]) -> list[ElementTree.Element]:
    """Join letters of mathematics that stand on one line in one style, each at its place."""
    joined = []
    for span in spans:
        span.tail = None
        if joined and all(joined[-1].get(each) == span.get(each) for each in ("y", "style")):
            joined[-1].text += span.text
            joined[-1].set("x", f"{joined[-1].get('x')} {span.get('x')}")
        else:
            joined.append(span)
    return joined


def _rewrite(element: ElementTree.Element, ids: dict[str, str]) -> None:
    element.tag = element.tag.removeprefix(SVG)
    old, element.attrib = element.attrib, {}
    for name, value in old.items():
        if name == "id":
            if value in ids:
                element.set("id", ids[value])
        elif name == LINK:
            element.set("href", value if value.startswith("data:") else f"#{ids[value[1:]]}")
        elif name == "clip-path":
            element.set(name, f"url(#{ids[value[5:-1]]})")
        elif name == "style":
            element.set(name, _styled(value))
        elif rounded := _rounded(re.sub(r"rotate\(-?0( [^)]*)?\)", "", value)):
            element.set(name, rounded)


def _styled(style: str) -> str:
    """Write a style without what the whole drawing shares, and with its colours by name."""
    pairs = (pair.split(": ", 1) for pair in style.split("; "))
    kept = {
        name: value for name, value in pairs if name not in {"font-family", "stroke-dashoffset"}
    }
    joined = ";".join(f"{name}:{_rounded(value)}" for name, value in kept.items())
    return re.sub("#[0-9a-f]{6}", lambda found: variables().get(found[0], found[0]), joined)


def _rounded(numbers: str) -> str:
    """Round to a hundredth of a point, and break no line."""
    short = re.sub(
        r"-?\d+\.\d+", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), numbers
    )
    return " ".join(short.replace("-0 ", "0 ").split())
