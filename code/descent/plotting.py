"""Every figure of the book: one style, one colour per optimizer, functions of an ``Axes``.

Colours and text are mid-tones on a transparent ground, legible on white and on black. What was
measured is a solid line in colour; what was derived is a wide dashed one in grey.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from itertools import product
from typing import Any
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from descent._checks import check_choice
from descent._extras import book_extra
from descent.optim import OPTIMIZERS
from descent.tasks.problems import Problem
from descent.training import Trace

with book_extra():
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap, to_hex
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

INK = "#7a7a7a"
"""Text and axes."""

GREY = "#858585"
"""What stands behind: the dashed lines of theory, level lines, curves that do not matter."""

PALETTE = (
    "#3478c9", "#c8660e", "#2b8f57", "#9b5fc4", "#cf4747",
    "#14899a", "#a8743c", "#c4508f", "#7f8a1d", "#886898",
)  # fmt: skip
"""The colours of lines."""

DASHES = ("-", (0, (6, 1.5)), (0, (4, 1, 1, 1)), (0, (2, 1)))
"""The dashes of lines that show optimizers."""

STYLES = {
    "gradient descent": (PALETTE[0], DASHES[0]),
    "SGD": (PALETTE[1], DASHES[1]),
    "Adagrad": (PALETTE[2], DASHES[2]),
    "RMSprop": (PALETTE[3], DASHES[3]),
    "Adam": (PALETTE[4], DASHES[0]),
    "AdamW": (PALETTE[5], DASHES[1]),
    "NAdam": (PALETTE[6], DASHES[2]),
    "RAdam": (PALETTE[7], DASHES[3]),
    "Adamax": (PALETTE[8], DASHES[0]),
}
"""The colour and the dash of each optimizer, by name; another one takes a pair that is left."""

# Wider than what was measured and under it, so that the one shows beside the other.
_THEORY = {
    "color": GREY,
    "linestyle": (0, (1.6, 1.1)),
    "linewidth": 4.5,
    "alpha": 0.8,
    "zorder": 1.5,
    "dash_capstyle": "butt",
}
_LEVEL = {"color": GREY, "linestyle": (0, (4, 3)), "linewidth": 1.2}
# What a line is that no measurement drew: a derived curve, or a level or a cap of an interval.
_DERIVED, _AIDS = "derived", "aids"
_ANCHORS = (PALETTE[0], PALETTE[3], PALETTE[7], PALETTE[1])
_SERIES = LinearSegmentedColormap.from_list("series", _ANCHORS)

NARROW = 4.4
"""The width of a figure on a phone, in inches; on 358 pixels its small text has 9.4."""


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
            "figure.dpi": 90,
            "savefig.dpi": "figure",
            "figure.constrained_layout.use": True,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.titlecolor": INK,
            "axes.titlesize": "medium",
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "legend.fontsize": "small",
            "font.size": 10,
            "lines.linewidth": 1.8,
            "lines.solid_capstyle": "round",
            "axes.prop_cycle": mpl.cycler(color=PALETTE),
        }
    )


def style_of(optimizer: str) -> dict[str, Any]:
    """Return the colour and the dash of an optimizer, the same in every figure.

    Args:
        optimizer: its name in :data:`descent.optim.OPTIMIZERS`.

    Returns:
        Keyword arguments for ``Axes.plot``.

    Raises:
        ValueError: there is no such optimizer.

    Example:
        >>> style_of("gradient descent")
        {'color': '#3478c9', 'linestyle': '-'}
    """
    check_choice("optimizer", optimizer, OPTIMIZERS)
    if optimizer in STYLES:
        color, dash = STYLES[optimizer]
    else:  # by the name alone, so that no row of the table changes the style of another
        left = [pair for pair in product(PALETTE, DASHES) if pair not in STYLES.values()]
        color, dash = max(left, key=lambda pair: crc32(f"{optimizer} {pair}".encode()))
    return {"color": color, "linestyle": dash}


def series(count: int) -> list[str]:
    """Return ``count`` colours in order, for runs that differ in one number.

    Args:
        count: how many, at least 1.

    Example:
        >>> series(2)
        ['#3478c9', '#c8660e']
    """
    return [to_hex(_SERIES(position)) for position in np.linspace(0, 1, max(count, 1))]


def mixtures() -> dict[str, tuple[str, str, float]]:
    """Say of every colour of :func:`series` which two of the palette it is mixed from.

    Returns:
        The two colours, and the part of the second, in [0, 1], for each colour in between.

    Example:
        >>> mixtures()[series(2)[0]]
        ('#3478c9', '#9b5fc4', 0.0)
    """
    mixed = {}
    for shade in range(_SERIES.N):
        place = shade / (_SERIES.N - 1) * (len(_ANCHORS) - 1)
        before = min(int(place), len(_ANCHORS) - 2)
        mixed[to_hex(_SERIES(shade))] = (*_ANCHORS[before : before + 2], place - before)
    return mixed


def figure(columns: int = 1, *, width: float = 6.4, height: float = 3.6) -> tuple[Figure, Any]:
    """Make a figure of axes side by side.

    Args:
        columns: how many axes, at least 1.
        width: of the figure, in inches.
        height: of the figure, in inches.

    Returns:
        The figure, and its one axes or the array of them.

    Example:
        >>> _, axes = figure(3)
        >>> len(axes)
        3
    """
    return plt.subplots(1, columns, figsize=(width, height))


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
    levels = torch.linspace(0.04, 0.95, 12) ** 2 * values.max()
    ax.contour(x, y, values, levels=levels, colors=GREY, alpha=0.6, linewidths=0.8)
    if problem.minimizer is not None:
        ax.plot(*problem.minimizer, marker="x", color=INK, markersize=7, linestyle="none")
    ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", xlim=(left, right), ylim=(bottom, top))
    return ax


def trajectory(ax: Axes, trace: Trace, *, label: str, **style: Any) -> Axes:
    """Draw a run's path over the plane, from a ring at its start.

    Args:
        ax: where to draw.
        trace: one run of two parameters.
        label: names the run in the legend.
        **style: of the path, as ``Axes.plot`` takes it; ``color`` is required.

    Returns:
        The axes.
    """
    path = trace.params.T
    ax.plot(*path, marker=".", markersize=4, linewidth=1.1, label=label, **style)
    ax.plot(*path[:, 0], marker="o", markersize=7, fillstyle="none", color=style["color"])
    return ax


def measured(ax: Axes, x: Tensor, y: Tensor, *, label: str | None = None, **style: Any) -> Axes:
    """Draw what was measured, as a solid line, with its label at its end.

    Args:
        ax: where to draw.
        x: shape ``(points,)``.
        y: shape ``(points,)``.
        label: written beside the last point.
        **style: as ``Axes.plot`` takes it.

    Returns:
        The axes.
    """
    (line,) = ax.plot(x, y, **style)
    line.set_gid(label)
    if label:
        note(ax, label, (x[-1], y[-1]), color=line.get_color())
    return ax


def levels(
    ax: Axes, x: Tensor, y: Tensor, values: Tensor, heights: Sequence[float], **style: Any
) -> Axes:
    """Draw the lines along which a quantity that was measured over a plane has given values.

    Args:
        ax: where to draw.
        x: along the horizontal axis, shape ``(columns,)``.
        y: along the vertical axis, shape ``(rows,)``.
        values: what was measured, shape ``(rows, columns)``.
        heights: the values, in increasing order; their lines have the colours of :func:`series`.
        **style: as ``Axes.contour`` takes it.

    Returns:
        The axes.
    """
    ax.contour(x, y, values, levels=heights, colors=series(len(heights)), **style)
    return ax


def interval(
    ax: Axes, x: Tensor, middle: Tensor, half: Tensor, *, label: str | None = None, **style: Any
) -> Axes:
    """Draw what was measured several times: a dot, and a bar for its interval.

    Args:
        ax: where to draw.
        x: shape ``(points,)``.
        middle: of each interval, shape ``(points,)``.
        half: half of each interval's width, shape ``(points,)``.
        label: for the legend.
        **style: as ``Axes.errorbar`` takes it; ``linestyle`` joins the dots.

    Returns:
        The axes.
    """
    drawn = ax.errorbar(
        x, middle, yerr=half, label=label, **{"fmt": "o", "markersize": 4, "capsize": 3, **style}
    )
    drawn.lines[0].set_gid(label)
    for cap in drawn.lines[1]:
        cap.set_gid(_AIDS)
    return ax


def note(
    ax: Axes,
    text: str,
    point: tuple[float, float],
    *,
    offset: tuple[float, float] = (5, 0),
    color: str = INK,
) -> Axes:
    """Write a few words beside a point.

    Args:
        ax: where to draw.
        text: the words.
        point: in the units of the axes.
        offset: from the point to the left middle of the text, in typographic points.
        color: of the text, as a rule that of the line it names.

    Returns:
        The axes.
    """
    ax.annotate(
        text,
        point,
        xytext=offset,
        textcoords="offset points",
        va="center",
        fontsize="small",
        color=color,
        annotation_clip=False,
    )
    return ax


def theory(ax: Axes, x: Tensor, y: Tensor, *, label: str | None = None) -> Axes:
    """Draw what was derived, as a wide dashed grey line that the measurement lies in.

    Args:
        ax: where to draw.
        x: shape ``(points,)``.
        y: shape ``(points,)``.
        label: for the legend.

    Returns:
        The axes.
    """
    ax.plot(x, y, label=label, gid=_DERIVED, **_THEORY)
    return ax


def bound(ax: Axes, x: Tensor, y: Tensor, *, label: str | None = None) -> Axes:
    """Draw what was derived as a limit that the measurement does not cross, thin and dashed.

    Args:
        ax: where to draw.
        x: shape ``(points,)``.
        y: shape ``(points,)``.
        label: for the legend.

    Returns:
        The axes.
    """
    ax.plot(x, y, label=label, gid=_DERIVED, **_LEVEL)
    return ax


def threshold(ax: Axes, *, y: float | None = None, x: float | None = None, label: str = "") -> Axes:
    """Draw a level ``y`` or a moment ``x`` that theory predicts, across the axes.

    Args:
        ax: where to draw.
        y: a height; its label stands at the right end.
        x: a place on the horizontal axis, instead of ``y``; its label stands at the top.
        label: written beside the line.

    Returns:
        The axes.
    """
    beside = {"textcoords": "offset points", "fontsize": "small"}
    if y is not None:
        ax.axhline(y, gid=_AIDS, **_LEVEL)
        place = {"xycoords": ("axes fraction", "data"), "xytext": (5, 0), "va": "center"}
        ax.annotate(label, (1, y), **place, **beside)
    if x is not None:
        ax.axvline(x, gid=_AIDS, **_LEVEL)
        place = {"xycoords": ("data", "axes fraction"), "xytext": (5, -2), "va": "top"}
        ax.annotate(label, (x, 1), **place, **beside)
    return ax


def drawn(ax: Axes, label: str | None = None) -> tuple[Tensor, Tensor]:
    """Read what was measured back from the axes, as it was drawn.

    Args:
        ax: axes that were drawn on.
        label: of the curve, in the legend or at its end; left out where there is one curve only.

    Returns:
        ``x`` and ``y`` of its points, each of shape ``(points,)``, in float64.

    Raises:
        ValueError: no curve has this label, or several do.

    Example:
        >>> _, ax = figure()
        >>> _ = measured(ax, torch.arange(3), torch.tensor([4.0, 2.0, 1.0]), label="loss")
        >>> _ = theory(ax, torch.arange(3), torch.tensor([4.0, 2.0, 1.0]))
        >>> drawn(ax, "loss")[1]
        tensor([4., 2., 1.], dtype=torch.float64)
    """
    found = [line for line in ax.get_lines() if line.get_gid() not in (_DERIVED, _AIDS)]
    names = [line.get_gid() or line.get_label() for line in found]
    if label is not None:
        found = [line for line, name in zip(found, names, strict=True) if name == label]
    if len(found) != 1:
        raise ValueError(f"{len(found)} curves are labelled {label!r}; the labels are {names}")
    return _points(found[0])


def dashed(ax: Axes) -> list[tuple[Tensor, Tensor]]:
    """Read the curves that were derived back from the axes, in the order of drawing.

    Args:
        ax: axes on which :func:`theory` and :func:`bound` drew.

    Returns:
        ``x`` and ``y`` of each curve's points, in float64.

    Example:
        >>> _, ax = figure()
        >>> _ = theory(ax, torch.arange(2), torch.tensor([1.0, 0.5]))
        >>> [y for _, y in dashed(ax)]
        [tensor([1.0000, 0.5000], dtype=torch.float64)]
    """
    return [_points(line) for line in ax.get_lines() if line.get_gid() == _DERIVED]


def svg(figure: Figure, *, narrow: bool = False) -> str:
    """Draw a figure as SVG, the same each time, whose text is text.

    Args:
        figure: what to draw; it is left as it was.
        narrow: whether to lay it out for a phone, its panels below each other.

    Returns:
        A document of SVG.

    Example:
        >>> fig, ax = figure()
        >>> _ = ax.set(xlabel="step")
        >>> ">step</text>" in svg(fig)
        True
    """
    image = StringIO()
    with (
        mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "descent"}),
        _laid_out(figure, narrow),
    ):
        figure.savefig(image, format="svg", metadata={"Date": None})
    return image.getvalue()


@contextmanager
def _laid_out(figure: Figure, narrow: bool) -> Iterator[None]:
    """Put a figure's panels below each other for a while."""
    if not narrow:
        yield
        return
    size, places = figure.get_size_inches(), [ax.get_subplotspec() for ax in figure.axes]
    figure.set_size_inches(NARROW, size[1] * max(0.8 * len(places), 1))
    grid = figure.add_gridspec(len(places), 1)
    for ax, row in zip(figure.axes, grid, strict=True):
        ax.set_subplotspec(row)
    yield
    figure.set_size_inches(size)
    for ax, place in zip(figure.axes, places, strict=True):
        ax.set_subplotspec(place)


def _points(line: Line2D) -> tuple[Tensor, Tensor]:
    x, y = (torch.as_tensor(np.asarray(each, dtype=float)) for each in line.get_data(orig=False))
    return x, y
