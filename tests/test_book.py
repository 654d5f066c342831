"""The gate between executed labs and the book, and the layout of the site."""

import os

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from descent.press import pages

TOC = {
    "format": "jb-book",
    "root": "book/index",
    "parts": [
        {
            "chapters": [
                {
                    "file": "book/one",
                    "sections": [{"file": "book/one_further"}, {"file": "book/one_lab"}],
                }
            ]
        },
        {"chapters": [{"file": "book/two_lab"}, {"url": "https://example.org/far_lab"}]},
    ],
}


def ran():
    return new_code_cell("1 + 1", execution_count=1)


def error(name, value):
    return new_output("error", ename=name, evalue=value, traceback=[])


def write(file, *cells):
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=list(cells)), file)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "checkout"
    for lab in ("one_lab", "two_lab"):
        write(pages.notebook_of(lab, root), new_code_cell("1 + 1"))
    (root / "book" / "picture.png").write_bytes(b"\x89PNG\xff")
    (root / "_toc.yml").write_text(yaml.safe_dump(TOC))
    (root / "_config.yml").write_text("title: A book\nexecute: {execute_notebooks: force}\n")
    return root


@pytest.fixture
def executed(tmp_path):
    for lab in ("one_lab", "two_lab"):
        write(tmp_path / "labs" / f"{lab}.ipynb", ran())
    return tmp_path / "labs"


def test_labs_are_found_in_the_order_of_the_book(root):
    assert pages.labs_in_toc(root) == ["one_lab", "two_lab"]


def test_a_chapter_is_a_page_with_a_lab_and_the_pages_nested_under_it(root):
    assert pages.chapters_in_toc(root) == {"one": ["one", "one_further"]}
    found = [pages.chapter_of(page, root) for page in ("one", "one_further", "one_lab", "index")]
    assert found == ["one", "one", None, None]


@pytest.mark.parametrize("toc", ["root: [", "format: jb-book", "root: a\nchapters: [file: b]"])
def test_a_table_of_contents_that_cannot_be_read(root, toc):
    (root / "_toc.yml").write_text(toc)
    with pytest.raises(ValueError, match=r"^cannot read .*_toc\.yml: .+$"):
        pages.labs_in_toc(root)


def test_a_folder_without_a_book(tmp_path):
    with pytest.raises(ValueError, match=r"there is no _toc\.yml in .*; the labs are part of a"):
        pages.labs_in_toc(tmp_path)


@pytest.mark.parametrize(
    ("cells", "faults"),
    [
        ([], []),
        ([ran(), new_markdown_cell("# text"), new_code_cell(" \n"), ran()], []),
        ([ran(), new_code_cell("\n2 + 2\n3")], ["a cell did not run: 2 + 2"]),
        (
            [new_code_cell("1 / 0", execution_count=4, outputs=[error("Oops", "bad\nworse")])],
            ["cell [4] raised Oops: bad"],
        ),
        (
            [new_code_cell("assert 0", execution_count=1, outputs=[error("AssertionError", "")])],
            ["cell [1] raised AssertionError"],
        ),
        (
            [
                new_code_cell("exit()", execution_count=2, outputs=[error("SystemExit", "0")]),
                new_code_cell("later"),
            ],
            ["cell [2] raised SystemExit: 0", "a cell did not run: later"],
        ),
    ],
)
def test_faults_of_a_notebook(cells, faults, tmp_path):
    write(tmp_path / "lab.ipynb", *cells)
    assert pages.faults_of(tmp_path / "lab.ipynb") == faults


def test_half_a_notebook_is_a_fault(executed):
    file = executed / "one_lab.ipynb"
    file.write_bytes(file.read_bytes()[:-20])
    assert pages.faults_of(file) == [f"{file} does not hold a whole notebook"]


def test_the_gate_opens_when_each_lab_ran(executed, root):
    pages.check_executed(executed, root)


def test_the_gate_names_every_fault(executed, root):
    (executed / "one_lab.ipynb").unlink()
    write(executed / "one_lab.partial.ipynb", ran())
    write(executed / "two_lab.ipynb", new_code_cell("a"), new_code_cell("b"))
    write(executed / "three_lab.ipynb", ran())
    with pytest.raises(ValueError, match="not executed") as refused:
        pages.check_executed(executed, root)
    assert str(refused.value).splitlines() == [
        "one_lab: not executed",
        f"one_lab: its last run failed, see {executed / 'one_lab.partial.ipynb'}",
        f"three_lab: not in _toc.yml; remove {executed / 'three_lab.ipynb'}",
        "two_lab: a cell did not run: a",
        "two_lab: a cell did not run: b",
    ]


def test_the_gate_stays_shut_where_nothing_was_executed(tmp_path, root):
    with pytest.raises(ValueError, match="one_lab: not executed\ntwo_lab: not executed"):
        pages.check_executed(tmp_path / "nowhere", root)


def test_stage_lays_out_the_book_with_executed_labs(executed, root, tmp_path):
    cache = root / "book" / "_ext" / "__pycache__" / "x.pyc"
    cache.parent.mkdir(parents=True)
    cache.touch()
    site = tmp_path / "site"
    pages.stage(executed, site, root)
    assert sorted(str(file.relative_to(site)) for file in site.rglob("*") if file.is_file()) == [
        "_config.yml",
        "_toc.yml",
        "book/one_lab.ipynb",
        "book/picture.png",
        "book/two_lab.ipynb",
    ]
    for lab in ("one_lab", "two_lab"):
        staged = pages.notebook_of(lab, site).read_bytes()
        assert staged == (executed / f"{lab}.ipynb").read_bytes()
    assert (site / "book" / "picture.png").read_bytes() == b"\x89PNG\xff"
    assert yaml.safe_load((site / "_toc.yml").read_text()) == TOC
    config = yaml.safe_load((site / "_config.yml").read_text())
    assert config == {"title": "A book", "execute": {"execute_notebooks": "off"}}


def test_stage_follows_the_book_and_touches_only_what_changed(executed, root, tmp_path):
    site = tmp_path / "site"
    pages.stage(executed, site, root)
    built = site / "_build" / "page.html"
    built.parent.mkdir()
    built.touch()
    for file in site.rglob("*"):
        os.utime(file, (0, 0))
    (root / "book" / "picture.png").unlink()
    (root / "book" / "new.md").write_text("# New")
    write(executed / "two_lab.ipynb", ran(), ran())

    pages.stage(executed, site, root)
    assert built.is_file()
    assert not (site / "book" / "picture.png").exists()
    changed = {file.name for file in site.rglob("*") if file.is_file() and file.stat().st_mtime}
    assert changed == {"new.md", "two_lab.ipynb"}
