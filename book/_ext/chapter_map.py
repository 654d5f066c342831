"""``{chapter-map}``: a card for each chapter: a sketch, what it is about, how long it takes."""

from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import sketches
from descent.press.pages import chapters_in_toc
from opening import reading_minutes, title


class ChapterMap(SphinxDirective):
    """Lines ``adam: Both averages, their bias, and when they mislead.``, one for each chapter."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Write the cards in MyST, and parse them."""
        folder = Path(self.env.doc2path(self.env.docname)).parent
        about = dict(line.split(": ", 1) for line in self.content if line.strip())
        chapters = chapters_in_toc(Path(self.env.srcdir))
        for name in sorted(chapters.keys() ^ about.keys()):
            raise self.error(f"{name!r} must stand in the table of contents and here")
        lines = ["::::::{grid} 1 2 2 3", ":gutter: 3", ":class-container: map", ""]
        for chapter, pages in chapters.items():
            files = [folder / f"{page}.md" for page in pages]
            for file in files:
                self.env.note_dependency(str(file))
            texts = [file.read_text(encoding="utf-8") for file in files]
            names = list(map(title, texts))
            minutes = sum(map(reading_minutes, texts))
            words = ["Derivation", *names[1:], "Lab"]
            targets = [*pages, f"{chapter}_lab"]
            links = [f"{{doc}}`{word} <{to}>`" for word, to in zip(words, targets, strict=True)]
            lines += [
                f":::::{{grid-item-card}} {names[0]}", ":class-card: written",
                "```{raw} html", sketches.svg(chapter), "```",
                about[chapter],
                "::::{card-footer}",
                " · ".join([f"{minutes} minutes", *links]),
                "::::", ":::::", "",
            ]  # fmt: skip
        box = nodes.container()
        self.set_source_info(box)
        self.state.nested_parse(StringList([*lines, "::::::"]), self.lineno, box)
        return [box]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("chapter-map", ChapterMap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
