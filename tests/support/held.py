"""What holds each optimizer to its formula: a counterpart in PyTorch, or an equation of a page."""

import runpy
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from unittest import mock

import torch
from printed import equations
from torch import Tensor
from torch.utils._pytree import tree_map

import marks
from descent.optim import (
    OPTIMIZERS,
    SGD,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    GradientDescent,
    NAdam,
    Params,
    RAdam,
    RMSprop,
    RuleOptimizer,
    describe,
)
from descent.press.pages import ROOT

COUNTERPARTS: dict[type[RuleOptimizer], type[torch.optim.Optimizer]] = {
    GradientDescent: torch.optim.SGD,
    SGD: torch.optim.SGD,
    Adagrad: torch.optim.Adagrad,
    RMSprop: torch.optim.RMSprop,
    Adam: torch.optim.Adam,
    AdamW: torch.optim.AdamW,
    NAdam: torch.optim.NAdam,
    RAdam: torch.optim.RAdam,
    Adamax: torch.optim.Adamax,
}
"""By optimizer, PyTorch's that takes the same steps; :mod:`test_optim_torch` compares the two."""


@dataclass(frozen=True)
class Holder:
    """An equation test with the mark ``holds``: where it stands, and the labels it reads."""

    test: marks.Test
    labels: tuple[str, ...]

    def load(self, root: Path = ROOT) -> Callable[[], None]:
        """Read its file anew, so that nothing is measured already."""
        return runpy.run_path(str(root / self.test.file))[self.test.name]


def holders(root: Path = ROOT) -> dict[str, list[Holder]]:
    """Collect the marked tests, by the optimizer that they hold.

    Args:
        root: the folder that holds ``tests/chapters``.
    """
    labels, found = defaultdict(list), defaultdict(list)
    for label, test in marks.equations(root):
        labels[test].append(label)
    for optimizer, test in marks.holders(root):
        found[optimizer].append(Holder(test, tuple(labels[test])))
    return dict(found)


HELD_BY_EQUATION: dict[str, tuple[str, ...]] = {
    optimizer: tuple(label for each in tests for label in each.labels)
    for optimizer, tests in holders().items()
}
"""By row of ``OPTIMIZERS``, the labels of the equations whose tests hold it."""

_in_place_of: list[Callable[..., object]] = []


def _detour(*given, **options):
    from held import _in_place_of

    return _in_place_of[-1](*given, **options)


@contextmanager
def replaced(
    rule: Callable[..., tuple], change: Callable[[Callable[..., tuple]], Callable[..., tuple]]
) -> Iterator[None]:
    """Have whoever calls a rule, by whatever name, call what ``change`` makes of it.

    Args:
        rule: a function of the package.
        change: takes the rule as it was, and returns what is called in its place.
    """
    code = rule.__code__
    was = FunctionType(code, rule.__globals__, rule.__name__, rule.__defaults__)
    was.__kwdefaults__ = rule.__kwdefaults__
    _in_place_of.append(change(was))
    rule.__code__ = _detour.__code__
    try:
        yield
    finally:
        rule.__code__ = code
        _in_place_of.pop()


def _never(rule: Callable[..., tuple]) -> Callable[..., tuple]:
    def changed(*given: object, **options: object) -> tuple:
        raise RuntimeError("the rule was called")

    return changed


def _backwards(rule: Callable[..., tuple]) -> Callable[..., tuple]:
    def changed(old: Params | Tensor, *given: object, **options: object) -> tuple:
        new, state = rule(old, *given, **options)
        return tree_map(lambda before, after: 2 * before - after, old, new), state

    return changed


def _forgetful(rule: Callable[..., tuple]) -> Callable[..., tuple]:
    def changed(*given: object, **options: object) -> tuple:
        new, state = rule(*given, **options)
        return new, tree_map(lambda kept: kept / 2, state)

    return changed


def _fails(test: Callable[[], None]) -> bool:
    try:
        test()
    except Exception:  # whatever makes a test fail
        return True
    return False


def faults_of(row: str, root: Path = ROOT) -> list[str]:
    """Say what is missing for an optimizer to be held to its formula.

    Args:
        row: its name in ``OPTIMIZERS``.
        root: the folder that holds ``tests/chapters``.

    Returns:
        A line for each fault; none where PyTorch has a counterpart, or where the tests with the
        mark read an equation of the book, call the rule, and together notice if it steps the
        other way or keeps half of what it should remember.
    """
    optimizer = OPTIMIZERS[row]
    if optimizer in COUNTERPARTS:
        return []
    tests = holders(root).get(row, [])
    if not tests:
        return [
            f"{row} is held to no formula: name its counterpart in torch.optim in COUNTERPARTS of "
            f'tests/support/held.py, or give a test of its printed equation the mark holds("{row}")'
        ]
    faults = []
    for each in tests:
        place = f"{each.test.file}:{each.test.line}: {each.test.name} holds {row}, but"
        if _fails(each.load(root)):
            faults.append(f"{place} fails as it stands")
        if not each.labels:
            faults.append(f"{place} has no mark equation")
        for label in each.labels:
            with mock.patch.dict(equations()):
                equations().pop(label, None)
                if not _fails(each.load(root)):
                    faults.append(f"{place} does not read the equation {label!r}")
        with replaced(optimizer.rule, _never):
            if not _fails(each.load(root)):
                faults.append(f"{place} does not call {optimizer.rule.__name__}")
    changes = {"goes the other way": _backwards}
    if describe(optimizer)["state"]:
        changes["remembers half of what it should"] = _forgetful
    for what, change in changes.items():
        with replaced(optimizer.rule, change):
            if not any(_fails(each.load(root)) for each in tests):
                faults.append(f"no test that holds {row} fails when the rule {what}")
    return faults
