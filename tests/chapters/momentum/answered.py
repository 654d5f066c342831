"""Right and wrong answers to the exercises of the chapter on momentum."""

import math
from itertools import count

import numpy as np
import torch
from answers import Answers

from descent.chapters.momentum import exercises as exercise
from descent.optim import SGD, sgd


def pair(lr, momentum):
    return torch.tensor([lr, momentum], dtype=torch.float64)


def wound_up_by_hand(momentum, part):
    buffer, steps = 0.0, 0
    while buffer < part / (1 - momentum):
        buffer, steps = momentum * buffer + 1, steps + 1
    return steps


def wound_up_at_once(momentum, part):
    reached = 1 - np.float64(momentum) ** np.arange(2000) >= part
    return reached.argmax()


def best_by_the_edges(smoothness, strong_convexity):
    """The momentum first: its root is how far both ends may be from 1."""
    ratio = math.sqrt(strong_convexity / smoothness)
    root = (1 - ratio) / (1 + ratio)
    return [(1 + root) ** 2 / smoothness, root**2]


def best_in_float32(smoothness, strong_convexity):
    ends = torch.tensor([smoothness, strong_convexity], dtype=torch.float32).sqrt()
    lr = 4 / ends.sum() ** 2
    return torch.stack([lr, (1 - lr.sqrt() * ends[1]) ** 2])


def looking_ahead(theta, buffer, grad, lr, momentum):
    """The paper's form: back to its x, a gradient step, and ahead."""
    x = theta + lr * momentum * buffer
    after = theta - lr * grad
    return after + momentum * (after - x), (x - after) / lr


def step_by_step(theta, buffer, grad, lr, momentum):
    pairs = []
    for position, speed, slope in zip(theta.tolist(), buffer.tolist(), grad.tolist(), strict=True):
        speed = momentum * speed + slope
        pairs.append((position - lr * (slope + momentum * speed), speed))
    return [list(each) for each in zip(*pairs, strict=True)]


def in_numpy(theta, buffer, grad, lr, momentum):
    after = momentum * buffer.numpy() + grad.numpy()
    return np.stack([theta.numpy() - lr * (grad.numpy() + momentum * after), after])


def by_the_rule_of_the_package(theta, buffer, grad, lr, momentum):
    options = dict(SGD.complete(lr=lr), momentum=momentum, nesterov=True)
    after, state = sgd(theta, grad, {"momentum_buffer": buffer}, **options)
    return after.float(), state["momentum_buffer"].float()


def heavy_ball(theta, buffer, grad, lr, momentum):
    buffer = momentum * buffer + grad
    return theta - lr * buffer, buffer


def with_the_old_buffer(theta, buffer, grad, lr, momentum):
    return theta - lr * (grad + momentum * buffer), momentum * buffer + grad


def forgetting_the_buffer(theta, buffer, grad, lr, momentum):
    return theta - lr * (grad + momentum * (momentum * buffer + grad)), buffer


def in_place(theta, buffer, grad, lr, momentum):
    buffer.mul_(momentum).add_(grad)
    return theta - lr * (grad + momentum * buffer), buffer


def settled(lr, momentum, curvature):
    """The floor of a run with noise of variance 1, from its second moments alone."""
    a = 1 + momentum - lr * curvature
    share = a / (1 + momentum)
    return lr**2 / (1 - a**2 + 2 * a * momentum * share - momentum**2)


def floor_by_bisection(lr, momentum, curvature):
    target = settled(lr, momentum, curvature)
    low, high = 0.0, 2 / curvature
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if settled(middle, 0.0, curvature) < target else (low, middle)
    return middle


def floor_in_closed_form(lr, momentum, curvature):
    width = (2 * (1 + momentum) - lr * curvature) * (1 - momentum)
    return 2 * lr * (1 + momentum) / (width + lr * curvature * (1 + momentum))


def floor_in_float32(lr, momentum, curvature):
    lr, momentum, curvature = (torch.tensor(each).float() for each in (lr, momentum, curvature))
    floor = lr * (1 + momentum) / ((1 - momentum) * curvature)
    floor = floor / (2 * (1 + momentum) - lr * curvature)
    return 2 / (1 / (floor * curvature) + curvature)


def dominated_by_hand(momentum):
    return next(step for step in count(1) if momentum ** (step - 1) < 0.5)


def dominated_at_once(momentum):
    return int((torch.tensor(momentum) ** torch.arange(500) >= 0.5).sum()) + 1


def dominated_by_the_logarithm(momentum):
    return np.float32(2 + math.floor(math.log(2) / -math.log(momentum)))


ANSWERS = {
    exercise.wind_up: Answers(
        right={
            "a loop": wound_up_by_hand,
            "all at once, a NumPy integer": wound_up_at_once,
            "a logarithm, a whole float": lambda momentum, part: float(
                math.ceil(math.log2(1 - part) / math.log2(momentum))
            ),
            "a tensor": lambda momentum, part: torch.tensor(wound_up_by_hand(momentum, part)),
        },
        wrong={
            "one over one minus momentum": (
                lambda momentum, part: round(1 / (1 - momentum)),
                "wind_up(momentum=0.9, part=0.99) returned 10 where 44 is right",
            ),
            "rounded down": (
                lambda momentum, part: int(math.log(1 - part) / math.log(momentum)),
                "returned 43 where 44 is right",
            ),
            "one more than rounded down": (
                lambda momentum, part: int(math.log(1 - part) / math.log(momentum)) + 1,
                "wind_up(momentum=0.5, part=0.75) returned 3 where 2 is right",
            ),
            "the part that is missing": (
                lambda momentum, part: math.ceil(math.log(part) / math.log(momentum)),
                "returned 1 where 44 is right",
            ),
            "not rounded": (
                lambda momentum, part: math.log(1 - part) / math.log(momentum),
                "returned 43.7086907 where a whole number is right",
            ),
        },
    ),
    exercise.best_settings: Answers(
        right={
            "the momentum first, a list": best_by_the_edges,
            "float32": best_in_float32,
            "the root of kappa, a tuple": lambda top, bottom: (
                4 / (top**0.5 + bottom**0.5) ** 2,
                ((top - bottom) / (top**0.5 + bottom**0.5) ** 2) ** 2,
            ),
            "NumPy": lambda top, bottom: np.array(best_by_the_edges(top, bottom)),
        },
        wrong={
            "the best rate of gradient descent": (
                lambda top, bottom: pair(2 / (top + bottom), 0.0),
                "best_settings(4, 1) returned 0.4 where 0.444444 is right",
            ),
            "the momentum of Nesterov": (
                lambda top, bottom: pair(
                    (2 / (top**0.5 + bottom**0.5)) ** 2,
                    (top**0.5 - bottom**0.5) / (top**0.5 + bottom**0.5),
                ),
                "returned 0.333333 where 0.111111 is right",
            ),
            "a rate for curvatures whose smallest is 1": (
                lambda top, bottom: pair(
                    (2 / (top**0.5 + 1)) ** 2, ((top**0.5 - 1) / (top**0.5 + 1)) ** 2
                ),
                "best_settings(30, 0.5) returned",
            ),
            "the other way round": (
                lambda top, bottom: pair(*best_by_the_edges(top, bottom)).flip(0),
                "returned 0.111111 where 0.444444 is right",
            ),
            "the momentum alone": (
                lambda top, bottom: best_by_the_edges(top, bottom)[1],
                "returned a float of shape () where a tensor of shape (2,) is right",
            ),
            "half precision": (
                lambda top, bottom: pair(*best_by_the_edges(top, bottom)).half(),
                "returned float16, which is too coarse",
            ),
        },
    ),
    exercise.nesterov_step: Answers(
        right={
            "the paper's form": looking_ahead,
            "a loop, two lists": step_by_step,
            "NumPy, two rows": in_numpy,
            "the package's rule, float32": by_the_rule_of_the_package,
        },
        wrong={
            "heavy ball": (heavy_ball, "parameters at step 1 returned 0.98 where"),
            "the old buffer": (with_the_old_buffer, "parameters at step 1 returned 0.98 where"),
            "no new buffer": (forgetting_the_buffer, "buffer at step 1 returned 0 where 1 is"),
            "one momentum for all": (
                lambda theta, buffer, grad, lr, _: (
                    theta - lr * (grad + 0.9 * (0.9 * buffer + grad)),
                    0.9 * buffer + grad,
                ),
                "parameters at step 4 returned",
            ),
            "the velocity of the papers": (
                lambda theta, buffer, grad, lr, momentum: (
                    looking_ahead(theta, buffer, grad, lr, momentum)[0],
                    -lr * (momentum * buffer + grad),
                ),
                "buffer at step 1 returned -0.02 where 1 is right",
            ),
            "parameters alone": (
                lambda theta, *_: theta,
                "returned a Tensor where parameters and buffer are right",
            ),
            "three things": (
                lambda theta, buffer, grad, *_: (theta, buffer, grad),
                "returned a tuple of 3 where parameters and buffer are right",
            ),
            "in place": (in_place, "changed an argument in place"),
        },
    ),
    exercise.rescaled_buffer: Answers(
        right={
            "by way of the velocity": lambda buffer, old_lr, new_lr: (-old_lr * buffer) / -new_lr,
            "a loop, a list": lambda buffer, old_lr, new_lr: [
                each / (new_lr / old_lr) for each in buffer.tolist()
            ],
            "NumPy": lambda buffer, old_lr, new_lr: buffer.numpy() * (old_lr / new_lr),
            "float32": lambda buffer, old_lr, new_lr: buffer.float().mul(old_lr).div(new_lr),
        },
        wrong={
            "the buffer as it was": (
                lambda buffer, old_lr, new_lr: buffer,
                "rescaled_buffer(0.02 to 0.005) returned 3 where 12 is right",
            ),
            "the buffer turned over": (
                lambda buffer, old_lr, new_lr: buffer * new_lr / old_lr,
                "returned 0.75 where 12 is right",
            ),
            "an empty buffer": (
                lambda buffer, old_lr, new_lr: 0 * buffer,
                "returned 0 where 12 is right",
            ),
            "the velocity itself": (
                lambda buffer, old_lr, new_lr: -old_lr * buffer,
                "returned -0.06 where 12 is right",
            ),
            "only ever larger": (
                lambda buffer, old_lr, new_lr: buffer * max(old_lr / new_lr, 1.0),
                "rescaled_buffer(0.001 to 0.1) returned 3 where 0.03 is right",
            ),
        },
    ),
    exercise.same_floor: Answers(
        right={
            "bisection": floor_by_bisection,
            "in closed form": floor_in_closed_form,
            "float32": floor_in_float32,
            "a NumPy number": lambda *options: np.float64(floor_in_closed_form(*options)),
        },
        wrong={
            "the effective rate": (
                lambda lr, momentum, curvature: lr / (1 - momentum),
                "same_floor(lr=1, momentum=0.5, curvature=1) returned 2 where 1.2 is right",
            ),
            "the floor itself": (settled, "returned 1.5 where 1.2 is right"),
            "the rate as it was": (
                lambda lr, momentum, curvature: lr,
                "returned 1 where 1.2 is right",
            ),
            "for a curvature of 1": (
                lambda lr, momentum, curvature: floor_in_closed_form(lr, momentum, 1.0),
                "same_floor(lr=0.3, momentum=0.8, curvature=4) returned",
            ),
            "a tensor of one": (
                lambda *options: torch.tensor([floor_in_closed_form(*options)]),
                "returned a tensor of shape (1,) where a number is right",
            ),
        },
    ),
    exercise.undamped_start: Answers(
        right={
            "a search": dominated_by_hand,
            "all at once": dominated_at_once,
            "a logarithm, a NumPy float": dominated_by_the_logarithm,
        },
        wrong={
            "the start of an average": (
                lambda momentum: 1,
                "undamped_start(momentum=0.9) returned 1 where 8 is right",
            ),
            "the first step left out": (
                lambda momentum: math.ceil(math.log(0.5) / math.log(momentum)),
                "returned 7 where 8 is right",
            ),
            "no more than one half": (
                lambda momentum: 1 + math.ceil(math.log(0.5) / math.log(momentum)),
                "undamped_start(momentum=0.5) returned 2 where 3 is right",
            ),
            "less than 1 / e": (
                lambda momentum: 2 + math.floor(-1 / math.log(momentum)),
                "returned 11 where 8 is right",
            ),
            "not rounded": (
                lambda momentum: 1 + math.log(0.5) / math.log(momentum),
                "where a whole number is right",
            ),
        },
    ),
}
