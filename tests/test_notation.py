"""One meaning for each letter: what the pages use is what their tables declare."""

import pytest
from symbols import base, declared, letters

from descent.press.pages import ROOT, labs_in_toc

BOOK_WIDE = declared((ROOT / "book/notation.md").read_text("utf-8"))
CHAPTERS = [lab.removesuffix("_lab") for lab in labs_in_toc()]


@pytest.fixture(params=CHAPTERS)
def page(request):
    text = (ROOT / "book" / f"{request.param}.md").read_text("utf-8")
    prose, _, table = text.partition("\n## Symbols\n")
    return prose, declared(table)


def bases(symbols):
    return set().union(*map(base, symbols))


def test_every_letter_of_a_chapter_is_declared(page):
    prose, own = page
    assert letters(prose) - bases(BOOK_WIDE) - bases(own) == set()


def test_a_chapter_gives_no_second_meaning_to_a_letter_of_the_whole_book(page):
    _, own = page
    assert BOOK_WIDE.keys() & own.keys() == set()


def test_a_chapter_declares_only_what_it_uses(page):
    prose, own = page
    assert {symbol for symbol in own if not base(symbol) & letters(prose)} == set()
