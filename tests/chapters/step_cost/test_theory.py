"""Closed forms of the chapter on what a step costs, against PyTorch's own numbers."""

import pytest
import torch

from descent.chapters.step_cost import theory
from descent.optim import OPTIMIZERS, Adam

DTYPES = {torch.bfloat16: 8, torch.float16: 11, torch.float32: 24, torch.float64: 53}


@pytest.mark.parametrize(
    ("name", "options", "num_states"),
    [
        ("gradient descent", {}, 0),
        ("SGD", {}, 0),
        ("SGD", {"momentum": 0.9}, 1),
        ("Adagrad", {}, 1),
        ("RMSprop", {}, 1),
        ("RMSprop", {"centered": True, "momentum": 0.9}, 3),
        ("Adam", {}, 2),
        ("Adam", {"amsgrad": True}, 3),
        ("AdamW", {}, 2),
        ("NAdam", {}, 2),
        ("RAdam", {}, 2),
        ("Adamax", {}, 2),
    ],
)
def test_traffic_is_what_goes_in_and_what_comes_out(name, options, num_states):
    rule, options = OPTIMIZERS[name].rule, OPTIMIZERS[name].complete(lr=0.1, **options)
    param, grad = torch.ones(50, 2), torch.ones(50, 2)
    _, state = rule(param, grad, {}, **options)  # the first step begins the state
    new, after = rule(param, grad, state, **options)
    tensors = [param, grad, new, *state.values(), *after.values()]
    moved = sum(tensor.nbytes for tensor in tensors if tensor.ndim)
    assert moved == theory.step_traffic(num_states) * param.numel()
    assert torch.equal(grad, torch.ones_like(grad))


def test_traffic_follows_the_type():
    assert theory.step_traffic(2, itemsize=2) == 14
    assert theory.step_traffic(torch.tensor([0, 2]), 8).tolist() == [24, 56]


def test_a_step_cannot_be_faster_than_the_memory():
    assert theory.step_time_bound(3e6, traffic=20, bandwidth=6e9) == pytest.approx(0.01)
    sizes = torch.tensor([1.0, 2.0])
    assert theory.step_time_bound(sizes, 2, 4).tolist() == [0.5, 1.0]


def test_launches_come_on_top_or_at_the_same_time():
    parts = {"traffic": 28, "bandwidth": 28e9, "launches": 150, "overhead": 2e-6}
    assert theory.step_time(1e6, **parts) == pytest.approx(1e-3 + 3e-4)
    assert theory.step_time(1e6, **parts, overlap=True) == pytest.approx(1e-3)
    assert theory.step_time(1e4, **parts, overlap=True) == pytest.approx(3e-4)
    sizes = torch.tensor([1e4, 1e6], dtype=torch.float64)
    assert theory.step_time(sizes, **parts, overlap=True).tolist() == pytest.approx([3e-4, 1e-3])


def test_at_the_crossover_both_parts_are_equal():
    parts = {"traffic": 20, "bandwidth": 7e9, "launches": 40, "overhead": 3e-6}
    size = theory.crossover_size(**parts)
    assert theory.step_time(size, **parts) == pytest.approx(
        2 * theory.step_time(size, **parts, overlap=True)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [1.0, 1.5, -3.0, 0.007, 640.0])
def test_spacing_is_the_distance_to_the_next_float(dtype, value):
    here = torch.tensor(value, dtype=dtype)
    there = torch.nextafter(here, here.sign() * torch.finfo(dtype).max)
    gap = (there.double() - here.double()).abs().item()
    assert theory.float_spacing(here.item(), DTYPES[dtype]) == gap
    assert theory.float_spacing(here.double(), DTYPES[dtype]).item() == gap


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("value", [1.0, 1.5, 3.0, 640.0])
def test_rounding_gives_the_weight_back_up_to_the_threshold(dtype, value):
    threshold = theory.stall_threshold(value, DTYPES[dtype])
    for part, moves in ((0.99, False), (1.01, True)):
        after = torch.tensor(value + part * threshold, dtype=torch.float64).to(dtype)
        assert (after.item() != value) == moves


def test_no_weight_moves_at_the_ratio_and_all_at_twice_it():
    weights = 1 + torch.arange(128, dtype=torch.float64) / 128
    assert torch.equal(weights.bfloat16().double(), weights)
    ratio = theory.stall_ratio(8)
    for sign in (-1, 1):
        assert torch.equal((weights * (1 + sign * ratio)).bfloat16().double(), weights)
        assert (((weights * (1 + sign * 2.01 * ratio)).bfloat16().double()) != weights).all()


def test_stochastic_rounding_is_a_coin_between_two_neighbours():
    for offset in (0.3, 2.3, -0.7):  # all lie 0.3 gaps above a float
        assert theory.stochastic_rounding_variance(offset * 0.5, 0.5) == pytest.approx(
            0.3 * 0.7 * 0.25
        )
    assert theory.stochastic_rounding_variance(torch.tensor([0.0, 0.5]), 1.0).tolist() == [0, 0.25]


def test_adam_without_gradients_keeps_its_average_of_squares_in_bfloat16():
    options = Adam.complete()
    rule_state = {
        "step": torch.tensor(1e3),
        "exp_avg": torch.zeros(1, dtype=torch.bfloat16),
        "exp_avg_sq": torch.ones(1, dtype=torch.bfloat16),
    }
    param = torch.ones(1, dtype=torch.bfloat16)
    assert 1 - options["betas"][1] < theory.stall_ratio(8)
    for _ in range(100):
        param, rule_state = Adam.rule(param, torch.zeros_like(param), rule_state, **options)
    assert rule_state["exp_avg_sq"].item() == 1


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (theory.step_traffic, {"num_states": -1}),
        (theory.step_traffic, {"num_states": 1, "itemsize": 0}),
        (theory.step_time_bound, {"num_params": -1, "traffic": 12, "bandwidth": 1.0}),
        (theory.step_time_bound, {"num_params": 1, "traffic": 0, "bandwidth": 1.0}),
        (theory.step_time_bound, {"num_params": 1, "traffic": 12, "bandwidth": 0.0}),
        (theory.float_spacing, {"value": 0.0, "digits": 8}),
        (theory.float_spacing, {"value": float("inf"), "digits": 8}),
        (theory.float_spacing, {"value": 1.0, "digits": 1}),
        (theory.stall_ratio, {"digits": 54}),
        (theory.stochastic_rounding_variance, {"offset": 1.0, "spacing": 0.0}),
    ],
)
def test_what_makes_no_sense_is_refused(function, arguments):
    with pytest.raises(ValueError, match="must be in"):
        function(**arguments)


@pytest.mark.parametrize("name", ["launches", "overhead"])
def test_there_is_no_negative_launch(name):
    arguments = {"traffic": 12, "bandwidth": 1.0, "launches": 1, "overhead": 1.0, name: -1}
    with pytest.raises(ValueError, match=f"{name} must be in"):
        theory.crossover_size(**arguments)
    with pytest.raises(ValueError, match=f"{name} must be in"):
        theory.step_time(1, **arguments)


def test_overlap_is_a_flag():
    with pytest.raises(TypeError, match="overlap"):
        theory.step_time(1, 12, 1.0, launches=1, overhead=1.0, overlap=1)
