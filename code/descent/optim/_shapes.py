"""The three shapes that a rule can have, and the lifts that let every loop follow any of them.

.. code-block:: text

    Rule        (param, grad, state, **h)    -> (param, state)    sees one tensor
    ModelRule   (params, grads, state, **h)  -> (params, state)   sees all of them
    OracleRule  (params, oracle, state, **h) -> (params, state)   asks for gradients itself

All are pure functions of one run: that there are many, stacked along an axis, none of them sees.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.func import vmap
from torch.utils._pytree import tree_leaves, tree_map

from descent.optim._parts import State

if TYPE_CHECKING:
    from descent.optim._base import RuleOptimizer

Params = tuple[Tensor, ...]
"""A model's parameters, or their gradients, tensor by tensor."""

Oracle = Callable[[Params], tuple[Tensor, Params]]
"""``oracle(params) -> (loss, grads)``, the loss and its gradient anywhere."""


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

        def of_one(
            params: Params,
            loss: Tensor,
            grads: Params,
            state: ModelState,
            own: dict[str, Any],
            data: tuple[Any, ...],
        ) -> tuple[Params, ModelState]:
            # A tensor without axes would take the type of hyperparameters, which have none either.
            shapes = [param.shape for param in params]
            start, grads = (tuple(map(torch.atleast_1d, each)) for each in (params, grads))

            def elsewhere(at: Params) -> tuple[Tensor, Params]:
                loss, grads = self._oracle(_shaped(at, shapes), *data)
                return loss, tuple(map(torch.atleast_1d, grads))

            known = remembering(elsewhere, start, loss, grads)
            new, state = self.optimizer.update(start, known, state, **shared, **own)
            return _shaped(new, shapes), state

        return self._lift(of_one)(params, loss, grads, state, dict(own), data)

    def evaluated(
        self, params: Params, state: ModelState, shared: Mapping[str, Any], own: Mapping[str, Any]
    ) -> Params:
        """Return the parameters at which the runs are to be judged."""
        if self.optimizer.evaluate is None:
            return params

        def of_one(params: Params, state: ModelState, own: dict[str, Any]) -> Params:
            shapes = [param.shape for param in params]
            start = tuple(map(torch.atleast_1d, params))
            return _shaped(self.optimizer.evaluated(start, state, **shared, **own), shapes)

        return self._lift(of_one)(params, state, dict(own))


def _shaped(params: Params, shapes: list[torch.Size]) -> Params:
    return tuple(each.reshape(shape) for each, shape in zip(params, shapes, strict=True))


def _unlifted(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def one_by_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """Map a function over the first axis of its arguments, in a loop: slower than ``vmap``.

    It takes functions whose course depends on the numbers, which ``vmap`` cannot.

    Example:
        >>> one_by_one(lambda x: x.sum() if x[0] > 1 else x[0])(torch.tensor([[1.0, 2], [3, 4]]))
        tensor([1., 7.])
    """

    def mapped(*arguments: Any) -> Any:
        count = len(tree_leaves(arguments)[0])
        results = [
            function(*tree_map(lambda leaf, run=run: leaf[run], arguments)) for run in range(count)
        ]
        return tree_map(lambda *leaves: torch.stack(leaves), *results)

    return mapped
