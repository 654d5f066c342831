"""The book as one PDF: a small book from some of its pages, and the whole one where it was made."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader
from rendered import PAGES

import pdf
from descent.press.pages import ROOT

pytestmark = pytest.mark.xdist_group("pdf")

WHOLE = ROOT / "build/descent.pdf"
LARGEST = 20_000_000  # bytes
BOTTOM, TOP = 66, 780  # points, of an A4 page between its margins
SOME = """\
format: jb-book
root: book/index
parts:
  - caption: Some pages
    chapters:
      - file: book/cheat_sheet
      - file: book/step_cost
        sections:
          - file: book/step_cost_lab
"""


class Sheets:
    """The pages of a PDF: the text of each, and the pieces of it that stand at a height."""

    def __init__(self, file: Path) -> None:
        self.reader = PdfReader(file)
        self.heights = []
        self.texts = [page.extract_text(visitor_text=self._note) for page in self.reader.pages]

    def _note(self, text: str, matrix: list, place: list, *font: object) -> None:
        if text.strip():
            height = place[4] * matrix[1] + place[5] * matrix[3] + matrix[5]
            self.heights.append((round(height), text.strip()))

    def scales(self, page: int) -> set[float]:
        """Say how large things are drawn; 3.125 is life-size, as a browser counts."""
        drawn = self.reader.pages[page].get_contents().get_data()
        found = re.findall(rb"(\S+) 0 0 \S+ \S+ \S+ cm", drawn)
        return {round(float(scale), 3) for scale in found}


class Printed(Sheets):
    """A book as PDF."""

    def __init__(self, file: Path, toc: Path) -> None:
        super().__init__(file)
        self.size = file.stat().st_size
        self.names = [leaf.name for leaf in pdf.leaves(toc)]
        self.anchors = pdf.numbers(self.reader)


@pytest.fixture(scope="module", params=["some pages", "the whole book"])
def printed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Printed:
    if request.param == "the whole book":
        if not WHOLE.is_file():
            pytest.skip("`make pdf` makes it")
        return Printed(WHOLE, ROOT / "_toc.yml")
    folder = tmp_path_factory.mktemp("some")
    (folder / "_toc.yml").write_text(SOME)
    (folder / "CITATION.cff").write_text((ROOT / "CITATION.cff").read_text())
    # A process of its own: the browser of the other tests keeps this one's.
    code = "import sys, pathlib, pdf; pdf.make(*map(pathlib.Path, sys.argv[1:]))"
    subprocess.run(
        [sys.executable, "-c", code, PAGES, folder / "some.pdf", folder],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(pdf.HERE), *sys.path])},
        check=True,
    )
    return Printed(folder / "some.pdf", folder / "_toc.yml")


def outline(entries: list) -> Iterator[tuple[str, object]]:
    for entry in entries:
        if isinstance(entry, list):
            yield from outline(entry)
        else:
            yield entry.title, entry


def heading(name: str) -> str:
    title = re.search(r"<h1>(.*?)<a", (PAGES / f"{name}.html").read_text("utf-8"))[1]
    return re.sub(r"<[^>]*>", "", title)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_outline_and_contents_lead_to_every_page(printed: Printed) -> None:
    where = {
        title: printed.reader.get_destination_page_number(entry)
        for title, entry in outline(printed.reader.outline)
    }
    for name in printed.names:
        title = heading(name)
        assert printed.anchors[f"{name}:"] == where[title] + 1
        assert squeezed(title) in squeezed(printed.texts[where[title]]), title
    first = printed.anchors[f"{printed.names[0]}:"] - 1
    contents = squeezed("".join(printed.texts[1:first]))
    for name in printed.names:
        assert squeezed(heading(name)) in contents
    told = Counter(re.findall(r"(?m)^\d+$", "\n".join(printed.texts[1:first])))
    assert not Counter(str(printed.anchors[f"{name}:"]) for name in printed.names) - told


def test_links_lead_somewhere(printed: Printed) -> None:
    broken, within, without = set(), 0, 0
    for page in printed.reader.pages:
        for link in (each.get_object() for each in page.get("/Annots", ())):
            if "/Dest" in link:
                within += 1
                if str(link["/Dest"]).removeprefix("/") not in printed.anchors:
                    broken.add(link["/Dest"])
            else:
                without += 1
                assert re.match("https?://", link["/A"]["/URI"]), link["/A"]
    assert (broken, within > 30, without > 10) == (set(), True, True)


def test_every_equation_has_its_number(printed: Printed) -> None:
    for name in printed.names:
        page = (PAGES / f"{name}.html").read_text("utf-8")
        numbers = set(re.findall(r'class="eqno">(\([\d.]+\))', page))
        begin = printed.anchors[f"{name}:"] - 1
        text = "".join(printed.texts[begin:])
        assert {number for number in numbers if number not in text} == set(), name


def test_no_page_is_empty_and_nothing_is_cut_at_an_edge(printed: Printed) -> None:
    assert printed.size < LARGEST
    for number, text in enumerate(printed.texts):
        assert len(text.split()) > 10, number + 1
    # A browser that finds something wider than the page makes every page smaller.
    assert printed.scales(page=1) == {0.24, 3.125}
    heads_and_numbers = {31, 808}
    text = [each for each in printed.heights if each[0] not in heads_and_numbers]
    assert [each for each in text if not BOTTOM < each[0] < TOP] == []


@pytest.mark.parametrize("name", ["momentum", "step_cost_lab"])
def test_a_printed_page_is_cut_nowhere(page: Page, base: str, tmp_path: Path, name: str) -> None:
    page.goto(f"{base}book/{name}.html")
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "24mm")
    page.pdf(path=tmp_path / "page.pdf", format="A4", margin=margin)
    sheets = Sheets(tmp_path / "page.pdf")
    # What is cut by the end of a page is drawn on the next as well, beyond its edge.
    assert [each for each in sheets.heights if not BOTTOM < each[0] < TOP] == []
    assert min(len(text.split()) for text in sheets.texts) > 10
    numbers = page.locator(".eqno").all_text_contents()
    told = Counter(re.findall(r"\(\d+\.\d+\)", "\n".join(sheets.texts)))
    assert not Counter(number.strip("#") for number in numbers) - told


def test_the_file_says_what_it_is(printed: Printed) -> None:
    told = printed.reader.metadata
    assert told.title == "Descent: how neural networks are trained"
    assert told.author == "The contributors"
    assert told.subject.startswith("Version ")
    fonts = [
        font.get_object()
        for page in printed.reader.pages
        for font in page["/Resources"].get("/Font", {}).values()
    ]
    assert len(fonts) > 10
    for font in fonts:
        inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        embedded = inner.get("/FontDescriptor", {}).keys() & {
            "/FontFile",
            "/FontFile2",
            "/FontFile3",
        }
        assert embedded or font["/Subtype"] == "/Type3", font


def test_the_first_page_offers_it_beside_the_published_pages(page: Page, base: str) -> None:
    page.goto(f"{base}book/index.html")
    published = page.locator("link[rel=canonical]").get_attribute("href")
    link = page.locator("article").get_by_role("link", name="one PDF")
    expect(link).to_have_attribute("href", published.replace("book/index.html", "descent.pdf"))


def test_without_a_browser_one_error_says_what_to_install(tmp_path: Path) -> None:
    env = os.environ | {
        "PATH": str(tmp_path),
        "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, pdf.__file__, PAGES, tmp_path / "book.pdf"],
        env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("pdf: no Chromium or Chrome starts; install one, or run `")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "book.pdf").exists()


def test_without_pages_one_error_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no .*run `make book` first"):
        pdf.bound(tmp_path, ["book/index"])
