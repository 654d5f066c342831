"""How a checker answers: one line, and whether the answer is right."""

from typing import Any


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
