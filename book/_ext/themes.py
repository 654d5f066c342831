"""Themes: without a script a page is light or dark as the reader's system is.

The theme's rules wait for a script to say which. What they say is repeated here for a page that
nothing has been said of.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

STYLES = "auto.css"
SHEETS = ("styles/pydata-sphinx-theme.css", "pygments.css", "styles/sphinx-book-theme.css",
          "togglebutton.css", "descent.css")  # fmt: skip


def write_styles(app: Sphinx, error: Exception | None) -> None:
    """Write the rules, once all style sheets are there."""
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    rules = "".join((static / sheet).read_text("utf-8") for sheet in SHEETS)
    (static / STYLES).write_text(follow_the_system(rules), "utf-8")


def follow_the_system(rules: str) -> str:
    """Repeat the rules of the light and the dark theme for a page in neither.

    Example:
        >>> follow_the_system('html[data-theme="dark"] a {color: red}  b {color: blue}')
        '@media (prefers-color-scheme: dark) {html[data-theme="auto"] a {color: red}}\\n'
    """
    rules = re.sub(r"(?s)/\*.*?\*/", "", rules)
    written = ""
    for scheme in ("light", "dark"):
        mark = re.compile(rf'\[data-theme="?{scheme}"?\]')
        copies = [
            mark.sub('[data-theme="auto"]', selectors.strip()) + f" {{{body}}}"
            for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", rules)
            if mark.search(selectors)
        ]
        if copies:
            written += f"@media (prefers-color-scheme: {scheme}) {{{''.join(copies)}}}\n"
    return written


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what writes the rules, and load them after all others."""
    app.add_css_file(STYLES, priority=900)
    app.connect("build-finished", write_styles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
