"""Starting a lab: in this process, and through papermill as a reader runs it."""

import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest
import torch

from descent import book, notebook, runner

LAB = "gradient_descent_lab"
DEFAULTS = {name: each.value for name, each in runner.defaults_of(book.notebook_of(LAB)).items()}


def test_start_checks_seeds_and_styles():
    with plt.rc_context():
        plt.rcdefaults()
        begun = notebook.start(LAB, DEFAULTS | {"device": "cpu", "someone": "else's"})
        assert plt.rcParams != plt.rcParamsDefault
        first = torch.rand(3)
        notebook.start(LAB, DEFAULTS)
        assert torch.equal(first, torch.rand(3))
    assert begun.parameters.model_dump() == DEFAULTS | {"device": "cpu"}
    assert begun.device == torch.device("cpu")


def test_start_refuses_what_is_not_allowed():
    with pytest.raises(ValueError, match=r"lr must be a number in .*, got -1"):
        notebook.start(LAB, DEFAULTS | {"lr": -1})


@pytest.fixture
def beginning(tmp_path):
    """The lab, up to the cell that starts it."""
    lab = nbformat.read(book.notebook_of(LAB), as_version=4)
    starts = [f'notebook.start("{LAB}", globals())' in cell.source for cell in lab.cells]
    del lab.cells[starts.index(True) + 1 :]
    nbformat.write(lab, tmp_path / "lab.ipynb")
    return tmp_path / "lab.ipynb"


def papermill(lab, *options):
    command = [Path(sys.executable).with_name("papermill"), lab, lab.with_name("out.ipynb")]
    return subprocess.run([*command, "--no-progress-bar", *options], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["-p", "lr", "-1"], "lr must be a number in "),
        (["-p", "lrr", "0.1"], "there is no parameter 'lrr'; there are: "),
        (["-y", "lr: 1e-3"], "got '1e-3'"),
    ],
)
def test_plain_papermill_stops_at_the_start_with_one_clear_line(options, told, beginning):
    ended = papermill(beginning, *options)
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ValueError: {LAB}: ")
    assert told in last


def test_plain_papermill_runs_with_what_is_allowed(beginning):
    assert papermill(beginning, "-p", "lr", "0.1").returncode == 0
