"""AdamW: Adam whose weight decay does not pass through the averages."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from descent._checks import Number
from descent.optim._base import RuleOptimizer, State
from descent.optim.adam import adam


def adamw(
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
) -> tuple[Tensor, State]:
    r"""Take one step of AdamW: shrink the parameters, then step as Adam does without decay.

    .. math::
        \theta_t = (1 - \eta \lambda)\, \theta_{t-1} - \eta\, \frac{m_t / (1 - \beta_1^t)}
        {\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    :math:`\theta` is ``param``, :math:`\eta` is ``lr``, :math:`\lambda` is ``weight_decay``, and
    all else is as in :func:`adam`.

    Args:
        param: the parameters, of any shape.
        grad: the gradient of the loss at ``param``, of the same shape.
        state: as :func:`adam` keeps it; empty before the first step.
        lr: the learning rate, in units of parameter, at least 0. This and every number below may
            be a tensor that broadcasts against ``param`` and so gives each run of a batch its own.
        betas: the parts of both averages that are kept each step, in [0, 1).
        eps: added to the root, in units of gradient, at least 0.
        weight_decay: the part of the parameter, times ``lr``, by which it shrinks, at least 0.
        amsgrad: whether to divide by the root of the largest :math:`v_t` so far.
        maximize: whether to climb; the parameters shrink all the same.

    Returns:
        The new parameters, of the shape of ``param``, and the new state.

    Example:
        >>> import torch
        >>> options = AdamW.complete(lr=0.1, weight_decay=0.5)
        >>> param, state = adamw(torch.tensor([2.0]), torch.tensor([5.0]), {}, **options)
        >>> param
        tensor([1.8000])

    References:
        Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019. Derived in the
        chapter on Adam.
    """
    return adam(
        param,
        grad,
        state,
        lr=lr,
        betas=betas,
        eps=eps,
        weight_decay=weight_decay,
        amsgrad=amsgrad,
        maximize=maximize,
        decoupled_weight_decay=True,
    )


class AdamW(RuleOptimizer):
    r"""AdamW as an optimizer; ``torch.optim.AdamW`` from its equation.

    .. math::
        \theta_t = (1 - \eta \lambda)\, \theta_{t-1} - \eta\, \frac{m_t / (1 - \beta_1^t)}
        {\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    Args:
        params: tensors, or groups of them, to optimize.
        lr: the learning rate :math:`\eta`, in [0, inf).
        betas: :math:`\beta_1, \beta_2`, each in [0, 1).
        eps: :math:`\epsilon`, in [0, inf).
        weight_decay: :math:`\lambda`, in [0, inf).
        amsgrad: divide by the root of the largest :math:`v` so far.
        maximize: climb in place of descending.

    Raises:
        TypeError: a hyperparameter is of another type, or a group sets one that is unknown.
        ValueError: a number is outside its interval, or there are no parameters.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = AdamW([theta], lr=0.01, weight_decay=0.1)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9890, 99.8900])

    References:
        Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019. Derived in the
        chapter on Adam.
    """

    rule = staticmethod(adamw)
    allowed = {  # noqa: RUF012 - a constant of the class
        "lr": "[0, inf)",
        "betas": ("[0, 1)", "[0, 1)"),
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "amsgrad": bool,
        "maximize": bool,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: Number = 1e-3,
        betas: tuple[Number, Number] = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
        }
        super().__init__(params, defaults)
