"""AdamW: Adam whose weight decay does not pass through the averages."""

from typing import Annotated

from torch import Tensor

from descent._checks import Number
from descent.optim._hyperparameters import Betas, Eps, In, StepLength
from descent.optim._lifted import from_rule
from descent.optim._parts import State
from descent.optim.adam import adam


def adamw(
    param: Tensor,
    grad: Tensor,
    state: State,
    lr: StepLength = 1e-3,
    betas: Betas = (0.9, 0.999),
    eps: Eps = 1e-8,
    weight_decay: Annotated[
        Number,
        In("[0, inf)"),
        r":math:`\lambda`, the part of the parameter, times ``lr``, by which it shrinks",
    ] = 1e-2,
    amsgrad: Annotated[
        bool, "whether to divide by the root of the largest :math:`v_t` so far"
    ] = False,
    *,
    maximize: Annotated[bool, "whether to climb; the parameters shrink all the same"] = False,
) -> tuple[Tensor, State]:
    r"""Take one step of AdamW: shrink the parameters, then step as Adam does without decay.

    .. math::
        \theta_t = (1 - \eta \lambda)\, \theta_{t-1} - \eta\, \frac{m_t / (1 - \beta_1^t)}
        {\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    :math:`\theta` is ``param``, and all else is as in :func:`adam`.

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
        param, grad, state, lr, betas, eps, weight_decay, amsgrad,
        maximize=maximize, decoupled_weight_decay=True,
    )  # fmt: skip


class AdamW(from_rule(adamw, elementwise=True)):
    r"""AdamW as an optimizer; ``torch.optim.AdamW`` from its equation.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = AdamW([theta], lr=0.01, weight_decay=0.1)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9890, 99.8900])
    """
