"""Stochastic gradient descent, with momentum, Nesterov's form of it, and weight decay."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from descent._checks import Number
from descent.optim._base import RuleOptimizer, State, used


def sgd(
    param: Tensor,
    grad: Tensor,
    state: State,
    *,
    lr: Number,
    momentum: Number,
    dampening: Number,
    weight_decay: Number,
    nesterov: bool,
    maximize: bool,
) -> tuple[Tensor, State]:
    r"""Take one step of stochastic gradient descent with momentum.

    .. math::
        b_{t+1} = \beta\, b_t + (1 - \tau)\, (g_t + \lambda \theta_t), \qquad
        \theta_{t+1} = \theta_t - \eta\, b_{t+1}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`b` is ``momentum_buffer``,
    :math:`\eta` is ``lr``, :math:`\beta` is ``momentum``, :math:`\tau` is ``dampening``,
    :math:`\lambda` is ``weight_decay``. The first gradient is not dampened: it becomes the first
    buffer as it is.

    Args:
        param: the parameters, of any shape.
        grad: the gradient of the loss at ``param``, of the same shape.
        state: ``momentum_buffer``, of the shape of ``param``; empty before the first step.
        lr: the learning rate, in units of parameter per gradient, at least 0. This and every
            number below may be a tensor that broadcasts against ``param`` and so gives each run
            of a batch its own.
        momentum: the part of the buffer that is kept each step, at least 0.
        dampening: the part of each later gradient that is left out of the buffer.
        weight_decay: how much of the parameter is added to its gradient, at least 0.
        nesterov: whether to step along :math:`g_t + \beta\, b_{t+1}` in place of :math:`b_{t+1}`.
        maximize: whether to climb.

    Returns:
        The new parameters, of the shape of ``param``, and the new state.

    Example:
        >>> import torch
        >>> options = dict(SGD.complete(lr=0.1), momentum=0.5)
        >>> param, state, grad = torch.tensor([1.0]), {}, torch.tensor([1.0])
        >>> for _ in range(2):
        ...     param, state = sgd(param, grad, state, **options)
        ...     print(param, state["momentum_buffer"])
        tensor([0.9000]) tensor([1.])
        tensor([0.7500]) tensor([1.5000])

    References:
        Derived in the chapter on momentum.
    """
    if maximize:
        grad = -grad
    if used(weight_decay):
        grad = grad + weight_decay * param
    if used(momentum):
        buffer = state.get("momentum_buffer")
        if buffer is None:
            buffer = grad.clone()
        else:
            if isinstance(momentum, Tensor):  # the runs without momentum have nothing to dampen
                dampening = dampening * (momentum != 0).to(momentum.dtype)
            buffer = momentum * buffer + (1 - dampening) * grad
        state = {"momentum_buffer": buffer}
        grad = grad + momentum * buffer if nesterov else buffer
    return param - lr * grad, state


class SGD(RuleOptimizer):
    r"""Stochastic gradient descent as an optimizer; ``torch.optim.SGD`` from its equation.

    .. math::
        b_{t+1} = \beta\, b_t + (1 - \tau)\, (g_t + \lambda \theta_t), \qquad
        \theta_{t+1} = \theta_t - \eta\, b_{t+1}

    Args:
        params: tensors, or groups of them, to optimize.
        lr: the learning rate :math:`\eta`, in [0, inf).
        momentum: :math:`\beta`, in [0, inf); from 1 on nothing is ever forgotten.
        dampening: :math:`\tau`, any number; without momentum it does nothing.
        weight_decay: :math:`\lambda`, in [0, inf).
        nesterov: step along :math:`g_t + \beta\, b_{t+1}`; needs momentum and no dampening.
        maximize: climb in place of descending.

    Raises:
        TypeError: a hyperparameter is of another type, or a group sets one that is unknown.
        ValueError: a number is outside its interval, ``nesterov`` comes without momentum or with
            dampening, or there are no parameters.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0], requires_grad=True)
        >>> optimizer = SGD([theta], lr=0.1, momentum=0.9)
        >>> for _ in range(2):
        ...     optimizer.zero_grad()
        ...     (theta**2).sum().backward()
        ...     _ = optimizer.step()
        >>> theta.detach()
        tensor([0.4600])

    References:
        Derived in the chapter on momentum.
    """

    rule = staticmethod(sgd)
    allowed = {  # noqa: RUF012 - a constant of the class
        "lr": "[0, inf)",
        "momentum": "[0, inf)",
        "dampening": "(-inf, inf)",
        "weight_decay": "[0, inf)",
        "nesterov": bool,
        "maximize": bool,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: Number = 1e-3,
        momentum: Number = 0.0,
        dampening: Number = 0.0,
        weight_decay: Number = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    @classmethod
    def check(cls, **hyperparameters: Any) -> None:
        """Raise unless the hyperparameters are allowed, alone and together."""
        super().check(**hyperparameters)
        if hyperparameters.get("nesterov"):
            if not _all(hyperparameters.get("momentum", 1) != 0):
                raise ValueError("nesterov=True needs momentum above 0, got 0")
            if not _all(hyperparameters.get("dampening", 0) == 0):
                dampening = hyperparameters["dampening"]
                raise ValueError(f"nesterov=True needs dampening=0, got {dampening}")


def _all(condition: bool | Tensor) -> bool:
    return bool(condition.all()) if isinstance(condition, Tensor) else condition
