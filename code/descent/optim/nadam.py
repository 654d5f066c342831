"""NAdam: Adam that looks ahead along its momentum, as Nesterov's method does."""

from typing import Annotated

from torch import Tensor

from descent._checks import Number
from descent.optim._hyperparameters import (
    Betas,
    Decoupled,
    Eps,
    In,
    Maximize,
    StepLength,
    WeightDecay,
)
from descent.optim._lifted import from_rule
from descent.optim._parts import (
    State,
    as_kept,
    as_number,
    average,
    average_of_squares,
    bias_correction,
    descend,
    regularized,
    started,
)


def nadam(
    param: Tensor,
    grad: Tensor,
    state: State,
    lr: StepLength = 2e-3,
    betas: Betas = (0.9, 0.999),
    eps: Eps = 1e-8,
    weight_decay: WeightDecay = 0.0,
    momentum_decay: Annotated[
        Number,
        In("[0, inf)"),
        r":math:`\psi`, how fast :math:`\beta_{1,t}` rises from :math:`\beta_1 / 2` to "
        r":math:`\beta_1`",
    ] = 4e-3,
    decoupled_weight_decay: Decoupled = False,
    *,
    maximize: Maximize = False,
) -> tuple[Tensor, State]:
    r"""Take one step of NAdam, the ``t``-th.

    .. math::
        \beta_{1,t} = \beta_1 \left(1 - \tfrac12\, 0.96^{t \psi}\right), \qquad
        \Pi_t = \beta_{1,1} \beta_{1,2} \cdots \beta_{1,t}

    .. math::
        \theta_t = \theta_{t-1} - \eta\, \frac{(1 - \beta_{1,t})\, g_t / (1 - \Pi_t)
        + \beta_{1,t+1}\, m_t / (1 - \Pi_{t+1})}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`m` is ``exp_avg`` and :math:`v`
    is ``exp_avg_sq``, both as in :func:`adam`, :math:`t` is ``step``, :math:`\Pi` is
    ``mu_product``.

    Example:
        >>> import torch
        >>> options = NAdam.complete(lr=0.1)
        >>> param, state = nadam(torch.tensor([2.0]), torch.tensor([5.0]), {}, **options)
        >>> param, state["mu_product"]
        (tensor([1.8944]), tensor(0.4501))

    References:
        Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016. Derived in the
        chapter on Adam.
    """
    beta1, beta2 = betas
    param, grad = regularized(
        param, grad, lr, weight_decay, decoupled=decoupled_weight_decay, maximize=maximize
    )
    state = started(state, param, "exp_avg", "exp_avg_sq")
    step = as_number(state["step"]) + 1
    mu = _momentum(step, beta1, momentum_decay)
    mu_next = _momentum(step + 1, beta1, momentum_decay)
    mu_product = as_number(state.get("mu_product", 1.0)) * mu
    exp_avg = average(state["exp_avg"], grad, beta1)
    exp_avg_sq = average_of_squares(state["exp_avg_sq"], grad, beta2)
    denom = (exp_avg_sq / bias_correction(beta2, step)).sqrt() + eps
    of_grad = lr * (1 - mu) / (1 - mu_product)
    of_average = lr * mu_next / (1 - mu_product * mu_next)
    param = descend(param, of_grad, grad, denom)
    return descend(param, of_average, exp_avg, denom), {
        "step": as_kept(step),
        "mu_product": as_kept(mu_product),
        "exp_avg": exp_avg,
        "exp_avg_sq": exp_avg_sq,
    }


def _momentum(step: Number, beta1: Number, momentum_decay: Number) -> Number:
    return beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))


class NAdam(from_rule(nadam, elementwise=True)):
    r"""NAdam as an optimizer; ``torch.optim.NAdam`` from its equation.

    with :math:`\beta_{1,t} = \beta_1 (1 - \tfrac12\, 0.96^{t \psi})` and
    :math:`\Pi_t = \beta_{1,1} \cdots \beta_{1,t}`.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = NAdam([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9894, 99.9894])
    """
