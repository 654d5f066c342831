"""What a run is: its settings, checked, and which runs can be trained as one."""

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from torch import Tensor, nn

from descent._checks import check_choice, check_seed
from descent._signatures import checked
from descent.optim import OPTIMIZERS, RuleOptimizer

Sampler = Callable[[int, int, int], Iterator[Tensor]]

RESERVED = ("run", "step", "loss", "grad_norm")
"""The columns that every table has."""


@checked
@dataclass(frozen=True)
class Named:
    """A setting with the name that the table prints for it, such as a schedule's.

    Args:
        name: what the table prints.
        value: what the run uses.

    Example:
        >>> Named("linear", lambda step: 0.1 * (1 - step / 100)).name
        'linear'
    """

    name: str
    value: Any


def grid(**settings: Any) -> list[dict[str, Any]]:
    """Combine every value of each setting with every value of the others.

    Args:
        **settings: by name. A list, a range, an array or a tensor holds the values of a setting,
            and a dict holds them under their names; anything else, a string or a tuple among
            them, is one value for all runs.

    Returns:
        One dict of settings for each run; the last setting varies fastest.

    Raises:
        ValueError: a setting has no values.

    Example:
        >>> grid(optimizer="gradient descent", lr=[0.1, 0.2], seed=range(2))
        [{'optimizer': 'gradient descent', 'lr': 0.1, 'seed': 0},
         {'optimizer': 'gradient descent', 'lr': 0.1, 'seed': 1},
         {'optimizer': 'gradient descent', 'lr': 0.2, 'seed': 0},
         {'optimizer': 'gradient descent', 'lr': 0.2, 'seed': 1}]
    """
    axes = {name: _axis(values) for name, values in settings.items()}
    for name, values in axes.items():
        if not values:
            raise ValueError(f"{name} must have at least one value, got {settings[name]!r}")
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def _axis(values: Any) -> list[Any]:
    if isinstance(values, dict):
        return [Named(str(name), value) for name, value in values.items()]
    if hasattr(values, "tolist"):  # a tensor, or an array of NumPy
        values = values.tolist()
    return list(values) if isinstance(values, list | range) else [values]


@dataclass(frozen=True, eq=False)
class Run:
    """One run: what it is trained with, and what the table says of it."""

    index: int
    seed: int
    optimizer: type[RuleOptimizer]
    batch_size: int | None
    hyperparameters: dict[str, Any]
    architecture: dict[str, Any]
    labels: dict[str, Any]

    def cannot_differ(self) -> tuple[Any, ...]:
        """Return what has to be the same in runs that are trained as one."""
        fixed = [
            value if isinstance(value, bool | str) else np.size(value)
            for value in self.hyperparameters.values()
        ]
        return self.optimizer, self.batch_size, self.architecture, fixed


def read_runs(
    runs: Sequence[Mapping[str, Any]],
    model: Callable[..., nn.Module],
    sampler: Sampler,
    num_samples: int,
) -> list[Run]:
    """Check the settings of all runs, and sort them by who uses them."""
    if not runs:
        raise ValueError("runs must hold at least one run, got none")
    found = []
    for index, settings in enumerate(runs):
        try:
            run = _read_run(index, settings, model)
            if run.batch_size is not None:
                sampler(num_samples, run.batch_size, run.seed)  # which checks what it is given
        except (TypeError, ValueError) as error:
            raise type(error)(f"runs[{index}]: {error}") from None
        found.append(run)
    return found


def _read_run(index: int, settings: Mapping[str, Any], model: Callable[..., nn.Module]) -> Run:
    labels = {name: _label(name, value) for name, value in settings.items()}
    rest = {
        name: value.value if isinstance(value, Named) else value for name, value in settings.items()
    }
    for name in ("seed", "optimizer"):
        if name not in rest:
            raise TypeError(f"the setting {name!r} is missing; there are: {', '.join(rest)}")
    for name in RESERVED:
        if name in rest:
            raise ValueError(f"a setting must not be named {name!r}, a column of the table is")
    seed, optimizer = rest.pop("seed"), _optimizer(rest.pop("optimizer"))
    batch_size = rest.pop("batch_size", None)
    check_seed(seed)
    given = {name: rest.pop(name) for name in optimizer.hyperparameters if name in rest}
    given = {n: tuple(value) if isinstance(value, list) else value for n, value in given.items()}
    now = {name: value(0) if callable(value) else value for name, value in given.items()}
    hyperparameters = optimizer.complete(**now) | given
    takes = inspect.signature(model).parameters
    if not any(each.kind is each.VAR_KEYWORD for each in takes.values()):
        for name in rest:
            if name not in takes:
                raise TypeError(
                    f"the model does not take {name!r}, nor does {optimizer.__name__}, whose "
                    f"hyperparameters are: {', '.join(optimizer.hyperparameters)}"
                )
    return Run(index, int(seed), optimizer, batch_size, hyperparameters, rest, labels)


def _optimizer(optimizer: Any) -> type[RuleOptimizer]:
    if isinstance(optimizer, str):
        check_choice("optimizer", optimizer, OPTIMIZERS)
        return OPTIMIZERS[optimizer]
    if not (isinstance(optimizer, type) and issubclass(optimizer, RuleOptimizer)):
        raise TypeError(
            "optimizer must be a subclass of RuleOptimizer, or its name in OPTIMIZERS, "
            f"got {optimizer!r}"
        )
    return optimizer


def _label(name: str, value: Any) -> Any:
    if isinstance(value, Named):
        return value.name
    if value is None or isinstance(value, Real | str):
        return value
    if isinstance(value, tuple | list):
        return repr(value)
    label = getattr(value, "__name__", "<lambda>")
    if label == "<lambda>":
        raise TypeError(
            f"{name} has a value without a name: give it one, Named('...', {value!r}), "
            "or hand grid a dict of names and values"
        )
    return label


def chunks(runs: Sequence[Run], size: int | None) -> list[list[Run]]:
    """Put runs that can be trained as one together, at most ``size`` of them."""
    alike: list[tuple[Any, list[Run]]] = []
    for run in runs:
        key = run.cannot_differ()
        for other, members in alike:
            if key == other:
                members.append(run)
                break
        else:
            alike.append((key, [run]))
    return [
        members[start : start + (size or len(members))]
        for _, members in alike
        for start in range(0, len(members), size or len(members))
    ]
