"""What checkers of the chapter on SGD say beyond the answers in ``answered.py``."""

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


def test_a_wrong_rate_is_told_by_its_floor_only_where_that_shows(capsys):
    def answer(floor, curvature, variance, batch_size):
        return 2 / (curvature + variance / (curvature * batch_size * floor)) * (1 + 1e-8)

    line = told(capsys, exercise.lr_for, answer)
    assert line.endswith("returned 0.181818184 where 0.181818182 is right, to 9 digits")


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf, 1e3])
def test_what_is_no_rate_is_named_with_its_step(rate, capsys):
    line = told(capsys, exercise.schedule, lambda step: rate if step == 3 else 0.1)
    if rate == 1e3:
        assert "ends at" in line
    else:
        assert line.endswith(f"at step 3 returned {rate:g}, not a rate above 0")


def test_a_rate_may_need_a_gradient(capsys):
    answer = lambda step: torch.tensor(10 / (step + 20), requires_grad=True)  # noqa: E731
    assert exercise.schedule(answer)
    assert capsys.readouterr().out == "correct: schedule\n"
