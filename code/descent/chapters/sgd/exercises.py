"""Checkers for the exercises on stochastic gradient descent.

Each takes what the reader wrote, prints one line and returns whether it is right.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from descent.chapters.verdict import as_answer, ask, mismatch, verdict, wrong_count, wrong_form


def batch_for(answer: Callable[[int, float, float], int]) -> bool:
    r"""Check the least batch, drawn without replacement, whose gradient is accurate enough.

    Args:
        answer: maps the number of samples :math:`N`, the variance :math:`\sigma^2` of one
            sample's gradient and the variance allowed, all above 0, to a batch size.

    Returns:
        Whether the batch is accurate enough, and one sample fewer would not be.

    Example:
        >>> batch_for(lambda num_samples, variance, allowed: math.ceil(variance / allowed))
        not yet: batch_for(num_samples=100, variance=4, allowed=0.1) returned 40 where 29 is right
        False
    """
    cases = [(100, 4.0, 0.1), (1000, 9.0, 0.4), (3, 1.0, 0.2)]
    cases += [(33, 17.0, 0.5)]  # a batch of 17 has the variance allowed, to the last digit
    for num_samples, variance, allowed in cases:
        name = f"batch_for(num_samples={num_samples}, variance={variance:g}, allowed={allowed:g})"
        found, problem = ask(answer, num_samples, variance, allowed)
        right = next(
            size
            for size in range(1, num_samples + 1)
            if variance / size * (num_samples - size) / (num_samples - 1) <= allowed
        )
        if problem := problem or wrong_count(found, right):
            return verdict(name, problem)
    return verdict("batch_for", None)


def lr_for(answer: Callable[[float, float, float, int], float]) -> bool:
    r"""Check the rate whose noise floor is what the reader can live with.

    Args:
        answer: maps the floor :math:`\mathbb{E}\,\theta^2`, the curvature :math:`\lambda`, the
            variance :math:`\sigma^2` of one sample's gradient and the batch size :math:`B` to
            :math:`\eta`.

    Returns:
        Whether a step with this rate leaves the floor as it is.

    Example:
        >>> lr_for(lambda floor, curvature, variance, batch_size:
        ...        2 * floor * curvature * batch_size / variance)
        not yet: lr_for leaves a floor of ... where 0.1 is asked for
        False
    """
    for floor, curvature, variance, batch_size in ((0.1, 1.0, 1.0, 1), (2.0, 0.5, 9.0, 8)):
        found, problem = ask(answer, floor, curvature, variance, batch_size)
        if problem := problem or wrong_form(found, torch.zeros(())):
            return verdict("lr_for", problem)
        lr = as_answer(found).item()
        if not 0 < lr < 2 / curvature:
            reason = f"returned {lr:.6g} where a rate in (0, {2 / curvature:g}) is stable"
            return verdict("lr_for", reason)
        right = 2 / (curvature + variance / (curvature * batch_size * floor))
        if problem := mismatch(found, torch.tensor(right, dtype=torch.float64)):
            if not math.isclose(lr, right, rel_tol=1e-4):
                # The square that a step leaves where it is: contraction and noise in balance.
                left = lr**2 * variance / batch_size / (1 - (1 - lr * curvature) ** 2)
                problem = f"leaves a floor of {left:.6g} where {floor:g} is asked for"
            return verdict("lr_for", problem)
    return verdict("lr_for", None)


def epoch_weights(answer: Callable[[int, int], Tensor]) -> bool:
    """Check how much each sample counts in an epoch whose last batch is not full.

    Args:
        answer: maps the number of samples and the batch size to weights ``(num_samples,)``: the
            factor of each sample's gradient in the sum of the epoch's batch gradients, each the
            mean over its batch, for the samples in the order in which they come.

    Returns:
        Whether the weights are those of ``torch.utils.data.DataLoader``.

    Example:
        >>> def all_alike(num_samples, batch_size):
        ...     return torch.full((num_samples,), 1 / batch_size)
        >>> epoch_weights(all_alike)
        not yet: epoch_weights(num_samples=10, batch_size=4) returned 0.25 where 0.5 is right
        False
    """
    for num_samples, batch_size in ((10, 4), (8, 4), (3, 5)):
        name = f"epoch_weights(num_samples={num_samples}, batch_size={batch_size})"
        found, problem = ask(answer, num_samples, batch_size)
        right = torch.zeros(num_samples, dtype=torch.float64)
        for batch in DataLoader(range(num_samples), batch_size):
            right[batch] += 1 / len(batch)
        if problem := problem or mismatch(found, right, tol=1e-6):
            return verdict(name, problem)
    return verdict("epoch_weights", None)


def averaged(answer: Callable[[Tensor, Tensor, int], Tensor]) -> bool:
    """Check an average of the iterates that is kept up to date and stores none of them.

    Args:
        answer: maps the mean of the first ``count`` iterates ``(dim,)``, the next iterate
            ``(dim,)`` and ``count`` to the mean of them all.

    Returns:
        Whether it is the mean of what it was shown, after each iterate.

    Example:
        >>> averaged(lambda mean, theta, count: (mean + theta) / 2)
        not yet: averaged, with count = 0, returned -1.15521 where -2.31041 is right
        False
    """
    generator = torch.Generator().manual_seed(0)
    path = torch.randn(20, 3, generator=generator, dtype=torch.float64)
    mean = torch.zeros(3, dtype=torch.float64)
    for count, theta in enumerate(path):
        found, problem = ask(answer, mean, theta, count)
        if problem := problem or mismatch(found, path[: count + 1].mean(0)):
            return verdict(f"averaged, with count = {count},", problem)
        mean = as_answer(found).double()
    return verdict("averaged", None)


def noise_scale(answer: Callable[[float, float, int, int], float]) -> bool:
    r"""Check an estimate of :math:`\sigma^2 / \|\nabla f\|^2` from batches of two sizes.

    Args:
        answer: maps the mean of :math:`\|g\|^2` over small batches, that over large ones, and the
            two batch sizes to the noise scale.

    Returns:
        Whether it is right where the means are exact.

    Example:
        >>> noise_scale(lambda small, large, small_batch, large_batch: small_batch * small / large)
        not yet: noise_scale returned ... where 12 is right
        False
    """
    for signal, variance, small, large in ((0.5, 6.0, 1, 8), (2.0, 3.0, 4, 64)):
        means = (signal + variance / small, signal + variance / large)
        found, problem = ask(answer, *means, small, large)
        if problem := problem or mismatch(found, torch.tensor(variance / signal), tol=1e-6):
            return verdict("noise_scale", problem)
    return verdict("noise_scale", None)


def schedule(answer: Callable[[int], float]) -> bool:
    r"""Check rates that serve two curvatures at once, without knowing which is which.

    Args:
        answer: maps the step, 0 to 9999, to the rate.

    Returns:
        Whether, from :math:`\theta_0 = 1` and with gradient noise of variance 1,
        :math:`\mathbb{E}\,\theta^2` ends at 0.004 or less for the curvatures 0.2 and 1.

    Example:
        >>> schedule(lambda step: 1 / (step + 1))
        not yet: schedule ends at 0.0... for curvature 0.2, where 0.004 is allowed
        False
        >>> schedule(lambda step: 0.01)
        not yet: schedule ends at 0.0... for curvature 0.2, where 0.004 is allowed
        False
    """
    rates = []
    for step in range(10_000):
        found, problem = ask(answer, step)
        if problem := problem or wrong_form(found, torch.zeros(())):
            return verdict("schedule", problem)
        rates.append(as_answer(found).item())
        if not 0 < rates[-1] < math.inf:
            return verdict("schedule", f"at step {step} returned {rates[-1]:g}, not a rate above 0")
    for curvature in (0.2, 1.0):
        square = 1.0
        for lr in rates:
            square = (1 - lr * curvature) ** 2 * square + lr**2
        if not square <= 0.004:
            reason = f"ends at {square:.4f} for curvature {curvature:g}, where 0.004 is allowed"
            return verdict("schedule", reason)
    return verdict("schedule", None)
