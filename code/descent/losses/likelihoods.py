"""Losses of a predicted distribution: its divergence, counts, and noise of unknown size."""

import math
from typing import Annotated

import torch
from torch import Tensor

from descent._checks import check_dtype, check_in_interval
from descent._signatures import Floating, OneOf, Positive, checked
from descent.losses._common import (
    Reduction,
    check_log_probabilities,
    check_pair,
    check_probabilities,
    reduce,
)


@checked
def kl_div(
    input: Floating,
    target: Tensor,
    *,
    reduction: Annotated[str, OneOf(("none", "mean", "sum", "batchmean"))] = "mean",
    log_target: bool = False,
) -> Tensor:
    r"""Return the terms of the Kullback-Leibler divergence from ``input`` to ``target``.

    .. math:: \ell(\log q, p) = p\,(\log p - \log q), \qquad
        \mathrm{KL}(p \,\|\, q) = \sum_c \ell_c

    :math:`\log q` is ``input``, :math:`p` is ``target``. A probability of 0 in the target
    contributes 0.

    Args:
        input: log-probabilities, of any shape; not probabilities, and not logits.
        target: probabilities, of the same shape and dtype; their logarithms with ``log_target``.
        reduction: ``"none"``, ``"mean"``, ``"sum"`` or ``"batchmean"``, the sum over the length
            of the first dimension.
        log_target: whether ``target`` holds logarithms.

    Returns:
        A scalar, or with ``"none"`` the shape of ``input``; in nats.

    Raises:
        ValueError: shapes or dtypes differ, a probability is not in [0, 1], a log-probability is
            above 0, or ``reduction`` is unknown.

    Example:
        >>> p, q = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.25, 0.75]])
        >>> kl_div(q.log(), p, reduction="batchmean")
        tensor(0.1438)

    Note:
        As in PyTorch, ``"mean"`` divides by the number of all elements, classes included, and so
        is the divergence over :math:`C`; ``"batchmean"`` is the divergence.

    References:
        Derived in the chapter on losses.
    """
    check_pair(input, target)
    check_log_probabilities("input", input)
    if log_target:
        check_log_probabilities("target", target)
        loss = target.exp() * (target - input)
    else:
        check_probabilities("target", target)
        loss = torch.xlogy(target, target) - target * input
    if reduction != "batchmean":
        return reduce(loss, reduction)
    if input.ndim == 0:
        raise ValueError("input must have a dimension for reduction 'batchmean', got shape ()")
    return loss.sum() / input.shape[0]


@checked
def poisson_nll_loss(
    input: Floating,
    target: Tensor,
    *,
    log_input: bool = True,
    full: bool = False,
    eps: Positive = 1e-8,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the negative log-likelihood of counts, from the logarithm of their rate.

    .. math:: \ell(\log\lambda, y) = \lambda - y \log\lambda + \log y!

    :math:`\log\lambda` is ``input``, :math:`y` is ``target``.

    Args:
        input: logarithms of rates, of any shape; with ``log_input=False`` the rates themselves,
            at least 0.
        target: counts, at least 0, of the same shape and dtype.
        log_input: whether ``input`` holds logarithms.
        full: whether to add Stirling's approximation of the last term, which does not depend on
            ``input``: :math:`y\log y - y + \frac12\log 2\pi y` for counts above 1, and 0 for
            others.
        eps: added to a rate before its logarithm is taken, in (0, inf).
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``input``; in nats, and often negative while
        ``full`` is off.

    Raises:
        ValueError: shapes or dtypes differ, a count, a rate or ``eps`` is out of range, or
            ``reduction`` is unknown.

    Example:
        >>> poisson_nll_loss(torch.tensor([3.0]).log(), torch.tensor([3.0]))
        tensor(-0.2958)

    References:
        Derived in the chapter on losses.
    """
    check_pair(input, target)
    check_in_interval("target", target, "[0, inf)")
    if log_input:
        loss = input.exp() - target * input
    else:
        check_in_interval("input", input, "[0, inf)")
        loss = input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + torch.where(target > 1, stirling, 0.0)
    return reduce(loss, reduction)


@checked
def gaussian_nll_loss(
    input: Floating,
    target: Tensor,
    var: Tensor | float,
    *,
    full: bool = False,
    eps: Positive = 1e-6,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the negative log-likelihood of a Gaussian whose variance is predicted too.

    .. math::
        \ell(\mu, v, y) = \frac12\left(\log v + \frac{(\mu - y)^2}{v}\right)
            + \frac12\log 2\pi

    :math:`\mu` is ``input``, :math:`v` is ``var``, :math:`y` is ``target``; the last term is
    left out unless ``full``. Where a prediction is right and sure, the loss is negative: it can be
    from :math:`v < 1` on, and from :math:`v < 1/2\pi` with the last term.

    Args:
        input: predicted means, of any shape.
        target: what was observed, of the same shape and dtype.
        var: predicted variances, at least 0: a tensor of the shape of ``input``, or with its
            last dimension left out, or with one dimension of length 1; or one number for all.
        full: whether to add the constant.
        eps: the least variance that is used, in (0, inf).
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``input``; in nats.

    Raises:
        ValueError: shapes or dtypes do not fit, a variance is negative, ``eps`` is not positive,
            or ``reduction`` is unknown.

    Example:
        >>> gaussian_nll_loss(torch.zeros(2), torch.zeros(2), var=0.01)
        tensor(-2.3026)

    Note:
        As in PyTorch, a variance below ``eps`` is replaced by ``eps`` but keeps the gradient that
        it has at ``eps``. The maximum in PyTorch's manual would have a gradient of 0 there, and
        a variance that has collapsed could never grow again.

    References:
        Derived in the chapter on losses.
    """
    check_pair(input, target)
    check_in_interval("var", var, "[0, inf)")
    var = _expandable(var, input) if isinstance(var, Tensor) else torch.full_like(input, var)
    var = var + (var.clamp(min=eps) - var).detach()
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    return reduce(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def _expandable(var: Tensor, input: Tensor) -> Tensor:
    check_dtype("var", var, input.dtype)
    if var.shape == input.shape:
        return var
    if var.shape == input.shape[:-1]:
        return var.unsqueeze(-1)
    differing = [size for size, want in zip(var.shape, input.shape, strict=False) if size != want]
    if var.ndim != input.ndim or differing != [1]:
        raise ValueError(
            f"var must have shape {tuple(input.shape)}, without its last dimension or with one of "
            f"length 1, got {tuple(var.shape)}"
        )
    return var
