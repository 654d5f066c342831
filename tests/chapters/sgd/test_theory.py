"""The closed forms of stochastic gradient descent where the book's equations do not reach.

That each is the formula of its chapter, and that this is right, is the matter of
``test_equations.py``.
"""

import math
import re

import pytest
import sympy
import torch
from scipy.special import gamma

from descent.chapters.gradient_descent.theory import gradient_descent_max_lr
from descent.chapters.sgd import theory

STEPS = torch.arange(1, 60)
RATES = torch.tensor([0.1, 0.5])


def test_a_batch_of_all_data_has_no_noise():
    assert theory.sgd_gradient_variance(3.0, 20, num_samples=20) == 0
    sizes = torch.tensor([1.0, 5.0, 20.0])
    found = theory.sgd_gradient_variance(3.0, sizes, num_samples=20)
    expected = [theory.sgd_gradient_variance(3.0, size, num_samples=20) for size in sizes.tolist()]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_tensors_broadcast_to_one_value_per_run():
    curvature = torch.tensor([[1.0], [2.0], [0.5]])
    floor = theory.sgd_floor(RATES, curvature, 2.0, 4)
    squares = theory.sgd_mean_square(1.0, RATES, curvature, 2.0, torch.tensor(10**6), 4)
    averages = theory.sgd_average_mean_square(1.0, RATES, curvature, 2.0, torch.tensor(1), 4)
    assert floor.shape == squares.shape == (3, 2)
    torch.testing.assert_close(squares.float(), floor)
    torch.testing.assert_close(averages, torch.ones_like(averages))


def test_a_constant_schedule_is_a_constant_rate():
    schedule = torch.full((59,), 0.3, dtype=torch.float64)
    found = theory.sgd_schedule_mean_square(2.0, schedule, 1.5, 3.0, 4)
    torch.testing.assert_close(found[1:], theory.sgd_mean_square(2.0, 0.3, 1.5, 3.0, STEPS, 4))


@pytest.mark.parametrize(
    "form",
    [
        lambda step: theory.sgd_mean_square(3.0, 1e-4, 0.7, 1.0, step),
        lambda step: theory.sgd_average_mean_square(3.0, 1e-4, 0.7, 1.0, step),
        lambda step: theory.harmonic_remainder(0.7, 1.0, step),
    ],
    ids=["mean square", "average", "harmonic"],
)
def test_the_steps_of_a_trace_are_whole_numbers_and_lose_no_digits(form):
    steps = torch.arange(1, 1_000_000, 99_999)
    assert torch.equal(form(steps), form(steps.double()))
    assert form(steps).dtype == torch.float64


@pytest.mark.parametrize("power", [0.05, 0.2, 0.999, 1.5, 4.5, 9.5])
def test_the_harmonic_product_is_one_of_its_factors(power):
    factors = 1 - power / torch.arange(1, 20_001, dtype=torch.float64)
    found = theory.harmonic_remainder(power, 1.0, torch.arange(20_001))
    assert found[0] == 1
    torch.testing.assert_close(found[1:], factors.cumprod(0), rtol=1e-6, atol=0)
    assert torch.equal(theory.harmonic_remainder(1.0, power, torch.arange(20_001)), found)


@pytest.mark.parametrize("power", [0.05, 0.2, 0.999, 1.5, 4.5, 9.5])
@pytest.mark.parametrize("step", [10**6, 10**9, 10**12])
def test_the_harmonic_product_is_a_ratio_of_gamma_functions(power, step):
    above, below = (sympy.loggamma(sympy.Float(step, 40) + 1 - x) for x in (power, 0))
    expected = math.exp((above - below).evalf(30)) / gamma(1 - power)
    found = theory.harmonic_remainder(power, 1.0, torch.tensor(step)).item()
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_factor_of_zero_leaves_nothing():
    assert theory.harmonic_remainder(1.0, 3.0, torch.tensor([2, 3, 10**9])).tolist() == [1, 0, 0]


def test_the_scaled_rate_has_the_floor_asked_for():
    sizes = torch.tensor([1.0, 10.0, 1e6], dtype=torch.float64)
    lr = theory.sgd_scaled_lr(0.2, 3.0, 5.0, sizes)
    floor = theory.sgd_floor(lr, 3.0, 5.0, sizes)
    torch.testing.assert_close(floor, torch.full_like(floor, 0.2))
    assert (lr < 2 / 3.0).all()


def test_the_critical_batch_costs_twice_the_least_of_both():
    assert theory.critical_steps(30, least_steps=100, critical_batch=30) == 200
    assert theory.critical_samples(30, least_steps=100, critical_batch=30) == 2 * 100 * 30
    sizes = torch.tensor([10.0, 30.0])
    assert theory.critical_steps(sizes, 100, 30).tolist() == [400, 200]


def test_a_deck_dealt_at_once_leaves_no_error():
    floor = theory.reshuffled_floor(RATES, 1.0, 3.0, num_samples=8, batch_size=8)
    assert floor.tolist() == [0, 0]


def test_a_long_epoch_forgets_that_its_deck_is_balanced():
    drawn = theory.sgd_floor(0.3, 1.0, 2.0)
    dealt = [theory.reshuffled_floor(0.3, 1.0, 2.0, size).item() for size in (10, 100, 10_000)]
    assert dealt == sorted(dealt)
    assert dealt[-1] == pytest.approx(drawn, rel=1e-3)


def test_a_parabola_and_uncorrelated_samples_have_no_bias():
    assert theory.average_bias(0.1, 2.0, 0.0, 3.0) == 0
    assert theory.reshuffled_bias(0.1, 2.0, 0.0, num_samples=8) == 0
    assert theory.reshuffled_bias(0.1, 2.0, 3.0, num_samples=8, batch_size=8) == 0


def test_the_bounds_are_least_where_their_two_terms_are_equal():
    lr = torch.logspace(-3, 0, 3001, dtype=torch.float64)
    bound = theory.convex_bound(2.0, lr, 4.0, 100)
    assert lr[bound.argmin()] == pytest.approx(2.0 / (4.0 * 10), rel=2e-3)
    assert bound.min() == pytest.approx(2.0 * 4.0 / 10, rel=1e-5)
    longer = theory.gradient_bound(1.0, lr, 1.0, 1.0, 100)
    assert (longer > theory.gradient_bound(1.0, lr, 1.0, 1.0, 1000)).all()


def test_samples_of_one_curvature_bring_back_the_plain_forms():
    limit = theory.sgd_random_curvature_max_lr(2.0, curvature_variance=0.0, batch_size=3)
    assert limit == gradient_descent_max_lr(2.0)
    floor = theory.sgd_random_curvature_floor(0.3, 2.0, 0.0, variance=5.0, batch_size=3)
    assert floor == pytest.approx(theory.sgd_floor(0.3, 2.0, 5.0, 3), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda bad: theory.sgd_gradient_variance(bad, 1), "variance"),
        (lambda bad: theory.sgd_gradient_variance(1.0, bad), "batch_size"),
        (lambda bad: theory.sgd_gradient_variance(1.0, bad, 10), "batch_size"),
        (lambda bad: theory.sgd_floor(bad, 1.0, 1.0), "lr"),
        (lambda bad: theory.sgd_floor(0.1, bad, 1.0), "curvature"),
        (lambda bad: theory.sgd_floor(0.1, 1.0, bad), "variance"),
        (lambda bad: theory.sgd_floor(0.1, 1.0, 1.0, bad), "batch_size"),
        (lambda bad: theory.sgd_mean_square(1.0, bad, 1.0, 1.0, STEPS), "lr"),
        (
            lambda bad: theory.sgd_mean_square(1.0, 0.1, 1.0, 1.0, torch.tensor([bad])),
            "step",
        ),
        (
            lambda bad: theory.sgd_schedule_mean_square(1.0, torch.tensor([bad]), 1.0, 1.0),
            "lr",
        ),
        (lambda bad: theory.sgd_schedule_mean_square(1.0, RATES, bad, 1.0), "curvature"),
        (lambda bad: theory.harmonic_remainder(bad, 1.0, STEPS), "curvature"),
        (lambda bad: theory.harmonic_remainder(1.0, bad, STEPS), "scale"),
        (lambda bad: theory.harmonic_remainder(1.0, 1.0, torch.tensor(bad)), "step"),
        (
            lambda bad: theory.sgd_average_mean_square(1.0, bad, 1.0, 1.0, STEPS),
            "lr",
        ),
        (lambda bad: theory.sgd_scaled_lr(bad, 1.0, 1.0, 1), "target"),
        (lambda bad: theory.sgd_scaled_lr(1.0, 1.0, bad, 1), "variance"),
        (lambda bad: theory.critical_steps(bad, 1.0, 1.0), "batch_size"),
        (lambda bad: theory.critical_steps(1, bad, 1.0), "least_steps"),
        (lambda bad: theory.critical_samples(1, 1.0, bad), "critical_batch"),
        (lambda bad: theory.average_bias(bad, 1.0, 1.0, 1.0), "lr"),
        (lambda bad: theory.average_bias(0.1, 1.0, 1.0, bad), "variance"),
        (lambda bad: theory.convex_bound(bad, 1.0, 1.0, 1), "distance"),
        (lambda bad: theory.convex_bound(1.0, bad, 1.0, 1), "lr"),
        (lambda bad: theory.convex_bound(1.0, 1.0, bad, 1), "length"),
        (lambda bad: theory.convex_bound(1.0, 1.0, 1.0, bad), "num_steps"),
        (lambda bad: theory.gradient_bound(bad, 0.1, 1.0, 1.0, 1), "drop"),
        (lambda bad: theory.gradient_bound(1.0, bad, 1.0, 1.0, 1), "lr"),
        (lambda bad: theory.gradient_bound(1.0, 0.1, 1.0, bad, 1), "variance"),
        (lambda bad: theory.gradient_bound(1.0, 0.1, 1.0, 1.0, bad), "num_steps"),
        (lambda bad: theory.fastest_batch(bad, 1.0, 1.0), "critical_batch"),
        (lambda bad: theory.fastest_batch(1.0, bad, 1.0), "overhead"),
        (lambda bad: theory.fastest_batch(1.0, 1.0, bad), "per_sample"),
        (lambda bad: theory.reshuffled_bias(bad, 1.0, 1.0, 4), "lr"),
        (lambda bad: theory.reshuffled_bias(0.1, 1.0, 1.0, 4, bad), "batch_size"),
        (lambda bad: theory.reshuffled_floor(bad, 1.0, 1.0, 4), "lr"),
        (lambda bad: theory.sgd_random_curvature_max_lr(1.0, bad), "curvature_variance"),
    ],
)
@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_a_number_out_of_range_is_named(call, name, bad):
    with pytest.raises(ValueError, match=f"^{name} must be in .*, got {bad}$"):
        call(bad)


@pytest.mark.parametrize("start", [math.nan, math.inf])
@pytest.mark.parametrize(
    "call",
    [
        lambda start: theory.sgd_mean_square(start, 0.1, 1.0, 1.0, STEPS),
        lambda start: theory.sgd_schedule_mean_square(start, RATES, 1.0, 1.0),
        lambda start: theory.sgd_average_mean_square(start, 0.1, 1.0, 1.0, STEPS),
    ],
)
def test_a_start_that_is_no_number_is_named(call, start):
    with pytest.raises(ValueError, match=rf"^start must be in \(-inf, inf\), got {start}$"):
        call(start)


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"^lr \* curvature must be in \(0, 2\), got 2.0$"):
        theory.sgd_floor(2.0, 1.0, 1.0)
    for call, product in [
        (lambda: theory.sgd_mean_square(1.0, 2.0, 1.0, 1.0, STEPS), "lr * curvature"),
        (lambda: theory.sgd_average_mean_square(1.0, 2.0, 1.0, 1.0, STEPS + 1), "lr * curvature"),
        (lambda: theory.average_bias(2.0, 1.0, 1.0, 1.0), "lr * curvature"),
        (lambda: theory.gradient_bound(1.0, 2.0, 1.0, 1.0, 1), "lr * smoothness"),
        (lambda: theory.reshuffled_bias(2.0, 1.0, 1.0, 4), "lr * curvature"),
        (lambda: theory.reshuffled_floor(2.0, 1.0, 1.0, 4), "lr * curvature"),
        (lambda: theory.harmonic_remainder(1.0, 11.0, STEPS), "scale * curvature"),
    ]:
        with pytest.raises(ValueError, match=f"^{re.escape(product)} must be in "):
            call()
    with pytest.raises(ValueError, match=r"^step must be in \[1, inf\), got 0"):
        theory.sgd_average_mean_square(1.0, 0.1, 1.0, 1.0, torch.tensor([0]))
    with pytest.raises(ValueError, match=r"^lr must have shape \(\*,\), got \(1, 2\)$"):
        theory.sgd_schedule_mean_square(1.0, RATES[None], 1.0, 1.0)
    with pytest.raises(ValueError, match=r"^batch_size must divide num_samples = 5, got 2$"):
        theory.reshuffled_floor(0.1, 1.0, 1.0, num_samples=5, batch_size=2)
    with pytest.raises(ValueError, match=r"^num_samples must be an integer of at least 2, got 1$"):
        theory.reshuffled_floor(0.1, 1.0, 1.0, num_samples=1)
    with pytest.raises(ValueError, match=r"^lr / largest lr must be in \(0, 1\), got 1.0$"):
        theory.sgd_random_curvature_floor(1.0, 1.0, 1.0, 1.0)


def test_a_noise_scale_needs_fitting_shapes_and_a_curved_gradient():
    with pytest.raises(ValueError, match=r"^hessian must have shape \(2, 2\), got \(3, 3\)$"):
        theory.noise_scale(torch.ones(2), torch.eye(3), torch.eye(2))
    with pytest.raises(ValueError, match=r"^covariance must have shape \(2, 2\), got \(1, 1\)$"):
        theory.noise_scale(torch.ones(2), torch.eye(2), torch.eye(1))
    with pytest.raises(ValueError, match=r"^the curvature along the gradient must be in .*, got 0"):
        theory.noise_scale(torch.zeros(2), torch.eye(2), torch.eye(2))
