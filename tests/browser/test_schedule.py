"""The composer of schedules: its rates, the recursion, the best rates, and the lines to copy."""

import json
from collections.abc import Iterator
from functools import partial

import pytest
import torch
from figures import Figure, served, write_page
from playwright.sync_api import Browser
from torch import Tensor
from torch.optim import SGD
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    SequentialLR,
)

from descent.chapters.sgd.theory import sgd_schedule_mean_square
from descent.playground import schedule
from descent.playground._shapes import CURVATURES, SHAPES
from descent.schedules import constant, cosine, exponential, linear, sequential

STEPS = 500
STATES = [
    schedule(shape, warmup_steps=warmup, decay_start=start, end_factor=end, lr=lr).state
    for shape in SHAPES
    for warmup, start in [(0, 0), (0, 500), (1, 1), (2, 2), (30, 30), (30, 400), (250, 500)]
    for lr, end in [(0.16, 0.001), (0.005, 1.0)]
]
COMPOSED = """async (states) => {
  const { asDescent, asTorch, ratesOf } = await import("./schedules.js");
  const made = states.map((each) => ({
    rates: ratesOf(each, 500), torch: asTorch(each, 500), descent: asDescent(each, 500),
  }));
  return JSON.stringify(made);
}"""
LOSSES = """async ([rates, noise]) => {
  const { DESCRIPTION } = await import("./description.js");
  const { bestRates, expectedLosses } = await import("./theory.js");
  const best = bestRates(DESCRIPTION.curvatures, noise ** 2, rates.length);
  return JSON.stringify({ best, ...expectedLosses(rates, DESCRIPTION.curvatures, noise ** 2) });
}"""
SHOWN = """() => {
  const root = document.querySelector(".playground").shadowRoot;
  const all = (selector) => [...root.querySelectorAll(selector)];
  const drawn = (selector) => all(selector).map((each) => each.getAttribute("d"));
  const said = (name) => root.querySelector(`[data-name=${name}]`).getAttribute("aria-valuetext");
  const aloud = (name) => root.querySelector(`[data-name=${name}]`).getAttribute("aria-label");
  const names = ["lr", "warmup_steps", "decay_start", "end_factor", "noise", "guess"];
  const [rates, losses] = drawn(".path");
  return {
    ...Object.fromEntries(names.map((name) => [name, said(name)])),
    peak: aloud("peak"), turn: aloud("turn"), end: aloud("end"),
    shape: root.querySelector("[data-name=shape]").value, rates, losses,
    best: drawn(".expected").join(""),
    torch: root.querySelector("[data-line=torch]").textContent,
    descent: root.querySelector("[data-line=descent]").textContent,
    facts: root.querySelector(".facts").textContent,
    answer: root.querySelector(".answer").textContent,
    notice: root.querySelector(".notice").hidden,
  };
}"""


@pytest.fixture(scope="module")
def figure(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Figure]:
    """A page for all tests, each of which begins by starting over."""
    folder = tmp_path_factory.mktemp("schedule")
    with served(folder) as base:
        write_page(folder, "composer.html", schedule())
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        yield Figure(page, base + "composer.html", SHOWN)
        page.close()


@pytest.fixture
def composer(figure: Figure) -> Figure:
    figure.press("restore", "Enter")
    return figure


def theirs(line: str) -> list[float]:
    """Run PyTorch's line, and return the rate of each update."""
    names = {each.__name__: each for each in (ConstantLR, CosineAnnealingLR, ExponentialLR)}
    names |= {"SGD": SGD, "LinearLR": LinearLR, "SequentialLR": SequentialLR}
    names["model"] = torch.nn.Linear(1, 1)
    exec(line, names)
    optimizer, scheduler = names["optimizer"], names["scheduler"]
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def ours(line: str) -> list[float]:
    """Run the book's line, and return the rate of each update."""
    names = {"partial": partial, "constant": constant, "cosine": cosine, "linear": linear}
    names |= {"exponential": exponential, "sequential": sequential}
    exec(line, names)
    return [names["schedule"](step) for step in range(STEPS)]


@pytest.mark.filterwarnings("ignore::UserWarning:torch.optim.lr_scheduler")
def test_both_lines_make_the_rates_that_are_shown(composer: Figure) -> None:
    made = json.loads(composer.page.evaluate(COMPOSED, STATES))
    for state, found in zip(STATES, made, strict=True):
        assert ours(found["descent"]) == pytest.approx(found["rates"], rel=1e-12), state
        assert theirs(found["torch"]) == pytest.approx(found["rates"], rel=1e-9), state


def ends(rates: Tensor, noise: float) -> float:
    """Return the expected loss after the last step, by the recursion of the chapter on SGD."""
    pairs = [
        (curvature, sgd_schedule_mean_square(1.0, rates, curvature, noise**2)[-1].item())
        for curvature in CURVATURES
    ]
    return sum(0.5 * curvature * square for curvature, square in pairs)


@pytest.mark.parametrize("noise", [0.1, 0.3, 1.0])
def test_the_losses_are_those_of_the_recursion(composer: Figure, noise: float) -> None:
    rates = torch.tensor(ours("schedule = partial(linear, lr=0.16, num_steps=500)"))
    found = json.loads(composer.page.evaluate(LOSSES, [rates.tolist(), noise]))
    assert found["losses"][-1] == pytest.approx(ends(rates.double(), noise), rel=1e-12)
    assert found["start"] == pytest.approx(ends(rates.double(), 0.0), rel=1e-12)
    best = torch.tensor(found["best"], dtype=torch.float64, requires_grad=True)
    squares = torch.ones(len(CURVATURES), dtype=torch.float64)
    curvatures = torch.tensor(CURVATURES, dtype=torch.float64)
    for lr in best:
        squares = (1 - lr * curvatures) ** 2 * squares + lr**2 * noise**2
    loss = 0.5 * (curvatures * squares).sum()
    loss.backward()
    # At the best rates no rate alone can be bettered; elsewhere the slope is of the loss's size.
    assert best.grad.abs().max() < 1e-5 * loss.item()
    assert loss.item() < found["losses"][-1]


def test_the_bowl_is_that_of_the_chapter() -> None:
    wanted = torch.logspace(-2, 0, 10, dtype=torch.float64)
    torch.testing.assert_close(torch.tensor(CURVATURES, dtype=torch.float64), wanted)


ALL = {"rates", "losses", "facts", "torch", "descent"}


@pytest.mark.parametrize(
    ("name", "key", "changes"),
    [
        ("lr", "PageUp", ALL | {"lr", "peak", "end"}),
        ("warmup_steps", "PageUp", ALL | {"warmup_steps", "peak"}),
        ("decay_start", "PageDown", ALL | {"decay_start", "turn"}),
        ("end_factor", "PageUp", ALL | {"end_factor", "end"}),
        ("noise", "PageUp", {"noise", "losses"}),
        ("peak", "ArrowRight", ALL | {"warmup_steps", "peak"}),
        ("peak", "ArrowUp", ALL | {"lr", "peak", "end"}),
        ("turn", "ArrowLeft", ALL | {"decay_start", "turn"}),
        ("end", "ArrowUp", ALL | {"end_factor", "end"}),
        ("guess", "PageUp", {"guess"}),
        ("restore", "Enter", set()),
    ],
)
def test_a_control_changes_what_it_should(
    composer: Figure, name: str, key: str, changes: set[str]
) -> None:
    assert composer.changed_by(name, key) == changes
    assert composer.complaints == []


def test_each_shape_has_its_own_rates(composer: Figure) -> None:
    seen = set()
    for shape in SHAPES:
        composer.control("shape").select_option(shape)
        composer.settle()
        shown = composer.shown()
        seen.add(shown["rates"])
        assert shown["shape"] == shape
        assert f"partial({shape}" in shown["descent"]
    assert len(seen) == len(SHAPES)


def test_a_warmup_pushes_the_way_down(composer: Figure) -> None:
    composer.press("decay_start", "Home")
    assert composer.shown()["warmup_steps"] == "0 steps"
    composer.press("warmup_steps", "End")
    assert composer.shown()["decay_start"] == "step 250"


def test_a_point_is_dragged(composer: Figure) -> None:
    before = composer.shown()
    box = composer.control("peak").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    composer.page.mouse.move(*middle)
    composer.page.mouse.down()
    composer.page.mouse.move(middle[0] + 50, middle[1] - 30)
    composer.page.mouse.up()
    composer.settle()
    after = composer.shown()
    changed = {key for key in before if before[key] != after[key]}
    assert changed == ALL | {"lr", "warmup_steps", "peak", "end"}
    moved = composer.control("peak").bounding_box()
    assert (moved["x"] - box["x"], moved["y"] - box["y"]) == pytest.approx((50, -30), abs=1)


def test_the_best_rates_are_drawn_after_the_guess(composer: Figure) -> None:
    composer.open(composer.url)
    assert composer.shown()["best"] == ""
    assert composer.changed_by("check", "Enter") == {"answer", "best", "facts"}
    shown = composer.shown()
    assert shown["answer"].startswith("1.16 times: 0.0192 against 0.0165,")
    assert "You guessed 1.2." in shown["answer"]
    assert "Both, over the least1.16" in shown["facts"]


def test_the_lines_are_copied(composer: Figure) -> None:
    composer.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for name in ("torch", "descent"):
        composer.press(f"copy-{name}", "Enter")
        composer.page.wait_for_timeout(50)
        copied = composer.page.evaluate("navigator.clipboard.readText()")
        assert copied == composer.shown()[name]


def test_a_link_brings_back_the_same_picture(composer: Figure) -> None:
    composer.open(composer.url)
    composer.press("peak", "ArrowUp", "ArrowRight")
    composer.press("end", "ArrowUp")
    shown = composer.shown()
    composer.press("copy", "Enter")
    composer.open(composer.page.url)
    assert composer.shown() == shown


def test_a_bad_link_gives_the_default(composer: Figure) -> None:
    composer.open(composer.url)
    default = composer.shown()
    for link in (
        "shape=__proto__", "lr=NaN", "lr=1e999", "warmup_steps=2.5", "decay_start=501",
        "end_factor=0", "warmup_steps=50&decay_start=40", "shape=%3Cscript%3E",
    ):  # fmt: skip
        composer.press("lr", "PageUp")
        composer.follow(f"schedule?{link}")
        assert composer.shown() == default | {"notice": False}, link
    assert composer.complaints == []
