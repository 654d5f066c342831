"""The closed forms of the chapter on gradient descent."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from descent._checks import check_in_interval, check_positive_int


def gradient_descent_max_lr(smoothness: float) -> float:
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

    References:
        The chapter on gradient descent, equation ``gd-best-lr``.
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

    References:
        The chapter on gradient descent, equation ``gd-rate``.
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

    References:
        The chapter on gradient descent, equation ``gd-best-rate``.
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

    References:
        The chapter on gradient descent, equation ``gd-steps``.
    """
    check_in_interval("rate", rate, "(0, 1)")
    check_in_interval("shrink", shrink, "(0, 1)")
    steps = math.ceil(math.log(shrink) / math.log(rate))
    # The quotient of two rounded logarithms may lie on the wrong side of a whole number.
    return steps - 1 if rate ** (steps - 1) <= shrink else steps


def gradient_descent_distance(
    eigenvalues: Tensor, coordinates: Tensor, lr: float, step: Tensor
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
    check_in_interval("lr", lr, "[0, inf)")
    factor = 1 - lr * eigenvalues
    return (factor ** step.unsqueeze(-1) * coordinates).norm(dim=-1)


def gradient_descent_stationary_bound(smoothness: float, excess: float, step: Tensor) -> Tensor:
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
    check_in_interval("smoothness", smoothness, "(0, inf)")
    check_in_interval("excess", excess, "[0, inf)")
    return 2 * smoothness * excess / step.double()


def gradient_descent_convex_bound(smoothness: float, distance: float, step: Tensor) -> Tensor:
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
    check_in_interval("smoothness", smoothness, "(0, inf)")
    check_in_interval("distance", distance, "[0, inf)")
    return smoothness * distance**2 / (2 * step.double())


def gradient_descent_worst_case(smoothness: float, distance: float, step: Tensor) -> Tensor:
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
    check_in_interval("smoothness", smoothness, "(0, inf)")
    check_in_interval("distance", distance, "[0, inf)")
    return smoothness * distance**2 / (4 * step.double() + 2)


def gradient_descent_linear_bound(
    smoothness: float, strong_convexity: float, excess: float, step: Tensor
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
    check_in_interval("smoothness", smoothness, "(0, inf)")
    check_in_interval("strong_convexity", strong_convexity, f"(0, {smoothness}]")
    check_in_interval("excess", excess, "[0, inf)")
    return (1 - strong_convexity / smoothness) ** step.double() * excess


def accelerated_rate(kappa: float) -> float:
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
    check_in_interval("kappa", kappa, "[1, inf)")
    return (math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1)


def best_polynomial_rate(kappa: float, num_steps: int) -> float:
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
    check_positive_int("num_steps", num_steps)
    power = accelerated_rate(kappa) ** num_steps
    return 2 * power / (1 + power**2)


def chebyshev_lrs(smoothness: float, strong_convexity: float, num_steps: int) -> Tensor:
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
    check_in_interval("smoothness", smoothness, "(0, inf)")
    check_in_interval("strong_convexity", strong_convexity, f"(0, {smoothness}]")
    check_positive_int("num_steps", num_steps)
    if num_steps & (num_steps - 1):
        raise ValueError(f"num_steps must be a power of 2, got {num_steps}")
    order = [0]
    while len(order) < num_steps:  # each rate is followed by its mirror image
        order = [each for index in order for each in (index, 2 * len(order) - 1 - index)]
    angle = (2 * torch.tensor(order).double() + 1) * math.pi / (2 * num_steps)
    middle, half = (smoothness + strong_convexity) / 2, (smoothness - strong_convexity) / 2
    return 1 / (middle + half * torch.cos(angle))


def saddle_escape_steps(curvature: float, lr: float, start: float, distance: float) -> float:
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
    check_in_interval("curvature", curvature, "(0, inf)")
    check_in_interval("lr", lr, "(0, inf)")
    check_in_interval("distance", distance, "(0, inf)")
    check_in_interval("start", start, f"(0, {distance}]")
    return math.log(distance / start) / math.log1p(lr * curvature)


def forward_difference_bound(h: Tensor, eps: float, value: float, second: float) -> Tensor:
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
    _check_difference(eps, value, second=second)
    return second * h / 2 + 2 * eps * value / h


def forward_difference_best(eps: float, value: float, second: float) -> float:
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
    _check_difference(eps, value, second=second)
    return 2 * math.sqrt(eps * value / second)


def central_difference_bound(h: Tensor, eps: float, value: float, third: float) -> Tensor:
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
    _check_difference(eps, value, third=third)
    return third * h**2 / 6 + eps * value / h


def central_difference_best(eps: float, value: float, third: float) -> float:
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
    _check_difference(eps, value, third=third)
    return math.cbrt(3 * eps * value / third)


def _check_difference(eps: float, value: float, **derivative: float) -> None:
    check_in_interval("eps", eps, "(0, 1)")
    for name, size in {"value": value, **derivative}.items():
        check_in_interval(name, size, "(0, inf)")
