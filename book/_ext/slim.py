"""What a page does not need: scripts before its text, files that nothing loads, images twice."""

import json
import shutil
from pathlib import Path

from sphinx.application import Sphinx

UNUSED = ("**/*.map", "vendor", "locales", "language_data.js", "searchtools.js")
"""Files of the theme that no page loads."""


def defer_scripts(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Show the page before its scripts run, in the order that they had."""
    for script in context["script_files"]:
        # A script in the page itself is not deferred, and reads the options.
        if script.filename and not script.filename.endswith("documentation_options.js"):
            script.attributes["defer"] = "defer"


def remove_unused(app: Sphinx, error: Exception | None) -> None:
    """Remove what no page loads, and from the labs to download the images that pages show."""
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    for unused in [path for pattern in UNUSED for path in static.glob(pattern)]:
        shutil.rmtree(unused) if unused.is_dir() else unused.unlink()
    for file in Path(app.outdir, "_sources").rglob("*.ipynb"):
        notebook = json.loads(file.read_text("utf-8"))
        for cell in notebook["cells"]:
            for output in cell.get("outputs", ()):
                data = output.get("data", {})
                for kind in [kind for kind in data if is_image(kind, data[kind])]:
                    del data[kind]
        file.write_text(json.dumps(notebook, indent=1), "utf-8")


def is_image(kind: str, content: object) -> bool:
    """Say whether an output is an image, or a drawing in SVG.

    Example:
        >>> is_image("image/png", ""), is_image("text/plain", ["seed 0"])
        (True, False)
    """
    return "image/" in kind or 'class="drawing"' in "".join(map(str, content))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is left out."""
    app.connect("html-page-context", defer_scripts, priority=900)
    app.connect("build-finished", remove_unused, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
