"""What a number that was measured several times is worth."""

from scipy.special import stdtrit
from torch import Tensor

from descent._checks import check_integer_in, check_positive_int
from descent._signatures import Count, Floating, checked


@checked
def mean_interval(samples: Floating, dim: int = 0) -> tuple[Tensor, Tensor]:
    """Return the mean of independent samples and half the width of its 95 % interval.

    The interval is Student's, which is wider where there are few samples.

    Args:
        samples: measurements, of any shape.
        dim: the dimension along which they repeat, of at least two entries.

    Returns:
        Means and half-widths, of the shape of ``samples`` without ``dim``.

    Raises:
        ValueError: there are fewer than two samples, or there is no such dimension.

    Example:
        >>> import torch
        >>> middle, half = mean_interval(torch.tensor([1.0, 2.0, 3.0]))
        >>> middle, round(half.item(), 3)
        (tensor(2.), 2.484)
    """
    check_integer_in("dim", dim, f"[{-samples.ndim}, {samples.ndim - 1}]")
    count = samples.shape[dim]
    check_positive_int("the number of samples", count, at_least=2)
    half = stdtrit(count - 1, 0.975) * samples.std(dim) / count**0.5
    return samples.mean(dim), half


@checked
def stated(samples: Floating, digits: Count = 2) -> str:
    """Write the mean of samples and its 95 % interval as text.

    Args:
        samples: measurements, shape ``(repeats,)``.
        digits: after the decimal point.

    Returns:
        Such as ``"0.98 ± 0.01"``.

    Example:
        >>> import torch
        >>> stated(torch.tensor([1.0, 2.0, 3.0]))
        '2.00 ± 2.48'
    """
    middle, half = mean_interval(samples)
    return f"{middle:.{digits}f} ± {half:.{digits}f}"
