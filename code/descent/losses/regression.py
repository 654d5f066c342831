"""Losses of one number against another."""

from typing import Annotated

import torch
from torch import Tensor

from descent._signatures import Floating, In, NonNegative, Positive, checked
from descent.losses._common import Reduction, check_pair, reduce


@checked
def mse_loss(input: Floating, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Return the squared error, which the mean of the targets minimizes.

    .. math:: \ell(\hat y, y) = (\hat y - y)^2

    :math:`\hat y` is ``input``, :math:`y` is ``target``.

    Args:
        input: predictions, of any shape.
        target: what was observed, of the same shape and dtype.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``input``; in squared units of the target.

    Raises:
        ValueError: shapes or dtypes differ, or ``reduction`` is unknown.

    Example:
        >>> mse_loss(torch.tensor([1.0, 4.0]), torch.tensor([1.0, 2.0]))
        tensor(2.)

    References:
        Derived in the chapter on losses, as the likelihood of Gaussian noise.
    """
    check_pair(input, target)
    return reduce((input - target) ** 2, reduction)


@checked
def l1_loss(input: Floating, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Return the absolute error, which the median of the targets minimizes.

    .. math:: \ell(\hat y, y) = |\hat y - y|

    :math:`\hat y` is ``input``, :math:`y` is ``target``. The gradient at the kink is 0.

    Args:
        input: predictions, of any shape.
        target: what was observed, of the same shape and dtype.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``input``; in units of the target.

    Raises:
        ValueError: shapes or dtypes differ, or ``reduction`` is unknown.

    Example:
        >>> l1_loss(torch.tensor([1.0, 4.0]), torch.tensor([1.0, 2.0]))
        tensor(1.)

    References:
        Derived in the chapter on losses, as the likelihood of Laplace noise.
    """
    check_pair(input, target)
    return reduce((input - target).abs(), reduction)


@checked
def huber_loss(
    input: Floating, target: Tensor, *, reduction: Reduction = "mean", delta: Positive = 1.0
) -> Tensor:
    r"""Return a loss that is quadratic for small errors and linear for large ones.

    .. math::
        \ell(\hat y, y) = \begin{cases}
            \frac12 r^2 & |r| \le \delta \\
            \delta\left(|r| - \frac12\delta\right) & |r| > \delta
        \end{cases}
        \qquad r = \hat y - y

    :math:`\hat y` is ``input``, :math:`y` is ``target``, :math:`\delta` is ``delta``.

    Args:
        input: predictions, of any shape.
        target: what was observed, of the same shape and dtype.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.
        delta: where the two pieces meet, in units of the target, in (0, inf).

    Returns:
        A scalar, or with ``"none"`` the shape of ``input``; in squared units of the target.

    Raises:
        ValueError: shapes or dtypes differ, ``delta`` is not positive, or ``reduction`` is
            unknown.

    Example:
        >>> huber_loss(torch.tensor([0.5, 10.0]), torch.zeros(2), reduction="none")
        tensor([0.1250, 9.5000])

    References:
        Derived in the chapter on losses.
    """
    check_pair(input, target)
    error, size = input - target, (input - target).abs()
    inner = ~(size > delta)  # a NaN, whose slope as an absolute value would be 0, is squared
    # What is not chosen is 0 in its branch, so that nothing overflows there, and no NaN comes back.
    inside, outside = torch.where(inner, error, 0.0), torch.where(inner, 0.0, size)
    loss = torch.where(inner, inside / 2 * inside, delta * (outside - delta / 2))
    return reduce(loss, reduction)


@checked
def smooth_l1_loss(
    input: Floating, target: Tensor, *, reduction: Reduction = "mean", beta: NonNegative = 1.0
) -> Tensor:
    r"""Return the Huber loss over its threshold, so that the slope of its arms is 1.

    .. math::
        \ell(\hat y, y) = \begin{cases}
            r^2 / 2\beta & |r| \le \beta \\
            |r| - \frac12\beta & |r| > \beta
        \end{cases}
        \qquad r = \hat y - y

    :math:`\hat y` is ``input``, :math:`y` is ``target``, :math:`\beta` is ``beta``.

    Args:
        input: predictions, of any shape.
        target: what was observed, of the same shape and dtype.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.
        beta: where the two pieces meet, in units of the target, in [0, inf); 0 gives
            :func:`l1_loss`.

    Returns:
        A scalar, or with ``"none"`` the shape of ``input``; in units of the target.

    Raises:
        ValueError: shapes or dtypes differ, ``beta`` is negative, or ``reduction`` is unknown.

    Example:
        >>> smooth_l1_loss(torch.tensor([0.5, 10.0]), torch.zeros(2), reduction="none", beta=2.0)
        tensor([0.0625, 9.0000])

    References:
        Derived in the chapter on losses.
    """
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    check_pair(input, target)
    error, size = input - target, (input - target).abs()
    inner = ~(size >= beta)
    # As in Huber's loss, which over a small beta would be 0 / 0, and over a large one inf / inf.
    inside, outside = torch.where(inner, error, 0.0), torch.where(inner, 0.0, size)
    loss = torch.where(inner, inside / 2 * (inside / beta), outside - beta / 2)
    return reduce(loss, reduction)


@checked
def quantile_loss(
    input: Floating,
    target: Tensor,
    *,
    quantile: Annotated[float, In("(0, 1)")],
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the pinball loss, which a quantile of the targets minimizes.

    .. math:: \ell(\hat y, y) = \max\bigl(q\,(y - \hat y),\ (q - 1)\,(y - \hat y)\bigr)

    :math:`\hat y` is ``input``, :math:`y` is ``target``, :math:`q` is ``quantile``. At
    :math:`q = \frac12` it is half of :func:`l1_loss`.

    Args:
        input: predictions of the quantile, of any shape.
        target: what was observed, of the same shape and dtype.
        quantile: the fraction of targets that shall lie below the prediction, in (0, 1).
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``input``; in units of the target.

    Raises:
        ValueError: shapes or dtypes differ, ``quantile`` is not in (0, 1), or ``reduction`` is
            unknown.

    Example:
        >>> target = torch.tensor([1.0, -1.0])
        >>> quantile_loss(torch.zeros(2), target, quantile=0.75, reduction="none")
        tensor([0.7500, 0.2500])

    Note:
        PyTorch has no such loss.

    References:
        Derived in the chapter on losses.
    """
    check_pair(input, target)
    error = target - input
    return reduce(torch.maximum(quantile * error, (quantile - 1) * error), reduction)
