"""Formulas: turned into MathML when the book is built, with a font that has what they use.

Browsers set MathML themselves and screen readers read it, without a script. Each formula carries
its TeX, for whoever copies it. What TeX the converter does not know is a warning of the build.
"""

import re
from functools import cache
from html import unescape
from importlib.resources import files
from pathlib import Path
from unicodedata import decomposition

from docutils import nodes
from fontTools.ttLib import TTFont
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

import fonts

logger = logging.getLogger(__name__)

STYLES = "formulas.css"
FONT = Path(str(files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf"))
"""STIX Two Math, which comes with ziamath, under the SIL Open Font License."""
RADICAL = "√"
ITALIC = {
    chr(int(decomposition(letter).split()[1], 16)): letter
    for letter in map(chr, [0x210E, *range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C)])
    if decomposition(letter)
}
"""The slanted form of each letter that a browser slants where it is a variable."""

converter = LatexToMathML(annotation=True, fancy_error=False)


@cache
def mathml(tex: str, display: bool) -> str:
    r"""Convert a formula.

    Args:
        tex: the formula, without dollars.
        display: whether it stands on a line of its own.

    Raises:
        LatexError: the formula is wrong, or has a command that is not known.

    Example:
        >>> mathml(r"\eta", False).partition("<annotation")[0]
        '<math><semantics><mi>η</mi>'
    """
    return converter.convert_with_local_state(tex.strip(), displaystyle=display)


def convert(node: nodes.math | nodes.math_block, display: bool) -> str:
    """Convert a formula of a page, or say where it is and what is wrong with it."""
    try:
        return mathml(node.astext(), display)
    except LatexError as error:
        logger.warning("cannot set %r: %s", node.astext(), error, location=node)
        return ""


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    self.body.append(
        f'<span class="formula notranslate nohighlight">{convert(node, display=False)}</span>'
    )
    raise nodes.SkipNode


def visit_display(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, and its number after it."""
    self.body.append(self.starttag(node, "div", CLASS="display notranslate nohighlight"))
    self.body.append(f'<div class="formula">{convert(node, display=True)}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


class KeepTogether(SphinxPostTransform):
    """Let no line break come between a formula and what touches it: a comma, a bracket."""

    default_priority = 900  # when nothing else changes the text any more
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Wrap each formula of the page that something touches."""
        for formula in list(self.document.findall(nodes.math)):
            parent = formula.parent
            at = parent.index(formula)
            before = neighbour(parent, at - 1)
            after = neighbour(parent, at + 1)
            head = re.search(r"\S*$", before).group()
            tail = re.match(r"\S*", after).group()
            if head or tail:
                first, last = at - bool(before), at + bool(after)
                parts = [before.removesuffix(head), [head, formula, tail], after.removeprefix(tail)]
                together = nodes.inline("", "", *texts(parts.pop(1)), classes=["together"])
                parts.insert(1, together)
                parent[first : last + 1] = texts(parts)


def neighbour(parent: nodes.Element, at: int) -> str:
    """Give the text beside a formula, if it is text that stands there."""
    node = parent[at] if 0 <= at < len(parent) else None
    return node.astext() if isinstance(node, nodes.Text) else ""


def texts(parts: list[str | nodes.Node]) -> list[nodes.Node]:
    """Make nodes of strings, and leave out the empty ones."""
    return [nodes.Text(part) if isinstance(part, str) else part for part in parts if part != ""]


def add_styles(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Load the font on a page that has a formula."""
    if "<math" in context.get("body", ""):
        app.add_css_file(STYLES)


def characters_of(page: str) -> set[str]:
    """Collect what a page's formulas are set with.

    Example:
        >>> sorted(characters_of("<p>a</p><math><mi>b</mi><annotation>c</annotation></math>"))
        ['b', '𝑏']
    """
    shown = [
        unescape(re.sub(r"(?s)<annotation.*?</annotation>|<[^>]*>", "", formula))
        for formula in re.findall(r"(?s)<math.*?</math>", page)
    ]
    found = {character for text in shown for character in text if not character.isspace()}
    return found | {ITALIC[letter] for letter in found & ITALIC.keys()}


def write_styles(app: Sphinx, error: Exception | None) -> None:
    """Write the font with what all pages need, once all are there."""
    if error or app.builder.format != "html":
        return
    pages = Path(app.outdir).rglob("*.html")
    used = {RADICAL}.union(*(characters_of(page.read_text("utf-8")) for page in pages))
    font = fonts.cut(FONT, used)
    for character in sorted(used - set(map(chr, font.getBestCmap())) - {"\u2061", "\ufe00"}):
        logger.warning("the font of formulas has no %r", character)
    narrow_radicals(font)
    file = Path(app.outdir, "_static", STYLES)
    file.write_text(fonts.face("Formulas", font, "font-display: optional; "), "utf-8")


def narrow_radicals(font: TTFont) -> None:
    """Make all sizes of the root's sign as wide as the smallest.

    A browser leaves as much room for any root's sign as the widest takes: that is the preferred
    size of MathML Core. The rest would be a gap after the root.
    """
    name = font.getBestCmap()[ord(RADICAL)]
    variants = font["MATH"].table.MathVariants
    tall = variants.VertGlyphConstruction[variants.VertGlyphCoverage.glyphs.index(name)]
    parts = {record.VariantGlyph for record in tall.MathGlyphVariantRecord}
    parts |= {record.glyph for record in tall.GlyphAssembly.PartRecords}
    width, _ = font["hmtx"][name]
    for part in parts:
        advance, bearing = font["hmtx"][part]
        font["glyf"][part].coordinates.scale((width / advance, 1))
        font["glyf"][part].recalcBounds(font["glyf"])
        font["hmtx"][part] = width, round(bearing * width / advance)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    app.add_post_transform(KeepTogether)
    app.connect("html-page-context", add_styles)
    app.connect("build-finished", write_styles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
