"""Runs stacked along a leading axis and trained as one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from descent._checks import check_shape
from descent.optim import ModelState, Params, Runs
from descent.sweeps._runs import Run, Sampler
from descent.tasks.data import Dataset

Loss = Callable[[Tensor, Tensor], Tensor]
Measure = Callable[[nn.Module], Tensor]


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
    params |= buffers
    trained = [name for name, param in params.items() if param.requires_grad]
    state = ModelState.empty(len(trained))

    def loss_of(params: dict[str, Tensor], input: Tensor, target: Tensor) -> Tensor:
        loss = experiment.loss_fn(functional_call(template, params, (input,)), target)
        check_shape("the loss of a run", loss, ())
        return loss

    def elsewhere(
        learned: Params, fixed: dict[str, Tensor], input: Tensor, target: Tensor
    ) -> tuple[Tensor, Params]:
        def loss_at(learned: Params) -> Tensor:
            return loss_of(fixed | dict(zip(trained, learned, strict=True)), input, target)

        grads, loss = grad_and_value(loss_at)(learned)
        return loss, grads

    def measured(name: str, measure: Measure, params: dict[str, Tensor]) -> Tensor:
        module = _Measured(template, measure)

        def of_one(params: dict[str, Tensor]) -> Tensor:
            value = functional_call(module, params, ())
            check_shape(f"measure {name!r} of a run", value, ())
            return value.double()

        with torch.no_grad():
            return vmap(of_one)({f"model.{key}": value for key, value in params.items()})

    losses = vmap(loss_of)
    follow = Runs(runs[0].optimizer, elsewhere, stacked=True)
    judges = runs[0].optimizer.evaluate is not None
    batches = _batches(experiment, runs)
    constant = not any(callable(value) for run in runs for value in run.hyperparameters.values())
    shared, stacked = _hyperparameters(runs, 0, device)
    steps, rows = logged_steps(num_steps, experiment.log_every), []
    for step in range(num_steps + 1):
        learned = tuple(params[name] for name in trained)
        input, target = next(batches)
        loss, grads = _loss_and_grads(losses, params, learned, input, target)
        if step == steps[len(rows)]:
            there, shown = params, (loss, grads)
            if judges and step > 0:
                now = tuple(param.detach() for param in learned)
                judged = follow.evaluated(now, state, shared, stacked)
                judged = tuple(each.requires_grad_() for each in judged)
                there = params | dict(zip(trained, judged, strict=True))
                shown = _loss_and_grads(losses, there, judged, input, target)
            rows.append(_row(len(runs), *shown))
            rows[-1] |= {
                name: measured(name, function, there)
                for name, function in experiment.measure.items()
            }
        if step < num_steps:
            if step == 0:
                # A rule is faster on tensors of one layout in memory, and gradients bring theirs.
                learned = tuple(
                    torch.empty_like(grad).copy_(param.detach())
                    for param, grad in zip(learned, grads, strict=True)
                )
            if step > 0 and not constant:
                shared, stacked = _hyperparameters(runs, step, device)
            now = tuple(param.detach() for param in learned)
            fixed = {name: param.detach() for name, param in params.items() if name not in trained}
            moved, state = follow.step(
                now, loss.detach(), grads, state, shared, stacked, fixed, input, target
            )
            params |= {
                name: param.requires_grad_() for name, param in zip(trained, moved, strict=True)
            }
    logged = {name: torch.stack([row[name] for row in rows]).cpu() for name in rows[0]}
    return {"step": torch.tensor(steps), **logged}


def _loss_and_grads(
    losses: Callable[..., Tensor],
    params: dict[str, Tensor],
    learned: Params,
    input: Tensor,
    target: Tensor,
) -> tuple[Tensor, Params]:
    """Evaluate the loss of every run and its gradient."""
    loss = losses(params, input, target)
    # A run's loss depends on no other run's parameters: one backward pass does for all.
    return loss, torch.autograd.grad(loss.sum(), learned)


def _row(num_runs: int, loss: Tensor, grads: Params) -> dict[str, Tensor]:
    norms = torch.stack([grad.reshape(num_runs, -1).double().norm(dim=1) for grad in grads])
    return {"loss": loss.detach().double(), "grad_norm": norms.norm(dim=0)}


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
        rows = (column.index_select(0, index.flatten()) for column in (input, target))
        yield tuple(column.unflatten(0, index.shape) for column in rows)


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
            for value in values:
                if not isinstance(value, Real):
                    runs[0].optimizer.check(**{name: value})
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
