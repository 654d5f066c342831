"""Images: a page keeps their place free, and loads them when the reader comes near.

The first image of a page is not waited for: it may be on the first screen.
"""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.images import get_image_size
from sphinx.writers.html5 import HTML5Translator


def visit_image(self: HTML5Translator, node: nodes.image) -> None:
    """Write the image as Sphinx does, with its size in pixels and when to load it."""
    size = [node.get(side, "").removesuffix("px") for side in ("width", "height")]
    if not all(side.isdigit() for side in size):
        size = get_image_size(str(Path(self.builder.srcdir, node["uri"])))
    HTML5Translator.visit_image(self, node)
    attributes = 'width="{}" height="{}" '.format(*size) if size else ""
    if node is not next(self.document.findall(nodes.image)):
        attributes += 'loading="lazy" '
    self.body[-1] = self.body[-1].replace("<img ", f"<img {attributes}", 1)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the visitor in place of Sphinx's."""
    app.add_node(nodes.image, override=True, html=(visit_image, HTML5Translator.depart_image))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
