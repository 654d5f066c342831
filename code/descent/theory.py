"""Closed forms that the book derives: the oracle its experiments are judged by.

Nothing here runs an optimizer, and nothing here is used by one.
"""

import math
from collections.abc import Sequence

from descent._checks import check_in_interval


def gradient_descent_max_lr(smoothness: float) -> float:
    r"""Return :math:`2/L`, the rate at which gradient descent stops converging.

    Args:
        smoothness: :math:`L`, the largest curvature, in (0, inf).

    Returns:
        The rate; any smaller one converges on a quadratic.

    Example:
        >>> gradient_descent_max_lr(10.0)
        0.2
    """
    check_in_interval("smoothness", smoothness, "(0, inf)")
    return 2 / smoothness


def gradient_descent_best_lr(smoothness: float, strong_convexity: float) -> float:
    r"""Return :math:`2/(L+\mu)`, the fastest constant rate on a quadratic.

    Args:
        smoothness: :math:`L`, the largest curvature, in (0, inf).
        strong_convexity: :math:`\mu`, the smallest, in (0, L].

    Returns:
        The learning rate.

    Example:
        >>> gradient_descent_best_lr(100.0, 1.0) == 2 / 101
        True
    """
    check_in_interval("smoothness", smoothness, "(0, inf)")
    check_in_interval("strong_convexity", strong_convexity, f"(0, {smoothness}]")
    return 2 / (smoothness + strong_convexity)


def gradient_descent_rate(eigenvalues: Sequence[float], lr: float) -> float:
    r"""Return :math:`\max_i |1 - \eta\lambda_i|`, the factor per step on a quadratic.

    Args:
        eigenvalues: the curvatures :math:`\lambda_i`.
        lr: the learning rate :math:`\eta`, in [0, inf).

    Returns:
        The factor by which the distance to the minimum shrinks, in the long run, each step;
        above 1 it grows.

    Example:
        >>> gradient_descent_rate([1.0, 100.0], lr=0.02)
        1.0
    """
    check_in_interval("lr", lr, "[0, inf)")
    return max(abs(1 - lr * value) for value in eigenvalues)


def gradient_descent_best_rate(kappa: float) -> float:
    r"""Return :math:`(\kappa-1)/(\kappa+1)`, the factor per step at the fastest constant rate.

    Args:
        kappa: the condition number :math:`L/\mu`, in [1, inf).

    Returns:
        The factor, in [0, 1).

    Example:
        >>> gradient_descent_best_rate(3.0)
        0.5
    """
    check_in_interval("kappa", kappa, "[1, inf)")
    return (kappa - 1) / (kappa + 1)


def gradient_descent_steps(rate: float, shrink: float) -> int:
    r"""Return the steps until :math:`\rho^t` has fallen to ``shrink``.

    Args:
        rate: the factor per step :math:`\rho`, in (0, 1).
        shrink: the fraction of the first distance that may remain, in (0, 1).

    Returns:
        The least whole number of steps.

    Example:
        >>> gradient_descent_steps(rate=0.5, shrink=0.125)
        3
    """
    check_in_interval("rate", rate, "(0, 1)")
    check_in_interval("shrink", shrink, "(0, 1)")
    return math.ceil(math.log(shrink) / math.log(rate) - 1e-12)
