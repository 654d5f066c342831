"""Adam: momentum divided by the recent size of the gradient, both corrected for their start."""

from typing import Annotated

import torch
from torch import Tensor

from descent.optim._hyperparameters import Betas, Decoupled, Eps, Maximize, StepLength, WeightDecay
from descent.optim._lifted import from_rule
from descent.optim._parts import (
    State,
    as_number,
    average,
    average_of_squares,
    bias_correction,
    descend,
    regularized,
    started,
)


def adam(
    param: Tensor,
    grad: Tensor,
    state: State,
    lr: StepLength = 1e-3,
    betas: Betas = (0.9, 0.999),
    eps: Eps = 1e-8,
    weight_decay: WeightDecay = 0.0,
    amsgrad: Annotated[
        bool,
        "whether the largest :math:`v_t` so far stands under the root, corrected for its start "
        "as :math:`v_t` would be",
    ] = False,
    *,
    maximize: Maximize = False,
    decoupled_weight_decay: Decoupled = False,
) -> tuple[Tensor, State]:
    r"""Take one step of Adam, the ``t``-th.

    .. math::
        m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, \qquad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2

    .. math::
        \theta_t = \theta_{t-1} - \eta\, \frac{m_t / (1 - \beta_1^t)}
        {\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`m` is ``exp_avg``, :math:`v` is
    ``exp_avg_sq``, :math:`t` is ``step``.

    Example:
        The first step is ``lr``, whatever the gradient.

        >>> import torch
        >>> param, state = adam(torch.tensor([2.0]), torch.tensor([5.0]), {}, lr=0.1)
        >>> param, state["exp_avg"], state["exp_avg_sq"]
        (tensor([1.9000]), tensor([0.5000]), tensor([0.0250]))

    References:
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015; AMSGrad: Reddi, Kale
        and Kumar, On the convergence of Adam and beyond, ICLR 2018. Derived in the chapter on
        Adam.
    """
    beta1, beta2 = betas
    param, grad = regularized(
        param, grad, lr, weight_decay, decoupled=decoupled_weight_decay, maximize=maximize
    )
    state = started(state, param, "exp_avg", "exp_avg_sq")
    step = state["step"] + 1
    count = as_number(step)
    exp_avg = average(state["exp_avg"], grad, beta1)
    exp_avg_sq = average_of_squares(state["exp_avg_sq"], grad, beta2)
    state |= {"step": step, "exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq}
    if amsgrad:
        state = started(state, param, "max_exp_avg_sq")
        exp_avg_sq = torch.maximum(state["max_exp_avg_sq"], exp_avg_sq)
        state |= {"max_exp_avg_sq": exp_avg_sq}
    denom = exp_avg_sq.sqrt() / bias_correction(beta2, count) ** 0.5 + eps
    return descend(param, lr / bias_correction(beta1, count), exp_avg, denom), state


class Adam(from_rule(adam, elementwise=True)):
    r"""Adam as an optimizer; ``torch.optim.Adam`` from its equation.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = Adam([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9900, 99.9900])
    """
