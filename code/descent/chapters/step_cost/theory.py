"""The closed forms of the chapter on what a step costs."""

from typing import Annotated

import torch
from torch import Tensor

from descent._checks import Number, check_in_interval
from descent._signatures import Finites, In, NonNegatives, Positives, checked

Digits = Annotated[int, In("[2, 53]")]


@checked
def step_traffic(num_states: NonNegatives, itemsize: Positives = 4) -> Number:
    r"""Return the bytes :math:`q = (3 + 2k)\, w` that a step must move for each parameter.

    It reads the parameter, its gradient and :math:`k` states, and writes all but the gradient.

    Args:
        num_states: :math:`k`, the states of the parameter's shape, in [0, inf).
        itemsize: :math:`w`, bytes per number, in (0, inf).

    Returns:
        The bytes per parameter.

    Example:
        Gradient descent, momentum, Adam and AMSGrad, in float32.

        >>> [step_traffic(states) for states in (0, 1, 2, 3)]
        [12, 20, 28, 36]

    References:
        The chapter on what a step costs, equation ``cost-traffic``.
    """
    return (3 + 2 * num_states) * itemsize


@checked
def step_time_bound(num_params: NonNegatives, traffic: Positives, bandwidth: Positives) -> Number:
    r"""Return the least time :math:`qd/R` of a step, in seconds.

    Args:
        num_params: :math:`d`, in [0, inf).
        traffic: :math:`q`, bytes moved per parameter, in (0, inf).
        bandwidth: :math:`R`, bytes per second, in (0, inf).

    Returns:
        The seconds.

    Example:
        >>> step_time_bound(1e7, traffic=28, bandwidth=20e9)
        0.014

    References:
        The chapter on what a step costs, equation ``cost-bound``.
    """
    return traffic * num_params / bandwidth


@checked
def step_time(
    num_params: NonNegatives,
    traffic: Positives,
    bandwidth: Positives,
    *,
    launches: NonNegatives,
    overhead: NonNegatives,
    overlap: bool = False,
) -> Number:
    r"""Return the time :math:`na + qd/R` of a step that takes :math:`n` launches, in seconds.

    Args:
        num_params: :math:`d`, in [0, inf).
        traffic: :math:`q`, bytes moved per parameter, in (0, inf).
        bandwidth: :math:`R`, bytes per second, in (0, inf).
        launches: :math:`n`, the operations that a step starts, in [0, inf).
        overhead: :math:`a`, seconds to start one, in [0, inf).
        overlap: whether the next one is started while the last one works, as on a GPU; the time is
            then the larger part in place of the sum.

    Returns:
        The seconds.

    Example:
        >>> step_time(0, traffic=28, bandwidth=20e9, launches=10, overhead=0.25)
        2.5
        >>> step_time(1e7, traffic=28, bandwidth=20e9, launches=1, overhead=1e-6, overlap=True)
        0.014

    References:
        The chapter on what a step costs, equations ``cost-launch-serial`` and
        ``cost-launch-overlap``.
    """
    moving = step_time_bound(num_params, traffic, bandwidth)
    starting = launches * overhead
    if not overlap:
        return starting + moving
    if isinstance(starting, Tensor) or isinstance(moving, Tensor):
        return torch.maximum(torch.as_tensor(starting), torch.as_tensor(moving))
    return max(starting, moving)


@checked
def crossover_size(
    traffic: Positives, bandwidth: Positives, *, launches: NonNegatives, overhead: NonNegatives
) -> Number:
    r"""Return the parameters :math:`d^\star = naR/q` whose moving takes as long as the launches.

    Args:
        traffic: :math:`q`, bytes moved per parameter, in (0, inf).
        bandwidth: :math:`R`, bytes per second, in (0, inf).
        launches: :math:`n`, the operations that a step starts, in [0, inf).
        overhead: :math:`a`, seconds to start one, in [0, inf).

    Returns:
        The number of parameters; with fewer, a step's time is mostly that of its launches.

    Example:
        >>> crossover_size(traffic=28, bandwidth=28e9, launches=100, overhead=1e-5)
        1000000.0

    References:
        The chapter on what a step costs, equation ``cost-crossover``.
    """
    return launches * overhead * bandwidth / traffic


@checked
def float_spacing(value: Finites, digits: Digits) -> Number:
    r"""Return the gap :math:`\Delta(x) = 2^{E-p+1}` between a float and the next larger one.

    :math:`2^E \le |x| < 2^{E+1}`; the exponent's own limits are left out.

    Args:
        value: :math:`x`, not 0.
        digits: :math:`p`, significant bits, in [2, 53]: 8 for bfloat16, 11 for half, 24 for
            single precision.

    Returns:
        The gap, away from zero.

    Raises:
        ValueError: a value is 0 or not finite, or there are too few or too many digits.

    Example:
        >>> float_spacing(1.0, digits=8), float_spacing(-3.0, digits=8)
        (0.0078125, 0.015625)

    References:
        The chapter on what a step costs, equation ``cost-spacing``.
    """
    size = torch.as_tensor(value, dtype=torch.float64).abs()
    check_in_interval("the size of value", size, "(0, inf)")
    # frexp's mantissa begins at 1/2, which makes its exponent one larger.
    gap = torch.ldexp(torch.ones_like(size), size.frexp().exponent - digits)
    return gap if isinstance(value, Tensor) else gap.item()


@checked
def stall_threshold(value: Finites, digits: Digits) -> Number:
    r"""Return the update :math:`u^\star = \Delta(x)/2` below which rounding gives back the weight.

    Toward zero a power of two has half the room, since the floats below it lie closer.

    Args:
        value: :math:`x`, the weight, not 0.
        digits: :math:`p`, significant bits, in [2, 53].

    Returns:
        The size of the update, away from zero.

    Raises:
        ValueError: as :func:`float_spacing`.

    Example:
        >>> stall_threshold(1.0, digits=8)
        0.00390625
        >>> weight = torch.tensor(1.0, dtype=torch.bfloat16)
        >>> (weight + 0.0039).item(), (weight + 0.0040).item()
        (1.0, 1.0078125)

    References:
        The chapter on what a step costs, equation ``cost-stall``.
    """
    return float_spacing(value, digits) / 2


@checked
def stall_ratio(digits: Digits) -> float:
    r"""Return the relative change :math:`2^{-(p+1)}` up to which no float ever moves.

    From twice that on, all do.

    Args:
        digits: :math:`p`, significant bits, in [2, 53].

    Returns:
        The ratio of update to weight.

    Example:
        >>> stall_ratio(8)
        0.001953125

    References:
        The chapter on what a step costs, equation ``cost-stall-ratio``.
    """
    return 2.0 ** -(digits + 1)


@checked
def stochastic_rounding_variance(offset: Finites, spacing: Positives) -> Number:
    r"""Return the variance :math:`\Delta^2 f(1-f)` that stochastic rounding adds.

    :math:`f = o/\Delta - \lfloor o/\Delta \rfloor` is the part of a gap by which the number lies
    above the float below it. A weight that is moved :math:`t` times by :math:`o`, with a gap that
    stays the same, ends with :math:`t` times this variance around :math:`t\,o`.

    Args:
        offset: :math:`o`, how far the number lies above some float.
        spacing: :math:`\Delta`, the gap between floats, in (0, inf).

    Returns:
        The variance, at most :math:`\Delta^2/4`.

    Example:
        >>> stochastic_rounding_variance(0.25, spacing=1.0)
        0.1875
        >>> stochastic_rounding_variance(2.5, spacing=1.0)
        0.25

    References:
        The chapter on what a step costs, equations ``cost-variance`` and ``cost-drift``.
    """
    fraction = offset / spacing % 1
    return spacing**2 * fraction * (1 - fraction)
