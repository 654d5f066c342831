"""Lay out the published pages: each release beside the latest book, and old links alive.

``python .ci/pages.py SITE RELEASES PAGES`` copies the rendered book SITE to ``PAGES/latest`` and
unpacks each ``RELEASES/book-X.Y.Z.zip`` into ``PAGES/vX.Y.Z``. A page that once stood at the root
leads on to the latest one of that name.
"""

import json
import re
import shutil
import sys
import tempfile
from html import escape
from pathlib import Path
from zipfile import BadZipFile, ZipFile

RELEASE = re.compile(r"book-(\d+(?:\.\d+)+)\.zip")
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
{head}<body>
{body}
"""
MOVED = """<link rel="canonical" href="{to}">
<meta http-equiv="refresh" content="1; url={to}">
<script>location.replace({script} + location.search + location.hash)</script>
"""


def versions_in(releases: Path) -> dict[str, Path]:
    """Map each released version to its archive, the newest first."""
    found = {
        match[1]: file
        for file in (releases.iterdir() if releases.is_dir() else ())
        if (match := RELEASE.fullmatch(file.name))
    }
    return dict(sorted(found.items(), key=lambda each: numbers(each[0]), reverse=True))


def numbers(version: str) -> list[int]:
    """Return what a version is sorted by."""
    return [int(part) for part in version.split(".")]


def lay_out(site: Path, releases: Path, pages: Path) -> None:
    """Fill a folder of pages, and put it in place whole.

    Raises:
        ValueError: ``site`` is no rendered book, or an archive is none.
    """
    if not (site / "index.html").is_file():
        raise ValueError(f"there is no rendered book in {site}; run `make book` first")
    versions = versions_in(releases)
    pages.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=pages.parent) as scratch:
        draft = Path(scratch) / "pages"
        shutil.copytree(site, draft / "latest")
        for version, archive in versions.items():
            try:
                with ZipFile(archive) as packed:
                    packed.extractall(draft / f"v{version}")
            except BadZipFile:
                raise ValueError(f"{archive} is not an archive of the book") from None
        for page in sorted(site.rglob("*.html")):
            name = page.relative_to(site)
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_text(moved(name), encoding="utf-8")
        (draft / "versions.html").write_text(index(versions), encoding="utf-8")
        shutil.rmtree(pages, ignore_errors=True)
        draft.rename(pages)


def moved(name: Path) -> str:
    """Write a page that leads on to the latest one of its name."""
    to = "../" * (len(name.parts) - 1) + "latest/" + name.as_posix()
    link = f'<p>This page is now <a href="{escape(to)}">here</a>.</p>'
    return PAGE.format(title="Descent", head=MOVED.format(to=to, script=json.dumps(to)), body=link)


def index(versions: dict[str, Path]) -> str:
    """Write the page that lists the versions."""
    rows = [f'<li><a href="v{each}/index.html">{each}</a></li>' for each in versions]
    rows.insert(0, '<li><a href="latest/index.html">latest</a></li>')
    body = "<h1>Versions of Descent</h1>\n<ul>\n" + "\n".join(rows) + "\n</ul>"
    return PAGE.format(title="Versions of Descent", head="", body=body)


if __name__ == "__main__":
    try:
        lay_out(*map(Path, sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"pages: {error}")
