"""What a checker of the chapter on losses says to answers of the wrong form; see ``answered``."""

import pytest
import torch
from answers import told

from descent.chapters.losses import exercises as exercise

CHECKERS = [
    exercise.best_order,
    exercise.stable_bce,
    exercise.weighted_gradient,
    exercise.accumulated,
    exercise.robust_centre,
    exercise.calibrated,
]
NUMBERS = [exercise.best_order, exercise.accumulated, exercise.robust_centre]
TENSORS = [exercise.stable_bce, exercise.weighted_gradient, exercise.calibrated]


@pytest.mark.parametrize("checker", CHECKERS)
def test_an_answer_of_the_wrong_kind(checker, capsys):
    wanted = "a number" if checker in NUMBERS else "a tensor of shape"
    assert f"returned a str where {wanted}" in told(capsys, checker, lambda *_: "1.0")
    line = told(capsys, checker, lambda *_: [1.0])
    assert f"returned a list of shape (1,) where {wanted}" in line
    assert f"returned a bool where {wanted}" in told(capsys, checker, lambda *_: True)


@pytest.mark.parametrize("checker", CHECKERS)
def test_an_answer_of_the_wrong_shape(checker, capsys):
    wanted = "a number" if checker in NUMBERS else "a tensor of shape"
    line = told(capsys, checker, lambda *_: torch.zeros(1, 1, 1))
    assert f"returned a tensor of shape (1, 1, 1) where {wanted}" in line


@pytest.mark.parametrize("checker", NUMBERS)
@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1e9])
def test_a_wrong_number_plain_or_in_a_tensor(checker, number, capsys):
    line = told(capsys, checker, lambda *_: number)
    assert f"returned {number:.6g}" in line
    assert told(capsys, checker, lambda *_: torch.tensor(number, requires_grad=True)) == line


@pytest.mark.parametrize("checker", TENSORS)
def test_a_tensor_of_nan(checker, capsys):
    assert "returned nan where" in told(capsys, checker, lambda first, *_: first * torch.nan)


@pytest.mark.parametrize(
    ("checker", "change"),
    [
        (exercise.best_order, lambda demand: demand.zero_()),
        (exercise.stable_bce, lambda input: input.clamp_(min=0)),
        (exercise.weighted_gradient, lambda input: input.exp_()),
        (exercise.accumulated, lambda pieces: pieces.pop()),
        (exercise.accumulated, lambda pieces: pieces[0][1].fill_(0)),
        (exercise.robust_centre, lambda sample: sample.copy_(sample.sort().values)),
        (exercise.calibrated, lambda p: p.neg_()),
    ],
)
def test_an_answer_that_changes_what_it_was_given(checker, change, capsys):
    def answer(first, *_):
        change(first)
        return 0.0

    assert "changed an argument in place: work on a copy" in told(capsys, checker, answer)


def ordered(demand, under, over, extra=0):
    """Return the best of 101 demands for the checker's costs, or the one ``extra`` ranks above."""
    rank = {(9.0, 1.0): 91, (1.0, 1.0): 51, (1.0, 4.0): 21}[under, over]
    return demand.sort().values[rank - 1 + extra]


def test_the_best_order_is_right_and_its_neighbours_are_not(capsys):
    assert exercise.best_order(ordered)
    assert capsys.readouterr().out == "correct: best_order\n"
    for extra in (-1, 1):
        line = told(capsys, exercise.best_order, lambda *given, by=extra: ordered(*given, by))
        assert " a day, not " in line
