"""Momentum's plane: where the ball creeps, swings, hops or leaves, by rate and momentum."""

from typing import Annotated

from descent._signatures import In
from descent.playground._figure import Playground
from descent.playground._registry import figure


@figure
def momentum(
    *,
    product: Annotated[float, In("[0, 4.2]")] = 0.1,
    momentum: Annotated[float, In("[0, 1)")] = 0.9,
) -> Playground:
    r"""Let the reader move a point in the plane of rate times curvature and momentum.

    Beside the plane are the two roots of the heavy ball's recursion in the unit circle, the ball's
    path from rest, and the factor per step.

    Args:
        product: the learning rate times the curvature, :math:`\eta\lambda`, in [0, 4.2].
        momentum: :math:`\beta`, in [0, 1).

    Returns:
        The figure, which a notebook shows.

    Raises:
        TypeError: an argument is no number.
        ValueError: an argument is outside its range.

    Example:
        >>> momentum(product=0.25, momentum=0.25)
        <playground momentum>
        >>> momentum(momentum=1.0)
        Traceback (most recent call last):
        ...
        ValueError: momentum must be in [0, 1), got 1.0

    References:
        The chapter on momentum.
    """
    return Playground("momentum", {"product": product, "momentum": momentum})
