"""The closed forms of the chapter on momentum."""

import math
from typing import Annotated

import torch
from torch import Tensor

from descent._checks import Number, check_in_interval
from descent._signatures import (
    Count,
    Finite,
    Finites,
    Fraction,
    Fractions,
    In,
    NonNegative,
    NonNegatives,
    Positive,
    Positives,
    ProperFraction,
    Steps,
    StepsFromOne,
    checked,
)

Kappa = Annotated[float, In("[1, inf)")]


@checked
def momentum_effective_lr(
    lr: NonNegative, momentum: Fraction, dampening: Annotated[float, In("[0, 1]")] = 0.0
) -> float:
    r"""Return :math:`\eta(1-\tau)/(1-\beta)`, how far a unit of gradient moves in the end.

    Args:
        lr: the learning rate :math:`\eta`, in [0, inf).
        momentum: :math:`\beta`, in [0, 1).
        dampening: :math:`\tau`, in [0, 1].

    Returns:
        The effective rate.

    Example:
        >>> round(momentum_effective_lr(0.01, 0.9), 6)
        0.1

    References:
        The chapter on momentum, equation ``mom-effective``.
    """
    return lr * (1 - dampening) / (1 - momentum)


@checked
def momentum_time_constant(momentum: ProperFraction) -> float:
    r"""Return :math:`-1/\ln\beta`, the steps in which a gradient fades to :math:`1/e`.

    Args:
        momentum: :math:`\beta`, in (0, 1).

    Returns:
        The number of steps, seldom whole.

    Example:
        >>> round(momentum_time_constant(0.9), 2)
        9.49

    References:
        The chapter on momentum, equation ``mom-time``.
    """
    return -1 / math.log(momentum)


@checked
def heavy_ball_max_lr(smoothness: Positive, momentum: Fraction) -> float:
    r"""Return :math:`2(1+\beta)/L`, the rate at which heavy ball stops converging.

    Args:
        smoothness: :math:`L`, the largest curvature, in (0, inf).
        momentum: :math:`\beta`, in [0, 1).

    Returns:
        The rate; any smaller one converges on a quadratic.

    Example:
        >>> heavy_ball_max_lr(10.0, momentum=0.5)
        0.3

    References:
        The chapter on momentum, equation ``mom-stable``.
    """
    return 2 * (1 + momentum) / smoothness


@checked
def heavy_ball_critical_momentum(lr: Positive, curvature: Positive) -> float:
    r"""Return :math:`(1-\sqrt{\eta\lambda})^2`, the fastest momentum on a parabola.

    Below it the ball creeps or hops, above it the ball swings.

    Args:
        lr: the learning rate :math:`\eta`, in (0, inf).
        curvature: :math:`\lambda`, in (0, 4/lr).

    Returns:
        The momentum, in [0, 1).

    Example:
        >>> heavy_ball_critical_momentum(0.25, curvature=1.0)
        0.25

    References:
        The chapter on momentum, equation ``mom-critical``.
    """
    check_in_interval("curvature", curvature, f"(0, {4 / lr})")
    return (1 - math.sqrt(lr * curvature)) ** 2


@checked
def heavy_ball_rate(eigenvalues: Finites, lr: NonNegatives, momentum: Fractions) -> Tensor:
    r"""Return the factor per step of heavy ball on parabolas.

    .. math:: \max |r| \quad\text{with}\quad r^2 - (1 + \beta - \eta\lambda)r + \beta = 0

    :math:`\lambda` is ``eigenvalues``, :math:`\eta` is ``lr``, :math:`\beta` is ``momentum``.

    Args:
        eigenvalues: the curvatures, in (-inf, inf).
        lr: the learning rates, in [0, inf).
        momentum: in [0, 1).

    Returns:
        The factors, of the shape to which the arguments broadcast; above 1 the distance grows.

    Example:
        >>> heavy_ball_rate(1.0, 1.0, 0.25)
        tensor(0.5000, dtype=torch.float64)

    References:
        The chapter on momentum, equation ``mom-char``.
    """
    eigenvalues, lr, momentum = _exact(eigenvalues, lr, momentum)
    return _larger_root(1 + momentum - lr * eigenvalues, momentum)


@checked
def heavy_ball_best(smoothness: Positive, strong_convexity: Positive) -> tuple[float, float]:
    r"""Return the rate and the momentum that are fastest on a quadratic.

    .. math::

        \eta^\star = \left(\frac{2}{\sqrt L + \sqrt\mu}\right)^2 \qquad
        \beta^\star = \left(\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}\right)^2

    :math:`L` is ``smoothness``, :math:`\mu` is ``strong_convexity``, :math:`\kappa = L/\mu`.

    Args:
        smoothness: the largest curvature, in (0, inf).
        strong_convexity: the smallest, in (0, L].

    Returns:
        ``(lr, momentum)``.

    Example:
        >>> heavy_ball_best(9.0, 1.0)
        (0.25, 0.25)

    References:
        The chapter on momentum, equations ``mom-best-lr`` and ``mom-best-momentum``.
    """
    check_in_interval("strong_convexity", strong_convexity, f"(0, {smoothness}]")
    lr = (2 / (math.sqrt(smoothness) + math.sqrt(strong_convexity))) ** 2
    return lr, heavy_ball_best_rate(smoothness / strong_convexity) ** 2


@checked
def heavy_ball_best_rate(kappa: Kappa) -> float:
    r"""Return :math:`(\sqrt\kappa-1)/(\sqrt\kappa+1)`, heavy ball's factor per step at its best.

    Args:
        kappa: the condition number :math:`L/\mu`, in [1, inf).

    Returns:
        The factor, in [0, 1).

    Example:
        >>> heavy_ball_best_rate(9.0)
        0.5

    References:
        The chapter on momentum, equation ``mom-best-rate``.
    """
    root = math.sqrt(kappa)
    return (root - 1) / (root + 1)


@checked
def heavy_ball_distance(
    eigenvalues: Tensor, coordinates: Tensor, lr: NonNegative, momentum: Fraction, step: Steps
) -> Tensor:
    r"""Return heavy ball's distance to the minimum of a quadratic after ``step`` steps.

    Each coordinate follows :math:`c_{t+1} = (1 + \beta - \eta\lambda) c_t - \beta c_{t-1}` from
    rest, :math:`c_{-1} = c_0`; its companion matrix is raised to the power :math:`t`.

    Args:
        eigenvalues: of the Hessian, shape ``(dim,)``.
        coordinates: of the start along the eigenvectors, seen from the minimum, shape ``(dim,)``.
        lr: the learning rate :math:`\eta`, in [0, inf).
        momentum: :math:`\beta`, in [0, 1).
        step: whole numbers from 0, shape ``(steps,)``.

    Returns:
        The distances, shape ``(steps,)``, in float64.

    Example:
        >>> heavy_ball_distance(Tensor([1.0]), Tensor([8.0]), 0.5, 0.5, Tensor([0, 1, 2]))
        tensor([8., 4., 0.], dtype=torch.float64)

    References:
        The chapter on momentum, equation ``mom-parabola``.
    """
    eigenvalues, lr, momentum = _exact(eigenvalues, lr, momentum)
    companion = torch.zeros(len(eigenvalues), 2, 2, dtype=torch.float64)
    companion[:, 0, 0] = 1 + momentum - lr * eigenvalues
    companion[:, 0, 1] = -momentum
    companion[:, 1, 0] = 1
    rest = coordinates.double()[:, None, None].expand(-1, 2, 1)
    powers = [torch.linalg.matrix_power(companion, int(t)) @ rest for t in step]
    return torch.stack(powers)[:, :, 0, 0].norm(dim=-1)


@checked
def heavy_ball_trapped(
    lr: NonNegatives,
    momentum: Fractions,
    smoothness: Positives,
    strong_convexity: Positives,
    corners: Annotated[Number, In("[3, inf)")],
) -> Tensor:
    r"""Say whether heavy ball can go round a polygon for ever.

    .. math:: 2(1 - \cos\psi)(1 + \beta^2 - 2\beta\cos\psi) + \eta^2\mu L
        \le 2\eta\left((\beta - \cos\psi)L + (1 - \beta\cos\psi)\mu\right),
        \qquad \psi = 2\pi/n

    :math:`\eta` is ``lr``, :math:`\beta` is ``momentum``, :math:`L` is ``smoothness``,
    :math:`\mu` is ``strong_convexity``, :math:`n` is ``corners``.

    Args:
        lr: in [0, inf).
        momentum: in [0, 1).
        smoothness: the largest curvature, in (0, inf).
        strong_convexity: the smallest, in (0, L).
        corners: of the polygon, from 3.

    Returns:
        Booleans, of the shape to which the arguments broadcast. The function is
        :func:`descent.tasks.problems.goujaud`.

    Example:
        >>> heavy_ball_trapped(*heavy_ball_best(100.0, 1.0), 100.0, 1.0, torch.arange(3, 9))
        tensor([ True,  True,  True,  True, False, False])

    References:
        The chapter on momentum, equation ``mom-trap``.
    """
    smoothness, lr, momentum = _exact(smoothness, lr, momentum)
    cos = torch.cos(2 * torch.pi / torch.as_tensor(corners, dtype=torch.float64))
    ring = 2 * (1 - cos) * (1 + momentum**2 - 2 * momentum * cos)
    pull = (momentum - cos) * smoothness + (1 - momentum * cos) * strong_convexity
    return ring + lr**2 * strong_convexity * smoothness <= 2 * lr * pull


@checked
def heavy_ball_average_bound(
    effective_lr: Positive,
    momentum: Fraction,
    excess: NonNegatives,
    distance: NonNegatives,
    step: StepsFromOne,
) -> Tensor:
    r"""Return what a convex loss stays under at the mean of heavy ball's first iterates.

    .. math:: \frac1T \left(\frac{\|\theta_0 - \theta^\star\|^2}{2\eta_{\text{eff}}}
        + \frac{\beta}{1 - \beta} (f(\theta_0) - f^\star)\right)

    :math:`\eta_{\text{eff}}` is ``effective_lr``, :math:`\beta` is ``momentum``, :math:`T` is
    ``step``.

    Args:
        effective_lr: in (0, 1/L].
        momentum: in [0, 1).
        excess: :math:`f(\theta_0) - f^\star`, in [0, inf).
        distance: :math:`\|\theta_0 - \theta^\star\|`, in [0, inf).
        step: how many iterates are averaged, from 1, shape ``(steps,)``.

    Returns:
        The bounds on the excess loss of the mean, shape ``(steps,)``, in float64.

    Example:
        >>> heavy_ball_average_bound(0.5, 0.5, excess=1.0, distance=3.0, step=Tensor([1, 10]))
        tensor([10.,  1.], dtype=torch.float64)

    References:
        The chapter on momentum, equation ``mom-average``.
    """
    wind_up = momentum / (1 - momentum) * excess
    return (distance**2 / (2 * effective_lr) + wind_up) / step.double()


@checked
def combination_lower_bound(kappa: Kappa, step: Steps) -> Tensor:
    r"""Return the part of the distance that no combination of ``step`` gradients takes off.

    .. math:: \frac{2\rho^t}{1 + \rho^{2t}} \qquad
        \rho = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}

    :math:`t` is ``step``.

    Args:
        kappa: the condition number, in [1, inf).
        step: from 0, shape ``(steps,)``.

    Returns:
        The parts on the hardest bowl, shape ``(steps,)``, in float64.

    Example:
        >>> combination_lower_bound(9.0, Tensor([0, 1]))
        tensor([1.0000, 0.8000], dtype=torch.float64)

    References:
        The chapter on momentum, equation ``mom-chebyshev``.
    """
    power = heavy_ball_best_rate(kappa) ** step.double()
    return 2 * power / (1 + power**2)


@checked
def momentum_noise_floor(
    lr: Positives, momentum: Fractions, curvature: Positives, variance: NonNegatives
) -> Number:
    r"""Return the mean square at which noise keeps heavy ball away from a parabola's minimum.

    .. math::

        \mathbb{E}[c^2] = \frac{\eta\sigma^2(1+\beta)}{(1-\beta)\lambda(2(1+\beta)-\eta\lambda)}

    :math:`\eta` is ``lr``, :math:`\beta` is ``momentum``, :math:`\lambda` is ``curvature``,
    :math:`\sigma^2` is ``variance``.

    Args:
        lr: the learning rate, in (0, inf), and below :math:`2(1+\beta)/\lambda`.
        momentum: in [0, 1).
        curvature: in (0, inf).
        variance: of the noise in the gradient, in [0, inf).

    Returns:
        The floor; a tensor if an argument is one.

    Raises:
        ValueError: ``lr`` is too large to have a floor.

    Example:
        >>> round(momentum_noise_floor(0.01, 0.9, curvature=1.0, variance=1.0), 4)
        0.0501

    References:
        The chapter on momentum, equation ``mom-floor``.
    """
    check_in_interval("lr * curvature / (1 + momentum)", lr * curvature / (1 + momentum), "(0, 2)")
    room = 2 * (1 + momentum) - lr * curvature
    return lr * variance * (1 + momentum) / ((1 - momentum) * curvature * room)


@checked
def velocity_lag(
    lr_before: NonNegative, lr_after: NonNegative, momentum: Fraction, buffer: Finite, step: Steps
) -> Tensor:
    r"""Return how far the papers' form lies from PyTorch's, ``step`` steps after the rate changed.

    .. math:: -(\eta - \eta')\,\frac{\beta(1-\beta^k)}{1-\beta}\,b

    :math:`\eta` is ``lr_before``, :math:`\eta'` is ``lr_after``, :math:`\beta` is ``momentum``,
    :math:`b` is ``buffer``, :math:`k` is ``step``. Both forms see the same gradients.

    Args:
        lr_before: the rate until then, in [0, inf).
        lr_after: the rate from then on, in [0, inf).
        momentum: in [0, 1).
        buffer: PyTorch's momentum buffer when the rate changed.
        step: whole numbers from 0, shape ``(steps,)``.

    Returns:
        The papers' parameter minus PyTorch's, shape ``(steps,)``, in float64.

    Example:
        >>> velocity_lag(1.0, 0.0, momentum=0.5, buffer=1.0, step=Tensor([0, 1, 2]))
        tensor([-0.0000, -0.5000, -0.7500], dtype=torch.float64)

    References:
        The chapter on momentum, equation ``mom-lag``.
    """
    faded = momentum * (1 - momentum ** step.double()) / (1 - momentum)
    return -(lr_before - lr_after) * buffer * faded


@checked
def nesterov_rate(eigenvalues: Finites, lr: NonNegatives, momentum: Fractions) -> Tensor:
    r"""Return the factor per step of Nesterov's momentum on parabolas.

    .. math:: \max |r| \quad\text{with}\quad
        r^2 - (1 + \beta)(1 - \eta\lambda)r + \beta(1 - \eta\lambda) = 0

    :math:`\lambda` is ``eigenvalues``, :math:`\eta` is ``lr``, :math:`\beta` is ``momentum``.

    Args:
        eigenvalues: the curvatures, in (-inf, inf).
        lr: the learning rates, in [0, inf).
        momentum: in [0, 1).

    Returns:
        The factors, of the shape to which the arguments broadcast; above 1 the distance grows.

    Example:
        >>> nesterov_rate(1.0, 0.75, 1 / 3)
        tensor(0.2887, dtype=torch.float64)

    References:
        The chapter on momentum, equation ``mom-nesterov-char``.
    """
    eigenvalues, lr, momentum = _exact(eigenvalues, lr, momentum)
    factor = 1 - lr * eigenvalues
    return _larger_root((1 + momentum) * factor, momentum * factor)


@checked
def nesterov_max_lr(smoothness: Positive, momentum: Fraction) -> float:
    r"""Return :math:`2(1+\beta)/((1+2\beta)L)`, where Nesterov's momentum stops converging.

    Args:
        smoothness: :math:`L`, the largest curvature, in (0, inf).
        momentum: :math:`\beta`, in [0, 1).

    Returns:
        The rate; any smaller one converges on a quadratic.

    Example:
        >>> nesterov_max_lr(1.0, momentum=0.5)
        1.5

    References:
        The chapter on momentum, equation ``mom-nesterov-stable``.
    """
    return heavy_ball_max_lr(smoothness, momentum) / (1 + 2 * momentum)


@checked
def nesterov_momentum(kappa: Kappa) -> float:
    r"""Return :math:`(\sqrt\kappa-1)/(\sqrt\kappa+1)`, Nesterov's constant momentum.

    Args:
        kappa: the condition number :math:`L/\mu`, in [1, inf); the rate is :math:`1/L`.

    Returns:
        The momentum, in [0, 1).

    Example:
        >>> nesterov_momentum(9.0)
        0.5

    References:
        The chapter on momentum, equation ``mom-nesterov-momentum``.
    """
    return heavy_ball_best_rate(kappa)


@checked
def nesterov_linear_bound(
    smoothness: Positive,
    strong_convexity: Positive,
    excess: NonNegatives,
    distance: NonNegatives,
    step: Steps,
) -> Tensor:
    r"""Return what a strongly convex loss stays under with Nesterov's constant momentum.

    .. math:: \left(1 - \frac{1}{\sqrt\kappa}\right)^t
        \left(f(\theta_0) - f^\star + \frac\mu2 \|\theta_0 - \theta^\star\|^2\right)

    :math:`\kappa = L/\mu`; :math:`L` is ``smoothness``, :math:`\mu` is ``strong_convexity``,
    :math:`t` is ``step``.

    Args:
        smoothness: in (0, inf); the learning rate is :math:`1/L`.
        strong_convexity: in (0, L].
        excess: :math:`f(\theta_0) - f^\star`, in [0, inf).
        distance: :math:`\|\theta_0 - \theta^\star\|`, in [0, inf).
        step: from 0, shape ``(steps,)``.

    Returns:
        The bounds on :math:`f(x_t) - f^\star`, shape ``(steps,)``, in float64.

    Example:
        >>> nesterov_linear_bound(4.0, 1.0, 7.0, 2**0.5, Tensor([0, 1, 2]))
        tensor([8., 4., 2.], dtype=torch.float64)

    References:
        The chapter on momentum, equation ``mom-nesterov-bound``.
    """
    check_in_interval("strong_convexity", strong_convexity, f"(0, {smoothness}]")
    shrink = 1 - math.sqrt(strong_convexity / smoothness)
    return shrink ** step.double() * (excess + strong_convexity / 2 * distance**2)


@checked
def nesterov_convex_bound(smoothness: Positive, distance: NonNegatives, step: Steps) -> Tensor:
    r"""Return :math:`2L\|\theta_0-\theta^\star\|^2/(t+1)^2`, Nesterov's promise to a convex loss.

    Args:
        smoothness: :math:`L`, in (0, inf); the rate is :math:`1/L`, the momentum scheduled.
        distance: :math:`\|\theta_0-\theta^\star\|`, in [0, inf).
        step: :math:`t`, from 0, shape ``(steps,)``.

    Returns:
        The bounds on :math:`f(x_t) - f^\star`, shape ``(steps,)``, in float64.

    Example:
        >>> nesterov_convex_bound(1.0, 2.0, Tensor([1, 3]))
        tensor([2.0000, 0.5000], dtype=torch.float64)

    References:
        The chapter on momentum, equation ``mom-nesterov-convex``.
    """
    return 2 * smoothness * distance**2 / (step.double() + 1) ** 2


@checked
def chain_lower_bound(smoothness: Positive, dim: Count, step: Steps) -> Tensor:
    r"""Return the excess loss that no use of ``step`` gradients can beat on the chain.

    .. math:: \frac{L}{8}\left(\frac{1}{t+1} - \frac{1}{d+1}\right)

    :math:`L` is ``smoothness``, :math:`d` is ``dim``, :math:`t` is ``step``.

    Args:
        smoothness: in (0, inf).
        dim: of :func:`descent.tasks.problems.chain`, at least 1.
        step: from 0 to ``dim``, shape ``(steps,)``.

    Returns:
        The bounds on :math:`f(x_t) - f^\star`, shape ``(steps,)``, in float64.

    Example:
        >>> chain_lower_bound(8.0, 3, Tensor([0, 1, 3]))
        tensor([0.7500, 0.2500, 0.0000], dtype=torch.float64)

    References:
        The chapter on momentum, equation ``mom-chain-floor``.
    """
    check_in_interval("step", step, f"[0, {dim}]")
    return smoothness / 8 * (1 / (step.double() + 1) - 1 / (dim + 1))


@checked
def heavy_ball_cycle() -> tuple[float, float, float]:
    r"""Return the three points between which heavy ball hops on Lessard's function for ever.

    Returns:
        The points, in the order of the hops. See :func:`descent.tasks.problems.lessard`; the rate
        is 1/9 and the momentum 4/9.

    Example:
        >>> [round(point, 4) for point in heavy_ball_cycle()]
        [-1.8024, 2.1159, 0.6465]

    References:
        The chapter on momentum, equation ``mom-cycle``.
    """
    return -2208 / 1225, 2592 / 1225, 792 / 1225


def _exact(*values: Number) -> tuple[Tensor, ...]:
    return tuple(torch.as_tensor(value, dtype=torch.float64) for value in values)


def _larger_root(total: Tensor, product: Tensor) -> Tensor:
    """Return the larger modulus of two roots, from their sum and their product."""
    discriminant = total**2 - 4 * product
    real = (total.abs() + discriminant.clamp(min=0).sqrt()) / 2
    return torch.where(discriminant < 0, product.abs().sqrt(), real)
