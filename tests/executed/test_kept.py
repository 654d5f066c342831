"""The labs as `make labs` executed them, held against the check lines that their sources keep."""

import pytest

from descent.press.pages import ROOT, labs_in_toc, notebook_of, read_notebook


def checks(notebook):
    """Map each cell of checks to the code in it and to what it printed."""
    return {
        cell["id"]: ("".join(cell["source"]), "".join(map(printed, cell["outputs"])))
        for cell in read_notebook(notebook)["cells"]
        if "nbval-check-output" in cell["metadata"].get("tags", [])
    }


def printed(output):
    return "".join(output.get("text", ""))


@pytest.mark.parametrize("lab", labs_in_toc())
def test_a_lab_printed_what_its_source_keeps(lab):
    executed = ROOT / "build/labs" / f"{lab}.ipynb"
    assert executed.is_file(), "run `make labs` first"
    assert checks(executed) == checks(notebook_of(lab))
