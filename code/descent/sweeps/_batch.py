"""Runs stacked along a leading axis and trained as one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from descent.data import Dataset
from descent.optim import Rule, State
from descent.sweeps._runs import Run

Loss = Callable[[Tensor, Tensor], Tensor]
Measure = Callable[[nn.Module], Tensor]
Sampler = Callable[[int, int, int], Iterator[Tensor]]


@dataclass(frozen=True)
class Experiment:
    """What all runs of a sweep share."""

    model: Callable[..., nn.Module]
    loss_fn: Loss
    dataset: Dataset
    num_steps: int
    log_every: int
    measure: dict[str, Measure]
    sampler: Sampler
    device: torch.device


class _Measured(nn.Module):
    """Lets a measure see the module itself, with the parameters of one run in it."""

    def __init__(self, model: nn.Module, measure: Measure) -> None:
        super().__init__()
        self.model, self.measure = model, measure

    def forward(self) -> Tensor:
        return self.measure(self.model)


def logged_steps(num_steps: int, log_every: int) -> list[int]:
    """Return the steps that are logged: every so many, and the last."""
    return sorted({*range(0, num_steps, log_every), num_steps})


def train(experiment: Experiment, runs: Sequence[Run], num_steps: int) -> dict[str, Tensor]:
    """Train runs that can be trained as one.

    Returns:
        ``step`` of shape ``(rows,)``; everything else that was logged, of shape ``(rows, runs)``
        and in float64, on the CPU.
    """
    device = experiment.device
    modules = [experiment.model(seed=run.seed, **run.architecture) for run in runs]
    template = modules[0].to(device)
    params, buffers = stack_module_state([module.to(device) for module in modules])
    frozen = {name: param for name, param in params.items() if not param.requires_grad}
    params = {name: param.detach() for name, param in params.items() if name not in frozen}
    rest = {**frozen, **buffers}
    states: dict[str, State] = {name: {} for name in params}

    def loss_of(params: dict[str, Tensor], rest: Any, input: Tensor, target: Tensor) -> Tensor:
        return experiment.loss_fn(functional_call(template, (params, rest), (input,)), target)

    def measured(measure: Measure) -> Tensor:
        module = _Measured(template, measure)
        with torch.no_grad():
            every = {f"model.{name}": value for name, value in (params | rest).items()}
            return vmap(lambda state: functional_call(module, state, ()).double())(every)

    gradient = vmap(grad_and_value(loss_of))
    batches = _batches(experiment, runs)
    constant = not any(callable(value) for run in runs for value in run.hyperparameters.values())
    steps, rows = logged_steps(num_steps, experiment.log_every), []
    for step in range(num_steps + 1):
        grads, loss = gradient(params, rest, *next(batches))
        if step == steps[len(rows)]:
            norms = torch.stack([grad.flatten(1).double().norm(dim=1) for grad in grads.values()])
            row = {"loss": loss.double(), "grad_norm": norms.norm(dim=0)}
            row |= {name: measured(function) for name, function in experiment.measure.items()}
            rows.append(row)
        if step < num_steps:
            if step == 0 or not constant:
                shared, stacked = _hyperparameters(runs, step, device)
                rule = vmap(partial(_update, runs[0].optimizer.rule, shared))
            for name, grad in grads.items():
                params[name], states[name] = rule(params[name], grad, states[name], stacked)
    logged = {name: torch.stack([row[name] for row in rows]).cpu() for name in rows[0]}
    return {"step": torch.tensor(steps), **logged}


def _update(
    rule: Rule,
    shared: dict[str, Any],
    param: Tensor,
    grad: Tensor,
    state: State,
    stacked: dict[str, Any],
) -> tuple[Tensor, State]:
    return rule(param, grad, state, **shared, **stacked)


def _batches(experiment: Experiment, runs: Sequence[Run]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the input and target of the next step of all runs, each led by the axis of runs."""
    input, target = (column.to(experiment.device) for column in experiment.dataset)
    batch_size = runs[0].batch_size
    if batch_size is None:
        while True:
            yield tuple(column.expand(len(runs), *column.shape) for column in (input, target))
    # Runs of one seed see the same batches, which are therefore drawn once.
    seeds = {run.seed: None for run in runs}
    samplers = [experiment.sampler(len(input), batch_size, seed) for seed in seeds]
    place = {seed: position for position, seed in enumerate(seeds)}
    where = torch.tensor([place[run.seed] for run in runs])
    while True:
        index = torch.stack([next(sampler) for sampler in samplers])[where].to(experiment.device)
        yield input[index], target[index]


def _hyperparameters(
    runs: Sequence[Run], step: int, device: torch.device
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the hyperparameters of a step: those that all runs share, and the stacked others.

    The others are in float64, one number for each run. Inside ``vmap`` they take part in
    arithmetic as Python's numbers do: a parameter keeps its dtype, and what is computed of
    hyperparameters alone, such as ``1 - beta``, keeps its digits.
    """
    shared, stacked = {}, {}
    for name in runs[0].hyperparameters:
        values = [run.hyperparameters[name] for run in runs]
        if any(callable(value) for value in values):
            values = [value(step) if callable(value) else value for value in values]
            runs[0].optimizer.check(**{name: torch.tensor(values, dtype=torch.float64)})
        if all(value == values[0] for value in values):
            shared[name] = values[0]
        elif isinstance(values[0], tuple):
            stacked[name] = tuple(_stack(each, device) for each in zip(*values, strict=True))
        else:
            stacked[name] = _stack(values, device)
    return shared, stacked


def _stack(values: Sequence[float], device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=torch.float64, device=device)
