"""What the book as a whole can do for its reader."""

import inspect
import re
from importlib import import_module

import pytest
from accessibility import colour_faults
from playwright.sync_api import Page, expect
from rendered import PAGES
from sphinx.util.inventory import InventoryFile

from descent.press.pages import ROOT, labs_in_toc

MODULES = sorted(
    module
    for page in (ROOT / "book/api").glob("*.md")
    for module in re.findall(r"automodule:: (\S+)", page.read_text(encoding="utf-8"))
)


def test_the_root_leads_to_the_first_page(page: Page, base: str) -> None:
    page.goto(base)
    expect(page).to_have_url(base + "book/index.html")


def test_the_theme_switches(page: Page, base: str) -> None:
    page.goto(base + "book/index.html")
    grounds = set()
    for _ in range(3):  # auto, light, dark
        page.locator(".theme-switch-button:visible").click()
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


def test_code_can_be_copied(page: Page, base: str) -> None:
    page.goto(base + "book/index.html")
    blocks = page.locator("div.highlight pre").count()
    assert blocks > 0
    expect(page.locator("button.copybtn")).to_have_count(blocks)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_code_is_legible(page: Page, base: str, theme: str) -> None:
    page.goto(f"{base}book/{labs_in_toc()[0]}.html")
    assert colour_faults(page, theme, {"include": [[".highlight"]]}) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_formulas_are_legible(page: Page, base: str, theme: str) -> None:
    page.goto(f"{base}book/{labs_in_toc()[0].removesuffix('_lab')}.html")
    assert colour_faults(page, theme, {"include": [["math"]]}) == []


@pytest.mark.parametrize("lab", labs_in_toc())
def test_every_solution_unfolds(page: Page, base: str, lab: str) -> None:
    page.goto(f"{base}book/{lab}.html")
    solutions = page.locator("details", has_text="Show a solution")
    assert solutions.count() >= 5
    for solution in solutions.all():
        code = solution.locator("pre").first
        expect(code).to_be_hidden()
        solution.locator("summary").click()
        expect(code).to_be_visible()


@pytest.mark.parametrize("lab", labs_in_toc())
def test_a_lab_can_be_launched_and_downloaded(page: Page, base: str, lab: str) -> None:
    page.goto(f"{base}book/{lab}.html")
    header = page.locator(".header-article-items")
    for host in ("mybinder.org", "colab.research.google.com"):
        link = header.locator(f"a[href^='https://{host}/']")
        assert link.get_attribute("href").endswith(f"book/{lab}.ipynb")
    download = header.locator("a.btn-download-source-button").get_attribute("href")
    assert page.request.get(f"{base}book/{download}").ok
    assert header.locator("a.btn-source-repository-button").count() == 1


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_documented(module: str) -> None:
    inventory = PAGES / "objects.inv"
    with inventory.open("rb") as file:
        entries = InventoryFile.load(file, "", lambda base, uri: uri)
    documented = {name for kind, names in entries.items() if kind[:3] == "py:" for name in names}
    assert {f"{module}.{name}" for name in public_names(module)} <= documented


def public_names(module: str) -> set[str]:
    """Take ``__all__``, or else the functions and classes that the module itself defines."""
    loaded = import_module(module)
    return set(getattr(loaded, "__all__", ())) or {
        name
        for name, value in vars(loaded).items()
        if (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module
        and not name.startswith("_")
    }
