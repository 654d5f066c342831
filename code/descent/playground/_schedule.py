"""Compose a schedule: a warmup, a peak, a stay and a way down, beside the best rates there are."""

from typing import Annotated

from descent._signatures import In, OneOf
from descent.playground._figure import Playground
from descent.playground._registry import figure
from descent.playground._shapes import SHAPES


@figure
def schedule(
    shape: Annotated[str, OneOf(SHAPES)] = "linear",
    *,
    lr: Annotated[float, In("[0.005, 0.5]")] = 0.08,
    warmup_steps: Annotated[int, In("[0, 250]")] = 25,
    decay_start: Annotated[int, In("[0, 500]")] = 400,
    end_factor: Annotated[float, In("[0.001, 1]")] = 0.01,
    noise: Annotated[float, In("[0.1, 1]")] = 0.3,
) -> Playground:
    r"""Let the reader compose a schedule of 500 steps on the bowl of the chapter on decay.

    Its expected loss comes from the chapter's recursion, as that of the best rates there are. The
    figure shows the line of PyTorch and that of ``descent`` that make the schedule.

    Args:
        shape: of the way down.
        lr: the peak, in [0.005, 0.5].
        warmup_steps: how many steps come before the peak, in [0, 250].
        decay_start: from which step on the rate falls, in [0, 500], and not before the peak; with
            500 it never does.
        end_factor: what the shape comes to at step 500, over the peak, in [0.001, 1].
        noise: the standard deviation of what is added to each number of the gradient, in [0.1, 1].

    Returns:
        The figure, which a notebook shows.

    Raises:
        TypeError: an argument is of another type.
        ValueError: an argument is outside its range.

    Example:
        >>> schedule("cosine", lr=0.16, warmup_steps=0, decay_start=0)
        <playground schedule>
        >>> schedule(warmup_steps=50, decay_start=20)
        Traceback (most recent call last):
        ...
        ValueError: decay_start must be at least warmup_steps=50, got 20

    References:
        The chapter on learning-rate decay.
    """
    if decay_start < warmup_steps:
        raise ValueError(
            f"decay_start must be at least warmup_steps={warmup_steps}, got {decay_start}"
        )
    state = {"shape": shape, "lr": lr, "warmup_steps": warmup_steps, "decay_start": decay_start}
    return Playground("schedule", state | {"end_factor": end_factor, "noise": noise})
