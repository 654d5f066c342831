"""Right and wrong answers to the exercises on what a step costs."""

import math
import struct
from fractions import Fraction

import numpy as np
import torch
from answers import Answers

from descent.chapters.step_cost import exercises as exercise


def bytes_one_by_one(num_states, itemsize):
    moved = 0
    for number in ["param", "grad", *[f"state {each}" for each in range(num_states)]]:
        moved += itemsize  # read
        if number != "grad":
            moved += itemsize  # written
    return moved


def bits_of(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def stalls_in_fractions(weight, update):
    """Compare with half of the gap to the neighbour, without a bfloat16 at all."""
    exact = Fraction(weight) - Fraction(update)
    mantissa, exponent = math.frexp(abs(weight))
    toward_zero = abs(exact) < abs(weight)
    gap = Fraction(2) ** (exponent - (9 if toward_zero and mantissa == 0.5 else 8))
    distance = abs(exact - Fraction(weight))
    even = int(mantissa * 2**8) % 2 == 0
    return distance < gap / 2 or (distance == gap / 2 and even)


def stalls_by_neighbours(weight, update):
    place = torch.tensor(weight, dtype=torch.bfloat16)
    exact = weight - update
    side = torch.tensor(math.copysign(math.inf, exact - weight), dtype=torch.bfloat16)
    other = torch.nextafter(place, side).double().item()
    here, there = abs(exact - weight), abs(exact - other)
    last_bit = (bits_of(weight) >> 16) & 1
    return np.bool_(here < there or (here == there and last_bit == 0))


def one_by_one(x, uniform):
    rounded = []
    for value, coin in zip(x.tolist(), uniform.tolist(), strict=True):
        low = math.floor(value)
        rounded.append(low + 1 if coin < value - low else low)
    return rounded


def in_numpy(x, uniform):
    x, uniform = x.numpy(), uniform.numpy()
    low = np.floor(x)
    return np.where(1 - uniform <= x - low, low + 1, low)


def whole_numbers(x, uniform):
    return torch.where(uniform < x.frac().remainder(1), x.floor() + 1, x.floor()).long()


def first_ones_up(x, uniform):
    down = x.floor()
    count = round(float((x - down).sum()))
    return down + (torch.arange(len(x)) < count)


def carried_over(x, uniform):
    """Hand each error to the next number, which leaves the mean right and no coin thrown."""
    rounded, error = [], 0.0
    for value in x.tolist():
        rounded.append(math.floor(value + error + 0.5))
        error += value - rounded[-1]
    return rounded


def too_often_up(x, uniform):
    down = x.floor()
    return down + (uniform < 1.012 * (x - down))


def in_place(x, uniform):
    return x.add_(uniform).floor_()


ANSWERS = {
    exercise.bytes_moved: Answers(
        right={
            "in one line": lambda k, w: (3 + 2 * k) * w,
            "number by number": bytes_one_by_one,
            "a tensor": lambda k, w: torch.tensor((2 + k) * w + (1 + k) * w),
            "NumPy's integers": lambda k, w: np.int64(3) * w + np.int64(2) * k * w,
        },
        wrong={
            "a gradient that is written": (
                lambda k, w: (4 + 2 * k) * w,
                "bytes_moved(num_states=0, itemsize=4) returned 16 where 12 is right",
            ),
            "states that are read alone": (
                lambda k, w: (3 + k) * w,
                "bytes_moved(num_states=1, itemsize=4) returned 16 where 20 is right",
            ),
            "float32 whatever is asked": (
                lambda k, w: (3 + 2 * k) * 4,
                "bytes_moved(num_states=3, itemsize=2) returned 36 where 18 is right",
            ),
            "what is kept": (lambda k, w: (2 + k) * w, "returned 8 where 12 is right"),
            "no single number": (
                lambda k, w: [(2 + k) * w, (1 + k) * w],
                "returned a list of shape (2,) where a number is right",
            ),
        },
    ),
    exercise.least_time: Answers(
        right={
            "in one line": lambda d, k, rate: 4 * (3 + 2 * k) * d / rate,
            "part by part": lambda d, k, rate: 4 * d * (2 + k) / rate + 4 * d * (1 + k) / rate,
            "float32": lambda d, k, rate: torch.tensor(4.0 * (3 + 2 * k) * d) / rate,
            "NumPy's float32": lambda d, k, rate: np.float32(4 * (3 + 2 * k) * d / rate),
            "exact fractions": lambda d, k, rate: Fraction(4 * (3 + 2 * k)) * int(d) / int(rate),
        },
        wrong={
            "Adam's bytes for all": (
                lambda d, k, rate: 28 * d / rate,
                "num_states=1, bandwidth=5e+10) returned 0.00056 where 0.0004 is right",
            ),
            "numbers in place of bytes": (
                lambda d, k, rate: (3 + 2 * k) * d / rate,
                "returned 0.0035 where 0.014 is right",
            ),
            "turned over": (lambda d, k, rate: rate / (4 * (3 + 2 * k) * d), "where 0.014 is"),
            "nothing, for it is short": (lambda d, k, rate: 0.0, "returned 0 where 0.014 is right"),
            "half precision": (
                lambda d, k, rate: torch.tensor(4 * (3 + 2 * k) * d / rate).half(),
                "too coarse: compute in float32",
            ),
        },
    ),
    exercise.crossover: Answers(
        right={
            "in one line": lambda n, a, q, rate: n * a * rate / q,
            "float32": lambda n, a, q, rate: torch.tensor(n * a * rate / q, dtype=torch.float32),
            "NumPy": lambda n, a, q, rate: np.prod([n, a, rate, 1 / q]),
            "where two lines meet": lambda n, a, q, rate: float(
                np.linalg.solve([[q / rate]], [n * a])[0]
            ),
        },
        wrong={
            "no bandwidth": (lambda n, a, q, rate: n * a / q, "where 1.07143e+06 is right"),
            "one launch": (
                lambda n, a, q, rate: a * rate / q,
                "returned 7142.86 where 1.07143e+06 is right",
            ),
            "float32 numbers in place of bytes": (
                lambda n, a, q, rate: n * a * rate / (q / 4),
                "returned 4.28571e+06 where 1.07143e+06 is right",
            ),
            "whole parameters": (
                lambda n, a, q, rate: int(n * a * rate / q),
                "returned 1071428 where 1071428.57 is right, to 9 digits",
            ),
        },
    ),
    exercise.stalls: Answers(
        right={
            "fractions and half gaps": stalls_in_fractions,
            "the nearer of two neighbours": stalls_by_neighbours,
            "a boolean tensor": lambda w, u: (
                torch.tensor(w - u, dtype=torch.float64).bfloat16() == w
            ),
            "through float32": lambda w, u: torch.tensor(w - u).bfloat16().item() == w,
        },
        wrong={
            "the upper limit for every weight": (
                lambda w, u: abs(u) < abs(w) / 256,
                "stalls(weight=1, update=0.003) returned True where False is right",
            ),
            "the lower limit for every weight": (
                lambda w, u: abs(u) <= abs(w) / 512,
                "stalls(weight=1, update=-0.003) returned False where True is right",
            ),
            "half a gap, whatever the side": (
                lambda w, u: abs(u) <= 2.0 ** (math.frexp(w)[1] - 9),
                "stalls(weight=1, update=0.003) returned True where False is right",
            ),
            "half a gap, but for the weight 1 alone": (
                lambda w, u: (
                    abs(u) <= 2.0 ** (math.frexp(w)[1] - 9) / (1 + (abs(w) == 1 and u * w > 0))
                ),
                "returned True where False is right",
            ),
            "ties that always stay": (
                lambda w, u: stalls_in_fractions(w, u * (1 - 2**-20)),
                "stalls(weight=1.0078125, update=0.00390625) returned True where False is right",
            ),
            "half a gap of half precision": (
                lambda w, u: torch.tensor(w - u).half().item() == w,
                "stalls(weight=1, update=0.001) returned False where True is right",
            ),
            "the rounded weight": (
                lambda w, u: torch.tensor(w - u).bfloat16().item(),
                "returned a float where True or False is right",
            ),
        },
    ),
    exercise.stochastic_rounding: Answers(
        right={
            "add and cut off": lambda x, uniform: (x + uniform).floor(),
            "one by one": one_by_one,
            "NumPy, with the other end of the coin": in_numpy,
            "whole numbers": whole_numbers,
            "float32": lambda x, uniform: (x + uniform).floor().float(),
        },
        wrong={
            "to the nearest": (lambda x, uniform: x.round(), "leaves the mean of 0.25 at 0"),
            "a coin that is too fair": (
                lambda x, uniform: x.floor() + (uniform < 0.5),
                "leaves the mean of 0.25 at 0.5",
            ),
            "towards zero first": (
                lambda x, uniform: x.trunc() + (uniform < x - x.trunc()),
                "leaves the mean of -1.7 at -1",
            ),
            "up for a whole number too": (
                lambda x, uniform: x.floor() + (uniform < (x - x.floor()).clamp(min=0.25)),
                "takes 3 to something else than its neighbours",
            ),
            "not rounded": (
                lambda x, uniform: x.clone(),
                "takes 0.25 to something else than its neighbours",
            ),
            "up a hundredth too often": (too_often_up, "leaves the mean of 0.25 at 0.253"),
            "one coin for all": (
                lambda x, uniform: (x + uniform[0]).floor(),
                "leaves the mean of 0.25 at",
            ),
            "the first ones up, and no coin": (first_ones_up, "another coin than its own"),
            "errors that are handed on": (carried_over, "another coin than its own"),
            "in place": (in_place, "changed an argument in place"),
        },
    ),
}
