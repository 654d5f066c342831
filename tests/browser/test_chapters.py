"""What a reader of any chapter meets: its first screen, its folds, its claims."""

import re

import pytest
from playwright.sync_api import Page, expect

from descent.press.pages import ROOT, chapters_in_toc

CHAPTERS = chapters_in_toc()
NAMES = [name for names in CHAPTERS.values() for name in names]
WITH_FOLDS = [
    name for name in NAMES if "{dropdown}" in (ROOT / f"book/{name}.md").read_text("utf-8")
]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_a_chapter_opens_with_what_it_answers_needs_and_takes(
    page: Page, base: str, name: str
) -> None:
    page.goto(f"{base}book/{name}.html")
    opening = page.locator(".chapter-opening")
    expect(opening.locator("dt")).to_have_text(["Answers", "Needs", "Takes"])
    assert opening.locator("dd").first.locator("li").count() >= 2
    assert opening.locator("dd").last.locator("a").count() == 1


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_picture_is_within_the_first_screen(page: Page, base: str, chapter: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.goto(f"{base}book/{chapter}.html")
    top = page.locator("article .drawing").first.bounding_box()["y"]
    assert top < 800
    before = page.evaluate(
        "() => [...document.querySelectorAll('article :is(.drawing, section section)')]"
        ".findIndex(each => each.matches('section section'))"
    )
    assert before > 0, "the picture stands before the first section"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_pages_of_a_chapter_count_its_equations_on(page: Page, base: str, chapter: str) -> None:
    numbers = []
    for name in CHAPTERS[chapter]:
        page.goto(f"{base}book/{name}.html")
        numbers += page.locator("article .display .eqno").all_text_contents()
    found = [re.search(r"(\d+)\.(\d+)", number).groups() for number in numbers]
    (of_chapter,) = {first for first, _ in found}
    assert int(of_chapter) == 1 + list(CHAPTERS).index(chapter)
    assert [int(last) for _, last in found] == list(range(1, len(found) + 1))


@pytest.mark.parametrize("name", WITH_FOLDS)
def test_folds_are_closed_open_by_the_keyboard_and_stand_open_in_print(
    page: Page, base: str, name: str
) -> None:
    page.goto(f"{base}book/{name}.html")
    folds = page.locator("details.sd-dropdown")
    seen = "fold => fold.lastElementChild.checkVisibility({contentVisibilityAuto: true})"
    assert not any(fold.evaluate(seen) for fold in folds.all())
    page.emulate_media(media="print")
    assert all(fold.evaluate(seen) for fold in folds.all())
    page.emulate_media(media="screen")
    folds.first.locator("summary").press("Enter")
    assert folds.first.evaluate(seen)


def test_each_claim_has_a_measurement_a_verdict_and_a_link(page: Page, base: str) -> None:
    page.goto(f"{base}book/claims.html")
    rows = page.locator("table.claims tbody tr")
    assert rows.count() >= 60
    for row in rows.all():
        _, measured, expected, verdict = row.locator("td").all()
        assert measured.inner_text().strip()
        assert expected.inner_text().strip()
        assert verdict.locator("a").count() == 1
