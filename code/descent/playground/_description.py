"""What the browser has to know of the package, as data: nothing of it is written a second time."""

import inspect
from collections.abc import Callable
from typing import Any, get_args

from descent._signatures import In, OneOf
from descent.optim import OPTIMIZERS, describe
from descent.playground._gradients import GRADIENTS
from descent.playground._registry import FIGURES
from descent.playground._shapes import CURVATURES, SHAPES
from descent.playground._surfaces import ANGLE, KAPPA, SURFACES
from descent.plotting import style_of

SYMBOLS = {
    "lr": "η",
    "momentum": "β",
    "betas": "β",
    "alpha": "α",
    "eps": "ε",
    "weight_decay": "λ",
    "dampening": "τ",
    "lr_decay": "δ",
    "initial_accumulator_value": "s₀",
    "momentum_decay": "ψ",
    "kappa": "κ",
    "product": "ηλ",
}
"""The letters of the book, which ``notation`` lists."""

SCALES = {
    "lr": ("log", 1e-4, 3.0),
    "eps": ("log", 1e-12, 1.0),
    "kappa": ("log", 1.0, 100.0),
    "batch_size": ("log", 1.0, 256.0),
    "momentum": ("complement", 0.0, 0.999),
    "dampening": ("linear", 0.0, 1.0),
    "momentum_decay": ("linear", 0.0, 0.1),
    "beta1": ("complement", 0.0, 0.999),
    "beta2": ("complement", 0.0, 0.9999),
    "rmsprop_lr": ("log", 0.001, 1.0),
    "adam_lr": ("log", 0.001, 1.0),
    "end_factor": ("log", 0.001, 1.0),
}
"""What a slider shows of an interval that is too long for it, and how it is divided."""


def description() -> dict[str, Any]:
    """Describe the optimizers and the surfaces, as JSON holds them.

    Example:
        >>> sorted(description())
        ['curvatures', 'figures', 'gradients', 'optimizers', 'schedules', 'surfaces']
    """
    return {
        "optimizers": {name: _optimizer(name) for name in OPTIMIZERS},
        "surfaces": {name: _surface(name) for name in SURFACES},
        "schedules": {name: _style(name) for name in SHAPES},
        "curvatures": CURVATURES,
        "gradients": {
            name: {"silence": silence, "values": values}
            for name, (silence, values) in GRADIENTS.items()
        },
        "figures": {name: _parameters(each) for name, each in FIGURES.items()},
    }


def _optimizer(name: str) -> dict[str, Any]:
    described = describe(OPTIMIZERS[name])
    for each in described["hyperparameters"]:
        del each["meaning"]  # in reStructuredText, which no browser reads
        each |= _slider(each["name"], each.get("low"), each.get("high"))
    return described | _style(name)


def _style(name: str) -> dict[str, Any]:
    style = style_of(name)
    dash = () if style["linestyle"] == "-" else style["linestyle"][1]
    return {"color": style["color"], "dash": list(dash)}


def _slider(name: str, low: float | None, high: float | None) -> dict[str, Any]:
    """Choose what a slider shows: all, where the interval is short."""
    if name in SCALES:
        scale, first, last = SCALES[name]
        first = first if low is None else max(first, low)
        last = last if high is None else min(last, high)
    elif (low, high) == (0.0, 1.0):  # what is kept of an average: 0.9 and 0.99 are far apart
        scale, first, last = "complement", 0.0, 0.9999
    else:
        scale, first, last = "linear", low or 0.0, 1.0 if high is None else high
    return {"symbol": SYMBOLS.get(name, ""), "scale": scale, "first": first, "last": last}


def _surface(name: str) -> dict[str, Any]:
    surface = SURFACES[name]
    problem = surface.problem(KAPPA, ANGLE)
    return {
        "window": surface.window or problem.window,
        "start": list(surface.start or problem.start.tolist()),
        "minimizer": problem.minimizer.tolist(),
        "takes": list(surface.takes),
        "lr": surface.lr,
    }


def _parameters(function: Callable[..., object]) -> dict[str, Any]:
    """Read the defaults and the intervals of a figure's numbers from its signature."""
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        notes = get_args(function.hints[name])
        interval = next((note.interval for note in notes if isinstance(note, In)), None)
        choices = next((note.choices for note in notes if isinstance(note, OneOf)), None)
        if interval:
            low, high = (float(end) for end in interval[1:-1].split(","))
            found[name] = {
                "default": parameter.default,
                "whole": notes[0] is int,
                "low": low,
                "high": high,
                "low_included": interval[0] == "[",
                "high_included": interval[-1] == "]",
                **_slider(name, low, high),
            }
        elif choices:
            found[name] = {"default": parameter.default, "choices": list(choices)}
    return found
