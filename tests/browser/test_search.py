"""What a reader asks the search for, and what comes first."""

from collections.abc import Iterator

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

import search
from descent.press.pages import ROOT, chapters_in_toc
from opening import title

FIRST = {
    "warmup": "lr_decay.html#why-warm-up",
    "warm up": "lr_decay.html#why-warm-up",
    "Warm-up": "lr_decay.html#why-warm-up",
    "预热": "lr_decay.html#why-warm-up",
    "cheat sheet": "cheat_sheet.html",
    "cheatsheet": "cheat_sheet.html",
    "which optimizer": "quick_answers.html#which-optimizer",
    "优化器": "quick_answers.html#which-optimizer",
    "which batch size": "quick_answers.html#which-batch-size",
    "loss spike": "quick_answers.html#what-is-wrong-with-my-run",
    "lr decay": "lr_decay.html",
    "学习率衰减": "lr_decay.html",
    "learning rate finder": "lr_decay.html#find-the-peak",
    "momentum": "momentum.html",
    "动量": "momentum.html",
    "动量法": "momentum.html",
    "nesterov": "momentum.html#nesterov-look-before-you-brake",
    "损失函数": "losses.html",
    "交叉熵": "losses_outputs.html#what-does-cross-entropy-estimate",
    "label smoothing": "losses_outputs.html#label-smoothing",
    "gradient descent": "gradient_descent.html",
    "梯度下降": "gradient_descent.html",
    "edge of stability": "gradient_descent.html#the-edge-of-stability",
    "SGD": "sgd.html",
    "随机梯度下降": "sgd.html",
    "noise floor": "sgd.html#the-noise-floor",
    "RMSprop": "rmsprop.html",
    "adam": "adam.html",
    "权重衰减": "momentum.html#weight-decay",
    "eps": "adam.html#where-epsilon-stands",
    "float16": "step_cost.html#gradients-that-vanish-in-float16",
    "saddle point": "glossary.html#term-saddle-point",
    "exercises momentum": "momentum_lab.html",
    "clip_grad_norm": "api/optim.html#descent.optim.clip_grad_norm",
}


@pytest.fixture(scope="module")
def asked(browser: Browser, base: str) -> Iterator[Page]:
    """The page of the search, on which something has been asked for."""
    page = browser.new_page()
    page.goto(f"{base}search.html?q=gradient")
    expect(page.locator("#search-results li").first).to_be_visible()
    yield page
    page.close()


def answers(asked: Page, query: str) -> list[str]:
    """Ask, and list where the hits lead."""
    asked.locator(".bd-search-container input").fill(query)
    links = asked.locator("#search-results a").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    return [link.removeprefix("book/") for link in links]


@pytest.mark.parametrize("query", FIRST)
def test_what_is_wanted_comes_first(asked: Page, query: str) -> None:
    assert answers(asked, query)[0] == FIRST[query]


def test_every_other_name_of_a_term_finds_it(asked: Page) -> None:
    terms = yaml.safe_load(search.SYNONYMS.read_text(encoding="utf-8"))
    for term, others in terms.items():
        found = answers(asked, term)
        assert found, term
        for other in others:
            assert answers(asked, other)[:5] == found[:5], other


def test_chapters_come_before_their_labs_and_the_reference(asked: Page) -> None:
    for name, pages in chapters_in_toc().items():
        found = answers(asked, title((ROOT / f"book/{name}.md").read_text(encoding="utf-8")))
        own, labs, api = (
            [at for at, link in enumerate(found) if link.startswith(tuple(starts))]
            for starts in ([f"{page}.html" for page in pages], [f"{name}_lab.html"], ["api/"])
        )
        assert own[0] < min([*labs, *api, len(found)]), name


def test_excerpts_are_sentences(asked: Page) -> None:
    for query in ("momentum", "learning rate", "kappa", "cross-entropy", "warmup"):
        assert answers(asked, query)
        excerpts = asked.locator("#search-results p.context")
        texts = excerpts.evaluate_all(
            """all => all.map(each => {
              each.querySelectorAll("math").forEach(math => math.remove());
              return each.textContent;
            })"""
        )
        assert [text for text in texts if "\\" in text or "$" in text or len(text) > 600] == []


def test_nonsense_is_not_found(asked: Page) -> None:
    assert answers(asked, "qqzzxx") == []
    expect(asked.get_by_role("status")).to_have_text("No sections found.")


def test_the_button_leads_to_the_search(page: Page, base: str) -> None:
    page.goto(f"{base}book/momentum.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("warm up")
    page.keyboard.press("Enter")
    page.locator("#search-results a").first.click()
    expect(page).to_have_url(f"{base}book/lr_decay.html#why-warm-up")


def test_a_hit_opens_at_its_section(page: Page, base: str) -> None:
    page.goto(f"{base}search.html?q=nesterov")
    page.locator("#search-results a").first.click()
    expect(page.locator("#nesterov-look-before-you-brake h2")).to_be_in_viewport()
