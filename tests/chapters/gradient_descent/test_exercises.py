"""What a checker of the chapter on gradient descent says to wrong answers.

The lab has the right ones.
"""

import math

import pytest
import torch
from answers import told

from descent.chapters.gradient_descent import exercises as exercise

WRONG = {
    "max_lr for a trace": (exercise.max_lr, lambda hessian: 2 / hessian.trace()),
    "max_lr for all eigenvalues": (exercise.max_lr, lambda h: 2 / torch.linalg.eigvalsh(h)),
    "steps by the approximation": (
        exercise.steps_needed,
        lambda kappa, shrink: math.ceil(kappa / 2 * math.log(1 / shrink)),
    ),
    "steps rounded down": (
        exercise.steps_needed,
        lambda kappa, shrink: int(math.log(shrink) / math.log((kappa - 1) / (kappa + 1))),
    ),
    "logistic gradient uphill": (
        exercise.logistic_gradient,
        lambda w, input, y: (y * torch.sigmoid(-y * (input @ w))) @ input / len(y),
    ),
    "rates that overshoot": (exercise.one_step_rates, lambda eigenvalues: 1.001 / eigenvalues),
    "no search": (exercise.backtracking, lambda objective, theta, lr: lr),
    "a run that settles": (exercise.bounded_forever, lambda: (1.0, 0.5, 0.1)),
    "a run that leaves": (exercise.bounded_forever, lambda: (3.0, 3.0, 1.5)),
    "a run that never moves": (exercise.bounded_forever, lambda: (2.0, 2.0, 1e-9)),
    "a start on the saddle": (exercise.bounded_forever, lambda: (0.0, 0.0, 0.1)),
    "two numbers for three": (exercise.bounded_forever, lambda: (1.0, 0.5)),
    "no number": (exercise.bounded_forever, lambda: ("a", 0.5, 1.2)),
}


@pytest.mark.parametrize(("checker", "answer"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_in_one_line(checker, answer, capsys):
    told(capsys, checker, answer)


@pytest.mark.parametrize("lr", [0.0, -0.1])
def test_a_rate_that_descends_nowhere_is_named(lr, capsys):
    line = told(capsys, exercise.bounded_forever, lambda: (0.5, 0.5, lr))
    assert line.endswith(f"needs a rate above 0, got {lr:g}")
