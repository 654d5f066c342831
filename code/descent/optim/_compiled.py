"""An optimizer's step as compiled code, from the rule as it stands."""

import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from types import FunctionType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from descent._signatures import Device, checked
from descent.optim._parts import real
from descent.optim._shapes import MODEL, ModelState, OracleRule, Params

if TYPE_CHECKING:
    from descent.optim._base import RuleOptimizer

# The corrections of Adam are the same for all parameters. Left to itself, the compiler computes
# them anew for every few; a value that took more operations than this it keeps instead.
COMPILER = {"realize_opcount_threshold": 4}


NEEDS = {"cpu": "a C++ compiler, g++ or clang++", "cuda": "Triton", "xpu": "Triton"}
"""What the compiler itself needs, for each kind of device that it makes code for."""


@checked
def can_compile(device: Device) -> bool:
    """Say whether ``torch.compile`` finds what it needs: a C++ compiler, or Triton for a GPU.

    For any other device it makes no code.

    Example:
        >>> can_compile("cpu") in (True, False)
        True
    """
    kind = torch.device(device).type
    if kind != "cpu":
        return kind in NEEDS and find_spec("triton") is not None
    names = [os.environ.get("CXX", ""), "g++", "clang++", "c++"]
    return any(shutil.which(name) for name in names if name)


def in_place(update: OracleRule) -> Callable[..., None]:
    """Compile a rule so that it overwrites the parameters and the state that it is given.

    Args:
        update: the rule, of the most general shape; it asks for the gradient where it stands.

    Returns:
        ``step(params, grads, state, numbers, choices)``; compiled when it is first called, which
        takes seconds. ``numbers`` are hyperparameters as tensors, which may change from step to
        step, and ``choices`` all others, for each of which it is compiled anew.
    """

    def step(
        params: Params,
        grads: Params,
        state: ModelState,
        numbers: dict[str, Any],
        choices: dict[str, Any],
    ) -> list[Tensor]:
        new, after = update(params, lambda _: (None, grads), state, **numbers, **choices)
        kept = [*new, *_in_order(after, like=state)]
        pairs = list(zip([*params, *_in_order(state, like=state)], kept, strict=True))
        for old, value in pairs:
            if old.ndim:
                old.copy_(value)
        return [value for old, value in pairs if not old.ndim]

    compiled = torch.compile(_with_code_of_its_own(step), dynamic=True, options=COMPILER)

    def overwrite(params: Params, grads: Params, state: ModelState, *options: Any) -> None:
        # What compiled code writes into a tensor of float64 without axes is lost (PyTorch 2.13).
        values = compiled(params, grads, state, *options)
        places = [old for old in (*params, *_in_order(state, like=state)) if not old.ndim]
        for old, value in zip(places, values, strict=True):
            old.copy_(value)

    return overwrite


def _in_order(state: ModelState, *, like: ModelState) -> list[Tensor]:
    parts = zip((state.model, *state.each), (like.model, *like.each), strict=True)
    return [part[name] for part, names in parts for name in names]


def _with_code_of_its_own(function: FunctionType) -> FunctionType:
    # The compiler counts how often it has compiled a piece of code, and gives up after eight.
    code = function.__code__.replace(co_name=f"{function.__name__}_{next(_COPIES)}")
    return FunctionType(code, function.__globals__, closure=function.__closure__)


_COPIES = itertools.count()


@dataclass
class Bucket:
    """Tensors that are stepped as one: end to end in one buffer, or side by side.

    Args:
        params: what the rule is given.
        grads: the gradient of that.
        state: what the rule remembers.
        members: the parameters.
        parts: of the gradient, each parameter's own.
        options: returns the hyperparameters as they are now.
    """

    params: Params
    grads: Params
    state: ModelState
    members: list[Tensor]
    parts: list[Tensor]
    options: Callable[[], dict[str, Any]]


class CompiledStep:
    """Takes an optimizer's steps by compiled code.

    An elementwise rule is given the tensors of a group, of one type and on one device, end to end
    in one buffer, of which the parameters, their gradients and their states become views. Any
    other rule is given the tensors as they are.

    Args:
        optimizer: whose rule does not ask for gradients itself.
    """

    def __init__(self, optimizer: "RuleOptimizer[...]") -> None:
        self._optimizer = optimizer
        self._step = in_place(type(optimizer).update)
        self._buckets: list[Bucket] = []
        self._built: Any = None
        self._tensors: dict[float, Tensor] = {}

    def __call__(self, params: list[Tensor], in_the_usual_way: Callable[[], None]) -> None:
        """Take a step.

        Args:
            params: those that have a gradient.
            in_the_usual_way: takes a step without compiled code: the first, and each after which
                parameters, states or hyperparameters are not those that the code was made for.
        """
        if self._built is None or self._built != self._situation(params):
            in_the_usual_way()
            self._buckets = self._build(params)
            self._built = self._situation(params)
            return
        for bucket in self._buckets:
            pairs = zip(bucket.parts, bucket.members, strict=True)
            anew = [
                (real(part), real(p.grad))
                for part, p in pairs
                if p.grad.data_ptr() != part.data_ptr()
            ]
            if anew:
                torch._foreach_copy_(*map(list, zip(*anew, strict=True)))
            options = bucket.options()
            numbers = {n: self._tensor(each) for n, each in options.items() if _is_number(each)}
            choices = {n: each for n, each in options.items() if n not in numbers}
            self._step(bucket.params, bucket.grads, bucket.state, numbers, choices)

    def _situation(self, params: list[Tensor]) -> tuple[Any, ...]:
        """Say what the code was made for: which tensors, and which hyperparameters are on."""
        optimizer = self._optimizer
        on = [
            [... if _is_number(value) else value for value in optimizer.options(group).values()]
            for group in optimizer.param_groups
        ]
        return on, [(id(p), p.data_ptr(), id(optimizer.state[p])) for p in params]

    def _tensor(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return type(value)(self._tensor(each) for each in value)
        if value not in self._tensors:
            self._tensors = {value: torch.tensor(value, dtype=torch.float64)} | self._tensors
        return self._tensors[value]

    def _build(self, params: list[Tensor]) -> list[Bucket]:
        optimizer = self._optimizer
        if not optimizer.elementwise:
            return [_side_by_side(optimizer, params)] if params else []
        live = set(map(id, params))
        alike: dict[Any, list[Tensor]] = {}
        for index, group in enumerate(optimizer.param_groups):
            counts = _counts(optimizer, group)
            for param in group["params"]:
                if id(param) in live:
                    same = [optimizer.state[param][name].item() for name in counts]
                    key = (index, param.dtype, param.device, *same)
                    alike.setdefault(key, []).append(param)
        return [
            _end_to_end(optimizer, optimizer.param_groups[key[0]], members)
            for key, members in alike.items()
        ]


def _counts(optimizer: "RuleOptimizer[...]", group: dict[str, Any]) -> list[str]:
    """Name what a rule remembers of a parameter as a whole."""
    two = torch.ones(2)
    _, state = type(optimizer).rule(two, two, {}, **optimizer.options(group))
    return [name for name, value in state.items() if value.ndim == 0]


def _side_by_side(optimizer: "RuleOptimizer[...]", params: list[Tensor]) -> Bucket:
    for param in params:
        param.grad = param.grad.clone()  # a place of its own, in which the code will look for it
    grads = tuple(real(param.grad) for param in params)
    states = tuple({n: real(v) for n, v in optimizer.state[p].items()} for p in params)
    return Bucket(
        params=tuple(real(param.detach()) for param in params),
        grads=grads,
        state=ModelState(optimizer.state.get(MODEL, {}), states),
        members=params,
        parts=list(grads),
        options=lambda: optimizer.options_of(params),
    )


def _end_to_end(
    optimizer: "RuleOptimizer[...]", group: dict[str, Any], members: list[Tensor]
) -> Bucket:
    param, places = _joined([member.detach() for member in members])
    grad, parts = _joined([member.grad for member in members])
    first = optimizer.state[members[0]]
    counts = set(_counts(optimizer, group))
    # The count is one tensor for all: they have taken the same steps.
    state = {name: value for name, value in first.items() if name in counts}
    views: dict[str, list[Tensor]] = {name: [value] * len(members) for name, value in state.items()}
    for name in first.keys() - counts:
        state[name], views[name] = _joined([optimizer.state[member][name] for member in members])
    for index, member in enumerate(members):
        member.data, member.grad = places[index], parts[index]
        optimizer.state[member] = {name: views[name][index] for name in first}
    return Bucket(
        params=(param,),
        grads=(grad,),
        state=ModelState({}, (state,)),
        members=members,
        parts=parts,
        options=lambda: optimizer.options(group),
    )


def _joined(tensors: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Put tensors of one type into one buffer, and return it with the views that they become."""
    reals = [real(each) for each in tensors]
    buffer = torch.cat([each.reshape(-1) for each in reals])
    parts = buffer.split([each.numel() for each in reals])
    views = [part.view(each.shape) for part, each in zip(parts, reals, strict=True)]
    if tensors[0].is_complex():
        views = [torch.view_as_complex(each) for each in views]
    return buffer, views


def _is_number(value: Any) -> bool:
    """Say whether a hyperparameter is a number that is on: as a tensor it may change at no cost."""
    if isinstance(value, tuple):
        return all(map(_is_number, value))
    return isinstance(value, float) and value != 0
