"""The closed forms against simulations that use nothing but the definition."""

import math

import pytest
import torch

from descent.chapters.losses import theory


@pytest.mark.parametrize("delta", [0.3, 1.0, 1.345, 3.0])
def test_the_efficiency_of_huber_is_that_of_sums_over_a_fine_grid(delta):
    u = torch.linspace(-10, 10, 2_000_001, dtype=torch.float64)
    weight = (-0.5 * u**2).exp()
    weight /= weight.sum()
    variance = (weight * u.clamp(-delta, delta) ** 2).sum()
    inside = (weight * (u.abs() <= delta)).sum()
    assert theory.huber_efficiency(delta) == pytest.approx(float(inside**2 / variance), rel=1e-4)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.45])
def test_huber_lies_between_the_median_and_the_mean_among_outliers(fraction):
    median = theory.median_outlier_bias(fraction)
    almost = theory.huber_outlier_bias(fraction, delta=1e-5)
    between = theory.huber_outlier_bias(fraction, delta=1.0)
    assert almost == pytest.approx(median, abs=1e-4)
    assert median <= between <= theory.huber_outlier_bias(fraction, delta=10.0)
    # Beyond all samples but the outliers, these count as if they were delta above the estimate.
    wide = theory.huber_outlier_bias(fraction, delta=50.0)
    assert wide == pytest.approx(fraction / (1 - fraction) * 50.0, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda bad: theory.huber_efficiency(bad), "delta"),
        (lambda bad: theory.mean_outlier_bias(bad, 1.0), "fraction"),
        (lambda bad: theory.median_outlier_bias(bad), "fraction"),
        (lambda bad: theory.huber_outlier_bias(bad, 1.0), "fraction"),
        (lambda bad: theory.huber_outlier_bias(0.1, bad), "delta"),
        (lambda bad: theory.label_smoothing_gap(bad, 10), "label_smoothing"),
        (lambda bad: theory.gaussian_entropy(bad), "std"),
    ],
)
@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_a_number_out_of_range_is_named(call, name, bad):
    with pytest.raises(ValueError, match=f"^{name} must be in .*, got {bad}$"):
        call(bad)


def test_half_outliers_leave_no_centre():
    for bias in (theory.median_outlier_bias, lambda part: theory.huber_outlier_bias(part, 1.0)):
        with pytest.raises(ValueError, match=r"^fraction must be in \[0, 0.5\), got 0.5$"):
            bias(0.5)


@pytest.mark.parametrize(
    ("call", "name", "least"),
    [
        (theory.double_softmax_floor, "num_classes", 2),
        (lambda bad: theory.label_smoothing_gap(0.1, bad), "num_classes", 2),
        (theory.saturation_logit, "significand_bits", 1),
    ],
)
def test_a_count_that_is_too_small_is_named(call, name, least):
    message = f"^{name} must be an integer of at least {least}, got {least - 1}$"
    with pytest.raises(ValueError, match=message):
        call(least - 1)
