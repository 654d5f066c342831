"""Every figure of the book: one style, one colour per optimizer, functions of an ``Axes``.

Colours and text are mid-tones on a transparent ground, legible on white and on black. What was
measured is a solid line in colour; what was derived is a wide dashed one in grey.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from itertools import product
from typing import Annotated, Any
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from descent._checks import Number, check_choice
from descent._extras import book_extra
from descent._signatures import By, Count, Finite, Positive, checked
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
"""The dashes of lines that show optimizers and schedules."""

STYLES = {
    "gradient descent": (PALETTE[0], DASHES[0]),
    "SGD": (PALETTE[1], DASHES[1]),
    "Nesterov": (PALETTE[7], DASHES[2]),
    "Adagrad": (PALETTE[2], DASHES[2]),
    "RMSprop": (PALETTE[3], DASHES[3]),
    "Adam": (PALETTE[4], DASHES[0]),
    "AdamW": (PALETTE[5], DASHES[1]),
    "NAdam": (PALETTE[6], DASHES[2]),
    "RAdam": (PALETTE[7], DASHES[3]),
    "Adamax": (PALETTE[8], DASHES[0]),
    "AMSGrad": (PALETTE[2], DASHES[1]),
    "constant": (PALETTE[0], DASHES[1]),
    "linear": (PALETTE[1], DASHES[0]),
    "cosine": (PALETTE[2], DASHES[0]),
    "WSD": (PALETTE[3], DASHES[0]),
    "step": (PALETTE[5], DASHES[0]),
    "inverse sqrt": (PALETTE[7], DASHES[0]),
    "inverse time": (PALETTE[6], DASHES[0]),
    "exponential": (PALETTE[8], DASHES[1]),
    "square": (PALETTE[9], DASHES[0]),
    "restarts": (PALETTE[4], DASHES[1]),
    "one-cycle": (PALETTE[6], DASHES[1]),
    "greedy": (PALETTE[0], DASHES[2]),
    "mean of a constant run": (PALETTE[2], DASHES[3]),
    # The same method by other names.
    "momentum": (PALETTE[1], DASHES[1]),
    "heavy ball": (PALETTE[1], DASHES[1]),
}
"""The colour and the dash of each optimizer and each schedule, by the name that a figure gives it.

Another optimizer takes a pair that is left.
"""

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

NARROW = 4.1
"""The width of a figure on a phone, in inches: on 326 pixels its small text has 9.2."""


def _check_points(name: str, value: Any) -> None:
    numbers = np.asarray(value)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iuf":
        given = f"shape {numbers.shape}" if numbers.ndim else repr(value)
        raise ValueError(f"{name} must be a row of numbers, got {given}")


def _check_as_many(x: Sequence[float], **others: Sequence[float]) -> None:
    for name, other in others.items():
        if len(other) != len(x):
            raise ValueError(f"{name} must have as many points as x, {len(x)}, got {len(other)}")


Points = Annotated[Tensor, By(_check_points)]


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
            "figure.labelsize": "medium",
            "legend.frameon": False,
            "legend.fontsize": "small",
            "font.size": 10,
            "lines.linewidth": 1.8,
            "lines.solid_capstyle": "round",
            "axes.prop_cycle": mpl.cycler(color=PALETTE),
        }
    )


@checked
def style_of(method: str) -> dict[str, Any]:
    """Return the colour and the dash of an optimizer or a schedule, the same in every figure.

    Args:
        method: its name in :data:`STYLES` or :data:`descent.optim.OPTIMIZERS`.

    Returns:
        Keyword arguments for ``Axes.plot``.

    Raises:
        ValueError: there is no such optimizer or schedule.

    Example:
        >>> style_of("gradient descent")
        {'color': '#3478c9', 'linestyle': '-'}
    """
    check_choice("method", method, {**STYLES, **OPTIMIZERS})
    if method in STYLES:
        color, dash = STYLES[method]
    else:  # by the name alone, so that no row of the table changes the style of another
        left = [pair for pair in product(PALETTE, DASHES) if pair not in STYLES.values()]
        color, dash = max(left, key=lambda pair: crc32(f"{method} {pair}".encode()))
    return {"color": color, "linestyle": dash}


@checked
def miscoloured(figure: Figure) -> list[str]:
    """Name the curves and words that are called by an optimizer or a schedule and look like none.

    What follows a comma, as in ``"Adam, noise 10"``, says which variant it is; that may have a
    dash of its own. What is not the subject of a figure may be grey.

    Args:
        figure: as it was drawn.

    Returns:
        One line for each, empty where all have the colour and the dash of :func:`style_of`.

    Example:
        >>> fig, ax = figure()
        >>> _ = measured(ax, torch.arange(2), torch.ones(2), label="Adam", color=PALETTE[0])
        >>> miscoloured(fig)
        ["the curve 'Adam' is #3478c9", "the words 'Adam' are #3478c9"]
    """
    known, faults = {**STYLES, **OPTIMIZERS}, []
    for ax in figure.axes:
        for line in ax.get_lines():
            name = str(line.get_gid() or line.get_label())
            method, _, variant = name.partition(",")
            if method not in known:
                continue
            style, color = style_of(method), to_hex(line.get_color())
            if color == GREY:
                continue
            if color != style["color"]:
                faults.append(f"the curve {name!r} is {color}")
            plain = Line2D([], [], linewidth=line.get_linewidth(), **style)
            if not variant and line.is_dashed() != plain.is_dashed():
                faults.append(f"the curve {name!r} has another dash")
        for text in ax.texts:
            color = to_hex(text.get_color())
            if text.get_text() in known and color not in (style_of(text.get_text())["color"], INK):
                faults.append(f"the words {text.get_text()!r} are {color}")
    return faults


@checked
def series(count: Count) -> list[str]:
    """Return ``count`` colours in order, for runs that differ in one number.

    Args:
        count: how many, at least 1.

    Example:
        >>> series(2)
        ['#3478c9', '#c8660e']
    """
    return [to_hex(_SERIES(position)) for position in np.linspace(0, 1, count)]


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


@checked
def figure(
    columns: Count = 1, *, width: Positive = 6.4, height: Positive = 3.6
) -> tuple[Figure, Any]:
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


@checked
def multiples(
    count: Count, *, columns: Count = 4, height: Positive = 4.4
) -> tuple[Figure, list[Axes]]:
    """Make a figure of small panels that share their axes; a phone shows two side by side.

    Args:
        count: how many panels, at least 5.
        columns: how many side by side on a wide page, at least 1.
        height: of the figure, in inches.

    Returns:
        The figure, and the axes.

    Example:
        >>> fig, axes = multiples(7)
        >>> len(axes), len(fig.axes)
        (7, 7)
    """
    figure, grid = plt.subplots(
        -(-count // columns),
        columns,
        sharex=True,
        sharey=True,
        squeeze=False,
        figsize=(8.6, height),
    )
    axes = list(grid.flat)
    for spare in axes[count:]:
        spare.remove()
    _label_outer(axes[:count], columns)
    return figure, axes[:count]


def _label_outer(axes: Sequence[Axes], columns: int) -> None:
    """Leave the numbers at the panels of the left and at those with none below."""
    for place, ax in enumerate(axes):
        outer = {"labelleft": place % columns == 0, "labelbottom": place + columns >= len(axes)}
        ax.tick_params(which="both", **outer)


@checked
def contours(ax: Axes, problem: Problem) -> Axes:
    """Draw a two-dimensional problem's level lines, its minimizer as a cross, and both axes alike.

    Args:
        ax: where to draw.
        problem: an objective of two parameters.

    Returns:
        The axes.

    Raises:
        ValueError: the problem has more or fewer parameters.
    """
    if problem.start.shape != (2,):
        raise ValueError(f"problem must have two parameters, got {problem.start.numel()}")
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
    ax.set_aspect("equal")
    return ax


@checked
def trajectory(ax: Axes, trace: Trace, *, label: str, color: str, **style: Any) -> Axes:
    """Draw a run's path over the plane, from a ring at its start.

    Args:
        ax: where to draw.
        trace: one run of two parameters.
        label: names the run in the legend.
        color: of the path and of the ring.
        **style: of the path, as ``Axes.plot`` takes it.

    Returns:
        The axes.

    Raises:
        ValueError: the trace is of several runs, or of more or fewer parameters.
    """
    if trace.params.ndim != 2 or trace.params.shape[1] != 2:
        shape = tuple(trace.params.shape)
        raise ValueError(f"trace must be one run of two parameters, got params of shape {shape}")
    path = trace.params.T
    ax.plot(*path, marker=".", markersize=4, linewidth=1.1, label=label, color=color, **style)
    ax.plot(*path[:, 0], marker="o", markersize=7, fillstyle="none", color=color)
    return ax


@checked
def measured(ax: Axes, x: Points, y: Points, *, label: str | None = None, **style: Any) -> Axes:
    """Draw what was measured, as a solid line, with its label at its end.

    Args:
        ax: where to draw.
        x: shape ``(points,)``.
        y: shape ``(points,)``.
        label: written beside the last point.
        **style: as ``Axes.plot`` takes it.

    Returns:
        The axes.

    Raises:
        ValueError: ``x`` or ``y`` is no row of numbers, or one is longer.
    """
    _check_as_many(x, y=y)
    (line,) = ax.plot(x, y, **style)
    line.set_gid(label)
    if label:
        note(ax, label, (x[-1], y[-1]), color=to_hex(line.get_color()))
    return ax


@checked
def levels(
    ax: Axes, x: Points, y: Points, values: Tensor, heights: Sequence[float], **style: Any
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

    Raises:
        ValueError: the shapes do not go together.
    """
    if values.shape != (len(y), len(x)):
        expected, given = (len(y), len(x)), tuple(values.shape)
        raise ValueError(f"values must have shape {expected}, y's by x's, got {given}")
    ax.contour(x, y, values, levels=heights, colors=series(len(heights)), **style)
    return ax


@checked
def interval(
    ax: Axes, x: Points, middle: Points, half: Points, *, label: str | None = None, **style: Any
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

    Raises:
        ValueError: one of the three is no row of numbers, or longer.
    """
    _check_as_many(x, middle=middle, half=half)
    drawn = ax.errorbar(
        x, middle, yerr=half, label=label, **{"fmt": "o", "markersize": 4, "capsize": 3, **style}
    )
    drawn.lines[0].set_gid(label)
    for cap in drawn.lines[1]:
        cap.set_gid(_AIDS)
    return ax


@checked
def behind(ax: Axes, x: Points, y: Points) -> Axes:
    """Draw a curve that is there to be compared with: thin, grey, and read by nobody.

    Args:
        ax: where to draw.
        x: shape ``(points,)``.
        y: shape ``(points,)``.

    Returns:
        The axes.

    Raises:
        ValueError: ``x`` or ``y`` is no row of numbers, or one is longer.
    """
    _check_as_many(x, y=y)
    ax.plot(x, y, gid=_AIDS, color=GREY, linewidth=0.8, alpha=0.5, zorder=1)
    return ax


@checked
def note(
    ax: Axes,
    text: str,
    point: tuple[Number, Number],
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


@checked
def theory(ax: Axes, x: Points, y: Points, *, label: str | None = None) -> Axes:
    """Draw what was derived, as a wide dashed grey line that the measurement lies in.

    Args:
        ax: where to draw.
        x: shape ``(points,)``.
        y: shape ``(points,)``.
        label: for the legend.

    Returns:
        The axes.

    Raises:
        ValueError: ``x`` or ``y`` is no row of numbers, or one is longer.
    """
    _check_as_many(x, y=y)
    ax.plot(x, y, label=label, gid=_DERIVED, **_THEORY)
    return ax


@checked
def bound(ax: Axes, x: Points, y: Points, *, label: str | None = None) -> Axes:
    """Draw what was derived as a limit that the measurement does not cross, thin and dashed.

    Args:
        ax: where to draw.
        x: shape ``(points,)``.
        y: shape ``(points,)``.
        label: for the legend.

    Returns:
        The axes.

    Raises:
        ValueError: ``x`` or ``y`` is no row of numbers, or one is longer.
    """
    _check_as_many(x, y=y)
    ax.plot(x, y, label=label, gid=_DERIVED, **_LEVEL)
    return ax


@checked
def threshold(
    ax: Axes, *, y: Finite | None = None, x: Finite | None = None, label: str = ""
) -> Axes:
    """Draw a level ``y`` or a moment ``x`` that theory predicts, across the axes.

    Args:
        ax: where to draw.
        y: a height; its label stands at the right end.
        x: a place on the horizontal axis, instead of ``y``; its label stands at the top.
        label: written beside the line.

    Returns:
        The axes.
    """
    beside = {"textcoords": "offset points", "fontsize": "small", "color": INK}
    if y is not None:
        ax.axhline(y, gid=_AIDS, **_LEVEL)
        place = {"xycoords": ("axes fraction", "data"), "xytext": (5, 0), "va": "center"}
        ax.annotate(label, (1, y), **place, **beside)
    if x is not None:
        ax.axvline(x, gid=_AIDS, **_LEVEL)
        place = {"xycoords": ("data", "axes fraction"), "xytext": (5, -2), "va": "top"}
        ax.annotate(label, (x, 1), **place, **beside)
    return ax


@checked
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


@checked
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


@checked
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
    """Put a figure's panels below each other for a while, small ones two by two."""
    if not narrow:
        yield
        return
    axes, size = figure.axes, figure.get_size_inches()
    places = [ax.get_subplotspec() for ax in axes]
    columns = 2 if len(axes) > 4 else 1
    rows = -(-len(axes) // columns)
    height = 1.5 * rows if columns == 2 else size[1] * max(0.8 * rows, 1)
    figure.set_size_inches(NARROW, height)
    for ax, place in zip(axes, figure.add_gridspec(rows, columns), strict=False):
        ax.set_subplotspec(place)
    if columns == 2:
        _label_outer(axes, columns)
    yield
    figure.set_size_inches(size)
    for ax, place in zip(axes, places, strict=True):
        ax.set_subplotspec(place)
    if columns == 2:
        _label_outer(axes, places[0].get_gridspec().ncols)


def _points(line: Line2D) -> tuple[Tensor, Tensor]:
    x, y = (torch.as_tensor(np.asarray(each, dtype=float)) for each in line.get_data(orig=False))
    return x, y
