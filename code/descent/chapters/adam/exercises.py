"""Checkers for the exercises on Adam.

Each takes what the reader wrote, prints one line and returns whether it is right.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from descent.chapters.adam import theory
from descent.chapters.verdict import as_answer, ask, mismatch, verdict, wrong_count, wrong_form
from descent.optim import Adam, adam


def warm_up_steps(answer: Callable[[float, float], int]) -> bool:
    r"""Check a count of the steps until the missing correction of :math:`v` is forgotten.

    Args:
        answer: maps :math:`\beta_2` in (0, 1) and a tolerance in (0, 1) to the least whole
            :math:`t` with :math:`1/\sqrt{1 - \beta_2^t} \le 1 +` tolerance.

    Returns:
        Whether it is right for several settings.

    Example:
        >>> warm_up_steps(lambda beta2, tol: round(1 / (1 - beta2)))
        not yet: warm_up_steps(beta2=0.999, tol=0.1) returned 1000 where 1751 is right
        False
    """
    for beta2, tol in ((0.999, 0.1), (0.99, 0.01), (0.5, 0.3)):
        kept, right = beta2, 1
        while (1 - kept) ** -0.5 > 1 + tol:
            kept, right = beta2 * kept, right + 1
        found, problem = ask(answer, beta2, tol)
        if problem := problem or wrong_count(found, right):
            return verdict(f"warm_up_steps(beta2={beta2:g}, tol={tol:g})", problem)
    return verdict("warm_up_steps", None)


def adam_step(answer: Callable[..., tuple[Tensor, Tensor, Tensor]]) -> bool:
    r"""Check one step of Adam with PyTorch's defaults for the betas and epsilon.

    Args:
        answer: maps the parameters ``(dim,)``, ``exp_avg`` ``(dim,)``, ``exp_avg_sq`` ``(dim,)``,
            the gradient ``(dim,)``, the rate and the number of the step, from 1, to the new
            parameters, the new ``exp_avg`` and the new ``exp_avg_sq``.

    Returns:
        Whether a run of it is Adam's.

    Example:
        >>> def uncorrected(theta, exp_avg, exp_avg_sq, grad, lr, step):
        ...     exp_avg = 0.9 * exp_avg + 0.1 * grad
        ...     exp_avg_sq = 0.999 * exp_avg_sq + 0.001 * grad**2
        ...     return theta - lr * exp_avg / (exp_avg_sq.sqrt() + 1e-8), exp_avg, exp_avg_sq
        >>> adam_step(uncorrected)
        not yet: adam_step's parameters at step 1 returned 0.683772 where 0.9 is right
        False
    """
    theta = torch.tensor([1.0, -2.0], dtype=torch.float64)
    exp_avg, exp_avg_sq, state = torch.zeros_like(theta), torch.zeros_like(theta), {}
    # The last gradients are no larger than epsilon, so that its place shows.
    sizes, rates = (1.0, 3.0, -0.5, 1e-8, 1e-8), (0.1, 0.2, 0.1, 0.1, 0.3)
    for step, (size, lr) in enumerate(zip(sizes, rates, strict=True), start=1):
        grad = size * torch.tensor([1.0, 1e-8], dtype=torch.float64)
        found, fault = ask(answer, theta, exp_avg, exp_avg_sq, grad, lr, step)
        if fault is None and (not isinstance(found, tuple | list) or len(found) != 3):
            fault = f"returned a {type(found).__name__} where three tensors are right"
        if fault:
            return verdict("adam_step", fault)
        theta, state = adam(theta, grad, state, **Adam.complete(lr=lr))
        exp_avg, exp_avg_sq = state["exp_avg"], state["exp_avg_sq"]
        names = ("parameters", "exp_avg", "exp_avg_sq")
        for name, mine, right in zip(names, found, (theta, exp_avg, exp_avg_sq), strict=True):
            # Relative, since the last squares are all but 0.
            if fault := mismatch(mine, right, abs=0.0):
                return verdict(f"adam_step's {name} at step {step}", fault)
    return verdict("adam_step", None)


def longest_step(answer: Callable[[float, float, int], Tensor]) -> bool:
    r"""Check gradients that make Adam's last step as long as any gradients can.

    Args:
        answer: maps :math:`\beta_1`, :math:`\beta_2` and a number of steps to the gradients, in
            float64, shape ``(num_steps,)``.

    Returns:
        Whether the last step has the length of :func:`~descent.chapters.adam.theory.adam_max_step`.

    Example:
        >>> longest_step(lambda beta1, beta2, num_steps: torch.ones(num_steps).double())
        not yet: longest_step(0.9, 0.999, 50) makes a step of 1 where 1.61426 is possible
        False
    """
    for beta1, beta2, num_steps in ((0.9, 0.999, 50), (0.9, 0.95, 20), (0.5, 0.6, 8)):
        name = f"longest_step({beta1:g}, {beta2:g}, {num_steps})"
        found, problem = ask(answer, beta1, beta2, num_steps)
        if problem := problem or wrong_form(found, torch.zeros(num_steps)):
            return verdict(name, problem)
        grads = as_answer(found).double()
        if not grads.isfinite().all():
            first = grads[~grads.isfinite()][0].item()
            return verdict(name, f"returned {first} among the gradients, where all are finite")
        # Their scale plays no part, and an epsilon that small only keeps 0 / 0 away.
        grads = grads / max(grads.abs().max().item(), 1e-300)
        options = Adam.complete(lr=1.0, betas=(beta1, beta2), eps=1e-300)
        theta, state = torch.zeros((), dtype=torch.float64), {}
        for grad in grads:
            before = theta
            theta, state = adam(theta, grad, state, **options)
        length = (theta - before).abs().item()
        right = theory.adam_max_step(beta1, beta2, num_steps)
        if not abs(length - right) < 1e-6 * right:
            digits = 6 if f"{length:.6g}" != f"{right:.6g}" else 9
            made, best = f"{length:.{digits}g}", f"{right:.{digits}g}"
            return verdict(name, f"makes a step of {made} where {best} is possible")
    return verdict("longest_step", None)


def same_epsilon(answer: Callable[[float, float, int], float]) -> bool:
    r"""Check a translation of the paper's :math:`\hat\epsilon` into PyTorch's ``eps``.

    Args:
        answer: maps :math:`\hat\epsilon`, :math:`\beta_2` and the number of the step, from 1, to
            the ``eps`` with which PyTorch's Adam takes the same step.

    Returns:
        Whether both steps have the same length for several settings.

    Example:
        >>> same_epsilon(lambda eps_hat, beta2, step: eps_hat)
        not yet: same_epsilon(0.001, 0.999, 1) returned 0.001 where 0.0316228 is right
        False
    """
    for eps_hat, beta2, step in ((1e-3, 0.999, 1), (1e-3, 0.999, 1000), (0.1, 0.9, 3)):
        found, problem = ask(answer, eps_hat, beta2, step)
        right = torch.tensor(eps_hat / theory.ema_mass(beta2, step) ** 0.5, dtype=torch.float64)
        if problem := problem or mismatch(found, right, tol=1e-8):
            return verdict(f"same_epsilon({eps_hat:g}, {beta2:g}, {step})", problem)
    return verdict("same_epsilon", None)


def idle_size(answer: Callable[[float, float], float]) -> bool:
    r"""Check a choice of decay that gives idle weights a size.

    Args:
        answer: maps AdamW's rate and the root mean square that weights are to have on which only
            noise and decay act, to ``weight_decay``.

    Returns:
        Whether the size comes out within 0.2 per cent, for several settings.

    Example:
        >>> idle_size(lambda lr, size: lr / size)
        not yet: idle_size(lr=0.001, size=0.1) leaves a size of 0.2236 where 0.1 is asked for
        False
    """
    for lr, size in ((1e-3, 0.1), (1e-2, 1.0), (3e-4, 0.05)):
        name = f"idle_size(lr={lr:g}, size={size:g})"
        found, problem = ask(answer, lr, size)
        if problem := problem or wrong_form(found, torch.zeros(())):
            return verdict(name, problem)
        decay = as_answer(found).item()
        if not 0 < lr * decay < 2:
            return verdict(name, f"returned {decay:.3g} where lr * weight_decay is in (0, 2)")
        # The closed form for small rates is off by less than 0.1 per cent here.
        left = theory.adamw_noise_floor(lr, decay, 0.9) ** 0.5
        if abs(left - size) > 0.002 * size:
            return verdict(name, f"leaves a size of {left:.4g} where {size:g} is asked for")
    return verdict("idle_size", None)


def misled_up_to(answer: Callable[[float, int], float]) -> bool:
    r"""Check the strength of rare evidence up to which Adam walks the wrong way.

    Args:
        answer: maps :math:`\beta_2` and the period :math:`P` to the gradient :math:`C` at which
            the drift of one period is 0, the other gradients being -1.

    Returns:
        Whether it is right for several settings, within 0.1 per cent.

    Example:
        >>> misled_up_to(lambda beta2, period: period - 1)
        not yet: misled_up_to(beta2=0.999, period=1000) returned 999, where Adam drifts by 7.47
        False
    """
    for beta2, period in ((0.999, 1000), (0.99, 50), (0.9, 5)):
        name = f"misled_up_to(beta2={beta2:g}, period={period})"
        found, problem = ask(answer, beta2, period)
        if problem := problem or wrong_form(found, torch.zeros(())):
            return verdict(name, problem)
        found = as_answer(found).item()
        if not 1 <= found < float("inf"):
            return verdict(name, f"returned {found:.6g} where a number above 1 is right")
        below, above = (theory.reddi_drift(found * part, beta2, period) for part in (0.999, 1.001))
        if not below >= 0 >= above:
            drift = theory.reddi_drift(found, beta2, period)
            return verdict(name, f"returned {found:.6g}, where Adam drifts by {drift:.3g}")
    return verdict("misled_up_to", None)
