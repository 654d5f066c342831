"""What an optimizer is, as data: for whoever reads it in another language, a browser above all."""

import math
from typing import Any

import torch
from torch import Tensor

from descent._signatures import checked
from descent.optim._base import RuleOptimizer
from descent.optim._hyperparameters import Hyperparameter
from descent.optim._shapes import ModelState, Params

KINDS = {float: "number", tuple: "numbers", int: "integer", bool: "flag"}


@checked
def describe(optimizer: type[RuleOptimizer[...]]) -> dict[str, Any]:
    """Describe an optimizer: its hyperparameters and what it remembers.

    Args:
        optimizer: a class of the book's.

    Returns:
        What JSON can hold. ``hyperparameters`` stand in the order of the constructor, each with
        ``name``, ``kind`` (number, numbers, integer or flag), ``default``, ``meaning``, and for
        numbers ``low`` and ``high``, where ``null`` is no bound, with ``low_included`` and
        ``high_included``. ``state`` says of each entry whether it is ``of`` each number of the
        parameter (``"element"``), of the ``"parameter"`` or of the ``"model"``, and ``when`` it
        is there: ``null`` for always, or the hyperparameter that turns it on.

    Example:
        >>> from descent.optim import SGD
        >>> described = describe(SGD)
        >>> described["hyperparameters"][0]["default"], described["state"]
        (0.001, [{'name': 'momentum_buffer', 'of': 'element', 'when': 'momentum'}])
    """
    return {
        "name": optimizer.__name__,
        "asks": optimizer.asks,
        "elementwise": optimizer.elementwise,
        "hyperparameters": [_described(each) for each in optimizer.hyperparameters.values()],
        "state": _remembered(optimizer),
    }


def _described(each: Hyperparameter) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": each.name,
        "kind": KINDS[each.kind],
        "default": list(each.default) if isinstance(each.default, tuple) else each.default,
        "meaning": each.meaning,
    }
    if each.interval:
        low, high = (float(end) for end in each.interval[1:-1].split(","))
        found |= {
            "low": low if math.isfinite(low) else None,
            "high": high if math.isfinite(high) else None,
            "low_included": each.interval[0] == "[",
            "high_included": each.interval[-1] == "]",
        }
    return found


def _remembered(optimizer: type[RuleOptimizer[...]]) -> list[dict[str, Any]]:
    """Take a step with nothing on, and one with each thing on that is off by default."""
    defaults = {name: each.default for name, each in optimizer.hyperparameters.items()}
    found: dict[str, dict[str, Any]] = {}
    for name, value in {None: None, **defaults}.items():
        if name is None or value is False or (isinstance(value, float) and value == 0):
            on = {} if name is None else {name: True if value is False else 0.5}
            for key, of in _after_a_step(optimizer, defaults | on).items():
                found.setdefault(key, {"name": key, "of": of, "when": name})
    return list(found.values())


def _after_a_step(optimizer: type[RuleOptimizer[...]], options: dict[str, Any]) -> dict[str, str]:
    def bowl(params: Params) -> tuple[Tensor, Params]:
        return sum((param**2).sum() for param in params) / 2, params

    _, state = optimizer.update((torch.ones(2),), bowl, ModelState.empty(1), **options)
    of_one = {name: "element" if each.ndim else "parameter" for name, each in state.each[0].items()}
    return dict.fromkeys(state.model, "model") | of_one
