"""Closed forms that the book derives: the oracle its experiments are judged by.

Nothing here runs an optimizer, and nothing here is used by one.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

from torch import Tensor

from descent._checks import check_in_interval, check_positive_int

_NORMAL = NormalDist()


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
    r"""Return :math:`M_2h/2 + 2\varepsilon F/h`, what a forward difference may be wrong by.

    Args:
        h: the steps, in (0, inf), any shape.
        eps: :math:`\varepsilon`, the relative error of one evaluation, in (0, 1).
        value: :math:`F`, a bound on the function's size, in (0, inf).
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
    r"""Return :math:`2\sqrt{\varepsilon F/M_2}`, the step with the least bound.

    Args:
        eps: :math:`\varepsilon`, the relative error of one evaluation, in (0, 1).
        value: :math:`F`, a bound on the function's size, in (0, inf).
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
    r"""Return :math:`M_3h^2/6 + \varepsilon F/h`, what a central difference may be wrong by.

    Args:
        h: the steps, in (0, inf), any shape.
        eps: :math:`\varepsilon`, the relative error of one evaluation, in (0, 1).
        value: :math:`F`, a bound on the function's size, in (0, inf).
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
    r"""Return :math:`\sqrt[3]{3\varepsilon F/M_3}`, the step with the least bound.

    Args:
        eps: :math:`\varepsilon`, the relative error of one evaluation, in (0, 1).
        value: :math:`F`, a bound on the function's size, in (0, inf).
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


# Losses: what they estimate, and how well


def huber_efficiency(delta: float) -> float:
    r"""Return the efficiency of Huber's estimate of a mean under Gaussian noise.

    It is the variance of the mean over that of the estimate, for many samples. The noise has
    standard deviation 1.

    Args:
        delta: :math:`\delta`, where Huber's loss turns from a parabola into a line, in
            (0, inf), in standard deviations of the noise.

    Returns:
        The efficiency, in :math:`(2/\pi, 1)`: from that of the median to that of the mean.

    Example:
        >>> round(huber_efficiency(1.345), 4)
        0.95

    References:
        The chapter on losses, equation ``ls-efficiency``.
    """
    check_in_interval("delta", delta, "(0, inf)")
    inside = math.erf(delta / math.sqrt(2))
    outside = math.erfc(delta / math.sqrt(2))
    variance = inside - 2 * delta * _NORMAL.pdf(delta) + delta**2 * outside
    return inside**2 / variance


def mean_outlier_bias(fraction: float, distance: float) -> float:
    r"""Return :math:`aD`, how far outliers drag the mean.

    Args:
        fraction: :math:`a`, the part of the samples that are outliers, in [0, 1].
        distance: :math:`D`, where they lie, seen from the mean of the others, in (-inf, inf).

    Returns:
        The bias.

    Example:
        >>> mean_outlier_bias(0.25, 10.0)
        2.5

    References:
        The chapter on losses.
    """
    check_in_interval("fraction", fraction, "[0, 1]")
    check_in_interval("distance", distance, "(-inf, inf)")
    return fraction * distance


def median_outlier_bias(fraction: float) -> float:
    r"""Return :math:`\Phi^{-1}(1/(2(1-a)))`, how far distant outliers drag the median.

    Args:
        fraction: :math:`a`, the part of the samples that lie far above the others, in [0, 0.5).

    Returns:
        The bias, in standard deviations of the Gaussian that the others come from.

    Example:
        >>> round(median_outlier_bias(0.1), 4)
        0.1397

    References:
        The chapter on losses, equation ``ls-outlier-median``.
    """
    check_in_interval("fraction", fraction, "[0, 0.5)")
    return _NORMAL.inv_cdf(0.5 / (1 - fraction))


def huber_outlier_bias(fraction: float, delta: float) -> float:
    r"""Return how far distant outliers drag Huber's estimate.

    It is the :math:`c` with :math:`(1-a)\,\mathbb{E}[\psi(c - Z)] = a\delta`, where :math:`\psi`
    clips to :math:`[-\delta, \delta]` and :math:`Z` is standard normal.

    Args:
        fraction: :math:`a`, the part of the samples that lie far above the others, in [0, 0.5).
        delta: :math:`\delta`, in (0, inf).

    Returns:
        The bias :math:`c`, in standard deviations of the Gaussian that the others come from. It
        holds for outliers beyond :math:`c + \delta`.

    Example:
        >>> round(huber_outlier_bias(0.1, delta=1.345), 4)
        0.1825

    References:
        The chapter on losses, equation ``ls-outlier-huber``.
    """
    check_in_interval("fraction", fraction, "[0, 0.5)")
    check_in_interval("delta", delta, "(0, inf)")

    def pull(c: float) -> float:
        """Return the mean of the clipped ``c - Z``, whose slope in c is P(|c - Z| < delta)."""
        return _normal_integral(c + delta) - _normal_integral(c - delta) - delta

    low, high = 0.0, 1.0
    while (1 - fraction) * pull(high) < fraction * delta:
        high *= 2
    for _ in range(100):  # halves the interval; after 60 it is as narrow as a float64
        middle = (low + high) / 2
        if (1 - fraction) * pull(middle) < fraction * delta:
            low = middle
        else:
            high = middle
    return low


def double_softmax_floor(num_classes: int) -> float:
    r"""Return :math:`\ln(1 + (K-1)/e)`, which a second softmax keeps a cross-entropy above.

    Args:
        num_classes: :math:`K`, at least 2.

    Returns:
        The floor.

    Example:
        >>> round(double_softmax_floor(10), 4)
        1.4612

    References:
        The chapter on losses, equation ``ls-double-softmax``.
    """
    check_positive_int("num_classes", num_classes, at_least=2)
    return math.log1p((num_classes - 1) / math.e)


def label_smoothing_gap(label_smoothing: float, num_classes: int) -> float:
    r"""Return :math:`\ln(1 + K(1-\varepsilon)/\varepsilon)`, the gap that smoothed labels ask for.

    Args:
        label_smoothing: :math:`\varepsilon`, in (0, 1].
        num_classes: :math:`K`, at least 2.

    Returns:
        The logit of the right class less that of any other, where the loss is least.

    Example:
        >>> round(label_smoothing_gap(0.1, num_classes=10), 4)
        4.5109

    References:
        The chapter on losses, equation ``ls-smoothing-gap``.
    """
    check_in_interval("label_smoothing", label_smoothing, "(0, 1]")
    check_positive_int("num_classes", num_classes, at_least=2)
    return math.log1p(num_classes * (1 - label_smoothing) / label_smoothing)


def gaussian_entropy(std: float) -> float:
    r"""Return :math:`\tfrac12 + \ln(\sigma\sqrt{2\pi})`, the least that a Gaussian NLL can be.

    Args:
        std: :math:`\sigma`, the standard deviation of the noise, in (0, inf).

    Returns:
        The least expected negative log-likelihood, which may be negative.

    Example:
        >>> round(gaussian_entropy(0.1), 4)
        -0.8836

    References:
        The chapter on losses, equation ``ls-gaussian-entropy``.
    """
    check_in_interval("std", std, "(0, inf)")
    return 0.5 + math.log(std * math.sqrt(2 * math.pi))


def saturation_logit(significand_bits: int) -> float:
    r"""Return :math:`t\ln 2`, from where :math:`1 + e^{-z}` is rounded to 1.

    Args:
        significand_bits: :math:`t`, with the leading one: 24 in float32, 11 in float16, 8 in
            bfloat16.

    Returns:
        The logit.

    Example:
        >>> round(saturation_logit(24), 2)
        16.64

    References:
        The chapter on losses, equation ``ls-saturation``.
    """
    check_positive_int("significand_bits", significand_bits)
    return significand_bits * math.log(2)


def _normal_integral(x: float) -> float:
    """Return the integral of the normal distribution function up to ``x``."""
    return x * _NORMAL.cdf(x) + _NORMAL.pdf(x)
