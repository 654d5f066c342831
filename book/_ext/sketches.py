"""A small picture for each chapter on the first page, drawn by the package.

It is SVG in the page, so that its colours follow the theme.
"""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from descent import losses, schedules
from descent.optim import SGD, Adam, GradientDescent, RMSprop
from descent.tasks.problems import GaussianNoise, quadratic
from descent.training import minimize
from descent.training.follow import follow

WIDTH, HEIGHT, MARGIN = 160, 72, 8
Curve = tuple[Tensor, Tensor]
"""What stands to the right and what stands upwards, each of shape (points,)."""


def prices() -> list[Curve]:
    """Three losses of one residual."""
    residual = torch.linspace(-1.7, 1.7, 61)
    zero = torch.zeros_like(residual)
    found = (losses.mse_loss, losses.l1_loss, losses.huber_loss)
    return [(residual, loss(residual, zero, reduction="none")) for loss in found]


def steps_down() -> list[Curve]:
    """Steps across a parabola, and the parabola."""
    bowl = quadratic([1.0])
    start = torch.tensor([2.0])
    trace = minimize(bowl.objective, start, GradientDescent, num_steps=8, lr=1.75)
    line = torch.linspace(-2.2, 2.2, 61)
    return [(trace.params[:, 0], trace.loss), (line, bowl.objective(line[:, None]))]


def noisy_run() -> list[Curve]:
    """The loss of a run whose gradients are noisy, and of one whose are not."""
    bowl, start = quadratic([1.0, 1.0]), torch.tensor([1.2, 1.2])
    noises = (GaussianNoise(0.8, seed=3), None)
    return [
        (trace.step, trace.loss.clamp(max=1.5))
        for trace in (
            minimize(bowl.objective, start, SGD, num_steps=70, lr=0.1, noise=noise)
            for noise in noises
        )
    ]


def in_a_ravine() -> list[Curve]:
    """A path with momentum, and one without."""
    ravine, start = quadratic([1.0, 20.0]), torch.tensor([-3.0, 0.5])
    kept = (0.6, 0.0)
    return [
        tuple(trace.params.T)
        for trace in (
            minimize(ravine.objective, start, SGD, num_steps=30, lr=0.085, momentum=momentum)
            for momentum in kept
        )
    ]


def own_rates() -> list[Curve]:
    """A path of RMSprop where scales are wrong, and one of gradient descent."""
    bowl, start = quadratic([1.0, 40.0]), torch.tensor([-1.0, 0.9])
    ours = minimize(bowl.objective, start, RMSprop, num_steps=60, lr=0.02, alpha=0.9)
    plain = minimize(bowl.objective, start, GradientDescent, num_steps=60, lr=0.045)
    return [tuple(trace.params.T) for trace in (ours, plain)]


def after_a_silence() -> list[Curve]:
    """How long Adam's steps are when a gradient comes, stays away and comes back."""
    grads = torch.cat([torch.ones(25), torch.zeros(25), torch.ones(40)]).double()
    path = follow(Adam, grads[:, None], lr=1.0)
    steps = path.diff(dim=0).abs().squeeze(-1)
    count = torch.arange(len(steps))
    return [(count, steps), (count, grads)]


def shapes() -> list[Curve]:
    """Four schedules with one peak."""
    steps = range(101)
    found: list[Callable[[int], float]] = [
        lambda step: schedules.linear(step, 1.0, num_steps=100, start_factor=1.0, end_factor=0.0),
        lambda step: schedules.cosine(step, 1.0, num_steps=100),
        lambda step: schedules.step_decay(step, 1.0, step_size=34, gamma=0.4),
        lambda step: schedules.inverse_sqrt(step, 1.0, timescale=10.0),
    ]
    return [(torch.tensor(steps), torch.tensor([rate(step) for step in steps])) for rate in found]


def ways() -> list[Curve]:
    """The recorded time of a step of Adam with ten million parameters, way by way."""
    file = Path(__file__).parents[1] / "step_cost_cpu.csv"
    with file.open(encoding="utf-8") as opened:
        times = {
            row["way"]: float(row["µs"])
            for row in csv.DictReader(opened)
            if (row["rule"], row["tensors"], row["parameters"]) == ("Adam", "1", "10000000")
        }
    bars = []
    for place, way in enumerate(("fused", "compiled", "foreach", "loop", "eager")):
        left, right = torch.tensor([place, place + 0.7])
        height = torch.tensor(times[way])
        zero = torch.zeros(())
        bars.append(
            (torch.stack([left, left, right, right]), torch.stack([zero, height, height, zero]))
        )
    return bars


SKETCHES = {
    "losses": prices,
    "gradient_descent": steps_down,
    "sgd": noisy_run,
    "momentum": in_a_ravine,
    "rmsprop": own_rates,
    "adam": after_a_silence,
    "lr_decay": shapes,
    "step_cost": ways,
}


def svg(chapter: str) -> str:
    """Draw the sketch of a chapter: the first curve in the accent, the others in grey.

    Args:
        chapter: the name of its page, such as ``"adam"``.

    Raises:
        KeyError: it has none.
    """
    curves = SKETCHES[chapter]()
    ends = [(torch.cat(part).min().item(), torch.cat(part).max().item())
            for part in zip(*curves, strict=True)]  # fmt: skip
    (left, right), (low, high) = ends
    lines = []
    for place, (across, up) in reversed(list(enumerate(curves))):
        xs = MARGIN + (across - left) / (right - left) * (WIDTH - 2 * MARGIN)
        ys = HEIGHT - MARGIN - (up - low) / (high - low) * (HEIGHT - 2 * MARGIN)
        points = zip(xs.tolist(), ys.tolist(), strict=True)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points if math.isfinite(y))
        lines.append(f'<polyline class="{"other" if place else "first"}" points="{path}"/>')
    return (
        f'<svg class="sketch" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
        f"{''.join(lines)}</svg>"
    )
