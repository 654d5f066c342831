"""Giving a rule a list of gradients, ours or PyTorch's, and returning the path it takes."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from descent._checks import check_shape
from descent._signatures import checked
from descent.optim import ModelState, RuleOptimizer, Runs

Advance = Callable[[Tensor, Tensor, dict[str, Any]], Tensor]
"""``advance(theta, grad, hyperparameters) -> theta``, one step, the state kept inside."""


@checked
def follow(
    optimizer: type[torch.optim.Optimizer],
    grads: Tensor | Sequence[Tensor],
    *,
    start: Tensor | None = None,
    **hyperparameters: Any,
) -> Tensor:
    """Give a rule these gradients, one after the other, wherever it goes.

    Each entry of an elementwise rule, such as Adam, moves on its own, so that one tensor holds
    many runs: its gradients may have any shape. Every other rule sees the tensor as one.

    Args:
        optimizer: whose rule is followed, ours or PyTorch's: :class:`~descent.optim.Adam` or
            ``torch.optim.Adam``.
        grads: the gradients, shape ``(steps, ...)``, of a floating-point type.
        start: the parameters before the first step, shape ``(...)``; 0 by default.
        **hyperparameters: the rule's, by name, ``lr`` among them; the others default to what
            the optimizer's constructor says. Each may be a function of the step, called with
            the number of updates made so far; of our rules, also a tensor that broadcasts.

    Returns:
        The parameters before the first and after each gradient, shape ``(steps + 1, ...)``.

    Raises:
        TypeError: a hyperparameter is unknown, ``lr`` is missing, or the rule asks for gradients
            itself, so that none can be given to it.
        ValueError: a hyperparameter is outside its interval, or ``start`` has another shape.

    Example:
        >>> from descent.optim import Adam
        >>> grads = torch.tensor([[1.0, 100.0], [1.0, 100.0]])
        >>> follow(Adam, grads, lr=0.5, eps=0.0)
        tensor([[ 0.0000,  0.0000],
                [-0.5000, -0.5000],
                [-1.0000, -1.0000]])
        >>> theirs = follow(torch.optim.Adam, grads, lr=0.5, eps=0.0)
        >>> torch.allclose(theirs, follow(Adam, grads, lr=0.5, eps=0.0))
        True
    """
    check_has_lr(optimizer, hyperparameters)
    theta = torch.zeros_like(grads[0]) if start is None else start.detach()
    check_shape("start", theta, tuple(grads[0].shape))
    ours = issubclass(optimizer, RuleOptimizer)
    advance = _ours(optimizer) if ours else theirs(optimizer, theta)
    varying = {name: value for name, value in hyperparameters.items() if callable(value)}
    complete = optimizer.complete if ours else dict
    options, path = {}, [theta]
    for step, grad in enumerate(grads):
        if varying or not options:
            now = {name: function(step) for name, function in varying.items()}
            options = complete(**(hyperparameters | now))
        theta = advance(theta, grad, options)
        path.append(theta)
    return torch.stack(path)


@checked
def check_has_lr(optimizer: type[torch.optim.Optimizer], hyperparameters: dict[str, Any]) -> None:
    """Raise unless the learning rate is given.

    Raises:
        TypeError: it is not.
    """
    if "lr" not in hyperparameters:
        raise TypeError(f"{optimizer.__name__} needs the hyperparameter 'lr'")


def _ours(optimizer: type[RuleOptimizer]) -> Advance:
    """Step along a rule of the book."""
    if optimizer.asks:
        raise TypeError(
            f"{optimizer.__name__} asks for gradients itself: it has to be given an objective, "
            "as minimize takes it"
        )
    runs = Runs(optimizer, lambda params: None, stacked=False)
    state = ModelState.empty(1)

    def advance(theta: Tensor, grad: Tensor, hyperparameters: dict[str, Any]) -> Tensor:
        nonlocal state
        nothing = grad.new_zeros(())
        (theta,), state = runs.step((theta,), nothing, (grad,), state, hyperparameters, {})
        return theta

    return advance


@checked
def theirs(optimizer: type[torch.optim.Optimizer], start: Tensor) -> Advance:
    """Step with an optimizer of PyTorch's, whose steps need no closure.

    Args:
        optimizer: its class.
        start: the parameters before the first step.

    Returns:
        A function of the parameters, the gradient there and the hyperparameters.
    """
    param = start.detach().clone().requires_grad_()
    made: list[torch.optim.Optimizer] = []

    def advance(theta: Tensor, grad: Tensor, hyperparameters: dict[str, Any]) -> Tensor:
        if not made:
            made.append(optimizer([param], **hyperparameters))
        made[0].param_groups[0].update(hyperparameters)
        param.grad = grad.detach().clone()
        made[0].step()
        return param.detach().clone()

    return advance
