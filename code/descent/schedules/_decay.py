"""Schedules that only ever go one way."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Annotated

from descent._checks import Number
from descent._signatures import Count, In, Natural, NonNegative, Positive, Rate, checked


@checked
def constant(
    step: Natural, lr: Rate, *, factor: Annotated[float, In("[0, 1]")] = 1.0, num_steps: Natural = 0
) -> Number:
    r"""Keep the rate as it is, after ``num_steps`` steps at a part of it.

    .. math:: \eta_t = f\,\eta \text{ for } t < T, \qquad \eta_t = \eta \text{ from then on}

    :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`f` is ``factor``, :math:`T` is
    ``num_steps``.

    Args:
        step: the updates made so far, at least 0.
        lr: the rate, at least 0; a tensor gives each run or group its own.
        factor: what the first rates are multiplied by, in [0, 1].
        num_steps: how many steps that lasts, at least 0.

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> constant(1000, 0.1)
        0.1
        >>> [constant(step, 0.1, factor=0.5, num_steps=2) for step in range(4)]
        [0.05, 0.05, 0.1, 0.1]

    References:
        ``torch.optim.lr_scheduler.ConstantLR``, whose ``total_iters`` is ``num_steps``. With 0 of
        them PyTorch's keeps the factor for ever; here no step has it, as the equation says.
    """
    return lr * (factor if step < num_steps else 1.0)


@checked
def step_decay(step: Natural, lr: Rate, *, step_size: Count, gamma: NonNegative = 0.1) -> Number:
    r"""Multiply the rate by ``gamma`` every ``step_size`` steps.

    .. math:: \eta_t = \eta\, \gamma^{\lfloor t / s \rfloor}

    :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`\gamma` is ``gamma``, :math:`s` is
    ``step_size``.

    Args:
        step: the updates made so far, at least 0.
        lr: the first rate, at least 0; a tensor gives each run or group its own.
        step_size: steps between two decays, at least 1.
        gamma: the factor, in [0, inf).

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [step_decay(step, 1.0, step_size=2, gamma=0.5) for step in range(5)]
        [1.0, 1.0, 0.5, 0.5, 0.25]

    References:
        ``torch.optim.lr_scheduler.StepLR``.
    """
    return lr * _power(gamma, step // step_size)


@checked
def multi_step(
    step: Natural, lr: Rate, *, milestones: Sequence[Natural], gamma: NonNegative = 0.1
) -> Number:
    r"""Multiply the rate by ``gamma`` at each milestone.

    .. math:: \eta_t = \eta\, \gamma^{\#\{m \le t\}}

    :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`\gamma` is ``gamma``, :math:`m` runs over
    ``milestones``.

    Args:
        step: the updates made so far, at least 0.
        lr: the first rate, at least 0; a tensor gives each run or group its own.
        milestones: the steps of the decays, at least 0, in any order.
        gamma: the factor, in [0, inf).

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [multi_step(step, 1.0, milestones=[1, 3], gamma=0.5) for step in range(5)]
        [1.0, 0.5, 0.5, 0.25, 0.25]

    References:
        ``torch.optim.lr_scheduler.MultiStepLR``.
    """
    return lr * _power(gamma, bisect_right(sorted(milestones), step))


@checked
def exponential(step: Natural, lr: Rate, *, gamma: NonNegative) -> Number:
    r"""Multiply the rate by ``gamma`` at every step.

    .. math:: \eta_t = \eta\, \gamma^t

    :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`\gamma` is ``gamma``.

    Args:
        step: the updates made so far, at least 0.
        lr: the first rate, at least 0; a tensor gives each run or group its own.
        gamma: the factor, in [0, inf).

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [exponential(step, 1.0, gamma=0.5) for step in range(4)]
        [1.0, 0.5, 0.25, 0.125]

    References:
        ``torch.optim.lr_scheduler.ExponentialLR``.
    """
    return lr * _power(gamma, step)


@checked
def inverse_time(step: Natural, lr: Rate, *, timescale: Positive = 1.0) -> Number:
    r"""Let the rate fall as one over the step.

    .. math:: \eta_t = \frac{\eta}{1 + t/\tau}

    :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`\tau` is ``timescale``.

    Args:
        step: the updates made so far, at least 0.
        lr: the first rate, at least 0; a tensor gives each run or group its own.
        timescale: the steps until the rate has halved, in (0, inf).

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [inverse_time(step, 1.0, timescale=2.0) for step in (0, 2, 6)]
        [1.0, 0.5, 0.25]

    References:
        PyTorch has none; ``LambdaLR`` takes ``lambda step: 1 / (1 + step / timescale)``.
    """
    return lr / (1 + step / timescale)


@checked
def inverse_sqrt(step: Natural, lr: Rate, *, timescale: Positive = 1.0) -> Number:
    r"""Let the rate fall as one over the square root of the step.

    .. math:: \eta_t = \frac{\eta}{\sqrt{1 + t/\tau}}

    :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`\tau` is ``timescale``.

    Args:
        step: the updates made so far, at least 0.
        lr: the first rate, at least 0; a tensor gives each run or group its own.
        timescale: a third of the steps until the rate has halved, in (0, inf).

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [inverse_sqrt(step, 1.0, timescale=2.0) for step in (0, 6, 30)]
        [1.0, 0.5, 0.25]

    References:
        PyTorch has none; ``LambdaLR`` takes ``lambda step: (1 + step / timescale) ** -0.5``.
    """
    return lr / math.sqrt(1 + step / timescale)


@checked
def linear(
    step: Natural,
    lr: Rate,
    *,
    num_steps: Count,
    start_factor: NonNegative = 1.0,
    end_factor: NonNegative = 0.0,
) -> Number:
    r"""Draw a straight line from one part of the rate to another, and stay there.

    .. math:: \eta_t = \eta\,\bigl(a + (b - a) \min(t/T, 1)\bigr)

    :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`T` is ``num_steps``, :math:`a` and
    :math:`b` are ``start_factor`` and ``end_factor``. It decays unless told otherwise; with
    ``start_factor=0.01, end_factor=1.0`` it is a warmup.

    Args:
        step: the updates made so far, at least 0.
        lr: the rate, at least 0; a tensor gives each run or group its own.
        num_steps: the step that first has the last rate, at least 1.
        start_factor: of the first rate, in [0, inf).
        end_factor: of the last, in [0, inf).

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [linear(step, 1.0, num_steps=4) for step in range(6)]
        [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]

    References:
        ``torch.optim.lr_scheduler.LinearLR``, whose ``total_iters`` is ``num_steps`` and whose
        defaults make a warmup from a third.
    """
    return lr * (start_factor + (end_factor - start_factor) * min(step / num_steps, 1.0))


@checked
def polynomial(step: Natural, lr: Rate, *, num_steps: Count, power: Positive = 1.0) -> Number:
    r"""Let a power of the time that is left set the rate.

    .. math:: \eta_t = \eta\,\bigl(1 - \min(t/T, 1)\bigr)^p

    :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`T` is ``num_steps``, :math:`p` is
    ``power``.

    Args:
        step: the updates made so far, at least 0.
        lr: the first rate, at least 0; a tensor gives each run or group its own.
        num_steps: the step that first has rate 0, at least 1.
        power: in (0, inf).

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [polynomial(step, 1.0, num_steps=4, power=2.0) for step in range(5)]
        [1.0, 0.5625, 0.25, 0.0625, 0.0]

    References:
        ``torch.optim.lr_scheduler.PolynomialLR``, whose ``total_iters`` is ``num_steps``.
    """
    return lr * (1 - min(step / num_steps, 1.0)) ** power


@checked
def cosine(step: Natural, lr: Rate, *, num_steps: Count, eta_min: NonNegative = 0.0) -> Number:
    r"""Go down half a wave of the cosine.

    .. math:: \eta_t = \eta_{\min} + \tfrac12 (\eta - \eta_{\min})
              \bigl(1 + \cos(\pi t / T)\bigr)

    :math:`t` is ``step``, :math:`\eta` is ``lr``, :math:`T` is ``num_steps``,
    :math:`\eta_{\min}` is ``eta_min``. Past ``num_steps`` the wave goes on, and the rate climbs
    again.

    Args:
        step: the updates made so far, at least 0.
        lr: the first rate, at least 0; a tensor gives each run or group its own.
        num_steps: the step that has the least rate, at least 1.
        eta_min: the least rate, in [0, inf).

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [round(cosine(step, 1.0, num_steps=4), 4) for step in range(5)]
        [1.0, 0.8536, 0.5, 0.1464, 0.0]

    References:
        I. Loshchilov and F. Hutter, SGDR: Stochastic gradient descent with warm restarts (2017),
        equation 5. ``torch.optim.lr_scheduler.CosineAnnealingLR``, whose ``T_max`` is
        ``num_steps``.
    """
    return eta_min + 0.5 * (lr - eta_min) * (1 + math.cos(math.pi * step / num_steps))


def _power(gamma: float, count: int) -> float:
    try:
        return gamma**count
    except OverflowError:
        raise ValueError(f"gamma must have a finite power {count}, got {gamma}") from None
