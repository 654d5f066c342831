"""Schedules attached to an optimizer, as PyTorch attaches its own."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import torch
from torch.optim.lr_scheduler import LRScheduler

from descent._checks import Number, check_in_interval, check_scalar
from descent._signatures import In, checked
from descent.schedules._compose import Schedule, rate_of
from descent.schedules._plateau import PlateauState, reduce_on_plateau


class Scheduler(LRScheduler):
    """A schedule as a :class:`torch.optim.lr_scheduler.LRScheduler`.

    Each group of the optimizer follows the schedule from its own rate: a list of rates, one for
    each group, which some of PyTorch's schedulers take, is refused. The rate is set when the
    scheduler is made, and by each ``step()`` after ``optimizer.step()``.

    Its saved state is where it stands, and not the schedule. PyTorch's schedulers keep other
    things, and other rates to start from: none of their states is taken, and none of theirs
    should be given one of these.

    Args:
        optimizer: any optimizer of PyTorch's or of this book.
        schedule: called as ``schedule(step, lr)`` with the rate that the group was given; fix its
            settings by ``functools.partial``.
        momentum: a schedule of the momentum, called as ``momentum(step)``; for an optimizer with
            ``betas`` it sets the first of them, and is in [0, 1), else in [0, inf).
        last_epoch: the step to go on from, for a run that is resumed without ``state_dict``.

    Raises:
        TypeError: ``optimizer`` is none, or a schedule returns no number.
        ValueError: the optimizer has no momentum to schedule, a schedule refuses its settings, or
            what it returns is no rate or no momentum; the optimizer is then left as it was.

    Example:
        >>> from functools import partial
        >>> from descent.optim import SGD
        >>> from descent.schedules import exponential
        >>> optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        >>> scheduler = Scheduler(optimizer, partial(exponential, gamma=0.5))
        >>> for _ in range(3):
        ...     print(optimizer.param_groups[0]["lr"])
        ...     _ = optimizer.step()
        ...     scheduler.step()
        1.0
        0.5
        0.25
    """

    @checked
    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        *,
        momentum: Callable[[int], float] | None = None,
        last_epoch: Annotated[int, In("[-1, inf)")] = -1,
    ) -> None:
        self.schedule, self.momentum = schedule, momentum
        if momentum is not None:
            for group in optimizer.param_groups:
                if "momentum" not in group and "betas" not in group:
                    raise ValueError(
                        f"{type(optimizer).__name__} has neither momentum nor betas to schedule"
                    )
        # A schedule that refuses its settings does so before anything is changed.
        for group in optimizer.param_groups:
            self._rate(last_epoch + 1, group.get("initial_lr", group["lr"]))
            self._momentum(last_epoch + 1, group)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Number]:
        """Return the rate of each group for the next update."""
        return [self._rate(self.last_epoch, lr) for lr in self.base_lrs]

    def _rate(self, step: int, lr: Number) -> Number:
        rate = rate_of(self.schedule, step, lr)
        if isinstance(rate, torch.Tensor):
            check_scalar(f"the schedule's rate at step {step}", rate)
        return rate

    def _momentum(self, step: int, group: dict[str, Any]) -> dict[str, Any]:
        """Return what the schedule of the momentum sets in a group."""
        if self.momentum is None:
            return {}
        value = self.momentum(step)
        interval = "[0, 1)" if "betas" in group else "[0, inf)"
        check_in_interval(f"the schedule's momentum at step {step}", value, interval)
        return {"betas": (value, *group["betas"][1:])} if "betas" in group else {"momentum": value}

    def step(self, epoch: int | None = None) -> None:
        """Set rate and momentum for the next update; call it after ``optimizer.step()``."""
        super().step(epoch)
        for group in self.optimizer.param_groups:
            group.update(self._momentum(self.last_epoch, group))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a run where ``state_dict`` left it.

        Raises:
            ValueError: it is not this class's, but that of one of PyTorch's schedulers, say.
        """
        _check_state(self, state_dict)
        super().load_state_dict(state_dict)

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs: where the schedule stands, and not the schedule."""
        state = super().state_dict()
        return {
            name: value for name, value in state.items() if name not in ("schedule", "momentum")
        }


class PlateauScheduler(LRScheduler):
    """:func:`reduce_on_plateau` as a scheduler: ``step(metric)`` in place of ``step()``.

    All groups have the same settings: a list of least rates, one for each group, which
    ``ReduceLROnPlateau`` takes, is refused. States are not exchanged with that class either: it
    keeps its settings with what it measured, and this one what it measured alone.

    Args:
        optimizer: any optimizer of PyTorch's or of this book.
        **settings: those of :func:`reduce_on_plateau`.

    Raises:
        TypeError: ``optimizer`` is none, or a setting is unknown.
        ValueError: a setting is outside its range.

    Example:
        >>> from descent.optim import SGD
        >>> optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        >>> scheduler = PlateauScheduler(optimizer, factor=0.5, patience=0)
        >>> for loss in [3.0, 3.0, 3.0]:
        ...     scheduler.step(loss)
        ...     print(scheduler.get_last_lr())
        [1.0]
        [0.5]
        [0.25]
    """

    @checked
    def __init__(self, optimizer: torch.optim.Optimizer, **settings: Any) -> None:
        self._rule = partial(reduce_on_plateau, **settings)
        self._rule(0.0, 0.0, {})  # refuses bad settings before anything is changed
        self.plateau: PlateauState = {}
        super().__init__(optimizer)

    def _initial_step(self) -> None:
        # PyTorch's schedulers step once when they are made; this one has nothing measured yet.
        self.last_epoch = 0
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    def step(self, metrics: float) -> None:
        """Take note of a measurement, and lower the rate of each group where it has stalled."""
        self.last_epoch += 1
        state = self.plateau
        for group in self.optimizer.param_groups:
            lr, self.plateau = self._rule(float(metrics), float(group["lr"]), state)
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a run where ``state_dict`` left it.

        Raises:
            ValueError: it is not this class's, but PyTorch's ``ReduceLROnPlateau``'s, say.
        """
        _check_state(self, state_dict)
        super().load_state_dict(state_dict)

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs: what was measured, and not the settings."""
        return {name: value for name, value in super().state_dict().items() if name != "_rule"}


def _check_state(scheduler: LRScheduler, state: dict[str, Any]) -> None:
    """Raise unless a state has what such a scheduler keeps; PyTorch's own begins with ``_``."""
    wanted, found = (
        {name for name in each if not name.startswith("_")}
        for each in (scheduler.state_dict(), state)
    )
    if found != wanted:
        raise ValueError(
            f"the state is not one of {type(scheduler).__name__}: it must have {sorted(wanted)}, "
            f"got {sorted(found)}"
        )
