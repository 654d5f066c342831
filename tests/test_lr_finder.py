"""The range test on losses whose curve is known, and on a network it must leave alone."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss
from torch.optim.lr_scheduler import StepLR

from descent.optim import SGD
from descent.tasks import data
from descent.tasks.models import mlp
from descent.tasks.sampling import reshuffled
from descent.training.lr_finder import lr_range_test

BATCH = torch.ones(1, 1), torch.zeros(1, 1)


class Point(nn.Module):
    """One weight, started at 1; on BATCH its loss under mse_loss is its square."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, dtype=torch.float64))

    def forward(self, input):
        return input * self.weight


def on_the_parabola(**settings):
    model = Point()
    optimizer = SGD(model.parameters(), lr=0.1)
    batches = itertools.repeat(tuple(each.double() for each in BATCH))
    return lr_range_test(model, mse_loss, batches, optimizer, **settings)


def test_rates_and_losses_are_those_of_the_run_written_by_hand():
    found = on_the_parabola(min_lr=1e-3, max_lr=0.9, num_steps=20, smoothing=0.5)
    rates = [1e-3 * 900 ** (step / 19) for step in range(20)]
    weight, losses, averages, average = 1.0, [], [], 0.0
    for step, rate in enumerate(rates):
        weight *= 1 - 2 * rate
        losses.append(weight**2)
        average = 0.5 * average + 0.5 * losses[-1]
        averages.append(average / (1 - 0.5 ** (step + 1)))
    for column, expected in (
        (found.lr, rates),
        (found.loss, losses),
        (found.smoothed, averages),
    ):
        torch.testing.assert_close(
            column, torch.tensor(expected, dtype=torch.float64), rtol=1e-10, atol=1e-14
        )


def test_the_suggestion_is_where_the_average_falls_fastest():
    found = on_the_parabola(min_lr=1e-4, max_lr=0.9, num_steps=60)
    fall = found.smoothed.diff() / found.lr.log().diff()
    near = found.lr[fall.argmin() : fall.argmin() + 2]
    assert near[0] <= found.suggestion <= near[1]
    assert fall.min() < 0


def test_a_loss_that_never_falls_suggests_nothing():
    found = on_the_parabola(min_lr=1.5, max_lr=3.0, num_steps=30)
    assert found.suggestion is None
    assert on_the_parabola(min_lr=1e200, max_lr=1e201, num_steps=5).lr.numel() == 0


@pytest.mark.parametrize("level", [1.0, 0.1, 1e3, -0.7])
def test_an_average_that_falls_by_rounding_alone_suggests_nothing(level):
    model = Point()
    batches = itertools.repeat(BATCH)
    found = lr_range_test(
        model, lambda output, target: 0 * output.mean() + level, batches, SGD(model.parameters())
    )
    assert found.suggestion is None


def test_the_test_ends_where_the_average_has_grown_too_far():
    found = on_the_parabola(min_lr=1e-3, max_lr=100.0, num_steps=100, stop=3.0)
    assert len(found.lr) < 100
    assert found.smoothed[-1] > 3.0 * found.smoothed.min()
    assert (found.smoothed[:-1] <= 3.0 * found.smoothed[:-1].cummin(0).values).all()
    assert torch.isfinite(found.loss).all()


def test_below_zero_growth_has_no_measure_and_the_test_goes_on():
    model = Point()
    found = lr_range_test(
        model,
        lambda output, target: output.mean() - 10,
        itertools.repeat(BATCH),
        SGD(model.parameters()),
        num_steps=30,
    )
    assert len(found.lr) == 30


@pytest.mark.parametrize("optimizer_class", [SGD, torch.optim.Adam])
def test_model_optimizer_and_batches_beyond_are_left_as_they_were(optimizer_class):
    digits, model = data.digits(), mlp([64, 16, 10], seed=0)
    optimizer = optimizer_class(model.parameters(), lr=0.01)
    StepLR(optimizer, step_size=5)
    cross_entropy(model(digits.input[:50]), digits.target[:50]).backward()
    optimizer.step()
    optimizer.zero_grad()
    kept = [param.detach().clone() for param in model.parameters()]
    states = str(optimizer.state_dict())
    drawn = itertools.count()
    order = reshuffled(1797, 50, seed=0)
    batches = ((digits.input[i], digits.target[i]) for i in order if next(drawn) >= 0)
    found = lr_range_test(model, cross_entropy, batches, optimizer, num_steps=40, stop=1e9)
    assert next(drawn) <= 41
    assert all(torch.equal(a, b) for a, b in zip(kept, model.parameters(), strict=True))
    assert all(param.grad is None for param in model.parameters())
    assert str(optimizer.state_dict()) == states
    assert found.smoothed.min() < found.smoothed[0]


def test_all_groups_get_the_rate():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Parameter(torch.ones(1, dtype=torch.float64))
            self.two = nn.Parameter(torch.ones(1, dtype=torch.float64))

        def forward(self, input):
            return torch.cat([self.one, self.two])

    model, losses = Pair(), []

    def loss(output, target):
        losses.append(output.detach().clone())
        return (output**2).sum()

    groups = [{"params": model.one}, {"params": model.two, "lr": 5.0}]
    lr_range_test(model, loss, itertools.repeat(BATCH), SGD(groups, lr=0.1), num_steps=5)
    assert all(one == two for one, two in losses)
    assert losses[-1][0] != losses[0][0]


def test_batches_that_run_dry_and_losses_that_start_infinite_are_named():
    model = Point()
    optimizer = SGD(model.parameters())
    with pytest.raises(ValueError, match=r"^batches must yield 11 times, ran dry after 4$"):
        lr_range_test(model, mse_loss, [BATCH] * 4, optimizer, num_steps=10)
    with pytest.raises(ValueError, match=r"^the loss must be finite before .*, got nan$"):
        lr_range_test(
            model, lambda output, target: output.mean() * math.nan, [BATCH] * 4, optimizer
        )


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"max_lr": 0.0}, r"max_lr must be in \(0, inf\), got 0.0"),
        ({"min_lr": 0.0}, r"min_lr must be in \(0, inf\), got 0.0"),
        ({"min_lr": 10.0}, r"min_lr must be in \(0, 10.0\), got 10.0"),
        ({"num_steps": 1}, r"num_steps must be an integer of at least 2, got 1"),
        ({"smoothing": 1.0}, r"smoothing must be in \[0, 1\), got 1.0"),
        ({"stop": 1.0}, r"stop must be in \(1, inf\), got 1.0"),
    ],
)
def test_a_bad_setting_is_named(bad, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        on_the_parabola(**bad)
