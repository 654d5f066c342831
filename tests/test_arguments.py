"""Every public function refuses what its signature does not allow, in one line that says so.

The cases are made from the signatures, so that a new function is among them by itself.
"""

import inspect
import math
import types
from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import walk_packages
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
import torch
from torch import Tensor

import descent
from descent import plotting
from descent._checks import Number
from descent._signatures import By, In, OneOf, check_floating


def functions():
    """Find every checked function of the package, each once."""
    found = {}
    for module in walk_packages(descent.__path__, "descent."):
        for name, each in vars(import_module(module.name)).items():
            if inspect.isfunction(each) and hasattr(each, "hints") and not name.startswith("_"):
                found[f"{each.__module__}.{each.__qualname__}"] = each
    return found


NOT_NUMBERS = ["1", None, True, 1j, [1.0], torch.tensor([True]), {}]
NOT_INTEGERS = ["1", None, True, 1.5, 1.0, 1j, [1], torch.tensor(1)]
NOT_FLAGS = [1, 0, None, "True", torch.tensor(True)]
NOT_WORDS = [None, 3, "nothing of the kind", ["mean"], True]
NOT_TENSORS = [None, 1.0, "1", [1.0, 2.0]]
NOT_FLOATING = [*NOT_TENSORS, torch.tensor([1]), torch.tensor([True]), torch.tensor([1j])]
NOT_POINTS = [*NOT_TENSORS[:3], "mean", torch.zeros(2, 2), [1j], [True]]
NOT_FUNCTIONS = [None, 3, "mean"]


def outside(interval):
    """Give numbers just outside an interval, and those that are in none."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    found = [math.nan]
    if interval[0] == "(" and math.isfinite(low):
        found.append(low)
    if math.isfinite(low):
        found.append(low - 1)
    if interval[-1] == ")" and math.isfinite(high):
        found.append(high)
    if math.isfinite(high):
        found.append(high + 1)
    found += [
        inf for inf in (-math.inf, math.inf) if not low < inf < high and inf not in (low, high)
    ]
    found += [inf for inf, end in ((-math.inf, interval[0]), (math.inf, interval[-1]))
              if inf in (low, high) and end in "()"]  # fmt: skip
    return list(dict.fromkeys(found))


def bad_values(hint):
    """List values that a type does not allow."""
    base, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    intervals = [note.interval for note in notes if isinstance(note, In)]
    off = [value for interval in intervals for value in outside(interval)]
    if any(isinstance(note, By) and note.check is check_floating for note in notes):
        return NOT_FLOATING
    if any(isinstance(note, By) and note.check is plotting._check_points for note in notes):
        return NOT_POINTS
    if any(isinstance(note, By) for note in notes):  # a seed
        return [*NOT_INTEGERS, -1, 2**32]
    if any(isinstance(note, OneOf) for note in notes):
        return NOT_WORDS
    if base is float:
        return [*NOT_NUMBERS, torch.zeros(2), *off]
    if base == Number:
        return [*NOT_NUMBERS, *off, *(torch.tensor([value, value]) for value in off)]
    if base is int:
        return [*NOT_INTEGERS, *(int(value) for value in off if math.isfinite(value))]
    if base is bool:
        return NOT_FLAGS
    if base is Tensor:
        return [*NOT_TENSORS, *(torch.tensor([value]) for value in off)]
    if get_origin(base) in (Union, types.UnionType):
        parts = [part for part in get_args(base) if part is not type(None)]
        return [bad for bad in bad_values(parts[0]) if bad is not None] if len(parts) == 1 else []
    if get_origin(base) is Sequence:
        inner = [[bad] for bad in bad_values(get_args(base)[0])]
        return [None, 3, "mean", *inner]
    if get_origin(base) is Callable:
        return NOT_FUNCTIONS
    if get_origin(base) is type:
        return [None, "SGD", 3, str]
    if isinstance(base, type) and base is not Any:
        return [None, 3, "nothing of the kind"]
    return []


def cases():
    for name, function in functions().items():
        for argument, hint in function.hints.items():
            if argument != "return":
                for value in bad_values(hint):
                    yield pytest.param(function, argument, value, id=f"{name}-{argument}-{value}")


CASES = list(cases())


@pytest.mark.parametrize(("function", "argument", "value"), CASES)
def test_what_a_signature_does_not_allow_is_refused_in_one_line_by_name(function, argument, value):
    with pytest.raises((TypeError, ValueError)) as caught:
        function(**{argument: value})
    told = str(caught.value)
    assert told.startswith((f"{argument} must ", f"{argument}[0] must ")), told
    assert "got" in told
    assert "\n" not in told


def test_there_are_many_cases():
    assert len(CASES) >= 1500
