"""Right and wrong answers to the exercises on losses."""

import math

import numpy as np
import torch
from answers import Answers
from scipy.optimize import brentq
from scipy.special import xlogy
from torch.nn import functional

from descent import losses
from descent.chapters.losses import exercises as exercise

# 1. The order of newspapers


def order_by_rank(demand, under, over):
    return demand.sort().values[math.ceil(under / (under + over) * len(demand)) - 1]


def order_by_trying(demand, under, over):
    def cost(order):
        return sum(under * max(y - order, 0) + over * max(order - y, 0) for y in demand.tolist())

    return min(demand.tolist(), key=cost)


def order_by_numpy(demand, under, over):
    return np.quantile(demand.numpy(), under / (under + over), method="inverted_cdf")


def order_by_counting(demand, under, over):
    """Order one more as long as running out is the dearer risk."""
    order = demand.min()
    while under * (demand > order).sum() > over * (demand <= order).sum():
        order = demand[demand > order].min()
    return order.float()


# 2. Binary cross-entropy without overflow


def bce_in_one_line(input, target):
    return input.clamp(min=0) - target * input + input.abs().neg().exp().log1p()


def bce_of_two_sides(input, target):
    """A mixture of the two losses, each the softplus of what speaks against it."""
    zero = torch.zeros_like(input)
    return target * torch.logaddexp(zero, -input) + (1 - target) * torch.logaddexp(zero, input)


def bce_in_a_loop(input, target):
    found = []
    for z, y in zip(input.tolist(), target.tolist(), strict=True):
        small = math.log1p(math.exp(-abs(z)))
        found.append((z * (1 - y) if z > 0 else -z * y) + small)
    return found


def bce_by_numpy(input, target):
    z, y = input.numpy(), target.numpy()
    return np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))


def bce_with_plain_logarithm(input, target):
    return input.clamp(min=0) - target * input + (1 + (-input.abs()).exp()).log()


def bce_cut_off(input, target):
    small = torch.where(input.abs() > 28, 0.0, (-input.abs()).exp().log1p())
    return input.clamp(min=0) - target * input + small


def bce_summed_in_the_wrong_order(input, target):
    return (input.clamp(min=0) + (-input.abs()).exp().log1p()) - target * input


def bce_of_probabilities(input, target):
    p = input.sigmoid().clamp(1e-12, 1 - 1e-12)
    return -target * p.log() - (1 - target) * (1 - p).log()


# 3. The weighted gradient


def gradient_in_one_line(input, target, weight):
    onehot = functional.one_hot(target, input.shape[1])
    return weight[target, None] * (input.softmax(1) - onehot) / weight[target].sum()


def gradient_in_a_loop(input, target, weight):
    total = sum(weight[y].item() for y in target)
    rows = []
    for z, y in zip(input.tolist(), target.tolist(), strict=True):
        powers = [math.exp(each - max(z)) for each in z]
        row = [weight[y].item() * power / sum(powers) / total for power in powers]
        row[y] -= weight[y].item() / total
        rows.append(row)
    return rows


def gradient_by_scattering(input, target, weight):
    share = weight[target] / weight[target].sum()
    grad = input.log_softmax(1).exp() * share.unsqueeze(1)
    return grad.scatter_add(1, target.unsqueeze(1), -share.unsqueeze(1))


def gradient_divided_by(denominator):
    def answer(input, target, weight):
        onehot = functional.one_hot(target, input.shape[1])
        each = weight[target, None] * (input.softmax(1) - onehot)
        return each / denominator(target, weight)

    return answer


def gradient_by_autograd(input, target, weight):
    leaf = input.clone().requires_grad_()
    return torch.autograd.grad(functional.cross_entropy(leaf, target, weight=weight), leaf)[0]


def gradient_by_backward(input, target, weight):
    leaf = input.clone().requires_grad_()
    functional.cross_entropy(leaf, target, weight=weight).backward()
    return leaf.grad


def gradient_by_transform(input, target, weight):
    return torch.func.grad(lambda z: functional.cross_entropy(z, target, weight=weight))(input)


def gradient_weighted_by_column(input, target, weight):
    onehot = functional.one_hot(target, input.shape[1])
    return weight * (input.softmax(1) - onehot) / weight[target].sum()


# 4. A mean of means


def mean_by_sums(pieces):
    total = sum(losses.cross_entropy(*piece, reduction="sum") for piece in pieces)
    return total / sum((target != -100).sum() for _, target in pieces)


def mean_by_joining(pieces):
    input, target = (torch.cat(part) for part in zip(*pieces, strict=True))
    return functional.cross_entropy(input.float(), target)


def mean_in_a_loop(pieces):
    found = []
    for input, target in pieces:
        for z, y in zip(input.tolist(), target.tolist(), strict=True):
            if y != -100:
                found.append(math.log(sum(math.exp(each - z[y]) for each in z)))
    return sum(found) / len(found)


def mean_by_weighted_means(pieces):
    total, count = 0.0, 0
    for input, target in pieces:
        if kept := int((target >= 0).sum()):
            total += kept * functional.cross_entropy(input, target).item()
            count += kept
    return np.float64(total / count)


def mean_of_means(pieces):
    return sum(losses.cross_entropy(*piece) for piece in pieces) / len(pieces)


def mean_of_those_that_are_numbers(pieces):
    means = torch.stack([losses.cross_entropy(*piece) for piece in pieces])
    return means.nanmean()


def mean_over_padding(pieces):
    total = sum(losses.cross_entropy(*piece, reduction="sum") for piece in pieces)
    return total / sum(len(target) for _, target in pieces)


def mean_weighted_by_length(pieces):
    parts = [(losses.cross_entropy(*piece).nan_to_num(), len(piece[1])) for piece in pieces]
    return sum(mean * size for mean, size in parts) / sum(size for _, size in parts)


# 5. A robust centre


def centre_by_weights(sample, delta):
    centre = sample.median()
    for _ in range(300):
        weight = (delta / (sample - centre).abs().clamp(min=1e-12)).clamp(max=1)
        centre = (weight * sample).sum() / weight.sum()
    return centre


def centre_by_steps(sample, delta):
    centre = sample.mean().item()
    for _ in range(2000):
        centre += sum(max(-delta, min(delta, y - centre)) for y in sample.tolist()) / len(sample)
    return centre


def centre_by_root(sample, delta):
    y = sample.numpy()
    return np.float64(brentq(lambda c: np.clip(c - y, -delta, delta).sum(), y.min(), y.max()))


def centre_by_halving(sample, delta):
    low, high = sample.min(), sample.max()
    for _ in range(80):
        middle = (low + high) / 2
        if (middle - sample).clamp(-delta, delta).sum() < 0:
            low = middle
        else:
            high = middle
    return low.float()


def centre_of_near_ones(sample, delta):
    return sample[(sample - sample.median()).abs() <= delta].mean()


def centre_after_one_round(sample, delta):
    centre = sample.median()
    weight = (delta / (sample - centre).abs().clamp(min=1e-12)).clamp(max=1)
    return (weight * sample).sum() / weight.sum()


# 6. What focal loss meant


def truth_by_slopes(p, gamma):
    def slope(p):
        return (1 - p) ** gamma / p - gamma * (1 - p) ** (gamma - 1) * p.log()

    return slope(1 - p) / (slope(p) + slope(1 - p))


def truth_by_odds(p, gamma):
    """Return the probability of the odds that the chapter derives."""
    p = p.numpy()
    odds = p**gamma * (p - gamma * xlogy(1 - p, 1 - p))
    odds = odds / ((1 - p) ** gamma * (1 - p - gamma * xlogy(p, p)))
    return odds / (1 + odds)


def truth_by_search(p, gamma):
    """Return for each p the true probability at which the expected loss is level there."""

    def loss(p):
        return -((1 - p) ** gamma) * math.log(p)

    def level(q, p, h=1e-5):
        def expected(p):
            return q * loss(p) + (1 - q) * loss(1 - p)

        return 8 * (expected(p + h) - expected(p - h)) - (expected(p + 2 * h) - expected(p - 2 * h))

    return [brentq(level, 0.0, 1.0, args=(each,), xtol=1e-14) for each in p.tolist()]


def truth_in_float32(p, gamma):
    return truth_by_slopes(p.float(), gamma)


def truth_by_powers(p, gamma):
    return p ** (1 + gamma) / (p ** (1 + gamma) + (1 - p) ** (1 + gamma))


def truth_of_one_side(p, gamma):
    slope = (1 - p) ** gamma / p - gamma * (1 - p) ** (gamma - 1) * p.log()
    return p * slope / (slope + 1)


ANSWERS = {
    exercise.best_order: Answers(
        right={
            "by its rank": order_by_rank,
            "a loop that tries each": order_by_trying,
            "NumPy's quantile": order_by_numpy,
            "counting up, in float32": order_by_counting,
        },
        wrong={
            "the mean": (lambda demand, under, over: demand.mean(), " a day, not "),
            "the median": (lambda demand, under, over: demand.median(), "under=9, over=1"),
            "the costs exchanged": (
                lambda demand, under, over: order_by_rank(demand, over, under),
                "under=9, over=1",
            ),
            "one too many": (
                lambda demand, under, over: demand[
                    demand > order_by_rank(demand, under, over)
                ].min(),
                " a day, not ",
            ),
            "the level, not the order": (
                lambda demand, under, over: under / (under + over),
                "returned 0.9",
            ),
            "one for each demand": (lambda demand, *_: demand, "where a number is right"),
        },
    ),
    exercise.stable_bce: Answers(
        right={
            "one line": bce_in_one_line,
            "both sides": bce_of_two_sides,
            "a loop, in a list": bce_in_a_loop,
            "NumPy": bce_by_numpy,
            "float32": lambda input, target: bce_in_one_line(input.float(), target.float()),
        },
        wrong={
            "log(1 + exp)": (
                bce_with_plain_logarithm,
                "where 2.06115362e-09 is right, to 12 digits",
            ),
            "nothing beyond 28": (bce_cut_off, "where 9.35762e-14 is right"),
            "added before it cancels": (bce_summed_in_the_wrong_order, "returned "),
            "probabilities, clamped": (bce_of_probabilities, "returned "),
            "no logarithm": (lambda z, y: z.clamp(min=0) - y * z, "returned 0 where"),
            "the mean": (
                lambda z, y: bce_in_one_line(z, y).mean(),
                "where a tensor of shape (39,) is right",
            ),
            "bfloat16": (
                lambda z, y: bce_in_one_line(z.bfloat16(), y.bfloat16()),
                "too coarse: compute in float32",
            ),
        },
    ),
    exercise.weighted_gradient: Answers(
        right={
            "one line": gradient_in_one_line,
            "a loop, in lists": gradient_in_a_loop,
            "scattered": gradient_by_scattering,
            "float32": lambda z, y, w: gradient_in_one_line(z.float(), y, w.float()),
        },
        wrong={
            "divided by rows": (
                gradient_divided_by(lambda y, w: len(y)),
                "so look at the denominator",
            ),
            "divided by rows times the mean weight": (
                gradient_divided_by(lambda y, w: len(y) * w.mean()),
                "so look at the denominator",
            ),
            "divided by twice all weights": (
                gradient_divided_by(lambda y, w: 2 * w.sum()),
                "so look at the denominator",
            ),
            "autograd": (gradient_by_autograd, "asked autograd: work the derivative out by hand"),
            "backward": (gradient_by_backward, "asked autograd"),
            "torch.func": (gradient_by_transform, "asked autograd"),
            "weights of the columns": (gradient_weighted_by_column, "returned "),
        },
    ),
    exercise.accumulated: Answers(
        right={
            "sums": mean_by_sums,
            "joined, in float32": mean_by_joining,
            "a loop": mean_in_a_loop,
            "means, weighted": mean_by_weighted_means,
        },
        wrong={
            "a mean of means": (mean_of_means, "returned nan where"),
            "a mean of the means that exist": (mean_of_those_that_are_numbers, "returned "),
            "divided by the padding, too": (mean_over_padding, "returned "),
            "weighted by the length": (mean_weighted_by_length, "returned "),
            "a sum": (
                lambda pieces: sum(losses.cross_entropy(*p, reduction="sum") for p in pieces),
                "returned ",
            ),
        },
    ),
    exercise.robust_centre: Answers(
        right={
            "weighted averages": centre_by_weights,
            "a loop of steps": centre_by_steps,
            "a root": centre_by_root,
            "halving, in float32": centre_by_halving,
        },
        wrong={
            "the mean": (lambda sample, delta: sample.mean(), "the slope of the loss is"),
            "the median": (lambda sample, delta: sample.median(), "delta=0.5"),
            "the mean of clipped samples": (
                lambda sample, delta: sample.clamp(-delta, delta).mean(),
                "the slope of the loss is",
            ),
            "outliers left out": (centre_of_near_ones, "delta=0.5"),
            "one round": (centre_after_one_round, "delta=0.5"),
            "always delta 1.345": (
                lambda sample, delta: centre_by_weights(sample, 1.345),
                "delta=0.5",
            ),
        },
    ),
    exercise.calibrated: Answers(
        right={
            "slopes": truth_by_slopes,
            "the odds of the chapter": truth_by_odds,
            "a search, in a list": truth_by_search,
            "float32": truth_in_float32,
        },
        wrong={
            "as stated": (lambda p, gamma: p, "calibrated(gamma=1)"),
            "the chances exchanged": (lambda p, gamma: truth_by_slopes(1 - p, gamma), "gamma=0"),
            "powers": (truth_by_powers, "calibrated(gamma=1)"),
            "one side alone": (truth_of_one_side, "gamma=0"),
            "one number": (lambda p, gamma: 0.9, "where a tensor of shape (4,) is right"),
        },
    ),
}
