"""The modules of the figures and pages with one figure each, handed out under the book's rules."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from descent.playground import Playground, write_modules, write_scripts

# What the pages of the book need: no script and no style of another host, and none in the page.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Figure</title>
<meta name="viewport" content="width=device-width">
<script defer src="scripts/shared.js"></script>
<script defer src="scripts/{figure}.js"></script>
<style>
body {{ color: #222832; background: #fff; margin: 1rem auto; max-width: 52rem; padding: 0 1rem; }}
@media (prefers-color-scheme: dark) {{
  :root {{ color-scheme: dark; }} body {{ color: #ced6dd; background: #14181e; }}
}}
</style></head><body><main><h1>A figure</h1>{host}</main></body></html>"""


class Handler(SimpleHTTPRequestHandler):
    """Serve files under the policy, without a line of log for each."""

    def end_headers(self) -> None:
        """Add the policy."""
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the modules, and what else is written into the folder."""
    write_modules(folder)
    write_scripts(folder / "scripts")
    (folder / "favicon.ico").write_bytes(b"")
    (folder / "empty.html").write_text("<!doctype html><title>Nothing</title>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def write_page(folder: Path, name: str, figure: Playground) -> None:
    """Write a page with one figure, as the book has it."""
    page = PAGE.format(figure=figure.figure, host=figure.host("page"))
    (folder / name).write_text(page, encoding="utf-8")


FRAMES = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"""

REFUSED = """() =>
  !document.querySelector(".playground").shadowRoot.querySelector(".notice").hidden"""


class Figure:
    """A page with one figure, and what can be seen of it."""

    def __init__(self, page: Page, url: str, shown: str) -> None:
        self.page, self.url, self._shown = page, url, shown
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        self.open(url)

    def open(self, url: str) -> None:
        self.page.goto("about:blank")
        self.page.goto(url)
        self.settle()

    def follow(self, link: str) -> None:
        """Follow a link that cannot be shown, until the figure says so."""
        self.page.evaluate("link => { location.hash = link; }", link)
        self.page.wait_for_function(REFUSED)
        self.settle()

    def settle(self) -> None:
        self.page.evaluate(FRAMES)

    def control(self, name: str) -> Any:
        return self.page.locator(f".playground [data-name='{name}']")

    def press(self, name: str, *keys: str) -> None:
        """Move a control as a keyboard does, wherever on the page it is."""
        self.control(name).evaluate("each => each.closest('details')?.setAttribute('open', '')")
        for key in keys:
            self.control(name).press(key)
        self.page.evaluate("scrollTo(0, 0)")
        self.settle()

    def shown(self) -> dict[str, Any]:
        return self.page.evaluate(self._shown)

    def changed_by(self, name: str, *keys: str) -> set[str]:
        """Name what a key changes."""
        before = self.shown()
        self.press(name, *keys)
        after = self.shown()
        names = before.keys() | after.keys()
        return {key for key in names if before.get(key) != after.get(key)}
