import re
from itertools import combinations, pairwise, product

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex, to_rgb

from descent import plotting
from descent.optim import OPTIMIZERS, GradientDescent
from descent.plotting import GREY, INK, PALETTE
from descent.tasks.problems import quadratic, rosenbrock, saddle
from descent.training import minimize

GROUNDS = ["#ffffff", "#121212"]
STEPS = torch.arange(5)
VALUES = torch.linspace(1, 0.1, 5)


@pytest.fixture(autouse=True)
def _style_and_figures_are_put_back():
    with mpl.rc_context():
        mpl.use("agg")
        yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.figure().add_subplot()


def path_of(problem, num_steps=4):
    return minimize(problem.objective, problem.start, GradientDescent, num_steps=num_steps, lr=0.01)


def linear_light(color):
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """Compute WCAG 2's contrast ratio, from 1 (the same) to 21 (black on white)."""
    low, high = sorted(linear_light(color) @ [0.2126, 0.7152, 0.0722] for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(color):
    """Compute CIE L*a*b* under D65, in which a distance of about 2 is just visible."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ linear_light(color) / [0.9505, 1.0, 1.089]
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_measures_of_colour_are_right():
    assert contrast("white", "black") == pytest.approx(21)
    assert contrast("#767676", "white") == pytest.approx(4.54, abs=0.01)
    np.testing.assert_allclose(lab("red"), [53.24, 80.09, 67.20], atol=0.05)
    np.testing.assert_allclose(lab("white"), [100, 0, 0], atol=0.05)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("color", [*PALETTE, GREY, *plotting.series(7)])
def test_every_colour_stands_out_from_a_light_and_a_dark_page(color, ground):
    assert contrast(color, ground) >= 3


@pytest.mark.parametrize("ground", GROUNDS)
def test_text_can_be_read_on_a_light_and_a_dark_page(ground):
    assert contrast(INK, ground) >= 4


def test_the_colours_can_be_told_apart():
    for one, other in combinations([*PALETTE, GREY], 2):
        assert np.linalg.norm(lab(one) - lab(other)) >= 20, (one, other)


def test_every_optimizer_and_every_schedule_has_a_style_of_its_own():
    methods = {**plotting.STYLES, **OPTIMIZERS}.keys() - {"momentum", "heavy ball"}
    styles = [plotting.style_of(name) for name in methods]
    assert len({str(style) for style in styles}) == len(methods) >= 20
    assert plotting.style_of("momentum") == plotting.style_of("heavy ball")
    assert plotting.style_of("momentum") == plotting.style_of("SGD")
    with pytest.raises(
        ValueError, match=r"^method must be one of 'gradient descent'.*got 'Newton'"
    ):
        plotting.style_of("Newton")


def test_the_styles_that_the_book_has_shown_stay():
    shown = {
        "gradient descent": ("#3478c9", "-"),
        "SGD": ("#c8660e", (0, (6, 1.5))),
        "Adagrad": ("#2b8f57", (0, (4, 1, 1, 1))),
        "RMSprop": ("#9b5fc4", (0, (2, 1))),
        "Adam": ("#cf4747", "-"),
        "AdamW": ("#14899a", (0, (6, 1.5))),
        "NAdam": ("#a8743c", (0, (4, 1, 1, 1))),
        "RAdam": ("#c4508f", (0, (2, 1))),
        "Adamax": ("#7f8a1d", "-"),
    }
    for name, (color, linestyle) in shown.items():
        assert plotting.style_of(name) == {"color": color, "linestyle": linestyle}


def test_a_new_optimizer_takes_a_style_that_is_left_and_recolours_no_other(monkeypatch):
    before = {name: plotting.style_of(name) for name in OPTIMIZERS}
    first = {"new": GradientDescent}
    monkeypatch.setattr(plotting, "OPTIMIZERS", first | OPTIMIZERS)
    new = plotting.style_of("new")
    assert new not in before.values()
    monkeypatch.setattr(plotting, "OPTIMIZERS", {"newer": GradientDescent} | first | OPTIMIZERS)
    assert plotting.style_of("new") == new
    assert {name: plotting.style_of(name) for name in OPTIMIZERS} == before


def test_a_style_of_its_own_for_one_newcomer_recolours_no_other(monkeypatch):
    names = [f"optimizer {number}" for number in range(20)]
    monkeypatch.setattr(plotting, "OPTIMIZERS", dict.fromkeys(names, GradientDescent))
    before = {name: plotting.style_of(name) for name in names}
    free = next(
        pair
        for pair in product(PALETTE, plotting.DASHES)
        if pair not in plotting.STYLES.values()
        and pair not in [tuple(style.values()) for style in before.values()]
    )
    monkeypatch.setitem(plotting.STYLES, names[0], free)
    assert {name: plotting.style_of(name) for name in names[1:]} == {
        name: before[name] for name in names[1:]
    }


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_series_has_as_many_colours_as_runs(count):
    colors = plotting.series(count)
    assert len(set(colors)) == len(colors) == count


def test_the_style_reaches_the_figures():
    plotting.use_style()
    figure, ax = plotting.figure()
    assert figure.get_facecolor()[3] == ax.get_facecolor()[3] == 0, "the ground is transparent"
    assert figure.get_constrained_layout()
    assert ax.xaxis.label.get_color() == INK
    assert ax.spines["left"].get_edgecolor() == mpl.colors.to_rgba(INK)
    assert not ax.spines["top"].get_visible()
    assert [ax.plot([0, 1])[0].get_color() for _ in PALETTE] == list(PALETTE)
    assert ax.legend([], []).get_frame_on() is False


@pytest.mark.parametrize("columns", [1, 3])
def test_a_figure_has_the_axes_and_the_size_asked_for(columns):
    figure, axes = plotting.figure(columns=columns, width=7.0, height=3.0)
    assert np.size(axes) == columns == len(figure.axes)
    assert figure.get_size_inches().tolist() == [7.0, 3.0]


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plotting.contours(ax, rosenbrock()),
        lambda ax: plotting.trajectory(ax, path_of(saddle()), label="run", color="red"),
        lambda ax: plotting.measured(ax, STEPS, VALUES, label="loss", color="red"),
        lambda ax: plotting.theory(ax, STEPS, VALUES, label="bound"),
        lambda ax: plotting.bound(ax, STEPS, VALUES, label="bound"),
        lambda ax: plotting.behind(ax, STEPS, VALUES),
        lambda ax: plotting.interval(ax, STEPS, VALUES, 0.1 * VALUES, label="seeds"),
        lambda ax: plotting.threshold(ax, y=0.5, label="2/L"),
        lambda ax: plotting.threshold(ax, x=2, label="escape"),
    ],
    ids=[
        "contours",
        "trajectory",
        "measured",
        "theory",
        "bound",
        "behind",
        "interval",
        "level",
        "moment",
    ],
)
def test_each_kind_of_figure_draws_on_the_axes_it_is_given_and_returns_them(ax, draw):
    other = plt.figure().add_subplot()
    assert draw(ax) is ax
    assert ax.has_data()
    assert not other.has_data()
    ax.figure.canvas.draw()


def test_contours_show_the_window_and_the_minimizer(ax):
    problem = rosenbrock()
    plotting.contours(ax, problem)
    assert (ax.get_xlim(), ax.get_ylim()) == problem.window
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[1.0, 1.0]]]
    (levels,) = ax.collections
    assert sum(len(path) > 0 for path in levels.get_paths()) >= 10


def test_the_levels_of_a_round_bowl_are_circles_evenly_apart(ax):
    plotting.contours(ax, quadratic([1.0, 1.0]))
    # The highest level touches the window in its corners alone.
    levels = ax.collections[0].get_paths()[:-1]
    radii = [np.hypot(*path.vertices.T) for path in levels]
    assert all(np.ptp(radius) < 0.01 * radius.mean() for radius in radii)
    gaps = [after.mean() - before.mean() for before, after in pairwise(radii)]
    assert np.ptp(gaps) < 0.01 * np.mean(gaps)


def test_contours_of_a_problem_without_a_minimum_have_no_cross(ax):
    assert not plotting.contours(ax, quadratic([1.0, -1.0])).lines


def test_a_trajectory_is_the_run_from_a_ring_at_its_start(ax):
    trace = path_of(saddle())
    plotting.trajectory(ax, trace, label="run", color="red")
    path, ring = ax.lines
    np.testing.assert_array_equal(path.get_xydata(), trace.params)
    np.testing.assert_array_equal(ring.get_xydata(), trace.params[:1])
    assert ring.get_fillstyle() == "none"
    assert path.get_color() == ring.get_color() == "red"
    assert ax.get_legend_handles_labels()[1] == ["run"]


def test_what_is_measured_is_solid_and_what_is_derived_is_dashed(ax):
    plotting.measured(ax, STEPS, VALUES, label="loss", color="red")
    plotting.theory(ax, STEPS, VALUES, label="theory")
    plotting.bound(ax, STEPS, VALUES, label="bound")
    for line in ax.lines:
        np.testing.assert_array_equal(line.get_xydata(), torch.stack([STEPS, VALUES], -1))
    assert [line.is_dashed() for line in ax.lines] == [False, True, True]
    assert [line.get_color() for line in ax.lines] == ["red", GREY, GREY]
    assert ax.get_legend_handles_labels()[1] == ["theory", "bound"]
    assert [text.get_text() for text in ax.texts] == ["loss"], "the label stands at the line"


def test_thresholds_cross_the_axes_at_their_level_and_their_moment(ax):
    plotting.threshold(ax, y=0.5, label="2/L")
    plotting.threshold(ax, x=3.0, label="escape")
    level, moment = ax.lines
    assert level.get_ydata() == [0.5, 0.5]
    assert moment.get_xdata() == [3.0, 3.0]
    assert level.is_dashed()
    assert moment.is_dashed()
    assert [text.get_text() for text in ax.texts] == ["2/L", "escape"]


def test_levels_lie_where_the_values_are(ax):
    x, y = torch.linspace(0, 1, 5), torch.linspace(0, 2, 7)
    plotting.levels(ax, x, y, x + 10 * y.unsqueeze(-1), [5.0, 15.0])
    (lines,) = ax.collections
    for path, height in zip(lines.get_paths(), [5.0, 15.0], strict=True):
        np.testing.assert_allclose(path.vertices @ [1, 10], height, rtol=1e-6)
    assert [to_hex(color) for color in lines.get_edgecolor()] == plotting.series(2)


def test_an_interval_is_a_dot_and_a_bar_from_end_to_end(ax):
    plotting.interval(ax, STEPS, VALUES, 0.1 * STEPS, label="seeds", color="red")
    dots, (bars,) = ax.containers[0].lines[0], ax.containers[0].lines[2]
    np.testing.assert_array_equal(dots.get_xydata(), torch.stack([STEPS, VALUES], -1))
    assert dots.get_linestyle() == "None", "the dots are not joined unless that is asked for"
    for (low, high), x, middle in zip(bars.get_segments(), STEPS, VALUES, strict=True):
        np.testing.assert_allclose(low, [x, middle - 0.1 * x], rtol=1e-6)
        np.testing.assert_allclose(high, [x, middle + 0.1 * x], rtol=1e-6)
    assert ax.get_legend_handles_labels()[1] == ["seeds"]


def test_the_dots_of_intervals_can_be_joined(ax):
    plotting.interval(ax, STEPS, VALUES, VALUES, linestyle="-")
    assert ax.containers[0].lines[0].get_linestyle() == "-"


def test_what_was_drawn_is_read_back_as_it_was_drawn():
    _, ax = plotting.figure()
    x, y = torch.arange(4), torch.tensor([4.0, 2.0, 1.0, 0.5])
    plotting.theory(ax, x, y / 2)
    plotting.measured(ax, x, y, label="one", color="C0")
    plotting.interval(ax, x, 2 * y, y / 10, label="two")
    ax.plot(x, 3 * y, label="three")
    plotting.bound(ax, x, y / 4)
    plotting.threshold(ax, y=1.0)
    for factor, name in enumerate(("one", "two", "three"), start=1):
        points = plotting.drawn(ax, name)
        assert torch.equal(points[0], x.double())
        assert torch.equal(points[1], factor * y.double())
    assert [curve.tolist() for _, curve in plotting.dashed(ax)] == [
        (y / 2).tolist(),
        (y / 4).tolist(),
    ]


def test_a_curve_that_is_not_there_or_not_the_only_one_is_refused():
    _, ax = plotting.figure()
    for name in ("one", "other"):
        plotting.measured(ax, torch.arange(2), torch.ones(2), label=name)
    with pytest.raises(ValueError, match=r"^0 curves are labelled 'third'; the labels are \['one'"):
        plotting.drawn(ax, "third")
    with pytest.raises(ValueError, match=r"^2 curves are labelled None"):
        plotting.drawn(ax)


def styled(name, **other):
    return {"label": name, **plotting.style_of(name), **other}


def test_a_method_in_its_own_colour_and_dash_is_at_home():
    figure, ax = plotting.figure()
    for place, name in enumerate(("Adam", "SGD", "cosine")):
        plotting.measured(ax, STEPS, VALUES + place, **styled(name))
    plotting.interval(ax, STEPS, VALUES, VALUES, **styled("Adagrad"))
    ax.plot(STEPS, VALUES, **styled("WSD") | {"label": "WSD, no warmup", "linestyle": "--"})
    ax.plot(STEPS, VALUES, label="step", color=GREY)
    ax.plot(STEPS, VALUES, label="one of mine", color=PALETTE[4])
    plotting.threshold(ax, y=0.5, label="linear")
    assert plotting.miscoloured(figure) == []


@pytest.mark.parametrize(
    ("draw", "fault"),
    [
        (lambda ax: ax.plot(STEPS, VALUES, **styled("Adam", color=PALETTE[0])), "is #3478c9"),
        (lambda ax: ax.plot(STEPS, VALUES, **styled("SGD", linestyle="-")), "has another dash"),
        (lambda ax: ax.plot(STEPS, VALUES, label="linear, late", color=PALETTE[0]), "is #3478c9"),
        (lambda ax: plotting.note(ax, "WSD", (0, 0), color=PALETTE[1]), "are #c8660e"),
    ],
    ids=["colour", "dash", "variant", "words"],
)
def test_a_method_in_the_colour_or_the_dash_of_another_is_named(draw, fault):
    figure, ax = plotting.figure()
    draw(ax)
    (told,) = plotting.miscoloured(figure)
    assert told.endswith(fault)


def test_small_panels_share_their_axes_and_the_outer_ones_have_the_numbers():
    figure, axes = plotting.multiples(7)
    assert len(axes) == len(figure.axes) == 7
    axes[0].set(xlim=(3, 5), ylim=(-1, 1))
    assert {(ax.get_xlim(), ax.get_ylim()) for ax in axes} == {((3, 5), (-1, 1))}
    seen = [
        (ax.yaxis.get_tick_params()["labelleft"], ax.xaxis.get_tick_params()["labelbottom"])
        for ax in axes
    ]
    assert [left for left, _ in seen] == [True, *[False] * 3, True, False, False]
    assert [below for _, below in seen] == [False] * 3 + [True] * 4


def test_what_stands_behind_is_not_read_back(ax):
    plotting.behind(ax, STEPS, VALUES)
    plotting.measured(ax, STEPS, 2 * VALUES)
    assert plotting.drawn(ax)[1].tolist() == (2 * VALUES).double().tolist()
    assert ax.lines[0].get_color() == GREY


def test_both_axes_of_a_plane_have_one_scale(ax):
    plotting.contours(ax, quadratic([1.0, 10.0]))
    assert ax.get_aspect() == 1


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda ax: plotting.measured(ax, STEPS, VALUES[1:]), "y must have as many points as x, 5"),
        (lambda ax: plotting.theory(ax, STEPS, VALUES[1:]), "y must have as many points as x, 5"),
        (lambda ax: plotting.bound(ax, STEPS, VALUES[1:]), "y must have as many points as x, 5"),
        (lambda ax: plotting.behind(ax, STEPS, VALUES[1:]), "y must have as many points as x, 5"),
        (lambda ax: plotting.interval(ax, STEPS, VALUES, VALUES[1:]), "half must have as many"),
        (lambda ax: plotting.interval(ax, STEPS, VALUES[1:], VALUES), "middle must have as many"),
        (
            lambda ax: plotting.measured(ax, STEPS, VALUES[None]),
            "y must be a row of numbers, got s",
        ),
        (lambda ax: plotting.contours(ax, quadratic([1.0, 2.0, 3.0])), "problem must have two"),
        (
            lambda ax: plotting.trajectory(ax, path_of(quadratic([1.0])), label="", color="red"),
            "trace must be one run of two parameters, got params of shape (5, 1)",
        ),
        (
            lambda ax: plotting.levels(ax, STEPS, VALUES[1:], torch.zeros(5, 4), [1.0]),
            "values must have shape (4, 5), y's by x's, got (5, 4)",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(ax, draw, told):
    with pytest.raises(ValueError, match=f"^{re.escape(told)}[^\n]*$"):
        draw(ax)
    assert not ax.has_data()
