"""Which pages are out of date: a build after a change writes what a full one would have changed.

Sphinx reads again the pages whose sources, or what they note as a dependency, changed. Beyond that,
all pages are read again where a lab or what makes pages has changed, and written again where what
pages show of each other has: titles, numbers, and where links lead.
"""

from copy import deepcopy
from hashlib import sha256
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from descent.press.pages import ROOT

OWN = {".md", ".ipynb", ".pyc"}
"""Files that are a page, or nothing to it."""


def digest(app: Sphinx, config: Config) -> None:
    """Take into the configuration what makes pages: a change of it is one of all pages."""
    folders = (Path(app.srcdir, "book"), ROOT / "code/descent")
    files = [file for folder in folders for file in sorted(folder.rglob("*"))]
    files = [file for file in files if file.is_file() and file.suffix not in OWN]
    total = sha256()
    for file in [*files, Path(app.srcdir, "_toc.yml"), ROOT / "requirements.lock"]:
        total.update(file.as_posix().encode() + b"\0" + file.read_bytes())
    config.makes_pages = total.hexdigest()


def labs_changed(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Read all pages again where a lab was executed again: they show its figures and numbers."""
    return sorted(env.found_docs) if any(page.endswith("_lab") for page in changed) else []


def seen(env: BuildEnvironment) -> dict[str, object]:
    """Collect what pages show of each other."""
    domains = {
        "std": ("labels", "anonlabels", "objects", "terms"),
        "math": ("objects",),
        "py": ("objects", "modules"),
    }
    return {
        "pages": set(env.all_docs),
        "titles": {page: title.astext() for page, title in env.titles.items()},
        "sections": env.toc_secnumbers,
        "figures": env.toc_fignumbers,
        **{
            f"{domain}.{kind}": env.domaindata[domain].get(kind)
            for domain, kinds in domains.items()
            for kind in kinds
        },
    }


def all_if_seen(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Write all pages again where what they show of each other has changed."""
    now = seen(env)
    before, env.seen = getattr(env, "seen", None), deepcopy(now)
    return [] if now == before else sorted(env.found_docs)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what finds them."""
    app.add_config_value("makes_pages", "", "env", str)
    app.connect("config-inited", digest)
    app.connect("env-get-outdated", labs_changed)
    app.connect("env-get-updated", all_if_seen, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
