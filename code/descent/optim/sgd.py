"""Stochastic gradient descent, with momentum, Nesterov's form of it, and weight decay."""

from typing import Annotated, Any

from torch import Tensor

from descent._checks import Number
from descent.optim._hyperparameters import CoupledDecay, In, LearningRate, Maximize
from descent.optim._lifted import from_rule
from descent.optim._parts import State, blend, descend, is_on, regularized


def sgd(
    param: Tensor,
    grad: Tensor,
    state: State,
    lr: LearningRate = 1e-3,
    momentum: Annotated[
        Number,
        In("[0, inf)"),
        r":math:`\beta`, the part of the buffer that is kept each step; from 1 on nothing is ever "
        "forgotten",
    ] = 0.0,
    dampening: Annotated[
        Number,
        In("(-inf, inf)"),
        r":math:`\tau`, the part of each later gradient that is left out of the buffer",
    ] = 0.0,
    weight_decay: CoupledDecay = 0.0,
    nesterov: Annotated[
        bool,
        r"whether to step along :math:`g_t + \beta\, b_{t+1}` in place of :math:`b_{t+1}`; needs "
        "momentum and no dampening",
    ] = False,
    *,
    maximize: Maximize = False,
) -> tuple[Tensor, State]:
    r"""Take one step of stochastic gradient descent with momentum.

    .. math::
        b_{t+1} = \beta\, b_t + (1 - \tau)\, (g_t + \lambda \theta_t), \qquad
        \theta_{t+1} = \theta_t - \eta\, b_{t+1}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`b` is ``momentum_buffer``. The
    first gradient is not dampened: it becomes the first buffer as it is.

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
    param, grad = regularized(param, grad, lr, weight_decay, maximize=maximize)
    if is_on(momentum):
        buffer = state.get("momentum_buffer")
        if buffer is None:
            buffer = grad.clone()
        else:
            if isinstance(momentum, Tensor):  # the runs without momentum have nothing to dampen
                dampening = dampening * (momentum != 0).to(momentum.dtype)
            fresh = (1 - dampening) * grad if is_on(dampening) else grad
            buffer = blend(fresh, momentum, buffer)
        state = {"momentum_buffer": buffer}
        grad = blend(grad, momentum, buffer) if nesterov else buffer
    return descend(param, lr, grad), state


class SGD(from_rule(sgd, elementwise=True)):
    r"""Stochastic gradient descent as an optimizer; ``torch.optim.SGD`` from its equation.

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
    """

    @classmethod
    def check_together(cls, **hyperparameters: Any) -> None:
        """Raise if ``nesterov`` comes without momentum or with dampening."""
        if hyperparameters.get("nesterov"):
            if not _all(hyperparameters.get("momentum", 1) != 0):
                raise ValueError("nesterov=True needs momentum above 0, got 0")
            if not _all(hyperparameters.get("dampening", 0) == 0):
                dampening = hyperparameters["dampening"]
                raise ValueError(f"nesterov=True needs dampening=0, got {dampening}")


def _all(condition: bool | Tensor) -> bool:
    return bool(condition.all()) if isinstance(condition, Tensor) else condition
