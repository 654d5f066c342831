"""What axe finds on a page, the known faults of others aside."""

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Faults of the frame that the book did not make: axe's rule, and the elements it may name.
KNOWN_FAULTS = {
    "aria-allowed-role": "doc-biblioentry",  # sphinxcontrib-bibtex
    "aria-deprecated-role": "doc-biblioentry",
    "aria-required-children": "citation-list",
    "definition-list": r"^<dl>($|\n<dd><em class=\"sig-param\")",  # Sphinx, a long signature
    "label-content-name-mismatch": "search-button",  # the theme, as all that follow
    "region": "logo__title",
    "summary-name": "^<summary>",
}


COLOURS = "color-contrast"


def faults(page: Page, theme: str, context: dict[str, Any]) -> list[tuple[str, str]]:
    """List axe's rule and the element for each fault of a loaded page.

    Args:
        page: the page.
        theme: light or dark; in the dark only colours are looked at, for nothing else differs.
        context: what to include or exclude, as axe takes it.
    """
    found = colour_faults(page, theme, context)
    return found + (other_faults(page, context) if theme == "light" else [])


def colour_faults(page: Page, theme: str, context: dict[str, Any]) -> list[tuple[str, str]]:
    """List what :func:`faults` does of colours alone, which take axe most of its time."""
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    return _run(page, context, {"runOnly": [COLOURS]})


def other_faults(page: Page, context: dict[str, Any]) -> list[tuple[str, str]]:
    """List what :func:`faults` does of all but colours."""
    return _run(page, context, {"rules": {COLOURS: {"enabled": False}}})


def _run(page: Page, context: dict[str, Any], rules: dict[str, Any]) -> list[tuple[str, str]]:
    found = Axe().run(page, context, options={"resultTypes": ["violations"], **rules})
    return [
        (fault["id"], node["html"])
        for fault in found.response["violations"]
        for node in fault["nodes"]
        if not re.search(KNOWN_FAULTS.get(fault["id"], "(?!)"), node["html"])
    ]
