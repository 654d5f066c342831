"""What a checker of the chapter on RMSprop says to wrong answers; the lab has the right ones."""

import math

import pytest
from answers import told

from descent.chapters.rmsprop import exercises as exercise, theory


def corrected(theta, grad, square_avg, step, lr, alpha, eps):
    square_avg = alpha * square_avg + (1 - alpha) * grad**2
    return theta - lr * grad / ((square_avg / (1 - alpha**step)) ** 0.5 + eps), square_avg


def uncorrected(theta, grad, square_avg, step, lr, alpha, eps):
    return corrected(theta, grad, square_avg, math.inf, lr, alpha, eps)


def corrected_with_eps(theta, grad, square_avg, step, lr, alpha, eps):
    return corrected(theta, grad, square_avg, step, lr, alpha, eps / (1 - alpha**step) ** 0.5)


def one_step_late(theta, grad, square_avg, step, lr, alpha, eps):
    return corrected(theta, grad, square_avg, step + 1, lr, alpha, eps)


def corrected_twice(theta, grad, square_avg, step, lr, alpha, eps):
    theta, square_avg = corrected(theta, grad, square_avg, step, lr, alpha, eps)
    return theta, square_avg / (1 - alpha**step)


def in_place(theta, grad, square_avg, step, lr, alpha, eps):
    square_avg.mul_(alpha).add_((1 - alpha) * grad**2)
    return theta - lr * grad / ((square_avg / (1 - alpha**step)) ** 0.5 + eps), square_avg


def half_lost(kappa):
    mixed = kappa**0.5 * math.sinh(math.log(kappa) / 4)
    return 0.5 * math.asin(2 * mixed / (kappa - 1))


WRONG = {
    "one over the half-life": (
        exercise.alpha_for,
        lambda half_life: 1 - 1 / half_life,
        "alpha_for(half_life=1) returned 0 where 0.5 is right",
    ),
    "a time constant": (
        exercise.alpha_for,
        lambda half_life: math.exp(-1 / half_life),
        "returned 0.367879 where 0.5 is right",
    ),
    "the half-life itself": (
        exercise.alpha_for,
        lambda half_life: theory.rmsprop_half_life(0.5 ** (1 / half_life)),
        "returned 1 where 0.5 is right",
    ),
    "the integral": (
        exercise.adagrad_walk,
        lambda lr, distance: round((distance / (2 * lr)) ** 2),
        "adagrad_walk(lr=0.1, distance=1) returned 25 where 33 is right",
    ),
    "steps that do not shrink": (
        exercise.adagrad_walk,
        lambda lr, distance: round(distance / lr),
        "returned 10 where 33 is right",
    ),
    "no correction": (
        exercise.corrected_step,
        uncorrected,
        "parameters at step 1, alpha=0.99 returned 0.9 where 0.99 is right",
    ),
    "a corrected epsilon": (
        exercise.corrected_step,
        corrected_with_eps,
        "corrected_step's parameters at step 1",
    ),
    "one step late": (
        exercise.corrected_step,
        one_step_late,
        "corrected_step's parameters at step 1",
    ),
    "the default rate alone": (
        exercise.corrected_step,
        lambda *arguments: corrected(*arguments[:4], 0.01, *arguments[5:]),
        "parameters at step 1, alpha=0.9 returned",
    ),
    "the default alpha alone": (
        exercise.corrected_step,
        lambda *arguments: corrected(*arguments[:5], 0.99, arguments[6]),
        "average at step 1, alpha=0.9 returned",
    ),
    "a corrected average kept": (
        exercise.corrected_step,
        corrected_twice,
        "corrected_step's average at step 1",
    ),
    "parameters alone": (
        exercise.corrected_step,
        lambda theta, *_: theta,
        "returned a Tensor where parameters and average are right",
    ),
    "in place": (exercise.corrected_step, in_place, "changed an argument in place"),
    "the root of epsilon": (
        exercise.outside_eps,
        lambda eps, grad: eps**0.5,
        "outside_eps(eps=0.25, grad=1) returned 0.5 where 0.118034 is right",
    ),
    "no translation": (
        exercise.outside_eps,
        lambda eps, grad: eps,
        "returned 0.25 where 0.118034 is right",
    ),
    "large gradients": (
        exercise.outside_eps,
        lambda eps, grad: eps / (2 * grad),
        "returned 0.125 where 0.118034 is right",
    ),
    "no curvature": (
        exercise.converging_eps,
        lambda lr, curvature: lr / 2,
        "converging_eps(lr=0.01, curvature=100) returned 0.005 where 0.5 is right",
    ),
    "gradient descent's edge, the wrong way round": (
        exercise.converging_eps,
        lambda lr, curvature: 2 * lr * curvature,
        "returned 2 where 0.5 is right",
    ),
    "half in kappa": (
        exercise.half_lost,
        lambda kappa: 0.5 * math.asin(kappa**0.5 / (kappa - 1)),
        "half_lost(kappa=16) at its angle 0.134966 leaves 2.61803 where 4 is right",
    ),
    "degrees": (
        exercise.half_lost,
        lambda kappa: math.degrees(half_lost(kappa)),
        "where an angle in (0, pi/4] is right",
    ),
    "the other side": (
        exercise.half_lost,
        lambda kappa: -half_lost(kappa),
        "where an angle in (0, pi/4] is right",
    ),
    "no angle": (exercise.half_lost, lambda kappa: math.nan, "returned nan where"),
    "the small angle": (
        exercise.half_lost,
        lambda kappa: kappa**-0.25 / 2,
        "half_lost(kappa=16) at its angle 0.25 leaves",
    ),
}


@pytest.mark.parametrize(("checker", "answer", "part"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_in_one_line(checker, answer, part, capsys):
    assert part in told(capsys, checker, answer)


@pytest.mark.parametrize(
    ("checker", "answer"),
    [(exercise.corrected_step, corrected), (exercise.half_lost, half_lost)],
)
def test_what_the_wrong_answers_above_vary_is_right(checker, answer, capsys):
    assert checker(answer) is True
    assert capsys.readouterr().out == f"correct: {checker.__name__}\n"
