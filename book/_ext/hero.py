"""``{hero}``: the figure on the first page, a descent into a ravine, drawn by the package.

It is SVG in the page, so that its colours follow the theme.
"""

import math

import torch
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from descent.optim import GradientDescent
from descent.tasks.problems import quadratic
from descent.training import minimize

CURVATURES, ANGLE = (1.0, 10.0), -0.35
START = (-2.05, 1.42)
NUM_STEPS, LR_TIMES_SMOOTHNESS = 24, 1.8
RINGS = 7
WIDTH, HEIGHT, SCALE = 520, 320, 105


def svg() -> str:
    """Draw level lines evenly spaced in distance, and over them the path, step by step."""
    problem = quadratic(CURVATURES, ANGLE)
    start = torch.tensor(START, dtype=torch.float64)
    lr = LR_TIMES_SMOOTHNESS / max(CURVATURES)
    trace = minimize(problem.objective, start, GradientDescent, num_steps=NUM_STEPS, lr=lr)

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
