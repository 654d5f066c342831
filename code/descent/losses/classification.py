"""Losses of logits against classes."""

from typing import Annotated

import torch
from torch import Tensor

from descent._checks import check_dtype
from descent._signatures import Floating, In, NonNegative, checked
from descent.losses._common import (
    Reduction,
    Weight,
    check_class_indices,
    check_class_weight,
    check_log_probabilities,
    check_pair,
    check_probabilities,
    class_dim,
    reduce,
)
from descent.losses.stable import log_softmax, softplus


@checked
def binary_cross_entropy_with_logits(
    input: Floating,
    target: Tensor,
    *,
    weight: Weight | None = None,
    pos_weight: Weight | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the negative log-likelihood of yes-or-no outcomes, from their logits.

    .. math::
        \ell(z, y) = -w\,\bigl[p\,y \log\sigma(z) + (1 - y) \log(1 - \sigma(z))\bigr]

    :math:`z` is ``input``, :math:`y` is ``target``, :math:`w` is ``weight``, :math:`p` is
    ``pos_weight``; :math:`\sigma` is the sigmoid. Both logarithms are computed as
    :func:`softplus`, without the sigmoid.

    Args:
        input: logits, of any shape.
        target: the outcomes 0 and 1, or probabilities between them, of the same shape and dtype.
        weight: scales each loss; at least 0, of a shape that expands to that of ``input``.
        pos_weight: scales the part of the positive outcomes; of the same kind.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``; the mean is over all elements, whatever
            their weight.

    Returns:
        A scalar, or with ``"none"`` the shape of ``input``; in nats.

    Raises:
        ValueError: shapes or dtypes differ, a target is not in [0, 1], a weight is negative or
            does not expand to the shape of ``input``, or ``reduction`` is unknown.

    Example:
        >>> binary_cross_entropy_with_logits(torch.tensor([0.0, 1e4]), torch.tensor([1.0, 1.0]))
        tensor(0.3466)

    Note:
        PyTorch computes :math:`(1 - y) z + \log(1 + e^{-z})`, whose two terms cancel for large
        negative logits: a loss below 1e-16 comes out as 0. Here it keeps its digits.

    References:
        Derived in the chapter on losses, as the likelihood of a Bernoulli variable.
    """
    check_pair(input, target)
    check_probabilities("target", target)
    for name, factor in (("weight", weight), ("pos_weight", pos_weight)):
        if factor is not None:
            _check_factor(name, factor, input)
    positive = target if pos_weight is None else pos_weight * target
    loss = positive * softplus(-input) + (1 - target) * softplus(input)
    return reduce(loss if weight is None else weight * loss, reduction)


def _check_factor(name: str, factor: Tensor, input: Tensor) -> None:
    check_dtype(name, factor, input.dtype)
    shape, wanted = tuple(factor.shape), tuple(input.shape)
    aligned = wanted[len(wanted) - len(shape) :]
    if len(shape) > len(wanted) or any(
        size not in (1, want) for size, want in zip(shape, aligned, strict=True)
    ):
        raise ValueError(f"{name} must have a shape that expands to {wanted}, got {shape}")


@checked
def nll_loss(
    input: Floating,
    target: Tensor,
    *,
    weight: Weight | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the negative log-likelihood of classes, from their log-probabilities.

    .. math:: \ell(\log p, y) = -w_y \log p_y

    :math:`\log p` is ``input``, :math:`y` is ``target``, :math:`w` is ``weight``. The mean is a
    weighted one: the sum of the losses over the sum of the weights :math:`w_y`.

    Args:
        input: log-probabilities, as :func:`log_softmax` gives them, of shape ``(C,)``,
            ``(N, C)`` or ``(N, C, d1, ...)``.
        target: class indices in [0, C), int64, of the shape of ``input`` without ``C``.
        weight: one number of at least 0 for each class, of shape ``(C,)``.
        ignore_index: a target that counts for nothing, in the sum and in the mean.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``. The mean of targets that are all
            ignored is NaN, with a gradient of 0.

    Returns:
        A scalar, or with ``"none"`` the shape of ``target``; in nats.

    Raises:
        ValueError: a shape or dtype does not fit, a class is out of range, an input is above 0,
            a weight is negative, or ``reduction`` is unknown.

    Example:
        >>> nll_loss(torch.tensor([[0.5, 0.5], [0.1, 0.9]]).log(), torch.tensor([0, 1]))
        tensor(0.3993)

    References:
        Derived in the chapter on losses.
    """
    check_log_probabilities("input", input)
    log_prob, weights = _pick(input, target, weight, ignore_index)
    return _reduce_weighted(-weights * log_prob, weights, reduction)


@checked
def cross_entropy(
    input: Floating,
    target: Tensor,
    *,
    weight: Weight | None = None,
    ignore_index: int = -100,
    label_smoothing: Annotated[float, In("[0, 1]")] = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return the negative log-likelihood of classes, from their logits.

    .. math::
        \ell(z, y) = -\sum_c w_c\, y_c \log p_c, \qquad
        \log p_c = z_c - \log\sum_k e^{z_k}

    :math:`z` is ``input``, :math:`y` is ``target``, with a class index standing for the
    distribution that has all its mass there, and :math:`w` is ``weight``. Label smoothing
    replaces :math:`y_c` by :math:`(1 - \varepsilon)\,y_c + \varepsilon/C`.

    Args:
        input: logits, of shape ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``.
        target: class indices in [0, C), int64, of the shape of ``input`` without ``C``; or
            probabilities that sum to 1 over the classes, of the shape and dtype of ``input``.
        weight: one number of at least 0 for each class, of shape ``(C,)``.
        ignore_index: a class index that counts for nothing, in the sum and in the mean.
        label_smoothing: :math:`\varepsilon`, in [0, 1].
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``input`` without ``C``; in nats.

    Raises:
        ValueError: a shape or dtype does not fit, a class is out of range, probabilities are not in
            [0, 1] or do not sum to 1, ``ignore_index`` names a class though the targets are
            probabilities, a weight is negative, ``label_smoothing`` is not in [0, 1], or
            ``reduction`` is unknown.

    Example:
        >>> cross_entropy(torch.zeros(4, 10), torch.tensor([3, 1, 4, 1]))
        tensor(2.3026)

    Note:
        As in PyTorch, the mean depends on the kind of target once there are weights: class
        indices are averaged with the weights :math:`w_y`, probabilities without any. The same
        labels, one-hot, then give another loss. The mean of targets that are all ignored is NaN,
        with a gradient of 0.

    References:
        Derived in the chapter on losses, as the likelihood of a categorical variable.
    """
    dim = class_dim(input)
    num_classes = input.shape[dim]
    log_probs = log_softmax(input, dim)
    if isinstance(target, Tensor) and target.is_floating_point() and target.ndim == input.ndim:
        check_pair(input, target)
        check_class_weight(weight, input)
        check_probabilities("target", target, dim)
        if ignore_index >= 0:
            raise ValueError(f"ignore_index must be negative for probabilities, got {ignore_index}")
        smoothed = (1 - label_smoothing) * target + label_smoothing / num_classes
        return reduce(_cross(smoothed, log_probs, weight, dim), reduction)
    log_prob, weights = _pick(log_probs, target, weight, ignore_index)
    loss = _reduce_weighted(-weights * log_prob, weights, reduction)
    if not label_smoothing:
        return loss
    uniform = torch.full_like(log_probs, 1 / num_classes)
    spread = _cross(uniform, log_probs, weight, dim).masked_fill(target == ignore_index, 0.0)
    spread = _reduce_weighted(spread, weights, reduction)
    return (1 - label_smoothing) * loss + label_smoothing * spread


@checked
def focal_loss(
    input: Floating,
    target: Tensor,
    *,
    gamma: NonNegative = 2.0,
    weight: Weight | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return a cross-entropy that counts well-classified examples less.

    .. math:: \ell(z, y) = -w_y\,(1 - p_y)^\gamma \log p_y

    :math:`z` is ``input``, :math:`p` its softmax, :math:`y` is ``target``, :math:`\gamma` is
    ``gamma``, :math:`w` is ``weight``. The mean is weighted by :math:`w_y`, so that
    :math:`\gamma = 0` gives :func:`cross_entropy`.

    Args:
        input: logits, of shape ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``.
        target: class indices in [0, C), int64, of the shape of ``input`` without ``C``.
        gamma: the power, in [0, inf).
        weight: one number of at least 0 for each class, of shape ``(C,)``.
        ignore_index: a class index that counts for nothing, in the sum and in the mean.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``target``; in nats.

    Raises:
        ValueError: a shape or dtype does not fit, a class is out of range, ``gamma`` or a weight
            is negative, or ``reduction`` is unknown.

    Example:
        >>> logits = torch.tensor([[0.9, 0.1], [0.1, 0.9]]).log()
        >>> focal_loss(logits, torch.tensor([0, 0]), reduction="none")
        tensor([1.0536e-03, 1.8651e+00])

    Note:
        PyTorch has no such loss.

    References:
        Derived in the chapter on losses.
    """
    log_probs = log_softmax(input, class_dim(input))
    log_prob, weights = _pick(log_probs, target, weight, ignore_index)
    # 1 - p, kept above 0: there the slope of a power below 1 is infinite.
    rest = (-log_prob.expm1()).clamp(min=torch.finfo(input.dtype).tiny)
    return _reduce_weighted(-weights * rest**gamma * log_prob, weights, reduction)


def _cross(target: Tensor, log_probs: Tensor, weight: Tensor | None, dim: int) -> Tensor:
    terms = target * log_probs
    if weight is not None:  # the weight comes last: times the target it may vanish
        terms = terms * weight.view(-1, *[1] * (target.ndim - dim - 1))
    return -terms.sum(dim)


def _pick(
    log_probs: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int
) -> tuple[Tensor, Tensor]:
    """Return the log-probability and the weight of each target, both 0 where it is ignored."""
    dim = class_dim(log_probs)
    check_class_weight(weight, log_probs)
    kept = target != ignore_index
    check_class_indices(target, log_probs, kept)
    index = torch.where(kept, target, 0)
    picked = log_probs.gather(dim, index.unsqueeze(dim)).squeeze(dim)
    weights = torch.ones_like(picked) if weight is None else weight[index]
    # A weight of 0 is not enough: 0 times an infinite logarithm, or gradient, is NaN.
    return torch.where(kept, picked, 0.0), torch.where(kept, weights, 0.0)


def _reduce_weighted(loss: Tensor, weights: Tensor, reduction: str) -> Tensor:
    return loss.sum() / weights.sum() if reduction == "mean" else reduce(loss, reduction)
