"""The closed forms of the chapter on gradient descent."""

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from descent._checks import check_in_interval
from descent._signatures import (
    Count,
    Finite,
    In,
    NonNegative,
    NonNegatives,
    Positive,
    ProperFraction,
    Steps,
    StepsFromOne,
    checked,
)

Kappa = Annotated[float, In("[1, inf)")]


@checked
def gradient_descent_max_lr(smoothness: Positive) -> float:
    r"""Return :math:`2/L`, the rate at which gradient descent stops converging.

    Args:
        smoothness: :math:`L`, the largest curvature, in (0, inf).

    Returns:
        The rate; any smaller one converges on a quadratic.

    Example:
        >>> gradient_descent_max_lr(10.0)
        0.2

    References:
        The chapter on gradient descent, equation ``gd-stable``.
    """
    return 2 / smoothness


@checked
def gradient_descent_best_lr(smoothness: Positive, strong_convexity: Positive) -> float:
    r"""Return :math:`2/(L+\mu)`, the fastest constant rate on a quadratic.

    Args:
        smoothness: :math:`L`, the largest curvature, in (0, inf).
        strong_convexity: :math:`\mu`, the smallest, in (0, L].

    Returns:
        The learning rate.

    Example:
        >>> gradient_descent_best_lr(100.0, 1.0) == 2 / 101
        True

    References:
        The chapter on gradient descent, equation ``gd-best-lr``.
    """
    check_in_interval("strong_convexity", strong_convexity, f"(0, {smoothness}]")
    return 2 / (smoothness + strong_convexity)


@checked
def gradient_descent_rate(eigenvalues: Sequence[Finite], lr: NonNegative) -> float:
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

    References:
        The chapter on gradient descent, equation ``gd-rate``.
    """
    return max(abs(1 - lr * value) for value in eigenvalues)


@checked
def gradient_descent_best_rate(kappa: Kappa) -> float:
    r"""Return :math:`(\kappa-1)/(\kappa+1)`, the factor per step at the fastest constant rate.

    Args:
        kappa: the condition number :math:`L/\mu`, in [1, inf).

    Returns:
        The factor, in [0, 1).

    Example:
        >>> gradient_descent_best_rate(3.0)
        0.5

    References:
        The chapter on gradient descent, equation ``gd-best-rate``.
    """
    return (kappa - 1) / (kappa + 1)


@checked
def gradient_descent_steps(rate: ProperFraction, shrink: ProperFraction) -> int:
    r"""Return the steps until :math:`\rho^t` has fallen to ``shrink``.

    Args:
        rate: the factor per step :math:`\rho`, in (0, 1).
        shrink: the fraction of the first distance that may remain, in (0, 1).

    Returns:
        The least whole number of steps.

    Example:
        >>> gradient_descent_steps(rate=0.5, shrink=0.125)
        3

    References:
        The chapter on gradient descent, equation ``gd-steps``.
    """
    steps = math.ceil(math.log(shrink) / math.log(rate))
    # The quotient of two rounded logarithms may lie on the wrong side of a whole number.
    return steps - 1 if rate ** (steps - 1) <= shrink else steps


@checked
def gradient_descent_distance(
    eigenvalues: Tensor, coordinates: Tensor, lr: NonNegative, step: Steps
) -> Tensor:
    r"""Return the distance to the minimum of a quadratic after ``step`` steps.

    .. math:: \|\theta_t - \theta^\star\|^2 = \sum_i (1 - \eta\lambda_i)^{2t} c_{0,i}^2

    :math:`\lambda` is ``eigenvalues``, :math:`c_0` is ``coordinates``, :math:`\eta` is ``lr``,
    :math:`t` is ``step``.

    Args:
        eigenvalues: of the Hessian, shape ``(dim,)``.
        coordinates: of the start along the eigenvectors, seen from the minimum, shape ``(dim,)``.
        lr: the learning rate, in [0, inf).
        step: whole numbers from 0, shape ``(steps,)``.

    Returns:
        The distances, shape ``(steps,)``.

    Example:
        >>> gradient_descent_distance(Tensor([1.0]), Tensor([8.0]), 0.5, Tensor([0, 1, 2]))
        tensor([8., 4., 2.])

    References:
        The chapter on gradient descent, equation ``gd-modes``.
    """
    factor = 1 - lr * eigenvalues
    return (factor ** step.unsqueeze(-1) * coordinates).norm(dim=-1)


@checked
def gradient_descent_stationary_bound(
    smoothness: Positive, excess: NonNegatives, step: StepsFromOne
) -> Tensor:
    r"""Return :math:`2L(f(\theta_0) - f^\star)/t`, which the least squared gradient stays under.

    Args:
        smoothness: :math:`L`, in (0, inf); the learning rate is :math:`1/L`.
        excess: :math:`f(\theta_0) - f^\star`, in [0, inf).
        step: :math:`t`, from 1, shape ``(steps,)``.

    Returns:
        The bounds on the least of the first :math:`t` squared gradient norms, shape ``(steps,)``.

    Example:
        >>> gradient_descent_stationary_bound(1.0, 3.0, Tensor([1, 2]))
        tensor([6., 3.], dtype=torch.float64)

    References:
        The chapter on gradient descent, equation ``gd-stationary``.
    """
    return 2 * smoothness * excess / step.double()


@checked
def gradient_descent_convex_bound(
    smoothness: Positive, distance: NonNegatives, step: StepsFromOne
) -> Tensor:
    r"""Return :math:`L\|\theta_0-\theta^\star\|^2/(2t)`, which a convex loss stays under.

    Args:
        smoothness: :math:`L`, in (0, inf); the learning rate is :math:`1/L`.
        distance: :math:`\|\theta_0-\theta^\star\|`, in [0, inf).
        step: :math:`t`, from 1, shape ``(steps,)``.

    Returns:
        The bounds on :math:`f(\theta_t) - f^\star`, shape ``(steps,)``.

    Example:
        >>> gradient_descent_convex_bound(1.0, 2.0, Tensor([1, 2]))
        tensor([2., 1.], dtype=torch.float64)

    References:
        The chapter on gradient descent, equation ``gd-convex``.
    """
    return smoothness * distance**2 / (2 * step.double())


@checked
def gradient_descent_worst_case(
    smoothness: Positive, distance: NonNegatives, step: Steps
) -> Tensor:
    r"""Return :math:`LR^2/(4t+2)`, the worst loss of any convex function after ``step`` steps.

    Args:
        smoothness: :math:`L`, in (0, inf); the learning rate is :math:`1/L`.
        distance: :math:`R`, of the start from the minimum, in [0, inf).
        step: :math:`t`, from 0, shape ``(steps,)``.

    Returns:
        The excess losses, shape ``(steps,)``.

    Example:
        >>> gradient_descent_worst_case(1.0, 2.0, Tensor([0, 2]))
        tensor([2.0000, 0.4000], dtype=torch.float64)

    References:
        The chapter on gradient descent, equation ``gd-worst``.
    """
    return smoothness * distance**2 / (4 * step.double() + 2)


@checked
def gradient_descent_linear_bound(
    smoothness: Positive, strong_convexity: Positive, excess: NonNegatives, step: Steps
) -> Tensor:
    r"""Return :math:`(1-\mu/L)^t (f(\theta_0)-f^\star)`, the promise under Polyak–Łojasiewicz.

    Args:
        smoothness: :math:`L`, in (0, inf); the learning rate is :math:`1/L`.
        strong_convexity: :math:`\mu`, the constant of the inequality, in (0, L].
        excess: :math:`f(\theta_0) - f^\star`, in [0, inf).
        step: :math:`t`, from 0, shape ``(steps,)``.

    Returns:
        The bounds on :math:`f(\theta_t) - f^\star`, shape ``(steps,)``.

    Example:
        >>> gradient_descent_linear_bound(2.0, 1.0, 8.0, Tensor([0, 1, 2]))
        tensor([8., 4., 2.], dtype=torch.float64)

    References:
        The chapter on gradient descent, equation ``gd-linear-rate``.
    """
    check_in_interval("strong_convexity", strong_convexity, f"(0, {smoothness}]")
    return (1 - strong_convexity / smoothness) ** step.double() * excess


@checked
def accelerated_rate(kappa: Kappa) -> float:
    r"""Return :math:`(\sqrt\kappa-1)/(\sqrt\kappa+1)`, the best factor per step in the long run.

    Args:
        kappa: the condition number :math:`L/\mu`, in [1, inf).

    Returns:
        The factor, in [0, 1).

    Example:
        >>> accelerated_rate(9.0)
        0.5

    References:
        The chapter on gradient descent, equation ``gd-root``.
    """
    return (math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1)


@checked
def best_polynomial_rate(kappa: Kappa, num_steps: Count) -> float:
    r"""Return :math:`2\rho^T/(1+\rho^{2T})`, the distance that :math:`T` gradients have to leave.

    :math:`\rho = (\sqrt\kappa-1)/(\sqrt\kappa+1)`, :math:`T` is ``num_steps``. Chebyshev's rates
    leave no more on any quadratic, and no method that combines gradients leaves less on all.

    Args:
        kappa: the condition number :math:`L/\mu`, in [1, inf).
        num_steps: how many gradients, at least 1.

    Returns:
        The fraction of the distance, in [0, 1).

    Example:
        >>> best_polynomial_rate(9.0, 1) == gradient_descent_best_rate(9.0)
        True

    References:
        The chapter on gradient descent, equation ``gd-chebyshev``.
    """
    power = accelerated_rate(kappa) ** num_steps
    return 2 * power / (1 + power**2)


@checked
def chebyshev_lrs(smoothness: Positive, strong_convexity: Positive, num_steps: Count) -> Tensor:
    r"""Return the rates that bring a quadratic as near in ``num_steps`` as gradients can.

    .. math:: \frac1{\eta_t} = \frac{L+\mu}2 + \frac{L-\mu}2 \cos\frac{(2t+1)\pi}{2T}

    :math:`L` is ``smoothness``, :math:`\mu` is ``strong_convexity``, :math:`T` is ``num_steps``.
    In exact arithmetic their order is nothing; in floating point, steps in increasing order undo
    what was gained, so they come in an order in which large and small ones alternate.

    Args:
        smoothness: :math:`L`, the largest curvature, in (0, inf).
        strong_convexity: :math:`\mu`, the smallest, in (0, L].
        num_steps: :math:`T`, a power of 2.

    Returns:
        The learning rates, shape ``(num_steps,)``.

    Raises:
        ValueError: a number is outside its interval, or ``num_steps`` is no power of 2.

    Example:
        >>> chebyshev_lrs(9.0, 1.0, 2)
        tensor([0.1277, 0.4605], dtype=torch.float64)

    References:
        The chapter on gradient descent, equation ``gd-chebyshev-lr``; Young, On Richardson's
        Method for Solving Linear Systems with Positive Definite Matrices, Journal of Mathematics
        and Physics 32 (1953).
    """
    check_in_interval("strong_convexity", strong_convexity, f"(0, {smoothness}]")
    if num_steps & (num_steps - 1):
        raise ValueError(f"num_steps must be a power of 2, got {num_steps}")
    order = [0]
    while len(order) < num_steps:  # each rate is followed by its mirror image
        order = [each for index in order for each in (index, 2 * len(order) - 1 - index)]
    angle = (2 * torch.tensor(order).double() + 1) * math.pi / (2 * num_steps)
    middle, half = (smoothness + strong_convexity) / 2, (smoothness - strong_convexity) / 2
    return 1 / (middle + half * torch.cos(angle))


@checked
def saddle_escape_steps(
    curvature: Positive, lr: Positive, start: Positive, distance: Positive
) -> float:
    r"""Return the steps after which a coordinate at a saddle has grown to ``distance``.

    .. math:: t = \frac{\ln(r/|c_0|)}{\ln(1 + \eta|\lambda|)}

    :math:`|\lambda|` is ``curvature``, :math:`\eta` is ``lr``, :math:`c_0` is ``start``,
    :math:`r` is ``distance``.

    Args:
        curvature: the size of the negative eigenvalue, in (0, inf).
        lr: the learning rate, in (0, inf).
        start: the first coordinate along its axis, in (0, distance].
        distance: the coordinate to reach, in (0, inf).

    Returns:
        The number of steps, seldom whole.

    Example:
        >>> saddle_escape_steps(curvature=1.0, lr=1.0, start=1.0, distance=8.0)
        3.0

    References:
        The chapter on gradient descent, equation ``gd-escape``.
    """
    check_in_interval("start", start, f"(0, {distance}]")
    return math.log(distance / start) / math.log1p(lr * curvature)


@checked
def forward_difference_bound(
    h: Annotated[Tensor, In("(0, inf)")], eps: ProperFraction, value: Positive, second: Positive
) -> Tensor:
    r"""Return :math:`M_2h/2 + 2\varepsilon M_0/h`, what a forward difference may be wrong by.

    Args:
        h: the steps, in (0, inf), any shape.
        eps: :math:`\varepsilon`, the relative error of one evaluation, in (0, 1).
        value: :math:`M_0`, a bound on the function's size, in (0, inf).
        second: :math:`M_2`, a bound on its second derivative, in (0, inf).

    Returns:
        The bounds, of the shape of ``h``.

    Example:
        >>> forward_difference_bound(Tensor([1.0]), 0.25, 1.0, 1.0)
        tensor([1.])

    References:
        The chapter on gradient descent, equation ``gd-forward``.
    """
    return second * h / 2 + 2 * eps * value / h


@checked
def forward_difference_best(eps: ProperFraction, value: Positive, second: Positive) -> float:
    r"""Return :math:`2\sqrt{\varepsilon M_0/M_2}`, the step with the least bound.

    Args:
        eps: :math:`\varepsilon`, the relative error of one evaluation, in (0, 1).
        value: :math:`M_0`, a bound on the function's size, in (0, inf).
        second: :math:`M_2`, a bound on its second derivative, in (0, inf).

    Returns:
        The step :math:`h^\star`.

    Example:
        >>> forward_difference_best(0.25, 1.0, 1.0)
        1.0

    References:
        The chapter on gradient descent, equation ``gd-forward-best``.
    """
    return 2 * math.sqrt(eps * value / second)


@checked
def central_difference_bound(
    h: Annotated[Tensor, In("(0, inf)")], eps: ProperFraction, value: Positive, third: Positive
) -> Tensor:
    r"""Return :math:`M_3h^2/6 + \varepsilon M_0/h`, what a central difference may be wrong by.

    Args:
        h: the steps, in (0, inf), any shape.
        eps: :math:`\varepsilon`, the relative error of one evaluation, in (0, 1).
        value: :math:`M_0`, a bound on the function's size, in (0, inf).
        third: :math:`M_3`, a bound on its third derivative, in (0, inf).

    Returns:
        The bounds, of the shape of ``h``.

    Example:
        >>> central_difference_bound(Tensor([1.0]), 0.5, 1.0, 3.0)
        tensor([1.])

    References:
        The chapter on gradient descent, equation ``gd-central``.
    """
    return third * h**2 / 6 + eps * value / h


@checked
def central_difference_best(eps: ProperFraction, value: Positive, third: Positive) -> float:
    r"""Return :math:`\sqrt[3]{3\varepsilon M_0/M_3}`, the step with the least bound.

    Args:
        eps: :math:`\varepsilon`, the relative error of one evaluation, in (0, 1).
        value: :math:`M_0`, a bound on the function's size, in (0, inf).
        third: :math:`M_3`, a bound on its third derivative, in (0, inf).

    Returns:
        The step :math:`h^\star`.

    Example:
        >>> central_difference_best(0.5, 2.0, 3.0)
        1.0

    References:
        The chapter on gradient descent, equation ``gd-central-best``.
    """
    return math.cbrt(3 * eps * value / third)
