"""The closed forms against simulations that use nothing but the definition."""

import math

import pytest
import torch
from hypothesis import assume, given, settings, strategies as st

from descent.chapters.gradient_descent import theory

STEPS = torch.arange(60, dtype=torch.float64)
positive = st.floats(1e-3, 1e3)
spectra = st.lists(positive, min_size=1, max_size=5)


def distances(eigenvalues, coordinates, lr, num_steps):
    """Run gradient descent along the axes of a quadratic, by hand."""
    point, rows = list(coordinates), []
    for _ in range(num_steps):
        rows.append(math.hypot(*point))
        point = [x - lr * value * x for x, value in zip(point, eigenvalues, strict=True)]
    return rows


def descend(gradient, start, lr, num_steps):
    theta, rows = start, []
    for _ in range(num_steps):
        rows.append(theta)
        theta = theta - lr * gradient(theta)
    return torch.stack(rows)


@settings(deadline=None, max_examples=50)
@given(spectra, st.floats(0.01, 0.99))
def test_below_the_largest_rate_gradient_descent_shrinks_and_above_it_grows(spectrum, margin):
    limit = theory.gradient_descent_max_lr(max(spectrum))
    start = [1.0] * len(spectrum)
    below = distances(spectrum, start, margin * limit, 4)
    assert below == sorted(below, reverse=True)
    assert below[-1] < below[0]
    top = [float(value == max(spectrum)) for value in spectrum]
    above = distances(spectrum, top, (1 + margin) * limit, 4)
    assert above == sorted(above)
    assert above[-1] > above[0]


@settings(deadline=None, max_examples=50)
@given(spectra, st.floats(0, 2))
def test_no_rate_beats_the_best_one(spectrum, part):
    smoothness, strong_convexity = max(spectrum), min(spectrum)
    best = theory.gradient_descent_best_lr(smoothness, strong_convexity)
    least = theory.gradient_descent_rate(spectrum, best)
    other = theory.gradient_descent_rate(spectrum, part * best)
    assert least <= other + 1e-12
    kappa = smoothness / strong_convexity
    assert least == pytest.approx(theory.gradient_descent_best_rate(kappa), abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(spectra, st.floats(0.05, 1.2))
def test_the_rate_is_the_factor_of_the_slowest_axis(spectrum, part):
    lr = part * theory.gradient_descent_max_lr(max(spectrum))
    rate = theory.gradient_descent_rate(spectrum, lr)
    factors = []
    for axis in range(len(spectrum)):
        unit = [float(axis == index) for index in range(len(spectrum))]
        before, after = distances(spectrum, unit, lr, 2)
        factors.append(after / before)
    assert rate == pytest.approx(max(factors), rel=1e-12, abs=1e-12)


@settings(deadline=None, max_examples=100)
@given(st.floats(0.01, 0.99), st.floats(1e-9, 0.99))
def test_the_steps_are_the_first_at_which_the_distance_is_small_enough(rate, shrink):
    distance, expected = 1.0, 0
    while distance > shrink:
        distance, expected = distance * rate, expected + 1
    assume(abs(distance / shrink - 1) > 1e-9)
    assume(abs(distance / rate / shrink - 1) > 1e-9)
    assert theory.gradient_descent_steps(rate, shrink) == expected


@pytest.mark.parametrize("rate", [0.5, 0.7, 0.9, 0.95])
@pytest.mark.parametrize("steps", [1, 4, 5, 12, 97])
def test_a_whole_number_of_steps_is_not_rounded_up(rate, steps):
    assert theory.gradient_descent_steps(rate, rate**steps) == steps


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-5, 5)), min_size=1, max_size=4),
       st.floats(0, 0.25))  # fmt: skip
def test_the_distance_is_that_of_a_run(axes, lr):
    eigenvalues, coordinates = torch.tensor(axes, dtype=torch.float64).T
    found = theory.gradient_descent_distance(eigenvalues, coordinates, lr, STEPS)
    expected = distances(eigenvalues.tolist(), coordinates.tolist(), lr, len(STEPS))
    torch.testing.assert_close(
        found, torch.tensor(expected, dtype=torch.float64), rtol=1e-9, atol=1e-12
    )


def test_the_stationary_bound_holds_without_convexity():
    # f = sum(cos) is 1-smooth, has least value -2, and is not convex.
    path = descend(lambda theta: -theta.sin(), torch.tensor([0.1, 0.5]).double(), 1.0, 40)
    excess = (path[0].cos().sum() + 2).item()
    bound = theory.gradient_descent_stationary_bound(1.0, excess, torch.arange(1, 41).double())
    least = path.sin().square().sum(-1).cummin(0).values
    assert (least <= bound).all()
    # One step from far up a parabola's side spends half of what the bound allows.
    assert bound[0] == 2 * excess


@pytest.mark.parametrize("last", [0, 1, 7, 30])
@pytest.mark.parametrize(("smoothness", "radius"), [(1.0, 1.0), (3.0, 0.5)])
def test_the_worst_case_is_attained_by_a_huber_loss(smoothness, radius, last):
    # Linear as far as the last step comes, and with the largest slope that allows it.
    bend = radius / (2 * last + 1)

    def loss(x):
        inner = smoothness * x**2 / 2
        return torch.where(x.abs() <= bend, inner, smoothness * bend * (x.abs() - bend / 2))

    path = descend(
        lambda x: smoothness * x.clamp(-bend, bend),
        torch.tensor(radius, dtype=torch.float64), 1 / smoothness, 40,
    )  # fmt: skip
    steps = torch.arange(40, dtype=torch.float64)
    worst = theory.gradient_descent_worst_case(smoothness, radius, steps)
    assert (loss(path) <= worst * (1 + 1e-12)).all()
    torch.testing.assert_close(loss(path)[last], worst[last], rtol=1e-12, atol=0)
    bound = theory.gradient_descent_convex_bound(smoothness, radius, steps[1:])
    torch.testing.assert_close(bound * 2 * steps[1:], worst[1:] * (4 * steps[1:] + 2))
    assert (worst[1:] < bound).all()


@settings(deadline=None, max_examples=50)
@given(spectra)
def test_the_linear_bound_holds_and_is_met_at_the_start(spectrum):
    smoothness, strong_convexity = max(spectrum), min(spectrum)
    eigenvalues = torch.tensor(spectrum, dtype=torch.float64)
    path = descend(lambda x: eigenvalues * x, torch.ones_like(eigenvalues), 1 / smoothness, 30)
    loss = 0.5 * (eigenvalues * path**2).sum(-1)
    bound = theory.gradient_descent_linear_bound(
        smoothness, strong_convexity, loss[0].item(), torch.arange(30, dtype=torch.float64)
    )
    assert bound[0] == loss[0]
    assert (loss <= bound + 1e-12 * loss[0]).all()
    factor = 1 - strong_convexity / smoothness
    torch.testing.assert_close(bound[1:], factor * bound[:-1], rtol=1e-12, atol=1e-300)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.1, 10), st.floats(0.01, 1), st.floats(1e-8, 0.5))
def test_the_escape_from_a_saddle_takes_the_steps_counted(curvature, lr, start):
    steps = theory.saddle_escape_steps(curvature, lr, start, distance=1.0)
    coordinate, count = start, 0
    while coordinate < 1.0:
        coordinate, count = coordinate + lr * curvature * coordinate, count + 1
    assert count == pytest.approx(math.ceil(steps), abs=steps % 1 > 1 - 1e-9 or steps % 1 < 1e-9)


@pytest.mark.parametrize(
    "bound",
    [
        lambda step: theory.gradient_descent_stationary_bound(3.0, 1.0, step),
        lambda step: theory.gradient_descent_convex_bound(3.0, 1.0, step),
        lambda step: theory.gradient_descent_worst_case(3.0, 1.0, step),
        lambda step: theory.gradient_descent_linear_bound(1e4, 1.0, 1.0, step),
        lambda step: theory.gradient_descent_distance(STEPS[:2], STEPS[:2], 0.1, step),
    ],
    ids=["stationary", "convex", "worst case", "linear", "distance"],
)
def test_the_steps_of_a_trace_are_whole_numbers_and_lose_no_digits(bound):
    steps = torch.arange(1, 10_000, 999)
    assert torch.equal(bound(steps), bound(steps.double()))
    assert bound(steps).dtype == torch.float64


def rounded_difference(h, eps, points):
    """Give the difference quotient of exp with each value moved by its largest error."""
    values = [
        math.exp(point * h) * (1 + sign * eps) for sign, point in zip((1, -1), points, strict=True)
    ]
    return (values[0] - values[1]) / (h * (points[0] - points[1]))


@pytest.mark.parametrize("h", [10.0**-power for power in range(1, 9)])
@pytest.mark.parametrize("eps", [1e-6, 1e-12])
def test_differences_of_the_exponential_stay_within_their_bounds(h, eps):
    bounds = [
        (theory.forward_difference_bound, (1, 0)),
        (theory.central_difference_bound, (1, -1)),
    ]
    largest = math.exp(h)  # of the function and of all its derivatives, between the points
    for bound_of, points in bounds:
        error = abs(rounded_difference(h, eps, points) - 1)
        bound = float(bound_of(torch.tensor(h, dtype=torch.float64), eps, largest, largest))
        assert error <= bound + 1e-15 / h  # what float64 itself adds
        assert error >= 0.4 * bound, "the bound is loose"


@settings(deadline=None, max_examples=50)
@given(st.floats(1e-16, 1e-2), positive, positive)
def test_no_step_has_a_lower_bound_than_the_best_step(eps, value, derivative):
    pairs = [
        (theory.forward_difference_bound, theory.forward_difference_best),
        (theory.central_difference_bound, theory.central_difference_best),
    ]
    for bound_of, best_of in pairs:
        best = best_of(eps, value, derivative)
        h = best * torch.logspace(-3, 3, 601, dtype=torch.float64)
        bounds = bound_of(h, eps, value, derivative)
        assert bounds.argmin() == 300


@settings(deadline=None, max_examples=50)
@given(st.floats(1, 1e4), st.integers(0, 5))
def test_planned_rates_leave_what_is_possible_and_a_constant_one_no_less(kappa, doublings):
    num_steps = 2**doublings
    curvature = torch.linspace(1, kappa, 2001, dtype=torch.float64)
    lrs = theory.chebyshev_lrs(kappa, 1.0, num_steps)
    assert lrs.shape == (num_steps,)
    left = (1 - lrs[:, None] * curvature).prod(0).abs().max().item()
    possible = theory.best_polynomial_rate(kappa, num_steps)
    assert left == pytest.approx(possible, rel=1e-6, abs=1e-12)
    assert possible <= theory.gradient_descent_best_rate(kappa) ** num_steps + 1e-12
    assert possible >= theory.accelerated_rate(kappa) ** num_steps


def test_planned_rates_alternate_so_that_rounding_does_not_undo_them():
    curvature = torch.linspace(1, 100, 200, dtype=torch.float64)
    lrs = theory.chebyshev_lrs(100.0, 1.0, 64)
    size, largest = torch.ones_like(curvature), 0.0
    for lr in lrs:
        size = size * (1 - lr * curvature)
        largest = max(largest, size.abs().max().item())
    assert largest < 1e3
    assert sorted(lrs.tolist()) != lrs.tolist()


@pytest.mark.parametrize("num_steps", [3, 12])
def test_a_plan_for_a_number_of_steps_that_is_no_power_of_two_is_refused(num_steps):
    with pytest.raises(ValueError, match=f"^num_steps must be a power of 2, got {num_steps}$"):
        theory.chebyshev_lrs(2.0, 1.0, num_steps)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda bad: theory.accelerated_rate(bad), "kappa"),
        (lambda bad: theory.best_polynomial_rate(bad, 2), "kappa"),
        (lambda bad: theory.chebyshev_lrs(bad, 1.0, 2), "smoothness"),
        (lambda bad: theory.chebyshev_lrs(1.0, bad, 2), "strong_convexity"),
        (lambda bad: theory.gradient_descent_max_lr(bad), "smoothness"),
        (lambda bad: theory.gradient_descent_best_lr(bad, 1.0), "smoothness"),
        (lambda bad: theory.gradient_descent_best_lr(1.0, bad), "strong_convexity"),
        (lambda bad: theory.gradient_descent_rate([1.0], bad), "lr"),
        (lambda bad: theory.gradient_descent_best_rate(bad), "kappa"),
        (lambda bad: theory.gradient_descent_steps(bad, 0.5), "rate"),
        (lambda bad: theory.gradient_descent_steps(0.5, bad), "shrink"),
        (lambda bad: theory.gradient_descent_distance(STEPS, STEPS, bad, STEPS), "lr"),
        (lambda bad: theory.gradient_descent_stationary_bound(bad, 1.0, STEPS), "smoothness"),
        (lambda bad: theory.gradient_descent_stationary_bound(1.0, bad, STEPS), "excess"),
        (lambda bad: theory.gradient_descent_convex_bound(bad, 1.0, STEPS), "smoothness"),
        (lambda bad: theory.gradient_descent_convex_bound(1.0, bad, STEPS), "distance"),
        (lambda bad: theory.gradient_descent_worst_case(bad, 1.0, STEPS), "smoothness"),
        (lambda bad: theory.gradient_descent_worst_case(1.0, bad, STEPS), "distance"),
        (lambda bad: theory.gradient_descent_linear_bound(bad, 1.0, 1.0, STEPS), "smoothness"),
        (
            lambda bad: theory.gradient_descent_linear_bound(1.0, bad, 1.0, STEPS),
            "strong_convexity",
        ),
        (lambda bad: theory.gradient_descent_linear_bound(1.0, 1.0, bad, STEPS), "excess"),
        (lambda bad: theory.saddle_escape_steps(bad, 1.0, 1.0, 1.0), "curvature"),
        (lambda bad: theory.saddle_escape_steps(1.0, bad, 1.0, 1.0), "lr"),
        (lambda bad: theory.saddle_escape_steps(1.0, 1.0, bad, 1.0), "start"),
        (lambda bad: theory.saddle_escape_steps(1.0, 1.0, 1.0, bad), "distance"),
        (lambda bad: theory.forward_difference_bound(STEPS + 1, bad, 1.0, 1.0), "eps"),
        (lambda bad: theory.central_difference_best(0.5, bad, 1.0), "value"),
    ],
)
@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_a_number_out_of_range_is_named(call, name, bad):
    with pytest.raises(ValueError, match=f"^{name} must be in .*, got {bad}$"):
        call(bad)


def test_curvatures_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match=r"^strong_convexity must be in \(0, 1.0\], got 2.0$"):
        theory.gradient_descent_best_lr(1.0, 2.0)
