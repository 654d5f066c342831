"""``{equation-index}``: every numbered equation with the tests that carry its label.

A numbered equation without a test, and a test of an equation that is not there, are warnings of the
build.
"""

from collections import defaultdict

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import marks
from descent.press.pages import ROOT

logger = logging.getLogger(__name__)


class EquationIndexPlace(nodes.General, nodes.Element):
    """Stands where the equation index goes until every equation has its number."""


class EquationIndex(SphinxDirective):
    """Leave room for the index."""

    def run(self) -> list[nodes.Node]:
        """Return the placeholder."""
        return [EquationIndexPlace()]


class FillEquationIndex(SphinxPostTransform):
    """Put the index where the placeholder is."""

    default_priority = 8  # before references and mathematics are resolved

    def run(self, **kwargs: object) -> None:
        """Replace each placeholder of the page."""
        for placeholder in list(self.document.findall(EquationIndexPlace)):
            placeholder.replace_self(self.index())

    def index(self) -> list[nodes.Node]:
        """Build the entries, page by page in reading order."""
        tests = defaultdict(list)
        for label, test in marks.equations(ROOT):
            tests[label].append(test)
        if not tests:
            logger.warning("no test in %s carries the mark 'equation'", marks.FOLDER)

        found, index = set(), []
        for docname in self.env.collect_relations():
            equations = [
                equation
                for equation in self.env.get_doctree(docname).findall(nodes.math_block)
                if equation.get("label")
            ]
            if equations:
                index.append(self.page(docname))
            for equation in equations:
                label = equation["label"]
                found.add(label)
                if label not in tests:
                    logger.warning("no test has the mark equation(%r)", label, location=equation)
                index.append(self.entry(docname, equation, tests[label]))
        for label in [label for label in tests if label not in found]:
            for test in tests[label]:
                logger.warning(
                    "there is no equation labelled %r in the book",
                    label,
                    location=f"{test.file}:{test.line}",
                )
        return index

    def page(self, docname: str) -> nodes.Node:
        """Head the entries of a page with a link to it."""
        title = self.env.titles[docname].astext()
        uri = self.app.builder.get_relative_uri(self.env.docname, docname)
        link = nodes.reference("", title, refuri=uri, internal=True)
        return nodes.rubric("", "", link, classes=["evidence-page"])

    def entry(self, docname: str, equation: nodes.math_block, tests: list) -> nodes.Node:
        """Show one equation: its number, its label, itself, its tests."""
        label = equation["label"]
        number = self.env.get_domain("math").resolve_xref(
            self.env, self.env.docname, self.app.builder, "eq", label, nodes.Element(),
            nodes.Text(""),
        )  # fmt: skip
        formula = nodes.math_block(
            "", equation.astext(), nowrap=equation["nowrap"], number=None, label=None
        )
        head = nodes.paragraph("", "", number, nodes.Text(" "), nodes.literal(label, label))
        linked = [nodes.list_item("", nodes.paragraph("", "", link_to(self.env, t))) for t in tests]
        return nodes.container(
            "", head, formula, nodes.bullet_list("", *linked), classes=["evidence"]
        )


def url(env: BuildEnvironment, test: marks.Test) -> str:
    """Return the address of a test's source in the book's repository."""
    theme = env.config.html_theme_options
    return f"{theme['repository_url']}/blob/{theme['repository_branch']}/{test.file}#L{test.line}"


def link_to(env: BuildEnvironment, test: marks.Test, text: str = "") -> nodes.Node:
    """Link a text, by default the test's name, to the source of a test."""
    name = nodes.Text(text) if text else nodes.literal(test.name, test.name)
    return nodes.reference("", "", name, refuri=url(env, test), internal=False)


def read_again(app: Sphinx, env: BuildEnvironment, *changes: object) -> list[str]:
    """Name the page made from the tests, which may have changed without it."""
    return [docname for docname in ("book/equations",) if docname in env.found_docs]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_node(EquationIndexPlace)
    app.add_directive("equation-index", EquationIndex)
    app.add_post_transform(FillEquationIndex)
    app.connect("env-get-outdated", read_again)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
