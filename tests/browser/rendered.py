"""Where the rendered book is, which pages it has, and one of them as a browser shows it."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page

from descent.press.pages import ROOT

PAGES = Path(os.environ.get("DESCENT_PAGES", ROOT / "build/site/_build/html"))
"""The rendered book; the environment variable points the tests at another build."""

WIDTHS = {"wide": 1440, "phone": 390}


def page_names() -> list[str]:
    """List the pages, without the one at the root, which only leads on to the first."""
    names = [file.relative_to(PAGES).as_posix() for file in sorted(PAGES.rglob("*.html"))]
    names = [name for name in names if not name.startswith("_") and name != "index.html"]
    if not names:
        raise pytest.UsageError(f"there are no pages in {PAGES}; run `make book` first")
    return names


class View:
    """A page as it was loaded, with what it asked for and what it complained about."""

    def __init__(self, page: Page, name: str, base: str) -> None:
        self.page, self.name, self.base = page, name, base
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(base + name)
        # The first key makes what scrolls reachable by keyboard.
        page.evaluate(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'Tab', bubbles: true}))"
        )
        # Half-way from one theme to the other, colours are neither.
        page.add_style_tag(content="* { transition: none !important }")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)
