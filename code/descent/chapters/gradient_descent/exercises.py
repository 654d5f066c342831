"""Checkers for the exercises on gradient descent.

Each takes what the reader wrote, prints one line and returns whether it is right.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from descent.chapters.gradient_descent import theory
from descent.chapters.verdict import (
    as_answer,
    ask,
    mismatch,
    unanswered,
    verdict,
    wrong_count,
    wrong_form,
)
from descent.tasks.problems import Objective, quadratic, rosenbrock, value_and_gradient


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _exact(number: float) -> Tensor:
    return torch.tensor(number, dtype=torch.float64)


def max_lr(answer: Callable[[Tensor], float]) -> bool:
    r"""Check a function that finds the largest stable rate, :math:`2/\lambda_{\max}`.

    Args:
        answer: maps a Hessian, shape ``(dim, dim)``, to a rate. Some of its eigenvalues may be
            negative, but not all.

    Returns:
        Whether it is right on Hessians of several sizes.

    Example:
        >>> max_lr(lambda hessian: 2 / torch.linalg.eigvalsh(hessian)[-1])
        correct: max_lr
        True
        >>> max_lr(lambda hessian: 2 / hessian.trace())
        not yet: max_lr returned ... where ... is right, for eigenvalues 0.3, 5
        False
    """
    for eigenvalues in ([0.4], [0.3, 5.0], [0.1, 0.2, 0.5, 2.0, 7.0], [-5.0, 0.5, 2.0]):
        dim = len(eigenvalues)
        axes = torch.randn(dim, dim, generator=_generator(), dtype=torch.float64)
        axes = torch.linalg.qr(axes).Q
        hessian = axes @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ axes.T
        right = theory.gradient_descent_max_lr(eigenvalues[-1])
        found, problem = ask(answer, (hessian + hessian.T) / 2)
        if problem := problem or wrong_form(found, _exact(right)):
            return verdict("max_lr", problem)
        if problem := mismatch(found, _exact(right), tol=1e-6):
            given = ", ".join(f"{value:g}" for value in eigenvalues)
            return verdict("max_lr", f"{problem}, for eigenvalues {given}")
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
    # At kappa = 3 each step halves the distance: whole numbers that logarithms may just miss.
    for kappa, shrink in (
        (2.0, 0.01), (1.5, 0.01), (100.0, 1e-6), (1e4, 0.5), (3.0, 2.0**-10), (3.0, 2.0**-29),
    ):  # fmt: skip
        name = f"steps_needed(kappa={kappa:g}, shrink={shrink:g})"
        found, problem = ask(answer, kappa, shrink)
        rate = theory.gradient_descent_best_rate(kappa)
        right = theory.gradient_descent_steps(rate, shrink)
        if problem := problem or wrong_count(found, right):
            exact = ": here each step halves the distance" if kappa == 3 else ""
            return verdict(name, problem + exact)
    return verdict("steps_needed", None)


def logistic_gradient(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> bool:
    r"""Check a gradient, worked out by hand, of the logistic loss.

    .. math:: f(w) = \frac1N \sum_i \ln\left(1 + e^{-y_i x_i^\top w}\right)

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
    for num_samples, dim in ((20, 3), (7, 2)):
        input = torch.randn(num_samples, dim, generator=generator, dtype=torch.float64)
        label = 1 - 2 * torch.randint(2, (num_samples,), generator=generator).double()
        w = torch.randn(dim, generator=generator, dtype=torch.float64)

        def loss(w: Tensor, input: Tensor = input, label: Tensor = label) -> Tensor:
            return torch.nn.functional.softplus(-label * (w @ input.T)).mean(-1)

        right = value_and_gradient(loss, w)[1]
        found, problem = ask(answer, w, input, label)
        if problem := problem or wrong_form(found, right):
            return verdict("logistic_gradient", problem)
        if problem := mismatch(found, right, tol=1e-10):
            given = f", for {num_samples} samples of {dim} numbers"
            return verdict("logistic_gradient", problem + given)
    return verdict("logistic_gradient", None)


def one_step_rates(answer: Callable[[Tensor], Tensor]) -> bool:
    r"""Check rates, one per coordinate, that reach a bowl's minimum in a single step.

    Args:
        answer: maps the eigenvalues ``(dim,)`` of a diagonal Hessian to rates ``(dim,)``.

    Returns:
        Whether one step with these rates ends at the minimum.

    Example:
        >>> one_step_rates(lambda eigenvalues: 2 / (eigenvalues + eigenvalues.min()))
        not yet: one_step_rates leaves a distance of ... after one step, for eigenvalues ...
        False
        >>> one_step_rates(lambda eigenvalues: 2 / (eigenvalues.max() + eigenvalues.min()))
        not yet: one_step_rates returned a tensor of shape () where a tensor of shape (3,) is right
        False
    """
    for given in ([1.0, 10.0, 1000.0], [3.0, 0.25]):
        problem = quadratic(given)
        eigenvalues = torch.tensor(given, dtype=torch.float64)
        found, fault = ask(answer, eigenvalues)
        if fault := fault or wrong_form(found, eigenvalues):
            return verdict("one_step_rates", fault)
        lr = as_answer(found)
        near = 1e-6 if lr.dtype == torch.float32 else 1e-12
        distance = (problem.start - lr * problem.gradient(problem.start)).norm().item()
        if not distance < near:
            fault = f"leaves a distance of {distance:.3g} after one step"
            return verdict("one_step_rates", f"{fault}, for eigenvalues {given}")
    return verdict("one_step_rates", None)


def two_rates(answer: Callable[[float, float], tuple[float, float]]) -> bool:
    r"""Check two rates that bring a bowl as near to its minimum in two steps as two rates can.

    Args:
        answer: maps the largest and the smallest curvature, :math:`L` and :math:`\mu`, to the two
            rates, in any order.

    Returns:
        Whether no two rates leave less in the worst case.

    Example:
        >>> two_rates(lambda smoothness, strong_convexity: (0.2, 0.2))
        not yet: two_rates(9, 1) leaves 0.64 of the distance ..., where 0.470588 is possible
        False
    """
    for smoothness, strong_convexity in ((9.0, 1.0), (100.0, 1.0), (2.0, 0.5)):
        name = f"two_rates({smoothness:g}, {strong_convexity:g})"
        found, fault = ask(answer, smoothness, strong_convexity)
        if fault := fault or wrong_form(found, torch.zeros(2)):
            return verdict(name, fault)
        first, second = as_answer(found).tolist()
        curvature = torch.linspace(strong_convexity, smoothness, 10_001, dtype=torch.float64)
        left = ((1 - first * curvature) * (1 - second * curvature)).abs()
        possible = theory.best_polynomial_rate(smoothness / strong_convexity, 2)
        if not left.max() < possible * (1 + 1e-5):
            worst = curvature[left.argmax()]
            fault = f"leaves {left.max():.6g} of the distance along the curvature {worst:g}"
            return verdict(name, f"{fault}, where {possible:.6g} is possible")
    return verdict("two_rates", None)


def backtracking(answer: Callable[[Objective, Tensor, float], float]) -> bool:
    r"""Check a line search that halves the rate until the step keeps half of its promise.

    The rate to return is the largest of :math:`\eta, \eta/2, \eta/4, \dots` with
    :math:`f(\theta - \eta g) \le f(\theta) - \tfrac12 \eta \|g\|^2`.

    Args:
        answer: maps an objective, a point ``(dim,)`` and a first rate to the accepted rate.

    Returns:
        Whether the rate is right from several first rates, at points of Rosenbrock's valley and
        of a parabola.

    Example:
        >>> backtracking(lambda objective, theta, lr: lr)
        not yet: backtracking at [2.0] from 1.02 returned 1.02 where 0.51 is right
        False
    """
    valley, parabola = rosenbrock().objective, quadratic([1.0]).objective
    # On the parabola a rate keeps half of the promise up to 1: just above, and just below.
    for objective, point, lr in (
        (parabola, [2.0], 1.02), (parabola, [2.0], 0.99), (valley, [-1.2, 1.0], 1.0),
        (valley, [0.0, 0.5], 0.3), (valley, [1.5, -0.3], 1.0), (valley, [1.5, -0.3], 1e-5),
    ):  # fmt: skip
        theta = torch.tensor(point, dtype=torch.float64)
        value, grad = value_and_gradient(objective, theta)
        right = lr
        while objective(theta - right * grad) > value - 0.5 * right * grad.square().sum():
            right /= 2
        found, problem = ask(answer, objective, theta, lr)
        if problem := problem or mismatch(found, _exact(right), abs=0.0):
            return verdict(f"backtracking at {point} from {lr:g}", problem)
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
    numbers = as_answer(returned)
    if numbers is None or numbers.shape != (3,):
        return verdict("bounded_forever", f"returned {returned!r}, not a, b and the rate")
    a, b, lr = numbers.double().tolist()
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
