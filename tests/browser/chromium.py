"""Start a Chromium, or install one."""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import Browser, Playwright

import browser


def launch(playwright: Playwright) -> Browser:
    """Start an installed Chromium or Playwright's, else install Playwright's or the system's.

    Raises:
        RuntimeError: none could be started or installed; the error says what was tried.
    """
    tried = []
    apt = os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get")
    for commands in [
        [],
        [[sys.executable, "-m", "playwright", "install", "chromium"]],
        [
            ["apt-get", "update"],
            ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"],
        ] if apt else [],
    ]:  # fmt: skip
        for command in commands:
            _install(command, tried)
        try:
            return browser.launch(playwright)
        except browser.NoBrowser as error:
            tried.append(str(error))
    raise RuntimeError("the browser tests need Chromium\n" + "\n".join(tried))


def _install(command: list[str], tried: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        last = (result.stderr or result.stdout).strip().splitlines()[-1:]
        tried.append(f"  {' '.join(command)}: {' '.join(last)}")
