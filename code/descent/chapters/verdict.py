"""How a checker answers: one line, and whether the answer is right."""

import copy
from collections.abc import Callable
from numbers import Real
from typing import Any

import torch
from torch import Tensor


def verdict(exercise: str, problem: str | None) -> bool:
    """Print what is wrong, or that nothing is.

    Args:
        exercise: the name of what the reader wrote.
        problem: the first thing that is wrong, in words, or ``None``.

    Returns:
        Whether the answer is right.

    Example:
        >>> verdict("max_lr", "got 1.0 for the Hessian [[1.0]], where 2.0 is right")
        not yet: max_lr got 1.0 for the Hessian [[1.0]], where 2.0 is right
        False
        >>> verdict("max_lr", None)
        correct: max_lr
        True
    """
    print(f"correct: {exercise}" if problem is None else f"not yet: {exercise} {problem}")
    return problem is None


def unanswered(answer: Any) -> str | None:
    """Say that an answer is still empty, or ``None`` if it is not.

    Example:
        >>> unanswered(None)
        'returned None: write its body first'
    """
    return "returned None: write its body first" if answer is None else None


def ask(answer: Callable[..., Any], *arguments: Any) -> tuple[Any, str | None]:
    """Call what the reader wrote, on copies of the arguments; its own errors come through.

    Args:
        answer: the reader's function.
        *arguments: what it is given.

    Returns:
        What it returned, and a problem in words if that was nothing, or if it changed a tensor
        that it was given.

    Example:
        >>> ask(lambda input: input.mul_(2), torch.ones(2))
        (tensor([2., 2.]), 'changed an argument in place: work on a copy')
        >>> ask(lambda input: 2 * input, torch.ones(2))
        (tensor([2., 2.]), None)
    """
    given = copy.deepcopy(arguments)
    found = answer(*given)
    if problem := unanswered(found):
        return found, problem
    if not all(_same(before, after) for before, after in zip(arguments, given, strict=True)):
        return found, "changed an argument in place: work on a copy"
    return found, None


def wrong_form(found: Any, like: Tensor) -> str | None:
    """Say that an answer is of the wrong kind or shape, or ``None`` if it is not.

    Args:
        found: what the reader's function returned; where ``like`` is a single number, a plain one
            will do.
        like: a tensor of the right shape.

    Example:
        >>> wrong_form([1.0], torch.zeros(1))
        'returned a list where a tensor of shape (1,) is right'
        >>> wrong_form(1, torch.zeros(()))
    """
    kind = f"a tensor of shape {tuple(like.shape)}" if like.ndim else "a number"
    if like.ndim == 0 and isinstance(found, Real) and not isinstance(found, bool):
        return None
    if not isinstance(found, Tensor):
        return f"returned a {type(found).__name__} where {kind} is right"
    if found.shape != like.shape:
        return f"returned a tensor of shape {tuple(found.shape)} where {kind} is right"
    return None


def mismatch(found: Any, right: Tensor, *, tol: float = 1e-9) -> str | None:
    """Say how an answer differs from the right one, or ``None`` if it does not.

    Args:
        found: what the reader's function returned.
        right: what is right.
        tol: how far off each number may be, relative to the right one where that is above 1.

    Example:
        >>> mismatch(torch.tensor([1.0, 2.5]), torch.tensor([1.0, 2.0]))
        'returned 2.5 where 2 is right'
        >>> mismatch(float("nan"), torch.tensor(1.0))
        'returned nan where 1 is right'
        >>> mismatch(0.99000001, torch.tensor(0.99, dtype=torch.float64))
        'returned 0.99000001 where 0.99 is right'
    """
    if problem := wrong_form(found, right):
        return problem
    found = torch.as_tensor(found, dtype=right.dtype).detach().cpu()
    close = torch.isclose(found, right, rtol=tol, atol=tol)
    if close.all():
        return None
    first = tuple((~close).nonzero()[0])
    for digits in (6, 9, 17):  # as many as tell the two apart
        returned, wanted = (f"{values[first]:.{digits}g}" for values in (found, right))
        if returned != wanted:
            break
    return f"returned {returned} where {wanted} is right"


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, Tensor):
        return torch.equal(before, after)
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(_same, before, after))
    return before == after
