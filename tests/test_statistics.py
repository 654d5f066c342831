"""Intervals against scipy's, and against how often they cover the truth."""

import pytest
import scipy.stats
import torch

from descent.measure.statistics import mean_interval, stated


@pytest.mark.parametrize("count", [2, 3, 10, 200])
def test_the_interval_is_students(count):
    samples = torch.randn(count, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    middle, half = mean_interval(samples)
    found = scipy.stats.ttest_1samp(samples.numpy(), 0).confidence_interval(0.95)
    torch.testing.assert_close(middle - half, torch.tensor(found.low), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(middle + half, torch.tensor(found.high), rtol=1e-9, atol=1e-12)


def test_it_covers_the_mean_in_95_of_100_experiments():
    generator = torch.Generator().manual_seed(0)
    samples = torch.randn(20_000, 5, dtype=torch.float64, generator=generator)
    middle, half = mean_interval(samples, dim=1)
    covered = (middle.abs() < half).double().mean()
    assert abs(covered - 0.95) < 4 * (0.95 * 0.05 / 20_000) ** 0.5


def test_one_sample_has_no_interval():
    with pytest.raises(ValueError, match="the number of samples must be an integer of at least 2"):
        mean_interval(torch.ones(1, 4))


@pytest.mark.parametrize("dim", [2, -3])
def test_a_dimension_that_is_not_there_is_named(dim):
    with pytest.raises(ValueError, match=rf"^dim must be in \[-2, 1\], got {dim}$"):
        mean_interval(torch.ones(3, 4), dim=dim)


def test_it_is_stated_with_as_many_digits_as_asked():
    assert stated(torch.tensor([1.0, 2.0, 3.0]), digits=1) == "2.0 ± 2.5"
