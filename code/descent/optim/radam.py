"""RAdam: Adam that divides by the gradient's size only once it knows that size well enough."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from descent._checks import Number
from descent.optim._base import RuleOptimizer, State, average, begin, double, used


def radam(
    param: Tensor,
    grad: Tensor,
    state: State,
    *,
    lr: Number,
    betas: tuple[Number, Number],
    eps: Number,
    weight_decay: Number,
    decoupled_weight_decay: bool,
    maximize: bool,
) -> tuple[Tensor, State]:
    r"""Take one step of RAdam, the ``t``-th.

    .. math::
        \rho_\infty = \frac{2}{1 - \beta_2} - 1, \qquad
        \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t}, \qquad
        r_t^2 = \frac{(\rho_t - 4)(\rho_t - 2)\, \rho_\infty}
        {(\rho_\infty - 4)(\rho_\infty - 2)\, \rho_t}

    .. math::
        \theta_t = \theta_{t-1} - \eta\, \frac{m_t}{1 - \beta_1^t} \times \begin{cases}
        r_t \sqrt{1 - \beta_2^t} \,/\, (\sqrt{v_t} + \epsilon) & \rho_t > 5 \\
        1 & \text{otherwise}
        \end{cases}

    :math:`\theta` is ``param``, :math:`m` is ``exp_avg`` and :math:`v` is ``exp_avg_sq``, both as
    in :func:`adam`, :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`\beta_1, \beta_2` are
    ``betas``, :math:`\epsilon` is ``eps``.

    Args:
        param: the parameters, of any shape.
        grad: the gradient of the loss at ``param``, of the same shape.
        state: ``step``, a count without dimensions, and ``exp_avg`` and ``exp_avg_sq``, of the
            shape of ``param``; empty before the first step.
        lr: the learning rate, in units of parameter, and of parameter per gradient while
            :math:`\rho_t \le 5`, at least 0. This and every number below may be a tensor that
            broadcasts against ``param`` and so gives each run of a batch its own.
        betas: the parts of both averages that are kept each step, in [0, 1).
        eps: added to the root before its start is corrected, in units of gradient, at least 0.
        weight_decay: how much of the parameter is added to its gradient, at least 0; decoupled,
            the part of the parameter, times ``lr``, by which it shrinks before the step.
        decoupled_weight_decay: whether the decay leaves the gradient alone, as in AdamW.
        maximize: whether to climb.

    Returns:
        The new parameters, of the shape of ``param``, and the new state.

    Example:
        The first five steps are those of momentum, in proportion to the gradient.

        >>> import torch
        >>> options = RAdam.complete(lr=0.1)
        >>> param, state, grad = torch.tensor([4.0]), {}, torch.tensor([5.0])
        >>> for _ in range(6):
        ...     param, state = radam(param, grad, state, **options)
        ...     print(param)
        tensor([3.5000])
        tensor([3.])
        tensor([2.5000])
        tensor([2.])
        tensor([1.5000])
        tensor([1.4974])

    References:
        Liu, Jiang, He, Chen, Liu, Gao and Han, On the variance of the adaptive learning rate and
        beyond, ICLR 2020. Derived in the chapter on Adam.
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
    step = state["step"].double() + 1
    exp_avg = average(state["exp_avg"], grad, beta1)
    exp_avg_sq = beta2 * state["exp_avg_sq"] + (1 - beta2) * grad * grad
    state = {"step": step.float(), "exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq}

    beta1, beta2 = double(beta1), double(beta2)
    bias_correction2 = 1 - beta2**step
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * step * beta2**step / bias_correction2
    rectified = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
    adaptive = bias_correction2.sqrt() / (exp_avg_sq.sqrt() + eps)
    plain = exp_avg / (1 - beta1**step) * lr
    # Where the length is below 5 the root may not exist, and is not taken.
    update = torch.where(rho > 5, plain * adaptive * rectified.sqrt(), plain)
    return (param - update).to(param.dtype), state


class RAdam(RuleOptimizer):
    r"""RAdam as an optimizer; ``torch.optim.RAdam`` from its equation.

    .. math::
        \theta_t = \theta_{t-1} - \eta\, \frac{m_t}{1 - \beta_1^t} \times \begin{cases}
        r_t \sqrt{1 - \beta_2^t} \,/\, (\sqrt{v_t} + \epsilon) & \rho_t > 5 \\
        1 & \text{otherwise}
        \end{cases}

    :math:`\rho_t` is the length that the average of squares has reached, and :math:`r_t` rises to
    1 with it; both are in :func:`radam`.

    Args:
        params: tensors, or groups of them, to optimize.
        lr: the learning rate :math:`\eta`, in [0, inf).
        betas: :math:`\beta_1, \beta_2`, each in [0, 1).
        eps: :math:`\epsilon`, in [0, inf).
        weight_decay: how much of the parameter is added to its gradient, in [0, inf).
        decoupled_weight_decay: shrink the parameter itself, as :class:`AdamW` does.
        maximize: climb in place of descending.

    Raises:
        TypeError: a hyperparameter is of another type, or a group sets one that is unknown.
        ValueError: a number is outside its interval, or there are no parameters.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = RAdam([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9800, 98.0000])

    References:
        Liu, Jiang, He, Chen, Liu, Gao and Han, On the variance of the adaptive learning rate and
        beyond, ICLR 2020. Derived in the chapter on Adam.
    """

    rule = staticmethod(radam)
    allowed = {  # noqa: RUF012 - a constant of the class
        "lr": "[0, inf)",
        "betas": ("[0, 1)", "[0, 1)"),
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "decoupled_weight_decay": bool,
        "maximize": bool,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: Number = 1e-3,
        betas: tuple[Number, Number] = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)
