"""What a checker of the chapter on Adam says to wrong answers; the lab has the right ones."""

import pytest
import torch
from answers import told

from descent.chapters.adam import exercises as exercise


def averages(exp_avg, exp_avg_sq, grad):
    return 0.9 * exp_avg + 0.1 * grad, 0.999 * exp_avg_sq + 0.001 * grad**2


def uncorrected(theta, exp_avg, exp_avg_sq, grad, lr, step):
    exp_avg, exp_avg_sq = averages(exp_avg, exp_avg_sq, grad)
    return theta - lr * exp_avg / (exp_avg_sq.sqrt() + 1e-8), exp_avg, exp_avg_sq


def eps_inside_the_root(theta, exp_avg, exp_avg_sq, grad, lr, step):
    exp_avg, exp_avg_sq = averages(exp_avg, exp_avg_sq, grad)
    denom = (exp_avg_sq / (1 - 0.999**step) + 1e-16).sqrt()
    return theta - lr * exp_avg / (1 - 0.9**step) / denom, exp_avg, exp_avg_sq


def corrected_averages_kept(theta, exp_avg, exp_avg_sq, grad, lr, step):
    exp_avg, exp_avg_sq = averages(exp_avg, exp_avg_sq, grad)
    exp_avg, exp_avg_sq = exp_avg / (1 - 0.9**step), exp_avg_sq / (1 - 0.999**step)
    return theta - lr * exp_avg / (exp_avg_sq.sqrt() + 1e-8), exp_avg, exp_avg_sq


def by_the_book(theta, exp_avg, exp_avg_sq, grad, lr, step):
    exp_avg, exp_avg_sq = averages(exp_avg, exp_avg_sq, grad)
    denom = (exp_avg_sq / (1 - 0.999**step)) ** 0.5 + 1e-8
    return theta - lr * exp_avg / (1 - 0.9**step) / denom, exp_avg, exp_avg_sq


WRONG = {
    "the memory of beta2": (
        exercise.warm_up_steps,
        lambda beta2, tol: round(1 / (1 - beta2)),
        "warm_up_steps(beta2=0.999, tol=0.1) returned 1000 where 1751 is right",
    ),
    "no correction": (
        exercise.adam_step,
        uncorrected,
        "parameters at step 1 returned 0.683772 where 0.9 is right",
    ),
    "eps inside the root": (exercise.adam_step, eps_inside_the_root, "parameters at step 1"),
    "corrected averages kept": (
        exercise.adam_step,
        corrected_averages_kept,
        "exp_avg at step 1 returned 1 where 0.1 is right",
    ),
    "one rate for all": (
        exercise.adam_step,
        lambda *arguments: by_the_book(*arguments[:4], 0.1, arguments[5]),
        "parameters at step 2 returned",
    ),
    "parameters alone": (
        exercise.adam_step,
        lambda theta, *_: theta,
        "returned a Tensor where three tensors are right",
    ),
    "a constant gradient": (
        exercise.longest_step,
        lambda beta1, beta2, num_steps: torch.ones(num_steps, dtype=torch.float64),
        "makes a step of 1 where 1.61426 is possible",
    ),
    "falling in place of growing": (
        exercise.longest_step,
        lambda beta1, beta2, num_steps: (beta1 / beta2) ** torch.arange(num_steps).double(),
        "where 1.61426 is possible",
    ),
    "one gradient too few": (
        exercise.longest_step,
        lambda beta1, beta2, num_steps: torch.ones(num_steps - 1),
        "returned a tensor of shape (49,) where a tensor of shape (50,) is right",
    ),
    "the same number": (
        exercise.same_epsilon,
        lambda eps_hat, beta2, step: eps_hat,
        "returned 0.001 where 0.0316228 is right",
    ),
    "the other way round": (
        exercise.same_epsilon,
        lambda eps_hat, beta2, step: eps_hat * (1 - beta2**step) ** 0.5,
        "where 0.0316228 is right",
    ),
    "a size for the mean square": (
        exercise.idle_size,
        lambda lr, size: lr / (2 * size),
        "leaves a size of 0.316 where 0.1 is asked for",
    ),
    "no decay": (
        exercise.idle_size,
        lambda lr, size: 0.0,
        "returned 0 where lr * weight_decay is in (0, 2)",
    ),
    "the sign of the mean gradient": (
        exercise.misled_up_to,
        lambda beta2, period: period - 1,
        "returned 999, where Adam drifts by 7.47",
    ),
    "too strong": (
        exercise.misled_up_to,
        lambda beta2, period: 10.0 * period,
        "returned 10000, where Adam drifts by -",
    ),
    "no gradient": (
        exercise.misled_up_to,
        lambda beta2, period: float("nan"),
        "returned nan where a number above 1 is right",
    ),
}


@pytest.mark.parametrize(("checker", "answer", "part"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_in_one_line(checker, answer, part, capsys):
    assert part in told(capsys, checker, answer)
