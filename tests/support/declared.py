"""What an optimizer's signature allows, in the form that the tests draw values from."""

import math

from descent.optim import RuleOptimizer

Allowed = str | tuple[str, ...] | type

SIZES = [5e-324, 1e-300, 1e-46, 1e-20, 1e-8, 0.5, 1 - 2**-53, 1.0, 3.0, 1e4, 1e30, 1e39, 1e300]


def allowed(optimizer: type[RuleOptimizer]) -> dict[str, Allowed]:
    """Return each hyperparameter's interval, or intervals, or ``bool`` or ``int``."""
    found: dict[str, Allowed] = {}
    for name, each in optimizer.hyperparameters.items():
        many = (each.interval,) * each.length
        found[name] = {float: each.interval, tuple: many}.get(each.kind, each.kind)
    return found


def inside(value: float, interval: str) -> bool:
    """Say whether a number lies in an interval such as ``"[0, 1)"``."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = value > low or (interval[0] == "[" and value == low)
    return above and (value < high or (interval[-1] == "]" and value == high))


def ends(interval: str) -> list[float]:
    """List numbers at and near the ends of an interval, and of what float64 and others can hold."""
    bounds = [float(end) for end in interval[1:-1].split(",")]
    near = [math.nextafter(end, to) for end, to in zip(bounds, reversed(bounds), strict=True)]
    found = [*bounds, *near, *SIZES, *(-each for each in SIZES)]
    return [each for each in dict.fromkeys(found) if math.isfinite(each) and inside(each, interval)]
