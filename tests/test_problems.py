import math
import re

import pytest
import torch
from hypothesis import given, settings, strategies as st

from descent.tasks.problems import (
    GaussianNoise,
    beale,
    chain,
    goujaud,
    least_squares,
    lessard,
    plateau,
    quadratic,
    ravine,
    rosenbrock,
    saddle,
    value_and_gradient,
)


def data(num_samples=20, dim=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    input = torch.randn(num_samples, dim, dtype=torch.float64, generator=generator)
    return input, torch.randn(num_samples, dtype=torch.float64, generator=generator)


PROBLEMS = {
    "quadratic, one dimension": quadratic([2.0]),
    "quadratic, turned": quadratic([1.0, 10.0, 0.5], angle=0.7),
    "quadratic, flat along an axis": quadratic([0.0, 3.0]),
    "ravine": ravine(100.0),
    "saddle": saddle(),
    "saddle, steep": saddle(9.0),
    "plateau": plateau(),
    "plateau, one dimension": plateau(1),
    "plateau, five dimensions": plateau(5),
    "Rosenbrock": rosenbrock(),
    "Beale": beale(),
    "least squares": least_squares(*data()),
    "chain": chain(7, smoothness=2.0),
    "chain, one dimension": chain(1),
    "Lessard": lessard(),
    "Goujaud": goujaud(0.033, 0.67, smoothness=100.0, strong_convexity=1.0, corners=5),
}
ROWS = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
PLANE = [
    "quadratic, flat along an axis",
    "ravine",
    "saddle",
    "saddle, steep",
    "plateau",
    "Rosenbrock",
    "Beale",
]


def points_near(problem, count=50, spread=1.0):
    generator = torch.Generator().manual_seed(1)
    offsets = torch.randn(count, len(problem.start), dtype=torch.float64, generator=generator)
    return problem.start + spread * offsets


@ROWS
def test_the_gradient_is_the_limit_of_differences(problem):
    for theta in points_near(problem, count=5):
        assert torch.autograd.gradcheck(problem.objective, theta.requires_grad_())
        (expected,) = torch.autograd.grad(problem.objective(theta), theta)
        torch.testing.assert_close(problem.gradient(theta), expected, rtol=0, atol=0)


@ROWS
def test_many_points_at_once_are_the_points_one_by_one(problem):
    points = points_near(problem, count=6)
    values, grads = value_and_gradient(problem.objective, points.reshape(2, 3, -1))
    assert values.shape == (2, 3)
    assert grads.shape == (2, 3, len(problem.start))
    for point, value, grad in zip(points, values.flatten(), grads.flatten(0, 1), strict=True):
        torch.testing.assert_close(problem.objective(point), value, rtol=1e-13, atol=1e-15)
        torch.testing.assert_close(problem.gradient(point), grad, rtol=1e-13, atol=1e-15)


@ROWS
def test_the_minimizer_is_stationary_and_nothing_nearby_is_lower(problem):
    assert problem.gradient(problem.minimizer).abs().max() < 1e-14
    least = problem.objective(problem.minimizer)
    for spread in (1e-3, 0.1, 1.0, 10.0):
        offsets = points_near(problem, spread=spread) - problem.start
        assert (problem.objective(problem.minimizer + offsets) >= least).all()
    assert problem.objective(problem.start) > least


@ROWS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_values_have_the_dtype_of_the_points(problem, dtype):
    if problem.name == "least squares":
        input, target = data()
        problem = least_squares(input.to(dtype), target.to(dtype))
        assert problem.start.dtype == problem.minimizer.dtype == dtype
    value, grad = value_and_gradient(problem.objective, problem.start.to(dtype))
    assert value.dtype == grad.dtype == dtype


@pytest.mark.parametrize("name", PLANE)
def test_start_and_minimizer_lie_in_the_window(name):
    problem = PROBLEMS[name]
    for point in (problem.start, problem.minimizer):
        for coordinate, (low, high) in zip(point, problem.window, strict=True):
            assert low <= coordinate <= high


@pytest.mark.parametrize(
    "problem",
    [quadratic([1.0, 2.0]), ravine(2.0), saddle(), plateau(3), rosenbrock(), chain(4), lessard(),
     least_squares(torch.eye(2), torch.ones(2)),
     goujaud(lr=0.25, momentum=0.25, smoothness=9.0, strong_convexity=1.0, corners=3)],
    ids=lambda problem: problem.name,
)  # fmt: skip
def test_a_point_of_another_dimension_is_refused(problem):
    dim = len(problem.start)
    for shape in ((dim + 1,), (5, dim - 1), (dim + 1, dim, dim + 2), ()):
        message = rf"^theta must have shape \(\.\.\., {dim}\), got {re.escape(str(shape))}$"
        with pytest.raises(ValueError, match=message):
            problem.objective(torch.zeros(shape))


def test_a_value_that_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match=r"^the objective's value must be a tensor, got 3\.0$"):
        value_and_gradient(lambda theta: 3.0, torch.ones(3, 2))


def test_a_gradient_leaves_no_trace():
    theta = torch.ones(2, dtype=torch.float64, requires_grad=True)
    value, grad = value_and_gradient(rosenbrock().objective, theta)
    assert theta.grad is None
    assert not value.requires_grad
    assert not grad.requires_grad
    kept = torch.ones(2, dtype=torch.float64)
    value_and_gradient(rosenbrock().objective, kept)
    assert not kept.requires_grad


@pytest.mark.parametrize(
    ("objective", "found"),
    [
        (lambda theta: (theta**2).sum(), "()"),
        (lambda theta: theta**2, "(3, 2)"),
        (lambda theta: (theta**2).sum(0), "(2,)"),
        (lambda theta: (theta**2).sum(-1, keepdim=True), "(3, 1)"),
    ],
    ids=["sum over all", "no sum", "sum over the runs", "a dimension kept"],
)
def test_values_that_do_not_fit_the_points_are_refused(objective, found):
    with pytest.raises(ValueError, match="objective's value must have shape") as error:
        value_and_gradient(objective, torch.ones(3, 2))
    assert str(error.value).endswith(f"(3,), got {found}")


finite = st.floats(-100, 100)


@settings(deadline=None, max_examples=60)
@given(
    eigenvalues=st.lists(finite, min_size=2, max_size=5),
    angle=st.floats(-7, 7),
    coordinates=st.lists(finite, min_size=5, max_size=5),
)
def test_a_quadratic_has_the_eigenvalues_it_was_given(eigenvalues, angle, coordinates):
    problem = quadratic(eigenvalues, angle)
    dim = len(eigenvalues)
    hessian = torch.func.hessian(problem.objective)(problem.start)
    found = torch.linalg.eigvalsh(hessian)
    wanted = torch.tensor(sorted(eigenvalues), dtype=torch.float64)
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
    theta = torch.tensor(coordinates[:dim], dtype=torch.float64)
    value, grad = value_and_gradient(problem.objective, theta)
    torch.testing.assert_close(value, 0.5 * theta @ hessian @ theta, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(grad, hessian @ theta, rtol=1e-9, atol=1e-9)


def test_the_start_of_a_quadratic_has_coordinate_one_along_every_eigenvector():
    angle = 0.3
    problem = quadratic([1.0, 5.0], angle)
    first = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    second = torch.tensor([-math.sin(angle), math.cos(angle)], dtype=torch.float64)
    torch.testing.assert_close(problem.start, first + second)
    torch.testing.assert_close(problem.gradient(first), first)
    torch.testing.assert_close(problem.gradient(second), 5 * second)


def test_a_quadratic_that_falls_without_end_has_no_minimizer():
    assert quadratic([1.0, -1.0]).minimizer is None
    assert quadratic([1.0, 0.0]).minimizer is not None


def test_eigenvalues_may_come_in_a_tensor():
    problem = quadratic(torch.tensor([1.0, 4.0]))
    assert problem.objective(problem.start) == 2.5


def test_the_steep_direction_of_the_ravine_is_the_second():
    problem = ravine(50.0)
    grad = problem.gradient(torch.tensor([2.0, 3.0], dtype=torch.float64))
    assert grad.tolist() == [2.0, 150.0]


def test_closed_forms_of_the_other_gradients():
    theta = torch.tensor([0.3, -0.8], dtype=torch.float64)
    x, y = theta.tolist()
    expected = {
        "saddle": (saddle(2.0), [x, -2 * y + y**3]),
        "plateau": (plateau(), [each * math.exp(-0.5 * (x**2 + y**2)) for each in (x, y)]),
        "Rosenbrock": (
            rosenbrock(),
            [-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)],
        ),
    }
    for problem, grad in expected.values():
        torch.testing.assert_close(
            problem.gradient(theta), torch.tensor(grad, dtype=torch.float64), rtol=1e-13, atol=0
        )


def test_the_origin_of_the_saddle_curves_both_ways():
    hessian = torch.func.hessian(saddle(3.0).objective)(torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(hessian, torch.tensor([[1.0, 0.0], [0.0, -3.0]]).double())


def test_the_plateau_is_exact_near_its_minimum():
    theta = torch.tensor([1e-9, 0.0], dtype=torch.float64)
    assert plateau().objective(theta).item() == pytest.approx(5e-19, rel=1e-12, abs=0)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), dim=st.integers(1, 6), extra=st.integers(0, 10))
def test_the_minimizer_of_least_squares_satisfies_the_normal_equations(seed, dim, extra):
    input, target = data(dim + 3 + extra, dim, seed)
    problem = least_squares(input, target)
    residual = input @ problem.minimizer - target
    scale = input.norm() * target.norm()
    assert (input.T @ residual).abs().max() <= 1e-12 * scale
    theta = torch.full((dim,), 0.5, dtype=torch.float64)
    expected = 2 / len(target) * input.T @ (input @ theta - target)
    torch.testing.assert_close(problem.gradient(theta), expected, rtol=1e-10, atol=1e-12)
    assert problem.objective(theta).item() == pytest.approx(
        ((input @ theta - target) ** 2).mean().item()
    )
    assert torch.equal(problem.start, torch.zeros(dim, dtype=torch.float64))


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: quadratic([]), ValueError, "eigenvalues must hold at least one number"),
        (lambda: quadratic([1.0, math.nan]), ValueError, r"eigenvalues\[1\] must be .* got nan"),
        (lambda: quadratic([1.0, math.inf]), ValueError, r"eigenvalues\[1\] must be .* got inf"),
        (lambda: quadratic([1.0, "2"]), TypeError, r"eigenvalues\[1\] must be .* got '2'"),
        (lambda: quadratic([1.0], angle=0.1), ValueError, r"angle must be 0 .* got 0.1"),
        (lambda: quadratic([1.0, 2.0], math.nan), ValueError, r"angle must be .* got nan"),
        (lambda: quadratic([1.0, 2.0], math.inf), ValueError, r"angle must be .* got inf"),
        (lambda: ravine(0.5), ValueError, r"kappa must be in \[1, inf\), got 0.5"),
        (lambda: ravine(math.nan), ValueError, r"kappa must be .* got nan"),
        (lambda: saddle(0.0), ValueError, r"curvature must be in \(0, inf\), got 0.0"),
        (lambda: plateau(0), ValueError, r"dim must be an integer of at least 1, got 0"),
        (lambda: plateau(2.0), TypeError, r"dim must be an integer of at least 1, got 2.0"),
        (
            lambda: least_squares(torch.ones(3), torch.ones(3)),
            ValueError,
            r"input must have shape \(\*, \*\), got \(3,\)",
        ),
        (
            lambda: least_squares(torch.ones(3, 2), torch.ones(3, 1)),
            ValueError,
            r"target must have shape \(3,\), got \(3, 1\)",
        ),
    ],
)
def test_bad_arguments_are_named(build, error, message):
    with pytest.raises(error, match=f"^{message}"):
        build()


# Noise


def test_noise_has_mean_0_and_the_stated_standard_deviations():
    std = torch.tensor([[0.5], [2.0]], dtype=torch.float64)
    drawn = GaussianNoise(std, seed=0)(torch.zeros(200_000, 2, 3, dtype=torch.float64))
    assert drawn.dtype == torch.float64
    count = len(drawn)
    assert bool((drawn.mean(0).abs() < 5 * std / count**0.5).all())
    assert bool(((drawn.std(0) / std - 1).abs() < 5 / (2 * count) ** 0.5).all())
    between = torch.corrcoef(drawn.flatten(1).T) - torch.eye(6, dtype=torch.float64)
    assert bool((between.abs() < 5 / count**0.5).all())


def test_noise_for_float64_has_all_its_digits():
    drawn = GaussianNoise(1.0, seed=0)(torch.zeros(100, dtype=torch.float64))
    assert (drawn != drawn.float().double()).all()


def test_noise_follows_from_its_seed_and_is_new_each_time():
    theta, state = torch.zeros(4), torch.random.get_rng_state()
    first, again = GaussianNoise(1.0, seed=1), GaussianNoise(1.0, seed=1)
    other = GaussianNoise(1.0, seed=2)(theta)
    drawn = first(theta)
    assert torch.equal(drawn, again(theta))
    assert not torch.equal(drawn, first(theta))
    assert not torch.equal(drawn, other)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_bad_noise_is_named():
    with pytest.raises(ValueError, match=r"^std must be in \[0, inf\), got -1.0$"):
        GaussianNoise(-1.0, seed=0)
    with pytest.raises(ValueError, match=r"^seed must be an integer"):
        GaussianNoise(1.0, seed=-1)


def test_the_chain_is_as_smooth_as_it_says_and_no_smoother():
    problem = chain(60, smoothness=3.0)
    curvatures = torch.linalg.eigvalsh(torch.func.hessian(problem.objective)(problem.start))
    assert 0 < curvatures[0] < 0.01
    assert 2.99 < curvatures[-1] < 3
    torch.testing.assert_close(problem.gradient(problem.start)[0].item(), -0.75)
    torch.testing.assert_close(problem.objective(problem.minimizer).item(), -3 / 8 * 60 / 61)


def test_each_gradient_of_the_chain_reveals_one_coordinate_more():
    problem = chain(6)
    theta = problem.start
    for step in range(1, 7):
        theta = theta - problem.gradient(theta)
        assert (theta != 0).tolist() == [True] * step + [False] * (6 - step)


def test_lessards_function_curves_as_much_as_it_says_and_has_no_jump():
    x = torch.linspace(-4, 4, 8001, dtype=torch.float64)[:, None]
    value, slope = value_and_gradient(lessard().objective, x)
    slope = slope[:, 0]
    curvature = slope.diff() / x[:, 0].diff()
    inside = (x[1:, 0] > 1.0005) & (x[1:, 0] < 2.0005)
    torch.testing.assert_close(curvature[inside], torch.ones(int(inside.sum())).double())
    torch.testing.assert_close(
        curvature[~inside], torch.full((int((~inside).sum()),), 25.0).double()
    )
    by_slope = torch.cumulative_trapezoid(slope, x[:, 0])
    torch.testing.assert_close(value[1:] - value[0], by_slope, rtol=0, atol=1e-4)


def test_goujauds_function_curves_as_much_as_it_says():
    problem = PROBLEMS["Goujaud"]
    points = points_near(problem, 400)
    near, far = torch.cat([points, 0.1 * (points - problem.start)]).reshape(-1, 2, 2).unbind(1)
    slopes = problem.gradient(near) - problem.gradient(far)
    along = (slopes * (near - far)).sum(-1) / (near - far).square().sum(-1)
    # 1 where both are inside of the polygon, and up to 100 outside of it.
    assert 1 - 1e-9 <= along.min() < 2
    assert 99 < along.max() <= 100 + 1e-9
    assert (slopes.norm(dim=-1) <= 100 * (near - far).norm(dim=-1) * (1 + 1e-9)).all()
    turned = torch.tensor(2 * math.pi / 5).double()
    cos, sin = turned.cos(), turned.sin()
    matrix = torch.stack([torch.stack([cos, sin]), torch.stack([-sin, cos])])
    torch.testing.assert_close(problem.objective(near @ matrix), problem.objective(near))


@pytest.mark.parametrize("corners", [3, 4, 5, 6])
def test_heavy_ball_goes_round_goujauds_polygon(corners):
    lr, momentum = 4 / 121, (9 / 11) ** 2
    problem = goujaud(lr, momentum, smoothness=100.0, strong_convexity=1.0, corners=corners)
    angle = 2 * math.pi / corners
    turns = torch.arange(-1, 40, dtype=torch.float64) * angle
    ring = torch.stack([turns.cos(), turns.sin()], -1)
    before, now = ring[0], ring[1]
    for expected in ring[2:]:
        before, now = now, now - lr * problem.gradient(now) + momentum * (now - before)
        torch.testing.assert_close(now, expected, rtol=0, atol=1e-9)


def test_goujauds_function_asks_for_a_polygon():
    with pytest.raises(ValueError, match="corners"):
        goujaud(0.1, 0.5, smoothness=2.0, strong_convexity=1.0, corners=2)
