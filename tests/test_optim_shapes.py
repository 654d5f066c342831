"""The contract of rules of every shape: a run is the same alone, in a batch, a sweep, a class."""

import copy
import io
import itertools

import pytest
import torch
from declared import allowed
from shapes import SHAPES, Averaged, Backtracking, ClippedSGD, Normalized, Scaled, SharpnessAware
from torch import nn
from torch.nn.functional import mse_loss

from descent.optim import OPTIMIZERS, SGD, AdamW, clip_grad_norm, clipped, describe
from descent.sweeps import grid, sweep
from descent.tasks.data import Dataset
from descent.tasks.problems import rosenbrock
from descent.training import fit, minimize
from descent.training.lr_finder import lr_range_test

ALL = SHAPES | {name: OPTIMIZERS[name] for name in ("SGD", "Adam", "RAdam")}
ROWS = pytest.mark.parametrize("optimizer", ALL.values(), ids=ALL)
TENSORS = [(), (3,), (4, 5), (2, 3, 4)]
CLOSE = {"rtol": 1e-12, "atol": 1e-12}


class Odd(nn.Module):
    """A model of parameters with none to three axes, whose loss is not quadratic."""

    def __init__(self, seed=0, dtype=torch.float64):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.parts = nn.ParameterList(
            torch.randn(shape, generator=generator, dtype=dtype) for shape in TENSORS
        )

    def forward(self, input):
        number, vector, matrix, cube = self.parts
        hidden = torch.tanh(input @ matrix.mT + vector.sum())
        return number * hidden.sum(-1, keepdim=True) + torch.tanh(cube).sum((0, 1)) * hidden


def data():
    generator = torch.Generator().manual_seed(7)
    input, target = (
        torch.randn(8, size, generator=generator, dtype=torch.float64) for size in (5, 4)
    )
    return Dataset(input, target)


def swept(runs, num_steps=6):
    return sweep(runs, model=Odd, loss_fn=mse_loss, dataset=data(), num_steps=num_steps)


@ROWS
def test_a_run_in_a_batch_is_the_run_alone(optimizer):
    problem = rosenbrock()
    starts = torch.stack([problem.start, 0.9 * problem.start, 1.3 * problem.start + 0.1])
    rates = [1e-4, 2e-4, 4e-4]
    column = torch.tensor(rates, dtype=torch.float64)[:, None]
    batch = minimize(problem.objective, starts, optimizer, num_steps=12, lr=column)
    for run, (start, rate) in enumerate(zip(starts, rates, strict=True)):
        alone = minimize(problem.objective, start, optimizer, num_steps=12, lr=rate)
        torch.testing.assert_close(batch.params[:, run], alone.params, **CLOSE)
        torch.testing.assert_close(batch.loss[:, run], alone.loss, **CLOSE)
        assert not torch.equal(alone.params[0], alone.params[-1])


@ROWS
def test_the_class_takes_the_same_steps_as_minimize(optimizer):
    problem = rosenbrock()
    trace = minimize(problem.objective, problem.start, optimizer, num_steps=12, lr=1e-3)
    theta = problem.start.clone().requires_grad_()
    ours = optimizer([theta], lr=1e-3)

    def closure():
        ours.zero_grad()
        loss = problem.objective(theta)
        loss.backward()
        return loss

    for row in range(12):
        with ours.evaluating():
            torch.testing.assert_close(trace.params[row], theta.detach(), **CLOSE)
        ours.step(closure)
    with ours.evaluating():
        torch.testing.assert_close(trace.params[-1], theta.detach(), **CLOSE)


@ROWS
def test_a_run_of_a_sweep_is_the_same_run_alone_and_the_class_on_the_model(optimizer):
    runs = grid(optimizer=optimizer, lr=[0.01, 0.02], seed=[0, 1])
    together = swept(runs)
    for run, settings in enumerate(runs):
        mine = together[together.run == run].reset_index(drop=True)
        alone = swept([settings])
        model = Odd(settings["seed"])
        batch = (data().input, data().target)
        trace = fit(
            model,
            mse_loss,
            itertools.repeat(batch),
            optimizer(model.parameters(), lr=settings["lr"]),
            num_steps=6,
        )
        for name in ("loss", "grad_norm"):
            values = torch.tensor(mine[name].to_numpy())
            torch.testing.assert_close(values, torch.tensor(alone[name].to_numpy()), **CLOSE)
            torch.testing.assert_close(values, getattr(trace, name), **CLOSE)
        assert mine.loss.iloc[0] != mine.loss.iloc[-1]


def test_pytorchs_optimizers_are_not_given_a_batch_for_one_parameter():
    with pytest.raises(ValueError, match=r"^start must have shape \(dim,\) with PyTorch's Adam"):
        minimize(lambda at: at.sum(-1), torch.ones(3, 2), torch.optim.Adam, num_steps=1, lr=0.1)


def test_without_the_lift_the_norm_of_a_batch_is_not_that_of_a_run():
    # What a rule that is not elementwise would do if it saw the axis of runs.
    grads = torch.tensor([[3.0, 4.0], [30.0, 40.0]], dtype=torch.float64)
    seen, _ = Normalized.rule(torch.zeros(2, 2), grads, {}, lr=0.1)
    assert not torch.allclose(seen.norm(dim=1), torch.full((2,), 0.1, dtype=torch.float64))
    bowl = lambda theta: (theta**2).sum(-1)  # noqa: E731
    moved = minimize(bowl, grads, Normalized, num_steps=1, lr=0.1).params.diff(dim=0).norm(dim=-1)
    torch.testing.assert_close(moved, torch.full((1, 2), 0.1, dtype=torch.float64))


@pytest.mark.parametrize(
    "optimizer",
    [each for each in ALL.values() if each.__name__ != "Routed"],  # a matrix is no matrix of pairs
    ids=lambda each: each.__name__,
)
def test_complex_parameters_move_as_pairs_of_real_ones(optimizer):
    def model(dtype):
        generator = torch.Generator().manual_seed(0)
        params = [
            torch.randn(each, generator=generator, dtype=torch.complex128) for each in TENSORS
        ]
        return [(p if dtype.is_complex else torch.view_as_real(p)).requires_grad_() for p in params]

    moved = []
    for dtype in (torch.complex128, torch.float64):
        params = model(dtype)
        ours = optimizer(params, lr=0.05)

        def closure(params=params, ours=ours):
            ours.zero_grad()
            loss = sum(
                (param.abs() ** 2 if param.is_complex() else param**2).sum() for param in params
            )
            loss.backward()
            return loss

        for _ in range(4):
            ours.step(closure)
        moved.append(
            [p.detach() if not p.is_complex() else torch.view_as_real(p.detach()) for p in params]
        )
    for one, other in zip(*moved, strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


def trained(model, ours, num_steps):
    def closure():
        ours.zero_grad()
        loss = mse_loss(model(data().input), data().target)
        loss.backward()
        return loss

    for _ in range(num_steps):
        ours.step(closure)


@ROWS
def test_a_state_goes_into_a_file_and_back_both_ways(optimizer):
    model = Odd()
    ours = optimizer(model.parameters(), lr=0.01)
    trained(model, ours, 3)
    there = Odd(seed=5)
    there.load_state_dict(model.state_dict())
    heir = optimizer(there.parameters(), lr=0.5)
    for giver, taker in ((ours, heir), (heir, ours)):
        file = io.BytesIO()
        torch.save(giver.state_dict(), file)
        file.seek(0)
        taker.load_state_dict(torch.load(file))
    trained(model, ours, 3)
    trained(there, heir, 3)
    for one, other in zip(model.parameters(), there.parameters(), strict=True):
        assert torch.equal(one, other)


@ROWS
def test_compiled_steps_are_the_same_steps_or_refused(optimizer):
    model, other = Odd(), Odd()
    plain, compiled = optimizer(model.parameters(), lr=0.01), optimizer(other.parameters(), lr=0.01)
    if optimizer.asks:
        with pytest.raises(TypeError, match=f"^{optimizer.__name__} asks for gradients itself"):
            compiled.compile()
        return
    compiled.compile()
    for rate in (0.01, 0.005):
        for ours, its in ((plain, model), (compiled, other)):
            ours.param_groups[0]["lr"] = rate
            trained(its, ours, 3)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, **CLOSE)
        assert plain.state[one].keys() == compiled.state[two].keys()
        for name, value in plain.state[one].items():
            kept = compiled.state[two][name]
            assert (kept.shape, kept.dtype) == (value.shape, value.dtype)
            torch.testing.assert_close(kept, value, **CLOSE)


# Clipping


def lengthy(scale):
    generator = torch.Generator().manual_seed(3)
    return tuple(scale * torch.randn(shape, generator=generator) for shape in TENSORS)


@pytest.mark.parametrize("scale", [1e-8, 0.01, 1.0, 1e20, float("inf"), float("nan")])
@pytest.mark.parametrize("max_norm", [0.1, 1.0, 50.0])
def test_clipping_is_pytorchs(scale, max_norm):
    params = [torch.zeros(shape).requires_grad_() for shape in TENSORS]
    for param, grad in zip(params, lengthy(scale), strict=True):
        param.grad = grad.clone()
    torch.nn.utils.clip_grad_norm_(params, max_norm)
    for param, ours in zip(params, clip_grad_norm(lengthy(scale), max_norm), strict=True):
        torch.testing.assert_close(ours, param.grad, rtol=1e-6, atol=0, equal_nan=True)
        assert ours.dtype == param.grad.dtype


def test_the_norm_that_is_clipped_is_that_of_all_groups():
    params, others = list(Odd().parameters()), list(Odd().parameters())
    groups = [{"params": params[:2], "lr": 0.5}, {"params": params[2:]}]
    ours = ClippedSGD(groups, lr=0.1, momentum=0.9, max_norm=0.7)
    groups = [{"params": others[:2], "lr": 0.5}, {"params": others[2:]}]
    theirs = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    for step in range(4):
        for param, other in zip(params, others, strict=True):
            generator = torch.Generator().manual_seed(step)
            param.grad = torch.randn(param.shape, generator=generator, dtype=param.dtype)
            other.grad = param.grad.clone()
        torch.nn.utils.clip_grad_norm_(others, 0.7)
        ours.step()
        theirs.step()
    for param, other in zip(params, others, strict=True):
        torch.testing.assert_close(param, other, **CLOSE)


def test_what_belongs_to_the_whole_model_cannot_differ_between_groups():
    first, second = (torch.ones(2, requires_grad=True) for _ in range(2))
    ours = ClippedSGD([{"params": first}, {"params": second, "max_norm": 2.0}], max_norm=1.0)
    first.grad, second.grad = torch.ones(2), torch.ones(2)
    with pytest.raises(ValueError, match=r"^max_norm must be the same in all groups of ClippedSGD"):
        ours.step()
    assert torch.equal(first, torch.ones(2))


def test_a_clipped_optimizer_has_the_others_arguments_and_its_own_by_name():
    found = clipped(AdamW)
    assert found.__name__ == "ClippedAdamW"
    assert [*found.hyperparameters] == [*AdamW.hyperparameters, "max_norm"]
    theta = torch.ones(1, requires_grad=True)
    assert found([theta], 0.1, (0.5, 0.5)).param_groups[0]["betas"] == (0.5, 0.5)
    with pytest.raises(ValueError, match=r"^max_norm must be in \(0, inf\), got 0$"):
        found([theta], max_norm=0)


def test_what_the_other_optimizer_refuses_is_refused():
    theta = torch.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match=r"^nesterov=True needs momentum above 0"):
        clipped(SGD)([theta], nesterov=True)
    assert clipped(SGD) is clipped(SGD)


# Rules that ask


@pytest.mark.parametrize("optimizer", [SharpnessAware, Backtracking])
def test_a_rule_that_asks_needs_a_closure(optimizer):
    theta = torch.ones(2, requires_grad=True)
    theta.grad = torch.ones(2)
    with pytest.raises(TypeError, match="asks for gradients itself: step needs a closure"):
        optimizer([theta]).step()
    assert torch.equal(theta, torch.ones(2))


def test_a_closure_that_raises_halfway_leaves_the_parameters_where_they_were():
    theta = torch.ones(2, requires_grad=True)
    ours, calls = SharpnessAware([theta], lr=0.1), []

    def closure():
        calls.append(theta.detach().clone())
        if len(calls) == 2:
            raise KeyboardInterrupt
        ours.zero_grad()
        loss = (theta**2).sum()
        loss.backward()
        return loss

    with pytest.raises(KeyboardInterrupt):
        ours.step(closure)
    assert not torch.equal(calls[1], torch.ones(2))
    assert torch.equal(theta, torch.ones(2))


def test_a_line_search_takes_a_course_of_its_own_in_each_run():
    bowl = lambda theta: (theta**2).sum(-1)  # noqa: E731
    starts = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    rates = torch.tensor([[0.4], [4.0]], dtype=torch.float64)
    steps = minimize(bowl, starts, Backtracking, num_steps=1, lr=rates).params.diff(dim=0)
    # 4 is halved to 0.5, where half of the promised fall is just what there is.
    torch.testing.assert_close(steps[0, :, 0], torch.tensor([-0.8, -2.0], dtype=torch.float64))


@ROWS
def test_the_range_test_trains_every_shape(optimizer):
    model = Odd()
    batch = (data().input, data().target)
    found = lr_range_test(
        model, mse_loss, itertools.repeat(batch), optimizer(model.parameters(), lr=0.1),
        min_lr=1e-5, max_lr=0.1, num_steps=20,
    )  # fmt: skip
    assert found.loss.isfinite().all()
    assert found.loss.min() < found.loss[0]


# Where a model is judged


def test_a_mean_is_reported_and_the_parameters_put_back():
    theta = torch.ones(2, dtype=torch.float64, requires_grad=True)
    ours, path = Averaged([theta], lr=0.1), []
    for _ in range(3):
        theta.grad = 2 * theta.detach()
        ours.step()
        path.append(theta.detach().clone())
    with ours.evaluating():
        torch.testing.assert_close(theta.detach(), torch.stack(path).mean(0))
    assert torch.equal(theta, path[-1])
    trace = minimize(
        lambda at: (at**2).sum(-1), torch.ones(2).double(), Averaged, num_steps=3, lr=0.1
    )
    torch.testing.assert_close(trace.params[-1], torch.stack(path).mean(0))
    torch.testing.assert_close(trace.loss[-1], (torch.stack(path).mean(0) ** 2).sum())


# What a rule says of itself


@ROWS
def test_a_description_says_what_the_class_does(optimizer):
    import json

    described = json.loads(json.dumps(describe(optimizer), allow_nan=False))
    group = optimizer([torch.ones(2)]).param_groups[0]
    for each in described["hyperparameters"]:
        default = group[each["name"]]
        assert each["default"] == (list(default) if isinstance(default, tuple) else default)
        assert each["meaning"]
        if each["kind"] in ("number", "numbers", "integer"):
            interval = allowed(optimizer)[each["name"]] if each["kind"] == "number" else None
            if interval:
                low, high = (float(end) for end in interval[1:-1].split(","))
                assert (each["low"] or low, each["high"] or high) == (low, high)
                assert each["low_included"] == interval.startswith("[")
    model = Odd()
    ours = optimizer(model.parameters(), lr=0.01)
    trained(model, ours, 1)
    always = {each["name"] for each in described["state"] if each["when"] is None}
    kept = {name for state in ours.state.values() for name in state}
    assert always == kept


def test_a_description_says_what_turns_a_state_on():
    assert describe(SGD)["state"] == [
        {"name": "momentum_buffer", "of": "element", "when": "momentum"}
    ]
    assert {"name": "length", "of": "model", "when": None} in describe(Scaled)["state"]
    states = {each["name"]: each for each in describe(OPTIMIZERS["Adam"])["state"]}
    assert states["max_exp_avg_sq"]["when"] == "amsgrad"
    assert states["step"] == {"name": "step", "of": "parameter", "when": None}


def test_a_copy_of_a_compiled_optimizer_goes_on_uncompiled():
    model = Odd()
    ours = OPTIMIZERS["Adam"](model.parameters(), lr=0.01)
    ours.compile()
    trained(model, ours, 3)
    other, heir = copy.deepcopy((model, ours))
    trained(model, ours, 2)
    trained(other, heir, 2)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, **CLOSE)


def test_noise_is_that_of_one_batch_at_every_point_a_rule_asks_about():
    bowl = lambda theta: (theta**2).sum(-1)  # noqa: E731
    drawn = torch.tensor([[0.3, -0.2], [0.1, 0.4]], dtype=torch.float64)
    starts, calls = torch.ones(2, 2, dtype=torch.float64), []

    def noise(theta):
        calls.append(theta)
        return drawn

    trace = minimize(bowl, starts, SharpnessAware, num_steps=1, lr=0.1, rho=0.5, noise=noise)
    assert len(calls) == 1
    here = 2 * starts + drawn
    uphill = 2 * (starts + 0.5 * here / here.norm(dim=-1, keepdim=True)) + drawn
    torch.testing.assert_close(trace.params[-1], starts - 0.1 * uphill, **CLOSE)
