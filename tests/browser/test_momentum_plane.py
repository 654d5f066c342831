"""Momentum's plane: its closed forms, and what its controls change."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from figures import Figure, served, write_page
from playwright.sync_api import Page

from descent.chapters.momentum.theory import (
    heavy_ball_critical_momentum,
    heavy_ball_max_lr,
    heavy_ball_rate,
)
from descent.playground import momentum

PRODUCTS = [0.0, 1e-6, 0.01, 0.25, 0.5, 1.0, 1.7, 2.0, 2.5, 3.0, 3.99, 4.2]
MOMENTA = [0.0, 1e-9, 0.25, 0.5, 0.81, 0.9, 0.99, 0.999]
FORMS = """async (pairs) => {
  const theory = await import("./theory.js");
  return pairs.map(([product, momentum]) => ({
    roots: theory.heavyBallRoots(product, momentum),
    factor: theory.heavyBallFactor(product, momentum),
    critical: theory.criticalMomentum(product),
    behaviour: theory.behaviour(product, momentum),
  }));
}"""
SHOWN = """() => {
  const root = document.querySelector(".playground").shadowRoot;
  const said = (name) => root.querySelector(`[data-name=${name}]`).getAttribute("aria-valuetext");
  return {
    product: said("product"),
    momentum: said("momentum"),
    guess: said("guess"),
    ball: root.querySelector(".motion .path").getAttribute("points"),
    roots: [...root.querySelectorAll(".roots .head")].map((each) => each.outerHTML).join(),
    facts: root.querySelector(".facts").textContent,
    question: root.querySelector(".question").textContent,
    answer: root.querySelector(".answer").textContent,
    regions: getComputedStyle(root.querySelector(".regions")).display !== "none",
    point: root.querySelector("[data-name=point]").getAttribute("style"),
  };
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("momentum")
    with served(folder) as base:
        write_page(folder, "plane.html", momentum())
        yield base


@pytest.fixture
def plane(page: Page, site: str) -> Figure:
    return Figure(page, site + "plane.html", SHOWN)


def test_the_closed_forms_are_those_of_the_chapter(page: Page, site: str) -> None:
    page.goto(site + "empty.html")
    pairs = list(product(PRODUCTS, MOMENTA))
    for (at, beta), found in zip(pairs, page.evaluate(FORMS, pairs), strict=True):
        first, second = (complex(*each) for each in found["roots"])
        assert first + second == pytest.approx(1 + beta - at, rel=1e-12, abs=1e-12)
        assert first * second == pytest.approx(beta, rel=1e-12, abs=1e-15)
        assert found["factor"] == pytest.approx(float(heavy_ball_rate(at, 1.0, beta)), rel=1e-12)
        if 0 < at < 4:
            critical = heavy_ball_critical_momentum(1.0, at)
            assert found["critical"] == pytest.approx(critical, rel=1e-12, abs=1e-15)
            swings = beta > critical
        else:
            swings = False
        leaves = at >= heavy_ball_max_lr(1.0, beta)
        where = "diverges" if leaves else "swings" if swings else "hops" if at > 1 else "creeps"
        on_a_border = abs(beta - found["critical"]) < 1e-9
        if at and not on_a_border:
            assert found["behaviour"] == where, (at, beta)


MOVED = {"ball", "roots", "facts", "point"}


@pytest.mark.parametrize(
    ("name", "key", "changes"),
    [
        ("product", "PageUp", MOVED | {"product", "question"}),
        ("momentum", "PageUp", MOVED | {"momentum"}),
        ("point", "ArrowRight", MOVED | {"product", "question"}),
        ("point", "ArrowDown", MOVED | {"momentum"}),
        ("guess", "PageUp", {"guess"}),
        ("check", "Enter", {"answer", "regions"}),
        ("restore", "Enter", set()),
    ],
)
def test_a_control_changes_what_it_should(
    plane: Figure, name: str, key: str, changes: set[str]
) -> None:
    assert plane.changed_by(name, key) == changes
    assert plane.complaints == []


def test_the_regions_are_drawn_after_the_guess(plane: Figure) -> None:
    assert not plane.shown()["regions"]
    plane.press("check", "Enter")
    shown = plane.shown()
    assert shown["regions"]
    assert "(1 − √ηλ)² = 0.468" in shown["answer"]
    assert "Your guess, 0.5, has 0.707" in shown["answer"]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ((0.1, 0.2), "creeps"),
        ((1.0, 0.5), "swings"),
        ((1.9, 0.05), "hops"),
        ((4.1, 0.9), "diverges"),
    ],
)
def test_the_ball_does_what_the_plane_says(plane: Figure, state: Any, word: str) -> None:
    at, beta = state
    plane.open(f"{plane.url}#momentum?product={at}&momentum={beta}")
    shown = plane.shown()
    assert f"The ball{word}" in shown["facts"]
    heights = [60 - float(each.split(",")[1]) for each in shown["ball"].split(" ")]
    signs = [height > 0 for height in heights[:6]]
    if word == "creeps":
        assert all(signs)
    if word == "hops":
        assert signs == [True, False] * 3
    if word == "diverges":
        assert abs(heights[-1]) > abs(heights[0])


@pytest.mark.parametrize("link", ["product=NaN", "product=5", "momentum=1", "momentum=1e999"])
def test_a_bad_link_gives_the_default(plane: Figure, link: str) -> None:
    default = plane.shown()
    plane.open(f"{plane.url}#momentum?{link}")
    assert plane.shown() == default
    notice = plane.page.locator(".playground .notice")
    assert notice.text_content().startswith("This link cannot be shown: ")


def test_a_link_brings_back_the_same_picture(plane: Figure) -> None:
    plane.press("point", "ArrowRight", "ArrowDown", "Shift+ArrowRight")
    shown = plane.shown()
    plane.press("copy", "Enter")
    plane.open(plane.page.url)
    assert plane.shown() == shown


def test_a_notebook_has_the_same_figure() -> None:
    made = momentum(product=0.5, momentum=0.25)
    assert json.loads(
        made._repr_html_().split('data-state="')[1].split('"')[0].replace("&quot;", '"')
    ) == {
        "product": 0.5,
        "momentum": 0.25,
    }
