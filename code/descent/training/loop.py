"""Running a rule to the end: on an objective, or on a model with data, into a :class:`Trace`."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn

from descent._checks import Number, check_dtype, check_scalar, check_shape
from descent._signatures import Count, Floating, checked
from descent.optim import ModelState, Params, RuleOptimizer, Runs
from descent.tasks.problems import Objective, value_and_gradient
from descent.training.follow import check_has_lr, theirs


@checked
@dataclass(frozen=True, eq=False)
class Trace:
    """What happened in a run, row by row; row 0 is before the first step.

    A batch of runs stands in the middle dimensions, written ``...``; a single run has none.

    Args:
        step: how many updates had been made, shape ``(rows,)``.
        params: the parameters, shape ``(rows, ..., dim)``; a network's are laid end to end.
        loss: the loss at these parameters, shape ``(rows, ...)``.
        grad_norm: the Euclidean norm of its gradient there, shape ``(rows, ...)``.
        lr: the learning rate of the update that led here, NaN in row 0, shape ``(rows, ...)``.
        measured: further quantities, each under its name, shape ``(rows, ...)``.

    Example:
        >>> from descent.optim import GradientDescent
        >>> trace = minimize(lambda theta: (theta**2).sum(-1), torch.ones(2), GradientDescent,
        ...                  num_steps=3, lr=0.25)
        >>> trace.loss
        tensor([2.0000, 0.5000, 0.1250, 0.0312])
        >>> len(trace), trace.params.shape
        (4, torch.Size([4, 2]))
        >>> trace[2:].loss
        tensor([0.1250, 0.0312])
        >>> trace.first_step(trace.loss < 0.2)
        2
    """

    step: Tensor
    params: Tensor
    loss: Tensor
    grad_norm: Tensor
    lr: Tensor
    measured: dict[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.step)

    def __getitem__(self, rows: slice) -> "Trace":
        """Take a slice of the rows, ``trace[:100]``."""
        measured = {name: values[rows] for name, values in self.measured.items()}
        columns = (self.step, self.params, self.loss, self.grad_norm, self.lr)
        return Trace(*(column[rows] for column in columns), measured)

    def first_step(self, reached: Tensor) -> int | None:
        """Return the step of the first row where ``reached`` holds, or ``None`` if none does.

        Args:
            reached: booleans, shape ``(rows,)``.

        Raises:
            TypeError: ``reached`` is no tensor.
            ValueError: ``reached`` holds no booleans, or has another shape.
        """
        check_dtype("reached", reached, torch.bool)
        check_shape("reached", reached, (len(self),))
        rows = reached.nonzero()
        return int(self.step[rows[0, 0]]) if len(rows) else None


@checked
def minimize(
    objective: Objective,
    start: Floating,
    optimizer: type[torch.optim.Optimizer],
    *,
    num_steps: Count,
    log_every: Count = 1,
    noise: Callable[[Tensor], Tensor] | None = None,
    **hyperparameters: Any,
) -> Trace:
    """Follow an update rule from ``start`` for ``num_steps`` steps.

    Runs that differ in start or in hyperparameters go together: give ``start`` leading
    dimensions, and hyperparameters as tensors with a last dimension of 1 that broadcast
    against it. A hyperparameter that changes during the run is a function of the step.

    Args:
        objective: maps points ``(..., dim)`` to values ``(...)``.
        start: the first point, shape ``(..., dim)``, of a floating-point type.
        optimizer: whose rule is followed, such as :class:`~descent.optim.GradientDescent`. It may
            also be one of PyTorch's, such as ``torch.optim.SGD``, whose hyperparameters are the
            same for all runs, and which sees all of them as one tensor.
        num_steps: the number of updates, at least 1.
        log_every: steps between rows of the trace, at least 1; the last step has a row too.
        noise: what makes the gradient stochastic: maps the parameters ``(..., dim)`` to what is
            added to the gradient there, such as :class:`~descent.tasks.problems.GaussianNoise`. The
            trace's loss and gradient norm stay exact.
        **hyperparameters: the rule's, by name, ``lr`` among them; the others default to what
            the optimizer's constructor says. Each may be a function of the step, called with
            the number of updates made so far: 0 before the first.

    Returns:
        The trace, on the CPU, in the dtype of ``start``.

    Raises:
        TypeError: a hyperparameter is unknown, ``lr`` is missing, or ``start`` is no tensor.
        ValueError: a hyperparameter is outside its interval or does not broadcast, or the
            objective's values or the noise have another shape.

    Example:
        Two rates at once, one of them too large.

        >>> from descent.optim import GradientDescent
        >>> rates = torch.tensor([[0.5], [1.5]])
        >>> trace = minimize(lambda theta: (theta**2).sum(-1), torch.ones(2, 1), GradientDescent,
        ...                  num_steps=4, lr=rates)
        >>> trace.loss[-1]
        tensor([  0., 256.])
    """
    varying = {name: value for name, value in hyperparameters.items() if callable(value)}
    if not issubclass(optimizer, RuleOptimizer):
        check_has_lr(optimizer, hyperparameters)
        return _minimize_with_theirs(
            objective, start, optimizer, num_steps, log_every, noise, hyperparameters, varying
        )

    def at(step: int) -> tuple[dict[str, Any], dict[str, Any]]:
        now = {name: function(step) for name, function in varying.items()}
        return _shared_and_own(optimizer.complete(**(hyperparameters | now)), start)

    theta, state, (shared, own) = start.detach(), ModelState.empty(1), at(0)
    check_has_lr(optimizer, hyperparameters)

    def elsewhere(params: Params, drawn: Tensor) -> tuple[Tensor, Params]:
        grad, loss = torch.func.grad_and_value(objective)(params[0])
        return loss, (grad + drawn,)

    runs = Runs(optimizer, elsewhere, stacked=start.ndim > 1)
    # One axis of runs, whatever the shape of the batch.
    flat = start.shape[-1:] if start.ndim == 1 else (-1, start.shape[-1])
    logged = 0
    for step in range(num_steps + 1):
        loss, grad = value_and_gradient(objective, theta)
        if step % log_every == 0 or step == num_steps:
            judged, loss_there, grad_there = theta, loss, grad
            if optimizer.evaluate is not None and step > 0:
                (judged,) = runs.evaluated((theta.reshape(flat),), state, shared, own)
                judged = judged.reshape(start.shape)
                loss_there, grad_there = value_and_gradient(objective, judged)
            rate = (own | shared)["lr"] if step else torch.nan
            rate = torch.as_tensor(rate, dtype=start.dtype, device=start.device)
            rate = rate.reshape(start.shape[:-1]) if rate.ndim else rate.expand(start.shape[:-1])
            row = (torch.tensor(step), judged, loss_there, grad_there.norm(dim=-1), rate)
            if step == 0:  # a list of rows would be in memory twice when it is stacked
                length = -(-num_steps // log_every) + 1
                columns = [each.new_empty((length, *each.shape)) for each in row]
            for column, each in zip(columns, row, strict=True):
                column[logged] = each
            logged += 1
        if step < num_steps:
            shared, own = at(step) if varying else (shared, own)
            drawn = torch.zeros_like(theta) if noise is None else noise(theta)
            check_shape("noise", drawn, tuple(theta.shape))
            flat_theta, flat_grad, flat_drawn = (
                each.reshape(flat) for each in (theta, grad + drawn, drawn)
            )
            (moved,), state = runs.step(
                (flat_theta,), loss.reshape(flat[:-1]), (flat_grad,), state, shared, own, flat_drawn
            )
            theta = moved.reshape(start.shape)
    return Trace(*(column.cpu() for column in columns))


def _minimize_with_theirs(
    objective: Objective,
    start: Tensor,
    optimizer: type[torch.optim.Optimizer],
    num_steps: Count,
    log_every: int,
    noise: Callable[[Tensor], Tensor] | None,
    hyperparameters: dict[str, Any],
    varying: dict[str, Callable[[int], Any]],
) -> Trace:
    if start.ndim != 1:  # theirs would take the runs for one parameter
        raise ValueError(
            f"start must have shape (dim,) with PyTorch's {optimizer.__name__}, which follows one "
            f"run, got {tuple(start.shape)}"
        )
    theta, advance, rate, rows = start.detach(), theirs(optimizer, start), torch.nan, []
    for step in range(num_steps + 1):
        loss, grad = value_and_gradient(objective, theta)
        if step % log_every == 0 or step == num_steps:
            lr = torch.as_tensor(rate, dtype=start.dtype).expand(start.shape[:-1])
            rows.append((torch.tensor(step), theta, loss, grad.norm(dim=-1), lr))
        if step < num_steps:
            drawn = torch.zeros_like(theta) if noise is None else noise(theta)
            check_shape("noise", drawn, tuple(theta.shape))
            now = hyperparameters | {name: function(step) for name, function in varying.items()}
            theta, rate = advance(theta, grad + drawn, now), now["lr"]
    return Trace(
        *(torch.stack([each.cpu() for each in column]) for column in zip(*rows, strict=True))
    )


def _shared_and_own(
    hyperparameters: dict[str, Any], start: Tensor
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the hyperparameters that all runs share from those that each has of its own.

    The latter are in float64, one number for each run. Inside ``vmap`` they take part in
    arithmetic as Python's numbers do: a parameter keeps its type, and what is computed of
    hyperparameters alone, such as ``1 - beta``, keeps its digits.
    """
    shared, own = {}, {}
    for name, value in hyperparameters.items():
        parts = value if isinstance(value, tuple | list) else (value,)
        if not any(isinstance(part, Tensor) for part in parts):
            shared[name] = value
            continue
        found = tuple(_one_per_run(name, part, start) for part in parts)
        of = shared if start.ndim == 1 else own
        of[name] = found if parts is value else found[0]
    return shared, own


def _one_per_run(name: str, value: Number, start: Tensor) -> Number:
    runs = (*start.shape[:-1], 1)
    value = torch.as_tensor(value, dtype=torch.float64, device=start.device)
    try:
        value = value.expand(runs).flatten()
    except RuntimeError:
        found = tuple(value.shape)
        raise ValueError(f"{name} must broadcast to shape {runs}, got {found}") from None
    return value if start.ndim > 1 else value.item()


@checked
def fit(
    model: nn.Module,
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    batches: Iterable[tuple[Tensor, Tensor]],
    optimizer: torch.optim.Optimizer,
    *,
    num_steps: Count,
    log_every: Count = 1,
    measure: dict[str, Callable[[], float]] | None = None,
) -> Trace:
    """Train a model, one batch a step.

    Every ``log_every`` steps, and after the last, a row is logged: the loss and gradient at the
    parameters reached, on the batch that the next step uses, before that step changes them. Where
    an optimizer judges the model elsewhere, at an average of iterates say, a row is of there.

    Args:
        model: trained in place.
        loss_fn: maps the model's output and a target to a scalar, such as
            ``torch.nn.functional.cross_entropy``.
        batches: yields ``(input, target)``, at least ``num_steps + 1`` times;
            ``itertools.repeat((input, target))`` trains on the full batch.
        optimizer: any PyTorch optimizer over the model's parameters, ours or theirs. One that
            asks for gradients itself runs the model again as often as it asks.
        num_steps: the number of updates, at least 1.
        log_every: steps between rows, at least 1.
        measure: further quantities to log, name to a function that computes it.

    Returns:
        The trace, on the CPU; the parameters in the dtype of the model, all else in float64.

    Raises:
        TypeError: ``loss_fn`` returns no tensor, or a measure no number.
        ValueError: ``num_steps`` or ``log_every`` is below 1, ``batches`` ran dry, or the loss is
            more than one number.

    Example:
        >>> import itertools
        >>> from torch.nn.functional import mse_loss
        >>> from descent.optim import GradientDescent
        >>> _ = torch.manual_seed(0)
        >>> model, batch = nn.Linear(1, 1), (torch.ones(4, 1), torch.zeros(4, 1))
        >>> optimizer = GradientDescent(model.parameters(), lr=0.25)
        >>> trace = fit(model, mse_loss, itertools.repeat(batch), optimizer, num_steps=2)
        >>> len(trace), bool(trace.loss[-1] < 1e-9)
        (3, True)
    """
    measure = measure or {}
    rows: list[tuple[Tensor, ...]] = []
    batches = iter(batches)
    rate = torch.nan
    for step in range(num_steps + 1):
        batch = next(batches, None)
        if batch is None:
            raise ValueError(f"batches must yield {num_steps + 1} times, ran dry after {step}")
        closure = partial(_gradients, model, loss_fn, batch, optimizer)
        loss = closure()
        if step % log_every == 0 or step == num_steps:
            with judged(optimizer) as elsewhere:
                loss = closure() if elsewhere else loss
                rows.append(_row(model, loss, [step, rate], measure))
            if elsewhere:
                closure()
        if step < num_steps:
            advance(optimizer, closure)
            rate = float(optimizer.param_groups[0]["lr"])
    params, scalars = (torch.stack(column) for column in zip(*rows, strict=True))
    loss, grad_norm, step, lr, *extra = scalars.T
    return Trace(step.long(), params, loss, grad_norm, lr, dict(zip(measure, extra, strict=True)))


def _gradients(
    model: nn.Module,
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    batch: tuple[Tensor, Tensor],
    optimizer: torch.optim.Optimizer,
) -> Tensor:
    """Compute a batch's loss, and leave its gradients in the parameters."""
    input, target = batch
    # Either may hold parameters that the other does not: frozen layers, a loss with its own.
    optimizer.zero_grad()
    model.zero_grad()
    loss = loss_fn(model(input), target)
    check_scalar("the loss", loss)
    loss.backward()
    return loss


def _row(
    model: nn.Module, loss: Tensor, known: list[float], measure: dict[str, Callable[[], float]]
) -> tuple[Tensor, Tensor]:
    params = nn.utils.parameters_to_vector(model.parameters()).detach()
    grad = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    scalars = [loss.item(), grad.norm().item(), *known]
    scalars += [_number(name, function()) for name, function in measure.items()]
    return params.cpu(), torch.tensor(scalars, dtype=torch.float64)


def _number(name: str, value: Any) -> float:
    if not isinstance(value, Real | Tensor):
        raise TypeError(f"measure[{name!r}] must return a number, got {value!r}")
    return float(value)


@checked
def advance(optimizer: torch.optim.Optimizer, closure: Callable[[], Tensor]) -> None:
    """Step with the gradients that are there, or with a closure where the optimizer needs one.

    Args:
        optimizer: ours or PyTorch's.
        closure: recomputes the loss and its gradients.
    """
    takes = inspect.signature(type(optimizer).step).parameters.get("closure")
    required = takes is not None and takes.default is takes.empty
    if required or getattr(optimizer, "asks", False):
        optimizer.step(closure)
    else:
        optimizer.step()


@contextmanager
@checked
def judged(optimizer: torch.optim.Optimizer) -> Iterator[bool]:
    """Put the parameters where the model is to be judged, and say whether that is elsewhere."""
    if isinstance(optimizer, RuleOptimizer) and optimizer.evaluate is not None:
        with optimizer.evaluating():
            yield True
    else:
        yield False
