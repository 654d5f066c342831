"""The whole book as one PDF: its rendered pages, bound in the order of ``_toc.yml``, and printed.

``python book/_ext/pdf.py PAGES FILE`` reads the pages that Sphinx rendered and has Chromium print
them. What is done to them in the browser is in ``pdf.js``, how they look on paper in ``pdf.css``.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
import yaml
from playwright.sync_api import Error, Page, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import Destination, Fit
from sphinx_external_toc.parsing import parse_toc_yaml

import browser
from descent._files import replacing
from descent.press.pages import ROOT

HERE = Path(__file__).parent
WIDTH = 627  # pixels between the margins of `pdf.css`: 210 mm - 2 * 22 mm
FACES = {
    "STIXGeneral.ttf": "font-family: Text",
    "STIXGeneralItalic.ttf": "font-family: Text; font-style: italic",
    "STIXGeneralBol.ttf": "font-family: Text; font-weight: bold",
    "STIXGeneralBolIta.ttf": "font-family: Text; font-weight: bold; font-style: italic",
    "DejaVuSans.ttf": "font-family: 'DejaVu Sans'",
    "DejaVuSans-Bold.ttf": "font-family: 'DejaVu Sans'; font-weight: bold",
    "DejaVuSans-Oblique.ttf": "font-family: 'DejaVu Sans'; font-style: italic",
    "DejaVuSansMono.ttf": "font-family: Code",
    "DejaVuSansMono-Bold.ttf": "font-family: Code; font-weight: bold",
    "DejaVuSansMono-Oblique.ttf": "font-family: Code; font-style: italic",
}
"""The fonts come with matplotlib, so that the book looks alike wherever it is printed."""


@dataclass(frozen=True)
class Leaf:
    """A page: its name, how deep it is nested, and the part that it opens."""

    name: str
    depth: int
    part: str | None = None


def leaves(toc: Path) -> list[Leaf]:
    """List the pages in the order in which they are read, the first page first.

    Example:
        >>> [leaf.name for leaf in leaves(ROOT / "_toc.yml")][:2]
        ['book/index', 'book/quick_answers']
    """
    sitemap = parse_toc_yaml(toc)

    def below(name: str, depth: int) -> Iterator[Leaf]:
        for subtree in sitemap[name].subtrees:
            part = subtree.caption
            for child in map(str, subtree.items):
                yield Leaf(child, depth, part)
                yield from below(child, depth + 1)
                part = None

    return [Leaf(sitemap.root.docname, 0), *below(sitemap.root.docname, 1)]


def bound(pages: Path, names: list[str]) -> str:
    """Write one document that has the articles of all pages, each with its name and address.

    Raises:
        ValueError: a page is not there, or is none.
    """
    sheets, articles = {}, []
    for name in names:
        file = pages / f"{name}.html"
        if not file.is_file():
            raise ValueError(f"there is no {file}; run `make book` first")
        page = file.read_text("utf-8")
        article = re.search(r"(?s)<article[^>]*>(.*)</article>", page)
        (address,) = hrefs(page, "canonical") or [None]
        if not article or not address:
            raise ValueError(f"{file} is no page of the book")
        for sheet in hrefs(page, "stylesheet"):
            sheets[(file.parent / sheet.partition("?")[0]).resolve().as_uri()] = None
        articles.append(
            f'<article class="bd-article" data-name="{name}" data-address="{address}"'
            f' data-file="{file.resolve().as_uri()}">{article[1]}</article>'
        )
    links = "".join(f'<link rel="stylesheet" href="{sheet}">' for sheet in sheets)
    return (
        '<!doctype html><html lang="en" data-theme="light" data-mode="light"><meta charset="utf-8">'
        f"{links}<style>{faces()}{(HERE / 'pdf.css').read_text('utf-8')}</style>"
        f'<body class="bd-article-container">{"".join(articles)}</body></html>'
    )


def hrefs(page: str, relation: str) -> list[str]:
    """List what a page links to in its head.

    Example:
        >>> hrefs('<link rel="canonical" href="https://a.org/b">', "canonical")
        ['https://a.org/b']
    """
    links = re.findall(rf'<link[^>]*\brel="{relation}"[^>]*>', page)
    return [re.search('href="([^"]*)"', each)[1] for each in links]


def faces() -> str:
    """Write the rules that bring in the fonts."""
    folder = Path(matplotlib.get_data_path(), "fonts/ttf")
    return "".join(
        f"@font-face {{{descriptors}; src: url({(folder / file).as_uri()})}}\n"
        for file, descriptors in FACES.items()
    )


def printed(page: Page) -> PdfReader:
    """Print what a page of the browser shows."""
    return PdfReader(BytesIO(page.pdf(prefer_css_page_size=True, print_background=True)))


def destinations(reader: PdfReader) -> dict[str, Destination]:
    """Say where each anchor is that something links to."""
    return {name.removeprefix("/"): found for name, found in reader.named_destinations.items()}


def numbers(reader: PdfReader) -> dict[str, int]:
    """Say on which page each anchor is, the first page being 1."""
    return {
        name: reader.get_destination_page_number(found) + 1
        for name, found in destinations(reader).items()
    }


def make(pages: Path, file: Path, root: Path = ROOT) -> int:
    """Print the book.

    Args:
        pages: the folder of rendered pages.
        file: where the PDF goes.
        root: the folder that holds ``_toc.yml`` and ``CITATION.cff``.

    Returns:
        The number of pages.

    Raises:
        ValueError: a page of the book is not there, or something on it is wider than paper.
        NoBrowser: there is no Chromium that starts.
    """
    order = [asdict(leaf) for leaf in leaves(root / "_toc.yml")]
    facts = yaml.load((root / "CITATION.cff").read_text("utf-8"), yaml.BaseLoader)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        document = Path(folder, "book.html")
        document.write_text(bound(pages, [leaf["name"] for leaf in order]), "utf-8")
        chromium = browser.launch(playwright)
        page = chromium.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.set_default_timeout(300_000)
        page.emulate_media(media="print")
        page.goto(document.as_uri())
        page.add_script_tag(path=HERE / "pdf.js")
        places = page.evaluate("([leaves, facts]) => bind(leaves, facts)", [order, facts])
        wide = page.evaluate("document.fonts.ready.then(fit)")
        if wide:  # Chromium would make the whole book smaller
            raise ValueError(f"wider than the page: {wide[0]}")
        reader = printed(page)
        page.evaluate("number", numbers(reader))
        overlay = printed(page)
        chromium.close()
    writer = PdfWriter(clone_from=reader)
    first = numbers(reader)[places[0][2]]
    for contents, their_numbers in zip(writer.pages[1 : first - 1], overlay.pages, strict=True):
        contents.merge_page(their_numbers)
    add_outline(writer, places, reader)
    writer.add_metadata(metadata(facts))
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as draft:
        writer.write(draft)
    return len(writer.pages)


def add_outline(writer: PdfWriter, places: list[list], reader: PdfReader) -> None:
    """Write the contents as the outline that a reader of PDFs shows beside the pages.

    Args:
        writer: the book.
        places: the depth, the title and the anchor of each; a part has no anchor, and begins where
            the place after it does.
        reader: the book as it was printed, which knows the anchors.
    """
    found, parents = destinations(reader), {}
    for (depth, title, anchor, *_), following in zip(places, [*places[1:], None], strict=True):
        place = found[anchor or following[2]]
        parents[depth] = writer.add_outline_item(
            title=title,
            page_number=reader.get_destination_page_number(place),
            parent=parents.get(depth - 1),
            fit=Fit.xyz(place.left, place.top),
            is_open=False,
        )


def metadata(facts: dict) -> dict[str, str]:
    """Write what a reader of PDFs shows of the book, from ``CITATION.cff``."""
    return {
        "/Title": facts["title"],
        "/Author": ", ".join(author["name"] for author in facts["authors"]),
        "/Subject": f"Version {facts['version']}. {facts['abstract'].strip()}",
        "/Keywords": ", ".join(facts["keywords"]),
    }


def main() -> None:
    """Print the book and say where it is."""
    if len(sys.argv) != 3:
        sys.exit("usage: pdf.py PAGES FILE")
    pages, file = map(Path, sys.argv[1:])
    try:
        count = make(pages, file)
    except (ValueError, OSError, Error, browser.NoBrowser) as error:
        sys.exit(f"pdf: {error}")
    print(f"The book as PDF, {count} pages, is at {file.resolve().as_uri()}")


if __name__ == "__main__":
    main()
