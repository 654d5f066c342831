"""What search engines, feed readers and those who share a page see of it.

The book's own address follows from that of its repository, which stands in ``_config.yml`` alone.
"""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

import descent
import hero
from descent.press.pages import ROOT

SHARED, FEED = "_static/share.png", "changes.xml"
LATEST, VERSIONS = "latest/", "versions.html"  # where `make pages` puts them
VERSION = re.compile(r"(?ms)^## \[(\d[^\]]*)\] - (\d{4}-\d\d-\d\d)\n(.*?)(?=^## |^\[|\Z)")


def address_of(repository: str) -> str:
    """Say where the pages of a repository on GitHub are published.

    Raises:
        ValueError: it is not the address of such a repository.

    Example:
        >>> address_of("https://github.com/owner/name")
        'https://owner.github.io/name/'
    """
    parts = urlsplit(repository)
    path = parts.path.strip("/").split("/")
    if parts.netloc != "github.com" or len(path) != 2:
        raise ValueError(
            f"repository.url must be https://github.com/OWNER/NAME, got {repository!r}"
        )
    return f"https://{path[0]}.github.io/{path[1]}/"


def set_address(app: Sphinx, config: Config) -> None:
    """Tell every extension the address of the site, and each page's foot of its versions."""
    pages = address_of(config.html_theme_options["repository_url"])
    config.html_baseurl = config.ogp_site_url = pages + LATEST
    config.ogp_image = config.html_baseurl + SHARED
    # What is published beside the pages, and not made with them.
    config.extlinks = {"published": (f"{config.html_baseurl}%s", None)}
    config.html_theme_options["extra_footer"] += (
        f' · version {descent.__version__} (<a href="{pages}{VERSIONS}">others</a>)'
    )


def number_title(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Put the number of a chapter before the title that a browser shows, and offer the feed."""
    number = app.env.toc_secnumbers.get(page, {}).get("")
    if number:
        context["title"] = f"{'.'.join(map(str, number))}. {context['title']}"
    if app.builder.format == "html":
        feed = context["pathto"](FEED, resource=True)
        context["metatags"] = context.get("metatags", "") + (
            f'<link rel="alternate" type="application/atom+xml" title="Changes" href="{feed}"/>'
        )


def feed(changelog: str, address: str) -> bytes:
    """Write an Atom feed with an entry for each version.

    Args:
        changelog: in the form of Keep a Changelog; what is not released yet is left out.
        address: that of the site.
    """
    versions = VERSION.findall(changelog)
    root = ET.Element("feed", xmlns="http://www.w3.org/2005/Atom")
    latest = max((date for _, date, _ in versions), default="1970-01-01")
    _fill(root, title="Descent: changes", id=address, updated=f"{latest}T00:00:00Z")
    _fill(ET.SubElement(root, "author"), name="The contributors")
    ET.SubElement(root, "link", href=address + FEED, rel="self")
    for version, date, text in versions:
        entry = ET.SubElement(root, "entry")
        _fill(entry, title=f"Version {version}", id=f"{address}#{version}")
        _fill(entry, updated=f"{date}T00:00:00Z", content=text.strip())
        ET.SubElement(entry, "link", href=address)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _fill(parent: ET.Element, **texts: str) -> None:
    for tag, text in texts.items():
        ET.SubElement(parent, tag).text = text


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write the feed and the picture that goes with a shared page."""
    if exception is None and app.builder.format == "html":
        changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        Path(app.outdir, FEED).write_bytes(feed(changelog, app.config.html_baseurl))
        hero.share(Path(app.outdir, SHARED))


def setup(app: Sphinx) -> dict[str, bool]:
    """Hook in."""
    app.connect("config-inited", set_address, priority=900)
    app.connect("html-page-context", number_title, priority=100)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
