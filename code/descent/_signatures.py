"""Signatures that say what each argument may be, and functions that hold their callers to it.

An argument's type says what kind of thing it is, and :class:`In` or :class:`OneOf` which of them::

    @checked
    def exponential(step: Step, lr: Rate, *, gamma: Annotated[float, In("(0, 1]")]) -> Number: ...
"""

import functools
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

import torch
from torch import Tensor

from descent._checks import (
    Number,
    check_choice,
    check_flag,
    check_floating,
    check_floating_type,
    check_in_interval,
    check_integer_in,
    check_length,
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
Several = Annotated[int, In("[2, inf)")]
Seed = Annotated[int, By(lambda name, value: check_seed(value))]
Floating = Annotated[Tensor, By(check_floating)]
FloatingType = Annotated[torch.dtype, By(check_floating_type)]
Device = torch.device | str
Positive = Annotated[float, In("(0, inf)")]
NonNegative = Annotated[float, In("[0, inf)")]
Fraction = Annotated[float, In("[0, 1)")]
ProperFraction = Annotated[float, In("(0, 1)")]
Finite = Annotated[float, In("(-inf, inf)")]
Rate = Annotated[Number, In("[0, inf)")]
# One number, or a tensor of as many as there are cases to work out:
Positives = Annotated[Number, In("(0, inf)")]
NonNegatives = Annotated[Number, In("[0, inf)")]
Fractions = Annotated[Number, In("[0, 1)")]
Finites = Annotated[Number, In("(-inf, inf)")]
FromOne = Annotated[Number, In("[1, inf)")]
Steps = Annotated[Tensor, In("[0, inf)")]
StepsFromOne = Annotated[Tensor, In("[1, inf)")]


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function, or the constructor of a class, refuse what its signature does not allow.

    Args:
        function: each of whose arguments has a type; or a class whose constructor is such a one.

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
    if isinstance(function, type):
        function.__init__ = checked(function.__init__)
        return function
    hints = dict(function.__annotations__)
    checks = {name: check_of(hint) for name, hint in hints.items() if name != "return"}
    checks = {name: check for name, check in checks.items() if check is not None}
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for name, value in (*zip(positional, args, strict=False), *kwargs.items()):
            if name in checks:
                checks[name](name, value)
        return function(*args, **kwargs)

    call.hints = hints
    # What shows a signature looks for it behind the decorator.
    plain = {name: without_notes(hint) for name, hint in hints.items()}
    call.__annotations__ = function.__annotations__ = plain
    return call


def without_notes(hint: Any) -> Any:
    """Return a type without what ``Annotated`` adds to it or to its parts.

    Example:
        >>> without_notes(Sequence[Count]), without_notes(Positive | None)
        (collections.abc.Sequence[int], typing.Optional[float])
    """
    if get_origin(hint) is Annotated:
        return without_notes(get_args(hint)[0])
    parts = get_args(hint)
    plain = tuple(without_notes(part) for part in parts)
    return hint if plain == parts else get_origin(hint)[plain]


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
    interval = next((note.interval for note in notes if isinstance(note, In)), "")
    choices = [note.choices for note in notes if isinstance(note, OneOf)]
    origin, parts = get_origin(base), get_args(base)
    if own:
        return own[0]
    if choices:
        return functools.partial(check_choice, choices=choices[0])
    if base == Number or base is float:
        return functools.partial(_check_number, interval=interval, tensors=base == Number)
    if base is int:
        return functools.partial(_check_integer, interval=interval)
    if base is bool:
        return check_flag
    if base is Tensor:
        return functools.partial(_check_tensor, interval=interval)
    if origin in (Union, types.UnionType):
        return _check_of_union([part for part in parts if part is not type(None)], parts)
    if origin is Literal:
        return functools.partial(check_choice, choices=parts)
    if origin is tuple and Ellipsis not in parts:
        each = [check_of(Annotated[part, *notes] if notes else part) for part in parts]
        return functools.partial(_check_tuple, each=each)
    if origin in (Sequence, tuple, list):
        return functools.partial(_check_sequence, inner=check_of(parts[0]))
    if origin in (dict, Mapping):
        return functools.partial(_check_mapping, inner=check_of(parts[1]))
    if origin is Callable:
        return _check_callable
    if origin is type:
        return functools.partial(_check_subclass, of=get_origin(parts[0]) or parts[0])
    if origin is Iterable:
        return _check_iterable
    if isinstance(base, type) and base is not Any:
        return functools.partial(_check_instance, of=(base,))
    return None


def _check_of_union(parts: Sequence[Any], given: Sequence[Any]) -> Check | None:
    if len(parts) > 1:
        inner = functools.partial(_check_instance, of=tuple(get_origin(p) or p for p in parts))
    else:
        inner = check_of(parts[0])
    if inner is None or len(parts) == len(given):
        return inner
    return functools.partial(_check_if_given, inner=inner)


def _check_number(name: str, value: Any, interval: str, tensors: bool) -> None:
    # A tensor without axes is as good as the number that it holds.
    if isinstance(value, Tensor) and value.ndim and not tensors:
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


def _check_tuple(name: str, value: Any, each: Sequence[Check | None]) -> None:
    check_length(name, value, len(each))
    for index, (inner, part) in enumerate(zip(each, value, strict=True)):
        if inner is not None:
            inner(f"{name}[{index}]", part)


def _check_mapping(name: str, value: Any, inner: Check | None) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict, got {value!r}")
    if inner is not None:
        for key, each in value.items():
            inner(f"{name}[{key!r}]", each)


def _check_iterable(name: str, value: Any) -> None:
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise TypeError(f"{name} must be something to iterate over, got {value!r}")


def _check_subclass(name: str, value: Any, of: type) -> None:
    if not isinstance(value, type) or not issubclass(value, of):
        raise TypeError(f"{name} must be a class, {of.__name__} or made from it, got {value!r}")


def _check_instance(name: str, value: Any, of: tuple[type, ...]) -> None:
    if not isinstance(value, of) or isinstance(value, bool):
        allowed = " or ".join(each.__name__ for each in of)
        raise TypeError(f"{name} must be of type {allowed}, got {value!r}")


def _check_callable(name: str, value: Any) -> None:
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {value!r}")
