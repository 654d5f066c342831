"""Checkers for the exercises on momentum.

Each takes what the reader wrote, prints one line and returns whether it is right.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from descent.chapters.momentum import theory
from descent.chapters.verdict import ask, mismatch, verdict, wrong_count, wrong_form
from descent.optim import SGD, sgd
from descent.tasks.problems import ravine


def wind_up(answer: Callable[[float, float], int]) -> bool:
    r"""Check a function that counts the steps until a velocity is nearly at its full size.

    Under a constant gradient :math:`g` the buffer is
    :math:`g\,(1 + \beta + \dots + \beta^{t-1})` after :math:`t` steps.

    Args:
        answer: maps a momentum in (0, 1) and a part in (0, 1) to the least whole number of steps
            after which the buffer has at least that part of its limit.

    Returns:
        Whether it is right for several momenta.

    Example:
        >>> wind_up(lambda momentum, part: round(1 / (1 - momentum)))
        not yet: wind_up(momentum=0.9, part=0.99) returned 10 where 44 is right
        False
    """
    # The last two are reached exactly, where one more than a rounded-down logarithm is too many.
    for momentum, part in (
        (0.9, 0.99),
        (0.9, 0.5),
        (0.99, 0.9),
        (0.5, 0.7),
        (0.5, 0.75),
        (0.25, 0.75),
    ):
        missing, right = 1.0, 0
        while missing > 1 - part:
            missing, right = momentum * missing, right + 1
        name = f"wind_up(momentum={momentum:g}, part={part:g})"
        found, problem = ask(answer, momentum, part)
        if problem := problem or wrong_count(found, right):
            return verdict(name, problem)
    return verdict("wind_up", None)


def best_settings(answer: Callable[[float, float], Tensor]) -> bool:
    r"""Check a function that finds heavy ball's best rate and momentum for a bowl.

    Args:
        answer: maps the largest eigenvalue :math:`L` and the smallest :math:`\mu` to the rate and
            the momentum: a tensor of shape ``(2,)``, a list or a tuple.

    Returns:
        Whether it is right for several bowls.

    Example:
        >>> best_settings(lambda smoothness, strong_convexity: torch.tensor([1 / smoothness, 0.9]))
        not yet: best_settings(4, 1) returned 0.25 where 0.444444 is right
        False
    """
    for smoothness, strong_convexity in ((4.0, 1.0), (100.0, 1.0), (30.0, 0.5), (1.0, 1.0)):
        name = f"best_settings({smoothness:g}, {strong_convexity:g})"
        right = theory.heavy_ball_best(smoothness, strong_convexity)
        found, problem = ask(answer, smoothness, strong_convexity)
        right = torch.tensor([float(value) for value in right], dtype=torch.float64)
        if problem := problem or mismatch(found, right, tol=1e-6):
            return verdict(name, problem)
    return verdict("best_settings", None)


def nesterov_step(
    answer: Callable[[Tensor, Tensor, Tensor, float, float], tuple[Tensor, Tensor]],
) -> bool:
    r"""Check one step of Nesterov's method as PyTorch writes it.

    Args:
        answer: maps the parameters ``(dim,)``, the buffer ``(dim,)``, the gradient ``(dim,)``, the
            rate and the momentum to the new parameters and the new buffer.

    Returns:
        Whether a run of it is the one that ``SGD(nesterov=True)`` makes.

    Example:
        >>> def heavy_ball(theta, buffer, grad, lr, momentum):
        ...     buffer = momentum * buffer + grad
        ...     return theta - lr * buffer, buffer
        >>> nesterov_step(heavy_ball)
        not yet: nesterov_step's parameters at step 1 returned 0.98 where 0.962 is right
        False
    """
    problem = ravine(10.0)
    theta, buffer, state = problem.start, torch.zeros_like(problem.start), {}
    for step, (lr, momentum) in enumerate([(0.02, 0.9)] * 3 + [(0.05, 0.5)] * 2, start=1):
        options = dict(SGD.complete(lr=lr), momentum=momentum, nesterov=True)
        grad = problem.gradient(theta)
        found, fault = ask(answer, theta, buffer, grad, lr, momentum)
        if fault is None and not _a_pair(found):
            fault = f"returned {_named(found)} where parameters and buffer are right"
        if fault:
            return verdict("nesterov_step", fault)
        theta, state = sgd(theta, grad, state, **options)
        buffer = state["momentum_buffer"]
        for name, mine, right in zip(("parameters", "buffer"), found, (theta, buffer), strict=True):
            if fault := mismatch(mine, right, tol=1e-9):
                return verdict(f"nesterov_step's {name} at step {step}", fault)
    return verdict("nesterov_step", None)


def rescaled_buffer(answer: Callable[[Tensor, float, float], Tensor]) -> bool:
    r"""Check what to do to PyTorch's buffer when the rate changes, so that no speed is lost.

    The papers' velocity carries the rate inside, :math:`V_{t+1} = \beta V_t - \eta g_t`, and
    keeps its length when the rate changes.

    Args:
        answer: maps the buffer ``(dim,)``, the rate until now and the rate from now on to the new
            buffer.

    Returns:
        Whether ``SGD`` with it goes on at the velocity it had.

    Example:
        >>> rescaled_buffer(lambda buffer, old_lr, new_lr: buffer)
        not yet: rescaled_buffer(0.02 to 0.005) returned 3 where 12 is right
        False
    """
    buffer = torch.tensor([3.0, -0.5, 0.02], dtype=torch.float64)
    for old_lr, new_lr in ((0.02, 0.005), (0.001, 0.1)):
        velocity = -old_lr * buffer
        found, problem = ask(answer, buffer, old_lr, new_lr)
        if problem := problem or mismatch(found, -velocity / new_lr, tol=1e-9, abs=0.0):
            return verdict(f"rescaled_buffer({old_lr:g} to {new_lr:g})", problem)
    return verdict("rescaled_buffer", None)


def same_floor(answer: Callable[[float, float, float], float]) -> bool:
    r"""Check a function that finds the plain rate with the noise floor of a run with momentum.

    Args:
        answer: maps the rate, the momentum and the curvature of a parabola to the rate without
            momentum under which the same noise leaves the same floor.

    Returns:
        Whether it is right for several settings, those included in which it is not
        :math:`\eta/(1-\beta)`.

    Example:
        >>> same_floor(lambda lr, momentum, curvature: lr / (1 - momentum))
        not yet: same_floor(lr=1, momentum=0.5, curvature=1) returned 2 where 1.2 is right
        False
    """
    for lr, momentum, curvature in ((1.0, 0.5, 1.0), (0.01, 0.9, 1.0), (0.3, 0.8, 4.0)):
        name = f"same_floor(lr={lr:g}, momentum={momentum:g}, curvature={curvature:g})"
        found, problem = ask(answer, lr, momentum, curvature)
        if problem := problem or wrong_form(found, torch.zeros(())):
            return verdict(name, problem)
        floor = float(theory.momentum_noise_floor(lr, momentum, curvature, 1.0))
        right = 2 * floor * curvature / (1 + floor * curvature**2)
        if problem := mismatch(found, torch.tensor(right, dtype=torch.float64), tol=1e-6):
            return verdict(name, problem)
    return verdict("same_floor", None)


def undamped_start(answer: Callable[[float], int]) -> bool:
    r"""Check a count of the steps that PyTorch's undampened first gradient dominates.

    With ``dampening=momentum`` the buffer after :math:`t` steps of unit gradients is
    :math:`1` from the first step on, of which the first gradient alone makes up
    :math:`\beta^{t-1}`; in an average that starts at zero it would be
    :math:`(1-\beta)\beta^{t-1}`.

    Args:
        answer: maps a momentum in (0, 1) to the least whole number of steps after which the first
            gradient makes up less than one half of the buffer.

    Returns:
        Whether it is right for several momenta.

    Example:
        >>> undamped_start(lambda momentum: round(1 / (1 - momentum)))
        not yet: undamped_start(momentum=0.9) returned 10 where 8 is right
        False
    """
    # At 0.5 the part is one half exactly after two steps, which is not yet less.
    for momentum in (0.9, 0.99, 0.6, 0.5, 0.25):
        part, right = 1.0, 1
        while part >= 0.5:
            part, right = momentum * part, right + 1
        found, problem = ask(answer, momentum)
        if problem := problem or wrong_count(found, right):
            return verdict(f"undamped_start(momentum={momentum:g})", problem)
    return verdict("undamped_start", None)


def _a_pair(found: object) -> bool:
    """Say whether an answer has two parts, in a tuple or a list or as the rows of an array."""
    return (isinstance(found, tuple | list) or getattr(found, "ndim", 0) == 2) and len(found) == 2


def _named(found: object) -> str:
    many = f" of {len(found)}" if isinstance(found, tuple | list) else ""
    return f"a {type(found).__name__}{many}"
