"""What a checker of the chapter on SGD says to wrong answers; the right ones stand in the lab."""

import math

import pytest
import torch
from answers import told

from descent.chapters.sgd import exercises as exercise

CHECKERS = [
    exercise.batch_for,
    exercise.lr_for,
    exercise.epoch_weights,
    exercise.averaged,
    exercise.noise_scale,
    exercise.schedule,
]
TENSORS = [exercise.epoch_weights, exercise.averaged]
WRONG = {
    "a batch with replacement": (
        exercise.batch_for,
        lambda num_samples, variance, allowed: min(num_samples, math.ceil(variance / allowed)),
    ),
    "a batch one too small": (
        exercise.batch_for,
        lambda n, variance, allowed: math.ceil(variance * n / (allowed * (n - 1) + variance)) - 1,
    ),
    "a batch that is rounded": (
        exercise.batch_for,
        lambda n, variance, allowed: round(variance * n / (allowed * (n - 1) + variance)),
    ),
    "a rate for small steps": (
        exercise.lr_for,
        lambda floor, curvature, variance, batch_size: (
            2 * floor * curvature * batch_size / variance
        ),
    ),
    "a rate that forgets the batch": (
        exercise.lr_for,
        lambda floor, curvature, variance, _: (
            2 * floor * curvature / (variance + floor * curvature**2)
        ),
    ),
    "a rate of zero": (exercise.lr_for, lambda *_: 0.0),
    "a rate that is not stable": (exercise.lr_for, lambda *_: 2.0),
    "weights by the full batch": (
        exercise.epoch_weights,
        lambda num_samples, batch_size: torch.full((num_samples,), 1 / batch_size),
    ),
    "weights that drop the last batch": (
        exercise.epoch_weights,
        lambda num_samples, batch_size: (
            (torch.arange(num_samples) < num_samples // batch_size * batch_size) / batch_size
        ),
    ),
    "an average that forgets": (exercise.averaged, lambda mean, theta, count: (mean + theta) / 2),
    "an average off by one": (
        exercise.averaged,
        lambda mean, theta, count: mean + (theta - mean) / (count + 2),
    ),
    "a noise scale upside down": (
        exercise.noise_scale,
        lambda small, large, b, c: (c * large - b * small) / (small - large) * (1 / b - 1 / c),
    ),
    "a noise scale whose signal is noisy": (
        exercise.noise_scale,
        lambda small, large, b, c: (small - large) / (1 / b - 1 / c) / large,
    ),
    "a schedule that assumes a curvature of 1": (exercise.schedule, lambda step: 1 / (step + 1)),
    "a constant schedule": (exercise.schedule, lambda step: 0.0018),
    "a schedule that stops short": (exercise.schedule, lambda step: 1 / (step + 1) ** 2),
    "a schedule that leaps": (exercise.schedule, lambda step: 1e3),
    "a schedule of nothing": (exercise.schedule, lambda step: 0.0),
    "a schedule of nan": (exercise.schedule, lambda step: math.nan),
}


@pytest.mark.parametrize(("checker", "answer"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_in_one_line(checker, answer, capsys):
    told(capsys, checker, answer)


@pytest.mark.parametrize("checker", CHECKERS)
def test_an_answer_of_the_wrong_kind_or_shape(checker, capsys):
    wanted = "a tensor of shape" if checker in TENSORS else "a number"
    assert f"returned a str where {wanted}" in told(capsys, checker, lambda *_: "1.0")
    assert f"returned a bool where {wanted}" in told(capsys, checker, lambda *_: True)
    line = told(capsys, checker, lambda *_: torch.zeros(1, 1, 1))
    assert f"returned a tensor of shape (1, 1, 1) where {wanted}" in line


@pytest.mark.parametrize("checker", CHECKERS)
def test_an_answer_of_nan(checker, capsys):
    nan = torch.tensor(math.nan)
    shapes = {exercise.epoch_weights: (10,), exercise.averaged: (3,)}
    told(capsys, checker, lambda *_: nan.expand(shapes.get(checker, ())))


def test_an_average_that_changes_the_mean_in_place(capsys):
    def answer(mean, theta, count):
        return mean.add_((theta - mean) / (count + 1))

    assert "changed an argument in place" in told(capsys, exercise.averaged, answer)


@pytest.mark.parametrize(
    ("checker", "answer"),
    [
        (
            exercise.batch_for,
            lambda n, variance, allowed: math.ceil(variance * n / (allowed * (n - 1) + variance)),
        ),
        (
            exercise.lr_for,
            lambda floor, curvature, variance, size: (
                2 * curvature * size * floor / (variance + curvature**2 * size * floor)
            ),
        ),
        (
            exercise.epoch_weights,
            lambda num_samples, size: torch.cat(
                [
                    torch.full_like(part, 1 / len(part))
                    for part in torch.ones(num_samples).split(size)
                ]
            ),
        ),
        (exercise.averaged, lambda mean, theta, count: mean + (theta - mean) / (count + 1)),
        (
            exercise.noise_scale,
            lambda small, large, b, c: (
                (small - large) / (1 / b - 1 / c) * (c - b) / (c * large - b * small)
            ),
        ),
        (exercise.schedule, lambda step: torch.tensor(10 / (step + 20), requires_grad=True)),
    ],
)
def test_a_right_answer(checker, answer, capsys):
    assert checker(answer)
    assert capsys.readouterr().out == f"correct: {checker.__name__}\n"


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_rate_is_named_with_its_step(rate, capsys):
    line = told(capsys, exercise.schedule, lambda step: rate if step == 3 else 0.1)
    assert line.endswith(f"at step 3 returned {rate:g}, not a rate above 0")
