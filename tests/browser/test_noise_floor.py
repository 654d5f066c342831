"""The noise floor: the recursion, the cloud of runs, and what the controls change."""

import json
from collections.abc import Iterator

import pytest
import torch
from figures import Figure, served, write_page
from playwright.sync_api import Page

from descent.chapters.sgd.theory import (
    sgd_average_mean_square,
    sgd_floor,
    sgd_schedule_mean_square,
)
from descent.playground import noise_floor

STATES = [
    {"lr": lr, "batch_size": batch_size, "noise": noise, "drop": drop, "seed": 1}
    for lr, batch_size in [(0.005, 1), (0.2, 1), (0.2, 32), (1.0, 1), (1.9, 256)]
    for noise, drop in [(0.0, 200), (1.0, 200), (3.0, 60), (5.0, 0)]
]
FORMS = """async (states) => {
  const { cloud, rates } = await import("./noise_floor.js");
  const { expectedSquares, sgdFloor } = await import("./theory.js");
  const made = states.map((state) => ({
    rates: rates(state),
    floor: sgdFloor(state.lr, state.noise ** 2, state.batch_size),
    expected: expectedSquares(3, rates(state), state.noise ** 2, state.batch_size),
    cloud: { ...cloud(state), squares: null },
  }));
  return JSON.stringify(made);
}"""
SHOWN = """() => {
  const root = document.querySelector(".playground").shadowRoot;
  const said = (name) => root.querySelector(`[data-name=${name}]`).getAttribute("aria-valuetext");
  const drawn = (selector) => [...root.querySelectorAll(selector)].map((e) => e.getAttribute("d"));
  const [runs, averages] = drawn(".floor .path");
  const [expected, expectedAverage] = drawn(".expected");
  const names = ["lr", "batch_size", "noise", "drop", "at", "guess"];
  return {
    ...Object.fromEntries(names.map((name) => [name, said(name)])),
    average: root.querySelector("[data-name=average]").checked,
    cloud: drawn(".cloud").join(), runs, averages, expected, expectedAverage,
    level: drawn(".level").join(),
    now: drawn(".now").join(),
    facts: root.querySelector(".facts").textContent,
    answer: root.querySelector(".answer").textContent,
    play: root.querySelector("[data-name=play]").textContent,
    droppable: !root.querySelector("[data-name=drop-now]").disabled,
    notice: root.querySelector(".notice").hidden,
  };
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("floor")
    with served(folder) as base:
        write_page(folder, "floor.html", noise_floor())
        yield base


@pytest.fixture
def floor(page: Page, site: str) -> Figure:
    return Figure(page, site + "floor.html", SHOWN)


def test_what_is_expected_is_what_the_chapter_derives(page: Page, site: str) -> None:
    page.goto(site + "empty.html")
    for state, found in zip(STATES, json.loads(page.evaluate(FORMS, STATES)), strict=True):
        lr, batch_size, variance = state["lr"], state["batch_size"], state["noise"] ** 2
        rates = torch.tensor(found["rates"], dtype=torch.float64)
        assert (rates[: state["drop"]] == lr).all()
        assert torch.allclose(rates[state["drop"] :], torch.tensor(0.1 * lr, dtype=torch.float64))
        assert found["floor"] == pytest.approx(sgd_floor(lr, 1.0, variance, batch_size), rel=1e-12)
        expected = sgd_schedule_mean_square(3.0, rates, 1.0, variance, batch_size)
        squares = torch.tensor([each["run"] for each in found["expected"]], dtype=torch.float64)
        torch.testing.assert_close(squares, expected, rtol=1e-12, atol=0)
        if state["drop"] == 200:
            averages = [each["average"] for each in found["expected"]]
            averages = torch.tensor(averages, dtype=torch.float64)
            steps = torch.arange(1, 201)
            known = sgd_average_mean_square(3.0, lr, 1.0, variance, steps, batch_size)
            torch.testing.assert_close(averages[1:], known, rtol=1e-9, atol=0)


def test_the_runs_are_as_far_as_expected(page: Page, site: str) -> None:
    page.goto(site + "empty.html")
    for state, found in zip(STATES, json.loads(page.evaluate(FORMS, STATES)), strict=True):
        for kind, name in {"run": "run", "average": "average"}.items():
            made = torch.tensor(found["cloud"][kind], dtype=torch.float64)
            wanted = torch.tensor([each[name] for each in found["expected"]], dtype=torch.float64)
            if state["noise"] == 0:
                torch.testing.assert_close(made, wanted, rtol=1e-9, atol=1e-300)
            else:
                # The mean of 200 squares of normal numbers is off by a tenth of it: its standard
                # deviation, of which six are allowed for, 2 x 200 times in each state.
                assert ((made / wanted - 1).abs() < 0.6).all(), state
                assert abs(float((made / wanted).mean()) - 1) < 0.3, state


RUN = {"cloud", "runs", "averages", "facts"}


@pytest.mark.parametrize(
    ("name", "key", "changes"),
    [
        ("lr", "PageUp", {"cloud", "runs", "facts", "lr"}),
        ("batch_size", "PageUp", {"cloud", "runs", "facts", "batch_size"}),
        ("noise", "PageUp", {"cloud", "runs", "facts", "noise"}),
        ("drop", "PageDown", {"cloud", "runs", "facts", "drop"}),
        ("average", "Space", {"averages", "facts", "average"}),
        ("guess", "PageUp", {"guess"}),
        ("at", "PageDown", {"at", "now", "droppable"}),
        ("reset", "Enter", {"at", "now", "droppable"}),
        ("check", "Enter", {"answer", "expected", "level", "facts"}),
        ("answer", "Enter", {"answer", "expected", "level", "facts"}),
        ("restore", "Enter", set()),
    ],
)
def test_a_control_changes_what_it_should(
    floor: Figure, name: str, key: str, changes: set[str]
) -> None:
    assert floor.changed_by(name, key) == changes
    assert floor.complaints == []


def test_the_answer_comes_after_the_guess(floor: Figure) -> None:
    assert floor.shown()["expected"] == ""
    floor.press("average", "Space")
    floor.press("check", "Enter")
    shown = floor.shown()
    assert "ησ²/(B(2 − η)) = 0.111" in shown["answer"]
    assert "0.01, is 0.09 times that" in shown["answer"]
    assert shown["expected"]
    assert shown["expectedAverage"]


def test_the_rate_is_dropped_where_the_run_is(floor: Figure) -> None:
    assert not floor.shown()["droppable"]
    floor.press("reset", "Enter")
    floor.press("step", "Enter")
    floor.press("step", "Enter")
    before = floor.shown()
    floor.press("drop-now", "Enter")
    after = floor.shown()
    assert after["drop"] == "2"
    assert {key for key in before if before[key] != after[key]} == {
        "drop",
        "cloud",
        "runs",
        "facts",
    }
    assert before["runs"].split("L")[:3] == after["runs"].split("L")[:3]


def test_it_plays_and_pauses(floor: Figure) -> None:
    floor.press("reset", "Enter")
    floor.press("play", "Enter")
    assert floor.shown()["play"] == "Pause"
    floor.page.wait_for_timeout(400)
    floor.press("play", "Enter")
    paused = floor.shown()
    assert paused["play"] == "Play"
    assert paused["at"] != "step 0 of 200"
    floor.page.wait_for_timeout(300)
    assert floor.shown() == paused


def test_a_link_brings_back_the_same_picture(floor: Figure) -> None:
    floor.press("lr", "PageUp")
    floor.press("drop", "PageDown", "PageDown")
    floor.press("average", "Space")
    floor.press("at", "PageDown")
    shown = floor.shown()
    floor.press("copy", "Enter")
    floor.open(floor.page.url)
    assert floor.shown() == shown


@pytest.mark.parametrize(
    "link",
    ["lr=NaN", "lr=2", "batch_size=0.5", "noise=1e999", "drop=-1", "average=perhaps", "at=x"],
)
def test_a_bad_link_gives_the_default(floor: Figure, link: str) -> None:
    default = floor.shown()
    floor.page.evaluate("link => { location.hash = link; }", f"noise_floor?{link}")
    floor.page.wait_for_function(
        "() => !document.querySelector('.playground').shadowRoot.querySelector('.notice').hidden"
    )
    assert floor.shown() == default | {"notice": False}
    assert floor.complaints == []
