"""The closed forms of momentum against simulations that use nothing but the definition."""

import math

import pytest
import torch
from hypothesis import given, settings, strategies as st

from descent.chapters.momentum import theory

positive = st.floats(1e-3, 1e3)
momenta = st.floats(0, 0.95)


def roll(gradient, start, lr, momentum, num_steps, nesterov=False):
    """Follow the heavy ball, or Nesterov, from its definition with two positions."""
    before = now = start
    rows = [now]
    for _ in range(num_steps):
        ahead = now + momentum * (now - before)
        before, now = now, ahead - lr * gradient(ahead if nesterov else now)
        rows.append(now)
    return rows


def late_factor(curvature, lr, momentum, nesterov=False):
    """Measure the factor per step in the long run, from two starts that span all others."""
    vectors = [(1.0, 0.0), (0.0, 1.0)]
    logs = 0.0
    for step in range(4000):
        moved = []
        for now, before in vectors:
            ahead = now + momentum * (now - before)
            moved.append((ahead - lr * curvature * (ahead if nesterov else now), now))
        vectors = moved
        size = max(math.hypot(*vector) for vector in vectors)
        if size == 0:
            return 0.0
        vectors = [(now / size, before / size) for now, before in vectors]
        if step >= 1000:
            logs += math.log(size)
    return math.exp(logs / 3000)


@pytest.mark.parametrize("nesterov", [False, True], ids=["heavy ball", "Nesterov"])
@pytest.mark.parametrize("momentum", [0.0, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("product", [0.002, 0.11, 0.7, 1.0, 1.21, 2.7, 4.3])
def test_rates_are_those_of_a_long_run(product, momentum, nesterov):
    rate = theory.nesterov_rate if nesterov else theory.heavy_ball_rate
    found = rate(product / 2, 2.0, momentum).item()
    assert found == pytest.approx(late_factor(2.0, product / 2, momentum, nesterov), rel=2e-3)


def test_rates_broadcast():
    eigenvalues = torch.linspace(0.1, 2, 5)[:, None]
    found = theory.heavy_ball_rate(eigenvalues, 0.5, torch.linspace(0, 0.9, 4, dtype=torch.float64))
    assert found.shape == (5, 4)
    assert found[2, 3] == theory.heavy_ball_rate(eigenvalues[2, 0], 0.5, 0.9)


@settings(deadline=None, max_examples=50)
@given(positive, momenta)
def test_the_largest_rates_are_where_the_factors_pass_one(smoothness, momentum):
    for limit, rate in (
        (theory.heavy_ball_max_lr, theory.heavy_ball_rate),
        (theory.nesterov_max_lr, theory.nesterov_rate),
    ):
        lr = limit(smoothness, momentum)
        assert rate(smoothness, 0.999 * lr, momentum) < 1
        assert rate(smoothness, 1.001 * lr, momentum) > 1


@settings(deadline=None, max_examples=50)
@given(st.floats(1e-3, 3.99), positive, momenta)
def test_no_momentum_beats_the_critical_one(product, curvature, other):
    lr = product / curvature
    critical = theory.heavy_ball_critical_momentum(lr, curvature)
    least = theory.heavy_ball_rate(curvature, lr, critical).item()
    assert least == pytest.approx(abs(1 - math.sqrt(product)), abs=1e-6)
    assert least <= theory.heavy_ball_rate(curvature, lr, other).item() + 1e-6


@settings(deadline=None, max_examples=100)
@given(positive, st.floats(1.01, 1e4), st.floats(0.01, 2), momenta)
def test_no_settings_beat_the_best(smallest, kappa, part, momentum):
    ends = torch.tensor([smallest, smallest * kappa], dtype=torch.float64)
    lr, best = theory.heavy_ball_best(ends[1].item(), ends[0].item())
    least = theory.heavy_ball_rate(ends, lr, best).max().item()
    assert least == pytest.approx(theory.heavy_ball_best_rate(kappa), abs=1e-6)
    assert least <= theory.heavy_ball_rate(ends, part * lr, momentum).max().item() + 1e-6


@settings(deadline=None, max_examples=50)
@given(st.lists(positive, min_size=1, max_size=4), st.floats(0, 3), momenta)
def test_distance_is_that_of_the_definition(spectrum, part, momentum):
    lr = part / max(spectrum)
    runs = [roll(lambda x, c=c: c * x, 1.0, lr, momentum, 30) for c in spectrum]
    expected = [math.hypot(*coordinates) for coordinates in zip(*runs, strict=True)]
    found = theory.heavy_ball_distance(
        torch.tensor(spectrum, dtype=torch.float64),
        torch.ones(len(spectrum)),
        lr,
        momentum,
        torch.arange(31),
    )
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


def test_effective_rate_and_time_constant_are_those_of_a_fading_sum():
    for momentum, dampening in ((0.9, 0.0), (0.5, 0.5), (0.99, 0.25)):
        moved, buffer, steps = 0.0, 1 - dampening, 0
        while buffer > 1e-15:
            moved += 0.3 * buffer
            buffer *= momentum
            steps += 1
        found = theory.momentum_effective_lr(0.3, momentum, dampening)
        assert found == pytest.approx(moved, rel=1e-9)
        constant = theory.momentum_time_constant(momentum)
        assert momentum**constant == pytest.approx(1 / math.e, rel=1e-12)


@pytest.mark.parametrize(("lr", "momentum"), [(0.01, 0.9), (0.1, 0.0), (1.5, 0.6)])
def test_noise_floor_is_what_the_moments_settle_to(lr, momentum):
    curvature, variance = 1.3, 0.4
    a = 1 + momentum - lr * curvature
    p = q = r = 0.0
    for _ in range(20_000):
        p, q, r = (
            a**2 * p - 2 * a * momentum * q + momentum**2 * r + lr**2 * variance,
            a * p - momentum * q,
            p,
        )
    floor = theory.momentum_noise_floor(lr, momentum, curvature, variance)
    assert floor == pytest.approx(p, rel=1e-9)
    batch = theory.momentum_noise_floor(torch.tensor([lr, lr / 2]), momentum, curvature, variance)
    assert batch[0] == pytest.approx(floor)


def test_velocity_lag_is_what_is_left_of_the_old_rate():
    lag = theory.velocity_lag(0.1, 0.02, 0.9, 5.0, torch.tensor([0, 1, 2, 1000]))
    assert lag[0] == 0
    assert lag[1] == pytest.approx(-0.08 * 5 * 0.9)
    assert lag[2] == pytest.approx(-0.08 * 5 * (0.9 + 0.81))
    assert lag[3] == pytest.approx(-0.08 * 5 * 9)


def test_bounds_of_nesterov_hold_and_fall():
    curvatures = torch.tensor([0.01, 0.2, 1.0], dtype=torch.float64)
    start = torch.tensor([3.0, -1.0, 2.0], dtype=torch.float64)
    steps = torch.arange(200)
    run = roll(
        lambda x: curvatures * x, start, 1.0, theory.nesterov_momentum(100.0), 199, nesterov=True
    )
    loss = 0.5 * (curvatures * torch.stack(run) ** 2).sum(-1)
    distance = start.norm().item()
    bound = theory.nesterov_linear_bound(1.0, 0.01, loss[0].item(), distance, steps)
    assert (loss <= bound).all()
    torch.testing.assert_close(bound[1:] / bound[:-1], torch.full((199,), 0.9).double())
    assert bound[0] == pytest.approx(loss[0].item() + 0.005 * distance**2)
    convex = theory.nesterov_convex_bound(2.0, 3.0, torch.tensor([1, 9]))
    assert convex.tolist() == pytest.approx([9.0, 0.36])


def test_the_chain_gives_one_bead_a_gradient():
    bound = theory.chain_lower_bound(8.0, 9, torch.arange(10))
    expected = [1 / (t + 1) - 0.1 for t in range(10)]
    assert bound.tolist() == pytest.approx(expected)


def test_the_cycle_repeats_itself():
    p, q, r = theory.heavy_ball_cycle()

    def slope(x):
        return 25 * x if x < 1 else x + 24 if x < 2 else 25 * x - 24

    for before, now, after in ((p, q, r), (q, r, p), (r, p, q)):
        assert now + 4 / 9 * (now - before) - slope(now) / 9 == pytest.approx(after, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.heavy_ball_max_lr(1.0, 1.0), r"momentum must be in \[0, 1\), got 1.0"),
        (lambda: theory.heavy_ball_max_lr(0.0, 0.5), r"smoothness must be in \(0, inf\), got 0.0"),
        (
            lambda: theory.heavy_ball_critical_momentum(2.0, 3.0),
            r"curvature must be in \(0, 2.0\), got 3.0",
        ),
        (
            lambda: theory.heavy_ball_best(1.0, 2.0),
            r"strong_convexity must be in \(0, 1.0\], got 2.0",
        ),
        (
            lambda: theory.heavy_ball_critical_momentum(0.0, 3.0),
            r"lr must be in \(0, inf\), got 0.0",
        ),
        (
            lambda: theory.momentum_noise_floor(0.0, 0.5, 1.0, 1.0),
            r"lr must be in \(0, inf\), got 0.0",
        ),
        (
            lambda: theory.momentum_noise_floor(0.1, 0.5, 0.0, 1.0),
            r"curvature must be in \(0, inf\), got 0.0",
        ),
        (
            lambda: theory.momentum_noise_floor(0.1, 0.5, 1.0, -1.0),
            r"variance must be in \[0, inf\), got -1.0",
        ),
        (
            lambda: theory.momentum_effective_lr(0.1, 0.5, 1.5),
            r"dampening must be in \[0, 1\], got 1.5",
        ),
        (
            lambda: theory.velocity_lag(0.1, -0.1, 0.5, 1.0, torch.arange(2)),
            r"lr_after must be in \[0, inf\), got -0.1",
        ),
        (
            lambda: theory.nesterov_convex_bound(0.0, 1.0, torch.arange(2)),
            r"smoothness must be in \(0, inf\), got 0.0",
        ),
        (
            lambda: theory.nesterov_linear_bound(0.0, 1.0, 1.0, 1.0, torch.arange(2)),
            r"smoothness must be in \(0, inf\), got 0.0",
        ),
        (
            lambda: theory.nesterov_linear_bound(1.0, 0.0, 1.0, 1.0, torch.arange(2)),
            r"strong_convexity must be in \(0, inf\), got 0.0",
        ),
        (
            lambda: theory.heavy_ball_best(0.0, 1.0),
            r"smoothness must be in \(0, inf\), got 0.0",
        ),
        (
            lambda: theory.chain_lower_bound(0.0, 3, torch.arange(2)),
            r"smoothness must be in \(0, inf\), got 0.0",
        ),
        (lambda: theory.heavy_ball_best_rate(0.5), r"kappa must be in \[1, inf\), got 0.5"),
        (lambda: theory.heavy_ball_rate(1.0, -0.1, 0.5), r"lr must be in \[0, inf\), got -0.1"),
        (lambda: theory.momentum_time_constant(0.0), r"momentum must be in \(0, 1\), got 0.0"),
        (
            lambda: theory.momentum_noise_floor(4.0, 0.5, 1.0, 1.0),
            r"lr \* curvature / \(1 \+ momentum\) must be in \(0, 2\)",
        ),
        (
            lambda: theory.chain_lower_bound(1.0, 3, torch.tensor([4])),
            r"step must be in \[0, 3\], got 4",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_numbers_that_the_page_works_out():
    for momentum, kappa in ((0.9, 1440.0), (0.99, 160_000.0), (0.5, 34.0)):
        assert round(theory.heavy_ball_best(kappa, 1.0)[1], 3) == pytest.approx(momentum)
    root = 0.9**0.5
    assert ((1 - root) ** 2, (1 + root) ** 2) == pytest.approx((0.0026, 3.797), abs=4e-4)
    assert theory.heavy_ball_max_lr(1.0, 0.9) == pytest.approx(3.8)
    assert theory.heavy_ball_critical_momentum(0.1, 1.0) == pytest.approx(0.47, abs=0.005)
    factors = theory.heavy_ball_rate(1.0, 0.1, torch.tensor([0.0, 0.5, 0.9, 0.99]))
    assert factors.tolist() == pytest.approx([0.9, 0.71, 0.95, 0.995], abs=0.003)
    assert float(theory.momentum_noise_floor(0.1, 0.0, 1.0, 1.0)) == pytest.approx(0.053, abs=5e-4)
