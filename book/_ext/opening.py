"""``{opening}``: what a page of a chapter answers, what it needs, and how long it takes.

The time for reading follows from the page itself, the time for the chapter's lab from its last run.
"""

import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from descent.press import pages, records

WORDS_PER_MINUTE = 200
MINUTES_PER_EQUATION = 0.5
FOLD = re.compile(r"(?ms)^(`{3,}|:{3,})\{dropdown\}.*?^\1$")
BLOCK = re.compile(r"(?ms)^(`{3,}|:{3,})(\{?[\w-]*\}?).*?^\1$")


class Opening(SphinxDirective):
    """A list of three: answers, needs, takes."""

    option_spec = {  # noqa: RUF012
        "answers": directives.unchanged_required,
        "needs": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Write the list in MyST, and parse it."""
        missing = [name for name in self.option_spec if not self.options.get(name)]
        if missing:
            raise self.error(f"opening needs the option {missing[0]}")
        page = Path(self.env.doc2path(self.env.docname))
        time = f"{reading_minutes(page.read_text(encoding='utf-8'))} minutes to read"
        chapter = pages.chapter_of(page.stem, Path(self.env.srcdir))
        if chapter:
            lab = page.with_name(f"{chapter}_lab.ipynb")
            time += f"; the {{doc}}`lab <{lab.stem}>`{runs_for(lab)}"
        lines = ["Answers"]
        answers = " ".join(self.options["answers"].split()).split(" · ")
        for mark, answer in zip(":" + " " * len(answers), answers, strict=False):
            lines.append(f"{mark} - {answer}")
        lines += ["", "Needs", f": {self.options['needs']}", "", "Takes", f": {time}."]
        box = nodes.container(classes=["chapter-opening"])
        self.set_source_info(box)
        self.state.nested_parse(StringList(lines, source=page.name), self.lineno, box)
        return [box]


def reading_minutes(page: str) -> int:
    """Estimate how long a page takes, to five minutes: its words, and its displayed equations.

    What is folded is not counted.
    """
    text = FOLD.sub("", page)
    equations = len(re.findall(r"(?m)^`{3,}\{math\}", text))
    words = len(BLOCK.sub("", text).split())
    minutes = words / WORDS_PER_MINUTE + equations * MINUTES_PER_EQUATION
    return max(5, 5 * round(minutes / 5))


def title(page: str) -> str:
    """Read a page's first heading."""
    return re.search(r"(?m)^# (.*)$", page)[1]


def runs_for(lab: Path) -> str:
    """Say how long a lab ran, if it did."""
    record = records.read(lab)
    if record is None:
        return " runs it all"
    minutes = round(record.seconds / 60)
    return " runs for " + (f"{minutes} minutes" if minutes > 1 else "a minute")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("opening", Opening)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
