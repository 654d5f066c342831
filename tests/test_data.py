import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_digits

from descent.tasks.data import diabetes, digits, published


def test_the_digits_are_scikit_learns_scaled_as_a_whole():
    raw, data = load_digits(), digits(dtype=torch.float64)
    assert data.input.shape == (1797, 64)
    assert data.input.mean().abs() < 1e-12
    assert data.input.std(correction=0).item() == pytest.approx(1, abs=1e-12)
    # One shift and one scale for all pixels: what comes back is what went in.
    back = data.input * raw.data.std() + raw.data.mean()
    np.testing.assert_allclose(back, raw.data, atol=1e-11)
    assert torch.equal(data.target, torch.tensor(raw.target))
    assert data.target.dtype == torch.int64
    assert data.target.unique().tolist() == list(range(10))


def test_the_diabetes_data_are_scikit_learns_scaled_column_by_column():
    raw, data = load_diabetes(scaled=False), diabetes()
    assert data.input.shape == (442, 10)
    assert data.target.shape == (442,)
    for ours, theirs in ((data.input, raw.data), (data.target, raw.target)):
        assert ours.mean(0).abs().max() < 1e-12
        torch.testing.assert_close(ours.std(0, correction=0), torch.ones_like(ours[0]))
        back = ours * theirs.std(0) + theirs.mean(0)
        np.testing.assert_allclose(back, theirs, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("load", [digits, diabetes])
def test_the_input_has_the_dtype_asked_for(load, dtype):
    data = load(dtype=dtype)
    assert data.input.dtype == dtype
    assert torch.equal(data.input, load(dtype=torch.float64).input.to(dtype))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64], ids=str)
@pytest.mark.parametrize("load", [digits, diabetes])
def test_a_dtype_that_would_round_the_pixels_away_is_refused(load, dtype):
    with pytest.raises(ValueError, match=f"^dtype must be floating point, got {dtype}$"):
        load(dtype=dtype)


@pytest.mark.parametrize("load", [digits, diabetes])
def test_the_tensors_live_on_the_device_asked_for(load):
    data = load(device="meta")
    assert data.input.device.type == data.target.device.type == "meta"


def test_a_published_table_is_read_row_by_row():
    reported = published("goyal2017")
    assert all(len(values) == 12 for values in reported.values())
    row = reported["batch_size"] == 65536
    assert [values[row].item() for values in reported.values()] == [65536, 25.6, 33.96, 0.80]
    scaled = reported["lr"] / reported["batch_size"] == 0.1 / 256
    assert scaled.sum() == 10
    assert (reported["batch_size"][~scaled] == 8192).all()


def test_a_table_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="table must be one of 'goyal2017', got 'goyal'"):
        published("goyal")


def test_importing_the_package_loads_no_heavy_library():
    code = (
        "import sys, descent.optim, descent.training\n"
        "import descent.measure.curvature, descent.tasks.data\n"
        "print([name for name in ('scipy', 'sklearn', 'pandas', 'matplotlib', 'torch._dynamo')"
        " if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
