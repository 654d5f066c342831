"""What a checker of the chapter on decay says to wrong answers; the lab has the right ones."""

import math

import pytest
from answers import told

from descent.chapters.lr_decay import exercises as exercise


def cosine_from(start):
    """Return a warmup whose rates are right and a cosine that begins at step ``start(W)``."""

    def rate(step, lr, warmup_steps, num_steps):
        if step < warmup_steps:
            return lr * (step + 1) / warmup_steps
        begin = start(warmup_steps)
        return 0.5 * lr * (1 + math.cos(math.pi * (step - begin) / (num_steps - begin)))

    return rate


def shrinks_its_argument(curvatures, squares, variance):
    squares.mul_(0.5)
    return 0.1


WRONG = {
    "decays at epoch 0": (
        exercise.decay_now,
        lambda epoch, period: epoch % period == 0,
        "decay_now(period=10) trains epoch 1 with rate 0.1 where StepLR has 1",
    ),
    "never decays": (
        exercise.decay_now,
        lambda epoch, period: False,
        "trains epoch 10 with rate 1 where StepLR has 0.1",
    ),
    "one epoch late": (
        exercise.decay_now,
        lambda epoch, period: epoch > 0 and epoch % period == 0,
        "trains epoch 10 with rate 1 where StepLR has 0.1",
    ),
    "right for ten epochs alone": (
        exercise.decay_now,
        lambda epoch, period: epoch % 10 == 9,
        "decay_now(period=3) trains epoch 3",
    ),
    "a number for a flag": (
        exercise.decay_now,
        lambda epoch, period: 0,
        "returned a int where True or False is right",
    ),
    "without the gradient": (
        exercise.gamma_for,
        lambda lr, grad_bound, distance: 1 - lr / distance,
        "gamma_for(lr=0.1, grad_bound=2, distance=8) returned 0.9875 where 0.975 is right",
    ),
    "upside down": (
        exercise.gamma_for,
        lambda lr, grad_bound, distance: lr * grad_bound / distance,
        "returned 0.025 where 0.975 is right",
    ),
    "without the noise": (
        exercise.greedy_lr,
        lambda curvatures, squares, variance: 1 / curvatures.max(),
        "greedy_lr, for curvatures [1.0], returned 1 where 0.8 is right",
    ),
    "of the steepest direction": (
        exercise.greedy_lr,
        lambda curvatures, squares, variance: (
            curvatures[0] * squares[0] / (curvatures[0] ** 2 * squares[0] + variance)
        ),
        "greedy_lr, for curvatures [1.0, 0.1], returned",
    ),
    "a mean over directions": (
        exercise.greedy_lr,
        lambda curvatures, squares, variance: (
            curvatures * squares / (curvatures**2 * squares + variance)
        ).mean(),
        "greedy_lr, for curvatures [1.0, 0.1], returned",
    ),
    "in place": (exercise.greedy_lr, shrinks_its_argument, "changed an argument in place"),
    "an integral for a sum": (
        exercise.same_reach,
        lambda lr, power, num_steps: lr * (power + 1),
        "same_reach(lr=0.1, power=1, num_steps=10) returned 0.2 where 0.181818 is right",
    ),
    "lines alone": (
        exercise.same_reach,
        lambda lr, power, num_steps: 2 * lr * num_steps / (num_steps + 1),
        "same_reach(lr=0.3, power=2, num_steps=100) returned",
    ),
    "a first rate of 0": (
        exercise.warmup_cosine,
        lambda step, lr, warmup_steps, num_steps: lr * step / warmup_steps,
        "warmup_cosine, at step 0 of 20, returned 0 where 0.025 is right",
    ),
    "a cosine that began at step 0": (
        exercise.warmup_cosine,
        cosine_from(lambda warmup_steps: 0),
        "warmup_cosine, at step 4 of 20, returned",
    ),
    "a cosine one step early": (
        exercise.warmup_cosine,
        cosine_from(lambda warmup_steps: warmup_steps - 1),
        "warmup_cosine, at step 4 of 20, returned",
    ),
}


@pytest.mark.parametrize(("checker", "answer", "part"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_in_one_line(checker, answer, part, capsys):
    assert part in told(capsys, checker, answer)


def test_a_right_answer_is_told_in_one_line(capsys):
    assert exercise.decay_now(lambda epoch, period: (epoch + 1) % period == 0) is True
    assert capsys.readouterr().out == "correct: decay_now\n"
