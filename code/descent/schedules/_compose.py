"""Schedules made of schedules."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated

from descent._checks import Number, check_in_interval
from descent._signatures import Count, In, Natural, Rate, checked
from descent.schedules._decay import constant, linear

Schedule = Callable[[int, Number], Number]
"""``schedule(step, lr)``: the rate of the update that follows ``step`` updates."""


def rate_of(schedule: Schedule, step: int, lr: Number) -> Number:
    """Ask a schedule for a rate, and raise unless what it says is one.

    Example:
        >>> rate_of(lambda step, lr: lr - step, 2, 1.0)
        Traceback (most recent call last):
        ...
        ValueError: the schedule's rate at step 2 must be in [0, inf), got -1.0
    """
    rate = schedule(step, lr)
    check_in_interval(f"the schedule's rate at step {step}", rate, "[0, inf)")
    return rate


@checked
def sequential(
    step: Natural, lr: Rate, *, schedules: Sequence[Schedule], milestones: Sequence[Count]
) -> Number:
    """Follow one schedule after the other; each counts its steps from its own start.

    Args:
        step: the updates made so far, at least 0.
        lr: given to each schedule; a tensor gives each run or group its own.
        schedules: two or more, each called as ``schedule(step, lr)``; fix its settings by
            ``functools.partial``.
        milestones: the steps at which the second and each further one begins, growing.

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: there is not one milestone fewer than schedules, they do not grow, or what a
            schedule returns is no rate.

    Example:
        A warmup of two steps, then an exponential decay.

        >>> from descent.schedules import exponential
        >>> warmup = partial(linear, start_factor=0.5, end_factor=1.0, num_steps=2)
        >>> decay = partial(exponential, gamma=0.5)
        >>> [sequential(step, 1.0, schedules=[warmup, decay], milestones=[2]) for step in range(5)]
        [0.5, 0.75, 1.0, 0.5, 0.25]

    References:
        ``torch.optim.lr_scheduler.SequentialLR``.
    """
    if len(milestones) != len(schedules) - 1:
        raise ValueError(
            f"milestones must be one fewer than the {len(schedules)} schedules, "
            f"got {list(milestones)}"
        )
    if any(later <= earlier for earlier, later in pairwise(milestones)):
        raise ValueError(f"milestones must grow, got {list(milestones)}")
    index = bisect_right(milestones, step)
    return rate_of(schedules[index], step - milestones[index - 1] if index else step, lr)


@checked
def chained(step: Natural, lr: Rate, *, schedules: Sequence[Schedule]) -> Number:
    """Hand the rate of one schedule to the next, so that their factors multiply.

    Args:
        step: the updates made so far, at least 0; the same for all.
        lr: given to the first; a tensor gives each run or group its own.
        schedules: one or more, each called as ``schedule(step, lr)``.

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: there are no schedules, or what one returns is no rate.

    Example:
        >>> from descent.schedules import exponential
        >>> warmup = partial(linear, start_factor=0.5, end_factor=1.0, num_steps=2)
        >>> decay = partial(exponential, gamma=0.5)
        >>> [chained(step, 1.0, schedules=[warmup, decay]) for step in range(4)]
        [0.5, 0.375, 0.25, 0.125]

    References:
        ``torch.optim.lr_scheduler.ChainedScheduler``.
    """
    if not schedules:
        raise ValueError("schedules must hold at least one, got none")
    for schedule in schedules:
        lr = rate_of(schedule, step, lr)
    return lr


@checked
def warmup_stable_decay(
    step: Natural,
    lr: Rate,
    *,
    warmup_steps: Count,
    stable_steps: Count,
    decay_steps: Count,
    start_factor: Annotated[float, In("[0, 1]")] = 0.01,
) -> Number:
    """Warm up in a straight line, stay, and go down to 0 in a straight line.

    Args:
        step: the updates made so far, at least 0.
        lr: the rate of the long middle, at least 0; a tensor gives each run or group its own.
        warmup_steps: at least 1.
        stable_steps: at least 1.
        decay_steps: at least 1; from the last of them on the rate is 0.
        start_factor: the first rate over ``lr``, in [0, 1].

    Returns:
        The rate of the next update, of the shape of ``lr``.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> settings = dict(warmup_steps=2, stable_steps=2, decay_steps=4, start_factor=0.5)
        >>> [warmup_stable_decay(step, 1.0, **settings) for step in range(9)]
        [0.5, 0.75, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]

    References:
        S. Hu et al., MiniCPM: unveiling the potential of small language models with scalable
        training strategies (2024), section 4.2.
    """
    return sequential(
        step,
        lr,
        schedules=[
            partial(linear, num_steps=warmup_steps, start_factor=start_factor, end_factor=1.0),
            constant,
            partial(linear, num_steps=decay_steps),
        ],
        milestones=[warmup_steps, warmup_steps + stable_steps],
    )
