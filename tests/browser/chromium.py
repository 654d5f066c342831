"""Find a Chromium that starts, or install one."""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import Browser, Error, Playwright

INSTALLED = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    # Nothing but this machine can be reached, so a page that needs more is seen to fail.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def launch(playwright: Playwright) -> Browser:
    """Start an installed Chromium, else Playwright's own, else the system's package.

    Raises:
        RuntimeError: none could be started or installed; the error says what was tried.
    """
    tried: list[str] = []
    found = [path for path in map(shutil.which, INSTALLED) if path]
    browser = _first_that_starts(playwright, [*found, None], tried)
    if browser is None:
        _install([sys.executable, "-m", "playwright", "install", "chromium"], tried)
        browser = _first_that_starts(playwright, [None], tried)
    if browser is None and os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(["apt-get", "update"], tried)
        _install(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"], tried)
        browser = _first_that_starts(playwright, [shutil.which("chromium")], tried)
    if browser is None:
        raise RuntimeError("the browser tests need Chromium; tried:\n" + "\n".join(tried))
    return browser


def _first_that_starts(
    playwright: Playwright, paths: list[str | None], tried: list[str]
) -> Browser | None:
    for path in paths:
        try:
            return playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        except Error as error:
            reason = error.message.strip().splitlines()[0]
            tried.append(f"  {path or 'the one of Playwright'}: {reason}")
    return None


def _install(command: list[str], tried: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        last = (result.stderr or result.stdout).strip().splitlines()[-1:]
        tried.append(f"  {' '.join(command)}: {' '.join(last)}")
