"""The learning-rate range test: one short run through all rates, from far too low to too high."""

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from descent._checks import check_in_interval, check_scalar
from descent._signatures import Fraction, In, Positive, Several, checked
from descent.schedules import exponential
from descent.training.loop import advance, judged

ROUNDING = 1e-12
"""How far an average may fall by rounding alone, relative to its size."""


@checked
@dataclass(frozen=True, eq=False)
class RangeTest:
    """The curve of a range test.

    Args:
        lr: the rate of each update, growing, shape ``(steps,)``.
        loss: the loss on the batch after that update, shape ``(steps,)``.
        smoothed: its debiased exponential average, shape ``(steps,)``.
        suggestion: the rate at which ``smoothed`` fell fastest per factor of the rate, or
            ``None`` where it never fell.
    """

    lr: Tensor
    loss: Tensor
    smoothed: Tensor
    suggestion: float | None


@checked
def lr_range_test(
    model: nn.Module,
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    batches: Iterable[tuple[Tensor, Tensor]],
    optimizer: torch.optim.Optimizer,
    *,
    min_lr: Positive = 1e-6,
    max_lr: Positive = 10.0,
    num_steps: Several = 100,
    smoothing: Fraction = 0.9,
    stop: Annotated[float, In("(1, inf)")] = 4.0,
) -> RangeTest:
    r"""Train while the rate grows by the same factor at each step, and watch the loss.

    .. math:: \eta_t = \eta_{\min} (\eta_{\max} / \eta_{\min})^{t / (T - 1)}

    :math:`\eta_{\min}` is ``min_lr``, :math:`\eta_{\max}` is ``max_lr``, :math:`T` is
    ``num_steps``. Copies of the model and the optimizer are trained; neither
    is changed.

    Take the suggestion as the middle of a grid, and not as an answer. It is wrong where the loss
    is noisy or the run short, since a rate is then judged by a few batches; where training is
    unstable only at its start, which the test takes for the limit of all of it; and for long
    runs, whose best rate is lower than that of a hundred steps. It moves with ``num_steps`` and
    ``smoothing``: a long test or a heavy average flattens the fall of the loss, until the noise of
    the first batches is steeper and the suggestion far too low.

    Args:
        model: on whose parameters the optimizer works.
        loss_fn: maps the model's output and a target to a scalar.
        batches: yields ``(input, target)``, at least ``num_steps + 1`` times.
        optimizer: any PyTorch optimizer, ours or theirs; all its groups get the same rate.
        min_lr: the first rate, in (0, ``max_lr``).
        max_lr: the last, in (0, inf).
        num_steps: how many rates are tried, at least 2.
        smoothing: the weight of the past in the average of the losses, in [0, 1).
        stop: how many times the least average the average may reach before the test ends, in
            (1, inf); not applied below 0. A loss that is not finite ends the test at once, and is
            not part of the curve.

    Returns:
        The curve and the rate it suggests.

    Raises:
        TypeError: a setting is not a number.
        ValueError: a setting is outside its range, ``batches`` ran dry, or the loss was not finite
            before the first update.

    Example:
        >>> import itertools
        >>> from torch.nn.functional import mse_loss
        >>> from descent.tasks.models import mlp
        >>> from descent.optim import SGD
        >>> model, batch = mlp([1, 1], seed=0), (torch.ones(4, 1), torch.zeros(4, 1))
        >>> optimizer = SGD(model.parameters(), lr=0.1)
        >>> found = lr_range_test(model, mse_loss, itertools.repeat(batch), optimizer, max_lr=1.0)
        >>> 1e-3 < found.suggestion < 1.0
        True

    References:
        L. N. Smith, Cyclical learning rates for training neural networks (2017), section 3.3.
    """
    check_in_interval("min_lr", min_lr, f"(0, {max_lr})")
    model, optimizer = copy.deepcopy((model, optimizer))
    gamma = (max_lr / min_lr) ** (1 / (num_steps - 1))
    rows, average, least, rate = [], 0.0, math.inf, math.nan
    batches = iter(batches)
    for step in range(num_steps + 1):
        batch = next(batches, None)
        if batch is None:
            raise ValueError(f"batches must yield {num_steps + 1} times, ran dry after {step}")
        input, target = batch

        def closure(input: Tensor = input, target: Tensor = target) -> Tensor:
            optimizer.zero_grad()
            loss = loss_fn(model(input), target)
            check_scalar("the loss", loss)
            loss.backward()
            return loss

        with judged(optimizer) as elsewhere:
            loss = closure().detach()
        if not math.isfinite(loss.item()):
            if step == 0:
                raise ValueError(
                    f"the loss must be finite before the first step, got {loss.item()}"
                )
            break
        if step > 0:
            average = smoothing * average + (1 - smoothing) * loss.item()
            smoothed = average / (1 - smoothing**step)
            rows.append((rate, loss.item(), smoothed))
            least = min(least, smoothed)
            if smoothed > stop * least > 0:
                break
        rate = exponential(step, min_lr, gamma=gamma)
        for group in optimizer.param_groups:
            group["lr"] = rate
        if elsewhere:
            closure()
        advance(optimizer, closure)
    lr, losses, smoothed = torch.tensor(rows, dtype=torch.float64).reshape(-1, 3).T
    return RangeTest(lr, losses, smoothed, _steepest(lr, smoothed))


def _steepest(lr: Tensor, smoothed: Tensor) -> float | None:
    if len(lr) < 2:
        return None
    if smoothed.diff().min() > -ROUNDING * smoothed.abs().max():
        return None
    (slope,) = torch.gradient(smoothed, spacing=(lr.log(),))
    return lr[slope.argmin()].item()
