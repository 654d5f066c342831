"""The surfaces that figures show, and how much of each."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from descent.tasks.problems import Problem, beale, quadratic, rosenbrock, saddle

KAPPA, ANGLE = 10.0, -20.0
WIDE = ((-2.4, 2.4), (-1.5, 1.5))


@dataclass(frozen=True)
class Surface:
    """A surface as the figure shows it.

    Args:
        problem: makes it from the condition number and an angle in degrees.
        takes: which of the figure's numbers change it.
        window: what of the plane is shown, if not the problem's.
        start: where a run starts, if not at the problem's.
        lr: a rate that brings gradient descent down, where the condition number says none.
    """

    problem: Callable[[float, float], Problem]
    takes: tuple[str, ...] = ()
    window: tuple[tuple[float, float], tuple[float, float]] | None = None
    start: tuple[float, float] | None = None
    lr: float | None = None


def _turned(kappa: float, angle: float) -> Problem:
    return quadratic([1.0, kappa], angle=math.radians(angle))


SURFACES = {
    "bowl": Surface(lambda kappa, _: quadratic([1.0, kappa]), ("kappa",), WIDE, (-2.0, 1.0)),
    "turned ravine": Surface(_turned, ("kappa", "angle"), WIDE, (-2.05, 1.3)),
    "noisy bowl": Surface(_turned, ("kappa", "angle", "noise", "seed"), WIDE, (-2.05, 1.3)),
    "saddle": Surface(lambda *_: saddle(), start=(1.0, 1e-3), lr=0.1),
    "Rosenbrock": Surface(lambda *_: rosenbrock(), lr=0.001),
    "Beale": Surface(lambda *_: beale(), start=(-2.0, 1.5), lr=0.003),
}
"""The surfaces, by the name that the figure prints."""
