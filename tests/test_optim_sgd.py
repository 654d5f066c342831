"""What sets SGD apart from the contract that all optimizers keep."""

import pytest
import torch

from descent.optim import SGD, sgd
from descent.tasks.problems import quadratic
from descent.training import minimize


def theta():
    return torch.tensor([1.0], dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "nesterov=True needs momentum above 0, got 0"),
        ({"momentum": 0.9, "dampening": 0.5}, "nesterov=True needs dampening=0, got 0.5"),
    ],
)
def test_nesterov_needs_momentum_and_no_dampening(settings, message):
    settings = settings | {"nesterov": True}
    with pytest.raises(ValueError, match=message):
        SGD([theta()], **settings)
    with pytest.raises(ValueError, match=message):
        SGD([{"params": theta(), **settings}])
    with pytest.raises(ValueError, match=message):
        minimize(quadratic([1.0]).objective, torch.ones(1), SGD, num_steps=1, lr=0.1, **settings)
    with pytest.raises(ValueError, match="needs momentum above 0"):
        SGD.check(nesterov=True, momentum=torch.tensor([0.9, 0.0]))


@pytest.mark.parametrize("dampening", [-0.5, 1.0, 1.5, 3.0])
def test_any_finite_dampening_is_pytorchs(dampening):
    ends = []
    for optimizer in (SGD, torch.optim.SGD):
        param = theta()
        made = optimizer([param], lr=0.1, momentum=0.5, dampening=dampening)
        for _ in range(4):
            param.grad = param.detach().clone()
            made.step()
        ends.append(param.detach())
    torch.testing.assert_close(*ends, rtol=1e-12, atol=0.0)
    for bad in (float("inf"), float("-inf"), float("nan")):
        with pytest.raises(ValueError, match=r"^dampening must be in \(-inf, inf\), got"):
            SGD([theta()], momentum=0.5, dampening=bad)


def test_the_gradient_may_be_overwritten_after_the_first_step():
    param = theta()
    optimizer = SGD([param], lr=0.1, momentum=0.9)
    param.grad = torch.tensor([1.0], dtype=torch.float64)
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    assert optimizer.state[param]["momentum_buffer"] == 1.0


def test_without_momentum_nothing_is_remembered_and_nothing_dampened():
    options = SGD.complete(lr=0.1, dampening=0.7)
    param, state = sgd(torch.ones(1), torch.ones(1), {}, **options)
    param, state = sgd(param, torch.ones(1), state, **options)
    assert state == {}
    torch.testing.assert_close(param, torch.tensor([0.8]))


@pytest.mark.parametrize("first", [0.0, 0.9])
def test_momentum_turned_on_or_off_in_mid_run_is_as_in_pytorch(first):
    results = []
    for optimizer_class in (SGD, torch.optim.SGD):
        param = theta()
        optimizer = optimizer_class([param], lr=0.1, momentum=first, dampening=0.3)
        for step in range(6):
            if step in (2, 4):
                group = optimizer.param_groups[0]
                group["momentum"] = 0.9 - group["momentum"]
            param.grad = torch.tensor([1.0 + step], dtype=torch.float64)
            optimizer.step()
        results.append(param.detach())
    torch.testing.assert_close(*results, rtol=1e-12, atol=0)


def test_runs_with_and_without_momentum_share_a_batch():
    bowl = quadratic([1.0, 4.0])
    momenta = [0.0, 0.5, 0.9]
    options = {"lr": 0.05, "dampening": 0.4, "weight_decay": 0.1, "num_steps": 9}
    batch = minimize(
        bowl.objective,
        bowl.start.expand(3, 2),
        SGD,
        momentum=torch.tensor(momenta, dtype=torch.float64)[:, None],
        **options,
    )
    for run, momentum in enumerate(momenta):
        alone = minimize(bowl.objective, bowl.start, SGD, momentum=momentum, **options)
        torch.testing.assert_close(batch.params[:, run], alone.params, rtol=1e-12, atol=0)
