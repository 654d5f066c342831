"""Adamax: Adam with the largest recent gradient in place of the root of the average square."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from descent._checks import Number
from descent.optim._base import RuleOptimizer, State, average, begin, double, used


def adamax(
    param: Tensor,
    grad: Tensor,
    state: State,
    *,
    lr: Number,
    betas: tuple[Number, Number],
    eps: Number,
    weight_decay: Number,
    maximize: bool,
) -> tuple[Tensor, State]:
    r"""Take one step of Adamax, the ``t``-th.

    .. math::
        m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, \qquad
        u_t = \max(\beta_2 u_{t-1},\ |g_t| + \epsilon), \qquad
        \theta_t = \theta_{t-1} - \frac{\eta}{1 - \beta_1^t}\, \frac{m_t}{u_t}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`m` is ``exp_avg``, :math:`u` is
    ``exp_inf``, :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`\beta_1, \beta_2` are
    ``betas``, :math:`\epsilon` is ``eps``. A maximum has no bias to correct.

    Args:
        param: the parameters, of any shape.
        grad: the gradient of the loss at ``param``, of the same shape.
        state: ``step``, a count without dimensions, and ``exp_avg`` and ``exp_inf``, of the shape
            of ``param``; empty before the first step.
        lr: the learning rate, in units of parameter, at least 0. This and every number below may
            be a tensor that broadcasts against ``param`` and so gives each run of a batch its own.
        betas: the parts of the average and of the maximum that are kept each step, in [0, 1).
        eps: added to the gradient's size, in units of gradient, at least 0.
        weight_decay: how much of the parameter is added to its gradient, at least 0.
        maximize: whether to climb.

    Returns:
        The new parameters, of the shape of ``param``, and the new state.

    Example:
        >>> import torch
        >>> options = Adamax.complete(lr=0.1)
        >>> param, state = adamax(torch.tensor([2.0]), torch.tensor([5.0]), {}, **options)
        >>> param, state["exp_avg"], state["exp_inf"]
        (tensor([1.9000]), tensor([0.5000]), tensor([5.]))

    References:
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, section 7.1. Derived
        in the chapter on Adam.
    """
    beta1, beta2 = betas
    if maximize:
        grad = -grad
    if used(weight_decay):
        grad = grad + weight_decay * param
    state = begin(state, param, "exp_avg", "exp_inf")
    step = state["step"] + 1
    exp_avg = average(state["exp_avg"], grad, beta1)
    exp_inf = torch.maximum(beta2 * state["exp_inf"], grad.abs() + eps)
    bias_correction = 1 - double(beta1) ** step.double()
    new = param - lr / bias_correction * exp_avg / exp_inf
    return new.to(param.dtype), {"step": step, "exp_avg": exp_avg, "exp_inf": exp_inf}


class Adamax(RuleOptimizer):
    r"""Adamax as an optimizer; ``torch.optim.Adamax`` from its equation.

    .. math::
        u_t = \max(\beta_2 u_{t-1},\ |g_t| + \epsilon), \qquad
        \theta_t = \theta_{t-1} - \frac{\eta}{1 - \beta_1^t}\, \frac{m_t}{u_t}

    :math:`m` is an exponential average of the gradient.

    Args:
        params: tensors, or groups of them, to optimize.
        lr: the learning rate :math:`\eta`, in [0, inf).
        betas: :math:`\beta_1, \beta_2`, each in [0, 1).
        eps: :math:`\epsilon`, in [0, inf).
        weight_decay: how much of the parameter is added to its gradient, in [0, inf).
        maximize: climb in place of descending.

    Raises:
        TypeError: a hyperparameter is of another type, or a group sets one that is unknown.
        ValueError: a number is outside its interval, or there are no parameters.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = Adamax([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9900, 99.9900])

    References:
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, section 7.1. Derived
        in the chapter on Adam.
    """

    rule = staticmethod(adamax)
    allowed = {  # noqa: RUF012 - a constant of the class
        "lr": "[0, inf)",
        "betas": ("[0, 1)", "[0, 1)"),
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "maximize": bool,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: Number = 2e-3,
        betas: tuple[Number, Number] = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)
