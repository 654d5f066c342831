"""``{hero}``: the figure on the first page, a descent into a ravine, drawn by the package.

It is SVG in the page, so that its colours follow the theme.
"""

import math
from pathlib import Path

import torch
from docutils import nodes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from descent.optim import GradientDescent
from descent.tasks.problems import quadratic
from descent.training import Trace, minimize

CURVATURES, ANGLE = (1.0, 10.0), -0.35
START = (-2.05, 1.42)
NUM_STEPS, LR_TIMES_SMOOTHNESS = 24, 1.8
RINGS = 7
WIDTH, HEIGHT, SCALE = 520, 320, 105


def descent() -> Trace:
    """Go down."""
    problem = quadratic(CURVATURES, ANGLE)
    start = torch.tensor(START, dtype=torch.float64)
    lr = LR_TIMES_SMOOTHNESS / max(CURVATURES)
    return minimize(problem.objective, start, GradientDescent, num_steps=NUM_STEPS, lr=lr)


def svg() -> str:
    """Draw level lines evenly spaced in distance, and over them the path, step by step."""
    trace = descent()
    outermost = math.sqrt(2 * float(trace.loss[0]))
    rings = []
    for ring in range(1, RINGS + 1):
        radius = SCALE * outermost * ring / RINGS
        rx, ry = (radius / math.sqrt(curvature) for curvature in CURVATURES)
        turn = -math.degrees(ANGLE)
        rings.append(f'<ellipse rx="{rx:.1f}" ry="{ry:.1f}" transform="rotate({turn:.1f})"/>')

    points = [(SCALE * x, -SCALE * y) for x, y in trace.params.tolist()]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>' for x, y in points]
    return (
        f'<svg viewBox="{-WIDTH / 2} {-HEIGHT / 2} {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="A path that zigzags down a narrow valley to its lowest point.">'
        f'<g class="rings">{"".join(rings)}</g><polyline points="{path}"/>'
        f'<g class="steps">{"".join(dots)}</g></svg>'
    )


def share(file: Path) -> None:
    """Draw the path once more, as the picture that goes with a link to the book."""
    figure = Figure(figsize=(12, 6.3), dpi=100, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(-4.9, 2.34), ylim=(-1.9, 1.9), aspect="equal")
    trace = descent()
    outermost = 2 * math.sqrt(2 * float(trace.loss[0]))
    for ring in range(1, RINGS + 1):
        width, height = (outermost * ring / RINGS / math.sqrt(each) for each in CURVATURES)
        turned = math.degrees(ANGLE)
        axes.add_patch(Ellipse((0, 0), width, height, angle=turned, fill=False, color="#dcdfe4"))
    axes.plot(*trace.params.T, color="#2461a8", marker="o", linewidth=3, markersize=9)
    axes.text(-4.5, -0.7, "Descent", size=60, weight="bold", color="#1d2025")
    axes.text(-4.47, -1.2, "Every step derived, every derivation run", size=21, color="#545d69")
    figure.savefig(file, metadata={"Software": None})


class Hero(SphinxDirective):
    """The figure, and one sentence that says what it is."""

    def run(self) -> list[nodes.Node]:
        """Return the figure's HTML."""
        figure = (
            f'<figure class="hero">{svg()}<figcaption>{NUM_STEPS} steps of gradient descent in a'
            f" ravine. The steep direction limits the learning rate, and the flat one pays for it."
            "</figcaption></figure>"
        )
        return [nodes.raw("", figure, format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("hero", Hero)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
