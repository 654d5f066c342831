"""Checkers for the exercises on losses.

Each takes what the reader wrote, prints one line and returns whether it is right.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from descent import losses
from descent.chapters.verdict import as_answer, ask, mismatch, verdict, wrong_form


class _Backward(TorchDispatchMode):
    """Notes whether an operation ran inside of a backward pass, of ``torch.func`` or another."""

    seen = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen |= torch._C._current_graph_task_id() != -1
        return func(*args, **(kwargs or {}))


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def best_order(answer: Callable[[Tensor, float, float], float]) -> bool:
    r"""Check an order of newspapers of least average cost, a quantile of the demand.

    .. math:: \text{cost}(c) = \text{under} \cdot \max(y - c, 0) + \text{over} \cdot \max(c - y, 0)

    Args:
        answer: maps demands ``(num_samples,)`` and the costs of one too few and of one too many
            to an order.

    Returns:
        Whether no other order would have cost less.

    Example:
        >>> best_order(lambda demand, under, over: demand.mean())
        not yet: best_order(under=9, over=1) returned ..., which costs ... a day, not ...
        False
    """
    demand = 20 + 10 * torch.randn(101, generator=_generator(), dtype=torch.float64).exp()
    for under, over in ((9.0, 1.0), (1.0, 1.0), (1.0, 4.0)):
        name = f"best_order(under={under:g}, over={over:g})"
        found, problem = ask(answer, demand, under, over)
        if problem := problem or wrong_form(found, demand[0]):
            return verdict(name, problem)

        # The average cost is linear between demands, so it is least at one of them.
        orders = torch.cat([demand, as_answer(found).to(demand).reshape(1)])
        input, target = torch.broadcast_tensors(orders[:, None], demand)
        level = under / (under + over)
        costs = losses.quantile_loss(input, target, quantile=level, reduction="none").mean(1)
        *_, cost = (under + over) * costs
        least = (under + over) * costs[:-1].min()
        if not cost <= least * (1 + 1e-7):  # an order in float32 is off by less
            reason = f"returned {orders[-1]:.6g}, which costs {cost:.6g} a day, not {least:.6g}"
            return verdict(name, reason)
    return verdict("best_order", None)


def stable_bce(answer: Callable[[Tensor, Tensor], Tensor]) -> bool:
    r"""Check binary cross-entropy of logits, :math:`\ln(1 + e^z) - yz`, without overflow.

    Args:
        answer: maps logits and targets in [0, 1], of one shape, to losses of that shape.

    Returns:
        Whether it is right to 12 digits from -10,000 to 10,000 (to 5 digits in float32), however
        small the loss.

    Example:
        >>> stable_bce(lambda input, target: input.exp().log1p() - target * input)
        not yet: stable_bce returned ... where ... is right, to 12 digits
        False
    """
    size = torch.tensor([2.0, 20.0, 30.0, 40.0, 1e3, 1e4], dtype=torch.float64)
    logit = torch.cat([torch.zeros_like(size[:1]), size, -size])
    target = torch.tensor([0.0, 0.3, 1.0], dtype=torch.float64)
    input, target = (each.flatten() for each in torch.meshgrid(logit, target, indexing="ij"))
    found, problem = ask(answer, input, target)
    right = losses.binary_cross_entropy_with_logits(input, target, reduction="none")
    return verdict("stable_bce", problem or mismatch(found, right, tol=1e-12, abs=0.0))


def weighted_gradient(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> bool:
    r"""Check the gradient, worked out by hand, of cross-entropy with class weights.

    .. math:: L(z) = \frac{\sum_i w_{y_i} \ell_i}{\sum_i w_{y_i}}

    Args:
        answer: maps logits ``(num_samples, num_classes)``, classes ``(num_samples,)`` and weights
            ``(num_classes,)`` to the gradient, of the shape of the logits.

    Returns:
        Whether it agrees with autograd, and did without it.

    Example:
        >>> def divided_by_rows(input, target, weight):
        ...     onehot = torch.eye(input.shape[1], dtype=input.dtype)[target]
        ...     return weight[target, None] * (input.softmax(1) - onehot) / len(target)
        >>> weighted_gradient(divided_by_rows)
        not yet: weighted_gradient returned ... is right: all are ... times too large...
        False
    """
    input = torch.randn(6, 3, generator=_generator(), dtype=torch.float64)
    target = torch.tensor([0, 1, 2, 2, 1, 2])  # unbalanced, so that each denominator differs
    weight = torch.tensor([0.5, 1.0, 4.0], dtype=torch.float64)

    with _Backward() as backward:
        found, problem = ask(answer, input, target, weight)
    if backward.seen:
        problem = "asked autograd: work the derivative out by hand"
    leaf = input.clone().requires_grad_()
    (right,) = torch.autograd.grad(losses.cross_entropy(leaf, target, weight=weight), leaf)
    problem = problem or mismatch(found, right)
    if problem and as_answer(found) is not None and as_answer(found).shape == right.shape:
        ratio = as_answer(found).double() / right
        if torch.allclose(ratio, ratio[0, 0], rtol=1e-4):
            problem += f": all are {ratio[0, 0]:.3g} times too large, so look at the denominator"
    return verdict("weighted_gradient", problem)


def accumulated(answer: Callable[[list[tuple[Tensor, Tensor]]], Tensor]) -> bool:
    r"""Check the mean cross-entropy of a batch that was cut into pieces.

    Args:
        answer: maps a list of pairs, logits ``(num_samples, num_classes)`` and classes
            ``(num_samples,)`` of which those equal to -100 do not count, to the mean loss.

    Returns:
        Whether it is the loss of the whole batch, also when a piece is all padding.

    Example:
        >>> def mean_of_means(pieces):
        ...     return sum(losses.cross_entropy(*piece) for piece in pieces) / len(pieces)
        >>> accumulated(mean_of_means)
        not yet: accumulated returned nan where ... is right
        False
    """
    generator = _generator()
    targets = ([0, 1, 2, 1], [2, -100, -100, -100], [-100, -100], [0])
    pieces = [
        (torch.randn(len(t), 3, generator=generator, dtype=torch.float64), torch.tensor(t))
        for t in targets
    ]
    found, problem = ask(answer, pieces)
    right = losses.cross_entropy(*(torch.cat(part) for part in zip(*pieces, strict=True)))
    return verdict("accumulated", problem or mismatch(found, right))


def robust_centre(answer: Callable[[Tensor, float], float]) -> bool:
    r"""Check a minimizer of the average Huber loss over a constant.

    Args:
        answer: maps a sample ``(num_samples,)`` and :math:`\delta` to the constant.

    Returns:
        Whether the gradient of the average loss vanishes there, for several
        :math:`\delta` and samples with outliers.

    Example:
        >>> robust_centre(lambda sample, delta: sample.median())
        not yet: robust_centre(delta=0.5) returned ..., where the slope of the loss is ...
        False
    """
    sample = torch.randn(51, generator=_generator(), dtype=torch.float64)
    sample[:5] += 10
    for delta in (0.5, 1.345, 100.0):
        name = f"robust_centre(delta={delta:g})"
        found, problem = ask(answer, sample, delta)
        if problem := problem or wrong_form(found, sample[0]):
            return verdict(name, problem)
        centre = as_answer(found).double()
        slope = (centre - sample).clamp(-delta, delta).mean()
        if not slope.abs() < 1e-6:
            reason = f"returned {centre:.6g}, where the slope of the loss is {slope:.2g}"
            return verdict(name, reason)
    return verdict("robust_centre", None)


def calibrated(answer: Callable[[Tensor, float], Tensor]) -> bool:
    r"""Check the way back from what the focal loss states to what is true.

    Args:
        answer: maps stated probabilities ``(count,)`` and the exponent :math:`\nu` to true ones.

    Returns:
        Whether, at each true probability, the expected focal loss has no slope at the stated one.

    Example:
        >>> calibrated(lambda p, gamma: p)
        not yet: calibrated(gamma=1) returned 0.1 where ... is right
        False
    """
    p = torch.tensor([0.1, 0.5, 0.7, 0.95], dtype=torch.float64)
    for gamma in (0.0, 1.0, 2.0, 5.0):
        found, problem = ask(answer, p, gamma)
        # The expected loss is linear in the true probability, and so is its slope.
        slopes = []
        for label in (0, 1):
            logit = torch.logit(p).requires_grad_()
            input = torch.stack([torch.zeros_like(p), logit], dim=1)
            target = torch.full((len(p),), label)
            loss = losses.focal_loss(input, target, gamma=gamma, reduction="sum")
            slopes.append(torch.autograd.grad(loss, logit)[0])
        right = slopes[0] / (slopes[0] - slopes[1])
        if problem := problem or mismatch(found, right):
            return verdict(f"calibrated(gamma={gamma:g})", problem)
    return verdict("calibrated", None)
