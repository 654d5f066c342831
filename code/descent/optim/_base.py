"""What every optimizer of the book shares: one pure rule, wrapped as PyTorch wraps its own."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor

from descent._checks import check_in_interval

State = dict[str, Tensor]
"""What a rule remembers of one parameter, under PyTorch's names; empty before the first step."""

Rule = Callable[..., tuple[Tensor, State]]
"""``rule(param, grad, state, **hyperparameters) -> (new param, new state)``, a pure function."""


class RuleOptimizer(torch.optim.Optimizer):
    """A pure update rule as a :class:`torch.optim.Optimizer`.

    A subclass names its ``rule`` and the ``intervals`` of the rule's hyperparameters, and passes
    its constructor's arguments on as ``defaults``. Everything else is here: parameter groups,
    checks, closures, gradients that are ``None``.

    Args:
        params: tensors, or groups of them, as :class:`torch.optim.Optimizer` takes them.
        defaults: hyperparameter name to value, for groups that do not set their own.

    Raises:
        TypeError: a hyperparameter is unknown or not a number.
        ValueError: a hyperparameter is outside its interval, or there are no parameters.
    """

    rule: ClassVar[Rule]
    intervals: ClassVar[dict[str, str]]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.check(**defaults)
        super().__init__(params, defaults)

    @classmethod
    def check(cls, **hyperparameters: Any) -> None:
        """Raise unless every hyperparameter is known and in its interval."""
        for name, value in hyperparameters.items():
            if name not in cls.intervals:
                known = ", ".join(cls.intervals)
                raise TypeError(f"{cls.__name__} has no hyperparameter {name!r}; it has: {known}")
            check_in_interval(name, value, cls.intervals[name])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, checking the hyperparameters it sets for itself."""
        own = {"params", "param_names", "initial_lr"}  # what PyTorch itself keeps in a group
        if isinstance(param_group, dict):  # PyTorch says what is wrong with anything else
            self.check(**{name: value for name, value in param_group.items() if name not in own})
        super().add_param_group(param_group)

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
            hyperparameters = {name: group[name] for name in self.intervals}
            for param in group["params"]:
                if param.grad is None:
                    continue
                if param.grad.is_sparse:
                    raise RuntimeError(f"{type(self).__name__} does not take sparse gradients")
                old, grad = param, param.grad
                if param.is_complex():  # rules are written for real numbers
                    old, grad = torch.view_as_real(old), torch.view_as_real(grad)
                new, state = type(self).rule(old, grad, self.state[param], **hyperparameters)
                old.copy_(new)
                self.state[param] = state
        return loss
