"""``{cheat-sheet}`` and ``{on-monday}``: what the package and the chapters say, in one place.

The rules come from the package's own docstrings and signatures, the advice from the chapters.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import torch
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from descent import schedules
from descent.optim import OPTIMIZERS, describe
from opening import title

HEADING = "## On Monday"
EQUATION = re.compile(r"\.\. math::[ \n](.*?)(?=\n\n)", re.S)
LETTER = re.compile(r":math:`(.+?)`")
COUNTERPART = re.compile(r"``torch\.optim\.lr_scheduler\.(\w+)``")


def rules() -> dict[str, list[str]]:
    """Give for each optimizer that PyTorch has its lines in MyST."""
    return {
        name: [*equations(rule), *construction(name), *remembered(name)]
        for name, rule in OPTIMIZERS.items()
        if hasattr(torch.optim, name)
    }


def rates() -> dict[str, list[str]]:
    """Give for each schedule that has an equation its lines in MyST."""
    found = {}
    for name in schedules.__all__:
        schedule = getattr(schedules, name)
        shown = equations(schedule)
        if shown:
            counterpart = COUNTERPART.search(inspect.getdoc(schedule) or "")
            torchs = (
                f"`{counterpart[1]}`" if counterpart else "no class; any function by `LambdaLR`"
            )
            found[name] = [*shown, f"{torchs} · `descent.schedules.{name}`", ""]
    return found


def equations(documented: object) -> list[str]:
    """Take the equations from a docstring, each in a line of its own."""
    lines = []
    for equation in EQUATION.findall(inspect.getdoc(documented) or ""):
        for part in equation.split(r", \qquad"):
            lines += ["$$", *(line.strip() for line in part.strip().splitlines()), "$$", ""]
    return lines


def construction(name: str) -> list[str]:
    """Write PyTorch's line, with its numbers, and say which letter each of them is."""
    numbers, letters = [], []
    for each in describe(OPTIMIZERS[name])["hyperparameters"]:
        if each["kind"] == "flag":
            continue
        default = each["default"]
        numbers.append(f"{each['name']}={tuple(default) if isinstance(default, list) else default}")
        letter = LETTER.search(each["meaning"])
        if letter:
            letters.append(f"`{each['name']}` ${letter[1]}$")
    return [
        "```python",
        f"torch.optim.{name}(model.parameters(), {', '.join(numbers)})",
        "```",
        "",
        " · ".join(letters),
        "",
    ]


def remembered(name: str) -> list[str]:
    """Name what a rule keeps of each number."""
    kept = [each for each in describe(OPTIMIZERS[name])["state"] if each["of"] == "element"]
    words = [f"`{each['name']}`" + f" with `{each['when']}`" * bool(each["when"]) for each in kept]
    return [f"Remembers of each parameter: {', '.join(words)}.", ""]


SHEETS = {"optimizers": rules, "schedules": rates}


class CheatSheet(SphinxDirective):
    """Each optimizer, or each schedule, with what proves it: lines ``Adam: {eq}`adam-update```."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Write the cards in MyST, and parse them."""
        if self.arguments[0] not in SHEETS:
            raise self.error(f"cheat-sheet takes one of {', '.join(SHEETS)}")
        sheet = SHEETS[self.arguments[0]]()
        proofs = dict(line.split(": ", 1) for line in self.content if line.strip())
        for name in sorted(sheet.keys() ^ proofs.keys()):
            raise self.error(f"{name!r} must stand in the package and here, with its proof")
        lines = [":::::{grid} 1 1 2 2", ":gutter: 3", ":class-container: cheat-sheet", ""]
        for name, card in sheet.items():
            lines += [f"::::{{grid-item-card}} {name}", *card]
            lines += [":::{card-footer}", proofs[name], ":::", "::::", ""]
        box = nodes.container()
        self.set_source_info(box)
        self.state.nested_parse(StringList([*lines, ":::::"], source=name), self.lineno, box)
        return [box]


class OnMonday(SphinxDirective):
    """The lists and tables that stand in the chapters under "On Monday", in reading order."""

    def run(self) -> list[nodes.Node]:
        """Write them in MyST, each chapter's in a fold, and parse them."""
        folder = Path(self.env.doc2path(self.env.docname)).parent
        lines = []
        for name in self.env.app.config.external_site_map:
            page = folder / f"{Path(name).name}.md"
            text = page.read_text(encoding="utf-8") if page.is_file() else ""
            advice = list(on_monday(text))
            if advice:
                self.env.note_dependency(str(page))
                lines += [
                    f"::::{{dropdown}} {title(text)}",
                    *advice,
                    f"{{doc}}`{page.stem}`",
                    "::::",
                ]
        box = nodes.container(classes=["on-monday"])
        self.set_source_info(box)
        self.state.nested_parse(StringList(lines, source=self.env.docname), self.lineno, box)
        return [box]


def on_monday(page: str) -> Iterator[str]:
    """Take the lists and tables from a page's advice."""
    section = re.search(rf"(?ms)^{HEADING}.*?\n(.*?)(?=^## |\Z)", page)
    text = re.sub(r"(?ms)^(`{3,}).*?^\1$", "", section[1]) if section else ""
    for block in re.split(r"\n{2,}", text.strip()):
        if re.match(r"\||- |\d+\. ", block):
            yield from [*block.splitlines(), ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("cheat-sheet", CheatSheet)
    app.add_directive("on-monday", OnMonday)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
