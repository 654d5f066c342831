"""Gradient descent: against the gradient, by one fixed rate."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from descent._checks import Number
from descent.optim._base import RuleOptimizer, State


def gradient_descent(
    param: Tensor, grad: Tensor, state: State, *, lr: Number
) -> tuple[Tensor, State]:
    r"""Take one step of gradient descent.

    .. math:: \theta_{t+1} = \theta_t - \eta\, g_t

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`\eta` is ``lr``.

    Args:
        param: the parameters, of any shape.
        grad: the gradient of the loss at ``param``, of the same shape.
        state: returned as it came; gradient descent remembers nothing.
        lr: the learning rate, in units of parameter per gradient, at least 0; a tensor
            broadcasts against ``param`` and so gives each run of a batch its own rate.

    Returns:
        The new parameters, of the shape of ``param``, and the state.

    Example:
        >>> import torch
        >>> param, state = gradient_descent(torch.tensor([1.0]), torch.tensor([4.0]), {}, lr=0.25)
        >>> param
        tensor([0.])

    References:
        Derived in the chapter on gradient descent.
    """
    return param - lr * grad, state


class GradientDescent(RuleOptimizer):
    r"""Gradient descent as an optimizer; ``torch.optim.SGD`` without its options.

    .. math:: \theta_{t+1} = \theta_t - \eta \nabla f(\theta_t)

    Args:
        params: tensors, or groups of them, to optimize.
        lr: the learning rate :math:`\eta`, in [0, inf).

    Raises:
        TypeError: ``lr`` is not a number, or a group sets something else.
        ValueError: ``lr`` is negative or NaN, or there are no parameters.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0], requires_grad=True)
        >>> optimizer = GradientDescent([theta], lr=0.1)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([0.8000])

    References:
        Derived in the chapter on gradient descent.
    """

    rule = staticmethod(gradient_descent)
    allowed = {"lr": "[0, inf)"}  # noqa: RUF012 - a constant of the class

    def __init__(self, params: Iterable[Any], lr: Number = 1e-3) -> None:
        super().__init__(params, {"lr": lr})
