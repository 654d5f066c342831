"""Adam under a microscope: a sequence of gradients, and what Adam makes of it step by step."""

from collections.abc import Sequence
from typing import Annotated, Any

from descent._checks import check_choice, check_in_interval, check_length
from descent._signatures import In, OneOf
from descent.optim import OPTIMIZERS
from descent.playground._figure import Playground
from descent.playground._gradients import BETA1, BETA2, GRADIENTS, LENGTH
from descent.playground._registry import figure


@figure
def microscope(
    gradients: str | Sequence[float] = "constant",
    *,
    silence: Annotated[int, In("[0, 10000]")] = 0,
    beta1: Annotated[float, In("[0, 1)")] = BETA1,
    beta2: Annotated[float, In("[0, 1)")] = BETA2,
    other: Annotated[str, OneOf(tuple(OPTIMIZERS))] = "RMSprop",
) -> Playground:
    r"""Let the reader paint a sequence of gradients, and see Adam's averages and steps.

    The steps are in units of the learning rate, with the bias corrections and without, beside those
    of another optimizer.

    Args:
        gradients: 60 numbers in [-1, 1]; or ``"constant"``, ``"silence, then a burst"``,
            ``"one outlier"`` or ``"growing by 11% a step"``, of which the second and the last come
            after 5000 gradients of 0, unless ``silence`` says after how many.
        silence: how many gradients of 0 come before, in [0, 10000].
        beta1: :math:`\beta_1`, in [0, 1).
        beta2: :math:`\beta_2`, in [0, 1).
        other: the optimizer beside Adam, by its name in :data:`descent.optim.OPTIMIZERS`, with its
            defaults.

    Returns:
        The figure, which a notebook shows.

    Raises:
        TypeError: an argument is of another type.
        ValueError: an argument is outside its range.

    Example:
        >>> microscope("one outlier", other="Adagrad")
        <playground microscope>
        >>> microscope([0.0, 1.0])
        Traceback (most recent call last):
        ...
        ValueError: gradients must be 60 numbers, got [0.0, 1.0]

    References:
        The chapter on Adam.
    """
    state: dict[str, Any] = {"silence": silence, "beta1": beta1, "beta2": beta2, "other": other}
    if isinstance(gradients, str):
        check_choice("gradients", gradients, GRADIENTS)
        first, gradients = GRADIENTS[gradients]
        state["silence"] = silence or first
    check_length("gradients", gradients, LENGTH)
    for index, each in enumerate(gradients):
        check_in_interval(f"gradients[{index}]", each, "[-1, 1]")
    return Playground("microscope", {"gradients": [float(each) for each in gradients]} | state)
