"""Losses that ask for a margin, and stop asking once it is there."""

from typing import Annotated

import torch
from torch import Tensor

from descent._checks import check_choice, check_dtype, check_floating, check_shape
from descent._signatures import Floating, In, NonNegative, Positive, checked
from descent.losses._common import (
    Reduction,
    Weight,
    check_class_indices,
    check_class_weight,
    check_signs,
    reduce,
)
from descent.losses.stable import softplus

# What PyTorch adds to a squared length, so that a vector of zeros has a cosine: 1e-12, which it
# stores in single precision.
_SQUARED_LENGTH_EPS = 9.999999960041972e-13


@checked
def hinge_embedding_loss(
    input: Floating, target: Tensor, *, margin: NonNegative = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    r"""Return distances that shall be small, and how far others fall short of a margin.

    .. math::
        \ell(x, y) = \begin{cases} x & y = 1 \\ \max(0, m - x) & y = -1 \end{cases}

    :math:`x` is ``input``, :math:`y` is ``target``, :math:`m` is ``margin``.

    Args:
        input: distances, of any shape.
        target: 1 for a pair that belongs together, -1 for one that does not; of the same shape.
        margin: the distance from which a pair counts as apart, in [0, inf).
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``input``; in units of the distance.

    Raises:
        ValueError: shapes differ, a target is neither 1 nor -1, ``margin`` is negative, or
            ``reduction`` is unknown.

    Example:
        >>> distances = torch.tensor([0.25, 0.25, 3.0])
        >>> hinge_embedding_loss(distances, torch.tensor([1, -1, -1]), reduction="none")
        tensor([0.2500, 0.7500, 0.0000])

    References:
        The chapter on losses.
    """
    check_signs(target, tuple(input.shape))
    return reduce(torch.where(target == 1, input, (margin - input).clamp(min=0)), reduction)


@checked
def multi_margin_loss(
    input: Floating,
    target: Tensor,
    *,
    p: int = 1,
    margin: NonNegative = 1.0,
    weight: Weight | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return how far the score of the right class is from leading all others by a margin.

    .. math:: \ell(x, y) = \frac{w_y}{C} \sum_{c \ne y} \max(0,\ m - x_y + x_c)^p

    :math:`x` is ``input``, :math:`y` is ``target``, :math:`m` is ``margin``, :math:`w` is
    ``weight``.

    Args:
        input: scores, of shape ``(C,)`` or ``(N, C)``.
        target: class indices in [0, C), int64, of shape ``()`` or ``(N,)``.
        p: the power, 1 or 2.
        margin: the lead that is asked for, in [0, inf).
        weight: one number of at least 0 for each class, of shape ``(C,)``.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``target``.

    Raises:
        ValueError: a shape or dtype does not fit, a class is out of range, ``p`` is neither 1
            nor 2, ``margin`` or a weight is negative, or ``reduction`` is unknown.

    Example:
        >>> multi_margin_loss(torch.tensor([[2.0, 1.5, 0.0]]), torch.tensor([0]))
        tensor(0.1667)

    Note:
        As in PyTorch, the mean is over the examples, whatever their weight; the mean in
        :func:`cross_entropy` is a weighted one. Of an empty batch it is NaN here; PyTorch returns
        memory that was never written. A score that is NaN gives NaN here, and counts for nothing
        in PyTorch.

    References:
        The chapter on losses.
    """
    check_class_indices(target, input)
    check_class_weight(weight, input)
    if input.ndim > 2:
        raise ValueError(f"input must have shape (C,) or (N, C), got {tuple(input.shape)}")
    check_choice("p", p, (1, 2))
    index = target.unsqueeze(-1)
    is_target = index == torch.arange(input.shape[-1], device=input.device)
    # Left out before the power, whose slope is infinite at an infinite score, or margin.
    short = (margin - input.gather(-1, index) + input).masked_fill(is_target, 0.0)
    # relu and not clamp: at the kink PyTorch takes the slope 0 here, and 1 in the other losses.
    loss = (short.relu() ** p).mean(-1)
    return reduce(loss if weight is None else weight[target] * loss, reduction)


@checked
def soft_margin_loss(input: Floating, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Return the binary cross-entropy of logits, for targets 1 and -1.

    .. math:: \ell(x, y) = \log(1 + e^{-y x})

    :math:`x` is ``input``, :math:`y` is ``target``.

    Args:
        input: logits, of any shape.
        target: 1 or -1, of the same shape.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``input``; in nats.

    Raises:
        ValueError: shapes differ, a target is neither 1 nor -1, or ``reduction`` is unknown.

    Example:
        >>> soft_margin_loss(torch.tensor([-1000.0, 0.0]), torch.tensor([1, 1]), reduction="none")
        tensor([1.0000e+03, 6.9315e-01])

    Note:
        PyTorch takes the exponential as it stands, and returns infinity for the first of these
        two. Here it is :func:`softplus`.

    References:
        The chapter on losses.
    """
    check_signs(target, tuple(input.shape))
    return reduce(softplus(-target * input), reduction)


@checked
def cosine_embedding_loss(
    input1: Floating,
    input2: Floating,
    target: Tensor,
    *,
    margin: Annotated[float, In("[-1, 1]")] = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return how far two vectors are from one direction, or from being apart.

    .. math::
        \ell(x_1, x_2, y) = \begin{cases}
            1 - \cos(x_1, x_2) & y = 1 \\
            \max(0, \cos(x_1, x_2) - m) & y = -1
        \end{cases}

    :math:`x_1` and :math:`x_2` are ``input1`` and ``input2``, :math:`y` is ``target``,
    :math:`m` is ``margin``.

    Args:
        input1: vectors, of shape ``(D,)`` or ``(N, D)``.
        input2: vectors, of the same shape and dtype.
        target: 1 for a pair that belongs together, -1 for one that does not; of shape ``()`` or
            ``(N,)``.
        margin: the cosine up to which a pair counts as apart, in [-1, 1].
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``target``.

    Raises:
        ValueError: a shape or dtype does not fit, a target is neither 1 nor -1, ``margin`` is
            not in [-1, 1], or ``reduction`` is unknown.

    Example:
        >>> x1, x2 = torch.tensor([[3.0, 4.0]]), torch.tensor([[4.0, 3.0]])
        >>> cosine_embedding_loss(x1, x2, torch.tensor([1]))
        tensor(0.0400)

    Note:
        As in PyTorch, and not in its manual, 1e-12 is added to each squared length, in single
        precision 9.99999996e-13: a vector of zeros has the cosine 0 with every other.

    References:
        The chapter on losses.
    """
    _check_vectors({"input1": input1, "input2": input2})
    if input1.ndim > 2:
        raise ValueError(f"input1 must have shape (D,) or (N, D), got {tuple(input1.shape)}")
    check_signs(target, tuple(input1.shape[:-1]))
    squared1 = (input1**2).sum(-1) + _SQUARED_LENGTH_EPS
    squared2 = (input2**2).sum(-1) + _SQUARED_LENGTH_EPS
    cosine = (input1 * input2).sum(-1) / (squared1 * squared2).sqrt()
    return reduce(torch.where(target == 1, 1 - cosine, (cosine - margin).clamp(min=0)), reduction)


@checked
def triplet_margin_loss(
    anchor: Floating,
    positive: Floating,
    negative: Floating,
    *,
    margin: Positive = 1.0,
    p: Positive = 2.0,
    eps: NonNegative = 1e-6,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return how far the negative is from being farther than the positive by a margin.

    .. math:: \ell(a, p, n) = \max\bigl(0,\ d(a, p) - d(a, n) + m\bigr), \qquad
        d(u, v) = \|u - v + \varepsilon\|

    :math:`a`, :math:`p` and :math:`n` are ``anchor``, ``positive`` and ``negative``, :math:`m`
    is ``margin``, :math:`\varepsilon` is ``eps``.

    Args:
        anchor: vectors, of shape ``(..., D)``.
        positive: vectors that shall be near the anchors, of the same shape and dtype.
        negative: vectors that shall be far from them, of the same shape and dtype.
        margin: by how much farther, in (0, inf).
        p: the power of the norm, in (0, inf).
        eps: added to each component of a difference, in [0, inf).
        swap: whether to measure the negative from the anchor or from the positive, whichever is
            nearer to it.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        A scalar, or with ``"none"`` the shape of ``anchor`` without ``D``.

    Raises:
        ValueError: shapes or dtypes differ, ``margin``, ``p`` or ``eps`` is out of range, or
            ``reduction`` is unknown.

    Example:
        >>> anchor, positive, negative = torch.tensor([[0.0], [3.0], [3.5]]).unsqueeze(1)
        >>> triplet_margin_loss(anchor, positive, negative)
        tensor(0.5000)

    Note:
        As in PyTorch, ``eps`` is added to the difference and not to its length, so that
        :math:`d(u, v)` and :math:`d(v, u)` differ by up to twice as much for each component.

    References:
        The chapter on losses.
    """
    _check_vectors({"anchor": anchor, "positive": positive, "negative": negative})

    def distance(u: Tensor, v: Tensor) -> Tensor:
        return torch.linalg.vector_norm(u - v + eps, p, dim=-1)

    far = distance(anchor, negative)
    if swap:
        far = torch.minimum(far, distance(positive, negative))
    return reduce((margin + distance(anchor, positive) - far).clamp(min=0), reduction)


def _check_vectors(vectors: dict[str, Tensor]) -> None:
    (first, one), *others = vectors.items()
    check_floating(first, one)
    if one.ndim == 0:
        raise ValueError(f"{first} must have a dimension of components, got shape ()")
    for name, other in others:
        check_dtype(name, other, one.dtype)
        check_shape(name, other, tuple(one.shape))
