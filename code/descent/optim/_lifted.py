"""The optimizers made from rules of the three shapes."""

from collections.abc import Callable
from typing import Any, Concatenate

import torch
from torch import Tensor

from descent._signatures import checked
from descent.optim._base import P, RuleOptimizer
from descent.optim._docs import document_rule
from descent.optim._hyperparameters import hyperparameters_of
from descent.optim._parts import State, real
from descent.optim._shapes import (
    MODEL,
    ModelState,
    Oracle,
    Params,
    each_parameter,
    gradient_once,
    remembering,
)


class _EachParameter(RuleOptimizer[P]):
    """Follows a rule of one tensor, tensor by tensor."""

    def _advance(self, closure: Callable[[], Tensor] | None, loss: Tensor | None) -> None:
        for group in self.param_groups:
            options = self.options(group)
            for param in self._live(group):
                old, grad, state = param, param.grad, self.state[param]
                if param.is_complex():
                    old, grad, state = real(old), real(grad), _map(real, state)
                new, state = type(self).rule(old, grad, state, **options)
                old.copy_(new)
                self.state[param] = _complex(state, old) if param.is_complex() else state


class _WholeModel(RuleOptimizer[P]):
    """Follows a rule that sees all tensors that have a gradient at once."""

    def _advance(self, closure: Callable[[], Tensor] | None, loss: Tensor | None) -> None:
        params = [param for group in self.param_groups for param in self._live(group)]
        self._follow(params, loss, self._gradients(params))

    def _gradients(self, params: list[Tensor]) -> Params:
        for param in params:
            self._refuse_sparse(param)
        return tuple(real(torch.zeros_like(p) if p.grad is None else p.grad) for p in params)

    def _follow(
        self,
        params: list[Tensor],
        loss: Tensor | None,
        grads: Params,
        elsewhere: Oracle | None = None,
    ) -> None:
        """Overwrite the tensors by where the rule takes them, and keep its state."""
        start = tuple(real(param) for param in params)
        if elsewhere is not None:  # which will move them
            start, grads = (tuple(each.clone() for each in these) for these in (start, grads))
        state = ModelState(
            self.state.get(MODEL, {}), tuple(_map(real, self.state[param]) for param in params)
        )
        known = remembering(elsewhere, start, loss, grads)
        new, state = type(self).update(start, known, state, **self.options_of(params))
        for param, moved, its_state in zip(params, new, state.each, strict=True):
            real(param).copy_(moved)
            self.state[param] = (
                _complex(its_state, real(param)) if param.is_complex() else its_state
            )
        if state.model:
            self.state[MODEL] = state.model


class _Oracle(_WholeModel[P]):
    """Follows a rule that asks for the loss and its gradient, wherever it likes."""

    asks = True

    def _advance(self, closure: Callable[[], Tensor] | None, loss: Tensor | None) -> None:
        if closure is None:
            raise TypeError(
                f"{type(self).__name__} asks for gradients itself: step needs a closure that "
                "recomputes the loss and its gradients"
            )
        params = [p for group in self.param_groups for p in group["params"] if p.requires_grad]
        kept = [param.clone() for param in params]

        def elsewhere(at: Params) -> tuple[Tensor, Params]:
            for param, point in zip(params, at, strict=True):
                real(param).copy_(point)
            with torch.enable_grad():
                found = closure()
            return found.detach(), tuple(grad.clone() for grad in self._gradients(params))

        try:
            self._follow(params, loss.detach(), self._gradients(params), elsewhere)
        except BaseException:  # of what the closure raised halfway, nothing is left
            for param, before in zip(params, kept, strict=True):
                param.copy_(before)
            raise


@checked
def from_rule(
    rule: Callable[Concatenate[Tensor, Tensor, State, P], tuple[Tensor, State]],
    *,
    elementwise: bool = False,
    evaluate: Callable[..., Tensor] | None = None,
) -> type[RuleOptimizer[P]]:
    """Make the base of an optimizer from a rule of one tensor.

    Args:
        rule: ``(param, grad, state, ...)`` to the new parameter and state; a pure function whose
            further arguments are the hyperparameters.
        elementwise: whether each number moves as it would alone, so that many tensors can be
            compiled as one.
        evaluate: ``(param, state, **hyperparameters)`` to where the model is to be judged.

    Example:
        >>> import torch
        >>> from descent.optim import gradient_descent
        >>> class Plain(from_rule(gradient_descent)):
        ...     "Gradient descent."
        >>> Plain([torch.zeros(1)], 0.5).param_groups[0]["lr"]
        0.5
    """
    return _made(
        _EachParameter,
        rule,
        hyperparameters=hyperparameters_of(rule, ("param", "grad", "state")),
        update=staticmethod(gradient_once(each_parameter(rule))),
        elementwise=elementwise,
        evaluate=staticmethod(evaluate) if evaluate else None,
    )


@checked
def from_model_rule(
    rule: Callable[Concatenate[Params, Params, ModelState, P], tuple[Params, ModelState]],
    *,
    evaluate: Callable[..., Tensor] | None = None,
) -> type[RuleOptimizer[P]]:
    """Make the base of an optimizer from a rule that sees the whole model.

    Args:
        rule: ``(params, grads, state, ...)``, tuples of tensors and a :class:`ModelState`, to the
            new ones. Its hyperparameters are the same for all groups.
        evaluate: as in :func:`from_rule`.
    """
    hyperparameters = hyperparameters_of(rule, ("params", "grads", "state"))
    return _made(
        _WholeModel,
        rule,
        hyperparameters=hyperparameters,
        update=staticmethod(gradient_once(rule)),
        of_model=frozenset(hyperparameters),
        evaluate=staticmethod(evaluate) if evaluate else None,
    )


@checked
def from_oracle_rule(
    rule: Callable[Concatenate[Params, Oracle, ModelState, P], tuple[Params, ModelState]],
    *,
    branches: bool = False,
    evaluate: Callable[..., Tensor] | None = None,
) -> type[RuleOptimizer[P]]:
    """Make the base of an optimizer from a rule that asks for gradients itself.

    Args:
        rule: ``(params, oracle, state, ...)``, where ``oracle(params)`` is the loss and its
            gradient anywhere, to the new parameters and state.
        branches: whether its course depends on numbers, as that of a line search does. Runs are
            then followed one by one, and not as one.
        evaluate: as in :func:`from_rule`.
    """
    hyperparameters = hyperparameters_of(rule, ("params", "oracle", "state"))
    return _made(
        _Oracle,
        rule,
        hyperparameters=hyperparameters,
        update=staticmethod(rule),
        of_model=frozenset(hyperparameters),
        branches=branches,
        evaluate=staticmethod(evaluate) if evaluate else None,
    )


def around(
    optimizer: type[RuleOptimizer[...]],
    name: str,
    rule: Callable[..., tuple[Params, ModelState]],
) -> type[RuleOptimizer[...]]:
    """Make an optimizer from a rule that asks for gradients on behalf of another optimizer's.

    Args:
        optimizer: the other, of any shape; its hyperparameters come first.
        name: of the new class.
        rule: ``(params, oracle, state, ..., **others)``; what it names itself belongs to the
            whole model.
    """
    own = hyperparameters_of(rule, ("params", "oracle", "state"))

    def of_inner(options: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name not in own}

    def evaluate(param: Tensor, state: State, **options: Any) -> Tensor:
        return optimizer.evaluate(param, state, **of_inner(options))

    base = _made(
        _Oracle if optimizer.asks else _WholeModel,
        rule,
        hyperparameters=optimizer.hyperparameters | own,
        update=staticmethod(rule),
        of_model=optimizer.of_model | own.keys(),
        branches=optimizer.branches,
        evaluate=None if optimizer.evaluate is None else staticmethod(evaluate),
        check_together=classmethod(lambda cls, **options: optimizer.check(**of_inner(options))),
    )
    return type(base)(name, (base,), {"__doc__": rule.__doc__, "__module__": rule.__module__})


def _made(
    shape: type[RuleOptimizer[P]], rule: Callable[..., Any], **attributes: Any
) -> type[RuleOptimizer[P]]:
    document_rule(rule, attributes["hyperparameters"])
    return type(shape)(
        f"From_{rule.__name__}", (shape,), {"rule": staticmethod(rule), **attributes}
    )


def _map(function: Callable[[Tensor], Tensor], state: State) -> State:
    return {name: function(each) for name, each in state.items()}


def _complex(state: State, like: Tensor) -> State:
    # A count of steps belongs to the parameter as a whole, and has no imaginary part.
    return {
        name: torch.view_as_complex(each) if each.shape == like.shape else each
        for name, each in state.items()
    }
