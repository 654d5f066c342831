"""Answers to the exercises on gradient descent: what their checkers take, and what not."""

import itertools
import math

import numpy as np
import torch
from answers import Answers

from descent.chapters.gradient_descent import exercises as exercise
from descent.tasks.problems import value_and_gradient


def power_iteration(hessian):
    # Shifted by the sum of all entries' sizes, the largest eigenvalue is the largest in size.
    shift = hessian.abs().sum()
    vector = torch.ones(len(hessian), dtype=hessian.dtype) + torch.arange(len(hessian)) / 7
    for _ in range(20_000):
        vector = hessian @ vector + shift * vector
        vector = vector / vector.norm()
    return 2 / (vector @ hessian @ vector)


def counted(kappa, shrink):
    left = 1.0
    for step in itertools.count():
        if left <= shrink:
            return step
        left *= (kappa - 1) / (kappa + 1)


def by_bisection(kappa, shrink):
    rate, low, high = (kappa - 1) / (kappa + 1), 0, 1_000_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if rate**middle <= shrink else (middle, high)
    return np.int64(high)


def rounded_logarithms(round_up):
    def steps(kappa, shrink):
        return round_up(math.log(shrink) / math.log((kappa - 1) / (kappa + 1)))

    return steps


def sample_by_sample(w, input, label):
    grad = torch.zeros_like(w)
    for x, y in zip(input, label, strict=True):
        grad = grad - y * x / (1 + torch.exp(y * (x @ w)))
    return grad / len(label)


def with_numpy(w, input, label):
    w, x, y = (each.numpy() for each in (w, input, label))
    return x.T @ (-y / (1 + np.exp(y * (x @ w)))) / len(y)


def logistic(scale):
    def gradient(w, input, label):
        return -scale(w, input) * (label * torch.sigmoid(-label * (input @ w))) @ input

    return gradient


def search(start=1.0, kept=0.5, factor=0.5, look_first=True):
    """Return a line search; the defaults are right."""

    def backtracking(objective, theta, lr):
        value, grad = value_and_gradient(objective, theta)
        lr = start * lr if look_first else factor * lr
        while value - objective(theta - lr * grad) < kept * lr * grad @ grad:
            lr *= factor
        return lr

    return backtracking


def all_at_once(objective, theta, lr):
    value, grad = value_and_gradient(objective, theta)
    lrs = lr / 2.0 ** torch.arange(40, dtype=torch.float64)
    after = objective(theta - lrs[:, None] * grad)
    return lrs[(after <= value - 0.5 * lrs * grad.square().sum()).nonzero()[0]].squeeze()


def counting_halves(objective, theta, lr):
    value, grad = value_and_gradient(objective, theta)
    for halves in itertools.count():
        tried = lr * 2.0**-halves
        if objective(theta - tried * grad).item() <= (value - tried * grad.dot(grad) / 2).item():
            return np.float64(tried)


def one_at_a_time(eigenvalues):
    rates = []
    for eigenvalue in eigenvalues:
        rates.append(1.0 / eigenvalue.item())
    return rates


def spaced(smoothness, strong_convexity):
    # The roots of the polynomial that is as high at both ends as it is low in the middle.
    middle, half = (smoothness + strong_convexity) / 2, (smoothness - strong_convexity) / 2
    return [1 / (middle - half * math.sqrt(0.5)), 1 / (middle + half * math.sqrt(0.5))]


def from_sum_and_product(smoothness, strong_convexity):
    # 1 - s x + p x^2 takes one value at both ends, and its negative half-way between them.
    total, squares = smoothness + strong_convexity, (smoothness - strong_convexity) ** 2
    p = 8 / (2 * total**2 - squares)
    s = p * total
    root = math.sqrt(s**2 - 4 * p)
    return torch.tensor([(s + root) / 2, (s - root) / 2])


ANSWERS = {
    exercise.max_lr: Answers(
        right={
            "eigvalsh": lambda hessian: 2 / torch.linalg.eigvalsh(hessian)[-1],
            "power iteration": power_iteration,
            "NumPy": lambda hessian: 2 / np.linalg.eigvalsh(hessian.numpy()).max(),
            "float32": lambda hessian: 2 / torch.linalg.eigvalsh(hessian.float()).max(),
        },
        wrong={
            "trace": (lambda hessian: 2 / hessian.trace(), "for eigenvalues 0.3, 5"),
            "all": (lambda hessian: 2 / torch.linalg.eigvalsh(hessian), "returned a tensor"),
            "sizes": (
                lambda hessian: 2 / torch.linalg.eigvalsh(hessian).abs().max(),
                "returned 0.4 where 1 is right, for eigenvalues -5, 0.5, 2",
            ),
            "one": (lambda hessian: 1 / torch.linalg.eigvalsh(hessian)[-1], "where 5 is right"),
            "smallest": (lambda hessian: 2 / torch.linalg.eigvalsh(hessian)[0], "where 0.4"),
        },
    ),
    exercise.steps_needed: Answers(
        right={
            "loop": counted,
            "bisection": by_bisection,
            "logarithms, corrected": lambda kappa, shrink: math.ceil(
                math.log(shrink) / math.log((kappa - 1) / (kappa + 1)) - 1e-9
            ),
            "a tensor": lambda kappa, shrink: torch.tensor(float(counted(kappa, shrink))),
        },
        wrong={
            "rounded logarithms": (rounded_logarithms(math.ceil), "returned 30 where 29 is right"),
            "rounded down": (rounded_logarithms(int), "returned 4 where 5 is right"),
            "one more": (
                rounded_logarithms(lambda steps: int(steps) + 1),
                "returned 11 where 10 is right: here each step halves the distance",
            ),
            "not rounded": (rounded_logarithms(float), "where a whole number is right"),
            "approximation": (
                lambda kappa, shrink: math.ceil(kappa / 2 * math.log(1 / shrink)),
                "steps_needed(kappa=1.5, shrink=0.01) returned 4 where 3",
            ),
        },
    ),
    exercise.logistic_gradient: Answers(
        right={
            "loop": sample_by_sample,
            "vectorised": logistic(lambda w, input: 1 / len(input)),
            "NumPy": with_numpy,
            "float32": lambda w, input, label: sample_by_sample(
                w.float(), input.float(), label.float()
            ),
        },
        wrong={
            "uphill": (logistic(lambda w, input: -1 / len(input)), "where"),
            "a sum": (logistic(lambda w, input: 1.0), "for 20 samples of 3 numbers"),
            "by the dimension": (logistic(lambda w, input: 1 / len(w)), "where"),
            "twenty": (logistic(lambda w, input: 1 / 20), "for 7 samples of 2 numbers"),
            "a gradient per sample": (
                lambda w, input, label: (
                    -(label * torch.sigmoid(-label * (input @ w)))[:, None] * input
                ),
                "of shape (20, 3)",
            ),
            "half precision": (
                lambda w, input, label: sample_by_sample(w, input, label).half(),
                "float16, which is too coarse",
            ),
        },
    ),
    exercise.one_step_rates: Answers(
        right={
            "loop": one_at_a_time,
            "vectorised": torch.reciprocal,
            "NumPy": lambda eigenvalues: eigenvalues.numpy() ** -1,
            "float32": lambda eigenvalues: 1 / eigenvalues.float(),
        },
        wrong={
            "overshooting": (lambda eigenvalues: 1.001 / eigenvalues, "a distance of 0.00"),
            "stable": (lambda eigenvalues: 2 / eigenvalues, "leaves a distance"),
            "one for all": (lambda eigenvalues: 1 / eigenvalues.max(), "of shape ()"),
            "constants": (
                lambda eigenvalues: [1.0, 0.1, 0.001][: len(eigenvalues)],
                "for eigenvalues [3.0, 0.25]",
            ),
        },
    ),
    exercise.two_rates: Answers(
        right={
            "roots": spaced,
            "other order, a tuple": lambda L, mu: tuple(reversed(spaced(L, mu))),
            "sum and product, a tensor": from_sum_and_product,
            "float32": lambda L, mu: np.array(spaced(L, mu), dtype=np.float32),
        },
        wrong={
            "constant": (lambda L, mu: (2 / (L + mu), 2 / (L + mu)), "leaves 0.64 of the distance"),
            "ends": (lambda L, mu: (1 / L, 1 / mu), "where 0.470588 is possible"),
            "stable": (lambda L, mu: (1 / L, 2 / (L + mu)), "along the curvature 1"),
            "one": (lambda L, mu: [spaced(L, mu)[0]], "of shape (1,)"),
            "for one bowl": (lambda L, mu: spaced(9, 1), "two_rates(100, 1) leaves"),
        },
    ),
    exercise.backtracking: Answers(
        right={
            "loop": search(),
            "all at once": all_at_once,
            "counting halves": counting_halves,
            "float32": lambda *given: torch.tensor(search()(*given), dtype=torch.float32),
        },
        wrong={
            "no search": (lambda objective, theta, lr: lr, "from 1.02 returned 1.02"),
            "halved before the first look": (search(look_first=False), "from 0.99 returned 0.495"),
            "always from 1": (
                lambda objective, theta, lr: search()(objective, theta, 1.0),
                "from 1.02 returned 1 where 0.51",
            ),
            "any descent": (search(kept=1e-4), "from 1.02 returned 1.02 where 0.51"),
            "more than half": (search(kept=0.52), "from 0.99 returned 0.495 where 0.99"),
            "tenths": (search(factor=0.1), "returned 0.102 where 0.51"),
        },
    ),
    exercise.bounded_forever: Answers(
        right={
            "on the diagonal": lambda: (0.5, 0.5, 1.2),
            "a list, of another sign": lambda: [-0.9, -0.9, 1.15],
            "NumPy": lambda: np.array([1.1, 1.1, 1.1]),
            "a tensor": lambda: torch.tensor([0.3, 0.3, 1.22]),
        },
        wrong={
            "settles": (lambda: (1.0, 0.5, 0.1), "settles: its loss fell to"),
            "leaves": (lambda: (3.0, 3.0, 1.5), "leaves: it is farther than 10"),
            "moves too little": (lambda: (2.0, 2.0, 1e-9), "stands still"),
            "starts on the saddle": (lambda: (0.0, 0.0, 0.1), "stands still"),
            "two numbers": (lambda: (1.0, 0.5), "not a, b and the rate"),
            "no number": (lambda: ("a", 0.5, 1.2), "returned ('a', 0.5, 1.2), not a, b"),
            "no rate": (lambda: (0.5, 0.5, 0.0), "needs a rate above 0, got 0"),
            "uphill": (lambda: (0.5, 0.5, -0.1), "needs a rate above 0, got -0.1"),
        },
    ),
}
