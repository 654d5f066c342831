"""Learning-rate schedules: pure functions of the step, each written once.

``schedule(step, lr, **settings)`` is the rate of the update that follows ``step`` updates, so that
``schedule(0, lr)`` is the rate of the first. ``lr`` is the rate that a schedule starts from, peaks
at or returns to, as its docstring says; where it is a tensor, each entry has a schedule of its own.

With everything but the step fixed by ``functools.partial``, a schedule is drawn by calling it,
given to :func:`descent.training.minimize` or :func:`descent.sweeps.sweep` as a learning rate, and
with ``lr`` left open attached to an optimizer by :class:`Scheduler`.
"""

from descent.schedules._compose import chained, sequential, warmup_stable_decay
from descent.schedules._cycles import cosine_restarts, cyclic, one_cycle, one_cycle_momentum
from descent.schedules._decay import (
    constant,
    cosine,
    exponential,
    inverse_sqrt,
    inverse_time,
    linear,
    multi_step,
    polynomial,
    step_decay,
)
from descent.schedules._plateau import reduce_on_plateau
from descent.schedules._scheduler import PlateauScheduler, Schedule, Scheduler

__all__ = [
    "PlateauScheduler",
    "Schedule",
    "Scheduler",
    "chained",
    "constant",
    "cosine",
    "cosine_restarts",
    "cyclic",
    "exponential",
    "inverse_sqrt",
    "inverse_time",
    "linear",
    "multi_step",
    "one_cycle",
    "one_cycle_momentum",
    "polynomial",
    "reduce_on_plateau",
    "sequential",
    "step_decay",
    "warmup_stable_decay",
]
