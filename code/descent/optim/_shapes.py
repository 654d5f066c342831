"""The three shapes that a rule can have, and the lifts that let every loop follow any of them.

.. code-block:: text

    Rule        (param, grad, state, **h)    -> (param, state)    sees one tensor
    ModelRule   (params, grads, state, **h)  -> (params, state)   sees all of them
    OracleRule  (params, oracle, state, **h) -> (params, state)   asks for gradients itself

All are pure functions of one run: that there are many, stacked along an axis, none of them sees.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.func import vmap
from torch.utils._pytree import tree_flatten, tree_unflatten

from descent.optim._parts import State

if TYPE_CHECKING:
    from descent.optim._base import RuleOptimizer

Params = tuple[Tensor, ...]
"""A model's parameters, or their gradients, tensor by tensor."""

Oracle = Callable[[Params], tuple[Tensor, Params]]
"""``oracle(params) -> (loss, grads)``, the loss and its gradient anywhere."""


MODEL = "model"
"""Where an optimizer's ``state`` keeps what belongs to no single parameter."""


class ModelState(NamedTuple):
    """What a rule remembers of a whole model.

    Args:
        model: of the model as a whole.
        each: of each of its tensors.

    Example:
        >>> ModelState.empty(2)
        ModelState(model={}, each=({}, {}))
    """

    model: State
    each: tuple[State, ...]

    @classmethod
    def empty(cls, num_tensors: int) -> "ModelState":
        """Return the state before the first step."""
        return cls({}, tuple({} for _ in range(num_tensors)))


Rule = Callable[..., tuple[Tensor, State]]
"""``rule(param, grad, state, **hyperparameters) -> (new param, new state)``, a pure function."""

ModelRule = Callable[..., tuple[Params, ModelState]]
"""``rule(params, grads, state, **hyperparameters) -> (new params, new state)``, all at once."""

OracleRule = Callable[..., tuple[Params, ModelState]]
"""``rule(params, oracle, state, **hyperparameters) -> (new params, new state)``."""


class PerTensor(tuple):
    """A hyperparameter's values, tensor by tensor, where a model's groups have different ones."""


def each_parameter(rule: Rule) -> ModelRule:
    """Lift a rule of one tensor to the whole model, tensor by tensor.

    Example:
        >>> from descent.optim import gradient_descent
        >>> params, grads = (torch.ones(1), torch.zeros(2)), (torch.ones(1), torch.ones(2))
        >>> each_parameter(gradient_descent)(params, grads, ModelState.empty(2), lr=0.5)[0]
        (tensor([0.5000]), tensor([-0.5000, -0.5000]))
    """

    def of_model(
        params: Params, grads: Params, state: ModelState, **hyperparameters: Any
    ) -> tuple[Params, ModelState]:
        moved = [
            rule(*each, **_of_tensor(index, hyperparameters))
            for index, each in enumerate(zip(params, grads, state.each, strict=True))
        ]
        new, states = zip(*moved, strict=True) if moved else ((), ())
        return new, ModelState(state.model, states)

    return of_model


def _of_tensor(index: int, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value[index] if isinstance(value, PerTensor) else value
        for name, value in hyperparameters.items()
    }


def gradient_once(rule: ModelRule) -> OracleRule:
    """Lift a rule that is given the gradient to one that asks for it, once."""

    def asking(
        params: Params, oracle: Oracle, state: ModelState, **hyperparameters: Any
    ) -> tuple[Params, ModelState]:
        _, grads = oracle(params)
        return rule(params, grads, state, **hyperparameters)

    return asking


def remembering(oracle: Oracle, params: Params, loss: Tensor, grads: Params) -> Oracle:
    """Answer with what is known already where that is what is asked, and ask otherwise."""

    def answer(at: Params) -> tuple[Tensor, Params]:
        known = all(one is other for one, other in zip(at, params, strict=True))
        return (loss, grads) if known else oracle(at)

    return answer


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

    def __init__(
        self,
        optimizer: "type[RuleOptimizer[...]]",
        oracle: Callable[..., tuple[Tensor, Params]],
        *,
        stacked: bool,
    ) -> None:
        self.optimizer, self._oracle = optimizer, oracle
        alone = one_by_one if optimizer.branches else vmap
        self._lift = alone if stacked else _unlifted

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
            params: where the runs are.
            loss: there.
            grads: there.
            state: what the rule remembers.
            shared: the hyperparameters that all runs have in common.
            own: the others, each a tensor of shape ``(runs,)``, or several of these.
            *data: further arguments of the oracle.
        """

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
