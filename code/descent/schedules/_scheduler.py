"""Schedules attached to an optimizer, as PyTorch attaches its own."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.optim.lr_scheduler import LRScheduler

from descent._checks import Number, check_in_interval
from descent.schedules._compose import Schedule
from descent.schedules._plateau import PlateauState, reduce_on_plateau


class Scheduler(LRScheduler):
    """A schedule as a :class:`torch.optim.lr_scheduler.LRScheduler`.

    Each group of the optimizer follows the schedule from its own rate. The rate is set when the
    scheduler is made, and by each ``step()`` after ``optimizer.step()``.

    Args:
        optimizer: any optimizer of PyTorch's or of this book.
        schedule: called as ``schedule(step, lr)`` with the rate that the group was given; fix its
            settings by ``functools.partial``.
        momentum: a schedule of the momentum, called as ``momentum(step)``; for an optimizer with
            ``betas`` it sets the first of them.
        last_epoch: the step to go on from, for a run that is resumed without ``state_dict``.

    Raises:
        TypeError: ``optimizer`` is none.
        ValueError: the optimizer has no momentum to schedule, or the schedule refuses its
            settings; the optimizer is then left as it was.

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

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        *,
        momentum: Callable[[int], float] | None = None,
        last_epoch: int = -1,
    ) -> None:
        self.schedule, self.momentum = schedule, momentum
        if momentum is not None:
            for group in getattr(optimizer, "param_groups", []):
                if "momentum" not in group and "betas" not in group:
                    raise ValueError(
                        f"{type(optimizer).__name__} has neither momentum nor betas to schedule"
                    )
            momentum(last_epoch + 1)
        # A schedule that refuses its settings does so before anything is changed.
        for group in getattr(optimizer, "param_groups", []):
            self._rate(last_epoch + 1, group.get("initial_lr", group["lr"]))
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Number]:
        """Return the rate of each group for the next update."""
        return [self._rate(self.last_epoch, lr) for lr in self.base_lrs]

    def _rate(self, step: int, lr: Number) -> Number:
        rate = self.schedule(step, lr)
        check_in_interval(f"the schedule's rate at step {step}", rate, "[0, inf)")
        return rate

    def step(self, epoch: int | None = None) -> None:
        """Set rate and momentum for the next update; call it after ``optimizer.step()``."""
        super().step(epoch)
        if self.momentum is None:
            return
        value = self.momentum(self.last_epoch)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (value, *group["betas"][1:])
            else:
                group["momentum"] = value

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs: where the schedule stands, and not the schedule."""
        state = super().state_dict()
        return {
            name: value for name, value in state.items() if name not in ("schedule", "momentum")
        }


class PlateauScheduler(LRScheduler):
    """:func:`reduce_on_plateau` as a scheduler: ``step(metric)`` in place of ``step()``.

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
            ValueError: it is not this class's, but PyTorch's ``ReduceLROnPlateau``'s, say, which
                keeps its settings with what it measured.
        """
        if "plateau" not in state_dict:
            raise ValueError(
                f"the state is not one of {type(self).__name__}: it has no 'plateau', but "
                f"{', '.join(map(repr, state_dict))}"
            )
        super().load_state_dict(state_dict)

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs: what was measured, and not the settings."""
        return {name: value for name, value in super().state_dict().items() if name != "_rule"}
