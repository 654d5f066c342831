"""Toy objectives whose every number is known: bowls, ravines, saddles and plateaus.

Each takes points of shape ``(..., dim)`` and returns values of shape ``(...)``, so the same
function serves one run, a batch of runs and the grid of a contour plot.
"""

import cmath
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Annotated

import torch
from torch import Tensor

from descent._checks import check_in_interval, check_shape
from descent._signatures import (
    Count,
    Finite,
    Fraction,
    In,
    NonNegatives,
    Positive,
    Seed,
    checked,
)

Known = Annotated[Tensor, In("(-inf, inf)")]
"""Data without gaps."""

Objective = Callable[[Tensor], Tensor]


@checked
@dataclass(frozen=True, eq=False)
class Problem:
    """An objective with a place to start and, where there is one, its minimum.

    Args:
        name: what figures print.
        objective: maps points ``(..., dim)`` to values ``(...)``.
        start: the usual first point, shape ``(dim,)``.
        minimizer: a point of least value, shape ``(dim,)``, or ``None`` if there is none.
        window: ``(low, high)`` along each axis, the part of the plane worth drawing.

    The objective then refuses points of another dimension than ``start``, by a ValueError.

    Example:
        >>> bowl = quadratic([1.0, 10.0])
        >>> bowl.objective(bowl.start)
        tensor(5.5000, dtype=torch.float64)
        >>> bowl.gradient(bowl.start)
        tensor([ 1., 10.], dtype=torch.float64)
    """

    name: str
    objective: Objective
    start: Tensor
    minimizer: Tensor | None
    window: tuple[tuple[float, float], tuple[float, float]] = ((-1.5, 1.5), (-1.5, 1.5))

    def __post_init__(self) -> None:
        """Hold the objective to the dimension of the start."""
        held = _of_dimension(self.objective, self.start.shape[-1])
        object.__setattr__(self, "objective", held)

    def gradient(self, theta: Tensor) -> Tensor:
        """Differentiate the objective by autograd at points ``(..., dim)``."""
        return value_and_gradient(self.objective, theta)[1]


def _of_dimension(objective: Objective, dim: int) -> Objective:
    @wraps(objective)
    def held(theta: Tensor) -> Tensor:
        if theta.shape[-1:] != (dim,):
            raise ValueError(f"theta must have shape (..., {dim}), got {tuple(theta.shape)}")
        return objective(theta)

    return held


@checked
def value_and_gradient(objective: Objective, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Evaluate an objective and its gradient at one point or at many.

    Args:
        objective: maps points ``(..., dim)`` to values ``(...)``, each from its own point alone.
        theta: points, shape ``(..., dim)``.

    Returns:
        The values, shape ``(...)``, and the gradients, shape ``(..., dim)``.

    Raises:
        TypeError: the objective's value is not a tensor.
        ValueError: the objective's values do not have shape ``(...)``.

    Example:
        >>> value, grad = value_and_gradient(lambda theta: (theta**2).sum(-1), torch.ones(3, 2))
        >>> value.shape, grad.shape
        (torch.Size([3]), torch.Size([3, 2]))
    """
    theta = theta.detach().requires_grad_()
    value = objective(theta)
    check_shape("the objective's value", value, tuple(theta.shape[:-1]))
    # One point's value does not depend on another's, so the gradient of the sum is all of theirs.
    (grad,) = torch.autograd.grad(value.sum(), theta)
    return value.detach(), grad


class GaussianNoise:
    r"""Gradient noise whose statistics are known exactly: independent, normal, of mean 0.

    Added to the gradient of a quadratic it makes the noisy quadratic, on which the mean and the
    variance of every run have a closed form.

    Args:
        std: the standard deviation :math:`\sigma` of each component, in [0, inf); a tensor
            broadcasts against the parameters, one value per run or per direction.
        seed: an integer in [0, 2**32). The numbers are drawn on the CPU, so that they are the
            same on every device.

    Raises:
        TypeError: ``std`` is not a number, or the seed not an integer.
        ValueError: ``std`` is negative or NaN, or the seed is out of range.

    Example:
        >>> noise = GaussianNoise(2.0, seed=0)
        >>> drawn = noise(torch.zeros(1000, 50))
        >>> drawn.shape, round(drawn.std().item(), 1)
        (torch.Size([1000, 50]), 2.0)

    References:
        The chapter on stochastic gradient descent.
    """

    @checked
    def __init__(self, std: NonNegatives, *, seed: Seed) -> None:
        self._std = std
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self, theta: Tensor) -> Tensor:
        """Draw anew for every component of ``theta``, of shape ``(..., dim)``."""
        drawn = torch.randn(theta.shape, generator=self._generator, dtype=theta.dtype)
        return self._std * drawn.to(theta.device)


@checked
def quadratic(eigenvalues: Sequence[Finite], angle: Finite = 0.0) -> Problem:
    r"""Build the bowl :math:`f(\theta) = \tfrac12 \sum_i \lambda_i c_i^2`, with minimum 0 at 0.

    :math:`\lambda` is ``eigenvalues``; :math:`c` are the coordinates of :math:`\theta` along the
    eigenvectors, which ``angle`` turns.

    Args:
        eigenvalues: the curvatures along the eigenvectors, one or more finite numbers.
        angle: turns the first two eigenvectors, in radians; needs two eigenvalues.

    Returns:
        The problem, in float64; its start has coordinate 1 along every eigenvector.

    Raises:
        ValueError: no eigenvalue, a number that is not finite, or an angle in one dimension.

    Example:
        >>> quadratic([1.0, 100.0]).objective(torch.tensor([0.0, 0.1], dtype=torch.float64))
        tensor(0.5000, dtype=torch.float64)

    References:
        The chapter on gradient descent.
    """
    if len(eigenvalues) == 0:
        raise ValueError("eigenvalues must hold at least one number, got none")
    curvature = torch.tensor([float(value) for value in eigenvalues], dtype=torch.float64)
    basis = torch.eye(len(curvature), dtype=torch.float64)
    if angle:
        if len(curvature) < 2:
            raise ValueError(f"angle must be 0 in one dimension, got {angle}")
        cos, sin = math.cos(angle), math.sin(angle)
        basis[:2, :2] = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)

    def objective(theta: Tensor) -> Tensor:
        coordinates = theta @ basis.to(theta)
        return 0.5 * (curvature.to(theta) * coordinates**2).sum(-1)

    return Problem(
        name="quadratic",
        objective=objective,
        start=basis.sum(1),
        minimizer=torch.zeros(len(curvature), dtype=torch.float64)
        if min(eigenvalues) >= 0
        else None,
    )


@checked
def ravine(kappa: Annotated[float, In("[1, inf)")]) -> Problem:
    r"""Build the two-dimensional bowl with curvatures 1 and :math:`\kappa`.

    Args:
        kappa: the condition number, in [1, inf).

    Returns:
        The problem, in float64, with its steep direction along the second axis.

    Raises:
        ValueError: ``kappa`` is below 1.

    Example:
        >>> ravine(100.0).gradient(torch.ones(2, dtype=torch.float64))
        tensor([  1., 100.], dtype=torch.float64)
    """
    return quadratic([1.0, kappa])


@checked
def saddle(curvature: Positive = 1.0) -> Problem:
    r"""Build :math:`f(x, y) = \tfrac12 x^2 - \tfrac12 |\lambda| y^2 + \tfrac14 y^4`.

    The origin is a saddle; the two minima lie at :math:`y = \pm\sqrt{|\lambda|}`.

    Args:
        curvature: :math:`|\lambda|`, how steeply the saddle falls, in (0, inf).

    Returns:
        The problem, in float64; its start lies a hair from the ridge, so that the descent
        first seems to converge to the saddle.

    Example:
        >>> problem = saddle()
        >>> problem.gradient(problem.minimizer)
        tensor([0., 0.], dtype=torch.float64)
    """

    def objective(theta: Tensor) -> Tensor:
        x, y = theta.unbind(-1)
        return 0.5 * x**2 - 0.5 * curvature * y**2 + 0.25 * y**4

    reach = 1.5 * max(1.0, math.sqrt(curvature))
    return Problem(
        name="saddle",
        objective=objective,
        start=torch.tensor([1.0, 1e-6], dtype=torch.float64),
        minimizer=torch.tensor([0.0, math.sqrt(curvature)], dtype=torch.float64),
        window=((-1.5, 1.5), (-reach, reach)),
    )


@checked
def plateau(dim: Count = 2) -> Problem:
    r"""Build :math:`f(\theta) = 1 - \exp(-\tfrac12 \|\theta\|^2)`, flat away from its minimum at 0.

    Args:
        dim: the number of parameters, at least 1.

    Returns:
        The problem, in float64; its start lies out where the gradient has all but vanished.

    Example:
        >>> problem = plateau()
        >>> bool(problem.gradient(problem.start).norm() < 0.04)
        True
    """

    def objective(theta: Tensor) -> Tensor:
        return -torch.expm1(-0.5 * (theta**2).sum(-1))

    start = torch.full((dim,), 3.0 / math.sqrt(dim), dtype=torch.float64)
    return Problem(
        name="plateau",
        objective=objective,
        start=start,
        minimizer=torch.zeros(dim, dtype=torch.float64),
        window=((-3.0, 3.0), (-3.0, 3.0)),
    )


def rosenbrock() -> Problem:
    r"""Build Rosenbrock's curved valley :math:`f(x, y) = (1 - x)^2 + 100\,(y - x^2)^2`.

    Returns:
        The problem, in float64, with its minimum 0 at (1, 1).

    Example:
        >>> problem = rosenbrock()
        >>> problem.objective(problem.minimizer)
        tensor(0., dtype=torch.float64)

    References:
        H. H. Rosenbrock, An automatic method for finding the greatest or least value of a
        function, The Computer Journal 3 (1960).
    """

    def objective(theta: Tensor) -> Tensor:
        x, y = theta.unbind(-1)
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    return Problem(
        name="Rosenbrock",
        objective=objective,
        start=torch.tensor([-1.2, 1.0], dtype=torch.float64),
        minimizer=torch.ones(2, dtype=torch.float64),
        window=((-2.0, 2.0), (-1.0, 3.0)),
    )


def beale() -> Problem:
    r"""Build Beale's function, a bent valley that flattens towards its ends.

    .. math:: f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2

    Returns:
        The problem, in float64, with its minimum 0 at (3, 0.5).

    Example:
        >>> problem = beale()
        >>> problem.objective(problem.minimizer)
        tensor(0., dtype=torch.float64)

    References:
        E. M. L. Beale, On an iterative method for finding a local minimum of a function of more
        than one variable, Technical Report 25, Statistical Techniques Research Group, Princeton
        University (1958).
    """

    def objective(theta: Tensor) -> Tensor:
        x, y = theta.unbind(-1)
        return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2

    return Problem(
        name="Beale",
        objective=objective,
        start=torch.ones(2, dtype=torch.float64),
        minimizer=torch.tensor([3.0, 0.5], dtype=torch.float64),
        window=((-4.5, 4.5), (-4.5, 4.5)),
    )


@checked
def least_squares(input: Known, target: Known) -> Problem:
    r"""Build :math:`f(w) = \tfrac1n \|Xw - y\|^2`, whose minimizer has a closed form.

    :math:`X` is ``input``, :math:`y` is ``target``, :math:`w` the weights.

    Args:
        input: one row per sample, shape ``(num_samples, dim)``, of full column rank.
        target: one number per sample, shape ``(num_samples,)``.

    Returns:
        The problem; it starts at zero weights and knows its minimizer.

    Raises:
        ValueError: the shapes do not fit each other, or a number is not finite.

    Example:
        >>> problem = least_squares(torch.eye(2), torch.tensor([3.0, 4.0]))
        >>> problem.minimizer
        tensor([3., 4.])
    """
    check_shape("input", input, (None, None))
    num_samples, dim = input.shape
    check_shape("target", target, (num_samples,))

    def objective(theta: Tensor) -> Tensor:
        return ((theta @ input.T - target) ** 2).mean(-1)

    return Problem(
        name="least squares",
        objective=objective,
        start=torch.zeros(dim, dtype=input.dtype, device=input.device),
        minimizer=torch.linalg.lstsq(input, target.unsqueeze(-1)).solution.squeeze(-1),
    )


@checked
def chain(dim: Count, smoothness: Positive = 1.0) -> Problem:
    r"""Build Nesterov's chain, on which every method that follows gradients is slow.

    .. math:: f(\theta) = \frac L4 \left(\frac12 \left(\theta_1^2
        + \sum_{i<d} (\theta_i - \theta_{i+1})^2 + \theta_d^2\right) - \theta_1\right)

    :math:`L` is ``smoothness``, :math:`d` is ``dim``. From 0, each gradient moves one
    coordinate more, and the minimizer :math:`\theta_i = 1 - i/(d+1)` moves them all.

    Args:
        dim: the number of parameters, at least 1.
        smoothness: a bound on the curvature, in (0, inf).

    Returns:
        The problem, in float64; it starts at 0.

    Raises:
        ValueError: ``dim`` is below 1 or ``smoothness`` is not positive.

    Example:
        >>> chain(3).minimizer
        tensor([0.7500, 0.5000, 0.2500], dtype=torch.float64)

    References:
        The chapter on momentum; Nesterov, Introductory Lectures on Convex Optimization (2004),
        section 2.1.
    """

    def objective(theta: Tensor) -> Tensor:
        springs = torch.nn.functional.pad(theta, (1, 1)).diff(dim=-1)
        return smoothness / 4 * (0.5 * springs.square().sum(-1) - theta[..., 0])

    return Problem(
        name="chain",
        objective=objective,
        start=torch.zeros(dim, dtype=torch.float64),
        minimizer=1 - torch.arange(1, dim + 1, dtype=torch.float64) / (dim + 1),
    )


def lessard() -> Problem:
    r"""Build the strongly convex function of one parameter on which heavy ball goes in circles.

    Its curvature is 25, but 1 between 1 and 2; its minimum is 0 at 0.

    Returns:
        The problem, in float64; it starts where heavy ball with rate 1/9 and momentum 4/9, its
        best for a quadratic of these curvatures, is caught.

    Example:
        >>> lessard().gradient(torch.tensor([1.0, 2.0, 3.0])[:, None])[:, 0]
        tensor([25., 26., 51.])

    References:
        The chapter on momentum; Lessard, Recht and Packard, Analysis and Design of Optimization
        Algorithms via Integral Quadratic Constraints, SIAM Journal on Optimization 26 (2016),
        section 4.6.
    """

    def objective(theta: Tensor) -> Tensor:
        x = theta.squeeze(-1)
        steep, flat = 12.5 * x**2, 0.5 * x**2 + 24 * x - 12
        return torch.where(x < 1, steep, torch.where(x < 2, flat, steep - 24 * x + 36))

    return Problem(
        name="Lessard",
        objective=objective,
        start=torch.tensor([3.3], dtype=torch.float64),
        minimizer=torch.zeros(1, dtype=torch.float64),
    )


@checked
def goujaud(
    lr: Positive,
    momentum: Fraction,
    smoothness: Positive,
    strong_convexity: Positive,
    corners: Annotated[int, In("[3, inf)")],
) -> Problem:
    r"""Build the strongly convex function of the plane in which heavy ball circles a polygon.

    .. math:: f(\theta) = \frac\mu2 \|\theta\|^2
        + \frac{L - \mu}{2} \min_{p \in P} \|\theta - p\|^2

    :math:`\mu` is ``strong_convexity``, :math:`L` is ``smoothness``, and :math:`P` a regular
    polygon, of the size and at the angle at which heavy ball with these settings may go round a
    ring of radius 1. Whether it does, :func:`~descent.chapters.momentum.theory.heavy_ball_trapped`
    says.

    Args:
        lr: heavy ball's learning rate, in (0, inf).
        momentum: its momentum, in [0, 1).
        smoothness: the largest curvature, in (0, inf).
        strong_convexity: the smallest, in (0, L).
        corners: of the polygon, at least 3.

    Returns:
        The problem, in float64; it starts at a point of the ring.

    Example:
        >>> trap = goujaud(lr=0.25, momentum=0.25, smoothness=9.0, strong_convexity=1.0, corners=3)
        >>> trap.gradient(torch.tensor([0.1, 0.0]))  # inside of the polygon
        tensor([0.1000, 0.0000])

    References:
        The chapter on momentum; Goujaud, Taylor and Dieuleveut, Provable Non-Accelerations of the
        Heavy-Ball Method, Mathematical Programming (2025), where it is turned inside out: steep
        in the polygon and gentle outside.
    """
    check_in_interval("strong_convexity", strong_convexity, f"(0, {smoothness})")
    turn = cmath.exp(2j * math.pi / corners)
    pull = (1 + momentum - momentum / turn - turn) / lr  # the gradient that keeps 1 on the ring
    corner = (smoothness - pull) / (smoothness - strong_convexity)
    ring = [corner * turn**k for k in range(corners)]
    polygon = torch.tensor([[each.real, each.imag] for each in ring], dtype=torch.float64)
    edges = polygon.roll(-1, 0) - polygon

    def objective(theta: Tensor) -> Tensor:
        away = theta.unsqueeze(-2) - polygon.to(theta)
        along = edges.to(theta)
        part = ((away * along).sum(-1) / along.square().sum(-1)).clamp(0, 1)
        nearest = (away - part.unsqueeze(-1) * along).square().sum(-1).amin(-1)
        left = along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0] >= 0
        outside = torch.where(left.all(-1), torch.zeros_like(nearest), nearest)
        spring = theta.square().sum(-1)
        return 0.5 * (strong_convexity * spring + (smoothness - strong_convexity) * outside)

    return Problem(
        name="Goujaud",
        objective=objective,
        start=torch.tensor([1.0, 0.0], dtype=torch.float64),
        minimizer=torch.zeros(2, dtype=torch.float64),
    )
