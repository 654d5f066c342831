"""RMSprop: each coordinate's gradient divided by its own recent size."""

from typing import Annotated

import torch
from torch import Tensor

from descent._checks import Number
from descent.optim._hyperparameters import CoupledDecay, Eps, In, Maximize, StepLength
from descent.optim._lifted import from_rule
from descent.optim._parts import (
    State,
    average,
    average_of_squares,
    descend,
    is_on,
    regularized,
    started,
)


def rmsprop(
    param: Tensor,
    grad: Tensor,
    state: State,
    lr: StepLength = 1e-2,
    alpha: Annotated[
        Number,
        In("[0, 1]"),
        r":math:`\alpha`, the part of the average of squares that is kept each step; above 1, "
        "which PyTorch takes, :math:`v` would be negative",
    ] = 0.99,
    eps: Eps = 1e-8,
    weight_decay: CoupledDecay = 0.0,
    momentum: Annotated[
        Number,
        In("[0, inf)"),
        r":math:`\beta`, the part of the buffer of scaled gradients that is kept each step",
    ] = 0.0,
    centered: Annotated[
        bool,
        "whether to subtract from :math:`v` the square of the gradient's average, which leaves "
        "its variance",
    ] = False,
    *,
    maximize: Maximize = False,
) -> tuple[Tensor, State]:
    r"""Take one step of RMSprop.

    .. math::
        v_{t+1} = \alpha\, v_t + (1 - \alpha)\, g_t^2, \qquad
        b_{t+1} = \beta\, b_t + \frac{g_t}{\sqrt{v_{t+1}} + \epsilon}, \qquad
        \theta_{t+1} = \theta_t - \eta\, b_{t+1}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`v` is ``square_avg``, :math:`b`
    is ``momentum_buffer``. Both :math:`v` and :math:`b` start at 0, and nothing corrects for
    it.

    Example:
        >>> import torch
        >>> options = RMSprop.complete(lr=0.1)
        >>> param, state = rmsprop(torch.tensor([3.0]), torch.tensor([5.0]), {}, **options)
        >>> param, state["square_avg"]
        (tensor([2.]), tensor([0.2500]))

    References:
        Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012; centered:
        Graves, arXiv:1308.0850, 2013. Derived in the chapter on RMSprop.
    """
    param, grad = regularized(param, grad, lr, weight_decay, maximize=maximize)
    state = started(state, param, "square_avg")
    square_avg = average_of_squares(state["square_avg"], grad, alpha)
    state |= {"step": state["step"] + 1, "square_avg": square_avg}
    if centered:
        state = started(state, param, "grad_avg")
        grad_avg = average(state["grad_avg"], grad, alpha)
        state |= {"grad_avg": grad_avg}
        # As one operation, whose product does not overflow before it is subtracted.
        square_avg = square_avg.addcmul(grad_avg, grad_avg, value=-1)
    denom = square_avg.sqrt() + eps
    if not is_on(momentum):
        return descend(param, lr, grad, denom), state
    state = started(state, param, "momentum_buffer")
    buffer = torch.addcdiv(momentum * state["momentum_buffer"], grad, denom)
    return descend(param, lr, buffer), state | {"momentum_buffer": buffer}


class RMSprop(from_rule(rmsprop, elementwise=True)):
    r"""RMSprop as an optimizer; ``torch.optim.RMSprop`` from its equation.

    Example:
        The first step is ten times ``lr``, whatever the gradient.

        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = RMSprop([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9000, 99.9000])
    """
