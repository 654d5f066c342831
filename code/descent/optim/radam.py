"""RAdam: Adam that divides by the gradient's size only once it knows that size well enough."""

from typing import Annotated

import torch
from torch import Tensor

from descent._checks import Number
from descent.optim._hyperparameters import Betas, Decoupled, In, Maximize, WeightDecay
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


def radam(
    param: Tensor,
    grad: Tensor,
    state: State,
    lr: Annotated[
        Number,
        In("[0, inf)"),
        r"the learning rate :math:`\eta`, in units of parameter, and of parameter per gradient "
        r"while :math:`\rho_t \le 5`",
    ] = 1e-3,
    betas: Betas = (0.9, 0.999),
    eps: Annotated[
        Number,
        In("[0, inf)"),
        r":math:`\epsilon`, added to the root before its start is corrected, in units of gradient",
    ] = 1e-8,
    weight_decay: WeightDecay = 0.0,
    decoupled_weight_decay: Decoupled = False,
    *,
    maximize: Maximize = False,
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

    :math:`\theta` is ``param``, :math:`m` is ``exp_avg`` and :math:`v` is ``exp_avg_sq``, both
    as in :func:`adam`, :math:`t` is ``step``.

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
    param, grad = regularized(
        param, grad, lr, weight_decay, decoupled=decoupled_weight_decay, maximize=maximize
    )
    state = started(state, param, "exp_avg", "exp_avg_sq")
    step = state["step"] + 1
    exp_avg = average(state["exp_avg"], grad, beta1)
    exp_avg_sq = average_of_squares(state["exp_avg_sq"], grad, beta2)
    state = {"step": step, "exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq}

    beta2, step = as_number(beta2), as_number(step)
    correction2 = bias_correction(beta2, step)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * step * beta2**step / correction2
    rate = lr / bias_correction(beta1, step)
    if not isinstance(rho, Tensor) and rho <= 5:
        return descend(param, rate, exp_avg), state
    rectified = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
    adaptive = rate * (rectified * correction2) ** 0.5
    moved = descend(param, adaptive, exp_avg, exp_avg_sq.sqrt() + eps)
    if isinstance(rho, Tensor):  # where the length is below 5 the root may not exist
        moved = torch.where(rho > 5, moved, descend(param, rate, exp_avg))
    return moved, state


class RAdam(from_rule(radam, elementwise=True)):
    r"""RAdam as an optimizer; ``torch.optim.RAdam`` from its equation.

    :math:`\rho_t` is the length that the average of squares has reached, and :math:`r_t` rises to
    1 with it; both are in :func:`radam`.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = RAdam([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9800, 98.0000])
    """
