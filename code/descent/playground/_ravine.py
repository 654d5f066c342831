"""The ravine: up to three optimizers race down a surface that the reader turns and stretches."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from descent._checks import check_choice, check_in_interval, check_length
from descent._signatures import In, OneOf
from descent.optim import OPTIMIZERS
from descent.playground._figure import Playground
from descent.playground._registry import figure
from descent.playground._surfaces import ANGLE, KAPPA, SURFACES

MOST = 3

Racers = Mapping[str, Mapping[str, Any]] | Sequence[tuple[str, Mapping[str, Any]]]


@figure
def ravine(
    surface: Annotated[str, OneOf(tuple(SURFACES))] = "turned ravine",
    *,
    kappa: Annotated[float, In("[1, 100]")] = KAPPA,
    angle: Annotated[float, In("[-90, 90]")] = ANGLE,
    noise: Annotated[float, In("[0, 5]")] = 1.0,
    seed: Annotated[int, In("[0, 4294967295]")] = 0,
    num_steps: Annotated[int, In("[1, 500]")] = 60,
    start: Sequence[float] | None = None,
    racers: Racers | None = None,
) -> Playground:
    r"""Let optimizers race down a surface: the start, the surface and the rates can be changed.

    Args:
        surface: its name.
        kappa: the condition number :math:`\kappa` of the bowls, in [1, 100].
        angle: by which their steep direction is turned, in degrees, in [-90, 90].
        noise: the standard deviation of what is added to each number of the noisy bowl's gradient,
            in [0, 5].
        seed: of the noise, an integer in [0, 4294967295].
        num_steps: how many steps are taken, in [1, 500].
        start: two numbers, inside of what the figure shows; without them, a good view.
        racers: one to three optimizers by their names in :data:`descent.optim.OPTIMIZERS`, each
            with its hyperparameters; pairs, where one name comes twice. Without them, gradient
            descent a little below the rate at which it stops converging.

    Returns:
        The figure, which a notebook shows.

    Raises:
        TypeError: an argument is of another type, or a hyperparameter is unknown.
        ValueError: an argument is outside its range.

    Example:
        >>> ravine(kappa=30, racers={"SGD": {"lr": 0.05, "momentum": 0.8}, "Adam": {"lr": 0.1}})
        <playground ravine>
        >>> ravine(kappa=0.5)
        Traceback (most recent call last):
        ...
        ValueError: kappa must be in [1, 100], got 0.5

    References:
        The chapter on gradient descent.
    """
    shown = SURFACES[surface]
    window = shown.window or shown.problem(kappa, angle).window
    if start is None:
        start = shown.start or shown.problem(kappa, angle).start.tolist()
    check_length("start", start, 2)
    for index, (each, (low, high)) in enumerate(zip(start, window, strict=True)):
        check_in_interval(f"start[{index}]", each, f"[{low}, {high}]")
    if racers is None:
        racers = {"gradient descent": {"lr": 1.8 / kappa}}
    state = {
        "surface": surface,
        "kappa": kappa,
        "angle": angle,
        "noise": noise,
        "seed": seed,
        "num_steps": num_steps,
        "start": [float(each) for each in start],
        "racers": _racers(racers),
    }
    return Playground("ravine", state)


def _racers(racers: Racers) -> list[dict[str, Any]]:
    try:
        given = racers.items() if isinstance(racers, Mapping) else racers
        pairs = [(name, dict(options)) for name, options in given]
    except (TypeError, ValueError):
        message = f"racers must be optimizers, each with its hyperparameters, got {racers!r}"
        raise TypeError(message) from None
    if not 1 <= len(pairs) <= MOST:
        raise ValueError(f"racers must be one to {MOST} optimizers, got {len(pairs)}")
    found = []
    for name, options in pairs:
        check_choice("racers", name, OPTIMIZERS)
        complete = OPTIMIZERS[name].complete(**options)
        found.append({"optimizer": name, **{key: complete[key] for key in options}})
    return found
