"""The one place where bad arguments are turned into errors.

Each check names the thing, the value it got and what is allowed.
"""

from collections.abc import Collection, Sequence
from numbers import Integral, Real

import torch
from torch import Tensor

Number = float | Tensor


def check_in_interval(name: str, value: Number, interval: str) -> None:
    """Raise unless ``value`` lies in ``interval``.

    Args:
        name: what the error calls the value.
        value: a real number, or a tensor of them, all of which must lie in the interval.
        interval: in the notation of mathematics, ``"(0, 1]"`` or ``"[0, inf)"``.

    Raises:
        TypeError: ``value`` is not a real number.
        ValueError: ``value`` is NaN or outside the interval.

    Example:
        >>> check_in_interval("lr", 0.1, "(0, inf)")
        >>> check_in_interval("momentum", 1.5, "[0, 1)")
        Traceback (most recent call last):
        ...
        ValueError: momentum must be in [0, 1), got 1.5
    """
    if isinstance(value, Tensor):
        numbers = value.dtype != torch.bool and not value.is_complex()
    else:
        numbers = isinstance(value, Real) and not isinstance(value, bool)
    if not numbers:
        raise TypeError(f"{name} must be a number in {interval}, got {value!r}")
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = value > low if interval[0] == "(" else value >= low
    below = value < high if interval[-1] == ")" else value <= high
    if isinstance(value, Tensor):
        value = first_where(~(above & below), value)
        inside = value is None
    else:
        inside = above and below
    if not inside:
        raise ValueError(f"{name} must be in {interval}, got {value}")


def first_where(condition: Tensor, value: Tensor) -> float | None:
    """Return the first number of ``value`` where ``condition`` holds, or ``None``.

    Inside ``torch.func.vmap`` no number can be looked at, and the answer is ``None``.

    Example:
        >>> value = torch.tensor([0.5, -1.0, -2.0])
        >>> first_where(value < 0, value)
        -1.0
    """
    try:
        found = value[condition]
        return found[0].item() if found.numel() else None
    except RuntimeError as error:
        if "vmap" not in str(error):
            raise
        return None


def check_flag(name: str, value: bool) -> None:
    """Raise unless ``value`` is true or false.

    Raises:
        TypeError: ``value`` is something else.

    Example:
        >>> check_flag("nesterov", 1)
        Traceback (most recent call last):
        ...
        TypeError: nesterov must be True or False, got 1
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")


def check_length(name: str, value: Sequence[Number], length: int) -> None:
    """Raise unless ``value`` is a tuple or list of ``length`` entries.

    Raises:
        TypeError: ``value`` is neither.
        ValueError: its length is another.

    Example:
        >>> check_length("betas", (0.9,), 2)
        Traceback (most recent call last):
        ...
        ValueError: betas must be 2 numbers, got (0.9,)
    """
    message = f"{name} must be {length} numbers, got {value!r}"
    if not isinstance(value, tuple | list):
        raise TypeError(message)
    if len(value) != length:
        raise ValueError(message)


def check_positive_int(name: str, value: int, at_least: int = 1) -> None:
    """Raise unless ``value`` is an integer of at least ``at_least``.

    Raises:
        TypeError: ``value`` is not an integer.
        ValueError: ``value`` is too small.

    Example:
        >>> check_positive_int("num_steps", 0)
        Traceback (most recent call last):
        ...
        ValueError: num_steps must be an integer of at least 1, got 0
    """
    message = f"{name} must be an integer of at least {at_least}, got {value!r}"
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(message)
    if value < at_least:
        raise ValueError(message)


def check_integer_in(name: str, value: int, interval: str) -> None:
    """Raise unless ``value`` is an integer that lies in ``interval``.

    Raises:
        TypeError: ``value`` is not an integer.
        ValueError: it is outside the interval.

    Example:
        >>> check_integer_in("history_size", 2.5, "[1, inf)")
        Traceback (most recent call last):
        ...
        TypeError: history_size must be an integer in [1, inf), got 2.5
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer in {interval}, got {value!r}")
    check_in_interval(name, int(value), interval)


def check_seed(seed: int) -> None:
    """Raise unless ``seed`` is an integer that every generator of random numbers takes.

    Raises:
        TypeError: it is not an integer.
        ValueError: it is negative, or 2**32 or more.

    Example:
        >>> check_seed(-1)
        Traceback (most recent call last):
        ...
        ValueError: seed must be an integer of at least 0, got -1
    """
    check_positive_int("seed", seed, at_least=0)
    check_in_interval("seed", seed, f"[0, {2**32})")


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Raise unless ``value`` is one of ``choices``.

    Raises:
        ValueError: it is not; the error lists what is allowed.

    Example:
        >>> check_choice("reduction", "median", ["none", "mean", "sum"])
        Traceback (most recent call last):
        ...
        ValueError: reduction must be one of 'none', 'mean', 'sum', got 'median'
    """
    if value not in choices:
        allowed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}")


def check_shape(name: str, value: Tensor, shape: tuple[int | None, ...]) -> None:
    """Raise unless the tensor has ``shape``; ``None`` leaves a size free.

    Raises:
        TypeError: it is not a tensor.
        ValueError: the shape differs; the error prints both.

    Example:
        >>> import torch
        >>> check_shape("theta", torch.zeros(3), (2,))
        Traceback (most recent call last):
        ...
        ValueError: theta must have shape (2,), got (3,)
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a tensor, got {value!r}")
    found = tuple(value.shape)
    if len(found) != len(shape) or any(
        want is not None and want != size for want, size in zip(shape, found, strict=True)
    ):
        wanted = ", ".join("*" if size is None else str(size) for size in shape)
        wanted += "," if len(shape) == 1 else ""
        raise ValueError(f"{name} must have shape ({wanted}), got {found}")


def check_scalar(name: str, value: Tensor) -> None:
    """Raise unless the tensor holds one number.

    Raises:
        TypeError: it is not a tensor.
        ValueError: it holds more, or none.

    Example:
        >>> check_scalar("the loss", torch.zeros(3))
        Traceback (most recent call last):
        ...
        ValueError: the loss must be one number, got a tensor of shape (3,)
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a tensor, got {value!r}")
    if value.numel() != 1:
        raise ValueError(f"{name} must be one number, got a tensor of shape {tuple(value.shape)}")


def check_dtype(name: str, value: Tensor, dtype: torch.dtype) -> None:
    """Raise unless the tensor has ``dtype``.

    Raises:
        TypeError: it is not a tensor.
        ValueError: the dtype differs; the error prints both.

    Example:
        >>> check_dtype("target", torch.zeros(3), torch.int64)
        Traceback (most recent call last):
        ...
        ValueError: target must have dtype torch.int64, got torch.float32
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a tensor, got {value!r}")
    if value.dtype != dtype:
        raise ValueError(f"{name} must have dtype {dtype}, got {value.dtype}")


def check_floating(name: str, value: Tensor) -> None:
    """Raise unless the tensor holds floating-point numbers.

    Raises:
        TypeError: it is not a tensor.
        ValueError: it holds integers, booleans or complex numbers.

    Example:
        >>> check_floating("input", torch.tensor([1, 2]))
        Traceback (most recent call last):
        ...
        ValueError: input must be floating point, got torch.int64
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a tensor, got {value!r}")
    if not value.is_floating_point():
        raise ValueError(f"{name} must be floating point, got {value.dtype}")


def check_floating_type(name: str, value: torch.dtype) -> None:
    """Raise unless the dtype is one of floating-point numbers.

    Raises:
        TypeError: it is no dtype.
        ValueError: it is one of integers, booleans or complex numbers.

    Example:
        >>> check_floating_type("dtype", torch.int64)
        Traceback (most recent call last):
        ...
        ValueError: dtype must be floating point, got torch.int64
    """
    if not isinstance(value, torch.dtype):
        raise TypeError(f"{name} must be a dtype, got {value!r}")
    if not value.is_floating_point:
        raise ValueError(f"{name} must be floating point, got {value}")
