"""What a checker of the chapter on what a step costs says to wrong answers; the lab is right."""

import pytest
import torch
from answers import told

from descent.chapters.step_cost import exercises as exercise


def in_place(x, uniform):
    return x.add_(uniform).floor_()


WRONG = {
    "a gradient that is written": (
        exercise.bytes_moved,
        lambda num_states, itemsize: (4 + 2 * num_states) * itemsize,
        "bytes_moved(num_states=0, itemsize=4) returned 16 where 12 is right",
    ),
    "states that are read alone": (
        exercise.bytes_moved,
        lambda num_states, itemsize: (3 + num_states) * itemsize,
        "bytes_moved(num_states=1, itemsize=4) returned 16 where 20 is right",
    ),
    "float32 whatever is asked": (
        exercise.bytes_moved,
        lambda num_states, itemsize: (3 + 2 * num_states) * 4,
        "bytes_moved(num_states=3, itemsize=2) returned 36 where 18 is right",
    ),
    "Adam's bytes for all": (
        exercise.least_time,
        lambda num_params, num_states, bandwidth: 28 * num_params / bandwidth,
        "num_states=1, bandwidth=5e+10) returned 0.00056 where 0.0004 is right",
    ),
    "numbers in place of bytes": (
        exercise.least_time,
        lambda num_params, num_states, bandwidth: (3 + 2 * num_states) * num_params / bandwidth,
        "returned 0.0035 where 0.014 is right",
    ),
    "no bandwidth": (
        exercise.crossover,
        lambda launches, overhead, traffic, bandwidth: launches * overhead / traffic,
        "where 1.07143e+06 is right",
    ),
    "one launch": (
        exercise.crossover,
        lambda launches, overhead, traffic, bandwidth: overhead * bandwidth / traffic,
        "returned 7142.86 where 1.07143e+06 is right",
    ),
    "the upper limit for every weight": (
        exercise.stalls,
        lambda weight, update: abs(update) < abs(weight) / 256,
        "stalls(weight=1, update=0.003) returned True where False is right",
    ),
    "the lower limit for every weight": (
        exercise.stalls,
        lambda weight, update: abs(update) < abs(weight) / 512,
        "stalls(weight=1, update=-0.003) returned False where True is right",
    ),
    "half a gap of half precision": (
        exercise.stalls,
        lambda weight, update: torch.tensor(weight - update).half().item() == weight,
        "stalls(weight=1, update=0.001) returned False where True is right",
    ),
    "to the nearest": (
        exercise.stochastic_rounding,
        lambda x, uniform: x.round(),
        "leaves the mean of 0.25 at 0",
    ),
    "a fair coin that is too fair": (
        exercise.stochastic_rounding,
        lambda x, uniform: x.floor() + (uniform < 0.5),
        "leaves the mean of 0.25 at 0.",
    ),
    "towards zero first": (
        exercise.stochastic_rounding,
        lambda x, uniform: x.trunc() + (uniform < x - x.trunc()),
        "leaves the mean of -1.7 at -1",
    ),
    "up for a whole number too": (
        exercise.stochastic_rounding,
        lambda x, uniform: x.floor() + (uniform < (x - x.floor()).clamp(min=0.25)),
        "takes 3 to something else than its neighbours",
    ),
    "not rounded": (
        exercise.stochastic_rounding,
        lambda x, uniform: x.clone(),
        "takes 0.25 to something else than its neighbours",
    ),
    "in place": (exercise.stochastic_rounding, in_place, "changed an argument in place"),
}


@pytest.mark.parametrize(("checker", "answer", "part"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_in_one_line(checker, answer, part, capsys):
    assert part in told(capsys, checker, answer)


def test_a_right_answer_is_told_in_one_line(capsys):
    assert exercise.bytes_moved(lambda states, itemsize: (3 + 2 * states) * itemsize) is True
    assert capsys.readouterr().out == "correct: bytes_moved\n"
