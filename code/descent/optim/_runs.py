"""Following a rule for one run, or for many that are stacked along an axis it never sees."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap
from torch.utils._pytree import tree_flatten, tree_unflatten

from descent._signatures import checked
from descent.optim._base import RuleOptimizer
from descent.optim._shapes import ModelState, Params, remembering


class Runs:
    """Follows an optimizer's rule, of any shape, for one run or for many that are stacked.

    Args:
        optimizer: whose rule it is.
        oracle: ``oracle(params, *data)``, the loss and the gradient of one run anywhere.
        stacked: whether the axis of runs comes first, in parameters, gradients, state and data.

    Example:
        Two runs with rates of their own.

        >>> from descent.optim import GradientDescent
        >>> runs = Runs(GradientDescent, lambda params: None, stacked=True)
        >>> params, grads = (torch.ones(2, 3),), (torch.ones(2, 3),)
        >>> own = {"lr": torch.tensor([0.25, 1.0])}
        >>> runs.step(params, torch.zeros(2), grads, ModelState.empty(1), {}, own)[0]
        (tensor([[0.7500, 0.7500, 0.7500],
            [0.0000, 0.0000, 0.0000]]),)
    """

    @checked
    def __init__(
        self,
        optimizer: type[RuleOptimizer[...]],
        oracle: Callable[..., tuple[Tensor, Params]],
        *,
        stacked: bool,
    ) -> None:
        self.optimizer, self._oracle = optimizer, oracle
        self._lift = (one_by_one if optimizer.branches else vmap) if stacked else _unlifted
        self._stacked = stacked

    def step(
        self,
        params: Params,
        loss: Tensor,
        grads: Params,
        state: ModelState,
        shared: Mapping[str, Any],
        own: Mapping[str, Any],
        *data: Any,
    ) -> tuple[Params, ModelState]:
        """Take one step.

        Args:
            params: where the runs are, each tensor of shape ``(runs, ...)`` if they are stacked,
                as is everything below but ``shared``.
            loss: the loss at ``params``, one number a run.
            grads: its gradient there, shaped as ``params``.
            state: what the rule remembers.
            shared: the hyperparameters that all runs have in common.
            own: the others, each a tensor of one number a run, or several of these.
            *data: further arguments of the oracle.

        Returns:
            The new parameters and the new state.
        """

        if self._stacked and self.optimizer.elementwise and _broadcasts(params):
            # To an elementwise rule many runs are one, with hyperparameters that broadcast.
            columns = (each.unsqueeze(1) for each in _numbers(own))
            return self.optimizer.update(
                params, lambda at: (loss, grads), state, **shared, **_options(own, columns)
            )

        # Only a rule that asks for gradients has any use for the rest.
        rest, spec = tree_flatten((loss, data) if self.optimizer.asks else ())

        def of_one(*tensors: Tensor) -> tuple[Tensor, ...]:
            given = iter(tensors)
            # A tensor without axes would take the type of hyperparameters, which have none either.
            shapes = [next(given).shape for _ in params]
            start = tuple(map(torch.atleast_1d, tensors[: len(params)]))
            grads_here = tuple(torch.atleast_1d(next(given)) for _ in grads)
            before, options = _unpacked(state, given), _options(own, given)
            here = tree_unflatten(list(given), spec)

            def elsewhere(at: Params) -> tuple[Tensor, Params]:
                loss, grads = self._oracle(_shaped(at, shapes), *here[1])
                return loss, tuple(map(torch.atleast_1d, grads))

            known = remembering(elsewhere, start, here[0] if here else None, grads_here)
            new, after = self.optimizer.update(start, known, before, **shared, **options)
            after_like.append(after)
            return (*_shaped(new, shapes), *_packed(after))

        after_like: list[ModelState] = []
        tensors = (*params, *grads, *_packed(state), *_numbers(own), *rest)
        moved = iter(self._lift(of_one)(*tensors))
        if self._stacked:
            # A count is on the CPU, and with an axis it is no number that may meet what is not.
            moved = (each.to(params[0].device) for each in moved)
        new = tuple(next(moved) for _ in params)
        return new, _unpacked(after_like[0], moved)

    def evaluated(
        self, params: Params, state: ModelState, shared: Mapping[str, Any], own: Mapping[str, Any]
    ) -> Params:
        """Return the parameters at which the runs are to be judged."""
        if self.optimizer.evaluate is None:
            return params

        def of_one(*tensors: Tensor) -> Params:
            given = iter(tensors)
            here = tuple(next(given) for _ in params)
            start = tuple(map(torch.atleast_1d, here))
            now, options = _unpacked(state, given), _options(own, given)
            found = self.optimizer.evaluated(start, now, **shared, **options)
            return _shaped(found, [each.shape for each in here])

        return self._lift(of_one)(*params, *_packed(state), *_numbers(own))


def _broadcasts(params: Params) -> bool:
    """Say whether hyperparameters as columns, in float64, would leave shapes and types alone."""
    return all(param.ndim == 2 and param.dtype == torch.float64 for param in params)


def _packed(state: ModelState) -> list[Tensor]:
    return [each for part in (state.model, *state.each) for each in part.values()]


def _unpacked(like: ModelState, tensors: Iterator[Tensor]) -> ModelState:
    model, *each = ({name: next(tensors) for name in part} for part in (like.model, *like.each))
    return ModelState(model, tuple(each))


def _numbers(own: Mapping[str, Any]) -> list[Tensor]:
    parts = (value if isinstance(value, tuple) else (value,) for value in own.values())
    return [each for part in parts for each in part]


def _options(like: Mapping[str, Any], numbers: Iterator[Tensor]) -> dict[str, Any]:
    return {
        name: tuple(next(numbers) for _ in value) if isinstance(value, tuple) else next(numbers)
        for name, value in like.items()
    }


def _shaped(params: Params, shapes: list[torch.Size]) -> Params:
    return tuple(each.reshape(shape) for each, shape in zip(params, shapes, strict=True))


def _unlifted(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def one_by_one(function: Callable[..., tuple[Tensor, ...]]) -> Callable[..., tuple[Tensor, ...]]:
    """Map a function of tensors over their first axis in a loop, which is slower than ``vmap``.

    It takes functions whose course depends on the numbers, which ``vmap`` cannot.

    Example:
        >>> larger = one_by_one(lambda one, other: (one if one > other else other,))
        >>> larger(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 3.0]))
        (tensor([2., 4.]),)
    """

    def mapped(*tensors: Tensor) -> tuple[Tensor, ...]:
        results = [function(*each) for each in zip(*tensors, strict=True)]
        return tuple(torch.stack(each) for each in zip(*results, strict=True))

    return mapped
