"""Checkers for the exercises on gradient descent.

Each takes what the reader wrote, prints one line and returns whether it is right.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from descent.chapters.gradient_descent import theory
from descent.chapters.verdict import ask, mismatch, unanswered, verdict, wrong_form
from descent.tasks.problems import Objective, quadratic, rosenbrock, value_and_gradient


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def max_lr(answer: Callable[[Tensor], float]) -> bool:
    r"""Check a function that finds the largest stable rate, :math:`2/\lambda_{\max}`.

    Args:
        answer: maps a Hessian, shape ``(dim, dim)``, to a rate.

    Returns:
        Whether it is right on Hessians of several sizes.

    Example:
        >>> max_lr(lambda hessian: 2 / torch.linalg.eigvalsh(hessian)[-1])
        correct: max_lr
        True
        >>> max_lr(lambda hessian: 2 / hessian.trace())
        not yet: max_lr returned ... where ... is right
        False
    """
    for dim in (1, 2, 5):
        root = torch.randn(dim, dim, generator=_generator(), dtype=torch.float64)
        hessian = root @ root.T
        right = theory.gradient_descent_max_lr(torch.linalg.eigvalsh(hessian)[-1].item())
        found, problem = ask(answer, hessian)
        if problem := problem or mismatch(found, torch.tensor(right), tol=1e-6):
            return verdict("max_lr", problem)
    return verdict("max_lr", None)


def steps_needed(answer: Callable[[float, float], int]) -> bool:
    r"""Check a function that counts the steps to shrink the distance, at the best rate.

    Args:
        answer: maps the condition number and the fraction that may remain to the least whole
            number of steps after which it is certain.

    Returns:
        Whether it is right for several condition numbers.

    Example:
        >>> steps_needed(lambda kappa, shrink: math.ceil(kappa * math.log(1 / shrink)))
        not yet: steps_needed(kappa=2, shrink=0.01) returned 10 where 5 is right
        False
    """
    for kappa, shrink in ((2.0, 0.01), (1.5, 0.01), (100.0, 1e-6), (1e4, 0.5)):
        name = f"steps_needed(kappa={kappa:g}, shrink={shrink:g})"
        found, problem = ask(answer, kappa, shrink)
        rate = theory.gradient_descent_best_rate(kappa)
        right = float(theory.gradient_descent_steps(rate, shrink))
        if problem := problem or mismatch(found, torch.tensor(right)):
            return verdict(name, problem)
    return verdict("steps_needed", None)


def logistic_gradient(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> bool:
    r"""Check a gradient, worked out by hand, of the logistic loss.

    .. math:: f(w) = \frac1n \sum_i \ln\left(1 + e^{-y_i x_i^\top w}\right)

    Args:
        answer: maps weights ``(dim,)``, inputs ``(num_samples, dim)`` and labels of -1 or 1,
            ``(num_samples,)``, to the gradient, ``(dim,)``.

    Returns:
        Whether it agrees with autograd.

    Example:
        >>> def by_hand(w, input, label):
        ...     return -(label * torch.sigmoid(-label * (input @ w))) @ input / len(label)
        >>> logistic_gradient(by_hand)
        correct: logistic_gradient
        True
    """
    generator = _generator()
    input = torch.randn(20, 3, generator=generator, dtype=torch.float64)
    label = 1 - 2 * torch.randint(2, (20,), generator=generator).double()
    w = torch.randn(3, generator=generator, dtype=torch.float64)

    def loss(w: Tensor) -> Tensor:
        return torch.nn.functional.softplus(-label * (w @ input.T)).mean(-1)

    right = value_and_gradient(loss, w)[1]
    found, problem = ask(answer, w, input, label)
    if problem := problem or mismatch(found, right, tol=1e-10):
        return verdict("logistic_gradient", problem)
    return verdict("logistic_gradient", None)


def one_step_rates(answer: Callable[[Tensor], Tensor]) -> bool:
    r"""Check rates, one per coordinate, that reach a bowl's minimum in a single step.

    Args:
        answer: maps the eigenvalues ``(dim,)`` of a diagonal Hessian to rates ``(dim,)``.

    Returns:
        Whether one step with these rates ends at the minimum.

    Example:
        >>> one_step_rates(lambda eigenvalues: 2 / (eigenvalues + eigenvalues.min()))
        not yet: one_step_rates leaves a distance of ... after one step
        False
        >>> one_step_rates(lambda eigenvalues: 2 / (eigenvalues.max() + eigenvalues.min()))
        not yet: one_step_rates returned a tensor of shape () where a tensor of shape (3,) is right
        False
    """
    problem = quadratic([1.0, 10.0, 1000.0])
    eigenvalues = problem.gradient(torch.ones_like(problem.start))
    lr, fault = ask(answer, eigenvalues)
    if fault := fault or wrong_form(lr, eigenvalues):
        return verdict("one_step_rates", fault)
    distance = (problem.start - lr * problem.gradient(problem.start)).norm().item()
    if not distance < 1e-12:
        return verdict("one_step_rates", f"leaves a distance of {distance:.3g} after one step")
    return verdict("one_step_rates", None)


def backtracking(answer: Callable[[Objective, Tensor, float], float]) -> bool:
    r"""Check a line search that halves the rate until the step keeps half of its promise.

    The rate to return is the largest of :math:`\eta, \eta/2, \eta/4, \dots` with
    :math:`f(\theta - \eta g) \le f(\theta) - \tfrac12 \eta \|g\|^2`.

    Args:
        answer: maps an objective, a point ``(dim,)`` and a first rate to the accepted rate.

    Returns:
        Whether the rate is right at several points of Rosenbrock's valley.

    Example:
        >>> backtracking(lambda objective, theta, lr: lr)
        not yet: backtracking at [-1.2, 1.0] returned 1 where 0.000488281 is right
        False
    """
    objective = rosenbrock().objective
    for point in ([-1.2, 1.0], [0.0, 0.5], [1.5, -0.3]):
        theta = torch.tensor(point, dtype=torch.float64)
        value, grad = value_and_gradient(objective, theta)
        right = 1.0
        while objective(theta - right * grad) > value - 0.5 * right * grad.square().sum():
            right /= 2
        found, problem = ask(answer, objective, theta, 1.0)
        if problem := problem or mismatch(found, torch.tensor(right)):
            return verdict(f"backtracking at {point}", problem)
    return verdict("backtracking", None)


def bounded_forever(answer: Callable[[], tuple[float, float, float]]) -> bool:
    r"""Check a run on :math:`\tfrac12(ab-1)^2` that neither settles nor escapes.

    Args:
        answer: returns the start :math:`a`, :math:`b` and the rate :math:`\eta`.

    Returns:
        Whether, over ten thousand steps, the run stays within distance 10 of the origin, each of
        the last thousand steps is longer than 0.001 and its loss never falls below 0.001.

    Example:
        >>> bounded_forever(lambda: (1.0, 0.5, 0.1))
        not yet: bounded_forever settles: its loss fell to ... in the last thousand steps
        False
        >>> bounded_forever(lambda: (0.0, 0.0, 0.1))
        not yet: bounded_forever stands still: one of its last thousand steps was 0 long
        False
    """
    returned = answer()
    if problem := unanswered(returned):
        return verdict("bounded_forever", problem)
    if not isinstance(returned, (tuple, list)) or len(returned) != 3:
        return verdict("bounded_forever", f"returned {returned!r}, not a, b and the rate")
    for number in returned:
        if problem := wrong_form(number, torch.zeros(())):
            return verdict("bounded_forever", problem)
    a, b, lr = (float(number) for number in returned)
    if not lr > 0:
        return verdict("bounded_forever", f"needs a rate above 0, got {lr:g}")
    lowest = shortest = math.inf
    for step in range(10_000):
        residual = a * b - 1
        move = (lr * residual * b, lr * residual * a)
        a, b = a - move[0], b - move[1]
        if not math.hypot(a, b) < 10:
            return verdict("bounded_forever", f"leaves: it is farther than 10 after step {step}")
        if step >= 9_000:
            lowest = min(lowest, 0.5 * (a * b - 1) ** 2)
            shortest = min(shortest, math.hypot(*move))
    if lowest < 1e-3:
        reason = f"its loss fell to {lowest:.2g} in the last thousand steps"
        return verdict("bounded_forever", f"settles: {reason}")
    if shortest < 1e-3:
        reason = f"one of its last thousand steps was {shortest:.2g} long"
        return verdict("bounded_forever", f"stands still: {reason}")
    return verdict("bounded_forever", None)
