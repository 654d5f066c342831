"""Adam: momentum divided by the recent size of the gradient, both corrected for their start."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from descent._checks import Number
from descent.optim._base import RuleOptimizer, State, average, begin, double, used


def adam(
    param: Tensor,
    grad: Tensor,
    state: State,
    *,
    lr: Number,
    betas: tuple[Number, Number],
    eps: Number,
    weight_decay: Number,
    amsgrad: bool,
    maximize: bool,
    decoupled_weight_decay: bool,
) -> tuple[Tensor, State]:
    r"""Take one step of Adam, the ``t``-th.

    .. math::
        m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, \qquad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2

    .. math::
        \theta_t = \theta_{t-1} - \eta\, \frac{m_t / (1 - \beta_1^t)}
        {\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`m` is ``exp_avg``, :math:`v` is
    ``exp_avg_sq``, :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`\beta_1, \beta_2` are
    ``betas``, :math:`\epsilon` is ``eps``.

    Args:
        param: the parameters, of any shape.
        grad: the gradient of the loss at ``param``, of the same shape.
        state: ``step``, a count without dimensions, and ``exp_avg`` and ``exp_avg_sq``, of the
            shape of ``param``, as is ``max_exp_avg_sq`` for AMSGrad; empty before the first step.
        lr: the learning rate, in units of parameter, at least 0. This and every number below may
            be a tensor that broadcasts against ``param`` and so gives each run of a batch its own.
        betas: the parts of both averages that are kept each step, in [0, 1).
        eps: added to the root, in units of gradient, at least 0.
        weight_decay: how much of the parameter is added to its gradient, at least 0; decoupled,
            the part of the parameter, times ``lr``, by which it shrinks before the step.
        amsgrad: whether the largest :math:`v_t` so far stands under the root, corrected for its
            start as :math:`v_t` would be.
        maximize: whether to climb.
        decoupled_weight_decay: whether the decay leaves the gradient alone, as in AdamW.

    Returns:
        The new parameters, of the shape of ``param``, and the new state.

    Example:
        The first step is ``lr``, whatever the gradient.

        >>> import torch
        >>> options = Adam.complete(lr=0.1)
        >>> param, state = adam(torch.tensor([2.0]), torch.tensor([5.0]), {}, **options)
        >>> param, state["exp_avg"], state["exp_avg_sq"]
        (tensor([1.9000]), tensor([0.5000]), tensor([0.0250]))

    References:
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015; AMSGrad: Reddi, Kale
        and Kumar, On the convergence of Adam and beyond, ICLR 2018. Derived in the chapter on
        Adam.
    """
    beta1, beta2 = betas
    if maximize:
        grad = -grad
    if used(weight_decay):
        if decoupled_weight_decay:
            param = param * (1 - lr * weight_decay)
        else:
            grad = grad + weight_decay * param
    state = begin(state, param, "exp_avg", "exp_avg_sq")
    step = state["step"] + 1
    exp_avg = average(state["exp_avg"], grad, beta1)
    exp_avg_sq = beta2 * state["exp_avg_sq"] + (1 - beta2) * grad * grad
    state |= {"step": step, "exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq}
    if amsgrad:
        state = begin(state, param, "max_exp_avg_sq")
        exp_avg_sq = torch.maximum(state["max_exp_avg_sq"], exp_avg_sq)
        state |= {"max_exp_avg_sq": exp_avg_sq}
    bias_correction1 = 1 - double(beta1) ** step.double()
    bias_correction2 = 1 - double(beta2) ** step.double()
    denom = exp_avg_sq.sqrt() / bias_correction2.sqrt() + eps
    return (param - lr / bias_correction1 * exp_avg / denom).to(param.dtype), state


class Adam(RuleOptimizer):
    r"""Adam as an optimizer; ``torch.optim.Adam`` from its equation.

    .. math::
        \theta_t = \theta_{t-1} - \eta\, \frac{m_t / (1 - \beta_1^t)}
        {\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    :math:`m` and :math:`v` are exponential averages of the gradient and of its square.

    Args:
        params: tensors, or groups of them, to optimize.
        lr: the learning rate :math:`\eta`, in [0, inf).
        betas: :math:`\beta_1, \beta_2`, each in [0, 1).
        eps: :math:`\epsilon`, in [0, inf).
        weight_decay: how much of the parameter is added to its gradient, in [0, inf).
        amsgrad: divide by the root of the largest :math:`v` so far.
        maximize: climb in place of descending.
        decoupled_weight_decay: shrink the parameter itself, as :class:`AdamW` does.

    Raises:
        TypeError: a hyperparameter is of another type, or a group sets one that is unknown.
        ValueError: a number is outside its interval, or there are no parameters.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = Adam([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9900, 99.9900])

    References:
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015. Derived in the
        chapter on Adam.
    """

    rule = staticmethod(adam)
    allowed = {  # noqa: RUF012 - a constant of the class
        "lr": "[0, inf)",
        "betas": ("[0, 1)", "[0, 1)"),
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "amsgrad": bool,
        "maximize": bool,
        "decoupled_weight_decay": bool,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: Number = 1e-3,
        betas: tuple[Number, Number] = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
