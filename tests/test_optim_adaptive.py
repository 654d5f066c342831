"""What sets the rules that scale each coordinate apart from the contract of all optimizers."""

import math

import pytest
import torch
from declared import allowed
from torch.func import vmap

from descent.optim import (
    OPTIMIZERS,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    RAdam,
    RMSprop,
    rmsprop,
)
from descent.tasks.problems import quadratic
from descent.training import minimize

ADAPTIVE = [Adagrad, RMSprop, Adam, AdamW, NAdam, RAdam, Adamax]
ROWS = pytest.mark.parametrize("optimizer", ADAPTIVE, ids=lambda each: each.__name__)


def vector(*values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype)


def follow(optimizer, grads, start=0.0, **options):
    """Feed a rule these gradients, and return the parameter after each and the last state."""
    param, state, path = torch.full_like(grads[0], start), {}, []
    for grad in grads:
        param, state = optimizer.rule(param, grad, state, **optimizer.complete(**options))
        path.append(param)
    return torch.stack(path), state


def steps_of(optimizer, grads, **options):
    path, _ = follow(optimizer, grads, **options)
    return path.diff(dim=0, prepend=torch.zeros_like(path[:1]))


# What the equations say of a gradient that never changes, with nothing added to the root


def _nadam_step(t, beta1=0.9, psi=4e-3):
    mu = [beta1 * (1 - 0.5 * 0.96 ** (k * psi)) for k in range(1, t + 2)]
    now, ahead = math.prod(mu[:-1]), math.prod(mu)
    return (1 - mu[-2]) / (1 - now) + mu[-1] * (1 - beta1**t) / (1 - ahead)


def _radam_step(t, beta2=0.999):
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2**t / (1 - beta2**t)
    if length <= 5:
        return 7.0  # the gradient itself
    squared = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    return math.sqrt(squared)


CONSTANT = {
    Adagrad: lambda t: 1 / math.sqrt(t),
    RMSprop: lambda t: 1 / math.sqrt(1 - 0.99**t),
    Adam: lambda t: 1.0,
    AdamW: lambda t: 1.0,
    NAdam: _nadam_step,
    RAdam: _radam_step,
    Adamax: lambda t: 1.0,
}


@ROWS
def test_the_steps_along_a_constant_gradient_follow_from_the_equations(optimizer):
    grads = [vector(7.0)] * 40
    without = {"weight_decay": 0.0} if optimizer is AdamW else {}
    steps = steps_of(optimizer, grads, lr=0.1, eps=0.0, **without).flatten()
    expected = [-0.1 * CONSTANT[optimizer](t) for t in range(1, 41)]
    tolerance = 1e-6 if optimizer is NAdam else 1e-11
    torch.testing.assert_close(steps, vector(*expected), rtol=tolerance, atol=0)


@ROWS
def test_the_scale_of_the_gradient_does_not_matter(optimizer):
    generator = torch.Generator().manual_seed(0)
    grads = [torch.randn(3, dtype=torch.float64, generator=generator) for _ in range(20)]
    betas = {"betas": (0.9, 0.5)} if optimizer is RAdam else {}  # its average never is long
    plain = steps_of(optimizer, grads, lr=0.1, eps=0.0, **betas)
    scaled = steps_of(optimizer, [1000 * grad for grad in grads], lr=0.1, eps=0.0, **betas)
    if optimizer is RAdam:
        plain = 1000 * plain
    torch.testing.assert_close(scaled, plain, rtol=1e-9, atol=1e-12)


# Where epsilon stands


@pytest.mark.parametrize(
    ("optimizer", "first_step"),
    [
        (Adagrad, 1 / (1 + 0.5)),
        (RMSprop, 1 / (0.1 + 0.5)),
        (Adam, 1 / (1 + 0.5)),
        (NAdam, _nadam_step(1) / (1 + 0.5)),
        (Adamax, 1 / (1 + 0.5)),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_epsilon_is_added_to_the_root_after_its_start_is_corrected(optimizer, first_step):
    step = steps_of(optimizer, [vector(1.0)], lr=1.0, eps=0.5)
    torch.testing.assert_close(step, vector(-first_step)[:, None], rtol=1e-6, atol=0)


def test_radam_adds_epsilon_before_it_corrects_the_root():
    steps = steps_of(RAdam, [vector(1.0)] * 6, lr=1.0, eps=0.5)
    corrected = math.sqrt(1 - 0.999**6)
    expected = -_radam_step(6) * corrected / (corrected + 0.5)
    torch.testing.assert_close(steps[-1], vector(expected), rtol=1e-11, atol=0)


def test_amsgrad_keeps_the_largest_average_and_corrects_it_afterwards():
    # After a burst the average falls; the largest stays, and its correction fades with time.
    grads = [vector(10.0), *[vector(1.0)] * 9]
    options = {"lr": 1.0, "betas": (0.0, 0.9), "eps": 0.0}
    steps = steps_of(Adam, grads, amsgrad=True, **options).flatten()
    expected = [-1.0, *(-math.sqrt((1 - 0.9**t) / 10) for t in range(2, 11))]
    torch.testing.assert_close(steps, vector(*expected), rtol=1e-11, atol=0)


# Weight decay


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        (AdamW, {}),
        (Adam, {"decoupled_weight_decay": True}),
        (NAdam, {"decoupled_weight_decay": True}),
        (RAdam, {"decoupled_weight_decay": True}),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_decoupled_decay_shrinks_what_has_no_gradient_by_its_rate_alone(optimizer, options):
    path, state = follow(
        optimizer, [vector(0.0)] * 3, start=4.0, lr=0.1, weight_decay=0.5, **options
    )
    torch.testing.assert_close(path.flatten(), 4.0 * vector(0.95, 0.95**2, 0.95**3))
    assert state["exp_avg"] == 0


def test_coupled_decay_passes_through_the_root():
    path, _ = follow(Adam, [vector(0.0)], start=4.0, lr=0.1, weight_decay=0.5, eps=0.0)
    torch.testing.assert_close(path, vector(3.9)[:, None])


# What is remembered


@ROWS
def test_the_count_of_steps_is_a_number_of_its_own(optimizer):
    param = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    ours = optimizer([param])
    for _ in range(3):
        param.grad = torch.ones_like(param)
        ours.step()
    step = ours.state[param]["step"]
    assert (step.dtype, step.shape, step.item()) == (torch.float32, (), 3)


@ROWS
def test_the_gradient_may_be_overwritten_after_a_step(optimizer):
    param = torch.ones(2, dtype=torch.float64, requires_grad=True)
    ours = optimizer([param])
    param.grad = torch.ones_like(param)
    ours.step()
    kept = {name: each.clone() for name, each in ours.state[param].items()}
    ours.zero_grad(set_to_none=False)
    assert all(torch.equal(each, kept[name]) for name, each in ours.state[param].items())


@pytest.mark.parametrize(
    ("optimizer", "option", "key"),
    [
        (Adam, {"amsgrad": True}, "max_exp_avg_sq"),
        (AdamW, {"amsgrad": True}, "max_exp_avg_sq"),
        (RMSprop, {"centered": True}, "grad_avg"),
        (RMSprop, {"momentum": 0.9}, "momentum_buffer"),
    ],
)
def test_what_is_turned_on_in_mid_run_begins_there_and_stays_when_turned_off(
    optimizer, option, key
):
    options = optimizer.complete(lr=0.1)
    param, state, grad = vector(1.0), {}, vector(2.0)
    for _ in range(3):
        param, state = optimizer.rule(param, grad, state, **options)
    assert key not in state
    _, on = optimizer.rule(param, grad, state, **(options | option))
    begun = state | {key: torch.zeros_like(param)}
    _, expected = optimizer.rule(param, grad, begun, **(options | option))
    assert on[key] == expected[key] != 0
    _, off = optimizer.rule(param, grad, on, **options)
    assert off[key] == on[key]


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_adagrad_saves_its_sums_before_the_first_step_as_pytorch_does(dtype):
    params = [torch.zeros(2, dtype=dtype, requires_grad=True), torch.zeros((), dtype=dtype)]
    options = {"initial_accumulator_value": 0.25}
    ours, theirs = Adagrad(params, **options), torch.optim.Adagrad(params, **options)
    states = ours.state_dict()["state"], theirs.state_dict()["state"]
    assert states[0].keys() == states[1].keys() == {0, 1}
    for one, other in zip(*(each.values() for each in states), strict=True):
        torch.testing.assert_close(one, other)


def test_a_group_of_adagrad_starts_its_sums_where_it_says():
    params = [torch.zeros(1, requires_grad=True) for _ in range(3)]
    ours = Adagrad(
        [{"params": params[0]}, {"params": params[1], "initial_accumulator_value": 4.0}],
        initial_accumulator_value=1.0,
    )
    ours.add_param_group({"params": params[2], "initial_accumulator_value": 9.0})
    assert [ours.state[param]["sum"].item() for param in params] == [1.0, 4.0, 9.0]


def test_the_rule_of_adagrad_starts_its_sum_as_the_class_does():
    _, state = follow(Adagrad, [vector(3.0)], initial_accumulator_value=0.25)
    assert state["sum"] == 9.25


def test_adam_takes_up_a_run_of_pytorchs_adamw_as_adamw():
    results = []
    for heir in (Adam, AdamW):
        param = vector(4.0).requires_grad_()
        theirs = torch.optim.AdamW([param], lr=0.1, weight_decay=0.5)
        param.grad = vector(1.0)
        theirs.step()
        ours = heir([param])
        ours.load_state_dict(theirs.state_dict())
        ours.step()
        results.append(param.detach())
    assert torch.equal(*results)


def test_rmsprop_refuses_an_average_that_would_become_negative():
    with pytest.raises(ValueError, match=r"^alpha must be in \[0, 1\], got 1.5$"):
        RMSprop([torch.zeros(1)], alpha=1.5)


@pytest.mark.parametrize("optimizer", [RMSprop, Adam, NAdam, RAdam])
def test_a_square_that_overflows_alone_need_not_do_so_in_its_average(optimizer):
    results = []
    for each in (optimizer, getattr(torch.optim, optimizer.__name__)):
        param = vector(1.0, 1.0, 1.0, 1.0).requires_grad_()
        ours = each([param])
        param.grad = torch.full_like(param, 1e155)
        ours.step()
        state = ours.state[param]
        results.append(state.get("square_avg", state.get("exp_avg_sq")))
    assert results[0].isfinite().all()
    torch.testing.assert_close(*results, rtol=1e-12, atol=0)


def test_a_square_beyond_all_floats_leaves_a_centered_variance_infinite_as_in_pytorch():
    results = []
    for each in (RMSprop, torch.optim.RMSprop):
        param = vector(1.0, 1.0, 1.0, 1.0).requires_grad_()
        ours = each([param], alpha=0.5, centered=True)
        for value in (1e160, 1.0):
            param.grad = torch.full_like(param, value)
            ours.step()
        results.append(param.detach())
    torch.testing.assert_close(*results, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("optimizer", [Adam, AdamW, NAdam, RAdam, Adamax])
def test_after_an_infinite_gradient_the_average_is_no_number_as_in_pytorch(optimizer):
    averages = []
    for each in (optimizer, getattr(torch.optim, optimizer.__name__)):
        param = vector(1.0).requires_grad_()
        ours = each([param])
        for value in (math.inf, 1.0):
            param.grad = torch.full_like(param, value)
            ours.step()
        averages.append(ours.state[param]["exp_avg"])
    assert all(average.isnan().all() for average in averages)


# Batches


NUMBERS = [
    (optimizer, name)
    for optimizer in OPTIMIZERS.values()
    for name, interval in allowed(optimizer).items()
    if interval is not bool
]


@pytest.mark.parametrize(("optimizer", "name"), NUMBERS)
def test_a_rule_can_be_mapped_over_runs_whose_numbers_are_in_float64(optimizer, name):
    values = [0.25, 0.5, 0.75]
    pair = isinstance(allowed(optimizer)[name], tuple)
    column = torch.tensor(values, dtype=torch.float64)
    options = optimizer.complete(lr=0.1)
    if optimizer.rule.__name__ == "sgd" and name == "dampening":
        options["momentum"] = 0.9
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(3, 2, 4, generator=generator)
    grads = [torch.randn(3, 2, 4, generator=generator) for _ in range(8)]

    def step(param, grad, state, value):
        return optimizer.rule(
            param, grad, state, **(options | {name: (value, value) if pair else value})
        )

    params, states = start, {}
    for grad in grads:
        params, states = vmap(step)(params, grad, states, column)
    assert {each.dtype for each in (params, *states.values())} == {torch.float32}
    for run, value in enumerate(values):
        param, state = start[run], {}
        for grad in grads:
            param, state = step(param, grad[run], state, value)
        torch.testing.assert_close(params[run], param, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["weight_decay", "momentum"])
def test_runs_with_and_without_share_a_batch(name):
    bowl, values = quadratic([1.0, 4.0]), [0.0, 0.5]
    column = torch.tensor(values, dtype=torch.float64)[:, None]
    batch = minimize(
        bowl.objective, bowl.start.expand(2, 2), RMSprop, num_steps=9, lr=0.01, **{name: column}
    )
    for run, value in enumerate(values):
        alone = minimize(bowl.objective, bowl.start, RMSprop, num_steps=9, lr=0.01, **{name: value})
        torch.testing.assert_close(batch.params[:, run], alone.params, rtol=1e-12, atol=0)


@pytest.mark.parametrize("optimizer", [Adam, AdamW, NAdam, RAdam, Adamax])
def test_corrections_keep_their_digits_where_betas_are_float32(optimizer):
    beta = torch.tensor([[0.999]])
    grads = [torch.tensor([[1.0, -2.0]])] * 7
    alone, _ = follow(optimizer, grads, lr=1.0, betas=(beta.item(), beta.item()))
    batch, _ = follow(optimizer, grads, lr=1.0, betas=(beta, beta))
    torch.testing.assert_close(batch, alone, rtol=1e-6, atol=0)
    assert batch.dtype == torch.float32


@ROWS
def test_numbers_in_tensors_leave_a_parameter_without_dimensions_its_type(optimizer):
    results = []
    for kind in (float, lambda value: torch.tensor(value, dtype=torch.float64)):
        param = torch.tensor(2.0, requires_grad=True)
        options = {
            name: tuple(kind(0.5) for _ in interval) if isinstance(interval, tuple) else kind(0.3)
            for name, interval in allowed(optimizer).items()
            if interval is not bool
        }
        ours = optimizer([param], **options)
        for _ in range(3):
            param.grad = torch.tensor(0.7)
            ours.step()
        state = ours.state[param].values()
        assert {each.dtype for each in (param, *state)} == {torch.float32}
        results.append([param.detach(), *state])
    assert all(torch.equal(*pair) for pair in zip(*results, strict=True))


def test_a_centered_average_is_the_variance_of_the_gradients():
    generator = torch.Generator().manual_seed(0)
    grads = 3.0 + 0.5 * torch.randn(200, 1, dtype=torch.float64, generator=generator)
    _, state = follow(RMSprop, list(grads), alpha=0.9, centered=True)
    weights = 0.1 * 0.9 ** torch.arange(199, -1, -1, dtype=torch.float64)[:, None]
    mean = (weights * grads).sum(0)
    torch.testing.assert_close(state["grad_avg"], mean)
    options = RMSprop.complete(lr=1.0, alpha=0.9, centered=True, eps=0.0)
    after, new = rmsprop(vector(0.0), grads[0], state, **options)
    variance = new["square_avg"] - new["grad_avg"] ** 2
    torch.testing.assert_close(after, -grads[0] / variance.sqrt())
