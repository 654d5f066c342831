"""How a checker answers: one line, and whether the answer is right."""

import math
from typing import Any

from torch import Tensor


def verdict(exercise: str, problem: str | None) -> bool:
    """Print what is wrong, or that nothing is.

    Args:
        exercise: the name of what the reader wrote.
        problem: the first thing that is wrong, in words, or ``None``.

    Returns:
        Whether the answer is right.

    Example:
        >>> verdict("max_lr", "returned 1 where 2 is right")
        not yet: max_lr returned 1 where 2 is right
        False
        >>> verdict("max_lr", None)
        correct: max_lr
        True
    """
    print(f"correct: {exercise}" if problem is None else f"not yet: {exercise} {problem}")
    return problem is None


def not_a_number(answer: Any) -> str | None:
    """Say why an answer is no finite number, or ``None`` if it is one.

    Example:
        >>> not_a_number(None)
        'returned None: write its body first'
        >>> not_a_number([1.0])
        'returned a list where a number is asked'
        >>> not_a_number(0.5)
    """
    if answer is None:
        return "returned None: write its body first"
    if isinstance(answer, Tensor) and answer.numel() != 1:
        return f"returned a tensor of shape {tuple(answer.shape)} where a number is asked"
    try:
        value = float(answer) if not isinstance(answer, str) else None
    except (TypeError, ValueError):
        value = None
    if value is None:
        return f"returned a {type(answer).__name__} where a number is asked"
    return None if math.isfinite(value) else f"returned {value}"


def not_a_tensor(answer: Any, shape: tuple[int, ...]) -> str | None:
    """Say why an answer is no tensor of ``shape``, or ``None`` if it is one.

    Example:
        >>> not_a_tensor([1.0, 2.0], (2,))
        'returned a list where a tensor of shape (2,) is asked'
    """
    if answer is None:
        return "returned None: write its body first"
    if not isinstance(answer, Tensor):
        return f"returned a {type(answer).__name__} where a tensor of shape {shape} is asked"
    if tuple(answer.shape) != shape:
        return f"returned a tensor of shape {tuple(answer.shape)} where {shape} is asked"
    return None
