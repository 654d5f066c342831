"""The turned bowl: its paths, what the best diagonal leaves, and what the controls change."""

import math
from collections.abc import Iterator

import pytest
import torch
from figures import Figure, served, write_page
from playwright.sync_api import Browser

from descent.chapters.rmsprop.theory import rotated_kappa
from descent.optim import OPTIMIZERS
from descent.playground import turned_bowl
from descent.tasks.problems import quadratic
from descent.training import minimize

RACERS = ("gradient descent", "RMSprop", "Adam")
RAN = """async (state) => {
  const { ran } = await import("./turned_bowl.js");
  const { rotatedKappa } = await import("./theory.js");
  const racers = ["gradient descent", "RMSprop", "Adam"];
  const left = rotatedKappa(state.kappa, (state.angle * Math.PI) / 180);
  return { left, paths: racers.map((each) => ran(each, state)) };
}"""
SHOWN = """() => {
  const root = document.querySelector(".playground").shadowRoot;
  const all = (selector) => [...root.querySelectorAll(selector)];
  const said = (name) => root.querySelector(`[data-name=${name}]`).getAttribute("aria-valuetext");
  const names = ["at", "kappa", "rmsprop_lr", "adam_lr", "num_steps", "guess"];
  const [descent, rmsprop, adam] = all(".map .path").map((each) => each.getAttribute("points"));
  const dots = all(".plot .head").map((each) => [each.getAttribute("cx"), each.getAttribute("cy")]);
  return {
    ...Object.fromEntries(names.map((name) => [name, said(name)])),
    rings: root.querySelector(".rings").getAttribute("d"), descent, rmsprop, adam,
    dots: dots.join(" "), heights: dots.map(([, y]) => y),
    curves: all(".plot .path").map((each) => each.getAttribute("d")).join(""),
    facts: root.querySelector(".facts").textContent,
    answer: root.querySelector(".answer").textContent,
    play: root.querySelector("[data-name=play]").textContent,
    notice: root.querySelector(".notice").hidden,
  };
}"""


@pytest.fixture(scope="module")
def figure(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Figure]:
    """A page for all tests, each of which begins by starting over."""
    folder = tmp_path_factory.mktemp("turned")
    with served(folder) as base:
        write_page(folder, "bowl.html", turned_bowl())
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        yield Figure(page, base + "bowl.html", SHOWN)
        page.close()


@pytest.fixture
def bowl(figure: Figure) -> Figure:
    figure.press("restore", "Enter")
    return figure


@pytest.mark.parametrize(("angle", "kappa"), [(0, 100.0), (45, 100.0), (30, 10.0), (90, 1.0)])
def test_the_paths_are_those_of_the_package(bowl: Figure, angle: int, kappa: float) -> None:
    state = turned_bowl(angle=angle, kappa=kappa).state
    found = bowl.page.evaluate(RAN, state)
    turn = math.radians(angle)
    assert found["left"] == pytest.approx(rotated_kappa(kappa, turn), rel=1e-12)
    cos, sin = math.cos(turn), math.sin(turn)
    start = torch.tensor([-2 * cos - sin, -2 * sin + cos], dtype=torch.float64)
    rates = (2 / (1 + kappa), state["rmsprop_lr"], state["adam_lr"])
    for name, lr, path in zip(RACERS, rates, found["paths"], strict=True):
        problem = quadratic([1.0, kappa], angle=turn)
        made = minimize(problem.objective, start, OPTIMIZERS[name], num_steps=100, lr=lr)
        path = torch.tensor(path, dtype=torch.float64)
        torch.testing.assert_close(path, made.params, rtol=1e-9, atol=1e-9)


RUN = {"descent", "rmsprop", "adam", "dots", "heights", "facts"}


@pytest.mark.parametrize(
    ("name", "key", "changes"),
    [
        # Along the axes RMSprop and Adam do not see how steep a gradient is.
        ("kappa", "PageDown", {"descent", "dots", "heights", "facts", "kappa", "rings"}),
        ("rmsprop_lr", "PageUp", {"rmsprop", "dots", "heights", "facts", "rmsprop_lr"}),
        ("adam_lr", "PageUp", {"adam", "dots", "heights", "facts", "adam_lr"}),
        ("num_steps", "PageDown", RUN | {"num_steps"}),
        ("at", "PageUp", RUN | {"at", "rings"}),
        ("step", "Enter", RUN | {"at", "rings"}),
        ("reset", "Enter", set()),
        ("guess", "PageUp", {"guess"}),
        ("restore", "Enter", set()),
    ],
)
def test_a_control_changes_what_it_should(
    bowl: Figure, name: str, key: str, changes: set[str]
) -> None:
    assert bowl.changed_by(name, key) == changes
    assert bowl.complaints == []


def test_gradient_descent_does_not_notice(bowl: Figure) -> None:
    before = bowl.shown()
    bowl.press("at", *["PageUp"] * 5)
    after = bowl.shown()
    assert after["at"] == "45 degrees"
    assert after["heights"][0] == before["heights"][0]
    # Higher up in the picture, where y is less, is farther from the minimum.
    assert float(after["heights"][1]) < float(before["heights"][1]) - 30
    assert float(after["heights"][2]) < float(before["heights"][2]) - 30
    assert "κ that the best diagonal leaves100" in after["facts"]


def test_it_turns_by_itself_and_stands_where_motion_is_reduced(bowl: Figure) -> None:
    bowl.press("play", "Enter")
    assert bowl.shown()["play"] == "Pause"
    bowl.page.wait_for_timeout(300)
    bowl.press("play", "Enter")
    paused = bowl.shown()
    assert paused["at"] != "0 degrees"
    bowl.page.wait_for_timeout(150)
    assert bowl.shown() == paused
    bowl.page.emulate_media(reduced_motion="reduce")
    bowl.press("play", "Enter")
    assert bowl.shown()["at"] == "90 degrees"
    bowl.page.emulate_media(reduced_motion="no-preference")


def test_the_curves_are_drawn_after_the_guess(bowl: Figure) -> None:
    bowl.open(bowl.url)
    assert bowl.shown()["curves"] == ""
    assert bowl.changed_by("check", "Enter") == {"answer", "curves"}
    answer = bowl.shown()["answer"]
    assert answer.startswith("68 times for RMSprop, 140 times for Adam;")
    assert "does not notice: 1. You guessed 1." in answer


def test_a_link_brings_back_the_same_picture(bowl: Figure) -> None:
    bowl.open(bowl.url)
    bowl.press("at", "PageUp")
    bowl.press("adam_lr", "PageUp")
    shown = bowl.shown()
    bowl.press("copy", "Enter")
    bowl.open(bowl.page.url)
    assert bowl.shown() == shown


def test_a_bad_link_gives_the_default(bowl: Figure) -> None:
    bowl.open(bowl.url)
    default = bowl.shown()
    for link in ("angle=91", "kappa=NaN", "adam_lr=1e999", "num_steps=20.5", "rmsprop_lr="):
        bowl.press("kappa", "PageDown")
        bowl.follow(f"turned_bowl?{link}")
        assert bowl.shown() == default | {"notice": False}, link
    assert bowl.complaints == []
