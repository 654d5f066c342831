"""The closed forms of RMSprop against loops that use nothing but the definition."""

import math

import pytest
import torch
from scipy.optimize import minimize_scalar

from descent.chapters.rmsprop import theory


def rmsprop_path(gradients, alpha, average=0.0, lr=1.0, eps=0.0, centered=False):
    """Return the steps of RMSprop, minus the sign, for a list of gradients."""
    mean, steps = 0.0, []
    for grad in gradients:
        average = alpha * average + (1 - alpha) * grad**2
        mean = alpha * mean + (1 - alpha) * grad
        spread = average - mean**2 if centered else average
        steps.append(lr * grad / (math.sqrt(spread) + eps))
    return steps


def hops(lr, curvature, alpha, eps, num_steps, theta=1.0, average=0.0):
    path = []
    for _ in range(num_steps):
        grad = curvature * theta
        average = alpha * average + (1 - alpha) * grad**2
        theta -= lr * grad / (math.sqrt(average) + eps)
        path.append(theta)
    return path


@pytest.mark.parametrize("angle", [0.0, 0.01, 0.3, math.pi / 4, 1.2, math.pi / 2, -0.4])
@pytest.mark.parametrize("kappa", [1.0, 7.0, 1e4])
def test_no_diagonal_makes_a_turned_ravine_rounder(kappa, angle):
    cos, sin = math.cos(angle), math.sin(angle)
    axes = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    hessian = axes @ torch.diag(torch.tensor([1.0, kappa], dtype=torch.float64)) @ axes.T

    def left(log_scale):
        scale = torch.tensor([1.0, math.exp(log_scale)], dtype=torch.float64)
        return float(torch.linalg.cond(scale[:, None] * hessian * scale))

    searched = minimize_scalar(left, bounds=(-8.0, 8.0), method="bounded", options={"xatol": 1e-9})
    assert theory.rotated_kappa(kappa, angle) == pytest.approx(searched.fun, rel=1e-6)
    assert theory.best_diagonal_kappa(hessian) == pytest.approx(searched.fun, rel=1e-6)


def test_angles_may_come_as_a_tensor():
    angles = torch.tensor([0.1, 0.5])
    expected = [theory.rotated_kappa(9.0, angle) for angle in angles.tolist()]
    torch.testing.assert_close(theory.rotated_kappa(9.0, angles), torch.tensor(expected))


@pytest.mark.parametrize("hessian", [[[1.0, 2.0], [2.0, 1.0]], [[-1.0, 0.0], [0.0, -1.0]]])
def test_a_hessian_that_is_not_positive_definite_has_no_condition_number(hessian):
    with pytest.raises(ValueError, match="hessian must be positive definite"):
        theory.best_diagonal_kappa(torch.tensor(hessian))


@pytest.mark.parametrize("burst", [0.0, 30.0])
def test_steps_of_adagrad_on_a_constant_gradient(burst):
    grad, lr = -0.2, 0.7
    total, steps = (burst * grad) ** 2, []
    for _ in range(50):
        total += grad**2
        steps.append(lr * abs(grad) / math.sqrt(total))
    numbers = torch.arange(1, 51)
    expected = theory.adagrad_step(lr, numbers, burst)
    torch.testing.assert_close(torch.tensor(steps, dtype=torch.float64), expected)


def test_distance_that_adagrad_walks():
    walked = sum(theory.adagrad_step(0.3, step) for step in range(1, 100_001))
    bound = theory.adagrad_distance(0.3, 100_000)
    assert 0.99 * bound < walked < bound


def test_regret_of_adagrad_on_the_worst_of_many_sequences_stays_below_the_bound():
    draw = torch.Generator().manual_seed(0)
    rows, steps, lr = 200, 40, 0.8
    grads = torch.randn(steps, rows, 3, generator=draw, dtype=torch.float64)
    theta, total = torch.zeros(rows, 3).double(), torch.zeros(rows, 3).double()
    comparator = torch.randn(rows, 3, generator=draw, dtype=torch.float64)
    regret, farthest = torch.zeros(rows).double(), torch.zeros(rows).double()
    for grad in grads:
        regret += (grad * (theta - comparator)).sum(-1)
        farthest = torch.maximum(farthest, (theta - comparator).abs().amax(-1))
        total = total + grad**2
        theta = theta - lr * grad / total.sqrt()
    bound = theory.adagrad_regret_bound(lr, farthest, total)
    assert (regret <= bound).all()
    assert (regret > 0.2 * bound).any()


@pytest.mark.parametrize("alpha", [0.5, 0.9, 0.99])
def test_after_its_half_life_a_square_counts_half(alpha):
    assert alpha ** theory.rmsprop_half_life(alpha) == pytest.approx(0.5)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.9, 0.999])
def test_largest_step_comes_after_silence(alpha):
    bound = theory.rmsprop_max_step(0.1, alpha)
    lone = rmsprop_path([0.0] * 100 + [-3.0], alpha, average=1e-30, lr=0.1, eps=1e-300)[-1]
    assert abs(lone) == pytest.approx(bound)
    noise = torch.randn(2000, generator=torch.Generator().manual_seed(0)).tolist()
    assert max(map(abs, rmsprop_path(noise, alpha, lr=0.1))) <= bound * (1 + 1e-12)


@pytest.mark.parametrize("burst", [0.0, 100.0])
@pytest.mark.parametrize("alpha", [0.9, 0.99])
def test_steps_of_rmsprop_on_a_constant_gradient(alpha, burst):
    steps = rmsprop_path([0.3] * 200, alpha, average=(0.3 * burst) ** 2, lr=0.1)
    expected = theory.rmsprop_step(0.1, alpha, torch.arange(1, 201), burst)
    torch.testing.assert_close(torch.tensor(steps, dtype=torch.float64), expected)


def test_zero_start_carries_two_half_lives_further_as_alpha_goes_to_one():
    def extra(alpha):
        return sum(step - 1 for step in rmsprop_path([1.0] * int(40 / (1 - alpha)), alpha))

    errors = [
        abs(extra(alpha) / theory.rmsprop_extra_distance(1.0, alpha) - 1) for alpha in (0.9, 0.9999)
    ]
    assert errors[1] < 0.02 < errors[0]


@pytest.mark.parametrize("gap", [1, 2, 50])
def test_steps_of_a_gradient_that_comes_now_and_then(gap):
    steps = rmsprop_path(([-0.3] + [0.0] * (gap - 1)) * 800, 0.97, lr=0.1)
    assert theory.rmsprop_gap_step(0.1, 0.97, gap) == pytest.approx(-steps[-gap])


def test_average_recovers_after_a_burst():
    steps = theory.rmsprop_recovery_steps(0.99, burst=50.0)
    kept = 0.99**steps
    assert 1 - kept + kept * 50.0**2 == pytest.approx(2.0)


def test_steps_of_centered_rmsprop_on_a_constant_gradient():
    steps = rmsprop_path([2.0] * 300, 0.97, lr=0.1, centered=True)
    expected = theory.centered_step(0.1, 0.97, torch.arange(1, 301))
    torch.testing.assert_close(torch.tensor(steps).double(), expected, rtol=1e-6, atol=0)


def test_eps_inside_and_outside_after_the_average_has_settled():
    grad, eps = -1e-8, 1e-8
    average = 0.0
    for _ in range(5000):
        average = 0.99 * average + 0.01 * grad**2
    outside, inside = abs(grad) / (math.sqrt(average) + eps), abs(grad) / math.sqrt(average + eps)
    assert theory.eps_factor(grad, eps) == pytest.approx(outside)
    assert theory.eps_factor(grad, eps, inside=True) == pytest.approx(inside)
    assert theory.eps_factor(torch.tensor([grad]), eps).item() == pytest.approx(outside)


@pytest.mark.parametrize("alpha", [0.05, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("curvature", [0.3, 1e4])
@pytest.mark.parametrize("eps", [0.0, 1e-3])
def test_constant_rate_ends_in_a_two_cycle(alpha, curvature, eps):
    before, last = hops(0.1, curvature, alpha, eps * curvature, 6000)[-2:]
    assert before * last < 0
    expected = theory.rmsprop_cycle(0.1, curvature, eps * curvature)
    assert [abs(before), abs(last)] == pytest.approx([expected] * 2)


def test_large_eps_lets_it_converge():
    assert theory.rmsprop_cycle(0.1, 2.0, eps=0.2) == 0
    assert abs(hops(0.1, 2.0, 0.9, 0.2, 6000)[-1]) < 1e-100


@pytest.mark.parametrize("alpha", [0.02, 0.05, 0.3, 0.9])
def test_nearby_points_approach_the_cycle_at_its_rate(alpha):
    path = hops(1.0, 1.0, alpha, 0.0, 60, theta=0.5 + 1e-7, average=0.25)
    away = torch.tensor([abs(abs(theta) - 0.5) for theta in path], dtype=torch.float64)
    # A turning pair of modes passes through zero, so compare the largest of a few.
    ratio = float(away[30:50].max() / away[10:30].max()) ** (1 / 20)
    assert ratio == pytest.approx(theory.rmsprop_cycle_rate(alpha), rel=0.05)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (theory.rotated_kappa, {"kappa": 0.5, "angle": 0.0}),
        (theory.adagrad_step, {"lr": 1.0, "step": 0}),
        (theory.adagrad_distance, {"lr": -1.0, "step": 1}),
        (theory.adagrad_regret_bound, {"lr": 0.0, "diameter": 1.0, "squares": torch.ones(2)}),
        (theory.rmsprop_half_life, {"alpha": 1.0}),
        (theory.rmsprop_max_step, {"lr": 1.0, "alpha": 1.0}),
        (theory.rmsprop_step, {"lr": 1.0, "alpha": 0.9, "step": 0}),
        (theory.rmsprop_extra_distance, {"lr": -1.0, "alpha": 0.9}),
        (theory.rmsprop_gap_step, {"lr": 1.0, "alpha": 0.9, "gap": 0}),
        (theory.rmsprop_recovery_steps, {"alpha": 0.9, "burst": 1.0}),
        (theory.centered_step, {"lr": 1.0, "alpha": 0.0, "step": 1}),
        (theory.eps_factor, {"grad": 1.0, "eps": -1.0}),
        (theory.rmsprop_cycle, {"lr": 1.0, "curvature": 0.0}),
        (theory.rmsprop_cycle_rate, {"alpha": 0.0}),
    ],
)
def test_what_makes_no_sense_is_refused(function, arguments):
    with pytest.raises(ValueError, match="must be in"):
        function(**arguments)
