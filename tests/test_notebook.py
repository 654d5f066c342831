"""Starting a lab: in this process, and through papermill as a reader runs it."""

import math
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
from matplotlib.figure import Figure

from descent.chapters import parameters
from descent.press import notebook, pages, runner
from descent.press.notebook import Lab
from descent.tasks.models import mlp

LAB = "gradient_descent_lab"
DEFAULTS = {name: each.value for name, each in runner.defaults_of(pages.notebook_of(LAB)).items()}


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
    lab = nbformat.read(pages.notebook_of(LAB), as_version=4)
    starts = [f'notebook.start("{LAB}", globals()' in cell.source for cell in lab.cells]
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


@pytest.fixture
def lab():
    return Lab("a_lab", parameters.LabParameters(seed=0, device="cpu"))


def test_a_claim_that_holds_prints_its_line(lab, capsys):
    lab.check("near", torch.tensor([1.0, 2.0]), torch.tensor([1.009, 2.018]), rel=0.01)
    lab.check("absolutely near", 0.0, 0.01, abs=0.01)
    lab.check("true", True)
    assert capsys.readouterr().out == "holds: near\nholds: absolutely near\nholds: true\n"


@pytest.mark.parametrize(
    ("measured", "expected", "tolerance", "values"),
    [
        (1.0, 1.02, {"rel": 0.01}, "measured 1, expected 1.02"),
        (0.0, 0.02, {"abs": 0.01}, "measured 0, expected 0.02"),
        (torch.tensor([1.0, 3.0, 2.0]), 1.0, {}, r"measured 3, expected 1 at \[1\]"),
        (torch.tensor([9.0, math.nan]), 1.0, {"abs": 9.0}, r"measured nan, expected 1 at \[1\]"),
        (False, True, {}, "measured 0, expected 1"),
    ],
)
def test_a_claim_that_fails_names_its_worst_number(lab, measured, expected, tolerance, values):
    with pytest.raises(AssertionError, match=rf"^does not hold: far \({values}\)$"):
        lab.check("far", measured, expected, **tolerance)


def test_a_claim_too_large_for_the_run_is_said_to_be_unjudged(lab, capsys):
    lab.check("far", 0.0, 1.0, when=False)
    assert capsys.readouterr().out == "not judged, this run is too small: far\n"


def test_a_lab_works_in_the_type_that_it_says():
    try:
        notebook.start(LAB, DEFAULTS | {"device": "cpu"}, dtype=torch.float64)
        assert torch.tensor(1.0).dtype == torch.float64
        assert next(mlp([2, 1], seed=0).parameters()).dtype == torch.float32
    finally:
        notebook.start(LAB, DEFAULTS | {"device": "cpu"})
    assert torch.tensor(1.0).dtype == torch.float32


def test_a_labs_streams_follow_from_its_seed_and_their_names(lab):
    other = Lab("a_lab", parameters.LabParameters(seed=1, device="cpu"))
    found = [lab.seed("a"), lab.seed("b"), other.seed("a"), *lab.seeds("a", 3)[1:]]
    assert len(set(found)) == len(found)
    assert lab.seeds("a", 3)[0] == lab.seed("a")
    expected = torch.rand(3, generator=torch.Generator().manual_seed(lab.seed("a")))
    assert torch.equal(torch.rand(3, generator=lab.generator("a")), expected)


@pytest.mark.parametrize("holds", [False, torch.tensor([True, False])])
def test_a_figure_that_does_not_show_what_is_said_of_it_is_refused(lab, holds, monkeypatch):
    kept = []
    monkeypatch.setattr(Lab, "glue", lambda self, name, value: kept.append(name))
    says = {"It rises.": torch.tensor([True, True]), "It falls.": holds}
    with pytest.raises(AssertionError, match=r"^a-fig does not show: It falls\.$"):
        lab.figure("a-fig", None, says=says)
    assert not kept
    lab.figure("a-fig", Figure(), says=says, when=False)
    lab.figure("a-fig", Figure(), says={"It rises.": True})
    assert kept == ["a-fig", "a-fig"]
