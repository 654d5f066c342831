import math
import re
from fractions import Fraction

import numpy as np
import pytest
import torch

from descent._checks import (
    check_choice,
    check_dtype,
    check_flag,
    check_floating,
    check_in_interval,
    check_length,
    check_positive_int,
    check_seed,
    check_shape,
)

INTERVALS = {
    # interval: (numbers inside, numbers outside)
    "(0, 1)": ([5e-324, 0.5, 1 - 1e-16], [0.0, -0.0, 1.0, -1.0, 2.0, math.inf, math.nan]),
    "[0, 1]": ([0, 0.0, -0.0, 1, 1.0], [-5e-324, 1 + 2**-52, math.nan]),
    "(0, 1]": ([1.0, 1e-9], [0.0, 1 + 2**-52]),
    "[0, 1)": ([0.0, 0.999], [1.0, -1e-9]),
    "[0, inf)": ([0.0, 1e308, 10**400], [math.inf, -1.0, math.nan]),
    "(-inf, inf)": ([0.0, -1e308], [math.inf, -math.inf, math.nan]),
    "[-2.5, 1e-3]": ([-2.5, 0.001], [-2.6, 0.0011]),
}
INSIDE = [(interval, value) for interval, (inside, _) in INTERVALS.items() for value in inside]
OUTSIDE = [(interval, value) for interval, (_, outside) in INTERVALS.items() for value in outside]


@pytest.mark.parametrize(("interval", "value"), INSIDE)
def test_a_number_inside_the_interval_passes(interval, value):
    check_in_interval("lr", value, interval)


@pytest.mark.parametrize(("interval", "value"), OUTSIDE)
def test_a_number_outside_the_interval_is_named_with_what_is_allowed(interval, value):
    with pytest.raises(ValueError, match="lr must be in") as error:
        check_in_interval("lr", value, interval)
    assert str(error.value) == f"lr must be in {interval}, got {value}"


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.int64(1), Fraction(1, 2)])
def test_numbers_of_other_libraries_are_numbers(value):
    check_in_interval("lr", value, "[0, 1]")
    with pytest.raises(ValueError, match="lr must be in"):
        check_in_interval("lr", value, "(2, 3)")


@pytest.mark.parametrize("value", [True, np.True_, "0.5", None, 0.5j, [0.5], (0.5,)])
def test_what_is_not_a_real_number_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"^lr must be a number in \[0, 1\], got "):
        check_in_interval("lr", value, "[0, 1]")


@pytest.mark.parametrize(
    "value",
    [torch.tensor(0.5), torch.tensor([0.0, 1.0]), torch.tensor([[1]]), torch.empty(0)],
    ids=str,
)
def test_a_tensor_passes_if_all_its_numbers_do(value):
    check_in_interval("lr", value, "[0, 1]")


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_one_bad_number_in_a_tensor_is_found_and_printed_alone(bad):
    value = torch.full((40, 1), 0.5)
    value[17] = bad
    with pytest.raises(ValueError, match="lr must be in") as error:
        check_in_interval("lr", value, "[0, 1]")
    assert str(error.value) == f"lr must be in [0, 1], got {bad}"


@pytest.mark.parametrize("value", [torch.tensor(True), torch.tensor([1j])], ids=str)
def test_a_tensor_of_booleans_or_complex_numbers_is_a_type_error(value):
    with pytest.raises(TypeError, match="lr must be a number"):
        check_in_interval("lr", value, "[0, 1]")


@pytest.mark.parametrize("value", [1, 2, 10**30, np.int64(3)])
def test_positive_integers_pass(value):
    check_positive_int("num_steps", value)


@pytest.mark.parametrize("value", [0, -1])
def test_an_integer_that_is_too_small_is_a_value_error(value):
    with pytest.raises(ValueError, match=rf"^num_steps .* at least 1, got {value}$"):
        check_positive_int("num_steps", value)
    check_positive_int("num_steps", value, at_least=-1)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, math.nan, torch.tensor(1)])
def test_what_is_not_an_integer_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"^num_steps must be an integer of at least 1, got "):
        check_positive_int("num_steps", value)


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_seeds_that_every_generator_takes_pass(seed):
    check_seed(seed)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_that_some_generator_refuses_are_refused(seed):
    with pytest.raises(ValueError, match=rf"^seed must be .*got {seed}$"):
        check_seed(seed)


def test_a_choice_is_one_of_those_listed():
    check_choice("reduction", "sum", ["mean", "sum"])
    with pytest.raises(ValueError, match=r"^reduction must be one of 'mean', 'sum', got 'Sum'$"):
        check_choice("reduction", "Sum", ["mean", "sum"])


@pytest.mark.parametrize(
    ("found", "shape"),
    [((), ()), ((3,), (3,)), ((3,), (None,)), ((0, 2), (None, 2)), ((4, 5), (None, None))],
)
def test_a_shape_that_fits_passes(found, shape):
    check_shape("theta", torch.zeros(found), shape)


@pytest.mark.parametrize(
    ("found", "shape", "wanted"),
    [
        ((3,), (2,), "(2,)"),
        ((3,), (), "()"),
        ((), (None,), "(*,)"),
        ((2, 3), (None, 2), "(*, 2)"),
        ((2, 3), (2, 3, None), "(2, 3, *)"),
        ((1, 2), (0, 2), "(0, 2)"),
    ],
)
def test_a_shape_that_does_not_fit_is_printed_beside_the_one_wanted(found, shape, wanted):
    with pytest.raises(ValueError, match="theta must have shape") as error:
        check_shape("theta", torch.zeros(found), shape)
    assert str(error.value) == f"theta must have shape {wanted}, got {found}"


def test_a_dtype_that_differs_is_printed_beside_the_one_wanted():
    check_dtype("target", torch.zeros(2), torch.float32)
    with pytest.raises(ValueError, match=r"^target must have dtype torch.int64, got torch.bool$"):
        check_dtype("target", torch.tensor([True]), torch.int64)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_tensors_of_floating_point_numbers_pass(dtype):
    check_floating("input", torch.zeros(2, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_tensors_of_other_numbers_do_not(dtype):
    with pytest.raises(ValueError, match=rf"^input must be floating point, got {dtype}$"):
        check_floating("input", torch.zeros(2, dtype=dtype))


@pytest.mark.parametrize("value", [1.0, [1.0], np.ones(2), None])
def test_what_is_not_a_tensor_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"^input must be a tensor, got "):
        check_floating("input", value)
    with pytest.raises(TypeError, match=r"^target must be a tensor, got "):
        check_dtype("target", value, torch.float32)


def test_numbers_that_vmap_hides_go_unchecked():
    def double(value):
        check_in_interval("value", value, "[0, 1]")
        return 2 * value

    with pytest.raises(ValueError, match="value must be in"):
        double(torch.tensor([0.5, 3.0]))
    assert torch.func.vmap(double)(torch.tensor([0.5, 3.0])).tolist() == [1.0, 6.0]


@pytest.mark.parametrize("value", [(0.9, 0.99), [0.9, 0.99]])
def test_two_numbers_may_come_in_a_tuple_or_a_list(value):
    check_length("betas", value, 2)


@pytest.mark.parametrize(
    ("value", "error"),
    [(0.9, TypeError), ("ab", TypeError), ((), ValueError), ([1] * 3, ValueError)],
)
def test_another_number_of_numbers_is_refused(value, error):
    with pytest.raises(error, match=rf"^betas must be 2 numbers, got {re.escape(repr(value))}$"):
        check_length("betas", value, 2)


@pytest.mark.parametrize("value", [0, 1.0, None, "True", torch.tensor(True)])
def test_a_flag_is_true_or_false_and_nothing_that_stands_for_them(value):
    check_flag("nesterov", True)
    with pytest.raises(TypeError, match=r"^nesterov must be True or False, got "):
        check_flag("nesterov", value)
