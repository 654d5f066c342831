"""Adagrad: each coordinate's gradient divided by the root of all its squares so far."""

from typing import Annotated, Any

import torch
from torch import Tensor

from descent._checks import Number
from descent.optim._hyperparameters import CoupledDecay, Eps, In, Maximize, StepLength
from descent.optim._lifted import from_rule
from descent.optim._parts import State, as_number, descend, regularized, started


def adagrad(
    param: Tensor,
    grad: Tensor,
    state: State,
    lr: StepLength = 1e-2,
    lr_decay: Annotated[
        Number, In("[0, inf)"), r":math:`\delta`, how fast the rate itself falls, per step"
    ] = 0.0,
    weight_decay: CoupledDecay = 0.0,
    initial_accumulator_value: Annotated[
        Number,
        In("[0, inf)"),
        "where the sum of squares starts, :math:`s_0`; a group may set its own, which PyTorch "
        "overlooks",
    ] = 0.0,
    eps: Eps = 1e-10,
    *,
    maximize: Maximize = False,
) -> tuple[Tensor, State]:
    r"""Take one step of Adagrad, the ``t``-th.

    .. math::
        s_t = s_{t-1} + g_t^2, \qquad
        \theta_t = \theta_{t-1} - \frac{\eta}{1 + (t - 1)\, \delta}\,
        \frac{g_t}{\sqrt{s_t} + \epsilon}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`s` is ``sum``, :math:`t` is
    ``step``.

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
    param, grad = regularized(param, grad, lr, weight_decay, maximize=maximize)
    state = state or _start(param, initial_accumulator_value)
    step = state["step"] + 1
    sum_of_squares = torch.addcmul(state["sum"], grad, grad)
    rate = lr / (1 + (as_number(step) - 1) * lr_decay)
    new = descend(param, rate, grad, sum_of_squares.sqrt() + eps)
    return new, {"step": step, "sum": sum_of_squares}


def _start(param: Tensor, value: Number) -> State:
    """Begin the sum of squares; the two parts of a complex number each have their own."""
    parts = complex(1, 1) if param.is_complex() else 1
    return started({}, param) | {"sum": (torch.zeros_like(param) + value * parts).to(param.dtype)}


class Adagrad(from_rule(adagrad, elementwise=True)):
    r"""Adagrad as an optimizer; ``torch.optim.Adagrad`` from its equation.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = Adagrad([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9900, 99.9900])
    """

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group and begin its sums, so that a state saved now holds them, as PyTorch's."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for param in group["params"]:
            self.state[param] = _start(param, group["initial_accumulator_value"])
