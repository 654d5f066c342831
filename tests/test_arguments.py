"""Every public function refuses what its signature does not allow, in one line that says so.

The cases are made from the signatures, so that a new function is among them by itself.
"""

import inspect
import math
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatch
from importlib import import_module
from pkgutil import walk_packages
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
import torch
from torch import Tensor

import descent
from descent import plotting
from descent._checks import Number
from descent._signatures import By, In, OneOf, check_floating, check_floating_type
from descent.optim import OPTIMIZERS, RuleOptimizer, clipped

UNCHECKED = {
    "descent.chapters.*.exercises.*": "takes a reader's answer, and says what is wrong with it",
    "descent.chapters.*.lab.Parameters": "a model of pydantic's, which checks",
    "descent.optim._base.RuleOptimizer": "the base of the classes whose hyperparameters are below",
    "descent.optim._shapes.ModelState": "a named tuple, made in every step",
    "descent.playground._figure.Playground": "made by the figures' functions, which check",
    "descent.press.runner.*": "answers before PyTorch is there",
    "descent.tasks.data.Dataset": "a named tuple; whoever takes it looks at its two tensors",
    "descent.press.cli.*": "answers before PyTorch is there",
    "descent.press.pages.*": "answers before PyTorch is there",
    "descent.press.records.*": "answers before PyTorch is there",
    "descent.chapters.parameters.*": "answers before PyTorch is there",
    "descent._signatures.In": "what checks are made of",
    "descent.sweeps._runs.grid": "takes any settings, under any names",
}
"""The public functions and classes whose signatures do not check, and why."""

RULES = {f"{each.__module__}.{each.rule.__name__}": each for each in OPTIMIZERS.values()}
"""The rules, whose hyperparameters are checked once, by the class or the loop that steps."""


def public():
    """Find every public function and class of the package, each once."""
    found = {}
    for module in walk_packages(descent.__path__, "descent."):
        loaded = import_module(module.name)
        listed = getattr(loaded, "__all__", None)
        hidden = any(part.startswith("_") for part in module.name.split("."))
        for name in listed or ([] if hidden else vars(loaded)):
            each = getattr(loaded, name)
            ours = listed or getattr(each, "__module__", None) == module.name
            kind = inspect.isclass(each) or hasattr(each, "__code__") or hasattr(each, "hints")
            if ours and kind and not name.startswith("_"):
                found[f"{each.__module__}.{each.__qualname__}"] = each
    return found


PUBLIC = public()


def constructor(each):
    """Return a function itself, and of a class what its call goes through."""
    return each.__init__ if inspect.isclass(each) else each


def takes_nothing(each):
    return not inspect.isclass(each) and not inspect.signature(each).parameters


def excused(name):
    return [pattern for pattern in UNCHECKED if fnmatch(name, pattern)]


def holds_its_callers_to_its_signature(name, each):
    if name in RULES:
        return True
    if inspect.isclass(each) and issubclass(each, RuleOptimizer):
        return each in OPTIMIZERS.values()
    return hasattr(constructor(each), "hints")


@pytest.mark.parametrize("name", [name for name in PUBLIC if not takes_nothing(PUBLIC[name])])
def test_a_public_function_is_checked_or_has_its_reason(name):
    held = holds_its_callers_to_its_signature(name, PUBLIC[name])
    assert held != bool(excused(name)), (
        f"{name} is checked, and UNCHECKED has a reason why it is not"
        if held
        else f"{name} needs the decorator checked, or a reason in UNCHECKED"
    )


def test_every_reason_is_of_something():
    assert [pattern for pattern in UNCHECKED if not any(fnmatch(n, pattern) for n in PUBLIC)] == []


NOT_NUMBERS = ["1", None, True, 1j, [1.0], torch.tensor([True]), {}]
NOT_INTEGERS = ["1", None, True, 1.5, 1.0, 1j, [1], torch.tensor(1)]
NOT_FLAGS = [1, 0, None, "True", torch.tensor(True)]
NOT_WORDS = [None, 3, "nothing of the kind", ["mean"], True]
NOT_TENSORS = [None, 1.0, "1", [1.0, 2.0]]
NOT_FLOATING = [*NOT_TENSORS, torch.tensor([1]), torch.tensor([True]), torch.tensor([1j])]
NOT_FLOATING_TYPES = [None, "float32", float, torch.int64, torch.bool, torch.complex64]
NOT_POINTS = [*NOT_TENSORS[:3], "mean", torch.zeros(2, 2), [1j], [True]]
NOT_FUNCTIONS = [None, 3, "mean"]
NOT_OF_A_CLASS = [None, 3, True, [], torch.zeros(2)]


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
    checks = [note.check for note in notes if isinstance(note, By)]
    off = [value for interval in intervals for value in outside(interval)]
    origin, parts = get_origin(base), get_args(base)
    if checks == [check_floating]:
        return NOT_FLOATING
    if checks == [check_floating_type]:
        return NOT_FLOATING_TYPES
    if checks == [plotting._check_points]:
        return NOT_POINTS
    if checks:  # a seed
        return [*NOT_INTEGERS, -1, 2**32]
    if origin is Literal or any(isinstance(note, OneOf) for note in notes):
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
    if origin in (Union, types.UnionType):
        return bad_values_of_union([part for part in parts if part is not type(None)], parts)
    if origin is tuple and Ellipsis not in parts:
        good = [0.5] * len(parts)
        mixed = [
            [*good[:index], bad, *good[index + 1 :]]
            for index, part in enumerate(parts)
            for bad in bad_values(Annotated[part, *notes] if notes else part)
        ]
        return [None, 3, good[1:], [*good, 0.5], *mixed]
    if origin in (Sequence, tuple, list):
        return [None, 3, "mean", *([bad] for bad in bad_values(parts[0]))]
    if origin in (dict, Mapping):
        return [None, 3, "mean", [], *({"a": bad} for bad in bad_values(parts[1]))]
    if origin is Iterable:
        return [None, 3, "mean"]
    if origin is Callable:
        return NOT_FUNCTIONS
    if origin is type:
        return [None, "SGD", 3, str]
    if isinstance(base, type) and base is not Any:
        return of_other_classes((base,))
    # A string is the name of a type that takes long to import: the function looks for itself.
    assert base is Any or isinstance(base, str), f"nothing says what is not of type {hint}"
    return []


def bad_values_of_union(parts, given):
    if len(parts) == 1:
        found = bad_values(parts[0])
    else:
        found = of_other_classes(tuple(get_origin(part) or part for part in parts))
    return found if len(parts) == len(given) else [bad for bad in found if bad is not None]


def of_other_classes(classes):
    return [bad for bad in [*NOT_OF_A_CLASS, "nothing of the kind"]
            if isinstance(bad, bool) or not isinstance(bad, classes)]  # fmt: skip


def cases():
    """Give each argument of each checked function, and what it must not be."""
    for name, each in PUBLIC.items():
        hints = getattr(constructor(each), "hints", {})
        for argument in inspect.signature(each).parameters if hints else ():
            values = bad_values(hints.get(argument, Any))
            if values:
                yield pytest.param(each, argument, values, id=f"{name}-{argument}")


def hyperparameter_cases():
    """Give each hyperparameter of each optimizer, and what it must not be."""
    types_of = {float: Number, int: int, bool: bool}
    for name, optimizer in {**OPTIMIZERS, "clipped": clipped(OPTIMIZERS["SGD"])}.items():
        for each in optimizer.hyperparameters.values():
            hint = tuple[(Number,) * each.length] if each.kind is tuple else types_of[each.kind]
            hint = Annotated[hint, In(each.interval)] if each.interval else hint
            yield pytest.param(optimizer, each.name, bad_values(hint), id=f"{name}-{each.name}")


CASES, HYPERPARAMETERS = list(cases()), list(hyperparameter_cases())


def refused(call, argument, value):
    """Say what is wrong with how a call with a bad value ends, or ``None`` if it is right."""
    try:
        call()
    except (TypeError, ValueError) as error:
        told = str(error)
    else:
        return f"{value!r} is taken"
    named = re.match(rf"{argument}(\[(0|1|'a')\])* must ", told)
    plain = named and "got" in told and "\n" not in told
    return None if plain else f"{value!r} is answered by {told!r}"


@pytest.mark.parametrize(("function", "argument", "values"), CASES)
def test_what_a_signature_does_not_allow_is_refused_in_one_line_by_name(function, argument, values):
    found = [refused(lambda v=v: function(**{argument: v}), argument, v) for v in values]
    assert [problem for problem in found if problem] == []


@pytest.mark.parametrize(("optimizer", "name", "values"), HYPERPARAMETERS)
def test_a_hyperparameter_is_refused_where_it_is_given(optimizer, name, values):
    param = torch.zeros(2, requires_grad=True)
    made = optimizer([param])
    for value in values:
        given = {name: value}
        for call in (
            lambda given=given: optimizer([param], **given),
            lambda given=given: optimizer([{"params": [param], **given}]),
            lambda given=given: made.add_param_group({"params": [param], **given}),
            lambda given=given: optimizer.complete(**given),
        ):
            assert refused(call, name, value) is None, (value, refused(call, name, value))


def test_there_are_many_cases():
    assert sum(len(case.values[-1]) for case in CASES) >= 4000
    assert sum(len(case.values[-1]) for case in HYPERPARAMETERS) >= 400
