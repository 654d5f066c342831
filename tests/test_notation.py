"""One meaning for each letter: what the pages use is what their tables declare."""

import pytest
from symbols import base, declared, letters

from descent.press.pages import ROOT, chapters_in_toc

BOOK_WIDE = declared((ROOT / "book/notation.md").read_text("utf-8"))
CHAPTERS = chapters_in_toc()


def parted(name):
    """Part a page into what it says and the symbols that its table declares."""
    text = (ROOT / "book" / f"{name}.md").read_text("utf-8")
    prose, _, table = text.partition("\n## Symbols\n")
    return prose, declared(table)


@pytest.fixture(params=[page for pages in CHAPTERS.values() for page in pages])
def page(request):
    return parted(request.param)


def bases(symbols):
    return set().union(*map(base, symbols))


def test_every_letter_of_a_page_is_declared(page):
    prose, own = page
    assert letters(prose) - bases(BOOK_WIDE) - bases(own) == set()


def test_a_page_gives_no_second_meaning_to_a_letter_of_the_whole_book(page):
    _, own = page
    assert BOOK_WIDE.keys() & own.keys() == set()


@pytest.mark.parametrize("chapter", [name for name, pages in CHAPTERS.items() if len(pages) > 1])
def test_the_pages_of_a_chapter_give_a_letter_one_meaning(chapter):
    first, *rest = (parted(name)[1] for name in CHAPTERS[chapter])
    for own in rest:
        shared = first.keys() & own.keys()
        assert {symbol: own[symbol] for symbol in shared} == {
            symbol: first[symbol] for symbol in shared
        }


def test_a_page_declares_only_what_it_uses(page):
    prose, own = page
    assert {symbol for symbol in own if not base(symbol) & letters(prose)} == set()
