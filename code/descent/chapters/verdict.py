"""How a checker answers: one line, and whether the answer is right."""

import copy
import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from descent._signatures import checked

HALF = (torch.float16, torch.bfloat16)
FLOAT32_TOL = 1e-5
"""How far off, relatively, an answer in float32 may be: its rounding and that of some sums."""


@checked
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


@checked
def unanswered(answer: Any) -> str | None:
    """Say that an answer is still empty, or ``None`` if it is not.

    Example:
        >>> unanswered(None)
        'returned None: write its body first'
    """
    return "returned None: write its body first" if answer is None else None


@checked
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


@checked
def as_answer(found: Any) -> Tensor | None:
    """Return the numbers of an answer as a tensor, or ``None`` if it holds none.

    Lists, tuples, NumPy's arrays and plain numbers are as good as tensors.

    Args:
        found: what the reader's function returned.

    Example:
        >>> as_answer([1, 2.5])
        tensor([1.0000, 2.5000], dtype=torch.float64)
        >>> as_answer("many") is as_answer(True) is as_answer([[1], [1, 2]]) is None
        True
    """
    if isinstance(found, list | tuple):
        parts = [as_answer(each) for each in found]
        if any(part is None or part.shape != parts[0].shape for part in parts):
            return None
        return torch.stack(parts) if parts else torch.zeros(0, dtype=torch.float64)
    if isinstance(found, Real) and not isinstance(found, bool | np.number):
        found = float(found)
    try:
        numbers = found if isinstance(found, Tensor) else torch.from_numpy(np.array(found))
    except TypeError:
        return None
    if numbers.dtype == torch.bool or numbers.is_complex():
        return None
    return numbers.detach().cpu()


@checked
def wrong_form(found: Any, like: Tensor) -> str | None:
    """Say that an answer is of the wrong kind or shape, or ``None`` if it is not.

    Args:
        found: what the reader's function returned; what counts as numbers says
            :func:`as_answer`.
        like: a tensor of the right shape.

    Example:
        >>> wrong_form([1.0], torch.zeros(2))
        'returned a list of shape (1,) where a tensor of shape (2,) is right'
        >>> wrong_form("many", torch.zeros(()))
        'returned a str where a number is right'
        >>> wrong_form(1, torch.zeros(()))
    """
    kind = f"a tensor of shape {tuple(like.shape)}" if like.ndim else "a number"
    name = "tensor" if isinstance(found, Tensor) else type(found).__name__
    numbers = as_answer(found)
    if numbers is None:
        return f"returned a {name} where {kind} is right"
    if numbers.shape != like.shape:
        return f"returned a {name} of shape {tuple(numbers.shape)} where {kind} is right"
    if numbers.dtype in HALF:
        return (
            f"returned {str(numbers.dtype)[6:]}, which is too coarse: compute in float32 or float64"
        )
    return None


@checked
def mismatch(
    found: Any, right: Tensor, *, tol: float = 1e-9, abs: float | None = None
) -> str | None:
    """Say how an answer differs from the right one, or ``None`` if it does not.

    Args:
        found: what the reader's function returned; of float32 no more than five digits are
            asked.
        right: what is right.
        tol: how far off each number may be, relative to the right one.
        abs: how far off a number may be however small the right one is; by default ``tol``.

    Example:
        >>> mismatch(torch.tensor([1.0, 2.5]), torch.tensor([1.0, 2.0]))
        'returned 2.5 where 2 is right'
        >>> mismatch(float("nan"), torch.tensor(1.0))
        'returned nan where 1 is right'
        >>> mismatch(0.99000001, torch.tensor(0.99, dtype=torch.float64))
        'returned 0.99000001 where 0.99 is right, to 9 digits'
        >>> mismatch(torch.tensor(1 / 3), torch.tensor(1 / 3, dtype=torch.float64))
        >>> mismatch(0.0, torch.tensor(1e-12), abs=0.0)
        'returned 0 where 1e-12 is right'
    """
    if problem := wrong_form(found, right):
        return problem
    numbers = as_answer(found)
    if numbers.dtype == torch.float32:
        tol = max(tol, FLOAT32_TOL)
    wanted = right.detach().cpu().double()
    numbers = numbers.double()
    close = torch.isclose(numbers, wanted, rtol=tol, atol=tol if abs is None else abs)
    if close.all():
        return None
    first = tuple((~close).nonzero()[0])
    return _differ(numbers[first].item(), wanted[first].item(), tol)


@checked
def wrong_count(found: Any, right: int) -> str | None:
    """Say that an answer is not the right whole number, or ``None`` if it is.

    Args:
        found: what the reader's function returned: an integer of any kind, or a whole float.
        right: what is right.

    Example:
        >>> wrong_count(43.2, 44)
        'returned 43.2 where a whole number is right'
        >>> wrong_count(43, 44)
        'returned 43 where 44 is right'
        >>> wrong_count(torch.tensor(44.0), 44)
    """
    if problem := wrong_form(found, torch.zeros(())):
        return problem
    number = as_answer(found).item()
    if number == right:
        return None
    if math.isfinite(number) and number != round(number):
        return f"returned {number:.9g} where a whole number is right"
    return f"returned {number:.17g} where {right} is right"


@checked
def wrong_truth(found: Any, right: bool) -> str | None:
    """Say that an answer is not the right one of true and false, or ``None`` if it is.

    Args:
        found: what the reader's function returned: ``bool``, ``numpy.bool_`` or a boolean
            tensor of one number.
        right: what is right.

    Example:
        >>> wrong_truth(1, True)
        'returned a int where True or False is right'
        >>> wrong_truth(np.True_, False)
        'returned True where False is right'
    """
    truth = found.item() if isinstance(found, Tensor | np.bool_) and found.ndim == 0 else found
    if not isinstance(truth, bool):
        return f"returned a {type(found).__name__} where True or False is right"
    return None if truth is right else f"returned {truth} where {right} is right"


def _differ(returned: float, wanted: float, tol: float) -> str:
    for digits in (6, 9, 17):  # as many as tell the two apart
        texts = [f"{value:.{digits}g}" for value in (returned, wanted)]
        if texts[0] != texts[1]:
            break
    near = math.isclose(returned, wanted, rel_tol=1e-4)
    to = f", to {round(-math.log10(tol))} digits" if near else ""
    return f"returned {texts[0]} where {texts[1]} is right{to}"


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, Tensor):
        return torch.equal(before, after)
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(_same, before, after))
    return before == after
