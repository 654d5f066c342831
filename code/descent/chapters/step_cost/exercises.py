"""Checkers for the exercises on what a step costs.

Each takes what the reader wrote, prints one line and returns whether it is right.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from descent.chapters.step_cost.theory import crossover_size, step_time_bound, step_traffic
from descent.chapters.verdict import as_answer, ask, mismatch, verdict, wrong_form, wrong_truth

Number = float | Tensor


def bytes_moved(answer: Callable[[int, int], Number]) -> bool:
    """Check how many bytes a step moves for each parameter.

    Args:
        answer: maps the number of states per parameter and the bytes of a number to the bytes
            that are read and written.

    Returns:
        Whether it is right.

    Example:
        >>> bytes_moved(lambda num_states, itemsize: (4 + 2 * num_states) * itemsize)
        not yet: bytes_moved(num_states=0, itemsize=4) returned 16 where 12 is right
        False
    """
    for states, itemsize in ((0, 4), (1, 4), (2, 4), (3, 2), (2, 8), (2, 1)):
        found, problem = ask(answer, states, itemsize)
        right = torch.tensor(step_traffic(states, itemsize), dtype=torch.float64)
        if problem := problem or mismatch(found, right):
            return verdict(f"bytes_moved(num_states={states}, itemsize={itemsize})", problem)
    return verdict("bytes_moved", None)


def least_time(answer: Callable[[float, int, float], Number]) -> bool:
    """Check the least time of a float32 step.

    Args:
        answer: maps the number of parameters, the states per parameter and the bandwidth in bytes
            per second to seconds.

    Returns:
        Whether it is right.

    Example:
        >>> least_time(lambda num_params, num_states, bandwidth: 28 * num_params / bandwidth)
        not yet: least_time(num_params=1e+06, num_states=1, bandwidth=5e+10) returned 0.00056 ...
        False
    """
    for size, states, bandwidth in ((1e7, 2, 2e10), (1e6, 1, 5e10), (7e9, 0, 3e12), (300, 3, 1e11)):
        found, problem = ask(answer, size, states, bandwidth)
        right = torch.tensor(
            step_time_bound(size, step_traffic(states), bandwidth), dtype=torch.float64
        )
        # Times are small: only the digits count.
        if problem := problem or mismatch(found, right, abs=0.0):
            name = f"num_params={size:g}, num_states={states}, bandwidth={bandwidth:g}"
            return verdict(f"least_time({name})", problem)
    return verdict("least_time", None)


def crossover(answer: Callable[[int, float, float, float], Number]) -> bool:
    """Check the number of parameters from which on the bytes take longer than the launches.

    Args:
        answer: maps the number of launches, the seconds of one, the bytes moved per parameter and
            the bandwidth in bytes per second to a number of parameters.

    Returns:
        Whether it is right.

    Example:
        >>> crossover(lambda launches, overhead, traffic, bandwidth: launches * overhead / traffic)
        not yet: crossover(launches=150, overhead=1e-05, traffic=28, bandwidth=2e+10) returned ...
        False
    """
    cases = ((150, 1e-5, 28.0, 2e10), (1, 4e-6, 12.0, 3e12), (40, 1e-6, 20.0, 1e4))
    for launches, overhead, traffic, bandwidth in cases:
        found, problem = ask(answer, launches, overhead, traffic, bandwidth)
        right = crossover_size(traffic, bandwidth, launches=launches, overhead=overhead)
        right = torch.tensor(right, dtype=torch.float64)
        if problem := problem or mismatch(found, right, abs=0.0):
            name = f"launches={launches}, overhead={overhead:g}, traffic={traffic:g}, "
            return verdict(f"crossover({name}bandwidth={bandwidth:g})", problem)
    return verdict("crossover", None)


def stalls(answer: Callable[[float, float], bool]) -> bool:
    """Check whether a weight in bfloat16 stays where it is when an update is subtracted.

    Args:
        answer: maps the weight, a number that bfloat16 can hold, and the update to whether the
            weight stays.

    Returns:
        Whether it is right on both sides of the limit, for weights of several sizes and signs.

    Example:
        >>> stalls(lambda weight, update: abs(update) < abs(weight) / 256)
        not yet: stalls(weight=1, update=0.003) returned True where False is right
        False
    """
    # A tie, half a gap from the weight, goes to the even neighbour, and below a power of two lies
    # half as far away.
    cases = [(weight, share * abs(weight))
             for weight in (1.0, 1.9921875, 3.0, -1.5, 0.0078125, 1.0078125, -2.0)
             for share in (0.001, -0.001, 0.003, -0.003, 0.005)]  # fmt: skip
    ties = ((1.0, 2**-8), (1.0078125, 2**-8), (1.0, 2**-9))
    cases += [(weight, sign * tie) for weight, tie in ties for sign in (1, -1)]
    for weight, update in cases:
        found, problem = ask(answer, weight, update)
        exact = torch.tensor(weight - update, dtype=torch.float64)
        right = exact.to(torch.bfloat16).item() == weight
        if problem := problem or wrong_truth(found, right):
            return verdict(f"stalls(weight={weight:.9g}, update={update:.6g})", problem)
    return verdict("stalls", None)


def stochastic_rounding(answer: Callable[[Tensor, Tensor], Tensor]) -> bool:
    """Check stochastic rounding to a grid.

    Args:
        answer: maps numbers ``(n,)``, in units of the gap between floats, and as many random
            numbers, uniform in [0, 1), to the rounded numbers ``(n,)``.

    Returns:
        Whether each number goes to one of its two neighbours, whole numbers stay, and the mean
        over many random numbers is the number itself.

    Example:
        >>> stochastic_rounding(lambda x, uniform: x.round())
        not yet: stochastic_rounding leaves the mean of 0.25 at 0
        False
    """
    count = 20_000
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    # Evenly spaced, so that a fraction's part of the random numbers lies below it.
    uniform = (order.double() + 0.5) / count
    for value in (0.25, 3.0, -1.7, 0.99, 0.003, -12.5):
        x = torch.full((count,), value, dtype=torch.float64)
        found, problem = ask(answer, x, uniform)
        if problem := problem or wrong_form(found, x) or _unfair(as_answer(found).double(), value):
            return verdict("stochastic_rounding", problem)
    x = torch.linspace(-3, 3, count, dtype=torch.float64)
    rounded, mixed = (ask(answer, *each)[0] for each in ((x, uniform), (x[order], uniform[order])))
    if not torch.equal(as_answer(rounded)[order], as_answer(mixed)):
        return verdict("stochastic_rounding", "rounds a number by another coin than its own")
    return verdict("stochastic_rounding", None)


def _unfair(rounded: Tensor, value: float) -> str | None:
    """Say that one number was not rounded to its neighbours, or not so that its mean is right."""
    if not bool(((rounded == math.floor(value)) | (rounded == math.ceil(value))).all()):
        return f"takes {value:g} to something else than its neighbours"
    mean = rounded.mean().item()
    return None if abs(mean - value) < 3e-4 else f"leaves the mean of {value:g} at {mean:.6g}"
