"""The records that executed labs keep, and what is asked of a run on a GPU."""

import dataclasses
import re
import subprocess
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_output

from descent.press import pages, records
from descent.press.records import Record

RECORD = Record(
    lab="one_lab",
    profile="gpu",
    device="Some GPU",
    seconds=12.3,
    memory=900_000_000,
    device_memory=2_340_000_000,
    torch="2.13.0",
    python="3.11.7",
    commit="abc1234",
    date="2026-01-31",
)
LINES = ["holds: 3 of 5 arrive, within 1e-3", "holds: none explodes"]


def checks(*lines):
    """A check cell that printed these lines."""
    return new_code_cell(
        "lab.check(...)",
        execution_count=1,
        metadata={"tags": ["nbval-check-output", "keep_output"]},
        outputs=[new_output("stream", text="".join(f"{line}\n" for line in lines))],
    )


def write(file, *cells, record=None, metadata=None):
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = {"descent": dataclasses.asdict(record)} if record else metadata or {}
    nbformat.write(new_notebook(cells=list(cells), metadata=kept), file)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "checkout"
    for lab in ("one_lab", "two_lab"):
        write(pages.notebook_of(lab, root), checks(*LINES))
    labs = [{"file": f"book/{n}_lab"} for n in ("one", "two")]
    toc = {"format": "jb-book", "root": "book/index", "chapters": labs}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    return root


@pytest.fixture
def runs(tmp_path):
    for lab in ("one_lab", "two_lab"):
        record = dataclasses.replace(RECORD, lab=lab)
        write(tmp_path / "runs" / f"{lab}.ipynb", checks(*LINES), record=record)
    return tmp_path / "runs"


def test_records_are_read_in_the_order_of_the_book(root, runs):
    assert [record.lab for record in records.collect(runs, root)] == ["one_lab", "two_lab"]
    assert records.collect(runs, root)[0] == RECORD
    write(runs / "one_lab.ipynb", checks(*LINES))
    (runs / "two_lab.ipynb").unlink()
    assert records.collect(runs, root) == []


def test_what_is_written_is_read_back_and_replaces_what_was_there(tmp_path):
    file = tmp_path / "book" / "runs" / "some.json"
    for seconds in (1.0, 2.0):
        rows = [dataclasses.replace(RECORD, seconds=seconds)]
        records.write(rows, file)
        assert records.load(file) == rows
    assert [each.name for each in file.parent.iterdir()] == ["some.json"]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    file = tmp_path / "some.json"
    records.write([RECORD], file)
    before = file.read_bytes()

    def cut_off(draft, text, encoding):
        draft.write_bytes(text.encode()[:20])
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", cut_off)
    with pytest.raises(OSError, match="no space left"):
        records.write([dataclasses.replace(RECORD, seconds=1.0)], file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_nothing_is_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"nothing to write to .*some\.json: no executed lab has"):
        records.write([], tmp_path / "some.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"lab": "one_lab"}]', '{"lab": 1}'])
def test_a_file_of_something_else_is_named(content, tmp_path):
    file = tmp_path / "some.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"some\.json does not hold the records of runs"):
        records.load(file)


def test_runs_that_made_the_checks_of_the_cpu_pass(root, runs):
    records.verify(runs, ["one_lab", "two_lab"], "cuda", root)
    records.verify(runs, ["one_lab"], "cpu", root)


def test_numbers_in_a_check_may_be_those_of_a_larger_run(root, runs):
    larger = ["holds: 41 of 1,000 arrive, within 2.5e-03", LINES[1]]
    write(runs / "one_lab.ipynb", checks(*larger), record=RECORD)
    records.verify(runs, ["one_lab"], "cuda", root)


def spoil(runs, *lines, **changed):
    record = dataclasses.replace(RECORD, **changed)
    write(runs / "one_lab.ipynb", checks(*lines), record=record)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda runs: (runs / "one_lab.ipynb").unlink(), "not executed"),
        (lambda runs: write(runs / "one_lab.ipynb", checks(*LINES)), "not executed by `descent"),
        (lambda runs: write(runs / "one_lab.ipynb", new_code_cell("1")), "a cell did not run: 1"),
        (
            lambda runs: spoil(runs, *LINES, device_memory=0),
            "no tensor was on a CUDA device; it ran",
        ),
        (
            lambda runs: spoil(runs, *LINES, profile="book", memory=3 * 2**29),
            "held 1.50 GiB of memory, more than the 1.00 GiB that a lab may hold",
        ),
        (lambda runs: spoil(runs, LINES[0]), "made 1 checks, other than the 2 that its source"),
        (lambda runs: spoil(runs, *LINES[::-1]), "made 2 checks, other than the 2 that its sour"),
        (
            lambda runs: spoil(runs, LINES[0], "not judged, this run is too small: none explodes"),
            "did not judge what the CPU judges: none explodes",
        ),
    ],
)
def test_a_run_that_falls_short_is_named_with_its_fault(damage, fault, root, runs):
    damage(runs)
    with pytest.raises(ValueError, match=r"\Aone_lab: ") as caught:
        records.verify(runs, ["one_lab", "two_lab"], "cuda", root)
    assert str(caught.value).startswith(f"one_lab: {fault}")
    assert len(str(caught.value).splitlines()) == 1
    row = records.table(runs, ["one_lab"], "cuda", root).splitlines()[2]
    assert fault in row
    assert "passed" not in row


def content(runs, text):
    (runs / "one_lab.ipynb").write_text(text)


DAMAGES = {
    "cut off": lambda runs: content(runs, '{"cells": ['),
    "a list": lambda runs: content(runs, "[]"),
    "a number": lambda runs: content(runs, "3"),
    "no cells": lambda runs: content(runs, '{"metadata": {}, "nbformat": 4}'),
    "cells of numbers": lambda runs: content(runs, '{"cells": [1], "metadata": {}, "nbformat": 4}'),
    "a cell of nothing": lambda runs: content(
        runs, '{"cells": [{}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    ),
    "a record of words": lambda runs: write(
        runs / "one_lab.ipynb",
        checks(*LINES),
        metadata={"descent": dataclasses.asdict(RECORD) | {"seconds": "many"}},
    ),
    "a record of too little": lambda runs: write(
        runs / "one_lab.ipynb", checks(*LINES), metadata={"descent": {"lab": "one_lab"}}
    ),
    "a record of nothing": lambda runs: write(
        runs / "one_lab.ipynb", checks(*LINES), metadata={"descent": []}
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_notebook_is_named_and_nothing_is_written(damage, root, runs, tmp_path):
    damage(runs)
    with pytest.raises(ValueError, match=r"\Aone_lab: .*(whole notebook|damaged: )") as caught:
        records.verify(runs, ["one_lab", "two_lab"], "cpu", root)
    assert len(str(caught.value).splitlines()) == 1
    row = records.table(runs, ["one_lab"], "cpu", root).splitlines()[2]
    assert "passed" not in row
    with pytest.raises(ValueError, match=re.escape(str(runs / "one_lab.ipynb"))):
        records.write(records.collect(runs, root), tmp_path / "records.json")
    assert not (tmp_path / "records.json").exists()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("a record of nothing", "a list in place of an object"),
        ("a record of words", "seconds must be a number, got 'many'"),
    ],
)
def test_a_damaged_record_says_what_is_wrong_with_it(damage, told, runs):
    DAMAGES[damage](runs)
    with pytest.raises(ValueError, match=rf"one_lab\.ipynb is damaged: {told}"):
        records.read(runs / "one_lab.ipynb")


def test_no_labs_and_no_folder_are_faults(root, runs):
    for ask in (records.verify, records.table):
        with pytest.raises(ValueError, match=r"there is no lab in _toc\.yml"):
            ask(runs, [], "cpu", root)
        with pytest.raises(ValueError, match="there is no folder nowhere"):
            ask(Path("nowhere"), ["one_lab"], "cpu", root)


def test_the_cpu_needs_no_tensor_on_a_gpu(root, runs):
    spoil(runs, *LINES, device_memory=0)
    records.verify(runs, ["one_lab"], "cpu", root)


def test_at_full_size_a_lab_may_hold_more(root, runs):
    spoil(runs, *LINES, memory=2 * records.MEMORY)
    records.verify(runs, ["one_lab"], "cuda", root)
    spoil(runs, *LINES, profile="book", memory=records.MEMORY)
    records.verify(runs, ["one_lab"], "cuda", root)


def test_of_a_run_that_failed_the_table_says_where(root, runs):
    (runs / "one_lab.ipynb").unlink()
    error = new_output("error", ename="AssertionError", evalue="does not hold: it falls")
    failed = new_code_cell("lab.check()", execution_count=4, outputs=[error])
    write(runs / "one_lab.partial.ipynb", failed)
    assert records.table(runs, ["one_lab", "two_lab"], "cuda", root).splitlines() == [
        "| lab | device | seconds | peak memory | result |",
        "|:--|:--|--:|--:|:--|",
        "| one_lab |  |  |  | cell [4] raised AssertionError: does not hold: it falls |",
        "| two_lab | Some GPU | 12.3 | 2.34 GB | passed |",
    ]


def test_the_commit_is_named_and_marked_where_files_have_changed(tmp_path):
    assert records.commit_of(tmp_path) == ""

    def git(*arguments):
        settings = ["-c", "user.name=a", "-c", "user.email=a@b.invalid"]
        subprocess.run(["git", "-C", tmp_path, *settings, *arguments], check=True)

    git("init", "--quiet")
    (tmp_path / "file").write_text("first")
    git("add", "file")
    git("commit", "--quiet", "--message", "First")
    clean = records.commit_of(tmp_path)
    assert len(clean) >= 7
    (tmp_path / "file").write_text("second")
    assert records.commit_of(tmp_path) == f"{clean}+"


def test_the_kept_check_lines_of_the_book_are_found():
    for lab in pages.labs_in_toc():
        lines = records.claims_of(pages.notebook_of(lab))
        assert len(lines) >= 3
        assert all(line.startswith("holds: ") for line in lines)
