"""Signatures that say what each argument may be, and functions that hold their callers to it.

An argument's type says what kind of thing it is, and :class:`In` or :class:`OneOf` which of them::

    @checked
    def exponential(step: Step, lr: Rate, *, gamma: Annotated[float, In("(0, 1]")]) -> Number: ...
"""

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Annotated, Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import torch
from torch import Tensor

from descent._checks import (
    Number,
    check_choice,
    check_flag,
    check_floating,
    check_in_interval,
    check_integer_in,
    check_positive_int,
    check_seed,
)

P = ParamSpec("P")
R = TypeVar("R")
Check = Callable[[str, Any], None]
"""``check(name, value)`` raises unless the value is allowed; the error calls it by the name."""


@dataclass(frozen=True)
class In:
    """The interval that a number, or each of several, must lie in.

    Args:
        interval: in the notation of mathematics, such as ``"[0, 1)"``.
    """

    interval: str


@dataclass(frozen=True)
class OneOf:
    """The words that an argument may be."""

    choices: tuple[str, ...]


@dataclass(frozen=True)
class By:
    """A check of another kind."""

    check: Check


Natural = Annotated[int, In("[0, inf)")]
Count = Annotated[int, In("[1, inf)")]
Seed = Annotated[int, By(lambda name, value: check_seed(value))]
Floating = Annotated[Tensor, By(check_floating)]
Positive = Annotated[float, In("(0, inf)")]
NonNegative = Annotated[float, In("[0, inf)")]
Fraction = Annotated[float, In("[0, 1)")]
Finite = Annotated[float, In("(-inf, inf)")]
Rate = Annotated[Number, In("[0, inf)")]


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function refuse, before it begins, what its signature does not allow.

    Args:
        function: each of whose arguments has a type.

    Returns:
        The function, with the types alone in the signature that it shows.

    Example:
        >>> @checked
        ... def area(width: Positive, *, scale: Annotated[float, In("[1, 2]")] = 1.0) -> float:
        ...     return width * scale
        >>> area(2.0, scale=2)
        4.0
        >>> area(2.0, scale=3)
        Traceback (most recent call last):
        ...
        ValueError: scale must be in [1, 2], got 3
    """
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    checks = {name: check_of(hints[name]) for name in signature.parameters if name in hints}
    checks = {name: check for name, check in checks.items() if check is not None}
    names = list(signature.parameters)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for name, value in (*zip(names, args, strict=False), *kwargs.items()):
            if name in checks:
                checks[name](name, value)
        return function(*args, **kwargs)

    call.hints = hints
    call.__annotations__ = get_type_hints(function)
    call.__signature__ = signature.replace(
        parameters=[
            each.replace(annotation=call.__annotations__.get(each.name, each.annotation))
            for each in signature.parameters.values()
        ],
        return_annotation=call.__annotations__.get("return", signature.return_annotation),
    )
    return call


def check_of(hint: Any) -> Check | None:
    """Make the check that a type asks for, or ``None`` if it says nothing that is checked.

    Example:
        >>> check_of(Sequence[int])("sizes", [3, 0.5])
        Traceback (most recent call last):
        ...
        TypeError: sizes[1] must be an integer, got 0.5
    """
    base, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    own = [note.check for note in notes if isinstance(note, By)]
    intervals = [note.interval for note in notes if isinstance(note, In)]
    choices = [note.choices for note in notes if isinstance(note, OneOf)]
    if own:
        return own[0]
    if choices:
        return functools.partial(check_choice, choices=choices[0])
    if base == Number or base is float:
        interval = intervals[0] if intervals else ""
        return functools.partial(_check_number, interval=interval, tensors=base == Number)
    if base is int:
        return functools.partial(_check_integer, interval=intervals[0] if intervals else "")
    if base is bool:
        return check_flag
    if base is Tensor:
        return functools.partial(_check_tensor, interval=intervals[0] if intervals else "")
    if get_origin(base) in (Union, types.UnionType):
        parts = [part for part in get_args(base) if part is not type(None)]
        inner = check_of(parts[0]) if len(parts) == 1 else None
        return inner and functools.partial(_check_if_given, inner=inner)
    if get_origin(base) is Sequence:
        return functools.partial(_check_sequence, inner=check_of(get_args(base)[0]))
    if get_origin(base) is Callable:
        return _check_callable
    if get_origin(base) is type:
        return functools.partial(_check_subclass, of=get_args(base)[0])
    if isinstance(base, type) and base is not Any:
        return functools.partial(_check_instance, of=base)
    return None


def _check_number(name: str, value: Any, interval: str, tensors: bool) -> None:
    if isinstance(value, Tensor) and not tensors:
        raise TypeError(f"{name} must be a number, got a tensor of shape {tuple(value.shape)}")
    if interval:
        check_in_interval(name, value, interval)
    elif isinstance(value, Tensor):
        if value.dtype == torch.bool or value.is_complex():
            raise TypeError(f"{name} must be a number, got {value!r}")
    elif not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {value!r}")


def _check_integer(name: str, value: Any, interval: str) -> None:
    low, _, high = interval[1:-1].partition(", ")
    if not interval:
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise TypeError(f"{name} must be an integer, got {value!r}")
    elif interval[0] == "[" and high == "inf":
        check_positive_int(name, value, at_least=int(low))
    else:
        check_integer_in(name, value, interval)


def _check_tensor(name: str, value: Any, interval: str) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a tensor, got {value!r}")
    if interval:
        check_in_interval(name, value, interval)


def _check_if_given(name: str, value: Any, inner: Check) -> None:
    if value is not None:
        inner(name, value)


def _check_sequence(name: str, value: Any, inner: Check | None) -> None:
    if isinstance(value, Tensor) and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TypeError(f"{name} must be a list or a tuple, got {value!r}")
    if inner is not None:
        for index, each in enumerate(value):
            inner(f"{name}[{index}]", each)


def _check_subclass(name: str, value: Any, of: type) -> None:
    if not isinstance(value, type) or not issubclass(value, of):
        raise TypeError(f"{name} must be a class, {of.__name__} or made from it, got {value!r}")


def _check_instance(name: str, value: Any, of: type) -> None:
    if not isinstance(value, of):
        raise TypeError(f"{name} must be of type {of.__name__}, got {value!r}")


def _check_callable(name: str, value: Any) -> None:
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {value!r}")
