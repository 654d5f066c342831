"""Right and wrong answers to the exercises on RMSprop."""

import math

import numpy as np
import torch
from answers import Answers

from descent.chapters.rmsprop import exercises as exercise, theory
from descent.optim import Adam, adam

# alpha_for


def found_by_halving(half_life):
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if middle**half_life < 0.5 else (low, middle)
    return low


# adagrad_walk


def walk_in_a_loop(lr, distance):
    walked, steps = 0.0, 0
    while walked < distance:
        steps += 1
        walked += lr / math.sqrt(steps)
    return steps


def walk_at_once(lr, distance):
    steps = np.arange(1, math.ceil((distance / (2 * lr) + 1) ** 2) + 1)
    walked = np.cumsum(lr / np.sqrt(steps))
    return np.searchsorted(walked, distance) + 1


def walk_in_float32(lr, distance):
    steps = torch.arange(1, 4001, dtype=torch.float32)
    return (steps.rsqrt().cumsum(0) * lr < distance).sum() + 1


# corrected_step


def corrected(theta, grad, square_avg, step, lr, alpha, eps):
    square_avg = alpha * square_avg + (1 - alpha) * grad**2
    return theta - lr * grad / ((square_avg / (1 - alpha**step)) ** 0.5 + eps), square_avg


def corrected_in_a_loop(theta, grad, square_avg, step, lr, alpha, eps):
    after, average = [], []
    for place in range(len(theta)):
        mean_square = alpha * float(square_avg[place]) + (1 - alpha) * float(grad[place]) ** 2
        root = math.sqrt(mean_square / (1 - alpha**step))
        after.append(float(theta[place]) - lr * float(grad[place]) / (root + eps))
        average.append(mean_square)
    return [after, average]


def corrected_by_adam(theta, grad, square_avg, step, lr, alpha, eps):
    options = Adam.complete(lr=lr, betas=(0.0, alpha), eps=eps)
    before = {
        "step": torch.tensor(float(step - 1)),
        "exp_avg": torch.zeros_like(theta),
        "exp_avg_sq": square_avg,
    }
    theta, state = adam(theta, grad, before, **options)
    return theta, state["exp_avg_sq"]


def corrected_in_numpy(theta, grad, square_avg, step, lr, alpha, eps):
    theta, grad, square_avg = (each.numpy() for each in (theta, grad, square_avg))
    square_avg = square_avg + (1 - alpha) * (grad**2 - square_avg)
    rate = lr * np.sqrt(1 - alpha**step)
    denominator = np.sqrt(square_avg) + eps * np.sqrt(1 - alpha**step)
    return theta - rate * grad / denominator, square_avg


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


# outside_eps


def outside_in_float32(eps, grad):
    eps, grad = torch.tensor(eps), torch.tensor(abs(grad))
    return eps / ((grad**2 + eps).sqrt() + grad)


def outside_by_difference_in_float32(eps, grad):
    eps, grad = (torch.tensor(each, dtype=torch.float32) for each in (eps, grad))
    return (grad**2 + eps).sqrt() - grad.abs()


# half_lost


def half_lost(kappa):
    mixed = kappa**0.5 * math.sinh(math.log(kappa) / 4)
    return 0.5 * math.asin(2 * mixed / (kappa - 1))


def half_lost_by_halving(kappa):
    low, high = 0.0, math.pi / 4
    for _ in range(80):
        middle = (low + high) / 2
        less = theory.rotated_kappa(kappa, middle) < kappa**0.5
        low, high = (middle, high) if less else (low, middle)
    return torch.tensor(low, dtype=torch.float64)


def half_lost_in_powers(kappa):
    # (sqrt(m^2 + kappa) + m)^2 / kappa = sqrt(kappa), solved for m.
    root = np.float64(kappa) ** 0.75
    mixed = (root - kappa / root) / 2
    return np.arcsin(2 * mixed / (kappa - 1)) / 2


ANSWERS = {
    exercise.alpha_for: Answers(
        right={
            "a root": lambda half_life: 0.5 ** (1 / half_life),
            "logarithms in NumPy": lambda half_life: np.exp(-np.log(2) / half_life),
            "float32": lambda half_life: torch.tensor(0.5).pow(1 / half_life),
            "a search": found_by_halving,
        },
        wrong={
            "one over the half-life": (
                lambda half_life: 1 - 1 / half_life,
                "alpha_for(half_life=1) returned 0 where 0.5 is right",
            ),
            "a time constant": (
                lambda half_life: math.exp(-1 / half_life),
                "returned 0.367879 where 0.5 is right",
            ),
            "the half-life itself": (
                lambda half_life: theory.rmsprop_half_life(0.5 ** (1 / half_life)),
                "returned 1 where 0.5 is right",
            ),
            "what is forgotten": (
                lambda half_life: 1 - 0.5 ** (1 / half_life),
                "alpha_for(half_life=10) returned 0.066967 where 0.933033 is right",
            ),
            "four digits": (
                lambda half_life: round(0.5 ** (1 / half_life), 4),
                "alpha_for(half_life=10) returned 0.933 where 0.933033 is right",
            ),
        },
    ),
    exercise.adagrad_walk: Answers(
        right={
            "a loop": walk_in_a_loop,
            "NumPy at once": walk_at_once,
            "float32": walk_in_float32,
        },
        wrong={
            "the integral": (
                lambda lr, distance: round((distance / (2 * lr)) ** 2),
                "adagrad_walk(lr=0.1, distance=1) returned 25 where 33 is right",
            ),
            "steps that do not shrink": (
                lambda lr, distance: round(distance / lr),
                "returned 10 where 33 is right",
            ),
            "one step short": (
                lambda lr, distance: walk_in_a_loop(lr, distance) - 1,
                "returned 32 where 33 is right",
            ),
            "no whole number": (
                lambda lr, distance: walk_in_a_loop(lr, distance) + 0.5,
                "returned 33.5 where a whole number is right",
            ),
            "the default rate alone": (
                lambda lr, distance: walk_in_a_loop(0.01, distance),
                "adagrad_walk(lr=0.1, distance=1) returned 2574 where 33 is right",
            ),
        },
    ),
    exercise.corrected_step: Answers(
        right={
            "as the equation": corrected,
            "a loop, in lists": corrected_in_a_loop,
            "Adam without its momentum": corrected_by_adam,
            "a corrected rate, in NumPy": corrected_in_numpy,
        },
        wrong={
            "no correction": (
                uncorrected,
                "parameters at step 1, alpha=0.99 returned 0.9 where 0.99 is right",
            ),
            "a corrected epsilon": (corrected_with_eps, "corrected_step's parameters at step 1"),
            "one step late": (one_step_late, "corrected_step's parameters at step 1"),
            "the default rate alone": (
                lambda *arguments: corrected(*arguments[:4], 0.01, *arguments[5:]),
                "parameters at step 1, alpha=0.9 returned",
            ),
            "the default alpha alone": (
                lambda *arguments: corrected(*arguments[:5], 0.99, arguments[6]),
                "average at step 1, alpha=0.9 returned",
            ),
            "a corrected average kept": (corrected_twice, "corrected_step's average at step 1"),
            "parameters alone": (
                lambda theta, *_: theta,
                "returned a Tensor where parameters and average are right",
            ),
            "in place": (in_place, "changed an argument in place"),
        },
    ),
    exercise.outside_eps: Answers(
        right={
            "the difference": lambda eps, grad: math.sqrt(grad**2 + eps) - abs(grad),
            "the quotient, in float32": outside_in_float32,
            "a right triangle, in NumPy": lambda eps, grad: np.hypot(grad, eps**0.5) - abs(grad),
            "what the fraction says": lambda eps, grad: (
                grad / theory.eps_factor(grad, eps, inside=True) - grad
            ),
        },
        wrong={
            "the root of epsilon": (
                lambda eps, grad: eps**0.5,
                "outside_eps(eps=0.25, grad=1) returned 0.5 where 0.118034 is right",
            ),
            "no translation": (lambda eps, grad: eps, "returned 0.25 where 0.118034 is right"),
            "large gradients": (
                lambda eps, grad: eps / (2 * grad),
                "returned 0.125 where 0.118034 is right",
            ),
            "the other sign": (
                lambda eps, grad: math.sqrt(grad**2 + eps) + abs(grad),
                "returned 2.11803 where 0.118034 is right",
            ),
            "a difference in float32": (
                outside_by_difference_in_float32,
                "the difference of two such close numbers loses its digits in float32: "
                "compute in float64",
            ),
        },
    ),
    exercise.converging_eps: Answers(
        right={
            "half of the product": lambda lr, curvature: lr * curvature / 2,
            "float32": lambda lr, curvature: torch.tensor(lr) * curvature * 0.5,
            "where the cycle ends, in NumPy": lambda lr, curvature: np.interp(
                0.0, [-lr / 2, lr / 2], [lr * curvature, 0.0]
            ),
            "the edge of gradient descent": lambda lr, curvature: lr / (2 / curvature),
        },
        wrong={
            "no curvature": (
                lambda lr, curvature: lr / 2,
                "converging_eps(lr=0.01, curvature=100) returned 0.005 where 0.5 is right",
            ),
            "gradient descent's edge, the wrong way round": (
                lambda lr, curvature: 2 * lr * curvature,
                "returned 2 where 0.5 is right",
            ),
            "divided by the curvature": (
                lambda lr, curvature: lr / (2 * curvature),
                "returned 5e-05 where 0.5 is right",
            ),
            "the default rate alone": (
                lambda lr, curvature: 0.01 * curvature / 2,
                "converging_eps(lr=0.5, curvature=0.2) returned 0.001 where 0.05 is right",
            ),
        },
    ),
    exercise.half_lost: Answers(
        right={
            "a hyperbolic sine": half_lost,
            "a search, as a tensor": half_lost_by_halving,
            "powers in NumPy": half_lost_in_powers,
            "float32": lambda kappa: torch.tensor(half_lost(kappa), dtype=torch.float32),
        },
        wrong={
            "half in kappa": (
                lambda kappa: 0.5 * math.asin(kappa**0.5 / (kappa - 1)),
                "half_lost(kappa=16) at its angle 0.134966 leaves 2.61803 where 4 is right",
            ),
            "degrees": (
                lambda kappa: math.degrees(half_lost(kappa)),
                "where an angle in (0, pi/4] is right",
            ),
            "the other side": (
                lambda kappa: -half_lost(kappa),
                "where an angle in (0, pi/4] is right",
            ),
            "no angle": (lambda kappa: math.nan, "returned nan where"),
            "the small angle": (
                lambda kappa: kappa**-0.25 / 2,
                "half_lost(kappa=16) at its angle 0.25 leaves",
            ),
        },
    ),
}
