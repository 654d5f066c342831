"""The schedule with a memory: it watches a measurement, not the step."""

import math
from typing import Annotated, Any

from descent._signatures import In, Natural, NonNegative, OneOf, checked

PlateauState = dict[str, Any]


@checked
def reduce_on_plateau(
    metric: float,
    lr: NonNegative,
    state: PlateauState,
    *,
    mode: Annotated[str, OneOf(("min", "max"))] = "min",
    factor: Annotated[float, In("(0, 1)")] = 0.1,
    patience: Natural = 10,
    threshold: NonNegative = 1e-4,
    threshold_mode: Annotated[str, OneOf(("rel", "abs"))] = "rel",
    cooldown: Natural = 0,
    min_lr: NonNegative = 0.0,
    eps: NonNegative = 1e-8,
) -> tuple[float, PlateauState]:
    """Multiply the rate by ``factor`` when a measurement has not improved for a while.

    Args:
        metric: the newest measurement, such as a validation loss.
        lr: the rate in use, at least 0.
        state: ``best``, ``num_bad_epochs`` and ``cooldown_counter``; empty before the first
            measurement.
        mode: whether less is better, ``"min"``, or more, ``"max"``.
        factor: in (0, 1).
        patience: how many measurements in a row may fail to improve before the next one that
            does lowers the rate, at least 0.
        threshold: how much better than the best counts as better, in [0, inf).
        threshold_mode: whether ``threshold`` is a part of the best, ``"rel"``, or a difference,
            ``"abs"``.
        cooldown: for how many measurements after a reduction nothing counts as bad, at least 0.
        min_lr: the least rate, in [0, inf).
        eps: the least difference that is worth a reduction, in [0, inf).

    Returns:
        The rate of the updates that follow, and the new state.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> lr, state = 1.0, {}
        >>> for loss in [3.0, 2.0, 2.0, 2.0]:
        ...     lr, state = reduce_on_plateau(loss, lr, state, patience=1, factor=0.5)
        ...     print(lr, state["num_bad_epochs"])
        1.0 0
        1.0 0
        1.0 1
        0.5 0

    References:
        ``torch.optim.lr_scheduler.ReduceLROnPlateau``.
    """
    sign = 1 if mode == "min" else -1
    best = state.get("best", sign * math.inf)
    bad, cooling = state.get("num_bad_epochs", 0), state.get("cooldown_counter", 0)

    bar = best * (1 - sign * threshold) if threshold_mode == "rel" else best - sign * threshold
    if sign * metric < sign * bar:
        best, bad = metric, 0
    else:
        bad += 1
    if cooling > 0:
        cooling, bad = cooling - 1, 0
    if bad > patience:
        cooling, bad = cooldown, 0
        lower = max(lr * factor, min_lr)
        lr = lower if lr - lower > eps else lr
    return lr, {"best": best, "num_bad_epochs": bad, "cooldown_counter": cooling}
