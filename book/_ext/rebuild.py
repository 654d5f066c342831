"""What a page is made from beside its own text, so that it is made again when that changes.

With this a build makes anew what changed, and what follows from it, and not the whole book.
"""

from hashlib import sha256
from pathlib import Path

from sphinx.application import Sphinx

from descent.press.pages import ROOT, labs_in_toc, notebook_of

CODE = ("book/_ext/*.py", "book/_templates/*", "code/descent/**/*.py")


def digest(root: Path) -> str:
    """Sum up the code that makes pages."""
    files = sorted(file for pattern in CODE for file in root.glob(pattern))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def note_labs(app: Sphinx, docname: str, source: list[str]) -> None:
    """Read a page that takes numbers or figures from a lab again when a lab has been run."""
    if "{lab-figure}" in source[0] or "{glue:" in source[0]:
        for lab in labs_in_toc(Path(app.srcdir)):
            app.env.note_dependency(str(notebook_of(lab, Path())))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the labs of each page, and the code of all."""
    app.add_config_value("digest_of_code", digest(ROOT), "env", str)
    app.connect("source-read", note_labs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
