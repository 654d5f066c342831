"""What holds of every page, wide and on a phone, in light and in dark."""

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import pytest
from accessibility import faults
from rendered import PAGES, WIDTHS, View

MAX_BYTES = 1_500_000


def test_the_console_is_silent(view: View) -> None:
    assert view.complaints == []


def test_nothing_comes_from_another_host(view: View) -> None:
    elsewhere = [url for url in view.requests if not url.startswith((view.base, "data:", "blob:"))]
    assert elsewhere == []


def test_the_page_is_light(view: View) -> None:
    own = {urlsplit(url).path.lstrip("/") for url in view.requests if url.startswith(view.base)}
    shared = ("_static/", "searchindex.js")
    size = sum((PAGES / path).stat().st_size for path in own if not path.startswith(shared))
    assert size <= MAX_BYTES


def test_the_page_does_not_scroll_sideways(view: View) -> None:
    widths = view.page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert widths[0] <= widths[1]


def test_all_mathematics_is_typeset(view: View) -> None:
    raw = view.page.locator(".math:not(:has(mjx-container))").all_text_contents()
    assert raw == []
    assert view.page.locator("mjx-merror").count() == 0
    assert not re.search(r"\\[()\[\]]|\$\$", view.page.locator("main").inner_text())


def test_images_are_there_and_described(view: View) -> None:
    images = view.page.evaluate(
        "Array.from(document.querySelectorAll('article img'), image =>"
        " [image.src, image.complete && image.naturalWidth > 0, image.alt.trim()])"
    )
    assert [src for src, loaded, alt in images if not loaded] == []
    # What MyST-NB writes where no text was given is the file's path.
    assert [src for src, loaded, alt in images if not alt or "_images/" in alt] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(view: View, theme: str) -> None:
    # MathJax's own elements and the tokens of code are many, and slow to look through. All code
    # has the same few colours: test_book.py looks at those of one page.
    assert faults(view.page, theme, {"exclude": [["mjx-container"], [".highlight"]]}) == []


def test_drawings_are_there_and_described(view: View) -> None:
    drawings = view.page.evaluate(
        "Array.from(document.querySelectorAll('article .drawing'), drawing => ["
        "drawing.getAttribute('aria-label') || '', drawing.getAttribute('role'),"
        " Array.from(drawing.children, layout => layout.checkVisibility())])"
    )
    shown = [False, True] if view.page.viewport_size["width"] == WIDTHS["phone"] else [True, False]
    assert [each for each in drawings if each[0].count(" ") < 5 or each[1:] != ["img", shown]] == []


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
