"""The noise floor: a cloud of runs that stops coming nearer, and what brings it nearer again."""

from typing import Annotated

from descent._signatures import In
from descent.playground._figure import Playground
from descent.playground._registry import figure


@figure
def noise_floor(
    *,
    lr: Annotated[float, In("[0.005, 1.9]")] = 0.2,
    batch_size: Annotated[int, In("[1, 256]")] = 1,
    noise: Annotated[float, In("[0, 5]")] = 1.0,
    drop: Annotated[int, In("[0, 200]")] = 200,
    seed: Annotated[int, In("[0, 4294967295]")] = 0,
    average: bool = False,
) -> Playground:
    r"""Let runs of stochastic gradient descent settle on a parabola of curvature 1.

    Args:
        lr: the learning rate :math:`\eta`, in [0.005, 1.9].
        batch_size: :math:`B`, in [1, 256].
        noise: the standard deviation :math:`\sigma` of one sample's gradient, in [0, 5].
        drop: the step from which on the rate is a tenth, in [0, 200]; all 200 steps are taken at
            the same rate if it is 200.
        seed: of the noise, an integer in [0, 4294967295].
        average: whether the average of each run's iterates is shown as well.

    Returns:
        The figure, which a notebook shows.

    Raises:
        TypeError: an argument is of another type.
        ValueError: an argument is outside its range.

    Example:
        >>> noise_floor(lr=0.1, batch_size=8)
        <playground noise_floor>
        >>> noise_floor(batch_size=0)
        Traceback (most recent call last):
        ...
        ValueError: batch_size must be in [1, 256], got 0

    References:
        The chapter on stochastic gradient descent.
    """
    state = {"lr": lr, "batch_size": batch_size, "noise": noise, "drop": drop, "seed": seed}
    return Playground("noise_floor", state | {"average": average})
