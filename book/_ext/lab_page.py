"""What the page of a lab shows of its notebook: what there is to read and to change.

Cells that check are one line that counts what holds, and unfold; so does what draws a figure. A
figure that a page of the chapter shows is not shown again: its place takes a link, and its words.
Below the title stand the ways to run the notebook, which itself stays as it is.
"""

import ast
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

from descent.press import pages

DRAWING = 'class="drawing"'
HOLDS, NOT_JUDGED = "holds: ", "not judged"


class LabPage(SphinxPostTransform):
    """Fold what checks and draws, and link what the chapter shows."""

    default_priority = 6  # after MyST-NB has chosen among the forms of each output
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Go through the cells of a lab's page."""
        if not self.env.docname.endswith("_lab"):
            return
        cells = pages.read_notebook(Path(self.env.doc2path(self.env.docname)))["cells"]
        shown = shown_by_the_chapter(cells)
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") != "cell_code":
                continue
            index = cell["cell_index"]
            drawings = [raw for raw in cell.findall(nodes.raw) if DRAWING in raw.astext()]
            if fold := fold_of(cells[index], drawn=bool(drawings)):
                cell["hide_mode"], cell["prompt_show"] = fold
                cell["prompt_hide"] = cell["prompt_show"]
            if index in shown:
                for drawing in drawings:
                    drawing.replace_self(self.link(shown[index], cell["cell_metadata"]))

    def link(self, figure: str, metadata: dict[str, Any]) -> nodes.paragraph:
        """Link a figure of the chapter, and say what it shows."""
        number = addnodes.pending_xref(
            "",
            nodes.inline("", "Figure {number}"),
            refdomain="std",
            reftype="numref",
            reftarget=figure,
            refexplicit=True,
            refwarn=True,
            refdoc=self.env.docname,
        )
        words = nodes.inline("", f" of the chapter. {metadata['mystnb']['image']['alt']}")
        return nodes.paragraph("", "", number, words, classes=["in-the-chapter"])


def shown_by_the_chapter(cells: Sequence[dict[str, Any]]) -> dict[int, str]:
    """Say which cells of an executed lab draw a figure that the chapter shows.

    Args:
        cells: those of the notebook. A figure that ``lab.figure`` keeps for the chapter was drawn
            last before, or in the same cell.

    Returns:
        The names of the figures by the number of the cell, from 0.
    """
    shown, last = {}, None
    for index, cell in enumerate(cells):
        if any(map(is_drawing, cell.get("outputs", ()))):
            last = index
        kept = re.search(r'lab\.figure\(\s*"([^"]+)"', source_of(cell))
        if kept and last is not None:
            shown[last], last = kept[1], None
    return shown


def fold_of(cell: dict[str, Any], *, drawn: bool) -> tuple[str, str] | None:
    """Say what of a cell is folded, and what the line says that unfolds it.

    Args:
        cell: of an executed notebook.
        drawn: whether it shows a drawing.

    Returns:
        MyST-NB's word for the part, and the line; None if the notebook says it, or if nothing is.

    Example:
        >>> printed = {"output_type": "stream", "text": ["holds: one\\n", "holds: two\\n"]}
        >>> cell = {"metadata": {"tags": ["nbval-check-output"]}, "outputs": [printed]}
        >>> fold_of(cell, drawn=False)
        ('all', '2 results hold')
    """
    tags = cell["metadata"].get("tags", [])
    if "code_prompt_show" in cell["metadata"].get("mystnb", {}):
        return None
    if "nbval-check-output" in tags:
        return "all", counted(printed_by(cell))
    if "hide-input" not in tags:
        return None
    if drawn:
        return "input", "Code of this figure"
    said = sum(len(each.keys) for each in said_in(source_of(cell)))
    return "input", f"{said} sentences about this figure hold" if said else "What is read off it"


def counted(lines: Sequence[str]) -> str:
    """Count the lines of checks, by how they begin.

    Example:
        >>> counted(["holds: one", "not judged, this run is too small: two"])
        '1 result holds, 1 is not judged in so small a run'
    """
    holding = sum(line.startswith(HOLDS) for line in lines)
    said = f"{holding} result holds" if holding == 1 else f"{holding} results hold"
    if missing := sum(line.startswith(NOT_JUDGED) for line in lines):
        said += f", {missing} {'is' if missing == 1 else 'are'} not judged in so small a run"
    return said


def printed_by(cell: dict[str, Any]) -> list[str]:
    """List the lines that a cell printed."""
    streams = [each["text"] for each in cell["outputs"] if each["output_type"] == "stream"]
    return "".join("".join(each) for each in streams).splitlines()


def said_in(source: str) -> list[ast.Dict]:
    """Find what each ``lab.figure`` in a cell says of its figure."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    kept = [call for call in calls if ast.unparse(call.func) == "lab.figure"]
    return [each.value for call in kept for each in call.keywords if each.arg == "says"]


def source_of(cell: dict[str, Any]) -> str:
    """Join the lines of a cell."""
    return "".join(cell["source"])


def is_drawing(output: dict[str, Any]) -> bool:
    """Say whether an output shows a figure; what ``lab.figure`` keeps is no such output."""
    return DRAWING in "".join(output.get("data", {}).get("text/html", ""))


def ways_to_run(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Put the theme's buttons of a lab where they are seen, as words below the title."""
    if not page.endswith("_lab") or "header_buttons" not in context:
        return
    groups = {each.get("label"): each.get("buttons", ()) for each in context["header_buttons"]}
    links = [
        f'<a href="{escape(each["url"])}">{each["text"]}</a>'
        for each in groups.get("launch-buttons", ())
    ]
    links += [
        f'<a href="{escape(each["url"])}" download>download the notebook</a>'
        for each in groups.get("download-buttons", ())
        if each["label"] == "download-source-button"
    ]
    line = f'<p class="ways-to-run">Run it: {" · ".join(links)}</p>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}", 1)


def visit_fold(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """Write a fold whose line says what is in it, opened or not."""
    classes = " ".join(["hide", *node["classes"]])
    line = escape(node["prompt_show"])
    self.body.append(f'<details class="{classes}"><summary>{line}</summary>\n')


def depart_fold(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """Close it."""
    self.body.append("</details>\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what changes the pages of labs."""
    app.setup_extension("myst_nb")
    app.add_node(HideCodeCellNode, override=True, html=(visit_fold, depart_fold))
    app.add_post_transform(LabPage)
    app.connect("html-page-context", ways_to_run, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
