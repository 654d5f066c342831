"""Adamax: Adam with the largest recent gradient in place of the root of the average square."""

from typing import Annotated

import torch
from torch import Tensor

from descent._checks import Number
from descent.optim._hyperparameters import CoupledDecay, In, Maximize, StepLength
from descent.optim._lifted import from_rule
from descent.optim._parts import State, average, bias_correction, descend, regularized, started


def adamax(
    param: Tensor,
    grad: Tensor,
    state: State,
    lr: StepLength = 2e-3,
    betas: Annotated[
        tuple[Number, Number],
        In("[0, 1)"),
        r":math:`\beta_1, \beta_2`, the parts of the average and of the maximum that are kept "
        "each step",
    ] = (0.9, 0.999),
    eps: Annotated[
        Number,
        In("[0, inf)"),
        r":math:`\epsilon`, added to the gradient's size, in units of gradient",
    ] = 1e-8,
    weight_decay: CoupledDecay = 0.0,
    *,
    maximize: Maximize = False,
) -> tuple[Tensor, State]:
    r"""Take one step of Adamax, the ``t``-th.

    .. math::
        m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, \qquad
        u_t = \max(\beta_2 u_{t-1},\ |g_t| + \epsilon), \qquad
        \theta_t = \theta_{t-1} - \frac{\eta}{1 - \beta_1^t}\, \frac{m_t}{u_t}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`m` is ``exp_avg``, :math:`u` is
    ``exp_inf``, :math:`t` is ``step``. A maximum has no bias to correct.

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
    param, grad = regularized(param, grad, lr, weight_decay, maximize=maximize)
    state = started(state, param, "exp_avg", "exp_inf")
    step = state["step"] + 1
    exp_avg = average(state["exp_avg"], grad, beta1)
    exp_inf = torch.maximum(beta2 * state["exp_inf"], grad.abs() + eps)
    new = descend(param, lr / bias_correction(beta1, step), exp_avg, exp_inf)
    return new, {"step": step, "exp_avg": exp_avg, "exp_inf": exp_inf}


class Adamax(from_rule(adamax, elementwise=True)):
    r"""Adamax as an optimizer; ``torch.optim.Adamax`` from its equation.

    :math:`m` is an exponential average of the gradient.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = Adamax([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9900, 99.9900])
    """
