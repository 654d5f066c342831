"""NAdam: Adam that looks ahead along its momentum, as Nesterov's method does."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from descent._checks import Number
from descent.optim._base import RuleOptimizer, State, average, begin, double, used


def nadam(
    param: Tensor,
    grad: Tensor,
    state: State,
    *,
    lr: Number,
    betas: tuple[Number, Number],
    eps: Number,
    weight_decay: Number,
    momentum_decay: Number,
    decoupled_weight_decay: bool,
    maximize: bool,
) -> tuple[Tensor, State]:
    r"""Take one step of NAdam, the ``t``-th.

    .. math::
        \mu_t = \beta_1 \left(1 - \tfrac12\, 0.96^{t \psi}\right), \qquad
        \Pi_t = \mu_1 \mu_2 \cdots \mu_t

    .. math::
        \theta_t = \theta_{t-1} - \eta\, \frac{(1 - \mu_t)\, g_t / (1 - \Pi_t)
        + \mu_{t+1}\, m_t / (1 - \Pi_{t+1})}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    :math:`\theta` is ``param``, :math:`g` is ``grad``, :math:`m` is ``exp_avg`` and :math:`v` is
    ``exp_avg_sq``, both as in :func:`adam`, :math:`t` is ``step``, :math:`\Pi` is ``mu_product``,
    :math:`\eta` is ``lr``, :math:`\beta_1, \beta_2` are ``betas``, :math:`\epsilon` is ``eps``,
    :math:`\psi` is ``momentum_decay``.

    Args:
        param: the parameters, of any shape.
        grad: the gradient of the loss at ``param``, of the same shape.
        state: ``step`` and ``mu_product``, in float32 as in PyTorch, and ``exp_avg`` and
            ``exp_avg_sq``, of the shape of ``param``; empty before the first step.
        lr: the learning rate, in units of parameter, at least 0. This and every number below may
            be a tensor that broadcasts against ``param`` and so gives each run of a batch its own.
        betas: the parts of both averages that are kept each step, in [0, 1).
        eps: added to the root, in units of gradient, at least 0.
        weight_decay: how much of the parameter is added to its gradient, at least 0; decoupled,
            the part of the parameter, times ``lr``, by which it shrinks before the step.
        momentum_decay: how fast :math:`\mu_t` rises from :math:`\beta_1 / 2` to :math:`\beta_1`,
            at least 0.
        decoupled_weight_decay: whether the decay leaves the gradient alone, as in AdamW.
        maximize: whether to climb.

    Returns:
        The new parameters, of the shape of ``param``, and the new state.

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
    if maximize:
        grad = -grad
    if used(weight_decay):
        if decoupled_weight_decay:
            param = param * (1 - lr * weight_decay)
        else:
            grad = grad + weight_decay * param
    state = begin(state, param, "exp_avg", "exp_avg_sq")
    step = state["step"].double() + 1
    mu = _momentum(step, beta1, momentum_decay)
    mu_next = _momentum(step + 1, beta1, momentum_decay)
    mu_product = state.get("mu_product", 1.0) * mu
    exp_avg = average(state["exp_avg"], grad, beta1)
    exp_avg_sq = beta2 * state["exp_avg_sq"] + (1 - beta2) * grad * grad
    denom = (exp_avg_sq / (1 - double(beta2) ** step)).sqrt() + eps
    of_grad = lr * (1 - mu) / (1 - mu_product)
    of_average = lr * mu_next / (1 - mu_product * mu_next)
    new = param - of_grad * grad / denom - of_average * exp_avg / denom
    return new.to(param.dtype), {
        "step": step.float(),
        "mu_product": mu_product.float(),
        "exp_avg": exp_avg,
        "exp_avg_sq": exp_avg_sq,
    }


def _momentum(step: Tensor, beta1: Number, momentum_decay: Number) -> Tensor:
    return beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))


class NAdam(RuleOptimizer):
    r"""NAdam as an optimizer; ``torch.optim.NAdam`` from its equation.

    .. math::
        \theta_t = \theta_{t-1} - \eta\, \frac{(1 - \mu_t)\, g_t / (1 - \Pi_t)
        + \mu_{t+1}\, m_t / (1 - \Pi_{t+1})}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    with :math:`\mu_t = \beta_1 (1 - \tfrac12\, 0.96^{t \psi})` and
    :math:`\Pi_t = \mu_1 \cdots \mu_t`.

    Args:
        params: tensors, or groups of them, to optimize.
        lr: the learning rate :math:`\eta`, in [0, inf).
        betas: :math:`\beta_1, \beta_2`, each in [0, 1).
        eps: :math:`\epsilon`, in [0, inf).
        weight_decay: how much of the parameter is added to its gradient, in [0, inf).
        momentum_decay: :math:`\psi`, in [0, inf).
        decoupled_weight_decay: shrink the parameter itself, as :class:`AdamW` does.
        maximize: climb in place of descending.

    Raises:
        TypeError: a hyperparameter is of another type, or a group sets one that is unknown.
        ValueError: a number is outside its interval, or there are no parameters.

    Example:
        >>> import torch
        >>> theta = torch.tensor([1.0, 100.0], requires_grad=True)
        >>> optimizer = NAdam([theta], lr=0.01)
        >>> (theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([ 0.9894, 99.9894])

    References:
        Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016. Derived in the
        chapter on Adam.
    """

    rule = staticmethod(nadam)
    allowed = {  # noqa: RUF012 - a constant of the class
        "lr": "[0, inf)",
        "betas": ("[0, 1)", "[0, 1)"),
        "eps": "[0, inf)",
        "weight_decay": "[0, inf)",
        "momentum_decay": "[0, inf)",
        "decoupled_weight_decay": bool,
        "maximize": bool,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: Number = 2e-3,
        betas: tuple[Number, Number] = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 0.0,
        momentum_decay: Number = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)
