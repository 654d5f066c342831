"""What every optimizer of the book shares: one pure rule, wrapped as PyTorch wraps its own."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor

from descent._checks import Number, check_flag, check_in_interval, check_length

State = dict[str, Tensor]
"""What a rule remembers of one parameter, under PyTorch's names; empty before the first step."""

Rule = Callable[..., tuple[Tensor, State]]
"""``rule(param, grad, state, **hyperparameters) -> (new param, new state)``, a pure function."""


Allowed = str | tuple[str, ...] | type[bool]
"""What a hyperparameter may be: a number in an interval, several of them, or true or false."""


def used(value: Number) -> bool:
    """Say whether a hyperparameter that 0 turns off is on.

    A tensor counts as on: its runs may differ, and adding 0 times something changes nothing.

    Example:
        >>> used(0.0), used(0.9), used(torch.tensor([0.0, 0.9]))
        (False, True, True)
    """
    return isinstance(value, Tensor) or value != 0


def double(value: Number) -> Number:
    r"""Give a hyperparameter the digits that :math:`1 - \beta^t` needs, if it is a tensor.

    What is computed from it is float64; a rule brings the new parameter back to its own type.

    Example:
        >>> double(0.9), double(torch.tensor([0.5]))
        (0.9, tensor([0.5000], dtype=torch.float64))
    """
    return value.double() if isinstance(value, Tensor) else value


def begin(state: State, param: Tensor, *names: str) -> State:
    """Add to a state what it lacks: a count of steps and averages, all 0.

    Example:
        >>> begin({}, torch.ones(2), "exp_avg")
        {'step': tensor(0.), 'exp_avg': tensor([0., 0.])}
    """
    lacking = {name: torch.zeros_like(param) for name in names if name not in state}
    if "step" not in state:
        lacking = {"step": torch.zeros((), dtype=torch.float32, device=param.device)} | lacking
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


class RuleOptimizer(torch.optim.Optimizer):
    """A pure update rule as a :class:`torch.optim.Optimizer`.

    A subclass names its ``rule`` and the values that are ``allowed`` for its hyperparameters, and
    passes its constructor's arguments on as ``defaults``. Everything else is here: parameter
    groups, checks, closures, gradients that are ``None``, complex parameters, saved states.

    Args:
        params: tensors, or groups of them, as :class:`torch.optim.Optimizer` takes them.
        defaults: hyperparameter name to value, for groups that do not set their own.

    Raises:
        TypeError: a hyperparameter is unknown or not a number.
        ValueError: a hyperparameter is outside its interval, or there are no parameters.
    """

    rule: ClassVar[Rule]
    allowed: ClassVar[dict[str, Allowed]]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.check(**defaults)
        super().__init__(params, defaults)

    @classmethod
    def check(cls, **hyperparameters: Any) -> None:
        """Raise unless every hyperparameter is known and has a value that is allowed.

        A subclass whose hyperparameters depend on each other adds a check of that; it may be
        asked about some of them only.
        """
        for name, value in hyperparameters.items():
            if name not in cls.allowed:
                known = ", ".join(cls.allowed)
                raise TypeError(f"{cls.__name__} has no hyperparameter {name!r}; it has: {known}")
            allowed = cls.allowed[name]
            if allowed is bool:
                check_flag(name, value)
            elif isinstance(allowed, str):
                check_in_interval(name, value, allowed)
            else:
                check_length(name, value, len(allowed))
                for index, (each, interval) in enumerate(zip(value, allowed, strict=True)):
                    check_in_interval(f"{name}[{index}]", each, interval)

    @classmethod
    def complete(cls, **hyperparameters: Any) -> dict[str, Any]:
        """Check hyperparameters and add the constructor's defaults for all others.

        Example:
            >>> from descent.optim import SGD
            >>> SGD.complete(lr=0.1)["momentum"]
            0.0
        """
        arguments = inspect.signature(cls).parameters
        complete = {name: arguments[name].default for name in cls.allowed} | hyperparameters
        cls.check(**complete)
        return complete

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, checking the hyperparameters it sets for itself."""
        own = {"params", "param_names", "initial_lr"}  # what PyTorch itself keeps in a group
        if isinstance(param_group, dict):  # PyTorch says what is wrong with anything else
            given = {name: value for name, value in param_group.items() if name not in own}
            # PyTorch adds a default of its own when a state is loaded.
            defaults = {name: self.defaults[name] for name in self.allowed}
            self.check(**(defaults | given))
        super().add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a run where ``state_dict`` left it; it may come from PyTorch's own optimizer.

        Raises:
            ValueError: it belongs to another optimizer, or to other parameters.
        """
        for group in state_dict["param_groups"]:
            missing = [name for name in self.allowed if name not in group]
            if missing:
                raise ValueError(
                    f"the state is not one of {type(self).__name__}: a group of it has no {missing}"
                )
            self.check(**{name: group[name] for name in self.allowed})
        super().load_state_dict(state_dict)

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Apply the rule once to every parameter that has a gradient.

        Args:
            closure: recomputes the loss and its gradients; called once, before the step.

        Returns:
            What ``closure`` returned, or ``None`` without one.

        Raises:
            RuntimeError: a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            hyperparameters = {name: _number(group[name]) for name in self.allowed}
            for param in group["params"]:
                if param.grad is None:
                    continue
                if param.grad.is_sparse:
                    raise RuntimeError(f"{type(self).__name__} does not take sparse gradients")
                old, grad, state = param, param.grad, self.state[param]
                if param.is_complex():  # rules are written for real numbers
                    old, grad = torch.view_as_real(old), torch.view_as_real(grad)
                    state = {name: _as_real(each) for name, each in state.items()}
                new, state = type(self).rule(old, grad, state, **hyperparameters)
                old.copy_(new)
                if param.is_complex():
                    state = {name: _as_complex(each, old) for name, each in state.items()}
                self.state[param] = state
        return loss


def _number(value: Any) -> Any:
    # As a tensor it would give its own type to a parameter that has no dimensions either.
    if isinstance(value, tuple | list):
        return tuple(_number(each) for each in value)
    return value.item() if isinstance(value, Tensor) and value.ndim == 0 else value


def _as_real(state: Tensor) -> Tensor:
    return torch.view_as_real(state) if state.is_complex() else state


def _as_complex(state: Tensor, like: Tensor) -> Tensor:
    # A count of steps belongs to the parameter as a whole, and has no imaginary part.
    return torch.view_as_complex(state) if state.shape == like.shape else state
