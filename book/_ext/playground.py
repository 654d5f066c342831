"""``{playground} ravine``: a figure that answers back, with what stands for it on paper.

The options are the arguments of the function in :mod:`descent.playground`, written as in Python.
In print and where there is no JavaScript a static figure stands for it: what the directive holds,
or the lab's figure above it.
"""

from ast import literal_eval
from inspect import signature
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from descent.playground import FIGURES, write_scripts

FOLDER = "_static/playground"
PROOFS = {
    "ravine": "book/gradient_descent",
    "momentum": "book/momentum",
    "noise_floor": "book/sgd",
    "microscope": "book/adam",
    "turned_bowl": "book/rmsprop_limits",
    "schedule": "book/lr_decay",
}


class PlaygroundDirective(SphinxDirective):
    """The element for the figure, its script, and the static figure."""

    required_arguments = 1
    has_content = True
    option_spec = {  # noqa: RUF012
        name: literal_eval for figure in FIGURES.values() for name in signature(figure).parameters
    }

    def run(self) -> list[nodes.Node]:
        """Build the figure with the arguments given, and nest what stands for it."""
        name = self.arguments[0]
        if name not in FIGURES:
            raise self.error(f"playground must be one of {', '.join(FIGURES)}, got {name!r}")
        try:
            figure = FIGURES[name](**self.options)
        except (TypeError, ValueError) as error:
            raise self.error(f"playground {name}: {error}") from None
        still = nodes.container(classes=["playground-still"])
        self.state.nested_parse(self.content, self.content_offset, still)
        uri = self.env.app.builder.get_relative_uri(self.env.docname, PROOFS[name])
        up = "../" * self.env.docname.count("/")
        host = figure.host("page", proof=uri)
        scripts = "".join(
            f'<script defer src="{up}{FOLDER}/{each}.js"></script>' for each in ("shared", name)
        )
        return [nodes.raw("", scripts + host, format="html"), *([still] if self.content else [])]


def put_scripts(app: Sphinx) -> None:
    """Put the scripts beside the pages; in ``_static`` itself every page would load them.

    It is done before anything is read, since autodoc puts texts in the place of defaults.
    """
    if app.builder.format == "html":
        write_scripts(Path(app.outdir, FOLDER))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive, and the scripts to be written."""
    app.add_directive("playground", PlaygroundDirective)
    app.connect("builder-inited", put_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
