"""Checkers for the exercises on learning-rate decay.

Each takes what the reader wrote, prints one line and returns whether it is right.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim.lr_scheduler import StepLR

from descent.chapters.verdict import ask, mismatch, verdict, wrong_truth
from descent.schedules import cosine, linear

Number = float | Tensor


def decay_now(answer: Callable[[int, int], bool]) -> bool:
    """Check when to decay by hand so that the rates are those of ``StepLR``.

    Args:
        answer: maps the epoch that has just been trained, 0 for the first, and the number of epochs
            between two decays to whether the rate is now to be lowered.

    Returns:
        Whether every epoch is trained with the rate that ``StepLR`` has there.

    Example:
        >>> decay_now(lambda epoch, period: epoch % period == 0)
        not yet: decay_now(period=10) trains epoch 1 with rate 0.1 where StepLR has 1
        False
    """
    for period in (10, 3, 1):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler = StepLR(optimizer, period, gamma=0.1)
        decays = 0
        for epoch in range(3 * period + 2):
            right = optimizer.param_groups[0]["lr"]
            if not math.isclose(0.1**decays, right, rel_tol=1e-9):
                return verdict(
                    f"decay_now(period={period})",
                    f"trains epoch {epoch} with rate {0.1**decays:g} where StepLR has {right:g}",
                )
            found, problem = ask(answer, epoch, period)
            # Either is an answer here; which one is right shows in the rate of the next epoch.
            if problem is None and wrong_truth(found, True):
                problem = wrong_truth(found, False)
            if problem:
                return verdict("decay_now", problem)
            decays += bool(found)
            optimizer.step()
            scheduler.step()
    return verdict("decay_now", None)


def gamma_for(answer: Callable[[float, float, float], Number]) -> bool:
    r"""Check the factor of an exponential decay below which a run certainly never arrives.

    Args:
        answer: maps the first rate, a bound on the length of the gradient and the distance to
            the minimum, which is more than one step, to that :math:`\gamma`.

    Returns:
        Whether the rates of a run without end add up to just that distance.

    Example:
        >>> gamma_for(lambda lr, grad_bound, distance: 1 - lr / distance)
        not yet: gamma_for(lr=0.1, grad_bound=2, distance=8) returned 0.9875 where 0.975 is right
        False
    """
    for lr, bound, distance in ((0.1, 2.0, 8.0), (0.01, 1.0, 5.0), (0.5, 0.6, 0.7)):
        name = f"gamma_for(lr={lr:g}, grad_bound={bound:g}, distance={distance:g})"
        found, problem = ask(answer, lr, bound, distance)
        if problem := problem or mismatch(found, _number(1 - lr * bound / distance)):
            return verdict(name, problem)
    return verdict("gamma_for", None)


def greedy_lr(answer: Callable[[Tensor, Tensor, float], Number]) -> bool:
    r"""Check the rate that makes the expected loss after one step as small as it can be.

    Args:
        answer: maps the curvatures :math:`\lambda_i` of a bowl ``(dim,)``, the expected squares
            :math:`u_i` of the coordinates ``(dim,)`` and the variance :math:`\sigma^2` of the
            noise in each to the rate.

    Returns:
        Whether no rate does better.

    Example:
        >>> greedy_lr(lambda curvatures, squares, variance: 1 / curvatures.max())
        not yet: greedy_lr, for curvatures [1.0], returned 1 where 0.8 is right
        False
    """
    cases = (
        ([1.0], [4.0], 1.0),
        ([2.0], [0.5], 0.1),
        ([1.0, 0.1], [1.0, 3.0], 0.5),
        ([4.0, 1.0, 0.25], [0.1, 1.0, 2.0], 2.0),
    )
    for curvatures, squares, variance in cases:
        curvature, square = (
            torch.tensor(values, dtype=torch.float64) for values in (curvatures, squares)
        )

        # The loss is a parabola in the rate: three of its points give the lowest.
        left, middle, right = (
            _next_loss(lr, curvature, square, variance) for lr in (-1.0, 0.0, 1.0)
        )
        best = 0.5 * (left - right) / (left - 2 * middle + right)
        found, problem = ask(answer, curvature, square, variance)
        if problem := problem or mismatch(found, _number(best), tol=1e-8):
            return verdict(f"greedy_lr, for curvatures {curvatures},", problem)
    return verdict("greedy_lr", None)


def _next_loss(lr: float, curvatures: Tensor, squares: Tensor, variance: float) -> float:
    """Return the expected loss after one step."""
    after = (1 - lr * curvatures) ** 2 * squares + lr**2 * variance
    return (0.5 * curvatures * after).sum().item()


def same_reach(answer: Callable[[float, float, int], Number]) -> bool:
    r"""Check the peak of a polynomial decay that travels as far as a constant rate.

    Args:
        answer: maps the constant rate, the power :math:`p` and the number of steps :math:`T` to
            the first rate of :math:`\eta\,(1 - t/T)^p`, for :math:`t = 0, \dots, T - 1`.

    Returns:
        Whether both sets of rates have the same sum.

    Example:
        >>> same_reach(lambda lr, power, num_steps: lr * (power + 1))
        not yet: same_reach(lr=0.1, power=1, num_steps=10) returned 0.2 where 0.181818 is right
        False
    """
    for lr, power, num_steps in ((0.1, 1.0, 10), (0.3, 2.0, 100), (0.02, 0.5, 7)):
        name = f"same_reach(lr={lr:g}, power={power:g}, num_steps={num_steps})"
        found, problem = ask(answer, lr, power, num_steps)
        area = sum((1 - step / num_steps) ** power for step in range(num_steps))
        if problem := problem or mismatch(found, _number(lr * num_steps / area)):
            return verdict(name, problem)
    return verdict("same_reach", None)


def warmup_cosine(answer: Callable[[int, float, int, int], Number]) -> bool:
    """Check a warmup followed by half a wave of the cosine, written out.

    Args:
        answer: maps the step, the peak, the number of steps of the warmup ``W`` and of the whole
            run ``T`` to the rate. The first ``W`` rates are 1/W, 2/W, ... of the peak; the cosine
            begins at the peak at step ``W`` and would be 0 at step ``T``.

    Returns:
        Whether the rate is right at every step.

    Example:
        >>> def from_zero(step, lr, warmup_steps, num_steps):
        ...     return lr * step / warmup_steps if step < warmup_steps else lr
        >>> warmup_cosine(from_zero)
        not yet: warmup_cosine, at step 0 of 20, returned 0 where 0.025 is right
        False
    """
    for lr, warmup_steps, num_steps in ((0.1, 4, 20), (0.5, 1, 10), (2.0, 10, 11)):
        for step in range(num_steps):
            if step < warmup_steps:
                right = linear(step + 1, lr, num_steps=warmup_steps, start_factor=0, end_factor=1)
            else:
                right = cosine(step - warmup_steps, lr, num_steps=num_steps - warmup_steps)
            found, problem = ask(answer, step, lr, warmup_steps, num_steps)
            if problem := problem or mismatch(found, _number(right)):
                return verdict(f"warmup_cosine, at step {step} of {num_steps},", problem)
    return verdict("warmup_cosine", None)


def _number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)
