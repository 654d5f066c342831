"""The rendered book on localhost, in a real browser."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product

import chromium
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from rendered import PAGES, WIDTHS, View, page_names

expect.set_options(timeout=30_000)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files without a line of log for each."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def base() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=PAGES))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A wide, light, empty page."""
    page = browser.new_page(viewport={"width": WIDTHS["wide"], "height": 900}, color_scheme="light")
    page.set_default_timeout(30_000)  # two pages at once may keep two cores busy
    yield page
    page.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "view" in metafunc.fixturenames:
        views = []
        for name, width in product(page_names(), WIDTHS):
            view = f"{name.removesuffix('.html')}-{width}"
            # One process has all the tests of a page, so that it is loaded once.
            together = pytest.mark.xdist_group(view)
            views.append(pytest.param((name, width), id=view, marks=together))
        metafunc.parametrize("view", views, indirect=True, scope="module")


@pytest.fixture(scope="session")
def windows(browser: Browser) -> dict[str, BrowserContext]:
    """A light window of each width; its pages share a cache."""
    return {
        name: browser.new_context(viewport={"width": width, "height": 900}, color_scheme="light")
        for name, width in WIDTHS.items()
    }


@pytest.fixture(scope="module")
def view(
    request: pytest.FixtureRequest, windows: dict[str, BrowserContext], base: str
) -> Iterator[View]:
    """Each page at each width, loaded once for all tests of it."""
    name, width = request.param
    page = windows[width].new_page()
    yield View(page, name, base)
    page.close()
