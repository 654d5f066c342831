"""``{claims}``: what papers say, chapter by chapter, beside what the book measured.

The claims of tests stand in their marks, and what was measured in ``claims.json``, which
``make build/claims.json`` writes; the claims of a lab are in the executed lab.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import evidence
import marks
from descent.press import claims, pages
from descent.press.claims import Claim, Measurement
from opening import title

logger = logging.getLogger(__name__)

COLUMNS = {"What the paper says": 52, "Measured": 16, "Expected": 16, "Verdict": 16}
SHOWN = 3
"""How many measurements of one claim the table shows."""


class LabCell(nodes.Inline, nodes.TextElement):
    """Stands where the link to the cell of a lab goes until the lab has been read."""


class Claims(SphinxDirective):
    """One table for each chapter, and before them what had to be corrected."""

    def run(self) -> list[nodes.Node]:
        """Build the tables; their texts are MyST, so that claims may hold mathematics."""
        self.tests = marks.claims(pages.ROOT)
        self.measured = claims.load(Path(self.env.srcdir, "claims.json"))
        chapters = {name: list(self.of_chapter(name)) for name in pages.chapters_in_toc(pages.ROOT)}
        rows = [row for found in chapters.values() for row in found]
        if not rows:
            logger.warning("no test in %s carries the mark 'claim'", marks.FOLDER)
            return []
        corrected = [claim for claim, *_ in rows if claim.verdict == "corrected here"]
        lines = [f"{len(rows)} claims, of which {len(corrected)} had to be corrected:", ""]
        lines += [f"- {claim.but} {{cite:p}}`{claim.cite}`" for claim in corrected]
        built = self.parsed(lines)
        return built + [self.chapter(name, found) for name, found in chapters.items() if found]

    def chapter(self, name: str, rows: list) -> nodes.Node:
        """Build the section of a chapter."""
        page = Path(self.env.srcdir, "book", f"{name}.md").read_text(encoding="utf-8")
        return nodes.section(
            "", nodes.title("", title(page)), self.table(rows), ids=[f"claims-{name}"], names=[name]
        )

    def of_chapter(self, name: str) -> Iterator[tuple[Claim, list[Measurement], nodes.Node]]:
        """Give the claims of a chapter: those of its lab first, in its order."""
        lab = Path(self.env.srcdir, "book", f"{name}_lab.ipynb")
        if lab.is_file():
            for claim, measurement in claims.of_lab(lab):
                yield claim, [measurement], LabCell(lab=f"book/{name}_lab", says=claim.says)
        for claim, test in self.tests:
            if Path(test.file).parts[2] == name:
                found = self.measured.get(f"{test.file}::{test.name}", [])
                yield claim, found, evidence.link_to(self.env, test, "test")

    def table(self, rows: list) -> nodes.Node:
        """Build the table of a chapter."""
        group = nodes.tgroup(cols=len(COLUMNS))
        group += [nodes.colspec(colwidth=width) for width in COLUMNS.values()]
        head = nodes.row("", *[nodes.entry("", nodes.paragraph("", name)) for name in COLUMNS])
        body = [self.row(*row) for row in rows]
        group += [nodes.thead("", head), nodes.tbody("", *body)]
        return nodes.table("", group, classes=["claims"])

    def row(self, claim: Claim, found: list[Measurement], link: nodes.Node) -> nodes.Node:
        """Build one row."""
        where = f", {claim.where}" if claim.where else ""
        text = claim.says.rstrip()
        text += "" if text.endswith((".", "$", "?")) else "."
        says = [f"{text} {{cite:t}}`{claim.cite}`{where}"]
        says += ["", f"*Corrected:* {claim.but}"] if claim.but else []
        says += ["", f"```{{div}} conditions\n{claim.conditions}\n```"] if claim.conditions else []
        shown = found[:SHOWN]
        more = len(found) - len(shown)
        measured = [each.measured for each in shown] + ([f"and {more} more"] if more else [])
        expected = [f"{each.expected} {each.tolerance}".strip() for each in shown]
        texts = {
            "What the paper says": self.parsed("\n".join(says).splitlines()),
            "Measured": [nodes.paragraph("", text) for text in measured],
            "Expected": [nodes.paragraph("", text) for text in expected],
            "Verdict": [nodes.paragraph("", f"{claim.verdict} · ", link)],
        }
        return nodes.row("", *[nodes.entry("", *texts[name]) for name in COLUMNS])

    def parsed(self, lines: list[str]) -> list[nodes.Node]:
        """Parse MyST."""
        box = nodes.container()
        self.state.nested_parse(StringList(lines, source="claims"), 0, box)
        return box.children


class LinkLabCells(SphinxPostTransform):
    """Lead from each claim of a lab to the section that measures it."""

    default_priority = 5

    def run(self, **kwargs: object) -> None:
        """Replace the placeholders of the page."""
        read = cache(self.env.get_doctree)
        for place in list(self.document.findall(LabCell)):
            uri = self.app.builder.get_relative_uri(self.env.docname, place["lab"])
            anchor = section_of(read(place["lab"]), place["says"])
            if anchor is None:
                logger.warning("%s has no cell that says %r", place["lab"], place["says"])
            link = nodes.reference("", "lab", refuri=f"{uri}#{anchor}", internal=True)
            place.replace_self(link)


def section_of(lab: nodes.document, says: str) -> str | None:
    """Name the section of a lab in which a cell claims this."""
    for cell in lab.findall(nodes.literal_block):
        if "lab.claim(" in cell.astext() and says in strings_of(cell.astext()):
            while not isinstance(cell, nodes.section):
                cell = cell.parent
            return cell["ids"][0]
    return None


def strings_of(source: str) -> set[object]:
    """Collect the literal strings of a program."""
    return {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}


def read_again(app: Sphinx, env: BuildEnvironment, *changes: object) -> list[str]:
    """Name the page made from tests and labs, which may have changed without it."""
    return [docname for docname in ("book/claims",) if docname in env.found_docs]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_node(LabCell)
    app.add_directive("claims", Claims)
    app.add_post_transform(LinkLabCells)
    app.connect("env-get-outdated", read_again)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
