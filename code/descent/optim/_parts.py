"""What several rules are made of: direction and decay, averages, and what corrects their start."""

import torch
from torch import Tensor
from torch._C._functorch import is_batchedtensor  # asking is faster than failing by a factor of 50

from descent._checks import Number

State = dict[str, Tensor]
"""What a rule remembers of one parameter, under PyTorch's names; empty before the first step."""


def real(tensor: Tensor) -> Tensor:
    """See complex numbers as pairs of real ones, which is what rules are written for.

    Example:
        >>> real(torch.tensor([1 + 2j]))
        tensor([[1., 2.]])
    """
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def as_number(value: Number) -> Number:
    """Turn a tensor of one number into Python's, with the digits of float64.

    Inside ``torch.func.vmap`` and under the compiler no number can be looked at, and it stays a
    tensor, in float64: what is computed from it keeps its digits, and a parameter that meets it
    keeps its own type, as it does when it meets a number.

    Example:
        >>> as_number(torch.tensor(0.5)), as_number(0.9)
        (0.5, 0.9)
    """
    if not isinstance(value, Tensor):
        return value
    hidden = torch.compiler.is_compiling() or is_batchedtensor(value)
    return value.double() if hidden or value.numel() != 1 else value.item()


def is_on(value: Number) -> bool:
    """Say whether a hyperparameter that 0 turns off is on.

    A tensor counts as on: its runs may differ, and adding 0 times something changes nothing.

    Example:
        >>> is_on(0.0), is_on(0.9), is_on(torch.tensor([0.0, 0.9]))
        (False, True, True)
    """
    return isinstance(value, Tensor) or value != 0


def regularized(
    param: Tensor,
    grad: Tensor,
    lr: Number,
    weight_decay: Number,
    *,
    decoupled: bool = False,
    maximize: bool = False,
) -> tuple[Tensor, Tensor]:
    """Turn the gradient downhill and let the weights decay, before a rule sees either.

    Args:
        param: the parameters.
        grad: their gradient.
        lr: the learning rate.
        weight_decay: how much of the parameter is added to its gradient; decoupled, the part of
            the parameter, times ``lr``, by which it shrinks.
        decoupled: whether the decay leaves the gradient alone.
        maximize: whether to climb.

    Returns:
        The parameters and the gradient that the rule goes on with.

    Example:
        >>> regularized(torch.tensor([2.0]), torch.tensor([1.0]), 0.1, 0.5)
        (tensor([2.]), tensor([2.]))
        >>> regularized(torch.tensor([2.0]), torch.tensor([1.0]), 0.1, 0.5, decoupled=True)
        (tensor([1.9000]), tensor([1.]))
    """
    if maximize:
        grad = -grad
    if is_on(weight_decay):
        if decoupled:
            param = param * (1 - lr * weight_decay)
        else:
            grad = blend(grad, weight_decay, param)
    return param, grad


def started(state: State, param: Tensor, *names: str) -> State:
    """Add to a state what it lacks: a count of steps and averages, all 0.

    The count is in float32 and on the CPU, as PyTorch keeps it, where looking at it waits for
    nothing.

    Example:
        >>> started({}, torch.ones(2), "exp_avg")
        {'step': tensor(0.), 'exp_avg': tensor([0., 0.])}
    """
    lacking = {name: torch.zeros_like(param) for name in names if name not in state}
    if "step" not in state:
        lacking = {"step": torch.zeros((), dtype=torch.float32)} | lacking
    return state | lacking


def average(old: Tensor, new: Tensor, keep: Number) -> Tensor:
    """Move an exponential average on by one value, to ``keep * old + (1 - keep) * new``.

    It is rounded as PyTorch rounds it, which also decides what comes after an infinite value.

    Example:
        >>> average(torch.tensor([1.0]), torch.tensor([3.0]), 0.75)
        tensor([1.5000])
    """
    weight = 1 - keep
    return old.lerp(new, weight.to(old.dtype) if isinstance(weight, Tensor) else weight)


def average_of_squares(old: Tensor, new: Tensor, keep: Number) -> Tensor:
    """Move an exponential average of squares on, to ``keep * old + (1 - keep) * new**2``.

    The weight comes before the square, which alone may be beyond all numbers.

    Example:
        >>> average_of_squares(torch.tensor([1.0]), torch.tensor([3.0]), 0.75)
        tensor([3.])
    """
    if isinstance(keep, Tensor):
        return torch.addcmul(keep * old, (1 - keep) * new, new)
    return (keep * old).addcmul(new, new, value=1 - keep)


def descend(param: Tensor, lr: Number, along: Tensor, over: Tensor | None = None) -> Tensor:
    """Return ``param - lr * along``, or ``param - lr * along / over``, in one operation.

    An optimizer is limited by how often it reads and writes its tensors, not by arithmetic.

    Example:
        >>> descend(torch.tensor([1.0]), 0.5, torch.tensor([4.0]), torch.tensor([8.0]))
        tensor([0.7500])
    """
    if isinstance(lr, Tensor):  # one number for each run
        return param - (lr * along if over is None else lr * along / over)
    if over is None:
        return torch.add(param, along, alpha=-lr)
    return torch.addcdiv(param, along, over, value=-lr)


def blend(new: Tensor, keep: Number, old: Tensor) -> Tensor:
    """Return ``new + keep * old`` in one operation.

    Example:
        >>> blend(torch.tensor([1.0]), 0.5, torch.tensor([4.0]))
        tensor([3.])
    """
    return new + keep * old if isinstance(keep, Tensor) else torch.add(new, old, alpha=keep)


def bias_correction(keep: Number, step: Number) -> Number:
    r"""Return :math:`1 - \beta^t`, the weight that an average begun at 0 has after ``t`` values.

    Args:
        keep: the part :math:`\beta` of the average that is kept each step.
        step: how many values it has seen.

    Example:
        >>> bias_correction(0.5, torch.tensor(2.0))
        0.75
    """
    return 1 - as_number(keep) ** as_number(step)


def as_kept(value: Number) -> Tensor:
    """Turn what a rule counts into what a state keeps of it: a float32 tensor, as PyTorch does.

    Example:
        >>> as_kept(2.0)
        tensor(2.)
    """
    return torch.as_tensor(value, dtype=torch.float32)
