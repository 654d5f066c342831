"""Adam under a microscope: its steps and bounds, painting, and what the controls change."""

import json
from collections.abc import Iterator

import pytest
import torch
from figures import Figure, served, write_page
from playwright.sync_api import Browser, Page
from torch import Tensor

from descent.chapters.adam.theory import adam_burst_step, adam_max_step, adam_uncorrected_step
from descent.optim import OPTIMIZERS
from descent.playground import microscope
from descent.playground._gradients import GRADIENTS, LENGTH

SILENCES = [0, 7, 400]
BETAS = [(0.9, 0.999), (0.0, 0.5), (0.9, 0.95), (0.5, 0.25), (0.99, 0.9)]
TRACED = """async ([rule, given]) => {
  const { traced } = await import("./microscope.js");
  const plain = (value) => (value instanceof Float64Array ? value[0] : value);
  const made = given.map(({ options, ...each }) =>
    traced(rule, options, each).map(({ step, state }) => ({
      step, state: Object.fromEntries(Object.entries(state).map(([k, v]) => [k, plain(v)])),
    })));
  return JSON.stringify(made);
}"""
MAGNIFIED = """async (state) => (await import("./microscope.js")).magnified(state)"""
BOUNDS = """async (cases) => {
  const { adamBurstStep, adamMaxStep, adamUncorrectedStep } = await import("./theory.js");
  return cases.map(([beta1, beta2, silence, repeats]) => [
    adamUncorrectedStep(beta1, beta2, repeats),
    adamBurstStep(beta1, beta2, silence, repeats),
    adamMaxStep(beta1, beta2),
  ]);
}"""
SHOWN = """() => {
  const root = document.querySelector(".playground").shadowRoot;
  const all = (selector) => [...root.querySelectorAll(selector)];
  const drawn = (selector) => all(selector).map((each) => each.getAttribute("d"));
  const said = (name) => root.querySelector(`[data-name=${name}]`).getAttribute("aria-valuetext");
  const paths = drawn(".path");
  return {
    bars: drawn(".bars").join(),
    plain: paths[0], other: paths[1], adam: paths[2], averages: paths.slice(3).join(),
    bounds: all(".mark").map((each) => each.textContent).join(" ").trim(),
    levels: drawn(".level").join(""),
    facts: root.querySelector(".facts").textContent,
    answer: root.querySelector(".answer").textContent,
    brush: root.querySelector("[data-name=brush]").getAttribute("aria-label"),
    beside: root.querySelector("[data-name=other]").value,
    silence: said("silence"), beta1: said("beta1"), beta2: said("beta2"), guess: said("guess"),
    notice: root.querySelector(".notice").hidden,
  };
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("microscope")
    with served(folder) as base:
        write_page(folder, "adam.html", microscope())
        yield base


@pytest.fixture(scope="module")
def figure(browser: Browser, site: str) -> Iterator[Figure]:
    """A page for all tests, each of which begins by starting over."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    yield Figure(page, site + "adam.html", SHOWN)
    page.close()


@pytest.fixture
def adam(figure: Figure) -> Figure:
    figure.press("restore", "Enter")
    return figure


@pytest.fixture(scope="module")
def modules(browser: Browser, site: str) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(site + "empty.html")
    yield page
    page.close()


def followed(optimizer: str, silence: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the steps by the package's rule at a rate of 1, each from 0, and the last state.

    Each sequence of gradients is a parameter of its own.
    """
    options = OPTIMIZERS[optimizer].complete(lr=1.0)
    origin = torch.zeros(len(GRADIENTS), dtype=torch.float64)
    gradients = torch.tensor([each for _, each in GRADIENTS.values()], dtype=torch.float64).T
    state, steps = {}, []
    for grad in (*torch.zeros(silence, len(GRADIENTS)).to(gradients), *gradients):
        param, state = OPTIMIZERS[optimizer].rule(origin, grad, state, **options)
        steps.append(-param)
    return torch.stack(steps[silence:], dim=1), state


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_its_steps_are_those_of_the_package(modules: Page, optimizer: str) -> None:
    options = OPTIMIZERS[optimizer].complete()
    sent = [
        {"silence": silence, "gradients": values, "options": options}
        for silence in SILENCES
        for _, values in GRADIENTS.values()
    ]
    rule = OPTIMIZERS[optimizer].__name__
    made = iter(json.loads(modules.evaluate(TRACED, [rule, sent])))
    for silence in SILENCES:
        steps, state = followed(optimizer, silence)
        for k, wanted in enumerate(steps.tolist()):
            found = next(made)
            assert [each["step"] for each in found] == pytest.approx(wanted, rel=1e-12, abs=1e-300)
            last = {name: float(each[k] if each.ndim else each) for name, each in state.items()}
            assert found[-1]["state"] == pytest.approx(last, rel=1e-12)


def test_without_corrections_it_steps_as_the_chapter_says(modules: Page) -> None:
    state = {"gradients": [1.0] * LENGTH, "silence": 0, "beta1": 0.9, "beta2": 0.999}
    for t, each in enumerate(modules.evaluate(MAGNIFIED, state), start=1):
        # The chapter has no epsilon, which is 1e-8 beside a root of 0.03 or more.
        assert each["plain"] == pytest.approx(adam_uncorrected_step(0.9, 0.999, t), rel=1e-6)
        assert each["mean"] == pytest.approx(1.0, rel=1e-12)
        assert each["size"] == pytest.approx(1.0, rel=1e-12)
        assert each["m"] == pytest.approx(each["mass1"], rel=1e-12)
        assert each["root"] ** 2 == pytest.approx(each["mass2"], rel=1e-12)


def test_the_bounds_are_those_of_the_chapter(modules: Page) -> None:
    cases = [
        (*betas, silence, repeats)
        for betas in BETAS
        for silence in (0, 1, 5000)
        for repeats in (1, 12, 60)
    ]
    for (beta1, beta2, silence, repeats), found in zip(
        cases, modules.evaluate(BOUNDS, cases), strict=True
    ):
        plain, burst, longest = found
        assert plain == pytest.approx(adam_uncorrected_step(beta1, beta2, repeats), rel=1e-12)
        wanted = adam_burst_step(beta1, beta2, silence, repeats)
        assert burst == pytest.approx(wanted, rel=1e-12)
        if beta1**2 < beta2:
            assert longest == pytest.approx(adam_max_step(beta1, beta2), rel=1e-12)
        else:
            assert longest is None


STEPS = {"averages", "adam", "plain", "other", "facts"}


@pytest.mark.parametrize(
    ("name", "keys", "changes"),
    [
        ("preset-1", ["Enter"], STEPS | {"bars", "silence"}),
        ("preset-2", ["Enter"], STEPS | {"bars", "brush"}),
        ("preset-3", ["Enter"], STEPS | {"bars", "silence"}),
        ("silence", ["PageUp"], {"averages", "adam", "facts", "silence"}),
        ("beta1", ["PageUp"], {"averages", "plain", "facts", "beta1"}),
        ("beta2", ["PageUp"], {"averages", "plain", "facts", "beta2"}),
        ("brush", ["ArrowLeft"], {"brush", "facts"}),
        ("brush", ["Shift+ArrowDown"], STEPS | {"brush", "bars"}),
        ("guess", ["PageUp"], {"guess"}),
        ("check", ["Enter"], {"answer", "bounds", "levels"}),
        ("restore", ["Enter"], set()),
    ],
)
def test_a_control_changes_what_it_should(
    adam: Figure, name: str, keys: list[str], changes: set[str]
) -> None:
    if name == "check":
        adam.open(adam.url)
    assert adam.changed_by(name, *keys) == changes
    assert adam.complaints == []


def test_the_optimizer_beside_it_is_exchanged(adam: Figure) -> None:
    adam.open(adam.url)
    adam.press("check", "Enter")
    adam.press("preset-2", "Enter")
    before = adam.shown()
    adam.control("other").select_option("Adamax")
    adam.settle()
    after = adam.shown()
    changed = {key for key in before if before[key] != after[key]}
    # The axis is shorter without RMSprop's first steps.
    assert changed == {"beside", "other", "facts", "adam", "plain", "levels"}


def test_the_bounds_are_drawn_after_the_guess(adam: Figure) -> None:
    adam.open(adam.url)
    assert adam.shown()["bounds"] == ""
    adam.press("check", "Enter")
    shown = adam.shown()
    assert shown["bounds"] == "1 3.16 7.27"
    assert "the factor β₂/β₁ = 1.11" in shown["answer"]
    assert "Your guess was 1." in shown["answer"]
    adam.press("beta2", "Home")
    assert "nothing bounds them all" in adam.shown()["answer"]


def test_it_is_painted_where_the_pointer_is(adam: Figure) -> None:
    before = adam.shown()["bars"].split("M")[1:]
    box = adam.page.locator(".plot svg").first.bounding_box()
    middle = box["y"] + box["height"] * 0.45
    adam.page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    adam.page.mouse.down()
    adam.page.mouse.move(box["x"] + 0.5 * box["width"], middle)
    adam.page.mouse.up()
    adam.settle()
    after = adam.shown()["bars"].split("M")[1:]
    painted = [k for k in range(LENGTH) if before[k] != after[k]]
    assert painted == list(range(painted[0], painted[-1] + 1))
    assert 11 < len(painted) < 17  # a fifth of the picture, whose margins show no gradients
    assert len({after[k].split("V")[1] for k in painted}) == 1


def test_a_link_brings_back_the_same_picture(adam: Figure) -> None:
    adam.open(adam.url)
    adam.press("preset-2", "Enter")
    adam.press("brush", "ArrowLeft", "ArrowDown")
    adam.press("beta1", "PageUp")
    shown = adam.shown()
    adam.press("copy", "Enter")
    adam.open(adam.page.url)
    assert adam.shown() == shown
    adam.open(adam.url)


def test_a_bad_link_gives_the_default(adam: Figure) -> None:
    adam.open(adam.url)
    default = adam.shown()
    row = ",".join(["0"] * (LENGTH - 1))
    for link in (
        "silence=1.5", "beta1=1", "beta2=NaN", "other=__proto__", "at=0", "gradients=1,2",
        f"gradients={row},2", f"gradients={row},1e999", f"gradients={row},",
        "other=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ):  # fmt: skip
        adam.press("preset-1", "Enter")
        adam.follow(f"microscope?{link}")
        assert adam.shown() == default | {"notice": False}, link
    assert adam.complaints == []
