"""RMSprop: each coordinate's gradient divided by its own recent size."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from descent._checks import Number
from descent.optim._base import RuleOptimizer, State, average, begin, used


def rmsprop(
    param: Tensor,
    grad: Tensor,
    state: State,
    *,
    lr: Number,
    alpha: Number,
    eps: Number,
    weight_decay: Number,
    momentum: Number,
    centered: bool,
    maximize: bool,
) -> tuple[Tensor, State]:
    r"""Take one step of RMSprop.

    .. math::
        v_{t+1} = \alpha\, v_t + (1 - \alpha)\, g_t^2, \qquad
        b_{t+1} = \beta\, b_t + \frac{g_t}{\sqrt{v_{t+1}} + \epsilon}, \qquad
        \theta_{t+1} = \theta_t - \eta\, b_{t+1}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`v` is ``square_avg``, :math:`b` is
    ``momentum_buffer``, :math:`\eta` is ``lr``, :math:`\alpha` is ``alpha``, :math:`\epsilon` is
    ``eps``, :math:`\beta` is ``momentum``. Both :math:`v` and :math:`b` start at 0, and nothing
    corrects for it.

    Args:
        param: the parameters, of any shape.
        grad: the gradient of the loss at ``param``, of the same shape.
        state: ``step``, a count without dimensions, and ``square_avg``, of the shape of ``param``,
            as are ``momentum_buffer`` with momentum and ``grad_avg`` if centered; empty before
            the first step.
        lr: the learning rate, in units of parameter, at least 0. This and every number below may
            be a tensor that broadcasts against ``param`` and so gives each run of a batch its own.
        alpha: the part of the average of squares that is kept each step, in [0, 1].
        eps: added to the root, in units of gradient, at least 0.
        weight_decay: how much of the parameter is added to its gradient, at least 0.
        momentum: the part of the buffer that is kept each step, at least 0.
        centered: whether to subtract from :math:`v` the square of the gradient's average, which
            leaves its variance.
        maximize: whether to climb.

    Returns:
        The new parameters, of the shape of ``param``, and the new state.

    Example:
        >>> import torch
        >>> options = RMSprop.complete(lr=0.1)
        >>> param, state = rmsprop(torch.tensor([3.0]), torch.tensor([5.0]), {}, **options)
        >>> param, state["square_avg"]
        (tensor([2.0000]), tensor([0.2500]))

    References:
        Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012; centered:
        Graves, arXiv:1308.0850, 2013. Derived in the chapter on RMSprop.
    """
    if maximize:
        grad = -grad
    if used(weight_decay):
        grad = grad + weight_decay * param
    state = begin(state, param, "square_avg")
    square_avg = alpha * state["square_avg"] + (1 - alpha) * grad * grad
    state |= {"step": state["step"] + 1, "square_avg": square_avg}
    if centered:
        state = begin(state, param, "grad_avg")
        grad_avg = average(state["grad_avg"], grad, alpha)
        state |= {"grad_avg": grad_avg}
        # As one operation, whose product does not overflow before it is subtracted.
        square_avg = square_avg.addcmul(grad_avg, grad_avg, value=-1)
    denom = square_avg.sqrt() + eps
    if not used(momentum):
        return param - lr * grad / denom, state
    state = begin(state, param, "momentum_buffer")
    buffer = momentum * state["momentum_buffer"] + grad / denom
    return param - lr * buffer, state | {"momentum_buffer": buffer}


class RMSprop(RuleOptimizer):
    r"""RMSprop as an optimizer; ``torch.optim.RMSprop`` from its equation.

    .. math::
        v_{t+1} = \alpha\, v_t + (1 - \alpha)\, g_t^2, \qquad
        \theta_{t+1} = \theta_t - \eta\, \frac{g_t}{\sqrt{v_{t+1}} + \epsilon}

    Args:
        params: tensors, or groups of them, to optimize.
        lr: the learning rate :math:`\eta`, in [0, inf).
        alpha: :math:`\alpha`, in [0, 1]; above 1, which PyTorch takes, :math:`v` is negative.
        eps: :math:`\epsilon`, in [0, inf).
        weight_decay: how much of the parameter is added to its gradient, in [0, inf).
        momentum: of the scaled gradients, in [0, inf).
        centered: divide by the root of the gradient's variance, not of its average square.
        maximize: climb in place of descending.

    Raises:
        TypeError: a hyperparameter is of another type, or a group sets one that is unknown.
        ValueError: a number is outside its interval, or there are no parameters.

    Example:
        The first step is ten times ``lr``, whatever the gradient.

        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = RMSprop([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9000, 99.9000])

    References:
        Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012; centered:
        Graves, arXiv:1308.0850, 2013. Derived in the chapter on RMSprop.
    """

    rule = staticmethod(rmsprop)
    allowed = {  # noqa: RUF012 - a constant of the class
        "lr": "[0, inf)",
        "alpha": "[0, 1]",
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "momentum": "[0, inf)",
        "centered": bool,
        "maximize": bool,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: Number = 1e-2,
        alpha: Number = 0.99,
        eps: Number = 1e-8,
        weight_decay: Number = 0.0,
        momentum: Number = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, defaults)
