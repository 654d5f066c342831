import itertools
import os
import re
import signal
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from declared import allowed
from torch import nn
from torch.nn.functional import cross_entropy

from descent import sweeps
from descent.optim import OPTIMIZERS, SGD
from descent.sweeps import Named, _table, at_end, grid, sweep
from descent.tasks.data import Dataset
from descent.tasks.models import mlp
from descent.tasks.sampling import reshuffled, with_replacement
from descent.training import fit

ROWS = pytest.mark.parametrize("optimizer", OPTIMIZERS)
FORMATS = pytest.mark.parametrize("suffix", [".csv", ".parquet"])


def points(seed=0, count=60):
    input = torch.randn(count, 5, generator=torch.Generator().manual_seed(seed))
    return Dataset(input, (input[:, 0] * input[:, 1] > 0).long())


DATA = points()


def network(seed):
    return mlp([5, 8, 2], seed=seed)


def accuracy(model):
    return (model(DATA.input).argmax(-1) == DATA.target).float().mean()


def weight(model):
    return model[0].weight[0, 0]


OPTIONS = {
    "model": network,
    "loss_fn": cross_entropy,
    "dataset": DATA,
    "num_steps": 20,
    "log_every": 6,
    "measure": {"accuracy": accuracy, "weight": weight},
}


def swept(runs, **options):
    return sweep(runs, **OPTIONS | options)


def alone(run, *, sampler=reshuffled, **options):
    """Train one run by ``fit``, with the optimizer's class, and tabulate it likewise."""
    options = OPTIONS | options
    run = dict(run)
    seed, optimizer, batch_size = (run.pop(name) for name in ("seed", "optimizer", "batch_size"))
    model, (input, target) = options["model"](seed), options["dataset"]
    batches = (
        (input[index], target[index]) for index in sampler(len(input), batch_size, seed)
    )  # fmt: skip
    schedules = {name: value for name, value in run.items() if callable(value)}
    now = {name: value(0) for name, value in schedules.items()}
    rule = OPTIMIZERS[optimizer](model.parameters(), **run | now)
    steps = itertools.count()

    def set_what_is_scheduled():
        step = next(steps)
        rule.param_groups[0].update({name: value(step) for name, value in schedules.items()})
        return 0.0

    measure = {
        name: lambda function=function: function(model).detach()
        for name, function in options["measure"].items()
    }
    trace = fit(model, options["loss_fn"], batches, rule, num_steps=options["num_steps"],
                measure=measure | {"": set_what_is_scheduled})  # fmt: skip
    columns = {"loss": trace.loss, "grad_norm": trace.grad_norm, **trace.measured}
    rows = [*range(0, len(trace) - 1, options["log_every"]), len(trace) - 1]
    return {"step": trace.step[rows]} | {
        name: columns[name][rows] for name in ["loss", "grad_norm", *measure]
    }


def assert_each_is_what_it_is_alone(table, runs, **options):
    assert table.run.unique().tolist() == list(range(len(runs)))
    for number, run in enumerate(runs):
        mine = table[table.run == number]
        for name, values in alone(run, **options).items():
            found = torch.tensor(mine[name].to_numpy())
            torch.testing.assert_close(found, values, rtol=1e-6, atol=1e-6, msg=f"{name} of {run}")


def some(allowed, part):
    """Give a value inside an interval, ``part`` of the way up where it is narrow, or a pair."""
    if isinstance(allowed, tuple):
        return tuple(some(each, part) for each in allowed)
    low, high = (float(end) for end in allowed[1:-1].split(","))
    low = max(low, 0.0)
    return low + part * min(high - low, 0.9)


def settings_of(optimizer, part):
    intervals = allowed(OPTIMIZERS[optimizer])
    values = {name: some(each, part) for name, each in intervals.items() if each is not bool}
    return {"optimizer": optimizer, "batch_size": 16} | values | {"lr": 0.02 + 0.02 * part}


# Runs that are stacked


@ROWS
def test_each_run_is_what_it_would_be_alone(optimizer):
    runs = grid(optimizer=optimizer, batch_size=16, seed=range(3), lr=[0.01, 0.03])
    runs += [settings_of(optimizer, part) | {"seed": 3} for part in (0.01, 0.3, 0.9)]
    assert_each_is_what_it_is_alone(swept(runs, num_steps=100), runs, num_steps=100)


@ROWS
def test_hyperparameters_that_are_functions_of_the_step_are_followed(optimizer):
    schedules = {"falling": lambda step: 0.1 / (step + 1), "rising": lambda step: step / 2000}
    runs = grid(optimizer=optimizer, batch_size=16, seed=range(2), lr=schedules)
    runs += grid(optimizer=optimizer, batch_size=16, seed=0, lr=[0.02])
    table = swept(runs)
    for run in runs[:4]:
        run["lr"] = run["lr"].value
    assert_each_is_what_it_is_alone(table, runs)
    assert table.lr.unique().tolist() == ["falling", "rising", "0.02"]


def test_momentum_may_follow_the_step_too():
    runs = [{"optimizer": "SGD", "batch_size": 16, "seed": 0, "lr": 0.05, "momentum": momentum}
            for momentum in (lambda step: 1 - 1 / (step + 2), 0.5)]  # fmt: skip
    named = [{**runs[0], "momentum": Named("rising", runs[0]["momentum"])}, runs[1]]
    assert_each_is_what_it_is_alone(swept(named), runs)


def test_a_schedule_that_leaves_the_interval_is_caught_in_the_step_where_it_does():
    reached = []

    def leaving(step):
        reached.append(step)
        return 0.3 - step / 10

    runs = [{"optimizer": SGD, "seed": 0, "lr": leaving}]
    with pytest.raises(ValueError, match=r"^lr must be in \[0, inf\), got -0\.1"):
        swept(runs)
    assert max(reached) == 4


def test_runs_that_cannot_be_stacked_are_trained_apart():
    runs = grid(seed=range(2), optimizer="SGD", lr=[0.01, 0.03], momentum=0.9,
                batch_size=[8, 16], nesterov=[False, True])  # fmt: skip
    runs += grid(seed=range(2), optimizer="gradient descent", batch_size=8, lr=0.02)
    assert_each_is_what_it_is_alone(swept(runs), runs)


def test_settings_that_are_nobody_elses_go_to_the_model():
    built = []

    def model(seed, width, activation=nn.Tanh):
        built.append((seed, width, activation))
        return mlp([5, width, 2], seed=seed, activation=activation)

    runs = grid(seed=range(2), optimizer="SGD", lr=0.05, batch_size=16, width=[2, 6],
                activation=[nn.ReLU, nn.Tanh])  # fmt: skip
    table = swept(runs, model=model)
    assert sorted(built, key=str) == sorted(
        itertools.product(range(2), [2, 6], [nn.ReLU, nn.Tanh]), key=str
    )
    assert table.activation.unique().tolist() == ["ReLU", "Tanh"]
    for number, run in enumerate(runs):
        kind = {name: run.pop(name) for name in ("width", "activation")}
        one = alone(run, model=lambda seed, kind=kind: model(seed, **kind))
        found = table.loss[table.run == number].to_numpy()
        torch.testing.assert_close(torch.tensor(found), one["loss"], rtol=1e-6, atol=1e-6)


def test_a_run_that_diverges_leaves_the_others_alone():
    good = grid(seed=range(2), optimizer="SGD", lr=[0.01, 0.03], momentum=[0.0, 0.9], batch_size=16)
    bad = {"seed": 0, "optimizer": "SGD", "lr": 1e38, "momentum": 0.9, "batch_size": 16}
    runs = [*good[:4], bad, *good[4:]]
    table = swept(runs)
    lost = table.run == 4
    assert not table.loss[lost & (table.step == 20)].abs().lt(torch.inf).any()
    kept = table[~lost].drop(columns="run").reset_index(drop=True)
    pd.testing.assert_frame_equal(
        kept, swept(good).drop(columns="run"), check_exact=False, rtol=1e-6, atol=1e-6
    )


def test_without_a_batch_size_every_step_sees_all_samples():
    runs = grid(seed=range(2), optimizer="gradient descent", lr=[0.05, 0.1])
    table = swept(runs)
    full = [run | {"batch_size": len(DATA.input)} for run in runs]
    assert_each_is_what_it_is_alone(table, full)


def test_the_sampler_is_the_one_that_is_given():
    runs = grid(seed=range(2), optimizer="SGD", lr=[0.05, 0.1], batch_size=7)
    table = swept(runs, sampler=with_replacement)
    assert_each_is_what_it_is_alone(table, runs, sampler=with_replacement)


def test_frozen_layers_stay_and_buffers_move_with_their_run():
    def model(seed):
        layers = nn.Sequential(*network(seed), nn.BatchNorm1d(2))
        layers[0].weight.requires_grad_(False)
        return layers

    def running_mean(model):
        return model[3].running_mean[0].clone()

    runs = grid(seed=range(3), optimizer="SGD", lr=[0.05, 0.1], weight_decay=0.1, batch_size=16)
    options = {"model": model, "measure": {"weight": weight, "mean": running_mean}}
    table = swept(runs, **options)
    assert_each_is_what_it_is_alone(table, runs, **options)
    assert table.groupby("run").weight.nunique().eq(1).all()
    assert table.groupby("run")["mean"].nunique().gt(1).all()


def double(seed):
    return network(seed).double()


def test_a_model_in_double_precision_stays_in_it():
    data = Dataset(DATA.input.double(), DATA.target)
    options = {"model": double, "dataset": data, "measure": {}}
    runs = grid(seed=range(2), optimizer="SGD", lr=[0.05, 0.1], momentum=[0.5, 0.9], batch_size=16)
    table = swept(runs, **options)
    for number, run in enumerate(runs):
        for name, values in alone(run, **options).items():
            found = torch.tensor(table[table.run == number][name].to_numpy())
            torch.testing.assert_close(found, values, rtol=1e-12, atol=1e-12)


class Scaled(nn.Module):
    """A network whose output is multiplied by a parameter without axes."""

    def __init__(self, seed):
        super().__init__()
        self.network, self.scale = network(seed), nn.Parameter(torch.tensor(1.0))

    def forward(self, input):
        return self.scale * self.network(input)


@ROWS
def test_a_parameter_without_axes_keeps_its_dtype(optimizer):
    runs = grid(optimizer=optimizer, lr=[0.01, 0.02], seed=0, batch_size=8)
    options = {"model": Scaled, "measure": {"bytes": lambda model: _bytes_of(model.scale)}}
    table = swept(runs, **options)
    assert (table.bytes == 4).all()
    assert_each_is_what_it_is_alone(table, runs, **options)


def _bytes_of(param):
    return torch.tensor(float(param.element_size()))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_sweep_on_the_gpu_is_that_on_the_cpu():
    runs = grid(seed=range(3), optimizer="SGD", lr=[0.01, 0.03], momentum=[0.0, 0.9], batch_size=16)
    tables = [swept(runs, device=device, measure={"weight": weight}) for device in ("cpu", "cuda")]
    pd.testing.assert_frame_equal(*tables, check_exact=False, rtol=1e-4, atol=1e-5)


def test_the_chunk_does_not_matter():
    runs = grid(seed=range(3), optimizer="SGD", lr=[0.01, 0.03], batch_size=[8, 16])
    whole = swept(runs)
    for chunk in (1, 4):
        parts = swept(runs, chunk=chunk)
        pd.testing.assert_frame_equal(parts, whole, check_exact=False, rtol=1e-6, atol=1e-6)


def test_a_sweep_repeats_digit_for_digit():
    runs = grid(seed=range(3), optimizer="SGD", lr=[0.01, 0.03], batch_size=16)
    pd.testing.assert_frame_equal(swept(runs), swept(runs), check_exact=True)


# The table


def test_the_table_has_a_row_for_every_run_and_logged_step():
    runs = grid(optimizer=SGD, batch_size=[8, None], lr=[0.1, 0.2], nesterov=False, seed=range(2))
    table = swept(runs, num_steps=7, log_every=3)
    assert list(table.columns) == ["run", "optimizer", "batch_size", "lr", "nesterov", "seed",
                                   "step", "loss", "grad_norm", "accuracy", "weight"]  # fmt: skip
    assert table.step.tolist() == [0, 3, 6, 7] * 8
    assert table.run.tolist() == [number for number in range(8) for _ in range(4)]
    assert table.optimizer.unique().tolist() == ["SGD"]
    assert table.batch_size.isna().tolist() == [False] * 16 + [True] * 16
    for number, run in enumerate(runs):
        mine = table[table.run == number]
        assert mine.lr.unique().tolist() == [run["lr"]]
        assert mine.seed.unique().tolist() == [run["seed"]]
        assert mine.nesterov.unique().tolist() == [False]


def test_a_grid_combines_every_value_with_every_other():
    assert grid(a=[1, 2], b="word", c=torch.tensor([0.5, 0.25])) == [
        {"a": 1, "b": "word", "c": 0.5},
        {"a": 1, "b": "word", "c": 0.25},
        {"a": 2, "b": "word", "c": 0.5},
        {"a": 2, "b": "word", "c": 0.25},
    ]
    assert grid(betas=(0.9, 0.99)) == [{"betas": (0.9, 0.99)}]
    assert grid(lr={"low": 0.1}) == [{"lr": Named("low", 0.1)}]
    with pytest.raises(ValueError, match=r"^lr must have at least one value, got \[\]$"):
        grid(seed=range(3), lr=[])


def decay(step):
    return 0.1 / (step + 1)


def test_a_setting_that_is_no_number_is_in_the_table_by_its_name():
    runs = [
        {"optimizer": "SGD", "lr": decay, "seed": 0},
        {"optimizer": SGD, "lr": Named("slow", lambda step: 0.01), "seed": 0, "maximize": True},
    ]
    table = swept(runs, num_steps=1)
    assert table.lr.tolist() == ["decay", "decay", "slow", "slow"]
    assert table.optimizer.tolist() == ["SGD"] * 4
    assert table.maximize.isna().tolist() == [True, True, False, False]
    assert table.maximize.tolist()[2] == "True"


# Bad arguments

GOOD = {"seed": 0, "optimizer": "SGD", "lr": 0.1}


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        ({"optimizer": "SGD"}, TypeError, "the setting 'seed' is missing; there are: optimizer"),
        ({"seed": 0}, TypeError, "the setting 'optimizer' is missing; there are: seed"),
        (GOOD | {"seed": -1}, ValueError, "seed must be an integer of at least 0, got -1"),
        (GOOD | {"optimizer": "sgd"}, ValueError, "optimizer must be one of 'gradient descent', "),
        (GOOD | {"optimizer": torch.optim.SGD}, TypeError,
         "optimizer must be a subclass of RuleOptimizer, or its name in OPTIMIZERS, got <class "),
        (GOOD | {"batch_size": 0}, ValueError,
         "batch_size must be an integer of at least 1, got 0"),
        (GOOD | {"batch_size": 61}, ValueError,
         "batch_size must be at most num_samples = 60, got 61"),
        (GOOD | {"lr": -1.0}, ValueError, r"lr must be in \[0, inf\), got -1\.0"),
        (GOOD | {"lr": "0.1"}, TypeError, r"lr must be a number in \[0, inf\), got '0\.1'"),
        (GOOD | {"momentun": 0.9}, TypeError,
         r"the model does not take 'momentun', nor does SGD, whose hyperparameters are: lr, "),
        (GOOD | {"lr": lambda step: 0.1}, TypeError, r"lr has a value without a name: .*Named\("),
    ],
)  # fmt: skip
def test_bad_settings_are_named_with_their_run_before_any_is_trained(run, error, message):
    def model(seed):
        raise AssertionError("a model was built")

    with pytest.raises(error, match=rf"^runs\[1\]: {message}"):
        swept([GOOD, run], model=model)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"num_steps": 0}, ValueError, "num_steps must be an integer of at least 1, got 0"),
        ({"log_every": 0}, ValueError, "log_every must be an integer of at least 1, got 0"),
        ({"chunk": 0}, ValueError, "chunk must be an integer of at least 1, got 0"),
        ({"device": "tpu"}, ValueError, "device must be 'auto', 'cpu' or "),
        ({"path": "table.txt"}, ValueError,
         r"path must end with \.csv or \.parquet, got 'table\.txt'"),
        ({"path": "no/such/table.csv"}, ValueError, "the folder of path must exist, got 'no/such'"),
        ({"measure": {"lr": weight}}, ValueError, "measure must not be named 'lr', "),
        ({"measure": {"loss": weight}}, ValueError, "measure must not be named 'loss', "),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(options, error, message):
    with pytest.raises(error, match=f"^{message}"):
        swept([GOOD], **options)


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize(("inputs", "targets"), [(9, 4), (4, 9), (4, 1), (0, 0)])
def test_a_dataset_whose_columns_differ_in_length_is_refused(inputs, targets, batch_size):
    dataset = Dataset(torch.zeros(inputs, 64), torch.zeros(targets, dtype=torch.int64))
    settings = {"optimizer": "SGD", "seed": 0} | ({"batch_size": 2} if batch_size else {})
    with pytest.raises(
        ValueError, match=f"as inputs, and at least one, got {targets} and {inputs}$"
    ):
        sweep(
            [settings],
            model=lambda seed: mlp([64, 10], seed=seed),
            loss_fn=cross_entropy,
            dataset=dataset,
            num_steps=1,
        )


@pytest.mark.parametrize("late", [-1.0, float("nan"), "0.1", None, (0.1, 0.2)])
def test_a_schedule_that_returns_no_rate_is_caught_in_the_step_where_it_does(late):
    runs = grid(optimizer="SGD", lr={"a": lambda step: late if step else 0.1}, seed=range(2))
    with pytest.raises((TypeError, ValueError), match=r"^lr must be .*in \[0, inf\), got"):
        swept(runs)


def test_the_end_of_a_sweep_has_room_for_its_runs():
    table = swept(grid(optimizer="SGD", lr=0.1, seed=range(2)), num_steps=1)
    with pytest.raises(ValueError, match=r"^shape must have room for 2 runs, got \(3,\)$"):
        at_end(table, "loss", 3)
    with pytest.raises(TypeError, match=r"^shape must be an integer of at least 1, got 1\.0$"):
        at_end(table, "loss", 2, 1.0)
    with pytest.raises(TypeError, match=r"^table must be a DataFrame, got \[\]$"):
        at_end([], "loss")


def test_a_loss_or_a_measure_that_is_no_scalar_is_refused():
    with pytest.raises(TypeError, match=r"^the loss of a run must be a tensor, got 1\.0$"):
        swept([GOOD], loss_fn=lambda input, target: 1.0)
    with pytest.raises(TypeError, match=r"^measure 'a' of a run must be a tensor, got 1\.0$"):
        swept([GOOD], measure={"a": lambda model: 1.0})

    def each(input, target):
        return cross_entropy(input, target, reduction="none")

    with pytest.raises(ValueError, match=r"^the loss of a run must have shape \(\), got \(60,\)$"):
        swept([GOOD], loss_fn=each)
    message = r"^measure 'weights' of a run must have shape \(\), got \(8, 5\)$"
    with pytest.raises(ValueError, match=message):
        swept([GOOD], measure={"weights": lambda model: model[0].weight})


def test_a_setting_may_not_be_named_like_a_column_of_the_table():
    with pytest.raises(ValueError, match=r"^runs\[0\]: a setting must not be named 'step'"):
        swept([GOOD | {"step": 1}], model=lambda seed, step: network(seed))


def test_a_sweep_of_no_runs_is_refused():
    with pytest.raises(ValueError, match=r"^runs must hold at least one run, got none$"):
        swept([])


# The file

RUNS = grid(optimizer="SGD", lr=[0.01, 0.03, 1e38], batch_size=[8, 16], seed=range(2))


class Counted:
    """A model that counts how often it was built, and breaks down at a given one."""

    def __init__(self, breaks=None):
        self.built, self.breaks = 0, breaks

    def __call__(self, seed):
        self.built += 1
        if self.built == self.breaks:
            raise KeyboardInterrupt
        return network(seed)


@FORMATS
def test_what_comes_back_from_the_file_is_what_was_written(tmp_path, suffix):
    path = tmp_path / f"table{suffix}"
    first = swept(RUNS, path=path)
    assert not first.loss.abs().lt(torch.inf).all()
    model = Counted()
    again = swept(RUNS, path=path, model=model)
    assert model.built == 1  # the first run, to see that it begins as it does in the file
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    pd.testing.assert_frame_equal(first, swept(RUNS), check_exact=True)
    assert os.listdir(tmp_path) == [path.name]


@FORMATS
def test_words_that_look_like_numbers_or_gaps_come_back_as_words(tmp_path, suffix):
    path = tmp_path / f"table{suffix}"
    runs = grid(optimizer="SGD", lr={"1": 0.1, "NA": 0.2, "a, b": 0.3}, seed=0, nesterov=False)
    first = swept(runs, path=path, num_steps=1)
    assert first.lr.unique().tolist() == ["1", "NA", "a, b"]
    pd.testing.assert_frame_equal(swept(runs, path=path, num_steps=1), first, check_exact=True)


@FORMATS
def test_a_sweep_that_was_interrupted_goes_on_where_it_was(tmp_path, suffix):
    path = tmp_path / f"table{suffix}"
    with pytest.raises(KeyboardInterrupt):
        swept(RUNS, path=path, chunk=2, model=Counted(breaks=8))
    # Three chunks of two were done when the fourth began.
    read = pd.read_csv if suffix == ".csv" else pd.read_parquet
    assert read(path).run.nunique() == 6
    model = Counted()
    table = swept(RUNS, path=path, chunk=2, model=model)
    assert model.built == 1 + 6
    pd.testing.assert_frame_equal(table, swept(RUNS, chunk=2), check_exact=True)


def test_runs_may_be_added_to_a_file(tmp_path):
    path = tmp_path / "table.parquet"
    swept(RUNS[:4], path=path)
    more = [*RUNS[:4], *grid(optimizer="SGD", lr=0.2, batch_size=8, seed=[7])]
    model = Counted()
    assert swept(more, path=path, model=model).run.nunique() == 5
    assert model.built == 2


@FORMATS
@pytest.mark.parametrize(
    ("runs", "options", "differs"),
    [
        (RUNS[::-1], {}, "lr, batch_size, seed"),
        (RUNS[:-1], {}, "run"),
        ([run | {"momentum": 0.5} for run in RUNS], {}, "momentum"),
        ([{**run, "optimizer": "gradient descent"} for run in RUNS], {}, "optimizer"),
        (RUNS, {"num_steps": 19}, "step"),
        (RUNS, {"log_every": 5}, "step"),
        (RUNS, {"measure": {"accuracy": accuracy}}, "weight"),
        (RUNS, {"measure": {"accuracy": accuracy, "weight": accuracy}}, "weight"),
        (RUNS, {"dataset": points(seed=1)}, "loss, grad_norm"),
        (RUNS, {"model": lambda seed: network(seed + 1)}, "loss, grad_norm, accuracy, weight"),
        (RUNS, {"sampler": with_replacement}, "loss, grad_norm"),
        (RUNS, {"loss_fn": lambda *pair: 2 * cross_entropy(*pair)}, "loss, grad_norm"),
    ],
)
def test_a_file_of_another_sweep_is_refused_and_left(tmp_path, suffix, runs, options, differs):
    path = tmp_path / f"table{suffix}"
    swept(RUNS, path=path)
    before = path.read_bytes()
    message = f"{str(path)!r} holds another sweep, which differs in {differs}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        swept(runs, path=path, **options)
    assert path.read_bytes() == before


@FORMATS
@pytest.mark.parametrize("content", [b"", b"run,lr\n0", b"\xff\xfe\x00"])
def test_a_file_of_no_table_is_named_and_left(tmp_path, suffix, content):
    path = tmp_path / f"table{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{re.escape(repr(str(path)))} holds ") as caught:
        swept(RUNS, path=path)
    assert str(caught.value).endswith(": move it away, or choose another path")
    assert len(str(caught.value).splitlines()) == 1
    assert path.read_bytes() == content


def test_every_digit_comes_back_from_a_file_of_text(tmp_path):
    path = tmp_path / "table.csv"
    # Numbers that a parser gets wrong by one unit in the last place, if it multiplies by powers.
    loss = np.random.default_rng(0).standard_normal(2000) * 10.0 ** np.arange(-200, 200, 0.2)
    table = pd.DataFrame({"run": 0, "step": range(2000), "loss": loss})
    _table.write(table, path)
    pd.testing.assert_frame_equal(_table.read(path, table[["run"]]), table, check_exact=True)


@FORMATS
def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"table{suffix}"
    swept(RUNS[:4], path=path)
    before = path.read_bytes()

    def cut_off(table, part, index):
        with open(part, "wb") as file:
            file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(pd.DataFrame, "to_csv", cut_off)
    monkeypatch.setattr(pd.DataFrame, "to_parquet", cut_off)
    with pytest.raises(OSError, match="no space left"):
        swept(RUNS, path=path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


# More than one process


def test_chunks_trained_side_by_side_make_the_same_table(tmp_path):
    whole = swept(RUNS, chunk=6)
    beside = swept(RUNS, chunk=6, n_jobs=2, path=tmp_path / "table.csv")
    pd.testing.assert_frame_equal(beside, whole, check_exact=True)


@pytest.mark.filterwarnings("default")  # what Dask says of the worker that is lost
def test_a_worker_that_is_killed_half_way_loses_nothing(tmp_path):
    from distributed import Client, LocalCluster

    runs, path, died = RUNS[:6], tmp_path / "table.parquet", tmp_path / "died"

    def deadly(model):
        if path.exists() and not died.exists():
            died.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        return weight(model)

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster), joblib.parallel_config(backend="dask"):
        pids = {worker.pid for worker in cluster.workers.values()}
        table = swept(runs, chunk=1, path=path, measure={"weight": deadly})
    assert int(died.read_text()) in pids
    whole = swept(runs, chunk=1, measure={"weight": weight})
    pd.testing.assert_frame_equal(table, whole, check_exact=True)
    assert len(whole) == len(pd.read_parquet(path))


def test_a_lab_that_sweeps_nothing_does_not_wait_for_what_a_sweep_needs():
    listed = "[name for name in ('pandas', 'pyarrow', 'joblib', 'dask') if name in sys.modules]"
    script = f"import sys, descent.sweeps; print({listed})"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stderr


def test_the_module_has_these_names():
    assert sweeps.__all__ == ["Named", "at_end", "grid", "sweep"]
