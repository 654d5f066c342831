"""What the workflows run: the pages' layout, a release's files, the repository's address."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

import descent
from descent.press.cli import main

ROOT = Path(__file__).parents[1]
VERSION = descent.__version__
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ADDRESS = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]


def ci(script, *arguments, cwd=ROOT, **env):
    command = [sys.executable] if script.endswith(".py") else []
    return subprocess.run(
        [*command, ROOT / ".ci" / script, *arguments],
        cwd=cwd,
        env=os.environ | env,
        capture_output=True,
        text=True,
    )


def told(done):
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture
def build(tmp_path):
    """A small book, as it was built."""
    build = tmp_path / "build"
    site = build / "site/_build/html"
    write(site / "index.html", "the book")
    write(site / "book/adam.html", "Adam")
    write(build / "labs/adam_lab.ipynb", "{}")
    write(build / "descent.pdf", "%PDF")
    return build


# The pages


def pack(archive, text):
    archive.parent.mkdir(exist_ok=True)
    with ZipFile(archive, "w") as packed:
        packed.writestr("index.html", text)


def test_each_release_stands_beside_the_latest_book(build):
    site, releases, pages = build / "site/_build/html", build / "releases", build / "pages"
    for version in ("0.9.0", "0.10.0"):
        pack(releases / f"book-{version}.zip", version)
    write(pages / "v0.8.0/index.html", "one that was taken back")
    assert ci("pages.py", site, releases, pages).returncode == 0
    assert (pages / "latest/book/adam.html").read_text() == "Adam"
    assert (pages / "v0.10.0/index.html").read_text() == "0.10.0"
    assert not (pages / "v0.8.0").exists()
    listed = re.findall(r'href="(.*?)/index.html"', (pages / "versions.html").read_text())
    assert listed == ["latest", "v0.10.0", "v0.9.0"]


def test_a_link_from_before_leads_to_the_latest_page_of_its_name(build):
    site, pages = build / "site/_build/html", build / "pages"
    assert ci("pages.py", site, build / "none", pages).returncode == 0
    for page in site.rglob("*.html"):
        old = pages / page.relative_to(site)
        for pattern in (r'url=(.*?)"', r'replace\("(.*?)"\)?', r'<a href="(.*?)"'):
            (to,) = re.findall(pattern, old.read_text())
            assert (old.parent / to).resolve() == (pages / "latest" / page.relative_to(site))


def test_pages_are_laid_out_whole_or_not_at_all(build):
    site, releases, pages = build / "site/_build/html", build / "releases", build / "pages"
    assert ci("pages.py", site, releases, pages).returncode == 0
    write(releases / "book-0.2.0.zip", "half of it")
    assert "book-0.2.0.zip is not an archive of the book" in told(
        ci("pages.py", site, releases, pages)
    )
    assert (pages / "latest/index.html").is_file()
    assert not [file for file in build.iterdir() if file.name.startswith("tmp")]
    shutil.rmtree(site)
    assert "there is no rendered book in" in told(ci("pages.py", site, releases, pages))


# A release


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A release of a small book, and what it was made of."""
    folder = tmp_path_factory.mktemp("release")
    build = folder / "build"
    write(build / "site/_build/html/index.html", "the book")
    write(build / "labs/adam_lab.ipynb", "{}")
    write(build / "descent.pdf", "%PDF")
    done = ci("release.py", build, folder / "out/release", f"v{VERSION}")
    assert done.returncode == 0, done.stderr
    return build, folder / "out/release"


def test_a_release_holds_what_was_built_with_its_checksums(release):
    _, files = release
    wheel = f"descent-{VERSION}-py3-none-any.whl"
    names = {f"book-{VERSION}.zip", f"labs-{VERSION}.zip", "descent.pdf", wheel}
    assert {file.name for file in files.iterdir()} == names | {"SHA256SUMS"}
    sums = dict(reversed(line.split()) for line in (files / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: hashlib.sha256((files / name).read_bytes()).hexdigest() for name in names}
    with ZipFile(files / f"book-{VERSION}.zip") as book:
        assert book.namelist() == ["index.html"]
    notes = (files.parent / "notes.md").read_text()
    assert notes.strip() in (ROOT / "CHANGELOG.md").read_text()


def test_the_wheel_brings_the_files_that_labs_read(release):
    (wheel,) = release[1].glob("*.whl")
    with ZipFile(wheel) as packed:
        names = packed.namelist()
        (metadata,) = (name for name in names if name.endswith("METADATA"))
        text = packed.read(metadata).decode()
    data = [file for file in (ROOT / "code/descent").rglob("*") if file.suffix in {".csv", ".js"}]
    assert {file.relative_to(ROOT / "code").as_posix() for file in data} <= set(names)
    assert "Description-Content-Type: text/markdown" in text
    assert "Project-URL: Documentation, " in text


def test_the_same_build_makes_the_same_archives(release):
    build, files = release
    for file in build.rglob("*"):
        os.utime(file, (1, 2e9))  # at another time
    again = files.parent / "again"
    assert ci("release.py", build, again).returncode == 0
    for name in (f"book-{VERSION}.zip", f"labs-{VERSION}.zip"):
        assert (again / name).read_bytes() == (files / name).read_bytes()


@pytest.mark.parametrize(
    ("lost", "tag", "expected"),
    [
        ("descent.pdf", f"v{VERSION}", "run `make pdf` first"),
        ("labs/adam_lab.ipynb", f"v{VERSION}", "run `make book` first"),
        ("site/_build/html", f"v{VERSION}", "run `make book` first"),
        (None, "v9.9.9", f"the tag must be v{VERSION}, as pyproject.toml says, got 'v9.9.9'"),
    ],
)
def test_a_release_that_lacks_something_is_not_made(build, lost, tag, expected):
    if lost:
        path = build / lost
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert expected in told(ci("release.py", build, build / "release", tag))
    assert not (build / "release").exists()
    assert not [file for file in build.iterdir() if file.name.startswith("tmp")]


# The address


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [Path(name) for name in listed.stdout.decode().split("\0") if (ROOT / name).is_file()]


def test_the_address_is_changed_in_one_place(tmp_path):
    for name in tracked():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    owner, name = ADDRESS.split("/")[-2:]
    config = tmp_path / "_config.yml"

    # Nothing else has to change while the address is that of all files.
    assert ci("address.py", tmp_path).stdout == ""
    config.write_text(config.read_text().replace(ADDRESS, "https://github.com/who/what"))
    changed = ci("address.py", tmp_path).stdout.split()
    assert {"CITATION.cff", "book/adam_lab.ipynb", "book/cite.md", "pyproject.toml"} <= set(changed)
    for file in tracked():
        if file.suffix not in {".png", ".ico"}:
            text = (tmp_path / file).read_text()
            assert f"{owner}/{name}" not in text, file
            assert f"{owner}.github.io" not in text, file

    config.write_text(config.read_text().replace("https://github.com/who/what", "here"))
    assert "must be https://github.com/OWNER/NAME, got 'here'" in told(ci("address.py", tmp_path))


# The workflows


def jobs(file):
    return yaml.safe_load(file.read_text())["jobs"]


STEPS = [
    pytest.param(step["run"], id=f"{file.stem}-{job}-{step['run'][:30]}")
    for file in WORKFLOWS
    for job, each in jobs(file).items()
    for step in each["steps"]
    if "run" in step
]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_a_target_a_command_or_a_script_of_the_repository(step):
    for command in re.split(r" && |\n", step):
        command = re.sub(r' >>"\$\w+"$', "", command)
        program, *arguments = command.split()
        if program == "make":
            names = [each for each in arguments if "=" not in each]
            done = subprocess.run(["make", "-n", *names], cwd=ROOT, capture_output=True, text=True)
            assert "No rule to make" not in done.stderr, done.stderr
        elif program == ".venv/bin/descent":
            assert main([arguments[0], "--help"]) == 0, command
        elif program.startswith(".ci/"):
            assert os.access(ROOT / program, os.X_OK), command
        else:
            assert program in {"mkdir", "cp", "gh"}, command


@pytest.mark.parametrize(
    ("runner", "event", "stored", "plan"),
    [
        ("", "push", "", "none"),
        ("", "schedule", "true", "none"),
        ("gpu", "push", "", "run"),
        ("gpu", "push", "true", "stored"),
        ("gpu", "schedule", "true", "run"),
        ("gpu", "workflow_dispatch", "true", "run"),
    ],
)
def test_labs_run_on_a_gpu_where_there_is_one_and_they_have_to(runner, event, stored, plan):
    done = ci("plan", RUNNER=runner, EVENT=event, STORED=stored)
    assert done.stdout == f"gpu={plan}\n"


def test_what_is_kept_of_a_gpu_is_found_again():
    (book,) = (file for file in WORKFLOWS if file.stem == "book")
    keys = [
        (step["with"]["path"], step["with"]["key"])
        for each in jobs(book).values()
        for step in each["steps"]
        if step.get("uses", "").startswith("actions/cache")
    ]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_an_action_is_pinned_to_one_commit_throughout():
    files = [*WORKFLOWS, *(ROOT / ".github/actions").rglob("action.yml")]
    pins = [pin for file in files for pin in re.findall(r"uses: ([\w/-]+)@(.*)", file.read_text())]
    assert all(re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin) for _, pin in pins)
    repositories = {("/".join(name.split("/")[:2]), pin) for name, pin in pins}
    assert len(repositories) == len({name for name, _ in repositories})


def test_an_archive_of_the_record_names_the_book():
    zenodo = json.loads((ROOT / ".zenodo.json").read_text())
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert zenodo["title"] == citation["title"] == citation["preferred-citation"]["title"]
    assert zenodo["keywords"] == citation["keywords"]
