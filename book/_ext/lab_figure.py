"""``{lab-figure} key``: a figure that the chapter's lab drew and glued, with alt text and caption.

The lab of ``book/momentum``, and of what ``_toc.yml`` nests under it, is ``book/momentum_lab``.
What MyST-NB glues across pages has neither caption nor alternative text, hence this directive. A
figure is SVG in the page, there and in the lab, so that its colours follow the theme.
"""

from html import escape
from pathlib import Path, PurePosixPath

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.ext.glue.crossref import read_glue_cache
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from descent.press import pages

logger = logging.getLogger(__name__)


class LabImage(nodes.General, nodes.Element):
    """Stands where the image goes until the lab has been read."""


class LabFigure(SphinxDirective):
    """A numbered figure around the image."""

    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged_required, "name": directives.unchanged}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Build the figure from the caption, and leave room for the image."""
        self.assert_has_content()
        if not self.options.get("alt"):
            raise self.error("lab-figure needs the option alt: what a reader who cannot see gets")
        image = LabImage(key=self.arguments[0], lab=self.lab())
        image["alt"] = " ".join(self.options["alt"].split())
        self.set_source_info(image)
        caption = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, caption)
        figure = nodes.figure(
            "", image, nodes.caption("", "", *caption[0].children), align="center"
        )
        self.set_source_info(figure)
        self.options.setdefault("name", self.arguments[0])
        self.add_name(figure)
        return [figure]

    def lab(self) -> str:
        """Name the lab of the page's chapter."""
        page = PurePosixPath(self.env.docname)
        chapter = pages.chapter_of(page.name, Path(self.env.srcdir))
        if chapter is None:
            raise self.error(f"lab-figure is for the pages of a chapter with a lab, not {page}")
        return str(page.with_name(f"{chapter}_lab"))


class FillLabFigures(SphinxPostTransform):
    """Take each image from what its lab glued, and describe it; likewise those of a lab."""

    default_priority = 5  # after MyST-NB has chosen among the forms of each output

    def run(self, **kwargs: object) -> None:
        """Replace the placeholders of a chapter, and describe what a lab's cells show."""
        for place in list(self.document.findall(LabImage)):
            glued = read_glue_cache(self.env.mystnb_config.output_folder, place["lab"])
            drawing = glued.get(place["key"], {}).get("data", {}).get("text/html")
            if drawing is None:
                logger.warning("%s glues no figure %r", place["lab"], place["key"], location=place)
                place.parent.remove(place)
                continue
            place.replace_self(described(drawing, place["alt"]))
        for cell in self.document.findall(nodes.container):
            alt = cell.get("cell_metadata", {}).get("mystnb", {}).get("image", {}).get("alt")
            for output in list(cell.findall(nodes.raw)) if alt else []:
                output.replace_self(described(output.astext(), alt))


def described(drawing: str, alt: str) -> nodes.raw:
    """Make one image of a drawing, for whoever cannot see it."""
    opening = '<div class="drawing"'
    label = f'{opening} role="img" aria-label="{escape(alt)}"'
    return nodes.raw("", drawing.replace(opening, label, 1), format="html")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_node(LabImage)
    app.add_directive("lab-figure", LabFigure)
    app.add_post_transform(FillLabFigures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
