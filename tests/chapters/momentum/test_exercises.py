"""What a checker of the chapter on momentum says to wrong answers; the lab has the right ones."""

import math

import pytest
import torch
from answers import told

from descent.chapters.momentum import exercises as exercise


def pair(lr, momentum):
    return torch.tensor([lr, momentum], dtype=torch.float64)


def heavy_ball(theta, buffer, grad, lr, momentum):
    buffer = momentum * buffer + grad
    return theta - lr * buffer, buffer


def looking_ahead_with_the_old_buffer(theta, buffer, grad, lr, momentum):
    return theta - lr * (grad + momentum * buffer), momentum * buffer + grad


def forgetting_the_buffer(theta, buffer, grad, lr, momentum):
    return theta - lr * (grad + momentum * (momentum * buffer + grad)), buffer


def in_place(theta, buffer, grad, lr, momentum):
    buffer.mul_(momentum).add_(grad)
    return theta - lr * (grad + momentum * buffer), buffer


WRONG = {
    "one over one minus momentum": (
        exercise.wind_up,
        lambda momentum, part: round(1 / (1 - momentum)),
        "wind_up(momentum=0.9, part=0.99) returned 10 where 44 is right",
    ),
    "rounded down": (
        exercise.wind_up,
        lambda momentum, part: int(math.log(1 - part) / math.log(momentum)),
        "returned 43 where 44 is right",
    ),
    "one step late": (
        exercise.wind_up,
        lambda momentum, part: 1 + math.ceil(math.log(1 - part) / math.log(momentum)),
        "returned 45 where 44 is right",
    ),
    "the part that is missing": (
        exercise.wind_up,
        lambda momentum, part: math.ceil(math.log(part) / math.log(momentum)),
        "returned 1 where 44 is right",
    ),
    "the best rate of gradient descent": (
        exercise.best_settings,
        lambda top, bottom: pair(2 / (top + bottom), 0.0),
        "best_settings(4, 1) returned 0.4 where 0.444444 is right",
    ),
    "the momentum of Nesterov": (
        exercise.best_settings,
        lambda top, bottom: pair(
            (2 / (top**0.5 + bottom**0.5)) ** 2,
            (top**0.5 - bottom**0.5) / (top**0.5 + bottom**0.5),
        ),
        "returned 0.333333 where 0.111111 is right",
    ),
    "a rate for curvatures whose smallest is 1": (
        exercise.best_settings,
        lambda top, bottom: pair((2 / (top**0.5 + 1)) ** 2, ((top**0.5 - 1) / (top**0.5 + 1)) ** 2),
        "best_settings(30, 0.5) returned",
    ),
    "two numbers that are no tensor": (
        exercise.best_settings,
        lambda top, bottom: (0.4, 0.1),
        "returned a tuple where a tensor of shape (2,) is right",
    ),
    "heavy ball": (exercise.nesterov_step, heavy_ball, "parameters at step 1 returned 0.98 where"),
    "the old buffer": (
        exercise.nesterov_step,
        looking_ahead_with_the_old_buffer,
        "parameters at step 1 returned 0.98 where",
    ),
    "no new buffer": (
        exercise.nesterov_step,
        forgetting_the_buffer,
        "buffer at step 1 returned 0 where 1 is right",
    ),
    "one momentum for all": (
        exercise.nesterov_step,
        lambda theta, buffer, grad, lr, _: (
            theta - lr * (grad + 0.9 * (0.9 * buffer + grad)),
            0.9 * buffer + grad,
        ),
        "parameters at step 4 returned",
    ),
    "parameters alone": (
        exercise.nesterov_step,
        lambda theta, *_: theta,
        "returned a Tensor where parameters and buffer are right",
    ),
    "three things": (
        exercise.nesterov_step,
        lambda theta, buffer, grad, *_: (theta, buffer, grad),
        "returned a tuple where parameters and buffer are right",
    ),
    "in place": (exercise.nesterov_step, in_place, "changed an argument in place"),
    "the buffer as it was": (
        exercise.rescaled_buffer,
        lambda buffer, old_lr, new_lr: buffer,
        "rescaled_buffer(0.02 to 0.005) returned 3 where 12 is right",
    ),
    "the buffer turned over": (
        exercise.rescaled_buffer,
        lambda buffer, old_lr, new_lr: buffer * new_lr / old_lr,
        "returned 0.75 where 12 is right",
    ),
    "an empty buffer": (
        exercise.rescaled_buffer,
        lambda buffer, old_lr, new_lr: 0 * buffer,
        "returned 0 where 12 is right",
    ),
    "the effective rate": (
        exercise.same_floor,
        lambda lr, momentum, curvature: lr / (1 - momentum),
        "same_floor(lr=1, momentum=0.5, curvature=1) returned 2 where 1.2 is right",
    ),
    "a floor for small rates": (
        exercise.same_floor,
        lambda lr, momentum, curvature: 2 * lr / (2 * (1 - momentum)),
        "returned 2 where 1.2 is right",
    ),
    "the start of an average": (
        exercise.undamped_start,
        lambda momentum: 1,
        "undamped_start(momentum=0.9) returned 1 where 8 is right",
    ),
    "the first step left out": (
        exercise.undamped_start,
        lambda momentum: math.ceil(math.log(0.5) / math.log(momentum)),
        "returned 7 where 8 is right",
    ),
}


@pytest.mark.parametrize(("checker", "answer", "part"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_in_one_line(checker, answer, part, capsys):
    assert part in told(capsys, checker, answer)
