"""Write the repository's address, which stands in ``_config.yml``, wherever else it is named."""

import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from descent._files import replacing

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".")


def places(repository: str) -> tuple[str, str]:
    """Say where a repository on GitHub is, and where its pages are."""
    host, _, path = repository.removeprefix("https://").partition("/")
    if host != "github.com" or path.count("/") != 1 or not all(path.split("/")):
        sys.exit(f"address: must be https://github.com/OWNER/NAME, got {repository!r}")
    owner, name = path.split("/")
    return f"github.com/{owner}/{name}", f"{owner}.github.io/{name}"


config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
old = places(project["project"]["urls"]["Repository"])
new = places(config["repository"]["url"])
listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
for name in sorted(filter(None, listed.stdout.decode().split("\0"))):
    try:
        before = (ROOT / name).read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):  # removed but not committed, or no text
        continue
    after = before
    for one, other in zip(old, new, strict=True):
        after = after.replace(one, other)
    if after != before:
        with replacing(ROOT / name) as draft:
            draft.write_text(after, encoding="utf-8")
        print(name)
