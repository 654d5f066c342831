"""Schedules that come back, or go up before they go down."""

import math
from typing import Annotated

from descent._checks import Number, check_in_interval
from descent._signatures import (
    Count,
    Fraction,
    In,
    Natural,
    NonNegative,
    OneOf,
    Positive,
    Rate,
    Several,
    checked,
)
from descent.schedules._decay import cosine


@checked
def cosine_restarts(
    step: Natural, lr: Rate, *, period: Count, growth: Count = 1, eta_min: NonNegative = 0.0
) -> Number:
    r"""Go down half a wave of the cosine, jump back to the top, and again.

    Within each period it is :func:`cosine`; the next period is ``growth`` times as long.

    Args:
        step: the updates made so far, at least 0.
        lr: the rate at each start, at least 0; a tensor gives each run or group its own.
        period: the length of the first period in steps, at least 1.
        growth: the factor from one period to the next, a whole number of at least 1.
        eta_min: the rate that each period nears, in [0, inf).

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [round(cosine_restarts(step, 1.0, period=2, growth=2), 4) for step in range(7)]
        [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0]

    References:
        I. Loshchilov and F. Hutter, SGDR: Stochastic gradient descent with warm restarts (2017).
        ``torch.optim.lr_scheduler.CosineAnnealingWarmRestarts``, whose ``T_0`` and ``T_mult`` are
        ``period`` and ``growth``.
    """
    if growth == 1:
        step %= period
    while step >= period:
        step -= period
        period *= growth
    return cosine(step, lr, num_steps=period, eta_min=eta_min)


@checked
def cyclic(
    step: Natural,
    lr: Rate,
    *,
    max_lr: Rate,
    step_size_up: Count,
    step_size_down: Count | None = None,
    mode: Annotated[str, OneOf(("triangular", "triangular2", "exp_range"))] = "triangular",
    gamma: Annotated[float, In("[0, 1]")] = 1.0,
) -> Number:
    r"""Go up and down between two rates in straight lines.

    Args:
        step: the updates made so far, at least 0.
        lr: the lower rate, at least 0; a tensor gives each run or group its own.
        max_lr: the upper rate of the first cycle, at least 0.
        step_size_up: the steps up, at least 1.
        step_size_down: the steps down, at least 1; as many as up if left out.
        mode: ``"triangular"`` for cycles that are all alike, ``"triangular2"`` for cycles half as
            high as the one before, ``"exp_range"`` for a height that shrinks by ``gamma`` a step.
        gamma: in [0, 1]; used by ``"exp_range"`` alone.

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [cyclic(step, 0.0, max_lr=1.0, step_size_up=2) for step in range(6)]
        [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]

    References:
        L. N. Smith, Cyclical learning rates for training neural networks (2017).
        ``torch.optim.lr_scheduler.CyclicLR``, whose ``base_lr`` is ``lr``. Unless told not to, it
        also cycles the momentum, against the rate: as :class:`Scheduler` does with
        ``momentum=partial(cyclic, lr=0.9, max_lr=0.8, ...)``. It takes a list of upper rates, one
        for each group; here ``lambda step, lr: cyclic(step, lr, max_lr=10 * lr, ...)`` gives each
        group its own.
    """
    step_size_down = step_size_up if step_size_down is None else step_size_down
    cycle, position = divmod(step, step_size_up + step_size_down)
    if position <= step_size_up:
        height = position / step_size_up
    else:
        height = (step_size_up + step_size_down - position) / step_size_down
    height *= {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": gamma**step}[mode]
    return lr + (max_lr - lr) * height


@checked
def one_cycle(
    step: Natural,
    lr: Rate,
    *,
    num_steps: Several,
    pct_start: float = 0.3,
    anneal_strategy: Annotated[str, OneOf(("cos", "linear"))] = "cos",
    div_factor: Positive = 25.0,
    final_div_factor: Positive = 1e4,
    three_phase: bool = False,
) -> Number:
    r"""Warm up to the rate, then come down far below where it began, all in one go.

    The rate goes from :math:`\eta/d` up to :math:`\eta` and down to :math:`\eta/(d f)`; with three
    phases it first comes back to :math:`\eta/d`, as fast as it went up.

    Args:
        step: the updates made so far, at least 0; from ``num_steps - 1`` on the rate stays.
        lr: :math:`\eta`, the highest rate, at least 0; a tensor gives each run or group its own.
        num_steps: the steps of the whole cycle, at least 2.
        pct_start: the part of them that goes up, in (0, 1), so that at least one step does; with
            three phases in (0, 0.5].
        anneal_strategy: ``"cos"`` for half waves of the cosine, ``"linear"`` for straight lines.
        div_factor: :math:`d`, the highest rate over the first, in (0, inf).
        final_div_factor: :math:`f`, the first rate over the last, in (0, inf).
        three_phase: whether to come back symmetrically before the last descent.

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> rates = [one_cycle(step, 1.0, num_steps=10, pct_start=0.3) for step in range(10)]
        >>> [round(rate, 3) for rate in rates]
        [0.04, 0.52, 1.0, 0.95, 0.812, 0.611, 0.389, 0.188, 0.05, 0.0]

    References:
        L. N. Smith and N. Topin, Super-convergence: very fast training of neural networks using
        large learning rates (2018). ``torch.optim.lr_scheduler.OneCycleLR``, whose ``max_lr`` is
        ``lr`` and whose ``total_steps`` is ``num_steps``.
    """
    first = lr / div_factor
    heights = [first, lr, first / final_div_factor]
    if three_phase:
        heights.insert(2, first)
    return _phases(step, heights, num_steps, pct_start, anneal_strategy, three_phase)


@checked
def one_cycle_momentum(
    step: Natural,
    *,
    num_steps: Several,
    base_momentum: Fraction = 0.85,
    max_momentum: Fraction = 0.95,
    pct_start: float = 0.3,
    anneal_strategy: Annotated[str, OneOf(("cos", "linear"))] = "cos",
    three_phase: bool = False,
) -> float:
    r"""Let the momentum fall while the rate of :func:`one_cycle` rises, and rise as it falls.

    Args:
        step: the updates made so far, at least 0.
        num_steps: as in :func:`one_cycle`.
        base_momentum: the least momentum, in [0, 1).
        max_momentum: the first and last, in [0, 1).
        pct_start: as in :func:`one_cycle`.
        anneal_strategy: as in :func:`one_cycle`.
        three_phase: as in :func:`one_cycle`.

    Returns:
        The momentum of the next update.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [round(one_cycle_momentum(step, num_steps=10), 3) for step in (0, 2, 9)]
        [0.95, 0.85, 0.95]

    References:
        As for :func:`one_cycle`.
    """
    heights = [max_momentum, base_momentum, max_momentum] + [max_momentum] * three_phase
    return _phases(step, heights, num_steps, pct_start, anneal_strategy, three_phase)


def _phases(
    step: int,
    heights: list[Number],
    num_steps: Several,
    pct_start: float,
    anneal_strategy: str,
    three_phase: bool,
) -> Number:
    """Go from height to height, each reached at the end of a phase."""
    check_in_interval("pct_start", pct_start, "(0, 0.5]" if three_phase else "(0, 1)")
    check_in_interval("pct_start * num_steps", pct_start * num_steps, "(1, inf)")
    up = pct_start * num_steps - 1  # not rounded, so that the top may lie between two steps
    ends = [up, 2 * up, num_steps - 1] if three_phase else [up, num_steps - 1]
    step = min(step, num_steps - 1)
    phase = next(index for index, end in enumerate(ends) if step <= end)
    begin = ends[phase - 1] if phase else 0
    part = (step - begin) / (ends[phase] - begin)
    if anneal_strategy == "cos":
        part = (1 - math.cos(math.pi * part)) / 2
    return heights[phase] + (heights[phase + 1] - heights[phase]) * part
