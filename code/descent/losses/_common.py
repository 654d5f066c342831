"""What every loss does with its arguments before, and with its values after."""

from typing import Annotated

import torch
from torch import Tensor

from descent._checks import (
    check_dtype,
    check_floating,
    check_in_interval,
    check_shape,
    first_where,
)
from descent._signatures import In, OneOf

Reduction = Annotated[str, OneOf(("none", "mean", "sum"))]
Weight = Annotated[Tensor, In("[0, inf)")]

# How far the probabilities of one example may miss a sum of 1, by rounding.
ROUNDING = 1e-4


def reduce(loss: Tensor, reduction: Reduction) -> Tensor:
    """Return the losses as they are, their mean, or their sum; the mean of none is NaN.

    Example:
        >>> reduce(torch.tensor([1.0, 3.0]), "mean")
        tensor(2.)
    """
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


def check_pair(input: Tensor, target: Tensor) -> None:
    """Raise unless both are floating point, of one dtype and one shape.

    Example:
        >>> check_pair(torch.zeros(3, 1), torch.zeros(3))
        Traceback (most recent call last):
        ...
        ValueError: target must have shape (3, 1), got (3,)
    """
    check_floating("input", input)
    check_dtype("target", target, input.dtype)
    check_shape("target", target, tuple(input.shape))


def check_signs(target: Tensor, shape: tuple[int, ...]) -> None:
    """Raise unless every target is 1 or -1, in any dtype of real numbers.

    Example:
        >>> check_signs(torch.tensor([0, 1]), (2,))
        Traceback (most recent call last):
        ...
        ValueError: target must be 1 or -1, got 0
    """
    if not isinstance(target, Tensor):
        raise TypeError(f"target must be a tensor, got {target!r}")
    check_shape("target", target, shape)
    other = first_where((target != 1) & (target != -1), target)
    if other is not None:
        raise ValueError(f"target must be 1 or -1, got {other}")


def check_probabilities(name: str, value: Tensor, dim: int | None = None) -> None:
    """Raise unless every number is in [0, 1], and those along ``dim`` sum to 1.

    Example:
        >>> check_probabilities("target", torch.tensor([[0.5, 0.6]]), dim=1)
        Traceback (most recent call last):
        ...
        ValueError: target must sum to 1 over the classes, got a sum of 1.100...
    """
    check_in_interval(name, value, "[0, 1]")
    if dim is None:
        return
    total = value.sum(dim)
    tolerance = max(ROUNDING, 2 * torch.finfo(value.dtype).eps)
    off = first_where((total - 1).abs() > tolerance, total)
    if off is not None:
        raise ValueError(f"{name} must sum to 1 over the classes, got a sum of {off}")


def check_log_probabilities(name: str, value: Tensor) -> None:
    """Raise if a number is above 0, by more than rounding.

    Example:
        >>> check_log_probabilities("input", torch.tensor([0.5]))
        Traceback (most recent call last):
        ...
        ValueError: input must hold log-probabilities, at most 0, got 0.5
    """
    above = first_where(value > ROUNDING, value)
    if above is not None:
        raise ValueError(f"{name} must hold log-probabilities, at most 0, got {above}")


def class_dim(input: Tensor) -> int:
    """Return the dimension that runs over the classes: 1, or 0 where there is no batch.

    Raises:
        ValueError: there is no such dimension, or no class.

    Example:
        >>> class_dim(torch.zeros(8, 10)), class_dim(torch.zeros(10))
        (1, 0)
    """
    check_floating("input", input)
    dim = min(1, input.ndim - 1)
    if dim < 0 or input.shape[dim] == 0:
        raise ValueError(f"input must have a dimension of classes, got shape {tuple(input.shape)}")
    return dim


def check_class_weight(weight: Tensor | None, input: Tensor) -> None:
    """Raise unless there is no weight, or one for each class, none of them negative.

    Example:
        >>> check_class_weight(torch.ones(3), torch.zeros(8, 10))
        Traceback (most recent call last):
        ...
        ValueError: weight must have shape (10,), got (3,)
    """
    if weight is not None:
        check_dtype("weight", weight, input.dtype)
        check_shape("weight", weight, (input.shape[class_dim(input)],))


def check_class_indices(target: Tensor, input: Tensor, kept: Tensor | None = None) -> None:
    """Raise unless ``target`` holds a class for each example; where ``kept`` is false, anything.

    Example:
        >>> check_class_indices(torch.tensor([3]), torch.zeros(1, 3))
        Traceback (most recent call last):
        ...
        ValueError: target must be in [0, 2], got 3
    """
    dim = class_dim(input)
    check_dtype("target", target, torch.int64)
    check_shape("target", target, tuple(input.shape[:dim] + input.shape[dim + 1 :]))
    classes = target if kept is None else torch.where(kept, target, 0)
    check_in_interval("target", classes, f"[0, {input.shape[dim] - 1}]")
