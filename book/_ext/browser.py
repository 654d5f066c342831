"""Find a Chromium that starts."""

import shutil

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


class NoBrowser(RuntimeError):
    """No Chromium starts; the error says what was tried."""


def launch(playwright: Playwright) -> Browser:
    """Start an installed Chromium, else Playwright's own.

    Raises:
        NoBrowser: there is none that starts.
    """
    tried = []
    for path in [*filter(None, map(shutil.which, INSTALLED)), None]:
        try:
            return playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        except Error as error:
            reason = error.message.strip().splitlines()[0]
            tried.append(f"  {path or 'the one of Playwright'}: {reason}")
    raise NoBrowser(
        "no Chromium or Chrome starts; install one, or run `playwright install chromium`; tried:\n"
        + "\n".join(tried)
    )
