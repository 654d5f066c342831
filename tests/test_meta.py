"""What the site says of itself to search engines and feed readers."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

import hero
import meta

ROOT = Path(__file__).parents[1]


def test_the_address_follows_from_the_repositorys():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert meta.address_of(config["repository"]["url"]).startswith("https://")
    assert meta.address_of("https://github.com/a/b/") == "https://a.github.io/b/"


@pytest.mark.parametrize("address", ["https://github.com/a", "https://example.org/a/b", ""])
def test_another_address_is_refused_by_name(address):
    with pytest.raises(ValueError, match=r"repository\.url must be .*, got"):
        meta.address_of(address)


def test_the_feed_has_an_entry_for_each_released_version():
    changelog = (
        "# Changelog\n\n## [Unreleased]\n\n- soon\n\n## [0.2.0] - 2026-02-03\n\n- a < b\n\n"
        "## [0.1.0] - 2026-01-02\n\n- first\n\n[0.1.0]: https://example.org\n"
    )
    root = ET.fromstring(meta.feed(changelog, "https://example.org/"))
    space = {"a": "http://www.w3.org/2005/Atom"}
    told = [
        [entry.findtext(f"a:{tag}", namespaces=space) for tag in ("title", "updated", "content")]
        for entry in root.findall("a:entry", space)
    ]
    assert told == [
        ["Version 0.2.0", "2026-02-03T00:00:00Z", "- a < b"],
        ["Version 0.1.0", "2026-01-02T00:00:00Z", "- first"],
    ]
    assert root.findtext("a:updated", namespaces=space) == "2026-02-03T00:00:00Z"


def test_the_picture_is_drawn_alike_each_time(tmp_path):
    for name in ("one.png", "two.png"):
        hero.share(tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.png", "two.png"))
    assert one == two
    assert int.from_bytes(one[16:20], "big") == 1200
