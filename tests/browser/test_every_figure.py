"""What all figures have in common: anyone can use them, and they take the room they say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from accessibility import faults
from figures import Figure, served, write_page
from playwright.sync_api import Browser, Page

from descent import playground
from descent.playground import FIGURES
from descent.playground._figure import HEIGHTS

SHOWN = """() => document.querySelector(".playground").shadowRoot.textContent"""
SMALL = """() => [...document.querySelector(".playground").shadowRoot
  .querySelectorAll("button, select, summary, input[type=range], .checkbox")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.dataset.name ?? each.className, each.getBoundingClientRect()])
  .filter(([, box]) => box.height < 44 || box.width < 44)
  .map(([name, box]) => [name, box.width, box.height])"""
NAMELESS = """() => [...document.querySelector(".playground").shadowRoot
  .querySelectorAll("input[type=range]")]
  .filter((each) => !each.getAttribute("aria-valuetext")).map((each) => each.dataset.name)"""
HEIGHT = "document.querySelector('.playground').getBoundingClientRect().height / 16"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("figures")
    with served(folder) as base:
        for name, make in FIGURES.items():
            write_page(folder, f"{name}.html", make())
        yield base


@pytest.fixture(scope="module", params=FIGURES)
def figure(
    request: pytest.FixtureRequest, browser: Browser, site: str
) -> Iterator[tuple[str, Figure]]:
    page = browser.new_page(viewport={"width": 1000, "height": 900}, color_scheme="light")
    yield request.param, Figure(page, f"{site}{request.param}.html", SHOWN)
    page.close()


def test_it_takes_the_room_that_is_kept_for_it(figure: tuple[str, Figure]) -> None:
    name, figure = figure
    for width, kept in zip((1000, 390), HEIGHTS[name][0], strict=True):
        figure.page.set_viewport_size({"width": width, "height": 900})
        figure.settle()
        assert kept - 3 < figure.page.evaluate(HEIGHT) <= kept, width


def test_fingers_find_everything_on_a_phone(figure: tuple[str, Figure]) -> None:
    _, figure = figure
    figure.page.set_viewport_size({"width": 390, "height": 900})
    figure.settle()
    assert figure.page.evaluate(SMALL) == []
    assert figure.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_everybody_can_use_it(figure: tuple[str, Figure]) -> None:
    _, figure = figure
    figure.page.set_viewport_size({"width": 1000, "height": 900})
    assert figure.page.evaluate(NAMELESS) == []
    assert faults(figure.page, "light", {"include": [["main"]]}) == []
    figure.press("check", "Enter")
    figure.page.emulate_media(color_scheme="dark")
    assert faults(figure.page, "dark", {"include": [["main"]]}) == []
    assert figure.complaints == []
    own = figure.url.rsplit("/", 1)[0]
    assert all(url.startswith((own, "about:")) for url in figure.requests)


@pytest.mark.parametrize("name", FIGURES)
def test_a_notebook_has_the_same_figure(page: Page, tmp_path: Path, name: str) -> None:
    made = FIGURES[name]()
    (tmp_path / "output.html").write_text(f"<meta charset=utf-8>{made._repr_html_()}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    figure = Figure(page, (tmp_path / "output.html").as_uri(), SHOWN)
    assert "Copy as Python" in figure.shown()
    figure.press("copy", "Enter")
    page.wait_for_timeout(50)
    call = page.locator(".copied[role=status]").last.text_content()
    if call == "Copied.":
        call = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(rf"descent\.playground\.{name}\(.*\)", call)
    again = eval(call.removeprefix("descent.playground."), vars(playground).copy())
    assert again.state == made.state
    assert figure.complaints == []
    assert {url.split(":")[0] for url in figure.requests} <= {"file", "about"}
