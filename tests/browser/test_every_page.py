"""What holds of every page, wide and on a phone, in light and in dark."""

import gzip
import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import pytest
from accessibility import colour_faults, other_faults
from rendered import PAGES, WIDTHS, View

MAX_PAGE = 700_000
MAX_BOOK = 25_000_000


def test_the_console_is_silent(view: View) -> None:
    assert view.complaints == []


def test_nothing_comes_from_another_host(view: View) -> None:
    elsewhere = [url for url in view.requests if not url.startswith((view.base, "data:", "blob:"))]
    assert elsewhere == []


def test_the_page_is_light(view: View) -> None:
    own = {urlsplit(url).path.lstrip("/") for url in view.requests if url.startswith(view.base)}
    assert sum(compressed(path) for path in own) <= MAX_PAGE


@lru_cache
def compressed(path: str) -> int:
    return len(gzip.compress((PAGES / path).read_bytes()))


def test_the_book_is_light() -> None:
    assert sum(file.stat().st_size for file in PAGES.rglob("*") if file.is_file()) <= MAX_BOOK


def test_the_page_does_not_scroll_sideways(view: View) -> None:
    widths = view.page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert widths[0] <= widths[1]


def test_all_mathematics_is_typeset(view: View) -> None:
    formulas = view.page.locator(".formula").evaluate_all(
        "all => all.map(box => Boolean(box.querySelector('math > semantics > annotation')))"
    )
    assert all(formulas)
    assert not re.search(r"\\[()\[\]]|\$\$", view.page.locator("main").inner_text())


def test_images_are_there_sized_and_described(view: View) -> None:
    images = view.page.evaluate(
        """() => Promise.all(Array.from(document.querySelectorAll("article img"), async (image) => {
          image.loading = "eager";
          await image.decode().catch(() => {});
          const sized = image.hasAttribute("width") && image.hasAttribute("height");
          return [image.src, image.naturalWidth > 0, sized, image.alt.trim()];
        }))"""
    )
    assert [src for src, loaded, sized, alt in images if not loaded] == []
    assert [src for src, loaded, sized, alt in images if not sized] == []
    # What MyST-NB writes where no text was given is the file's path.
    assert [src for src, loaded, sized, alt in images if not alt or "_images/" in alt] == []


def test_nothing_moves_while_the_page_loads(view: View) -> None:
    moved = view.page.evaluate(
        """() => new Promise((resolve) => {
          let sum = 0;
          new PerformanceObserver((list) => list.getEntries().forEach((e) => { sum += e.value; }))
            .observe({type: "layout-shift", buffered: true});
          setTimeout(() => resolve(sum), 100);
        })"""
    )
    assert moved <= 0.02


def test_code_in_a_table_does_not_break_within_a_word(view: View) -> None:
    broken = view.page.evaluate(
        """Array.from(document.querySelectorAll("article table.table code .pre"))
             .filter(word => word.getClientRects().length > 1).map(word => word.textContent)"""
    )
    assert broken == []


def test_axe_finds_nothing(view: View) -> None:
    assert other_faults(view.page, {"exclude": [[".highlight"]]}) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_colour_that_is_hard_to_see(view: View, theme: str) -> None:
    # The tokens of code and the letters of formulas are many, and slow to look through. They have
    # the same few colours throughout: test_book.py looks at those of one page.
    assert colour_faults(view.page, theme, {"exclude": [[".highlight"], ["math"]]}) == []


def test_drawings_are_there_and_described(view: View) -> None:
    drawings = view.page.evaluate(
        "Array.from(document.querySelectorAll('article .drawing'), drawing => ["
        "drawing.getAttribute('aria-label') || '', drawing.getAttribute('role'),"
        " Array.from(drawing.children, layout => layout.checkVisibility())])"
    )
    shown = [False, True] if view.page.viewport_size["width"] == WIDTHS["phone"] else [True, False]
    assert [each for each in drawings if each[0].count(" ") < 5 or each[1:] != ["img", shown]] == []


def test_drawings_stand_on_the_ground_of_the_page(view: View) -> None:
    grounds = view.page.evaluate(
        """() => {
          const root = document.documentElement, theme = root.dataset.theme, found = new Set();
          root.dataset.theme = "dark";
          for (const drawing of document.querySelectorAll("article .drawing"))
            for (let each = drawing; !each.matches("article"); each = each.parentElement)
              found.add(getComputedStyle(each).backgroundColor);
          root.dataset.theme = theme;
          return [...found];
        }"""
    )
    assert set(grounds) <= {"rgba(0, 0, 0, 0)"}


def test_text_in_drawings_is_at_least_nine_pixels_high(view: View) -> None:
    sizes = view.page.evaluate(
        """Array.from(document.querySelectorAll('article .drawing svg'), layout => {
             const scale = layout.getBoundingClientRect().width / layout.viewBox.baseVal.width;
             const size = text => scale * parseFloat(getComputedStyle(text).fontSize);
             // In mathematics the largest counts: what is raised or lowered is smaller.
             const largest = text => Math.max(...Array.from(text.children, size));
             return scale ? Array.from(layout.querySelectorAll('text'), text =>
               [text.textContent, text.children.length ? largest(text) : size(text)]) : [];
           }).flat()"""
    )
    assert [each for each in sizes if each[1] < 9] == []


def test_links_within_the_book_lead_somewhere(view: View) -> None:
    links = view.page.evaluate("Array.from(document.querySelectorAll('a[href]'), a => a.href)")
    broken = []
    for link in sorted({link for link in links if link.startswith(view.base)}):
        parts = urlsplit(link)
        path, anchor = unquote(parts.path).lstrip("/"), unquote(parts.fragment)
        if not (PAGES / path).is_file() or (anchor and anchor not in anchors(path)):
            broken.append(link.removeprefix(view.base))
    assert broken == []


@lru_cache
def anchors(path: str) -> set[str]:
    return set(re.findall(r'\sid="([^"]*)"', (PAGES / path).read_text(encoding="utf-8")))
