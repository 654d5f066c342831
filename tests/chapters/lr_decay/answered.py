"""Right and wrong answers to the exercises of the chapter on learning-rate decay."""

import math

import numpy as np
import torch
from answers import Answers

from descent.chapters.lr_decay import exercises as exercise


def counted_up(epoch, period):
    """Count the epochs that are done, and begin anew at each decay."""
    done = 0
    for _ in range(epoch + 1):
        done = 1 if done == period else done + 1
    return done == period


def summed_up(lr, grad_bound, distance):
    """Search by bisection for the factor whose rates add up to the distance."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if lr * grad_bound / (1 - middle) < distance:
            low = middle
        else:
            high = middle
    return high


def in_float32(lr, grad_bound, distance):
    lr, grad_bound, distance = (
        torch.tensor(each, dtype=torch.float32) for each in (lr, grad_bound, distance)
    )
    return 1 - lr * grad_bound / distance


def greedy(curvatures, squares, variance):
    signal = curvatures**2 * squares
    return signal.sum() / (curvatures * (signal + variance)).sum()


def greedy_by_loop(curvatures, squares, variance):
    top = bottom = 0.0
    for curvature, square in zip(curvatures.tolist(), squares.tolist(), strict=True):
        top += curvature * curvature * square
        bottom += curvature * (curvature * curvature * square + variance)
    return top / bottom


def greedy_by_slope(curvatures, squares, variance):
    """Find the root of the derivative, which is a straight line, from two of its points."""

    def slope(lr):
        lr = torch.tensor(lr, dtype=torch.float64, requires_grad=True)
        after = (1 - lr * curvatures) ** 2 * squares + lr**2 * variance
        return torch.autograd.grad((curvatures * after).sum(), lr)[0]

    return -slope(0.0) / (slope(1.0) - slope(0.0))


def greedy_in_float32(curvatures, squares, variance):
    return greedy(curvatures.float(), squares.float(), variance)


def shrinks_its_argument(curvatures, squares, variance):
    squares.mul_(0.5)
    return 0.1


def reach_by_loop(lr, power, num_steps):
    area = 0.0
    for step in range(num_steps):
        area += (1 - step / num_steps) ** power
    return lr * num_steps / area


def reach_in_numpy(lr, power, num_steps):
    return np.float64(lr) / np.mean((1 - np.arange(num_steps) / num_steps) ** power)


def reach_in_float32(lr, power, num_steps):
    left = torch.arange(num_steps, 0, -1, dtype=torch.float32) / num_steps
    return lr / left.pow(power).mean()


def warmup_cosine(step, lr, warmup_steps, num_steps):
    if step < warmup_steps:
        return lr * (step + 1) / warmup_steps
    done = (step - warmup_steps) / (num_steps - warmup_steps)
    return lr * (1 + math.cos(math.pi * done)) / 2


def warmup_cosine_half_angle(step, lr, warmup_steps, num_steps):
    """Write (1 + cos x)/2 as the square of cos(x/2), and take the smaller of both parts."""
    angle = math.pi / 2 * max(0, step - warmup_steps) / (num_steps - warmup_steps)
    return np.minimum(lr * (step + 1) / warmup_steps, lr) * np.cos(angle) ** 2


def warmup_cosine_as_a_table(step, lr, warmup_steps, num_steps):
    rise = torch.arange(1, warmup_steps + 1, dtype=torch.float64) / warmup_steps
    wave = torch.arange(num_steps - warmup_steps, dtype=torch.float64)
    fall = 0.5 + 0.5 * (math.pi * wave / (num_steps - warmup_steps)).cos()
    return lr * torch.cat([rise, fall])[step]


def warmup_cosine_in_float32(step, lr, warmup_steps, num_steps):
    return torch.tensor(warmup_cosine(step, lr, warmup_steps, num_steps), dtype=torch.float32)


def cosine_from(start):
    """Return a warmup whose rates are right and a cosine that begins at step ``start(W)``."""

    def rate(step, lr, warmup_steps, num_steps):
        if step < warmup_steps:
            return lr * (step + 1) / warmup_steps
        begin = start(warmup_steps)
        return 0.5 * lr * (1 + math.cos(math.pi * (step - begin) / (num_steps - begin)))

    return rate


ANSWERS = {
    exercise.decay_now: Answers(
        right={
            "a remainder": lambda epoch, period: (epoch + 1) % period == 0,
            "the last of a period": lambda epoch, period: epoch % period == period - 1,
            "counted up": counted_up,
            "of NumPy": lambda epoch, period: np.equal(np.remainder(epoch + 1, period), 0),
            "a tensor": lambda epoch, period: torch.tensor((epoch + 1) % period == 0),
            "from a list": lambda epoch, period: epoch in range(period - 1, 10**6, period),
        },
        wrong={
            "decays at epoch 0": (
                lambda epoch, period: epoch % period == 0,
                "decay_now(period=10) trains epoch 1 with rate 0.1 where StepLR has 1",
            ),
            "never decays": (
                lambda epoch, period: False,
                "trains epoch 10 with rate 1 where StepLR has 0.1",
            ),
            "one epoch late": (
                lambda epoch, period: epoch > 0 and epoch % period == 0,
                "trains epoch 10 with rate 1 where StepLR has 0.1",
            ),
            "once only": (
                lambda epoch, period: epoch + 1 == period,
                "trains epoch 20 with rate 0.1 where StepLR has 0.01",
            ),
            "right for ten epochs alone": (
                lambda epoch, period: epoch % 10 == 9,
                "decay_now(period=3) trains epoch 3",
            ),
            "a number for a flag": (
                lambda epoch, period: 0,
                "returned a int where True or False is right",
            ),
        },
    ),
    exercise.gamma_for: Answers(
        right={
            "solved": lambda lr, grad_bound, distance: 1 - lr * grad_bound / distance,
            "one fraction": lambda lr, grad_bound, distance: (
                (distance - lr * grad_bound) / distance
            ),
            "searched": summed_up,
            "float32": in_float32,
            "of NumPy": lambda lr, grad_bound, distance: np.array(1 - grad_bound * lr / distance),
        },
        wrong={
            "without the gradient": (
                lambda lr, grad_bound, distance: 1 - lr / distance,
                "gamma_for(lr=0.1, grad_bound=2, distance=8) returned 0.9875 where 0.975 is right",
            ),
            "the other part": (
                lambda lr, grad_bound, distance: lr * grad_bound / distance,
                "returned 0.025 where 0.975 is right",
            ),
            "an exponential for a geometric series": (
                lambda lr, grad_bound, distance: math.exp(-lr * grad_bound / distance),
                "returned 0.97531 where 0.975 is right",
            ),
            "in half precision": (
                lambda lr, grad_bound, distance: torch.tensor(
                    1 - lr * grad_bound / distance, dtype=torch.bfloat16
                ),
                "too coarse",
            ),
            "cut to three digits": (
                lambda lr, grad_bound, distance: round(1 - lr * grad_bound / distance, 3),
                "gamma_for(lr=0.5, grad_bound=0.6, distance=0.7) returned 0.571 where 0.571429",
            ),
        },
    ),
    exercise.greedy_lr: Answers(
        right={
            "vectorised": greedy,
            "a loop": greedy_by_loop,
            "by the slope": greedy_by_slope,
            "float32": greedy_in_float32,
            "of NumPy": lambda *problem: greedy(*map(np.asarray, problem)),
        },
        wrong={
            "without the noise": (
                lambda curvatures, squares, variance: 1 / curvatures.max(),
                "greedy_lr, for curvatures [1.0], returned 1 where 0.8 is right",
            ),
            "of the steepest direction": (
                lambda curvatures, squares, variance: (
                    curvatures[0] * squares[0] / (curvatures[0] ** 2 * squares[0] + variance)
                ),
                "greedy_lr, for curvatures [1.0, 0.1], returned",
            ),
            "a mean over directions": (
                lambda curvatures, squares, variance: (
                    curvatures * squares / (curvatures**2 * squares + variance)
                ).mean(),
                "greedy_lr, for curvatures [1.0, 0.1], returned",
            ),
            "of the distance, not of the loss": (
                lambda curvatures, squares, variance: (
                    (curvatures * squares).sum() / (curvatures**2 * squares + variance).sum()
                ),
                "greedy_lr, for curvatures [1.0, 0.1], returned",
            ),
            "one rate for each direction": (
                lambda curvatures, squares, variance: (
                    curvatures * squares / (curvatures**2 * squares + variance)
                ),
                "of shape (1,) where a number is right",
            ),
            "in place": (shrinks_its_argument, "changed an argument in place"),
        },
    ),
    exercise.same_reach: Answers(
        right={
            "a loop": reach_by_loop,
            "of NumPy": reach_in_numpy,
            "float32": reach_in_float32,
            "counted from the end": lambda lr, power, num_steps: (
                lr * num_steps ** (power + 1) / sum(k**power for k in range(1, num_steps + 1))
            ),
        },
        wrong={
            "an integral for a sum": (
                lambda lr, power, num_steps: lr * (power + 1),
                "same_reach(lr=0.1, power=1, num_steps=10) returned 0.2 where 0.181818 is right",
            ),
            "lines alone": (
                lambda lr, power, num_steps: 2 * lr * num_steps / (num_steps + 1),
                "same_reach(lr=0.3, power=2, num_steps=100) returned",
            ),
            "the last step left out": (
                lambda lr, power, num_steps: (
                    lr
                    * num_steps
                    / sum((1 - step / num_steps) ** power for step in range(num_steps - 1))
                ),
                "returned 0.185185 where 0.181818 is right",
            ),
            "the area, not the peak": (
                lambda lr, power, num_steps: (
                    lr * sum((1 - step / num_steps) ** power for step in range(num_steps))
                ),
                "returned 0.55 where 0.181818 is right",
            ),
        },
    ),
    exercise.warmup_cosine: Answers(
        right={
            "two cases": warmup_cosine,
            "a half angle, of NumPy": warmup_cosine_half_angle,
            "a table of tensors": warmup_cosine_as_a_table,
            "float32": warmup_cosine_in_float32,
        },
        wrong={
            "a first rate of 0": (
                lambda step, lr, warmup_steps, num_steps: lr * step / warmup_steps,
                "warmup_cosine, at step 0 of 20, returned 0 where 0.025 is right",
            ),
            "a cosine that began at step 0": (
                cosine_from(lambda warmup_steps: 0),
                "warmup_cosine, at step 4 of 20, returned",
            ),
            "a cosine one step early": (
                cosine_from(lambda warmup_steps: warmup_steps - 1),
                "warmup_cosine, at step 4 of 20, returned",
            ),
            "a line for a cosine": (
                lambda step, lr, warmup_steps, num_steps: (
                    lr
                    * min(
                        (step + 1) / warmup_steps, (num_steps - step) / (num_steps - warmup_steps)
                    )
                ),
                "warmup_cosine, at step 5 of 20, returned",
            ),
            "without the peak": (
                lambda step, lr, warmup_steps, num_steps: warmup_cosine(
                    step, 1.0, warmup_steps, num_steps
                ),
                "warmup_cosine, at step 0 of 20, returned 0.25 where 0.025 is right",
            ),
        },
    ),
}
