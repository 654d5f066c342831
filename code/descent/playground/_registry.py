"""The figures by name, each the function that makes one."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from descent._signatures import checked

P = ParamSpec("P")
R = TypeVar("R")

FIGURES: dict[str, Callable[..., object]] = {}
"""Each figure under its name, which is also that of its module in ``web/``."""


def figure(function: Callable[P, R]) -> Callable[P, R]:
    """Hold a figure's callers to its signature, and tell the browser what that says.

    Example:
        >>> from descent.playground import ravine
        >>> FIGURES["ravine"] is ravine
        True
    """
    FIGURES[function.__name__] = checked(function)
    return FIGURES[function.__name__]
