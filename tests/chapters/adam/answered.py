"""Right and wrong answers to the exercises of the chapter on Adam."""

import math
from itertools import count

import numpy as np
import torch
from answers import Answers

from descent.chapters.adam import exercises as exercise, theory

# 1. Warm-up


def steps_by_counting(beta2, tol):
    return next(t for t in count(1) if 1 / math.sqrt(1 - beta2**t) <= 1 + tol)


def steps_by_logarithm(beta2, tol):
    return math.ceil(math.log(1 - (1 + tol) ** -2) / math.log(beta2))


def steps_from_a_table(beta2, tol):
    factors = (1 - torch.tensor(beta2).double() ** torch.arange(1, 5000)).rsqrt()
    return 1 + (factors > 1 + tol).sum()


def steps_in_numpy(beta2, tol):
    factors = (1 - np.float64(beta2) ** np.arange(1, 5000)) ** -0.5
    return np.argmax(factors <= 1 + tol) + 1


# 2. Adam


def averages(exp_avg, exp_avg_sq, grad):
    return 0.9 * exp_avg + 0.1 * grad, 0.999 * exp_avg_sq + 0.001 * grad**2


def adam_in_lines(theta, exp_avg, exp_avg_sq, grad, lr, step):
    exp_avg, exp_avg_sq = averages(exp_avg, exp_avg_sq, grad)
    denom = (exp_avg_sq / (1 - 0.999**step)).sqrt() + 1e-8
    return theta - lr * exp_avg / (1 - 0.9**step) / denom, exp_avg, exp_avg_sq


def adam_by_lerp(theta, exp_avg, exp_avg_sq, grad, lr, step):
    exp_avg = exp_avg.lerp(grad, 0.1)
    exp_avg_sq = exp_avg_sq.lerp(grad.square(), 0.001)
    rate = lr * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
    denom = exp_avg_sq.sqrt() + 1e-8 * (1 - 0.999**step) ** 0.5
    return [theta - rate * exp_avg / denom, exp_avg, exp_avg_sq]


def adam_in_a_loop(theta, exp_avg, exp_avg_sq, grad, lr, step):
    rows = []
    for now, first, second, slope in zip(theta, exp_avg, exp_avg_sq, grad, strict=True):
        mean, square = (float(each) for each in averages(first, second, slope))
        root = math.sqrt(square / (1 - 0.999**step)) + 1e-8
        rows.append((float(now) - lr * mean / (1 - 0.9**step) / root, mean, square))
    return tuple(list(column) for column in zip(*rows, strict=True))


def adam_in_float32(theta, exp_avg, exp_avg_sq, grad, lr, step):
    return adam_in_lines(theta.float(), exp_avg.float(), exp_avg_sq.float(), grad.float(), lr, step)


def adam_by_torch(theta, exp_avg, exp_avg_sq, grad, lr, step):
    param = theta.clone().requires_grad_()
    optimizer = torch.optim.Adam([param], lr=lr)
    optimizer.state[param] = {
        "step": torch.tensor(step - 1.0),
        "exp_avg": exp_avg.clone(),
        "exp_avg_sq": exp_avg_sq.clone(),
    }
    param.grad = grad
    optimizer.step()
    state = optimizer.state[param]
    return param.detach(), state["exp_avg"], state["exp_avg_sq"]


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


def steps_from_zero(theta, exp_avg, exp_avg_sq, grad, lr, step):
    return adam_in_lines(theta, exp_avg, exp_avg_sq, grad, lr, step + 1)


# 3. As long as can be


def growing(beta1, beta2, num_steps):
    return (beta2 / beta1) ** torch.arange(num_steps).double()


def growing_in_a_loop(beta1, beta2, num_steps):
    grads = [-1e-3]
    while len(grads) < num_steps:
        grads.append(grads[-1] * beta2 / beta1)
    return grads


def growing_in_numpy(beta1, beta2, num_steps):
    return np.geomspace(1.0, (beta2 / beta1) ** (num_steps - 1), num_steps)


def growing_in_float32(beta1, beta2, num_steps):
    return growing(beta1, beta2, num_steps).float()


# 4. An epsilon from another framework


def eps_by_rule(eps_hat, beta2, step):
    return eps_hat / (1 - beta2**step) ** 0.5


def eps_by_summing_weights(eps_hat, beta2, step):
    total = sum((1 - beta2) * beta2**age for age in range(step))
    return eps_hat / math.sqrt(total)


def eps_in_float32(eps_hat, beta2, step):
    return torch.tensor(eps_hat) * (1 - torch.tensor(beta2).double() ** step).rsqrt().float()


def eps_in_numpy(eps_hat, beta2, step):
    return np.float64(eps_hat) / np.sqrt(-np.expm1(step * np.log(beta2)))


# 5. Idle weights


def decay_by_rule(lr, size):
    return lr / (2 * size**2)


def decay_by_halving(lr, size):
    low, high = 0.0, 1.0 / lr
    for _ in range(100):
        middle = (low + high) / 2
        above = theory.adamw_noise_floor(lr, middle, 0.9) > size**2
        low, high = (middle, high) if above else (low, middle)
    return low


def decay_in_float32(lr, size):
    return torch.tensor(lr) / (2 * torch.tensor(size).square())


# 6. Misled


def misled_by_halving(beta2, period):
    low, high = 1.0, 10.0 * period
    for _ in range(50):
        middle = (low + high) / 2
        if theory.reddi_drift(middle, beta2, period) > 0:
            low = middle
        else:
            high = middle
    return low


def drift_of(scale, beta2, period):
    """Run the average of squares until it repeats, in place of the closed form."""
    v, moved = scale**2, 0.0
    for step in range(period * max(3, math.ceil(40 / (1 - beta2) / period))):
        moved = 0.0 if step % period == 0 else moved
        grad = scale if step % period == 0 else -1.0
        v = beta2 * v + (1 - beta2) * grad**2
        moved -= grad / math.sqrt(v)
    return moved


def misled_by_secants(beta2, period):
    one, two = 1.05 * period, 1.5 * period
    first, second = drift_of(one, beta2, period), drift_of(two, beta2, period)
    while abs(two - one) > 1e-6 * one:
        one, two = two, two - second * (two - one) / (second - first)
        first, second = second, drift_of(two, beta2, period)
    return np.float64(two)


def misled_on_a_grid(beta2, period):
    scale = torch.logspace(math.log10(period - 1), math.log10(2 * period), 20_001).double()
    top = (beta2 - beta2**period + (1 - beta2) * scale**2) / (1 - beta2**period)
    drift = -scale * top.rsqrt()
    for k in range(1, period):
        drift += (1 + beta2**k * (top - 1)).rsqrt()
    return scale[drift > 0][-1].float()


ANSWERS = {
    exercise.warm_up_steps: Answers(
        right={
            "count": steps_by_counting,
            "logarithm": steps_by_logarithm,
            "a tensor": steps_from_a_table,
            "numpy": steps_in_numpy,
        },
        wrong={
            "the memory of beta2": (
                lambda beta2, tol: round(1 / (1 - beta2)),
                "warm_up_steps(beta2=0.999, tol=0.1) returned 1000 where 1751 is right",
            ),
            "not rounded": (
                lambda beta2, tol: math.log(1 - (1 + tol) ** -2) / math.log(beta2),
                "where a whole number is right",
            ),
            "rounded down": (
                lambda beta2, tol: steps_by_logarithm(beta2, tol) - 1,
                "returned 1750 where 1751 is right",
            ),
            "no root": (
                lambda beta2, tol: math.ceil(math.log(1 - 1 / (1 + tol)) / math.log(beta2)),
                "returned 2397 where 1751 is right",
            ),
            "a list": (
                lambda beta2, tol: list(range(1, 1752)),
                "returned a list of shape (1751,) where a number is right",
            ),
        },
    ),
    exercise.adam_step: Answers(
        right={
            "six lines": adam_in_lines,
            "lerp and a folded rate": adam_by_lerp,
            "a loop with lists": adam_in_a_loop,
            "float32": adam_in_float32,
            "PyTorch's": adam_by_torch,
        },
        wrong={
            "no correction": (
                uncorrected,
                "parameters at step 1 returned 0.683772 where 0.9 is right",
            ),
            "eps inside the root": (eps_inside_the_root, "parameters at step 1"),
            "corrected averages kept": (
                corrected_averages_kept,
                "exp_avg at step 1 returned 1 where 0.1 is right",
            ),
            "one rate for all": (
                lambda *arguments: adam_in_lines(*arguments[:4], 0.1, arguments[5]),
                "parameters at step 2 returned",
            ),
            "steps from zero": (steps_from_zero, "parameters at step 1 returned"),
            "a norm in place of squares": (
                lambda theta, exp_avg, exp_avg_sq, grad, lr, step: (
                    adam_in_lines(theta, exp_avg, exp_avg_sq, grad, lr, step)[0],
                    averages(exp_avg, exp_avg_sq, grad)[0],
                    0.999 * exp_avg_sq + 0.001 * (grad @ grad),
                ),
                "exp_avg_sq at step 1 returned 0.001 where 1e-19 is right",
            ),
            "changed in place": (
                lambda theta, exp_avg, exp_avg_sq, grad, lr, step: (
                    theta,
                    exp_avg.mul_(0.9).add_(0.1 * grad),
                    exp_avg_sq,
                ),
                "changed an argument in place",
            ),
            "parameters alone": (
                lambda theta, *_: theta,
                "returned a Tensor where three tensors are right",
            ),
        },
    ),
    exercise.longest_step: Answers(
        right={
            "powers": growing,
            "a loop": growing_in_a_loop,
            "numpy": growing_in_numpy,
            "float32": growing_in_float32,
            "enormous": lambda *given: 1e250 * growing(*given),
        },
        wrong={
            "a constant gradient": (
                lambda beta1, beta2, num_steps: torch.ones(num_steps, dtype=torch.float64),
                "makes a step of 1 where 1.61426 is possible",
            ),
            "falling in place of growing": (
                lambda beta1, beta2, num_steps: (beta1 / beta2) ** torch.arange(num_steps).double(),
                "where 1.61426 is possible",
            ),
            "one gradient too few": (
                lambda beta1, beta2, num_steps: torch.ones(num_steps - 1),
                "returned a tensor of shape (49,) where a tensor of shape (50,) is right",
            ),
            "no number": (
                lambda beta1, beta2, num_steps: torch.full((num_steps,), torch.nan),
                "returned nan among the gradients, where all are finite",
            ),
            "nothing": (
                lambda beta1, beta2, num_steps: [0.0] * num_steps,
                "makes a step of 0 where 1.61426 is possible",
            ),
            "a burst after silence": (
                lambda beta1, beta2, num_steps: [0.0] * (num_steps - 1) + [1.0],
                "where 1.61426 is possible",
            ),
        },
    ),
    exercise.same_epsilon: Answers(
        right={
            "by rule": eps_by_rule,
            "the weights summed": eps_by_summing_weights,
            "float32": eps_in_float32,
            "numpy": eps_in_numpy,
        },
        wrong={
            "the same number": (
                lambda eps_hat, beta2, step: eps_hat,
                "returned 0.001 where 0.0316228 is right",
            ),
            "the other way round": (
                lambda eps_hat, beta2, step: eps_hat * (1 - beta2**step) ** 0.5,
                "where 0.0316228 is right",
            ),
            "no root": (
                lambda eps_hat, beta2, step: eps_hat / (1 - beta2**step),
                "returned 1 where 0.0316228 is right",
            ),
            "steps from zero": (
                lambda eps_hat, beta2, step: eps_by_rule(eps_hat, beta2, step + 1),
                "returned 0.0223",
            ),
        },
    ),
    exercise.idle_size: Answers(
        right={
            "for small rates": decay_by_rule,
            "the whole formula, halved": decay_by_halving,
            "float32": decay_in_float32,
            "numpy": lambda lr, size: np.divide(lr, 2 * np.square(size)),
        },
        wrong={
            "a size for the mean square": (
                lambda lr, size: lr / (2 * size),
                "leaves a size of 0.3162 where 0.1 is asked for",
            ),
            "five per cent off": (
                lambda lr, size: 1.05 * decay_by_rule(lr, size),
                "leaves a size of 0.09757 where 0.1 is asked for",
            ),
            "no factor of 2": (
                lambda lr, size: lr / size**2,
                "leaves a size of 0.07068 where 0.1 is asked for",
            ),
            "no decay": (
                lambda lr, size: 0.0,
                "returned 0 where lr * weight_decay is in (0, 2)",
            ),
            "no number": (
                lambda lr, size: float("nan"),
                "returned nan where lr * weight_decay is in (0, 2)",
            ),
        },
    ),
    exercise.misled_up_to: Answers(
        right={
            "halving": misled_by_halving,
            "secants on a simulation": misled_by_secants,
            "a grid, in float32": misled_on_a_grid,
        },
        wrong={
            "the sign of the mean gradient": (
                lambda beta2, period: period - 1,
                "returned 999, where Adam drifts by 7.47",
            ),
            "too strong": (
                lambda beta2, period: 10.0 * period,
                "returned 10000, where Adam drifts by -",
            ),
            "half a per cent off": (
                lambda beta2, period: 1.005 * misled_by_halving(beta2, period),
                "where Adam drifts by -",
            ),
            "without end": (
                lambda beta2, period: float("inf"),
                "returned inf where a number above 1 is right",
            ),
            "no number": (
                lambda beta2, period: float("nan"),
                "returned nan where a number above 1 is right",
            ),
        },
    ),
}
