"""Checkers for the exercises on what a step costs.

Each takes what the reader wrote, prints one line and returns whether it is right.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from descent.chapters.step_cost.theory import crossover_size, step_time_bound, step_traffic
from descent.chapters.verdict import ask, mismatch, verdict

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
    for states, itemsize in ((0, 4), (1, 4), (2, 4), (3, 2), (2, 8)):
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
    for size, states, bandwidth in ((1e7, 2, 2e10), (1e6, 1, 5e10), (7e9, 0, 3e12)):
        found, problem = ask(answer, size, states, bandwidth)
        right = step_time_bound(size, step_traffic(states), bandwidth)
        # In units of the right answer, so that small times are told apart as well as large ones.
        if problem is None and isinstance(found, int | float | Tensor):
            relative = torch.as_tensor(found, dtype=torch.float64) / right
            problem = mismatch(relative, torch.ones((), dtype=torch.float64))
            problem = problem and f"returned {float(found):.6g} where {right:.6g} is right"
        else:
            problem = problem or mismatch(found, torch.tensor(right, dtype=torch.float64))
        if problem:
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
    for launches, overhead, traffic, bandwidth in ((150, 1e-5, 28.0, 2e10), (1, 4e-6, 12.0, 3e12)):
        found, problem = ask(answer, launches, overhead, traffic, bandwidth)
        right = crossover_size(traffic, bandwidth, launches=launches, overhead=overhead)
        if problem := problem or mismatch(found, torch.tensor(right, dtype=torch.float64)):
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
    cases = [(weight, share * abs(weight))
             for weight in (1.0, 1.9921875, 3.0, -1.5, 0.0078125)
             for share in (0.001, -0.001, 0.003, -0.003, 0.005)]  # fmt: skip
    for weight, update in cases:
        found, problem = ask(answer, weight, update)
        if problem is None and not isinstance(found, bool):
            problem = f"returned a {type(found).__name__} where True or False is right"
        exact = torch.tensor(weight - update, dtype=torch.float64)
        right = exact.to(torch.bfloat16).item() == weight
        if problem is None and found != right:
            problem = f"returned {found} where {right} is right"
        if problem:
            return verdict(f"stalls(weight={weight:g}, update={update:g})", problem)
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
    generator = torch.Generator().manual_seed(0)
    count = 40_000
    for value in (0.25, 3.0, -1.7, 0.99):
        x = torch.full((count,), value, dtype=torch.float64)
        uniform = torch.rand(count, dtype=torch.float64, generator=generator)
        found, problem = ask(answer, x, uniform)
        if problem is None and (not isinstance(found, Tensor) or found.shape != x.shape):
            problem = (
                f"returned a {type(found).__name__} where a tensor of shape ({count},) is right"
            )
        if problem is None and not bool(((found == x.floor()) | (found == x.ceil())).all()):
            problem = f"takes {value:g} to something else than its neighbours"
        # Five standard deviations of the mean of coins, and for whole numbers none.
        slack = 2.5 / count**0.5 * (value % 1 > 0)
        if problem is None and abs(found.double().mean().item() - value) > slack:
            problem = f"leaves the mean of {value:g} at {found.double().mean().item():.6g}"
        if problem:
            return verdict("stochastic_rounding", problem)
    return verdict("stochastic_rounding", None)
