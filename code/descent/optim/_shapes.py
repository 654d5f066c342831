"""The three shapes that a rule can have, and the lifts that let every loop follow any of them.

.. code-block:: text

    Rule        (param, grad, state, **h)    -> (param, state)    sees one tensor
    ModelRule   (params, grads, state, **h)  -> (params, state)   sees all of them
    OracleRule  (params, oracle, state, **h) -> (params, state)   asks for gradients itself

All are pure functions of one run: that there are many, stacked along an axis, none of them sees.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from torch import Tensor

from descent.optim._parts import State

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
        >>> import torch
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
