"""Rules of every shape that is not elementwise, small enough to check by hand."""

from typing import Annotated, Any

import torch
from torch import Tensor

from descent.optim import (
    SGD,
    Adam,
    ModelState,
    Oracle,
    Params,
    State,
    clipped,
    from_model_rule,
    from_oracle_rule,
    from_rule,
)
from descent.optim._hyperparameters import In

Rate = Annotated[float, In("[0, inf)"), "the rate"]


def _normalized(param: Tensor, grad: Tensor, state: State, lr: Rate = 1e-3) -> tuple[Tensor, State]:
    """Step by the rate along the gradient of a tensor, whatever its length."""
    return param - lr * grad / (torch.linalg.vector_norm(grad) + 1e-12), state


class Normalized(from_rule(_normalized)):
    """A rule of one tensor that looks at all of it."""


class ClippedSGD(clipped(SGD)):
    """SGD whose gradient, over the whole model, is no longer than a given length."""


class ClippedAdam(clipped(Adam)):
    """Adam whose gradient, over the whole model, is no longer than a given length."""


def _routed(
    params: Params,
    grads: Params,
    state: ModelState,
    lr: Rate = 1e-3,
    momentum: Annotated[float, In("[0, 1)"), "what vectors keep of their buffer"] = 0.5,
) -> tuple[Params, ModelState]:
    """Step by the sign in matrices, and with momentum in everything else."""
    new, states = [], []
    for param, grad, own in zip(params, grads, state.each, strict=True):
        if param.ndim >= 2:
            new.append(param - lr * grad.sign())
            states.append(own)
        else:
            buffer = momentum * own.get("momentum_buffer", torch.zeros_like(grad)) + grad
            new.append(param - lr * buffer)
            states.append({"momentum_buffer": buffer})
    return tuple(new), ModelState({}, tuple(states))


class Routed(from_model_rule(_routed)):
    """One rule for matrices and another for the rest."""


def _norm(tensors: Params) -> Tensor:
    return torch.stack([torch.linalg.vector_norm(each) for each in tensors]).norm()


def _scaled(
    params: Params, grads: Params, state: ModelState, lr: Rate = 1e-3
) -> tuple[Params, ModelState]:
    """Divide by the root of the squared length of all gradients so far."""
    length = torch.hypot(state.model.get("length", torch.zeros_like(_norm(grads))), _norm(grads))
    new = tuple(param - lr * grad / length for param, grad in zip(params, grads, strict=True))
    return new, ModelState({"length": length}, state.each)


class Scaled(from_model_rule(_scaled)):
    """A rule with one number for the whole model."""


def _sharpness_aware(
    params: Params,
    oracle: Oracle,
    state: ModelState,
    lr: Rate = 1e-3,
    rho: Annotated[float, In("[0, inf)"), "how far uphill the gradient is taken"] = 0.05,
) -> tuple[Params, ModelState]:
    """Step by the gradient a little way uphill."""
    _, grads = oracle(params)
    scale = rho / (_norm(grads) + 1e-12)
    _, uphill = oracle(tuple(p + scale * grad for p, grad in zip(params, grads, strict=True)))
    return tuple(p - lr * grad for p, grad in zip(params, uphill, strict=True)), state


class SharpnessAware(from_oracle_rule(_sharpness_aware)):
    """A rule that asks for two gradients."""


class ClippedSharpnessAware(clipped(SharpnessAware)):
    """A rule that asks for two gradients and has each of them shortened."""


def _backtracking(
    params: Params,
    oracle: Oracle,
    state: ModelState,
    lr: Rate = 1e-3,
    halvings: Annotated[int, In("[0, 60]"), "how often the step may be halved"] = 30,
) -> tuple[Params, ModelState]:
    """Halve the step until the loss falls by half of what the slope promises."""
    loss, grads = oracle(params)
    squared, step, new = _norm(grads) ** 2, lr, params
    for _ in range(halvings + 1):
        new = tuple(p - step * grad for p, grad in zip(params, grads, strict=True))
        if oracle(new)[0] <= loss - 0.5 * step * squared:
            break
        step = step / 2
    return new, state


class Backtracking(from_oracle_rule(_backtracking, branches=True)):
    """A rule whose course depends on what it finds."""


def _averaged(param: Tensor, grad: Tensor, state: State, lr: Rate = 1e-3) -> tuple[Tensor, State]:
    """Step plainly, and remember the mean of all iterates."""
    new = param - lr * grad
    step = state.get("step", torch.zeros(())) + 1
    mean = state.get("mean", torch.zeros_like(param))
    return new, {"step": step, "mean": mean + (new - mean) / step.to(param.dtype)}


def _mean_of(param: Tensor, state: State, **hyperparameters: Any) -> Tensor:
    return state.get("mean", param)


class Averaged(from_rule(_averaged, evaluate=_mean_of)):
    """A rule whose model is judged at the mean of its iterates."""


SHAPES = {
    "of one tensor": Normalized,
    "clipped": ClippedSGD,
    "clipped, with a state": ClippedAdam,
    "routed": Routed,
    "with a number for the model": Scaled,
    "with two gradients": SharpnessAware,
    "with two gradients, clipped": ClippedSharpnessAware,
    "with a line search": Backtracking,
    "judged at its mean": Averaged,
}
"""By what sets it apart, an example of each shape."""
