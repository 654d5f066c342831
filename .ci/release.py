"""Put together what a release offers, from what was built.

``python .ci/release.py BUILD RELEASE [TAG]`` fills the folder RELEASE with the package's wheel, the
rendered book, the book as a PDF, the executed labs, their checksums, and the text of the
changelog. A TAG must name the version that the package states.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import descent

ROOT = Path(__file__).parents[1]


def changes(changelog: str, version: str) -> str:
    """Return what the changelog says of a version.

    Raises:
        ValueError: it says nothing.
    """
    head = re.escape(f"## [{version}] - ")
    found = re.search(rf"(?ms)^{head}\S+\n(.*?)(?=^## |^\[|\Z)", changelog)
    if found is None or not found[1].strip():
        raise ValueError(f"CHANGELOG.md has no section of version {version}")
    return found[1].strip() + "\n"


def pack(archive: Path, folder: Path, pattern: str) -> None:
    """Pack the files of a folder, so that the same files give the same archive.

    Raises:
        ValueError: there is none.
    """
    files = sorted(file for file in folder.rglob(pattern) if file.is_file())
    if not files:
        raise ValueError(f"there is no {pattern} in {folder}; run `make book` first")
    with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
        for file in files:
            entry = ZipInfo(file.relative_to(folder).as_posix())
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, file.read_bytes(), ZIP_DEFLATED)


def put_together(build: Path, release: Path, tag: str | None) -> None:
    """Fill the folder of a release, and put it in place whole.

    Raises:
        ValueError: the tag is another version's, or something was not built.
    """
    version = descent.__version__
    if tag not in (None, f"v{version}"):
        raise ValueError(f"the tag must be v{version}, as pyproject.toml says, got {tag!r}")
    notes = changes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    book = build / "descent.pdf"
    if not book.is_file():
        raise ValueError(f"there is no {book}; run `make pdf` first")
    release.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=release.parent) as scratch:
        draft = Path(scratch) / "release"
        draft.mkdir()
        pack(draft / f"book-{version}.zip", build / "site/_build/html", "*")
        pack(draft / f"labs-{version}.zip", build / "labs", "*_lab.ipynb")
        shutil.copy(book, draft / "descent.pdf")
        # Built where it stands, the package would be joined by what an earlier build has left.
        source = Path(scratch) / "source"
        shutil.copytree(ROOT / "code", source / "code", ignore=shutil.ignore_patterns("*.egg-info"))
        for name in ("LICENSE", "README.md", "pyproject.toml"):
            shutil.copy(ROOT / name, source)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([*pip, "--wheel-dir", draft, source], check=True)
        lines = [
            f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
            for file in sorted(draft.iterdir())
        ]
        (draft / "SHA256SUMS").write_text("".join(lines))
        (release.parent / "notes.md").write_text(notes, encoding="utf-8")
        shutil.rmtree(release, ignore_errors=True)
        draft.rename(release)


if __name__ == "__main__":
    build, release, *tag = sys.argv[1:]
    try:
        put_together(Path(build), Path(release), *(tag or [None]))
    except ValueError as error:
        sys.exit(f"release: {error}")
