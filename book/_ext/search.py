"""Search: a hit opens at its section, and shows the sentence that says what was asked for.

What each page says is kept, section by section, beside its doctree, so that a build that writes a
few pages has the words of all. MiniSearch makes the index in the reader's browser.
"""

import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path, PurePosixPath

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

import formulas
from descent.press import pages

WORDS = "_static/search/words.js"
SYNONYMS = Path(__file__).with_name("synonyms.yml")
"""For each term, by the name that the book gives it, how else a reader may ask for it."""
FORMULA = "\ufffc"
"""Stands for a formula while a paragraph is split."""
SENTENCE_END = re.compile(rf"(?<=[.?!])\s+(?=[A-Z“‘{FORMULA}])")
ANNOTATION = re.compile(r"(?s)<annotation.*?</annotation>|</?semantics>")

OTHERS = (addnodes.desc, addnodes.glossary, nodes.Text)
"""What has entries of its own, and what has no paragraphs."""

Section = tuple[str, str, list[str]]
"""Its anchor, its title and its sentences, both of them HTML."""


def collect(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Keep what a page says."""
    if app.builder.format == "html":
        file = kept(app, page)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(list(sections(doctree))), "utf-8")


def kept(app: Sphinx, page: str) -> Path:
    """Say where the words of a page are kept."""
    return Path(app.doctreedir, f"{page}.words.json")


def sections(doctree: nodes.document) -> Iterator[Section]:
    """Give the sections of a page, the terms of a glossary and the names of the package."""
    for node in doctree.findall():
        if is_section(node):
            anchor = "" if isinstance(node.parent, nodes.document) else node["ids"][0]
            yield anchor, html_of(node.next_node(nodes.title)), sentences(node)
        elif isinstance(node, addnodes.desc):
            signature = node[0]
            if signature.get("ids"):
                name = signature["ids"][0]
                yield name, f"<code>{escape(name)}</code>", sentences(node)
        elif isinstance(node, nodes.term) and node["ids"]:
            yield node["ids"][0], html_of(node), sentences(node.parent)


def is_section(node: nodes.Node) -> bool:
    """Say whether a node is a section of the page, and not the inside of a theorem."""
    return isinstance(node, nodes.section) and isinstance(
        node.parent, nodes.document | nodes.section
    )


def sentences(section: nodes.Element) -> list[str]:
    """Split what a section says itself into sentences."""
    found = []
    for block in blocks(section):
        parts = [html_of(part) for part in block]
        maths = iter([part for part in parts if part.startswith("<math")])
        text = "".join(FORMULA if part.startswith("<math") else part for part in parts)
        for sentence in SENTENCE_END.split(" ".join(text.split())):
            found.append(re.sub(FORMULA, lambda _, maths=maths: next(maths), sentence))
    return found


def blocks(node: nodes.Element) -> Iterator[list[nodes.Node]]:
    """Give the paragraphs of a section, but not those of a section, a term or a name within it.

    The cells of a table are read together, row by row.
    """
    for child in node.children:
        if isinstance(child, nodes.paragraph | nodes.caption):
            yield child.children
        elif isinstance(child, nodes.row):
            cells = [cell for entry in child for cell in blocks(entry)]
            yield sum(([nodes.Text(" · "), *cell] for cell in cells[1:]), cells[0] if cells else [])
        elif not is_section(child) and not isinstance(child, OTHERS):
            yield from blocks(child)


def html_of(node: nodes.Node) -> str:
    """Write the text of a node, with its formulas and its code.

    Example:
        >>> html_of(nodes.paragraph("", "", nodes.Text("a < b, "), nodes.literal("", "lr")))
        'a &lt; b, <code>lr</code>'
    """
    if isinstance(node, nodes.Text):
        return escape(node.astext(), quote=False)
    if isinstance(node, nodes.math):
        return ANNOTATION.sub("", formulas.convert(node, display=False))
    if isinstance(node, nodes.raw | nodes.image):
        return ""
    inner = "".join(map(html_of, node.children))
    return f"<code>{inner}</code>" if isinstance(node, nodes.literal) else inner


def weight(page: str, chapters: set[str]) -> float:
    """Say how much a hit on a page counts.

    Example:
        >>> [weight(page, {"adam"}) for page in ("book/adam", "book/adam_lab", "book/api/optim")]
        [1.0, 0.35, 0.3]
    """
    path = PurePosixPath(page)
    if path.name in chapters:
        return 1.0
    if path.name in ("quick_answers", "cheat_sheet", "primer"):
        return 0.8
    if path.name.endswith("_lab"):
        return 0.35
    return 0.3 if path.parent.name == "api" else 0.4


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the words of all pages, and what else a search needs."""
    if error or app.builder.format != "html":
        return
    chapters = set().union(*pages.chapters_in_toc(Path(app.srcdir)).values())
    found = []
    for page in sorted(app.env.found_docs):
        number = ".".join(map(str, app.env.toc_secnumbers.get(page, {}).get("", ())))
        found.append({
            "url": app.builder.get_target_uri(page),
            "number": number,
            "weight": weight(page, chapters),
            "sections": json.loads(kept(app, page).read_text("utf-8")),
        })  # fmt: skip
    language = SearchEnglish({})
    data = {
        "pages": found,
        "synonyms": yaml.safe_load(SYNONYMS.read_text("utf-8")),
        "stopwords": sorted(language.stopwords),
    }
    written = f"{language.js_stemmer_code}\nconst book = {json.dumps(data, ensure_ascii=False)};\n"
    Path(app.outdir, WORDS).write_text(written, "utf-8")


def replace_search(app: Sphinx) -> None:
    """Leave Sphinx's own index out."""
    app.builder.search = False


def add_page(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """Name the page of the search, which is then written like any other."""
    yield "search", {}, "search.html"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what collects the words, and the page that searches them."""
    app.connect("builder-inited", replace_search)
    app.connect("doctree-resolved", collect, priority=900)
    app.connect("html-collect-pages", add_page)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
