"""Turn the bowl: three optimizers run down it anew at each angle."""

from typing import Annotated

from descent._signatures import In
from descent.playground._figure import Playground
from descent.playground._registry import figure


@figure
def turned_bowl(
    *,
    angle: Annotated[int, In("[0, 90]")] = 0,
    kappa: Annotated[float, In("[1, 100]")] = 100.0,
    rmsprop_lr: Annotated[float, In("[0.001, 1]")] = 0.02,
    adam_lr: Annotated[float, In("[0.001, 1]")] = 0.05,
    num_steps: Annotated[int, In("[10, 200]")] = 100,
) -> Playground:
    r"""Let the reader turn a bowl, with the start, under gradient descent, RMSprop and Adam.

    Gradient descent has its best rate, :math:`2/(1 + \kappa)`.

    Args:
        angle: by which the bowl is turned, in whole degrees, in [0, 90].
        kappa: its condition number :math:`\kappa`, in [1, 100].
        rmsprop_lr: the learning rate of RMSprop, in [0.001, 1].
        adam_lr: the learning rate of Adam, in [0.001, 1].
        num_steps: how many steps each takes, in [10, 200].

    Returns:
        The figure, which a notebook shows.

    Raises:
        TypeError: an argument is of another type.
        ValueError: an argument is outside its range.

    Example:
        >>> turned_bowl(angle=45, kappa=30)
        <playground turned_bowl>
        >>> turned_bowl(angle=91)
        Traceback (most recent call last):
        ...
        ValueError: angle must be in [0, 90], got 91

    References:
        The chapter on RMSprop.
    """
    state = {"angle": angle, "kappa": kappa, "rmsprop_lr": rmsprop_lr, "adam_lr": adam_lr}
    return Playground("turned_bowl", state | {"num_steps": num_steps})
