"""The closed forms of the chapter on RMSprop."""

import math
from typing import Annotated

import torch
from torch import Tensor

from descent._checks import Number, check_shape
from descent._signatures import (
    Finites,
    Fractions,
    FromOne,
    In,
    NonNegative,
    NonNegatives,
    Positive,
    Positives,
    ProperFraction,
    checked,
)

Alpha = Annotated[Number, In("(0, 1)")]


@checked
def best_diagonal_kappa(hessian: Tensor) -> float:
    r"""Return the condition number :math:`(1+C)/(1-C)` after the best diagonal preconditioner.

    :math:`C = |H_{12}|/\sqrt{H_{11}H_{22}}` says how strongly ``hessian`` couples the two.

    Args:
        hessian: :math:`H`, symmetric and positive definite, shape ``(2, 2)``.

    Returns:
        The condition number; 1 if the Hessian is diagonal.

    Raises:
        ValueError: the matrix has another shape or is not positive definite.

    Example:
        >>> best_diagonal_kappa(torch.tensor([[1.0, 0.0], [0.0, 50.0]]))
        1.0
        >>> round(best_diagonal_kappa(torch.tensor([[2.0, 1.0], [1.0, 2.0]])), 6)
        3.0

    References:
        The chapter on RMSprop, equation ``rms-best-diagonal``.
    """
    check_shape("hessian", hessian, (2, 2))
    (first, mixed), (_, second) = hessian.double().tolist()
    if not (first > 0 and first * second > mixed**2):
        raise ValueError(f"hessian must be positive definite, got {hessian.tolist()}")
    coupling = abs(mixed) / math.sqrt(first * second)
    return (1 + coupling) / (1 - coupling)


@checked
def rotated_kappa(kappa: Annotated[float, In("[1, inf)")], angle: Finites) -> Number:
    r"""Return what the best diagonal preconditioner leaves of a ravine's condition number.

    .. math:: \frac{(\sqrt{H_{12}^2 + \kappa} + |H_{12}|)^2}{\kappa}, \quad
        |H_{12}| = \tfrac12(\kappa - 1)\,|\sin 2\varphi|

    :math:`\kappa` is ``kappa``, :math:`\varphi` is ``angle``.

    Args:
        kappa: the ravine's condition number, in [1, inf).
        angle: between the ravine and the parameters' axes, in radians.

    Returns:
        The condition number.

    Example:
        >>> rotated_kappa(100.0, angle=0.0), round(rotated_kappa(100.0, angle=math.pi / 4), 6)
        (1.0, 100.0)

    References:
        The chapter on RMSprop, equation ``rms-rotated``.
    """
    sine = torch.sin(2 * angle) if isinstance(angle, Tensor) else math.sin(2 * angle)
    mixed = 0.5 * (kappa - 1) * abs(sine)
    return ((mixed**2 + kappa) ** 0.5 + mixed) ** 2 / kappa


@checked
def adagrad_step(lr: NonNegatives, step: FromOne, burst: NonNegatives = 0.0) -> Number:
    r"""Return the length :math:`\eta/\sqrt{r^2 + t}` of AdaGrad's steps on a constant gradient.

    Args:
        lr: :math:`\eta`, in [0, inf).
        step: :math:`t`, the number of the step, from 1.
        burst: :math:`r`, how many times as large the one gradient before them was.

    Returns:
        The length, without :math:`\epsilon`.

    Example:
        >>> adagrad_step(1.0, step=4), adagrad_step(1.0, step=19, burst=9.0)
        (0.5, 0.1)

    References:
        The chapter on RMSprop, equations ``rms-adagrad-decay`` and ``rms-adagrad-burst``.
    """
    return lr / (burst**2 + _double(step)) ** 0.5


@checked
def adagrad_distance(lr: NonNegatives, step: NonNegatives) -> Number:
    r"""Return :math:`2\eta\sqrt t`, how far AdaGrad walks at most on a constant gradient.

    Args:
        lr: :math:`\eta`, in [0, inf).
        step: :math:`t`, the number of steps made.

    Returns:
        The bound on the distance, which is approached as the steps grow many.

    Example:
        >>> adagrad_distance(0.5, step=100)
        10.0

    References:
        The chapter on RMSprop, equation ``rms-adagrad-distance``.
    """
    return 2 * lr * _double(step) ** 0.5


@checked
def adagrad_regret_bound(
    lr: Positives, diameter: NonNegatives, squares: Annotated[Tensor, In("[0, inf)")]
) -> Tensor:
    r"""Return :math:`\sum_i (\Delta^2/2\eta + \eta)\sqrt{s_{T,i}}`, which bounds AdaGrad's regret.

    Args:
        lr: :math:`\eta`, in (0, inf).
        diameter: :math:`\Delta`, the most that any parameter was away from the comparator's, a
            number or shape ``(...)``.
        squares: :math:`s_T`, the sums of squared gradients, shape ``(..., dim)``.

    Returns:
        The bound, shape ``(...)``.

    Example:
        >>> adagrad_regret_bound(1.0, diameter=2.0, squares=torch.tensor([4.0, 9.0]))
        tensor(15.)

    References:
        The chapter on RMSprop, equation ``rms-regret``.
    """
    return (diameter**2 / (2 * lr) + lr) * squares.sqrt().sum(-1)


@checked
def rmsprop_half_life(alpha: ProperFraction) -> float:
    r"""Return :math:`-\ln 2/\ln\alpha`, the steps in which an old square loses half its weight.

    Args:
        alpha: :math:`\alpha`, in (0, 1).

    Returns:
        The number of steps, seldom whole.

    Example:
        >>> round(rmsprop_half_life(0.99), 2)
        68.97

    References:
        The chapter on RMSprop, equation ``rms-half-life``.
    """
    return -math.log(2) / math.log(alpha)


@checked
def rmsprop_max_step(lr: NonNegatives, alpha: Fractions) -> Number:
    r"""Return :math:`\eta/\sqrt{1-\alpha}`, which no step of RMSprop exceeds.

    Args:
        lr: :math:`\eta`, in [0, inf).
        alpha: :math:`\alpha`, in [0, 1).

    Returns:
        The bound on the change of one parameter.

    Example:
        >>> rmsprop_max_step(0.5, alpha=0.75)
        1.0

    References:
        The chapter on RMSprop, equation ``rms-bound``.
    """
    return lr / (1 - alpha) ** 0.5


@checked
def rmsprop_step(
    lr: NonNegatives, alpha: Alpha, step: FromOne, burst: NonNegatives = 0.0
) -> Number:
    r"""Return the length of RMSprop's steps on a constant gradient.

    .. math:: \frac{\eta}{\sqrt{1 - \alpha^t + \alpha^t r^2}}

    :math:`\eta` is ``lr``, :math:`t` is ``step``, :math:`r` is ``burst``.

    Args:
        lr: the learning rate, in [0, inf).
        alpha: :math:`\alpha`, in (0, 1).
        step: the number of the step, from 1.
        burst: the root of the average before the first, as a multiple of the gradient; 0 is
            PyTorch's start.

    Returns:
        The length, without :math:`\epsilon`.

    Example:
        >>> round(rmsprop_step(1.0, alpha=0.99, step=1), 6)
        10.0

    References:
        The chapter on RMSprop, equations ``rms-first`` and ``rms-recovery``.
    """
    kept = alpha ** _double(step)
    return lr / (1 - kept + kept * burst**2) ** 0.5


@checked
def rmsprop_gap_step(lr: NonNegatives, alpha: Alpha, gap: FromOne) -> Number:
    r"""Return how long RMSprop's steps are if the same gradient comes at every :math:`n`-th step.

    .. math:: \eta \sqrt{\frac{1 - \alpha^n}{1 - \alpha}}

    :math:`\eta` is ``lr``, :math:`n` is ``gap``.

    Args:
        lr: the learning rate, in [0, inf).
        alpha: :math:`\alpha`, in (0, 1).
        gap: the steps from one gradient to the next, from 1; those between have none.

    Returns:
        The length of a step once the average has settled, without :math:`\epsilon`.

    Example:
        >>> rmsprop_gap_step(1.0, alpha=0.75, gap=1), rmsprop_gap_step(1.0, alpha=0.75, gap=500)
        (1.0, 2.0)

    References:
        The chapter on RMSprop, equation ``rms-gap``.
    """
    return lr * ((1 - alpha ** _double(gap)) / (1 - alpha)) ** 0.5


@checked
def rmsprop_extra_distance(lr: NonNegative, alpha: ProperFraction) -> float:
    r"""Return :math:`-2\eta\ln 2/\ln\alpha`, how much further the zero start carries.

    Args:
        lr: :math:`\eta`, in [0, inf).
        alpha: :math:`\alpha`, in (0, 1); the closer to 1, the better the approximation.

    Returns:
        The distance beyond :math:`t\eta` after many steps on a constant gradient, approximately.

    Example:
        >>> round(rmsprop_extra_distance(1.0, alpha=0.99), 1)
        137.9

    References:
        The chapter on RMSprop, equation ``rms-extra``.
    """
    return 2 * lr * rmsprop_half_life(alpha)


@checked
def rmsprop_recovery_steps(alpha: ProperFraction, burst: Annotated[float, In("(1, inf)")]) -> float:
    r"""Return :math:`-\ln(r^2-1)/\ln\alpha`, the steps until the average is down to :math:`2g^2`.

    Args:
        alpha: :math:`\alpha`, in (0, 1).
        burst: :math:`r`, the root of the average before, as a multiple of the gradient
            :math:`g`, in (1, inf).

    Returns:
        The number of steps, seldom whole; negative if the average was below from the start.

    Example:
        >>> round(rmsprop_recovery_steps(0.99, burst=100.0))
        916

    References:
        The chapter on RMSprop, equation ``rms-forget``.
    """
    return -math.log(burst**2 - 1) / math.log(alpha)


@checked
def centered_step(lr: NonNegatives, alpha: Alpha, step: FromOne) -> Number:
    r"""Return the length of centered RMSprop's steps on a constant gradient.

    .. math:: \frac{\eta}{\sqrt{\alpha^t (1 - \alpha^t)}}

    :math:`\eta` is ``lr``, :math:`t` is ``step``.

    Args:
        lr: the learning rate, in [0, inf).
        alpha: :math:`\alpha`, in (0, 1).
        step: the number of the step, from 1.

    Returns:
        The length, without :math:`\epsilon`; it grows until :math:`\epsilon` or rounding decides.

    Example:
        >>> centered_step(1.0, alpha=0.5, step=1)
        2.0

    References:
        The chapter on RMSprop, equation ``rms-centered-step``.
    """
    kept = alpha ** _double(step)
    return lr / (kept * (1 - kept)) ** 0.5


@checked
def eps_factor(grad: Finites, eps: NonNegatives, inside: bool = False) -> Number:
    r"""Return what :math:`\epsilon` leaves of a step once the average is :math:`v = g^2`.

    .. math:: \frac{|g|}{|g| + \epsilon} \quad\text{or}\quad \frac{|g|}{\sqrt{g^2 + \epsilon}}

    Args:
        grad: :math:`g`, not 0 where ``eps`` is 0.
        eps: :math:`\epsilon`, in [0, inf).
        inside: whether it stands inside the root; PyTorch's stands outside.

    Returns:
        The step as a fraction of the learning rate, in [0, 1].

    Example:
        >>> eps_factor(1e-8, eps=1e-8)
        0.5

    References:
        The chapter on RMSprop, equations ``rms-eps-outside`` and ``rms-eps-inside``.
    """
    return abs(grad) / ((grad**2 + eps) ** 0.5 if inside else abs(grad) + eps)


@checked
def rmsprop_cycle(lr: NonNegative, curvature: Positive, eps: NonNegative = 0.0) -> float:
    r"""Return :math:`\max(\eta/2 - \epsilon/L, 0)`, how far from a minimum RMSprop hops.

    Args:
        lr: :math:`\eta`, in [0, inf).
        curvature: :math:`L` of the parabola, in (0, inf).
        eps: :math:`\epsilon`, in [0, inf).

    Returns:
        The distance to the minimum on either side; 0 if it converges.

    Example:
        >>> rmsprop_cycle(0.25, curvature=100.0), rmsprop_cycle(0.25, curvature=1.0, eps=0.5)
        (0.125, 0.0)

    References:
        The chapter on RMSprop, equation ``rms-cycle``.
    """
    return max(lr / 2 - eps / curvature, 0.0)


@checked
def rmsprop_cycle_rate(alpha: ProperFraction) -> float:
    r"""Return the factor by which a step shrinks the distance to the two-cycle, near it.

    .. math:: \max|\rho|, \quad \rho^2 - (3\alpha - 1)\rho + \alpha = 0

    It is :math:`\sqrt\alpha` for :math:`\alpha \ge 1/9`.

    Args:
        alpha: :math:`\alpha`, in (0, 1).

    Returns:
        The factor, below 1.

    Example:
        >>> round(rmsprop_cycle_rate(0.81), 6)
        0.9

    References:
        The chapter on RMSprop, equation ``rms-cycle-rate``.
    """
    discriminant = (3 * alpha - 1) ** 2 - 4 * alpha
    if discriminant <= 0:
        return math.sqrt(alpha)
    return (1 - 3 * alpha + math.sqrt(discriminant)) / 2


def _double(step: Number) -> Number:
    return step.double() if isinstance(step, Tensor) else step
