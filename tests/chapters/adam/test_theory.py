"""The closed forms of Adam where the book's equations do not reach, and the numbers in its prose.

That each is the formula of its chapter, and that this is right, is the matter of
``test_equations.py``.
"""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from descent.chapters.adam import theory
from descent.optim import Adam, adam

BETAS = (0.9, 0.999)
STEPS = torch.arange(1, 20_000, dtype=torch.float64)


def test_what_the_chapter_says_of_the_defaults():
    uncorrected = theory.adam_uncorrected_step(*BETAS, STEPS)
    assert round(uncorrected[0].item(), 3) == 3.162
    assert int(STEPS[uncorrected.argmax()]) == 12
    assert round(uncorrected.max().item(), 2) == 6.57
    repeated = theory.adam_burst_step(*BETAS, 5000, STEPS[:100])
    assert int(repeated.argmax()) + 1 == 12
    assert round(repeated.max().item(), 1) == 6.5
    assert round(1 / theory.adam_burst_step(*BETAS, 0, 1) * (1 - 0.999**5001) ** 0.5, 4) == 0.9966
    assert round(theory.adam_max_step(*BETAS), 2) == 7.27
    assert round(theory.adam_max_step(0.9, 0.95), 2) == 1.16
    assert round(theory.adam_noise_step(0.9), 3) == 0.229
    assert [round(theory.ema_lag(beta, 100_000)) for beta in BETAS] == [9, 999]
    assert round(theory.adamax_max_step(*BETAS), 3) == 1.009
    assert round(theory.radam_length(0.999, 1e6)) == 1999
    rectifier = theory.radam_rectifier(0.999, torch.tensor([5, 6, 100]))
    assert rectifier[0].isnan()
    assert [round(r, 3) for r in rectifier[1:].tolist()] == [0.026, 0.215]
    assert round(theory.adamw_shrink(1e-3, 0.5, 1000), 4) == round(math.exp(-0.5), 4) == 0.6065


def test_reddis_drift_is_upwards_for_every_large_gradient_and_for_rare_ones_at_the_default():
    for scale in np.geomspace(2.0001, 1e6, 60):
        assert theory.reddi_drift(scale, 1 / (1 + scale**2)) > 0.5
        assert theory.reddi_drift(scale, 0.1, amsgrad=True) < 0
    assert theory.reddi_drift(1290.0, 0.999, 1000) > 0 > theory.reddi_drift(1300.0, 0.999, 1000)
    assert theory.reddi_drift(2.001, 0.999) < 1e-3


def nadam_steps(num_steps: int) -> list[float]:
    param = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.NAdam([param], lr=1.0)
    moved = []
    for _ in range(num_steps):
        before, param.grad = param.item(), torch.tensor([3.0], dtype=torch.float64)
        optimizer.step()
        moved.append(before - param.item())
    return moved


def test_first_steps_of_nadam_under_a_constant_gradient():
    first, *_, fourth = nadam_steps(4)
    assert round(first, 3) == 1.056
    assert round(fourth, 2) == 0.73


def test_the_lag_of_nadam_is_beta1_times_that_of_adam():
    for optimizer, options, lag in (
        (torch.optim.Adam, {}, 9.0),
        (torch.optim.NAdam, {"momentum_decay": 100.0}, 8.1),  # in the long run, soon
    ):
        param = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        by_torch = optimizer([param], lr=1.0, betas=(0.9, 0.0), eps=0.0, **options)
        for step in range(1, 1001):
            before, param.grad = param.item(), torch.tensor([1e3 + step], dtype=torch.float64)
            by_torch.step()
        # Without memory the denominator is the gradient, so this is the numerator.
        averaged = (before - param.item()) * param.grad.item()
        assert param.grad.item() - averaged == pytest.approx(lag, rel=1e-6)


def test_the_window_of_equal_age_is_a_tenth_too_short_for_the_variance_at_step_1000():
    weight = 0.999 ** torch.arange(1000, dtype=torch.float64)
    of_equal_variance = weight.sum() ** 2 / weight.square().sum()
    assert (theory.radam_length(0.999, 1000) / of_equal_variance).item() == pytest.approx(
        0.9, abs=0.01
    )


def test_the_rate_of_torchs_amsgrad_falls_after_a_large_gradient_only_if_lr_does():
    rate = theory.ema_mass(0.999, STEPS)  # squared, over what the maximum gives
    assert (rate.diff() > 0).all()
    assert ((rate / STEPS).diff() < 0).all()


def test_equal_betas_bound_every_step_by_the_rate_and_a_small_beta2_by_nothing():
    np.testing.assert_allclose(theory.adam_max_step(0.7, 0.7, STEPS), 1.0)
    with pytest.raises(ValueError, match="beta1\\*\\*2 / beta2 must be in"):
        theory.adam_max_step(0.9, 0.81)


def test_the_longest_step_is_the_limit_of_those_before():
    lengths = theory.adam_max_step(*BETAS, STEPS)
    assert (lengths.diff() > 0).all()
    assert lengths[0] == 1
    assert lengths[-1] == pytest.approx(theory.adam_max_step(*BETAS), rel=1e-6)


@pytest.mark.parametrize(("scale", "beta2", "period"), [(3.0, 0.1, 3), (9.0, 0.7, 6)])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_reddis_drift_is_that_of_the_optimizer(scale, beta2, period, amsgrad):
    options = Adam.complete(lr=1.0, betas=(0.0, beta2), eps=0.0, amsgrad=amsgrad)
    param, state, ends = torch.zeros(1, dtype=torch.float64), {}, []
    for step in range(200 * period):
        grad = torch.tensor([-1.0 if step % period else scale], dtype=torch.float64)
        param, state = adam(param, grad, state, **options)
        if step % period == period - 1:
            ends.append(param.item())
    found = theory.reddi_drift(scale, beta2, period, amsgrad=amsgrad)
    assert found == pytest.approx(ends[-1] - ends[-2], rel=1e-9)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9)])
def test_coupled_decay_without_noise_is_adam_itself(betas):
    options = Adam.complete(lr=0.01, betas=betas, eps=0.0, weight_decay=0.3)
    param, state, path = torch.tensor([2.0], dtype=torch.float64), {}, [2.0]
    for _ in range(50):
        param, state = adam(param, torch.zeros_like(param), state, **options)
        path.append(param.item())
    found = theory.coupled_shrink(2.0, 0.01, 0.3, 1e-9, 50, betas=betas)
    np.testing.assert_allclose(found, path, rtol=1e-9)


def test_coupled_decay_in_much_noise_is_exponential():
    found = theory.coupled_shrink(1.0, 1e-3, 0.5, 50.0, 2000)
    np.testing.assert_allclose(found, np.exp(-1e-3 * 0.5 / 50 * np.arange(2001)), rtol=1e-3)
    assert len(found) == 2001


def test_the_floor_of_a_weight_is_near_half_the_rate_over_the_decay():
    for beta1 in (0.0, 0.9):
        assert theory.adamw_noise_floor(1e-5, 0.1, beta1) == pytest.approx(5e-5, rel=1e-4)


def test_scores_of_new_samples_have_the_right_sign_for_all_numbers_of_samples():
    positive, negative = torch.meshgrid(
        torch.arange(1.0, 300), torch.arange(1.0, 300), indexing="ij"
    )
    of_positive, of_negative = theory.wilson_scores(positive, negative)
    assert (of_positive > 0).all()
    assert (of_negative < 0).all()


def test_time_to_learn_a_class_inverts_the_flow():
    # The margin grows at K lr share / (K - 1 + exp(margin)).
    margin, share, num_classes, lr, step = 0.0, 0.3, 5, 0.2, 1e-3
    for _ in range(10_000):
        half = margin + step / 2 * num_classes * lr * share / (num_classes - 1 + math.exp(margin))
        margin += step * num_classes * lr * share / (num_classes - 1 + math.exp(half))
    found = theory.class_time(torch.tensor(margin), share, num_classes, lr)
    assert found.item() == pytest.approx(10.0, rel=1e-5)


def test_sign_descent_starts_from_the_entropy_of_a_guess():
    loss = theory.sign_class_loss(torch.tensor([0, 10_000]), num_classes=7, lr=0.1)
    assert loss.tolist() == pytest.approx([math.log(7), 0.0])


def test_the_window_of_a_young_average_is_its_age():
    young = STEPS[:8]
    np.testing.assert_allclose(theory.radam_length(0.999, young), young, rtol=5e-3)
    best = minimize_scalar(
        lambda step: -theory.radam_rectifier(0.999, torch.tensor(step)).item(),
        bounds=(6, 1e5),
        method="bounded",
    )
    assert -best.fun == pytest.approx(1, abs=1e-3)


def test_tensors_broadcast():
    beta1, t = torch.tensor([[0.0], [0.9]]), torch.tensor([1.0, 4.0, 9.0])
    for found in (
        theory.ema_mass(beta1, t),
        theory.ema_lag(beta1, t),
        theory.adam_uncorrected_step(beta1, 0.999, t),
        theory.adam_burst_step(beta1, 0.999, 10, t),
        theory.adam_max_step(beta1, 0.999, t),
        theory.adamw_shrink(beta1, 0.1, t),
        theory.adamw_noise_floor(t / 100, 0.1, beta1),
        theory.class_time(t, beta1 + 0.1, 3, 0.1),
    ):
        assert found.shape == (2, 3)
    assert (
        theory.adam_noise_step(beta1).shape == theory.adamax_max_step(beta1, 0.99).shape == (2, 1)
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.ema_mass(1.0, 3), "beta must be in [0, 1), got 1.0"),
        (lambda: theory.ema_lag(0.9, 0), "step must be in [1, inf), got 0"),
        (lambda: theory.adam_burst_step(0.9, 0.999, -1), "silence must be in [0, inf), got -1"),
        (lambda: theory.adam_uncorrected_step(0.9, 0.999, 0), "step must be in [1, inf), got 0"),
        (lambda: theory.adam_noise_step(-0.1), "beta1 must be in [0, 1), got -0.1"),
        (lambda: theory.reddi_drift(0.5, 0.9), "scale must be in [1, inf), got 0.5"),
        (lambda: theory.reddi_drift(3.0, 0.9, 1), "period must be an integer of at least 2, got 1"),
        (lambda: theory.reddi_drift(3.0, 0.9, amsgrad=1), "amsgrad must be True or False, got 1"),
        (lambda: theory.adamw_shrink(0.1, -1.0, 1), "weight_decay must be in [0, inf), got -1.0"),
        (lambda: theory.adamw_noise_floor(3.0, 1.0, 0.9), "lr * weight_decay must be in (0, 2)"),
        (
            lambda: theory.coupled_shrink(1.0, 0.1, 0.1, 0.0, 9),
            "noise must be in (0, inf), got 0.0",
        ),
        (
            lambda: theory.coupled_shrink(1.0, 0.1, 0.1, 1.0, 9, betas=(0.9,)),
            "betas must be 2 numbers, got (0.9,)",
        ),
        (
            lambda: theory.radam_rectifier(0.5, torch.tensor([9])),
            "beta2 must be in (0.6666666666666666, 1), got 0.5",
        ),
        (lambda: theory.adamax_max_step(0.9, 0.8), "beta1 / beta2 must be in [0, 1)"),
        (lambda: theory.wilson_scores(0, 3), "num_positive must be in [1, inf), got 0"),
        (lambda: theory.class_time(-1.0, 0.5, 3, 0.1), "margin must be in [0, inf), got -1.0"),
        (
            lambda: theory.sign_class_loss(torch.tensor([1]), 1, 0.1),
            "num_classes must be an integer of at least 2, got 1",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(call, message):
    with pytest.raises((TypeError, ValueError)) as refusal:
        call()
    assert str(refusal.value).startswith(message)
