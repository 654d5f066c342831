"""The ravine, control by control: each changes what it should, and nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from accessibility import faults
from figures import Figure, served, write_page
from playwright.sync_api import Browser, Page

from descent.optim import OPTIMIZERS
from descent.playground import ravine
from descent.playground._description import description

RACERS = {"gradient descent": {"lr": 0.18}, "SGD": {"lr": 0.1, "momentum": 0.6}}
SHOWN = """() => {
  const root = document.querySelector(".playground").shadowRoot;
  const all = (selector) => [...root.querySelectorAll(selector)];
  const words = (selector) => all(selector).map((each) => each.textContent);
  const found = {
    rings: root.querySelector(".rings").getAttribute("d"),
    goal: root.querySelector(".goal").getAttribute("transform"),
    losses: all(".side .path").map((each) => each.getAttribute("points")),
    factors: words(".factors").join(),
    numbers: words(".racer table"),
    question: words(".question").join(),
    step: words(".transport output").join(),
    answer: words(".answer").join(),
    ticks: all(".racer .tick").map((each) => !each.hidden),
    notice: all(".notice").map((each) => (each.hidden ? "" : each.textContent)).join(),
  };
  all(".map .path").forEach((each, k) => {
    found[`path ${k}`] = each.style.display === "none" ? null : each.getAttribute("points");
  });
  all("[data-name]").forEach((each) => {
    const said = each.getAttribute("aria-valuetext") ?? each.getAttribute("aria-label");
    const own = each.type === "checkbox" ? each.checked : each.tagName === "SELECT" && each.value;
    found[`control ${each.dataset.name}`] = own || (said ?? each.textContent);
  });
  return found;
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("ravine")
    with served(folder) as base:
        write_page(folder, "alone.html", ravine())
        write_page(folder, "pair.html", ravine(racers=RACERS))
        write_page(folder, "noisy.html", ravine("noisy bowl"))
        for name, optimizer in OPTIMIZERS.items():
            pair = [(name, {"lr": 0.05}), ("gradient descent", {"lr": 0.1})]
            write_page(folder, f"{optimizer.__name__}.html", ravine(racers=pair))
        yield base


@pytest.fixture
def alone(page: Page, site: str) -> Figure:
    return Figure(page, site + "alone.html", SHOWN)


@pytest.fixture(scope="module")
def steady(browser: Browser, site: str) -> Iterator[Figure]:
    """A page for many tests, each of which begins by starting over."""
    figure = Figure(
        browser.new_page(viewport={"width": 1440, "height": 900}), site + "pair.html", SHOWN
    )
    yield figure
    figure.page.close()


@pytest.fixture
def pair(page: Page, site: str) -> Figure:
    return Figure(page, site + "pair.html", SHOWN)


RUN = {"path 0", "path 1", "losses", "numbers"}


@pytest.mark.parametrize(
    ("name", "keys", "changes"),
    [
        ("kappa", ["PageUp"], RUN | {"rings", "factors", "control kappa"}),
        ("angle", ["PageUp"], RUN | {"rings", "control angle"}),
        ("num_steps", ["PageUp"], RUN | {"step", "control at", "control num_steps"}),
        ("start", ["ArrowLeft"], RUN | {"control start"}),
        ("start", ["Shift+ArrowDown"], RUN | {"control start"}),
        ("lr-0", ["ArrowLeft"], {"path 0", "losses", "numbers", "factors", "control lr-0"}),
        ("lr-1", ["ArrowLeft"], {"path 1", "losses", "numbers", "control lr-1"}),
        ("momentum-1", ["PageUp"], {"path 1", "losses", "numbers", "control momentum-1"}),
        ("reset", ["Enter"], RUN | {"step", "control at"}),
        ("at", ["ArrowLeft"], RUN | {"step", "control at"}),
        ("guess", ["PageUp"], {"control guess"}),
        ("restore", ["Enter"], set()),
    ],
)
def test_a_control_changes_what_it_should(
    steady: Figure, name: str, keys: list[str], changes: set[str]
) -> None:
    steady.press("restore", "Enter")
    assert steady.changed_by(name, *keys) == changes
    assert steady.complaints == []


@pytest.mark.parametrize("name", ["check", "answer"])
def test_the_answer_is_drawn_when_it_is_asked_for(pair: Figure, name: str) -> None:
    assert pair.changed_by(name, "Enter") == {"answer", "ticks"}


def test_the_noise_belongs_to_the_noisy_bowl(page: Page, site: str) -> None:
    figure = Figure(page, site + "noisy.html", SHOWN)
    expected = {"path 0", "losses", "numbers", "control noise"}
    assert figure.changed_by("noise", "PageUp") == expected
    figure.open(site + "alone.html")
    assert figure.control("noise").is_disabled()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_hyperparameter_moves_its_own_path(page: Page, site: str, optimizer: str) -> None:
    figure = Figure(page, f"{site}{OPTIMIZERS[optimizer].__name__}.html", SHOWN)
    described = description()["optimizers"][optimizer]["hyperparameters"]
    for each in described:
        several = range(len(each["default"])) if each["kind"] == "numbers" else [""]
        for place in several:
            name = f"{each['name']}{place}-0"
            if each["name"] in {"nesterov", "dampening"}:
                figure.press("momentum-0", "End")
            # Without momentum, dampening is nothing; without decay, it is not decoupled.
            if each["name"] == "decoupled_weight_decay":
                figure.press("weight_decay-0", "End")
            keys = ["Space"] if each["kind"] == "flag" else ["Home", "End"]
            changes = figure.changed_by(name, *keys)
            assert {"path 0", f"control {name}"} <= changes, name
            assert "path 1" not in changes, name
            figure.press("restore", "Enter")
    assert figure.complaints == []


def test_nesterov_goes_where_momentum_goes(page: Page, site: str) -> None:
    figure = Figure(page, f"{site}SGD.html", SHOWN)
    assert figure.control("nesterov-0").is_disabled()
    figure.press("momentum-0", "End")
    figure.press("nesterov-0", "Space")
    assert figure.control("nesterov-0").is_checked()
    figure.press("momentum-0", "Home")
    assert not figure.control("nesterov-0").is_checked()
    assert figure.control("nesterov-0").is_disabled()


def test_surfaces_have_their_own_lines_start_and_rates(pair: Figure) -> None:
    lines = set()
    for name, surface in description()["surfaces"].items():
        pair.control("surface").select_option(name)
        pair.settle()
        shown = pair.shown()
        lines.add(shown["rings"])
        assert shown["control surface"] == name
        assert pair.control("kappa").is_disabled() == ("kappa" not in surface["takes"])
        assert pair.control("angle").is_disabled() == ("angle" not in surface["takes"])
        assert len(shown["path 0"].split(" ")) == 61, name  # it stays within all bounds
        assert ("|1 − ηλ|" in shown["factors"]) == ("kappa" in surface["takes"])
    assert len(lines) >= 5  # the noise changes no line


def test_optimizers_come_and_go_up_to_three(alone: Figure) -> None:
    assert alone.shown()["path 1"] is None
    assert alone.control("remove-0").count() == 0
    alone.press("add", "Enter")
    alone.press("add", "Enter")
    assert alone.control("add").count() == 0
    shown = alone.shown()
    assert [shown[f"control optimizer-{k}"] for k in range(3)] == [
        "gradient descent",
        "SGD",
        "Adam",
    ]
    alone.press("remove-0", "Enter")
    after = alone.shown()
    assert after["path 0"] == shown["path 1"]
    assert after["path 1"] == shown["path 2"]
    assert after["path 2"] is None


def test_an_optimizer_is_exchanged_for_another(pair: Figure) -> None:
    before = pair.shown()
    pair.control("optimizer-0").select_option("Adagrad")
    pair.settle()
    after = pair.shown()
    assert after["control lr-0"] == before["control lr-0"]
    assert after["control lr_decay-0"] == "0"
    assert after["path 0"] != before["path 0"]
    assert after["path 1"] == before["path 1"]
    assert "sum s" in after["numbers"][0]


def test_the_rate_snaps_at_the_limit_and_beyond_it_the_path_leaves(alone: Figure) -> None:
    alone.press("check", "Enter")
    answer = alone.shown()["answer"]
    assert "2/L = 2/κ = 0.2" in answer
    assert "0.03, it ends 0.7 times" in answer
    said = []
    for _ in range(20):
        alone.press("lr-0", "ArrowRight")
        said.append(alone.shown()["control lr-0"])
        if "2/L" in said[-1]:
            break
    assert said[-1] == "0.2, which is 2/L"
    shown = alone.shown()
    assert re.search(r"steep, λ = 10\s*1stays", shown["factors"])
    alone.press("lr-0", *["ArrowRight"] * 12)
    shown = alone.shown()
    assert "grows" in shown["factors"]
    first, last = (shown["path 0"].split(" ")[k].split(",") for k in (0, -1))
    assert abs(float(last[1])) > abs(float(first[1]))


def test_the_point_is_dragged(alone: Figure) -> None:
    before = alone.shown()
    box = alone.control("start").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    alone.page.mouse.move(*middle)
    alone.page.mouse.down()
    alone.page.mouse.move(middle[0] + 60, middle[1] + 30)
    alone.page.mouse.up()
    alone.settle()
    after = alone.shown()
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"path 0", "losses", "numbers", "control start"}
    moved = alone.control("start").bounding_box()
    assert (moved["x"] - box["x"], moved["y"] - box["y"]) == pytest.approx((60, 30), abs=1)


def test_it_plays_pauses_steps_and_ends(alone: Figure) -> None:
    alone.press("reset", "Enter")
    assert alone.shown()["step"] == "0 of 60"
    alone.press("step", "Enter")
    assert alone.shown()["step"] == "1 of 60"
    assert len(alone.shown()["path 0"].split(" ")) == 2
    alone.press("play", "Enter")
    alone.page.wait_for_function(
        "() => parseInt(document.querySelector('.playground').shadowRoot"
        ".querySelector('.transport output').textContent) > 5"
    )
    alone.press("play", "Enter")
    assert alone.shown()["control play"] == "Play"
    paused = alone.shown()
    alone.page.wait_for_timeout(300)
    assert alone.shown() == paused
    alone.press("at", "End")
    alone.press("at", "ArrowLeft")
    alone.press("play", "Enter")
    alone.page.wait_for_timeout(500)
    assert alone.shown()["control play"] == "Play"
    assert alone.shown()["step"] == "60 of 60"


def test_with_reduced_motion_the_whole_run_is_there_at_once(alone: Figure) -> None:
    alone.page.emulate_media(reduced_motion="reduce")
    alone.press("reset", "Enter")
    alone.press("play", "Enter")
    assert alone.shown()["step"] == "60 of 60"
    assert alone.shown()["control play"] == "Play"


def test_nothing_runs_out_of_sight(page: Page, site: str) -> None:
    page.add_init_script(
        "window.asked = 0; const plain = requestAnimationFrame.bind(window);"
        "window.requestAnimationFrame = (f) => { window.asked += 1; return plain(f); };"
    )
    figure = Figure(page, site + "alone.html", SHOWN)
    page.evaluate("document.body.style.paddingBottom = '5000px'")
    figure.press("reset", "Enter")
    figure.control("play").click()
    page.wait_for_timeout(200)
    page.evaluate("scrollTo(0, 4000)")
    page.wait_for_timeout(200)
    asked = page.evaluate("window.asked")
    page.wait_for_timeout(300)
    assert page.evaluate("window.asked") == asked
    assert figure.shown()["control play"] == "Pause"
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(200)
    assert page.evaluate("window.asked") > asked


def test_a_link_brings_back_the_same_picture(pair: Figure) -> None:
    pair.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pair.press("start", "ArrowLeft", "Shift+ArrowDown")
    pair.press("kappa", "PageUp")
    pair.press("angle", "PageDown")
    pair.press("momentum-1", "ArrowRight")
    pair.press("add", "Enter")
    pair.press("betas1-2", "ArrowLeft")
    pair.press("at", "ArrowLeft")
    shown = pair.shown()
    pair.press("copy", "Enter")
    link = pair.page.evaluate("navigator.clipboard.readText()")
    assert link == pair.page.url
    pair.open(link)
    assert pair.shown() == shown
    pair.press("copy", "Enter")
    assert pair.page.url == link


@pytest.mark.parametrize(
    "link",
    [
        "kappa=NaN",
        "kappa=1e999",
        "kappa=0.5",
        "kappa=",
        "angle=0x10",
        "num_steps=2.5",
        "num_steps=1e9",
        "surface=volcano",
        "surface=__proto__",
        "start=1",
        "start=1,2,3",
        "start=9,9",
        "at=-1",
        "at=1.5",
        "racer=Sophia",
        "racer=__proto__",
        "racer=Adam;lr:-1",
        "racer=Adam;betas:0.9",
        "racer=Adam;betas:0.9,1",
        "racer=Adam;momentum:0.9",
        "racer=Adam;amsgrad:yes",
        "racer=SGD;nesterov:true",
        "racer=Adam&racer=Adam&racer=Adam&racer=Adam",
        "racer=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
        "surface=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ],
)
def test_a_bad_link_gives_the_default_and_says_so(steady: Figure, link: str) -> None:
    steady.press("restore", "Enter")
    default = steady.shown()
    steady.press("kappa", "PageUp")
    steady.page.evaluate("link => { location.hash = link; }", f"ravine?{link}")
    steady.page.wait_for_function(
        "() => !document.querySelector('.playground').shadowRoot.querySelector('.notice').hidden"
    )
    steady.settle()
    shown = steady.shown()
    assert shown.pop("notice").startswith("This link cannot be shown: ")
    assert default.pop("notice") == ""
    assert shown == default
    assert steady.page.locator(".playground .notice").inner_html().count("<") == 0
    assert steady.complaints == []


def test_a_notebook_has_the_same_figure(page: Page, tmp_path: Path, site: str) -> None:
    state = {"kappa": 30.0, "racers": [("Adam", {"lr": 0.1, "betas": (0.8, 0.99)})]}
    output = ravine(**state)._repr_html_()
    (tmp_path / "output.html").write_text(f"<meta charset=utf-8>{output}{output}")
    figure = Figure(page, (tmp_path / "output.html").as_uri(), SHOWN)
    assert page.locator(".playground[data-started]").count() == 2
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = figure.shown()
    figure.page.locator("[data-name=copy]").first.click()
    figure.page.wait_for_timeout(100)
    # The call that was copied makes the same figure again.
    call = page.locator(".copied").first.text_content()
    if call == "Copied.":
        call = page.evaluate("navigator.clipboard.readText()")
    again = eval(call.removeprefix("descent.playground."), {"ravine": ravine})
    assert again.state == ravine(**state).state
    (tmp_path / "again.html").write_text(f"<meta charset=utf-8>{again._repr_html_()}")
    figure.open((tmp_path / "again.html").as_uri())
    assert figure.shown() == shown
    assert figure.complaints == []
    assert {url.split(":")[0] for url in figure.requests} <= {"file", "about"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(pair: Figure, theme: str) -> None:
    pair.page.emulate_media(color_scheme=theme)
    pair.press("add", "Enter")
    for details in pair.page.locator(".playground details").all():
        details.evaluate("each => each.setAttribute('open', '')")
    assert faults(pair.page, theme, {"include": [["main"]]}) == []
    pair.press("check", "Enter")
    assert faults(pair.page, theme, {"include": [["main"]]}) == []


def test_a_change_is_said_once_it_has_come_to_rest(alone: Figure) -> None:
    said = alone.page.evaluate(
        """() => new Promise((done) => {
          const root = document.querySelector(".playground").shadowRoot;
          const status = root.querySelector(".unseen");
          const kappa = root.querySelector("[data-name=kappa]");
          const said = [];
          new MutationObserver(() => said.push(status.textContent)).observe(status, {
            childList: true, characterData: true, subtree: true,
          });
          for (let moved = 0; moved < 20; moved += 1) {
            kappa.value = Number(kappa.value) + 1;
            kappa.dispatchEvent(new Event("input"));
          }
          setTimeout(() => done(said), 1500);
        })"""
    )
    assert len(said) == 1
    assert re.fullmatch(r"gradient descent: loss \S.* after 60 steps\.", said[0])


def test_fingers_find_everything_on_a_phone(browser: Browser, site: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    figure = Figure(context.new_page(), site + "pair.html", SHOWN)
    for details in figure.page.locator(".playground details").all():
        details.evaluate("each => each.setAttribute('open', '')")
    small = figure.page.evaluate(
        """() => [...document.querySelector(".playground").shadowRoot
          .querySelectorAll("button, select, summary, input[type=range], .checkbox")]
          .filter((each) => each.checkVisibility())
          .map((each) => [each.dataset.name ?? each.className, each.getBoundingClientRect()])
          .filter(([, box]) => box.height < 44 || box.width < 44)
          .map(([name, box]) => [name, box.width, box.height])"""
    )
    assert small == []
    assert figure.page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_it_needs_no_other_host(alone: Figure) -> None:
    assert alone.complaints == []
    own = alone.url.rsplit("/", 1)[0]
    assert all(url.startswith((f"{own}/", "about:")) for url in alone.requests)


def test_names_defaults_and_ranges_are_those_of_the_package(alone: Figure) -> None:
    taken = alone.page.evaluate(
        "async () => (await import('./description.js')).DESCRIPTION.optimizers"
    )
    assert taken == json.loads(json.dumps(description()["optimizers"]))
    for name in OPTIMIZERS:
        alone.control("optimizer-0").select_option(name)
        alone.settle()
        names = alone.page.evaluate(
            """() => [...document.querySelector(".playground").shadowRoot
              .querySelectorAll(".racer :is(input)")].map((each) => each.dataset.name)"""
        )
        shown = {re.sub(r"\d?-0$", "", each) for each in names}
        assert shown == set(OPTIMIZERS[name].hyperparameters)
