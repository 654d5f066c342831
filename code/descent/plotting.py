"""Every figure of the book: one style, one colour per optimizer, functions of an ``Axes``.

Colours and text are mid-tones on a transparent ground, legible on white and on black.
"""

import matplotlib as mpl
import matplotlib.pyplot as plt
import torch
from cycler import cycler
from matplotlib.axes import Axes
from torch import Tensor

from descent.problems import Problem
from descent.training import Trace

INK = "#7a7a7a"
"""Text, axes and the dashed lines of theory."""

PALETTE = (
    "#3478c9", "#c8660e", "#2b8f57", "#9b5fc4", "#cf4747",
    "#14899a", "#a8743c", "#c4508f", "#7f8a1d", "#6a6fd1",
)  # fmt: skip


def use_style() -> None:
    """Apply the book's style to every figure drawn from here on.

    Example:
        >>> use_style()
        >>> mpl.rcParams["axes.labelcolor"] == INK
        True
    """
    mpl.rcParams.update(
        {
            "figure.facecolor": "none",
            "savefig.facecolor": "none",
            "axes.facecolor": "none",
            "figure.figsize": (6.4, 4.0),
            "figure.dpi": 100,
            "savefig.dpi": 200,
            "figure.constrained_layout.use": True,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.titlesize": "medium",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "grid.color": INK,
            "legend.frameon": False,
            "font.size": 11,
            "lines.linewidth": 2,
            "axes.prop_cycle": cycler(color=PALETTE),
        }
    )


def contours(ax: Axes, problem: Problem) -> Axes:
    """Draw a two-dimensional problem's level lines, and its minimizer as a cross.

    Args:
        ax: where to draw.
        problem: an objective of two parameters.

    Returns:
        The axes.
    """
    (left, right), (bottom, top) = problem.window
    x, y = torch.linspace(left, right, 200), torch.linspace(bottom, top, 200)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).double()
    values = problem.objective(grid)
    values = values - values.min()
    # Levels evenly spaced in the square root are evenly spaced in distance on a bowl.
    levels = torch.linspace(0.04, 1.0, 12) ** 2 * values.max()
    ax.contour(x, y, values, levels=levels, colors=INK, alpha=0.4, linewidths=0.8)
    if problem.minimizer is not None:
        ax.plot(*problem.minimizer, marker="x", color=INK, markersize=8)
    ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", xlim=(left, right), ylim=(bottom, top))
    return ax


def trajectory(ax: Axes, trace: Trace, *, label: str, color: str) -> Axes:
    """Draw a run's path over the plane, from a ring at its start.

    Args:
        ax: where to draw.
        trace: one run of two parameters.
        label: names the run in the legend.
        color: of the path.

    Returns:
        The axes.
    """
    path = trace.params
    ax.plot(*path.T, color=color, marker=".", markersize=4, linewidth=1.2, label=label)
    ax.plot(*path[0], color=color, marker="o", markersize=8, fillstyle="none")
    return ax


def measured(ax: Axes, step: Tensor, value: Tensor, *, label: str, color: str) -> Axes:
    """Draw what was measured, as a solid line over the steps."""
    ax.plot(step, value, color=color, label=label)
    return ax


def theory(ax: Axes, step: Tensor, value: Tensor, *, label: str) -> Axes:
    """Draw what was derived, as a dashed line over the measurement."""
    ax.plot(step, value, color=INK, linestyle=(0, (5, 3)), linewidth=1.4, label=label, zorder=3)
    return ax


def figure(*, columns: int = 1, width: float = 6.4, height: float = 4.0):
    """Make a figure of ``columns`` axes side by side.

    Returns:
        The figure, and its one axes or the array of them.
    """
    return plt.subplots(1, columns, figsize=(width, height))
