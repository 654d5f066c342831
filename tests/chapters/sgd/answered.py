"""Right and wrong answers to the exercises of the chapter on SGD."""

import math

import numpy as np
import torch
from answers import Answers

from descent.chapters.sgd import exercises as exercise


def batch_by_trying(num_samples, variance, allowed):
    batch_size = 1
    while variance * (num_samples - batch_size) > allowed * batch_size * (num_samples - 1):
        batch_size += 1
    return batch_size


def batch_in_float32(num_samples, variance, allowed):
    sizes = torch.arange(1, num_samples + 1, dtype=torch.float32)
    left = variance / sizes * (num_samples - sizes) / (num_samples - 1)
    return sizes[left <= allowed][0]


def exact_batch(num_samples, variance, allowed):
    return variance * num_samples / (allowed * (num_samples - 1) + variance)


def lr_by_bisection(floor, curvature, variance, batch_size):
    low, high = 0.0, 2 / curvature
    for _ in range(200):
        middle = (low + high) / 2
        reached = middle * variance / (curvature * batch_size * (2 - middle * curvature))
        low, high = (middle, high) if reached < floor else (low, middle)
    return low


def lr_in_closed_form(floor, curvature, variance, batch_size):
    product = curvature * batch_size * floor
    return 2 * product / (variance + curvature * product)


def weights_by_batch(num_samples, batch_size):
    weights = []
    for first in range(0, num_samples, batch_size):
        size = min(batch_size, num_samples - first)
        weights += [1 / size] * size
    return weights


def weights_at_once(num_samples, batch_size):
    rest = num_samples % batch_size
    full = torch.arange(num_samples) < num_samples - rest
    return torch.where(full, 1 / batch_size, 1 / max(rest, 1))


def weights_from_an_array(num_samples, batch_size):
    places = np.arange(num_samples) // batch_size
    return 1 / np.bincount(places)[places]


class Remembering:
    """Averages by keeping all iterates, as the exercise asks not to, and right."""

    def __init__(self):
        self.path = []

    def __call__(self, mean, theta, count):
        self.path = [*self.path[:count], theta]
        return torch.stack(self.path).mean(0)


def noise_scale_by_solving(small, large, small_batch, large_batch):
    equations = [[1, 1 / small_batch], [1, 1 / large_batch]]
    signal, variance = np.linalg.solve(equations, [small, large])
    return variance / signal


def noise_scale_in_float32(small, large, small_batch, large_batch):
    small, large = torch.tensor([small, large], dtype=torch.float32)
    variance = (small - large) * small_batch * large_batch / (large_batch - small_batch)
    return variance / (small - variance / small_batch)


def noise_scale_at_once(small, large, b, c):
    return (small - large) * b * c / (c * large - b * small)


def steps_down(step):
    return 0.5 / (1 + step // 20)


ANSWERS = {
    exercise.batch_for: Answers(
        right={
            "solved and rounded up": lambda *given: math.ceil(exact_batch(*given)),
            "tried one by one": batch_by_trying,
            "float32": batch_in_float32,
            "NumPy": lambda *given: np.ceil(exact_batch(*given)),
        },
        wrong={
            "with replacement": (
                lambda num_samples, variance, allowed: math.ceil(variance / allowed),
                "returned 40 where 29 is right",
            ),
            "rounded down": (lambda *given: int(exact_batch(*given)), "returned 28 where 29"),
            "one more at whole numbers": (
                lambda *given: int(exact_batch(*given)) + 1,
                "returned 18 where 17 is right",
            ),
            "not rounded": (exact_batch, "where a whole number is right"),
            "the whole data": (lambda num_samples, *_: num_samples, "returned 100 where 29"),
            "in a list": (lambda *given: [batch_by_trying(*given)], "returned a list of shape"),
        },
    ),
    exercise.lr_for: Answers(
        right={
            "closed form": lr_in_closed_form,
            "bisection": lr_by_bisection,
            "float32": lambda *given: torch.tensor(lr_in_closed_form(*given), dtype=torch.float32),
            "NumPy": lambda floor, curvature, variance, size: (
                np.float64(2) / (curvature + variance / (curvature * size * floor))
            ),
        },
        wrong={
            "for small steps": (
                lambda floor, curvature, variance, size: 2 * floor * curvature * size / variance,
                "leaves a floor of 0.111111 where 0.1 is asked for",
            ),
            "without the batch": (
                lambda floor, curvature, variance, size: lr_in_closed_form(
                    floor, curvature, variance, 1
                ),
                "leaves a floor of 0.25 where 2 is asked for",
            ),
            "the standard deviation": (
                lambda floor, curvature, variance, size: lr_in_closed_form(
                    floor, curvature, variance**0.5, size
                ),
                "where 2 is asked for",
            ),
            "the edge": (lambda floor, curvature, *_: 2 / curvature, "where a rate in (0, 2) is"),
            "rounded": (lambda *given: round(lr_in_closed_form(*given), 6), "to 9 digits"),
            "half precision": (
                lambda *given: torch.tensor(lr_in_closed_form(*given)).bfloat16(),
                "too coarse",
            ),
        },
    ),
    exercise.epoch_weights: Answers(
        right={
            "a list, batch by batch": weights_by_batch,
            "at once": weights_at_once,
            "NumPy": weights_from_an_array,
            "float32": lambda *given: torch.tensor(weights_by_batch(*given), dtype=torch.float32),
        },
        wrong={
            "all alike": (
                lambda num_samples, size: torch.full((num_samples,), 1 / size),
                "returned 0.25 where 0.5 is right",
            ),
            "the last batch dropped": (
                lambda num_samples, size: (
                    (torch.arange(num_samples) < num_samples // size * size) / size
                ),
                "returned 0 where 0.5 is right",
            ),
            "shares of the epoch": (
                lambda num_samples, size: torch.full((num_samples,), 1 / num_samples),
                "returned 0.1 where 0.25 is right",
            ),
            "one per batch": (
                lambda num_samples, size: torch.ones(math.ceil(num_samples / size)),
                "where a tensor of shape (10,) is right",
            ),
            "the rest on the first": (
                lambda *given: weights_by_batch(*given)[::-1],
                "returned 0.5 where 0.25 is right",
            ),
        },
    ),
    exercise.averaged: Answers(
        right={
            "moved by its share": lambda mean, theta, count: mean + (theta - mean) / (count + 1),
            "a weighted sum": lambda mean, theta, count: (count * mean + theta) / (count + 1),
            "all of them kept": Remembering(),
            "torch.lerp": lambda mean, theta, count: torch.lerp(mean, theta, 1 / (count + 1)),
            "a list": lambda mean, theta, count: [
                old + (new - old) / (count + 1)
                for old, new in zip(mean.tolist(), theta.tolist(), strict=True)
            ],
            "float32": lambda mean, theta, count: (mean + (theta - mean) / (count + 1)).float(),
        },
        wrong={
            "half and half": (
                lambda mean, theta, count: (mean + theta) / 2,
                "with count = 0, returned",
            ),
            "one step behind": (
                lambda mean, theta, count: mean + (theta - mean) / (count + 2),
                "with count = 0, returned",
            ),
            "one step ahead": (
                lambda mean, theta, count: mean + (theta - mean) / max(count, 1),
                "with count = 1, returned",
            ),
            "the last one": (lambda mean, theta, count: theta, "with count = 1, returned"),
            "a moving average": (
                lambda mean, theta, count: 0.9 * mean + 0.1 * theta if count else theta,
                "with count = 1, returned",
            ),
            "in place": (
                lambda mean, theta, count: mean.add_((theta - mean) / (count + 1)),
                "changed an argument in place",
            ),
        },
    ),
    exercise.noise_scale: Answers(
        right={
            "a linear system": noise_scale_by_solving,
            "float32": noise_scale_in_float32,
            "one fraction": noise_scale_at_once,
        },
        wrong={
            "upside down": (
                lambda *given: 1 / noise_scale_at_once(*given),
                "returned 0.0833333 where 12 is right",
            ),
            "the signal of the large batches": (
                lambda small, large, b, c: (small - large) / (1 / b - 1 / c) / large,
                "returned 4.8 where 12 is right",
            ),
            "the variance alone": (
                lambda small, large, b, c: (small - large) / (1 / b - 1 / c),
                "returned 6 where 12 is right",
            ),
            "the batches exchanged": (
                lambda small, large, b, c: noise_scale_at_once(small, large, c, b),
                "where 12 is right",
            ),
            "the root": (
                lambda *given: noise_scale_at_once(*given) ** 0.5,
                "returned 3.4641 where 12 is right",
            ),
        },
    ),
    exercise.schedule: Answers(
        right={
            "delayed": lambda step: 10 / (step + 20),
            "float32": lambda step: torch.tensor(8 / (step + 15), dtype=torch.float32),
            "constant, then falling": lambda step: np.float64(min(0.2, 10 / (step + 1))),
            "in steps": steps_down,
        },
        wrong={
            "as if the curvature were 1": (
                lambda step: 1 / (step + 1),
                "for curvature 0.2, where 0.004 is allowed",
            ),
            "as if it were 0.2, from the start": (
                lambda step: 500 / (step + 1),
                "where 0.004 is allowed",
            ),
            "constant": (lambda step: 0.0018, "for curvature 0.2, where 0.004 is allowed"),
            "stops short": (lambda step: 1 / (step + 1) ** 2, "ends at 1.3341 for"),
            "falls to zero": (lambda step: 0.1 * (1 - step / 9999), "at step 9999 returned 0, not"),
            "rises": (lambda step: 0.0001 * (step + 1), "where 0.004 is allowed"),
        },
    ),
}
