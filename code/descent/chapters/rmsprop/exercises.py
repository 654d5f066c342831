"""Checkers for the exercises on RMSprop.

Each takes what the reader wrote, prints one line and returns whether it is right.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from descent.chapters.rmsprop import theory
from descent.chapters.verdict import (
    FLOAT32_TOL,
    as_answer,
    ask,
    mismatch,
    verdict,
    wrong_count,
    wrong_form,
)
from descent.optim import Adam, adam


def alpha_for(answer: Callable[[float], float]) -> bool:
    r"""Check a function that chooses :math:`\alpha` by how long it remembers.

    Args:
        answer: maps a half-life in steps, in (0, inf), to the :math:`\alpha` that has it.

    Returns:
        Whether it is right for several half-lives.

    Example:
        >>> alpha_for(lambda half_life: 1 - 1 / half_life)
        not yet: alpha_for(half_life=1) returned 0 where 0.5 is right
        False
    """
    for half_life in (1.0, 10.0, 100.0):
        found, problem = ask(answer, half_life)
        right = torch.tensor(2 ** (-1 / half_life), dtype=torch.float64)
        if problem := problem or mismatch(found, right, tol=1e-6):
            return verdict(f"alpha_for(half_life={half_life:g})", problem)
    return verdict("alpha_for", None)


def adagrad_walk(answer: Callable[[float, float], int]) -> bool:
    r"""Check a function that counts AdaGrad's steps on a long even slope.

    Under a constant gradient step number :math:`k` has the length :math:`\eta/\sqrt k`.

    Args:
        answer: maps the rate :math:`\eta` and a distance to the least whole number of steps that
            together are at least as long.

    Returns:
        Whether it is right for several rates and distances.

    Example:
        >>> adagrad_walk(lambda lr, distance: round((distance / (2 * lr)) ** 2))
        not yet: adagrad_walk(lr=0.1, distance=1) returned 25 where 33 is right
        False
    """
    for lr, distance in ((0.1, 1.0), (0.1, 4.0), (0.5, 3.0), (0.01, 0.5)):
        walked, right = 0.0, 0
        while walked < distance:
            right += 1
            walked += float(theory.adagrad_step(lr, right))
        found, problem = ask(answer, lr, distance)
        if problem := problem or wrong_count(found, right):
            return verdict(f"adagrad_walk(lr={lr:g}, distance={distance:g})", problem)
    return verdict("adagrad_walk", None)


def corrected_step(
    answer: Callable[[Tensor, Tensor, Tensor, int, float, float, float], tuple[Tensor, Tensor]],
) -> bool:
    r"""Check one step of an RMSprop whose weights add up to one from the first step on.

    Args:
        answer: maps the parameters ``(dim,)``, the gradient ``(dim,)``, the average of squares
            ``(dim,)``, the number of the step from 1, the rate, :math:`\alpha` and
            :math:`\epsilon` to the new parameters and the new average.

    Returns:
        Whether a run of it is the one of ``Adam`` with ``betas=(0, alpha)``.

    Example:
        >>> def plain(theta, grad, square_avg, step, lr, alpha, eps):
        ...     square_avg = alpha * square_avg + (1 - alpha) * grad**2
        ...     return theta - lr * grad / (square_avg.sqrt() + eps), square_avg
        >>> corrected_step(plain)
        not yet: corrected_step's parameters at step 1, alpha=0.99 returned 0.9 where 0.99 is right
        False
    """
    for lr, alpha, eps in ((0.01, 0.99, 1e-3), (0.1, 0.9, 1e-2)):
        options = Adam.complete(lr=lr, betas=(0.0, alpha), eps=eps)
        theta = torch.tensor([1.0, -2.0], dtype=torch.float64)
        square_avg, state = torch.zeros_like(theta), {}
        for step in range(1, 6):
            grad = torch.tensor([2000.0, 0.5], dtype=torch.float64) * theta
            found, fault = ask(answer, theta, grad, square_avg, step, lr, alpha, eps)
            if fault is None and (not isinstance(found, tuple | list) or len(found) != 2):
                fault = f"returned a {type(found).__name__} where parameters and average are right"
            if fault:
                return verdict("corrected_step", fault)
            theta, state = adam(theta, grad, state, **options)
            square_avg = state["exp_avg_sq"]
            for name, mine, right in zip(
                ("parameters", "average"), found, (theta, square_avg), strict=True
            ):
                if fault := mismatch(mine, right, tol=1e-10):
                    where = f"step {step}, alpha={alpha:g}"
                    return verdict(f"corrected_step's {name} at {where}", fault)
    return verdict("corrected_step", None)


def outside_eps(answer: Callable[[float, float], float]) -> bool:
    r"""Check a translation of an :math:`\epsilon` inside the root into one outside.

    Args:
        answer: maps an :math:`\epsilon` that stands inside the root and the size of a constant
            gradient to the :math:`\epsilon` outside that leaves as much of the step.

    Returns:
        Whether it is right for several sizes.

    Example:
        >>> outside_eps(lambda eps, grad: eps**0.5)
        not yet: outside_eps(eps=0.25, grad=1) returned 0.5 where 0.118034 is right
        False
    """
    for eps, grad in ((0.25, 1.0), (1e-7, 1e-2), (1e-7, 1e-4), (1e-10, 1e-8)):
        left = theory.eps_factor(grad, eps, inside=True)
        # A fraction u of the step is left where |g| = u (|g| + eps).
        right = torch.tensor(grad / left - grad, dtype=torch.float64)
        found, problem = ask(answer, eps, grad)
        if problem := problem or mismatch(found, right, tol=1e-6, abs=0.0):
            if _cancelled(found, right, grad):
                problem += (
                    "; the difference of two such close numbers loses its digits in float32: "
                    "compute in float64"
                )
            return verdict(f"outside_eps(eps={eps:g}, grad={grad:g})", problem)
    return verdict("outside_eps", None)


def _cancelled(found: object, right: Tensor, grad: float) -> bool:
    """Say whether an answer is off by no more than float32 rounds numbers as large as ``grad``."""
    numbers = as_answer(found)
    if numbers is None or numbers.dtype != torch.float32 or numbers.ndim:
        return False
    return abs(numbers.item() - right.item()) <= FLOAT32_TOL * abs(grad)


def converging_eps(answer: Callable[[float, float], float]) -> bool:
    r"""Check a function that finds the least :math:`\epsilon` that lets RMSprop come to rest.

    Args:
        answer: maps the rate and the curvature of a parabola to the :math:`\epsilon` at and above
            which there is no two-cycle.

    Returns:
        Whether it is right for several parabolas.

    Example:
        >>> converging_eps(lambda lr, curvature: lr / 2)
        not yet: converging_eps(lr=0.01, curvature=100) returned 0.005 where 0.5 is right
        False
    """
    for lr, curvature in ((0.01, 100.0), (0.5, 0.2), (1e-3, 1.0)):
        # Without eps the cycle is as wide as it can be, and eps/curvature is what it loses.
        right = torch.tensor(curvature * theory.rmsprop_cycle(lr, curvature), dtype=torch.float64)
        found, problem = ask(answer, lr, curvature)
        if problem := problem or mismatch(found, right, tol=1e-6, abs=0.0):
            return verdict(f"converging_eps(lr={lr:g}, curvature={curvature:g})", problem)
    return verdict("converging_eps", None)


def half_lost(answer: Callable[[float], float]) -> bool:
    r"""Check a function that finds how far a ravine must turn until half the advantage is lost.

    Half of it, in orders of magnitude: the best diagonal preconditioner, which leaves a condition
    number of 1 along the axes and of :math:`\kappa` at 45 degrees, leaves :math:`\sqrt\kappa`.

    Args:
        answer: maps the condition number :math:`\kappa`, in (1, inf), to the least positive angle,
            in radians.

    Returns:
        Whether it is right for several ravines.

    Example:
        >>> half_lost(lambda kappa: 1 / kappa**0.5)
        not yet: half_lost(kappa=16) at its angle 0.25 leaves 5.03358 where 4 is right
        False
    """
    for kappa in (16.0, 1e4, 1e8):
        found, problem = ask(answer, kappa)
        if problem is None and not (problem := wrong_form(found, torch.zeros(()))):
            numbers = as_answer(found)
            angle, right = numbers.item(), kappa**0.5
            tol = 1e-6 if numbers.dtype == torch.float64 else 2 * FLOAT32_TOL
            if not 0 < angle <= math.pi / 4:
                problem = f"returned {angle:.6g} where an angle in (0, pi/4] is right"
                return verdict(f"half_lost(kappa={kappa:g})", problem)
            left = theory.rotated_kappa(kappa, angle)
            if not math.isclose(left, right, rel_tol=tol):
                problem = f"at its angle {angle:.6g} leaves {left:.6g} where {right:g} is right"
        if problem:
            return verdict(f"half_lost(kappa={kappa:g})", problem)
    return verdict("half_lost", None)
