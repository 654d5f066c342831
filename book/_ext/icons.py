"""Icons: those that pages show, from the font that comes with the theme.

The theme would load all of Font Awesome, a style sheet, three fonts and a script, for two dozen.
"""

import re
from importlib.resources import files
from pathlib import Path

from sphinx.application import Sphinx

import fonts

STYLES = "icons.css"
(SOURCE,) = Path(
    str(files("pydata_sphinx_theme") / "theme/pydata_sphinx_theme/static/vendor/fontawesome")
).iterdir()
FACES = {
    "fa-solid-900": ("Font Awesome 6 Free", 900),
    "fa-regular-400": ("Font Awesome 6 Free", 400),
    "fa-brands-400": ("Font Awesome 6 Brands", 400),
}
RULE = re.compile(r"((?:\.fa-[\w-]+:before,?)+)\{content:\"(?:\\([0-9a-f]+)|(.))[^}]*\}")


def write_styles(app: Sphinx, error: Exception | None) -> None:
    """Write the style sheet, once all pages and the theme's scripts are there."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    readers = [*out.rglob("*.html"), *(out / "_static/scripts").glob("*.js")]
    used = {name for file in readers for name in re.findall(r"fa-[\w-]+", file.read_text("utf-8"))}
    (out / "_static" / STYLES).write_text(styles(used), "utf-8")


def styles(used: set[str]) -> str:
    """Cut Font Awesome's style sheet and fonts down to some icons.

    Args:
        used: the icons' classes, such as ``fa-moon``.

    Example:
        >>> rules = styles({"fa-moon"})
        >>> "fa-moon" in rules, "fa-sun" in rules, rules.count("@font-face")
        (True, False, 1)
    """
    rules = (SOURCE / "css/all.min.css").read_text("utf-8")
    rules = re.sub(r"@font-face\{[^}]*\}", "", rules)
    icons = set()

    def keep(rule: re.Match) -> str:
        if used.isdisjoint(re.findall(r"fa-[\w-]+", rule[1])):
            return ""
        icons.add(chr(int(rule[2], 16)) if rule[2] else rule[3])
        return rule[0]

    rules = RULE.sub(keep, rules)
    for name, (family, weight) in FACES.items():
        font = fonts.cut(SOURCE / f"webfonts/{name}.woff2", icons)
        drawn = set(map(chr, font.getBestCmap() or ()))
        if drawn:
            rules += fonts.face(family, font, f"font-weight: {weight}; font-display: block; ")
        icons -= drawn
    return rules


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what writes the style sheet, and load it on every page."""
    app.add_css_file(STYLES, priority=100)
    app.connect("build-finished", write_styles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
