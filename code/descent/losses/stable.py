"""Logarithms of sums of exponentials that neither overflow nor lose their digits."""

import torch
from torch import Tensor

from descent._checks import check_floating, check_positive_int
from descent._signatures import Floating, checked


def _check_dim(input: Tensor, dim: int) -> None:
    check_floating("input", input)
    shape = tuple(input.shape)
    check_positive_int("dim", dim, at_least=-len(shape))
    if dim >= len(shape) or shape[dim] == 0:
        raise ValueError(f"dim must be a non-empty dimension of input, {shape}, got {dim}")


@checked
def logsumexp(input: Floating, dim: int) -> Tensor:
    r"""Return the logarithm of the sum of exponentials along ``dim``.

    .. math:: \log\sum_c e^{z_c} = m + \log\sum_c e^{z_c - m}, \qquad m = \max_c z_c

    :math:`z` is ``input``. The identity holds for every :math:`m`; with the largest entry as
    :math:`m` no exponential exceeds 1, so that nothing overflows.

    Args:
        input: numbers of any size, of shape ``(..., C, ...)``.
        dim: the dimension of length :math:`C` to sum over.

    Returns:
        The shape of ``input`` without ``dim``. An entry of minus infinity counts as none.

    Raises:
        ValueError: ``input`` is not floating point, or ``dim`` is empty or not there.

    Example:
        >>> logsumexp(torch.tensor([1e4, 1e4, -1e4], dtype=torch.float64), dim=0)
        tensor(10000.6931, dtype=torch.float64)

    References:
        Derived in the chapter on losses. In PyTorch: ``torch.logsumexp``.
    """
    _check_dim(input, dim)
    # The result does not depend on the shift, so neither does the gradient.
    most = torch.finfo(input.dtype).max
    # Kept finite: infinity less itself is NaN, and beside infinity all others shall be 0.
    shift = input.detach().amax(dim, keepdim=True).clamp(-most, most)
    return (input - shift).exp().sum(dim).log() + shift.squeeze(dim)


@checked
def log_softmax(input: Floating, dim: int) -> Tensor:
    r"""Return the logarithm of the softmax along ``dim``.

    .. math:: \log p_c = (z_c - m) - \log\sum_k e^{z_k - m}, \qquad m = \max_k z_k

    :math:`z` is ``input``. The shift is taken off first, and not with the logarithm of the sum:
    for logits of size 10\ :sup:`4` that keeps four more digits.

    Args:
        input: logits, of shape ``(..., C, ...)``.
        dim: the dimension of length :math:`C` that runs over the classes.

    Returns:
        Logarithms of probabilities, at most 0, of the shape of ``input``.

    Raises:
        ValueError: ``input`` is not floating point, or ``dim`` is empty or not there.

    Example:
        >>> log_softmax(torch.tensor([0.0, 1e4]), dim=0)
        tensor([-10000.,      0.])

    References:
        Derived in the chapter on losses. In PyTorch: ``torch.log_softmax``.
    """
    _check_dim(input, dim)
    shifted = input - input.detach().amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


@checked
def softplus(input: Floating) -> Tensor:
    r"""Return the smooth ramp, minus the logarithm of a sigmoid of the opposite sign.

    .. math:: \log(1 + e^z) = \max(z, 0) + \log(1 + e^{-|z|}) = -\log\sigma(-z)

    :math:`z` is ``input``. It is exact at both ends: no exponential exceeds 1, and ``log1p``
    keeps the digits of a small one.

    Args:
        input: numbers of any size and shape.

    Returns:
        Numbers of at least 0, of the shape of ``input``.

    Raises:
        ValueError: ``input`` is not floating point.

    Example:
        >>> softplus(torch.tensor([-1e4, 0.0, 1e4]))
        tensor([0.0000e+00, 6.9315e-01, 1.0000e+04])

    Note:
        ``torch.nn.functional.softplus`` returns its input unchanged above 20, and so is up to
        2.1e-9 too small there. ``-logsigmoid(-input)`` is not, and is what this function equals.

    References:
        Derived in the chapter on losses.
    """
    positive = input > 0
    # Written with -|z|, this would have a second derivative of 0 at z = 0, where it is 1/4.
    tail = torch.where(positive, -input, input)
    return torch.where(positive, input, 0.0) + tail.exp().log1p()
