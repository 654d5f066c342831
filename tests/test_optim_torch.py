"""Every optimizer that has a counterpart in PyTorch against it, and in exchange with it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from declared import allowed
from held import COUNTERPARTS
from hypothesis import given, settings, strategies as st

from descent.optim import GradientDescent, NAdam, RMSprop, RuleOptimizer

TOLERANCE: dict[type[RuleOptimizer], float] = {
    NAdam: 1e-6,  # the product of its momenta is in float32
}
"""Where 1e-12 cannot be had, since PyTorch itself rounds more coarsely."""
WELL_CONDITIONED: dict[type[RuleOptimizer], Callable[[dict[str, Any]], bool]] = {
    # A variance that is a small difference of large numbers is mostly rounding.
    RMSprop: lambda chosen: not chosen["centered"] or chosen["alpha"] > 0.5,
    # Through coupled decay the coarse product of momenta comes back, divided by eps, each step.
    NAdam: lambda chosen: (
        chosen["decoupled_weight_decay"]
        or chosen["lr"] * chosen["weight_decay"] <= chosen["eps"] ** 2
    ),
}
"""Where a rule blows up rounding beyond any tolerance, the settings for which it does not."""
OF_ALL_GROUPS = ("initial_accumulator_value",)
"""What PyTorch reads from the constructor's argument, even where a group sets its own."""

ROWS = pytest.mark.parametrize("optimizer", COUNTERPARTS, ids=lambda each: each.__name__)
SPECIAL = [0.0, -0.0, 5e-324, 1e-300, -1e-160, 1.0, 1e160, -1e300, float("inf"), float("nan")]


def numbers(interval):
    """Generate numbers inside an interval, moderate ones, and often 0 where it is inside."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    inside = st.floats(
        max(low, -2.0), min(high, 2.0), exclude_min=interval[0] == "(", exclude_max=high < 2
    )
    return st.just(0.0) | inside if low < 0 or interval.startswith("[0") else inside


def values(allowed):
    if allowed is bool:
        return st.booleans()
    if isinstance(allowed, tuple):
        return st.tuples(*(numbers(each) for each in allowed))
    return numbers(allowed)


def options(optimizer):
    """Generate hyperparameters that the optimizer takes, alone and together."""

    def taken(chosen):
        try:
            optimizer.check(**chosen)
        except ValueError:
            return False
        return WELL_CONDITIONED.get(optimizer, lambda _: True)(chosen)

    return st.fixed_dictionaries(
        {name: values(interval) for name, interval in allowed(optimizer).items()}
    ).filter(taken)


def steady(chosen):
    """Say whether settings keep clear of dividing by what few digits round to 0."""
    decays = [*chosen.get("betas", ()), chosen.get("alpha", 0.0)]
    return chosen.get("eps", 1.0) > 0.01 and max(decays) < 0.99


def settings_of(data, optimizer, layout):
    """Draw the hyperparameters of each group."""
    own = [data.draw(options(optimizer)) for _ in layout]
    shared = {name: own[0][name] for name in OF_ALL_GROUPS if name in own[0]}
    return [each | shared for each in own]


shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)
layouts = st.lists(st.lists(shapes, min_size=1, max_size=3), min_size=1, max_size=3)
seeds = st.integers(0, 2**32 - 1)


def drawn(shape, seed, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def params_of(optimizer):
    return [param for group in optimizer.param_groups for param in group["params"]]


def groups(layout, settings, seed, dtype=torch.float64):
    return [
        {
            "params": [
                drawn(shape, seed + 10 * index + place, dtype).requires_grad_()
                for place, shape in enumerate(each)
            ],
            **own,
        }
        for index, (each, own) in enumerate(zip(layout, settings, strict=True))
    ]


def counterpart(optimizer, groups, **options):
    shared = {name: groups[0][name] for name in OF_ALL_GROUPS if name in groups[0]}
    return COUNTERPARTS[optimizer](groups, **shared, **options)


def advance(optimizer, seed, steps):
    """Step with gradients that follow from the seed; now and then a parameter has none."""
    for step in steps:
        for place, param in enumerate(params_of(optimizer)):
            absent = (seed + 7 * step + 3 * place) % 5 == 4
            grad = drawn(param.shape, seed + 1000 * step + place, param.dtype)
            param.grad = None if absent else grad
        optimizer.step()


def agree(ours, theirs, tolerance=1e-12):
    for own, other in zip(params_of(ours), params_of(theirs), strict=True):
        torch.testing.assert_close(own, other, rtol=tolerance, atol=tolerance, equal_nan=True)


def same_state(ours, theirs, tolerance=1e-12):
    for own, other in zip(params_of(ours), params_of(theirs), strict=True):
        mine, its = ours.state[own], theirs.state[other]
        assert mine.keys() == its.keys()
        for name in mine:
            assert mine[name].dtype == its[name].dtype, name
            torch.testing.assert_close(
                mine[name], its[name], rtol=tolerance, atol=tolerance, equal_nan=True
            )


@ROWS
@settings(deadline=None, max_examples=60)
@given(data=st.data(), layout=layouts, seed=seeds, num_steps=st.integers(1, 6))
def test_the_trajectory_and_the_state_are_pytorchs(optimizer, data, layout, seed, num_steps):
    own = settings_of(data, optimizer, layout)
    tolerance = TOLERANCE.get(optimizer, 1e-12)
    ours = optimizer(groups(layout, own, seed))
    theirs = counterpart(optimizer, groups(layout, own, seed))
    for each in (ours, theirs):
        advance(each, seed, range(num_steps))
    agree(ours, theirs, tolerance)
    same_state(ours, theirs, tolerance)


@ROWS
def test_the_defaults_are_pytorchs(optimizer):
    ours, theirs = optimizer([torch.zeros(1)]), COUNTERPARTS[optimizer]([torch.zeros(1)])
    defaults = ours.param_groups[0]
    assert {name: theirs.param_groups[0][name] for name in optimizer.hyperparameters} == {
        name: defaults[name] for name in optimizer.hyperparameters
    }


@pytest.mark.parametrize(
    "optimizer",
    [each for each in COUNTERPARTS if each is not GradientDescent],  # it has part of the options
    ids=lambda each: each.__name__,
)
@settings(deadline=None, max_examples=40)
@given(data=st.data(), layout=layouts, seed=seeds, first=st.integers(0, 3))
def test_a_run_is_handed_to_pytorch_and_back_and_goes_on_unchanged(
    optimizer, data, layout, seed, first
):
    own = settings_of(data, optimizer, layout)
    tolerance = TOLERANCE.get(optimizer, 1e-12)
    through = optimizer(groups(layout, own, seed))
    alone = counterpart(optimizer, groups(layout, own, seed))
    advance(through, seed, range(first))
    for start, other in ((first, COUNTERPARTS[optimizer]), (first + 2, optimizer)):
        heir = other(
            [
                {"params": [each.detach().clone().requires_grad_() for each in group["params"]]}
                for group in through.param_groups
            ]
        )
        heir.load_state_dict(copy.deepcopy(through.state_dict()))
        advance(heir, seed, range(start, start + 2))
        through = heir
    advance(alone, seed, range(first + 4))
    agree(through, alone, tolerance)


@ROWS
@settings(deadline=None, max_examples=25)
@given(data=st.data(), seed=seeds)
def test_complex_parameters_move_as_pytorchs_do(optimizer, data, seed):
    own, layout = data.draw(options(optimizer)), [[(), (3,), (2, 1)]]
    tolerance = TOLERANCE.get(optimizer, 1e-12)
    ours = optimizer(groups(layout, [own], seed, torch.complex128))
    theirs = counterpart(optimizer, groups(layout, [own], seed, torch.complex128))
    for each in (ours, theirs):
        advance(each, seed, range(3))
    agree(ours, theirs, tolerance)
    same_state(ours, theirs, tolerance)


@ROWS
@settings(deadline=None, max_examples=60)
@given(
    data=st.data(),
    seed=seeds,
    special=st.lists(st.sampled_from(SPECIAL), min_size=3, max_size=8),
)
def test_gradients_at_the_edge_of_the_numbers_do_what_they_do_in_pytorch(
    optimizer, data, seed, special
):
    own = data.draw(options(optimizer))
    ours = optimizer(groups([[(4,)]], [own], seed))
    theirs = counterpart(optimizer, groups([[(4,)]], [own], seed))
    for each in (ours, theirs):
        for step, value in enumerate(special):
            (param,) = params_of(each)
            param.grad = drawn((4,), seed + step)
            param.grad[1:3] = value
            each.step()
    agree(ours, theirs, TOLERANCE.get(optimizer, 1e-12))


@ROWS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@settings(deadline=None, max_examples=20)
@given(data=st.data(), seed=seeds)
def test_lower_precision_stays_within_its_rounding(optimizer, dtype, data, seed):
    own = data.draw(options(optimizer).filter(steady))
    ours = optimizer(groups([[(5,)]], [own], seed, dtype))
    theirs = counterpart(optimizer, groups([[(5,)]], [own], seed, dtype), foreach=False)
    for each in (ours, theirs):
        advance(each, seed, range(2))
    for one, other in zip(params_of(ours), params_of(theirs), strict=True):
        assert one.dtype == dtype
        size = max(1.0, other.abs().max().item())
        torch.testing.assert_close(one, other, rtol=0, atol=16 * torch.finfo(dtype).eps * size)
