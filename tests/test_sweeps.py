import pytest
import torch
from torch.nn.functional import cross_entropy

from descent.data import Dataset
from descent.models import mlp
from descent.optim import OPTIMIZERS
from descent.sampling import reshuffled
from descent.sweeps import grid, sweep
from descent.training import fit

ROWS = pytest.mark.parametrize("optimizer", OPTIMIZERS)


def points(count=60):
    input = torch.randn(count, 5, generator=torch.Generator().manual_seed(0))
    return Dataset(input, (input[:, 0] * input[:, 1] > 0).long())


DATA = points()


def network(seed):
    return mlp([5, 8, 2], seed=seed)


def accuracy(model):
    return (model(DATA.input).argmax(-1) == DATA.target).float().mean()


def swept(runs, **options):
    options = {"model": network, "loss_fn": cross_entropy, "dataset": DATA, "num_steps": 100,
               "log_every": 10, "measure": {"accuracy": accuracy}} | options  # fmt: skip
    return sweep(runs, **options)


@ROWS
def test_each_run_is_what_it_would_be_alone(optimizer):
    runs = grid(optimizer=optimizer, batch_size=16, seed=range(3), lr=[0.01, 0.03])
    table = swept(runs)
    for number, run in enumerate(runs):
        model = network(run["seed"])
        order = reshuffled(len(DATA.input), run["batch_size"], run["seed"])
        alone = fit(
            model,
            cross_entropy,
            ((DATA.input[index], DATA.target[index]) for index in order),
            OPTIMIZERS[optimizer](model.parameters(), lr=run["lr"]),
            num_steps=100,
            log_every=10,
            measure={"accuracy": lambda model=model: accuracy(model)},
        )
        mine = table[table.run == number]
        assert mine.step.tolist() == alone.step.tolist()
        for name, values in [("loss", alone.loss), ("grad_norm", alone.grad_norm),
                             ("accuracy", alone.measured["accuracy"])]:  # fmt: skip
            torch.testing.assert_close(torch.tensor(mine[name].values), values, rtol=0, atol=1e-6)
