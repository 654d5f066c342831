"""An optimizer of PyTorch's from a pure rule, whatever the rule's shape."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, ParamSpec

import torch
from torch import Tensor

from descent._checks import check_scalar
from descent.optim._compiled import NEEDS, CompiledStep, can_compile
from descent.optim._docs import document
from descent.optim._hyperparameters import Hyperparameter, as_signature
from descent.optim._shapes import ModelState, OracleRule, Params, PerTensor

P = ParamSpec("P")


class RuleOptimizer(torch.optim.Optimizer, Generic[P]):
    """A pure update rule as a :class:`torch.optim.Optimizer`.

    Its rule's signature says what the hyperparameters are, in the order of the constructor, with
    their defaults and ranges. Everything else is here: parameter groups, checks, closures,
    gradients that are ``None``, complex parameters, saved states.

    A subclass is made by :func:`~descent.optim.from_rule`,
    :func:`~descent.optim.from_model_rule` or :func:`~descent.optim.from_oracle_rule`.

    A hyperparameter is one number for a whole group, a tensor of one number too. Sparse gradients
    are refused, by ``step`` and by a RuntimeError.

    Args:
        params: tensors, or groups of them, as :class:`torch.optim.Optimizer` takes them.
        *args: hyperparameters, in the order of the signature.
        **kwargs: hyperparameters, by name.

    Raises:
        TypeError: a hyperparameter is unknown or of another type.
        ValueError: a hyperparameter is outside its interval or more than one number, or there are
            no parameters.
    """

    rule: ClassVar[Callable[..., Any]]
    """The pure function."""

    update: ClassVar[OracleRule]
    """The rule lifted to the most general shape, which every loop can follow."""

    hyperparameters: ClassVar[dict[str, Hyperparameter]]
    """What the rule's signature says of each, in its order."""

    evaluate: ClassVar[Callable[..., Tensor] | None] = None
    """``evaluate(param, state, **h) -> param``: where to judge the model, if not where it is."""

    elementwise: ClassVar[bool] = False
    """Whether each number moves as it would alone, so that many tensors can be taken as one."""

    asks: ClassVar[bool] = False
    """Whether the rule asks for gradients itself, so that a step needs a closure."""

    branches: ClassVar[bool] = False
    """Whether the rule's course depends on numbers, so that runs are followed one by one."""

    of_model: ClassVar[frozenset[str]] = frozenset()
    """The hyperparameters that cannot differ between groups."""

    _compiled: CompiledStep | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give the subclass its signature and its documentation."""
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "hyperparameters"):
            cls.__signature__ = as_signature(("params",), cls.hyperparameters)
            if cls.__doc__:
                cls.__doc__ = document(cls)

    def __init__(self, params: Iterable[Any], *args: P.args, **kwargs: P.kwargs) -> None:
        cls = type(self)
        try:
            given = inspect.signature(cls).bind(params, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{cls.__name__}: {error}; it has: {cls._known()}") from None
        given.apply_defaults()
        defaults = {name: given.arguments[name] for name in cls.hyperparameters}
        self.check(**defaults)
        super().__init__(params, defaults)

    @classmethod
    def _known(cls) -> str:
        return ", ".join(cls.hyperparameters)

    @classmethod
    def check(cls, **hyperparameters: Any) -> None:
        """Raise unless every hyperparameter is known and allowed, alone and with the others."""
        for name, value in hyperparameters.items():
            if name not in cls.hyperparameters:
                raise TypeError(
                    f"{cls.__name__} has no hyperparameter {name!r}; it has: {cls._known()}"
                )
            cls.hyperparameters[name].check(value)
        cls.check_together(**hyperparameters)

    @classmethod
    def check_together(cls, **hyperparameters: Any) -> None:
        """Raise unless the hyperparameters, some or all, are allowed beside each other."""

    @classmethod
    def complete(cls, **hyperparameters: Any) -> dict[str, Any]:
        """Check hyperparameters and add the defaults for all others.

        Example:
            >>> from descent.optim import SGD
            >>> SGD.complete(lr=0.1)["momentum"]
            0.0
        """
        defaults = {name: each.default for name, each in cls.hyperparameters.items()}
        complete = defaults | hyperparameters
        cls.check(**complete)
        return complete

    @classmethod
    def evaluated(cls, params: Params, state: ModelState, **hyperparameters: Any) -> Params:
        """Return the parameters at which the model is to be judged; as a rule, these."""
        if cls.evaluate is None:
            return params
        pairs = zip(params, state.each, strict=True)
        return tuple(cls.evaluate(param, each, **hyperparameters) for param, each in pairs)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, checking the hyperparameters it sets for itself."""
        own = {"params", "param_names", "initial_lr"}  # what PyTorch itself keeps in a group
        if isinstance(param_group, dict):  # PyTorch says what is wrong with anything else
            given = {name: value for name, value in param_group.items() if name not in own}
            # PyTorch adds a default of its own when a state is loaded.
            defaults = {name: self.defaults[name] for name in self.hyperparameters}
            self._check_group(defaults | given)
        super().add_param_group(param_group)

    def _check_group(self, hyperparameters: dict[str, Any]) -> None:
        self.check(**hyperparameters)
        for name, value in hyperparameters.items():
            for each in value if isinstance(value, tuple | list) else (value,):
                if isinstance(each, Tensor):
                    check_scalar(name, each)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a run where ``state_dict`` left it; it may come from PyTorch's own optimizer.

        Raises:
            ValueError: it belongs to another optimizer, or to other parameters.
        """
        for group in state_dict["param_groups"]:
            missing = [name for name in self.hyperparameters if name not in group]
            if missing:
                raise ValueError(
                    f"the state is not one of {type(self).__name__}: a group of it has no {missing}"
                )
            self._check_group({name: group[name] for name in self.hyperparameters})
            known = self._remembered(self.options(group))
            for index in group["params"]:
                foreign = sorted(state_dict["state"].get(index, {}).keys() - known)
                if foreign:
                    raise ValueError(
                        f"the state is not one of {type(self).__name__}: for a parameter it has"
                        f" {foreign}, and not only {sorted(known)}"
                    )
        super().load_state_dict(state_dict)

    @classmethod
    def _remembered(cls, options: dict[str, Any]) -> set[str]:
        """Name what the rule remembers of a parameter, by a step that leads nowhere."""
        params = (torch.zeros(1),)
        _, state = cls.update(
            params,
            lambda at: (torch.zeros(()), (torch.zeros(1),)),
            ModelState.empty(1),
            **options,
        )
        return set(state.each[0])

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Apply the rule once to every parameter that has a gradient.

        Args:
            closure: recomputes the loss and its gradients; called once, before the step, and by a
                rule that asks for gradients as often as it asks.

        Returns:
            What ``closure`` returned first, or ``None`` without one.

        Raises:
            RuntimeError: a gradient is sparse.
            TypeError: the rule asks for gradients, and there is no closure.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if self._compiled is None:
            self._advance(closure, loss)
        else:
            params = [param for group in self.param_groups for param in self._live(group)]
            self._compiled(params, lambda: self._advance(closure, loss))
        return loss

    def compile(self) -> None:
        """Have all steps from here on taken by compiled code, made from the rule as it stands.

        The tensors of an elementwise rule move into one buffer for each type and device, and
        become views of it; what shared memory with them no longer does. The state that is saved
        stays what it is. The first step goes on as before, and the second takes seconds. Gradients
        need not be copied where ``zero_grad(set_to_none=False)`` leaves them in place.

        Raises:
            TypeError: the rule asks for gradients itself.
            RuntimeError: there is no compiler for the device.
        """
        if self.asks:
            raise TypeError(
                f"{type(self).__name__} asks for gradients itself, for which the model has to run: "
                "it has no step that could be compiled alone"
            )
        devices = {param.device for group in self.param_groups for param in group["params"]}
        for device in devices:
            if not can_compile(device):
                if device.type not in NEEDS:
                    raise RuntimeError(f"compile makes no code for a device {device.type!r}")
                needs = NEEDS[device.type]
                raise RuntimeError(f"compile needs {needs}, which is not on this machine")
        self._compiled = CompiledStep(self)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Put the parameters where the model is to be judged, for the length of a block.

        Example:
            >>> import torch
            >>> from descent.optim import SGD
            >>> theta = torch.tensor([1.0], requires_grad=True)
            >>> with SGD([theta]).evaluating():
            ...     theta.item()
            1.0
        """
        moved = []
        if self.evaluate is not None:
            for group in self.param_groups:
                options = self.options(group)
                for param in group["params"]:
                    if self.state.get(param):
                        moved.append((param, param.detach().clone()))
                        param.data.copy_(
                            self.evaluate(param.detach(), self.state[param], **options)
                        )
        try:
            yield
        finally:
            for param, kept in moved:
                param.data.copy_(kept)

    def _advance(self, closure: Callable[[], Tensor] | None, loss: Tensor | None) -> None:
        """Move every parameter by one step of the rule."""
        raise NotImplementedError

    def options(self, group: dict[str, Any]) -> dict[str, Any]:
        """Return the hyperparameters of a group as they are now, plain numbers where they are."""
        return {name: _plain(group[name]) for name in self.hyperparameters}

    def options_of(self, params: list[Tensor]) -> dict[str, Any]:
        """Return each hyperparameter, tensor by tensor where the groups differ."""
        groups = {id(param): group for group in self.param_groups for param in group["params"]}
        options = [self.options(groups[id(param)]) for param in params]
        found = {}
        for name in self.hyperparameters:
            values = [each[name] for each in options]
            other = next((value for value in values if value != values[0]), None)
            if other is not None and name in self.of_model:
                raise ValueError(
                    f"{name} must be the same in all groups of {type(self).__name__}, since it "
                    f"belongs to the whole model, got {values[0]} and {other}"
                )
            found[name] = PerTensor(values) if other is not None or not values else values[0]
        return found

    def _live(self, group: dict[str, Any]) -> Iterator[Tensor]:
        for param in group["params"]:
            if param.grad is not None:
                self._refuse_sparse(param)
                yield param

    def _refuse_sparse(self, param: Tensor) -> None:
        if param.grad is not None and param.grad.is_sparse:
            raise RuntimeError(f"{type(self).__name__} does not take sparse gradients")


def _plain(value: Any) -> Any:
    # As a tensor it would give its own type or shape to a parameter that has no dimensions.
    if isinstance(value, tuple | list):
        return tuple(_plain(each) for each in value)
    return value.item() if isinstance(value, Tensor) else value
