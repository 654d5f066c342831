"""What a reader of a lab's page meets: something to change, a figure, and folds that count."""

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from descent.press.pages import chapters_in_toc, labs_in_toc, notebook_of, read_notebook

LABS = labs_in_toc()
SHOWN = "each => each.checkVisibility({contentVisibilityAuto: true})"
PANELS = "all => all.map(drawing => drawing.querySelector('svg').textContent)"


@pytest.fixture(params=LABS)
def lab(request: pytest.FixtureRequest, page: Page, base: str) -> str:
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.goto(f"{base}book/{request.param}.html")
    return request.param


def test_a_lab_opens_with_something_to_change_and_a_figure(page: Page, lab: str) -> None:
    knob, figure = page.locator(".tag_knob pre").first, page.locator("article .drawing").first
    assert knob.bounding_box()["y"] < 1000
    assert knob.bounding_box()["y"] < figure.bounding_box()["y"] < 1000
    assert knob.text_content().count("\n") == 2
    assert all(not each.evaluate(SHOWN) for each in page.locator("details.hide pre").all())


def test_checks_are_a_line_that_counts_them(page: Page, lab: str) -> None:
    folds = page.locator("div.tag_nbval-check-output:has(> details)")
    checks = 0
    for fold in folds.all():
        line = fold.locator("summary").inner_text()
        printed = fold.locator(".cell_output").first.text_content()
        if "holds: " in printed:
            checks += 1
            assert int(re.fullmatch(r"(\d+) results? holds?", line)[1]) == printed.count("holds: ")
        else:
            assert line == "Show a solution"
    assert checks >= 3
    assert page.locator("div.tag_nbval-check-output").count() == folds.count()


def test_what_the_chapter_shows_is_linked_and_not_drawn_again(
    page: Page, base: str, lab: str
) -> None:
    links = page.locator(".in-the-chapter a").evaluate_all("all => all.map(each => each.hash)")
    cells = read_notebook(notebook_of(lab))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells)
    assert links == ["#" + name for name in re.findall(r'lab\.figure\(\s*"([^"]+)"', source)]
    own = page.locator("article .drawing").evaluate_all(PANELS)
    assert own
    assert len(set(own)) == len(own)
    for name in chapters_in_toc()[lab.removesuffix("_lab")]:
        page.goto(f"{base}book/{name}.html")
        assert not set(own) & set(page.locator("article .drawing").evaluate_all(PANELS))


def test_a_lab_says_below_its_title_where_it_runs(page: Page, base: str, lab: str) -> None:
    line = page.locator("article h1 + p.ways-to-run")
    assert line.bounding_box()["y"] < 400
    hosts = ["https://mybinder.org/", "https://colab.research.google.com/"]
    for host in hosts:
        assert line.locator(f"a[href^='{host}']").get_attribute("href").endswith(f"/{lab}.ipynb")
    with page.expect_download() as download:
        line.locator("a[download]").click()
    assert download.value.suggested_filename == f"{lab}.ipynb"
    assert json.loads(download.value.path().read_text(encoding="utf-8"))["cells"]


def test_folds_need_no_script(browser: Browser, base: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}book/{LABS[0]}.html")
    fold = page.locator("details.hide", has_text="results hold").first
    expect(fold.locator("pre").first).to_be_hidden()
    fold.locator("summary").click()
    expect(fold.locator("pre").first).to_be_visible()
    context.close()
