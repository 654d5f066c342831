"""Adagrad: each coordinate's gradient divided by the root of all its squares so far."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from descent._checks import Number
from descent.optim._base import RuleOptimizer, State, begin, used


def adagrad(
    param: Tensor,
    grad: Tensor,
    state: State,
    *,
    lr: Number,
    lr_decay: Number,
    weight_decay: Number,
    initial_accumulator_value: Number,
    eps: Number,
    maximize: bool,
) -> tuple[Tensor, State]:
    r"""Take one step of Adagrad, the ``t``-th.

    .. math::
        s_t = s_{t-1} + g_t^2, \qquad
        \theta_t = \theta_{t-1} - \frac{\eta}{1 + (t - 1)\, \delta}\,
        \frac{g_t}{\sqrt{s_t} + \epsilon}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`s` is ``sum``, :math:`t` is
    ``step``, :math:`\eta` is ``lr``, :math:`\delta` is ``lr_decay``, :math:`s_0` is
    ``initial_accumulator_value``, :math:`\epsilon` is ``eps``.

    Args:
        param: the parameters, of any shape.
        grad: the gradient of the loss at ``param``, of the same shape.
        state: ``step``, a count without dimensions, and ``sum``, of the shape of ``param``; empty
            before the first step.
        lr: the learning rate, in units of parameter, at least 0. This and every number below may
            be a tensor that broadcasts against ``param`` and so gives each run of a batch its own.
        lr_decay: how fast the rate itself falls, per step, at least 0.
        weight_decay: how much of the parameter is added to its gradient, at least 0.
        initial_accumulator_value: what the sum of squares starts at, at least 0.
        eps: added to the root, in units of gradient, at least 0.
        maximize: whether to climb.

    Returns:
        The new parameters, of the shape of ``param``, and the new state.

    Example:
        >>> import torch
        >>> options = Adagrad.complete(lr=0.1)
        >>> param, state, grad = torch.tensor([2.0]), {}, torch.tensor([5.0])
        >>> for _ in range(4):
        ...     param, state = adagrad(param, grad, state, **options)
        ...     print(param, state["sum"])
        tensor([1.9000]) tensor([25.])
        tensor([1.8293]) tensor([50.])
        tensor([1.7716]) tensor([75.])
        tensor([1.7216]) tensor([100.])

    References:
        Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic
        optimization, JMLR 12, 2011. Derived in the chapter on RMSprop.
    """
    if maximize:
        grad = -grad
    if used(weight_decay):
        grad = grad + weight_decay * param
    state = state or _start(param, initial_accumulator_value)
    step = state["step"] + 1
    sum_of_squares = state["sum"] + grad * grad
    rate = lr / (1 + (step.double() - 1) * lr_decay)
    new = param - rate * grad / (sum_of_squares.sqrt() + eps)
    return new.to(param.dtype), {"step": step, "sum": sum_of_squares}


def _start(param: Tensor, value: Number) -> State:
    """Begin the sum of squares; the two parts of a complex number each have their own."""
    parts = complex(1, 1) if param.is_complex() else 1
    return begin({}, param) | {"sum": (torch.zeros_like(param) + value * parts).to(param.dtype)}


class Adagrad(RuleOptimizer):
    r"""Adagrad as an optimizer; ``torch.optim.Adagrad`` from its equation.

    .. math::
        s_t = s_{t-1} + g_t^2, \qquad
        \theta_t = \theta_{t-1} - \frac{\eta}{1 + (t - 1)\, \delta}\,
        \frac{g_t}{\sqrt{s_t} + \epsilon}

    Args:
        params: tensors, or groups of them, to optimize.
        lr: the learning rate :math:`\eta`, in [0, inf).
        lr_decay: :math:`\delta`, in [0, inf).
        weight_decay: how much of the parameter is added to its gradient, in [0, inf).
        initial_accumulator_value: :math:`s_0`, in [0, inf); a group may set its own, which PyTorch
            overlooks.
        eps: :math:`\epsilon`, in [0, inf).
        maximize: climb in place of descending.

    Raises:
        TypeError: a hyperparameter is of another type, or a group sets one that is unknown.
        ValueError: a number is outside its interval, or there are no parameters.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = Adagrad([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9900, 99.9900])

    References:
        Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic
        optimization, JMLR 12, 2011. Derived in the chapter on RMSprop.
    """

    rule = staticmethod(adagrad)
    allowed = {  # noqa: RUF012 - a constant of the class
        "lr": "[0, inf)",
        "lr_decay": "[0, inf)",
        "weight_decay": "[0, inf)",
        "initial_accumulator_value": "[0, inf)",
        "eps": "[0, inf)",
        "maximize": bool,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: Number = 1e-2,
        lr_decay: Number = 0.0,
        weight_decay: Number = 0.0,
        initial_accumulator_value: Number = 0.0,
        eps: Number = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group and begin its sums, so that a state saved now holds them, as PyTorch's."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for param in group["params"]:
            self.state[param] = _start(param, group["initial_accumulator_value"])
