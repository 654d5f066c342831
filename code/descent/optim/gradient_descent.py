"""Gradient descent: against the gradient, by one fixed rate."""

from torch import Tensor

from descent.optim._hyperparameters import LearningRate
from descent.optim._lifted import from_rule
from descent.optim._parts import State, descend


def gradient_descent(
    param: Tensor,
    grad: Tensor,
    state: State,
    lr: LearningRate = 1e-3,
) -> tuple[Tensor, State]:
    r"""Take one step of gradient descent.

    .. math:: \theta_{t+1} = \theta_t - \eta\, g_t

    :math:`\theta` is ``param``, :math:`g` is ``grad``.

    Example:
        >>> import torch
        >>> param, state = gradient_descent(torch.tensor([1.0]), torch.tensor([4.0]), {}, lr=0.25)
        >>> param
        tensor([0.])

    References:
        Derived in the chapter on gradient descent.
    """
    return descend(param, lr, grad), state


class GradientDescent(from_rule(gradient_descent, elementwise=True)):
    r"""Gradient descent as an optimizer; ``torch.optim.SGD`` without its options.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0], requires_grad=True)
        >>> optimizer = GradientDescent([theta], lr=0.1)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([0.8000])
    """
