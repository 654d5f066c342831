"""The closed forms of the chapter on losses: what they estimate, and how well."""

import math
from statistics import NormalDist
from typing import Annotated

from descent._signatures import Count, Finite, In, Positive, Several, checked

_NORMAL = NormalDist()


@checked
def huber_efficiency(delta: Positive) -> float:
    r"""Return the efficiency of Huber's estimate of a mean under Gaussian noise.

    It is the variance of the mean over that of the estimate, for many samples. The noise has
    standard deviation 1.

    Args:
        delta: :math:`\delta`, where Huber's loss turns from a parabola into a line, in
            (0, inf), in standard deviations of the noise.

    Returns:
        The efficiency, in :math:`(2/\pi, 1)`: from that of the median to that of the mean.

    Example:
        >>> round(huber_efficiency(1.345), 4)
        0.95

    References:
        The chapter on losses, equation ``ls-efficiency``.
    """
    inside = math.erf(delta / math.sqrt(2))
    outside = math.erfc(delta / math.sqrt(2))
    variance = inside - 2 * delta * _NORMAL.pdf(delta) + delta**2 * outside
    return inside**2 / variance


@checked
def mean_outlier_bias(fraction: Annotated[float, In("[0, 1]")], distance: Finite) -> float:
    r"""Return :math:`aD`, how far outliers drag the mean.

    Args:
        fraction: :math:`a`, the part of the samples that are outliers, in [0, 1].
        distance: :math:`D`, where they lie, seen from the mean of the others, in (-inf, inf).

    Returns:
        The bias.

    Example:
        >>> mean_outlier_bias(0.25, 10.0)
        2.5

    References:
        The chapter on losses.
    """
    return fraction * distance


@checked
def median_outlier_bias(fraction: Annotated[float, In("[0, 0.5)")]) -> float:
    r"""Return :math:`\Phi^{-1}(1/(2(1-a)))`, how far distant outliers drag the median.

    Args:
        fraction: :math:`a`, the part of the samples that lie far above the others, in [0, 0.5).

    Returns:
        The bias, in standard deviations of the Gaussian that the others come from.

    Example:
        >>> round(median_outlier_bias(0.1), 4)
        0.1397

    References:
        The chapter on losses, equation ``ls-outlier-median``.
    """
    return _NORMAL.inv_cdf(0.5 / (1 - fraction))


@checked
def huber_outlier_bias(fraction: Annotated[float, In("[0, 0.5)")], delta: Positive) -> float:
    r"""Return how far distant outliers drag Huber's estimate.

    It is the :math:`c` with :math:`(1-a)\,\mathbb{E}[\psi(c - Z)] = a\delta`, where :math:`\psi`
    clips to :math:`[-\delta, \delta]` and :math:`Z` is standard normal.

    Args:
        fraction: :math:`a`, the part of the samples that lie far above the others, in [0, 0.5).
        delta: :math:`\delta`, in (0, inf).

    Returns:
        The bias :math:`c`, in standard deviations of the Gaussian that the others come from. It
        holds for outliers beyond :math:`c + \delta`.

    Example:
        >>> round(huber_outlier_bias(0.1, delta=1.345), 4)
        0.1825

    References:
        The chapter on losses, equation ``ls-outlier-huber``.
    """

    def pull(c: float) -> float:
        """Return the mean of the clipped ``c - Z``, whose slope in c is P(|c - Z| < delta)."""
        return _normal_integral(c + delta) - _normal_integral(c - delta) - delta

    low, high = 0.0, 1.0
    while (1 - fraction) * pull(high) < fraction * delta:
        high *= 2
    for _ in range(100):  # halves the interval; after 60 it is as narrow as a float64
        middle = (low + high) / 2
        if (1 - fraction) * pull(middle) < fraction * delta:
            low = middle
        else:
            high = middle
    return low


@checked
def double_softmax_floor(num_classes: Several) -> float:
    r"""Return :math:`\ln(1 + (K-1)/e)`, which a second softmax keeps a cross-entropy above.

    Args:
        num_classes: :math:`K`, at least 2.

    Returns:
        The floor.

    Example:
        >>> round(double_softmax_floor(10), 4)
        1.4612

    References:
        The chapter on losses, equation ``ls-double-softmax``.
    """
    return math.log1p((num_classes - 1) / math.e)


@checked
def label_smoothing_gap(
    label_smoothing: Annotated[float, In("(0, 1]")], num_classes: Several
) -> float:
    r"""Return :math:`\ln(1 + K(1-\varepsilon)/\varepsilon)`, the gap that smoothed labels ask for.

    Args:
        label_smoothing: :math:`\varepsilon`, in (0, 1].
        num_classes: :math:`K`, at least 2.

    Returns:
        The logit of the right class less that of any other, where the loss is least.

    Example:
        >>> round(label_smoothing_gap(0.1, num_classes=10), 4)
        4.5109

    References:
        The chapter on losses, equation ``ls-smoothing-gap``.
    """
    return math.log1p(num_classes * (1 - label_smoothing) / label_smoothing)


@checked
def gaussian_entropy(std: Positive) -> float:
    r"""Return :math:`\tfrac12 + \ln(\sigma\sqrt{2\pi})`, the least that a Gaussian NLL can be.

    Args:
        std: :math:`\sigma`, the standard deviation of the noise, in (0, inf).

    Returns:
        The least expected negative log-likelihood, which may be negative.

    Example:
        >>> round(gaussian_entropy(0.1), 4)
        -0.8836

    References:
        The chapter on losses, equation ``ls-gaussian-entropy``.
    """
    return 0.5 + math.log(std * math.sqrt(2 * math.pi))


@checked
def saturation_logit(significand_bits: Count) -> float:
    r"""Return :math:`t\ln 2`, from where :math:`1 + e^{-z}` is rounded to 1.

    Args:
        significand_bits: :math:`t`, with the leading one: 24 in float32, 11 in float16, 8 in
            bfloat16.

    Returns:
        The logit.

    Example:
        >>> round(saturation_logit(24), 2)
        16.64

    References:
        The chapter on losses, equation ``ls-saturation``.
    """
    return significand_bits * math.log(2)


def _normal_integral(x: float) -> float:
    """Return the integral of the normal distribution function up to ``x``."""
    return x * _NORMAL.cdf(x) + _NORMAL.pdf(x)
